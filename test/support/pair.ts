/** A town with two people whose apps are none of ours, both in the mirrored room: Nina's is built on matrix-nio, Bernd's on slixmpp. */
import { DOMAIN, PASSWORD, raiseTown, type Town, type TownOptions } from '../../sandbox/town'
import { type Independent, startNio, startSlixmpp } from './independent'

export const NINA = 'nina (Matrix)'
export const NINA_ID = `@nina:${DOMAIN}`
export const BERND = 'Bernd (XMPP)'
export const BERND_JID = `bernd@${DOMAIN}`

export interface Said { event: string; named: string; id: string }

export interface Pair {
  town: Town
  nina: Independent
  bernd: Independent
  /** Each says something, which the other reads: the event's id, the id of the room's archive, and that of the writer's app. */
  ninaSays (text: string): Promise<Said>
  berndSays (text: string): Promise<Said>
  stop (): Promise<void>
}

/** Nina may do anything in the Matrix room, and replace it. */
const empower = async ({ room, people: { anna } }: Town): Promise<void> => {
  const levels = await anna.call('GET', `v3/rooms/${encodeURIComponent(room)}/state/m.room.power_levels/`)
  const users = { ...levels['users'] as object, [NINA_ID]: 100 }
  const events = { ...levels['events'] as object, 'm.room.tombstone': 100 }
  await anna.setState(room, 'm.room.power_levels', '', { ...levels, users, events })
}

export const raisePair = async (options: Omit<TownOptions, 'dir'>, dir: (path?: string) => string): Promise<Pair> => {
  const town = await raiseTown({ dir: dir('town'), power: true, ...options })
  const { room, muc, people, homeserver, xmpp } = town
  await people.bernd.stop()
  await homeserver.createUser('nina', PASSWORD)
  await people.anna.call('POST', `v3/rooms/${encodeURIComponent(room)}/invite`, { user_id: NINA_ID })
  await empower(town)
  const nina = await startNio(homeserver.url, NINA_ID, PASSWORD, dir())
  const bernd = await startSlixmpp(xmpp.c2sPort, `${BERND_JID}/app`, PASSWORD, dir())
  nina.does('enter', { room })
  bernd.does('enter', { room: muc, nick: 'Bernd' })
  await Promise.all([nina.sees('in the room', { saw: 'entered' }), bernd.sees('in the room', { saw: 'entered' })])
  return {
    town, nina, bernd,
    async ninaSays (text) {
      nina.does('say', { room, text })
      const read = await bernd.sees(text, { saw: 'message', name: NINA, text })
      const own = await nina.sees(text, { saw: 'message', text })
      return { event: String(own['id']), named: String(read['named']), id: String(read['id']) }
    },
    async berndSays (text) {
      bernd.does('say', { room: muc, text })
      const read = await nina.sees(text, { saw: 'message', name: BERND, text })
      const own = await bernd.sees(text, { saw: 'message', name: 'Bernd', text })
      return { event: String(read['id']), named: String(own['named']), id: String(own['id']) }
    },
    async stop () {
      await Promise.all([nina.stop(), bernd.stop()])
      await town.stop()
    }
  }
}
