/**
 * Delivers what was accepted. Each place has one lane, made when there is something to deliver and forgotten when there is not. At the
 * start, deliveries that a crash cut off are sent again or left to a person, depending on what their network can promise.
 */
import type { DeskMemory } from '../desk/memory'
import type { Chance } from '../lib/chance'
import type { Clock } from '../lib/clock'
import type { Log } from '../lib/log'
import { makeShares } from '../lib/shares'
import { addressKey, type NetworkName, type Place } from '../model/address'
import { Bug } from '../model/errors'
import type { Media, Network } from '../model/network'
import { peopleAt, type Directory } from '../plan/directory'
import type { Cause, Changed, Queued, Store } from '../store/store'
import type { Applied } from './apply'
import { makeEnding, type Unwanted } from './ending'
import { makeFiles } from './files'
import { makeLane, type Lane, type LaneParts } from './lane'
import type { Observer } from './observer'
import { overtakenBy } from './profile'

/** A delivery that crashes cut off this often is left to a person: it may be the cause of the crashes. */
export const CRASHES_MAX = 10
const HOPELESS_MAX = 10_000 // places

interface Parts extends Pick<LaneParts, 'current'> {
  open?: Media['open'] | undefined // tries what is behind links
  store: Store; networks: ReadonlyMap<NetworkName, Network>; directory: Directory; desk: DeskMemory
  clock: Clock; chance: Chance; log: Log; observer: Observer; linkMs: number
  bug (error: unknown): void
  /** Nothing that came from a place waits any more; this ended last. */
  drained (last: Cause): void
}

export interface Deliver {
  /** Sorts out what a crash cut off, and starts the lanes of all waiting deliveries. Call once, before anything is accepted. */
  start (): Promise<void>
  /** After a commit: lanes take up what was queued and drop what was cancelled. */
  heard (applied: Applied): void
  /** How many deliveries have not ended: all of them, or those that this place caused. */
  open (from?: Place): number
  /** If anybody may write to us at this place: how many open deliveries all such places have caused. Else 0. */
  openBeside (from: Place): number
  /** An arrival from this place is about to queue so many deliveries. Negative: takes that back. */
  expect (from: Place, count: number): void
  /** Whether a delivery queued now for this place is tried at once, and the try may be counted beforehand without harm. */
  begins (place: Place): boolean
  /** A connection of this network came up. */
  wake (network: NetworkName): void
  /** Rows of this lane changed in the store. `opened`: how many more of them wait now; negative: how many fewer. */
  changed (changed: Changed, opened: number): void
  stop (signal: AbortSignal): Promise<void>
}

export const makeDeliver = (parts: Parts): Deliver => {
  const { store, networks, directory, desk, observer, log } = parts
  const lanes = new Map<string, Lane>() // only places with something to deliver
  /** Places that caused open deliveries. `anybodys`: anybody may write there, because it is neither mirrored nor the team's. */
  const openFrom = new Map<string, { count: number, anybodys: boolean }>()
  let open = 0
  let openFromAnybody = 0
  let running = false

  const isOpenToAnybody = (from: Place): boolean => {
    const mirror = directory.mirrorAt(from)?.mirror
    return (mirror === undefined || mirror.direct === true) && !directory.teams.isTeams(from)
  }

  const count = (from: Place, more: number): void => {
    const key = addressKey(from)
    const { count, anybodys } = openFrom.get(key) ?? { count: 0, anybodys: isOpenToAnybody(from) }
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

  /** The contact who would read this. Nobody, if their own message caused it, such as the hint how to get answers again. */
  const contactAt = ({ delivery: { place }, from }: Queued): string[] => {
    const spot = desk.spotOf(place)
    return spot?.kind === 'contact' && addressKey(from) !== addressKey(place) ? [addressKey(spot.person)] : []
  }

  const unwanted = (row: Queued): Unwanted | undefined => {
    const { place } = row.delivery
    const standing = directory.standing(place)
    if (standing === 'out' || (standing === 'encrypted' && !row.notice)) return 'rests'
    if (overtakenBy(row.delivery, directory) !== undefined) return 'overtaken'
    if (row.delivery.as !== undefined && directory.expelled.at(place, row.delivery.as.person) !== undefined) return 'expelled'
    const here = directory.mirrorAt(place)?.here
    const people = here === undefined ? contactAt(row) : peopleAt(here)
    return !row.notice && people.length > 0 && people.every(person => directory.isBlocked(person)) ? 'stopped' : undefined
  }

  const heard = (applied: Applied, ended?: Queued): void => {
    if (ended !== undefined) count(ended.from, -1)
    for (const { lane, counts } of applied.cancelled) {
      for (const { from, count } of counts) changed({ lane, from }, -count)
      if (counts.length === 0 && running) laneAt(lane).reload() // a waiting delivery was rewritten
    }
    for (const row of applied.queued) count(row.from, 1)
    const byLane = Map.groupBy(applied.queued, row => addressKey(row.delivery.place))
    if (running) for (const rows of byLane.values()) laneAt(rows[0]!.delivery.place).add(rows)
    if (ended?.notice === false && !openFrom.has(addressKey(ended.from))) parts.drained(ended)
  }

  const ending = makeEnding({ ...parts, heard })
  const [files, hopeless] = [makeFiles(parts.clock, parts.open), makeShares<true>(HOPELESS_MAX)]

  const laneAt = (place: Place): Lane => {
    const key = addressKey(place)
    let lane = lanes.get(key)
    if (lane === undefined) {
      lane = makeLane(place, {
        ...parts, network: networkOf(place), ending, files, hopeless, unwanted,
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

  /** Deliveries that a crash cut off are sent again with the same key, or left to a person. */
  const sortOut = async (): Promise<void> => {
    const rows = await store.run(tx => tx.interrupted())
    const again: number[] = []
    for (const row of rows) {
      const network = networks.get(row.delivery.place.network)
      if (row.crashes >= CRASHES_MAX) ending.unknown(row, `cut off ${row.crashes} times while being sent`)
      else if (network?.can.afterCrash === 'park') ending.unknown(row, 'cut off while being sent: it may have arrived')
      else again.push(row.id)
    }
    if (rows.length > 0) log.info({ again: again.length, unknown: rows.length - again.length }, 'sorted out interrupted deliveries')
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
    openBeside: from => openFrom.get(addressKey(from))?.anybodys ?? isOpenToAnybody(from) ? openFromAnybody : 0,
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
