/**
 * The kill sweep: the process dies at moments K1 to K12 on the path from one network to another, with the real process between real servers.
 * witness.ts judges from the outside what each person said and got. `npm run faults` takes all moments, pairs and positions, about 25
 * minutes on two cores; `-- --every=3` takes every third.
 */
import type { Town } from '../../sandbox/town'
import { needs, scratch } from '../support/real'
import { isLong } from './long'
import { LONG, raiseMortalTown, SHORT } from './moments'
import { sweep } from './sweep'
import { makeWitness } from './witness'

describe('faults: kill -9 at every moment', function () {
  this.timeout(isLong ? 3 * 3_600_000 : 900_000)
  needs('prosody', ...isLong ? ['synapse', 'strace'] as const : [])
  const dir = scratch()
  let town: Town
  before(async () => { town = await raiseMortalTown(dir('town'), isLong ? 'synapse' : 'practice') })
  after(async () => { await town?.stop() })

  it('nothing is lost, nothing comes twice to Matrix, all keeps its order', async () => {
    const witness = makeWitness(town)
    await witness.say(0, 2)
    await witness.settle(0)
    await sweep(town, witness, isLong ? LONG : SHORT)
  })
})
