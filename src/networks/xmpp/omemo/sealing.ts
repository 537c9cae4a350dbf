/**
 * What our addresses say in chats that are encrypted.
 * Promises: what is sealed is on disk, with the sessions as they are then, before it goes out, and a second try sends the same again; whoever
 * wrote encrypted last is never answered in the clear; what was encrypted once is so in each later edition, and so is what the team was told not
 * to go out in the clear; a message is sealed for each device of its reader of which keys can be had, and for no key
 * that has taken the place of a known one before they have written with it. No key is
 * used twice, also if an earlier copy of the store was put back: we seal only with a ratchet pair that was drawn since the start. Where that is an
 * older one, because they have not written since, a session begins anew.
 */
import { createHash } from 'node:crypto'
import type { Clock } from '../../../lib/clock'
import type { Turns } from '../../../lib/turns'
import { messageOf, Refused, Unavailable, type Unsealed } from '../../../model/errors'
import type { Xml } from '../wire/xml'
import { directPlace, type Ends } from '../direct/place'
import { encryptedXml } from './elements'
import type { Fresh } from './keys'
import {
  type Change, type Chat, chatChange, heardAs, hidesIn, type Kept, type KeptSealed, sealedChange, sessionsChange, withClear, withoutClear
} from './kept'
import { meOf, type Own } from './own'
import type { Owns } from './owns'
import { emptySecret, sealText } from './payload'
import type { Peers } from './peers'
import { begin, type Bundle, seal as sealWith, type Session, type Wire } from './ratchet'

const SESSIONS_MAX = 5 // with one device: late messages may belong to an earlier one
const CHAT_DEVICES_MAX = 64 // with a session, in one chat
const SEALED_MS = 4 * 24 * 3_600_000 // longer than any delivery is tried

export interface Sealing {
  /**
   * What stands in the stanza in place of the words; undefined if they go out in the clear. `changes`: the id of what they correct. Throws
   * Unavailable or Refused.
   */
  seal (ends: Ends, said: { key: string, body: string, changes?: string | undefined }, signal: AbortSignal): Promise<Xml[] | undefined>
  /** Whether the contact's last words came encrypted: then nothing is said to them in the clear. */
  isSecret (ends: Ends): Promise<boolean>
  /** Whether what was said with this id, by us or to us, was encrypted, or may have been: it is not to be repeated in the clear. */
  hides (ends: Ends, said: { id: string, to: string } | undefined): Promise<boolean>
  /** What was sealed under this key is sent, or never will be. */
  over (key: string): Promise<void>
  /**
   * A message without words for one device, which keeps the session going. `anew`: in a session that begins with it. Undefined if that cannot
   * be had.
   */
  empty (ends: Ends, device: number, anew: boolean, signal: AbortSignal): Promise<Xml[] | undefined>
}

/** `life`: names this process. */
export interface SealingParts { kept: Kept; owns: Owns; peers: Peers; turns: Turns; fresh: Fresh; clock: Clock; life: string }

/** The sessions with a device once this one was used. */
export const withSession = (sessions: Session[], used: Session | undefined, now: Session): Session[] =>
  [now, ...sessions.filter(one => one !== used)].slice(0, SESSIONS_MAX)

/** The chat once these devices have a session, and those that are too much have none. */
export const withDevices = (ends: Ends, chat: Chat, devices: number[]): Change[] => {
  const all = [...new Set([...devices, ...chat.devices])]
  const gone = all.slice(CHAT_DEVICES_MAX).map(device => sessionsChange(ends, device, []))
  return [chatChange(ends, { ...chat, devices: all.slice(0, CHAT_DEVICES_MAX) }), ...gone]
}

interface SealedKeys { keys: [device: number, wire: Wire][]; changes: Change[]; whyNot: Set<Unsealed> }

/** The worst first. */
const WHY_NOT: readonly Unsealed[] = ['unsigned', 'rekeyed', 'keyless', 'deviceless']

/** Keeps that the team is told of this, before it is. */
const makeNoted = ({ kept, clock }: Pick<SealingParts, 'kept' | 'clock'>) =>
  (key: string, before: KeptSealed | undefined) => async (error: unknown): Promise<never> => {
    if (before === undefined && error instanceof Unavailable && error.unsealed !== undefined) {
      await kept.change([sealedChange(key, { hash: '', at: clock.now(), xml: '' })])
    }
    throw error
  }

/** In the chat's turn: this is said in the clear. `changes`: what it corrects. */
const inClear = async (kept: Kept, ends: Ends, { key, changes }: { key: string, changes: string | undefined }): Promise<undefined> => {
  const chat = await kept.chat(ends)
  if (chat.encrypted === true) throw new Unavailable('the chat has become encrypted in this moment')
  const now = changes === undefined ? withClear(chat, key) : chat
  if (now !== chat) await kept.change([chatChange(ends, now)])
  return undefined
}

export const makeSealing = ({ kept, owns, peers, turns, fresh, clock, life }: SealingParts): Sealing => {
  const noted = makeNoted({ kept, clock })
  let swept: Promise<void> | undefined // once in each life

  const sweep = async (): Promise<void> => {
    const old = await kept.sealedBefore(clock.now() - SEALED_MS)
    if (old.length > 0) await kept.change(old)
  }

  /** As it is once all that was said there is taken in. */
  const chatOf = (ends: Ends): Promise<Chat> => turns(directPlace(ends.ours, ends.theirs), () => kept.chat(ends))

  /** The devices to seal for; undefined if it need not be sealed. `told`: the team was told that it is not said in the clear. Throws. */
  const wanted = async (ends: Ends, { changes, told }: { changes: string | undefined, told: boolean }, signal: AbortSignal) => {
    const chat = await chatOf(ends)
    const { encrypted, devices: heard } = chat
    const must = told || encrypted === true || (changes !== undefined && hidesIn(chat, changes))
    if (!owns.isOn(ends.ours)) {
      if (must) throw new Refused('this is to be encrypted, and omemo is off for this address', undefined, 'encrypted')
      return undefined
    }
    if (encrypted === false && !must) return undefined
    const listed = await peers.devices(ends, signal).catch((error: unknown) => {
      if (heard.length > 0) return []
      if (!must || (error instanceof Unavailable && error.disconnected) || signal.aborted) throw error
      throw new Unavailable(messageOf(error), { unsealed: 'keyless', cause: error })
    })
    return listed.length > 0 ? listed : must || heard.length > 0 ? heard : undefined
  }

  const usable = (sessions: Session[]): Session | undefined => sessions.find(one => one.life === life && one.sending !== undefined)

  /** What a session begins with, of the devices with which one must, or why none can. */
  const bundlesOf = async (ends: Ends, devices: number[], anew: boolean, signal: AbortSignal): Promise<Map<number, Bundle | Unsealed>> => {
    const found = await Promise.all(devices.map(async (device): Promise<[number, Bundle | Unsealed][]> => {
      const before = await kept.sessions(ends, device)
      if (!anew && usable(before) !== undefined) return []
      const bundle = await peers.bundle(ends, device, signal)
      const isOther = typeof bundle !== 'string' && before[0]?.them.equals(bundle.identity) === false
      return [[device, isOther ? 'rekeyed' : bundle]]
    }))
    return new Map(found.flat())
  }

  const begun = (own: Own, bundle: Bundle | Unsealed = 'keyless'): Session | Unsealed => typeof bundle === 'string' ? bundle
    : { ...begin(meOf(own), bundle, bundle.ones[fresh(4).readUInt32BE() % Math.max(bundle.ones.length, 1)], fresh), life }

  /** In the chat's turn. */
  const sealFor = async (
    ends: Ends, devices: number[], bundles: Map<number, Bundle | Unsealed>, secret: Buffer, corrected?: string
  ): Promise<SealedKeys> => {
    const own = owns.of(ends.ours)
    if (own === undefined) throw new Unavailable('the keys of this address are not made yet')
    const keys: SealedKeys['keys'] = []
    const changes: Change[] = []
    const whyNot = new Set<Unsealed>()
    for (const device of devices) {
      const before = await kept.sessions(ends, device)
      const used = bundles.has(device) ? undefined : usable(before)
      const session = used ?? begun(own, bundles.get(device))
      if (typeof session === 'string') {
        whyNot.add(session)
        continue
      }
      const sealed = sealWith(meOf(own), session, secret)
      keys.push([device, sealed.wire])
      changes.push(sessionsChange(ends, device, withSession(before, used, sealed.session)))
    }
    const chat = await kept.chat(ends)
    const now = withoutClear(chat, corrected)
    const more = keys.map(([device]) => device).filter(device => !chat.devices.includes(device))
    if (more.length > 0 || now !== chat) changes.push(...withDevices(ends, { ...now, devices: [...chat.devices, ...more] }, []))
    return { keys, changes, whyNot }
  }

  const ownDevice = (ours: string): number => owns.of(ours)?.device ?? 0

  return {
    async seal (ends, { key, body, changes: corrected }, signal) {
      if (owns.of(ends.ours) === undefined && !owns.isOn(ends.ours)) return undefined
      await (swept ??= sweep())
      const hash = createHash('sha256').update(body).digest('base64url')
      const before = await kept.sealed(key)
      if (before?.hash === hash) return [{ xml: before.xml }]
      const devices = await wanted(ends, { changes: corrected, told: before !== undefined }, signal).catch(noted(key, before))
      const bundles = await bundlesOf(ends, devices ?? [], false, signal)
      return await turns(directPlace(ends.ours, ends.theirs), async () => {
        if (devices === undefined) return await inClear(kept, ends, { key, changes: corrected })
        const { iv, secret, payload } = sealText(body, fresh)
        const { keys, changes, whyNot } = await sealFor(ends, devices, bundles, secret, corrected)
        const unsealed = WHY_NOT.find(one => whyNot.has(one)) ?? 'deviceless'
        if (keys.length === 0) {
          peers.hopeless(ends, devices)
          throw new Unavailable(`no device of theirs can be encrypted for now: ${unsealed}`, { unsealed })
        }
        const xml = encryptedXml({ from: ownDevice(ends.ours), keys, iv, payload })
        await kept.change([...changes, sealedChange(key, { hash, at: clock.now(), xml: xml.map(one => one.xml).join('') })])
        return xml
      }).catch(noted(key, before))
    },
    isSecret: async ends => (await chatOf(ends)).encrypted === true,
    hides: async (ends, said) => hidesIn(await chatOf(ends), said && (said.to === ends.ours ? said.id : heardAs(said.id))),
    over: key => kept.change([sealedChange(key, undefined)]),
    async empty (ends, device, anew, signal) {
      const bundles = await bundlesOf(ends, [device], anew, signal)
      return await turns(directPlace(ends.ours, ends.theirs), async () => {
        const { iv, secret } = emptySecret(fresh)
        const { keys, changes } = await sealFor(ends, [device], bundles, secret)
        if (keys.length === 0) return undefined
        await kept.change(changes)
        return encryptedXml({ from: ownDevice(ends.ours), keys, iv })
      })
    }
  }
}
