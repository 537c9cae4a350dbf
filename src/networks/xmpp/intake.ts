/**
 * What stands before the inbox. Promises: what comes from one place is stored in the order in which it was offered. What cannot be stored
 * now is kept, with what comes behind it from that place, and offered again with backoff until it is; other places go on. Meanwhile
 * reading goes on, because only by it are deliveries confirmed and a full queue drained. When ACCEPTS_OPEN_MAX of what was read are
 * kept or under way, over all places (and the rest of one read), it pauses: the last resort. Pages that were asked for do not count:
 * whoever asks has one at a time. What its sender is told about when it cannot be kept (a Bound) is kept within bounds for each place,
 * each server, and all together, so that it alone never makes reading pause. Of a room that keeps no archive ROOM_KEPT_MAX are kept, so
 * that it takes several such rooms, all crowded.
 */
import { backoffMs } from '../../lib/backoff'
import type { Timer } from '../../lib/clock'
import { messageOf } from '../../model/errors'
import type { Arrival } from '../../model/message'
import type { World } from '../../model/network'

export const ACCEPTS_OPEN_MAX = 1_024
export const ROOM_KEPT_MAX = ACCEPTS_OPEN_MAX / 4 // of what is said in one room that keeps no archive
export const DIRECT_KEPT_MAX = 64 // of what one person writes to an address of ours
const SERVER_KEPT_MAX = 256 // of what people of one server do
const BOUND_KEPT_MAX = ACCEPTS_OPEN_MAX / 2 // of what all do
const RETRY_FIRST_MS = 100
const RETRY_MOST_MS = 30_000
const TELL_AFTER = 5 // tries

/**
 * With `most` of its place kept already, an arrival is not, and `beyond` says so. `server`: so too with as much kept of its sender's
 * server, or of all servers, as may be.
 */
export interface Bound { most: number, server?: string, beyond (): void }

interface Entry {
  arrival: Arrival
  number: number
  counted: boolean // as one that reading has brought
  stored: (() => void) | undefined
  kept?: () => void
  underWay?: boolean // being stored just now
  wasKept?: boolean
  bound?: Bound | undefined
}

/** What is under way or kept from one place. */
interface Line {
  open: number
  kept: Entry[] // what could not be stored, and what came after that
  failing: boolean // then only the first of `kept` is under way, so that the order holds when storing works again
  attempt: number
  timer?: Timer
}

export interface Intake {
  /** What was read. Calls `stored` when it is on disk. Never throws. */
  offer (arrival: Arrival, stored?: () => void, bound?: Bound): void
  /** What was asked for. Resolves when all of it is on disk; calls `kept` for each that has to wait. */
  page (arrivals: Arrival[], kept: () => void): Promise<void>
  /** What is kept, and what still comes, will not be stored: those that have a bound are told so. */
  stop (): void
}

/** Receipts wait for no message: they are taken also where no more messages are. */
const lineOf = ({ kind, place }: Arrival): string => kind === 'receipt' ? `receipts ${place.id}` : place.id

export const makeIntake = (
  accept: (arrival: Arrival) => Promise<unknown>, reading: { pause (): void, resume (): void }, { clock, chance, log }: World
): Intake => {
  const lines = new Map<string, Line>() // only of places from which something waits
  const keptOf = new Map<string, number>() // what has a bound of its server, by server
  let boundKept = 0
  let counted = 0
  let offered = 0
  let paused = false
  let stopped = false

  const setPaused = (now: boolean): void => {
    if (now === paused) return
    paused = now
    if (now) reading.pause()
    else reading.resume()
  }

  const enter = (entry: Entry): void => {
    if (entry.counted && ++counted >= ACCEPTS_OPEN_MAX) setPaused(true)
  }

  const leave = (entry: Entry): void => {
    if (entry.counted && --counted <= ACCEPTS_OPEN_MAX / 2) setPaused(false)
  }

  const settled = (id: string, line: Line): void => {
    if (--line.open > 0) return
    if (line.kept.length === 0) lines.delete(id)
    else if (!stopped) line.timer = clock.after(backoffMs(chance, ++line.attempt, RETRY_FIRST_MS, RETRY_MOST_MS), () => retry(id, line))
  }

  const isBeyond = (line: Line, { most, server }: Bound): boolean =>
    stopped || line.kept.length >= most ||
    (server !== undefined && ((keptOf.get(server) ?? 0) >= SERVER_KEPT_MAX || boundKept >= BOUND_KEPT_MAX))

  const countKept = ({ bound }: Entry, change: 1 | -1): void => {
    if (bound?.server === undefined) return
    const now = (keptOf.get(bound.server) ?? 0) + change
    boundKept += change
    if (now === 0) keptOf.delete(bound.server)
    else keptOf.set(bound.server, now)
  }

  const keep = (line: Line, entry: Entry): void => {
    const { bound } = entry
    const again = line.kept[0] === entry
    if (bound !== undefined && (again || entry.wasKept ? stopped : isBeyond(line, bound))) {
      leave(entry)
      return bound.beyond()
    }
    if (again) return
    line.kept.push(entry)
    entry.wasKept = true
    countKept(entry, 1)
    entry.kept?.()
  }

  const give = (id: string, line: Line, entry: Entry): void => {
    line.open++
    entry.underWay = true
    accept(entry.arrival).then(() => {
      if (line.kept[0] === entry) recovered(id, line)
      settled(id, line)
      leave(entry)
      entry.stored?.()
    }, (error: unknown) => {
      if (line.attempt === TELL_AFTER) log.warn({ why: messageOf(error), kept: line.kept.length }, 'what comes from a place cannot be stored yet')
      line.failing = true
      entry.underWay = false
      keep(line, entry)
      settled(id, line)
    })
  }

  const recovered = (id: string, line: Line): void => {
    const [, ...rest] = line.kept
    for (const entry of line.kept) countKept(entry, -1)
    line.kept = []
    line.failing = false
    line.attempt = 0
    if (!stopped) for (const entry of rest) give(id, line, entry)
  }

  const retry = (id: string, line: Line): void => {
    const [first] = line.kept.sort((one, other) => one.number - other.number)
    if (first !== undefined) give(id, line, first)
  }

  const take = (entry: Entry): void => {
    if (stopped) return entry.bound?.beyond()
    const id = lineOf(entry.arrival)
    let line = lines.get(id)
    if (line === undefined) lines.set(id, line = { open: 0, kept: [], failing: false, attempt: 0 })
    enter(entry)
    if (line.failing) keep(line, entry)
    else give(id, line, entry)
  }

  return {
    offer (arrival, stored, bound) { take({ arrival, number: ++offered, counted: true, stored, bound }) },
    async page (arrivals, kept) {
      await Promise.all(arrivals.map(arrival =>
        new Promise<void>(stored => take({ arrival, number: ++offered, counted: false, stored, kept }))))
    },
    stop () {
      stopped = true
      for (const { timer, kept } of lines.values()) {
        timer?.cancel()
        for (const { bound, underWay } of kept) if (!underWay) bound?.beyond()
      }
    }
  }
}
