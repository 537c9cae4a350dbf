import assert from 'node:assert/strict'
import type { Person } from '../../../../../src/model/address'
import { ghostMxid } from '../../../../../src/networks/matrix/names'
import { makeStandsFor } from '../../../../../src/networks/matrix/users/stands-for'
import { makeMemory } from '../../../../support/world'

const DOMAIN = 'example.org'

describe('for whom ghosts stand', () => {
  it('is remembered of so many, and forgotten first of those that are in their room no longer', async () => {
    const memory = makeMemory()
    const shared = ghostMxid({ network: 'xmpp', id: 'gil@example.org' }, DOMAIN)
    const { rememberShared, personOf, ghostOf } = makeStandsFor({ memory, domain: DOMAIN, key: 'k', isIn: (_, room) => room === '!0', most: 3 })
    const occupant = (n: number): Person => ({ network: 'xmpp', id: `room${n}@rooms.example.org abc` })
    for (const n of [0, 1, 2, 3, 4]) await rememberShared(shared, occupant(n), `!${n}`)
    assert.deepEqual([0, 1, 2, 3, 4].map(n => ghostOf(occupant(n), `!${n}`)), [shared, undefined, undefined, shared, shared])
    assert.deepEqual([personOf(shared, '!0'), personOf(shared, '!1')?.id], [occupant(0), 'gil@example.org'])
    assert.equal(memory.keys('').length, 6)
    await rememberShared(shared, occupant(4), '!4')
    assert.equal(memory.keys('').length, 6, 'again changes nothing')
  })
})
