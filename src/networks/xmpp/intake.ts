/**
 * Stands before the inbox. Promises: arrivals from one place are stored in the order in which they were offered. If one cannot be stored now,
 * it is kept, with those that follow from that place, and offered again with backoff until it is stored; other places go on. Meanwhile we
 * go on reading from the server, because its answers confirm deliveries and so drain a full queue. As the last resort, reading pauses when
 * ACCEPTS_OPEN_MAX of the arrivals read are kept or under way, over all places. Pages from an archive do not count, because whoever asks
 * for them has one at a time. Arrivals with a Bound, whose senders are told if they cannot be kept, are limited for each place, each server
 * and all together, so that they alone never make reading pause. A room without an archive has at most ROOM_KEPT_MAX kept, so only several
 * such rooms, all crowded, can make reading pause.
 */
import { backoffMs } from '../../lib/backoff'
import type { Timer } from '../../lib/clock'
import { messageOf } from '../../model/errors'
import type { Arrival } from '../../model/message'
import type { World } from '../../model/network'

export const ACCEPTS_OPEN_MAX = 1_024
export const ROOM_KEPT_MAX = ACCEPTS_OPEN_MAX / 4 // of what is said in one room that keeps no archive
export const DIRECT_KEPT_MAX = 64 // of what one person writes to an address of ours
const SERVER_KEPT_MAX = 256 // of arrivals with a Bound from one server
const BOUND_KEPT_MAX = ACCEPTS_OPEN_MAX / 2 // of all arrivals with a Bound
const RETRY_FIRST_MS = 100
const RETRY_MOST_MS = 30_000
const TELL_AFTER = 5 // tries, then it is logged

/**
 * If `most` arrivals of its place are kept already, an arrival is not kept, and `beyond` is called. With `server`, the same holds for the
 * limits of that server and of all servers.
 */
export interface Bound { most: number, server?: string, beyond (): void }

interface Entry {
  arrival: Arrival
  number: number
  counted: boolean // towards ACCEPTS_OPEN_MAX
  stored: ((isNew: boolean) => void) | undefined
  kept?: () => void
  underWay?: boolean // being stored just now
  wasKept?: boolean
  bound?: Bound | undefined
}

/** The arrivals of one place that are under way or kept. */
interface Line {
  open: number
  kept: Entry[] // those that could not be stored, and those that came after them
  failing: boolean // then only the first of `kept` is under way, so that the order holds when storing works again
  attempt: number
  timer?: Timer
}

export interface Intake {
  /** Takes an arrival that was read. Calls `stored` when it is on disk, or was before. Never throws. */
  offer (arrival: Arrival, stored?: (isNew: boolean) => void, bound?: Bound): void
  /** Takes a page from an archive. Resolves when all of it is on disk; calls `kept` for each arrival that must wait. */
  page (arrivals: Arrival[], kept: () => void): Promise<void>
  /**
   * Nothing more is stored, neither what is kept nor what still comes. Calls `beyond` for arrivals with a Bound. Resolves when nothing is under
   * way: until then, whoever wrote may still have to hear something.
   */
  stop (): Promise<void>
}

/** Receipts do not wait for messages: they are taken even if no more messages are. */
const lineOf = ({ kind, place }: Arrival): string => kind === 'receipt' ? `receipts ${place.id}` : place.id

export const makeIntake = (
  accept: (arrival: Arrival) => Promise<unknown>, reading: { pause (): void, resume (): void }, { clock, chance, log }: World
): Intake => {
  const lines = new Map<string, Line>() // only of places from which something waits
  const keptOf = new Map<string, number>() // kept arrivals with a Bound of their server, by server
  let boundKept = 0
  let counted = 0
  let offered = 0
  let paused = false
  let stopped = false
  let open = 0 // under way, over all lines
  let wakeIdle = (): void => {}

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
    if (--open === 0) wakeIdle()
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
    open++
    entry.underWay = true
    accept(entry.arrival).then(outcome => {
      if (line.kept[0] === entry) recovered(id, line)
      settled(id, line)
      leave(entry)
      entry.stored?.(outcome !== 'seen')
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
        new Promise<void>(stored => take({ arrival, number: ++offered, counted: false, stored: () => stored(), kept }))))
    },
    stop () {
      stopped = true
      for (const { timer, kept } of lines.values()) {
        timer?.cancel()
        for (const { bound, underWay } of kept) if (!underWay) bound?.beyond()
      }
      return new Promise(resolve => { wakeIdle = resolve; if (open === 0) resolve() })
    }
  }
}
