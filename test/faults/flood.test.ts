/**
 * Ten times as much comes in as a destination takes: memory stays bounded, beyond `limits.queue_max` the sources are told to wait,
 * the conversation next door goes on, and in the end everything has arrived. `npm run faults -- --flood-minutes=10` for the long form.
 */
import assert from 'node:assert/strict'
import { readFileSync, writeFileSync } from 'node:fs'
import { setTimeout as pause } from 'node:timers/promises'
import type { Element } from '@xmpp/client'
import { parse, stringify } from 'yaml'
import { until } from '../../sandbox/servers/process'
import { type Link, raiseTown, type Town } from '../../sandbox/town'
import { type Proxy, startProxy } from '../support/proxy'
import { needs, scratch } from '../support/real'
import { isLong, option } from './long'

const QUEUE_MAX = isLong ? 5_000 : 300
const FLOOD_MS = isLong ? option('flood-minutes', 1) * 60_000 : 3_000
const PER_SECOND = 200
const SMSC_BYTES_PER_SECOND = 2_400 // some 20 submit_sm a second
const PROBES = isLong ? 60 : 20 // before the queue is full: then all that comes from Matrix waits at the homeserver
const PROBE_EVERY_MS = 50
const AGAIN_MS = 250 // for a homeserver that would wait ever longer
const RSS_MIB_MAX = 350
const RATIO_MAX = 2

const setQueueMax = (town: Town, most: number): void => {
  const config = parse(readFileSync(town.configPath, 'utf8')) as object
  writeFileSync(town.configPath, stringify({ ...config, limits: { queue_max: most } }))
}

const rssMib = ({ zentrale: { pid } }: Town): number => Number(/VmRSS:\s+(\d+)/.exec(readFileSync(`/proc/${pid}/status`, 'utf8'))?.[1]) / 1024

const metric = async (town: Town, name: string): Promise<number> =>
  Number(new RegExp(`^${name.replace(/[{}]/g, '\\$&')} (\\S+)$`, 'm').exec(await town.metrics())?.[1] ?? 0)

const REFUSED = 'zentrale_arrivals_total{network="matrix",outcome="refused"}'

describe('faults: a flood', function () {
  this.timeout(FLOOD_MS * 20 + 240_000)
  needs('prosody')
  const dir = scratch()
  const proxies: Partial<Record<Link, Proxy>> = {}
  let town: Town
  let said = 0
  before(async () => {
    town = await raiseTown({
      dir: dir('town'), homeserver: 'practice', mirrors: 1, language: 'en',
      via: async (link, port) => (proxies[link] = await startProxy(port)).port
    })
  })
  after(async () => {
    await town?.stop()
    for (const proxy of Object.values(proxies)) await proxy.stop()
  })

  /** Sorted latencies from Anna to Bernd in the room next door, in ms. */
  const probe = async (): Promise<number[]> => {
    const { anna, bernd } = town.people
    const { room, muc } = town.more[0]!
    const latencies: number[] = []
    for (let n = 0; n < PROBES; n++) {
      const text = `probe ${++said}`
      const since = performance.now()
      let read = false
      const look = (one: Element): void => { read ||= one.attrs.from?.startsWith(`${muc}/`) === true && one.getChildText('body') === text }
      bernd.client.on('stanza', look) // and not all that was ever heard, which is much here
      await anna.send(room, text)
      await until(text, 60_000, () => read)
      bernd.client.off('stanza', look)
      latencies.push(performance.now() - since)
      await pause(PROBE_EVERY_MS)
    }
    return latencies.sort((one, other) => one - other)
  }
  const middle = (sorted: number[]): number => sorted[Math.floor(sorted.length / 2)]!

  it('of ten times what the SMS gateway takes: bounded, refused at the door, and all of it arrives', async () => {
    setQueueMax(town, QUEUE_MAX)
    await town.zentrale.restart()
    const { practice, people: { bernd }, room, muc } = town
    const person = practice!.person('anna')
    const quiet = await probe()
    proxies.smsc!.toServer.bytesPerSecond = SMSC_BYTES_PER_SECOND
    const began = performance.now()
    let count = 0
    let most = 0
    const flood = (async (): Promise<void> => {
      while (performance.now() - began < FLOOD_MS) {
        while (count < (performance.now() - began) / 1000 * PER_SECOND) person.send(room, `flood ${count++}`)
        await pause(20)
        most = Math.max(most, rssMib(town))
      }
    })()
    const busy = await probe()
    await flood
    await until('refused at the door', 30_000, async () => await metric(town, REFUSED) > 0)
    const waiting = await metric(town, 'zentrale_queue_messages{network="sms",state="waiting"}')
    proxies.smsc!.toServer.bytesPerSecond = Infinity
    await until('all in the MUC', FLOOD_MS * 10 + 120_000, async () => {
      practice!.pusher.hurry()
      await pause(AGAIN_MS)
      return bernd.bodies(muc).filter(body => body.startsWith('flood ')).length >= count
    })
    await until('all on the phone', FLOOD_MS * 10 + 120_000, async () => town.smsc.counts.submits >= count)
    most = Math.max(most, rssMib(town))
    const ratio = middle(busy) / middle(quiet)
    console.log(`        ${count} messages in ${FLOOD_MS / 1000} s; ${waiting} waited at its end; RSS at most ${most.toFixed()} MiB; ` +
      `next door ${middle(quiet).toFixed(1)} ms in peace, ${middle(busy).toFixed(1)} ms in the flood: ${ratio.toFixed(2)} times`)
    assert.deepEqual(bernd.bodies(muc).filter(body => body.startsWith('flood ')), Array.from({ length: count }, (_, n) => `flood ${n}`))
    assert.equal(town.smsc.counts.submits, count)
    assert.ok(waiting <= QUEUE_MAX, `${waiting} wait`)
    assert.ok(most < RSS_MIB_MAX, `${most} MiB`)
    if (isLong) assert.ok(ratio <= RATIO_MAX, `${ratio} times`)
  })

  it('of deliveries to a network whose people talk meanwhile: when its link is back, the full queue drains', async () => {
    const { practice, people: { bernd } } = town
    const { room, muc } = town.more[0]!
    const most = 100 // the least that the config takes
    setQueueMax(town, most)
    await town.zentrale.restart()
    proxies.component!.refuse = true
    proxies.component!.reset()
    const person = practice!.person('anna')
    const before = await metric(town, REFUSED)
    for (let n = 0; n < most + 20; n++) person.send(room, `jam ${n}`)
    await until('the queue is full', 20_000, async () => await metric(town, REFUSED) > before)
    for (let n = 0; n < 5; n++) await bernd.say(muc, `talk ${n}`, `talk-${n}`)
    proxies.component!.refuse = false
    await until('all in the MUC', 60_000, () => bernd.bodies(muc).filter(body => body.startsWith('jam ')).length >= most + 20)
    await person.waitFor(room, ({ content }) => content['body'] === 'talk 4', 60_000)
  })
})
