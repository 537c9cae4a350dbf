/**
 * What is kept of a device: its id, and all that the library wants kept. If that is lost, or older than what was used since, the device is made
 * anew, because a key that is used twice gives away what it hides, and apps refuse it. So whenever keys are used, the homeserver counts, at most
 * once a minute: a store that is behind this count is an earlier copy.
 */
import type { Chance } from '../../../lib/chance'
import type { Clock } from '../../../lib/clock'
import type { Log } from '../../../lib/log'
import type { Turns } from '../../../lib/turns'
import { messageOf, Refused, Unavailable } from '../../../model/errors'
import type { EncryptionCounts, Memory, Vault } from '../../../model/network'
import { type Json, jsonOf } from '../events/json'
import { type CallOptions, encode, type Homeserver, type Method, Rejected } from '../homeserver'
import type { Asking } from './asking'
import type { Engine } from './engine'
import { formerOf, noteFormer, startOf } from './former'
import type { Row } from './indexed-db'

/**
 * `id`: of the device that each user of ours sends from. `turns`, `asking`: one for all devices. `signed`: nobody gets a key on a device that they
 * have not signed themselves.
 */
export interface DeviceParts {
  homeserver: Homeserver; engine: Engine; vault: Vault; memory: Memory; clock: Clock; chance: Chance; log: Log; id: string
  turns: Turns; signed: boolean; asking: Asking
  counts: Pick<EncryptionCounts, 'claims'>
}

export interface Kept {
  /** Its user and its id. */
  name (): string
  id (): string
  /** Opens it in the engine, unless it is open there. Throws Unavailable. */
  open (signal: AbortSignal): Promise<void>
  /** Before its keys are used: lets the homeserver count. Throws Unavailable. */
  count (signal: AbortSignal): Promise<void>
  /** The engine forgets it, until it is opened again. Never throws. */
  close (): Promise<void>
  /** Its keys are not to be used any more: the device is made anew, the next time, and can read what this one could. */
  forget (): Promise<void>
  /** The same, but it stays until the new one is there. */
  replace (): Promise<void>
}

const ID_BYTES = 6
const COUNT_MS = 60_000
const COUNT = 'org.zentrale.keys' // in the account data of our user, which nobody else sees

/** How the rows of the library begin that hold what a device can read. */
export const sessionsStart = (user: string, device: string): string =>
  `${startOf(`${user} ${device}`)}["${user} ${device}::matrix-sdk-crypto","inbound_group_sessions`

/** How the rows of messages begin that wait for a key. */
export const WAITING = 'waiting '

/** In memory: whether an identity has signed the device, and how far it was read. */
export const signedKey = (user: string): string => `signed ${user}`
export const sinceKey = (user: string): string => `keys ${user}`
const countKey = (user: string): string => `keys used ${user}`
/** In the vault, from an earlier device to the next one: the keys of what it could read. */
const leftKey = (user: string): string => `left ${user}`

/** Keeps what the worker wants kept of a device. */
export const keepIn = (vault: Vault) => (name: string, changes: Row[]): Promise<void> =>
  vault.change(changes.map(([key, value]) => [startOf(name) + key, value]))

/** A refusal is no fault of what is said: it may go out later. */
export const asUnavailable = (error: unknown): unknown =>
  error instanceof Refused ? new Unavailable(`encryption: ${error.message}`, { cause: error }) : error

/** A call as the user, and by default as the device. */
export const makeCall = (homeserver: Homeserver, user: string, { id }: Pick<Kept, 'id'>) =>
  async (method: Method, path: string, options: CallOptions, byDevice = true): Promise<Json> => {
    try {
      return await homeserver.call(method, path, { ...options, as: user, ...byDevice && { query: { device_id: id() } } })
    } catch (error) {
      throw asUnavailable(error)
    }
  }

export const makeKept = ({ homeserver, engine, vault, memory, clock, chance, log, id: usual }: DeviceParts, user: string): Kept => {
  const idKey = `device ${user}`
  let life: number | undefined
  let countedAt = -Infinity // of clock.tick
  const id = (): string => memory.get(idKey) ?? usual
  const name = (): string => `${user} ${id()}`
  const call = makeCall(homeserver, user, { id })
  const counted = `client/v3/user/${encode(user)}/account_data/${COUNT}`
  const countHere = (): number => Number(memory.get(countKey(user)) ?? 0)

  const countThere = async (signal: AbortSignal): Promise<number> => {
    try {
      const { count } = await homeserver.call('GET', counted, { as: user, signal })
      return Number.isSafeInteger(count) ? Number(count) : 0
    } catch (error) {
      if (error instanceof Rejected && error.status === 404) return 0
      throw asUnavailable(error)
    }
  }

  /** Here first, so that we are never behind because of a crash. */
  const countTo = async (count: number, signal: AbortSignal): Promise<void> => {
    await memory.set(countKey(user), String(count))
    await call('PUT', counted, { body: { count }, signal }, false)
    countedAt = clock.tick()
  }

  const rows = async (): Promise<Row[]> => {
    const start = startOf(name())
    return (await vault.all(start)).map(([key, value]): Row => [key.slice(start.length), value])
  }

  const newId = (): string => `${usual}_${chance.token(ID_BYTES)}`

  /**
   * A device of which the homeserver knows keys, and we do not, is of no use to anybody. The new one has another id: apps do not believe that a
   * device has other keys.
   */
  const begin = async (signal: AbortSignal): Promise<void> => {
    const { device_keys: all } = await call('POST', 'client/v3/keys/query', { body: { device_keys: { [user]: [] } }, signal }, false)
    const before = Object.keys(jsonOf(jsonOf(all)[user]))
    if (before.length === 0 && id() === usual) return
    const next = id() === usual || before.includes(id()) ? newId() : id()
    log.warn({ user, device: before.join(' '), next }, 'the keys of a device are lost, out of date or given up, and it is made anew')
    await noteFormer(memory, user, { devices: before })
    await memory.set(idKey, next)
    await call('PUT', `client/v3/devices/${encode(next)}`, { body: { display_name: 'Zentrale' }, signal }, false)
  }

  const openWith = (kept: Row[]): Promise<void> => engine.call(name(), 'open', { user, device: id(), rows: kept })

  /** Only keys for reading: those may be used by two devices. */
  const readable = async (): Promise<Buffer | undefined> => {
    try {
      const kept = await rows()
      if (kept.length === 0) return undefined
      if (life !== engine.life) await openWith(kept)
      const keys = await engine.call(name(), 'exported')
      await engine.call(name(), 'close')
      return Buffer.from(keys)
    } catch (error) {
      log.warn({ user, why: messageOf(error) }, 'what an earlier device could read, the next one cannot')
      return undefined
    }
  }

  const forget = async (): Promise<void> => {
    const keys = await readable()
    life = undefined
    const changes: Row[] = (await vault.all(startOf(name()))).map(([key]) => [key, undefined])
    if (keys !== undefined) changes.push([leftKey(user), keys])
    await vault.change(changes)
    for (const key of [signedKey(user), sinceKey(user)]) await memory.delete(key)
  }

  const replace = async (): Promise<void> => {
    if (formerOf(memory, user) !== undefined && formerOf(memory, user)?.read !== id()) return // the next one is not there yet
    const keys = await readable()
    life = undefined
    if (keys !== undefined) await vault.change([[leftKey(user), keys]])
    await noteFormer(memory, user, { devices: [id()], read: id(), since: memory.get(sinceKey(user)) })
    for (const key of [signedKey(user), sinceKey(user)]) await memory.delete(key)
    await memory.set(idKey, newId())
  }

  const takeOver = async (): Promise<void> => {
    const keys = await vault.get(leftKey(user))
    if (keys === undefined) return
    await engine.call(name(), 'imported', Buffer.from(keys).toString())
    await vault.change([[leftKey(user), undefined]])
  }

  return {
    id, name, forget, replace,
    async open (signal) {
      if (life === engine.life) return
      const there = await countThere(signal)
      if (there > countHere()) await forget()
      const kept = await rows()
      if (kept.length === 0) await begin(signal)
      await countTo(Math.max(there, countHere()) + 1, signal)
      const now = engine.life
      await openWith(kept)
      await takeOver()
      life = now
    },
    async close () {
      if (life !== engine.life) return
      life = undefined
      await engine.call(name(), 'close').catch(() => { /* then it has forgotten all of them */ })
    },
    async count (signal) { if (clock.tick() - countedAt > COUNT_MS) await countTo(countHere() + 1, signal) }
  }
}
