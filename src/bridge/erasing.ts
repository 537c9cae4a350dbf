/**
 * Erases a person, in this order: what was said by them and to them is taken back wherever that can be done; then our store forgets it, and the
 * networks leave their chats and rooms; then the file of the store is written anew. Promises: what has begun ends, over crashes too, because the
 * order is on disk before anything is done and each step may be done twice. The receipt says what could not be reached, and nothing about the
 * person. Whoever writes again after that is somebody new.
 */
import { z } from 'zod'
import { FORGOTTEN } from '../desk/forgotten'
import type { Chance } from '../lib/chance'
import type { Log } from '../lib/log'
import { sleep } from '../lib/clock'
import { addressKey, type NetworkName, type Person, type Place } from '../model/address'
import { messageOf } from '../model/errors'
import { peopleAt } from '../plan/directory'
import type { Erased } from '../store/person'
import type { Tx } from '../store/store'
import { type Count, type ErasingStoredParts, makeErasingStored } from './erasing-stored'
import { makeErasingGhosts, type ErasingGhostsParts } from './erasing-ghosts'
import { causeOf, makeTakingBack, type TakingBackParts } from './erasing-takes-back'
import { mustBeSomebodyElse } from './erasing-whom'
import type { Forgetting } from './forgetting'

/** `at`: ms since 1970. `unreached`: in words for the operator. */
export const RECEIPT = z.object({
  id: z.string(), at: z.number(), conversations: z.number(), messages: z.number(), quarantine: z.number(), facts: z.number(), takenBack: z.number(),
  unreached: z.array(z.string())
})
export type Receipt = z.infer<typeof RECEIPT>

export interface Erasing {
  /** Resolves with the id of the receipt when the order is on disk. Throws Refused if one of them is ours, or of a team. */
  erase (persons: Person[]): Promise<string>
  /** Undefined while it is not done. */
  receipt (id: string): Promise<Receipt | undefined>
  receipts (): Promise<Receipt[]> // newest first
  /** Goes on with what a crash cut off: the orders as they are remembered. Called once. */
  start (orders: [id: string, order: string][]): void
  stop (): void
}

interface Parts extends Omit<TakingBackParts & ErasingStoredParts, 'signal'>, ErasingGhostsParts { forgetting: Forgetting, chance: Chance, log: Log }

const COUNTED = ['conversations', 'messages', 'quarantine', 'facts'] as const satisfies (keyof Erased)[]
const NOTHING: Erased = { conversations: 0, messages: 0, quarantine: 0, facts: 0 }

/**
 * `closed`: nothing is stored any more but what networks still need to leave chats and rooms. `done`: the persons are not known any more, and only
 * the file is to be written anew.
 */
const ORDER = z.object({
  persons: z.array(z.object({ network: z.string(), id: z.string() })), at: z.number(), erased: z.record(z.enum(COUNTED), z.number()),
  closed: z.object({ takenBack: z.number(), unreached: z.array(z.string()) }).optional(), done: RECEIPT.optional()
})
type Order = z.infer<typeof ORDER>

/** The owners of the memories that hold orders, and receipts. */
export const ERASING = 'erasing'
const RECEIPTS = 'erased'
const ID_BYTES = 6
const RECEIPTS_MAX = 10_000
const LOOK_MS = 250

const ROUNDS_MS_MAX = 600_000 // whoever writes without a pause cannot put off the end

const cameMeanwhile = (count: number): string => `${count} messages that they wrote while this was done were still under way in the end. They are ` +
  'kept like those of somebody new: erase them again when they no longer write.'

const notLeft = (count: number, label: string): string => `${count} chats or rooms on ${label} are not left yet. That is tried every hour, and ` +
  'until then it is known whose they are: erase them again then.'

const ALWAYS = [
  'The logbook of addresses and the counts for reports keep what the team did and when, with labels, without who the contact was.',
  'Their reactions and votes stay in the rooms where they gave them.',
  'What other people wrote about them in their own words, with what they quoted, and copies in other people\'s apps.',
  'Backups that were made before, and stores that zentrale restore has put aside (….before-…).',
  'The log, which has no texts, but may name addresses until it is rotated away.'
]

export const makeErasing = (parts: Parts): Erasing => {
  const { store, networks, directory, forgetting, clock, chance, log } = parts
  const stopping = new AbortController()
  const eraseGhosts = makeErasingGhosts(parts)
  const { takeBack } = makeTakingBack({ ...parts, signal: stopping.signal })
  const { subjectsOf, eraseWithin, eraseRest, eraseFacts } = makeErasingStored(parts)

  const isRunning = (): boolean => !stopping.signal.aborted
  const note = (tx: Tx, id: string, order: Order): Promise<void> => tx.remember(ERASING, id, JSON.stringify(order))

  /** So that the receipt is true after a crash too. */
  const counting = (id: string, order: Order): Count => async (tx, more) => {
    for (const what of COUNTED) order.erased[what] += more[what] ?? 0
    await note(tx, id, order)
  }

  /** `carried`: where their words were. */
  const remains = (persons: Person[], places: Place[], carried: NetworkName[]): string[] => {
    const known = new Set([...carried, ...[...persons, ...places].map(({ network }) => network)])
    const isNamed = (person: Person): boolean => directory.threadsOf(addressKey(person)).some(place => {
      const found = directory.mirrorAt(place)
      return found !== undefined && peopleAt(found.here).includes(addressKey(person))
    })
    return [
      ...[...networks.values()].filter(({ name }) => known.has(name)).flatMap(({ remains }) => remains?.(places) ?? []),
      ...persons.some(person => directory.isBlocked(addressKey(person)))
        ? ['That they said STOP is kept with their address, so that nothing is sent to them again.'] : [],
      ...persons.some(isNamed) ? ['The config names them in a mirror. Take them out of it.'] : [],
      ...ALWAYS
    ]
  }

  /** Round by round, until nothing of theirs has come in the last one, or ROUNDS_MS_MAX are over. */
  const close = async (id: string, order: Order): Promise<void> => {
    const { persons, at } = order
    const count = counting(id, order)
    const until = clock.tick() + ROUNDS_MS_MAX
    for (let after = 0; isRunning();) {
      const anyway = clock.tick() >= until
      const upTo = await store.run(tx => tx.person.lastArrival())
      const back = await takeBack({ id, at, subjects: tx => subjectsOf(tx, persons) }, { after, upTo })
      if (!isRunning()) return
      const isClear = await eraseWithin(persons, { after, upTo }, count)
      const since = isClear ? upTo : after
      const isClosed = (isClear || anyway) && await eraseRest(persons, { since, anyway }, count, async (tx, places, stays) => {
        const { takenBack, unreached, networks: carried } = back
        order.closed = {
          takenBack, unreached: [...stays === 0 ? [] : [cameMeanwhile(stays)], ...unreached, ...remains(persons, places, carried)]
        }
        await tx.person.forgetArrival((await causeOf(tx, id, at)).journal)
      })
      if (isClosed) return
      if (isClear) after = upTo
      else await sleep(clock, LOOK_MS, stopping.signal)
    }
  }

  const carryOut = async (id: string, order: Order): Promise<void> => {
    if (order.closed === undefined) await close(id, order)
    if (order.closed === undefined || !isRunning()) return
    await forgetting.tell()
    const ghosts = await eraseGhosts(order.persons)
    const open = (await store.run(tx => tx.remembered(FORGOTTEN))).map(([place]) => place.split(' ', 1).join(''))
    const needed = [ERASING, ...ghosts.failed, ...open.length > 0 ? [FORGOTTEN, ...open] : []]
    await eraseFacts(order.persons, needed, counting(id, order))
    const stay = [...new Set(open)].map(network => notLeft(open.filter(one => one === network).length, directory.can(network).label))
    const unreached = [...order.closed.unreached, ...ghosts.unreached, ...stay]
    const receipt = { id, at: order.at, ...order.erased, takenBack: order.closed.takenBack, unreached }
    await store.run(tx => note(tx, id, { ...order, persons: [], done: receipt }))
    await finish(id, receipt)
  }

  const finish = async (id: string, receipt: Receipt): Promise<void> => {
    await store.run(async tx => {
      await tx.remember(RECEIPTS, id, JSON.stringify(receipt))
      await tx.forget(ERASING, id)
    })
    const more = await store.compact()
    if (more !== undefined) {
      await store.run(tx => tx.remember(RECEIPTS, id, JSON.stringify({ ...receipt, unreached: [...receipt.unreached, more] })))
    }
    log.info({ erasure: id, unreached: receipt.unreached.length }, 'a person was erased')
  }

  const run = (id: string, order: Order): Promise<void> => (order.done === undefined ? carryOut(id, order) : finish(id, order.done))
    .catch((error: unknown) => { log.error({ erasure: id, why: messageOf(error) }, 'an erasure broke off; it goes on after the next start') })

  return {
    async erase (persons) {
      for (const person of persons) mustBeSomebodyElse(person, parts)
      const id = chance.token(ID_BYTES)
      const order = await store.run(async tx => {
        const others = await Promise.all(persons.map(person => tx.person.occupants(person)))
        const order: Order = { persons: [...persons, ...others.flat()], at: clock.now(), erased: { ...NOTHING } }
        await note(tx, id, order)
        return order
      })
      void run(id, order)
      return id
    },
    receipt: id => store.run(async tx => {
      const found = new Map(await tx.remembered(RECEIPTS)).get(id)
      const isGoing = new Map(await tx.remembered(ERASING)).has(id)
      return found === undefined || isGoing ? undefined : RECEIPT.parse(JSON.parse(found))
    }),
    receipts: async () => (await store.run(tx => tx.remembered(RECEIPTS))).map(([, receipt]) => RECEIPT.parse(JSON.parse(receipt)))
      .toSorted((one, other) => other.at - one.at).slice(0, RECEIPTS_MAX),
    start (orders) {
      for (const [id, order] of orders) void run(id, ORDER.parse(JSON.parse(order)))
    },
    stop () { stopping.abort() }
  }
}
