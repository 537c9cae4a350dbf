/**
 * Brings the ghosts of those who are at the other places of a mirror into its rooms, and out again.
 * Promises: they come and go one after another in each room, and in few rooms at once; messages never wait for them. Who is in is remembered, so
 * a restart makes nobody leave or come again. Whoever was put out of a room comes again only to speak, or on a new visit.
 */
import type { Chance } from '../../../lib/chance'
import { deadline, type Clock, type Timer } from '../../../lib/clock'
import type { Log } from '../../../lib/log'
import { makeRounds } from '../../../lib/rounds'
import type { Person, Place } from '../../../model/address'
import { messageOf, Refused } from '../../../model/errors'
import { type MemberList, without } from '../../../model/members'
import type { Persona } from '../../../model/message'
import type { Memory } from '../../../model/network'
import type { Rooms } from '../rooms/rooms'
import type { Ghosts } from './ghosts'

const ROOMS_AT_ONCE = 2
const GHOST_MS_MAX = 60_000
const AGAIN_FIRST_MS = 5_000
const AGAIN_MOST_MS = 15 * 60_000
/** After somebody who is in no list has spoken. */
const LOOK_AGAIN_MS = 5 * 60_000

export interface Bringing {
  members (list: MemberList): void
  /** The bot is in the room of this place. */
  entered (place: Place): void
  /** A ghost came in to speak. If its person has left meanwhile, no list will tell. */
  cameIn (place: Place): void
  /** Somebody has put this ghost out of the room. */
  putOut (mxid: string, room: string): void
  /** These people are nowhere any more. */
  forget (persons: Person[]): void
  stop (): void
}

interface Parts {
  ghosts: Ghosts; rooms: Pick<Rooms, 'known' | 'isIn'>; memory: Memory; clock: Clock; chance: Chance; log: Log; signal: AbortSignal
}

const outKey = (mxid: string, room: string): string => `put out ${room} ${mxid}`

export const makeBringing = ({ ghosts, rooms, memory, clock, chance, log, signal }: Parts): Bringing => {
  const lists = new Map<string, MemberList>()
  const looking = new Map<string, Timer>() // by place
  const refused = new Set<string>() // ghosts that a room did not let in, until the bot enters it anew

  /** In its time, as every call for one ghost. */
  const inTime = async (work: (signal: AbortSignal) => Promise<void>): Promise<void> => {
    const limit = deadline(clock, GHOST_MS_MAX, signal)
    try { await work(limit.signal) } finally { limit.done() }
  }

  const bring = (mxid: string, persona: Persona, room: string): Promise<void> => inTime(async signal => {
    try {
      await ghosts.ready(mxid, persona, room, signal)
      if (persona.avatar === undefined) await ghosts.noPicture(mxid, room, signal)
    } catch (error) {
      if (!(error instanceof Refused)) throw error
      log.info({ room, ghost: mxid, why: error.message }, 'a ghost may not enter the room')
      refused.add(outKey(mxid, room))
    }
  })

  /** Forgets who was put out and is not there any more, or is in again. */
  const forgetOut = async (room: string, wanted: ReadonlyMap<string, Persona>): Promise<void> => {
    for (const key of memory.keys(outKey('', room))) {
      const mxid = key.slice(key.lastIndexOf(' ') + 1)
      if (!wanted.has(mxid) || ghosts.isIn(mxid, room)) await memory.delete(key)
    }
  }

  const round = async (id: string, isOutdated: () => boolean): Promise<void> => {
    const list = lists.get(id)
    const room = list && rooms.known(list.place)
    if (list === undefined || room === undefined || !rooms.isIn(room)) return // we are told when the bot is in
    const wanted = new Map(list.members.map(persona => [ghosts.of(persona, list.place, room), persona]))
    await forgetOut(room, wanted)
    for (const [mxid, persona] of wanted) {
      if (isOutdated() || !rooms.isIn(room)) return
      const isOut = refused.has(outKey(mxid, room)) || memory.get(outKey(mxid, room)) !== undefined
      if (!isOut) await bring(mxid, persona, room)
    }
    const gone = new Set(list.gone?.map(persona => ghosts.of(persona, list.place, room)))
    for (const mxid of ghosts.inRoom(room)) {
      if (isOutdated() || !rooms.isIn(room)) return
      if (!wanted.has(mxid) && (list.whole || gone.has(mxid))) await inTime(signal => ghosts.leave(mxid, room, signal))
    }
  }

  const rounds = makeRounds({
    clock, chance, atOnce: ROOMS_AT_ONCE, firstMs: AGAIN_FIRST_MS, mostMs: AGAIN_MOST_MS,
    failed (place, error, attempt) {
      if (!signal.aborted) log.info({ place, attempt, why: messageOf(error) }, 'not all who are elsewhere could be brought into the room')
    }
  }, round)

  return {
    members (list) {
      lists.set(list.place.id, list)
      rounds.ask(list.place.id)
    },
    entered (place) {
      const start = outKey('', rooms.known(place) ?? '')
      for (const key of refused) if (key.startsWith(start)) refused.delete(key)
      if (lists.has(place.id)) rounds.ask(place.id)
    },
    cameIn ({ id }) {
      if (looking.has(id) || signal.aborted) return
      looking.set(id, clock.after(LOOK_AGAIN_MS, () => {
        looking.delete(id)
        if (lists.has(id)) rounds.ask(id)
      }))
    },
    putOut (mxid, room) {
      memory.set(outKey(mxid, room), '1').catch((error: unknown) => log.warn({ why: messageOf(error) }, 'not remembered: a ghost was put out'))
    },
    forget (persons) { for (const [id, list] of lists) lists.set(id, without(list, persons)) },
    stop () {
      for (const timer of looking.values()) timer.cancel()
      rounds.stop()
    }
  }
}
