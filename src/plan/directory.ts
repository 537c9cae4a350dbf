/** What rules may know besides the arrival: mirrors, people who said STOP, what each network can do. Kept whole in memory. */
import { addressKey, type MirrorPlace, type NetworkName, type Person, type Place } from '../model/address'
import type { Standing } from '../model/message'
import type { Capabilities } from '../model/network'
import type { Codes } from './codes'
import type { Directs } from './directs'
import { makeExpulsions, type Expulsions } from './expelled'
import { wasIn } from './joined'
import type { Links } from './links'
import type { DeliveryMarking, Mirror, Moderation } from './mirrored'
import { makeNamesakes, type Namesakes } from './namesakes'
import { makeProfiles, type Profiles } from './profiles'
import { carriedBefore } from './restored'
import { type Language, type Texts, TEXTS } from './texts'

export type { DeliveryMarking, Mirror, Moderation }

/** What other rules may ask about function addresses. */
export interface Teams {
  /** Whether the place is a contact's. */
  isContacts (place: Place): boolean
  /** Whether the place is the team's: a room of ours, or the direct chat of one of them. */
  isTeams (place: Place): boolean
  /** The rooms where the team works on the case of this contact's place; none for any other place. */
  roomsFor (place: Place): Place[]
  isOfTeam (person: Person): boolean
  /** The language of the address to which the place belongs; undefined if it belongs to none. */
  languageAt (place: Place): Language | undefined
  /** Whether this name could be taken for an address or an agent who is not `person`. `words`: part of that name is enough. */
  isReserved (name: string, person: Person, words: boolean): boolean
}

export interface Directory {
  readonly links: Pick<Links, 'token' | 'part' | 'url' | 'login'>
  /** Our own words, in the language in which people are spoken to at this place. */
  textsAt (place: Place): Texts
  /** Of all networks, as they stand behind people's names. */
  readonly labels: readonly string[]
  /** Answers for a network that has left the config, too. */
  can (network: NetworkName): Capabilities
  mirrorAt (place: Place): { mirror: Mirror, here: MirrorPlace } | undefined
  /** All places that are this person's own threads. */
  threadsOf (person: string): Place[]
  /** `person` is an addressKey. */
  isBlocked (person: string): boolean
  block (person: string): void
  unblock (person: string): void
  /** How a place stands to us: see StandingArrival. */
  standing (place: Place): Standing
  stand (place: Place, standing: Standing): void
  /** Whether something is carried from and to it: it does not rest. */
  isOpen (place: Place): boolean
  readonly namesakes: Namesakes
  readonly profiles: Profiles
  readonly directs: Directs
  readonly codes: Codes
  readonly expelled: Expulsions
  readonly teams: Teams
  /** The store was put back from a copy, and what was said before this time (ms since 1970) is carried already. 0: it never was. */
  readonly carriedBefore: number
  /** Whether `where` may hear of a failure at another place: no contact hears of the team's places. */
  mayTell (where: Place, failed: Place): boolean
  /** A new mirror: a portal, which is not in the config, or one that has come into the config. `since`: see joined.ts. */
  open (mirror: Mirror, since: number): void
  /** Whether the place was in its mirror when something was said that is brought now. If not, that is not for it, nor for others from there. */
  wasIn (place: Place, at: number, now: number): boolean
  /** How many portals there are. */
  portals (): number
  /** All places of all mirrors of the config and of portals. */
  places (): Place[]
  /** Those whose mirrors say after how many days messages are forgotten. */
  retained (): { place: Place, days: number }[]
}

/** The keys of the people whose own thread this place is; none for a room. */
export const peopleAt = (where: MirrorPlace): string[] =>
  Object.keys(where.people ?? {}).map(id => addressKey({ network: where.place.network, id }))

/** For a network that is no longer in the config but still in the store. Nothing is sent there. */
const gone = (network: NetworkName): Capabilities => ({
  label: network, ghosts: false, formatting: false, files: 'text', captions: false, edits: false, deletions: false, replies: false, reactions: 'none',
  profiles: false, textBytesMax: Infinity, window: 1, afterCrash: 'park', giveUpAfterMs: 0
})

interface Remembered {
  blocked: string[]; standings: [string, string][]; called: [string, string][]; profiles: [string, string][]; expelled: [string, string][]
  restored?: [string, string][]; joined?: Map<string, number>
}

export interface DirectoryParts {
  mirrors: Mirror[]
  remembered: Remembered
  can: ReadonlyMap<NetworkName, Capabilities>
  links: Pick<Links, 'token' | 'part' | 'url' | 'login'>
  language: Language
  teams: Teams
  directs: Directs
  codes: Codes
}

export const makeDirectory = ({ mirrors, remembered, can, links, language, teams, directs, codes }: DirectoryParts): Directory => {
  const byPlace = new Map(mirrors.flatMap(mirror => mirror.places.map(here => [addressKey(here.place), { mirror, here }])))
  const threads = new Map<string, Place[]>()
  for (const { here } of byPlace.values()) {
    for (const person of peopleAt(here)) threads.set(person, [...threads.get(person) ?? [], here.place])
  }
  const blocked = new Set(remembered.blocked)
  const joined = remembered.joined ?? new Map<string, number>()
  let opened = mirrors.filter(({ isPortal }) => isPortal === true).length
  const standings = new Map(remembered.standings as [string, Standing][]) // by place; only places that are not `in`
  return {
    links, teams, directs, codes, labels: [...can.values()].map(({ label }) => label), carriedBefore: carriedBefore(remembered.restored ?? []),
    namesakes: makeNamesakes(remembered.called), textsAt: place => TEXTS[teams.languageAt(place) ?? language],
    profiles: makeProfiles(remembered.profiles), expelled: makeExpulsions(remembered.expelled),
    mayTell: (where, failed) => !teams.isContacts(where) && !teams.isTeams(failed),
    can: network => can.get(network) ?? gone(network),
    mirrorAt: place => byPlace.get(addressKey(place)) ?? directs.mirrorAt(place),
    threadsOf: person => [...threads.get(person) ?? [], ...directs.placesOf(person)],
    isBlocked: person => blocked.has(person),
    block: person => { blocked.add(person) },
    unblock: person => { blocked.delete(person) },
    standing: place => standings.get(addressKey(place)) ?? 'in',
    isOpen (place) {
      const standing = standings.get(addressKey(place)) ?? 'in'
      return standing === 'in' || standing === 'sealed'
    },
    stand (place, standing) {
      if (standing === 'in') standings.delete(addressKey(place))
      else standings.set(addressKey(place), standing)
    },
    open (mirror, since) {
      if (mirror.isPortal === true) opened++
      for (const here of mirror.places) {
        byPlace.set(addressKey(here.place), { mirror, here })
        joined.set(addressKey(here.place), since)
      }
    },
    wasIn: (place, at, now) => wasIn(joined, place, at, now),
    portals: () => opened,
    places: () => [...byPlace.values()].map(({ here }) => here.place),
    retained: () => [...byPlace.values()].flatMap(({ mirror: { retentionDays: days }, here: { place } }) =>
      days === undefined ? [] : [{ place, days }])
  }
}
