import assert from 'node:assert/strict'
import { makeDirects, type Directs } from '../../../src/plan/directs'
import { makePractice } from '../../support/practice'

const HOUR_MS = 3_600_000

describe('how many direct chats are begun', () => {
  const namings = new Map(['red', 'blue'].map(name => [name, makePractice(name).naming]))
  const any = (network: string) => ({ network, id: '*' })
  const made = (): Directs => makeDirects({
    rules: { allow: [{ from: [any('red')], to: [any('blue')] }], numbers: [], perDay: 2, shows: { typing: true, read: false } },
    remembered: [], namings, isOurs: () => false
  })
  const begins = ({ opening, learn }: Directs, who: string, whom: string, hours: number): boolean => {
    const chat = opening({ network: 'red', id: `red:${who}` }, `red:ours blue blue:${whom}`, hours * HOUR_MS)
    if (chat !== undefined) learn(chat)
    return chat !== undefined
  }

  it('is counted within a day, for whoever begins and for whoever they begin with, and chats that are older count no more', () => {
    const directs = made()
    const outcomes = [begins(directs, 'anna', 'a', 100), begins(directs, 'anna', 'b', 110), begins(directs, 'anna', 'c', 120)]
    assert.deepEqual(outcomes, [true, true, false])
    assert.equal(begins(directs, 'olaf', 'c', 120), true, 'somebody else')
    assert.deepEqual([begins(directs, 'anna', 'c', 125), begins(directs, 'anna', 'd', 126)], [true, false], 'the first is a day old')
    assert.equal(begins(directs, 'petra', 'c', 127), false, 'two have begun with c')
    assert.deepEqual([begins(directs, 'petra', 'c', 145), begins(directs, 'anna', 'd', 150)], [true, true])
  })

  it('is the same for thousands as for a few, as long as one entry of the config allows it', () => {
    const directs = made()
    const begun = Array.from({ length: 1_100 }, (_, n) => begins(directs, `a${n}`, `b${n}`, 100))
    assert.equal(begun.filter(yes => yes).length, 1000)
    assert.equal(begins(directs, 'late', 'too', 123), false)
    assert.equal(begins(directs, 'late', 'too', 125), true)
  })
})
