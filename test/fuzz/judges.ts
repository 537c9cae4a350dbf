/** What must hold for all output, checked by other code than the one that made it. */
import assert from 'node:assert/strict'
import fc from 'fast-check'
import { SaxesParser } from 'saxes'
import { adapt } from '../../src/plan/adapt'
import { personaOf } from '../../src/plan/people'
import { Malformed } from '../../src/model/errors'
import type { Arrival, Content, Sender } from '../../src/model/message'
import type { Capabilities, Inbox } from '../../src/model/network'
import { LINK_SCHEMES, TEXT_DEPTH_MAX, toPlain, type Block, type Inline, type Text } from '../../src/model/text'
import { writeText } from '../../src/networks/matrix/text'
import { bodyOf } from '../../src/networks/xmpp/text/styling'
import { el } from '../../src/networks/xmpp/wire/xml'
import { CAN } from '../support/practice'

/** Input as a string. The six characters \ud800, for instance, stand for one UTF-16 unit, so that a file can contain halves of characters. */
export const textFrom = (input: Buffer): string =>
  input.toString().replace(/\\u([0-9a-f]{4})/gi, (_, code: string) => String.fromCharCode(parseInt(code, 16)))

/** Troublesome strings, spelled as textFrom reads them. */
export const anyText = (words: readonly string[], maxLength = 40): fc.Arbitrary<string> =>
  fc.array(fc.oneof(fc.constantFrom(...words), fc.string({ unit: 'grapheme', maxLength: 4 })), { maxLength }).map(parts => parts.join(''))

export const ODD = ['\\ud800', '\\udc00', '\u0000', '\u0001', '\u001b', '\u007f', '\u00a0', '\u00ad', '\u200b', '\u200d', '\u202e', '\u2066',
  '\u2028', '\ufeff', '\ufffd', '\ufffe', '\uffff', '\u{e0041}', '\u{1f468}\u200d\u{1f469}\u200d\u{1f467}', 'e\u0301\u0301', 'ß', 'ﬁ', 'İ', '\r\n',
  '\n', '\t', ' ']

/** Runs it, and allows only the promised errors. */
export const allowing = <T>(errors: readonly (new (...of: never[]) => Error)[], run: () => T): T | undefined => {
  try { return run() } catch (error) {
    if (errors.some(one => error instanceof one)) return undefined
    throw error
  }
}

/** The same, if only Malformed is promised. */
export const orMalformed = <T>(run: () => T): T | undefined => allowing([Malformed], run)

const HTML = '(?:[^<>&]|&(?:amp|lt|gt|quot|#39);|<br>|</?(?:p|strong|em|u|del|sup|sub|code|pre|blockquote|ul|ol|li|a|span)>|' +
  '<code class="language-[\\w+#.-]{1,30}">|<span data-mx-spoiler="[^"<>]{0,1200}">|' +
  '<ol start="-?[0-9]{1,9}">|<a href="(?:https?|mailto|xmpp|tel):[^"<>]*">)*'
const ALLOWED_HTML = new RegExp(`^${HTML}$`, 'i')

/** Judges HTML: only the few allowed elements, each closed, and no attribute but a harmless address. */
export const harmlessHtml = (html: string): void => {
  assert.match(html, ALLOWED_HTML)
  wellFormed(`<x>${html.toWellFormed().replaceAll('<br>', '<br/>').replace(/[\u0000-\u0008\u000b\u000c\u000e-\u001f\ufffe\uffff]/g, '')}</x>`)
}

export const wellFormed = (xml: string): void => {
  const saxes = new SaxesParser()
  saxes.on('error', error => { throw error })
  saxes.write(xml).close()
}

const goodInline = (part: Inline): void => {
  switch (part.kind) {
    case 'text': case 'code': return assert.equal(typeof part.text, 'string')
    case 'link':
      assert.ok(LINK_SCHEMES.has(new URL(part.href).protocol), part.href)
      return part.of.forEach(goodInline)
    default:
      assert.ok(['bold', 'italic', 'underline', 'strike', 'super', 'sub', 'spoiler'].includes(part.kind))
      return part.of.forEach(goodInline)
  }
}

const goodBlock = (block: Block, depth: number): void => {
  assert.ok(depth <= TEXT_DEPTH_MAX, 'too deep')
  switch (block.kind) {
    case 'paragraph': return block.of.forEach(goodInline)
    case 'code': return assert.equal(typeof block.text, 'string')
    case 'quote': return block.of.forEach(one => goodBlock(one, depth + 1))
    case 'list': return block.items.flat().forEach(one => goodBlock(one, depth + 1))
    default: assert.fail('no block of the model')
  }
}

/** Judges a text of the model, and everything that each network makes of it. */
export const goodText = (text: Text): void => {
  text.forEach(block => goodBlock(block, 0))
  const { body, html } = writeText(text)
  assert.ok(body.isWellFormed() && !body.includes('\0'))
  if (html !== undefined) harmlessHtml(html)
  wellFormed(el('body', {}, bodyOf(text).body).xml)
}

const INVISIBLE = /[\p{Cc}\p{Cf}\p{Cs}\p{Zl}\p{Zp}]/u
const LABEL = 'XMPP'

/** Judges a name: one line of visible characters that ends with the label. */
const goodName = (sender: Sender): void => {
  const { name } = personaOf('xmpp', LABEL, sender)
  assert.doesNotMatch(name, INVISIBLE)
  assert.ok(name.endsWith(` (${LABEL})`) && name.length > LABEL.length + 3, name)
}

const PHONE: Capabilities = { ...CAN, ghosts: false, formatting: false, files: 'text', edits: false, deletions: false, textBytesMax: 660 }

const goodContent = (content: Content, sender: Sender): void => {
  assert.equal(content.text.length > 0 || content.file !== undefined, content.unreadable === undefined)
  goodText(content.text)
  for (const part of adapt(content, PHONE, personaOf('xmpp', LABEL, sender), () => 'https://files.example.org/x')) {
    assert.ok(Buffer.byteLength(toPlain(part.text)) <= PHONE.textBytesMax)
  }
}

/** Judges what a network hands to the inbox: plain data that keeps all promises. */
const goodArrival = (arrival: Arrival): void => {
  assert.deepEqual(JSON.parse(JSON.stringify(arrival)), arrival)
  assert.ok(typeof arrival.key === 'string' && arrival.key !== '' && Number.isFinite(arrival.at))
  if (arrival.kind === 'receipt') return assert.ok(arrival.of.length > 0 && arrival.of.every(id => typeof id === 'string' && id !== ''))
  if ('sender' in arrival) goodName(arrival.sender)
  if ('content' in arrival) goodContent(arrival.content, arrival.sender)
  if ('of' in arrival) assert.ok(typeof arrival.of === 'string' && arrival.of !== '')
}

/** An inbox that judges what it gets, and keeps nothing. */
export const judgingInbox = (): Inbox => ({
  async accept (arrival) { goodArrival(arrival); return 'stored' },
  async ask (arrival) { goodArrival(arrival); return { text: '', done: true } },
  async cases () { return [] },
  async quarantine (_network, raw, why) { assert.ok(typeof raw === 'string' && why instanceof Malformed) },
  besides: () => [],
  signal () {}, presence () {},
  admits: () => true, ghostOf: () => undefined, mayAsk: () => false, portal: async () => undefined, wantsMembers: () => true,
  allowsEncrypted: () => false,
  members (_place, news) {
    const people = news.kind === 'all' ? news.members : news.kind === 'came' ? [news.member] : []
    for (const one of people) goodName(one)
    assert.deepEqual(JSON.parse(JSON.stringify(news)), news)
  },
  async lastKey () { return undefined },
  connection () {}
})
