import assert from 'node:assert/strict'
import type { Device } from '../../../../../src/networks/matrix/encryption/device'
import { makeEncryption, type EncryptionParts } from '../../../../../src/networks/matrix/encryption/encryption'
import type { Homeserver } from '../../../../../src/networks/matrix/homeserver'
import { systemClock } from '../../../../../src/lib/clock'
import { makeMemory, makeVault } from '../../../../support/world'

const DAY_MS = 24 * 3600_000
const US = '@info:x'

describe('encryption', () => {
  it('knows a ciphertext that comes under another id for ever, but keeps after a month only how far its session was read', async () => {
    const rows = new Map<string, Uint8Array>()
    let now = 1_000_000
    const device: Pick<Device, 'id' | 'open' | 'seal' | 'ready'> = {
      id: () => 'D', open: async () => ({ type: 'm.room.message', content: { body: 'ja' } }), seal: async () => ({}), ready: async () => {}
    }
    const homeserver = { call: async () => ({ chunk: [] }) } as unknown as Homeserver
    const { open, seal } = makeEncryption({
      homeserver, devices: { of: () => device, serves: () => true } as unknown as EncryptionParts['devices'],
      vault: makeVault(rows), memory: makeMemory(),
      clock: { ...systemClock, now: () => now, tick: () => now }, signal: new AbortController().signal, isDeaf: () => false
    })
    const contentAt = (index: number): Record<string, unknown> => ({ session_id: 's', ciphertext: Buffer.from([3, 8, index, 1]).toString('base64') })
    const read = async (id: string, index = 0): Promise<string> =>
      Object.keys(await open(US, { event_id: id, room_id: '!a:x', content: contentAt(index) }, false)).join()
    const answer = (key: string): Promise<unknown> =>
      seal({ key, room: '!a:x', as: US, contact: undefined, type: 'm.room.message', content: {} }, new AbortController().signal)
    assert.deepEqual([await read('$1'), await read('$1'), await read('$2')], ['event', 'event', 'why'])
    now += 29 * DAY_MS
    await answer('k1')
    assert.equal(await read('$2'), 'why')
    assert.equal(await read('$3', 3), 'event')
    now += 2 * DAY_MS
    await answer('k2')
    const seen = (): string[] => [...rows.keys()].filter(key => key.startsWith('seen '))
    assert.deepEqual([await read('$4'), await read('$5', 4), await read('$6', 3)], ['why', 'event', 'why'])
    now += 31 * DAY_MS
    await answer('k3')
    assert.equal(seen().length, 1)
    assert.deepEqual([await read('$7'), await read('$8', 4), await read('$9', 5)], ['why', 'why', 'event'])
  })

  it('takes nothing that says inside what no event may say', async () => {
    for (const type of ['', 'x', 'x'.repeat(256), 'm.room.redaction']) {
      const device: Pick<Device, 'open'> = { open: async () => ({ type, content: {} }) }
      const { open } = makeEncryption({
        homeserver: {} as Homeserver, devices: { of: () => device, serves: () => true } as unknown as EncryptionParts['devices'],
        vault: makeVault(), memory: makeMemory(), clock: systemClock, signal: new AbortController().signal, isDeaf: () => false
      })
      const content = { session_id: 's', ciphertext: Buffer.from([3, 8, 0, 1]).toString('base64') }
      assert.match(Object(await open(US, { event_id: '$1', room_id: '!a:x', content }, false)).why, /^an encrypted /)
    }
  })
})
