import assert from 'node:assert/strict'
import fc from 'fast-check'
import { parseDocument } from 'htmlparser2'
import { html, linkTo } from '../../../src/pages/html'

interface Node { type: string; name?: string; data?: string; attribs?: Record<string, string>; children?: Node[] }

const nodesIn = (node: Node): Node[] => [node, ...(node.children ?? []).flatMap(nodesIn)]
const shape = (text: string): string[] => nodesIn(parseDocument(text) as unknown as Node)
  .flatMap(({ type, name, attribs }) => name === undefined ? [type] : [name, ...Object.keys(attribs ?? {})])
  .filter(part => part !== 'text')

describe('a template of HTML', () => {
  const hostile = fc.oneof(fc.string({ unit: 'binary' }), fc.array(fc.constantFrom(
    '<', '>', '"', "'", '&', '`', '=', '/', ' ', '<script>', '</script>', '<!--', '-->', ']]>', '&lt;', '&#60;', 'on', 'error', 'javascript:',
    '\u0000', '\ud800', '\u202e', '\n', '<img src=x onerror=alert(1)>', '" autofocus onfocus="alert(1)', '</bdi></td>'
  )).map(parts => parts.join('')))

  it('keeps its tags and attributes, whatever stands between them', () => {
    fc.assert(fc.property(hostile, hostile, (one, other) => {
      const made = html`<p class="${one}" title="${other}"><bdi>${one}</bdi>${[other, html`<b>${one}</b>`]}</p>`.text
      assert.deepEqual(shape(made), ['root', 'p', 'class', 'title', 'bdi', 'b'])
    }), { numRuns: 500 })
  })

  it('says what it was given, but no characters that nobody may see or that turn the direction', () => {
    fc.assert(fc.property(hostile, text => {
      const read = nodesIn(parseDocument(html`<p>${text}</p>`.text) as unknown as Node).map(({ data = '' }) => data).join('')
      assert.equal(read.replaceAll('\ufffd', ''), text.replace(/(?![\t\n\r])[\p{Cc}\p{Cs}\u061c\u200e\u200f\u202a-\u202e\u2066-\u2069\ufffd]/gu, ''))
    }), { numRuns: 500 })
  })

  it('leaves out what is not there, and takes HTML only from itself', () => {
    assert.equal(html`<i>${undefined}${false}${0}${[]}</i>`.text, '<i>0</i>')
    const forged = { text: '<script>' } as unknown as string
    assert.throws(() => html`${forged}`)
  })

  it('links to nothing but pages', () => {
    for (const url of ['javascript:alert(1)', ' javascript:alert(1)', 'data:text/html,x', '//x', 'JaVaScRiPt:x']) assert.equal(linkTo(url), '#')
    assert.equal(linkTo('https://example.org/?a=1&b'), 'https://example.org/?a=1&b')
  })
})
