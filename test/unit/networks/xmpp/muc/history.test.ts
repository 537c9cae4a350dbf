import assert from 'node:assert/strict'
import fc from 'fast-check'
import { silentLog } from '../../../../../src/lib/log'
import { heardOf, makeHistory, printOf } from '../../../../../src/networks/xmpp/muc/history'
import { made } from '../../../../../src/networks/xmpp/write-behind'
import type { Room } from '../../../../../src/networks/xmpp/muc/room'
import type { Element } from '../../../../../src/networks/xmpp/wire/xml'
import { parse } from '../parse'

describe('xmpp history', () => {
  it('finds what is new in what a room shows, whatever was said twice', () => {
    assert.equal(heardOf([], ['a']), 0)
    assert.equal(heardOf(['a', 'b'], []), 0)
    assert.equal(heardOf(['a', 'b', 'c'], ['a', 'b']), 2)
    assert.equal(heardOf(['b', 'c'], ['a', 'b']), 1)
    assert.equal(heardOf(['x', 'y'], ['a', 'b']), 0, 'more was said than is shown')
    assert.equal(heardOf(['a', 'b'], ['a', 'b', 'not shown']), 2)
    assert.equal(heardOf(['a', 'a', 'a'], ['a']), 1, 'the others are new')
    assert.equal(heardOf(['a', 'b', 'a', 'b', 'a'], ['a', 'b', 'a']), 3)
  })

  it('takes nothing twice and leaves nothing out, if all messages differ', () => {
    fc.assert(fc.property(fc.nat(30), fc.nat(30), fc.nat(30), (said, heard, limit) => {
      const all = Array.from({ length: said + heard }, (_, i) => String(i))
      const before = all.slice(0, heard)
      const shown = all.slice(-Math.max(limit, 1))
      assert.deepEqual(shown.slice(heardOf(shown, before)), all.slice(heard).slice(-Math.max(limit, 1)))
    }))
  })

  it('tells apart what is said in XHTML alone', () => {
    const said = (text: string): string => printOf(parse(`<message from='room@rooms.example.org/anna' id='1' type='groupchat'>
      <html xmlns='http://jabber.org/protocol/xhtml-im'><body xmlns='http://www.w3.org/1999/xhtml'><p>${text}</p></body></html></message>`))
    assert.notEqual(said('one'), said('two'))
    assert.equal(said('one'), said('one'))
  })

  it('is over with the room\'s subject, and at the latest once the room is live: whoever marks their words as of the past says them now', () => {
    const room = { id: 'room@rooms.example.org' } as Room
    const past = parse(`<message from='${room.id}/anna' type='groupchat'><body>x</body><delay xmlns='urn:xmpp:delay' from='${room.id}'/></message>`)
    for (const over of ['end', 'settle'] as const) {
      const history = makeHistory({ get: () => '[]', set: () => {} }, { log: silentLog })
      history.begin(room)
      assert.equal(history.take(room, past), true)
      history[over](room)
      assert.equal(history.take(room, past), false)
      assert.equal(history.missed(room, undefined, () => false).length, over === 'end' ? 1 : 0, 'what the room has shown stays')
    }
  })

  it('carries nothing that was said while the room had us out, however we come in again', () => {
    const room = { id: 'room@rooms.example.org' } as Room
    const notes = new Map<string, string>()
    const said = (text: string, more = ''): Element =>
      parse(`<message from='${room.id}/anna' id='${text}' type='groupchat'><body>${text}</body>${more}</message>`)
    const shown = (text: string): Element => said(text, `<delay xmlns='urn:xmpp:delay' from='${room.id}'/>`)
    const keyOf = (message: Element): string => `${room.id}/${printOf(message)}.x`
    const start = () => makeHistory({ get: key => notes.get(key), set: (key, value) => { notes.set(key, made(value)) } }, { log: silentLog })
    const enter = (history: ReturnType<typeof start>, texts: string[], last: string): number => {
      history.begin(room)
      for (const text of texts) history.take(room, shown(text))
      const missed = history.missed(room, keyOf(said(last)), () => false)
      for (const { message } of missed) history.heard(room, message, keyOf(message))
      history.settle(room)

      return missed.length
    }
    const first = start()
    enter(first, [], 'before')
    first.heard(room, said('one'), keyOf(said('one')))
    assert.equal(enter(first, ['one', 'while we were out'], 'one'), 1)
    assert.equal(enter(start(), ['one', 'while we were out', 'two'], 'one'), 1, 'after a crash: only the last is new')
  })
})
