/**
 * Events that cannot be read yet, because their key is not here: kept on disk until it comes; those that never can, until that is told. What is
 * said behind one in the same room waits with it for a moment, so that it keeps its place. After that the team hears that somebody said something,
 * and the rest goes on. At the limit the writer is told.
 */
import { backoffMs } from '../../../lib/backoff'
import type { Chance } from '../../../lib/chance'
import { type Clock, steady, type Timer } from '../../../lib/clock'
import type { Log } from '../../../lib/log'
import { messageOf, Unavailable } from '../../../model/errors'
import type { Vault } from '../../../model/network'
import { readEvent, type RoomEvent } from '../events/events'
import { type Json, parsed } from '../events/json'
import type { Devices } from './devices'
import { type Encryption, isEncrypted, readOpened } from './encryption'
import { WAITING } from './kept'

export interface WaitingParts {
  encryption: Pick<Encryption, 'open'>; devices: Pick<Devices, 'news' | 'off' | 'counts'>; vault: Vault; clock: Clock; chance: Chance; log: Log
  signal: AbortSignal
}

export interface Takers {
  /** Who of ours reads what is said in this room; undefined if it is forgotten, or nobody may any more. */
  whose (room: string): string | undefined
  /** Takes an event as it can be read now. Throws if it must be brought again. */
  take (raw: Json, event: RoomEvent): Promise<void>
  /** Nobody will ever read this event. Resolves when its writer knows. */
  lost (event: { room: string, id: string }): Promise<void>
}

export type MakeWaiting = (takers: Takers) => Waiting

export interface Waiting {
  /** Finds what waits since an earlier start. Called before anything is taken. */
  load (): Promise<void>
  /** Whether this event waits already, or has to wait behind another. */
  holds (event: RoomEvent): boolean
  /** Resolves when the event is on disk, with true; with false if too many wait. */
  keep (event: RoomEvent, raw: Json): Promise<boolean>
  stop (): void
}

/** `told`: the team was told that there is something. */
interface Entry { key: string; room: string; id: string; sender: string; at: number; told: boolean }
interface Kept { raw: Json; told: boolean }
type Unread = 'broken' | 'late'

const HOLD_MS = 30_000
const WAIT_MS = 24 * 3600_000
const TELL_MS = 2 * WAIT_MS // for so long it is tried to tell the writer
const WAITING_MAX = 2_000
const WAITING_OF_ONE_MAX = 100 // of one room
const FIRST_MS = 500
const MOST_MS = 60_000

/** What the team is told meanwhile is an arrival of its own, so that the event keeps its id for what it says. */
const inPlaceOf = (event: RoomEvent, sealed: Unread): RoomEvent => ({ ...event, id: `${event.id} unread`, sealed })

export const makeWaiting = (parts: WaitingParts): MakeWaiting => ({ whose, take, lost }) => {
  const { encryption, devices, vault, clock, chance, log, signal } = parts
  const aging = steady(clock)
  const entries: Entry[] = [] // in order
  let last = 0 // the newest of their times, and larger each time, also when the clock was set back: it gives their order
  let attempt = 0
  let timer: Timer | undefined
  let looking = false

  const age = ({ at }: Entry): number => Math.max(aging.now() - at, 0)
  const ofRoom = (room: string): Entry[] => entries.filter(entry => entry.room === room)

  const remove = async (entry: Entry): Promise<void> => {
    await vault.change([[entry.key, undefined]])
    entries.splice(entries.indexOf(entry), 1)
  }

  const tell = async (entry: Entry, raw: Json, why: Unread): Promise<void> => {
    await take(raw, inPlaceOf(readEvent(raw), why))
    await vault.change([[entry.key, Buffer.from(JSON.stringify({ raw, told: true } satisfies Kept))]])
    entry.told = true
  }

  const giveUp = async (entry: Entry, raw: Json, why: Unread): Promise<void> => {
    if (!entry.told) await tell(entry, raw, why)
    try {
      await lost(entry)
    } catch (error) {
      log.warn({ event: entry.id, why: messageOf(error) }, 'its writer does not know yet that an encrypted message cannot be read')
      if (error instanceof Unavailable && age(entry) < TELL_MS) return // again, the next time
    }
    await remove(entry)
    devices.counts.unread[why]++
  }

  /** Whether what waits behind it may go on. */
  const tryOne = async (entry: Entry): Promise<boolean> => {
    const bytes = await vault.get(entry.key)
    const reader = whose(entry.room)
    if (bytes === undefined || reader === undefined) {
      await remove(entry) // the room was forgotten meanwhile, or its mirror may not be encrypted any more, which is told there
      return true
    }
    const { raw } = parsed<Kept>(bytes)
    const read = isEncrypted(raw) ? await encryption.open(reader, raw, false) : { event: raw }
    if ('event' in read) {
      await take(raw, isEncrypted(raw) ? readOpened(read) : readEvent(raw))
      await remove(entry)
    } else if ('why' in read || age(entry) > WAIT_MS) {
      log.warn({ event: entry.id, why: 'why' in read ? read.why : read.later }, 'an encrypted message cannot be read')
      await giveUp(entry, raw, 'why' in read ? 'broken' : 'late')
    } else if (age(entry) > HOLD_MS) {
      if (!entry.told) await tell(entry, raw, 'late')
    } else return false
    return true
  }

  const tryRoom = async (room: string): Promise<void> => {
    for (const entry of ofRoom(room)) if (signal.aborted || !await tryOne(entry)) return
  }

  const look = async (): Promise<void> => {
    const rooms = new Set(entries.map(({ room }) => room))
    for (const mxid of new Set([...rooms].flatMap(room => whose(room) ?? []))) {
      const senders = new Set(entries.filter(({ room }) => whose(room) === mxid).map(({ sender }) => sender))
      await devices.news(mxid, signal, [...senders]).catch((error: unknown) => {
        log.info({ reader: mxid, why: messageOf(error) }, 'no new keys can be had now')
      })
    }
    for (const room of rooms) {
      await tryRoom(room).catch((error: unknown) => log.info({ room, why: messageOf(error) }, 'what waits for a key cannot be taken now'))
    }
  }

  const plan = (): void => {
    timer?.cancel()
    if (entries.length === 0 || looking || signal.aborted) return
    timer = clock.after(backoffMs(chance, ++attempt, FIRST_MS, MOST_MS), () => {
      looking = true
      void look().finally(() => { looking = false; plan() })
    })
  }

  return {
    async load () {
      if (devices.off) return
      for (const [key, value] of await vault.all(WAITING)) {
        if (entries.some(entry => entry.key === key)) continue
        const { raw, told } = parsed<Kept>(value)
        const { id, room, sender } = readEvent(raw)
        const at = Number(key.slice(WAITING.length).split(' ')[0])
        last = Math.max(last, at)
        entries.push({ key, room, id, sender, at: Math.min(at, aging.now()), told })
      }
      plan()
    },
    holds: ({ room, id }) => ofRoom(room).some(entry => entry.id === id || age(entry) < HOLD_MS),
    async keep ({ room, id, sender }, raw) {
      const mine = ofRoom(room)
      if (mine.some(entry => entry.id === id)) return true
      if (entries.length >= WAITING_MAX || mine.length >= WAITING_OF_ONE_MAX) {
        devices.counts.unread.full++
        return false
      }
      const at = aging.now()
      last = Math.max(at, last + 1)
      const key = `${WAITING}${String(last).padStart(15, '0')} ${id}`
      const entry: Entry = { key, room, id, sender, at, told: false }
      entries.push(entry)
      attempt = 0
      plan()
      await vault.change([[entry.key, Buffer.from(JSON.stringify({ raw, told: false } satisfies Kept))]])
      return true
    },
    stop () { timer?.cancel() }
  }
}
