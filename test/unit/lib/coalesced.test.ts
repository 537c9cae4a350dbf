import assert from 'node:assert/strict'
import { coalesced } from '../../../src/lib/coalesced'

describe('coalesced work', () => {
  it('runs once at a time, and once more however often it was asked for meanwhile, also after a failure', async () => {
    const runs: PromiseWithResolvers<void>[] = []
    const failures: unknown[] = []
    const ask = coalesced(() => {
      const run = Promise.withResolvers<void>()
      runs.push(run)
      return run.promise
    }, error => failures.push(error))
    const turn = (): Promise<void> => new Promise(resolve => { setImmediate(resolve) })
    for (let n = 0; n < 3; n++) ask()
    assert.equal(runs.length, 1)
    runs[0]!.reject('no')
    await turn()
    assert.deepEqual([runs.length, failures], [2, ['no']])
    runs[1]!.resolve()
    await turn()
    assert.equal(runs.length, 2)
    ask()
    assert.equal(runs.length, 3)
  })
})
