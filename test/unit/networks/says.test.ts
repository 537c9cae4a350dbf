/** What a text says, through every network. The judge is the event's own plain body, next to the HTML that Element's Markdown makes of it. */
import assert from 'node:assert/strict'
import { HtmlRenderer, Parser } from 'commonmark'
import fc from 'fast-check'
import type { Attachment } from '../../../src/model/message'
import { plain, toPlain, type Text } from '../../../src/model/text'
import { captioned, fileContent } from '../../../src/networks/matrix/contents'
import { attachment } from '../../../src/networks/matrix/events/files'
import type { Json } from '../../../src/networks/matrix/events/json'
import { parseHtml, readText, writeHtml, writeText } from '../../../src/networks/matrix/text'
import { contentOf, contentXml } from '../../../src/networks/xmpp/text/content'
import { bodyOf, parseStyled } from '../../../src/networks/xmpp/text/styling'
import { el } from '../../../src/networks/xmpp/wire/xml'
import { parse } from './xmpp/parse'

const markdown = (body: string): string => new HtmlRenderer({ softbreak: '<br />' }).render(new Parser().parse(body))

const typedInElement = (body: string): Text => readText(body, markdown(body), false)

const shownByXmppApp = (text: Text): string => {
  const { body, unstyled } = bodyOf(text)
  return toPlain(unstyled ? plain(body) : parseStyled(body))
}

/** What people read, by network. */
const shown = (text: Text): Record<string, string> => {
  const { body, html } = writeText(text)
  const formatted = toPlain(html === undefined ? plain(body) : parseHtml(html) ?? [])
  return { phone: toPlain(text), xmpp: bodyOf(text).body, app: shownByXmppApp(text), body, formatted }
}

const wordsOf = (text: string): string[] => text.normalize('NFC').match(/[\p{L}\p{M}\p{N}]+/gu) ?? []

const keepsWords = (said: string, text: Text): void => {
  for (const [network, out] of Object.entries(shown(text))) {
    const words = wordsOf(out)
    let at = 0
    for (const word of wordsOf(said)) {
      at = words.indexOf(word, at) + 1
      assert.ok(at > 0, `${network}: ${JSON.stringify(word)} of ${JSON.stringify(said)} is missing in ${JSON.stringify(out)}`)
    }
  }
}

const onPhone = (html: string, body = ''): string => toPlain(readText(body, html, false))

describe('what a text says', () => {
  const piece = fc.constantFrom('Haus', '14', '3', '20', 'Euro', 'ä', '0', 'a_b', '*', '**', '_', '~', '~~', '`', '```', '```\n', ' ', ' ', '  ',
    '\n', '\n\n', '. ', '.', ') ', '- ', '+ ', '* ', '> ', '#', '# ', '+', '-', '\n- ', '\n3. ', '\n+ ', ',', ':', '(', ')', '|', '\\', '=', '    ',
    '\t', '1. ', '\n---\n', '<', '>', '&', '!', '[', ']')
  const bodies = fc.array(piece, { minLength: 1, maxLength: 24 }).map(pieces => pieces.join(''))

  it('keeps every number and word that was typed into Element, in order, on every network', () => {
    fc.assert(fc.property(bodies, body => { keepsWords(body, typedInElement(body)) }), { numRuns: 4000 })
  })

  it('keeps every number and word that was typed into an XMPP app', () => {
    fc.assert(fc.property(bodies, body => { keepsWords(body, parseStyled(body)) }), { numRuns: 4000 })
  })

  it('keeps them on the way from one network to the other and back', () => {
    fc.assert(fc.property(bodies, body => {
      const { body: sent, html } = writeText(parseStyled(body))
      keepsWords(body, readText(sent, html, false))
      const back = bodyOf(typedInElement(body))
      keepsWords(body, back.unstyled ? plain(back.body) : parseStyled(back.body))
    }), { numRuns: 4000 })
  })

  it('keeps the signs of what is no style: dial codes, sums, names of files', () => {
    for (const typed of ['*21*0171123456#', 'Wähle *21*0171123456# und dann ##002#', '5*3*2 = 30', '5 *3* 2 = 30', 'datei_mit_strich_2.txt',
      '2*3*4', '*#06#', 'a*b*c', '+ 20 Euro', '- 20 Euro', '* 20 Euro', '+ 20 Euro\n- 5 Euro', '*100*1#', '14. April\n16. Mai']) {
      for (const [from, text] of Object.entries({ element: typedInElement(typed), app: parseStyled(typed) })) {
        for (const [network, out] of Object.entries(shown(text))) assert.equal(out, typed, `${from} to ${network}`)
      }
    }
  })

  it('keeps the numbers of lists', () => {
    assert.equal(onPhone('<ol start="3"><li>Stock</li><li>Dach</li></ol>'), '3. Stock\n4. Dach')
    assert.equal(onPhone('<ol start="14"><li>April</li></ol>'), '14. April')
    assert.equal(onPhone('<ol><li>a</li><li value="7">b</li><li>c</li></ol>'), '1. a\n7. b\n8. c')
    assert.equal(onPhone('<ol><li></li><li>b</li></ol>'), '1.\n2. b')
    assert.equal(onPhone('<ul><li>x<ol start="0"><li>null</li></ol></li></ul>'), '- x\n  0. null')
    for (const wrong of ['', 'x', '1e3', '99999999999', '3.5']) assert.equal(onPhone(`<ol start="${wrong}"><li>a</li></ol>`), '1. a', wrong)
    const list = parseHtml('<ol start="3"><li>Stock</li></ol>') ?? []
    assert.equal(writeHtml(list), '<ol start="3"><li>Stock</li></ol>')
    assert.equal(bodyOf(list).body, '3. Stock')
  })

  it('writes no bullet that could be the sign of a number', () => {
    assert.equal(onPhone('<ul><li>20 Euro</li><li>Rest</li></ul>'), '* 20 Euro\n* Rest')
    assert.equal(onPhone('<ul><li>-5 Grad</li></ul>'), '* -5 Grad')
    assert.equal(onPhone('<ul><li>Bohrer</li></ul>'), '- Bohrer')
  })

  it('tells what is struck out as struck out', () => {
    const price = readText('Preis: 50<del>0</del> Euro', 'Preis: 50<del>0</del> Euro', false)
    const day = readText('~~Montag~~ Dienstag', '<del>Montag</del> Dienstag', false)
    for (const network of ['phone', 'xmpp', 'app', 'body']) {
      assert.equal(shown(price)[network], 'Preis: 50~0~ Euro', network)
      assert.equal(shown(day)[network], '~Montag~ Dienstag', network)
    }
    assert.equal(writeText(price).html, 'Preis: 50<del>0</del> Euro')
    assert.equal(onPhone('<del>a<br>b</del>'), '~a~\n~b~', 'each line by itself, as it may be split there')
    const odd = parseHtml('x<del>a~b</del>y <del><b>c</b></del> z<s><i>d</i></s>') ?? []
    assert.equal(bodyOf(odd).body, 'x~~a~b~~y *~c~* z~d~')
  })

  it('keeps powers apart from what they stand at', () => {
    assert.equal(onPhone('10<sup>2</sup> m'), '10^2 m')
    assert.equal(onPhone('<dl><dt>5</dt><dd>0</dd></dl>'), '5\n0')
  })

  it('takes the body where the HTML leaves something of it out, and the HTML where it says more', () => {
    assert.equal(onPhone('532', '5*3*2'), '5*3*2')
    assert.equal(onPhone('<b>Eilt</b> sehr', 'Eilt **sehr**'), 'Eilt sehr')
    assert.equal(onPhone('<p>Störung seit 9 Uhr im ganzen Haus</p>', 'Neue Meldung'), 'Störung seit 9 Uhr im ganzen Haus')
    assert.equal(onPhone('<pre><code class="language-js">let a</code></pre>', '```js\nlet a\n```'), 'let a')
  })

  it('leaves out of a reply only what its app quoted in front', () => {
    const reply = (body: string, html?: string): string => toPlain(readText(body, html, true))
    assert.equal(reply('> 20 Euro?\nja'), '> 20 Euro?\nja')
    assert.equal(reply('> <@a:b.example> alt\n> mehr\n\nneu'), 'neu')
    assert.equal(reply('> * <@a:b.example> winkt\n\nneu'), 'neu')
    assert.equal(reply('> <@a:b.example> alt\n>\n> mehr\n\n> eigenes\nneu'), '> eigenes\nneu')
    assert.equal(reply('> <@a:b.example> alt\n\n'), '> <@a:b.example> alt\n\n', 'nothing else is there')
    assert.equal(reply('> <a> b\nneu'), '> <a> b\nneu')
    assert.equal(reply('> alt\n\nneu', '<mx-reply><blockquote>alt</blockquote></mx-reply>neu'), 'neu', 'its HTML says that it is a quotation')
    assert.equal(toPlain(readText('> <@a:b.example> alt\n\nneu', undefined, false)), '> <@a:b.example> alt\n\nneu', 'no reply')
  })

  it('makes no style of plain signs beside what is styled', () => {
    const styled = (html: string): ReturnType<typeof bodyOf> => bodyOf(parseHtml(html) ?? [])
    assert.deepEqual(styled('<b>Wichtig</b> 5 *x* 2'), { body: 'Wichtig 5 *x* 2', unstyled: true })
    assert.deepEqual(styled('<b>Wichtig</b> ca. ~5~ km'), { body: 'Wichtig ca. ~5~ km', unstyled: true })
    assert.deepEqual(styled('<b>Wichtig</b><p>&gt; 5 Euro</p>'), { body: 'Wichtig\n> 5 Euro', unstyled: true })
    assert.deepEqual(styled('<b>Wichtig</b><p>```</p><p>x</p>'), { body: 'Wichtig\n```\n\nx', unstyled: true })
    assert.deepEqual(styled('<pre>a\n```\nb</pre>'), { body: 'a\n```\nb', unstyled: true })
    assert.deepEqual(styled('<b>Wichtig</b> 5*3 a_b'), { body: '*Wichtig* 5*3 a_b', unstyled: false })
    assert.deepEqual(bodyOf(plain('*21*0171#')), { body: '*21*0171#', unstyled: true })
  })

  it('keeps languages of code, cells of tables, and what stands lower or is underlined, between rooms of one network too', () => {
    const code = (language: string, text: string): Text => parseHtml(`<pre><code class="language-${language}">${text}\n</code></pre>`)!
    const [js, odd] = [code('js', 'let a'), code('cobol', 'x')]
    assert.deepEqual(parseStyled(bodyOf(js).body), js)
    assert.equal(bodyOf(odd).body, '```\nx\n```', 'a word that is no known language would be read as part of the code')
    for (const text of [js, odd]) assert.deepEqual(parseHtml(writeHtml(text)), text)
    assert.equal(onPhone('<table>\n<tr>\n<td>Mo</td> <td>8</td></tr>\n<tr><th>Di</th><td>9</td></tr></table>'), 'Mo | 8\nDi | 9')
    const small = '<u>hier</u> 10<sup>2</sup> H<sub>2</sub>O'
    assert.equal(writeHtml(parseHtml(small)!), small)
    assert.deepEqual(Object.values(shown(parseHtml(small)!)), Array.from({ length: 5 }, () => 'hier 10^2 H2O'))
  })

  it('keeps the empty line between paragraphs, and makes none elsewhere', () => {
    const text = typedInElement('Hallo **Eva**,\n\nbis morgen.\nGruß\n\n- eins\n- zwei\n\nMax')
    const expected = 'Hallo Eva,\n\nbis morgen.\nGruß\n- eins\n- zwei\nMax'
    for (const [network, out] of Object.entries(shown(text))) assert.equal(out.replace('*Eva*', 'Eva'), expected, network)
  })

  it('keeps a spoiler hidden where that is possible, and marks it where not', () => {
    const part = parseHtml('Es war <span data-mx-spoiler="Ende">der <b>Gärtner</b></span>')!
    const whole = parseHtml('<span data-mx-spoiler>der Gärtner</span>')!
    assert.deepEqual([toPlain(part), toPlain(whole)], ['Es war [Spoiler: Ende] der Gärtner', '[Spoiler] der Gärtner'])
    for (const text of [part, whole]) {
      const { body, html } = writeText(text)
      assert.ok(!body.includes('Gärtner'), 'apps show the body in notifications')
      assert.deepEqual(readText(body, html, false), text)
    }
    const onXmpp = (text: Text): string => el('message', {}, ...contentXml({ style: 'text', text })).xml
    const back = (text: Text): Text | undefined => contentOf('xmpp', parse(onXmpp(text)))?.content.text
    assert.ok(onXmpp(whole).includes("<body>der Gärtner</body><spoiler xmlns='urn:xmpp:spoiler:0'/>"))
    assert.deepEqual(back(whole), whole)
    assert.ok(onXmpp(part).includes("<spoiler xmlns='urn:xmpp:spoiler:0'>Es war [Spoiler: Ende]</spoiler>"), onXmpp(part))
    assert.equal(toPlain(back(part)!), '[Spoiler: Es war [Spoiler: Ende]] Es war [Spoiler: Ende] der Gärtner', 'there all of a message is hidden')
    const long = parseHtml(`<span data-mx-spoiler="${'a\n'.repeat(500)}">x</span>`)!
    assert.ok(onXmpp(long).length < 400, 'a reason is short')
    assert.ok(!onXmpp(plain('kein Spoiler')).includes('spoiler'))
  })

  it('shows no hidden picture before its reader wants to see it', () => {
    const file: Attachment = {
      kind: 'image', name: 'tor.jpg', mime: 'image/jpeg', at: { network: 'matrix', ref: 'mxc://x/a' }, url: 'https://x.org/tor.jpg', spoiler: 'Krimi'
    }
    const onXmpp = (one: Attachment): string => el('message', {}, ...contentXml({ style: 'text', text: [], file: one })).xml
    assert.ok(!onXmpp(file).includes('oob') && !onXmpp(file).includes('file-sharing'), 'apps show what is shared')
    const link = '<body>[Spoiler: Krimi] tor.jpg: https://x.org/tor.jpg</body>'
    assert.ok(onXmpp(file).includes(`${link}<spoiler xmlns='urn:xmpp:spoiler:0'>Krimi</spoiler>`))
    const [mark, reason] = ['page.codeberg.everypizza.msc4193.spoiler', 'page.codeberg.everypizza.msc4193.spoiler.reason']
    const onMatrix = (one: Attachment, body = ''): Json => captioned(fileContent(one, { uri: 'mxc://y/b', size: 1 }), one, { body })
    const hidden = onMatrix(file)
    assert.deepEqual([hidden[mark], hidden[reason], hidden.body, hidden.filename], [true, 'Krimi', '[Spoiler: Krimi]', 'tor.jpg'])
    assert.deepEqual([onMatrix({ ...file, spoiler: '' })[reason], onMatrix({ ...file, spoiler: '' }).body], [undefined, '[Spoiler]'])
    assert.deepEqual([onMatrix(file, 'Das Tor').body, attachment('image', hidden, 'x')?.spoiler], ['Das Tor', 'Krimi'])
  })

  it('keeps inside and outside of a code block apart', () => {
    assert.deepEqual(parseStyled('```so wie hier\nx\n```\ny'), [{ kind: 'code', text: 'so wie hier\nx' }, ...plain('y')])
    assert.deepEqual(parseStyled('```js\nx\n```\ny'), [{ kind: 'code', text: 'x', language: 'js' }, ...plain('y')])
    assert.deepEqual(parseStyled('```achtung\nx\n```'), [{ kind: 'code', text: 'achtung\nx' }])
  })
})
