import assert from 'node:assert/strict'
import { PARTS_MAX } from '../../../src/plan/say'
import { makePractice, until } from '../../support/practice'
import { mirrorOf, startBridge } from '../../support/started'

describe('a message that is too long for one of the places', () => {
  it('is said where it fits, in parts, and its writer is told where it does not', async () => {
    const [red, blue, phone] = [makePractice('red'), makePractice('blue', { textBytesMax: 1000 }), makePractice('phone', { textBytesMax: 100 })]
    const { stop, bugs } = await startBridge([red, blue, phone], [mirrorOf(['red', 'room'], ['blue', 'hall'], ['phone', 'max'])])
    try {
      const words = Array.from({ length: 1000 }, (_, index) => `w${index}`).join(' ')
      await red.say('room', 'anna', words)
      await until(() => blue.read('hall').at(-1)?.endsWith(' w999') === true && red.delivered.length === 1)
      assert.equal(blue.read('hall').map(line => line.replace('anna (red): ', '')).join(' '), words)
      assert.match(red.read('room')[0]!, /^\*: Not delivered to phone: “w0 w1 .*…” \(too long\)$/)
      assert.deepEqual(phone.delivered, [])
      await red.say('room', 'anna', `${'x'.repeat(99)} `.repeat(PARTS_MAX).trim())
      await until(() => phone.delivered.length === PARTS_MAX)
      assert.deepEqual(bugs, [])
    } finally {
      await stop()
    }
  })
})
