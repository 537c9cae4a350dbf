/**
 * What was said while we were not in a room that keeps no archive: the past that a room shows to whoever enters (XEP-0045 §7.2.13). The room
 * decides how much it shows, often 20 messages, and ends it with its subject, an empty one too (§7.2.15).
 * Promises: no message is heard twice, also after a crash; on the very first visit, nothing of the past is heard. Messages are known again by
 * their words, sender and id, in the order in which they were said.
 */
import { hash } from 'node:crypto'
import type { World } from '../../../model/network'
import { inXhtml } from '../text/xhtml'
import { child, type Element, owned, textOf } from '../wire/xml'
import type { WriteBehind } from '../write-behind'
import type { Archived } from './archive'
import type { Room } from './room'

export const HISTORY_MAX = 50 // messages to ask for, and to know again
const PRINT_LETTERS = 16
/** Among the prints: every message before it is stored, or did not concern us, such as what was said while the room had us out. */
const SETTLED = '!'
export const DELAY = 'urn:xmpp:delay'
const SAYS: ReadonlySet<string> = new Set(['body', 'replace', 'retract', 'apply-to', 'reactions'])

/** Tells messages without an id from the room apart well enough to know them again. It may be the same for two messages. */
export const printOf = (message: Element): string => {
  const { attrs: { from, id }, children } = message
  const said = children.flatMap(one => typeof one !== 'string' && SAYS.has(one.name) ? [[one.name, one.attrs.id, textOf(one)]] : [])
  const rich = said.length > 0 ? [] : inXhtml(message)?.text ?? []
  return hash('sha256', JSON.stringify([from, id, said, ...rich]), 'base64url').slice(0, PRINT_LETTERS)
}

/** The print in the key of a message that was stored. */
const printIn = (key: string | undefined, room: Room): string | undefined => key !== undefined && key.startsWith(`${room.id}/`)
  ? /^([\w-]+)\.[\w-]+$/.exec(key.slice(room.id.length + 1))?.[1]
  : undefined

/**
 * How many of `shown` were heard before. `heard` is everything that was heard, or the end of it. If the same is said again and again, the
 * longest run that fits counts.
 */
export const heardOf = (shown: string[], heard: string[]): number => {
  for (let end = heard.length - 1; end >= 0; end--) {
    let best = { score: 0, count: 0 }
    for (let at = shown.length - 1; at >= 0; at--) {
      let run = 0
      while (run <= at && run <= end && shown[at - run] === heard[end - run]) run++
      const score = run === at + 1 ? Infinity : run // it explains everything shown up to there
      if (run > 0 && score > best.score) best = { score, count: at + 1 }
    }
    if (best.count > 0) return best.count
  }
  return 0
}

export interface History {
  /** The room is about to be entered, and will show its past. */
  begin (room: Room): void
  /** Takes a message of the past. False if it is not of the past. */
  take (room: Room, message: Element): boolean
  /** The room has shown all of its past. Whoever marks their words so from now on is not believed. */
  end (room: Room): void
  /** What is new in what the room has shown, oldest first. `last`: the key of the newest that is stored from there. */
  missed (room: Room, last: string | undefined, isOurs: (message: Element) => boolean): Archived[]
  /** This message was said just now, or found as missed. `key`: of its arrival. */
  heard (room: Room, message: Element, key: string): void
  /** Everything heard so far is stored or does not concern us, and the past is at an end, also if the room has not said so. */
  settle (room: Room): void
}

export const makeHistory = (notes: Pick<WriteBehind, 'get' | 'set'>, { log }: Pick<World, 'log'>): History => {
  const shown = new Map<string, Archived[]>() // while a room is entered; at most HISTORY_MAX of each
  const showing = new Set<string>() // rooms that may show more
  const heard = new Map<string, string[]>() // prints, by room

  const keptOf = (room: Room): string[] | undefined => {
    const kept = notes.get(`heard ${room.id}`)
    return kept === undefined ? undefined : JSON.parse(kept) as string[]
  }
  const heardIn = (room: Room): string[] | undefined => heard.get(room.id) ?? keptOf(room)

  const keep = (room: Room, prints: string[]): void => {
    const newest = prints.length > HISTORY_MAX ? prints.slice(-HISTORY_MAX) : prints
    heard.set(room.id, newest)
    notes.set(`heard ${room.id}`, () => JSON.stringify(newest))
  }

  /** A crash may have stored a message without its print, or its print without the message. */
  const upTo = (prints: string[], last: string | undefined): string[] => {
    if (last === undefined) return prints
    const at = prints.lastIndexOf(last)
    return at >= 0 ? prints.slice(0, Math.max(at, prints.indexOf(SETTLED)) + 1) : [...prints, last]
  }

  return {
    begin (room) {
      shown.set(room.id, [])
      showing.add(room.id)
    },
    take (room, message) {
      const delay = child(message, 'delay', DELAY)
      const items = shown.get(room.id)
      if (items === undefined || !showing.has(room.id) || delay?.attrs.from !== room.id) return false
      const at = Date.parse(delay.attrs.stamp ?? '')
      items.push({ id: '', at: Number.isNaN(at) ? undefined : at, message })
      if (items.length > HISTORY_MAX) items.shift()
      return true
    },
    end (room) { showing.delete(room.id) },
    missed (room, last, isOurs) {
      const items = (shown.get(room.id) ?? []).filter(({ message }) => !isOurs(message))
      shown.delete(room.id)
      const prints = items.map(({ message }) => printOf(message))
      const before = heardIn(room)
      if (before === undefined) { keep(room, prints); return [] }
      const known = upTo(before, printIn(last, room))
      const count = heardOf(prints, known.filter(print => print !== SETTLED))
      if (count === 0 && items.length > 0 && known.length > 0) log.warn({ room: room.id }, 'perhaps more was missed than the room shows')
      keep(room, known)
      return items.slice(count)
    },
    heard (room, message, key) { keep(room, [...heardIn(room) ?? [], owned(printIn(key, room) ?? printOf(message))]) },
    settle (room) {
      shown.delete(room.id)
      showing.delete(room.id)
      const prints = heardIn(room)
      if (prints !== undefined) keep(room, [...prints.filter(print => print !== SETTLED), SETTLED])
    }
  }
}
