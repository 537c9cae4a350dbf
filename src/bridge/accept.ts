/**
 * The door. An arrival is checked, dropped if it was seen (by the source's own id, durably), routed, and committed together with
 * everything it causes; only then does the call resolve, and only then may the source be told yes.
 */
import type { Clock } from '../lib/clock'
import { Malformed, Unavailable } from '../model/errors'
import type { Arrival } from '../model/message'
import type { Inbox } from '../model/network'
import type { Store, Tx } from '../store/store'
import { apply } from './apply'
import type { Deliver } from './deliver'
import type { Directory } from './directory'
import type { Observer } from './observer'
import { route, type Facts } from './route'

/** What one arrival may take on disk, as JSON. Larger ones go to quarantine, cut. */
export const ARRIVAL_CHARACTERS_MAX = 4 * 1024 * 1024

export interface AcceptLimits {
  queueMax: number // deliveries not yet ended, over all lanes; at this many nothing more is accepted
  linkMs: number
}

interface Parts { store: Store; directory: Directory; deliver: Deliver; observer: Observer; clock: Clock; limits: AcceptLimits }

export interface Accept extends Pick<Inbox, 'accept' | 'quarantine' | 'lastKey'> {
  /** From now on everything is refused, so that the sources keep it. */
  close (): void
}

const factsFor = async (tx: Tx, arrival: Arrival): Promise<Facts> => {
  switch (arrival.kind) {
    case 'message': return {}
    case 'edit': case 'deletion': return { original: await tx.recorded(arrival.place.network, arrival.of) }
    case 'receipt': return { confirmable: await tx.confirmable(arrival.place, arrival.of) }
  }
}

export const makeAccept = ({ store, directory, deliver, observer, clock, limits }: Parts): Accept => {
  let open = true

  const record = (arrival: Arrival, json: string) => store.run(async tx => {
    if (await tx.seen(arrival.place.network, arrival.key)) return undefined
    const facts = await factsFor(tx, arrival)
    const plan = route(arrival, facts, directory)
    if (plan.outcome === 'ignored') return undefined
    const now = clock.now()
    const journal = await tx.journal(arrival, plan.outcome, now, json)
    return { plan, unmatched: facts.confirmable === undefined, ...await apply(tx, plan, journal, directory, now, limits.linkMs) }
  })

  const quarantine: Accept['quarantine'] = async (network, raw, why) => {
    await store.run(tx => tx.quarantine(network, raw, why.message, clock.now()))
    observer.quarantined(network)
  }

  return {
    async accept (arrival) {
      const { network } = arrival.place
      if (!open || deliver.open() >= limits.queueMax) {
        observer.accepted(network, 'refused')
        throw new Unavailable(open ? `${limits.queueMax} deliveries are waiting already` : 'shutting down')
      }
      const concerns = directory.mirrorAt(arrival.place) !== undefined || arrival.kind === 'receipt' ||
        (arrival.kind === 'message' && arrival.direct === true)
      if (!concerns) return 'seen'
      const raw = JSON.stringify(arrival)
      if (raw.length > ARRIVAL_CHARACTERS_MAX) {
        await quarantine(network, raw, new Malformed(`${raw.length} characters are too long for one message`))
        return 'seen'
      }
      const stored = await record(arrival, raw)
      if (stored === undefined) {
        observer.accepted(network, 'seen')
        return 'seen'
      }
      observer.accepted(network, stored.plan.outcome === 'unrouted' ? 'unrouted' : 'stored')
      if (arrival.kind === 'receipt') observer.receipt(network, stored.unmatched ? 'unmatched' : arrival.outcome)
      deliver.heard(stored)
      return 'stored'
    },
    quarantine,
    lastKey: place => store.run(tx => tx.lastKey(place)),
    close: () => { open = false }
  }
}
