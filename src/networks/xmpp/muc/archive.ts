/**
 * The archive of a room or of an account (XEP-0313 §4, in XEP-0059 pages). Results count only if they come from whom was asked and carry the
 * query's own id (CVE-2017-5589 and similar ones). A page is bounded.
 */
import { Unavailable } from '../../../model/errors'
import { conditionOf, failureOf } from '../wire/stanza-errors'
import type { Stream } from '../wire/stream'
import { child, el, type Element, form, textOf } from '../wire/xml'
import { ARCHIVE } from './room'

const PAGE_MAX = 100
const QUERIES_MAX = 1_000
const RSM = 'http://jabber.org/protocol/rsm'
const FORWARD = 'urn:xmpp:forward:0'
const DELAY = 'urn:xmpp:delay'

export interface Archived { id: string, at: number | undefined, message: Element }
export interface Page { items: Archived[], first: string | undefined, last: string | undefined, complete: boolean }

export type Range = { after: string | undefined } | { before: string }

/** `listener`: who asks. */
export interface Keeper { id: string, listener: { jid: string } }

export interface Archive {
  /**
   * The page after or before an id, oldest first; `before: ''` is the newest page. 'gone' if the archive no longer has that id. `with`: only
   * what this person said or was told. Throws Unavailable if there is no such room now, which happens for a moment when a room service starts.
   */
  page (keeper: Keeper, range: Range, max?: number, only?: { with: string }): Promise<Page | 'gone'>
  /** True if the message was the answer to a query, or pretended to be one. */
  take (message: Element): boolean
}

const stampOf = (forwarded: Element): number | undefined => {
  const at = Date.parse(child(forwarded, 'delay', DELAY)?.attrs.stamp ?? '')
  return Number.isNaN(at) ? undefined : at
}

const namesId = (range: Range): boolean => ('before' in range ? range.before : range.after ?? '') !== ''

export const makeArchive = (stream: Stream): Archive => {
  const queries = new Map<string, { room: string, items: Archived[] }>()
  let asked = 0

  const rangeOf = (range: Range, max: number) => el('set', { xmlns: RSM }, el('max', {}, String(max)),
    'before' in range ? el('before', {}, range.before) : range.after === undefined ? undefined : el('after', {}, range.after))

  return {
    async page (room, range, max = PAGE_MAX, only) {
      if (queries.size >= QUERIES_MAX) throw new Unavailable('too many archive queries')
      const queryid = `archive-${++asked}`
      const items: Archived[] = []
      queries.set(queryid, { room: room.id, items })
      try {
        const answer = await stream.ask('set', room.listener.jid, room.id,
          el('query', { xmlns: ARCHIVE, queryid }, form(ARCHIVE, only), rangeOf(range, max)))
        const fin = child(answer, 'fin', ARCHIVE)
        if (fin === undefined) {
          const condition = conditionOf(answer)
          if (condition.name === 'item-not-found' && namesId(range)) return 'gone'
          throw failureOf('the archive does not answer', condition)
        }
        const set = child(fin, 'set', RSM)
        return {
          items,
          first: textOf(set && child(set, 'first')) || items[0]?.id,
          last: textOf(set && child(set, 'last')) || items.at(-1)?.id,
          complete: fin.attrs.complete === 'true' || items.length === 0
        }
      } finally { queries.delete(queryid) }
    },
    take (message) {
      const result = child(message, 'result', ARCHIVE)
      if (result === undefined) return false
      const query = queries.get(result.attrs.queryid ?? '')
      const forwarded = child(result, 'forwarded', FORWARD)
      const inner = forwarded && child(forwarded, 'message', 'jabber:client')
      const { id } = result.attrs
      if (query !== undefined && query.room === message.attrs.from && inner && id && query.items.length < PAGE_MAX) {
        query.items.push({ id, at: stampOf(forwarded), message: inner })
      }
      return true
    }
  }
}
