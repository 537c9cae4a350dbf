import assert from 'node:assert/strict'
import fc from 'fast-check'
import { makeTurns } from '../../../src/lib/turns'

describe('turns', () => {
  it('keep the order of each key under every schedule, and go on after failures', () => fc.assert(fc.asyncProperty(
    fc.scheduler(), fc.array(fc.record({ key: fc.constantFrom('a', 'b'), fails: fc.boolean() })), async (scheduler, jobs) => {
      const turns = makeTurns()
      const done: number[] = []
      const open = new Set<string>()
      const all = jobs.map(({ key, fails }, index) => turns(key, async () => {
        assert(!open.has(key))
        open.add(key)
        await scheduler.schedule(Promise.resolve())
        open.delete(key)
        done.push(index)
        if (fails) throw new Error('failed')
        return index
      }).catch(() => index))
      await scheduler.waitFor(Promise.all(all).then(results => { assert.deepEqual(results, jobs.map((_, index) => index)) }))
      for (const one of ['a', 'b']) {
        const order = done.filter(index => jobs[index]!.key === one)
        assert.deepEqual(order, [...order].sort((x, y) => x - y))
      }
    })))

  it('let different keys run side by side', async () => {
    const turns = makeTurns()
    let release = (): void => {}
    const stuck = turns('a', () => new Promise<void>(resolve => { release = resolve }))
    assert.equal(await turns('b', async () => 'through'), 'through')
    release()
    await stuck
  })
})
