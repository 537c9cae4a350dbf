/**
 * Zentrale as its own process between real servers. It is killed, and its servers are restarted, in the middle of a stream of messages.
 * Every text has its sender and a counter, so that loss, doubles and order can be judged by what arrived alone.
 */
import assert from 'node:assert/strict'
import { PASSWORD, raiseTown, type Town } from '../../sandbox/town'
import { until } from '../../sandbox/servers/process'
import { needs, scratch } from '../support/real'
import { startPerson } from '../support/xmpp-person'
import { ALL_WITHIN_MS, allOnXmpp, during, judge, numbers, onXmpp, withoutDoubles } from './counted'

const COUNT = 300

describe('faults: killed in the middle', function () {
  this.timeout(900_000)
  needs('synapse', 'prosody')
  const dir = scratch()
  let town: Town
  before(async () => { town = await raiseTown({ dir: dir('town') }) })
  after(async () => { await town.stop() })

  it('kill -9 of Zentrale in the middle of 300 messages in each direction', async () => {
    await during(town, 'kill', COUNT, () => town.zentrale.kill().then(() => town.zentrale.restart()))
  })

  it('Synapse restarted in the middle', async () => {
    let back: Promise<void> | undefined
    const { anna, bernd } = town.people
    for (let n = 0; n < COUNT; n++) {
      await bernd.say(town.muc, `bernd-synapse/${n}`, `synapse-${n}`)
      if (n === COUNT / 2) back = town.homeserver.restart()
      await back
      await anna.send(town.room, `anna-synapse/${n}`)
    }
    await judge(town, 'synapse', bernd, COUNT)
  })

  it('Prosody restarted in the middle', async () => {
    const { anna } = town.people
    let { bernd } = town.people
    for (let n = 0; n < COUNT; n++) {
      if (n === COUNT / 2) {
        await town.xmpp.restart()
        bernd = await startPerson(town.xmpp, 'bernd', PASSWORD)
        await until('Bernd in the room again', 120_000, () => bernd.enter(town.muc, 'Bernd').then(() => true, () => false))
      }
      await Promise.all([anna.send(town.room, `anna-prosody/${n}`), bernd.say(town.muc, `bernd-prosody/${n}`, `prosody-${n}`)])
    }
    await judge(town, 'prosody', bernd, COUNT)
    await bernd.stop()
  })
})

describe('faults: killed with much accepted and little delivered', function () {
  this.timeout(900_000)
  needs('prosody')
  const dir = scratch()
  const BURST = 2000
  let town: Town
  before(async () => { town = await raiseTown({ dir: dir('town'), homeserver: 'practice' }) })
  after(async () => { await town.stop() })

  it('2000 Matrix events acknowledged, then kill -9 at once: 2000 arrive in the MUC in order', async () => {
    const { anna, bernd } = town.people
    const counter = /zentrale_arrivals_total\{network="matrix",outcome="stored"\} (\d+)/
    const stored = async (): Promise<number> => Number(counter.exec(await town.metrics())?.[1])
    for (let n = 0; n < BURST; n++) await anna.send(town.room, `anna-burst/${n}`)
    await until('all acknowledged', ALL_WITHIN_MS, async () => await stored() === BURST)
    await town.zentrale.kill()
    const before = new Set(await onXmpp(town, bernd, 'anna-burst')).size
    await town.zentrale.restart()
    assert.deepEqual(withoutDoubles(await allOnXmpp(town, bernd, 'anna-burst', BURST)), numbers(BURST))
    console.log(`        in the MUC when killed: ${before} of ${BURST}`)
  })
})
