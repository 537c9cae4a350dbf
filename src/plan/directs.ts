/**
 * Direct chats between two persons of different networks: who may begin one with whom, and which there are. Each is a mirror of two places:
 * on each side the chat of that person with the ghost of the other, or with a number of ours that stands for the other alone. So the id of a
 * place tells both persons, and words can reach nobody else. Whoever was written to may answer for as long as the config allows the chat.
 */
import { addressKey, type MirrorPlace, type NetworkName, type Person, type Place } from '../model/address'
import type { Naming } from '../model/network'
import type { Shows } from '../model/signal'
import type { Mirror } from './mirrored'

/** The owner of the memory that holds which chats there are. */
export const DIRECTS = 'direct chats'

const DAY_MS = 24 * 3600_000
/** More chats than these are not begun. */
export const CHATS_MAX = 20_000
/** The same within a day, by all whom one entry of the config allows. */
const BEGUN_BY_ENTRY_MAX = 1000

/** People by their addresses; `*` stands for any characters. */
export interface Pattern { network: NetworkName; id: string }

/** `numbers`: addresses of ours on networks without ghosts, each with the person for whom it stands. `perDay`: new chats of one person. */
export interface DirectRules {
  allow: { from: Pattern[], to: Pattern[] }[]
  numbers: { ours: Person, person: Person }[]
  perDay: number
  shows: Shows
}

/** `at`: when it was begun, ms since 1970. `called`: the names of the two by their addressKeys, as far as they have said them. */
export interface DirectChat { by: Person; to: Person; at: number; called?: Record<string, string> }

export interface Directs {
  /** The person for whom this ghost or number stands; undefined if it is none, if it does not tell, or if there are no direct chats. */
  behind (network: NetworkName, ours: string): Person | undefined
  /** The chat that this person may begin now by writing to `ours`; undefined if they may not. */
  opening (theirs: Person, ours: string, now: number): DirectChat | undefined
  /** The ghost on a network of the person of another one whom `written` names. */
  ghostOf (network: NetworkName, written: string): string | undefined
  /** Whether there is a chat, or, with `begins`, may be one: that counts as begun. */
  admits (theirs: Person, ours: string, now: number, begins: boolean): boolean
  /** The places of a chat, whether it has begun or not. */
  mirrorOf (chat: DirectChat): Mirror | undefined
  mirrorAt (place: Place): { mirror: Mirror, here: MirrorPlace } | undefined
  /** All places that are this person's in direct chats; `person` is an addressKey. */
  placesOf (person: string): Place[]
  /** The chat of this place, if the person there is called otherwise than it says. */
  renamed (place: Place, person: Person, name: string): DirectChat | undefined
  learn (chat: DirectChat): void
}

/** `entry`: of the config, that allows it. */
type Begun = DirectChat & { entry: number }

/** What a new chat counts against. */
const limited = ({ by, to, entry }: Omit<Begun, 'at'>): string[] => [`by ${addressKey(by)}`, `to ${addressKey(to)}`, `entry ${entry}`]

/** The same for both ends. */
export const chatKey = ({ by, to }: Pick<DirectChat, 'by' | 'to'>): string => JSON.stringify([addressKey(by), addressKey(to)].sort())

/** What chatKey remembers. */
export const readChat = (remembered: string): DirectChat => JSON.parse(remembered) as DirectChat

/** Linear, whatever is asked. */
export const fits = (pattern: string, id: string): boolean => {
  const [start = '', ...more] = pattern.split('*')
  const end = more.pop()
  if (end === undefined) return id === pattern
  if (!id.startsWith(start)) return false
  let at = start.length
  for (const middle of more) {
    const found = id.indexOf(middle, at)
    if (found < 0) return false
    at = found + middle.length
  }
  return id.length - end.length >= at && id.endsWith(end)
}

/** What people see of an address. Whoever is known only in a room, whose id begins with the room's address and a space, is called so. */
const addressOf = ({ id }: Person): string => id.split(' ', 1)[0] ?? ''

export const isAmong = (patterns: Pattern[], person: Person): boolean =>
  patterns.some(one => one.network === person.network && fits(one.id, addressOf(person)))

/** Without rules nobody chats. Whoever still writes to somebody's stand-in is told so. */
const nobody = (behind: Directs['behind']): Directs => ({
  behind, opening: () => undefined, ghostOf: () => undefined,
  admits: () => false, mirrorOf: () => undefined, mirrorAt: () => undefined,
  placesOf: () => [], renamed: () => undefined, learn () {}
})

/** `isOurs`: nobody begins a chat with one of our own addresses, or as one. */
export interface DirectsParts {
  rules: DirectRules | undefined; remembered: DirectChat[]; namings: ReadonlyMap<NetworkName, Naming>; isOurs (person: Person): boolean
}

export const makeDirects = ({ rules, remembered, namings, isOurs }: DirectsParts): Directs => {
  if (rules === undefined) return nobody((network, ours) => namings.get(network)?.standsFor?.(ours))
  const mirrors = new Map<string, { mirror: Mirror, here: MirrorPlace }>() // by place
  const chats = new Map<string, DirectChat>()
  const places = new Map<string, Place[]>() // by person
  const begun = new Map<string, Begun>() // of the last day, oldest first
  const counts = new Map<string, number>() // of these, for whatever is limited

  const entryFor = (by: Person, to: Person): number => rules.allow.findIndex(({ from, to: whom }) => isAmong(from, by) && isAmong(whom, to))

  const behind: Directs['behind'] = (network, ours) =>
    rules.numbers.find(one => one.ours.network === network && one.ours.id === ours)?.person ?? namings.get(network)?.standsFor?.(ours)

  const placeOf = (theirs: Person, other: Person): Place | undefined => {
    const naming = namings.get(theirs.network)
    const ours = naming?.ghost?.(other) ??
      rules.numbers.find(one => one.ours.network === theirs.network && addressKey(one.person) === addressKey(other))?.ours.id
    return naming === undefined || ours === undefined ? undefined : { network: theirs.network, id: naming.direct(ours, theirs.id) }
  }

  const mirrorOf: Directs['mirrorOf'] = ({ by, to, called = {} }) => {
    const nameOf = (person: Person): string => called[addressKey(person)] ?? addressOf(person)
    const [one, other] = [placeOf(by, to), placeOf(to, by)]
    return one && other && {
      name: chatKey({ by, to }), direct: true, moderation: 'own', shows: rules.shows,
      places: [{ place: one, people: { [by.id]: nameOf(by) } }, { place: other, people: { [to.id]: nameOf(to) } }]
    }
  }

  const count = (chat: Begun, by: 1 | -1): void => {
    for (const key of limited(chat)) {
      const now = (counts.get(key) ?? 0) + by
      if (now === 0) counts.delete(key)
      else counts.set(key, now)
    }
  }

  const mayBegin = ({ by, to, at: now }: DirectChat): boolean => {
    for (const [key, chat] of begun) {
      if (chat.at > now - DAY_MS && chat.at <= now) break
      begun.delete(key)
      count(chat, -1)
    }
    const entry = entryFor(by, to)
    if (entry < 0 || chats.size >= CHATS_MAX || by.network === to.network || [by, to].some(isOurs)) return false
    if (begun.has(chatKey({ by, to }))) return true
    const [ofBy = 0, ofTo = 0, ofEntry = 0] = limited({ by, to, entry }).map(key => counts.get(key))
    return ofBy < rules.perDay && ofTo < rules.perDay && ofEntry < BEGUN_BY_ENTRY_MAX
  }

  const opening: Directs['opening'] = (theirs, ours, now) => {
    const to = behind(theirs.network, ours)
    if (to === undefined || namings.get(to.network)?.person(to.id) !== to.id) return undefined
    const chat = { by: theirs, to, at: now }
    return mirrorOf(chat) !== undefined && mayBegin(chat) ? chat : undefined
  }

  const note = (chat: DirectChat): void => {
    const key = chatKey(chat)
    if (begun.has(key)) return
    const one = { ...chat, entry: entryFor(chat.by, chat.to) }
    begun.set(key, one)
    count(one, 1)
  }

  const learn: Directs['learn'] = chat => {
    const key = chatKey(chat)
    const mirror = mirrorOf(chat)
    const known = chats.has(key)
    if (mirror === undefined) return
    chats.set(key, chat)
    if (known) return mirror.places.forEach(({ place, people }) => Object.assign(mirrors.get(addressKey(place))?.here.people ?? {}, people))
    note(chat)
    mirror.places.forEach((here, index) => {
      mirrors.set(addressKey(here.place), { mirror, here })
      const person = addressKey(index === 0 ? chat.by : chat.to)
      const before = places.get(person)
      if (before === undefined) places.set(person, [here.place])
      else before.push(here.place)
    })
  }

  for (const chat of [...remembered].sort((one, other) => one.at - other.at)) if (entryFor(chat.by, chat.to) >= 0) learn(chat)
  return {
    behind, opening, mirrorOf, learn,
    ghostOf (network, written) {
      for (const [name, { person }] of namings) {
        const id = name === network ? undefined : person(written)
        if (id !== undefined) return namings.get(network)?.ghost?.({ network: name, id })
      }
      return undefined
    },
    admits (theirs, ours, now, begins) {
      const naming = namings.get(theirs.network)
      if (naming && mirrors.has(addressKey({ network: theirs.network, id: naming.direct(ours, theirs.id) }))) return true
      const chat = begins ? opening(theirs, ours, now) : undefined
      if (chat !== undefined) note(chat)
      return chat !== undefined
    },
    mirrorAt: place => mirrors.get(addressKey(place)),
    renamed (place, person, name) {
      const { mirror, here } = mirrors.get(addressKey(place)) ?? {}
      const chat = mirror && chats.get(mirror.name)
      if (chat === undefined || here?.people?.[person.id] === name) return undefined
      return { ...chat, called: { ...chat.called, [addressKey(person)]: name } }
    },
    placesOf: person => places.get(person) ?? []
  }
}
