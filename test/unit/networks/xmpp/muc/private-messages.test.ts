import assert from 'node:assert/strict'
import { asDirect, makePrivateMessages } from '../../../../../src/networks/xmpp/muc/private-messages'
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

  it('count as direct only where the room shows to all who writes, and is of the server that they are on', () => {
    const room = (id: string, features: string[], more: Partial<Room> = {}): Room => ({
      id, own: false, features: new Set(features), ...more,
      people: new Map([['Eva', { address: 'eva@example.org', role: 'participant', rules: false }], ['Max', { role: 'participant', rules: false }]])
    } as Room)
    const from = (one: Room, nick: string): string | undefined => asDirect(one, parse(`<message type='chat' from='${one.id}/${nick}' ` +
      `to='_m_b@chat.example.org' id='p'><body>psst</body><request xmlns='urn:xmpp:receipts'/></message>`))?.attrs.from
    const shown = ['muc_nonanonymous']
    const ours = 'raum@rooms.example.org'
    assert.deepEqual([from(room(ours, shown), 'Eva'), from(room('raum@example.org', shown), 'Eva')], ['eva@example.org', 'eva@example.org'])
    assert.deepEqual([
      from(room(ours, shown), 'Max'), from(room(ours, shown), 'Ida'), from(room(ours, []), 'Eva'),
      from(room(ours, shown, { own: true, isTeams: true }), 'Eva'),
      from(room('raum@evil.example', shown), 'Eva'), from(room('raum@evilexample.org', shown), 'Eva')
    ], [undefined, undefined, undefined, undefined, undefined, undefined])
  })

  it('count as direct under the room\'s own id of their writer where addresses are hidden, and under the name by which the room knows them', () => {
    const room = (features: string[], more: Partial<Room> = {}): Room => ({
      id: 'raum@rooms.example.org', own: false, features: new Set(features), ...more, people: new Map([
        ['Eva', { address: 'eva@example.org', occupant: 'a/b=', role: 'participant', rules: false }], ['Max', { role: 'participant', rules: false }],
        ['Ghost', { occupant: 'c', role: 'participant', rules: false, marked: true }]
      ])
    } as Room)
    const ids = ['urn:xmpp:occupant-id:0']
    const direct = (one: Room, nick: string, inside = ''): ReturnType<typeof asDirect> => asDirect(one, parse('<message type="chat" ' +
      `from='${one.id}/${nick}' to='_m_b@chat.example.org' id='p'><body>psst</body>` +
      `<nick xmlns='http://jabber.org/protocol/nick'>Anna</nick>${inside}</message>`))
    const said = direct(room(ids), 'Eva')
    assert.equal(said?.attrs.from, 'raum@rooms.example.org a/b=')
    assert.deepEqual(said?.children.flatMap(one => typeof one !== 'string' && one.name === 'nick' ? one.children : []), ['Eva'])
    assert.deepEqual([
      direct(room(ids), 'Max'), direct(room([]), 'Eva'), direct(room(ids), 'Ghost'), direct(room(ids, { isTeams: true }), 'Eva'),
      direct(room(ids), 'Eva', "<encryption xmlns='urn:xmpp:eme:0' namespace='eu.siacs.conversations.axolotl'/>")
    ], [undefined, undefined, undefined, undefined, undefined])
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
