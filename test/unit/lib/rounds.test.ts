import assert from 'node:assert/strict'
import { systemChance } from '../../../src/lib/chance'
import { makeRounds } from '../../../src/lib/rounds'
import { handClock } from '../../support/quick'

describe('lib/rounds', () => {
  const stage = (atOnce: number) => {
    const clock = handClock()
    const open: { key: string, isOutdated: () => boolean, end: (error?: Error) => void }[] = []
    const failed: string[] = []
    const rounds = makeRounds({
      clock, chance: systemChance, atOnce, firstMs: 1000, mostMs: 60_000, failed: (key, _error, attempt) => failed.push(`${key} ${attempt}`)
    }, (key, isOutdated) => new Promise((resolve, reject) => { open.push({ key, isOutdated, end: error => error ? reject(error) : resolve() }) }))
    const keys = (): string => open.map(({ key }) => key).join()
    const end = async (error?: Error): Promise<void> => {
      open.shift()!.end(error)
      await new Promise(resolve => { setImmediate(resolve) })
    }
    return { clock, open, failed, rounds, keys, end }
  }

  it('are made one at a time for each thing and a few at once, and the newest follows', async () => {
    const { open, rounds, keys, end } = stage(2)
    for (const key of ['a', 'b', 'c', 'a', 'a']) rounds.ask(key)
    assert.equal(keys(), 'a,b')
    assert.deepEqual(open.map(({ isOutdated }) => isOutdated()), [true, false])
    await end()
    assert.equal(keys(), 'b,c', 'a waits for its turn')
    await end()
    assert.equal(keys(), 'c,a')
    await end()
    await end()
    assert.equal(keys(), '')
    for (let n = 0; n < 1000; n++) rounds.ask('a')
    await end()
    await end()
    assert.equal(keys(), '', 'two rounds, however often it was asked for')
  })

  it('are made again with backoff when they fail, at once when they are asked for, and no more after the stop', async () => {
    const { clock, failed, rounds, keys, end } = stage(1)
    rounds.ask('a')
    await end(new Error('not now'))
    assert.equal(keys(), '')
    clock.advance(1200)
    assert.equal(keys(), 'a')
    await end(new Error('not now'))
    rounds.ask('a')
    assert.equal(keys(), 'a')
    await end(new Error('not now'))
    assert.deepEqual(failed, ['a 1', 'a 2', 'a 1'])
    clock.advance(1200)
    rounds.stop()
    await end(new Error('not now'))
    clock.advance(60_000)
    assert.equal(keys(), '')
  })
})
