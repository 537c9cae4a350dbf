/**
 * Reads from an account's own archive (XEP-0313), page by page, what came while we were away, before anything live.
 * Promises: the archive is read on from the last message before which everything is stored, also after a crash. Live messages wait until all is
 * read; at most HELD_MAX of them, because the archive has the others. If the archive does not answer, live messages wait no longer than
 * TRIES_MAX tries, and it is read as soon as it answers. A contact whose messages cannot be stored for now holds up nobody else.
 */
import { backoffMs } from '../../../lib/backoff'
import { sleep } from '../../../lib/clock'
import { messageOf, Unavailable } from '../../../model/errors'
import type { World } from '../../../model/network'
import { idFrom } from '../direct/receive'
import { directPlace } from '../direct/send'
import type { Archive, Archived, Keeper, Page } from '../muc/archive'
import { STANZA_IDS } from '../muc/room'
import { bareOf, canonicalBare } from '../names'
import { type Element, owned } from '../wire/xml'
import type { WriteBehind } from '../write-behind'
import { makeInOrder } from './in-order'

const HELD_MAX = 1_000 // live messages that wait for the archive
const TRIES_MAX = 5
const AGAIN_FIRST_MS = 500
const AGAIN_MOST_MS = 300_000
const READ = 'read' // in the notes: archive id of the last message that is done with

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
  take: (message: Element, done: () => void) => void
  /** Whether only this place's messages cannot be stored for now. */
  isCrowded: (place: string) => boolean
  world: World
}

const leaf = (name: string, ns: string, attrs: Record<string, string>): Element => ({ name, ns, attrs, children: [] })

/** A message as it would have come live, late. */
const asLive = ({ id, at, message }: Archived, jid: string): Element => ({
  ...message, attrs: { ...message.attrs, to: jid },
  children: [
    ...message.children.filter(one => typeof one === 'string' || (one.ns !== 'urn:xmpp:delay' && one.attrs.by !== jid)),
    leaf('stanza-id', STANZA_IDS, { by: jid, id }),
    ...at === undefined ? [] : [leaf('delay', 'urn:xmpp:delay', { from: jid, stamp: new Date(at).toISOString() })]
  ]
})

/** Whether a contact said it, so that it concerns the team. */
const isTheirs = ({ attrs: { from = '', type } }: Element, jid: string): boolean =>
  from !== '' && canonicalBare(bareOf(from)) !== jid && type !== 'groupchat' && type !== 'error'

/** Hands messages on, and remembers how far in the archive all are done with. */
const makePassing = (notes: WriteBehind, take: AccountCatchUpParts['take']) => {
  const underWay = new Map<string, (() => void)[]>() // by archive id
  const keep = (): void => {
    const reached = order.reached()
    if (reached !== undefined) notes.set(READ, reached)
  }
  let order = makeInOrder<string | undefined>(notes.get(READ), keep)

  return {
    reached: () => order.reached(),
    begin (id: string) { order = makeInOrder<string | undefined>(id, keep) },
    skip (id: string) { order.add(owned(id))() },
    /** `id`: in the archive. A message that comes again while it is being stored waits for that. */
    pass (message: Element, id: string | undefined, done: () => void) {
      if (id === undefined) return take(message, done)
      const before = underWay.get(id)
      if (before !== undefined) return void before.push(done)
      const all = [done]
      const name = owned(id)
      const passed = order.add(name)
      underWay.set(name, all)
      take(message, () => {
        underWay.delete(name)
        passed()
        for (const one of all) one()
      })
    }
  }
}

const pagesOf = (archive: Archive, keeper: Keeper) => ({
  /** If the archive no longer has that id because of its age, reads from the beginning: all that is left is newer. */
  async after (id: string): Promise<Page> {
    const page = await archive.page(keeper, { after: id === '' ? undefined : id })
    return page === 'gone' ? await this.after('') : page
  },
  async newest (): Promise<string> {
    const page = await archive.page(keeper, { before: '' }, 1)
    return page === 'gone' ? '' : page.last ?? ''
  }
})

export const makeAccountCatchUp = ({
  jid, archive, notes, take, isCrowded, world: { clock, chance, log, memory }
}: AccountCatchUpParts): AccountCatchUp => {
  const pages = pagesOf(archive, { id: jid, listener: { jid } })
  const passing = makePassing(notes, take)
  const stopped = new AbortController()
  const watchers = new Set<() => void>()
  let waiting: Map<string, Said> | undefined // by archive id; undefined: we are live
  let left = false // live messages were left to the archive
  let hasArchive = false
  let reading = 0 // counts the sessions
  let unnamed = 0
  let behind = true // the archive is not read to its end, so live messages do not say how far we are

  const look = (): void => { for (const watcher of [...watchers]) watcher() }

  /** Resolves when all of a page is done with, except what only its own senders' crowd holds up. */
  const takePage = ({ items }: Page, mine: number): Promise<void> => new Promise(resolve => {
    const open = new Map<string, string>() // places by archive id
    const see = (): void => {
      if (mine === reading && !stopped.signal.aborted && [...open.values()].some(place => !isCrowded(place))) return
      watchers.delete(see)
      resolve()
    }
    watchers.add(see)
    for (const item of items.filter(({ id, message }) => isTheirs(message, jid) || passing.skip(id))) {
      const from = bareOf(item.message.attrs.from ?? '')
      const live = waiting?.get(item.id)
      waiting?.delete(item.id)
      open.set(item.id, directPlace(jid, canonicalBare(from) ?? from))
      passing.pass(asLive(item, jid), item.id, () => { open.delete(item.id); live?.done(); see() })
    }
    see()
  })

  const readOn = async (mine: number): Promise<void> => {
    for (let from = passing.reached() ?? ''; mine === reading;) {
      const page = await pages.after(from)
      from = page.last ?? from
      await takePage(page, mine)
      if (page.complete) return
    }
  }

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
  const readAll = async (prepare: () => Promise<boolean>, present: () => void, mine: number): Promise<void> => {
    await begin(prepare)
    if (hasArchive) await readOn(mine)
    if (mine !== reading) return
    present()
    do {
      left = false
      if (hasArchive) await readOn(mine)
    } while (left && mine === reading)
    if (mine !== reading) return
    behind = false
    free()
  }

  return {
    hold () {
      reading++
      waiting ??= new Map()
      behind = true
      look()
    },
    async read (prepare, present) {
      const mine = reading
      let isPresent = false
      const once = (): void => { if (!isPresent) present(); isPresent = true }
      for (let tries = 1; mine === reading && !stopped.signal.aborted; tries++) {
        try { return await readAll(prepare, once, mine) } catch (error) {
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
      else if (waiting.size < HELD_MAX || id === undefined) waiting.set(id ?? ` ${++unnamed}`, { message, done })
      else {
        left = true
        done()
      }
    },
    look,
    stop () {
      stopped.abort()
      look()
    }
  }
}
