/** What the profiles of ghosts say of whom they stand for, on any homeserver that keeps such fields (MSC4133). */
import assert from 'node:assert/strict'
import type { Place } from '../../src/model/address'
import type { Persona } from '../../src/model/message'
import type { Network } from '../../src/model/network'
import type { Json } from './matrix-person'
import { matrixStage } from './matrix-stage'
import { delivery, newKey, type Ground } from './matrix-suite'
import { until } from './practice'

const FIELD = 'org.zentrale.person'
const LIMIT_MS = 60_000

export const profileFieldsSuite = (ground: () => Ground): void => {
  describe('profiles', () => {
    const { begin, newPerson } = matrixStage(ground)
    const send = (network: Network, place: Place, as: Persona): Promise<unknown> =>
      network.send(delivery(place, 'hallo', { as }), AbortSignal.timeout(LIMIT_MS))

    it('of ghosts say for whom they stand, after a change of name too, and show no address that the room does not show', async () => {
      const anna = await newPerson('anna')
      const place = { network: 'matrix', id: await anna.createRoom({ preset: 'public_chat' }) }
      const { network, inbox } = await begin([place])
      const one = newKey()
      const who = (id: string, name: string): Persona => ({ person: { network: 'xmpp', id }, name })
      const saidOf = async (room: string, name: string): Promise<Json> => {
        const { state_key: ghost = '' } = await anna.waitFor(room, name,
          ({ type, content }) => type === 'm.room.member' && content.displayname === name)
        let field: unknown
        await until(async () => {
          field = (await anna.call('GET', `v3/profile/${encodeURIComponent(ghost)}`))[FIELD]
          return (field as Json | undefined)?.name === name.replace(/ \(XMPP\)$/, '')
        }, `what the profile of ${name} says`, LIMIT_MS)
        return field as Json
      }
      await send(network, place, who(`gil${one}@example.org`, 'Gil (XMPP)'))
      assert.deepEqual(await saidOf(place.id, 'Gil (XMPP)'), { network: 'xmpp', address: `gil${one}@example.org`, name: 'Gil' })
      await send(network, place, who(`gil${one}@example.org`, 'Gilbert (XMPP)'))
      assert.equal((await saidOf(place.id, 'Gilbert (XMPP)')).name, 'Gilbert')
      await send(network, place, who(`room@rooms.example.org ${one}`, 'Hidden (XMPP)'))
      assert.deepEqual(await saidOf(place.id, 'Hidden (XMPP)'), { network: 'xmpp', name: 'Hidden' })
      const team = { network: 'matrix', id: network.naming.room(`amt-${one.toLowerCase().replace(/[^a-z0-9]/g, '')}`, 7)! }
      const action = { kind: 'room' as const, room: { name: 'Amt', topic: '', people: [anna.userId] } }
      await network.send(delivery(team, '', { action }), AbortSignal.timeout(LIMIT_MS))
      await send(network, team, who(`kunde${one}@example.org`, 'Kunde (XMPP)'))
      const { room_id: room } = await anna.call('GET', `v3/directory/room/${encodeURIComponent(team.id)}`)
      assert.deepEqual(await saidOf(await anna.join(String(room)), 'Kunde (XMPP)'), { network: 'xmpp', name: 'Kunde' })
      assert.equal(inbox.connections.get('rooms'), true)
    })
  })
}
