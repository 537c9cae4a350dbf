/** Files with their words, on any homeserver. */
import assert from 'node:assert/strict'
import { buffer } from 'node:stream/consumers'
import type { Place } from '../../src/model/address'
import type { Content, Delivery } from '../../src/model/message'
import type { Network } from '../../src/model/network'
import { plain } from '../../src/model/text'
import { avatarMime } from '../../src/networks/xmpp/avatars'
import { type Json, makeMatrixPerson, type MatrixPerson, type SeenEvent } from './matrix-person'
import { delivery, makeBridge, newKey, PNG, type Bridge, type Ground } from './matrix-suite'
import { noise } from './png'

export const filesSuite = (ground: () => Ground): void => {
  let anna: MatrixPerson
  let running: Network | undefined
  const signal = (): AbortSignal => AbortSignal.timeout(60_000)
  const begin = async (place: Place): Promise<Bridge> => {
    const bridge = makeBridge(ground())
    running = bridge.network
    bridge.network.attend([place])
    await bridge.network.start(bridge.inbox)
    await bridge.inbox.until('the rooms are joined', () => bridge.inbox.connections.get('rooms') === true)
    return bridge
  }
  const picture = { kind: 'image' as const, name: 'Tor.png', mime: 'image/png', at: { network: 'xmpp', ref: 'f1' }, url: 'https://x/Tor.png',
    blurhash: 'LEHV6nWB2yk8pyo0adR*.7kCMdnj' }
  const said = (text: string, file: Content['file'] = picture): Content => ({ style: 'text', text: plain(text), ...file && { file } })
  const sees = (place: Place, body: string): Promise<SeenEvent> => anna.waitFor(place.id, body, ({ content }) => content.body === body)
  const edit = (place: Place, of: string, target: string[], content: Content): Delivery =>
    delivery(place, '', { action: { kind: 'edit', of, content }, target })

  before(async () => {
    const { userId, accessToken } = await ground().createUser(`anna${newKey()}`.toLowerCase())
    anna = makeMatrixPerson(ground().url, userId, accessToken)
  })
  afterEach(async () => { await running?.stop() })

  describe('a picture', () => {
    it('that is too large for whoever asks comes smaller, as a picture; others come as they are', async () => {
      const { network } = await begin({ network: 'matrix', id: await anna.createRoom({ preset: 'public_chat' }) })
      const [large, small, text] = await Promise.all([anna.upload(noise(400), 'image/png'), anna.upload(PNG, 'image/png'),
        anna.upload(Buffer.alloc(200_000, 'x'), 'text/plain')])
      const open = async (ref: string, most?: number): Promise<Buffer> => await buffer((await network.open(ref, signal(), most)).stream)
      assert.deepEqual([await open(large), await open(small, 96 * 1024)], [noise(400), PNG])
      const smaller = await open(large, 96 * 1024)
      assert.ok(smaller.length <= 96 * 1024 && avatarMime(smaller) !== undefined, `${smaller.length} bytes`)
      await assert.rejects(open(text, 96 * 1024), { name: 'Refused' })
    })
  })

  describe('a thumbnail', () => {
    it('is stored beside its picture, and missed by nobody if it cannot be had', async () => {
      const place = { network: 'matrix', id: await anna.createRoom({ preset: 'public_chat' }) }
      const { network, files } = await begin(place)
      files.set('f1', noise(40))
      files.set('t1', PNG)
      const thumbnail = { mime: 'image/png', width: 1, height: 1, at: { network: 'xmpp', ref: 't1' } }
      const send = (name: string): Promise<unknown> => network.send(delivery(place, '', {
        action: { kind: 'message', content: said('', { ...picture, name, thumbnail }) }
      }), signal())
      await send('eins.png')
      const info = (await sees(place, 'eins.png')).content.info as Json
      assert.deepEqual(info.thumbnail_info, { mimetype: 'image/png', size: PNG.length, w: 1, h: 1 })
      assert.deepEqual(await anna.download(String(info.thumbnail_url)), PNG)
      files.delete('t1')
      await send('zwei.png')
      assert.equal('thumbnail_url' in ((await sees(place, 'zwei.png')).content.info as Json), false)
    })
  })

  describe('a file with words', () => {
    it('is one event: its words may be corrected without the file, and all of it is taken back as one', async () => {
      const place = { network: 'matrix', id: await anna.createRoom({ preset: 'public_chat' }) }
      const { network, files } = await begin(place)
      files.set('f1', PNG)
      const message = delivery(place, '', { action: { kind: 'message', content: {
        ...said(''), text: [{ kind: 'paragraph', of: [{ kind: 'bold', of: [{ kind: 'text', text: 'Das Tro' }] }] }] } } })
      const { ids } = await network.send(message, signal())
      const { content } = await sees(place, 'Das Tro')
      assert.deepEqual([content.msgtype, content.filename, content.formatted_body], ['m.image', 'Tor.png', '<strong>Das Tro</strong>'])
      assert.equal((content.info as Json)['xyz.amorgan.blurhash'], picture.blurhash)
      files.delete('f1') // nobody fetches it again
      const kept = { ...picture, kept: true as const }
      await network.send(edit(place, message.key, ids, said('Das Tor', kept)), signal())
      const { content: { 'm.new_content': corrected } } = await sees(place, '* Das Tor')
      assert.deepEqual(corrected, {
        msgtype: 'm.image', body: 'Das Tor', filename: 'Tor.png', url: content.url, info: content.info, 'm.mentions': {}
      })
      await network.send(edit(place, message.key, ids, said('', kept)), signal())
      const { content: { 'm.new_content': bare } } = await sees(place, '* Tor.png')
      assert.equal((bare as { url: string }).url, content.url)
      await network.send(delivery(place, '', { action: { kind: 'deletion', of: message.key }, target: ids }), signal())
      const left = (await anna.events(place.id)).filter(({ type, content }) => type === 'm.room.message' && 'body' in content)
      assert.deepEqual(left, [])
    })

    it('stays words with a link when it is corrected, if words stood in place of the file', async () => {
      const place = { network: 'matrix', id: await anna.createRoom({ preset: 'public_chat' }) }
      const { network } = await begin(place)
      const message = delivery(place, 'Das Tro\nTor.png: https://x/Tor.png')
      const { ids } = await network.send(message, signal())
      await network.send(edit(place, message.key, ids, said('Das Tor', { ...picture, kept: true })), signal())
      const { content } = await sees(place, '* Das Tor\nTor.png: https://x/Tor.png')
      assert.equal(content.msgtype, 'm.text')
    })
  })
}
