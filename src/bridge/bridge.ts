/** Joins the steps: accept ▶ route ▶ deliver ▶ receipt. Starts and stops them in an order that loses nothing. */
import type { FunctionAddress } from '../desk/address'
import { identitiesOn, readDesk, renewDesk } from '../desk/desk'
import type { DeskMemory } from '../desk/memory'
import { makeDeskReceive, type DeskReceive } from '../desk/receive'
import type { Chance } from '../lib/chance'
import { deadline, steady, type Clock, type Timer } from '../lib/clock'
import type { Log } from '../lib/log'
import { addressKey, type NetworkName, type Place } from '../model/address'
import type { Delivery } from '../model/message'
import type { Inbox, Media, Memory, Network } from '../model/network'
import { makeCodes, type MaskedText } from '../plan/codes'
import { makeDirectory, type Directory, type Mirror } from '../plan/directory'
import type { Links } from '../plan/links'
import { type DirectRules, type Directs, DIRECTS, makeDirects, readChat } from '../plan/directs'
import { EXPELLED } from '../plan/expelled'
import { join, joinAll, PARTED } from '../plan/joined'
import { CALLED } from '../plan/namesakes'
import { PORTALS, type PortalRules, portalsBefore } from '../plan/portals'
import { PROFILES } from '../plan/profiles'
import { RESTORED } from '../plan/restored'
import type { Language } from '../plan/texts'
import type { Head } from '../store/desk'
import type { QuarantineRow, QueueRow, Store, OutboxState, Tx, UnroutedRow } from '../store/store'
import { makeAccept } from './accept'
import { makeBesides } from './beside'
import { STANDINGS } from './apply'
import { makeDeliver, type Deliver } from './deliver'
import { ERASING, type Erasing, makeErasing } from './erasing'
import { forgetOld, makeForgetting, makePruning } from './forgetting'
import { makeMembers } from './members'
import type { Observer } from './observer'
import { makeNewcomers } from './newcomers'
import { makeParting } from './parting'
import { makeSignals } from './signals'
import { makeMovedPortals } from './moved-portals'
import { makePortals } from './portals'
import { makeMemory } from './world'

export interface BridgeOptions {
  networks: Network[]
  mirrors: Mirror[]
  addresses?: FunctionAddress[] | undefined
  directChats?: DirectRules | undefined // absent: there are none
  portals?: PortalRules | undefined // the same
  memories?: ReadonlyMap<NetworkName, Memory> | undefined // of the networks
  store: Store
  links: Links
  open?: Media['open'] // tries what is behind links; absent: nothing does
  language: Language
  observer: Observer
  clock: Clock
  chance: Chance
  log: Log
  limits: { queueMax: number, linkMs: number, keepMs: number, drainMs: number }
  /** We contradict ourselves: the process must stop and start again. */
  bug (error: unknown): void
}

/** The operator's view of single deliveries and arrivals, and what they may do with them. */
export interface Queue {
  list (state: OutboxState): Promise<QueueRow[]>
  show (id: number): Promise<QueueRow | undefined>
  /** Tries a failed or unknown delivery again, as if it had just been queued. False if there is none. */
  retry (id: number): Promise<boolean>
  /** Ends a waiting, failed or unknown delivery for good. False if there is none. */
  drop (id: number): Promise<boolean>
  unrouted (): Promise<UnroutedRow[]>
  unroutedAt (seq: number): Promise<UnroutedRow | undefined>
  quarantined (): Promise<QuarantineRow[]>
  quarantinedAt (id: number): Promise<QuarantineRow | undefined>
  dropQuarantined (id: number): Promise<boolean>
}

export interface Bridge {
  start (): Promise<void>
  /** Goes on with what the config now says of these addresses, which are called as before, and opens these mirrors, whose places are in none. */
  renew (addresses: FunctionAddress[], mirrors: Mirror[]): Promise<void>
  /** Stops intake, gives sends under way `drainMs` to finish, and leaves the rest in the store. The store stays open. */
  stop (): Promise<void>
  readonly queue: Queue
  readonly desk: { memory: DeskMemory, order: DeskReceive['order'] }
  readonly erasing: Pick<Erasing, 'erase' | 'receipt' | 'receipts'>
  /** The texts that came masked in mirrors, or concerned nobody; each is given once. */
  codes (): MaskedText[]
  places (): Place[]
}

const LIST_ROWS_MAX = 500
const SEAL_DIGITS = 16 // digits of a seal that are enough to name it
const SERVE_EVERY_MS = 60_000

/** The queue. `changed` tells a running bridge. */
export const makeQueue = (store: Store, clock: Clock, changed: Deliver['changed']): Queue => ({
  list: state => store.run(tx => tx.list(state, LIST_ROWS_MAX)),
  show: id => store.run(tx => tx.show(id)),
  async retry (id) {
    const again = await store.run(tx => tx.retry(id, clock.now()))
    if (again !== undefined) changed(again, 1)
    return again !== undefined
  },
  async drop (id) {
    const dropped = await store.run(tx => tx.drop(id, clock.now()))
    if (dropped !== undefined) changed(dropped, dropped.waited ? -1 : 0)
    return dropped !== undefined
  },
  unrouted: () => store.run(tx => tx.unrouted(LIST_ROWS_MAX)),
  unroutedAt: seq => store.run(tx => tx.unroutedAt(seq)),
  quarantined: () => store.run(tx => tx.quarantined(LIST_ROWS_MAX)),
  quarantinedAt: id => store.run(tx => tx.quarantinedAt(id)),
  dropQuarantined: id => store.run(tx => tx.dropQuarantined(id))
})

const directsOf = ({ directChats: rules, networks }: BridgeOptions, remembered: [string, string][], desk: DeskMemory): Directs => {
  const namings = new Map(networks.map(({ name, naming }) => [name, naming]))
  return makeDirects({
    rules, namings, remembered: remembered.map(([, chat]) => readChat(chat)),
    isOurs: person => namings.get(person.network)?.isOurs(person.id) === true || desk.roster.called(person) !== undefined
  })
}

const readDirectory = async (options: BridgeOptions, desk: DeskMemory): Promise<Directory> => {
  const { store, links, language, networks, log, clock, portals: rules } = options
  const can = new Map(networks.map(network => [network.name, network.can]))
  const namings = new Map(networks.map(({ name, naming }) => [name, naming]))
  const { chats, portals, parted, ...remembered } = await store.run(async tx => {
    const portals = portalsBefore((await tx.remembered(PORTALS)).map(([name]) => name), rules, namings, options.mirrors)
    return {
      blocked: await tx.blocked(), standings: await tx.remembered(STANDINGS), called: await tx.remembered(CALLED),
      profiles: await tx.remembered(PROFILES), expelled: await tx.remembered(EXPELLED), chats: await tx.remembered(DIRECTS),
      restored: await tx.remembered(RESTORED), joined: await joinAll(tx, [...options.mirrors, ...portals.mirrors], portals, clock.now()), portals,
      parted: await tx.remembered(PARTED)
    }
  })
  for (const { asked } of portals.ended) log.warn({ portal: addressKey(asked) }, 'not allowed any more: a portal has ended')
  const ended = new Set(portals.ended.flatMap(({ here, there }) => [addressKey(here), addressKey(there)]))
  for (const [place] of parted) if (!ended.has(place)) log.warn({ place }, 'in no mirror any more; soon people there are told, and we leave')
  const mirrors = [...options.mirrors, ...portals.mirrors]
  return makeDirectory({
    mirrors, remembered, can, links, language, teams: desk, directs: directsOf(options, chats, desk), codes: makeCodes(steady(clock))
  })
}

/** `told`: addresses have changed. `settled`: resolves when no place is being left. */
interface Renewing { told (): void; settled (): Promise<void> }

const makeRenew = ({ store, networks, clock }: BridgeOptions, desk: DeskMemory, directory: Directory, { told, settled }: Renewing): Bridge['renew'] =>
  async (addresses, mirrors) => {
    await renewDesk(addresses, desk, store)
    told()
    for (const mirror of mirrors) directory.open(mirror, await store.run(tx => join(tx, mirror, clock.now())))
    await settled()
    for (const network of networks) {
      const places = mirrors.flatMap(mirror => mirror.places.map(({ place }) => place)).filter(place => place.network === network.name)
      if (places.length > 0) network.attend(places)
    }
  }

/** Puts the last seal into the log, which somebody who can write the database cannot change. It exposes a logbook that was rewritten. */
const makeTellHead = (log: Log) => {
  let told: string | undefined
  return (head: Head | undefined): void => {
    if (head === undefined || head.seal === told) return
    told = head.seal
    log.info({ line: head.line, seal: head.seal.slice(0, SEAL_DIGITS) }, 'logbook')
  }
}

const atStart = async (tx: Tx): Promise<{ head: Head | undefined, orders: [string, string][], parted: [string, string][] }> =>
  ({ head: await tx.desk.head(), orders: await tx.remembered(ERASING), parted: await tx.remembered(PARTED) })

/** Throws if the store cannot be read. */
export const makeBridge = async (options: BridgeOptions): Promise<Bridge> => {
  const { store, clock, log, limits, observer } = options
  const aging = steady(clock)
  const networks = new Map(options.networks.map(network => [network.name, network]))
  const desk = await readDesk(options.addresses ?? [], options.networks, store, log)
  const directory = await readDirectory(options, desk)
  const signals = makeSignals({ networks, directory, desk, store, clock, placesOf: person => members.placesOf(person) })
  const members = makeMembers({ networks, directory, store, clock, newcomer: place => newcomer(place) })
  const current = (delivery: Delivery): Delivery => directory.codes.filled(members.current(delivery))
  const deliver = makeDeliver({ ...options, clock: aging, networks, directory, desk, linkMs: limits.linkMs, drained: signals.drained, current })
  const newcomer = makeNewcomers({ store, directory, deliver, clock, aging })
  const accept = makeAccept({
    store, directory, desk, deliver, observer, clock, aging, limits,
    changed (change) {
      if (change.what === 'save') own.changed()
      if (change.what === 'duty' || change.what === 'team') serve()
      if (change.what === 'team') own.team(change.change.address)
    }
  })
  const own = makeDeskReceive({
    ...options, inbox: accept, memory: desk, remembered: await makeMemory(store, 'desk'),
    seals: network => networks.get(network)?.can.sealsRooms === true
  })
  const up = new Map<string, boolean>() // by connection, a fixed few

  const inbox: Inbox = {
    ...accept,
    async accept (arrival, unmasked) {
      signals.spoken(arrival)
      return members.after(arrival, await accept.accept(arrival, unmasked))
    },
    signal: signals.take, presence: signals.presence, members: members.take, wantsMembers: members.wants, besides: makeBesides(directory),
    allowsEncrypted: place => directory.mirrorAt(place)?.mirror.allowsEncrypted === true,
    ghostOf: directory.directs.ghostOf, ...makePortals({ ...options, rules: options.portals, networks, directory }),
    admits: (theirs, ours, begins) => directory.directs.admits(theirs, ours, clock.now(), begins),
    connection (network, name, isUp, detail, isReady) {
      const before = up.get(`${network} ${name}`)
      up.set(`${network} ${name}`, isUp)
      observer.connection(network, name, isUp, detail, isReady)
      if (before !== isUp) log.info({ network, link: name, up: isUp, detail }, isUp ? 'link up' : 'link down')
      if (isUp) { deliver.wake(network); void movedPortals.tell() }
    }
  }

  /** Tells each network who we are there, if that has changed: presence depends on the hours and on who is on duty. */
  const served = new Map<NetworkName, string>()
  let serving: Timer | undefined
  const serve = (): void => {
    serving?.cancel()
    for (const network of networks.values()) {
      const identities = identitiesOn(network.name, desk, clock)
      const shape = JSON.stringify(identities, (_, value: unknown) => value instanceof Uint8Array ? value.length : value)
      if (shape === (served.get(network.name) ?? '[]')) continue
      served.set(network.name, shape)
      network.serve(identities)
    }
    if (desk.roster.all().length > 0) serving = clock.after(SERVE_EVERY_MS, serve)
  }

  const movedPortals = makeMovedPortals({ rules: options.portals, networks, directory, store, log })
  const forgetting = makeForgetting({ store, networks, desk, log })
  const parting = makeParting({ store, networks, directory, deliver, clock, aging, log })
  const queue = makeQueue(store, aging, deliver.changed)
  const erasing = makeErasing({
    ...options, memories: options.memories ?? new Map(), networks, directory, desk, deliver, forgetting, members, aging, drop: queue.drop
  })
  const tellHead = makeTellHead(log)
  const pruning = makePruning(clock, log, async () => {
    const { most, gone, head } = await store.run(async tx => {
      const { most, gone } = await forgetOld(tx, { desk, directory }, limits.keepMs, aging.now())
      await forgetting.note(tx, gone)
      return { most, gone, head: await tx.desk.head() }
    })
    for (const conversation of gone) desk.forget(conversation)
    void forgetting.tell()
    tellHead(head)
    return most
  })

  const attendances = (network: NetworkName): Place[] =>
    [...directory.places(), ...desk.places()].filter(place => place.network === network)

  return {
    async start () {
      const { head, orders, parted } = await store.run(atStart)
      tellHead(head)
      if (parted.length > 0) await parting.start()
      await deliver.start()
      serve()
      for (const network of networks.values()) network.attend(attendances(network.name))
      await Promise.all([...networks.values()].map(network => network.start(inbox)))
      own.start()
      members.start()
      void forgetting.tell()
      erasing.start(orders)
      pruning.start() // not at once: old rows recognise what networks bring again
    },
    renew: makeRenew(options, desk, directory, { told () { own.start(); serve() }, settled: parting.settled }),
    async stop () {
      pruning.stop()
      serving?.cancel()
      own.stop()
      signals.stop()
      erasing.stop()
      parting.stop()
      members.stop()
      directory.codes.stop()
      accept.close()
      const { signal, done } = deadline(clock, limits.drainMs)
      await Promise.all([deliver.stop(signal), ...[...networks.values()].map(network => network.stop())])
      done()
    },
    desk: { memory: desk, order: own.order }, queue, erasing,
    codes: () => directory.codes.take(({ place, isUnrouted }) => isUnrouted || directory.mirrorAt(place) !== undefined),
    places: directory.places
  }
}
