/** Who is away, on a homeserver that has presence switched on. */
import assert from 'node:assert/strict'
import { presenceOf } from '../../src/model/signal'
import { ghostMxid } from '../../src/networks/matrix/names'
import { matrixStage } from './matrix-stage'
import { bernd, delivery, type Ground } from './matrix-suite'
import { until } from './practice'

export const presenceSuite = (ground: () => Ground): void => {
  const { begin, newPerson } = matrixStage(ground)

  describe('presence', () => {
    it('of others comes in, and ghosts that are in a room show what we say of them', async () => {
      const anna = await newPerson('anna')
      const place = { network: 'matrix', id: await anna.createRoom({ preset: 'public_chat' }) }
      const { network, inbox } = await begin([place])
      await network.send(delivery(place, 'Hallo', { as: bernd }), AbortSignal.timeout(60_000))
      const status = (mxid: string): string => `v3/presence/${encodeURIComponent(mxid)}/status`
      await anna.call('PUT', status(anna.userId), { presence: 'unavailable', status_msg: 'zu Tisch' })
      await inbox.until('her presence', () => inbox.present.get(anna.userId) === 'away: zu Tisch')
      const ghost = ghostMxid(bernd.person, ground().serverName)
      network.signal?.({ place, as: bernd.person, does: presenceOf('busy', 'am Telefon') })
      await until(async () => {
        const { presence, status_msg: said } = await anna.call('GET', status(ghost)).catch(() => ({}) as Record<string, unknown>)
        return presence === 'unavailable' && said === 'am Telefon'
      }, 'the presence of the ghost')
      network.signal?.({ place, as: { network: 'xmpp', id: 'stranger@example.org' }, does: presenceOf('away', '') })
      assert.ok(inbox.present.get(ghost) === undefined, 'and ours are nobody')
    })
  })
}
