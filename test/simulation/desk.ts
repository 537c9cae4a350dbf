/**
 * Function addresses in the same storms. Contacts write to them, and a team answers as soon as it sees the message: often several agents at
 * once, with notes, commands and talk in between, with typing errors and edits. All these choices have their own random source.
 */
import type { FunctionAddress } from '../../src/desk/address'
import { addressKey, type Place } from '../../src/model/address'
import type { Naming } from '../../src/model/network'
import { directPlace } from '../../src/networks/xmpp/direct/place'
import { makeRoomNames } from '../../src/networks/xmpp/muc/room-names'
import { addressOn, agent } from '../support/address'
import { makeMemory } from '../support/world'
import { naming } from './homeserver'
import type { Random } from './random'
import { COMPONENT, DOMAIN, ROOMS, SECRET, type Inhabitant, type Mouth, type Said } from './town'
import { commandAs, kindOf, meantBy, ownTag, typedAs, type Kind } from './typing'
import { NAMING } from './world'

const COMMANDS = ['take', 'release', 'done', 'send'] as const
const THINKING_MS = 200
const LATER_MS = 60_000
/** Where sources do not queue, some people write much at once, sometimes more than may wait here. */
const BURSTS = 0.1
const BURST_MS = 10_000
const FLOOD = 100
const CENTURY_MINUTES = 100 * 365 * 24 * 60

export interface Desk {
  readonly addresses: FunctionAddress[]
  /** The address whose team this room is for. */
  addressOf (room: Place): FunctionAddress | undefined
  /** The address that has this direct chat with an agent. */
  chatOf (place: Place): FunctionAddress | undefined
  isContact (place: Place): boolean
  /** Contacts' places whose conversations never get a command. */
  readonly quiet: ReadonlySet<string>
  /** A contact writes. */
  ask (): void
  /** A contact's message came back to them: perhaps they write again. */
  returned (tag: string): void
  /** A place shows a text to the people there. The team reacts to a contact's words. */
  shown (place: Place, text: string): void
  /** A stranger writes in a contact's chat. */
  intrude (): void
  /** The desk announces a case at this place. */
  announced (place: Place, text: string): void
}

const TEAM = [
  agent('anna', `matrix @anna:${DOMAIN}`), agent('bernd', `xmpp bernd@${DOMAIN}`), agent('clara', `matrix @clara:${DOMAIN}`, `xmpp clara@${DOMAIN}`)
]

const roomNames = makeRoomNames(SECRET, { memory: makeMemory() })
const NAMINGS: Record<string, Naming> = {
  matrix: naming, sms: NAMING,
  xmpp: { ...NAMING, direct: directPlace, room: (address, what) => typeof what === 'number' ? roomNames.of(address, what, ROOMS) : undefined }
}
export const teamRoom = (network: string, slug: string, what: number): string => NAMINGS[network]!.room(slug, what) ?? ''

/** Claims never time out: what happens then would depend on a clock that jumps. */
const makeAddress = (
  random: Random, name: string, index: number, chats: boolean, encrypts: boolean
): FunctionAddress => addressOn([], TEAM.slice(0, 2 + random.below(2)), {
  name, slug: name, identities: [
    { network: 'matrix', id: `@${name}:${DOMAIN}` }, { network: 'sms', id: `+4930123500${index}` },
    ...chats ? [{ network: 'xmpp', id: `${name}@${COMPONENT}` }] : []
  ],
  ...encrypts && { encrypts }, profile: { name, about: '' }, claimTimeoutMinutes: CENTURY_MINUTES, followUp: random.pick(['reopen', 'new'])
})

const PERSONS: Record<string, (index: number) => string> = {
  matrix: index => `@contact${index}:${DOMAIN}`, xmpp: index => `contact${index}@${DOMAIN}`, sms: index => `+49170123500${index}`
}

const makeContact = (random: Random, { identities }: FunctionAddress, most: string, index: number): Inhabitant => {
  const { network, id } = random.happens(0.5) ? identities.find(one => one.network === most)! : random.pick(identities)
  const theirs = PERSONS[network]!(index)
  return { id: theirs, name: `contact${index}`, place: { network, id: NAMINGS[network]!.direct(id, theirs) }, to: id }
}

/** How often the team has these habits. In some seeds all are 0, for the plain case. */
const makeHabits = (random: Random) => {
  const habit = (most: number): number => random.happens(0.6) ? random.between(0, most) : 0
  return { slips: habit(0.3), quotes: habit(0.5), edits: habit(0.4), talks: habit(0.6), numbers: habit(0.4), passes: habit(0.3), duty: habit(0.1) }
}

/** An agent at their place, and the contact whose case it is about. */
interface Matter { by: Inhabitant; about: Inhabitant; ask: string; mayCommand: boolean; number?: number }

/** Where most contacts are. Nobody writes over XMPP unless most do. `encrypts`: its apps do, with OMEMO. */
interface Most { network: 'xmpp' | 'matrix'; encrypts: boolean }

/** `after`: a timer of the timeline. */
export const makeDesk = (random: Random, { network: most, encrypts }: Most, after: (ms: number, run: () => void) => void, say: Mouth): Desk => {
  const addresses = ['werkstatt', 'info'].slice(0, 1 + random.below(2))
    .map((name, index) => makeAddress(random, name, index, most === 'xmpp', encrypts))
  const contacts = Array.from({ length: 2 + random.below(4) }, (_, index) => makeContact(random, random.pick(addresses), most, index))
  const habits = makeHabits(random)
  const quiet = new Set(habits.duty > 0 ? [] : contacts.filter(() => random.happens(0.5)).map(({ place }) => addressKey(place)))
  const counters = new Map<string, number>()
  const reacted = new Set<string>()

  const nextTag = (by: Inhabitant, kind: Kind): string => {
    const count = (counters.get(by.name) ?? 0) + 1
    counters.set(by.name, count)
    return `${kind}-${by.name}-${count}`
  }

  const speak = (by: Inhabitant, kind: Kind, words: (tag: string) => string = tag => tag, more: Partial<Said> = {}): string => {
    const tag = nextTag(by, kind)
    say(by, words(tag), { tag, kind: 'message', by, words: 1, ...more })
    return tag
  }

  const inFront = ({ number }: Matter): string => number === undefined ? '' : `#${number} `

  const writes = (matter: Matter, kind: 'reply' | 'aside' | 'slip', more: Partial<Said> = {}): string => {
    const quoted = more.of === undefined && random.happens(habits.quotes) ? matter.ask : undefined
    const text = (tag: string): string => {
      const typed = typedAs(random, kind, tag)
      return quoted === undefined ? inFront(matter) + typed : `> ${quoted}\n${inFront(matter)}${typed}`
    }
    return speak(matter.by, kind, text, { about: addressKey(matter.about.place), ...more })
  }

  const edits = (matter: Matter, of: string): void => {
    if (matter.number === undefined && random.happens(habits.edits)) {
      after(random.between(0, LATER_MS), () => { writes(matter, random.pick(['reply', 'reply', 'aside', 'slip'] as const), { kind: 'edit', of }) })
    }
  }

  const command = (): string => {
    if (random.happens(habits.duty)) return random.pick(['duty off', 'duty on', 'duty on'])
    if (random.happens(habits.passes)) return `assign ${random.pick(TEAM).name}`
    return random.pick(COMMANDS)
  }

  const orders = (matter: Matter): void => {
    const words = command()
    speak(matter.by, 'order', () => `${inFront(matter)}${commandAs(random, words)}`, { about: addressKey(matter.about.place) })
  }

  const react = (matter: Matter): void => {
    if (random.happens(0.75)) after(random.between(0, THINKING_MS), () => edits(matter, writes(matter, 'reply')))
    if (random.happens(0.15)) after(random.between(0, LATER_MS), () => edits(matter, writes(matter, 'aside')))
    if (random.happens(habits.slips)) after(random.between(0, LATER_MS), () => { writes(matter, 'slip') })
    if (matter.mayCommand && random.happens(0.4)) after(random.between(0, LATER_MS), () => orders(matter))
  }

  /** An agent reacts in the inbox room or in the chat with the address: there a case's number must stand in front, and is sometimes forgotten. */
  const reactToNews = (matter: Matter): void => {
    const { by } = matter
    if (random.happens(habits.talks)) after(random.between(0, LATER_MS), () => { speak(by, 'talk', tag => typedAs(random, 'talk', tag)) })
    if (random.happens(habits.slips)) after(random.between(0, LATER_MS), () => { speak(by, 'slip', tag => typedAs(random, 'slip', tag)) })
    if (random.happens(habits.numbers)) after(random.between(0, LATER_MS), () => { writes(matter, random.pick(['reply', 'reply', 'aside', 'slip'])) })
    if (matter.mayCommand && random.happens(habits.numbers)) after(random.between(0, LATER_MS), () => orders(matter))
  }

  const writerOf = (tag: string): Inhabitant | undefined => contacts.find(({ name }) => tag.startsWith(`ask-${name}-`))

  const addressOf = ({ network, id }: Place): FunctionAddress | undefined => addresses.find(({ slug }) => {
    const [start = '', end = ''] = { matrix: [`#_zentrale_${slug}_`, `:${DOMAIN}`], xmpp: [`_${slug}_`, `@${ROOMS}`] }[network] ?? ['nowhere']
    return id.startsWith(start) && id.endsWith(end)
  })

  const chatOf = ({ network, id }: Place): FunctionAddress | undefined => addresses.find(({ identities, team }) =>
    identities.some(ours => ours.network === network && team.some(({ addresses: all }) =>
      all.some(one => one.network === network && NAMINGS[network]!.direct(ours.id, one.id) === id))))

  /** The agents at a place. */
  const present = (place: Place): Inhabitant[] => {
    const address = addressOf(place) ?? chatOf(place)
    const ours = address?.identities.find(({ network }) => network === place.network)?.id
    const chat = address !== undefined && addressOf(place) === undefined
    return (address?.team ?? []).flatMap(({ name, addresses: all }): Inhabitant[] => {
      const here = all.find(({ network }) => network === place.network)
      if (here === undefined || (chat && NAMINGS[place.network]!.direct(ours!, here.id) !== place.id)) return []
      return [{ id: here.id, name, place, ...chat ? { to: ours! } : {} }]
    })
  }

  const each = (place: Place, tag: string, what: string, run: (matter: Matter) => void): void => {
    const about = writerOf(tag)
    if (about === undefined) return
    for (const by of present(place)) {
      if (reacted.has(`${what} ${by.name} ${tag}`)) continue
      reacted.add(`${what} ${by.name} ${tag}`)
      run({ by, about, ask: tag, mayCommand: !quiet.has(addressKey(about.place)) })
    }
  }

  return {
    addresses, quiet, addressOf, chatOf,
    isContact: place => contacts.some(one => addressKey(one.place) === addressKey(place)),
    ask () {
      const by = random.pick(contacts)
      speak(by, 'ask')
      if (by.place.network !== 'xmpp' || !random.happens(BURSTS)) return
      for (let more = random.below(random.pick([10, 10, 10, FLOOD])); more > 0; more--) after(random.between(0, BURST_MS), () => speak(by, 'ask'))
    },
    intrude () {
      const by = random.pick(contacts)
      if (by.place.network === 'matrix') speak(by, 'intrusion', tag => random.pick([tag, `!done ${tag}`, `!n ${tag}`]))
    },
    returned (tag) {
      const contact = writerOf(tag)
      if (contact !== undefined && random.happens(0.5)) after(random.between(THINKING_MS, LATER_MS), () => speak(contact, 'ask'))
    },
    shown (place, text) {
      if (addressOf(place) !== undefined) each(place, ownTag(text) ?? '', 'case', react)
    },
    announced (place, text) {
      const number = Number(/#(\d+) /.exec(text)?.[1])
      if (Number.isNaN(number) || meantBy(text) !== undefined || kindOf(ownTag(text) ?? '') !== 'ask') return
      each(place, ownTag(text)!, 'news', matter => reactToNews({ ...matter, number }))
    }
  }
}
