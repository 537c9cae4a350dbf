import assert from 'node:assert/strict'
import type { Answered } from '../../../src/model/network'
import { plain } from '../../../src/model/text'
import { addressOn, agent } from '../../support/address'
import { makePractice, type Practice } from '../../support/practice'
import { startBridge, type Started } from '../../support/started'

describe('the menu of a team', () => {
  let red: Practice, blue: Practice
  let started: Started
  let asked = 0

  beforeEach(async () => {
    [red, blue] = [makePractice('red'), makePractice('blue', { window: 8 })]
    started = await startBridge([red, blue], [], { addresses: [addressOn(['red', 'blue'],
      [agent('Anna', 'red @anna'), agent('Bernd', 'blue bernd')], { texts: { offer: { text: 'Your offer' } } })] })
    await red.say('werkstatt/red:eva', 'red:eva', 'Hello?', { direct: true, to: 'werkstatt', sender: { id: 'red:eva', name: 'Eva' } })
  })
  afterEach(async () => {
    await started.stop()
    assert.deepEqual(started.bugs, [])
  })

  const asks = (words: string): Promise<Answered> => blue.inbox.ask({
    kind: 'message', key: `asked ${++asked}`, place: { network: 'blue', id: 'werkstatt/bernd' }, at: 1, sender: { id: 'bernd', name: 'Bernd' },
    content: { style: 'text', text: plain(words) }, direct: true, to: 'werkstatt'
  })
  const stateOf = async (): Promise<string | undefined> => (await started.store.run(tx => tx.desk.conversation(1)))?.state

  it('has the open cases, colleagues and texts to choose from, and words that are commands', async () => {
    assert.deepEqual(await blue.inbox.cases('blue', 'werkstatt'), [{ value: '1', label: '#1 🔴 new · Eva (red)', words: 'Hello?' }])
    const { items } = blue.served[0]!.menu!
    const fields = (node: string) => items.find(one => one.node === node)?.fields.map(({ kind, options }) => [kind, options?.map(one => one.value)])
    assert.deepEqual(fields('assign'), [['case', undefined], ['choice', ['Anna', 'Bernd']]])
    assert.deepEqual(fields('text'), [['case', undefined], ['choice', ['offer']]])
    for (const { words, fields: all } of items) {
      const filled = all.map(({ kind, options }) => kind === 'case' ? '' : options?.[0]?.value ?? 'x').join(' ').trim()
      const { text } = await asks(`${all.some(({ kind }) => kind === 'case') ? '#1 ' : ''}${words} ${filled}`.trim())
      assert.doesNotMatch(text, /Did you mean|begins with !/, words)
    }
  })

  it('says what was answered, and whether anything was done', async () => {
    await red.say('werkstatt-1', '@anna', '!take')
    const refused = await asks('#1 !done')
    assert.deepEqual([refused.done, /^Nothing done: Anna has the case/.test(refused.text)], [false, true])
    assert.equal(await stateOf(), 'claimed')
    const slip = await asks('!done 1')
    assert.deepEqual([slip.done, slip.text.startsWith('Which case?')], [false, true])
    await red.say('werkstatt-1', '@anna', '!release')
    const done = await asks('#1 !done')
    assert.deepEqual([done.done, done.text], [true, 'Bernd has closed the case.'])
    assert.equal(await stateOf(), 'done')
  })
})
