import assert from 'node:assert/strict'
import type { Clock } from '../../../../../src/lib/clock'
import type { EncryptionCounts } from '../../../../../src/model/network'
import { Unavailable } from '../../../../../src/model/errors'
import { silentLog } from '../../../../../src/lib/log'
import type { Opened } from '../../../../../src/networks/matrix/encryption/encryption'
import { makeWaiting, type Waiting } from '../../../../../src/networks/matrix/encryption/waiting'
import { readEvent, type RoomEvent } from '../../../../../src/networks/matrix/events/events'
import type { Json } from '../../../../../src/networks/matrix/events/json'
import { makeVault } from '../../../../support/world'

const MINUTE = 60_000
const HOUR = 60 * MINUTE

describe('an event whose key is not here', () => {
  const rows = new Map<string, Uint8Array>()
  let now: number
  let due: (() => void) | undefined
  let keys: Set<string>
  let taken: string[]
  let lost: string[]
  let full: boolean
  let away: boolean
  let jumped: number
  let waiting: Waiting
  let counts: EncryptionCounts

  const clock: Clock = {
    now: () => now + jumped, tick: () => now, soon: run => { setImmediate(run) },
    after (_ms, run) { due = run; return { cancel () { if (due === run) due = undefined } } }
  }
  const raw = (id: string, room = '!a:x', type = 'm.room.encrypted'): Json =>
    ({ event_id: `$${id}`, room_id: room, sender: '@eva:x', type, content: { body: id } })
  const open = async (_reader: string, event: Json): Promise<Opened> => keys.has(String(event.event_id))
    ? { event: { ...event, type: 'm.room.message' } }
    : String(event.event_id).startsWith('$bad') ? { why: 'broken' } : { later: 'no key' }
  const start = async (): Promise<void> => {
    waiting = makeWaiting({
      encryption: { open }, devices: { off: false, news: async () => {}, counts }, vault: makeVault(rows), clock,
      chance: { fraction: () => 0.5, token: () => '' }, log: silentLog, signal: new AbortController().signal
    })({
      whose: room => room === '!gone:x' ? undefined : '@info:x',
      async take (_raw, { id, sealed }: RoomEvent) {
        if (full) throw new Error('full')
        taken.push(`${id} ${sealed}`)
      },
      async lost ({ id }) {
        if (away) throw new Unavailable('the homeserver is away')
        lost.push(id)
      }
    })
    await waiting.load()
  }
  const keep = (event: Json): Promise<boolean> => waiting.keep(readEvent(event), event)
  const holds = (event: Json): boolean => waiting.holds(readEvent(event))
  /** Lets time pass, and lets it look once. */
  const look = async (ms = 1000): Promise<void> => {
    now += ms
    const run = due
    due = undefined
    run?.()
    for (let n = 0; n < 20; n++) await new Promise(resolve => setImmediate(resolve))
  }

  beforeEach(async () => {
    rows.clear()
    now = 1_000_000
    keys = new Set()
    taken = []
    lost = []
    full = away = false
    jumped = 0
    counts = { claims: 0, restarts: 0, unread: { late: 0, broken: 0, full: 0 } }
    await start()
  })

  it('is taken when its key comes, and then what came behind it, in order', async () => {
    await keep(raw('1'))
    assert.ok(holds(raw('2')) && !holds(raw('3', '!other:x')))
    await keep(raw('2'))
    await keep(raw('3', '!a:x', 'm.room.message'))
    keys.add('$2')
    await look()
    assert.deepEqual(taken, [])
    keys.add('$1')
    await look()
    assert.deepEqual([taken, rows.size], [['$1 read', '$2 read', '$3 undefined'], 0])
    assert.ok(!holds(raw('4')))
  })

  it('holds up nobody for longer than a moment; the team is told, and hears it all the same when it can be read', async () => {
    await keep(raw('1'))
    await keep(raw('2'))
    keys.add('$2')
    await look(MINUTE)
    assert.deepEqual([taken, lost], [['$1 unread late', '$2 read'], []])
    assert.ok(!holds(raw('3')) && holds(raw('1')), 'it is not taken twice')
    await look(HOUR)
    keys.add('$1')
    await look(HOUR)
    assert.deepEqual([taken, lost, rows.size], [['$1 unread late', '$2 read', '$1 read'], [], 0])
  })

  it('is given up after a day: its writer is told, and the team was told before', async () => {
    await keep(raw('1'))
    await look(25 * HOUR)
    assert.deepEqual([taken, lost, rows.size], [['$1 unread late'], ['$1'], 0])
    await keep(raw('bad'))
    await look()
    assert.deepEqual([taken, lost], [['$1 unread late', '$bad unread broken'], ['$1', '$bad']])
    assert.deepEqual(counts.unread, { late: 1, broken: 1, full: 0 })
  })

  it('is told to its writer later, if that is not possible now; what came behind it does not wait for that', async () => {
    await keep(raw('bad'))
    await keep(raw('2'))
    keys.add('$2')
    away = true
    await look()
    assert.deepEqual([taken, lost, rows.size], [['$bad unread broken', '$2 read'], [], 1])
    await start()
    away = false
    await look()
    assert.deepEqual([taken, lost, rows.size], [['$bad unread broken', '$2 read'], ['$bad'], 0])
  })

  it('waits as long as it should when the clock is changed meanwhile', async () => {
    await keep(raw('1'))
    jumped = 10 * 24 * HOUR
    await look()
    jumped = -jumped
    await look()
    assert.deepEqual([taken, lost], [[], []])
    await look(25 * HOUR)
    assert.deepEqual([taken, lost], [['$1 unread late'], ['$1']])
  })

  it('waits as long as it should, and in its order, when the clock was set back over a restart', async () => {
    await keep(raw('1'))
    jumped = -10 * 24 * HOUR
    await start()
    await keep(raw('2'))
    await start()
    keys.add('$2')
    await look(MINUTE)
    assert.deepEqual([taken, lost], [['$1 unread late', '$2 read'], []])
    await look(25 * HOUR)
    assert.deepEqual(lost, ['$1'])
  })

  it('waits on over a restart, and when it cannot be taken at first', async () => {
    await keep(raw('1'))
    await keep(raw('2'))
    await start()
    keys.add('$1').add('$2')
    full = true
    await look()
    assert.deepEqual([taken, rows.size], [[], 2])
    full = false
    await look()
    assert.deepEqual(taken, ['$1 read', '$2 read'])
  })

  it('is forgotten with its chat, and no chat keeps more than its share', async () => {
    for (let n = 0; n < 100; n++) assert.ok(await keep(raw(String(n))))
    assert.ok(!await keep(raw('100')) && await keep(raw('99')) && await keep(raw('0', '!gone:x')))
    assert.deepEqual([rows.size, counts.unread.full], [101, 1])
    await look()
    assert.equal(rows.size, 100)
  })
})
