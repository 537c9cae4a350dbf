/** What people and servers may do to the encrypted chats of an address: it never reaches the chats of others. */
import assert from 'node:assert/strict'
import { Unavailable } from '../../src/model/errors'
import type { Delivery, MessageArrival } from '../../src/model/message'
import { toPlain } from '../../src/model/text'
import type { Network } from '../../src/model/network'
import { makeEncryptedPerson, type EncryptedPerson } from './encrypted-person'
import { ADDRESS } from './matrix-ground'
import { type Json, makeMatrixPerson, type MatrixPerson, type SeenEvent } from './matrix-person'
import { delivery, makeBridge, newKey, said, type Bridge, type Ground } from './matrix-suite'
import { until } from './practice'
import { makeMemory, makeVault } from './world'

const WITHIN_MS = 60_000
const ENCRYPTION = 'm.room.encryption'
const ALGORITHM = { algorithm: 'm.megolm.v1.aes-sha2' }

interface Customer { person: MatrixPerson; app: EncryptedPerson; room: string }

/** Customers of an address, each in a chat of their own. To be called in a `describe`. */
const customersOf = (ground: () => Ground, appOf: () => typeof makeEncryptedPerson) => {
  const rows = new Map<string, Uint8Array>()
  const kept = { memory: makeMemory(), vault: makeVault(rows) } // as a store keeps it
  let bridge: Bridge
  let network: Network
  const signal = (): AbortSignal => AbortSignal.timeout(WITHIN_MS)
  const address = (): string => `@${ADDRESS}:${ground().serverName}`

  /** Somebody who has said hello, encrypted or not. */
  const customer = async (hello: string, encrypts = true): Promise<Customer> => {
    const { userId, accessToken } = await ground().createUser(`kunde${newKey()}`.toLowerCase())
    const person = makeMatrixPerson(ground().url, userId, accessToken)
    const app = await appOf()(person)
    const room = await person.createRoom({
      preset: 'trusted_private_chat', is_direct: true, invite: [address()],
      initial_state: encrypts ? [{ type: ENCRYPTION, state_key: '', content: ALGORITHM }] : []
    })
    await person.waitFor(room, 'the address', ({ state_key: who, content }) => who === address() && content.membership === 'join')
    await (encrypts ? app.say(room, hello) : person.send(room, hello))
    await hears(hello)
    return { person, app, room }
  }
  const hears = (text: string): Promise<void> => bridge.inbox.until(text, () => said(bridge.inbox).includes(text), WITHIN_MS)
  const answerTo = ({ person }: Customer, text: string): Delivery => {
    const { as, ...rest } = delivery({ network: 'matrix', id: `${address()} ${person.userId}` }, text)
    return rest
  }
  const isAnswered = async (one: Customer, text: string): Promise<void> => {
    await network.send(answerTo(one, text), signal())
    await one.app.reads(one.room, text, ({ content }) => content.body === text)
  }
  const saidTo = async ({ person, room }: Customer): Promise<number> =>
    (await person.events(room)).filter(({ sender, type }) => sender === address() && /encrypted|message/.test(type)).length

  const start = async (): Promise<void> => {
    bridge = makeBridge(ground(), kept)
    ;({ network } = bridge)
    network.serve([{ id: address(), aliases: [], profile: { name: 'Bürgerbüro', about: 'offen' } }])
    await network.start(bridge.inbox)
    await until(() => kept.memory.keys('signed ').length > 0, 'the address has a device that is signed', WITHIN_MS)
  }
  beforeEach(start)
  afterEach(() => network.stop())

  return {
    customer, answerTo, isAnswered, saidTo,
    /** To the device of the address, so many times. */
    async sendTo ({ person }: Customer, content: Json, times = 1): Promise<void> {
      for (let n = 0; n < times; n++) {
        await person.call('PUT', `v3/sendToDevice/m.room.encrypted/${newKey()}`, { messages: { [address()]: { '*': content } } })
      }
    },
    get network () { return network },
    async restart (): Promise<void> {
      await network.stop()
      await start()
      await bridge.inbox.until('the address is there', () => bridge.inbox.connections.get('addresses') === true, WITHIN_MS)
    },
    /** The rows of the vault that name them, but for what the library keeps. */
    known: ({ person }: Customer): string[] => [...rows.keys()].filter(key => key.includes(person.userId) && !key.startsWith('device ')),
    /** What came of them, as the bridge gets it. */
    from: ({ person }: Customer): MessageArrival[] => bridge.inbox.arrivals.filter(one => one.place.id.endsWith(` ${person.userId}`))
      .filter(one => one.kind === 'message'),
    hears
  }
}

/** `appOf`: what the customers' apps are built on. */
export const sealedBoundsSuite = (ground: () => Ground, appOf = () => makeEncryptedPerson): void => {
  describe('encrypted chats of an address', () => {
    const customers = customersOf(ground, appOf)
    const { customer, answerTo, isAnswered, saidTo, sendTo } = customers
    const signal = (): AbortSignal => AbortSignal.timeout(WITHIN_MS)

    it('have once what a try without an answer said in the clear, before the contact turned encryption on', async () => {
      const nina = await customer('Guten Tag', false)
      const message = answerTo(nina, 'gut')
      const once = await customers.network.send(message, signal())
      await nina.person.setState(nina.room, ENCRYPTION, '', ALGORITHM)
      assert.deepEqual(await customers.network.send({ ...message, attempt: 2 }, signal()), once)
      await isAnswered(nina, 'bis morgen')
      assert.equal(await saidTo(nina), 2)
    })

    it('go on while somebody has more keys than an answer may hold; what is for them waits', async () => {
      const bulky = await customer('hallo')
      const { device_id: device } = await bulky.person.call('GET', 'v3/account/whoami')
      const keys = { user_id: bulky.person.userId, device_id: device, algorithms: [], keys: {}, signatures: {}, padding: 'K'.repeat(33 * 2 ** 20) }
      await bulky.person.call('POST', 'v3/keys/upload', { device_keys: keys })
      const held = answerTo(bulky, 'für niemanden')
      await assert.rejects(customers.network.send(held, signal()), { name: 'Unavailable', unsealed: 'keyless' })
      await isAnswered(await customer('auch hallo'), 'guten Tag')
      await assert.rejects(customers.network.send(held, signal()), { name: 'Unavailable', unsealed: 'keyless' })
      assert.equal(await saidTo(bulky), 0)
    })

    it('go on while somebody sends to its device more than it takes', async () => {
      const mallory = await customer('hallo')
      await sendTo(mallory, { algorithm: 'm.olm.v1.curve25519-aes-sha2', sender_key: 'K', ciphertext: {} }, 250)
      await isAnswered(await customer('auch hallo'), 'guten Tag')
    })

    it('leave nothing of whom the address has read once they are forgotten', async () => {
      const eva = await customer('nur dieses eine Mal')
      assert.notDeepEqual(customers.known(eva), [])
      await customers.network.forget!([{ network: 'matrix', id: `@${ADDRESS}:${ground().serverName} ${eva.person.userId}` }])
      assert.deepEqual(customers.known(eva), [])
    })
  })
}

/** What Synapse lets nobody do, or not without a password. */
export const beyondSynapseSuite = (ground: () => Ground, appOf = () => makeEncryptedPerson): void => {
  const address = (): string => `@${ADDRESS}:${ground().serverName}`

  describe('an encrypted chat', () => {
    const customers = customersOf(ground, appOf)
    const { customer, isAnswered, answerTo, hears } = customers

    it('is gone on with until its contact has written elsewhere: anybody\'s server can make an invitation', async () => {
      const nina = await customer('guten Tag')
      const { person } = nina
      const address = `@${ADDRESS}:${ground().serverName}`
      const invites = async (): Promise<string> => {
        const room = await person.createRoom({ preset: 'trusted_private_chat', is_direct: true, invite: [address] })
        await person.waitFor(room, 'the address', ({ state_key: who, content }) => who === address && content.membership === 'join')
        return room
      }
      const other = await invites()
      await isAnswered(nina, 'nur für Sie')
      const isWord = ({ sender, type, content }: SeenEvent): boolean => sender === address && type === 'm.room.message' && 'body' in content
      assert.deepEqual((await person.events(other)).filter(isWord), [])
      await person.send(other, 'hierher')
      await hears('hierher')
      assert.deepEqual((await person.events(nina.room)).filter(isWord), [])
    })

    /** The contact has left the encrypted chat, and there is another one. */
    const moved = async (preset: string): Promise<{ nina: Customer, room: string }> => {
      const nina = await customer('geheim')
      const address = `@${ADDRESS}:${ground().serverName}`
      await nina.person.call('POST', `v3/rooms/${encodeURIComponent(nina.room)}/leave`, {})
      const room = await nina.person.createRoom({ preset, is_direct: true, invite: [address] })
      await nina.person.waitFor(room, 'the address', ({ state_key: who, content }) => who === address && content.membership === 'join')
      return { nina, room }
    }
    const inTheClear = async ({ person }: Customer, room: string): Promise<unknown[]> =>
      (await person.events(room)).filter(({ type, content }) => type === 'm.room.message' && 'body' in content).map(({ content }) => content.body)
    const secret = (to: Customer, text: string): Delivery => {
      const one = answerTo(to, text)
      return one.action.kind === 'message' ? { ...one, action: { ...one.action, secret: true } } : one
    }

    it('is not answered in another chat that is not encrypted, whoever has made that in the name of the contact', async () => {
      const { nina, room } = await moved('private_chat')
      const isKept = (one: Delivery): Promise<void> => until(async () => {
        const error = await customers.network.send(one, AbortSignal.timeout(WITHIN_MS)).then(() => undefined, one => one)
        assert.ok(error !== undefined, 'it went out')
        return error instanceof Unavailable && error.unsealed === 'clear'
      }, 'it is kept back', WITHIN_MS)
      await isKept(secret(nina, 'auch geheim'))
      await isKept(answerTo(nina, 'was auch immer')) // notices and answers to commands, too
      await nina.person.send(room, 'im Klartext')
      await hears('im Klartext')
      await isKept(secret(nina, 'noch immer geheim'))
      await customers.network.send(answerTo(nina, 'offen'), AbortSignal.timeout(WITHIN_MS))
      assert.deepEqual(await inTheClear(nina, room), ['im Klartext', 'offen'])
    })

    it('is not answered in the clear after a reaction or a correction in the clear, and not after a start either', async () => {
      const { nina, room } = await moved('private_chat')
      const { person } = nina
      const before = customers.from(nina)[0]!.key
      await person.send(room, { 'm.relates_to': { rel_type: 'm.annotation', event_id: before, key: '👍' } }, 'm.reaction')
      await person.edit(room, before, 'geändert')
      await customers.restart()
      const error = await customers.network.send(answerTo(nina, 'offen'), AbortSignal.timeout(WITHIN_MS)).then(() => undefined, one => one)
      assert.ok(error instanceof Unavailable)
      assert.deepEqual((await inTheClear(nina, room)).filter(words => words === 'offen'), [])
    })

    it('is answered in another chat of the contact where the address may turn encryption on', async () => {
      const { nina, room } = await moved('trusted_private_chat')
      const isSent = (): Promise<boolean> =>
        customers.network.send(secret(nina, 'auch geheim'), AbortSignal.timeout(WITHIN_MS)).then(() => true, () => false)
      await until(isSent, 'it is sent', WITHIN_MS)
      await nina.app.reads(room, 'auch geheim', ({ content }) => content.body === 'auch geheim')
      assert.deepEqual(await inTheClear(nina, room), [])
    })
  })

  describe('an identity', () => {
    const customers = customersOf(ground, appOf)
    const { customer, isAnswered, from, hears, sendTo } = customers

    it('of a contact is nothing to tell at first sight; each other one is, once, with the first words that come under it', async () => {
      const eva = await customer('eins')
      await isAnswered(eva, 'zwei')
      const says = async (text: string): Promise<void> => {
        await eva.app.rotate(eva.room) // what comes with the new key is asked about
        await eva.app.say(eva.room, text)
        await hears(text)
      }
      await says('drei')
      await eva.app.reset()
      await says('vier')
      await says('fünf')
      await isAnswered(eva, 'sechs')
      await eva.app.reset()
      await says('sieben')
      await isAnswered(await customer('andere'), 'auch')
      const told = from(eva).map(({ content, reidentified }) => `${toPlain(content.text)}${reidentified ? ' !' : ''}`)
      assert.deepEqual(told, ['eins', 'drei', 'vier !', 'fünf', 'sieben !'])
    })

    it('of an address stays, and others are read and answered, after somebody has sent to its device what cannot be taken at all', async () => {
      const mallory = await customer('hallo')
      const masterOf = async (): Promise<unknown> => {
        const { master_keys: masters } = await mallory.person.call('POST', 'v3/keys/query', { device_keys: { [address()]: [] } })
        return ((masters as Json)[address()] as Json).keys
      }
      const before = await masterOf()
      await sendTo(mallory, { padding: 'K'.repeat(33 * 2 ** 20) })
      const answer = customers.answerTo(mallory, 'guten Tag')
      await assert.rejects(customers.network.send(answer, AbortSignal.timeout(WITHIN_MS)), { name: 'Unavailable' })
      await customers.network.send(answer, AbortSignal.timeout(WITHIN_MS))
      await isAnswered(await customer('auch hallo'), 'guten Tag')
      assert.deepEqual(await masterOf(), before)
    })
  })
}
