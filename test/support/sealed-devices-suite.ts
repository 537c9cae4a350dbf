/** The device of an address in encrypted chats, on any homeserver that knows of keys: replaced by another, and asked to be verified. */
import assert from 'node:assert/strict'
import type { Network } from '../../src/model/network'
import { keyring } from '../../src/networks/matrix/encryption/keyring'
import { makeEncryptedPerson, type EncryptedPerson } from './encrypted-person'
import { ADDRESS } from './matrix-ground'
import { makeMatrixPerson, type Json, type MatrixPerson } from './matrix-person'
import { delivery, makeBridge, newKey, said, type Bridge, type Ground } from './matrix-suite'
import { until } from './practice'
import { makeMemory, makeVault } from './world'

const WITHIN_MS = 60_000

/** `appOf`: what the contact's app is built on. */
export const sealedDevicesSuite = (ground: () => Ground, appOf = () => makeEncryptedPerson): void => {
  const rows = new Map<string, Uint8Array>()
  const kept = { memory: makeMemory(), vault: makeVault(rows) } // as a store keeps it
  const running: Network[] = []
  let contact: MatrixPerson
  let app: EncryptedPerson
  const address = (): string => `@${ADDRESS}:${ground().serverName}`

  const begin = async (): Promise<Bridge> => {
    const bridge = makeBridge(ground(), kept)
    running.push(bridge.network)
    bridge.network.serve([{ id: address(), aliases: [], profile: { name: 'Bürgerbüro', about: 'offen' } }])
    await bridge.network.start(bridge.inbox)
    await until(() => kept.memory.keys('signed ').length > 0, 'the address has a device that is signed', WITHIN_MS)
    return bridge
  }
  const chat = async (): Promise<string> => {
    const room = await contact.createRoom({
      preset: 'trusted_private_chat', is_direct: true, invite: [address()],
      initial_state: [{ type: 'm.room.encryption', state_key: '', content: { algorithm: 'm.megolm.v1.aes-sha2' } }]
    })
    await contact.waitFor(room, 'the address', ({ state_key: who, content }) => who === address() && content.membership === 'join')
    return room
  }
  const heard = ({ inbox }: Bridge): string[] => said({ arrivals: inbox.arrivals.filter(({ place: { id } }) => id.endsWith(` ${contact.userId}`)) })
  const hears = (bridge: Bridge, text: string): Promise<void> => bridge.inbox.until(text, () => heard(bridge).includes(text), WITHIN_MS)
  /** Those of the address of which the homeserver knows keys. */
  const devices = async (): Promise<string[]> => {
    const { device_keys: keys } = await contact.call('POST', 'v3/keys/query', { device_keys: { [address()]: [] } }) as { device_keys: Json }
    return Object.keys(keys[address()] ?? {})
  }

  beforeEach(async () => {
    const { userId, accessToken } = await ground().createUser(`kunde${newKey()}`.toLowerCase())
    contact = makeMatrixPerson(ground().url, userId, accessToken)
    app = await appOf()(contact)
  })
  afterEach(async () => { await Promise.all(running.splice(0).map(network => network.stop())) })

  describe('the device of an address', () => {
    it('declines to be verified by a request to its device too, which it reads with its keys', async () => {
      const bridge = await begin()
      const room = await chat()
      await app.say(room, 'zuerst')
      await hears(bridge, 'zuerst')
      const [device] = await devices()
      const { device_id: own } = await contact.call('GET', 'v3/account/whoami')
      const asked = newKey()
      const content = { from_device: own, transaction_id: asked, timestamp: Date.now(), methods: ['m.sas.v1'] }
      await contact.call('PUT', `v3/sendToDevice/m.key.verification.request/${newKey()}`, { messages: { [address()]: { [device!]: content } } })
      await app.rotate(room)
      await app.say(room, 'und nun?')
      await hears(bridge, 'und nun?')
      const answers = async (): Promise<Json[]> => {
        const filter = JSON.stringify({ room: { rooms: [] }, event_fields: ['event_id', newKey()] }) // or Synapse gives the same answer again
        const { to_device: came = {} } = await contact.call('GET', `v3/sync?timeout=0&filter=${encodeURIComponent(filter)}`)
        return ((came as Json).events as Json[] | undefined ?? []).filter(({ type, sender }) =>
          type === 'm.key.verification.cancel' && sender === address())
      }
      await until(async () => (await answers()).length > 0, 'it is declined', WITHIN_MS)
      const [{ code, transaction_id: id }] = (await answers()).map(one => one.content as Json) as [Json]
      assert.deepEqual([code, id, heard(bridge)], ['m.user', asked, ['zuerst', 'und nun?']])
    })

    it('reads what was encrypted for the old device at last, when a new one takes its place', async () => {
      const first = await begin()
      const room = await chat()
      await app.say(room, 'eins')
      await hears(first, 'eins')
      const [before] = await devices()
      await first.network.stop()
      await app.rotate(room)
      await app.say(room, 'nur für das alte Gerät')
      assert.equal(await keyring.renew(kept.vault, address()), true)
      const second = await begin()
      await hears(second, 'nur für das alte Gerät')
      await until(async () => (await devices()).join() !== before, 'only the new device is there', WITHIN_MS)
      await until(async () => (await devices()).length === 1, 'the old one is gone', WITHIN_MS)
      await app.say(room, 'für das neue')
      await hears(second, 'für das neue')
      assert.deepEqual([...rows.keys()].filter(key => key.startsWith(`device ${address()} ${before} `)), [])
    })

    it('is not warned of by an app that was away while the device that spoke came and went', async () => {
      const bridge = await begin()
      const room = await chat()
      await app.say(room, 'eins')
      await hears(bridge, 'eins')
      const renewed = async (): Promise<void> => {
        const [before] = await devices()
        await keyring.renew(kept.vault, address())
        bridge.network.devicesChanged!()
        await until(async () => (await devices()).join() !== before && (await devices()).length === 1, 'there is another one', WITHIN_MS)
      }
      for (const text of ['vom zweiten', 'vom dritten']) {
        await renewed()
        const { as, ...said } = delivery({ network: 'matrix', id: `${address()} ${contact.userId}` }, text)
        await bridge.network.send(said, AbortSignal.timeout(WITHIN_MS))
      }
      await renewed()
      for (const text of ['vom zweiten', 'vom dritten']) {
        assert.equal((await app.reads(room, text, ({ content }) => content.body === text)).read.shield, '')
      }
    })
  })
}
