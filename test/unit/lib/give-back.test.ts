import assert from 'node:assert/strict'
import { giveBack } from '../../../src/lib/give-back'
import { run, startOptions } from '../../../sandbox/servers/process'
import { handClock } from '../../support/quick'

const MIB = 2 ** 20

describe('lib/give-back', () => {
  it('gives memory back once little happens, and again only if that is worth it', () => {
    const clock = handClock()
    let [processorMs, bytes, collected] = [0, 60 * MIB, 0]
    giveBack(clock, () => processorMs, { bytes: () => bytes, collect () { collected++; bytes = 30 * MIB } })
    for (const busy of [9000, 5000, 600]) {
      processorMs += busy
      clock.advance(10_000)
      assert.equal(collected, 0, `${busy} ms of 10 s`)
    }
    clock.advance(10_000)
    assert.equal(collected, 1)
    bytes = 45 * MIB
    clock.advance(60_000)
    assert.equal(collected, 1, 'there is too little')
    bytes = 47 * MIB
    processorMs += 1000
    clock.advance(10_000)
    assert.equal(collected, 1, 'busy again')
    clock.advance(10_000)
    assert.equal(collected, 2)
  })

  it('frees what is unused with the options of the launcher, and the room for it', async () => {
    const code = `const { ownHeap } = require('./src/lib/give-back.ts')
      let much = []
      for (let i = 0; i < 1e5; i++) much.push({ i, text: String(i) })
      const heap = ownHeap(), before = heap.bytes()
      much = undefined
      heap.collect()
      console.log(Math.round((before - heap.bytes()) / 2 ** 20))`
    const freed = Number(await run(process.execPath, [...startOptions, '-r', 'ts-node/register', '-e', code]))
    assert.ok(freed >= 8, `${freed} MiB`)
  })
})
