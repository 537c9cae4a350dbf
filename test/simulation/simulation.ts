/**
 * One seed: a town, people who talk, the whole bridge between them on a real database, and bad weather. Then the weather clears, and
 * the auditor judges. Everything runs in one process and in simulated time, so the same seed is the same story.
 *
 * To add another kind of work with its own promises, add it to WORKLOADS.
 */
import { createHash } from 'node:crypto'
import { tmpdir } from 'node:os'
import { existsSync } from 'node:fs'
import type { Postgres } from '../../sandbox/servers/postgres'
import type { Observer } from '../../src/bridge/observer'
import type { FunctionAddress } from '../../src/desk/address'
import { makeAuditor, type Auditor, type Violation } from './auditor'
import { makeCrowd, type Crowd } from './crowd'
import { makeDesk, type Desk } from './desk'
import { makeDeskAuditor, type DeskAuditor } from './desk-auditor'
import { DIRECT_RULES, makeFriends, type Friends } from './directs'
import { makeDatabase, makeServed, type Database } from './database'
import { makeDisk, type Disk } from './disk'
import { makeGateway } from './gateway'
import { makeGroupchat } from './groupchat'
import { makeHomeserver } from './homeserver'
import { inspect, looking } from './inspect'
import { makeModeration, type Moderation } from './moderation'
import { makeMachine, type Machine } from './machine'
import { makeOperator, type Operator } from './operator'
import { makeRandom } from './random'
import { makeReacting, type Reacting } from './reactions'
import { makeTimeline } from './timeline'
import { makeTalk, makeTown, type Mouth, type Talk, type Town } from './town'
import { makeWeather, type GreatFault } from './weather'
import type { Server, World } from './world'

const MINUTE_MS = 60_000
const HOUR_MS = 60 * MINUTE_MS
const YEAR_MS = 365 * 24 * HOUR_MS
const EPOCH_MS = Date.UTC(2026, 0, 1)
/** How long after the last fault everything must have ended: pauses of lanes, sources that try again, receipts that are late. */
const QUIET_MS = 2 * HOUR_MS
/**
 * Pruning, presence, due cases, who is there; for Matrix the check every ten minutes; for XMPP the check of its rooms, the link's ping, the
 * bookmarks, and each room that lets us in no more; for SMS the link's enquiry, twice if one link sends and another receives.
 */
const TIMERS_MAX = 12
/** How long a periodic request may be under way. */
const ASKED_MS = 30_000
/** More violations than this teach nothing about a seed. */
const VIOLATIONS_MAX = 20
const MEMORY = '/dev/shm'
/** How often there are malicious outsiders, where there are function addresses. */
const TROUBLED = 0.7
/** After so much good weather everything late has arrived. */
const RESTED_MS = 80 * MINUTE_MS
const EXPELS = 'sends the bot out'
/** A message that comes so soon after an automatic text may be automatic itself. */
const ECHO_MS = 5500

/** So long after a moderator has put them out, they notice. */
const SULK_MS = 10_000
/** One seed in so many has function addresses. The others keep their old stories. */
const DESK_EVERY = 3
/** In one of so many of those seeds, people write to them over XMPP too. */
const CHATS_EVERY = 2
/** In one of so many seeds, who is in a room is shown in the others. */
const CROWD_EVERY = 2
/** In one of so many seeds, moderators act. */
const MODERATED_EVERY = 4
/** In one of so many seeds, people write to each other one to one. */
const FRIENDS_EVERY = 4
/** In one of so many seeds, the store is slow. */
const SLOW_EVERY = 5

export const hasAddresses = (seed: number): boolean => seed % DESK_EVERY === DESK_EVERY - 1
export const hasCrowd = (seed: number): boolean => seed % CROWD_EVERY === 0
export const hasModerators = (seed: number): boolean => seed % MODERATED_EVERY === 1
export const hasFriends = (seed: number): boolean => seed % FRIENDS_EVERY === FRIENDS_EVERY - 1
export const isSlow = (seed: number): boolean => seed % SLOW_EVERY === SLOW_EVERY - 1
export const hasChats = (seed: number): boolean => hasAddresses(seed) && seed % CHATS_EVERY === 0
/** In one of so many of those, contacts there have apps that encrypt. */
const OMEMO_EVERY = 4
export const hasOmemo = (seed: number): boolean => hasChats(seed) && seed % OMEMO_EVERY === 0
/** In the others, contacts encrypt their chats on Matrix. */
export const hasSealed = (seed: number): boolean => hasAddresses(seed) && !hasChats(seed)

export interface Outcome {
  seed: number
  violations: Violation[]
  faults: ReadonlyMap<string, number>
  settled: ReadonlyMap<string, number>
  counts: Auditor['counts']
  doubles: Auditor['doubles']
  hours: number // of simulated time
  trace: string[]
  hash: string // of the trace
}

interface Stage {
  seed: number; badMs: number; world: World; town: Town; servers: Server[]; machine: Machine; disk: Disk; wall: { offset: number }
  desk: { people: Desk, auditor: DeskAuditor, operator: Operator } | undefined
  talk: Talk
  reacting: Reacting
  crowd: Crowd | undefined
  moderation: Moderation | undefined
  friends: Friends | undefined
}

/** Makes people act during the bad weather. Each workload plans its own deeds; the auditor judges its promises. */
type Workload = (stage: Stage) => void

const speakingOn = (servers: () => Server[]): Mouth => (by, text, said) => {
  servers().find(({ name }) => name === by.place.network)!.say(by, text, said)
}

const mirrored: Workload = ({ badMs, world: { random, timeline }, talk }) => {
  const deeds = 30 + random.below(90)
  for (let planned = 0; planned < deeds;) {
    const at = random.between(0, badMs)
    const many = random.happens(0.3) ? 1 + random.below(20) : 1
    for (let one = 0; one < many; one++, planned++) timeline.after(at + random.between(0, many * 100), talk.any)
  }
}

const answered: Workload = ({ badMs, world: { random, timeline }, desk }) => {
  if (desk === undefined) return
  for (let left = 5 + random.below(25); left > 0; left--) timeline.after(random.between(0, badMs), desk.people.ask)
}

/** An outsider does something to one of the mirrored places. */
const mischief = ({ world: { random, note }, servers, town }: Stage, but?: string): void => {
  const all = servers.flatMap(({ name, mischief = {} }) => town.placesOf(name).length === 0 ? [] : Object.entries(mischief)
    .filter(([what]) => what !== but).map(([what, deed]) => ({ what, deed, name })))
  if (all.length === 0) return
  const { what, deed, name } = random.pick(all)
  const place = random.pick(town.placesOf(name))
  if (deed(place)) note(`an outsider at ${place.id} ${what}`)
}

/** Addresses leave the config and come back, in good weather too. None comes back so soon that an answer looks like an echo. */
const reconfigured: Workload = ({ badMs, world: { random, timeline, note }, desk, machine }) => {
  if (desk === undefined || !desk.operator.isBusy) return
  for (let left = 1 + random.below(4); left > 0; left--) {
    timeline.after(random.between(0, badMs + MINUTE_MS), () => machine.stop(() => {
      note(`the operator ${desk.operator.edit(desk.auditor.isKnown)}`)
      timeline.after(random.between(ECHO_MS, MINUTE_MS), machine.start)
    }))
  }
}

/** Outsiders act in the storm, and again in good weather when all is at rest. Then nobody else may notice them. */
const troubled: Workload = stage => {
  const { badMs, world: { random, timeline }, desk, talk } = stage
  if (desk === undefined || !random.happens(TROUBLED)) return
  for (let left = random.below(12); left > 0; left--) timeline.after(random.between(0, badMs), () => mischief(stage))
  for (let left = random.below(5); left > 0; left--) timeline.after(random.between(0, badMs), desk.people.intrude)
  for (let left = random.below(6); left > 0; left--) {
    timeline.after(badMs + RESTED_MS + random.between(0, MINUTE_MS), () => {
      mischief(stage, EXPELS)
      for (let more = 1 + random.below(4); more > 0; more--) timeline.after(random.between(0, 2000), () => talk.any(true))
    })
  }
}

/** By a chance of its own, so that nothing else changes. */
const reacted: Workload = ({ badMs, world: { timeline }, reacting, seed }) => {
  const random = makeRandom(seed + 2 ** 34)
  for (let left = random.below(60); left > 0; left--) timeline.after(random.between(0, badMs), reacting.react)
}

const crowded: Workload = ({ badMs, world: { timeline }, crowd, seed }) => {
  const random = makeRandom(seed + 2 ** 36)
  if (crowd !== undefined) for (let left = random.below(60); left > 0; left--) timeline.after(random.between(0, badMs), crowd.move)
}

const moderated: Workload = ({ badMs, world: { timeline }, moderation, seed }) => {
  const random = makeRandom(seed + 2 ** 38)
  if (moderation !== undefined) for (let left = 5 + random.below(20); left > 0; left--) timeline.after(random.between(0, badMs), moderation.act)
}

const direct: Workload = ({ badMs, world: { timeline }, friends, seed }) => {
  const random = makeRandom(seed + 2 ** 40)
  if (friends !== undefined) for (let left = 5 + random.below(30); left > 0; left--) timeline.after(random.between(0, badMs), friends.write)
}

const WORKLOADS: Workload[] = [mirrored, answered, troubled, reconfigured, reacted, crowded, moderated, direct]

/** Ends a fault after `ms`, unless the bad weather ends first, which ends all faults at once. */
const lasting = ({ badMs, world: { timeline } }: Stage, ms: number, end: () => void): void => {
  if (timeline.ms + ms < badMs) timeline.after(ms, end)
}

const partition = (stage: Stage, forMs: number): void => {
  const { world: { random, weather, note }, servers } = stage
  const server = random.pick(servers)
  weather.happened(`partition ${server.name}`)
  note(`${server.name} cannot be reached for ${Math.round(forMs / 1000)} s`)
  server.cut(true)
  lasting(stage, forMs, () => server.cut(false))
}

const jump = ({ random }: World): number => random.pick([1, -1]) * random.pick([HOUR_MS * random.fraction() * 2, YEAR_MS * random.fraction() * 10])

const GREAT: Record<GreatFault, (stage: Stage) => void> = {
  crash: ({ world: { random }, machine }) => machine.doom(1 + random.below(random.pick([5, 50, 500]))),
  'power cut': ({ world: { random, weather }, disk, machine }) => disk.expect('power cut', 1 + random.below(20), how => {
    weather.happened('power cut')
    machine.kill(`power cut ${how}`)
  }),
  'disk error': ({ world: { random, weather, note }, disk }) => disk.expect('disk error', 1 + random.below(20), how => {
    weather.happened('disk error')
    note(`process: disk error ${how}`)
  }),
  unreadable: ({ world: { random, weather, note }, disk }) => disk.misread(1 + random.below(200), () => {
    weather.happened('unreadable')
    note('process: a statement cannot read the disk')
  }),
  'stop and start': ({ world: { weather }, machine }) => {
    weather.happened('stop and start')
    machine.stop()
  },
  partition: stage => partition(stage, stage.world.random.between(100, 10 * MINUTE_MS)),
  'long outage': stage => partition(stage, stage.world.random.between(0.25 * HOUR_MS, 30 * HOUR_MS)),
  'slow peer' (stage) {
    const { world: { random, weather }, servers } = stage
    const server = random.pick(servers)
    weather.happened(`slow ${server.name}`)
    server.slow(random.pick([20, 200, 3000]))
    lasting(stage, random.between(1000, 5 * MINUTE_MS), () => server.slow(1))
  },
  'homeserver restart' ({ world: { weather, note }, servers }) {
    weather.happened('homeserver restart')
    note('the homeserver is started anew')
    for (const server of servers) server.restart?.()
  },
  'clock jump' ({ world, wall }) {
    world.weather.happened('clock jump')
    wall.offset += jump(world)
    world.auditor.outs.doubt()
    world.note(`process: the clock is off by ${Math.round(wall.offset / 1000)} s`)
  }
}

const observing = (settled: Map<string, number>): Observer => ({
  accepted () {}, quarantined () {}, retried () {}, receipt () {}, connection () {},
  settled (network, outcome) { settled.set(`${network} ${outcome}`, (settled.get(`${network} ${outcome}`) ?? 0) + 1) }
})

const makeStage = (seed: number, trace: string[], settled: Map<string, number>, database?: Database): Stage => {
  const random = makeRandom(seed)
  const timeline = makeTimeline(() => disk.atRest())
  const town = makeTown(random)
  const weather = makeWeather(random, makeRandom(seed + 2 ** 32))
  const wall = { offset: 0, epoch: EPOCH_MS }
  const people = hasAddresses(seed)
    ? makeDesk(makeRandom(-seed), { network: hasSealed(seed) ? 'matrix' : 'xmpp', encrypts: hasOmemo(seed) },
        (ms, run) => { timeline.after(ms, run) }, speakingOn(() => servers))
    : undefined
  const mirrors = makeAuditor(town.mirrors, () => timeline.ms)
  const operator = people && makeOperator(makeRandom(-seed - 2 ** 32), people.addresses)
  const desk = people && operator && {
    people, operator, auditor: makeDeskAuditor(mirrors, people, operator.configs, () => timeline.ms)
  }
  const others = desk?.auditor ?? mirrors
  const isForgetful = (): boolean => weather.counts.has('never pushed')
  const friends = hasFriends(seed) ? makeFriends(makeRandom(seed + 2 ** 41), others, speakingOn(() => servers), isForgetful) : undefined
  const auditor = friends?.auditor ?? others
  const note = (text: string): void => { trace.push(`${(timeline.ms / 1000).toFixed(3)} ${text}`) }
  const world: World = { timeline, random, weather, auditor, epoch: EPOCH_MS, note }
  const folder = existsSync(MEMORY) ? MEMORY : tmpdir()
  const disk = database ? makeServed(random, timeline, folder, database) : makeDisk(random, folder)
  const addresses = people?.addresses ?? []
  const seals = hasSealed(seed) ? makeRandom(seed + 2 ** 42) : undefined
  const apps = hasOmemo(seed) ? makeRandom(seed + 2 ** 43) : undefined
  const servers: Server[] = [makeHomeserver(world, town, addresses, seals), makeGroupchat(world, apps), makeGateway(world, town, addresses)]
  const queueMax = random.happens(0.3) ? 10 + random.below(100) : 100_000
  const configured = (): FunctionAddress[] => operator?.start(disk) ?? []
  const directChats = friends && DIRECT_RULES
  const slowness = isSlow(seed) ? makeRandom(seed + 2 ** 44) : undefined
  const machine = makeMachine({ world, disk, town, servers, wall, observer: observing(settled), queueMax, configured, directChats, slowness })
  const long = weather.coming.some(({ fault }) => fault === 'long outage')
  const badMs = long ? random.between(1, 30) * HOUR_MS : random.between(1, 30) * MINUTE_MS
  const reacting = makeReacting(town, makeRandom(seed + 2 ** 35), () => servers, auditor, () => timeline.ms)
  const crowd = hasCrowd(seed) ? makeCrowd(town, makeRandom(seed + 2 ** 37), () => servers, auditor) : undefined
  const moderation = hasModerators(seed) ? makeModeration(town, makeRandom(seed + 2 ** 39), () => servers, auditor, by => {
    timeline.after(SULK_MS, () => talk.sulk(by))
  }) : undefined
  const speak = speakingOn(() => servers)
  const talk = makeTalk(town, random, makeRandom(seed + 2 ** 33), (by, text, said) => {
    reacting.heard(said)
    crowd?.heard(by, said)
    moderation?.heard(said)
    speak(by, text, said)
  })
  return { seed, reacting, crowd, moderation, friends, badMs, world, town, desk, servers, machine, disk, wall, talk }
}

/** Plays bad weather, then good weather until nothing moves any more, or until one of the invariants `sought` is broken. */
const play = async (stage: Stage, sought: readonly string[]): Promise<void> => {
  const { badMs, world: { timeline, weather, auditor, note }, machine, servers, disk, desk } = stage
  machine.start()
  await disk.atRest()
  for (const workload of WORKLOADS) workload(stage)
  for (const { fault, share } of weather.coming) timeline.after(share * badMs, () => GREAT[fault](stage))
  const over = (): boolean => auditor.violations.length > VIOLATIONS_MAX || auditor.violations.some(({ invariant }) => sought.includes(invariant))
  while (timeline.ms < badMs && !over()) if (!await timeline.next()) break
  weather.clear(timeline.ms)
  for (const server of servers) { server.cut(false); server.slow(1) }
  disk.calm()
  machine.calm()
  note('the weather clears')
  const quiet = timeline.ms + QUIET_MS
  const end = (): number => Math.max(quiet, ...servers.map(({ lateUntil = 0 }) => lateUntil))
  const still = (): boolean => machine.up && machine.timers <= TIMERS_MAX && servers.every(({ waiting }) => waiting === 0)
  while ((timeline.ms < end() || (!still() && timeline.ms < end() + ASKED_MS)) && !over()) if (!await timeline.next()) break
  if (over()) return
  if (!still()) {
    const waiting = servers.map(({ name, waiting }) => `${name} ${waiting}`).join(', ')
    const events = `${timeline.pending} events, of them ${machine.timers} of the process`
    auditor.violation('I5', `not at rest: up ${machine.up}, ${events}; sources: ${waiting}`)
  }
  stage.crowd?.judge() // while Zentrale is up, because at its end nobody is shown in group chats
  let stopped = false
  machine.stop(() => { stopped = true })
  const limit = timeline.ms + HOUR_MS
  while (!stopped && timeline.ms < limit && await timeline.next());
  inspect(disk, auditor, true)
  auditor.judge()
  stage.reacting.judge()
  stage.moderation?.judge()
  stage.friends?.judge()
  for (const server of servers) server.judge?.()
  if (desk !== undefined) await looking(disk, desk.auditor.judgeDesk)
}

/** `server`: a PostgreSQL in which the store is then kept. `sought`: invariants of which one broken is enough, so that the story ends there. */
export const simulate = async (seed: number, server?: Postgres, sought: readonly string[] = []): Promise<Outcome> => {
  const trace: string[] = []
  const settled = new Map<string, number>()
  const stage = makeStage(seed, trace, settled, server && await makeDatabase(server))
  const { auditor, weather, timeline } = stage.world
  try {
    await play(stage, sought)
  } finally {
    await stage.disk.remove()
  }
  const { violations, counts, doubles } = auditor
  return {
    seed, violations, counts, doubles, settled, faults: weather.counts, hours: timeline.ms / HOUR_MS, trace,
    hash: createHash('sha256').update(trace.join('\n')).digest('hex').slice(0, 16)
  }
}
