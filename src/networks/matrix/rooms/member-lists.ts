/**
 * Tells who is in the rooms of mirrors: all when the bot has entered one, then by the member events that come in. Neither ours are told nor the
 * ghosts of another switchboard, nor whoever is not heard.
 */
import { deadline, type Clock } from '../../../lib/clock'
import type { Chance } from '../../../lib/chance'
import type { Log } from '../../../lib/log'
import { makeRounds } from '../../../lib/rounds'
import type { Place } from '../../../model/address'
import { messageOf, Refused } from '../../../model/errors'
import type { Leave } from '../../../model/members'
import type { Sender } from '../../../model/message'
import type { Inbox } from '../../../model/network'
import type { RoomEvent } from '../events/events'
import { isJson } from '../events/json'
import { roomPath, type Homeserver } from '../homeserver'
import { GHOST_PREFIX } from '../names'
import type { Ghosts } from '../users/ghosts'
import { senderOf } from './members'
import type { Rooms } from './rooms'

const ASKED_AT_ONCE = 4
const TAKEN_MAX = 10_000
const ANSWER_MS_MAX = 60_000
/** An event that has waited longer may be out of date. */
const FRESH_MS = 2_000
const AGAIN_FIRST_MS = 5_000
const AGAIN_MOST_MS = 15 * 60_000

export interface MemberLists {
  /** The bot is in this room: asks who else is. */
  entered (room: string): void
  /** Somebody's membership of a room has changed. If that may be out of date by now, the homeserver is asked who is there. */
  changed (event: RoomEvent): void
  stop (): void
}

interface Parts {
  homeserver: Homeserver; rooms: Pick<Rooms, 'placeOf' | 'isNow'>; ghosts: Pick<Ghosts, 'found'>
  clock: Clock; chance: Chance; log: Log; signal: AbortSignal
  inbox: () => Inbox | undefined
  /** Ours, and those who are not heard. */
  isNobody: (mxid: string) => boolean
}

export const makeMemberLists = ({ homeserver, rooms, ghosts, clock, chance, log, signal, inbox, isNobody }: Parts): MemberLists => {
  const taken = new Set<string>() // events

  const isPerson = (mxid: string): boolean => !isNobody(mxid) && !mxid.startsWith(`@${GHOST_PREFIX}`)

  const told = (room: string, place: Place | undefined): Inbox | undefined => {
    const given = inbox()
    return place !== undefined && rooms.isNow(room) && given?.wantsMembers(place) === true ? given : undefined
  }

  const ask = async (room: string): Promise<void> => {
    const place = rooms.placeOf(room)
    const given = told(room, place)
    if (given === undefined || place === undefined) return
    const limit = deadline(clock, ANSWER_MS_MAX, signal)
    try {
      const { joined } = await homeserver.call('GET', `${roomPath(room)}/joined_members`, { signal: limit.signal })
      const members = Object.entries(isJson(joined) ? joined : {}).flatMap(([mxid, one]): Sender[] =>
        isPerson(mxid) && isJson(one) ? [senderOf(mxid, { displayname: one.display_name, avatar_url: one.avatar_url })] : [])
      await ghosts.found(Object.keys(isJson(joined) ? joined : {}), room)
      given.members(place, { kind: 'all', members, others: 'left' })
    } catch (error) {
      if (!(error instanceof Refused)) throw error
      log.info({ room, why: error.message }, 'the homeserver does not say who is in a room')
    } finally {
      limit.done()
    }
  }

  const rounds = makeRounds({
    clock, chance, atOnce: ASKED_AT_ONCE, firstMs: AGAIN_FIRST_MS, mostMs: AGAIN_MOST_MS,
    failed (room, error) {
      if (!signal.aborted) log.info({ room, why: messageOf(error) }, 'who is in a room could not be found out; asking again')
    }
  }, ask)

  return {
    entered: rounds.ask,
    changed ({ id, room, sender, stateKey, content, age = 0 }) {
      const place = rooms.placeOf(room)
      if (place === undefined || stateKey === undefined || !isPerson(stateKey)) return
      const isCurrent = age <= FRESH_MS && !taken.has(id) // others may come behind later ones, when what was missed is read
      taken.add(id)
      if (taken.size > TAKEN_MAX) taken.delete(taken.values().next().value!)
      if (!isCurrent) return rounds.ask(room)
      if (content.membership === 'join') return told(room, place)?.members(place, { kind: 'came', member: senderOf(stateKey, content) })
      const how: Leave | undefined = content.membership === 'ban' ? 'banned'
        : content.membership !== 'leave' ? undefined : sender === stateKey ? 'left' : 'kicked'
      if (how !== undefined) told(room, place)?.members(place, { kind: 'went', id: stateKey, how })
    },
    stop: rounds.stop
  }
}
