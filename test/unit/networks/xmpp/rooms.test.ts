import assert from 'node:assert/strict'
import { makeRooms } from '../../../../src/networks/xmpp/rooms'
import type { Link } from '../../../../src/networks/xmpp/stream'
import { makeWorld } from '../../../support/world'

/** A link whose server never answers. */
const muteLink = (): Link & { isUp: boolean, said: number } => {
  const link = {
    isUp: false, said: 0,
    start () {}, writable: async () => {}, ask: () => new Promise<never>(() => {}), pause () {}, resume () {}, stop: async () => {},
    send () { this.said++; return true }
  }
  return link
}

describe('xmpp rooms', () => {
  it('end when stopped while a room cannot be entered, although the link is still up', async () => {
    const link = muteLink()
    const rooms = makeRooms('chat.example.org', link, makeWorld(), { entering () {}, entered: async () => {}, out () {}, allIn () {} })
    rooms.attend('raum@rooms.example.org')
    link.isUp = true
    rooms.linkUp()
    assert.equal(link.said, 1, 'it asked to be let in')
    rooms.stop()
    await new Promise(resolve => setImmediate(resolve)) // never comes if it tries again and again without a pause
    assert.equal(link.said, 1)
  })
})
