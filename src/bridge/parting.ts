/**
 * Places that have left their mirror because the config has it no more, and portals that it does not allow any more. Promises: nothing happens in
 * the first PARTING_AFTER_MS after a start, so that a config that is not whole can be put right; then people there are told once, after what was
 * still to be said there, and everybody of ours leaves. A place that is used again meanwhile stays. A network that is away, or not in the config
 * now, is waited for.
 */
import type { Clock, Timer } from '../lib/clock'
import type { Log } from '../lib/log'
import { addressKey, type NetworkName, type Place } from '../model/address'
import { messageOf } from '../model/errors'
import type { StandingArrival } from '../model/message'
import type { Network } from '../model/network'
import type { Directory } from '../plan/directory'
import { JOINED, PARTED } from '../plan/joined'
import { notice } from '../plan/plan'
import { readAsked } from '../plan/portals'
import type { OutboxState, Store, Tx } from '../store/store'
import { STANDINGS } from './apply'
import type { Deliver } from './deliver'

export const PARTING_AFTER_MS = 10 * 60_000
const LOOK_EVERY_MS = 10_000

export interface Parting {
  /** Before anything is delivered: takes back what waits to be said at places that are used again. */
  start (): Promise<void>
  /** Resolves when no place is being left. */
  settled (): Promise<void>
  stop (): void
}

interface Parts {
  store: Store; networks: ReadonlyMap<NetworkName, Network>; directory: Directory; deliver: Pick<Deliver, 'heard'>; log: Log
  clock: Clock; aging: Clock
}

const isGoing = (state: OutboxState): boolean => state === 'waiting' || state === 'sending'

/** That the place has left, as it stands in the journal. */
const leftAt = (place: Place, at: number): StandingArrival =>
  ({ kind: 'standing', key: `parted ${at} ${place.id}`, place, at, standing: 'out' })

export const makeParting = ({ store, networks, directory, deliver, clock, aging, log }: Parts): Parting => {
  let timer: Timer | undefined
  let stopped = false
  let last = Promise.resolve()

  const isUsed = (place: Place): boolean =>
    directory.mirrorAt(place) !== undefined || directory.teams.isTeams(place) || directory.teams.isContacts(place)

  const noted = async (tx: Tx): Promise<StandingArrival[]> =>
    (await tx.remembered(PARTED)).map(([key, at]) => leftAt(readAsked(key), Number(at)))

  const over = (tx: Tx, { place }: StandingArrival): Promise<void> => tx.forget(PARTED, addressKey(place))

  const recall = async (tx: Tx, left: StandingArrival): Promise<void> => {
    const known = await tx.recorded(left.place.network, left.key)
    for (const { id, state } of known?.deliveries ?? []) {
      if (state === 'sending') await tx.waitAgain([id])
      if (isGoing(state)) await tx.drop(id, aging.now())
    }
    await over(tx, left)
  }

  /** Whether they know, or nobody can be told: we were put out, or each word there costs. */
  const areTold = async (left: StandingArrival, { can, attend }: Network): Promise<boolean> => {
    const { place } = left
    if (!can.ghosts || directory.standing(place) === 'out') return true
    attend([place])
    const said = notice(left, place, 'parted', directory.textsAt(place).unmirrored)
    const row = await store.run(async tx => {
      const known = await tx.recorded(place.network, left.key)
      await tx.forget(JOINED, addressKey(place))
      if (known !== undefined) return known.deliveries.some(({ state }) => isGoing(state)) ? 'waits' : 'ended'
      return await tx.queue({ journal: await tx.journal(left, 'routed', aging.now()), from: place }, said, aging.now())
    })
    if (typeof row !== 'string') deliver.heard({ queued: [row], cancelled: [] })
    return row === 'ended'
  }

  const leave = async (left: StandingArrival): Promise<void> => {
    const { place } = left
    const network = networks.get(place.network)
    if (isUsed(place)) return await store.run(tx => over(tx, left))
    if (network === undefined || !await areTold(left, network) || isUsed(place)) return
    await network.forget?.([place])
    await store.run(async tx => {
      await over(tx, left)
      for (const owner of [JOINED, STANDINGS]) await tx.forget(owner, addressKey(place))
    })
    directory.stand(place, 'in')
    log.info({ network: place.network, place: place.id }, 'left a place that is in no mirror any more')
  }

  const look = async (): Promise<void> => {
    const all = await store.run(noted)
    for (const left of all) {
      if (stopped) return
      await leave(left).catch((error: unknown) => {
        const { network, id } = left.place
        log.info({ network, place: id, why: messageOf(error) }, 'a place that is in no mirror any more is not left yet')
      })
    }
    if (all.length > 0 && !stopped) timer = clock.after(LOOK_EVERY_MS, begin)
  }

  const begin = (): void => { last = look().catch(() => { /* the store has failed, and the process stops */ }) }

  return {
    async start () {
      timer = clock.after(PARTING_AFTER_MS, begin)
      await store.run(async tx => {
        for (const left of await noted(tx)) if (isUsed(left.place)) await recall(tx, left)
      })
    },
    settled: () => last,
    stop () {
      stopped = true
      timer?.cancel()
    }
  }
}
