import assert from 'node:assert/strict'
import type { Place } from '../../../../../src/model/address'
import { plain } from '../../../../../src/model/text'
import { systemClock } from '../../../../../src/lib/clock'
import type { Encryption } from '../../../../../src/networks/matrix/encryption/encryption'
import type { Keeper } from '../../../../../src/networks/matrix/encryption/keeper'
import { makeSealedPlaces } from '../../../../../src/networks/matrix/encryption/sealing'
import type { Homeserver } from '../../../../../src/networks/matrix/homeserver'
import { makeMemory } from '../../../../support/world'

describe('a room of a mirror that may not be encrypted', () => {
  const ROOM = '!a:x'
  const PLACE: Place = { network: 'matrix', id: ROOM }
  const SAID = { place: PLACE, action: { kind: 'message', content: { style: 'text', text: plain('hello') } } } as const
  const signal = new AbortController().signal
  let now: number
  let on: boolean
  let allowed: boolean
  let asked: number
  let turned: string[]

  const make = () => makeSealedPlaces({
    homeserver: {} as Homeserver, memory: makeMemory(), bot: '@zentrale:x', clock: { ...systemClock, tick: () => now }, isMadeByUs: () => false,
    encryption: { async isOn () { asked++; return on }, wasOn: () => false, mayServe: () => true, serves: () => true } as unknown as Encryption,
    keeper: { mxid: '@keys:x', mayRead: () => allowed, isIn: () => false, async enter () {} } as unknown as Keeper,
    turned: room => { turned.push(room) }
  })

  beforeEach(() => {
    now = asked = 0
    on = allowed = false
    turned = []
  })

  it('is asked before the first words, and after each gap in which it may have turned: then nothing is said there', async () => {
    const { must, mayBeSaid } = make()
    await mayBeSaid(PLACE, ROOM, signal)
    on = true
    now += 1_900
    await mayBeSaid(PLACE, ROOM, signal)
    assert.deepEqual([asked, turned], [1, []], 'so soon, it is not asked again')
    now += 200
    for (const times of [1, 2]) {
      await assert.rejects(mayBeSaid(PLACE, ROOM, signal), { name: 'Refused', because: 'encrypted' })
      assert.deepEqual([asked, turned.length], [1 + times, times])
    }
    assert.equal(await must(SAID, ROOM, signal), false, 'what we say of it there ourselves')
  })

  it('is sealed as soon as it may be, and after a gap even before we hear that it turned', async () => {
    const { must, mayBeSaid } = make()
    allowed = true
    assert.deepEqual([await must(SAID, ROOM, signal), await must(SAID, ROOM, signal), asked], [false, false, 1])
    on = true
    now += 2_100
    await mayBeSaid(PLACE, ROOM, signal)
    assert.equal(await must(SAID, ROOM, signal), true)
  })
})

describe('a chat whose last words came encrypted', () => {
  it('has encryption turned on in no room in which we could not go on', async () => {
    const memory = makeMemory()
    const place: Place = { network: 'matrix', id: '@amt:x @eva:y' }
    await memory.set(`secret ${place.id}`, '')
    const called: unknown[] = []
    const { must } = makeSealedPlaces({
      memory, bot: '@zentrale:x', clock: systemClock, isMadeByUs: () => false, turned () {},
      homeserver: { call: async (...given: unknown[]) => { called.push(given); return {} } } as unknown as Homeserver,
      encryption: { isOn: async () => false, wasOn: () => false, mayServe: () => false, serves: () => false } as unknown as Encryption,
      keeper: { mxid: '@keys:x', mayRead: () => false, isIn: () => false } as unknown as Keeper
    })
    const said = { place, action: { kind: 'message', content: { style: 'text', text: plain('hello') } } } as const
    await assert.rejects(must(said, '!a:x', new AbortController().signal), { name: 'Refused', because: 'encrypted' })
    assert.deepEqual(called, [])
  })
})
