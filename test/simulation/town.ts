/** The town: places on three networks, mirrors of two to four places, people in them, and what they say. */
import { addressKey, type Place } from '../../src/model/address'
import type { Capabilities } from '../../src/model/network'
import type { Mirror } from '../../src/plan/directory'
import type { Random } from './random'

const HOUR_MS = 3_600_000

export const DOMAIN = 'example.org'
export const COMPONENT = `chat.${DOMAIN}` // ours
export const SECRET = 'secret' // of the component
export const ROOMS = `rooms.${DOMAIN}` // the XMPP server's room service

/** As in src/networks/…/index.ts, but with shorter texts, so that some must be split. */
export const CAN: Record<string, Capabilities> = {
  matrix: {
    label: 'Matrix', ghosts: true, formatting: true, files: 'upload', captions: true, edits: true, deletions: true, replies: true, reactions: 'each',
    profiles: true, textBytesMax: 1000, window: 1, afterCrash: 'resend', giveUpAfterMs: 72 * HOUR_MS
  },
  xmpp: {
    label: 'XMPP', ghosts: true, formatting: true, files: 'link', captions: false, edits: true, deletions: true, replies: true, reactions: 'set',
    profiles: true, textBytesMax: 1000, window: 256, afterCrash: 'resend', giveUpAfterMs: 72 * HOUR_MS
  },
  sms: {
    label: 'SMS', ghosts: false, formatting: false, files: 'text', captions: false, edits: false, deletions: false, replies: false, reactions: 'none',
    profiles: false, textBytesMax: 300, window: 1, afterCrash: 'park', giveUpAfterMs: 24 * HOUR_MS
  }
}

/** `name`: what others call them. `to`: the address of ours that they write to. */
export interface Inhabitant { id: string; name: string; place: Place; to?: string }

/** Something that a person says. Its text begins with the tag, and each word carries the tag and a number. */
export interface Said {
  tag: string // conversation/sender/counter
  kind: 'message' | 'edit' | 'deletion'
  of?: string // the tag of the message that it changes
  answers?: string // the tag of a message of this mirror that it answers
  about?: string // the place of the contact concerned
  urgent?: boolean // said in good weather, while outsiders act
  by: Inhabitant
  words: number
}

export interface Town {
  mirrors: Mirror[]
  people: Inhabitant[]
  placesOf (network: string): Place[]
}

const LATELY = 20

const NAMES = ['anna', 'bernd', 'clara', 'dieter', 'eva', 'fritz', 'greta', 'hans', 'ida', 'jan', 'karla', 'leo']

/** The same, but not as a reply. */
export const unrelated = (said: Said | undefined): Said | undefined => {
  if (said === undefined) return undefined
  const { answers: _, ...rest } = said
  return rest
}

export const wordOf = (tag: string, number: number): string => `${tag}~${number}`
const textOf = ({ tag, words }: Said): string => Array.from({ length: words }, (_, index) => wordOf(tag, index + 1)).join(' ')

/** All words of people that a text contains. */
export const wordsIn = (text: string): { tag: string, number: number }[] =>
  [...text.matchAll(/(c\d+\/[\w]+\/\d+)~(\d+)/g)].map(([, tag = '', number]) => ({ tag, number: Number(number) }))

/** The text without the quotation of the answered message: quoted lines, or a few words on a phone. */
export const ownWords = (text: string): string => text.replace(/^(> .*\n)+/, '').replace(/Re "[^"]*": /, '')

/** Ids of people and places. */
const IDS: Record<string, { person (name: string): string, place (number: number): string }> = {
  matrix: { person: name => `@${name}:${DOMAIN}`, place: number => `!room-${number}:${DOMAIN}` },
  xmpp: { person: name => `${name}@${DOMAIN}`, place: number => `room-${number}@${ROOMS}` },
  sms: { person: name => name, place: number => `+4930123400${number}/+49170123400${number}` }
}

const KINDS = ['matrix', 'xmpp', 'sms', 'matrix', 'xmpp']

export const makeTown = (random: Random): Town => {
  const people: Inhabitant[] = []
  let rooms = 0
  const named = (place: Place): Inhabitant => {
    const name = `${random.pick(NAMES)}${people.length}`
    const id = place.network === 'sms' ? place.id.split('/')[1]! : IDS[place.network]!.person(name)
    const inhabitant = { id, name, place }
    people.push(inhabitant)
    return inhabitant
  }
  const placed = (network: string): Mirror['places'][number] => {
    const number = ++rooms
    const place: Place = { network, id: IDS[network]!.place(number) }
    const inside = Array.from({ length: network === 'sms' ? 1 : 1 + random.below(3) }, () => named(place))
    return network === 'sms' ? { place, people: { [inside[0]!.id]: inside[0]!.name } } : { place }
  }
  const mirrors = Array.from({ length: 1 + random.below(2) }, (_, index): Mirror => {
    const kinds = Array.from({ length: 2 + random.below(3) }, () => random.pick(KINDS))
    if (!kinds.some(kind => kind !== 'sms')) kinds[0] = 'matrix'
    return { name: `mirror${index}`, places: kinds.map(placed) }
  })
  const places = mirrors.flatMap(mirror => mirror.places.map(({ place }) => place))
  return { mirrors, people, placesOf: network => places.filter(place => place.network === network) }
}

export interface Mouth { (inhabitant: Inhabitant, text: string, said: Said | undefined): void }

export interface Talk {
  /** One of them says something, or changes it. */
  any (urgent?: boolean): void
  /** This one takes back what they said last, if it stands, and says something else. */
  sulk (by: Inhabitant): void
}

export const makeTalk = (town: Town, random: Random, replies: Random, say: Mouth): Talk => {
  const counters = new Map<string, number>()
  const last = new Map<string, Said>() // by person, the message that may still be changed
  const stops = random.happens(0.3)
  const places = town.mirrors.flatMap(mirror => mirror.places.map(({ place }) => addressKey(place)))
  const lately = new Map<string, string[]>() // the tags of the last messages of each mirror
  const conversations = new Map(places.map((place, index) => [place, `c${index}`]))

  const tagFor = (by: Inhabitant): string => {
    const conversation = conversations.get(addressKey(by.place))!
    const count = (counters.get(by.name) ?? 0) + 1
    counters.set(by.name, count)
    return `${conversation}/${by.name}/${count}`
  }

  const change = (by: Inhabitant, former: Said, edit: boolean): void => {
    last.delete(by.name)
    const said: Said = { tag: tagFor(by), kind: edit ? 'edit' : 'deletion', of: former.tag, by, words: edit ? 1 : 0 }
    say(by, textOf(said), said)
  }

  /** Says a message, perhaps as a reply to a recent one in the mirror. */
  const message = (said: Said): void => {
    const { mirrors } = town
    const { name } = mirrors.find(({ places }) => places.some(({ place }) => place === said.by.place))!
    const before = lately.get(name) ?? []
    const canAnswer = said.by.place.network !== 'sms' && before.length > 0
    const answers = canAnswer && replies.happens(0.25) ? replies.pick(before) : undefined
    lately.set(name, [...before, said.tag].slice(-LATELY))
    say(said.by, textOf(said), answers === undefined ? said : { ...said, answers })
  }

  const any = (urgent = false): void => {
    const by = random.pick(town.people)
    if (urgent) {
      const said: Said = { tag: tagFor(by), kind: 'message', by, words: 1, urgent }
      return say(by, textOf(said), said)
    }
    const phone = by.place.network === 'sms'
    if (phone && stops && random.happens(0.1)) return say(by, random.pick(['STOP', 'Stopp!', 'START', 'Start']), undefined)
    const former = last.get(by.name)
    if (!phone && former !== undefined && random.happens(0.3)) return change(by, former, random.happens(0.6))
    const said: Said = { tag: tagFor(by), kind: 'message', by, words: random.happens(phone ? 0.2 : 0.05) ? 2 + random.below(40) : 1 }
    if (said.words === 1) last.set(by.name, said)
    message(said)
  }

  return {
    any,
    sulk (by) {
      const former = last.get(by.name)
      if (former === undefined || by.place.network === 'sms') return
      change(by, former, false)
      message({ tag: tagFor(by), kind: 'message', by, words: 1 })
    }
  }
}
