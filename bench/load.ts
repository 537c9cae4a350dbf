/** One load: numbered messages through a bridge or a server, at full speed with a number of them under way, or at a steady pace. */
import { sleep, systemClock as clock } from '../src/lib/clock'

export interface Way {
  rooms: number
  /** Sends a numbered message into the room with this number. */
  send (room: number, load: number, index: number): void
  /** Calls `arrived` for everything that comes out at the other end, until called again. */
  listen (arrived: (load: number, index: number) => void): void
}

export interface Outcome {
  count: number
  perSecond: number
  outOfOrder: number // came after a later one of the same room
  lost: number
  doubled: number
  p50Ms: number
  p95Ms: number
}

/** How many messages are under way at full speed, in all rooms: enough for every window on the path, but no flood. */
export const UNDER_WAY_MAX = 1024
/** What has not come after so long in which nothing came is lost. */
const NOTHING_MS_MAX = 30_000
const POLL_MS = 5

let loads = 0

const quantile = (sorted: number[], share: number): number => sorted[Math.min(sorted.length - 1, Math.floor(sorted.length * share))] ?? NaN

const tally = (way: Way, count: number, load: number, progress: () => void) => {
  const sentAt = new Float64Array(count)
  const times = new Uint8Array(count)
  const last = new Int32Array(way.rooms).fill(-1)
  const latencies: number[] = []
  let outOfOrder = 0
  let doubled = 0
  let endedAt = 0
  let sentLast = clock.tick()
  way.listen((of, index) => {
    if (of !== load || index >= count) return
    if (times[index]!++ > 0) { doubled++; return }
    endedAt = clock.tick()
    latencies.push(endedAt - sentAt[index]!)
    const room = index % way.rooms
    if (index < last[room]!) outOfOrder++
    else last[room] = index
    progress()
  })
  return {
    sent (index: number): void { sentLast = sentAt[index] = clock.tick() },
    arrived: () => latencies.length,
    isOver: (): boolean => latencies.length === count || clock.tick() - Math.max(endedAt, sentLast) > NOTHING_MS_MAX,
    outcome (): Outcome {
      latencies.sort((one, other) => one - other)
      const seconds = (endedAt - sentAt[0]!) / 1000
      return {
        count, perSecond: Math.round(latencies.length / seconds), outOfOrder, lost: count - latencies.length, doubled,
        p50Ms: quantile(latencies, 0.5), p95Ms: quantile(latencies, 0.95)
      }
    }
  }
}

/** As fast as possible, the rooms in turn. */
export const fullSpeed = async (way: Way, count: number, underWayMax = UNDER_WAY_MAX): Promise<Outcome> => {
  const load = ++loads
  let sent = 0
  const more = (): void => {
    while (sent < count && sent - counted.arrived() < underWayMax) {
      counted.sent(sent)
      way.send(sent % way.rooms, load, sent++)
    }
  }
  const counted = tally(way, count, load, more)
  more()
  while (!counted.isOver()) await sleep(clock, POLL_MS)
  return counted.outcome()
}

/** At a steady pace, to measure latency. */
export const steady = async (way: Way, count: number, perSecond: number): Promise<Outcome> => {
  const load = ++loads
  const counted = tally(way, count, load, () => {})
  const start = clock.tick()
  for (let index = 0; index < count; index++) {
    await sleep(clock, start + index * 1000 / perSecond - clock.tick())
    counted.sent(index)
    way.send(index % way.rooms, load, index)
  }
  while (!counted.isOver()) await sleep(clock, POLL_MS)
  return counted.outcome()
}
