/** The disk is full, or fails to sync: the process stops rather than say yes wrongly, and goes on later. */
import assert from 'node:assert/strict'
import { execFileSync } from 'node:child_process'
import { mkdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { dirname, join } from 'node:path'
import { until } from '../../sandbox/servers/process'
import { raiseTown, type Town } from '../../sandbox/town'
import { needs, scratch } from '../support/real'
import { isLong } from './long'
import { watchWrites } from './moments'
import { makeWitness, mustBeWhole, type Witness } from './witness'

const BUG = 70
const COUNT = 5
const DISK_BYTES = 16 * 2 ** 20
const FAILS = [
  { what: 'the disk is full', call: 'pwrite64', effect: 'error=ENOSPC', says: /database or disk is full/ },
  { what: 'the disk cannot keep what it was given', call: 'fdatasync', effect: 'error=EIO', says: /disk cannot keep what was written: EIO/ }
]

const logOf = (town: Town): string => readFileSync(join(dirname(town.configPath), 'zentrale.log'), 'utf8')

describe('faults: a disk that fails', () => {
  needs('prosody', 'strace')
  const dir = scratch()
  let town: Town
  let witness: Witness
  let round = 0
  before(async () => {
    town = await raiseTown({ dir: dir('town'), homeserver: 'practice', language: 'en' })
    witness = makeWitness(town)
    await witness.say(0, COUNT)
    await witness.settle(0)
  })
  after(async () => { await town?.stop() })

  for (const { what, call, effect, says } of FAILS) {
    it(`${what}: it stops at once, has told nobody yes, and goes on after the next start`, async () => {
      const done = await watchWrites(town, call, '2+', effect)
      try {
        await witness.say(++round, COUNT)
        await until('stopped', 60_000, () => !town.zentrale.running)
      } finally {
        done()
      }
      assert.equal(town.zentrale.exitCode, BUG)
      assert.match(logOf(town), says)
      await witness.settle(round)
      await mustBeWhole(witness, round)
    })
  }
})

if (isLong) {
  describe('faults: a disk of 16 MiB that somebody fills', () => {
    needs('prosody')
    const dir = scratch()
    let town: Town
    before(async () => {
      const data = dir('town/data')
      mkdirSync(data, { recursive: true })
      execFileSync('mount', ['-t', 'tmpfs', '-o', `size=${DISK_BYTES}`, 'zentrale-faults', data])
      town = await raiseTown({ dir: dir('town'), homeserver: 'practice', language: 'en' })
    })
    after(async () => {
      await town?.stop()
      execFileSync('umount', [dir('town/data')])
    })

    it('stops when full, stops again at each start while it is, and carries on with everything when there is space', async () => {
      const witness = makeWitness(town)
      await witness.say(0, COUNT)
      await witness.settle(0)
      const ballast = dir('town/data/ballast')
      assert.throws(() => writeFileSync(ballast, Buffer.alloc(DISK_BYTES)), /ENOSPC/) // what fits stays on disk
      await witness.say(1, COUNT)
      const codes: (number | null)[] = []
      for (let start = 0; start < 3; start++) {
        await until('stopped', 60_000, () => !town.zentrale.running)
        codes.push(town.zentrale.exitCode)
        await town.zentrale.restart().catch(() => { /* it cannot come up */ })
      }
      console.log(`        exit codes while full: ${codes.join(', ')}`)
      rmSync(ballast)
      await witness.settle(1)
      await mustBeWhole(witness, 1)
    })
  })
}
