/**
 * A device of fake encryption: it does what the library does, call by call, and keeps its state in the same way, but its keys protect nothing. It
 * goes with itself alone: what one fake device says another one reads, if it has been given the key.
 */
import { createCipheriv, createDecipheriv, createHash } from 'node:crypto'
import { RequestType } from '@matrix-org/matrix-sdk-crypto-wasm'
import type { Chance } from '../../src/lib/chance'
import type { Asked, Answered, CallName, Decrypted, Needed, Rotation } from '../../src/networks/matrix/encryption/calls'
import type { Row } from '../../src/networks/matrix/encryption/indexed-db'

export type Json = Record<string, any>

export type Machine = { [N in Exclude<CallName, 'open' | 'close'>]: (asked: Asked<N>) => Answered<N> } & {
  /** What has changed since the last time. */
  changes (): Row[]
  /** From now on, what is said in this room has another key. */
  rotate (room: string): void
  /** The next identity that signs is another one. */
  reset (): void
  /** Whose key this is, and whether their identity has signed their device. */
  owner (room: string, session: string): { user: string, isSigned: boolean } | undefined
}

/** What ends the library. */
export class Panic extends Error {}

interface MachineParts { user: string; device: string; rows: Row[]; chance: Pick<Chance, 'token'>; now (): number }
interface Account { identity: string; uploaded: boolean; made: number; fresh: Record<string, string>; given: Record<string, string>; count: number }
interface Known { dirty: boolean; master?: unknown; devices: Record<string, { identity: string, signed: boolean }> }
interface Outgoing {
  session: string; key: string; index: number; at: number; rotation: Rotation; to: string[]; pending: { id: string, to: string[], body: string }[]
}
/** `master`: of the identity that had signed the device when it gave the key. */
interface Incoming { key: string; index: number; user: string; identity: string; master?: string | undefined }

const ONE_TIME_KEYS = 10
const KEY_BYTES = 32
const ID_BYTES = 9
const OLM = 'm.olm.v1.curve25519-aes-sha2'
const MEGOLM = 'm.megolm.v1.aes-sha2'
const CURVE = 'signed_curve25519'
const TAG_BYTES = 16

const base64 = (value: unknown): string => Buffer.from(JSON.stringify(value)).toString('base64')
const secretOf = (key: string): Buffer => createHash('sha256').update(key).digest()

/** As Megolm §Message format begins: a version, and the place in the session. */
const headOf = (index: number): Buffer => {
  const bytes = [3, 8]
  for (let left = index; ; left >>= 7) {
    if (left < 128) return Buffer.from([...bytes, left])
    bytes.push((left & 127) | 128)
  }
}

const seal = (key: string, index: number, plain: unknown): string => {
  const head = headOf(index)
  const cipher = createCipheriv('aes-256-gcm', secretOf(key), Buffer.alloc(12, index))
  const body = Buffer.concat([cipher.update(JSON.stringify(plain)), cipher.final()])
  return Buffer.concat([head, body, cipher.getAuthTag()]).toString('base64').replace(/=+$/, '')
}

const unseal = (key: string, ciphertext: string): { index: number, plain: Json } => {
  const bytes = Buffer.from(ciphertext, 'base64')
  let [index, at] = [0, 2]
  for (let factor = 1; ; factor *= 128) {
    const byte = bytes[at++]!
    index += (byte & 127) * factor
    if (byte < 128) break
  }
  const cipher = createDecipheriv('aes-256-gcm', secretOf(key), Buffer.alloc(12, index)).setAuthTag(bytes.subarray(-TAG_BYTES))
  const plain = Buffer.concat([cipher.update(bytes.subarray(at, -TAG_BYTES)), cipher.final()])
  return { index, plain: JSON.parse(plain.toString()) as Json }
}

const call = (id: string, type: Needed['type'], method: Needed['method'], path: string, body: Json): Needed =>
  ({ id, type, method, path: `client/v3/${path}`, body: JSON.stringify(body) })

export const openMachine = ({ user, device, rows, chance, now }: MachineParts): Machine => {
  const kept = new Map(rows.map(([key, value]) => [key, Buffer.from(value!).toString()]))
  const changed = new Set<string>()

  const get = <T>(key: string): T | undefined => kept.has(key) ? JSON.parse(kept.get(key)!) as T : undefined
  const set = (key: string, value: unknown): void => {
    if (value === undefined) kept.delete(key)
    else kept.set(key, JSON.stringify(value))
    changed.add(key)
  }
  const each = <T>(start: string): [string, T][] =>
    [...kept.keys()].filter(key => key.startsWith(start)).map(key => [key.slice(start.length), get<T>(key)!])

  const account = (): Account => get('account')!
  if (!kept.has('account')) {
    set('account', { identity: chance.token(KEY_BYTES), uploaded: false, made: 0, fresh: {}, given: {}, count: 0 } satisfies Account)
  }

  const devicesOf = (users: string[]): { user: string, id: string, identity: string, signed: boolean }[] => users.flatMap(one =>
    Object.entries(get<Known>(`user ${one}`)?.devices ?? {}).map(([id, known]) => ({ user: one, id, ...known })))
    .filter(one => one.user !== user || one.id !== device)

  // what is to be sent

  const uploading = (): Needed[] => {
    const one = account()
    const lacks = ONE_TIME_KEYS - one.count - Object.keys(one.fresh).length
    if (one.uploaded && lacks <= 0) return []
    for (let n = 0; n < lacks; n++) one.fresh[`${CURVE}:${++one.made}`] = chance.token(KEY_BYTES)
    if (lacks > 0) set('account', one)
    const signatures = { [user]: { [`ed25519:${device}`]: one.identity } }
    const mine = { user_id: user, device_id: device, algorithms: [OLM, MEGOLM], keys: { [`curve25519:${device}`]: one.identity }, signatures }
    return [call('upload', RequestType.KeysUpload, 'POST', 'keys/upload', {
      ...one.uploaded ? {} : { device_keys: mine },
      one_time_keys: Object.fromEntries(Object.entries(one.fresh).map(([id, key]) => [id, { key }])),
      fallback_keys: { [`${CURVE}:fallback`]: { key: `fallback ${one.identity}`, fallback: true } }
    })]
  }

  const asking = (): Needed[] => {
    const dirty = each<Known>('user ').filter(([, known]) => known.dirty).map(([one]) => one)
    const all = Object.fromEntries(dirty.map(one => [one, []]))
    return dirty.length === 0 ? [] : [call('query', RequestType.KeysQuery, 'POST', 'keys/query', { device_keys: all })]
  }

  const uploaded = (answer: Json): void => {
    const one = account()
    set('account', { ...one, uploaded: true, fresh: {}, given: { ...one.given, ...one.fresh }, count: Number(answer.one_time_key_counts[CURVE]) })
  }

  const answered = ({ device_keys: all, master_keys: masters }: Json): void => {
    for (const [one, devices] of Object.entries(all as Record<string, Json>)) {
      const master = Object.values((masters?.[one]?.keys ?? {}) as Json)[0]
      if (one === user) set('identity there', master)
      const devicesNow = Object.entries(devices).map(([id, { keys, signatures }]) =>
        [id, { identity: keys[`curve25519:${id}`], signed: master !== undefined && signatures?.[one]?.[`ed25519:${master}`] !== undefined }])
      set(`user ${one}`, { dirty: false, master, devices: Object.fromEntries(devicesNow) } satisfies Known)
    }
  }

  const claimed = ({ one_time_keys: all }: Json): void => {
    for (const [one, devices] of Object.entries(all as Record<string, Json>)) {
      for (const { id, identity } of devicesOf([one])) {
        const [key] = Object.values((devices[id] ?? {}) as Json)
        if (key === undefined) continue
        const session = chance.token(ID_BYTES)
        set(`olm ${identity}`, { session, key: key.key })
        set(`session ${session}`, true)
      }
    }
  }

  // between devices

  /** `key`: the one-time key that begins the session. */
  const wrapped = (to: string, said: Json): Json | undefined => {
    const olm = get<{ session: string, key?: string }>(`olm ${to}`)
    const mine = account().identity
    const us = get<Known>(`user ${user}`)
    const master = us?.devices[device]?.signed === true ? us.master : undefined // as far as it has heard
    const body = base64({ ...olm, said: { ...said, master } })
    return olm && { algorithm: OLM, sender_key: mine, ciphertext: { [to]: { type: 0, body } } }
  }

  const unwrapped = ({ content, type }: Json): Json | undefined => {
    const one = account()
    const body = type === 'm.room.encrypted' ? content?.ciphertext?.[one.identity]?.body : undefined
    if (typeof body !== 'string') return undefined
    const { session, key, said } = JSON.parse(Buffer.from(body, 'base64').toString()) as Json
    if (!kept.has(`session ${session}`)) {
      const [id] = Object.entries({ ...one.fresh, ...one.given }).find(([, mine]) => mine === key) ?? []
      if (id === undefined && key !== `fallback ${one.identity}`) return undefined
      delete one.given[id ?? '']
      set('account', one)
      set(`session ${session}`, true)
      if (!kept.has(`olm ${content.sender_key}`)) set(`olm ${content.sender_key}`, { session })
    }
    return said
  }

  const heard = (event: Json): void => {
    const said = unwrapped(event)
    if (said?.type !== 'm.room_key') return
    const { room, session, key, index, master } = said as { room: string, session: string, key: string, index: number, master?: string }
    const before = get<Incoming>(`in ${room} ${session}`)
    if (before !== undefined && before.index <= index) return
    const { sender, content: { sender_key: identity } } = event
    set(`in ${room} ${session}`, { key, index, user: sender as string, identity: identity as string, master } satisfies Incoming)
  }

  // in rooms

  const isOver = ({ index, at, rotation }: Outgoing): boolean => index >= rotation.messages || now() - at > rotation.ms

  const begun = (room: string, rotation: Rotation): Outgoing => {
    const [session, key] = [chance.token(ID_BYTES), chance.token(KEY_BYTES)]
    set(`in ${room} ${session}`, { key, index: 0, user, identity: account().identity } satisfies Incoming)
    return { session, key, index: 0, at: now(), rotation, to: [], pending: [] }
  }

  const toDevices = (pending: Outgoing['pending']): Needed[] => pending.map(({ id, body }) =>
    ({ id, type: RequestType.ToDevice, method: 'PUT', path: `client/v3/sendToDevice/m.room.encrypted/${id}`, body }))

  return {
    changes () {
      const all = [...changed].map((key): Row => [key, kept.has(key) ? Buffer.from(kept.get(key)!) : undefined])
      changed.clear()
      return all
    },
    outgoing: () => [...uploading(), ...asking()],
    sent ({ id, type, answer }) {
      const said = JSON.parse(answer) as Json
      if (type === RequestType.KeysUpload) uploaded(said)
      else if (type === RequestType.KeysQuery) answered(said)
      else if (type === RequestType.KeysClaim) claimed(said)
      for (const [room, out] of type === RequestType.ToDevice ? each<Outgoing>('out ') : []) {
        const given = out.pending.find(one => one.id === id)
        if (given !== undefined) set(`out ${room}`, { ...out, to: [...out.to, ...given.to], pending: out.pending.filter(one => one !== given) })
      }
    },
    receive ({ toDevice, changed: users, counts }) {
      for (const event of toDevice) heard(event as Json)
      for (const one of users) if (kept.has(`user ${one}`)) set(`user ${one}`, { ...get<Known>(`user ${one}`), dirty: true })
      const count = new Map(counts).get(CURVE)
      if (count !== undefined && count !== account().count) set('account', { ...account(), count })
    },
    sign () {
      if (!kept.has('identity')) set('identity', chance.token(KEY_BYTES))
      const master = get<string>('identity')!
      const ofKind = (usage: string): Json => ({ user_id: user, usage: [usage], keys: { [`ed25519:${master}`]: master } })
      const signed = { signatures: { [user]: { [`ed25519:${master}`]: account().identity } } }
      return {
        keys: uploading(), secret: { master, self: master, user: master }, fingerprint: account().identity,
        identity: JSON.stringify({ master_key: ofKind('master'), self_signing_key: ofKind('self_signing') }),
        signatures: JSON.stringify({ [user]: { [device]: signed } })
      }
    },
    adopt ({ master }) {
      if (get<string>('identity there') !== master) return false
      set('identity', master)
      return true
    },
    exported: () => JSON.stringify(each<Incoming>('in ')),
    imported (keys) {
      for (const [id, key] of JSON.parse(keys) as [string, Incoming][]) if (!kept.has(`in ${id}`)) set(`in ${id}`, key)
    },
    ask: users => [call('query', RequestType.KeysQuery, 'POST', 'keys/query', { device_keys: Object.fromEntries(users.map(one => [one, []])) })],
    track (users) { for (const one of users) if (!kept.has(`user ${one}`)) set(`user ${one}`, { dirty: true, devices: {} } satisfies Known) },
    missing (users) {
      const lacking = devicesOf(users).filter(({ identity }) => !kept.has(`olm ${identity}`))
      const wanted: Record<string, Record<string, string>> = {}
      for (const { user: one, id } of lacking) (wanted[one] ??= {})[id] = CURVE
      return lacking.length === 0 ? [] : [call('claim', RequestType.KeysClaim, 'POST', 'keys/claim', { one_time_keys: wanted })]
    },
    devices: ({ users, signed }) => users.map(one =>
      Object.values(get<Known>(`user ${one}`)?.devices ?? {}).filter(known => known.signed || !signed).length),
    share ({ room, users, signed, rotation }) {
      const all = devicesOf(users).filter(one => one.signed || !signed)
      const before = get<Outgoing>(`out ${room}`)
      const has = (identity: string): boolean => all.some(one => one.identity === identity)
      const isFor = before !== undefined && !isOver(before) && [...before.to, ...before.pending.flatMap(({ to }) => to)].every(has)
      const out = isFor ? before : begun(room, rotation)
      const given = new Set([...out.to, ...out.pending.flatMap(({ to }) => to)])
      const messages: Record<string, Json> = {}
      const fresh = all.filter(({ user: one, id, identity }) => {
        const key = { type: 'm.room_key', room, session: out.session, key: out.key, index: out.index }
        const content = given.has(identity) ? undefined : wrapped(identity, key)
        if (content !== undefined) (messages[one] ??= {})[id] = content
        return content !== undefined
      })
      const to = fresh.map(({ identity }) => identity)
      if (fresh.length > 0) out.pending.push({ id: chance.token(ID_BYTES), to, body: JSON.stringify({ messages }) })
      set(`out ${room}`, out)
      return toDevices(out.pending)
    },
    encrypt ({ room, type, content }) {
      const out = get<Outgoing>(`out ${room}`)
      if (out === undefined || isOver(out)) throw new Panic('the session has expired')
      const said = JSON.parse(content) as Json
      const ciphertext = seal(out.key, out.index, { room, type, content: said })
      set(`out ${room}`, { ...out, index: out.index + 1 })
      const head = { algorithm: MEGOLM, sender_key: account().identity, device_id: device, session_id: out.session, ciphertext }
      return JSON.stringify({ ...head, ...said['m.relates_to'] === undefined ? {} : { 'm.relates_to': said['m.relates_to'] } })
    },
    decrypt ({ room, event }): Decrypted {
      const { content } = JSON.parse(event) as { content: Json }
      if (content.algorithm !== MEGOLM || typeof content.ciphertext !== 'string') return { why: 'no encryption that it knows' }
      const key = get<Incoming>(`in ${room} ${content.session_id}`)
      if (key === undefined) return { missing: 'the room key is not there' }
      try {
        const { index, plain } = unseal(key.key, content.ciphertext)
        if (plain.room !== room) return { why: 'it was said in another room' }
        if (index < key.index) return { missing: 'the room key begins later' }
        return { type: plain.type, content: plain.content, identity: get<Known>(`user ${key.user}`)?.master as string | undefined }
      } catch {
        return { why: 'it is not what was encrypted' }
      }
    },
    reset () { set('identity', undefined) },
    rotate (room) { set(`out ${room}`, undefined) },
    owner (room, session) {
      const key = get<Incoming>(`in ${room} ${session}`)
      const they = key && get<Known>(`user ${key.user}`)
      const theirs = Object.values(they?.devices ?? {}).find(({ identity }) => identity === key?.identity)
      return key && { user: key.user, isSigned: theirs?.signed ?? (key.master !== undefined && key.master === they?.master) }
    }
  }
}
