/**
 * Anna deletes a message while Synapse's link to us breaks in some way. Soon it is gone for Bernd too. Synapse has two ways to bring events,
 * and one of them may leave an event lying (see networks/matrix/recovery/catch-up.ts).
 */
import assert from 'node:assert/strict'
import { setTimeout as pause } from 'node:timers/promises'
import { type Connection, raiseTown, type Town } from '../../sandbox/town'
import { type Proxy, startProxy } from '../support/proxy'
import { needs, scratch } from '../support/real'
import { READ_WITHIN_MS, storyOf } from '../support/story'
import { isLong } from './long'

const TIMES = 10

type Fault = [what: string, strike: (proxy: Proxy) => Promise<void> | void]

const FAULTS: Fault[] = [
  ['while nothing is wrong', () => {}],
  ['and the link is reset', proxy => proxy.reset()],
  ['and our answers are lost', async ({ fromServer, ...proxy }) => {
    fromServer.hold = true
    await pause(500)
    proxy.reset()
    fromServer.hold = false
  }],
  ['and we cannot be reached for 3 s', async proxy => {
    proxy.refuse = true
    proxy.reset()
    await pause(3_000)
    proxy.refuse = false
  }]
]

if (isLong) {
  describe('faults: a message is taken back while the homeserver cannot reach us', function () {
    this.timeout(TIMES * 120_000)
    needs('synapse', 'prosody')
    const dir = scratch()
    let town: Town
    let proxy: Proxy | undefined
    before(async () => {
      town = await raiseTown({
        dir: dir('town'),
        async via (link: Connection, port) {
          if (link !== 'zentrale') return port
          proxy = await startProxy(port)
          return proxy.port
        }
      })
    })
    after(async () => {
      await town?.stop()
      await proxy?.stop()
    })

    for (const [what, strike] of FAULTS) {
      it(`${what}: gone on XMPP within ${READ_WITHIN_MS / 1000} s`, async () => {
        const story = storyOf(town)
        const { anna, bernd } = town.people
        const took: number[] = []
        for (let n = 0; n < TIMES; n++) {
          const text = `${what} ${n}`
          const event = await story.annaSays(text)
          const shown = await story.berndReads(text)
          const given = shown.getChild('stanza-id', 'urn:xmpp:sid:0')?.attrs.id
          assert.ok(given)
          const since = performance.now()
          await Promise.all([strike(proxy!), anna.redact(town.room, event)])
          await bernd.until(`${text} is taken back`, one => one.getChild('retract')?.attrs.id === given, READ_WITHIN_MS)
          took.push((performance.now() - since) / 1000)
        }
        console.log(`        seconds: ${took.map(seconds => seconds.toFixed(1)).join(', ')}`)
      })
    }
  })
}
