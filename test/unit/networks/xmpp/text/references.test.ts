import assert from 'node:assert/strict'
import type { Text } from '../../../../../src/model/text'
import { plain } from '../../../../../src/model/text'
import { type AnswerTo, contentXml } from '../../../../../src/networks/xmpp/text/content'
import { type Called, occupantUri, referencesIn } from '../../../../../src/networks/xmpp/text/references'
import { child, el, elementsIn, textOf } from '../../../../../src/networks/xmpp/wire/xml'
import { parse } from '../parse'

const ROOM = 'halle@rooms.example.org'
const bernd = (as: string, nick = 'Bernd'): Called => ({ who: { network: 'xmpp', id: `${ROOM}/${nick}` }, as, nick, uri: occupantUri(ROOM, nick) })

/** The body, and what its references mark. */
const written = (text: Text, called: Called[], style: 'text' | 'emote' = 'text', answered?: AnswerTo): [string, ...unknown[]] => {
  const message = parse(el('message', {}, ...contentXml({ style, text }, answered, called)).xml)
  const body = textOf(child(message, 'body'))
  const marks = elementsIn(message).filter(({ name }) => name === 'reference').map(({ attrs: { begin, end, uri, type } }) => {
    assert.equal(type, 'mention')
    return [begin === undefined ? undefined : [...body].slice(Number(begin), Number(end)).join(''), uri]
  })
  return [body, ...marks]
}
const URI = `xmpp:${ROOM}/Bernd`

describe('XMPP references', () => {
  it('mark the nick, which stands in the text instead of the name elsewhere', () => {
    assert.deepEqual(written(plain('😀 Bernd (XMPP): hallo'), [bernd('Bernd (XMPP)')]), ['😀 Bernd: hallo', ['Bernd', URI]])
    assert.deepEqual(written(plain('ja, @Bernd'), [bernd('@Bernd')]), ['ja, Bernd', ['Bernd', URI]])
    assert.deepEqual(written(plain('Bernd (XMPP) winkt'), [bernd('Bernd (XMPP)')], 'emote'), ['/me Bernd winkt', ['Bernd', URI]])
    const nick = 'Bürger & <Amt>/2'
    assert.deepEqual(written(plain('B: ja'), [bernd('B', nick)]), [`${nick}: ja`, [nick, `xmpp:${ROOM}/B%C3%BCrger%20%26%20%3CAmt%3E%2F2`]])
  })

  it('count from the beginning of the body, over quotations and styles', () => {
    const text: Text = [{ kind: 'quote', of: plain('Bernd?') }, { kind: 'paragraph', of: [
      { kind: 'bold', of: [{ kind: 'text', text: 'Bernd' }] }, { kind: 'text', text: ' und Bernd' }
    ] }]
    assert.deepEqual(written(text, [bernd('Bernd'), bernd('Bernd')]), ['> Bernd?\n*Bernd* und Bernd', ['Bernd', URI], ['Bernd', URI]])
    const answered = { name: 'Bernd', text: 'Wer kommt? 😀', found: { id: 's1', to: `${ROOM}/Bernd` } }
    assert.deepEqual(written(plain('Bernd: ich'), [bernd('Bernd')], 'text', answered), ['> Bernd: Wer kommt? 😀\nBernd: ich', ['Bernd', URI]])
  })

  it('are for the whole message if the text calls nobody by name', () => {
    assert.deepEqual(written(plain('hallo'), [bernd('')]), ['hallo', [undefined, URI]])
    assert.deepEqual(written(plain('Bernd: hallo'), []), ['Bernd: hallo'])
    assert.deepEqual(written(plain('\u0006Bernd\u0007'), []), ['\ufffdBernd\ufffd'])
  })

  it('are read with the words that they mark, if these are in the nick', () => {
    const read = (body: string, ...marks: string[]): unknown[] => referencesIn(parse(`<message><body>${body}</body>${marks.map(mark =>
      `<reference xmlns='urn:xmpp:reference:0' type='mention' ${mark}/>`).join('')}</message>`)).map(({ jid, as }) => [jid, as])
    assert.deepEqual(read('😀 Anna: ja', `begin='2' end='6' uri='xmpp:${ROOM}/Anna%20(Matrix)'`), [[`${ROOM}/Anna (Matrix)`, 'Anna']])
    assert.deepEqual(read('schau', `begin='0' end='5' uri='xmpp:${ROOM}/Anna'`), [[`${ROOM}/Anna`, 'Anna']])
    assert.deepEqual(read('schau', "uri='xmpp:anna@x.org'", "begin='9' end='3' uri='xmpp:bernd@x.org'"), [['anna@x.org', ''], ['bernd@x.org', '']])
    assert.equal(read('x', ...Array.from({ length: 500 }, () => "uri='xmpp:anna@x.org'")).length, 20)
  })
})
