import assert from 'node:assert/strict'
import type { Beside } from '../../../../../src/model/network'
import { featuresOf } from '../../../../../src/networks/matrix/rooms/description'
import { capabilities } from '../../../../support/carried'

describe('what a room says of what works in it', () => {
  const BYTES_MAX = 1_000_000
  const SHOWS = { typing: true, read: false }
  const features = (...networks: string[]): Record<string, any> => {
    const real = capabilities()
    return featuresOf(networks.map((network): Beside => ({ place: { network, id: 'x' }, can: real.get(network)!.can, shows: SHOWS })), BYTES_MAX)
  }
  const some = (all: Record<string, any>): Record<string, unknown> => {
    const { reply, edit, reaction, poll, formatting: { bold }, typing_notifications: typing, read_receipts: read } = all
    const { caption, mime_types: { '*/*': image } } = all.file['m.image']
    return { reply, edit, taking: all.delete, reaction, poll, bold, image, caption, typing, read }
  }

  it('is what the networks on the other side can do', () => {
    assert.deepEqual(some(features('xmpp')),
      { reply: 2, edit: 2, taking: 2, reaction: 2, poll: 1, bold: 1, image: 2, caption: 1, typing: true, read: false })
    assert.deepEqual(some(features('sms')),
      { reply: 1, edit: 1, taking: -1, reaction: -1, poll: 1, bold: 0, image: 1, caption: 1, typing: true, read: false })
    assert.deepEqual(some(features('matrix')),
      { reply: 2, edit: 2, taking: 2, reaction: 2, poll: 2, bold: 1, image: 2, caption: 2, typing: true, read: false })
    assert.equal(features('xmpp').file['m.video'].max_size, BYTES_MAX)
  })

  it('offers what works on one of several sides, as what works in part', () => {
    const { reply, edit, taking, reaction, image } = some(features('xmpp', 'sms'))
    assert.deepEqual({ reply, edit, taking, reaction, image }, { reply: 1, edit: 1, taking: 1, reaction: 1, image: 1 })
  })
})
