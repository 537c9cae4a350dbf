/** Whatever comes in, something is done about it, or the plan says why not. */
import assert from 'node:assert/strict'
import fc from 'fast-check'
import type { Arrival, Content } from '../../../src/model/message'
import { plain } from '../../../src/model/text'
import type { Store } from '../../../src/store/store'
import { addressOn, agent } from '../../support/address'
import { makePractice, type Practice } from '../../support/practice'
import { watchPlans } from '../../support/reasons'
import { mirrorOf, startBridge, type Started } from '../../support/started'

const PHONE = { ghosts: false, formatting: false, files: 'text', edits: false, deletions: false, replies: false, reactions: 'none' } as const
const SEQUENCES = 60
const ARRIVALS_MAX = 25

const PLACES: [string, string][] = [
  ['red', 'hall'], ['blue', 'hall'], ['phone', 'us/max'], ['red', 'werkstatt/red:eva'], ['phone', 'werkstatt/phone:max'], ['red', 'werkstatt-1'],
  ['blue', 'werkstatt-1'], ['red', 'werkstatt-queue'], ['red', 'werkstatt/@anna'], ['red', 'nowhere']
]
const PEOPLE = ['@anna', 'bernd', 'red:eva', 'phone:max', 'max', '@mallory']
const WORDS = ['Hallo', 'STOP', 'START', '!n intern', '!take', '!done', '#1 Ja', '#9 Ja', '/me', '!foo', '!new phone:max Hello', '⚠️!n x', '']

const words = fc.constantFrom(...WORDS)
const content: fc.Arbitrary<Content> = fc.oneof(
  words.filter(text => text !== '').map((text): Content => ({ style: 'text', text: plain(text) })),
  fc.constantFrom('encrypted' as const, 'poll' as const, 'call' as const, 'file' as const, 'kind' as const)
    .map((unreadable): Content => ({ style: 'text', text: [], unreadable })),
  fc.constant<Content>({ style: 'text', text: [], file: { kind: 'file', name: 'a.pdf', mime: 'application/pdf', at: { network: 'red', ref: 'a' } } }))

/** `of` counts back from the arrival itself. */
const arrivals = fc.array(fc.record({
  kind: fc.constantFrom('message', 'message', 'message', 'edit', 'deletion', 'reaction', 'standing', 'receipt'),
  at: fc.constantFrom(...PLACES), by: fc.constantFrom(...PEOPLE), of: fc.integer({ min: 1, max: 6 }), content,
  more: fc.record({ automatic: fc.boolean(), inThread: fc.boolean(), hops: fc.constantFrom(0, 0, 0, 3) })
}), { minLength: 1, maxLength: ARRIVALS_MAX })

type Given = typeof arrivals extends fc.Arbitrary<(infer One)[]> ? One : never

const arrivalOf = ({ kind, at: [network, id], by, of: back, content, more: { automatic, inThread, hops } }: Given, index: number): Arrival => {
  const of = `k${index - back}`
  const direct = id.includes('/') ? { direct: true, to: id.startsWith('us/') ? 'us' : 'werkstatt' } : {}
  const base = { key: `k${index}`, place: { network, id }, at: index, sender: { id: by, name: by, ...hops > 0 && { hops } } }
  switch (kind) {
    case 'edit': return { kind, ...base, of, content }
    case 'deletion': return { kind, ...base, of, ...inThread && { moderated: true } }
    case 'reaction': return { kind, ...base, of: [of], emojis: ['👍'] }
    case 'standing': return { kind, key: base.key, place: base.place, at: index, standing: inThread ? 'in' : 'out' }
    case 'receipt': return { kind, key: base.key, place: base.place, at: index, of: [of], outcome: 'delivered' }
    default: return { kind: 'message', ...base, content, ...direct, ...automatic && { automatic }, ...inThread && { inThread } }
  }
}

describe('what comes in', () => {
  it('causes something, or there is a reason', async () => {
    const reasons = new Set<string>()
    await fc.assert(fc.asyncProperty(arrivals, async given => {
      const silent: unknown[] = []
      let now: Arrival | undefined
      const around = (store: Store): Store => watchPlans(store, ({ why }, isSilent) => {
        if (isSilent) silent.push(now)
        else if (why !== undefined) reasons.add(why)
      })
      const networks: Practice[] = [makePractice('red'), makePractice('blue'), makePractice('phone', PHONE)]
      const started: Started = await startBridge(networks, [mirrorOf(['red', 'hall'], ['blue', 'hall'], ['phone', 'us/max', { max: 'Max' }])], {
        around, addresses: [addressOn(['red', 'blue', 'phone'], [agent('Anna', 'red @anna'), agent('Bernd', 'blue bernd')])]
      })
      try {
        for (const [index, one] of given.entries()) {
          now = arrivalOf(one, index)
          await networks.find(({ name }) => name === now!.place.network)!.inbox.accept(now)
        }
      } finally { await started.stop() }
      assert.deepEqual([silent, started.bugs], [[], []])
    }), { numRuns: SEQUENCES })
    assert.ok(reasons.size >= 5, [...reasons].join(', ')) // the property saw some
  }).timeout(60_000)
})
