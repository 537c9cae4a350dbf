/**
 * Delivers what was accepted: one lane a place, made when it has something to do and forgotten when it has not. What a crash cut
 * off is sorted out here at the start, by what each network can promise.
 */
import type { DeskMemory } from '../desk/memory'
import type { Chance } from '../lib/chance'
import type { Clock } from '../lib/clock'
import type { Log } from '../lib/log'
import { addressKey, type NetworkName, type Place } from '../model/address'
import { Bug } from '../model/errors'
import type { Network } from '../model/network'
import { peopleAt, type Directory } from '../plan/directory'
import type { Changed, Queued, Store } from '../store/store'
import type { Applied } from './apply'
import { makeEnding, type Unwanted } from './ending'
import { makeFiles } from './files'
import { makeLane, type Lane } from './lane'
import type { Observer } from './observer'

/** A delivery that a crash cut off this often is left to a person: it may be what crashes us. */
export const CRASHES_MAX = 10

interface Parts {
  store: Store; networks: ReadonlyMap<NetworkName, Network>; directory: Directory; desk: DeskMemory
  clock: Clock; chance: Chance; log: Log; observer: Observer; linkMs: number
  bug (error: unknown): void
}

export interface Deliver {
  /** Sorts out what a crash cut off and starts a lane for everything that waits. Once, before anything is accepted. */
  start (): Promise<void>
  /** Something was committed: lanes take up what is queued, and see what was cancelled. */
  heard (applied: Applied): void
  /** How many deliveries have not ended: all, or those that came from this place. */
  open (from?: Place): number
  /** Of how many of these anybody can be the cause who writes to us, if this is such a place; else 0. */
  openBeside (from: Place): number
  /** So many more are about to be queued because of what came from this place; negative when it is over. */
  expect (from: Place, count: number): void
  /** Whether a delivery to this place that is queued now is tried at once, and counting that try beforehand does no harm. */
  begins (place: Place): boolean
  /** A connection of this network came up. */
  wake (network: NetworkName): void
  /** The operator changed a row of this lane. `opened` counts rows that wait again, negative for rows that do no more. */
  changed (changed: Changed, opened: number): void
  stop (signal: AbortSignal): Promise<void>
}

export const makeDeliver = (parts: Parts): Deliver => {
  const { store, networks, directory, desk, observer, log } = parts
  const lanes = new Map<string, Lane>() // as many as places with something to deliver
  /** As many as places from which something is not delivered yet. `anybodys`: anybody may write there, as it neither mirrors nor is a team's. */
  const openFrom = new Map<string, { count: number, anybodys: boolean }>()
  let open = 0
  let openFromAnybody = 0
  let running = false

  const isAnybodys = (from: Place): boolean => directory.mirrorAt(from) === undefined && !directory.teams.isTeams(from)

  const count = (from: Place, more: number): void => {
    const key = addressKey(from)
    const { count, anybodys } = openFrom.get(key) ?? { count: 0, anybodys: isAnybodys(from) }
    open += more
    if (anybodys) openFromAnybody += more
    if (count + more === 0) openFrom.delete(key)
    else openFrom.set(key, { count: count + more, anybodys })
  }

  const networkOf = (place: Place): Network => {
    const network = networks.get(place.network)
    if (network === undefined) throw new Bug(`no network is called ${place.network}`)
    return network
  }

  /** Who is to read what a team says there; what their own messages cause, as the hint how to return, they may read. */
  const contactAt = ({ delivery: { place }, from }: Queued): string[] => {
    const spot = desk.spotOf(place)
    return spot?.kind === 'contact' && addressKey(from) !== addressKey(place) ? [addressKey(spot.person)] : []
  }

  const unwanted = (row: Queued): Unwanted | undefined => {
    const { place } = row.delivery
    const standing = directory.standing(place)
    if (standing === 'out' || (standing === 'encrypted' && !row.notice)) return 'rests'
    const here = directory.mirrorAt(place)?.here
    const people = here === undefined ? contactAt(row) : peopleAt(here)
    return !row.notice && people.length > 0 && people.every(person => directory.isBlocked(person)) ? 'stopped' : undefined
  }

  const heard = (applied: Applied, ended?: Queued): void => {
    if (ended !== undefined) count(ended.from, -1)
    for (const { lane, counts } of applied.cancelled) {
      for (const { from, count } of counts) changed({ lane, from }, -count)
      if (counts.length === 0 && running) laneAt(lane).reload() // what waits there says something else now
    }
    const byLane = new Map<string, Queued[]>()
    for (const row of applied.queued) {
      count(row.from, 1)
      const key = addressKey(row.delivery.place)
      const rows = byLane.get(key)
      if (rows === undefined) byLane.set(key, [row])
      else rows.push(row)
    }
    if (running) for (const rows of byLane.values()) laneAt(rows[0]!.delivery.place).add(rows)
  }

  const ending = makeEnding({ ...parts, heard })
  const files = makeFiles(parts.clock)

  const laneAt = (place: Place): Lane => {
    const key = addressKey(place)
    let lane = lanes.get(key)
    if (lane === undefined) {
      lane = makeLane(place, {
        ...parts, network: networkOf(place), ending, files, unwanted,
        retried: () => observer.retried(place.network),
        idle: () => { if (lanes.get(key) === lane) lanes.delete(key) }
      })
      lanes.set(key, lane)
    }
    return lane
  }

  const changed = ({ lane, from }: Changed, opened: number): void => {
    count(from, opened)
    if (running) laneAt(lane).reload()
  }

  /** What was being sent when we were cut off: sent again with the same key, or left to a person. */
  const sortOut = async (): Promise<void> => {
    const rows = await store.run(tx => tx.interrupted())
    const again: number[] = []
    for (const row of rows) {
      const network = networks.get(row.delivery.place.network)
      if (row.crashes >= CRASHES_MAX) ending.unknown(row, `cut off ${row.crashes} times while being sent`)
      else if (network?.can.afterCrash === 'park') ending.unknown(row, 'cut off while being sent: it may have arrived')
      else again.push(row.id)
    }
    if (rows.length > 0) log.info({ again: again.length, unknown: rows.length - again.length }, 'sorted out what was cut off')
    await store.run(tx => tx.waitAgain(again))
  }

  return {
    async start () {
      for (const { from, count: waiting } of await store.run(tx => tx.open())) count(from, waiting)
      await sortOut()
      running = true
      for (const place of await store.run(tx => tx.lanes())) {
        if (networks.has(place.network)) laneAt(place).reload()
        else log.warn({ network: place.network }, 'deliveries wait for a network that is no longer configured')
      }
    },
    heard,
    open: from => from === undefined ? open : openFrom.get(addressKey(from))?.count ?? 0,
    openBeside: from => openFrom.get(addressKey(from))?.anybodys ?? isAnybodys(from) ? openFromAnybody : 0,
    expect: count,
    begins: place => running && networks.get(place.network)?.can.afterCrash === 'resend' && !lanes.has(addressKey(place)),
    wake (network) {
      for (const [key, lane] of lanes) if (key.startsWith(`${network} `)) lane.wake()
    },
    changed,
    async stop (signal) {
      running = false
      files.stop()
      await Promise.all([...lanes.values()].map(lane => lane.stop(signal)))
    }
  }
}
