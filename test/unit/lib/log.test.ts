import assert from 'node:assert/strict'
import { makeLog, maskNumbers, readable } from '../../../src/lib/log'

describe('the log', () => {
  const lines: string[] = []
  const log = makeLog('debug', { write: line => { lines.push(line) } })

  it('holds no secret and no whole number', () => {
    log.child({ network: 'red' }).info({
      token: 'CANARY', nested: { password: 'CANARY', body: 'CANARY' }, place: '+4930123457/+491701234567', error: new Error('to +491701234567')
    }, 'sent to 00491701234567')
    const line = lines.at(-1)!
    assert.doesNotMatch(line, /CANARY|1701234567|30123457/)
    assert.deepEqual(JSON.parse(line).network, 'red')
  })

  it('has one level for itself and all its children, and that can change', () => {
    const child = log.child({ network: 'red' }).child({ gateway: 'main' })
    const before = lines.length
    log.turnTo('warn')
    for (const one of [log, child]) { one.info({}, 'quiet'); one.warn({}, 'loud') }
    log.turnTo('debug')
    child.debug({}, 'fine')
    assert.deepEqual(lines.slice(before).map(line => JSON.parse(line).msg), ['loud', 'loud', 'fine'])
  })

  it('is readable on a terminal, and nothing in it moves the cursor or turns the line around', () => {
    log.child({ network: 'red' }).warn({ waiting: 3, why: 'not there', odd: '\u001b[2J\u202e\u009b', error: 'plain' }, 'lane pauses')
    const line = readable(lines.at(-1)!)
    assert.match(line, /^\d\d:\d\d:\d\d warn  lane pauses network=red waiting=3 why="not there" odd=\S+ error=plain\n$/)
    assert.doesNotMatch(line.trimEnd(), /[\p{C}\p{Zl}\p{Zp}]/u)
    log.error({ error: new Error('broken') }, 'stopping')
    assert.match(readable(lines.at(-1)!), /^\S+ error stopping error=broken\n {4}"?at /)
  })

  it('leaves enough of a number to recognise it, and other digits alone', () => {
    assert.equal(maskNumbers('from +491701234567 at 1795320318669, key-4930123457'), 'from +49…67 at 1795320318669, key-4930123457')
    assert.equal(maskNumbers('+12025550123 +35312345678 +88212345678'), '+1…23 +353…78 +882…78')
    assert.equal(maskNumbers('+2564901 +14917012345678'), '+256…01 +1…78', 'the shortest and the longest that there can be')
  })

  it('masks a number inside the name of a stand-in, as homeservers say it in errors', () => {
    assert.equal(maskNumbers('@_zentrale_sms_+491701234567:example.org is banned'), '@_zentrale_sms_+49…67:example.org is banned')
    for (const id of ['2026-11-22T04:25:45.105+0100', 'key 00a1_00491701234567x', 'a_00491701234567', '$vNDYzY4AAsrtGM8x000000001r']) {
      assert.equal(maskNumbers(id), id)
    }
  })
})
