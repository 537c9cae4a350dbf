/**
 * Rooms that their owners have destroyed in favour of another one (XEP-0045 §10.9). A place keeps the address of its first room as its id; this
 * file remembers in which room it is now, and decides whether another one may take its place.
 * Promises: the address that is named proves nothing, because anybody may own that room, and whoever is quick can make it. It counts only if
 * somebody who owned the old room owns the new one too, as both have shown us, or if its owners have made us a member. A place never comes
 * back to a room, and sees at most ROOMS_MAX.
 */
import { sleep } from '../../../lib/clock'
import { messageOf, Unavailable } from '../../../model/errors'
import type { World } from '../../../model/network'
import { parseJid } from '../names'
import type { Present } from './people'
import type { Room } from './room'

const ROOMS_MAX = 20
const OWNERS_MAX = 20
const PROOF_MS = 10 * 60_000
const OUTSIDERS: ReadonlySet<string> = new Set(['', 'none', 'outcast'])
const NONE = '-' // no address, and no address has a space
const UNCLEAR = 'a room was replaced; waiting for somebody who owned it and owns the new one, or until that makes Zentrale a member'
const NOT_REPLACED = 'a room was replaced, but nobody who owned it owns the new one, and that has not made us a member; not followed'

/** `named`: all rooms that were named as the place's, first its own. `next`: one that may take the place of `now`. */
interface Moves { now: string, next?: string, named: string[], untold?: true }

export interface Successors {
  of (place: string): Pick<Moves, 'now' | 'next' | 'untold'>
  /** The owners of the room name this one. False if it cannot take its place, whoever owns it. */
  named (room: Room, next: string): boolean
  /** Somebody in the room is there anew, or has another affiliation. */
  seen (room: Room, nick: string): void
  /** We are outside of the room. */
  lost (room: Room): void
  /** Whether a room that we are in may take the place of the one that it follows. Waits PROOF_MS for its owners. Throws Unavailable if we get out. */
  isProven (room: Room, signal: AbortSignal): Promise<boolean>
  /** The place is in this room from now on. Resolves when that is on disk. */
  moved (room: Room): Promise<void>
  /** Everybody was told that the place has moved to this room. */
  told (room: Room): void
  /** The place is in the room again that was replaced. */
  back (room: Room): void
}

/** `ask`: says in the room what its owners have to do. */
export const makeSuccessors = (
  domain: string, { memory, clock, log }: Pick<World, 'memory' | 'clock' | 'log'>, ask: (room: Room) => void
): Successors => {
  const waiting = new Map<Room, AbortController>()
  const keyOf = (place: string): string => `moved ${place}`
  const ownersKey = (id: string): string => `owners ${id}`

  const movesOf = (place: string): Moves => {
    const [now = place, next = NONE, untold = NONE, ...named] = memory.get(keyOf(place))?.split(' ') ?? []
    return { now, named: named.length === 0 ? [place] : named, ...next !== NONE && { next }, ...untold !== NONE && { untold: true } }
  }

  const keep = (place: string, { now, next = NONE, untold, named }: Moves): Promise<void> =>
    memory.set(keyOf(place), [now, next, untold === true ? 'untold' : NONE, ...named].join(' '))

  const keepSoon = (work: Promise<void>): void => {
    work.catch((error: unknown) => log.error({ why: messageOf(error) }, 'could not remember which room replaces another one'))
  }

  const ownersOf = (id: string): string[] => memory.get(ownersKey(id))?.split(' ') ?? []

  const isProof = (room: Room, people: Iterable<Present>): boolean => {
    if (!OUTSIDERS.has(room.listener.affiliation)) return true
    const before = new Set(ownersOf(room.follows ?? room.id))
    return [...people].some(({ owns, address }) => owns === true && address !== undefined && before.has(address))
  }

  const noteOwner = (room: Room, { address, owns }: Present): void => {
    if (address === undefined || address.endsWith(`@${domain}`)) return
    const before = ownersOf(room.id)
    if (before.includes(address) === (owns === true)) return
    const now = owns === true ? [...before, address].slice(-OWNERS_MAX) : before.filter(one => one !== address)
    keepSoon(memory.set(ownersKey(room.id), now.join(' ')))
  }

  return {
    of: movesOf,
    named (room, next) {
      const moves = movesOf(room.place)
      if (parseJid(next)?.local === '' || next.endsWith(`@${domain}`)) return false
      if (next === moves.next) return true
      if (moves.named.includes(next)) return false
      if (moves.named.length >= ROOMS_MAX) {
        log.error({ room: room.id, next }, 'a place has moved too often; not followed')
        return false
      }
      keepSoon(keep(room.place, { ...moves, next, named: [...moves.named, next] }))
      return true
    },
    seen (room, nick) {
      const present = room.people.get(nick)
      if (present === undefined || room.own) return
      if (room.follows === undefined) noteOwner(room, present)
      else if (isProof(room, [present])) waiting.get(room)?.abort()
    },
    lost (room) { waiting.get(room)?.abort() },
    async isProven (room, signal) {
      const seen = new AbortController()
      waiting.set(room, seen)
      if (!isProof(room, room.people.values())) {
        log.warn({ room: room.follows, next: room.id }, UNCLEAR)
        ask(room)
        await sleep(clock, PROOF_MS, seen.signal, signal)
      }
      waiting.delete(room)
      if (room.listener.nick === '' && !signal.aborted) throw new Unavailable('out of the room again')
      const proven = !signal.aborted && isProof(room, room.people.values())
      if (!proven && !signal.aborted) log.error({ room: room.follows, next: room.id }, NOT_REPLACED)
      return proven
    },
    async moved (room) {
      const { named } = movesOf(room.place)
      await keep(room.place, { now: room.id, named, untold: true })
      if (room.follows !== undefined) await memory.delete(ownersKey(room.follows))
      log.info({ room: room.follows, next: room.id }, 'followed a room to its successor')
    },
    told (room) {
      const { untold: _, ...moves } = movesOf(room.place)
      keepSoon(keep(room.place, moves))
    },
    back (room) {
      const { next, ...moves } = movesOf(room.place)
      if (next !== undefined) keepSoon(keep(room.place, moves))
    }
  }
}
