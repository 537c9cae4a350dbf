/**
 * What is kept on disk: the keys of our addresses, the sessions, how each chat stands, what was sealed and has not ended, what was opened and is not
 * stored yet. Whoever changes several of these makes one change of it.
 */
import type { Vault } from '../../../model/network'
import { directPlace, type Ends } from '../direct/place'
import type { Element } from '../wire/xml'
import type { Own } from './own'
import type { Session } from './ratchet'

export type Change = [key: string, value: Uint8Array | undefined]

/**
 * `encrypted`: whether their last words were; undefined: they have said none. `devices`: those with a session, the one heard last in front.
 * `last`: names the last encrypted words. `rekeyed`: the key of one of them that has another one now, until that is told. `clear`: what was said
 * in the clear since something was encrypted, by the ids of its stanzas (theirs: heardAs), the newest in front.
 */
export interface Chat { encrypted?: boolean; devices: number[]; last?: string; rekeyed?: string; clear?: string[] }

/** `hash`: of what it says. Without `hash` and `xml`: the team was told that it does not go out in the clear. */
export interface KeptSealed { hash: string; at: number; xml: string }

export interface Taken { ours: string; stanza: Element; rekeyed?: string | undefined }

const START = 'omemo '
const OWN = `${START}own `
const SEED = `${START}seed ` // of an address that has no device yet, as the operator has given it
const SEALED = `${START}sealed `
const TAKEN = `${START}taken `
const SESSIONS = `${START}sessions `
const CHAT = `${START}chat `
const CLEAR_MAX = 200 // of one chat: what is not among them counts as encrypted
const sessionsStart = (ends: Ends): string => `${SESSIONS}${directPlace(ends.ours, ends.theirs)} `
const chatKey = ({ ours, theirs }: Ends): string => CHAT + directPlace(ours, theirs)

/** Keys and sessions hold buffers and maps, which JSON does not know. */
const packed = (value: unknown): Buffer => Buffer.from(JSON.stringify(value, function (this: Record<string, unknown>, key: string, given: unknown) {
  const one = this[key]
  if (Buffer.isBuffer(one)) return { base64: one.toString('base64') }
  return one instanceof Map ? { map: Object.fromEntries<unknown>(one) } : given
}))

const unpacked = <T>(bytes: Uint8Array): T => JSON.parse(Buffer.from(bytes).toString(), (_, one: unknown) => {
  if (typeof one !== 'object' || one === null) return one
  if ('base64' in one && typeof one.base64 === 'string') return Buffer.from(one.base64, 'base64')
  return 'map' in one && typeof one.map === 'object' && one.map !== null ? new Map(Object.entries(one.map)) : one
}) as T

export const seedChange = (ours: string, seed: Buffer | undefined): Change => [SEED + ours, seed]
export const ownChange = (ours: string, own: Own): Change => [OWN + ours, packed(own)]
export const sessionsChange = (ends: Ends, device: number, sessions: Session[]): Change =>
  [`${sessionsStart(ends)}${device}`, sessions.length === 0 ? undefined : packed(sessions)]

/** Whether anything was ever encrypted there. */
const isSealed = ({ encrypted, devices, last }: Chat): boolean => encrypted === true || devices.length > 0 || last !== undefined

/** Anybody on the way may give their words an id of ours, so theirs are kept apart. */
export const heardAs = (id: string): string => `< ${id}`

/** Whether what this id names came or went encrypted, or may have. */
export const hidesIn = (chat: Chat, id: string | undefined): boolean => isSealed(chat) && (id === undefined || chat.clear?.includes(id) !== true)

/** The chat once this was said in the clear. */
export const withClear = (chat: Chat, id: string | undefined): Chat =>
  id === undefined || !hidesIn(chat, id) ? chat : { ...chat, clear: [id, ...chat.clear ?? []].slice(0, CLEAR_MAX) }

/** The chat once this has another edition, which is encrypted. */
export const withoutClear = (chat: Chat, id: string | undefined): Chat =>
  id === undefined || chat.clear?.includes(id) !== true ? chat : { ...chat, clear: chat.clear.filter(one => one !== id) }

export const chatChange = (ends: Ends, chat: Chat): Change => [chatKey(ends), packed(chat)]
export const sealedChange = (key: string, sealed: KeptSealed | undefined): Change => [SEALED + key, sealed && packed(sealed)]
export const takenChange = (number: number, taken: Taken | undefined): Change =>
  [TAKEN + String(number).padStart(15, '0'), taken && Buffer.from(JSON.stringify(taken))]

export interface Kept {
  change: Vault['change']
  owns (): Promise<[ours: string, own: Own][]>
  /** The identity that an address without a device is to have. */
  seed (ours: string): Promise<Buffer | undefined>
  /** With how many devices this address has sessions. */
  sessionCount (ours: string): Promise<number>
  /** The newest first. */
  sessions (ends: Ends, device: number): Promise<Session[]>
  chat (ends: Ends): Promise<Chat>
  sealed (key: string): Promise<KeptSealed | undefined>
  /** Those that were sealed before this time. */
  sealedBefore (at: number): Promise<Change[]>
  taken (): Promise<[number: number, taken: Taken][]>
  /** No chat counts as being in the clear any more. */
  doubting (): Promise<Change[]>
  /** All that is known of the chat is to be forgotten. */
  forgetting (ends: Ends): Promise<Change[]>
}

export const makeKept = (vault: Vault): Kept => {
  const get = async <T>(key: string): Promise<T | undefined> => {
    const bytes = await vault.get(key)
    return bytes && unpacked<T>(bytes)
  }
  const gone = async (start: string): Promise<Change[]> => (await vault.all(start)).map(([key]): Change => [key, undefined])
  return {
    change: vault.change,
    owns: async () => (await vault.all(OWN)).map(([key, value]) => [key.slice(OWN.length), unpacked<Own>(value)]),
    async seed (ours) {
      const seed = await vault.get(SEED + ours)
      return seed && Buffer.from(seed)
    },
    sessionCount: ours => vault.count(`${SESSIONS}${ours} `),
    sessions: async (ends, device) => await get<Session[]>(`${sessionsStart(ends)}${device}`) ?? [],
    chat: async ends => await get<Chat>(chatKey(ends)) ?? { devices: [] },
    sealed: key => get<KeptSealed>(SEALED + key),
    async sealedBefore (at) {
      const all = await vault.all(SEALED)
      return all.filter(([, value]) => unpacked<KeptSealed>(value).at < at).map(([key]): Change => [key, undefined])
    },
    taken: async () => (await vault.all(TAKEN)).map(([key, value]) => [Number(key.slice(TAKEN.length)), unpacked<Taken>(value)]),
    doubting: async () => (await vault.all(CHAT)).flatMap(([key, value]): Change[] => {
      const { encrypted, ...chat } = unpacked<Chat>(value)
      return encrypted === false ? [[key, packed(chat)]] : []
    }),
    forgetting: async ends => [...await gone(sessionsStart(ends)), [chatKey(ends), undefined]]
  }
}
