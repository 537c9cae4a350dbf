/**
 * npm run bench:crowd -- 5/5 500/5: what it costs that many people are shown in a mirror. The same mirror with few people and with many on each
 * side: how long until all are there, memory, and what a message costs. Each argument says how many are on Matrix, and how many on XMPP.
 */
import { mkdirSync, mkdtempSync, rmSync } from 'node:fs'
import { join } from 'node:path'
import { ensure } from '../sandbox/servers/available'
import { checkout } from '../sandbox/servers/process'
import { systemClock as clock } from '../src/lib/clock'
import { LISTED_MAX } from '../src/networks/xmpp/muc/bringing'
import { type Ground, raiseGround } from './ground'
import { fullSpeed } from './load'
import { cpuSeconds, rssMiB } from './proc'

const GIVEN = process.argv.slice(2)
const SIZES = (GIVEN.length > 0 ? GIVEN : ['5/5', '500/5', '5/500', '500/500'])
  .map(pair => pair.split('/').map(Number) as [matrix: number, xmpp: number])
const COUNT = 200 // a room service with a thousand occupants takes its time
const WARM_COUNT = 100
const UNDER_WAY = 64
const ON_MATRIX = 3 // Zentrale's own, the person who measures there, and the ghost of the other one

const speed = async (ground: Ground, what: 'toXmpp' | 'toMatrix'): Promise<string> => {
  const way = ground[what](1)
  await fullSpeed(way, WARM_COUNT, UNDER_WAY)
  const before = [ground.pids.zentrale, ground.pids.prosody ?? 0].map(pid => cpuSeconds(pid))
  const { perSecond, lost, doubled, outOfOrder } = await fullSpeed(way, COUNT, UNDER_WAY)
  const [zentrale = 0, prosody = 0] = [ground.pids.zentrale, ground.pids.prosody ?? 0].map((pid, index) => cpuSeconds(pid) - before[index]!)
  const each = (seconds: number): string => (seconds * 1000 / COUNT).toFixed(2)
  return `${perSecond}/s, ${each(zentrale)} ms of Zentrale and ${each(prosody)} ms of Prosody each` +
    (lost + doubled + outOfOrder === 0 ? '' : ` (lost ${lost}, doubled ${doubled}, out of order ${outOfOrder})`)
}

const main = async (): Promise<void> => {
  await ensure(['prosody'])
  mkdirSync(join(checkout, '.sandbox'), { recursive: true })
  for (const [matrix, xmpp] of SIZES) {
    const dir = mkdtempSync(join(checkout, '.sandbox', 'crowd-'))
    const ground = await raiseGround(dir, 'plain', Math.max(matrix, xmpp) + 1)
    try {
      const start = clock.tick()
      await ground.crowd(matrix, xmpp, {
        matrix: matrix + ON_MATRIX + xmpp, xmpp: Math.min(matrix, LISTED_MAX - 1)
      })
      const seconds = ((clock.tick() - start) / 1000).toFixed(1)
      process.stdout.write(`${matrix} on Matrix, ${xmpp} on XMPP: all there after ${seconds} s, ${rssMiB(ground.pids.zentrale)} MiB\n` +
        `  Matrix→XMPP: ${await speed(ground, 'toXmpp')}\n  XMPP→Matrix: ${await speed(ground, 'toMatrix')}\n  ${rssMiB(ground.pids.zentrale)} MiB\n`)
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
