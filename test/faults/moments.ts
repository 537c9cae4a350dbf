/** The moments at which the process is killed. Each is a round: people talk, the process dies there, and everything is judged afterwards. */
import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { mkdirSync, readFileSync, writeFileSync } from 'node:fs'
import { dirname, join } from 'node:path'
import { checkout, until } from '../../sandbox/servers/process'
import { raiseTown, type Town } from '../../sandbox/town'
import { messageOf } from '../../src/model/errors'
import { type Pair, PAIRS, type Side, SIDES, type Verdict, type Witness } from './witness'

/** `at`: the number of the round's message, or of the statement, write or fsync, from 1. */
export interface Shot { moment: string, pair?: Pair, at: number }

const BURST = 4
const POISON_TIMES = 10
const POISON_WITHIN_MS = 300_000

/** A town whose Zentrale dies on order (test/support/crash.ts). `postgres`: the URL of its database; without it, the store is a file. */
export const raiseMortalTown = (dir: string, homeserver: 'synapse' | 'practice', postgres?: string): Promise<Town> => {
  mkdirSync(join(dir, 'orders'), { recursive: true })
  return raiseTown({
    dir, homeserver, language: 'en', ...postgres !== undefined && { postgres },
    env: { NODE_OPTIONS: `--require ${join(checkout, 'dist/test/support/crash.js')}`, CRASH_ORDERS: join(dir, 'orders') }
  })
}

const orderFile = (town: Town, name: string): string => join(dirname(town.configPath), 'orders', name)

const signal = (town: Town, name: NodeJS.Signals): void => { process.kill(town.zentrale.pid, name) }

/** How many octets wait in this process's TCP sockets on loopback, by the kernel's table. */
const unreadOctets = (pid: number): number => readFileSync(`/proc/${pid}/net/tcp`, 'utf8').split('\n').slice(1)
  .reduce((sum, line) => sum + parseInt(/:([0-9A-F]{8}) \d\d:/.exec(line)?.[1] ?? '0', 16), 0)

/** Does something to certain system calls of a process, counted from now (`2+`: the second and all later ones). Resolves when it watches. */
export const watchCalls = async (pid: number, call: string, at: number | string, effect: string, paths: string[] = []): Promise<() => void> => {
  const strace = spawn('strace', ['-f', '-p', String(pid), ...paths.flatMap(path => ['-P', path]), '-e', `trace=${call}`,
    '-e', `inject=${call}:${effect}:when=${at}`, '-o', '/dev/null'], { stdio: ['ignore', 'ignore', 'pipe'] })
  const [said] = await once(strace.stderr, 'data') as [Buffer]
  if (!String(said).includes('attached')) throw new Error(`strace: ${String(said)}`)
  return () => { strace.kill() }
}

/** The same to those on the file of the store. */
export const watchWrites = (town: Town, call: string, at: number | string, effect = 'signal=KILL'): Promise<() => void> => {
  const database = join(dirname(town.configPath), 'data/zentrale.db')
  return watchCalls(town.zentrale.pid, call, at, effect, [database, `${database}-wal`])
}

/** Kills while everything that Anna and Bernd said is still at the servers or in our sockets. */
const k1 = async (town: Town, witness: Witness, round: number): Promise<void> => {
  signal(town, 'SIGSTOP')
  await witness.say(round, BURST)
  await until('something unread', 60_000, () => unreadOctets(town.zentrale.pid) > 0)
  signal(town, 'SIGKILL')
}

/** K12 is K6 repeated, except for SMS, which is never tried again. Resolves with how often the process must die. */
const inText = async (witness: Witness, round: number, { moment, pair, at }: Shot): Promise<number> => {
  const [point, times] = moment === 'K12' ? ['K6', POISON_TIMES] as const : [moment, 1] as const
  const where = /K[2-5]$/.test(moment) ? '' : ` ${pair!.to}`
  await witness.say(round, BURST, SIDES, (side, number) =>
    side === pair!.from && number === at - 1 ? ` (${point}${where} x${times} ${round})` : '')
  return pair!.to === 'sms' ? 1 : times
}

/** Says the messages of a round and lets the process die there. Resolves with how often it must die, perhaps later. */
const shoot = async (town: Town, witness: Witness, round: number, shot: Shot): Promise<number> => {
  const { moment, at } = shot
  if (moment === 'K1') {
    await k1(town, witness, round)
    return 1
  }
  if (moment === 'K10' || moment === 'K11') {
    const said = witness.say(round, BURST)
    writeFileSync(orderFile(town, moment), String(at))
    if (moment === 'K10') await town.zentrale.kill()
    else await town.zentrale.stop()
    await said
    return 1
  }
  if (moment.startsWith('K3 ')) {
    const done = await watchWrites(town, moment.slice(3), at)
    await witness.say(round, BURST)
    await until('the write', 10_000, () => !town.zentrale.running).catch(() => {}) // there were fewer of them
    done()
    return 0
  }
  return await inText(witness, round, shot)
}

export interface Outcome extends Shot { round: number, deaths: number, failed?: string }

/** One round for each shot. `progress` is told of each. */
export const shootAll = async (town: Town, witness: Witness, shots: Shot[], progress: (outcome: Outcome) => void, first = 1): Promise<Outcome[]> => {
  const outcomes: Outcome[] = []
  for (const [index, shot] of shots.entries()) {
    const round = first + index
    const least = await shoot(town, witness, round, shot)
    const ended = await witness.settle(round, least, least > 1 ? POISON_WITHIN_MS : undefined)
      .then(deaths => ({ deaths }), (error: unknown) => ({ deaths: 0, failed: messageOf(error) }))
    outcomes.push({ ...shot, round, ...ended })
    progress(outcomes.at(-1)!)
  }
  return outcomes
}

/** What went wrong. For each death that left an outcome open, a double on XMPP or a notice for SMS is allowed; at K12, one of what is poisoned. */
export const wrongs = ({ lost, told, doubles, late }: Verdict, to: Side, { moment, deaths }: Outcome): string[] => [
  ...lost.length > 0 ? [`lost ${lost.join()}`] : [],
  ...doubles.length > (to === 'xmpp' ? deaths : 0) ? [`twice ${doubles.join()}`] : [],
  ...late.length > 0 ? [`late ${late.join()}`] : [],
  ...told.length > 0 && to !== 'sms' && moment !== 'K12' ? [`told ${told.join()}`] : [],
  ...moment === 'K12' && told.length > (to === 'sms' ? deaths : 1) ? [`told ${told.join()}`] : []
]

const both = (moments: string[], at: number[], pairs = PAIRS): Shot[] =>
  moments.flatMap(moment => pairs.flatMap(pair => at.map(one => ({ moment, pair, at: one }))))
const times = (moment: string, at: number[]): Shot[] => at.map(one => ({ moment, at: one }))
const upTo = (most: number, step = 1): number[] => Array.from({ length: Math.ceil(most / step) }, (_, index) => 1 + index * step)

/** One pair for each source, for moments in which the destination has no part. */
const FROM_EACH: Pair[] = [{ from: 'matrix', to: 'xmpp' }, { from: 'xmpp', to: 'sms' }, { from: 'sms', to: 'matrix' }]

export const SHORT: Shot[] = [
  ...both(['K2', 'K4', 'K5'], [2], [{ from: 'matrix', to: 'xmpp' }]), ...both(['K6', 'K7', 'K8', 'K9'], [2], [{ from: 'matrix', to: 'xmpp' }]),
  ...both(['K4', 'K7'], [2], [{ from: 'sms', to: 'matrix' }]), ...both(['K7'], [3], [{ from: 'xmpp', to: 'sms' }]),
  ...times('K1', [1]), ...times('K10', [12]), ...times('K11', [2])
]

export const LONG: Shot[] = [
  ...times('K1', upTo(5)),
  ...both(['K2', 'K4', 'K5'], [1, 3], FROM_EACH),
  ...times('K3 pwrite64', upTo(24)), ...times('K3 fdatasync', upTo(8)),
  ...both(['K6', 'K7', 'K8', 'K9'], [1, 3]),
  ...times('K10', upTo(120, 5)), ...times('K11', upTo(8)),
  ...both(['K12'], [2])
]

/** Of those, what the database has a part in; and no commit is a call that can be watched. */
export const SHORT_POSTGRES: Shot[] = [
  ...both(['K3', 'K4', 'K6', 'K9'], [2], [{ from: 'matrix', to: 'xmpp' }]), ...both(['K3', 'K7'], [2], [{ from: 'sms', to: 'matrix' }]),
  ...times('K10', [12, 60]), ...times('K11', [2])
]

export const LONG_POSTGRES: Shot[] = [...LONG.filter(({ moment }) => !moment.startsWith('K3')), ...both(['K3'], [1, 3], FROM_EACH)]
