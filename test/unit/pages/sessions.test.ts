import assert from 'node:assert/strict'
import { systemChance } from '../../../src/lib/chance'
import { systemClock } from '../../../src/lib/clock'
import { makeSessions, OF_ONE_MAX, OF_TEAMS_MAX, SESSION_MS, type Who } from '../../../src/pages/sessions'

describe('a session', () => {
  const OPERATOR: Who = { kind: 'operator' }
  const agentOf = (key: string): Who => ({ kind: 'agent', address: 'werkstatt', key })
  let late: number
  const start = () => makeSessions({ ...systemClock, tick: () => late }, systemChance)
  beforeEach(() => { late = 0 })

  it('has an id of its own that nobody can guess, and ends when its time is over or it is ended', () => {
    const sessions = start()
    const [one, other] = [sessions.begin(OPERATOR), sessions.begin(OPERATOR)]
    assert.notEqual(one, other)
    assert.ok(one.length >= 43)
    assert.deepEqual(sessions.find(one), OPERATOR)
    for (const id of [undefined, '', 'zentrale', one.slice(1)]) assert.equal(sessions.find(id), undefined)
    sessions.end(one)
    assert.equal(sessions.find(one), undefined)
    late = SESSION_MS
    assert.equal(sessions.find(other), undefined)
  })

  it('is one of few for each person, and of so many for all teams, which end none of the operator’s', () => {
    const sessions = start()
    const operators = sessions.begin(OPERATOR)
    const first = sessions.begin(agentOf('first'))
    const own = Array.from({ length: OF_ONE_MAX + 1 }, () => sessions.begin(agentOf('own')))
    assert.equal(sessions.find(own[0]), undefined)
    assert.equal(own.filter(id => sessions.find(id) !== undefined).length, OF_ONE_MAX)
    for (let index = 0; index < OF_TEAMS_MAX; index++) sessions.begin(agentOf(String(index)))
    assert.equal(sessions.find(first), undefined)
    assert.deepEqual(sessions.find(operators), OPERATOR)
  })
})
