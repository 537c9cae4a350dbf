/** Pages of an account's archive, and what is done with them. */
import { directPlace } from '../direct/place'
import type { Archive, Archived, Keeper, Page } from '../muc/archive'
import { STANZA_IDS } from '../muc/room'
import { bareOf, canonicalBare } from '../names'
import type { Element } from '../wire/xml'
import { nameOf, type Passing } from './passing'

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

/** Whence the next page is read: before the last id of this one, because another message behind the page may have it too. */
const endOf = ({ items, last }: Page): string | undefined => {
  const before = items.at(-1)?.id === last ? items.findLast(({ id }) => id !== last) : undefined
  return before?.id ?? last
}

export interface PagesParts {
  jid: string
  archive: Archive
  passing: Passing
  /** Whether only this place's messages cannot be stored for now. */
  isCrowded: (place: string) => boolean
  /** Takes out of those that wait the one that came live too. */
  heldBack: (name: string) => { done: () => void } | undefined
}

export interface Pages {
  /** The id of the newest message. */
  newest (): Promise<string>
  /** Hands on everything after `start` that is not done with. */
  readOn (start: string, isOver: () => boolean): Promise<void>
  /** The same, but only what is not under way either, and without waiting for it. */
  lookAgain (start: string, isOver: () => boolean): Promise<void>
  /** Something was stored, or could not be, or is over. */
  look (): void
}

export const makePages = ({ jid, archive, passing, isCrowded, heldBack }: PagesParts): Pages => {
  const keeper: Keeper = { id: jid, listener: { jid } }
  const watchers = new Set<() => void>()

  /** If the archive no longer has that id because of its age, reads from the beginning: all that is left is newer. */
  const pageAfter = async (id: string): Promise<Page> => {
    const page = await archive.page(keeper, { after: id === '' ? undefined : id })
    return page === 'gone' ? await pageAfter('') : page
  }

  /** Resolves when all of a page is done with, except what only its own senders' crowd holds up. */
  const takePage = ({ items }: Page, isOver: () => boolean): Promise<void> => new Promise(resolve => {
    const open = new Map<string, string>() // places by name
    const see = (): void => {
      if (!isOver() && [...open.values()].some(place => !isCrowded(place))) return
      watchers.delete(see)
      resolve()
    }
    watchers.add(see)
    for (const item of items) {
      const isNone = !isTheirs(item.message, jid)
      const name = nameOf(item.id, item.message)
      const live = isNone ? undefined : heldBack(name)
      if (passing.isDone(name)) {
        passing.see(name)
        live?.done()
        continue
      }
      if (isNone) {
        passing.skip(name)
        continue
      }
      const from = bareOf(item.message.attrs.from ?? '')
      open.set(name, directPlace(jid, canonicalBare(from) ?? from))
      passing.pass(asLive(item, jid), item.id, () => { open.delete(name); live?.done(); see() })
    }
    see()
  })

  const each = async (start: string, isOver: () => boolean, use: (page: Page) => Promise<void> | void): Promise<void> => {
    for (let from = start; !isOver();) {
      const page = await pageAfter(from)
      from = endOf(page) ?? from
      await use(page)
      if (page.complete) return
    }
  }

  return {
    async newest () {
      const page = await archive.page(keeper, { before: '' }, 1)
      return page === 'gone' ? '' : page.last ?? ''
    },
    readOn: (start, isOver) => each(start, isOver, page => takePage(page, isOver)),
    lookAgain: (start, isOver) => each(start, isOver, ({ items }) => {
      const unknown = items.filter(({ id, message }) => isTheirs(message, jid) && !passing.knows(nameOf(id, message)))
      for (const item of unknown) passing.pass(asLive(item, jid), item.id, () => {})
    }),
    look () { for (const watcher of [...watchers]) watcher() }
  }
}
