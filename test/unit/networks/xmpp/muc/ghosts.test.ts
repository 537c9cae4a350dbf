import assert from 'node:assert/strict'
import type { Persona } from '../../../../../src/model/message'
import { makeRoomGhosts } from '../../../../../src/networks/xmpp/muc/ghosts'
import type { Occupant } from '../../../../../src/networks/xmpp/muc/occupant'
import type { Room } from '../../../../../src/networks/xmpp/muc/room'
import { skippingClock } from '../../../../support/quick'

describe('xmpp ghosts', () => {
  it('that have spoken stay while it is not known who belongs there, but for those who have gone', () => {
    const clock = skippingClock()
    const room = { ghosts: new Map(), unwanted: new Set() } as unknown as Room
    const ghosts = makeRoomGhosts({
      domain: 'chat.example.org', clock, inside: { partOthers () {} }, looks () {},
      make: (_room, local, { name }) => ({ jid: `${local}@chat.example.org/zentrale`, name, rename () {}, leave () {} }) as unknown as Occupant
    })
    const [anna, ben, cem] = ['Anna', 'Ben', 'Cem'].map((name): Persona => ({ person: { network: 'matrix', id: `@${name}:x.org` }, name }))
    const inside = (): string[] => { ghosts.partUnlisted(room); return [...room.ghosts.values()].map(({ name }) => name) }
    for (const one of [anna, ben, cem]) ghosts.ghost(room, one!)
    ghosts.expect(room, { members: [anna!], gone: [ben!], whole: false })
    assert.deepEqual(inside(), ['Anna', 'Ben', 'Cem'], 'they have just spoken')
    clock.skip(60_000)
    assert.deepEqual(inside(), ['Anna', 'Cem'])
    ghosts.expect(room, { members: [anna!], whole: true })
    assert.deepEqual(inside(), ['Anna'])
  })
})
