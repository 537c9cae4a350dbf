/** Reads a room's state (CS API §Room state), and sets only what differs from what is wanted. */
import { isDeepStrictEqual } from 'node:util'
import { isJson, type Json } from '../events/json'
import { encode, Rejected, roomPath, type Homeserver } from '../homeserver'

export interface Entry { type: string; key?: string; content: Json }

/** As whom to call, and until when. */
export interface By { as?: string; signal?: AbortSignal; query?: { format: 'event' } }

export interface RoomNow {
  version: string
  content (type: string, key?: string): Json | undefined
  /** MXID → membership. */
  members: Map<string, string>
}

const keyOf = (type: string, key = ''): string => `${type}\0${key}`

export const readState = async (homeserver: Homeserver, room: string, by: By): Promise<RoomNow> => {
  const answer: unknown = await homeserver.call('GET', `${roomPath(room)}/state`, by)
  const found = new Map<string, Json>()
  const members = new Map<string, string>()
  for (const event of Array.isArray(answer) ? answer as unknown[] : []) {
    if (!isJson(event) || !isJson(event.content) || typeof event.type !== 'string' || typeof event.state_key !== 'string') continue
    found.set(keyOf(event.type, event.state_key), event.content)
    if (event.type === 'm.room.member') members.set(event.state_key, String(event.content.membership))
  }
  return {
    version: String(found.get(keyOf('m.room.create'))?.room_version ?? '1'),
    content: (type, key) => found.get(keyOf(type, key)), members
  }
}

/** One entry of a room; undefined if it is not there or not for us to see. */
export const stateOf = async (homeserver: Homeserver, room: string, type: string, key: string, by: By): Promise<Json | undefined> => {
  try {
    return await homeserver.call('GET', `${roomPath(room)}/state/${type}/${encode(key)}`, by)
  } catch (error) {
    if (error instanceof Rejected) return undefined
    throw error
  }
}

/** Whether this user is in the room now, as far as whoever asks may see. */
export const isMember = async (homeserver: Homeserver, room: string, mxid: string, by: By): Promise<boolean> =>
  (await stateOf(homeserver, room, 'm.room.member', mxid, by))?.membership === 'join'

/** An entry of a room's state, and who set it; undefined as above, or if the homeserver does not say who. */
export interface Stated { sender: string; content: Json }

export const eventOf = async (homeserver: Homeserver, room: string, type: string, key = ''): Promise<Stated | undefined> => {
  try {
    const { sender, content } = await homeserver.call('GET', `${roomPath(room)}/state/${type}/${encode(key)}`, { query: { format: 'event' } })
    return typeof sender === 'string' && isJson(content) ? { sender, content } : undefined
  } catch (error) {
    if (error instanceof Rejected) return undefined
    throw error
  }
}

export const setState = async (homeserver: Homeserver, room: string, { type, key = '', content }: Entry, by: By): Promise<void> => {
  await homeserver.call('PUT', `${roomPath(room)}/state/${type}/${encode(key)}`, { ...by, body: content })
}

/** Whether an entry has what is wanted. Anything else in it, such as the homeserver's own additions, may stay. */
const holds = (now: Json | undefined, wanted: Json): boolean =>
  now !== undefined && Object.entries(wanted).every(([name, value]) => isDeepStrictEqual(now[name], value))

export const bring = async (homeserver: Homeserver, room: string, now: RoomNow, wanted: Entry[], by: By): Promise<void> => {
  for (const entry of wanted) {
    const before = now.content(entry.type, entry.key)
    if (!holds(before, entry.content)) await setState(homeserver, room, { ...entry, content: { ...before, ...entry.content } }, by)
  }
}

/** The room that an alias leads to; undefined if there is none. */
export const resolveAlias = async (homeserver: Homeserver, alias: string, signal?: AbortSignal): Promise<string | undefined> => {
  try {
    const { room_id: room } = await homeserver.call('GET', `client/v3/directory/room/${encode(alias)}`, { signal })
    return typeof room === 'string' ? room : undefined
  } catch (error) {
    if (error instanceof Rejected && error.status === 404) return undefined
    throw error
  }
}

const aliasName = (alias: string): string => alias.slice(1, alias.indexOf(':'))

/**
 * The room of this alias, made if it is not there. The homeserver gives an alias to one room only, so no second room is made after a try
 * that was cut off.
 */
export const roomOfAlias = async (
  homeserver: Homeserver, alias: string, body: Json, { as, signal }: By
): Promise<{ room: string, made: boolean }> => {
  const before = await resolveAlias(homeserver, alias, signal)
  if (before !== undefined) return { room: before, made: false }
  try {
    const made = await homeserver.call('POST', 'client/v3/createRoom', {
      as, signal, body: { visibility: 'private', ...body, room_alias_name: aliasName(alias) }, elsewhere: true
    })
    return { room: String(made.room_id), made: true }
  } catch (error) {
    const other = error instanceof Rejected && error.errcode === 'M_ROOM_IN_USE' ? await resolveAlias(homeserver, alias, signal) : undefined
    if (other === undefined) throw error
    return { room: other, made: false }
  }
}
