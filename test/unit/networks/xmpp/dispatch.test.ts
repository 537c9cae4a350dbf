import assert from 'node:assert/strict'
import { heedlessIn } from '../../../../src/networks/xmpp/dispatch'
import type { Room } from '../../../../src/networks/xmpp/muc/room'

const LISTENER = 'listener@chat.x/zentrale'
const GHOST = '_matrix_anna@chat.x/zentrale'
const heedless = heedlessIn({ get: id => id === 'raum@rooms.x' ? { listener: { jid: LISTENER } } as Room : undefined })

describe('xmpp dispatch', () => {
  it('leaves to a room\'s listener what all of ours in it are sent, and nothing else', () => {
    const is = (name: string, from: string, type: string, to: string): boolean =>
      heedless({ name, ns: '', attrs: { from, type, to: 'before@chat.x' }, children: [] }, to)
    assert.equal(is('message', 'raum@rooms.x/Bernd', 'groupchat', GHOST), true)
    assert.equal(is('message', 'other@rooms.x/Bernd', 'groupchat', LISTENER), true)
    for (const [name, from, type, to] of [
      ['message', 'raum@rooms.x/Bernd', 'groupchat', LISTENER], ['message', 'raum@rooms.x', 'groupchat', GHOST],
      ['message', 'raum@rooms.x/Bernd', 'chat', GHOST], ['message', 'raum@rooms.x/Bernd', 'error', GHOST],
      ['presence', 'raum@rooms.x/Bernd', 'groupchat', GHOST]
    ] as const) assert.equal(is(name, from, type, to), false, `${name} ${type} ${from}`)
  })
})
