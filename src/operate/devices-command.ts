/** `zentrale devices`: asks the running Zentrale if there is one, else opens the store itself. */
import { readFileSync } from 'node:fs'
import type { Config } from '../config/config'
import { ask, errorIn } from '../lib/ask'
import type { Clock } from '../lib/clock'
import { messageOf, Refused } from '../model/errors'
import type { NetworkKind } from '../networks/kind'
import { folded } from '../settings/names'
import { type DeviceShown, type DevicesOperated, type DevicesShown, type Identities, makeDevicesOperated, NO_FILE } from './devices'
import { isMade } from '../store/open'
import type { Store } from '../store/store'
import { writeNew } from './new-file'
import { withAnyStore, withStore } from './own-store'
import { readiness, urlOf } from './remote-queue'

export const DEVICE_ACTIONS = ['list', 'renew', 'export', 'import'] as const
export type DeviceAction = (typeof DEVICE_ACTIONS)[number]

/** `what`: for renew, the address by its name or id; for export and import, the file. */
export interface DeviceOrder { action: DeviceAction; what: string; json: boolean }

/** Its calls throw Refused with the listener's words when it refuses. */
const remote = (url: string, token: string, clock: Clock): DevicesOperated => {
  /** Undefined if there is no such thing. */
  const call = async <T>(path: string, json?: object): Promise<T | undefined> => {
    const answer = await ask(clock, `${url}/admin/devices${path}`, { token, ...json && { method: 'POST', json } })
    if (answer.status === 404) return undefined
    if (answer.status >= 400) throw new Refused(errorIn(answer))
    return answer.body as T
  }
  return {
    list: async () => await call<DevicesShown>('') ?? { devices: [], waiting: 0 },
    renew: async address => await call(`/${encodeURIComponent(address)}/renew`, {}) !== undefined,
    identities: async () => await call<Identities>('/identities') ?? { identities: {} },
    async take (given) {
      if (typeof given !== 'object' || given === null) throw new Refused(NO_FILE)
      return (await call<{ taken: string[] }>('/identities', given))?.taken ?? []
    }
  }
}

/** In a new store, numbers of conversations begin far above the first: rooms of those lost may have their numbers. */
const skipNumbers = (store: Store): Promise<void> => store.run(tx => tx.skipConversations())

/** `isFirst`: makes the store if there is none. Throws if a process that does not answer holds it. */
const withDevices = async <T>(config: Config, clock: Clock, use: (devices: DevicesOperated) => Promise<T>, isFirst = false): Promise<T> => {
  const { listen, token } = config.operate
  const url = urlOf(listen)
  if (await readiness(url, clock) !== undefined) return await use(remote(url, token, clock))
  const isNew = isFirst && !await isMade(config.store)
  return await (isFirst ? withAnyStore : withStore)(config, clock, async store => {
    const used = await use(makeDevicesOperated(store, () => {}))
    if (isNew) await skipNumbers(store)
    return used
  })
}

/** The devices that are known; none if the store cannot be read. */
export const devicesNow = (config: Config, clock: Clock): Promise<DeviceShown[]> =>
  withDevices(config, clock, async devices => (await devices.list()).devices).catch(() => [])

/** As apps show a key, so that two people can compare it. */
export const inGroups = (key: string, network: string, kinds: readonly NetworkKind[]): string => {
  const { group = key.length } = kinds.find(({ settings: { name } }) => name === network)?.keyring?.shown ?? {}
  return key.match(new RegExp(`.{1,${group}}`, 'g'))?.join(' ') ?? ''
}

const showDevice = (
  { network, address, device, fingerprint, identity, since, sessions, isRenewing }: DeviceShown, kinds: readonly NetworkKind[]
): string => [
  `${network} ${address}`, `  device       ${device}, since ${new Date(since).toISOString()}${isRenewing ? ', a new one is to be made' : ''}`,
  `  fingerprint  ${inGroups(fingerprint, network, kinds)}`,
  `  identity     ${inGroups(identity, network, kinds)}`, `  keys         ${sessions} for reading`
].join('\n')

const show = ({ devices, waiting }: DevicesShown, kinds: readonly NetworkKind[]): string => [
  ...devices.map(one => showDevice(one, kinds)), ...devices.length === 0 ? ['No devices yet: they are made when Zentrale has found the server.'] : [],
  waiting === 0 ? 'No message waits for a key.' : waiting === 1 ? '1 message waits for its key.' : `${waiting} messages wait for their keys.`
].join('\n')

const EXPORTED = [
  'With this file, whoever has it can pass for your addresses in encrypted chats. Keep it as you keep the database: apart from it, and locked away.',
  'It does not open old messages. To read it back: zentrale devices import'
].join('\n')

const readFile = (path: string): unknown => {
  try {
    return JSON.parse(readFileSync(path, 'utf8'))
  } catch (error) {
    throw new Refused(`${path} cannot be read: ${messageOf(error)}`)
  }
}

/** The ids of the address that the operator means. */
const idsOf = ({ addresses }: Config, what: string): string[] =>
  addresses.find(({ name }) => folded(name) === folded(what))?.identities.map(({ id }) => id) ?? [what]

const renew = async (devices: DevicesOperated, config: Config, what: string): Promise<{ output: string, ok: boolean }> => {
  const ids = idsOf(config, what)
  const done = (await Promise.all(ids.map(async id => await devices.renew(id) ? [id] : []))).flat()
  const stays = (await devices.list()).devices.map(({ address }) => address).filter(id => ids.includes(id) && !done.includes(id))
  if (done.length + stays.length === 0) return { output: `${what} has no device. zentrale devices lists all.`, ok: false }
  return { output: [
    ...done.length === 0 ? [] : [`${done.join(', ')} gets a new device under the same identity, at once or at the next start. Its fingerprint is ` +
      'another one: where you have published it, change it there.'],
    ...stays.length === 0 ? [] : [`${stays.join(', ')} keeps its device and its fingerprint: the keys of its messages change with each answer ` +
      'anyway. If somebody else may have read the database, begin with a new address.']
  ].join('\n'), ok: done.length > 0 }
}

/** Returns the text to print, and whether the order was carried out. */
export const runDevices = (config: Config, { action, what, json }: DeviceOrder, clock: Clock): Promise<{ output: string, ok: boolean }> =>
  withDevices(config, clock, async devices => {
    switch (action) {
      case 'list': {
        const list = await devices.list()
        return { output: json ? JSON.stringify(list, null, 2) : show(list, config.kinds), ok: true }
      }
      case 'renew': return await renew(devices, config, what)
      case 'export': {
        writeNew(what, `${JSON.stringify(await devices.identities(), null, 2)}\n`)
        return { output: `Written: ${what}\n${EXPORTED}`, ok: true }
      }
      case 'import': {
        const taken = await devices.take(readFile(what))
        return { output: taken.length === 0 ? 'These identities are the ones in use already.'
          : `${taken.join(', ')}: the identity is the one of the file, and signs the device that Zentrale makes when it runs.`, ok: true }
      }
    }
  }, action === 'import')
