import assert from 'node:assert/strict'
import { systemChance } from '../../../../../src/lib/chance'
import { systemClock } from '../../../../../src/lib/clock'
import { silentLog } from '../../../../../src/lib/log'
import { makeEngine } from '../../../../../src/networks/matrix/encryption/engine'
import { engineSuite } from '../../../../support/engine-suite'
import { fakeEngine } from '../../../../support/fake-engine'

describe('the engine of encryption', () => {
  engineSuite(() => makeEngine)

  it('ends a worker that does not answer in time', async () => {
    let run = (): void => {}
    const engine = makeEngine({
      clock: { ...systemClock, after: (_ms, late) => { run = late; return { cancel () {} } } }, log: silentLog, async keep () {}
    })
    const asked = engine.call('@a:x D', 'open', { user: '@a:x', device: 'D', rows: [] })
    run()
    await assert.rejects(asked, /no answer to open/)
    assert.equal(engine.life, 1)
    engine.stop()
  })
})

describe('the engine of encryption of the simulation', () => { engineSuite(() => fakeEngine({ chance: systemChance })) })
