/**
 * Reads from a room's archive, page by page, what was said there and is not stored, before anything live. That is what was said while we
 * were not in the room, and what came while the door was crowded: then the room is set aside, and is live again when all is read.
 * Promises: whenever we are stopped, the archive is read on from the last stored message. A room has one reader at a time. A room that is set
 * aside has no more in memory than one page and what its archive does not have, and other rooms do not wait for it.
 */
import { backoffMs } from '../../../lib/backoff'
import { sleep, type Timer } from '../../../lib/clock'
import type { Place } from '../../../model/address'
import { messageOf, Refused, Unavailable } from '../../../model/errors'
import type { Arrival } from '../../../model/message'
import type { Inbox, World } from '../../../model/network'
import type { Intake } from '../intake'
import { type Element, owned } from '../wire/xml'
import type { Archive, Archived, Page } from './archive'
import { ARCHIVE, type Room } from './room'

const HELD_MAX = 2_000 // live messages of one room that wait for its catch-up
const TRIES_MAX = 5 // then other rooms no longer wait
const PATIENCE_MS = 15 * 60_000 // then the archive is given up, unless we left messages to it
const AGAIN_FIRST_MS = 500
const AGAIN_MOST_MS = 10_000
const BOOKMARK_EVERY_MS = 3_600_000

interface Said { message: Element, take: () => void }

/** A room that is not live. */
interface Backlog {
  waiting: Said[] // live messages, for when the archive is read
  first?: string // archive id of the oldest message that was left to the archive
  left: number // messages that were left to the archive
  from?: string // archive id up to which we have everything
  crowded: boolean
  reading?: Promise<void> | undefined
  free: PromiseWithResolvers<void> // from then on, nobody else waits for it
}

export interface CatchUp {
  /** From now on, live messages of the room wait. */
  hold (room: Room): void
  /** Resolves when the room is live, or as soon as that may take long. Throws Unavailable if we are out of the room again. */
  read (room: Room): Promise<void>
  /** Takes a message now if the room is live, otherwise when it is, or leaves it to the archive. */
  inTurn (room: Room, said: Said): void
  /** A message of a live room was not taken, and the archive has it under `id`. */
  setAside (room: Room, id: string): void
  /** A message of a live room is on disk, and the archive has it under `id`. */
  stored (room: Room, id: string): void
  /** Nothing more comes from the room. */
  end (room: Room): void
  stop (): void
}

export interface CatchUpParts {
  inbox: Inbox
  archive: Archive
  intake: Intake
  world: World
  placeOf: (room: Room) => Place
  idOf: (room: Room, message: Element) => string | undefined
  arrivalOf: (room: Room, archived: Archived) => Arrival | undefined
  missed: (room: Room) => Promise<Arrival[]>
  live: (room: Room) => void
}

/**
 * `idOf`: the id under which the archive has a live message, if it has it. `missed`: what a room without an archive shows of its past.
 * `live`: everything earlier is read, and nothing later is taken yet.
 */
export const makeCatchUp = ({
  inbox, archive, intake, world: { clock, chance, log, memory }, placeOf, idOf, arrivalOf, missed, live
}: CatchUpParts): CatchUp => {
  const rooms = new Map<string, Backlog>()
  const passed = new Map<Room, string>() // archive id of the newest message stored live since the last bookmark
  const stopped = new AbortController()
  let timer: Timer | undefined

  const backlogOf = (room: Room): Backlog => {
    let backlog = rooms.get(room.id)
    if (backlog === undefined) rooms.set(room.id, backlog = { waiting: [], left: 0, crowded: false, free: Promise.withResolvers() })
    return backlog
  }

  const leave = (backlog: Backlog, id: string): void => {
    backlog.first ??= owned(id)
    backlog.left++
  }

  /** Leaves messages to the archive. Returns those that it does not have. */
  const leaveAll = (room: Room, backlog: Backlog, said: Said[]): Said[] => said.filter(({ message }) => {
    const id = idOf(room, message)
    if (id !== undefined) leave(backlog, id)
    return id === undefined
  })

  const crowd = (room: Room, backlog: Backlog): void => {
    if (backlog.crowded) return
    backlog.crowded = true
    backlog.waiting = leaveAll(room, backlog, backlog.waiting)
    backlog.free.resolve()
  }

  /** Remembers how far the archive is read, and the newest stored key at that time. Our own messages move the first, not the second. */
  const bookmark = async (room: Room, position: string): Promise<void> => {
    const value = JSON.stringify([position, await inbox.lastKey(placeOf(room)) ?? ''])
    if (memory.get(`read ${room.id}`) !== value) await memory.set(`read ${room.id}`, value)
  }

  /** Stored arrivals are forgotten one day, even the newest of a quiet room. By then, the bookmark is past it. */
  const bookmarkPassed = async (): Promise<void> => {
    timer = undefined
    const all = [...passed]
    passed.clear()
    for (const [room, id] of all) if (!rooms.has(room.id)) await bookmark(room, id)
  }

  /** The newest id, or the newest before `before`. */
  const newest = async (room: Room, before = ''): Promise<string> => {
    const page = await archive.page(room, { before }, 1)
    return page === 'gone' ? await newest(room) : page.last ?? ''
  }

  /** On the very first visit, what was said before is not ours to carry; what we have heard since is. */
  const firstPosition = async (room: Room, backlog: Backlog): Promise<string> => {
    const heard = (): string | undefined => backlog.first ?? backlog.waiting.map(({ message }) => idOf(room, message)).find(id => id !== undefined)
    for (;;) {
      const before = heard()
      const from = await newest(room, before)
      if (before === heard()) return from
    }
  }

  /** The archive id up to which we have everything; '' is the beginning. */
  const position = async (room: Room, backlog: Backlog): Promise<string> => {
    const last = await inbox.lastKey(placeOf(room)) ?? ''
    const [read, lastThen] = JSON.parse(memory.get(`read ${room.id}`) ?? '[]') as string[]
    if (read !== undefined && last === lastThen) return read
    if (last.startsWith(`${room.id} `)) return last.slice(room.id.length + 1)
    if (read !== undefined) return read
    const from = await firstPosition(room, backlog)
    await bookmark(room, from)
    return from
  }

  /** If the archive no longer has that id because of its age, reads from the beginning: all that is left is newer. */
  const pageAfter = async (room: Room, id: string): Promise<Page> => {
    const page = await archive.page(room, { after: id === '' ? undefined : id })
    return page === 'gone' ? await pageAfter(room, '') : page
  }

  const readOn = async (room: Room, backlog: Backlog): Promise<void> => {
    backlog.from ??= await position(room, backlog)
    for (;;) {
      const page = await pageAfter(room, backlog.from)
      await intake.page(page.items.flatMap(item => arrivalOf(room, item) ?? []), () => crowd(room, backlog))
      backlog.from = page.last ?? backlog.from
      if (!page.complete) continue
      passed.delete(room) // it is older than what was read
      return await bookmark(room, backlog.from)
    }
  }

  /** Gives up only if no message that we heard is lost with that. */
  const insist = async (room: Room, backlog: Backlog): Promise<void> => {
    for (let tries = 1, from = backlog.from, since = clock.tick(); ; tries++) {
      try { return await readOn(room, backlog) } catch (error) {
        if (!room.ready) throw error
        if (from !== backlog.from) [tries, from, since] = [1, backlog.from, clock.tick()]
        log.warn({ room: room.id, why: messageOf(error), tries }, 'archive could not be read')
        const late = error instanceof Refused || clock.tick() - since > PATIENCE_MS
        if (late && backlog.left === 0) return log.error({ room: room.id }, 'what its archive may have is given up')
        if (late || tries >= TRIES_MAX) backlog.free.resolve()
        await sleep(clock, backoffMs(chance, tries, AGAIN_FIRST_MS, AGAIN_MOST_MS), stopped.signal)
        if (stopped.signal.aborted) throw error
      }
    }
  }

  const readAll = async (room: Room, backlog: Backlog): Promise<void> => {
    try {
      for (let left = backlog.left, visit = -1; left !== backlog.left || visit !== room.visit;) {
        left = backlog.left
        visit = room.visit
        backlog.crowded = false
        if (room.features.has(ARCHIVE)) await insist(room, backlog)
        else await intake.page(await missed(room), () => backlog.free.resolve())
        if (!room.ready) throw new Unavailable('out of the room again')
        if (left !== backlog.left) backlog.waiting = leaveAll(room, backlog, backlog.waiting)
      }
    } finally { backlog.reading = undefined }
    rooms.delete(room.id)
    live(room)
    for (const { take } of backlog.waiting) take()
  }

  return {
    hold (room) { backlogOf(room) },
    async read (room) {
      const backlog = backlogOf(room)
      backlog.reading ??= readAll(room, backlog)
      await Promise.race([backlog.reading, backlog.free.promise])
    },
    inTurn (room, said) {
      const backlog = rooms.get(room.id)
      if (backlog === undefined) return said.take()
      const rest = backlog.crowded ? leaveAll(room, backlog, [said]) : [said]
      if (backlog.waiting.length < HELD_MAX) backlog.waiting.push(...rest)
      else backlog.left += rest.length
    },
    setAside (room, id) {
      if (stopped.signal.aborted) return
      if (!rooms.has(room.id)) log.info({ room: room.id }, 'set aside until there is space for what was said')
      const backlog = backlogOf(room)
      leave(backlog, id)
      crowd(room, backlog)
      backlog.reading ??= readAll(room, backlog)
      backlog.reading.catch(() => { /* out of the room: it is read when we are in again */ })
    },
    stored (room, id) {
      if (stopped.signal.aborted) return
      passed.set(room, owned(id))
      timer ??= clock.after(BOOKMARK_EVERY_MS, () => {
        bookmarkPassed().catch((error: unknown) => log.warn({ why: messageOf(error) }, 'bookmarks of archives could not be stored'))
      })
    },
    end (room) { rooms.delete(room.id) },
    stop () {
      stopped.abort()
      timer?.cancel()
    }
  }
}
