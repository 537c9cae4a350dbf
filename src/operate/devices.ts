/** The operator's view of the devices by which chats of addresses are encrypted, and of the identities that sign them. */
import express from 'express'
import { makeVault } from '../bridge/world'
import type { Log } from '../lib/log'
import { Refused } from '../model/errors'
import type { DeviceLine, NetworkKind } from '../networks/kind'
import { KINDS } from '../networks/kinds'
import type { Store } from '../store/store'

export interface DeviceShown extends DeviceLine { network: string }

/** `waiting`: how many messages wait for a key. */
export interface DevicesShown { devices: DeviceShown[]; waiting: number }

/** By network. The private keys of addresses: whoever has them can pass for these addresses. */
export interface Identities { identities: Record<string, unknown> }

export interface DevicesOperated {
  list (): Promise<DevicesShown>
  /** False if this address has no device. */
  renew (address: string): Promise<boolean>
  identities (): Promise<Identities>
  /** Returns the addresses that had none. Throws Refused. */
  take (given: unknown): Promise<string[]>
}

export const NO_FILE = 'this is no file of identities'
const IDENTITIES_BYTES_MAX = 2 ** 20

const fieldOf = (value: unknown, field: string): unknown => typeof value === 'object' && value !== null ? Object.entries(value)
  .find(([key]) => key === field)?.[1] : undefined

const ringsOf = (store: Store, kinds: readonly NetworkKind[]) =>
  kinds.flatMap(({ settings: { name }, keyring }) => keyring === undefined ? [] : [{ name, keyring, vault: makeVault(store, name) }])

/** An earlier copy of the store was put back: keys that were used since are not used again. */
export const devicesRestored = async (store: Store): Promise<void> => {
  for (const { keyring, vault } of ringsOf(store, KINDS)) {
    for (const { address } of (await keyring.list(vault)).devices) await keyring.renew(vault, address)
    await keyring.restored?.(vault)
  }
}

/** `changed`: tells the running network. */
export const makeDevicesOperated = (store: Store, changed: () => void, kinds: readonly NetworkKind[] = KINDS): DevicesOperated => {
  const rings = ringsOf(store, kinds)
  return {
    async list () {
      const lists = await Promise.all(rings.map(async ({ name, keyring, vault }) => ({ name, ...await keyring.list(vault) })))
      return {
        devices: lists.flatMap(({ name, devices }) => devices.map(device => ({ network: name, ...device }))),
        waiting: lists.reduce((sum, { waiting }) => sum + waiting, 0)
      }
    },
    async renew (address) {
      const renewed = await Promise.all(rings.map(({ keyring, vault }) => keyring.renew(vault, address)))
      changed()
      return renewed.includes(true)
    },
    async identities () {
      const identities: Identities['identities'] = {}
      for (const { name, keyring, vault } of rings) identities[name] = await keyring.identities(vault)
      return { identities }
    },
    async take (given) {
      const all = fieldOf(given, 'identities')
      if (typeof all !== 'object' || all === null) throw new Refused(NO_FILE)
      const taken: string[] = []
      for (const { name, keyring, vault } of rings) {
        const mine = fieldOf(all, name)
        if (mine !== undefined) taken.push(...await keyring.take(vault, mine))
      }
      changed()
      return taken
    }
  }
}

/** Routes under /admin/devices; see docs/operating.md. */
export const deviceRoutes = (devices: DevicesOperated, log: Log): express.Router => {
  const routes = express.Router()
  routes.get('/', async (_request, response) => { response.json(await devices.list()) })
  routes.post('/:address/renew', async (request, response) => {
    const { address } = request.params
    if (!await devices.renew(address)) return void response.status(404).json({ error: 'this address has no device' })
    log.info({ address }, 'the operator has ordered a new device')
    response.status(202).json({ address })
  })
  routes.get('/identities', async (_request, response) => {
    log.warn({}, 'the operator has exported the identities of addresses')
    response.json(await devices.identities())
  })
  routes.post('/identities', express.json({ limit: IDENTITIES_BYTES_MAX }), async (request, response) => {
    try {
      const taken = await devices.take(request.body)
      log.warn({ addresses: taken }, 'the operator has imported identities of addresses')
      response.json({ taken })
    } catch (error) {
      if (!(error instanceof Refused)) throw error
      response.status(400).json({ error: error.message })
    }
  })
  return routes
}
