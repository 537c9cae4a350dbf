/**
 * The devices of our users. Those of readers are made when the homeserver is found, and in the background until all are there; that of a ghost
 * when it first speaks in an encrypted room. Only the last OPEN_MAX that were used are in memory.
 */
import { backoffMs } from '../../../lib/backoff'
import type { Chance } from '../../../lib/chance'
import { sleep, type Clock } from '../../../lib/clock'
import type { Log } from '../../../lib/log'
import { makeTurns } from '../../../lib/turns'
import { messageOf, Unavailable } from '../../../model/errors'
import type { EncryptionCounts, Memory, Vault } from '../../../model/network'
import { Rejected, type Homeserver } from '../homeserver'
import { makeAsking } from './asking'
import { makeDevice, type Device } from './device'
import type { MakeEngine } from './engine'
import { isRenewed, isToRenew, ordered } from './identities'
import { keepIn } from './kept'

/** Without `makeEngine`, there is no encryption. */
export interface DevicesParts {
  homeserver: Homeserver; makeEngine: MakeEngine | undefined; vault: Vault; memory: Memory; clock: Clock; chance: Chance; log: Log
  signal: AbortSignal; signed: boolean
  readers: Readers
  /** The device of each user of ours; undefined if the homeserver has none for us. */
  device (): string | undefined
}

/** Those of ours who read in encrypted chats and rooms. */
export interface Readers {
  all (): string[]
  has (mxid: string): boolean
  /** Makes sure that the homeserver knows this user. Throws Refused or Unavailable. */
  ready (mxid: string, signal: AbortSignal): Promise<void>
}

export interface Devices {
  /** There is no encryption at all. */
  readonly off: boolean
  /** Throws Unavailable. */
  of (mxid: string): Device
  /** Makes sure of a reader and its device. Throws Refused or Unavailable. */
  ready (mxid: string, signal: AbortSignal): Promise<void>
  /** Whether this user of ours can read in encrypted chats. */
  serves (mxid: string): boolean
  /** Whether it can, or that is not known yet. */
  mayServe (mxid: string): boolean
  /** Finds out whether the homeserver knows of keys, then does as `check`. Throws Unavailable. */
  prepare (): Promise<void>
  /** Makes sure of all devices, in the background. */
  check (): void
  /** Takes the keys that have come for a reader, and what has changed of those of these people whom it knows. Throws Unavailable. */
  news (mxid: string, signal: AbortSignal, people: string[]): Promise<void>
  readonly counts: EncryptionCounts
  stop (): void
}

const SUPPORTED = 'encryption'
const FIRST_MS = 2_000
const MOST_MS = 5 * 60_000
const OPEN_MAX = 200 // of up to 0.6 MB each

export const makeDevices = (parts: DevicesParts): Devices => {
  const { homeserver, makeEngine, vault, memory, clock, chance, log, signal: stopping, signed, readers } = parts
  const engine = makeEngine?.({ clock, log, keep: keepIn(vault) })
  const counts: EncryptionCounts = { claims: 0, unread: { late: 0, broken: 0, full: 0 }, get restarts () { return engine?.life ?? 0 } }
  const devices = new Map<string, Device>() // the one that was used last is the last
  const [turns, asking] = [makeTurns(), makeAsking({ clock, chance, log })]
  const before = engine === undefined ? 'no' : memory.get(SUPPORTED)
  let supported = before === undefined ? undefined : before === 'yes' // until the homeserver is found first, that is not known
  let checking = false
  let again = false

  const deviceOf = (mxid: string): Device => {
    const id = parts.device()
    if (id === undefined || engine === undefined) throw new Unavailable('encryption: the homeserver has no devices for application services')
    const key = `${mxid} ${id}`
    const device = devices.get(key) ?? makeDevice({ homeserver, engine, vault, memory, clock, chance, log, id, turns, signed, counts, asking }, mxid)
    devices.delete(key)
    devices.set(key, device)
    const [first] = devices
    if (devices.size > OPEN_MAX && first !== undefined) {
      devices.delete(first[0])
      void first[1].rest()
    }
    return device
  }

  const isSupported = async (): Promise<boolean> => {
    if (engine === undefined || parts.device() === undefined) return false
    try {
      await homeserver.call('POST', 'client/v3/keys/query', { body: { device_keys: {} }, signal: stopping })
      return true
    } catch (error) {
      if (error instanceof Rejected) return false
      throw error
    }
  }

  const bring = async (mxid: string): Promise<void> => {
    if (readers.has(mxid)) await readers.ready(mxid, stopping)
    if (await isToRenew(vault, mxid)) {
      await deviceOf(mxid).giveUp(stopping)
      await isRenewed(vault, mxid) // before anything can fail that would be tried again with yet another device
    }
    await deviceOf(mxid).news(stopping)
  }

  const bringAll = async (): Promise<void> => {
    let failed = true
    for (let attempt = 1; failed && !stopping.aborted; attempt++) {
      failed = again = false
      const fails = (address?: string) => (error: unknown): string[] => {
        failed = true
        if (!stopping.aborted) log.warn({ address, why: messageOf(error) }, 'an address cannot take part in encrypted chats yet')
        return []
      }
      const toRenew = await ordered(vault).catch(fails())
      for (const mxid of new Set([...readers.all(), ...toRenew])) await bring(mxid).catch(fails(mxid))
      if (failed) await sleep(clock, backoffMs(chance, attempt, FIRST_MS, MOST_MS), stopping)
      failed ||= again
    }
  }

  const check = (): void => {
    again = true
    if (checking || supported !== true || readers.all().length === 0) return
    checking = true
    void bringAll().finally(() => { checking = false })
  }

  const serves = (mxid: string): boolean => supported === true && readers.has(mxid)

  return {
    off: engine === undefined, of: deviceOf, serves, check, counts,
    mayServe: mxid => supported !== false && readers.has(mxid),
    async ready (mxid, signal) {
      await readers.ready(mxid, signal)
      await deviceOf(mxid).ready(signal)
    },
    async prepare () {
      supported = await isSupported()
      if (engine !== undefined) await memory.set(SUPPORTED, supported ? 'yes' : 'no')
      check()
    },
    async news (mxid, signal, people) { if (serves(mxid)) await deviceOf(mxid).news(signal, people) },
    stop () { engine?.stop() }
  }
}
