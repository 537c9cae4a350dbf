/**
 * The store lies on a volume of its own, and the machine that has it dies in the middle of a stream: another one gets what the volume held at that
 * moment, and goes on. Only in the long form, and only for root, who may mount a file.
 */
import { mkdirSync } from 'node:fs'
import { run } from '../../sandbox/servers/process'
import { raiseTown, type Town } from '../../sandbox/town'
import { needs, scratch } from '../support/real'
import { during } from './counted'
import { isLong } from './long'

const EACH = 300
const MACHINES = 3

if (isLong && process.getuid?.() === 0) describe('faults: a volume that goes to another machine', () => {
  needs('synapse', 'prosody')
  const dir = scratch()
  const data = dir('town/data')
  let town: Town
  const image = (of: number): string => dir(`${of}.img`)
  const mount = (of: number): Promise<string> => run('mount', ['-o', 'loop', image(of), data])

  before(async () => {
    mkdirSync(data, { recursive: true })
    await run('truncate', ['-s', '300M', image(1)])
    await run('mkfs.ext4', ['-q', image(1)])
    await mount(1)
    town = await raiseTown({ dir: dir('town') })
  })
  after(async () => {
    await town?.stop()
    await run('umount', ['--lazy', data])
  })

  for (let of = 1; of <= MACHINES; of++) {
    it(`loses and doubles nothing when machine ${of} dies`, () => during(town, `machine-${of}`, EACH, async () => {
      process.kill(town.zentrale.pid, 'SIGSTOP')
      await run('cp', ['--sparse=always', image(of), image(of + 1)]) // what was not synced is in the memory of a machine that is dead
      await town.zentrale.kill()
      await run('umount', ['--lazy', data])
      await mount(of + 1)
      await town.zentrale.restart()
    }))
  }
})
