/**
 * Deletes what is stored about a person. Everything goes in pieces, and what holds it together, such as their conversations, in one commit when
 * nothing else is left: so what they write meanwhile is erased too, or begins a new conversation after that commit. Each step may be done twice.
 */
import { noteForgotten } from '../desk/forgotten'
import type { DeskMemory } from '../desk/memory'
import type { Clock } from '../lib/clock'
import { addressKey, type NetworkName, type Person, type Place } from '../model/address'
import type { Memory, Network } from '../model/network'
import type { Directory } from '../plan/directory'
import { type Erased, factWithout, holdsOne, type Stretch, type Subject } from '../store/person'
import type { Store, Tx } from '../store/store'

/** `memories`: of the networks. */
export interface ErasingStoredParts {
  store: Store; networks: ReadonlyMap<NetworkName, Network>; memories: ReadonlyMap<NetworkName, Memory>; directory: Directory; desk: DeskMemory
  aging: Clock // as that of the store
}

/** Others wait no longer than one of these takes. */
const STRETCH_ROWS = 2_000
const EVERYTHING = Number.MAX_SAFE_INTEGER

export const stretchesOf = ({ after, upTo }: Stretch): Stretch[] => Array.from({ length: Math.ceil((upTo - after) / STRETCH_ROWS) }, (_, index) => {
  const from = after + index * STRETCH_ROWS
  return { after: from, upTo: Math.min(from + STRETCH_ROWS, upTo) }
})

/** Counts what was erased, in the commit in which that happens. */
export type Count = (tx: Tx, more: Partial<Erased>) => Promise<void>

export const makeErasingStored = ({ store, networks, memories, directory, desk, aging }: ErasingStoredParts) => {
  const idsOf = (person: Person): string[] =>
    [person.id, ...[...networks.values()].flatMap(({ name, naming }) => name === person.network ? [] : naming.ghost?.(person) ?? [])]

  const subjectsOf = (tx: Tx, persons: Person[]): Promise<Subject[]> => Promise.all(persons.map(async person => ({
    person, ids: idsOf(person), rooms: (await tx.desk.conversationsWith(person)).flatMap(desk.placesFor)
  })))

  /** How much of theirs is left in this stretch: what they said, and deliveries if there is nothing else. */
  const leftIn = async (tx: Tx, subjects: Subject[], stretch: Stretch): Promise<number> => {
    let left = 0
    for (const subject of subjects) {
      const { arrivals, deliveries } = await tx.person.aboutWithin(subject, stretch)
      left += arrivals.filter(({ how }) => how !== 'named').length || deliveries.length
    }
    return left
  }

  /** Returns whether nothing of theirs is left there: what is under way is not erased. */
  const eraseWithin = async (persons: Person[], within: Stretch, count: Count): Promise<boolean> => {
    let isClear = true
    for (const stretch of stretchesOf(within)) {
      isClear = await store.run(async tx => {
        const subjects = await subjectsOf(tx, persons)
        for (const subject of subjects) await count(tx, await tx.person.eraseWithin(subject, stretch, aging.now()))
        return await leftIn(tx, subjects, stretch) === 0
      }) && isClear
    }
    return isClear
  }

  /**
   * Erases the rest, unless something of theirs has come since: then returns false. With `anyway`, it erases of that what is not under way.
   * `before` is part of the commit, and gets the chats and rooms that are noted to be left, and how much of theirs stays.
   */
  const eraseRest = async (persons: Person[], { since, anyway }: { since: number, anyway: boolean }, count: Count,
    before: (tx: Tx, places: Place[], stays: number) => Promise<void>): Promise<boolean> => {
    const gone = await store.run(async tx => {
      const subjects = await subjectsOf(tx, persons)
      const stretch = { after: since, upTo: EVERYTHING }
      for (const subject of anyway ? subjects : []) await count(tx, await tx.person.eraseWithin(subject, stretch, aging.now()))
      const stays = await leftIn(tx, subjects, stretch)
      if (stays > 0 && !anyway) return undefined
      const conversations = (await Promise.all(persons.map(person => tx.desk.conversationsWith(person)))).flat()
      const places = [...conversations.flatMap(desk.placesFor), ...persons.flatMap(person => directory.directs.placesOf(addressKey(person)))]
      await before(tx, places, stays)
      for (const subject of subjects) await count(tx, await tx.person.eraseRest(subject))
      await noteForgotten(tx, places)
      return conversations
    })
    for (const conversation of gone ?? []) desk.forget(conversation)
    return gone !== undefined
  }

  /** `but`: the owners whose facts are still needed. Networks have theirs in memory too. */
  const eraseFacts = async (persons: Person[], but: string[], count: Count): Promise<void> => {
    const ids = persons.flatMap(idsOf)
    for (const [name, memory] of memories) {
      for (const key of but.includes(name) ? [] : memory.keys('')) {
        const value = memory.get(key) ?? ''
        if (!holdsOne(key, ids) && !holdsOne(value, ids)) continue
        const left = holdsOne(key, ids) ? undefined : factWithout(value, ids)
        await (left === undefined ? memory.delete(key) : memory.set(key, left))
        await store.run(tx => count(tx, { facts: 1 }))
      }
    }
    await store.run(async tx => count(tx, await tx.person.eraseFacts(ids, but)))
  }

  return { subjectsOf, eraseWithin, eraseRest, eraseFacts }
}
