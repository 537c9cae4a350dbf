/**
 * Who may put another room in the place of one of ours (CS API §Room upgrades). A moderator can set a tombstone, and anybody can make a
 * room that names ours as its predecessor; so the mirror moves on only when both were done by people who may decide everything in our
 * room: those with the power of who made it, by which it was given to us in the first place.
 */
import { isJson, stringOf } from '../events'
import type { Homeserver, Json } from '../homeserver'
import { eventOf, stateOf, type Stated } from './state'

const EVERYTHING = 100 // the power of who makes a room, as all servers set it (CS API §m.room.power_levels)
const CREATORS_RULE = 12 // from this room version on, who made a room stands above all power (MSC4289)

export const predecessorOf = (create: Json): string | undefined => isJson(create.predecessor) ? stringOf(create.predecessor.room_id) : undefined

const isCreator = (create: Stated | undefined, mxid: string): boolean => {
  const { room_version: version, additional_creators: more } = create?.content ?? {}
  return Number(version ?? 1) >= CREATORS_RULE && (mxid === create?.sender || (Array.isArray(more) && more.includes(mxid)))
}

/** Undefined if this room's tombstone counts for nothing; else tells whether it may be replaced by a room that we are in. */
export const mayReplace = async (homeserver: Homeserver, old: string): Promise<((next: string) => Promise<boolean>) | undefined> => {
  const create = await eventOf(homeserver, old, 'm.room.create')
  const levels = await stateOf(homeserver, old, 'm.room.power_levels', '', {}) ?? {}
  const users = isJson(levels.users) ? levels.users : {}
  const mayDecide = (mxid: string | undefined): boolean => mxid !== undefined &&
    (isCreator(create, mxid) || Number(users[mxid] ?? levels.users_default ?? 0) >= EVERYTHING)
  if (!mayDecide((await eventOf(homeserver, old, 'm.room.tombstone'))?.sender)) return undefined
  return async next => {
    const made = await eventOf(homeserver, next, 'm.room.create')
    return made !== undefined && predecessorOf(made.content) === old && mayDecide(made.sender)
  }
}
