/**
 * Measures what P3 cannot promise. In a room without an archive, messages that the XMPP server had written to us when we died, and that we
 * had not stored, are lost, except for the newest, which the room shows again. At most the messages under way at that moment are lost;
 * nothing from before is missing.
 */
import assert from 'node:assert/strict'
import { setTimeout as pause } from 'node:timers/promises'
import { until } from '../../sandbox/servers/process'
import { raiseTown, type Town } from '../../sandbox/town'
import { HISTORY_MAX } from '../../src/networks/xmpp/muc/history'
import { needs, scratch } from '../support/real'
import { isLong } from './long'

const TIMES = isLong ? 10 : 1
const PER_SECOND = 200
const BEFORE_MS = 1_000
const WINDOW_MAX = PER_SECOND // the messages of one second, on a machine that stalls

describe('faults: killed where there is no archive', () => {
  needs('prosody')
  const dir = scratch()
  let town: Town
  before(async () => { town = await raiseTown({ dir: dir('town'), homeserver: 'practice', prosodyConfig: 'muc_log_by_default = false' }) })
  after(async () => { await town?.stop() })

  const arrived = (run: number): Set<string> => new Set(town.practice!.person('anna').events(town.room)
    .map(({ content }) => String(content['body'])).filter(body => body.startsWith(`window/${run}/`)))

  it('no more is lost than what was under way', async () => {
    const { bernd } = town.people
    const lost: number[] = []
    for (let run = 0; run < TIMES; run++) {
      let said = 0
      const began = performance.now()
      while (performance.now() - began < BEFORE_MS) {
        while (said < (performance.now() - began) / 1000 * PER_SECOND) await bernd.say(town.muc, `window/${run}/${said}`, `w-${run}-${said++}`)
        await pause(5)
      }
      await bernd.until('all are said', one => one.getChildText('body') === `window/${run}/${said - 1}`) // the room has them all
      await town.zentrale.kill()
      await town.zentrale.restart()
      await bernd.say(town.muc, `window/${run}/end`, `w-${run}-end`)
      await until('the next message', 120_000, () => arrived(run).has(`window/${run}/end`))
      const missing = Array.from({ length: said }, (_, n) => n).filter(n => !arrived(run).has(`window/${run}/${n}`))
      const last = missing.at(-1) ?? said - 1
      assert.deepEqual(missing, Array.from({ length: missing.length }, (_, n) => last + 1 - missing.length + n), 'one stretch is missing')
      assert.ok(said - 1 - last <= HISTORY_MAX, 'and behind it is only what the room shows again of its past')
      lost.push(missing.length)
    }
    console.log(`        lost of the messages that the room had taken when we were killed, at ${PER_SECOND} a second: ${lost.join(', ')}`)
    assert.ok(Math.max(...lost) <= WINDOW_MAX, `${Math.max(...lost)} were lost`)
  })
})
