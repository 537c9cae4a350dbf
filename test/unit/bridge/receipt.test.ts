import assert from 'node:assert/strict'
import { makePractice, until, type Practice } from '../../support/practice'
import { mirrorOf, startBridge, type Started } from '../../support/started'

describe('a receipt', () => {
  let red: Practice, blue: Practice
  let started: Started

  beforeEach(async () => {
    [red, blue] = [makePractice('red'), makePractice('blue')]
    started = await startBridge([red, blue], [mirrorOf(['red', 'hall'], ['blue', 'hall'])])
  })
  afterEach(async () => {
    await started.stop()
    assert.deepEqual(started.bugs, [])
  })

  for (const [when, early] of [['after', false], ['before', true]] as const) {
    it(`that says why nobody has read it is told in our words, if it comes ${when} the answer to the send`, async () => {
      const fails = (key: string) => blue.inbox.accept({
        kind: 'receipt', key: `unread ${key}`, place: { network: 'blue', id: 'hall' }, at: 1, of: [`blue-${key}`],
        outcome: 'failed', because: 'parted'
      })
      if (early) blue.onSend = async ({ key }) => { await fails(key) }
      await red.say('hall', 'anna', 'Hello?')
      await until(() => blue.delivered.length === 1)
      if (!early) await fails(blue.delivered[0]!.key)
      await until(() => red.read('hall').length > 0)
      assert.deepEqual(red.read('hall'), ['*: Not delivered to blue: “Hello?” (this person has left the chat, or declined the invitation to it)'])
    })
  }
})
