/**
 * Joins inbound parts, in whatever order they come. A part is acknowledged once it is in the network's durable memory (the
 * gateway may wait for that before it sends the next one); the last one once the whole message is accepted. What stays
 * incomplete is handed on as it is after PARTS_WAIT_MS, marked. A finished message is remembered for a while, so that a part
 * sent again after a lost answer does not begin a new one. Both times begin anew when the link comes back, and end only while it is
 * up, because what is missing, or comes again, comes then; but at the latest AT_MOST_MS after the first part or our start.
 */
import { createHash } from 'node:crypto'
import type { Timer } from '../../lib/clock'
import type { World } from '../../model/network'
import type { Shifts } from './gsm7'
import type { Part } from './longform'

const PARTS_WAIT_MS = 600_000
const PARTS_KEPT_MS = 600_000 // how long a finished message is remembered
const AT_MOST_MS = 3 * 24 * 3_600_000
const MESSAGES_OPEN_MAX = 200 // beyond it the oldest is handed on incomplete
const MESSAGES_DONE_MAX = 500
const AGAIN_MS = 5000

export interface StoredPiece { octets: string; dataCoding: number; shifts?: Shifts } // octets in base64

interface Sharing {
  id: string
  from: string
  to: string
  group: string // same numbers, reference and count
  at: number // when the first part came, ms since 1970
  since: number // the same, or when we started, in ticks
}
interface Open extends Sharing { pieces: (StoredPiece | null)[] }
interface Done extends Sharing { digests: (string | null)[] }
type Entry = Open | Done

/** All parts, or with gaps once the time is over. `key` is the same however often it is tried. */
export interface Joined { key: string; from: string; to: string; at: number; pieces: (StoredPiece | null)[] }

export interface Parts {
  /** Hands on what was complete before a crash and sets the limits of the rest. */
  start (): void
  link (up: boolean): void
  /** Resolves when the part may be acknowledged. */
  add (from: string, to: string, part: Part, piece: StoredPiece): Promise<void>
  stop (): void
}

const digest = (piece: StoredPiece | null): string | null =>
  piece && createHash('sha256').update(JSON.stringify([piece.octets, piece.dataCoding])).digest('base64url').slice(0, 12)

export const makeParts = (
  gateway: string, world: Pick<World, 'clock' | 'chance' | 'memory' | 'log'>, complete: (joined: Joined) => Promise<void>
): Parts => {
  const { clock, chance, memory, log } = world
  const index = `parts ${gateway}`
  const entries = new Map<string, Entry>() // oldest first
  const timers = new Map<string, Timer>()
  const finishing = new Map<string, Promise<void>>()
  let isUp = false
  const recordKey = (id: string): string => `part ${gateway} ${id}`
  const isOpen = (entry: Entry): entry is Open => 'pieces' in entry
  const isWhole = (entry: Open): boolean => !entry.pieces.includes(null)

  for (const id of JSON.parse(memory.get(index) ?? '[]') as string[]) {
    const stored = memory.get(recordKey(id))
    if (stored !== undefined) entries.set(id, { ...JSON.parse(stored) as Entry, since: clock.tick() })
  }

  const saveIndex = (): Promise<void> => memory.set(index, JSON.stringify([...entries.keys()]))
  const save = (entry: Entry): Promise<void> => memory.set(recordKey(entry.id), JSON.stringify(entry))
  const forget = async (id: string): Promise<void> => {
    timers.get(id)?.cancel()
    timers.delete(id)
    entries.delete(id)
    await saveIndex()
    await memory.delete(recordKey(id))
  }
  const later = (id: string, ms: number, run: () => Promise<void>): void => {
    timers.get(id)?.cancel()
    timers.set(id, clock.after(ms, () => void run().catch(() => {
      log.warn({ gateway, part: id }, 'could not hand on a long SMS: trying again')
      if (entries.has(id)) later(id, AGAIN_MS, run)
    })))
  }

  /** Sets the limit of what is incomplete or finished. */
  const limit = (entry: Entry): void => {
    const most = entry.since + AT_MOST_MS - clock.tick()
    const within = (ms: number): number => Math.max(0, isUp ? Math.min(ms, most) : most)
    if (isOpen(entry)) later(entry.id, within(PARTS_WAIT_MS), () => finish(entry))
    else later(entry.id, within(PARTS_KEPT_MS), () => forget(entry.id))
  }

  const handOn = async (entry: Open): Promise<void> => {
    const { id, from, to, group, at, since, pieces } = entry
    await complete({ key: `${gateway}-${id}`, from, to, at, pieces: [...pieces] })
    const done: Done = { id, from, to, group, at, since, digests: pieces.map(digest) }
    entries.set(id, done)
    await save(done)
    limit(done)
  }
  /** From here on no part can join it any more; one that is in it already waits for its end. */
  const finish = (entry: Open): Promise<void> => {
    const running = finishing.get(entry.id) ?? handOn(entry).finally(() => finishing.delete(entry.id))
    finishing.set(entry.id, running)
    return running
  }

  const begin = (from: string, to: string, group: string, total: number): Open => {
    const pieces = Array<null>(total).fill(null)
    const entry: Open = { id: chance.token(9), from, to, group, at: clock.now(), since: clock.tick(), pieces }
    entries.set(entry.id, entry)
    limit(entry)
    return entry
  }

  const finishWith = async (entry: Open, seq: number): Promise<void> => {
    try {
      await finish(entry)
    } catch (error) {
      entry.pieces[seq - 1] = null // told no, so it comes again
      throw error
    }
  }

  /** Too many: the oldest unfinished is handed on as it is, the oldest finished forgotten. */
  const makeRoom = (): void => {
    const open = [...entries.values()].filter(isOpen)
    const [oldest] = open
    if (oldest && open.length > MESSAGES_OPEN_MAX) later(oldest.id, 0, () => finish(oldest))
    const done = [...entries.values()].filter(entry => !isOpen(entry))
    const [first] = done
    if (first && done.length > MESSAGES_DONE_MAX) later(first.id, 0, () => forget(first.id))
  }

  const add: Parts['add'] = async (from, to, { ref, total, seq }, piece) => {
    const group = `${from} ${to} ${ref} ${total}`
    const mark = digest(piece)
    const same = [...entries.values()].filter(entry => entry.group === group).reverse()
    if (same.some(entry => !isOpen(entry) && entry.digests[seq - 1] === mark)) return
    const open = same.filter(isOpen)
    const ending = open.find(entry => finishing.has(entry.id) && digest(entry.pieces[seq - 1] ?? null) === mark)
    if (ending) return await finish(ending)
    const former = open.find(entry => !finishing.has(entry.id))
    const held = digest(former?.pieces[seq - 1] ?? null)
    const reused = former !== undefined && held !== null && held !== mark
    if (reused) await finish(former) // the sender has begun another message with this reference
    const entry = former === undefined || reused ? begin(from, to, group, total) : former
    entry.pieces[seq - 1] = piece
    if (isWhole(entry)) return await finishWith(entry, seq)
    makeRoom()
    if (entry !== former) await saveIndex()
    await save(entry)
  }

  return {
    add,
    start: () => {
      for (const entry of entries.values()) {
        if (isOpen(entry) && isWhole(entry)) later(entry.id, 0, () => finish(entry))
        else limit(entry)
      }
    },
    link: up => {
      isUp = up
      for (const entry of entries.values()) if (!isOpen(entry) || !isWhole(entry)) limit(entry)
    },
    stop: () => {
      for (const timer of timers.values()) timer.cancel()
      timers.clear()
    }
  }
}
