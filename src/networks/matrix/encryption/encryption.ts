/**
 * Encryption of direct chats with our addresses, and of rooms. `seal` makes what goes out, `open` reads what comes in. What goes out is on disk
 * before it is sent, so that a second try sends the same event. The same ciphertext under another id is refused, which the library does not do.
 * Of ours only those get keys who read: the address in its chats, the keeper in rooms.
 */
import { createHash } from 'node:crypto'
import { deadline, steady } from '../../../lib/clock'
import { makeTurns } from '../../../lib/turns'
import { messageOf } from '../../../model/errors'
import type { Memory } from '../../../model/network'
import { readEvent, type RoomEvent } from '../events/events'
import { type Json, jsonOf, listOf, parsed } from '../events/json'
import { roomPath } from '../homeserver'
import { stateOf } from '../rooms/state'
import type { Rotation } from './calls'
import { tooMany } from './device'
import type { Devices, DevicesParts } from './devices'
import { startOf } from './former'
import { makeMet } from './met'
import { makeSeen } from './seen'

export interface EncryptionParts extends Pick<DevicesParts, 'homeserver' | 'vault' | 'memory' | 'clock' | 'signal'> {
  devices: Devices
  /** Whether this is a user of ours who reads nothing. */
  isDeaf (mxid: string): boolean
}

/**
 * What an event says; `reidentified`: whoever says it has another identity since then. `later`: its key is not here yet; otherwise why it can never
 * be read.
 */
export type Opened = { event: Json, reidentified?: true } | { later: string } | { why: string }

/** `as`: who of ours says it. `contact`: who must be able to read it, if that is one person. */
export interface ToSeal { key: string; room: string; as: string; contact?: string | undefined; type: string; content: Json }

export interface Encryption {
  serves: Devices['serves']
  mayServe: Devices['mayServe']
  /** Whether what is said in this room must be sealed. Once it must, it always must, whatever the homeserver says. Throws Unavailable. */
  isOn (room: string, as: string, signal: AbortSignal): Promise<boolean>
  /** The same, as far as known. */
  wasOn (room: string): boolean
  /** The content of the event that goes out. The same for the same key, as long as it says the same. Throws Unavailable. */
  seal (said: ToSeal, signal: AbortSignal): Promise<Json>
  /** Whether something was sealed under this key, and may have been sent. */
  isKept (key: string): Promise<boolean>
  /** What was sealed under this key is sent, or never will be. */
  over (key: string): Promise<void>
  /** Nobody of ours is in this room any more. */
  forget (room: string): Promise<void>
  /** This user of ours has nothing to do with this contact any more, and cannot read any more what was said in these rooms of theirs. */
  forgetContact (ours: string, theirs: string, rooms: string[]): Promise<void>
  /** Reads an event as this user of ours. `ask`: asks for keys that are not here. Never throws. */
  open (reader: string, event: Json, ask: boolean): Promise<Opened>
}

const OPEN_MS_MAX = 5_000 // while it lasts, nothing else is taken
const SLOW_MS = 30_000 // for so long, nobody waits again for a reader that was slow
const PEOPLE_MAX = 100 // besides ours: for more, nothing is encrypted
const ASK_MS = 1_000 // a reader does not ask for keys more often because of what comes in
const SEALED_MS = 4 * 24 * 3600_000 // longer than any delivery is tried
const DAY_MS = 24 * 3600_000

/** CS API §m.room.encryption: what is missing, or out of all bounds, is as recommended. */
const rotationOf = ({ rotation_period_ms: ms, rotation_period_msgs: messages }: Json): Rotation => {
  const within = (value: unknown, least: number, most: number, usual: number): number =>
    Math.min(Math.max(Number.isSafeInteger(value) ? Number(value) : usual, least), most)
  return { ms: within(ms, 60_000, 30 * DAY_MS, 7 * DAY_MS), messages: within(messages, 1, 100, 100) }
}

/** What may be encrypted: what people say. Whoever takes something back, or changes the room, has to say so to the homeserver. As
 * long as the type of any event may be, because nothing else could be taken.
 */
const isSayable = (type: string): boolean => /^(?!m\.room\.(?!message$)).{2,255}$/s.test(type)

const bytesOf = (value: unknown): Buffer => Buffer.from(JSON.stringify(value))
const hashOf = (value: unknown): string => createHash('sha256').update(JSON.stringify(value)).digest('base64url')

/** `device`: whose keys sealed it. */
interface Kept { room: string; at: number; hash: string; device: string; content: Json }

export const makeEncryption = (parts: EncryptionParts): Encryption => {
  const { homeserver, devices, vault, memory, clock, signal: stopping, isDeaf } = parts
  const { serves, mayServe } = devices
  const askedAt = new Map<string, number>() // of clock.tick, by reader
  const slowAt = new Map<string, number>() // the same: when something of theirs took too long
  const turns = makeTurns()
  const [met, seen] = [makeMet(vault), makeSeen(vault, steady(clock))]
  let sweptAt = -Infinity // of clock.tick

  const sweep = async (): Promise<void> => {
    const old = (await vault.all('sealed ')).filter(([, value]) => clock.now() - parsed<Kept>(value).at > SEALED_MS)
    await vault.change(old.map(([key]) => [key, undefined]))
    await seen.sweep()
  }

  const peopleIn = async (room: string, as: string, signal: AbortSignal): Promise<string[]> => {
    const { chunk } = await homeserver.call('GET', `${roomPath(room)}/members`, { as, query: { not_membership: 'leave' }, signal })
    return listOf(chunk).map(jsonOf).filter(({ content }) => ['join', 'invite'].includes(String(jsonOf(content).membership)))
      .map(({ state_key: mxid }) => String(mxid))
  }

  const wasOn = (room: string): boolean => wasEncrypted(memory, room)
  const noteOn = (room: string): Promise<void> => memory.set(`encrypted ${room}`, '1')

  const encryptionIn = (room: string, as: string, signal: AbortSignal): Promise<Json | undefined> =>
    stateOf(homeserver, room, 'm.room.encryption', '', { as, signal })

  const keptOf = async (key: string): Promise<Kept | undefined> => {
    const bytes = await vault.get(`sealed ${key}`)
    return bytes && parsed<Kept>(bytes)
  }

  const mayAsk = (mxid: string): boolean => {
    const now = clock.tick()
    if (now - (askedAt.get(mxid) ?? -Infinity) < ASK_MS) return false
    askedAt.set(mxid, now)
    return true
  }

  const openNow = async (reader: string, event: Json, ask: boolean): Promise<Opened> => {
    const device = devices.of(reader)
    const [room, id, sender] = [String(event.room_id), String(event.event_id), String(event.sender)]
    let read = await device.open(room, event, stopping)
    if ('missing' in read && ask && mayAsk(reader)) {
      await device.news(stopping, [sender])
      read = await device.open(room, event, stopping)
    }
    if ('missing' in read) return { later: read.missing }
    if ('why' in read) return read
    await noteOn(room)
    const { type, content, identity } = read
    if (!isSayable(type)) return { why: `an encrypted ${type.slice(0, 100)}` }
    if (!await seen.isFirst(reader, event)) return { why: 'the same as an earlier event, under another id' }
    const isOther = await met.isOther(reader, sender, id, identity)
    return { event: { ...event, type, content }, ...isOther && { reidentified: true } }
  }

  return {
    serves, mayServe, wasOn,
    async isOn (room, as, signal) {
      if (wasOn(room)) return true
      if (await encryptionIn(room, as, signal) === undefined) return false
      await noteOn(room)
      return true
    },
    seal: ({ key, room, as, contact, type, content }, signal) => turns(`seal ${key}`, async () => {
      if (clock.tick() - sweptAt > DAY_MS) {
        sweptAt = clock.tick()
        await sweep()
      }
      const hash = hashOf([type, content])
      const device = devices.of(as)
      await device.ready(signal)
      const before = await keptOf(key)
      if (before?.room === room && before.hash === hash && before.device === device.id()) return before.content
      const [people, settings] = await Promise.all([peopleIn(room, as, signal), encryptionIn(room, as, signal)])
      const to = people.filter(mxid => mxid === as || !isDeaf(mxid))
      if (to.length > PEOPLE_MAX) throw tooMany(`${PEOPLE_MAX} people`)
      const sealed = await device.seal({ room, to, contact, rotation: rotationOf(settings ?? {}), type, content }, signal)
      await vault.change([[`sealed ${key}`, bytesOf({ room, at: clock.now(), hash, device: device.id(), content: sealed } satisfies Kept)]])
      return sealed
    }),
    async forget (room) { if (!devices.off) await seen.forget(room) },
    async forgetContact (ours, theirs, rooms) {
      await met.forget(ours, theirs)
      const keys = (await vault.all(startOf(ours))).map(([key]) => key).filter(key => rooms.some(room => key.includes(room)))
      await vault.change(keys.map(key => [key, undefined]))
    },
    isKept: async key => await vault.get(`sealed ${key}`) !== undefined,
    over: key => vault.change([[`sealed ${key}`, undefined]]),
    async open (reader, event, ask) {
      if (ask && clock.tick() - (slowAt.get(reader) ?? -Infinity) < SLOW_MS) return { later: 'it took too long before' }
      const limit = deadline(clock, OPEN_MS_MAX, stopping)
      const late = new Promise<Opened>(resolve => limit.signal.addEventListener('abort', () => {
        slowAt.set(reader, clock.tick())
        resolve({ later: 'it took too long' })
      }))
      try {
        return await Promise.race([openNow(reader, event, ask), late])
      } catch (error) {
        return { later: messageOf(error) }
      } finally {
        limit.done()
      }
    }
  }
}

export const readOpened = ({ event, reidentified }: Extract<Opened, { event: Json }>): RoomEvent =>
  ({ ...readEvent(event), sealed: 'read', ...reidentified !== undefined && { reidentified } })

/** Whether this room was found to be encrypted. That never ends. */
export const wasEncrypted = (memory: Memory, room: string): boolean => memory.get(`encrypted ${room}`) !== undefined

export const SEALED = 'm.room.encrypted'

export const isEncrypted = (event: Json): boolean => event.type === SEALED && event.state_key === undefined
