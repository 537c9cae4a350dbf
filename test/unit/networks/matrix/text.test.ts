import assert from 'node:assert/strict'
import fc from 'fast-check'
import { TEXT_DEPTH_MAX, type Block, type Inline, type Text } from '../../../../src/model/text'
import { parseHtml, readText, writeHtml, writeText } from '../../../../src/networks/matrix/text'
import { slowness } from '../../../support/linear'

const paragraph = (text: string): Block => ({ kind: 'paragraph', of: [{ kind: 'text', text }] })
const repeated = (part: string, length: number): string => part.repeat(length / part.length)
const TAG = '<br>|<ol start="-?[0-9]+">|</?(?:p|strong|em|u|del|sup|sub|code|pre|blockquote|ul|ol|li|a|span)>|' +
  '<code class="language-[\\w+#.-]{1,30}">|<span data-mx-spoiler="[^"<>]*">|<a href="(?:https?|mailto|xmpp|tel):[^"<>]*">'
const ALLOWED = new RegExp(`^(?:[^<>]|${TAG})*$`)

/** Text in normal form: no two neighbours of one kind, marks nested in a fixed order, no space at an edge. */
const word = fc.string({ unit: fc.constantFrom(...'abäß😀<>&"\'`*_#;'), minLength: 1, maxLength: 8 })
const words = fc.array(word, { minLength: 1, maxLength: 4 }).chain(list =>
  fc.constantFrom(' ', '  ', '\n').map(gap => list.join(gap)))
const text = words.map((value): Inline => ({ kind: 'text', text: value }))
const code = words.map((value): Inline => ({ kind: 'code', text: value }))
const marked = (kind: 'bold' | 'italic' | 'underline' | 'strike' | 'super' | 'sub', of: fc.Arbitrary<Inline>): fc.Arbitrary<Inline> =>
  of.map(inner => ({ kind, of: [inner] }))
const raised = fc.oneof(marked('super', fc.oneof(text, code)), marked('sub', fc.oneof(text, code)))
const strike = marked('strike', fc.oneof(text, code, raised))
const underline = marked('underline', fc.oneof(text, code, strike))
const italic = marked('italic', fc.oneof(text, code, underline, strike))
const bold = marked('bold', fc.oneof(text, code, italic, strike))
const hidden = fc.tuple(fc.oneof(text, bold, raised), fc.constantFrom('', 'Ende "x" <b>')).map(([inner, reason]): Inline =>
  ({ kind: 'spoiler', of: [inner], ...reason !== '' && { reason } }))
const href = 'https://example.org/?a=1&b="'
const link = fc.oneof(text, bold, italic, hidden).map((inner): Inline => ({ kind: 'link', href, of: [inner] }))
const inlines = fc.array(fc.oneof(bold, italic, underline, strike, raised, hidden, link, code), { minLength: 1, maxLength: 3 }).map(list =>
  list.flatMap((part): Inline[] => [{ kind: 'text', text: 'x' }, part]))
const leaf: fc.Arbitrary<Block> = fc.oneof(
  fc.oneof(inlines, text.map(part => [part])).map((of): Block => ({ kind: 'paragraph', of })),
  fc.tuple(words, fc.constantFrom(undefined, 'js', 'c++')).map(([value, language]): Block =>
    ({ kind: 'code', text: value, ...language !== undefined && { language } })))
/** Two paragraphs beside each other are apart. */
const apart = (blocks: Block[]): Block[] => blocks.map((one, index) =>
  one.kind === 'paragraph' && blocks[index - 1]?.kind === 'paragraph' ? { ...one, apart: true } : one)
const few = <T>(one: fc.Arbitrary<T>): fc.Arbitrary<T[]> => fc.array(one, { minLength: 1, maxLength: 2 })
const block = (depth: number): fc.Arbitrary<Block> => depth === 0 ? leaf : fc.oneof(leaf,
  few(block(depth - 1)).map((of): Block => ({ kind: 'quote', of: apart(of) })),
  fc.record({ ordered: fc.boolean(), items: few(few(block(depth - 1)).map(apart)) }).map((list): Block => ({ kind: 'list', ...list })),
  fc.record({ start: fc.constantFrom(-7, 0, 14), items: few(few(block(depth - 1)).map(apart)) })
    .map((list): Block => ({ kind: 'list', ordered: true, ...list })))
const normal: fc.Arbitrary<Text> = fc.array(block(3), { minLength: 1, maxLength: 3 }).map(apart)

const depthOf = (blocks: Text): number => Math.max(0, ...blocks.map(part =>
  part.kind === 'quote' ? 1 + depthOf(part.of) : part.kind === 'list' ? 1 + Math.max(...part.items.map(depthOf)) : 0))

describe('Matrix text', () => {
  it('comes back as it was written', () => {
    fc.assert(fc.property(normal, value => { assert.deepEqual(parseHtml(writeHtml(value)), value) }), { numRuns: 500 })
  })

  it('is written in few elements only, whatever it holds', () => {
    fc.assert(fc.property(normal, value => { assert.match(writeHtml(value), ALLOWED) }))
    const evil: Inline = { kind: 'link', href: 'javascript:alert(1)', of: [{ kind: 'text', text: '<img onerror=x>' }] }
    assert.equal(writeHtml([{ kind: 'paragraph', of: [evil] }]), '&lt;img onerror=x&gt;')
  })

  it('survives any HTML, and what comes of it is harmless and not too deep', () => {
    const piece = fc.oneof(fc.string(), fc.constantFrom('<b>', '</b>', '<ul>', '<li>', '</li>', '</ul>', '<blockquote>',
      '</blockquote>', '<pre>', '</pre>', '<p>', '<br>', '<script>', '</script>', '<a href="https://x.y">',
      '<a href="javascript:x">', '</a>', '<mx-reply>', '</mx-reply>', '<!--', '&lt;', '<img alt="<b>">'))
    fc.assert(fc.property(fc.array(piece, { maxLength: 60 }), pieces => {
      const value = parseHtml(pieces.join('')) ?? []
      assert.match(writeHtml(value), ALLOWED)
      assert.ok(depthOf(value) <= TEXT_DEPTH_MAX)
    }), { numRuns: 1000 })
  })

  it('takes no long time over hostile HTML', async () => {
    const parts = ['<b>', '</i>', '<', '&', ' ', '<br> ', '<!--', '<a href="', '<ul><li>', '<blockquote>', '&nbsp; ', '<p>\n', '> ', '<b><i>b>']
    for (const part of parts) {
      assert.equal(await slowness(times => readText('> '.repeat(5000 * times), repeated(part, 16_384 * times), true)), undefined, part)
    }
    for (const part of ['* ', '5*', '-', ' ', '> ', '```', '<b ', 'a ', '> <@a:b> x\n']) {
      assert.equal(await slowness(times => readText(repeated(part, 16_384 * times), '<b>x</b> '.repeat(1500), true)), undefined, `${part} beside it`)
    }
    assert.equal(await slowness(times => parseHtml(`<img alt="${'\n'.repeat(16_000 * times)}x\n">`)), undefined, 'an image')
    assert.equal(await slowness(times => parseHtml('<b>'.repeat(1200 * times) + '</i>'.repeat(3000 * times))), undefined, 'open tags')
  })

  it('is written in linear time', async () => {
    const parts: Inline[] = [{ kind: 'bold', of: [{ kind: 'code', text: '<' }] }, { kind: 'text', text: ' a\n' }, { kind: 'link', href, of: [] }]
    assert.equal(await slowness(times => writeText([{ kind: 'paragraph', of: Array(2000 * times).fill(parts).flat() as Inline[] }])), undefined)
  })

  it('reads what clients write', () => {
    const read = (html: string): Text | undefined => parseHtml(html)
    assert.deepEqual(read('<p>a</p>\n<p>b</p>\n'), [paragraph('a'), { ...paragraph('b'), apart: true }])
    assert.deepEqual(read('<p>a</p>b<p>c</p><div>d</div><p>e</p>'), ['a', 'b', 'c', 'd', 'e'].map(paragraph), 'only between two of them')
    assert.deepEqual(read('<pre><code class="language-js">a\n  b\n</code></pre>'), [{ kind: 'code', text: 'a\n  b', language: 'js' }])
    assert.deepEqual(read('<ol>\n<li>a</li>\n<li><p>b</p></li>\n</ol>'),
      [{ kind: 'list', ordered: true, items: [[paragraph('a')], [paragraph('b')]] }])
    assert.deepEqual(read('<a href="https://matrix.to/#/@max:example.org">Max</a>: hallo'), [paragraph('Max: hallo')])
    assert.deepEqual(read('<mx-reply><blockquote>alt</blockquote></mx-reply>neu'), [paragraph('neu')])
    assert.deepEqual(read('<h1>T</h1>x'),
      [{ kind: 'paragraph', of: [{ kind: 'bold', of: [{ kind: 'text', text: 'T' }] }] }, paragraph('x')])
    assert.deepEqual(read('a <img src="mxc://x/y" alt=":)" title="x"> b'), [paragraph('a :) b')])
    assert.equal(read('<script>x</script> '), undefined)
    assert.deepEqual(read('<blockquote>'.repeat(20) + 'tief' + '</blockquote>'.repeat(20) + 'oben')?.at(-1), paragraph('oben'))
  })

  it('takes a link only as it stands there, not as a browser would mend it', () => {
    const hrefs = ['ht\ntps://x.example', 'java\tscript:alert(1)', '\u0001https://x.example', 'https\r:x', '//x.example', 'data:text/html,x']
    for (const href of hrefs) assert.deepEqual(parseHtml(`<a href="${href}">a</a>`), [paragraph('a')], JSON.stringify(href))
    assert.equal(writeHtml(parseHtml('<a href=" HTTPS://x.example/ ">a</a>') ?? []), '<a href="HTTPS://x.example/">a</a>')
  })

  it('falls back to the body, without what is only quoted', () => {
    assert.deepEqual(readText('> <@a:b> alt\n> mehr\n\nneu', undefined, true), [paragraph('neu')])
    assert.deepEqual(readText('> kein Zitat', undefined, false), [paragraph('> kein Zitat')])
    assert.deepEqual(readText('voll', '<b></b>', false), [paragraph('voll')])
  })

  it('has HTML only where the body does not say it all, and nothing that JSON or a database refuses', () => {
    assert.deepEqual(writeText([paragraph('a\0b\ud800')]), { body: 'a\ufffdb\ufffd' })
    const html = '<p>a</p><pre><code>b</code></pre>'
    assert.deepEqual(writeText([paragraph('a'), { kind: 'code', text: 'b' }]), { body: 'a\nb', html })
  })
})
