/**
 * An address's own device and keys, for whoever asks (XEP-0163, XEP-0384 0.3), and told to whoever turns up, because apps ask only about people of
 * whom they have heard. Not for further spellings of an address: what it says comes from its own.
 */
import type { Clock } from '../../../lib/clock'
import { makeShares } from '../../../lib/shares'
import type { Identity } from '../../../model/network'
import { bareOf, serverOf } from '../names'
import { errorReply } from '../wire/stanza-errors'
import type { Stream } from '../wire/stream'
import { child, el, type Element, elementsIn, owned, type Xml } from '../wire/xml'
import { BUNDLE_NODE, LIST_NODE, listXml } from './elements'
import type { Owns, Published } from './owns'

const PUBSUB = 'http://jabber.org/protocol/pubsub'
const AGAIN_MS = 3_600_000
const TOLD_MAX = 10_000 // people; those beyond are told once more

export interface Pep {
  /** The answer to a request about keys; undefined if it is about something else. */
  answer (iq: Element, to: Identity): Xml | undefined
  /** Tells somebody which device an address has, if that is due. */
  tell (ours: string, theirs: string, again?: boolean): void
}

const itemsOf = ({ device, bundle }: Published, node: string | undefined): Xml | undefined => {
  const content = node === LIST_NODE ? listXml([device]) : node === BUNDLE_NODE + String(device) ? bundle : undefined
  return content && el('items', { node }, el('item', { id: 'current' }, content))
}

export const makePep = (owns: Owns, stream: Pick<Stream, 'send'>, clock: Pick<Clock, 'tick'>): Pep => {
  const told = makeShares<number>(TOLD_MAX)
  return {
    answer (iq, to) {
      const pubsub = child(iq, 'pubsub', PUBSUB)
      const own = pubsub && bareOf(iq.attrs.to ?? '') === to.id ? owns.published(to.id) : undefined
      if (pubsub === undefined || own === undefined) return undefined
      if (iq.attrs.type === 'set') return errorReply(iq, 'cancel', 'not-allowed')
      const items = itemsOf(own, elementsIn(pubsub).find(({ name }) => name === 'items')?.attrs.node)
      return items && el('iq', { type: 'result', from: iq.attrs.to, to: iq.attrs.from, id: iq.attrs.id }, el('pubsub', { xmlns: PUBSUB }, items))
    },
    tell (ours, theirs, again = false) {
      const own = owns.published(ours)
      const name = `${ours} ${theirs} ${own?.device}`
      if (own === undefined || (!again && clock.tick() - (told.get(name) ?? -Infinity) < AGAIN_MS)) return
      told.put(owned(name), { group: serverOf(theirs), owner: owned(theirs) }, clock.tick())
      stream.send(el('message', { type: 'headline', from: ours, to: theirs }, el('event', { xmlns: `${PUBSUB}#event` }, itemsOf(own, LIST_NODE))))
    }
  }
}
