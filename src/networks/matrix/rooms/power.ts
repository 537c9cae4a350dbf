/** What people may do in a room (CS API §m.room.power_levels). */
import { type Clock, deadline } from '../../../lib/clock'
import type { RoomEvent } from '../events/events'
import { POLL_ENDS } from '../events/extensible'
import { type Json, jsonOf } from '../events/json'
import { alarms } from '../events/mentions'
import type { Homeserver } from '../homeserver'
import { type By, eventOf, stateOf, type Stated } from './state'

const CREATORS_RULE = 12 // from this room version on, a room's creator stands above all power (MSC4289)
const ASK_MS_MAX = 1000
const ASKED_MAX = 20 // at once
const MODERATOR = 50 // what either takes, unless the room says otherwise

export const isCreator = (create: Stated | undefined, mxid: string): boolean => {
  const { room_version: version, additional_creators: more } = create?.content ?? {}
  return Number(version ?? 1) >= CREATORS_RULE && (mxid === create?.sender || (Array.isArray(more) && more.includes(mxid)))
}

type Needed = (levels: Json) => unknown

const ALARMING: Needed = levels => jsonOf(levels.notifications).room
const REDACTING: Needed = levels => levels.redact

/** Whether they have this power in the room. */
const reaches = async (homeserver: Homeserver, room: string, mxid: string, needed: Needed, by: By): Promise<boolean> => {
  const levels = await stateOf(homeserver, room, 'm.room.power_levels', '', by)
  if (levels === undefined) return false
  if (Number(jsonOf(levels.users)[mxid] ?? levels.users_default ?? 0) >= Number(needed(levels) ?? MODERATOR)) return true
  return isCreator(await eventOf(homeserver, room, 'm.room.create'), mxid)
}

/** Whether they may remove messages of others, and so end their polls (CS API §m.poll.end). */
export const mayRedact = (homeserver: Homeserver, room: string, mxid: string, by: By): Promise<boolean> =>
  reaches(homeserver, room, mxid, REDACTING, by)

const neededFor = ({ type, content }: RoomEvent): Needed | undefined =>
  alarms(content) ? ALARMING : POLL_ENDS.has(type) ? REDACTING : undefined

/** Whether somebody in the room may say nothing in it. */
export const isVoiceless = async (homeserver: Homeserver, room: string, mxid: string, by: By): Promise<boolean> => {
  const levels = await stateOf(homeserver, room, 'm.room.power_levels', '', by)
  const [users, events] = [levels?.users, levels?.events].map(jsonOf)
  return Number(users?.[mxid] ?? levels?.users_default ?? 0) < Number(events?.['m.room.message'] ?? levels?.events_default ?? 0)
}

/**
 * Which of these events, in the rooms that we attend, do something to others for which their senders have the power, by their ids. Asks the
 * homeserver, for each sender and power once. Resolves within ASK_MS_MAX and never throws: in doubt, nobody has the power.
 */
export const makePowerful = (homeserver: Homeserver, clock: Clock, isAttended: (room: string) => boolean, stopping: AbortSignal) =>
  async (events: RoomEvent[]): Promise<ReadonlySet<string>> => {
    const wanted = events.flatMap(event => {
      const needed = isAttended(event.room) ? neededFor(event) : undefined
      return needed === undefined ? [] : [{ ...event, needed, key: `${needed === ALARMING ? '!' : '-'} ${event.room} ${event.sender}` }]
    })
    if (wanted.length === 0) return new Set()
    const by = new Map(wanted.map(one => [one.key, one]))
    const limit = deadline(clock, ASK_MS_MAX, stopping)
    const allowed = await Promise.all([...by].slice(0, ASKED_MAX).map(async ([key, { room, sender, needed }]) =>
      await reaches(homeserver, room, sender, needed, limit).catch(() => false) ? key : undefined))
    limit.done()
    return new Set(wanted.filter(({ key }) => allowed.includes(key)).map(({ id }) => id))
  }
