import assert from 'node:assert/strict'
import fc from 'fast-check'
import { type Block, type Inline, isPlain, plain, type Text, toPlain } from '../../../../../src/model/text'
import { bodyOf, parseStyled, writeStyled } from '../../../../../src/networks/xmpp/text/styling'
import { slowness } from '../../../../support/linear'

const text = (value: string): Inline => ({ kind: 'text', text: value })
const paragraph = (...of: Inline[]): Block => ({ kind: 'paragraph', of })

describe('xmpp text: message styling', () => {
  const examples: [string, Text][] = [
    ['hello', [paragraph(text('hello'))]],
    ['*strong* _em_', [paragraph({ kind: 'bold', of: [text('strong')] }, text(' '), { kind: 'italic', of: [text('em')] })]],
    ['~gone~ `code *x*`', [paragraph({ kind: 'strike', of: [text('gone')] }, text(' '), { kind: 'code', text: 'code *x*' })]],
    ['*_both_*', [paragraph({ kind: 'bold', of: [{ kind: 'italic', of: [text('both')] }] })]],
    ['not * strong*', [paragraph(text('not * strong*'))]],
    ['not *strong\nat all*', [paragraph(text('not *strong\nat all*'))]],
    ['snake_case_name 2*3*4', [paragraph(text('snake_case_name 2*3*4'))]],
    ['** and *** and ****', [paragraph(text('** and *** and ****'))]],
    ['*a *b*', [paragraph({ kind: 'bold', of: [text('a *b')] })]],
    ['> one\n> > two\nthree',
      [{ kind: 'quote', of: [paragraph(text('one')), { kind: 'quote', of: [paragraph(text('two'))] }] }, paragraph(text('three'))]],
    ['see\n```js\nlet *a*\n```\nend', [paragraph(text('see')), { kind: 'code', text: 'let *a*', language: 'js' }, paragraph(text('end'))]],
    ['```\nopen', [{ kind: 'code', text: 'open' }]],
    ['a\n\nb', [paragraph(text('a\n\nb'))]]
  ]
  for (const [body, expected] of examples) it(`reads ${JSON.stringify(body)}`, () => { assert.deepEqual(parseStyled(body), expected) })

  const word = fc.stringMatching(/^[a-zä-ü😀]{1,6}$/u)
  const words = fc.array(word, { minLength: 1, maxLength: 3 }).map(all => all.join(' '))
  const leaf = words.map(text)
  const span: fc.Arbitrary<Inline> = fc.oneof(
    words.map(value => ({ kind: 'code', text: value }) as Inline),
    fc.tuple(fc.constantFrom('bold', 'italic', 'strike'), leaf).map(([kind, of]) => ({ kind, of: [of] }) as Inline),
    leaf.map(of => ({ kind: 'bold', of: [{ kind: 'italic', of: [{ kind: 'strike', of: [of] }] }] }) as Inline)
  )
  const inline = fc.tuple(words, fc.array(fc.tuple(span, words), { maxLength: 3 }))
    .map(([first, rest]) => rest.reduce<Inline[]>((parts, [one, after], index) => {
      const before = parts.at(-1) as { kind: 'text', text: string }
      return [...parts.slice(0, -1), text(`${before.text} `), one, text(` ${after}${index % 2 ? '\nnext' : ''}`)]
    }, [text(first)]))
  const flat = fc.oneof(inline.map(of => paragraph(...of)), words.map(value => ({ kind: 'code', text: value }) as Block))
  const quote = fc.array(flat, { minLength: 1, maxLength: 3 }).map(of => ({ kind: 'quote', of: apart(of) }) as Block)
  const block: fc.Arbitrary<Block> = fc.oneof(flat, quote)
  /** Two paragraphs beside each other are one. */
  const apart = (blocks: Block[]): Block[] =>
    blocks.filter((one, index) => !(one.kind === 'paragraph' && blocks[index - 1]?.kind === 'paragraph'))

  it('reads back what it wrote, for text without stray markers', () => {
    fc.assert(fc.property(fc.array(block, { minLength: 1, maxLength: 4 }).map(apart), value => {
      assert.deepEqual(parseStyled(writeStyled(value)), value)
    }), { numRuns: 500 })
  })

  it('never throws and loses no letter, whatever the body', () => {
    fc.assert(fc.property(fc.string({ unit: fc.constantFrom('*', '_', '~', '`', '>', ' ', '\n', 'a', 'b', '```') }), body => {
      const letters = (of: string): string => of.replace(/[^ab]/g, '')
      const got = letters(toPlain(parseStyled(body)))
      assert.ok(got === letters(body) || body.includes('```'))
    }), { numRuns: 2000 })
  })

  it('marks plain text that would be styled by accident, and only that', () => {
    assert.deepEqual(bodyOf(plain('2 *times* 3')), { body: '2 *times* 3', unstyled: true })
    assert.deepEqual(bodyOf(plain('> not a quote')), { body: '> not a quote', unstyled: true })
    assert.deepEqual(bodyOf(plain('a * b')), { body: 'a * b', unstyled: false })
    fc.assert(fc.property(fc.string({ unit: fc.constantFrom('*', '_', '>', '`', ' ', '\n', 'a') }), value => {
      const { body, unstyled } = bodyOf(plain(value))
      assert.equal(body, value)
      assert.ok(unstyled || isPlain(parseStyled(body)))
    }), { numRuns: 1000 })
  })

  it('leaves out markers that would have no effect', () => {
    assert.equal(writeStyled([paragraph(text('foo'), { kind: 'bold', of: [text('bar')] })]), 'foobar')
    assert.equal(writeStyled([paragraph({ kind: 'bold', of: [text(' a\nb ')] })]), ' *a*\n*b* ')
  })

  it('writes lists and links as people do', () => {
    assert.equal(writeStyled([{ kind: 'list', ordered: true, items: [[paragraph(text('a'))], [paragraph(text('b\nc'))]] },
      paragraph({ kind: 'link', href: 'https://example.org/', of: [text('here')] })]), '1. a\n2. b\n  c\nhere (https://example.org/)')
  })

  it('takes linear time for hostile text', async () => {
    for (const piece of ['*a ', ' *', '_*~`', '> ', '>', '```\n', ' `a', ' _a_ *b*']) {
      const read = (times: number): Text => parseStyled(piece.repeat(16_384 * times / piece.length))
      assert.equal(await slowness(read), undefined, piece)
      assert.equal(await slowness(times => bodyOf(read(times))), undefined, `${piece}, written`)
    }
  })
})
