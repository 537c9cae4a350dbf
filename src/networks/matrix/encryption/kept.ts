/** What is kept of a device: its id, and all that the library wants kept. If that is lost, or older than what the homeserver has, it begins anew. */
import type { Chance } from '../../../lib/chance'
import type { Clock } from '../../../lib/clock'
import type { Log } from '../../../lib/log'
import { Refused, Unavailable } from '../../../model/errors'
import type { Memory, Vault } from '../../../model/network'
import { isJson, type Json, jsonOf } from '../events/json'
import type { CallOptions, Homeserver, Method } from '../homeserver'
import type { Engine } from './engine'
import type { Row } from './indexed-db'

/** `id`: of the device that each user of ours sends from. */
export interface DeviceParts {
  homeserver: Homeserver; engine: Engine; vault: Vault; memory: Memory; clock: Clock; chance: Chance; log: Log; id: string
}

export interface Kept {
  /** Its user and its id. */
  name (): string
  id (): string
  /** Opens it in the engine, unless it is open there. Throws Unavailable. */
  open (signal: AbortSignal): Promise<void>
  /** What is kept is of no use: the device is made anew, the next time. */
  forget (): Promise<void>
}

const START = 'device '
const startOf = (name: string): string => `${START}${name} `
const ID_BYTES = 6

/** In memory: whether an identity has signed the device, and how far it was read. */
export const signedKey = (user: string): string => `signed ${user}`
export const sinceKey = (user: string): string => `keys ${user}`

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

export const makeKept = ({ homeserver, engine, vault, memory, chance, log, id: usual }: DeviceParts, user: string): Kept => {
  const idKey = `device ${user}`
  let life: number | undefined
  const id = (): string => memory.get(idKey) ?? usual
  const name = (): string => `${user} ${id()}`
  const call = makeCall(homeserver, user, { id })

  /**
   * If the homeserver knows keys of a device that we do not remember, such as after the store was lost, that device is of no use to anybody.
   * The new one has another id: apps do not believe that a device has other keys. The old one stays to send from, without keys.
   */
  const begin = async (signal: AbortSignal): Promise<void> => {
    const before = id()
    const { device_keys: all } = await call('POST', 'client/v3/keys/query', { body: { device_keys: { [user]: [before] } }, signal })
    if (!isJson(jsonOf(jsonOf(all)[user])[before])) return
    const next = `${usual}_${chance.token(ID_BYTES)}`
    log.warn({ user, device: before, next }, 'the keys of a device are lost, and it is made anew: apps may say that its identity has changed')
    const body = { display_name: 'Zentrale' }
    for (const [method, one] of [['PUT', next], ['DELETE', before], ['PUT', usual]] as const) {
      await call(method, `client/v3/devices/${one}`, { body, signal }, false)
    }
    await memory.set(idKey, next)
  }

  return {
    id, name,
    async open (signal) {
      if (life === engine.life) return
      const start = startOf(name())
      const rows = (await vault.all(start)).map(([key, value]): Row => [key.slice(start.length), value])
      if (rows.length === 0) await begin(signal)
      const now = engine.life
      await engine.call(name(), 'open', { user, device: id(), rows })
      life = now
    },
    async forget () {
      await vault.change((await vault.all(startOf(name()))).map(([key]) => [key, undefined]))
      for (const key of [signedKey(user), sinceKey(user)]) await memory.delete(key)
      life = undefined
    }
  }
}
