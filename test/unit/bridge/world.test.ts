import assert from 'node:assert/strict'
import { Readable } from 'node:stream'
import { makeMedia } from '../../../src/bridge/world'
import { systemClock } from '../../../src/lib/clock'

describe('a file on another network', () => {
  it('is opened there, where it is known how large a picture may be', async () => {
    const asked: unknown[] = []
    const media = makeMedia(name => name !== 'left' ? undefined : {
      async open (ref, _signal, pictureBytesMax) {
        asked.push([ref, pictureBytesMax])
        return { stream: Readable.from([]), mime: 'image/png' }
      }
    }, 1000, systemClock)
    const file = { at: { network: 'left', ref: 'x' }, mime: 'image/png' }
    for (const most of [undefined, 96]) await media.open(file, AbortSignal.timeout(10_000), most)
    await assert.rejects(media.open({ ...file, at: { network: 'gone', ref: 'x' } }, AbortSignal.timeout(10_000)), { name: 'Refused' })
    assert.deepEqual(asked, [['x', undefined], ['x', 96]])
  })
})
