import assert from 'node:assert/strict'
import { makePresence } from '../../../src/bridge/presence'
import { presenceOf } from '../../../src/model/signal'
import { handClock } from '../../support/quick'

describe('bridge/presence', () => {
  const THERE = { place: { network: 'blue', id: 'hall' } }
  const stage = () => {
    const clock = handClock()
    const shown: string[] = []
    const is = { seen: true }
    const presence = makePresence(clock, () => is.seen ? [THERE] : [], (_target, now) => { shown.push(`${now.is} ${now.status}`) })
    const appears = (...[now, status]: Parameters<typeof presenceOf>): void => presence.take({ network: 'red', id: 'anna' }, presenceOf(now, status))
    return { clock, shown, appears, is, presence }
  }

  it('is shown at once, then once in ten seconds, and ends as it is', () => {
    const { clock, shown, appears } = stage()
    for (let n = 0; n < 1000; n++) appears(n % 2 === 0 ? 'away' : 'online', '')
    appears('busy', 'am  Telefon\n')
    assert.deepEqual(shown, ['away '])
    clock.advance(9_999)
    assert.equal(shown.length, 1)
    clock.advance(1)
    assert.deepEqual(shown, ['away ', 'busy am Telefon'])
    clock.advance(600_000)
    assert.equal(shown.length, 2)
  })

  it('that is the same is shown again only after five minutes', () => {
    const { clock, shown, appears } = stage()
    appears('away', 'zu Tisch')
    clock.advance(299_000)
    appears('away', 'zu Tisch')
    assert.equal(shown.length, 1)
    clock.advance(1_000)
    appears('away', 'zu Tisch')
    assert.equal(shown.length, 2)
  })

  it('that nobody may see is neither shown nor remembered, and what people say of it is short', () => {
    const { clock, shown, appears, is, presence } = stage()
    appears('away', '')
    appears('busy', '')
    is.seen = false
    appears('online', '')
    clock.advance(600_000)
    assert.deepEqual(shown, ['away '])
    is.seen = true
    appears('busy', '😀'.repeat(1_000))
    assert.equal(shown[1], `busy ${'😀'.repeat(100)}`)
    for (let n = 0; n < 3_000; n++) presence.take({ network: 'red', id: `who${n}` }, presenceOf('away', ''))
    assert.equal(shown.length, 2_001, 'and only so many people')
    presence.stop()
  })
})
