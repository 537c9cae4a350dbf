/**
 * Zentrale as its own process between real servers. It is killed, and its servers are restarted, in the middle of a stream of messages.
 * Every text has its sender and a counter, so that loss, doubles and order can be judged by what arrived alone.
 */
import assert from 'node:assert/strict'
import { PASSWORD, raiseTown, type Town } from '../../sandbox/town'
import { until } from '../../sandbox/servers/process'
import { needs, scratch } from '../support/real'
import { startPerson, type XmppPerson } from '../support/xmpp-person'
import { numbers, onMatrix, onXmpp } from './counted'

const COUNT = 300
const ALL_WITHIN_MS = 180_000

const withoutDoubles = (list: number[]): number[] => [...new Set(list)]

/** Waits until the last message is in the room, because reading its archive again and again is costly. */
const lastHeard = (town: Town, reader: XmppPerson, text: string): Promise<unknown> => reader.until(text, one =>
  one.is('message') && one.attrs.from?.startsWith(`${town.muc}/`) === true && one.getChildText('body') === text, ALL_WITHIN_MS).catch(() => {})

/** Reads until there are `count` different ones, or the time is over. */
const complete = async (what: string, count: number, read: () => Promise<number[]>): Promise<number[]> => {
  let found: number[] = []
  await until(what, ALL_WITHIN_MS, async () => new Set(found = await read()).size === count).catch(() => {})
  return found
}

const allOnXmpp = async (town: Town, reader: XmppPerson, sender: string, count: number): Promise<number[]> => {
  await lastHeard(town, reader, `${sender}/${count - 1}`)
  return await complete('everything on XMPP', count, () => onXmpp(town, reader, sender))
}

/** Judges both directions: exactly once and in order on Matrix; none missing on XMPP, where a stalled homeserver may make one late. */
const judge = async (town: Town, sender: string, reader: XmppPerson): Promise<void> => {
  const matrix = (): Promise<number[]> => onMatrix(town, `bernd-${sender}`)
  const arrived = await allOnXmpp(town, reader, `anna-${sender}`, COUNT)
  await complete('everything on Matrix', COUNT, matrix)
  assert.deepEqual(await matrix(), numbers(COUNT), 'on Matrix: each once, in order')
  const first = withoutDoubles(arrived)
  assert.deepEqual(first.toSorted((one, other) => one - other), numbers(COUNT), 'on XMPP: none missing')
  console.log(`        on XMPP: ${arrived.length - COUNT} doubles, ${first.filter((n, index) => n < (first[index - 1] ?? -1)).length} late`)
}

describe('faults: killed in the middle', function () {
  this.timeout(900_000)
  needs('synapse', 'prosody')
  const dir = scratch()
  let town: Town
  before(async () => { town = await raiseTown({ dir: dir('town') }) })
  after(async () => { await town.stop() })

  it('kill -9 of Zentrale in the middle of 300 messages in each direction', async () => {
    const { anna, bernd } = town.people
    let back: Promise<void> | undefined
    for (let n = 0; n < COUNT; n++) {
      await Promise.all([anna.send(town.room, `anna-kill/${n}`), bernd.say(town.muc, `bernd-kill/${n}`, `kill-${n}`)])
      if (n === COUNT / 2) back = town.zentrale.kill().then(() => town.zentrale.restart())
    }
    await back
    await judge(town, 'kill', bernd)
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
    await judge(town, 'synapse', bernd)
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
    await judge(town, 'prosody', bernd)
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
