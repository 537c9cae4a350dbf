/** Two of the team answer in the same moment, again and again, with delays and with crashes between the commit and the sending. */
import assert from 'node:assert/strict'
import { addressOn, agent } from '../../support/address'
import { makePractice, until } from '../../support/practice'
import { startBridge, type Started } from '../../support/started'

const ROUNDS = 1000
const AT_ONCE = 20
const CRASH_EVERY = 100

describe('the claim race', () => {
  const TEAM = [agent('Anna', 'red @anna'), agent('Bernd', 'blue bernd')]
  const ADDRESSES = [addressOn(['red', 'blue'], TEAM)]

  /** A number that looks like chance and is the same in every run. */
  const chance = (round: number, of: number): number => (Math.imul(round + 1, 2_654_435_761) >>> 0) % of

  it(`has one owner, one answer and one held note, ${ROUNDS} times`, async () => {
    let red = makePractice('red')
    let blue = makePractice('blue', { window: 8 })
    const arrived = new Map<string, string[]>() // by contact, over all restarts
    const hear = (): void => {
      red.onSend = ({ place, action }) => {
        if (!place.id.startsWith('werkstatt/') || action.kind !== 'message') return
        const texts = arrived.get(place.id) ?? []
        arrived.set(place.id, [...texts, JSON.stringify(action.content.text)])
      }
    }
    let started: Started = await startBridge([red, blue], [], { addresses: ADDRESSES })
    hear()
    const late = (turns: number): Promise<void> => new Promise(resolve => {
      const turn = (left: number): void => { if (left === 0) resolve(); else setImmediate(() => turn(left - 1)) }
      turn(turns)
    })
    const race = async (round: number): Promise<void> => {
      const place = `werkstatt/red:c${round}`
      await red.say(place, `red:c${round}`, 'Hello?', { direct: true, to: 'werkstatt', key: `c${round}` })
      const one = await started.store.run(tx => tx.desk.conversationAt({ network: 'red', id: place }))
      await Promise.all([
        late(chance(round, 4)).then(() => red.say(`werkstatt-${one!.id}`, '@anna', `Anna ${round}`, { key: `a${round}` })),
        late(chance(round + ROUNDS, 4)).then(() => blue.say(`werkstatt-${one!.id}`, 'bernd', `Bernd ${round}`, { key: `b${round}` }))
      ])
    }
    for (let first = 0; first < ROUNDS; first += AT_ONCE) {
      const crash = first % CRASH_EVERY === 0
      if (crash) red.onSend = () => new Promise(() => {}) // what is being sent when we are cut off
      await Promise.all(Array.from({ length: AT_ONCE }, (_, index) => race(first + index)))
      if (!crash) continue
      const { path, store } = started
      red = makePractice('red')
      blue = makePractice('blue', { window: 8 })
      await store.close() // as if it were gone: nothing that it does later reaches the disk
      hear()
      started = await startBridge([red, blue], [], { addresses: ADDRESSES, path })
    }
    await until(() => arrived.size === ROUNDS, 'an answer for each contact', 30_000)
    await until(async () => (await started.store.run(tx => tx.depth())).length === 0, 'everything delivered', 30_000)
    for (let round = 0; round < ROUNDS; round++) {
      const place = `werkstatt/red:c${round}`
      const one = (await started.store.run(tx => tx.desk.conversationAt({ network: 'red', id: place })))!
      const held = await started.store.run(tx => tx.desk.held(one.id))
      assert.equal(arrived.get(place)?.length, 1, `one answer: ${arrived.get(place)?.join()}`)
      assert.equal(held.length, 1, 'one held note')
      const owner = one.owner === 'red @anna' ? 'Anna' : 'Bernd'
      assert.match(arrived.get(place)![0]!, new RegExp(`${owner} ${round}`), 'by who has the case')
      assert.notEqual(held[0]!.who, owner)
    }
    assert.deepEqual(started.bugs, [])
    await started.stop()
  }).timeout(60_000)
})
