import assert from 'node:assert/strict'
import fc from 'fast-check'
import { Malformed } from '../../../../../src/model/errors'
import {
  ATTRIBUTES_MAX, CHILDREN_MAX, ID_CHARACTERS_MAX, makeParser, STANZA_BYTES_MAX, STANZA_DEPTH_MAX
} from '../../../../../src/networks/xmpp/wire/parser'
import { el, type Element, elementsIn, legal, textOf, type Xml } from '../../../../../src/networks/xmpp/wire/xml'
import { slowness } from '../../../../support/linear'
import { bare, HEADER, peer } from '../../../../support/xml-peer'

const read = (chunks: Uint8Array[], dropped: string[] = []): Element[] => {
  const heard: Element[] = []
  const parser = makeParser({
    opened () {}, closed () {}, stanza: one => { heard.push(one) }, dropped: (why, one) => { dropped.push(`${one.name}: ${why}`) }
  })
  for (const chunk of chunks) parser.write(chunk)
  return heard
}

const readText = (...texts: string[]): Element[] => read(texts.map(text => Buffer.from(text)))

/** Any string, rich in characters that make trouble in XML. */
const anyString = fc.string({
  unit: fc.oneof(
    fc.constantFrom(...'<>&\'"\r\n\t\0\u0001\u001f\ufffe\uffffü😀 ', ']]>', '\ud800', '\udc00'),
    fc.string({ minLength: 1, maxLength: 3, unit: 'binary' })
  ), maxLength: 20
})

interface Plan { name: string, attrs: Record<string, string>, children: (Plan | string)[] }
const plan: fc.Arbitrary<Plan> = fc.letrec<{ node: Plan }>(tie => ({
  node: fc.record({
    name: fc.constantFrom('message', 'body', 'x', 'a-b'),
    attrs: fc.dictionary(fc.constantFrom('id', 'from', 'xml:lang', 'var'), anyString, { noNullPrototype: true }),
    children: fc.array(fc.oneof({ depthSize: 'small', withCrossShrink: true }, anyString, tie('node')), { maxLength: 4 })
  })
})).node

const written = (one: Plan): Xml => el(one.name, one.attrs, ...one.children.map(each => typeof each === 'string' ? each : written(each)))

/** The tree as it must be read back: text joined, and what XML forbids replaced. */
const expected = (one: Plan): unknown => {
  const children: unknown[] = []
  for (const each of one.children) {
    const next = typeof each === 'string' ? legal(each) : expected(each)
    if (typeof next === 'string' && typeof children.at(-1) === 'string') children.push(String(children.pop()) + next)
    else if (next !== '') children.push(next)
  }
  const attrs = Object.fromEntries(Object.entries(one.attrs).map(([key, value]) => [key, legal(value)]))
  return { name: one.name, attrs, children }
}

describe('xmpp xml: writer and parser', () => {
  it('reads a copy for somebody else as if it came alone', () => {
    const inside = fc.constantFrom('<body>a</body>', "<body to='x'>a</body>", '<p:b/>', '')
    const value = fc.constantFrom('anna@x/y', 'bernd@x/y', 'anna@x/y&amp;z', "' to='anna@x/y", '', ' ', 'ä')
    const message = fc.record({ inside, to: value, id: value, quote: fc.constantFrom('\'', '"') }).map(({ inside, to, id, quote }) => {
      const quoted = (text: string): string => quote + text.replaceAll(quote, '&quot;') + quote
      return `<message id=${quoted(id)} to=${quoted(to)} xml:lang='de'>${inside}</message>`
    })
    fc.assert(fc.property(fc.array(message, { maxLength: 8 }), all => {
      assert.deepEqual(readText(HEADER + all.join('')), all.flatMap(one => readText(HEADER + one)))
    }))
  })

  it('does not read a copy of what it has dropped', () => {
    const dropped: string[] = []
    const bad = (to: string): string => `<message to='${to}'><p:b/></message>`
    assert.deepEqual(read([Buffer.from(HEADER + bad('anna@x/y') + bad('bernd@x/y'))], dropped), [])
    assert.equal(dropped.length, 2)
  })

  it('reads no more than the address of a copy that nobody heeds', () => {
    const [heard, asked]: [Element[], [string, string][]] = [[], []]
    const parser = makeParser({
      opened () {}, closed () {}, dropped () {}, stanza: one => { heard.push(one) },
      heedless: ({ attrs: { id = '' } }, to) => { asked.push([id, to]); return to !== 'a' }
    })
    const message = (id: string, to: string): string => `<message id='${id}' to='${to}'><body>x</body></message>`
    const copies = [message('1', 'c'), message('1', 'a'), message('1', 'b'), message('2', 'a'), message('2', '&amp;')]
    parser.write(Buffer.from(HEADER + copies.join('')))
    assert.deepEqual(asked, [['1', 'a'], ['1', 'b']])
    assert.deepEqual(heard.map(({ attrs: { id, to } }) => [id, to]), [['1', 'c'], ['1', 'a'], ['2', 'a'], ['2', '&']])
    assert.throws(() => parser.write(Buffer.from(message('2', '<'))), Malformed)
  })

  it('gives copies that do not change one another', () => {
    const [one, other] = readText(`${HEADER}<message to='a'><body>x</body></message><message to='b'><body>x</body></message>`)
    one!.children.push('y')
    assert.deepEqual([one!.attrs.to, other!.attrs.to, other!.children.length], ['a', 'b', 1])
  })

  it('reads back what was written, in whatever chunks the bytes come', () => {
    fc.assert(fc.property(fc.array(plan, { minLength: 1, maxLength: 3 }), fc.infiniteStream(fc.integer({ min: 1, max: 9 })), (plans, sizes) => {
      const bytes = Buffer.from(HEADER + plans.map(one => written(one).xml).join(''))
      const chunks: Uint8Array[] = []
      for (let at = 0; at < bytes.length;) {
        const size = sizes.next().value as number
        chunks.push(bytes.subarray(at, at + size))
        at += size
      }
      assert.deepEqual(read(chunks).map(bare), plans.map(expected))
    }), { numRuns: 300 })
  })

  it('knows namespaces by what they are, not by their prefix', () => {
    const [stanza] = readText(HEADER, '<message><q:x xmlns:q=\'urn:a\'><y/><q:z/></q:x></message>')
    const x = stanza?.children[0] as Element
    assert.deepEqual([x.name, x.ns], ['x', 'urn:a'])
    assert.deepEqual(x.children.map(one => (one as Element).ns), ['jabber:component:accept', 'urn:a'])
  })

  it('takes character references, the five entities and CDATA', () => {
    const [stanza] = readText(HEADER, '<m>&lt;&gt;&amp;&apos;&quot;&#252;&#x1F600;<![CDATA[<&]]></m>')
    assert.equal(textOf(stanza), '<>&\'"ü😀<&')
  })

  const refused: Record<string, string> = {
    'a doctype before the stream': '<!DOCTYPE x><stream:stream xmlns:stream=\'http://etherx.jabber.org/streams\'>',
    'another root': '<foo/>',
    'a doctype': `${HEADER}<!DOCTYPE x [<!ENTITY a "b">]>`,
    'a comment': `${HEADER}<!-- x -->`,
    'a processing instruction': `${HEADER}<?x y?>`,
    'an unknown entity': `${HEADER}<m>&nbsp;</m>`,
    'a reference to a forbidden character': `${HEADER}<m>&#11;</m>`,
    'a reference to a surrogate': `${HEADER}<m>&#xD800;</m>`,
    'a forbidden character': `${HEADER}<m>\u0001</m>`,
    'a forbidden character in an attribute': `${HEADER}<m a='\u000b'/>`,
    'a duplicate attribute': `${HEADER}<m a='1' a='2'/>`,
    'a wrong end': `${HEADER}<m></n>`,
    'an attribute without quotes': `${HEADER}<m a=1/>`,
    'a < in an attribute': `${HEADER}<m a='<'/>`,
    'a bare &': `${HEADER}<m>a & b</m>`,
    ']]> in text': `${HEADER}<m>]]></m>`,
    'text between stanzas': `${HEADER}<m/>x`,
    'a second root': `${HEADER}</stream:stream><m/>`,
    'a bad name': `${HEADER}<1m/>`,
    'an end without a start': '</x>',
    'an end of nothing': '</ >',
    'a tag without end': `${HEADER}<m a='${'x'.repeat(STANZA_BYTES_MAX)}`
  }
  for (const [what, text] of Object.entries(refused)) it(`refuses ${what}`, () => { assert.throws(() => readText(text), Malformed) })

  const dropped: Record<string, string> = {
    'an unknown prefix': '<m><p:m/>x</m>',
    'an unknown attribute prefix': '<m p:a=\'1\'>x</m>',
    'a duplicate attribute under two prefixes': '<m><n xmlns:p=\'u\' xmlns:q=\'u\' p:a=\'1\' q:a=\'2\'/></m>',
    'two colons': '<m><a:b:c xmlns:a=\'u\'/></m>',
    'the prefix xml for something else': '<m xmlns:xml=\'urn:a\'/>',
    'too deep': '<m>'.repeat(STANZA_DEPTH_MAX + 1) + '</m>'.repeat(STANZA_DEPTH_MAX + 1),
    'too many attributes': `<m ${Array.from({ length: ATTRIBUTES_MAX + 1 }, (_, i) => `a${i}=''`).join(' ')}/>`,
    'too many children': `<m>${'<c/>'.repeat(CHILDREN_MAX + 1)}</m>`,
    'too large': `<m>${'x'.repeat(STANZA_BYTES_MAX)}</m>`,
    'too large in CDATA': `<m>${'<![CDATA[<m>]]>'.repeat(STANZA_BYTES_MAX / 14)}</m>`
  }
  it('leaves out an id that is longer than any that is kept, and nothing else', () => {
    const [long, most] = ['x'.repeat(ID_CHARACTERS_MAX + 1), 'x'.repeat(ID_CHARACTERS_MAX)]
    const [first] = read([HEADER, `<m id='${long}' to='${long}'><c id='${most}'/><c id='${long}'/></m>`].map(one => Buffer.from(one)))
    assert.deepEqual([first?.attrs.to, first?.attrs.id], [long, undefined])
    assert.deepEqual(elementsIn(first!).map(({ attrs }) => attrs.id), [most, undefined])
  })

  for (const [what, text] of Object.entries(dropped)) {
    it(`drops one stanza, not the stream, for ${what}`, () => {
      const why: string[] = []
      const got = read([HEADER, '<a/>', text.slice(0, 20), text.slice(20), '<b><c>d</c></b>'].map(one => Buffer.from(one)), why)
      assert.deepEqual(got.map(one => one.name), ['a', 'b'])
      assert.equal(why.length, 1)
      assert.match(why[0] as string, /^m: /)
    })
  }

  it('refuses bytes that are not UTF-8', () => {
    assert.throws(() => read([Buffer.from(HEADER), Buffer.from([0x3c, 0x6d, 0x3e, 0xc3, 0x28])]), Malformed)
    assert.throws(() => read([Buffer.from(HEADER), Buffer.from([0x3c, 0x6d, 0x3e, 0xed, 0xa0, 0x80])]), Malformed) // a surrogate
  })

  it('takes what is just inside the limits', () => {
    assert.equal(readText(HEADER, '<m>'.repeat(STANZA_DEPTH_MAX) + '</m>'.repeat(STANZA_DEPTH_MAX)).length, 1)
    assert.equal(readText(HEADER, `<m>${'x'.repeat(600_000)}</m>`, '<n/>').length, 2)
    assert.equal(readText(HEADER, ...Array.from({ length: 40 }, () => `<m>${'x'.repeat(60_000)}</m>`)).length, 40)
  })

  it('takes linear time for a long tag that comes in many chunks', async () => {
    assert.equal(await slowness(times => {
      const bytes = Buffer.from(`${HEADER}<m ${' a=\'b\''.repeat(20_000 * times)}/>`)
      read(Array.from({ length: bytes.length / 1400 }, (_, index) => bytes.subarray(index * 1400, (index + 1) * 1400)))
    }), undefined)
  })

  it('judges as a general parser does', () => {
    const piece = fc.constantFrom(...'<>/=\'"&; ab\n\rü1-', '&lt;', '&#x41;', '&#0;', 'a=', '\'x\'', '<a>', '</a>', '<b/>', '<a ',
      ']]>', '<![CDATA[', '<!--', '-->', '<?', '?>', '<a b=\'c\'>', '<!DOCTYPE a>')
    fc.assert(fc.property(fc.array(piece, { maxLength: 12 }), fc.boolean(), (pieces, wrap) => {
      const inner = wrap ? `<a>${pieces.join('')}</a>` : `<${pieces.join('')}/>`
      const ours = ((): unknown => {
        const heard: unknown[] = []
        let closed = false
        const parser = makeParser({
          opened () {}, closed () { closed = true }, stanza: one => { heard.push(bare(one)) }, dropped () { throw new Error() }
        })
        try { parser.write(Buffer.from(`${HEADER}${inner}</stream:stream>`)) } catch { return 'refused' }
        return closed ? heard : 'refused'
      })()
      assert.deepEqual(ours, peer(HEADER + inner))
    }), { numRuns: 5000 })
  })

  it('has no way to Object.prototype', () => {
    const [stanza] = readText(HEADER, '<m __proto__=\'x\' constructor=\'y\'/>')
    assert.equal(stanza?.attrs.constructor, 'y')
    assert.equal(stanza?.attrs.toString, undefined)
  })
})
