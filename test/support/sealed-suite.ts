/** Encrypted direct chats with an address, as apps make them by default, on a homeserver that knows of keys. */
import assert from 'node:assert/strict'
import { createCipheriv, createDecipheriv, createHash, randomBytes } from 'node:crypto'
import type { Place } from '../../src/model/address'
import type { Arrival, Attachment, Delivery, MessageArrival } from '../../src/model/message'
import type { Network } from '../../src/model/network'
import { keyring } from '../../src/networks/matrix/encryption/keyring'
import { plain } from '../../src/model/text'
import { makeEncryptedPerson, type EncryptedPerson } from './encrypted-person'
import { ADDRESS } from './matrix-ground'
import { makeMatrixPerson, type Json, type MatrixPerson, type SeenEvent } from './matrix-person'
import { delivery, makeBridge, newKey, PNG, said, type Bridge, type Ground } from './matrix-suite'
import { until } from './practice'
import { makeMemory, makeVault } from './world'

const ENCRYPTED = { initial_state: [{ type: 'm.room.encryption', state_key: '', content: { algorithm: 'm.megolm.v1.aes-sha2' } }] }
const WITHIN_MS = 60_000
const PICTURE = { kind: 'image', name: 'Tor.png', mime: 'image/png', at: { network: 'xmpp', ref: 'f1' }, url: 'https://x/Tor.png' } as const

/** `appOf`: what the contact's app is built on. */
export const sealedSuite = (ground: () => Ground, appOf = () => makeEncryptedPerson): void => {
  const rows = new Map<string, Uint8Array>()
  const facts = new Map<string, string>()
  const kept = { memory: makeMemory(facts), vault: makeVault(rows) } // as a store keeps it, so that the address keeps its device
  const running: Network[] = []
  let contact: MatrixPerson
  let app: EncryptedPerson
  const signal = (): AbortSignal => AbortSignal.timeout(60_000)
  const address = (): string => `@${ADDRESS}:${ground().serverName}`
  const place = (): Place => ({ network: 'matrix', id: `${address()} ${contact.userId}` })

  const begin = async (more: Parameters<typeof makeBridge>[1] = {}): Promise<Bridge> => {
    const bridge = makeBridge(ground(), { ...kept, ...more })
    running.push(bridge.network)
    bridge.network.serve([{ id: address(), aliases: [], profile: { name: 'Bürgerbüro', about: 'offen' } }])
    await bridge.network.start(bridge.inbox)
    await bridge.inbox.until('the address is there', () => bridge.inbox.connections.get('addresses') === true)
    return bridge
  }
  const chat = async (contact: MatrixPerson): Promise<string> => {
    await until(() => kept.memory.keys('signed ').length > 0, 'the address has a device that is signed', WITHIN_MS)
    const room = await contact.createRoom({ preset: 'trusted_private_chat', is_direct: true, invite: [address()], ...ENCRYPTED })
    await contact.waitFor(room, 'the address', ({ type, state_key: who, content }) =>
      type === 'm.room.member' && who === address() && content.membership === 'join')
    return room
  }
  const answer = (text: string, more: Partial<Delivery> = {}): Delivery => {
    const { as, ...rest } = delivery(place(), text, more)
    return rest
  }
  const sees = (room: string, body: string) => app.reads(room, body, ({ content }) => content.body === body)
  /** What came from this contact. */
  const from = ({ inbox }: Bridge): Arrival[] => inbox.arrivals.filter(({ place: { id } }) => id === place().id)
  const heard = (bridge: Bridge): string[] => said({ arrivals: from(bridge) })
  const hears = (bridge: Bridge, ...texts: string[]): Promise<void> =>
    bridge.inbox.until(`“${texts.join('”, “')}”`, () => texts.every(text => heard(bridge).includes(text)))
  /** A copy of all that is kept. Restores it. */
  const backUp = (): () => void => {
    const [rowsThen, factsThen] = [new Map(rows), new Map(facts)]
    return () => {
      rows.clear()
      facts.clear()
      for (const [key, value] of rowsThen) rows.set(key, value)
      for (const [key, value] of factsThen) facts.set(key, value)
    }
  }
  interface Put { identity: string | undefined; devices: string[] }
  /** What the homeserver knows of the address: its identity, and the devices that have keys. */
  const known = async (): Promise<Put> => {
    const { master_keys: identities, device_keys: keys } = await contact.call('POST', 'v3/keys/query', { device_keys: { [address()]: [] } }) as any
    return { identity: Object.keys(identities[address()]?.keys ?? {})[0], devices: Object.keys(keys[address()] ?? {}) }
  }
  const rowsOf = (start: string): string[] => [...rows.keys()].filter(key => key.startsWith(start))
  /** What the homeserver could read of what was said in this room. */
  const inTheClear = async (room: string): Promise<SeenEvent[]> =>
    (await contact.events(room)).filter(({ type, content }) => type === 'm.room.message' && 'body' in content)

  const newcomer = async (): Promise<MatrixPerson> => {
    const { userId, accessToken } = await ground().createUser(`kunde${newKey()}`.toLowerCase())
    return makeMatrixPerson(ground().url, userId, accessToken)
  }
  beforeEach(async () => {
    contact = await newcomer()
    app = await appOf()(contact)
  })
  afterEach(async () => { await Promise.all(running.splice(0).map(network => network.stop())) })

  describe('an encrypted direct chat', () => {
    it('is read and answered, without a warning in the contact\'s app; once it is forgotten, nobody can read it any more', async () => {
      const bridge = await begin()
      const room = await chat(contact)
      const first = await app.say(room, 'guten Tag')
      await hears(bridge, 'guten Tag')
      const [arrival] = from(bridge)
      assert.ok(arrival?.kind === 'message')
      assert.deepEqual([arrival.key, arrival.encrypted, arrival.direct, arrival.to], [first, true, true, address()])
      const sent = await bridge.network.send(answer('Was können wir für Sie tun?'), signal())
      const { event, read } = await sees(room, 'Was können wir für Sie tun?')
      assert.deepEqual([[event.event_id], event.sender, read.shield], [sent.ids, address(), ''])
      assert.deepEqual(await inTheClear(room), [])
      const keys = (): string[] => [...rows.keys()].filter(key => key.includes(room))
      assert.ok(keys().length >= 2, 'of theirs and of ours')
      await bridge.network.forget!([place()])
      assert.deepEqual(keys(), [])
    })

    it('takes corrections, replies, reactions and deletions in both directions', async () => {
      const bridge = await begin()
      const { network, inbox } = bridge
      const room = await chat(contact)
      const first = await app.say(room, 'um nuen')
      await hears(bridge, 'um nuen')
      await app.say(room, { msgtype: 'm.text', body: '* um neun', 'm.new_content': { msgtype: 'm.text', body: 'um neun' },
        'm.relates_to': { rel_type: 'm.replace', event_id: first } })
      await app.say(room, { msgtype: 'm.text', body: 'oder zehn', 'm.relates_to': { 'm.in_reply_to': { event_id: first } } })
      await hears(bridge, 'um neun', 'oder zehn')
      const [, edit, reply] = from(bridge)
      assert.ok(edit?.kind === 'edit' && reply?.kind === 'message')
      assert.deepEqual([edit.of, edit.encrypted, reply.replyTo], [first, true, [first]])

      const message = answer('am Tro')
      const { ids: target } = await network.send(message, signal())
      const own = (await sees(room, 'am Tro')).event.event_id
      await contact.send(room, { 'm.relates_to': { rel_type: 'm.annotation', event_id: own, key: '👍' } }, 'm.reaction')
      await inbox.until('the reaction', () => from(bridge).some(({ kind }) => kind === 'reaction'))
      await network.send(answer('', { action: { kind: 'reaction', to: { arrival: first }, emojis: ['🎉'] } }), signal())
      await contact.waitFor(room, 'confetti', ({ type, sender }) => type === 'm.reaction' && sender === address())

      const correction = { style: 'text' as const, text: plain('am Tor') }
      await network.send(answer('', { action: { kind: 'edit', of: message.key, content: correction }, target }), signal())
      const { read: { content, shield } } = await sees(room, '* am Tor')
      assert.deepEqual([content['m.relates_to'], shield], [{ rel_type: 'm.replace', event_id: own }, ''])
      await network.send(answer('', { action: { kind: 'deletion', of: message.key }, target }), signal())
      const left = (await contact.events(room)).filter(({ sender, content }) => sender === address() && 'ciphertext' in content)
      assert.deepEqual(left, [], 'the correction is gone too')
      await contact.redact(room, first)
      await inbox.until('the deletion', () => from(bridge).some(one => one.kind === 'deletion' && one.of === first))
      assert.deepEqual(await inTheClear(room), [])
    })

    it('takes files in both directions, which the homeserver cannot read', async () => {
      const bridge = await begin()
      const { network } = bridge
      const room = await chat(contact)
      const [key, iv] = [randomBytes(32), Buffer.concat([randomBytes(8), Buffer.alloc(8)])]
      const sealed = createCipheriv('aes-256-ctr', key, iv).update(PNG)
      const fileOf = (url: string): Json => ({
        v: 'v2', url, iv: iv.toString('base64').replace(/=+$/, ''), key: { kty: 'oct', alg: 'A256CTR', ext: true, k: key.toString('base64url') },
        hashes: { sha256: createHash('sha256').update(sealed).digest('base64').replace(/=+$/, '') }
      })
      const url = await contact.upload(sealed, 'application/octet-stream')
      const info = { mimetype: 'image/png', size: PNG.length }
      await app.say(room, { msgtype: 'm.image', body: 'seht!', filename: 'a.png', info, file: fileOf(url) })
      await hears(bridge, 'seht!')
      const { content: { file } } = from(bridge)[0] as MessageArrival
      const { stream, mime } = await network.open((file as Attachment).at.ref, signal())
      assert.deepEqual([Buffer.concat(await stream.toArray() as Buffer[]), mime], [PNG, 'image/png'])

      const changed = await contact.upload(Buffer.concat([sealed.subarray(0, -1), Buffer.from([0])]), 'application/octet-stream')
      await app.say(room, { msgtype: 'm.image', body: 'falsch', filename: 'a.png', file: fileOf(changed) })
      await hears(bridge, 'falsch')
      const other = await network.open(((from(bridge)[1] as MessageArrival).content.file as Attachment).at.ref, signal())
      await assert.rejects(other.stream.toArray(), { name: 'Refused' })

      bridge.files.set('f1', PNG)
      const message = answer('', { action: { kind: 'message', content: { style: 'text', text: plain('Das Tro'), file: PICTURE } } })
      await network.upload!(message, signal())
      const { ids: target } = await network.send(message, signal())
      const opened = async (content: Json): Promise<Buffer> => {
        const { url: at, key: { k }, iv: vector } = content.file as { url: string, key: { k: string }, iv: string }
        const bytes = await contact.download(at)
        assert.notDeepEqual(bytes, PNG)
        return createDecipheriv('aes-256-ctr', Buffer.from(k, 'base64url'), Buffer.from(vector, 'base64')).update(bytes)
      }
      const { read: { content } } = await sees(room, 'Das Tro')
      assert.deepEqual([content.url, await opened(content)], [undefined, PNG])
      bridge.files.delete('f1') // nobody fetches it again
      const correction = { style: 'text' as const, text: plain('Das Tor'), file: { ...PICTURE, kept: true as const } }
      await network.send(answer('', { action: { kind: 'edit', of: message.key, content: correction }, target }), signal())
      const { read: { content: { 'm.new_content': now } } } = await app.reads(room, 'the correction', one => 'm.new_content' in one.content)
      assert.deepEqual([(now as Json).body, await opened(now as Json)], ['Das Tor', PNG])
      assert.deepEqual(await inTheClear(room), [])
    })

    it('goes on after a restart in its old session, and what was said meanwhile with a new key is read', async () => {
      const first = await begin()
      const room = await chat(contact)
      await app.say(room, 'eins')
      await hears(first, 'eins')
      await first.network.send(answer('zwei'), signal())
      await sees(room, 'zwei')
      await first.network.stop()
      await app.say(room, 'drei')
      await app.rotate(room)
      await app.say(room, 'vier')
      const second = await begin(first)
      await hears(second, 'drei', 'vier')
      await second.network.send(answer('fünf'), signal())
      assert.equal((await sees(room, 'fünf')).read.shield, '')
      assert.deepEqual(heard(second), ['eins', 'drei', 'vier'])
    })

    it('waits for a key that comes late; what is said behind it keeps its place', async () => {
      const bridge = await begin()
      const room = await chat(contact)
      await app.say(room, 'eins')
      await hears(bridge, 'eins')
      await app.rotate(room)
      const keys = app.hold()
      await app.say(room, 'zwei')
      await app.say(room, 'drei')
      const clear = await contact.send(room, 'vier, im Klartext')
      await until(() => rowsOf('waiting ').some(row => row.includes(clear)), 'it waits', WITHIN_MS)
      assert.deepEqual(heard(bridge), ['eins'])
      await keys.deliver()
      await hears(bridge, 'vier, im Klartext')
      assert.deepEqual(heard(bridge), ['eins', 'zwei', 'drei', 'vier, im Klartext'])
    })
    it('goes on with a new device after an earlier copy of the store was restored', async () => {
      const first = await begin()
      const room = await chat(contact)
      const earlier = new Map(rows)
      await app.say(room, 'eins')
      await hears(first, 'eins')
      await first.network.stop()
      rows.clear()
      for (const [key, value] of earlier) rows.set(key, value)
      const second = await begin(first)
      const other = await newcomer()
      await (await appOf()(other)).say(await chat(other), 'nichts') // with a key that the address has given away before
      await until(() => kept.memory.keys('signed ').length === 0, 'what is too old is forgotten', WITHIN_MS)
      await until(() => kept.memory.keys('signed ').length > 0, 'there is a new device', WITHIN_MS)
      contact = await newcomer()
      app = await appOf()(contact)
      const third = await chat(contact)
      await app.say(third, 'zwei')
      await hears(second, 'zwei')
      await second.network.send(answer('drei'), signal())
      assert.equal((await sees(third, 'drei')).read.shield, '')
    })

    it('goes on after the backup of yesterday was restored: with a new device under the same identity, and no warning', async () => {
      const first = await begin()
      const room = await chat(contact)
      await app.say(room, 'gestern')
      await hears(first, 'gestern')
      await first.network.send(answer('gestern auch'), signal())
      await sees(room, 'gestern auch')
      await first.network.stop()
      const before = await known()
      const restore = backUp()
      const second = await begin(first)
      await app.say(room, 'heute')
      await hears(second, 'heute')
      await second.network.send(answer('heute auch'), signal())
      await sees(room, 'heute auch')
      await second.network.stop()

      restore()
      const third = await begin()
      await until(() => facts.has(`device ${address()}`) && facts.has(`signed ${address()}`), 'there is a new device', WITHIN_MS)
      await app.say(room, 'und nun?')
      await hears(third, 'und nun?')
      await third.network.send(answer('es geht weiter'), signal())
      assert.equal((await sees(room, 'es geht weiter')).read.shield, '')
      const after = await known()
      assert.deepEqual([after.identity, after.devices.length, after.devices[0] === before.devices[0]], [before.identity, 1, false])
      assert.deepEqual(rowsOf('left '), [])
      const other = await newcomer()
      await (await appOf()(other)).say(await chat(other), 'auch ich')
      await until(() => said(third.inbox).includes('auch ich'), 'somebody new is read too', WITHIN_MS)
      await third.network.stop()

      const fourth = await begin(third)
      await fourth.network.send(answer('und bleibt so'), signal())
      assert.equal((await sees(room, 'und bleibt so')).read.shield, '')
      assert.deepEqual(await known(), after, 'the device stays')
    })

    it('is read with what an earlier copy knew, also what was said since with keys that it had', async () => {
      const first = await begin()
      const room = await chat(contact)
      await app.say(room, 'eins')
      await hears(first, 'eins')
      await first.network.stop()
      const restore = backUp()
      const second = await begin(first)
      await app.say(room, 'zwei')
      await hears(second, 'zwei')
      await second.network.stop()
      restore()
      const third = await begin()
      await hears(third, 'zwei')
    })

    it('declines to be verified, says once how to make sure, and tells nobody else', async () => {
      const bridge = await begin()
      const room = await chat(contact)
      const ask = (): Promise<string> => app.say(room, {
        msgtype: 'm.key.verification.request', body: 'verify', to: address(), from_device: 'D', methods: ['m.sas.v1']
      })
      const asked = [await ask(), await ask()]
      for (const id of asked) {
        const { read } = await app.reads(room, 'no', ({ type, content }) =>
          type === 'm.key.verification.cancel' && (content['m.relates_to'] as Json).event_id === id)
        assert.deepEqual([read.content.code, read.shield], ['m.user', ''])
      }
      await app.reads(room, 'how', ({ content }) => /Ed25519[^]*Ed25519/.test(String(content.body)))
      await app.say(room, 'na gut')
      await hears(bridge, 'na gut')
      assert.deepEqual([heard(bridge), await inTheClear(room)], [['na gut'], []])
      const ours = (await contact.events(room)).filter(({ sender, type }) => sender === address() && type === 'm.room.encrypted')
      assert.equal(ours.length, 3, 'two refusals, one line')
    })

    it('goes on with the new device that the operator orders, under the same identity', async () => {
      const bridge = await begin()
      const room = await chat(contact)
      await app.say(room, 'eins')
      await hears(bridge, 'eins')
      const before = await known()
      const [listed] = (await keyring.list(kept.vault)).devices
      assert.deepEqual([listed?.address, [listed?.device], `ed25519:${listed?.identity}`], [address(), before.devices, before.identity])
      assert.ok(listed!.fingerprint.length > 0)
      assert.equal(await keyring.renew(kept.vault, address()), true)
      bridge.network.devicesChanged!()
      const isNew = ({ devices }: Put): boolean => devices.length === 1 && devices[0] !== before.devices[0]
      await until(async () => rowsOf('renew ').length === 0 && isNew(await known()), 'it is renewed', WITHIN_MS)
      await app.say(room, 'zwei')
      await hears(bridge, 'zwei')
      await bridge.network.send(answer('drei'), signal())
      assert.equal((await sees(room, 'drei')).read.shield, '')
      const after = await known()
      const [now] = (await keyring.list(kept.vault)).devices
      assert.deepEqual([after.identity, after.devices, now?.fingerprint === listed!.fingerprint], [before.identity, [now!.device], false])
    })

    it('has its old identity when that is imported into a new store, before its first start', async () => {
      const first = await begin()
      const room = await chat(contact)
      await app.say(room, 'eins')
      await hears(first, 'eins')
      const before = await known()
      const file = JSON.parse(JSON.stringify(await keyring.identities(kept.vault))) as unknown
      await first.network.stop()
      rows.clear()
      facts.clear()
      assert.deepEqual(await keyring.take(kept.vault, file), [address()])
      const second = await begin()
      await until(() => facts.has(`signed ${address()}`), 'there is a new device', WITHIN_MS)
      assert.equal((await known()).identity, before.identity)
      assert.deepEqual(await keyring.take(kept.vault, file), [])
      const again = await chat(contact)
      await app.say(again, 'zwei')
      await hears(second, 'zwei')
      await second.network.send(answer('drei'), signal())
      assert.equal((await sees(again, 'drei')).read.shield, '')
    })

    it('is read by whoever is in it, and by nobody who has left it', async () => {
      const bridge = await begin()
      const room = await chat(contact)
      const guest = await newcomer()
      const guestsApp = await appOf()(guest)
      await contact.call('POST', `v3/rooms/${encodeURIComponent(room)}/invite`, { user_id: guest.userId })
      await guest.join(room)
      await app.say(room, 'guten Tag')
      await hears(bridge, 'guten Tag')
      await bridge.network.send(answer('eins'), signal())
      await guestsApp.reads(room, 'eins', ({ content }) => content.body === 'eins')
      await guest.call('POST', `v3/rooms/${encodeURIComponent(room)}/leave`, {})
      await bridge.network.send(answer('zwei'), signal())
      const { event } = await sees(room, 'zwei')
      assert.equal(await guestsApp.read(event), undefined)
    })

    it('does not take the same ciphertext twice, and a second try sends the same event', async () => {
      const bridge = await begin()
      const room = await chat(contact)
      const first = await app.say(room, 'ja, bestellt')
      await hears(bridge, 'ja, bestellt')
      const { content } = (await contact.events(room)).find(({ event_id: id }) => id === first)!
      await contact.send(room, content, 'm.room.encrypted')
      await bridge.inbox.until('quarantine', () => bridge.inbox.quarantined.length === 1)
      await bridge.inbox.until('that there is something', () => from(bridge).length === 2)
      assert.deepEqual(heard(bridge), ['ja, bestellt', ''])
      const message = answer('gut')
      const once = await bridge.network.send(message, signal())
      assert.deepEqual(await bridge.network.send(message, signal()), once)
      await until(() => kept.memory.get(`unread ${room}`) !== undefined, 'the writer is told, by an event that is sealed too', WITHIN_MS)
      assert.deepEqual(rowsOf('sealed '), [])
    })
  })
}
