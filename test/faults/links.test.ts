/**
 * Bad links between Zentrale and each server, made by a proxy in the middle (test/support/proxy.ts), while people talk. The same process
 * goes on, and everything arrives in order. The long form adds links that die without a sign: they are noticed within the promised bound.
 */
import assert from 'node:assert/strict'
import { setTimeout as pause } from 'node:timers/promises'
import { until } from '../../sandbox/servers/process'
import { type Connection, raiseTown, type Town } from '../../sandbox/town'
import { type Proxy, startProxy } from '../support/proxy'
import { needs, scratch } from '../support/real'
import { isLong } from './long'
import { makeWitness, PAIRS, type Witness } from './witness'

const LINKS: readonly Connection[] = ['homeserver', 'component', 'smsc', 'zentrale']
const COUNT = 6
const BRIEF_MS = 2_000

/** `strike` does it to the link, and resolves when it is over. `short`: the links on which the short form does it too. */
interface Fault { what: string, short: readonly Connection[], on?: readonly Connection[], strike (proxy: Proxy): Promise<void> | void }

const brief = async (begin: (on: boolean) => void): Promise<void> => {
  begin(true)
  await pause(BRIEF_MS)
  begin(false)
}

const FAULTS: Fault[] = [
  { what: 'is reset', short: ['component', 'zentrale'], strike: proxy => proxy.reset() },
  { what: 'ends', short: ['smsc'], strike: proxy => proxy.cut() },
  {
    what: 'is cut inside a character', short: ['component'], on: ['homeserver', 'component', 'zentrale'],
    strike (proxy) { proxy.fromServer.cutInCharacter = proxy.toServer.cutInCharacter = true }
  },
  { what: 'brings single octets', short: [], strike: proxy => brief(on => { proxy.fromServer.chop = proxy.toServer.chop = on }) },
  { what: 'is slow', short: [], strike: proxy => brief(on => { proxy.fromServer.delayMs = proxy.toServer.delayMs = on ? 100 : 0 }) },
  { what: 'brings no answers for a while, then a reset', short: ['homeserver'], strike: async proxy => {
    await brief(on => { proxy.fromServer.hold = on })
    proxy.reset()
  } },
  { what: 'lets nothing through for a while', short: [], strike: proxy => brief(on => { proxy.fromServer.hold = proxy.toServer.hold = on }) },
  { what: 'cannot be had for a while', short: [], strike: proxy => brief(on => { proxy.refuse = on; proxy.reset() }) }
]

/** How long a dead link may go unnoticed: silence, then missing answers. See stream.ts, session.ts, homeserver.ts. */
const NOTICED_WITHIN_MS: Partial<Record<Connection, number>> = { component: 50_000, smsc: 50_000, homeserver: 45_000 }
const SPARE_MS = 5_000
const UP: Partial<Record<Connection, string>> = {
  component: 'network="xmpp",link="component"', smsc: 'network="sms",link="main"', homeserver: 'network="matrix",link="homeserver"'
}

describe('faults: bad links', () => {
  needs('prosody')
  const dir = scratch()
  const proxies = {} as Record<Connection, Proxy>
  let town: Town
  let witness: Witness
  let round = 0
  let pid = 0

  before(async () => {
    town = await raiseTown({
      dir: dir('town'), homeserver: 'practice', language: 'en',
      via: async (link, port) => (proxies[link] = await startProxy(port)).port
    })
    witness = makeWitness(town)
    pid = town.zentrale.pid
  })
  after(async () => {
    await town?.stop()
    for (const proxy of Object.values(proxies)) await proxy.stop()
  })

  const sayAndSettle = async (strike: () => Promise<void> | void): Promise<void> => {
    await Promise.all([witness.say(++round, COUNT, undefined, () => ' ü😀'), strike()])
    await witness.say(++round, COUNT, undefined, () => ' ü😀')
    for (const one of [round - 1, round]) {
      await witness.settle(one)
      for (const pair of PAIRS) {
        const { lost, doubles, late, told } = await witness.judge(one, pair)
        assert.deepEqual({ ...pair, lost, doubles, late }, { ...pair, lost: [], doubles: [], late: [] })
        if (pair.to !== 'sms') assert.deepEqual(told, [])
      }
    }
    assert.deepEqual([town.zentrale.running, town.zentrale.pid], [true, pid])
  }

  for (const { what, short, on = LINKS, strike } of FAULTS) {
    for (const link of isLong ? on : short) {
      it(`the link ${link} ${what}`, () => sayAndSettle(() => strike(proxies[link])))
    }
  }

  const isUp = async (link: Connection): Promise<boolean> => (await town.metrics()).includes(`zentrale_link_up{${UP[link]}} 1`)

  for (const link of isLong ? Object.keys(NOTICED_WITHIN_MS) as Connection[] : []) {
    it(`the link ${link} is dead without a sign: noticed in time, and caught up with`, () => sayAndSettle(async () => {
      const { fromServer, toServer } = proxies[link]
      fromServer.hold = toServer.hold = true
      const since = performance.now()
      try {
        await until('noticed', NOTICED_WITHIN_MS[link]! + SPARE_MS, async () => !await isUp(link))
        console.log(`        noticed after ${((performance.now() - since) / 1000).toFixed(1)} s`)
      } finally {
        proxies[link].reset()
        fromServer.hold = toServer.hold = false
      }
      await until('up again', 180_000, () => isUp(link))
    }))
  }
})
