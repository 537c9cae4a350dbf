import assert from 'node:assert/strict'
import { makeSift } from '../../../../../src/networks/matrix/encryption/sifting'
import type { Json } from '../../../../../src/networks/matrix/events/json'

const DAY_MS = 24 * 3600_000
const FRIEND = '@eva:x'

describe('what comes for a device', () => {
  let now: number
  let sift: (came: Json[]) => Promise<Json[]>
  const message = (sender: unknown, more = ''): Json => ({ type: 'm.room.encrypted', sender, content: { more } })
  /** How many of so many messages are taken, a page at a time. */
  const takenOf = async (sender: (n: number) => string, many: number): Promise<number> => {
    let taken = 0
    for (let n = 0; n < many; n += 100) taken += (await sift(Array.from({ length: 100 }, (_, at) => message(sender(n + at))))).length
    return taken
  }

  beforeEach(() => {
    now = 0
    sift = makeSift({ clock: { tick: () => now }, known: async people => people.filter(one => one === FRIEND) })
  })

  it('is taken from a stranger up to a bound, from a server and from all up to others, and from whom we know all the same, each day', async () => {
    assert.equal(await takenOf(() => '@mallory:x', 1_000), 300)
    assert.equal(await takenOf(n => `@m${n}:x`, 5_000), 700)
    assert.equal(await takenOf(n => `@m:x${n}`, 5_000), 2_000)
    assert.equal(await takenOf(() => FRIEND, 5_000), 5_000)
    assert.equal(await takenOf(() => FRIEND, 10_000), 5_000)
    now += DAY_MS + 1
    assert.deepEqual([await takenOf(() => '@mallory:x', 1_000), await takenOf(() => FRIEND, 1_000)], [300, 1_000])
  })

  it('is dropped if it is too long, or of nobody; what comes with it is taken', async () => {
    const fine = message('@a:x')
    assert.deepEqual(await sift([message(FRIEND, 'x'.repeat(70_000)), message(undefined), message(7), fine]), [fine])
  })
})
