/** Who is called in a room: whom a nick means, and which nick somebody has. */
import type { Person, Place } from '../../../model/address'
import { calledByName, callsEverybody, escaped, EVERYBODY, folded, type Mention, MENTIONS_MAX, withoutLabel } from '../../../model/mention'
import type { Content } from '../../../model/message'
import { type Inline, toPlain, withInlines } from '../../../model/text'
import { bareOf, resourceOf } from '../names'
import { contentOf, type Said, withSubject } from '../text/content'
import { type Called, occupantUri, type Reference, referencesIn } from '../text/references'
import type { Element } from '../wire/xml'
import { NON_ANONYMOUS, OCCUPANT_IDS, type Present } from './people'
import { type Room } from './room'

/**
 * The nick that somebody has now, by the id that arrivals give them, or by their address if the room shows addresses to everybody. Undefined
 * if they are not there, or are ours.
 */
export const nickOfPerson = ({ id, people, nicks, features }: Room, who: string): string | undefined => {
  const rest = who.slice(id.length + 1)
  const isTheirs = who.startsWith(`${id} `) ? ({ occupant }: Present) => features.has(OCCUPANT_IDS) && occupant === rest
    : ({ address }: Present) => features.has(NON_ANONYMOUS) && address === who
  const found = who.startsWith(`${id}/`) ? rest : [...people].find(([, one]) => isTheirs(one))?.[0]
  return found !== undefined && people.has(found) && !nicks.has(found) ? found : undefined
}

/** Who of those called is in the room, by the nick that they have now. XMPP has nothing that alarms everybody. */
export const whoIsHere = (room: Room, { network }: Place, mentions: Mention[] = []): Called[] => mentions.flatMap(mention => {
  const nick = mention.who === 'everybody' || mention.who.network !== network ? undefined : nickOfPerson(room, mention.who.id)
  return nick === undefined ? [] : [{ ...mention, nick, uri: occupantUri(room.id, nick) }]
})

const JOINER = '\u2060' // nobody sees it

const parted = (name: string): string => {
  const [first = '', ...rest] = [...name]
  return `${first}${JOINER}${rest.join('')}`
}

/** Apps take every nick in a text for a call. Words of ours that only tell something call nobody, so each nick in them is parted. */
export const callingNobody = ({ people, nicks }: Room, content: Content): Content => {
  if (content.style !== 'quiet') return content
  const words = folded(toPlain(content.text))
  const named = [...people.keys()].filter(nick => !nicks.has(nick) && words.includes(folded(nick)))
  if (named.length === 0) return content
  const pattern = new RegExp(named.sort((one, other) => other.length - one.length).map(escaped).join('|'), 'giu')
  const inParts = (parts: Inline[]): Inline[] => parts.map(part =>
    part.kind === 'text' ? { ...part, text: part.text.replace(pattern, parted) } : part)
  return { ...content, text: withInlines(content.text, inParts) }
}

/**
 * Whom a name means in this room, of those for whom ours speak: by the nick of ours, or by that without the label of their network, if
 * nobody else has it. Undefined if it is somebody else's, or several have it.
 */
export const makeNames = ({ people, nicks }: Room): (name: string) => Person | undefined => {
  let names: Map<string, Person | undefined> | undefined
  const read = (): Map<string, Person | undefined> => {
    const made = new Map<string, Person | undefined>()
    for (const [nick, { person }] of nicks) {
      const short = folded(withoutLabel(nick))
      if (person !== undefined) made.set(short, made.has(short) ? undefined : person)
    }
    for (const nick of people.keys()) if (!nicks.has(nick)) made.set(folded(nick), undefined)
    for (const [nick, { person }] of nicks) made.set(folded(nick), person)
    return made
  }
  return name => (names ??= read()).get(folded(name))
}

/** An address that everybody in the room sees. */
const shown = ({ features, people }: Room, nick: string): string | undefined => features.has(NON_ANONYMOUS) ? people.get(nick)?.address : undefined

/** Which people a message calls: as its app marked them, then by the names in it. */
const calledIn = (room: Room, network: string, references: Reference[], { text }: Content): Mention[] => {
  const marked = references.map(({ jid, as }): Mention => {
    const nick = bareOf(jid) === room.id ? resourceOf(jid) : ''
    if (nick === '') return { who: { network, id: bareOf(jid) }, as }
    return { who: room.nicks.get(nick)?.person ?? { network, id: shown(room, nick) ?? jid }, as }
  })
  const named = calledByName(text, makeNames(room)).filter(({ as }) => !marked.some(one => one.as === as))
  return [...marked, ...named]
}

/** What a message says, and whom it calls. `rules`: its writer rules over others in the room, and so may call everybody. */
export const saidIn = (room: Room, network: string, message: Element, rules: boolean): Said & { mentions?: Mention[] } | undefined => {
  const said = contentOf(network, message)
  if (said === undefined) return undefined
  const everybody: Mention[] = rules && callsEverybody(said.content.text) ? [{ who: 'everybody', as: EVERYBODY }] : []
  const mentions = [...everybody, ...calledIn(room, network, referencesIn(message), said.content)].slice(0, MENTIONS_MAX)
  return { ...said, ...withSubject(message, said), ...mentions.length > 0 && { mentions } }
}
