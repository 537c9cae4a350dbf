import assert from 'node:assert/strict'
import { Refused } from '../../../../../src/model/errors'
import { makeBringing } from '../../../../../src/networks/xmpp/muc/bringing'
import type { Occupant } from '../../../../../src/networks/xmpp/muc/occupant'
import type { Room } from '../../../../../src/networks/xmpp/muc/room'
import { until } from '../../../../support/practice'
import { quickClock } from '../../../../support/quick'
import { makeWorld } from '../../../../support/world'

const ROOM = 'raum@rooms.example.org'

describe('bringing ghosts into an XMPP room', () => {
  /** A room with one ghost that enters as `join` says. */
  const stage = (join: (room: Room) => Promise<void>) => {
    const room = { ready: true, place: ROOM, features: new Set(), unwanted: new Set(), listener: {} } as unknown as Room
    let tries = 0
    const ghost = { jid: 'eva@chat.example.org/zentrale', nick: '', join: () => { tries++; return join(room) } } as unknown as Occupant
    const ghosts = { expect: () => [ghost], ghost: () => ghost, partUnlisted () {}, forget () {} }
    const rooms = { of: () => room, all: () => [room], ghosts }
    const bringing = makeBringing(rooms, { isUp: true, writable: async () => {} }, makeWorld({ clock: quickClock(1000) }))
    return { room, bringing, tries: () => tries }
  }
  const list = { place: { network: 'xmpp', id: ROOM }, members: [], whole: true }

  it('tries nobody again whom the room refuses', async () => {
    const { room, bringing, tries } = stage(async () => { throw new Refused('no') })
    bringing.members(list)
    await until(() => room.unwanted.size === 1)
    bringing.entered(room)
    bringing.stop()
    assert.equal(tries(), 1)
  })

  it('brings in, once we are in again, whoever was on the way when we were put out', async () => {
    const { room, bringing, tries } = stage(async one => {
      if (tries() > 1) return
      one.ready = false
      throw new Refused('the room has put us out')
    })
    bringing.members(list)
    await until(() => !room.ready)
    await new Promise(resolve => setImmediate(resolve))
    room.ready = true
    bringing.entered(room)
    await until(() => tries() === 2)
    bringing.stop()
  })
})
