/**
 * The device of one user of ours. Its keys come by `/sync` of that device, because Synapse loses what it pushes in transactions while we are
 * away (element-hq/synapse#14710). How far it was read is remembered only when what was read is on disk, so nothing is acknowledged too early.
 */
import { Refused, Unavailable } from '../../../model/errors'
import { isJson, type Json, jsonOf, listOf, parsed, stringOf } from '../events/json'
import { Rejected, TooLong } from '../homeserver'
import type { Decrypted, Rotation } from './calls'
import { identityOf, type Identity, keepIdentity } from './identities'
import { asUnavailable, type DeviceParts, makeCall, makeKept, signedKey, sinceKey } from './kept'
import { makeDecline } from './declining'
import { makeFormer, newsQuery } from './former'
import { makeMet } from './met'
import { makeRequests } from './requests'
import { makeSift } from './sifting'

export interface Device {
  /** Makes sure that the device is there, with its keys and an identity that signs it. Throws Unavailable. */
  ready (signal: AbortSignal): Promise<void>
  /** Its id, which is another one after it was made anew. */
  id (): string
  /** Gives it up: the next time, it is made anew under the same identity, and goes only once the new one is there. Throws Unavailable. */
  giveUp (signal: AbortSignal): Promise<void>
  /** Takes what came for the device since the last time, and what has changed of those of these people whom it knows. Throws Unavailable. */
  news (signal: AbortSignal, people?: string[]): Promise<void>
  /** The content of the event that says this to all devices of these people. Throws Unavailable. */
  seal (said: Said, signal: AbortSignal): Promise<Json>
  /** Throws Unavailable. */
  open (room: string, event: Json, signal: AbortSignal): Promise<Decrypted>
  /** Once nothing is under way, it is not kept in memory. Never throws. */
  rest (): Promise<void>
}

/** `to`: everybody in the room who reads. `contact`: the one of them who must be able to, if there is one. */
export interface Said { room: string; to: string[]; contact?: string | undefined; rotation: Rotation; type: string; content: Json }

const WORK_MAX = 1_000 // messages that the library takes at once: the rest comes the next time
const PAGES_MAX = 1_000 // the same, of news, although most is dropped
const SIGNED = 'kept' // earlier versions did not keep the identity
const DEVICES_MAX = 1_000 // that get the key of a room: for more, nothing is encrypted
const FULL = 100 // messages to a device in one answer of Synapse: there may be more

export const tooMany = (what: string): Refused => new Refused(`over ${what} would have to read this`, undefined, 'populous')

/** `counts`: how many devices each of these people has. `isAside`: whether somebody's keys are not taken for a while. */
const mustReach = (counts: number[], to: string[], contact: string | undefined, isAside: (user: string) => boolean): void => {
  if (contact !== undefined && (counts[to.indexOf(contact)] ?? 0) === 0) {
    const unsealed = isAside(contact) ? 'keyless' : 'deviceless'
    throw new Unavailable(`encryption: ${contact} has no device now that could read it`, { unsealed })
  }
  if (counts.reduce((sum, count) => sum + count, 0) > DEVICES_MAX) throw tooMany(`${DEVICES_MAX} devices`)
}

const stringsIn = (value: unknown): string[] => listOf(value).filter(one => typeof one === 'string')

export const makeDevice = (parts: DeviceParts, user: string): Device => {
  const { homeserver, engine, vault, memory, clock, log, turns, signed, counts, asking } = parts
  const kept = makeKept(parts, user)
  const call = makeCall(homeserver, user, kept)
  const met = makeMet(vault)
  const sift = makeSift({ clock, known: people => met.among(user, people) })
  const decline = makeDecline({ call, clock, log }, user)
  const retire = makeFormer({ ...parts, kept, call, sift }, user)
  let known: string | undefined // what was taken last of our own keys: what says nothing new is not taken, because that costs two commits

  const { sendAll, outgoing } = makeRequests({ engine, kept, call, asking, counts, user })

  const upload = (identity: string, signal: AbortSignal): Promise<Json> =>
    call('POST', 'client/v3/keys/device_signing/upload', { body: parsed(identity), signal })

  /** The library takes over only an identity that it has from the homeserver. */
  const adopt = async ({ upload: identity, secret }: Identity, signal: AbortSignal): Promise<void> => {
    await upload(identity, signal)
    await sendAll(await engine.call(kept.name(), 'ask', [user]), signal)
    if (!await engine.call(kept.name(), 'adopt', secret)) throw new Unavailable(`encryption: the identity that is kept of ${user} does not fit`)
  }

  /** Once for each device: the identity stays the same, so that the apps of contacts go on trusting it. */
  const sign = async (signal: AbortSignal): Promise<void> => {
    const before = await identityOf(vault, user)
    if (before !== undefined) await adopt(before, signal)
    const { keys, identity, signatures, secret, fingerprint } = await engine.call(kept.name(), 'sign')
    const whole = { upload: identity, ...before, secret, device: kept.id(), fingerprint, at: clock.now() }
    await keepIdentity(vault, user, whole)
    await sendAll(keys, signal)
    await upload(whole.upload, signal)
    await call('POST', 'client/v3/keys/signatures/upload', { body: parsed(signatures), signal })
    await sendAll(await engine.call(kept.name(), 'ask', [user]), signal) // so that it sends its keys along as they are signed
    await retire(signal)
    await memory.set(signedKey(user), SIGNED)
  }

  const isReady = async (signal: AbortSignal): Promise<void> => {
    await kept.open(signal)
    await kept.count(signal)
    if (memory.get(signedKey(user)) === SIGNED) return
    await outgoing(signal)
    await sign(signal)
  }

  const ask = async (since: string | undefined, signal: AbortSignal): Promise<Json> => {
    const query = newsQuery(kept.id(), since, clock.now())
    try {
      return await homeserver.call('GET', 'client/v3/sync', { as: user, query, signal })
    } catch (error) {
      if (error instanceof Rejected && since !== undefined) return await ask(undefined, signal) // it no longer knows its own token
      if (error instanceof TooLong) await kept.forget() // nobody can leave it out: only a new device gets something again
      throw asUnavailable(error)
    }
  }

  const news = async (signal: AbortSignal, people: string[] = []): Promise<void> => {
    for (let page = 0, work = 0; page < PAGES_MAX && work < WORK_MAX; page++) {
      const answer = await ask(memory.get(sinceKey(user)), signal)
      const { to_device: to, device_lists: lists, device_one_time_keys_count: counts, device_unused_fallback_key_types: fallback } = answer
      const came = listOf(jsonOf(to).events)
      const [changed, left] = [stringsIn(jsonOf(lists).changed), stringsIn(jsonOf(lists).left)]
      const now = JSON.stringify([engine.life, kept.id(), counts, fallback])
      if (now === known && came.length + changed.length + left.length === 0) break
      const toDevice = await sift(came.filter(isJson))
      if (toDevice.length < came.length) log.warn({ user, dropped: came.length - toDevice.length }, 'too much is sent to a device, and is dropped')
      work += toDevice.length
      await engine.call(kept.name(), 'receive', {
        toDevice, changed, left,
        counts: Object.entries(jsonOf(counts)).filter((one): one is [string, number] => typeof one[1] === 'number'),
        fallback: Array.isArray(fallback) ? stringsIn(fallback) : undefined
      })
      await decline(toDevice, signal)
      const next = stringOf(answer.next_batch)
      if (next !== undefined) await memory.set(sinceKey(user), next)
      known = now
      if (came.length < FULL) break
    }
    await outgoing(signal, await met.among(user, people))
  }

  const seal = async ({ room, to, contact, rotation, type, content }: Said, signal: AbortSignal): Promise<Json> => {
    await engine.call(kept.name(), 'track', to)
    await outgoing(signal, to)
    const due = asking.due(to)
    if (due.length > 0) await sendAll(await engine.call(kept.name(), 'ask', due), signal)
    mustReach(await engine.call(kept.name(), 'devices', { users: to, signed }), to, contact, asking.isAside)
    await sendAll(await engine.call(kept.name(), 'missing', to), signal)
    await sendAll(await engine.call(kept.name(), 'share', { room, users: to, signed, rotation }), signal)
    return parsed(await engine.call(kept.name(), 'encrypt', { room, type, content: JSON.stringify(content) }))
  }

  const inTurn = <T>(work: () => Promise<T>): Promise<T> => turns(user, work)

  return {
    id: () => kept.id(),
    ready: signal => inTurn(() => isReady(signal)),
    giveUp: signal => inTurn(async () => {
      await kept.open(signal)
      await kept.replace()
    }),
    news: (signal, people) => inTurn(async () => {
      await isReady(signal)
      await news(signal, people)
    }),
    seal: (said, signal) => inTurn(async () => {
      await isReady(signal).then(() => news(signal))
      return await seal(said, signal)
    }),
    open: (room, event, signal) => inTurn(async () => {
      await kept.open(signal)
      return await engine.call(kept.name(), 'decrypt', { room, event: JSON.stringify(event) })
    }),
    rest: () => inTurn(kept.close)
  }
}
