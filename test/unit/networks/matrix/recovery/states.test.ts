import assert from 'node:assert/strict'
import { systemChance } from '../../../../../src/lib/chance'
import { silentLog } from '../../../../../src/lib/log'
import { Unavailable } from '../../../../../src/model/errors'
import { makeStates, type States } from '../../../../../src/networks/matrix/recovery/states'
import { handClock } from '../../../../support/quick'

const MINUTE_MS = 60_000

describe('Matrix: the states of recovery', () => {
  const turn = (): Promise<void> => new Promise(resolve => { setImmediate(resolve) })

  const start = (readNews: () => Promise<never[]> = async () => []) => {
    const clock = handClock()
    const done: string[] = []
    const stopping = new AbortController()
    const answers: (() => Promise<unknown>)[] = [] // to pings; then yes
    const states = makeStates({
      clock, chance: systemChance, log: silentLog, signal: stopping.signal, isBringing: () => false,
      async prepare () { done.push('prepare') },
      async readNews (known) { done.push(known === undefined ? 'read' : 'look again'); return await readNews() },
      async ping () { done.push('ping'); await answers.shift()?.() },
      intake (trouble) { done.push(trouble === undefined ? 'hears' : 'deaf') }
    })
    const pass = async (ms: number): Promise<void> => { clock.advance(ms); await turn() }
    return { states, done, answers, stopping, pass }
  }
  const waits = async (states: States, pass: (ms: number) => Promise<void>): Promise<void> => {
    const refused = assert.rejects(states.caughtUp(), { name: 'Unavailable', message: /catching up/ })
    await pass(MINUTE_MS)
    await refused
  }

  it('follow one another, and nothing new is taken before what was missed is read', async () => {
    const { states, done, pass } = start()
    assert.equal(states.hasGap(), true)
    await waits(states, pass)
    assert.deepEqual(done, [], 'nothing happens before it is found')
    states.found()
    await turn()
    assert.deepEqual([done, states.hasGap()], [['prepare', 'read', 'hears', 'ping', 'hears'], false])
    await states.caughtUp()
    for (const ms of [3_000, 30_000, 600_000, 600_000]) await pass(ms)
    assert.deepEqual(done.slice(5), Array.from({ length: 4 }, () => 'look again'))
  })

  it('begin anew when it is lost and found, and what was under way ends', async () => {
    let answer: (() => void) | undefined
    const { states, done, pass } = start(() => new Promise(resolve => { answer = () => { resolve([]) } }))
    states.found()
    await turn()
    states.lost()
    answer!()
    await turn()
    assert.deepEqual([done, states.hasGap()], [['prepare', 'read'], true], 'what it read then is not all')
    await waits(states, pass)
    states.found()
    states.found()
    await turn()
    answer!()
    await turn()
    assert.deepEqual(done.filter(one => one === 'ping').length, 1)
  })

  it('stay where they are while that fails, and say so', async () => {
    let fails = true
    const { states, done, answers, pass } = start(async () => { if (fails) throw new Unavailable('no'); return [] })
    states.found()
    await turn()
    await pass(MINUTE_MS)
    assert.deepEqual([done.slice(0, 4), states.hasGap()], [['prepare', 'read', 'deaf', 'prepare'], true])
    fails = false
    answers.push(async () => { throw new Unavailable('not reached') })
    await pass(MINUTE_MS)
    assert.deepEqual([done.slice(-2), states.hasGap()], [['ping', 'deaf'], false], 'what is pushed all the same is taken')
    await pass(MINUTE_MS)
    assert.deepEqual(done.slice(-2), ['ping', 'hears'])
  })

  it('look soon after a transaction that failed, and never after the end', async () => {
    const { states, done, stopping, pass } = start()
    states.found()
    await turn()
    for (const ms of [3_000, 30_000]) await pass(ms)
    states.troubled()
    await turn()
    await pass(3_000)
    assert.equal(done.filter(one => one === 'look again').length, 3)
    stopping.abort()
    await pass(600_000)
    assert.equal(done.filter(one => one === 'look again').length, 3)
  })
})
