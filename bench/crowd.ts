/**
 * npm run bench:crowd -- 5/5 500/500: what a message costs in a mirror with few people and with many who say nothing. Each argument says how many
 * are on Matrix, and how many on XMPP; a third number is the mirror's `members_max`, and without it the default holds. Prosody's part is also
 * measured alone, in a room with the same people and without Zentrale.
 */
import { mkdirSync, mkdtempSync, rmSync } from 'node:fs'
import { join } from 'node:path'
import { ensure } from '../sandbox/servers/available'
import { checkout } from '../sandbox/servers/process'
import { sleep, systemClock as clock } from '../src/lib/clock'
import { LISTED_MAX } from '../src/networks/xmpp/muc/bringing'
import { type Ground, raiseGround } from './ground'
import { fullSpeed, type Outcome, steady, type Way } from './load'
import { cpuSeconds, rssMiB } from './proc'

const GIVEN = process.argv.slice(2)
const SIZES = (GIVEN.length > 0 ? GIVEN : ['5/5', '500/5', '5/500', '500/500'])
  .map(size => size.split('/').map(Number) as [matrix: number, xmpp: number, membersMax?: number])
const DEFAULT_MAX = 100
const WARM_COUNT = 500
const COUNT = 500
const UNDER_WAY = 64
/** Zentrale's own part is measured at a pace at which every size has the same to do: what comes together costs less. */
const PACED_COUNT = 400
const PER_SECOND = 20
const IDLE_MS = 10_000

/** `ms`: of processor for each message. */
interface Cost { ms: number; perSecond: number }

const watched = async (pid: number | undefined, load: Promise<Outcome>): Promise<Cost> => {
  const now = (): number => pid === undefined ? NaN : cpuSeconds(pid)
  const before = now()
  const { count, perSecond, lost, doubled, outOfOrder } = await load
  if (lost + doubled + outOfOrder > 0) throw new Error(`lost ${lost}, doubled ${doubled}, out of order ${outOfOrder}`)
  return { ms: (now() - before) * 1000 / count, perSecond }
}

/** What it costs without messages, per message at PER_SECOND. */
const idleOf = async ({ pids: { zentrale } }: Ground): Promise<number> => {
  const before = cpuSeconds(zentrale)
  await sleep(clock, IDLE_MS)
  return (cpuSeconds(zentrale) - before) * 1000 / (IDLE_MS / 1000 * PER_SECOND)
}

interface Costs { zentrale: Cost; prosody: Cost; alone: Cost }

const costsOf = async ({ pids }: Ground, way: Way, bare: Way, idle: number): Promise<Costs> => {
  await fullSpeed(way, WARM_COUNT, UNDER_WAY)
  const whole = await watched(pids.zentrale, steady(way, PACED_COUNT, PER_SECOND))
  const prosody = await watched(pids.prosody, fullSpeed(way, COUNT, UNDER_WAY))
  await fullSpeed(bare, WARM_COUNT, UNDER_WAY)
  return { zentrale: { ...whole, ms: whole.ms - idle }, prosody, alone: await watched(pids.prosody, fullSpeed(bare, COUNT, UNDER_WAY)) }
}

const row = (...cells: (string | number)[]): void => { process.stdout.write(`| ${cells.join(' | ')} |\n`) }

/** `few`: the same with few people. */
const cells = ({ zentrale, prosody, alone }: Costs, few: Costs): string[] => [
  `${zentrale.ms.toFixed(2)} (× ${(zentrale.ms / few.zentrale.ms).toFixed(2)})`, `${prosody.ms.toFixed(2)}, ${alone.ms.toFixed(2)}`,
  `${prosody.perSecond}, ${alone.perSecond}`
]

const main = async (): Promise<void> => {
  await ensure(['prosody'])
  mkdirSync(join(checkout, '.sandbox'), { recursive: true })
  let few: Record<'out' | 'in', Costs> | undefined
  const each = ['ms of Zentrale', 'ms of Prosody, alone', 'a second, Prosody alone']
  const heads = ['people on Matrix / XMPP', 'ghosts in the MUC', 'all there after', 'MiB at rest, after',
    ...['Matrix→XMPP', 'XMPP→Matrix'].flatMap(way => each.map(cell => `${way}: ${cell}`))]
  row(...heads)
  row(...heads.map(() => '---:'))
  for (const [matrix, xmpp, membersMax] of SIZES) {
    const dir = mkdtempSync(join(checkout, '.sandbox', 'crowd-'))
    const ground = await raiseGround(dir, 'plain', { matrix, xmpp, membersMax })
    try {
      const start = clock.tick() // on each side, there is somebody who speaks besides those who are silent
      const shownOf = (people: number): number => people > (membersMax ?? DEFAULT_MAX) ? 0 : people
      await ground.allThere(matrix + 2 + shownOf(xmpp + 1), Math.min(shownOf(matrix + 1), LISTED_MAX))
      const seconds = ((clock.tick() - start) / 1000).toFixed(1)
      const atRest = rssMiB(ground.pids.zentrale)
      const ghosts = ground.ghosts()
      const idle = await idleOf(ground)
      const costs = {
        out: await costsOf(ground, ground.toXmpp(1), ground.bareOut(), idle), in: await costsOf(ground, ground.toMatrix(1), ground.bareIn(), idle)
      }
      few ??= costs
      row(`${matrix} / ${xmpp}${membersMax === undefined ? '' : `, \`members_max: ${membersMax}\``}`, ghosts, `${seconds} s`,
        `${atRest}, ${rssMiB(ground.pids.zentrale)}`,
        ...cells(costs.out, few.out), ...cells(costs.in, few.in))
    } finally {
      await ground.stop()
      rmSync(dir, { recursive: true, force: true })
    }
  }
}

main().then(() => process.exit(0), (error: unknown) => {
  process.stderr.write(`${error instanceof Error ? error.stack : String(error)}\n`)
  process.exit(1)
})
