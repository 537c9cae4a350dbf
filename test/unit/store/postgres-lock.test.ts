import assert from 'node:assert/strict'
import { EventEmitter } from 'node:events'
import { Socket } from 'node:net'
import { connect, type Held, watch } from '../../../src/store/postgres-lock'
import { systemClock } from '../../../src/lib/clock'

describe('a session', () => {
  it('lets no warning of the library come between the lines of the log', async () => {
    const warnings: string[] = []
    const told = (warning: Error): void => { warnings.push(warning.message) }
    process.on('warning', told)
    for (const mode of ['require', 'prefer', 'verify-ca', 'verify-full']) {
      await assert.rejects(connect(`postgres://zentrale@127.0.0.1:1/zentrale?application_name=x&sslmode=${mode}`, 'test'), /ECONNREFUSED/)
    }
    await new Promise(resolve => { setImmediate(resolve) })
    process.off('warning', told)
    assert.deepEqual(warnings.filter(text => text.includes('SSL')), [])
  })
})

describe('the session that holds the lock', () => {
  /** One whose server answers when the test says so. The process is frozen for as long as `frozenMs` grows: its timers stand still. */
  const stage = () => {
    const answers: (() => void)[] = []
    const client = Object.assign(new EventEmitter(), { query: () => new Promise<void>(resolve => answers.push(resolve)) })
    const lost: Error[] = []
    const stageOf = { frozenMs: 0 }
    const clock = { ...systemClock, tick: () => stageOf.frozenMs, after: () => ({ cancel () {} }) }
    const held = { client, socket: new Socket() } as unknown as Held
    return Object.assign(stageOf, { answers, lost, ...watch(held, clock, error => lost.push(error)) })
  }

  it('lets us speak for 12 seconds after the last question that was answered', () => {
    const on = stage()
    on.frozenMs = 12_000
    on.fence()
    on.frozenMs = 12_001
    assert.throws(() => on.fence(), /has not answered for 12 seconds/)
    assert.equal(on.lost.length, 1)
  })

  it('is not taken for alive because an old answer is found after we were frozen', async () => {
    const on = stage()
    const heard = on.asks()
    on.frozenMs = 20_000
    for (const answer of on.answers) answer()
    heard()
    await new Promise(resolve => { setImmediate(resolve) })
    assert.throws(() => on.fence(), /has not answered for 12 seconds/)
  })

  it('lets us speak again as soon as something that was asked later is answered', () => {
    const on = stage()
    on.frozenMs = 11_000
    const heard = on.asks()
    heard()
    on.frozenMs = 20_000
    on.fence()
    assert.deepEqual(on.lost, [])
  })
})
