/**
 * Joins incoming parts, in whatever order they come. A part is acknowledged once it is in the network's durable memory, because the
 * gateway may wait for that before it sends the next one. The last part is acknowledged once the whole message is accepted. After
 * PARTS_WAIT_MS an incomplete message is handed on with a mark. A finished message is remembered for PARTS_KEPT_MS, so that a part that
 * comes again after a lost answer does not begin a new message. Both times start again when the connection comes back, and end only
 * while it is up, because missing and repeated parts come then. They end at the latest AT_MOST_MS after the first part or our start.
 * References are few, and phones reuse them. So an equal part is the same part only while the gateway may not have read our answer, as
 * redelivery.ts says for whole messages. After that it belongs to another message.
 */
import { createHash } from 'node:crypto'
import type { Timer } from '../../lib/clock'
import type { World } from '../../model/network'
import type { Part } from './concatenation'
import type { Shifts } from './gsm7'
import { type Came, isAgain } from './redelivery'

const PARTS_WAIT_MS = 600_000
const PARTS_KEPT_MS = 600_000 // how long a finished message is remembered
const AT_MOST_MS = 3 * 24 * 3_600_000
/** How many messages of one sender, and of all, may be unfinished. Beyond that, the oldest of the sender with the most is handed on incomplete. */
const OPEN_FROM_ONE_MAX = 10
const OPEN_MAX = 500
/** The same for finished messages; beyond that the oldest is forgotten. */
const DONE_FROM_ONE_MAX = 50
const DONE_MAX = 1000
const AGAIN_MS = 5000

export interface StoredPiece { octets: string; dataCoding: number; shifts?: Shifts } // octets in base64

interface Sharing {
  id: string
  from: string
  to: string
  group: string // same numbers, reference and count
  at: number // when the first part came, ms since 1970
  since: number // when the first part came or we started, in ticks
}
interface Open extends Sharing { pieces: (StoredPiece | null)[] }
interface Done extends Sharing { digests: (string | null)[] } // of the parts that may come again
type Entry = Open | Done

/** A part that may come again, because the gateway may not have read our answer. */
interface Mark extends Came { digest: string; answeredAt?: number } // in ticks

/** A message with all its parts, or with gaps after its time is over. `key` is the same however often it is handed on. */
export interface Joined { key: string; from: string; to: string; at: number; pieces: (StoredPiece | null)[] }

export interface Reassembly {
  /** Hands on messages that were complete before a crash, and sets timers for the rest. */
  start (): void
  connected (up: boolean): void
  /** Resolves when the part may be acknowledged, which must then happen at once. */
  add (from: string, to: string, part: Part, piece: StoredPiece, came: Came): Promise<void>
  /** Covers the answers sent so far on this connection. Call the result when the gateway has proved that it read them. */
  proof (connection: number): () => void
  stop (): void
}

const digest = (piece: StoredPiece | null): string | null =>
  piece && createHash('sha256').update(JSON.stringify([piece.octets, piece.dataCoding])).digest('base64url').slice(0, 12)

export const makeReassembly = (
  gateway: string, world: Pick<World, 'clock' | 'chance' | 'memory' | 'log'>, complete: (joined: Joined) => Promise<void>
): Reassembly => {
  const { clock, chance, memory, log } = world
  const index = `parts ${gateway}`
  const entries = new Map<string, Entry>() // oldest first
  const marks = new Map<string, (Mark | undefined)[]>() // of each entry
  const timers = new Map<string, Timer>()
  const finishing = new Map<string, Promise<void>>()
  let isUp = false
  let stopped = false
  const recordKey = (id: string): string => `part ${gateway} ${id}`
  const isOpen = (entry: Entry): entry is Open => 'pieces' in entry
  const isWhole = (entry: Open): boolean => !entry.pieces.includes(null)

  for (const id of JSON.parse(memory.get(index) ?? '[]') as string[]) {
    const stored = memory.get(recordKey(id))
    if (stored === undefined) continue
    const entry: Entry = { ...JSON.parse(stored) as Entry, since: clock.tick() }
    entries.set(id, entry)
    marks.set(id, (isOpen(entry) ? entry.pieces.map(digest) : entry.digests)
      .map(mark => mark === null ? undefined : { digest: mark, connection: 0, at: entry.at, tick: 0 }))
  }

  const saveIndex = (): Promise<void> => memory.set(index, JSON.stringify([...entries.keys()]))
  const save = (entry: Entry): Promise<void> => memory.set(recordKey(entry.id), JSON.stringify(entry))
  const forget = async (id: string): Promise<void> => {
    timers.get(id)?.cancel()
    timers.delete(id)
    entries.delete(id)
    marks.delete(id)
    await saveIndex()
    await memory.delete(recordKey(id))
  }
  const later = (id: string, ms: number, run: () => Promise<void>): void => {
    if (stopped) return
    timers.get(id)?.cancel()
    timers.set(id, clock.after(ms, () => void run().catch(() => {
      log.warn({ gateway, part: id }, 'could not hand on a long SMS: trying again')
      if (entries.has(id)) later(id, AGAIN_MS, run)
    })))
  }

  /** Sets the timer of an incomplete or finished message. */
  const limit = (entry: Entry): void => {
    const most = entry.since + AT_MOST_MS - clock.tick()
    const within = (ms: number): number => Math.max(0, isUp ? Math.min(ms, most) : most)
    if (isOpen(entry)) later(entry.id, within(PARTS_WAIT_MS), () => finish(entry))
    else later(entry.id, within(PARTS_KEPT_MS), () => forget(entry.id))
  }

  const digestsOf = (id: string): Done['digests'] => marks.get(id)!.map(mark => mark?.digest ?? null)

  const handOn = async (entry: Open): Promise<void> => {
    const { id, from, to, group, at, since, pieces } = entry
    await complete({ key: `${gateway}-${id}`, from, to, at, pieces: [...pieces] })
    const done: Done = { id, from, to, group, at, since, digests: digestsOf(id) }
    entries.set(id, done)
    await save(done)
    limit(done)
  }
  /** From here on no part can join. A part that is in it already and comes again waits for the end. */
  const finish = (entry: Open): Promise<void> => {
    const running = finishing.get(entry.id) ?? handOn(entry).finally(() => finishing.delete(entry.id))
    finishing.set(entry.id, running)
    return running
  }

  const begin = (from: string, to: string, group: string, total: number): Open => {
    const pieces = Array<null>(total).fill(null)
    const entry: Open = { id: chance.token(9), from, to, group, at: clock.now(), since: clock.tick(), pieces }
    entries.set(entry.id, entry)
    marks.set(entry.id, pieces.map(() => undefined))
    limit(entry)
    return entry
  }

  const finishWith = async (entry: Open, seq: number): Promise<void> => {
    try {
      await finish(entry)
    } catch (error) {
      entry.pieces[seq - 1] = null // the gateway is told no, so the part comes again
      marks.get(entry.id)![seq - 1] = undefined
      throw error
    }
  }

  /** If one sender or all together have too many of these: the oldest of the sender with the most. */
  const tooMany = <E extends Entry>(which: E[], ofOne: number, ofAll: number): E | undefined => {
    const counts = new Map<string, number>()
    for (const { from } of which) counts.set(from, (counts.get(from) ?? 0) + 1)
    const most = Math.max(0, ...counts.values())
    return most > ofOne || which.length > ofAll ? which.find(({ from }) => counts.get(from) === most) : undefined
  }

  const makeRoom = (): void => {
    const all = [...entries.values()]
    const open = tooMany(all.filter(isOpen).filter(({ id }) => !finishing.has(id)), OPEN_FROM_ONE_MAX, OPEN_MAX)
    if (open) later(open.id, 0, () => finish(open))
    const done = tooMany(all.filter(entry => !isOpen(entry)), DONE_FROM_ONE_MAX, DONE_MAX)
    if (done) later(done.id, 0, () => forget(done.id))
  }

  /** The message that has this part already, if the gateway may be sending the part again. */
  const sentAgain = (same: Entry[], seq: number, now: Mark): Entry | undefined => same.find(({ id }) => {
    const then = marks.get(id)?.[seq - 1]
    return then?.digest === now.digest && isAgain(then, now)
  })

  const join = async (from: string, to: string, { ref, total, seq }: Part, piece: StoredPiece, mark: Mark): Promise<void> => {
    const group = `${from} ${to} ${ref} ${total}`
    const same = [...entries.values()].filter(entry => entry.group === group).reverse()
    const before = sentAgain(same, seq, mark)
    if (before) {
      marks.get(before.id)![seq - 1] = mark
      return isOpen(before) && finishing.has(before.id) ? await finish(before) : undefined
    }
    const former = same.filter(isOpen).find(entry => !finishing.has(entry.id))
    const reused = former !== undefined && former.pieces[seq - 1] !== null
    if (reused) await finish(former) // the sender has begun another message with this reference
    const entry = former === undefined || reused ? begin(from, to, group, total) : former
    entry.pieces[seq - 1] = piece
    marks.get(entry.id)![seq - 1] = mark
    if (isWhole(entry)) return await finishWith(entry, seq)
    makeRoom()
    if (entry !== former) await saveIndex()
    await save(entry)
  }

  const add: Reassembly['add'] = async (from, to, part, piece, came) => {
    const mark: Mark = { ...came, digest: digest(piece)! }
    await join(from, to, part, piece, mark)
    mark.answeredAt = clock.tick()
  }

  /** Removes the proved parts of a finished message from disk too, or a restart would bring them back. */
  const proved = (id: string): void => {
    const entry = entries.get(id)
    if (entry === undefined || isOpen(entry)) return
    const digests = digestsOf(id)
    if (digests.every(mark => mark === null)) return later(id, 0, () => forget(id))
    const left: Done = { ...entry, digests }
    entries.set(id, left)
    save(left).catch(() => log.warn({ gateway }, 'could not note which parts are confirmed'))
  }

  return {
    add,
    proof: connection => {
      const answered = [...marks].map(([id, all]) =>
        ({ id, ours: all.filter(mark => mark?.connection === connection && mark.answeredAt !== undefined) })).filter(({ ours }) => ours.length > 0)
      return () => {
        for (const { id, ours } of answered) {
          const now = marks.get(id)
          if (now === undefined) continue
          marks.set(id, now.map(mark => ours.includes(mark) ? undefined : mark))
          proved(id)
        }
      }
    },
    start: () => {
      for (const entry of entries.values()) {
        if (isOpen(entry) && isWhole(entry)) later(entry.id, 0, () => finish(entry))
        else limit(entry)
      }
    },
    connected: up => {
      isUp = up
      for (const entry of entries.values()) if (!isOpen(entry) || !isWhole(entry)) limit(entry)
    },
    stop: () => {
      stopped = true
      for (const timer of timers.values()) timer.cancel()
      timers.clear()
    }
  }
}
