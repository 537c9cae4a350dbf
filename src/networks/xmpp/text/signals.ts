/** The elements for typing (XEP-0085) and for what has been read (XEP-0333). They come with words or by themselves. */
import { type Presence, presenceOf, type Reads, type Typing } from '../../../model/signal'
import { child, el, type Element, elementsIn, owned, textOf, type Xml } from '../wire/xml'

export const CHAT_STATES = 'http://jabber.org/protocol/chatstates'
export const MARKERS = 'urn:xmpp:chat-markers:0'

/** `upTo`: in a room the id that the room gave, in a direct chat the sender's. What was kept for us while we were away is over (XEP-0203). */
export const signalsIn = (message: Element): (Typing | Reads)[] => {
  if (child(message, 'delay', 'urn:xmpp:delay') !== undefined) return []
  const state = elementsIn(message).find(({ ns }) => ns === CHAT_STATES)?.name
  const read = child(message, 'displayed', MARKERS)?.attrs.id
  return [
    ...state === undefined ? [] : [{ kind: 'typing' as const, typing: state === 'composing' }],
    ...read === undefined ? [] : [{ kind: 'read' as const, upTo: [read] }]
  ]
}

export const typingXml = (typing: boolean): Xml => el(typing ? 'composing' : 'active', { xmlns: CHAT_STATES })

export const readXml = (id: string): Xml => el('displayed', { xmlns: MARKERS, id })

/** Asks the reader's app for read marks. In rooms apps send them unasked (XEP-0333 §3). */
export const markableXml = (): Xml => el('markable', { xmlns: MARKERS })

const IS = new Map<string, Presence['is']>([['away', 'away'], ['xa', 'away'], ['dnd', 'busy']])
/** Whoever is offline is in the room all the same. */
const SHOWN: Readonly<Record<Presence['is'], string | undefined>> = { online: undefined, away: 'away', busy: 'dnd', offline: 'xa' }

/** RFC 6121 §4.7.2. */
export const presenceIn = (presence: Element): Presence => presenceOf(
  IS.get(textOf(child(presence, 'show')).trim()) ?? 'online', owned(textOf(child(presence, 'status'))))

export const presenceXml = ({ is, status }: Presence): (Xml | undefined)[] =>
  [SHOWN[is] === undefined ? undefined : el('show', {}, SHOWN[is]), status === '' ? undefined : el('status', {}, status)]
