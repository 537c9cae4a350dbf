import assert from 'node:assert/strict'
import { systemClock } from '../../../../../src/lib/clock'
import { silentLog } from '../../../../../src/lib/log'
import { Refused, Unavailable } from '../../../../../src/model/errors'
import { formerOf, makeFormer, noteFormer, startOf } from '../../../../../src/networks/matrix/encryption/former'
import type { Engine } from '../../../../../src/networks/matrix/encryption/engine'
import type { Homeserver } from '../../../../../src/networks/matrix/homeserver'
import { makeMemory, makeVault } from '../../../../support/world'

describe('a device that another takes the place of', () => {
  const US = '@info:x'
  const signal = new AbortController().signal

  /** `news`: what its news is, or why there is none. */
  const make = async (news: Error | object) => {
    const done: string[] = []
    const rows = new Map<string, Uint8Array>([[`${startOf(`${US} OLD`)}account`, Buffer.from('keys')]])
    const [memory, vault] = [makeMemory(), makeVault(rows)]
    await noteFormer(memory, US, { devices: ['OLD'], read: 'OLD', since: 's1' })
    await noteFormer(memory, US, { devices: ['OLD', 'LOST'] })
    let asked = 0
    const retire = makeFormer({
      id: 'ZENTRALE', memory, vault, clock: systemClock, log: silentLog, kept: { name: () => `${US} NEW`, id: () => 'NEW' },
      sift: async came => came,
      homeserver: {
        async call (_method: string, _path: string, { query }: { query: { device_id: string, since?: string } }) {
          if (news instanceof Error) throw news
          done.push(`news of ${query.device_id} since ${query.since}`)
          return asked++ === 0 ? news : {}
        }
      } as unknown as Homeserver,
      engine: { async call (name: string, what: string) { done.push(`${what} ${name.split(' ')[1]}`); return 'its keys' } } as unknown as Engine,
      call: async (method, path) => { done.push(`${method} ${path.split('/').at(-1)}`); return {} }
    }, US)
    return { done, retire, rows, isOver: () => formerOf(memory, US) === undefined && rows.size === 0 }
  }
  const GONE = ['DELETE OLD', 'DELETE LOST', 'PUT ZENTRALE']

  it('is read to the end, gives its keys to the new one, and only then goes', async () => {
    const { done, retire, isOver } = await make({ to_device: { events: [{ type: 'm.room.encrypted' }] }, next_batch: 's2' })
    await retire(signal)
    assert.deepEqual(done, [
      'open OLD', 'news of OLD since s1', 'receive OLD', 'news of OLD since s2', 'exported OLD', 'close OLD', 'imported NEW', ...GONE
    ])
    assert.ok(isOver())
    await retire(signal)
    assert.equal(done.length, 10)
  })

  it('stays while the homeserver is away, and goes all the same if its news cannot be had', async () => {
    const away = await make(new Unavailable('away', { disconnected: true }))
    await assert.rejects(away.retire(signal), { name: 'Unavailable' })
    assert.deepEqual([away.done, away.isOver()], [['open OLD'], false])
    const unknown = await make(new Refused('unknown device'))
    await unknown.retire(signal)
    assert.deepEqual([unknown.done, unknown.isOver()], [['open OLD', ...GONE], true])
  })
})
