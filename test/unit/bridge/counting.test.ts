import assert from 'node:assert/strict'
import { isDeepStrictEqual } from 'node:util'
import { Refused } from '../../../src/model/errors'
import { toPlain } from '../../../src/model/text'
import type { ToCount, Whose } from '../../../src/store/tally'
import { addressOn, agent } from '../../support/address'
import { makePractice, until, type Practice } from '../../support/practice'
import { skippingClock } from '../../support/quick'
import { mirrorOf, startBridge, type Started } from '../../support/started'

describe('the counting of messages that pass', () => {
  let red: Practice, blue: Practice
  let started: Started
  const { skip, ...clock } = skippingClock()
  const room = 'werkstatt-1'

  beforeEach(async () => {
    [red, blue] = [makePractice('red'), makePractice('blue')]
    blue.onSend = ({ action }) => {
      if (action.kind === 'message' && toPlain(action.content.text).includes('Nein')) throw new Refused('no')
    }
    const address = addressOn(['red', 'blue'], [agent('Anna', 'red @anna'), agent('Bernd', 'red @bernd')], {
      undoSeconds: 2, countsAgents: true, automatic: { greeting: 'Guten Tag' }
    })
    started = await startBridge([red, blue], [mirrorOf(['red', 'hall'], ['blue', 'saal'])], { addresses: [address], clock })
  })
  afterEach(async () => {
    await started.stop()
    assert.deepEqual(started.bugs, [])
  })

  const counted = async (whose: Whose, name: string): Promise<Record<string, number>> => {
    const rows = await started.store.run(tx => tx.tally.tallied(whose, name, 0, 10 ** 9))
    const keyOf = ({ what, network, detail }: Required<ToCount>): string => [what, network, detail].filter(part => part !== '').join(' ')
    const sums = new Map<string, number>()
    for (const row of rows) sums.set(keyOf(row), (sums.get(keyOf(row)) ?? 0) + row.count)
    return Object.fromEntries(sums)
  }
  const becomes = (whose: Whose, name: string, expected: Record<string, number>): Promise<void> =>
    until(async () => isDeepStrictEqual(await counted(whose, name), expected), 'counted')
      .catch(async () => assert.deepEqual(await counted(whose, name), expected))

  it('says of a mirror what came in, and what went out or did not', async () => {
    await red.say('hall', 'red:eva', 'Hallo')
    await red.say('hall', 'red:eva', 'Nein')
    await blue.say('saal', 'max', 'Guten Tag')
    await becomes('mirror', 'werkstatt', { 'in red': 2, 'in blue': 1, 'out red': 1, 'out blue': 1, 'failed blue': 1 })
    assert.deepEqual(await counted('address', 'werkstatt'), {})
  })

  it('says of an address what came, went, was taken back, failed and was held, and its cases, once each', async () => {
    const writes = (text: string): Promise<unknown> => blue.say('werkstatt/blue:max', 'blue:max', text, { direct: true, to: 'werkstatt' })
    await writes('Hallo?')
    await until(() => red.read(room).some(line => line.includes('Hallo?')), 'shown')
    await red.say(room, '@anna', 'Guten Tag')
    await red.say(room, '@anna', 'Vergessen', { key: 'gone' })
    await red.inbox.accept({
      kind: 'deletion', key: 'deletes', place: { network: 'red', id: room }, at: 1, of: 'gone', sender: { id: '@anna', name: 'Anna' }
    })
    await red.say(room, '@bernd', 'Ich auch')
    await red.say(room, '@anna', 'Nein')
    await red.say(room, '@anna', '!label Ausweis')
    await red.say(room, '@anna', '!done')
    skip(5000)
    await until(async () => (await counted('address', 'werkstatt'))['failed blue'] === 1, 'failed')
    await writes('Danke')
    const all = await counted('address', 'werkstatt')
    const times = Object.keys(all).filter(key => /^(first answer|closing)/.test(key))
    assert.deepEqual(Object.fromEntries(Object.entries(all).filter(([key]) => !times.includes(key))), {
      'in blue': 2, 'out blue': 3, 'unsaid blue': 1, 'failed blue': 1, 'claim lost blue': 1, 'automatic blue': 1, 'label blue Ausweis': 1,
      'opened blue': 1, 'closed blue': 1, 'reopened blue': 1, 'agent blue Anna': 3
    })
    assert.deepEqual(times.map(key => key.replace(/ blue \d+$/, '')).sort(), ['closing', 'closing open', 'first answer', 'first answer open'])
  })
})
