import assert from 'node:assert/strict'
import type { Archive } from '../../../../src/networks/xmpp/archive'
import type { Marks } from '../../../../src/networks/xmpp/marks'
import type { Occupant } from '../../../../src/networks/xmpp/occupant'
import type { Room, Rooms } from '../../../../src/networks/xmpp/rooms'
import { makeSender } from '../../../../src/networks/xmpp/send'
import type { Link } from '../../../../src/networks/xmpp/stream'
import { el, type Xml } from '../../../../src/networks/xmpp/xml'
import { plain } from '../../../../src/model/text'
import { makeWorld } from '../../../support/world'

const ROOM = 'werkstatt@rooms.example.org'
const never = new AbortController().signal

/** A sender on a room that we are in and a link that writes at once. */
const stage = () => {
  const written: Xml[] = []
  const listener = { jid: 'zentrale@chat.example.org/zentrale', nick: 'Zentrale', join: async () => {} } as Occupant
  const room = { id: ROOM, listener, ready: true } as Room
  const rooms = { attend: () => room } as Partial<Rooms> as Rooms
  const link = { isUp: true, writable: async () => {}, send (stanza: Xml) { written.push(stanza); return true } } as Partial<Link> as Link
  const marks: Marks = { of: () => el('mark'), isOurs: () => false }
  const sender = makeSender(rooms, link, {} as Archive, marks, makeWorld())
  const send = (key: string): void => {
    void sender.send({
      key, place: { network: 'xmpp', id: ROOM }, at: 0, attempt: 1, action: { kind: 'message', content: { style: 'text', text: plain(key) } }
    }, never)
  }
  return { send, written }
}

describe('xmpp/send', () => {
  it('writes a message whenever it comes, also in the moment in which the one before it has just gone', async () => {
    for (let steps = 0; steps < 20; steps++) {
      const { send, written } = stage()
      send('one')
      for (let step = 0; step < steps; step++) await undefined
      send('two')
      await new Promise(resolve => setImmediate(resolve))
      assert.equal(written.length, 2, `${steps} steps after the first`)
    }
  })
})
