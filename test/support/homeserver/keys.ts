/**
 * What the practice homeserver knows of keys (CS API §End-to-end encryption), as Synapse keeps it: the keys of devices, what is sent to devices, and
 * whose devices have changed. It reads none of it.
 */
import { HsError, membership, type Json, type State } from './state'

/** What a device hears by /sync, and how far it was told. */
export interface KeyNews { position: number; news: Json }

export interface Keys {
  upload (user: string, device: string, body: Json): Json
  query (body: Json): Json
  claim (body: Json): Json
  /** An identity that signs devices. */
  identify (user: string, body: Json): Json
  sign (body: Json): Json
  send (sender: string, type: string, transaction: string, body: Json): Json
  forget (user: string, device: string): void
  news (user: string, device: string, since: number | undefined): KeyNews
}

/** `given`: its keys as they came, without what others signed. */
interface HsDevice {
  keys?: Json; given?: string; oneTime: Map<string, Json>; fallback: Map<string, Json>; used: boolean
  inbox: { at: number, event: Json }[]
}

const TOLD_MAX = 100 // messages to a device in one answer
const IDENTITY = ['master_key', 'self_signing_key', 'user_signing_key']

const object = (value: unknown): Json => typeof value === 'object' && value !== null ? value as Json : {}

/** Adds signatures to what is signed. */
const merge = (into: Json, from: Json): void => {
  const all = object(into.signatures)
  for (const [user, signatures] of Object.entries(object(from.signatures))) all[user] = { ...object(all[user]), ...object(signatures) }
  into.signatures = all
}

export const makeKeys = (state: State): Keys => {
  const devices = new Map<string, Map<string, HsDevice>>() // by user and id
  const identities = new Map<string, Json>() // by user
  const changes: { at: number, user: string }[] = []
  const done = new Set<string>() // transactions
  let position = 0

  const of = (user: string, device: string): HsDevice => {
    const mine = devices.get(user) ?? new Map<string, HsDevice>()
    devices.set(user, mine)
    const found = mine.get(device) ?? { oneTime: new Map(), fallback: new Map(), used: false, inbox: [] }
    mine.set(device, found)
    return found
  }

  const changed = (user: string): void => { changes.push({ at: ++position, user }) }
  const countOf = ({ oneTime }: HsDevice): Json => ({ signed_curve25519: oneTime.size })

  const shareRoom = (one: string, other: string): boolean => one === other || [...state.rooms.values()].some(room =>
    membership(room, one) === 'join' && ['join', 'invite'].includes(membership(room, other)))

  const identityOf = (user: string, kind: string): Json => {
    const key = identities.get(user)?.[kind]
    return key === undefined ? {} : { [user]: key }
  }

  const takeKey = (device: HsDevice): [string, Json] | undefined => {
    const [first] = device.oneTime
    if (first !== undefined) device.oneTime.delete(first[0])
    else device.used = true
    return first ?? [...device.fallback][0]
  }

  return {
    upload (user, device, body) {
      const mine = of(user, device)
      for (const [id, key] of Object.entries(object(body.one_time_keys))) {
        const before = mine.oneTime.get(id)
        if (before !== undefined && JSON.stringify(before) !== JSON.stringify(key)) {
          throw new HsError(400, 'M_UNKNOWN', `One time key ${id} already exists. Old key: ${JSON.stringify(before)}`)
        }
        mine.oneTime.set(id, object(key))
      }
      const fallback = Object.entries(object(body.fallback_keys))
      if (fallback.length > 0) Object.assign(mine, { fallback: new Map(fallback), used: false })
      if (body.device_keys !== undefined && JSON.stringify(body.device_keys) !== mine.given) {
        Object.assign(mine, { keys: object(body.device_keys), given: JSON.stringify(body.device_keys) })
        changed(user)
      }
      return { one_time_key_counts: countOf(mine) }
    },
    query (body) {
      const asked = Object.entries(object(body.device_keys)) as [string, string[]][]
      const keysOf = ([user, only]: [string, string[]]): [string, Json] => [user, Object.fromEntries([...devices.get(user) ?? []]
        .flatMap(([id, { keys }]) => keys === undefined || (only.length > 0 && !only.includes(id)) ? [] : [[id, keys]]))]
      const all = (kind: string): Json => Object.assign({}, ...asked.map(([user]) => identityOf(user, kind))) as Json
      return structuredClone({
        device_keys: Object.fromEntries(asked.map(keysOf)), failures: {},
        master_keys: all('master_key'), self_signing_keys: all('self_signing_key'), user_signing_keys: all('user_signing_key')
      })
    },
    claim (body) {
      const asked = Object.entries(object(body.one_time_keys))
      const keysOf = (user: string, wanted: unknown): Json => Object.fromEntries(Object.keys(object(wanted)).flatMap(id => {
        const device = devices.get(user)?.get(id)
        const key = device && takeKey(device)
        return key === undefined ? [] : [[id, Object.fromEntries([key])]]
      }))
      return { one_time_keys: Object.fromEntries(asked.map(([user, wanted]) => [user, keysOf(user, wanted)])), failures: {} }
    },
    identify (user, body) {
      const given = Object.fromEntries(IDENTITY.flatMap(kind => kind in body ? [[kind, body[kind]]] : []))
      identities.set(user, structuredClone({ ...identities.get(user), ...given }))
      changed(user)
      return {}
    },
    sign (body) {
      for (const [user, all] of Object.entries(body)) {
        for (const [id, signed] of Object.entries(object(all))) {
          const master = object(identities.get(user)?.master_key)
          const target = devices.get(user)?.get(id)?.keys ?? (Object.values(object(master.keys)).includes(id) ? master : undefined)
          if (target !== undefined) merge(target, object(signed))
        }
        changed(user)
      }
      return { failures: {} }
    },
    send (sender, type, transaction, body) {
      if (done.has(`${sender} ${transaction}`)) return {}
      done.add(`${sender} ${transaction}`)
      for (const [user, all] of Object.entries(object(body.messages))) {
        for (const [id, content] of Object.entries(object(all))) {
          const to = id === '*' ? [...devices.get(user)?.keys() ?? []] : [id]
          for (const device of to) of(user, device).inbox.push({ at: ++position, event: { sender, type, content } })
        }
      }
      return {}
    },
    forget (user, device) { if (devices.get(user)?.delete(device) === true) changed(user) },
    news (user, device, since) {
      const mine = of(user, device)
      mine.inbox = mine.inbox.filter(({ at }) => at > (since ?? 0)) // what was told before is acknowledged
      const told = mine.inbox.slice(0, TOLD_MAX)
      const until = told.length < mine.inbox.length ? told.at(-1)!.at : position
      const fresh = since === undefined ? [] : changes.filter(({ at }) => at > since && at <= until).map(one => one.user)
      return { position: until, news: {
        to_device: { events: told.map(({ event }) => event) }, device_one_time_keys_count: countOf(mine),
        device_unused_fallback_key_types: mine.fallback.size > 0 && !mine.used ? ['signed_curve25519'] : [],
        device_lists: { changed: [...new Set(fresh)].filter(other => shareRoom(user, other)), left: [] }
      } }
    }
  }
}
