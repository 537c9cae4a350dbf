import assert from 'node:assert/strict'
import { silentLog } from '../../../../../src/lib/log'
import { type Asking, makeAsking } from '../../../../../src/networks/matrix/encryption/asking'
import type { Json } from '../../../../../src/networks/matrix/events/json'
import { TooLong } from '../../../../../src/networks/matrix/homeserver'

const MINUTE = 60_000
const PEOPLE = Array.from({ length: 120 }, (_, n) => `@p${n}:x`)

describe('asking for the keys of people', () => {
  let now: number
  let asking: Asking
  let asked: string[][]
  /** By user, what there is of them; more than that in one answer is too long. */
  const there = new Map<string, string>()
  const LONG = 1_000_000

  const call = async (question: Json): Promise<Json> => {
    const users = Object.keys(question['device_keys'] as Json)
    asked.push(users)
    const length = users.reduce((sum, user) => sum + (there.get(user) ?? 'K').length, 0)
    if (length > LONG) throw new TooLong('its answer is too long')
    const all = Object.fromEntries(users.map(user => [user, { D: there.get(user) ?? 'K' }]))
    return { device_keys: all, master_keys: structuredClone(all), failures: {} }
  }
  const ask = async (...users: string[]): Promise<string[]> => {
    const question = { device_keys: Object.fromEntries(users.map(user => [user, []])) }
    const { device_keys: keys, master_keys: masters } = await asking.ask(question, 'device_keys', call) as Record<string, Json>
    assert.deepEqual(Object.keys(keys!).sort(), [...users].sort(), 'each of them is answered for')
    const known = Object.keys(keys!).filter(user => 'D' in (keys![user] as Json))
    assert.deepEqual(Object.keys(masters ?? {}).sort(), [...known].sort())
    return users.filter(user => !known.includes(user))
  }

  beforeEach(() => {
    now = 0
    asked = []
    there.clear()
    asking = makeAsking({ clock: { tick: () => now }, chance: { fraction: () => 0.5, token: () => 'T' }, log: silentLog })
  })

  it('is done in small sets, and whoever makes an answer too long holds up nobody else', async () => {
    there.set('@p7:x', 'K'.repeat(LONG + 1)).set('@p90:x', 'K'.repeat(LONG + 1))
    assert.deepEqual(await ask(...PEOPLE), ['@p7:x', '@p90:x'])
    assert.ok(asked.every(users => users.length <= 50))
    assert.ok(asked.length < 30, `${asked.length} questions`)
  })

  it('takes nothing of whoever has more than is bearable, although it could be taken', async () => {
    there.set('@p1:x', 'K'.repeat(400_000))
    assert.deepEqual(await ask('@p0:x', '@p1:x', '@p2:x'), ['@p1:x'])
  })

  it('asks again for somebody who was put aside only after a while, each time later, until they are bearable', async () => {
    there.set('@p1:x', 'K'.repeat(LONG + 1))
    const waits: number[] = []
    for (let since = now; waits.length < 14; now += MINUTE / 2) {
      const isDue = asking.due(['@p0:x', '@p1:x']).length > 0
      asked = []
      assert.deepEqual(await ask('@p0:x', '@p1:x'), ['@p1:x'])
      const isAsked = asked.flat().includes('@p1:x')
      assert.equal(isAsked, isDue || now === 0)
      if (isAsked) waits.push(now - since)
      if (isAsked) since = now
    }
    assert.deepEqual(waits.map(ms => ms / MINUTE), [0, 1, 2, 4, 8, 16, 32, 64, 128, 256, 512, 1024, 1440, 1440])
    there.clear()
    now += 24 * 60 * MINUTE
    assert.deepEqual([asking.due(['@p1:x']), await ask('@p1:x'), asking.due(['@p1:x'])], [['@p1:x'], [], []])
  })

  it('fails as its calls fail', async () => {
    await assert.rejects(asking.ask({ device_keys: { '@a:x': [] } }, 'device_keys', async () => { throw new Error('away') }), /away/)
  })
})
