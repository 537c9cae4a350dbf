import assert from 'node:assert/strict'
import type { Identity } from '../../../../../src/model/network'
import { makeIntroduction } from '../../../../../src/networks/xmpp/direct/introduction'

const HOUR_MS = 3_600_000
const OURS: Identity = { id: 'info@chat.example.org', aliases: [], profile: { name: 'Info', about: '' } }

describe('an address', () => {
  it('says who it is once an hour at most, to each alone, and at once when its name changes or nothing has gone out', () => {
    let now = 0
    let isUp = false
    const sent: string[] = []
    const introduce = makeIntroduction({ send: ({ xml }) => { if (isUp) sent.push(xml); return isUp } }, { tick: () => now })
    const says = (theirs: string, one = OURS): number => introduce(one, theirs).length
    assert.equal(says('eva@example.org'), 0)
    isUp = true
    assert.deepEqual([says('eva@example.org'), says('eva@example.org'), says('max@example.org')], [1, 0, 1])
    assert.equal(sent.length, 2)
    assert.match(sent[0] ?? '', /headline.*eva@example\.org.*>Info<\/nick>/)
    now += HOUR_MS
    assert.deepEqual([says('eva@example.org'), says('eva@example.org')], [1, 0])
    assert.equal(says('eva@example.org', { ...OURS, profile: { name: 'Rathaus', about: '' } }), 1)
  })
})
