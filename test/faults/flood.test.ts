/**
 * One room sends ten times as much as its destinations take. Memory and queue stay bounded. Messages beyond the bound are refused at the
 * door, and read from the room's history when there is space. The room next door and a function address go on meanwhile. In the end
 * everything has arrived, once and in order. `npm run faults -- --flood-minutes=10` is the long form.
 */
import assert from 'node:assert/strict'
import { readFileSync, writeFileSync } from 'node:fs'
import { setTimeout as pause } from 'node:timers/promises'
import { type Element, xml } from '@xmpp/client'
import { parse, stringify } from 'yaml'
import { until } from '../../sandbox/servers/process'
import { DOMAIN, type Connection, PASSWORD, raiseTown, type Town } from '../../sandbox/town'
import type { HsEvent } from '../support/homeserver'
import { type Proxy, startProxy } from '../support/proxy'
import { needs, scratch } from '../support/real'
import { startPerson, type XmppPerson } from '../support/xmpp-person'
import { isLong, option } from './long'

const QUEUE_MAX = isLong ? 5_000 : 200
const MINUTE_MS = 60_000
const FLOOD_MS = isLong ? option('flood-minutes', 1) * MINUTE_MS : 1_000
/** Prosody reads the whole archive for each page, so reading a room with ten minutes of flood would take hours. */
const FLOOD_MS_MAX = { matrix: Infinity, xmpp: MINUTE_MS }
const PER_SECOND = 200
const FLOOD_EVERY_MS = 5 // one at a time: a room is flooded by many people, not by bursts of one
const SMSC_BYTES_PER_SECOND = 2_400 // some 20 submit_sm a second
const PROBES_QUIET = isLong ? 100 : 10
const PROBE_EVERY_MS = 100
const PROBE_MS_MAX = 60_000
const LOOK_EVERY_MS = 250
const DRAIN_PER_SECOND_MIN = 20 // the longer the archive, the more a page costs Prosody
const SPARE = 20 // messages that are let in together with the last one
const RSS_MIB_MAX = 250
const RATIO_MAX = 2
const ADDRESS = { name: 'info', matrix: 'info', more: {
  xmpp: 'info', automatic: { greeting: false, absence: false }, team: [{ name: 'Anna', addresses: [`@anna:${DOMAIN}`] }]
} }

const setQueueMax = (town: Town, most: number): void => {
  const config = parse(readFileSync(town.configPath, 'utf8')) as object
  writeFileSync(town.configPath, stringify({ ...config, limits: { queue_max: most } }))
}

const rssMib = ({ zentrale: { pid } }: Town): number => Number(/VmRSS:\s+(\d+)/.exec(readFileSync(`/proc/${pid}/status`, 'utf8'))?.[1]) / 1024

const metric = async (town: Town, name: string): Promise<number> =>
  Number(new RegExp(`^${name.replace(/[{}]/g, '\\$&')} (\\S+)$`, 'm').exec(await town.metrics())?.[1] ?? 0)

const refused = (town: Town, network: string): Promise<number> =>
  metric(town, `zentrale_arrivals_total{network="${network}",outcome="refused"}`)

/** Judges numbered texts as they come, without keeping them. */
const makeSequence = (word: string) => {
  const self = { next: 0, wrong: [] as string[], take (text: string): void {
    if (!text.includes(`${word} `)) return
    const number = Number(text.slice(text.lastIndexOf(' ') + 1))
    if (number === self.next) self.next++
    else if (self.wrong.length < 10) self.wrong.push(`${number} where ${self.next} was due`)
  } }
  return self
}

interface Latencies { middle: number, late: number }
const latenciesOf = (all: number[]): Latencies => {
  const sorted = all.sort((one, other) => one - other)
  const at = (share: number): number => sorted[Math.floor(sorted.length * share)]!
  return { middle: at(0.5), late: at(0.95) }
}

describe('faults: a flood', function () {
  this.timeout(FLOOD_MS * 4 + 240_000)
  needs('prosody')
  const dir = scratch()
  const proxies: Partial<Record<Connection, Proxy>> = {}
  const ears = new Set<(text: string) => void>()
  let town: Town
  let chat: string // Eva's chat with the address
  let carl: XmppPerson // on a stream of his own, so that he does not wait behind Bernd's messages
  let said = 0

  /** Passes on what others hear; nothing is kept. */
  const hear = (text: unknown): void => { for (const ear of [...ears]) ear(String(text)) }
  const stanza = (one: Element): void => {
    if (one.is('message') && !/\/(?:Bernd|Carl)$/.test(String(one.attrs.from))) hear(one.getChildText('body'))
    town.people.bernd.heard.length = 0
  }
  const event = ({ sender, content }: HsEvent): void => { if (!/^@(?:anna|eva):/.test(sender)) hear(content['body']) }

  before(async () => {
    town = await raiseTown({
      dir: dir('town'), homeserver: 'practice', mirrors: 1, language: 'en', addresses: [ADDRESS],
      via: async (link, port) => (proxies[link] = await startProxy(port)).port
    })
    setQueueMax(town, QUEUE_MAX)
    await town.zentrale.restart()
    const { practice, people: { bernd } } = town
    chat = practice!.person('eva').createRoom({ is_direct: true, preset: 'trusted_private_chat', invite: [`@info:${DOMAIN}`] })
    await town.xmpp.addUser('carl', PASSWORD)
    carl = await startPerson(town.xmpp, 'carl', PASSWORD)
    await carl.enter(town.more[0]!.muc, 'Carl')
    practice!.state.listeners.add(event)
    bernd.client.on('stanza', stanza)
  })
  after(async () => {
    await carl?.stop()
    await town?.stop()
    for (const proxy of Object.values(proxies)) await proxy.stop()
  })

  type Say = (text: string) => unknown
  interface Way { flood: Say, nextDoor: Say, direct: Say, link?: Proxy } // `link`: leads to a server that gets the flood too
  const ways: Record<'matrix' | 'xmpp', () => Way> = {
    matrix () {
      const [anna, eva] = [town.practice!.person('anna'), town.practice!.person('eva')]
      return {
        flood: text => anna.send(town.room, text), nextDoor: text => anna.send(town.more[0]!.room, text), direct: text => eva.send(chat, text)
      }
    },
    xmpp () {
      const { bernd } = town.people
      return {
        flood: text => bernd.say(town.muc, text, `m${++said}`), nextDoor: text => carl.say(town.more[0]!.muc, text, `m${++said}`),
        direct: text => carl.client.send(xml('message', { to: `info@chat.${DOMAIN}`, type: 'chat', id: `m${++said}` }, xml('body', {}, text))),
        link: proxies.component!
      }
    }
  }

  /** How long a message takes until others hear it, in ms: since it is said, or since it leaves `link`. */
  const probe = async (say: Say, link?: Proxy): Promise<number> => {
    const text = `probe ${++said}`
    const { promise, resolve } = Promise.withResolvers<void>()
    const ear = (heard: string): void => { if (heard === text) resolve() }
    const limit = AbortSignal.timeout(PROBE_MS_MAX)
    const late = new Promise<never>((_, reject) => { limit.onabort = () => reject(new Error(`${text} is not heard`)) })
    ears.add(ear)
    let since = performance.now()
    if (link) link.watch = octets => { if (octets.includes(text)) since = performance.now() }
    await say(text)
    await Promise.race([promise, late]).finally(() => { ears.delete(ear); limit.onabort = null })
    return performance.now() - since
  }

  const probes = async ({ nextDoor, direct, link }: Way, goOn: (count: number) => boolean): Promise<Record<'nextDoor' | 'direct', Latencies>> => {
    const all = { nextDoor: [] as number[], direct: [] as number[] }
    while (goOn(all.direct.length)) {
      all.nextDoor.push(await probe(nextDoor, link))
      all.direct.push(await probe(direct, link))
      await pause(PROBE_EVERY_MS)
    }
    return { nextDoor: latenciesOf(all.nextDoor), direct: latenciesOf(all.direct) }
  }

  /** Floods for `ms`, and measures Zentrale meanwhile. */
  const flood = async (say: Say, word: string, ms: number, look: () => void): Promise<{ count: number, waiting: number, rss: number }> => {
    const began = performance.now()
    const seen = { count: 0, waiting: 0, rss: 0 }
    let next = 0
    for (let passed = 0; passed < ms; passed = performance.now() - began) {
      while (seen.count < passed / 1000 * PER_SECOND) void say(`${word} ${seen.count++}`)
      if (passed > next) {
        next = passed + LOOK_EVERY_MS
        look()
        seen.rss = Math.max(seen.rss, rssMib(town))
        seen.waiting = Math.max(seen.waiting, await metric(town, 'zentrale_queue_messages{network="sms",state="waiting"}'))
      }
      await pause(FLOOD_EVERY_MS)
    }
    return seen
  }

  const compared = (name: string, quiet: Latencies, busy: Latencies): string =>
    `        ${name}: median ${quiet.middle.toFixed(1)} → ${busy.middle.toFixed(1)} ms (${(busy.middle / quiet.middle).toFixed(2)} times), ` +
    `95th percentile ${quiet.late.toFixed(1)} → ${busy.late.toFixed(1)} ms (${(busy.late / quiet.late).toFixed(2)} times)`

  for (const network of ['matrix', 'xmpp'] as const) {
    it(`from ${network}, ten times what the SMS gateway takes: bounded, refused at the door, and all of it arrives; others go on`, async () => {
      const { smsc, people: { max } } = town
      const way = ways[network]()
      const word = `flood-${network}`
      const [others, phone] = [makeSequence(word), makeSequence(word)]
      await probe(way.direct) // opens the case
      const quiet = await probes(way, count => count < PROBES_QUIET)
      const [refusedBefore, submitsBefore] = [await refused(town, network), smsc.counts.submits]
      ears.add(others.take)
      proxies.smsc!.toServer.bytesPerSecond = SMSC_BYTES_PER_SECOND
      let over = false
      const look = (): void => { for (const { text } of max.inbox.splice(0)) phone.take(text) } // because a phone keeps only the newest
      const flooding = flood(way.flood, word, Math.min(FLOOD_MS, FLOOD_MS_MAX[network]), look).finally(() => { over = true })
      const busy = await probes(way, () => !over)
      const { count, waiting, rss } = await flooding
      const left = count - others.next
      const refusals = await refused(town, network) - refusedBefore
      console.log(`        ${count} messages; ${waiting} waited at most, ${refusals} refusals; RSS at most ${rss.toFixed()} MiB`)
      console.log(compared('next door', quiet.nextDoor, busy.nextDoor))
      console.log(compared('direct chat', quiet.direct, busy.direct))
      proxies.smsc!.toServer.bytesPerSecond = Infinity
      const since = performance.now()
      let most = rss
      await until('everything everywhere', left / DRAIN_PER_SECOND_MIN * 1000 + 30_000, () => {
        look()
        most = Math.max(most, rssMib(town))
        assert.deepEqual([...others.wrong, ...phone.wrong], [])
        return others.next === count && phone.next === count
      }).catch((error: unknown) => { throw new Error(`${others.next} and ${phone.next} of ${count} have arrived`, { cause: error }) })
      const seconds = (performance.now() - since) / 1000
      ears.delete(others.take)
      console.log(`        the ${left} that were left took ${seconds.toFixed(1)} s: ${(left / seconds).toFixed()} a second; ` +
        `RSS at most ${most.toFixed()} MiB`)
      assert.equal(smsc.counts.submits - submitsBefore, count)
      assert.ok(refusals > 0)
      assert.ok(waiting <= QUEUE_MAX / 2 + SPARE, `${waiting} wait`)
      assert.ok(most < RSS_MIB_MAX, `${most} MiB`)
      if (isLong) for (const which of ['nextDoor', 'direct'] as const) {
        assert.ok(busy[which].middle / quiet[which].middle <= RATIO_MAX, `${which}: ${busy[which].middle} ms`)
      }
    })
  }

  it('of deliveries to a network whose people talk meanwhile: when its link is back, the full queue drains', async () => {
    const { practice, people: { bernd } } = town
    const { room, muc } = town.more[0]!
    bernd.client.off('stanza', stanza)
    const most = 100 // the least that the config allows
    setQueueMax(town, most)
    await town.zentrale.restart()
    proxies.component!.refuse = true
    proxies.component!.reset()
    const person = practice!.person('anna')
    const before = await refused(town, 'matrix')
    for (let n = 0; n < most + 20; n++) person.send(room, `jam ${n}`)
    await until('the queue is full', 20_000, async () => await refused(town, 'matrix') > before)
    for (let n = 0; n < 5; n++) await bernd.say(muc, `talk ${n}`, `talk-${n}`)
    proxies.component!.refuse = false
    await until('all in the MUC', 60_000, () => bernd.bodies(muc).filter(body => body.startsWith('jam ')).length >= most + 20)
    await person.waitFor(room, ({ content }) => content['body'] === 'talk 4', 60_000)
  })
})
