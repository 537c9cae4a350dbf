/** An inbox in memory: keeps arrivals, drops those that it has seen or that come from places that have sent us out. A test can wait for them. */
import { Unavailable, type Malformed } from '../../src/model/errors'
import { addressKey, type Person, type Place } from '../../src/model/address'
import type { MemberNews } from '../../src/model/members'
import type { Arrival, ProfileArrival, Sender, StandingArrival } from '../../src/model/message'
import type { Answered, Beside, Inbox } from '../../src/model/network'
import type { SignalIn } from '../../src/model/signal'

export interface TestInbox extends Inbox {
  readonly arrivals: Arrival[] // without those about places
  readonly profiles: ProfileArrival[]
  readonly signals: SignalIn[]
  readonly present: Map<string, string> // by the sender's id: `away: at lunch`
  readonly standings: StandingArrival[]
  readonly quarantined: { raw: string, why: Malformed }[]
  readonly connections: Map<string, boolean>
  readonly ready: Map<string, boolean> // whether these keep the network from counting as reached
  answered: Answered // by what is asked
  wants: boolean // to know who is where
  mayBeEncrypted: boolean // all places
  beside: Beside[] // what each place is connected with
  readonly there: Map<string, Map<string, Sender>> // by place, then by the sender's id
  readonly news: MemberNews[]
  /** The names of all who are at a place. */
  names (place: Place): string[]
  refusing: Error | undefined // while set, nothing can be stored
  admitting: (theirs: Person, ours: string) => boolean
  readonly crowded: Set<string> // ids of places from which nothing more can be stored
  /** What was accepted is so old that nothing is known of it any more. */
  forget (): void
  /** Resolves when `holds` says yes, asked after each thing that happens. Throws after `limitMs`. */
  until (what: string, holds: () => boolean, limitMs?: number): Promise<void>
}

export const makeInbox = (): TestInbox => {
  const keys = new Set<string>()
  const newest = new Map<string, string>()
  const watchers = new Set<() => void>()
  const tell = (): void => { for (const watcher of [...watchers]) watcher() }
  const inbox: TestInbox = {
    arrivals: [], profiles: [], signals: [], present: new Map(), standings: [], quarantined: [], connections: new Map(), ready: new Map(),
    refusing: undefined, crowded: new Set(),
    wants: false, mayBeEncrypted: false, there: new Map(), news: [],
    admitting: () => false, admits: (theirs, ours) => inbox.admitting(theirs, ours),
    mayAsk: () => false, portal: async () => undefined,
    ghostOf: (network, written) => written.startsWith('@') ? `ghost of ${written} on ${network}` : undefined,
    answered: { text: 'Anna hat #17 übernommen.', done: true },
    async accept (arrival) {
      if (inbox.refusing) throw inbox.refusing
      if (inbox.crowded.has(arrival.place.id)) throw new Unavailable('crowded', { crowded: true })
      const key = `${addressKey(arrival.place)} ${arrival.key}`
      const last = inbox.standings.filter(one => addressKey(one.place) === addressKey(arrival.place)).at(-1)
      if (keys.has(key) || (last?.standing === 'out' && arrival.kind !== 'standing')) return 'seen'
      keys.add(key)
      if (arrival.kind === 'standing') inbox.standings.push(arrival)
      else if (arrival.kind === 'profile') inbox.profiles.push(arrival)
      else {
        newest.set(addressKey(arrival.place), arrival.key)
        inbox.arrivals.push(arrival)
      }
      tell()
      return 'stored'
    },
    ask: async arrival => { await inbox.accept(arrival); return inbox.answered },
    signal (signal) { inbox.signals.push(signal); tell() },
    presence ({ id }, { is, status }) {
      inbox.present.set(id, status === '' ? is : `${is}: ${status}`)
      tell()
    },
    wantsMembers: () => inbox.wants,
    allowsEncrypted: () => inbox.mayBeEncrypted,
    beside: [],
    besides: () => inbox.beside,
    members (place, news) {
      const there = inbox.there.get(place.id) ?? new Map<string, Sender>()
      inbox.there.set(place.id, there)
      inbox.news.push(news)
      if (news.kind === 'all') there.clear()
      if (news.kind === 'went') there.delete(news.id)
      for (const one of news.kind === 'all' ? news.members : news.kind === 'came' ? [news.member] : []) there.set(one.id, one)
      tell()
    },
    names: place => [...inbox.there.get(place.id)?.values() ?? []].map(({ name }) => name).sort(),
    cases: async () => [{ value: '17', label: '#17 Eva' }],
    async quarantine (_network, raw, why) { inbox.quarantined.push({ raw, why }); tell() },
    async lastKey (place: Place) { return newest.get(addressKey(place)) },
    forget () { keys.clear(); newest.clear() },
    connection (_network, name, up, _detail, ready = up) { inbox.connections.set(name, up); inbox.ready.set(name, ready); tell() },
    until: (what, holds, limitMs = 60_000) => new Promise((resolve, reject) => {
      const look = (): void => { if (holds()) { over(); resolve() } }
      const timer = setTimeout(() => { over(); reject(new Error(`${what}: not within ${limitMs} ms`)) }, limitMs)
      const over = (): void => { clearTimeout(timer); watchers.delete(look) }
      watchers.add(look)
      look()
    })
  }
  return inbox
}
