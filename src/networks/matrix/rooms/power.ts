/** What people may do in a room (CS API §m.room.power_levels). */
import { type Clock, deadline } from '../../../lib/clock'
import type { RoomEvent } from '../events/events'
import { jsonOf } from '../events/json'
import { alarms } from '../events/mentions'
import type { Homeserver } from '../homeserver'
import { type By, eventOf, stateOf, type Stated } from './state'

const CREATORS_RULE = 12 // from this room version on, a room's creator stands above all power (MSC4289)
const ALARM_MS_MAX = 1000
const ASKED_MAX = 20 // at once
const ALARM = 50 // what it takes to alarm everybody, unless the room says otherwise

export const isCreator = (create: Stated | undefined, mxid: string): boolean => {
  const { room_version: version, additional_creators: more } = create?.content ?? {}
  return Number(version ?? 1) >= CREATORS_RULE && (mxid === create?.sender || (Array.isArray(more) && more.includes(mxid)))
}

/** Whether they may alarm everybody in the room. */
const mayAlarm = async (homeserver: Homeserver, room: string, mxid: string, by: By): Promise<boolean> => {
  const levels = await stateOf(homeserver, room, 'm.room.power_levels', '', by)
  if (levels === undefined) return false
  const [users, notifications] = [levels.users, levels.notifications].map(jsonOf)
  if (Number(users?.[mxid] ?? levels.users_default ?? 0) >= Number(notifications?.room ?? ALARM)) return true
  return isCreator(await eventOf(homeserver, room, 'm.room.create'), mxid)
}

/**
 * Which of these events may alarm everybody in the rooms that we attend, by their ids. Asks the homeserver, for each sender once. Resolves
 * within ALARM_MS_MAX and never throws: in doubt, nobody is alarmed.
 */
export const makeAlarming = (homeserver: Homeserver, clock: Clock, isAttended: (room: string) => boolean, stopping: AbortSignal) =>
  async (events: RoomEvent[]): Promise<ReadonlySet<string>> => {
    const wanted = events.filter(({ room, content }) => alarms(content) && isAttended(room))
    const by = new Map(wanted.map(({ room, sender }) => [`${room} ${sender}`, { room, sender }]))
    const limit = deadline(clock, ALARM_MS_MAX, stopping)
    const allowed = await Promise.all([...by].slice(0, ASKED_MAX).map(async ([key, { room, sender }]) =>
      await mayAlarm(homeserver, room, sender, limit).catch(() => false) ? key : undefined))
    limit.done()
    return new Set(wanted.filter(({ room, sender }) => allowed.includes(`${room} ${sender}`)).map(({ id }) => id))
  }
