/**
 * The devices that a new one takes the place of. They stay until it has its keys and is signed, so that apps always find one for which they can
 * encrypt. What was sent to the last of them meanwhile is taken before it goes, if its keys are ours.
 */
import type { Clock } from '../../../lib/clock'
import type { Log } from '../../../lib/log'
import { messageOf, Unavailable } from '../../../model/errors'
import type { Memory, Vault } from '../../../model/network'
import { isJson, type Json, jsonOf, listOf, parsed, stringOf } from '../events/json'
import { type CallOptions, encode, type Homeserver, type Method } from '../homeserver'
import type { Engine } from './engine'

/** `read`: whose keys we have, with how far its news was read. */
export interface Former { devices: string[]; read?: string; since?: string | undefined }

const PAGES_MAX = 20

const formerKey = (user: string): string => `former ${user}`

export const formerOf = (memory: Memory, user: string): Former | undefined => {
  const value = memory.get(formerKey(user))
  return value === undefined ? undefined : parsed<Former>(value)
}

/** Adds to them. */
export const noteFormer = (memory: Memory, user: string, { devices, ...read }: Former): Promise<void> => {
  const before = formerOf(memory, user)
  return memory.set(formerKey(user), JSON.stringify({ ...before, ...read, devices: [...new Set([...before?.devices ?? [], ...devices])] }))
}

/** How the rows begin that are kept of a device. */
export const startOf = (name: string): string => `device ${name} `

/** Synapse gives the same question the same answer for two minutes. So the question has the time in it, as a field that no event has. */
const filterFor = (now: number): string => JSON.stringify({
  room: { rooms: [] }, presence: { types: [] }, account_data: { types: [] }, event_fields: ['event_id', String(now)]
})

/** Asks for what is new for a device. */
export const newsQuery = (device: string, since: string | undefined, now: number) =>
  ({ device_id: device, filter: filterFor(now), timeout: 0, set_presence: 'offline', since })

interface FormerParts {
  homeserver: Homeserver; engine: Engine; vault: Vault; memory: Memory; clock: Clock; log: Log
  /** That each user of ours sends from: it stays, without keys. */
  id: string
  /** The new one. */
  kept: { name (): string, id (): string }
  call (method: Method, path: string, options: CallOptions, byDevice: boolean): Promise<Json>
  sift (came: Json[]): Promise<Json[]>
}

export const makeFormer = ({ homeserver, engine, vault, memory, clock, log, id: usual, kept, call, sift }: FormerParts, user: string) => {
  /** Opens the keys that came for it, and gives them to the new one. */
  const empty = async (device: string, since: string | undefined, signal: AbortSignal): Promise<void> => {
    const name = `${user} ${device}`
    const rows = (await vault.all(startOf(name))).map(([key, value]): [string, Uint8Array] => [key.slice(startOf(name).length), value])
    if (rows.length === 0) return
    await engine.call(name, 'open', { user, device, rows })
    for (let [page, from] = [0, since]; page < PAGES_MAX; page++) {
      const answer = await homeserver.call('GET', 'client/v3/sync', { as: user, query: newsQuery(device, from, clock.now()), signal })
      const toDevice = await sift(listOf(jsonOf(answer.to_device).events).filter(isJson))
      if (toDevice.length === 0) break
      await engine.call(name, 'receive', { toDevice, changed: [], left: [], counts: [], fallback: undefined })
      from = stringOf(answer.next_batch)
    }
    const keys = await engine.call(name, 'exported')
    await engine.call(name, 'close')
    await engine.call(kept.name(), 'imported', keys)
  }

  /** Takes them away, once the new one is there. Throws Unavailable. */
  return async (signal: AbortSignal): Promise<void> => {
    const { devices, read, since } = formerOf(memory, user) ?? { devices: [] }
    if (devices.length === 0) return
    if (read !== undefined) {
      await empty(read, since, signal).catch((error: unknown) => {
        if (error instanceof Unavailable && error.disconnected) throw error
        log.warn({ user, why: messageOf(error) }, 'what came for an earlier device at last, the next one cannot read')
      })
    }
    const gone = devices.filter(one => one !== kept.id())
    const calls: ['DELETE' | 'PUT', string][] = [...gone.map((one): ['DELETE', string] => ['DELETE', one]), ['PUT', usual]]
    for (const [method, one] of calls) {
      await call(method, `client/v3/devices/${encode(one)}`, { body: { display_name: 'Zentrale' }, signal }, false)
    }
    const rows = read === undefined ? [] : await vault.all(startOf(`${user} ${read}`))
    await vault.change(rows.map(([key]) => [key, undefined]))
    await memory.delete(formerKey(user))
  }
}
