/** Takes back what was said by a person and to them, wherever that can be done: by deliveries like any others, which an order of ours causes. */
import { createHash } from 'node:crypto'
import { OURS } from '../desk/address'
import { sleep, type Clock } from '../lib/clock'
import { addressKey, type DeliveryKey, type NetworkName, type Place } from '../model/address'
import type { Action, OrderArrival, Persona } from '../model/message'
import type { Network } from '../model/network'
import type { Directory } from '../plan/directory'
import { type About, ORDER_PLACE, type Stretch, type Subject } from '../store/person'
import type { Cause, NewDelivery, Queued, Store, Tx } from '../store/store'
import type { Deliver } from './deliver'
import { stretchesOf } from './erasing-stored'

export interface TakingBackParts {
  store: Store; networks: ReadonlyMap<NetworkName, Network>; directory: Directory; deliver: Pick<Deliver, 'heard' | 'open'>; clock: Clock
  signal: AbortSignal // when we stop
  drop (id: number): Promise<boolean>
}

/** So far. `unreached`: why the rest was not taken back, in words for the operator. `networks`: where there was something to take back. */
export interface TakenBack { takenBack: number; unreached: string[]; networks: NetworkName[] }

const LOOK_MS = 250
const TAKING_BACK_MS_MAX = 120_000 // what is not taken back then is on the receipt
const DROPPED = 'dropped by the operator'

/** The order's own row. What it causes says where something was taken back, and for whom, so it goes in the end. */
export const causeOf = async (tx: Tx, id: string, at: number): Promise<Cause> => {
  const from = { network: OURS, id: `${ORDER_PLACE}${id}` }
  const known = await tx.recorded(OURS, id)
  const order: OrderArrival = { kind: 'order', key: id, place: from, at, order: { what: 'say', by: 'operator', words: 'erase' } }
  return { journal: known?.seq ?? await tx.journal(order, 'routed', at), from }
}

const keyOf = (id: string, of: string): string => createHash('sha256').update(`erase ${id} ${of}`).digest('base64url').slice(0, 27)

/** What takes back a delivery, or what somebody said. */
const takingBack = (id: string, { arrivals, deliveries }: Pick<About, 'arrivals' | 'deliveries'>, at: number,
  { directory, networks }: Pick<TakingBackParts, 'directory' | 'networks'>): NewDelivery[] => {
  const may = ({ network }: Place): boolean => networks.has(network) && directory.can(network).deletions
  const one = (place: Place, of: string, action: Action, as?: Queued['delivery']['as']): NewDelivery =>
    ({ notice: true, delivery: { key: keyOf(id, of), place, at, action, ...as && { as } } })
  const done = deliveries.flatMap(({ state, delivery }) => state === 'done' && may(delivery.place) ? [delivery] : [])
  const said = new Map<DeliveryKey, { place: Place, as: Persona | undefined, edits: DeliveryKey[] }>() // a message may stand in another stretch
  for (const { key, place, as, action } of done) {
    const of = action.kind === 'message' ? key : action.kind === 'edit' ? action.of : undefined
    if (of === undefined) continue
    const edits = said.get(of)?.edits ?? []
    said.set(of, { place, as, edits: of === key ? edits : [...edits, key] })
  }
  return [
    ...[...said].map(([of, { place, as, edits }]) => one(place, [of, ...edits].join(' '), { kind: 'deletion', of, edits }, as)),
    ...arrivals.filter(({ how, arrival: { kind, place } }) => how !== 'named' && (kind === 'message' || kind === 'edit') && may(place))
      .map(({ arrival: { key, place } }) => one(place, `${addressKey(place)} ${key}`, { kind: 'removal', said: [key] }))
  ]
}

/** `subjects`: who is erased. */
interface Order { id: string; at: number; subjects (tx: Tx): Promise<Subject[]> }

export const makeTakingBack = ({ store, networks, directory, deliver, clock, signal, drop }: TakingBackParts) => {
  /** Drops what waits, and queues what takes back the rest. */
  const begin = async ({ id, at, subjects }: Order, stretch: Stretch): Promise<void> => {
    const about = await store.run(async tx => {
      const each = await Promise.all((await subjects(tx)).map(subject => tx.person.aboutWithin(subject, stretch)))
      return { arrivals: each.flatMap(({ arrivals }) => arrivals), deliveries: each.flatMap(({ deliveries }) => deliveries) }
    })
    for (const { id, state } of about.deliveries) if (state === 'waiting') await drop(id)
    const queued = await store.run(async tx => {
      const cause = await causeOf(tx, id, at)
      const rows: Queued[] = []
      for (const one of takingBack(id, about, at, { directory, networks })) {
        if (!await tx.person.isQueued(one.delivery.key)) rows.push(await tx.queue(cause, one, clock.now()))
      }
      return rows
    })
    deliver.heard({ queued, cancelled: [] })
  }

  /** Waits until all is taken back that can be. */
  const ended = async ({ id, at }: Order): Promise<TakenBack> => {
    const { journal, from } = await store.run(tx => causeOf(tx, id, at))
    const until = clock.tick() + TAKING_BACK_MS_MAX
    while (!signal.aborted && deliver.open(from) > 0 && clock.tick() < until) await sleep(clock, LOOK_MS, signal)
    for (const row of await store.run(tx => tx.person.waitingOf(journal))) await drop(row)
    while (!signal.aborted && deliver.open(from) > 0) await sleep(clock, LOOK_MS, signal) // a try has a limit of its own
    const endings = await store.run(tx => tx.person.endings(journal))
    return {
      networks: [...new Set(endings.map(({ network }) => network))],
      takenBack: endings.filter(({ state }) => state === 'done').reduce((sum, { count }) => sum + count, 0),
      unreached: endings.filter(({ state }) => state !== 'done').map(({ network, reason, count }) =>
        `${count} message${count === 1 ? '' : 's'} on ${directory.can(network).label} could not be taken back: ` +
        (reason === DROPPED ? 'it did not answer in time' : reason))
    }
  }

  return {
    /** Does nothing twice. */
    async takeBack (order: Order, within: Stretch): Promise<TakenBack> {
      for (const stretch of stretchesOf(within)) await begin(order, stretch)
      return await ended(order)
    }
  }
}
