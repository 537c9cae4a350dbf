/**
 * What happened to one user of ours since the last time (CS API §Syncing). The homeserver knows which rooms have something new and which
 * invitations wait, so we need not ask about every room. The position is remembered once everything before it was handled. If there is so much that
 * its answer takes too long, this fails, and all else goes on.
 */
import type { Clock } from '../../../lib/clock'
import type { Log } from '../../../lib/log'
import type { Memory } from '../../../model/network'
import { replacedBy } from '../events/events'
import { isJson, type Json, stringOf } from '../events/json'
import { TooLong, type Homeserver } from '../homeserver'

/** `replaces`: the room that this one replaces, as the inviter's server claims. */
export interface Invitation { room: string; by: string; direct: boolean; replaces: string | undefined }

export interface SyncNews {
  joined: Set<string> // of the rooms that they are in, those in which something happened
  invited: Invitation[]
  first: number // when this store asked first, ms since 1970; 0 if that is not known
  keep (): Promise<void>
}

/** Synapse gives the same question the same answer for two minutes. So the question has the time in it, as a field that no event has. */
const filterFor = (now: number, rooms: Json): string => JSON.stringify({
  event_fields: ['event_id', String(now)], presence: { types: [] }, account_data: { types: [] },
  room: { account_data: { types: [] }, ephemeral: { types: [] }, state: { types: [] }, timeline: { limit: 1 }, ...rooms }
})

const TOO_MUCH = 'what is new for an address is too long an answer: all of its rooms are read, and whoever invited it meanwhile must invite it again'

const jsonOf = (value: unknown): Json => isJson(value) ? value : {}

/** From the stripped state that comes with an invitation. */
const invitationOf = (user: string, room: string, entry: unknown): Invitation[] => {
  const { events } = jsonOf(jsonOf(entry).invite_state)
  const mine = (Array.isArray(events) ? events as unknown[] : []).map(jsonOf)
    .find(event => event.type === 'm.room.member' && event.state_key === user)
  const by = stringOf(mine?.sender)
  return by === undefined ? [] : [{ room, by, direct: jsonOf(mine?.content).is_direct === true, replaces: replacedBy(events) }]
}

interface Parts { homeserver: Homeserver; memory: Memory; clock: Clock; log: Log }

export const askSync = async ({ homeserver, memory, clock, log }: Parts, user: string, signal: AbortSignal): Promise<SyncNews> => {
  const [key, firstKey] = [`since ${user}`, `first ${user}`]
  if (memory.get(key) === undefined && memory.get(firstKey) === undefined) await memory.set(firstKey, String(clock.now()))
  const ask = (rooms: Json): Promise<Json> => homeserver.call('GET', 'client/v3/sync', {
    as: user, query: { filter: filterFor(clock.now(), rooms), timeout: 0, since: memory.get(key) }, signal,
    elsewhere: true // about thousands of rooms the answer may take too long, which does not mean that nobody is there
  })
  const [answer, joined] = await ask({}).then(found => [found, Object.keys(jsonOf(jsonOf(found.rooms).join))] as const, async (error: unknown) => {
    if (!(error instanceof TooLong)) throw error
    log.warn({ address: user }, TOO_MUCH)
    const { joined_rooms: all } = await homeserver.call('GET', 'client/v3/joined_rooms', { as: user, signal })
    return [await ask({ rooms: [] }), Array.isArray(all) ? all.map(String) : []] as const
  })
  const { invite } = jsonOf(answer.rooms)
  const next = stringOf(answer.next_batch)
  return {
    joined: new Set(joined),
    invited: Object.entries(jsonOf(invite)).flatMap(([room, entry]) => invitationOf(user, room, entry)),
    first: Number(memory.get(firstKey) ?? 0),
    async keep () { if (next !== undefined) await memory.set(key, next) }
  }
}
