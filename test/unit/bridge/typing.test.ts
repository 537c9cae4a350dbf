import assert from 'node:assert/strict'
import { makeTyping, TYPING_MS, type Target } from '../../../src/bridge/typing'
import type { Place } from '../../../src/model/address'
import { handClock } from '../../support/quick'

describe('bridge/typing', () => {
  const HALL: Place = { network: 'red', id: 'hall' }
  const THERE: Target = { place: { network: 'blue', id: 'hall' } }

  const stage = (targets = (): Target[] => [THERE]) => {
    const clock = handClock()
    const shown: boolean[] = []
    const typing = makeTyping(clock, targets, (_target, now) => { shown.push(now) })
    return { clock, shown, types: (now: boolean, id = 'anna', place = HALL) => typing.take({ place, sender: { id } }, now), stop: typing.stop }
  }

  it('ends by itself when no new sign of it comes', () => {
    const { clock, shown, types } = stage()
    types(true)
    clock.advance(TYPING_MS - 1)
    assert.deepEqual(shown, [true])
    types(true)
    clock.advance(TYPING_MS - 1)
    assert.deepEqual(shown, [true, true], 'a new sign is shown again, because apps forget')
    clock.advance(1)
    assert.deepEqual(shown, [true, true, false])
  })

  it('is shown to begin once in two seconds, however often it does; what holds at the end is shown', () => {
    const { clock, shown, types } = stage()
    for (let n = 0; n < 1000; n++) types(n % 2 === 0)
    assert.deepEqual(shown, [true, false])
    types(true)
    clock.advance(1999)
    assert.deepEqual(shown, [true, false])
    clock.advance(1)
    assert.deepEqual(shown, [true, false, true])
    types(true)
    assert.equal(shown.length, 3)
    types(false)
    clock.advance(TYPING_MS)
    assert.deepEqual(shown, [true, false, true, false])
  })

  it('ends where it was shown, whoever may see it by now', () => {
    let targets = [THERE]
    const { shown, types } = stage(() => targets)
    types(true)
    targets = []
    types(false)
    assert.deepEqual(shown, [true, false])
  })

  it('of ten people in one place and of a thousand in all is shown, of no more; later others have their turn', () => {
    const { clock, shown, types } = stage()
    for (let n = 0; n < 50; n++) types(true, `anna${n}`)
    assert.equal(shown.length, 10)
    for (let n = 0; n < 2000; n++) types(true, 'anna', { network: 'red', id: `hall${n}` })
    assert.equal(shown.length, 1000)
    clock.advance(TYPING_MS + 1)
    assert.equal(shown.length, 2000)
    types(true, 'anna', { network: 'red', id: 'hall1999' })
    assert.equal(shown.length, 2001)
  })
})
