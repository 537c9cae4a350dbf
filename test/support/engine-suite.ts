/** What every engine of encryption does, the real one and that of the simulation: two devices, at a homeserver that knows of keys. */
import assert from 'node:assert/strict'
import { systemClock } from '../../src/lib/clock'
import { silentLog } from '../../src/lib/log'
import type { Decrypted, Needed, News } from '../../src/networks/matrix/encryption/calls'
import type { Engine, MakeEngine } from '../../src/networks/matrix/encryption/engine'
import type { Row } from '../../src/networks/matrix/encryption/indexed-db'
import { type Keys, makeKeys } from './homeserver/keys'
import { makeState, type Json } from './homeserver/state'

const ROTATION = { ms: 7 * 86_400_000, messages: 100 }
const OURS = '@buergerbuero:example.org'
const THEIRS = '@eva:example.org'
const GUEST = '@gast:example.org'
const DEVICE = 'ZENTRALE'

export const engineSuite = (makeEngine: () => MakeEngine): void => {
  const rows = new Map<string, Map<string, Uint8Array>>() // by device
  let engine: Engine
  let keys: Keys
  let room: string
  let refusing = false
  const told = new Map<string, number>()

  const nameOf = (user: string): string => `${user} ${DEVICE}`
  const rowsOf = (name: string): Map<string, Uint8Array> => rows.get(name) ?? rows.set(name, new Map()).get(name)!

  const start = (): void => {
    engine = makeEngine()({ clock: systemClock, log: silentLog, async keep (name, changes) {
      if (refusing) throw new Error('the disk is full')
      for (const [key, value] of changes) {
        if (value === undefined) rowsOf(name).delete(key)
        else rowsOf(name).set(key, value)
      }
    } })
  }

  const ask = (user: string, { path, body }: Needed): Json => {
    const said = JSON.parse(body) as Json
    if (path.endsWith('keys/upload')) return keys.upload(user, DEVICE, said)
    if (path.endsWith('keys/query')) return keys.query(said)
    if (path.endsWith('keys/claim')) return keys.claim(said)
    if (path.endsWith('signatures/upload')) return keys.sign(said)
    const [, type = '', transaction = ''] = /sendToDevice\/([^/]+)\/(.+)$/.exec(path)!
    return keys.send(user, decodeURIComponent(type), decodeURIComponent(transaction), said)
  }
  const send = async (user: string, all: Needed[]): Promise<void> => {
    for (const one of all) await engine.call(nameOf(user), 'sent', { id: one.id, type: one.type, answer: JSON.stringify(ask(user, one)) })
  }
  const outgoing = async (user: string): Promise<void> => { await send(user, await engine.call(nameOf(user), 'outgoing')) }
  const open = (user: string): Promise<void> =>
    engine.call(nameOf(user), 'open', { user, device: DEVICE, rows: [...rowsOf(nameOf(user))] satisfies Row[] })

  const news = async (user: string): Promise<void> => {
    const { position, news: found } = keys.news(user, DEVICE, told.get(user)) as { position: number, news: Record<string, any> }
    await engine.call(nameOf(user), 'receive', {
      toDevice: found.to_device.events, changed: found.device_lists.changed, left: [], fallback: found.device_unused_fallback_key_types,
      counts: Object.entries(found.device_one_time_keys_count)
    } as News)
    told.set(user, position)
    await outgoing(user)
  }
  const begin = async (user: string): Promise<void> => {
    await open(user)
    await outgoing(user)
    const made = await engine.call(nameOf(user), 'sign')
    await send(user, made.keys)
    keys.identify(user, JSON.parse(made.identity) as Json)
    keys.sign(JSON.parse(made.signatures) as Json)
    await news(user)
  }
  const prepare = async (...users: string[]): Promise<void> => {
    await news(OURS)
    await engine.call(nameOf(OURS), 'track', users)
    await outgoing(OURS)
    await send(OURS, await engine.call(nameOf(OURS), 'missing', users))
  }
  const share = (...users: string[]): Promise<Needed[]> => engine.call(nameOf(OURS), 'share', { room, users, signed: false, rotation: ROTATION })
  const encrypt = (body: string): Promise<string> =>
    engine.call(nameOf(OURS), 'encrypt', { room, type: 'm.room.message', content: JSON.stringify({ msgtype: 'm.text', body }) })
  const say = async (body: string, ...users: string[]): Promise<Json> => {
    await prepare(...users)
    await send(OURS, await share(...users))
    return JSON.parse(await encrypt(body)) as Json
  }
  const read = (user: string, content: Json, id = '$1'): Promise<Decrypted> => engine.call(nameOf(user), 'decrypt', {
    room, event: JSON.stringify({ type: 'm.room.encrypted', sender: OURS, event_id: id, room_id: room, origin_server_ts: 1, content })
  })
  const wordsOf = (read: Decrypted): unknown => 'content' in read ? read.content['body'] : read
  const reads = async (user: string, content: Json, id?: string): Promise<unknown> => {
    await news(user)
    return wordsOf(await read(user, content, id))
  }

  beforeEach(async () => {
    const state = makeState('example.org')
    for (const user of [OURS, THEIRS, GUEST]) state.addUser(user)
    ;({ id: room } = state.createRoom(THEIRS, { preset: 'trusted_private_chat', invite: [OURS, GUEST] }))
    for (const user of [OURS, GUEST]) state.join(room, user)
    keys = makeKeys(state)
    rows.clear()
    told.clear()
    refusing = false
    start()
    for (const user of [OURS, THEIRS]) await begin(user)
  })
  afterEach(() => engine.stop())

  it('seals what those read who have been given the key, and whoever sealed it', async () => {
    const content = await say('hallo', OURS, THEIRS)
    assert.equal(content.algorithm, 'm.megolm.v1.aes-sha2')
    assert.doesNotMatch(JSON.stringify(content), /hallo/)
    assert.ok('missing' in await read(THEIRS, content), 'its key has not come')
    assert.equal(await reads(THEIRS, content), 'hallo')
    assert.equal(await reads(THEIRS, content, '$2'), 'hallo', 'that it comes again is not noticed')
    assert.equal(await reads(OURS, content), 'hallo')
    const ciphertext = String(content.ciphertext)
    const other = ciphertext[40] === 'A' ? 'B' : 'A'
    assert.ok('why' in await read(THEIRS, { ...content, ciphertext: ciphertext.slice(0, 40) + other + ciphertext.slice(41) }))
    assert.ok('why' in await read(THEIRS, { ...content, algorithm: 'rot13' }))
  })

  it('is signed by an identity, which stays', async () => {
    const { device_keys: devices, master_keys: masters } = keys.query({ device_keys: { [OURS]: [] } }) as Record<string, any>
    const [master] = Object.values(masters[OURS].keys) as string[]
    assert.ok(master !== undefined && Object.keys(devices[OURS][DEVICE].signatures[OURS]).length > 1)
    const again = JSON.parse((await engine.call(nameOf(OURS), 'sign')).identity) as Record<string, any>
    assert.deepEqual(again['master_key'].keys, masters[OURS].keys)
  })

  it('takes over the identity of an earlier device, if the homeserver knows it, and reads what that could read', async () => {
    const content = await say('hallo', OURS, THEIRS)
    const { secret, identity } = await engine.call(nameOf(OURS), 'sign')
    const exported = await engine.call(nameOf(OURS), 'exported')
    await engine.call(nameOf(OURS), 'close')
    const next = `${OURS} NEXT`
    await engine.call(next, 'open', { user: OURS, device: 'NEXT', rows: [] })
    const asking = async (): Promise<void> => {
      for (const one of await engine.call(next, 'ask', [OURS])) {
        await engine.call(next, 'sent', { id: one.id, type: one.type, answer: JSON.stringify(ask(OURS, one)) })
      }
    }
    await asking()
    assert.equal(await engine.call(next, 'adopt', secret), true)
    await engine.call(next, 'imported', exported)
    const masterIn = (text: string): unknown => (JSON.parse(text) as Record<string, any>)['master_key'].keys
    assert.deepEqual(masterIn((await engine.call(next, 'sign')).identity), masterIn(identity))
    const event = JSON.stringify({ type: 'm.room.encrypted', sender: OURS, event_id: '$1', room_id: room, origin_server_ts: 1, content })
    assert.equal(wordsOf(await engine.call(next, 'decrypt', { room, event })), 'hallo')
  })

  it('gives away each key once', async () => {
    await begin(GUEST)
    const sessions = [await say('eins', OURS, THEIRS, GUEST), await say('zwei', OURS, THEIRS)].map(({ session_id: id }) => String(id))
    const exported = await engine.call(nameOf(OURS), 'exported')
    assert.equal(new Set(sessions).size, 2)
    assert.deepEqual(sessions.map(id => exported.split(id).length - 1), [1, 1])
  })

  it('takes a new key when somebody is no longer there, and when it is used up', async () => {
    await begin(GUEST)
    const first = await say('eins', OURS, THEIRS, GUEST)
    assert.equal(await reads(GUEST, first), 'eins')
    const second = await say('zwei', OURS, THEIRS)
    assert.notEqual(second.session_id, first.session_id)
    assert.ok('missing' in await reads(GUEST, second).then(answer => Object(answer) as Json))
    assert.equal(await reads(THEIRS, second), 'zwei')
    for (let n = 1; n < ROTATION.messages; n++) await encrypt('.')
    const last = await say('drei', OURS, THEIRS)
    assert.notEqual(last.session_id, second.session_id)
    assert.equal(await reads(THEIRS, last), 'drei')
  })

  it('takes a new key when a device is gone, although its user is there', async () => {
    await begin(GUEST)
    const first = await say('eins', OURS, THEIRS, GUEST)
    assert.equal(await reads(GUEST, first), 'eins')
    keys.forget(GUEST, DEVICE)
    const second = await say('zwei', OURS, THEIRS, GUEST)
    assert.notEqual(second.session_id, first.session_id)
    assert.ok('missing' in await read(GUEST, second))
    assert.equal(await reads(THEIRS, second), 'zwei')
  })

  it('gives no key to a device that nobody has signed, if it is to leave them out', async () => {
    await open(GUEST)
    await outgoing(GUEST)
    await prepare(OURS, THEIRS, GUEST)
    const users = [THEIRS, GUEST]
    assert.deepEqual(await engine.call(nameOf(OURS), 'devices', { users, signed: false }), [1, 1])
    assert.deepEqual(await engine.call(nameOf(OURS), 'devices', { users, signed: true }), [1, 0])
    await send(OURS, await engine.call(nameOf(OURS), 'share', { room, users, signed: true, rotation: ROTATION }))
    const content = JSON.parse(await encrypt('hallo')) as Json
    assert.equal(await reads(THEIRS, content), 'hallo')
    assert.ok('missing' in await reads(GUEST, content).then(answer => Object(answer) as Json))
  })

  it('forgets what it has in memory of a device, which can be opened again', async () => {
    const first = await say('eins', OURS, THEIRS)
    await engine.call(nameOf(THEIRS), 'close')
    await assert.rejects(read(THEIRS, first), { name: 'Unavailable' })
    await open(THEIRS)
    assert.equal(await reads(THEIRS, first), 'eins')
    assert.equal(engine.life, 0)
  })

  it('gives a key again, with the same one, if it is not known to be given', async () => {
    await prepare(OURS, THEIRS)
    const [first] = await share(OURS, THEIRS)
    ask(OURS, first!) // it arrives, and the answer is lost
    engine.stop()
    start()
    for (const user of [OURS, THEIRS]) await open(user)
    const [again] = await share(OURS, THEIRS)
    assert.deepEqual([again?.id, again?.body], [first?.id, first?.body])
    await send(OURS, [again!])
    assert.deepEqual(await share(OURS, THEIRS), [])
    assert.equal(await reads(THEIRS, JSON.parse(await encrypt('hallo')) as Json), 'hallo')
  })

  it('has the same device again from what was kept, also after it has died in the middle of a call', async () => {
    const first = await say('eins', OURS, THEIRS)
    for (let n = 1; n < ROTATION.messages; n++) await encrypt('.')
    await assert.rejects(encrypt('!'), { name: 'Unavailable' }, 'the library panics')
    assert.equal(engine.life, 1)
    await assert.rejects(engine.call(nameOf(OURS), 'outgoing'), { name: 'Unavailable' }, 'it is to be opened again')
    for (const user of [OURS, THEIRS]) await open(user)
    assert.equal(await reads(THEIRS, first), 'eins')
    const before = keys.query({ device_keys: { [OURS]: [] } })
    assert.equal(await reads(THEIRS, await say('zwei', OURS, THEIRS)), 'zwei')
    assert.deepEqual(keys.query({ device_keys: { [OURS]: [] } }), before)
  })

  it('fills up its one-time keys as they are taken', async () => {
    const count = (): number => Number((keys.upload(OURS, DEVICE, {}).one_time_key_counts as Json).signed_curve25519)
    const full = count()
    keys.claim({ one_time_keys: { [OURS]: { [DEVICE]: 'signed_curve25519' } } })
    assert.deepEqual([full > 1, count()], [true, full - 1])
    await news(OURS)
    assert.equal(count(), full)
  })

  it('does not go on when something could not be kept', async () => {
    refusing = true
    await assert.rejects(encrypt('!').then(() => say('!', THEIRS)), { name: 'Unavailable' })
    assert.equal(engine.life, 1)
    refusing = false
    for (const user of [OURS, THEIRS]) await open(user)
    assert.equal(await reads(THEIRS, await say('hallo', OURS, THEIRS)), 'hallo')
  })
}
