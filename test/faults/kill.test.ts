/**
 * Zentrale as its own process between real servers, killed and its servers restarted in the middle of a stream of messages.
 * Every text carries its sender and a counter, so that loss, doubles and order can be judged from what arrived alone.
 */
import assert from 'node:assert/strict'
import { raiseTown, type Town } from '../../sandbox/town'
import { until } from '../../sandbox/servers/process'
import { needs, scratch } from '../support/real'

const COUNT = 300
const ALL_WITHIN_MS = 90_000

/** The counters of the texts `sender/n`, in the order in which they arrived. */
const counters = (texts: string[], sender: string): number[] =>
  texts.flatMap(text => text.startsWith(`${sender}/`) ? [Number(text.slice(sender.length + 1))] : [])

const numbers = (count: number): number[] => Array.from({ length: count }, (_, index) => index)
const withoutDoubles = (list: number[]): number[] => [...new Set(list)]

const onMatrix = async (town: Town, sender: string): Promise<number[]> => {
  const { anna } = town.people
  const texts: string[] = []
  for (let from = ''; ;) {
    const page = await anna.call('GET', `v3/rooms/${encodeURIComponent(town.room)}/messages?dir=f&limit=1000${from}`) as unknown as
      { chunk: { type: string, sender: string, content: { body?: string } }[], end?: string }
    texts.push(...page.chunk.filter(event => event.type === 'm.room.message' && event.sender !== anna.userId).map(({ content }) => content.body ?? ''))
    if (page.end === undefined || page.chunk.length === 0) return counters(texts, sender)
    from = `&from=${encodeURIComponent(page.end)}`
  }
}

const onXmpp = (town: Town, sender: string): number[] =>
  counters(town.people.bernd.bodies(town.muc).filter((_, index) => index >= 0), sender)

const sayAll = async (town: Town, sender: string, count: number, at: (n: number) => Promise<void> | void): Promise<void> => {
  const { anna, bernd } = town.people
  for (let n = 0; n < count; n++) {
    await Promise.all([anna.send(town.room, `anna-${sender}/${n}`), bernd.say(town.muc, `bernd-${sender}/${n}`, `${sender}-${n}`)])
    await at(n)
  }
}

/** Both directions arrived: exactly once and in order on Matrix; none missing on XMPP, in order but for doubles. */
const judge = async (town: Town, sender: string, count: number, told: (doubles: number) => void): Promise<void> => {
  const matrix = async (): Promise<number[]> => onMatrix(town, `bernd-${sender}`)
  const xmpp = (): number[] => onXmpp(town, `anna-${sender}`)
  await until('everything on XMPP', ALL_WITHIN_MS, () => new Set(xmpp()).size === count).catch(() => {})
  await until('everything on Matrix', ALL_WITHIN_MS, async () => new Set(await matrix()).size === count).catch(() => {})
  assert.deepEqual(await matrix(), numbers(count), 'on Matrix: each once, in order')
  assert.deepEqual(withoutDoubles(xmpp()), numbers(count), 'on XMPP: none missing')
  told(xmpp().length - count)
}

describe('faults: killed in the middle', function () {
  this.timeout(240_000)
  needs('synapse', 'prosody')
  const dir = scratch()
  let town: Town
  before(async () => { town = await raiseTown({ dir: dir('town') }) })
  after(async () => { await town.stop() })

  const report = (doubles: number): void => { console.log(`        doubles on XMPP: ${doubles}`) }

  it('kill -9 of Zentrale in the middle of 300 messages in each direction', async () => {
    await sayAll(town, 'kill', COUNT, async n => { if (n === COUNT / 2) { await town.zentrale.kill(); void town.zentrale.restart() } })
    await judge(town, 'kill', COUNT, report)
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
    await judge(town, 'synapse', COUNT, report)
  })

  it('2000 Matrix events acknowledged, then kill -9 at once: 2000 arrive in the MUC in order', async () => {
    const { anna } = town.people
    await town.zentrale.kill()
    for (let n = 0; n < 2000; n += 20) {
      for (let m = n; m < n + 20; m++) await anna.send(town.room, `anna-burst/${m}`)
    }
    await town.zentrale.restart()
    const stored = async (): Promise<number> => Number(/zentrale_arrivals_total\{network="matrix",outcome="stored"\} (\d+)/.exec(await town.metrics())?.[1])
    await until('2000 acknowledged', ALL_WITHIN_MS, async () => await stored() === 2000)
    await town.zentrale.kill()
    await town.zentrale.restart()
    await until('2000 in the MUC', ALL_WITHIN_MS, () => new Set(onXmpp(town, 'anna-burst')).size === 2000).catch(() => {})
    assert.deepEqual(withoutDoubles(onXmpp(town, 'anna-burst')), numbers(2000))
  })
})
