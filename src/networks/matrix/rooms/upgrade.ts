/**
 * Who may put another room in the place of one of ours (CS API §Room upgrades). A moderator can set a tombstone, and anybody can make a
 * room that names ours as its predecessor. So the mirror moves on only if both were done by people with the power of our room's creator.
 * With that power, somebody gave us the room in the first place.
 */
import { isJson, type Json, stringOf } from '../events/json'
import type { Homeserver } from '../homeserver'
import { isCreator } from './power'
import { eventOf, stateOf } from './state'

const EVERYTHING = 100 // the power of a room's creator, as all servers set it (CS API §m.room.power_levels)

export const predecessorOf = (create: Json): string | undefined => isJson(create.predecessor) ? stringOf(create.predecessor.room_id) : undefined

/** Undefined if this room's tombstone does not count; else a function that tells whether a room that we are in may replace it. */
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
