import assert from 'node:assert/strict'
import { systemClock } from '../../../../../src/lib/clock'
import { silentLog } from '../../../../../src/lib/log'
import { makeVerifying } from '../../../../../src/networks/matrix/encryption/verifying'
import type { RoomEvent } from '../../../../../src/networks/matrix/events/events'
import type { Json } from '../../../../../src/networks/matrix/events/json'

const CHAT = { place: { network: 'matrix', id: '@info:x @eva:x' }, ours: '@info:x', theirs: '@eva:x' }
const MINUTE = 60_000

describe('a request to verify an address', () => {
  let now: number
  let sent: string[]
  const content: Json = { msgtype: 'm.key.verification.request', to: '@info:x', from_device: 'D', methods: ['m.sas.v1'] }
  const event = (id: string, more: Partial<Pick<RoomEvent, 'sender' | 'type' | 'content'> & { at: number }> = {}): RoomEvent =>
    ({ id, room: '!a:x', sender: '@eva:x', type: 'm.room.message', at: now, content, redacted: false, ...more })
  const make = (serves = true) => makeVerifying({
    homeserver: {
      async call (method, path, options) {
        sent.push(`${method} ${path.split('/').slice(3, 6).map(decodeURIComponent).join(' ')} ${String((options?.body ?? {})['code'] ?? 'line')}`)
        return {}
      },
      raw: () => assert.fail()
    },
    encryption: { serves: () => serves, isOn: async () => false, seal: () => assert.fail(), over: () => assert.fail() },
    clock: { ...systemClock, now: () => now, tick: () => now }, log: silentLog, signal: new AbortController().signal, device: () => 'ZENTRALE'
  })
  const settled = (): Promise<void> => new Promise(resolve => setImmediate(resolve))
  const NO = 'PUT !a:x send m.key.verification.cancel m.user'
  const LINE = 'PUT !a:x send m.room.message line'

  beforeEach(() => {
    now = 1_000_000_000
    sent = []
  })

  it('is declined each time, with a line once a day', async () => {
    const verifying = make()
    verifying.look(CHAT, event('$1'))
    await settled()
    assert.deepEqual(sent, [NO, LINE])
    now += 5 * MINUTE
    verifying.look(CHAT, event('$2'))
    await settled()
    assert.deepEqual(sent, [NO, LINE, NO])
    now += 24 * 60 * MINUTE
    verifying.look(CHAT, event('$3'))
    await settled()
    assert.deepEqual(sent, [NO, LINE, NO, NO, LINE])
  })

  it('is declined in a room that a keeper reads, whoever asks, without a line', async () => {
    const verifying = make()
    const asked = { ours: '@keys:x', place: { id: '!a:x' } }
    for (const [sender, to] of [['@anna:x', '@keys:x'], ['@bernd:x', '@keys:x'], ['@anna:x', '@bernd:x']] as const) {
      verifying.look(asked, event(`$${sender}`, { sender, content: { ...content, to } }))
    }
    await settled()
    assert.deepEqual(sent, [NO, NO])
  })

  it('is not answered if it is old, of somebody else, to somebody else, or one of many', async () => {
    const verifying = make()
    for (const more of [{ at: now - 11 * MINUTE }, { sender: '@gast:x' }, { content: { ...content, to: '@max:x' } }, { type: 'm.sticker' }]) {
      verifying.look(CHAT, event('$1', more))
    }
    make(false).look(CHAT, event('$1'))
    await settled()
    assert.deepEqual(sent, [])
    for (let n = 0; n < 20; n++) verifying.look(CHAT, event(`$${n}`))
    await settled()
    assert.equal(sent.filter(one => one === NO).length, 3)
  })
})
