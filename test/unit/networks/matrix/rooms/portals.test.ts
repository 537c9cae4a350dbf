import assert from 'node:assert/strict'
import type { Homeserver } from '../../../../../src/networks/matrix/homeserver'
import { makePortals } from '../../../../../src/networks/matrix/rooms/portals'
import { Unavailable } from '../../../../../src/model/errors'
import { skippingClock } from '../../../../support/quick'

const ALIAS = '#_zentrale_xmpp_markt%rooms.example.org:example.org'

describe('an alias for which somebody asks', () => {
  const stage = () => {
    const made = Promise.withResolvers<Record<string, never>>()
    const clock = skippingClock()
    const asked: string[] = []
    const homeserver = { call: async (...call: string[]) => { asked.push(call[1]!); return await made.promise } } as unknown as Homeserver
    const portal = makePortals({
      homeserver, rooms: { attend () {}, settled: async () => true }, network: 'matrix', domain: 'example.org', clock,
      inbox: { portal: async place => place.id.includes('markt') ? place : undefined }
    })
    return { portal, made, clock, asked }
  }

  it('has one room, which all find who ask at the same moment', async () => {
    const { portal, made, asked } = stage()
    const all = Promise.all([portal(ALIAS), portal(ALIAS), portal(ALIAS)])
    await new Promise(resolve => setImmediate(resolve))
    made.resolve({})
    assert.deepEqual(await all, [true, true, true])
    assert.equal(asked.length, 1)
  })

  it('has none for all of them if it cannot be made, and is made for the next', async () => {
    const { portal, made, asked } = stage()
    const all = Promise.allSettled([portal(ALIAS), portal(ALIAS)])
    made.reject(new Unavailable('away'))
    assert.deepEqual((await all).map(({ status }) => status), ['rejected', 'rejected'])
    await assert.rejects(portal(ALIAS), Unavailable)
    assert.equal(asked.length, 2)
    const none = ALIAS.replace('markt', 'nirgends')
    assert.deepEqual(await Promise.all([portal(none), portal(none)]), [false, false])
  })

  it('keeps no question waiting for long that may be what the making itself waits for', async () => {
    const { portal, made, clock } = stage()
    const first = portal(ALIAS)
    const own = portal(ALIAS)
    clock.skip(60_000)
    assert.equal(await own, false)
    made.resolve({})
    assert.equal(await first, true)
  })
})
