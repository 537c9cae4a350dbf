/**
 * Reads from an account's own archive (XEP-0313), page by page, what came while we were away, before anything live.
 * Promises: the archive is read on from the last message before which everything is stored, also after a crash. Live messages wait until all is
 * read; at most HELD_MAX of them, because the archive has the others. If the archive does not answer, live messages wait no longer than
 * TRIES_MAX tries, and it is read as soon as it answers. A contact whose messages cannot be stored for now holds up nobody else. What a busy
 * server puts into the archive late, behind what was read already, is found by two further looks, and by the next login, also after a crash.
 */
import { backoffMs } from '../../../lib/backoff'
import { sleep, type Timer } from '../../../lib/clock'
import { messageOf, Unavailable } from '../../../model/errors'
import type { World } from '../../../model/network'
import { idFrom } from '../direct/receive'
import type { Archive } from '../muc/archive'
import type { Element } from '../wire/xml'
import type { WriteBehind } from '../write-behind'
import { makePages } from './pages'
import { makePassing, nameOf, READ, type Take } from './passing'

const HELD_MAX = 1_000 // live messages that wait for the archive
const TRIES_MAX = 5
const AGAIN_FIRST_MS = 500
const AGAIN_MOST_MS = 300_000
const LOOKS_AFTER_MS = [10_000, 60_000] // one after another, when a new session is live

interface Said { message: Element, done: () => void }

export interface AccountCatchUp {
  /** From now on, live messages wait. */
  hold (): void
  /**
   * The session is new. Reads what was missed, and calls `present` when others may send us messages. `prepare` says whether there is an
   * archive. Resolves when we are live, or when the session is over. Never throws.
   */
  read (prepare: () => Promise<boolean>, present: () => void): Promise<void>
  isLive (): boolean
  /** Takes a live message, now or when it is its turn. */
  inTurn (message: Element, done: () => void): void
  /** Something was stored, or could not be. */
  look (): void
  stop (): void
}

export interface AccountCatchUpParts {
  jid: string
  archive: Archive
  notes: WriteBehind
  take: Take
  /** Whether only this place's messages cannot be stored for now. */
  isCrowded: (place: string) => boolean
  world: World
}

export const makeAccountCatchUp = ({
  jid, archive, notes, take, isCrowded, world: { clock, chance, log, memory }
}: AccountCatchUpParts): AccountCatchUp => {
  const passing = makePassing(notes, take)
  const stopped = new AbortController()
  let waiting: Map<string, Said> | undefined // by name in the archive; undefined: we are live
  let left = false // live messages were left to the archive
  let hasArchive = false
  let reading = 0 // counts the sessions
  let unnamed = 0
  let behind = true // the archive is not read to its end, so live messages do not say how far we are
  let timer: Timer | undefined
  const pages = makePages({
    jid, archive, passing, isCrowded,
    heldBack (name) {
      const said = waiting?.get(name)
      waiting?.delete(name)
      return said
    }
  })

  const free = (): void => {
    const said = [...waiting?.values() ?? []]
    waiting = undefined
    for (const { message, done } of said) passing.pass(message, behind ? undefined : idFrom(message, jid), done)
  }

  /**
   * On the very first visit, what was said before is not ours to answer. This is asked before anything else, because what comes after it is.
   * Without the answer on disk, a restart would begin later.
   */
  const begin = async (prepare: () => Promise<boolean>): Promise<void> => {
    const asked = passing.reached() === undefined ? pages.newest().catch((error: unknown) => error) : undefined
    hasArchive = await prepare()
    const from = await asked
    if (!hasArchive || from === undefined) return
    if (typeof from !== 'string') throw from
    await memory.set(READ, from)
    passing.begin(from)
  }

  /** Reads before and after the server shows that we are there, because only from then on it sends us what comes. */
  const readAll = async (prepare: () => Promise<boolean>, present: () => void, isOver: () => boolean): Promise<void> => {
    await begin(prepare)
    const from = passing.before() ?? ''
    passing.forget()
    if (hasArchive) await pages.readOn(from, isOver)
    if (isOver()) return
    present()
    do {
      left = false
      if (hasArchive) await pages.readOn(passing.reached() ?? '', isOver)
    } while (left && !isOver())
    if (isOver()) return
    behind = false
    free()
    timer?.cancel()
    if (hasArchive) lookAgain(from, isOver, LOOKS_AFTER_MS)
  }

  const lookAgain = (from: string, isOver: () => boolean, [next, ...later]: number[]): void => {
    timer = next === undefined ? undefined : clock.after(next, () => {
      lookAgain(from, isOver, later)
      pages.lookAgain(from, isOver).catch((error: unknown) => log.info({ account: jid, why: messageOf(error) }, 'no further look at the archive'))
    })
  }

  return {
    hold () {
      reading++
      waiting = new Map() // what waited comes again, because the server has had no yes for it
      behind = true
      pages.look()
    },
    async read (prepare, present) {
      const mine = reading
      const isOver = (): boolean => mine !== reading || stopped.signal.aborted
      let isPresent = false
      const once = (): void => { if (!isPresent) present(); isPresent = true }
      for (let tries = 1; !isOver(); tries++) {
        try { return await readAll(prepare, once, isOver) } catch (error) {
          if (error instanceof Unavailable && error.disconnected) return
          log.warn({ account: jid, why: messageOf(error), tries }, 'the account\'s archive could not be read')
          if (tries === TRIES_MAX) { once(); free() }
          await sleep(clock, backoffMs(chance, tries, AGAIN_FIRST_MS, AGAIN_MOST_MS), stopped.signal)
        }
      }
    },
    isLive: () => !behind,
    inTurn (message, done) {
      const id = hasArchive ? idFrom(message, jid) : undefined
      if (waiting === undefined) passing.pass(message, behind ? undefined : id, done)
      else if (waiting.size < HELD_MAX) waiting.set(id === undefined ? ` ${++unnamed}` : nameOf(id, message), { message, done })
      else if (id === undefined) passing.pass(message, undefined, done) // typing and the like: out of order, but not lost
      else {
        left = true
        done()
      }
    },
    look: pages.look,
    stop () {
      timer?.cancel()
      stopped.abort()
      pages.look()
    }
  }
}
