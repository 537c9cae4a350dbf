import assert from 'node:assert/strict'
import { Readable } from 'node:stream'
import { type Clock, systemClock } from '../../../../src/lib/clock'
import { Unavailable } from '../../../../src/model/errors'
import type { Json } from '../../../../src/networks/matrix/events/json'
import type { RoomEvent } from '../../../../src/networks/matrix/events/events'
import { attachment } from '../../../../src/networks/matrix/events/files'
import { makeFileTypes } from '../../../../src/networks/matrix/file-types'
import type { Homeserver } from '../../../../src/networks/matrix/homeserver'
import { handClock } from '../../../support/quick'

describe('matrix/file-types', () => {
  const event = (content: Json, type = 'm.room.message'): RoomEvent => ({
    id: '$1', room: '!a:x', sender: '@a:x', at: 1, redacted: false, type, content: { body: 'Hund', url: 'mxc://x/a', ...content }
  })
  const image = { msgtype: 'm.image' }
  /** `answer`: what the homeserver does when it is asked for a file. */
  const asking = (answer: Homeserver['raw'], clock: Clock = systemClock) =>
    makeFileTypes({
      homeserver: { raw: answer } as Partial<Homeserver> as Homeserver, domain: 'x', clock, bytesMax: 100
    }, new AbortController().signal)
  const serving = (mime: string, asked: string[] = []) => asking(async (_, path) => {
    asked.push(path)
    return { statusCode: 200, headers: { 'content-type': mime }, body: Readable.from(['bytes']) } as unknown as Awaited<ReturnType<Homeserver['raw']>>
  })
  const found = async (mime: string, ...events: RoomEvent[]): Promise<unknown[]> =>
    [...(await serving(mime)(events)).values()].map(({ content }) => (content.info as Json).mimetype)

  it('takes what the homeserver has, where neither the event nor the name says a type that fits', async () => {
    assert.deepEqual(await found('image/png', event({}, 'm.sticker')), ['image/png'])
    assert.deepEqual(await found('Image/WebP; q=1', event(image)), ['image/webp'])
    assert.deepEqual(await found('application/pdf', event({ msgtype: 'm.file' })), ['application/pdf'])
    for (const odd of ['application/pdf', '', 'image/<b>', 'image']) assert.deepEqual(await found(odd, event(image)), [], odd)
  })

  it('asks for nothing that says its type, is encrypted, or is no file, and for few at once', async () => {
    const asked: string[] = []
    const typesOf = serving('image/png', asked)
    const typed = { ...image, info: { mimetype: 'image/gif' } }
    await typesOf([
      event(typed), event({ ...image, body: 'Hund.jpg' }), event({ msgtype: 'm.text' }), event({ ...image, file: { url: 'mxc://x/b' } }),
      event({}, 'm.reaction'), event({ ...image, url: 7 })
    ])
    assert.deepEqual(asked, [])
    await typesOf(Array.from({ length: 20 }, () => event(image)))
    assert.equal(asked.length, 4)
  })

  it('holds nothing up for long, and fails nothing', async () => {
    const clock = handClock()
    const hangs = asking((_, __, { signal }) => new Promise((_resolve, reject) => {
      signal?.addEventListener('abort', () => reject(new Unavailable('late')))
    }), clock)
    const found = hangs([event(image)])
    clock.advance(1000)
    assert.equal((await found).size, 0)
  })

  it('is guessed by the name before anybody is asked', () => {
    const mime = (name: string, kind: 'file' | 'image', info: Json = {}): string | undefined =>
      attachment(kind, { url: 'mxc://x/a', info }, name)?.mime
    assert.equal(mime('form.pdf', 'file'), 'application/pdf')
    assert.equal(mime('Hund.png', 'image'), 'image/png')
    assert.equal(mime('Hund.pdf', 'image'), 'image/jpeg')
    assert.equal(mime('form.pdf', 'file', { mimetype: 'text/plain' }), 'text/plain')
    assert.equal(mime('form', 'file', { mimetype: 'odd' }), 'application/octet-stream')
  })
})
