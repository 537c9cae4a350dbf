/** People called in a text (XEP-0372 §3.2): read, and written where they have a nick. */
import { folded, type Mention, MENTIONS_MAX, nameIn, renamed } from '../../../model/mention'
import type { Text } from '../../../model/text'
import { child, el, type Element, elementsIn, textOf, type Xml } from '../wire/xml'

const REFERENCE = 'urn:xmpp:reference:0'
const URI_CHARS_MAX = 3000
const INDEX = /^\d{1,7}$/

/** `jid` may be an occupant's. `as`: what the text says there, if it is in the nick or no nick is known; else the nick. */
export interface Reference { jid: string; as: string }

/** What the sender marked, as far as it is in the body: counted in code points, the end exclusive. */
const said = (letters: string[], { begin = '', end = '' }: Element['attrs']): string =>
  INDEX.test(begin) && INDEX.test(end) ? letters.slice(Number(begin), Math.min(Number(end), Number(begin) + URI_CHARS_MAX)).join('') : ''

export const referencesIn = (message: Element): Reference[] => {
  const marks = elementsIn(message).filter(({ name, ns, attrs }) => name === 'reference' && ns === REFERENCE && attrs.type === 'mention')
    .slice(0, MENTIONS_MAX)
  const letters = marks.length === 0 ? [] : [...textOf(child(message, 'body'))]
  return marks.flatMap(({ attrs }) => {
    const uri = (attrs.uri ?? '').slice(0, URI_CHARS_MAX)
    if (!uri.startsWith('xmpp:')) return []
    let jid = uri.slice('xmpp:'.length).split('?')[0]!
    try { jid = decodeURIComponent(jid) } catch { /* stays as it is */ }
    const as = said(letters, attrs)
    const nick = jid.includes('/') ? jid.slice(jid.indexOf('/') + 1) : ''
    const isTheirs = as !== '' && (nick === '' || folded(nick).startsWith(folded(nameIn(as))))
    return [{ jid, as: isTheirs ? as : nick }]
  })
}

/** Somebody called at this place, with the nick that they have there. */
export interface Called extends Mention { nick: string; uri: string }

export const occupantUri = (room: string, nick: string): string =>
  `xmpp:${room.split('@').map(encodeURIComponent).join('@')}/${encodeURIComponent(nick)}`

// Letters that stand around the nicks until all else is written. XML has neither of them.
const [OPEN, CLOSE] = ['\u0006', '\u0007']
const MARKED = new RegExp(`${OPEN}([^${OPEN}${CLOSE}]*)${CLOSE}`, 'g')

/** The text with the nicks themselves, because by them apps notice that somebody is called. */
export const withNicks = (text: Text, called: Called[]): Text =>
  renamed(text, called, ({ nick }) => ({ kind: 'text', text: `${OPEN}${nick}${CLOSE}` }))

/** The final body, and the references to the nicks in it. Who is called but not named gets a reference to the whole message. */
export const withReferences = (marked: string, called: Called[]): { body: string, references: Xml[] } => {
  if (called.length === 0) return { body: marked, references: [] }
  const uris = new Map(called.map(({ nick, uri }) => [nick, uri]))
  const missing = new Map(uris)
  const references: Xml[] = []
  let [body, letters, from] = ['', 0, 0]
  for (const { 0: whole, 1: nick = '', index } of marked.matchAll(MARKED)) {
    const before = marked.slice(from, index)
    const begin = letters + [...before].length
    const end = begin + [...nick].length
    body += before + nick
    letters = end
    from = index + whole.length
    const uri = uris.get(nick)
    if (uri !== undefined) references.push(el('reference', { xmlns: REFERENCE, type: 'mention', begin: String(begin), end: String(end), uri }))
    missing.delete(nick)
  }
  for (const uri of missing.values()) references.push(el('reference', { xmlns: REFERENCE, type: 'mention', uri }))
  return { body: body + marked.slice(from), references }
}
