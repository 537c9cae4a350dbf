import assert from 'node:assert/strict'
import { makePrivateMessages } from '../../../../../src/networks/xmpp/muc/private-messages'
import type { Room } from '../../../../../src/networks/xmpp/muc/room'
import type { Xml } from '../../../../../src/networks/xmpp/wire/xml'
import { handClock } from '../../../../support/quick'
import { makeWorld } from '../../../../support/world'
import { parse } from '../parse'

describe('xmpp private messages', () => {
  it('of one occupant, or in one room, leave answers for those of others', () => {
    const sent: Xml[] = []
    const messages = makePrivateMessages('de', { send (one) { sent.push(one); return true } }, makeWorld({ clock: handClock() }), () => {})
    const write = (room: string, nick: string): void => messages.heard({ id: room, own: false } as Room,
      parse(`<message type='chat' from='${room}/${nick}' to='z@chat.example' id='p'><body>psst</body></message>`))
    for (let n = 0; n < 300; n++) write('loud@rooms.example', 'Mallory')
    assert.equal(sent.length, 40)
    for (let n = 0; n < 300; n++) write('loud@rooms.example', `Mallory${n}`)
    write('room@rooms.example', 'Anna')
    assert.deepEqual([sent.length, sent.at(-1)?.xml.includes('room@rooms.example/Anna')], [81, true])
  })

  it('are answered in whatever form they are, and what says nothing is not', () => {
    const sent: Xml[] = []
    const messages = makePrivateMessages('de', { send (one) { sent.push(one); return true } }, makeWorld({ clock: handClock() }), () => {})
    const html = "<html xmlns='http://jabber.org/protocol/xhtml-im'><body xmlns='http://www.w3.org/1999/xhtml'>psst</body></html>"
    for (const inside of [html, "<composing xmlns='http://jabber.org/protocol/chatstates'/>"]) {
      messages.heard({ id: 'room@rooms.example', own: false } as Room,
        parse(`<message type='chat' from='room@rooms.example/Anna' to='z@chat.example' id='p'>${inside}</message>`))
    }
    assert.equal(sent.length, 1)
  })
})
