/**
 * The about room of a function address: small, public, for reading only. The address's aliases lead to it: an alias can have umlauts, which
 * an MXID cannot. The room says what the address is, and that people write to it in a direct chat.
 */
import { createHash } from 'node:crypto'
import { Refused } from '../../../model/errors'
import type { Identity, Memory } from '../../../model/network'
import type { Ghosts } from './ghosts'
import type { Json } from '../events/json'
import { parsed } from '../events/json'
import { encode, Rejected, roomPath, type Homeserver } from '../homeserver'
import { bring, readState, resolveAlias, roomOfAlias, setState, type Entry } from '../rooms/state'
import { clean } from '../text'

export interface AboutWorld { homeserver: Homeserver; memory: Memory; ghosts: Ghosts }

interface Known { hash: string; notice?: string }

const hashOf = (value: unknown): string => createHash('sha256').update(JSON.stringify(value)).digest('base64url')

const topicOf = ({ profile: { about, website, phone } }: Identity): string =>
  clean([about, website, phone].filter(line => line !== undefined && line !== '').join('\n'))

const howToWrite = ({ id, profile: { name } }: Identity): string => clean(
  `Hier kann nicht geschrieben werden. ${name} erreichen Sie in einem direkten Chat mit ${id}: https://matrix.to/#/${id}\n` +
  `This room is for reading only. To reach ${name}, start a direct chat with ${id}: https://matrix.to/#/${id}`)

/** The room's creator may do everything, nobody else anything. */
const MUTE: Json = { events_default: 100, state_default: 100, invite: 100, redact: 100, kick: 100, ban: 100, users_default: 0, events: {} }

const stateFor = (identity: Identity, avatar: string | undefined): Entry[] => [
  { type: 'm.room.name', content: { name: clean(identity.profile.name) } },
  { type: 'm.room.topic', content: { topic: topicOf(identity) } },
  { type: 'm.room.join_rules', content: { join_rule: 'public' } },
  { type: 'm.room.history_visibility', content: { history_visibility: 'world_readable' } },
  ...avatar === undefined ? [] : [{ type: 'm.room.avatar', content: { url: avatar } }]
]

/** Makes the room, or changes what differs. Throws Refused or Unavailable. */
export const makeAbout = ({ homeserver, memory, ghosts }: AboutWorld) => {
  const memoryKey = (identity: Identity): string => `about ${identity.id}`

  const say = async (identity: Identity, room: string, signal: AbortSignal): Promise<string> => {
    const body = howToWrite(identity)
    const { event_id: event } = await homeserver.call('PUT',
      `${roomPath(room)}/send/m.room.message/about-${hashOf([room, body])}`,
      { as: identity.id, query: { device_id: ghosts.device() }, body: { msgtype: 'm.notice', body, 'm.mentions': {} }, signal })
    await setState(homeserver, room, { type: 'm.room.pinned_events', content: { pinned: [event] } }, { as: identity.id, signal })
    return hashOf(body)
  }

  const point = async (alias: string, room: string, as: string, signal: AbortSignal): Promise<void> => {
    const now = await resolveAlias(homeserver, alias, signal)
    if (now !== undefined && now !== room) throw new Refused(`the alias ${alias} leads to another room already`)
    if (now === undefined) await homeserver.call('PUT', `client/v3/directory/room/${encode(alias)}`, { as, body: { room_id: room }, signal })
  }

  return async (identity: Identity, aliases: string[], avatar: string | undefined, signal: AbortSignal): Promise<void> => {
    const [first, ...others] = aliases
    if (first === undefined) return
    const wanted = stateFor(identity, avatar)
    const hash = hashOf([aliases, wanted, howToWrite(identity)])
    const known = parsed<Partial<Known>>(memory.get(memoryKey(identity)) ?? '{}')
    if (known.hash === hash) return
    const as = identity.id
    const body = { preset: 'public_chat', initial_state: wanted, power_level_content_override: MUTE }
    const { room, made } = await roomOfAlias(homeserver, first, body, { as, signal })
    if (!made) {
      const now = await readState(homeserver, room, { as, signal }).catch((error: unknown) => {
        if (!(error instanceof Rejected)) throw error
      })
      if (now?.members.get(as) !== 'join') throw new Refused(`the alias ${first} leads to another room already`)
      await bring(homeserver, room, now, wanted, { as, signal })
    }
    for (const alias of others) await point(alias, room, as, signal)
    const notice = known.notice === hashOf(howToWrite(identity)) ? known.notice : await say(identity, room, signal)
    await memory.set(memoryKey(identity), JSON.stringify({ hash, notice }))
  }
}
