/** What is old is forgotten. When conversations are, the networks forget their places too. */
import type { Clock, Timer } from '../lib/clock'
import type { Log } from '../lib/log'
import { samePlace, type NetworkName, type Place } from '../model/address'
import { messageOf } from '../model/errors'
import type { Network } from '../model/network'
import { FORGOTTEN, noteForgotten } from '../desk/forgotten'
import { DAY_MS } from '../desk/hours'
import type { DeskMemory } from '../desk/memory'
import type { Directory } from '../plan/directory'
import type { Conversation } from '../store/desk'
import type { Store, Tx } from '../store/store'
import { TALLY_DAYS } from '../store/tally'

/** At most so many of each kind at once, so that nobody waits for it. */
const PRUNE_ROWS = 500
const PRUNE_EVERY_MS = 3_600_000
const PRUNE_ON_MS = 1000 // while there is more

/** `keepMs`: how long what is no address's is kept. `now`: by the clock that does not jump. `most`: see Forgotten. */
export const forgetOld = async (
  tx: Tx, { desk, directory }: { desk: DeskMemory, directory: Directory }, keepMs: number, now: number
): Promise<{ most: number, gone: Conversation[] }> => {
  const gone: Conversation[] = []
  let most = await tx.prune(now - keepMs, PRUNE_ROWS)
  for (const { place, days } of directory.retained()) most = Math.max(most, await tx.pruneAt(place, now - days * DAY_MS, PRUNE_ROWS))
  for (const name of await tx.desk.addresses()) {
    const days = desk.roster.named(name)?.retentionDays
    const before = now - (days === undefined ? keepMs : days * DAY_MS)
    const forgotten = await tx.desk.forget(name, before, PRUNE_ROWS)
    await tx.tally.forgetRare(name, before)
    most = Math.max(most, forgotten.most)
    gone.push(...forgotten.conversations)
  }
  await tx.tally.forgetHours(now - TALLY_DAYS * DAY_MS)
  return { most, gone }
}

export interface Forgetting {
  note (tx: Tx, conversations: Conversation[]): Promise<void>
  /** Tells the networks what is noted. Never throws: what a network cannot forget now is tried the next time. */
  tell (): Promise<void>
}

interface Parts { store: Store; networks: ReadonlyMap<NetworkName, Network>; desk: DeskMemory; log: Log }

export const makeForgetting = ({ store, networks, desk, log }: Parts): Forgetting => {
  let last = Promise.resolve()
  let next: Promise<void> | undefined // begins when the last one has ended: one for all who ask meanwhile

  /** Whether somebody has written there since, or its address is back. */
  const isNeeded = (place: Place): boolean => desk.spotOf(place) !== undefined || desk.roster.all().some(address => {
    const house = desk.houseOf(address, place.network)
    return house !== undefined && samePlace(house, place)
  })

  const tellOne = async (key: string, place: Place): Promise<void> => {
    try {
      if (!isNeeded(place)) await networks.get(place.network)?.forget?.([place])
      await store.run(tx => tx.forget(FORGOTTEN, key))
    } catch (error) {
      log.info({ network: place.network, why: messageOf(error) }, 'place of a forgotten conversation is not forgotten yet')
    }
  }

  const tellAll = async (): Promise<void> => {
    const noted = await store.run(tx => tx.remembered(FORGOTTEN)).catch(() => [])
    for (const [key, value] of noted) await tellOne(key, JSON.parse(value) as Place)
  }

  return {
    note: (tx, conversations) => noteForgotten(tx, conversations.flatMap(desk.placesFor)),
    tell: () => next ??= last.then(() => {
      next = undefined
      last = tellAll()
      return last
    })
  }
}

/** Forgets every hour, first an hour after the start. `prune` resolves with the most rows of one kind, and may fail. */
export const makePruning = (clock: Pick<Clock, 'after'>, log: Log, prune: () => Promise<number>): { start (): void, stop (): void } => {
  let stopped = false
  let next: Timer | undefined
  const runIn = (ms: number): void => { if (!stopped) next = clock.after(ms, run) }
  const run = (): void => {
    prune().then(most => runIn(most === PRUNE_ROWS ? PRUNE_ON_MS : PRUNE_EVERY_MS), (error: unknown) => {
      log.warn({ why: messageOf(error) }, 'could not forget what is old: trying again in an hour')
      runIn(PRUNE_EVERY_MS)
    })
  }
  return {
    start () { runIn(PRUNE_EVERY_MS) },
    stop () {
      stopped = true
      next?.cancel()
    }
  }
}
