/**
 * Function addresses in the same storms: contacts who write to them, and a team that answers as soon as it is shown what they wrote,
 * often several at once, with notes and commands between. Its choices have a random of their own.
 */
import type { FunctionAddress } from '../../src/desk/address'
import { addressKey, type Place } from '../../src/model/address'
import type { Naming } from '../../src/model/network'
import { directPlace } from '../../src/networks/xmpp/letters'
import { makeRoomNames } from '../../src/networks/xmpp/room-names'
import { addressOn, agent } from '../support/address'
import { makeMemory } from '../support/world'
import { naming } from './homeserver'
import type { Random } from './random'
import { COMPONENT, DOMAIN, ROOMS, SECRET, type Inhabitant, type Mouth, type Said } from './town'
import { NAMING } from './world'

const COMMANDS = ['take', 'release', 'done', 'send'] as const
const THINKING_MS = 200
const LATER_MS = 60_000
/** Where nothing waits for its turn at the source, some write much at once, now and then more than may wait here. */
const BURSTS = 0.1
const BURST_MS = 10_000
const FLOOD = 100
const CENTURY_MINUTES = 100 * 365 * 24 * 60

/** What one of the desk's people says: `ask` to the address; `reply`, `aside` (a note) and `order` (a command) in the team's rooms. */
export type Kind = 'ask' | 'reply' | 'aside' | 'order'

export interface Desk {
  readonly addresses: FunctionAddress[]
  /** The address whose team this room is for. */
  addressOf (room: Place): FunctionAddress | undefined
  isContact (place: Place): boolean
  /** Conversations, by the contact's place, in which nobody ever gives a command. */
  readonly quiet: ReadonlySet<string>
  /** A contact writes. */
  ask (): void
  /** What a contact wrote came back to them: perhaps they write again. */
  returned (tag: string): void
  /** A place shows something to whoever is there; the team reacts to what a contact wrote. */
  shown (place: Place, text: string): void
}

/** All that the desk's people wrote in a text. */
export const tagsIn = (text: string): string[] => text.match(/\b(?:ask|reply|aside)-[a-z]+\d*-\d+\b/g) ?? []
export const kindOf = (tag: string): Kind => tag.split('-')[0] as Kind

const TEAM = [
  agent('anna', `matrix @anna:${DOMAIN}`), agent('bernd', `xmpp bernd@${DOMAIN}`), agent('clara', `matrix @clara:${DOMAIN}`, `xmpp clara@${DOMAIN}`)
]

const roomNames = makeRoomNames(SECRET, { memory: makeMemory() })
const NAMINGS: Record<string, Naming> = {
  matrix: naming, sms: NAMING,
  xmpp: { ...NAMING, direct: directPlace, room: (address, what) => typeof what === 'number' ? roomNames.of(address, what, ROOMS) : undefined }
}
export const teamRoom = (network: string, slug: string, what: number): string => NAMINGS[network]!.room(slug, what) ?? ''

/** No case goes back by itself: what then happens would depend on a clock that jumps. */
const makeAddress = (
  random: Random, name: string, index: number, chats: boolean
): FunctionAddress => addressOn([], TEAM.slice(0, 2 + random.below(2)), {
  name, slug: name, identities: [
    { network: 'matrix', id: `@${name}:${DOMAIN}` }, { network: 'sms', id: `+4930123500${index}` },
    ...chats ? [{ network: 'xmpp', id: `${name}@${COMPONENT}` }] : []
  ],
  profile: { name, about: '' }, claimTimeoutMinutes: CENTURY_MINUTES, followUp: random.pick(['reopen', 'new'])
})

const PERSONS: Record<string, (index: number) => string> = {
  matrix: index => `@contact${index}:${DOMAIN}`, xmpp: index => `contact${index}@${DOMAIN}`, sms: index => `+49170123500${index}`
}

const makeContact = (random: Random, { identities }: FunctionAddress, index: number): Inhabitant => {
  const { network, id } = identities.length > 2 && random.happens(0.5) ? identities.at(-1)! : random.pick(identities)
  const theirs = PERSONS[network]!(index)
  return { id: theirs, name: `contact${index}`, place: { network, id: NAMINGS[network]!.direct(id, theirs) }, to: id }
}

/** `after`: on the simulated timeline. `chats`: people write over XMPP too. */
export const makeDesk = (random: Random, chats: boolean, after: (ms: number, run: () => void) => void, say: Mouth): Desk => {
  const addresses = ['werkstatt', 'info'].slice(0, 1 + random.below(2)).map((name, index) => makeAddress(random, name, index, chats))
  const contacts = Array.from({ length: 2 + random.below(4) }, (_, index) => makeContact(random, random.pick(addresses), index))
  const quiet = new Set(contacts.filter(() => random.happens(0.5)).map(({ place }) => addressKey(place)))
  const counters = new Map<string, number>()
  const reacted = new Set<string>()

  const speak = (by: Inhabitant, kind: Kind, words?: string): void => {
    const count = (counters.get(by.name) ?? 0) + 1
    counters.set(by.name, count)
    const tag = `${kind}-${by.name}-${count}`
    const said: Said = { tag, kind: 'message', by, words: 1 }
    say(by, words ?? (kind === 'aside' ? `!n ${tag}` : tag), said)
  }

  const react = (by: Inhabitant, mayCommand: boolean): void => {
    if (random.happens(0.75)) after(random.between(0, THINKING_MS), () => speak(by, 'reply'))
    if (random.happens(0.15)) after(random.between(0, LATER_MS), () => speak(by, 'aside'))
    if (mayCommand && random.happens(0.4)) after(random.between(0, LATER_MS), () => speak(by, 'order', `!${random.pick(COMMANDS)}`))
  }

  const writerOf = (tag: string): Inhabitant | undefined => contacts.find(({ name }) => tag.startsWith(`ask-${name}-`))

  const addressOf = ({ network, id }: Place): FunctionAddress | undefined => addresses.find(({ slug }) => {
    const [start = '', end = ''] = { matrix: [`#_zentrale_${slug}_`, `:${DOMAIN}`], xmpp: [`_${slug}_`, `@${ROOMS}`] }[network] ?? ['nowhere']
    return id.startsWith(start) && id.endsWith(end)
  })

  return {
    addresses, quiet, addressOf,
    isContact: place => contacts.some(one => addressKey(one.place) === addressKey(place)),
    ask () {
      const by = random.pick(contacts)
      speak(by, 'ask')
      if (by.place.network !== 'xmpp' || !random.happens(BURSTS)) return
      for (let more = random.below(random.pick([10, 10, 10, FLOOD])); more > 0; more--) after(random.between(0, BURST_MS), () => speak(by, 'ask'))
    },
    returned (tag) {
      const contact = writerOf(tag)
      if (contact !== undefined && random.happens(0.5)) after(random.between(THINKING_MS, LATER_MS), () => speak(contact, 'ask'))
    },
    shown (place, text) {
      const [tag = ''] = tagsIn(text)
      const contact = writerOf(tag)
      if (contact === undefined) return
      for (const { name, addresses: [...theirs] } of addressOf(place)?.team ?? []) {
        const here = theirs.find(({ network }) => network === place.network)
        if (here === undefined || reacted.has(`${name} ${tag}`)) continue
        reacted.add(`${name} ${tag}`)
        react({ id: here.id, name, place }, !quiet.has(addressKey(contact.place)))
      }
    }
  }
}
