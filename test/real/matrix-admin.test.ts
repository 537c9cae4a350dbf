/** What a token of Synapse's administrator adds: rooms of a team go with all that was said in them, and our uploads with what shows them. */
import assert from 'node:assert/strict'
import { copyFileSync, existsSync, globSync, readFileSync, statSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { DatabaseSync } from 'node:sqlite'
import { freePort } from '../../sandbox/servers/process'
import { startSynapse, type Synapse } from '../../sandbox/servers/synapse'
import { systemChance } from '../../src/lib/chance'
import { Unavailable } from '../../src/model/errors'
import type { Content, Delivery } from '../../src/model/message'
import { makeRegistration, writeRegistration } from '../../src/networks/matrix/registration/registration'
import { plain } from '../../src/model/text'
import { temporaryFolder } from '../support/folder'
import { ADDRESS, ALIAS } from '../support/matrix-ground'
import { makeMatrixPerson, type MatrixPerson } from '../support/matrix-person'
import { delivery, makeBridge, PNG, type Bridge, type Ground } from '../support/matrix-suite'
import { until } from '../support/practice'
import { needs, scratch } from '../support/real'

const SERVER = 'synapse.test'
const [WORDS, TOPIC, NAME, FILE] = ['KANARIE-WORT', 'KANARIE-THEMA', 'KANARIE-NAME', 'KANARIE-DATEI']
const [FACE, CALLED] = ['KANARIE-GESICHT', 'KANARIE-IDA'] as const
const bytes = Buffer.concat([PNG, Buffer.from(FILE)])

describe('Synapse, with the token of its administrator', () => {
  needs('synapse')
  const dir = scratch()
  let synapse: Synapse
  let ground: Ground
  let anna: MatrixPerson
  let bridge: Bridge | undefined
  const signal = (): AbortSignal => AbortSignal.timeout(60_000)

  before(async () => {
    const port = await freePort()
    const registration = makeRegistration({ domain: SERVER, url: `http://127.0.0.1:${port}`, addresses: [ADDRESS], aliases: [ALIAS] }, systemChance)
    writeFileSync(dir('registration.yaml'), writeRegistration(registration))
    synapse = await startSynapse({ dir: dir('synapse'), serverName: SERVER, registrations: [dir('registration.yaml')] })
    const { accessToken: adminToken } = await synapse.createUser('chief', systemChance.token(12), true)
    ground = {
      url: synapse.url, serverName: SERVER, createUser: name => synapse.createUser(name, systemChance.token(12)), restart: () => synapse.restart(),
      config: { homeserverUrl: synapse.url, domain: SERVER, registration, listen: { host: '127.0.0.1', port }, adminToken }
    }
    const user = await ground.createUser('anna')
    anna = makeMatrixPerson(synapse.url, user.userId, user.accessToken)
  })
  afterEach(async () => { await bridge?.network.stop() })
  after(async () => { await synapse?.stop() })

  const begin = async (token?: string): Promise<Bridge> => {
    bridge = makeBridge(ground, token === undefined ? {} : { adminToken: token })
    bridge.network.serve([{ id: `@${ADDRESS}:${SERVER}`, aliases: [], profile: { name: 'Bürgerbüro', about: 'offen' } }])
    await bridge.network.start(bridge.inbox)
    await bridge.inbox.until('the address is there', () => bridge!.inbox.connections.get('addresses') === true)
    return bridge
  }
  const filesWith = (text: string): string[] => globSync(join(dir('synapse'), 'media', '**'))
    .filter(path => statSync(path).isFile() && readFileSync(path, 'latin1').includes(text))
  const tablesWith = (text: string): string[] => {
    const [path, copy] = [join(dir('synapse'), 'synapse.db'), join(temporaryFolder(), 'copy.db')]
    for (const end of ['', '-wal', '-shm']) if (existsSync(path + end)) copyFileSync(path + end, copy + end)
    const db = new DatabaseSync(copy)
    const tables = db.prepare("SELECT name FROM sqlite_master WHERE type = 'table'").all().map(({ name }) => String(name))
    const found = tables.filter(table => JSON.stringify(db.prepare(`SELECT * FROM "${table}"`).all().map(row =>
      Object.values(row).map(value => value instanceof Uint8Array ? Buffer.from(value).toString('latin1') : String(value)))).includes(text))
    db.close()
    return found
  }
  const roomWith = async ({ network, files }: Bridge, id: number, more: { encrypted?: true } = {}) => {
    const place = { network: 'matrix', id: network.naming.room('amt', id)! }
    const as = { person: { network: 'other', id: 'eva' }, name: NAME! }
    const state = { kind: 'room' as const, room: { name: TOPIC!, topic: TOPIC!, people: [anna.userId], ...more } }
    const send = async (more: Partial<Delivery>) => await network.send(delivery(place, WORDS!, { as, ...more }), signal())
    await send({ action: state })
    const { room_id: room } = await anna.call('GET', `v3/directory/room/${encodeURIComponent(place.id)}`)
    await anna.join(String(room))
    await send({})
    files.set('f1', bytes)
    const content: Content = { style: 'text', text: plain(''), file: {
      kind: 'image', name: 'a.png', mime: 'image/png', at: { network: 'xmpp', ref: 'f1' }
    } }
    const picture = delivery(place, '', { as, action: { kind: 'message', content } })
    const { ids } = await network.send(picture, signal())
    return { place, room: String(room), takeBack: () => send({ action: { kind: 'deletion', of: picture.key }, target: ids }) }
  }

  it('leaves nothing of a room of a team, nor of what was uploaded for it', async () => {
    const { network, ...rest } = await begin()
    const { place, room, takeBack } = await roomWith({ network, ...rest }, 1)
    assert.ok(filesWith(FILE!).length > 0 && tablesWith(WORDS!).length > 0)
    await takeBack()
    assert.deepEqual(filesWith(FILE!), [])
    const said = network.remains!([place]).join('\n')
    assert.ok(!said.includes(room) && !said.includes('could not be deleted'), said)
    await network.forget!([place])
    assert.deepEqual([tablesWith(WORDS!), tablesWith(TOPIC!)], [[], []])
    await network.forget!([place]) // as after a crash
  })

  it('leaves nothing of what was uploaded for an encrypted room', async () => {
    const media = (): string[] => filesWith('').filter(path => path.includes('local_content'))
    const before = media()
    const { takeBack } = await roomWith(await begin(), 3, { encrypted: true })
    assert.ok(media().length > before.length && filesWith(FILE!).length === 0, 'it is there, and encrypted')
    await takeBack()
    assert.deepEqual(media(), before)
    assert.ok(!bridge!.network.remains!([]).join().includes('could not be deleted'))
  })

  it('leaves nothing of how those look who stood for somebody, in a room that is not ours', async () => {
    const { network, files } = await begin()
    const place = { network: 'matrix', id: await anna.createRoom({ preset: 'public_chat' }) }
    const face = Buffer.concat([PNG, Buffer.from(FACE)])
    files.set('face', face)
    const as = { person: { network: 'other', id: 'ida' }, name: CALLED, avatar: { network: 'xmpp', ref: 'face', hash: 'face' } }
    network.attend([place])
    await bridge!.inbox.until('in the room', () => bridge!.inbox.connections.get('rooms') === true)
    const send = async (name: string) => await network.send(delivery(place, 'da', { as: { ...as, name } }), signal())
    for (const name of [`${CALLED}-ONE`, `${CALLED}-TWO`]) await send(name)
    await until(() => filesWith(FACE).length > 0, 'the picture')
    const tells = async (): Promise<string[]> => (await anna.events(place.id)).map(one => JSON.stringify(one))
      .filter(one => one.includes(CALLED) || one.includes('"avatar_url"'))
    await until(async () => (await tells()).some(one => one.includes('avatar_url')), 'it is shown')
    assert.deepEqual(await network.eraseGhosts!([as.person]), [])
    assert.deepEqual([await tells(), filesWith(FACE), tablesWith(CALLED).includes('profiles')], [[], [], false])
    assert.deepEqual(await network.eraseGhosts!([as.person]), []) // as after a crash
  })

  it('says what it could not reach if the token is not one', async () => {
    const { network, ...rest } = await begin('not-a-token')
    const { place, takeBack } = await roomWith({ network, ...rest }, 2)
    await takeBack()
    assert.ok(filesWith(FILE!).length > 0)
    assert.match(network.remains!([place]).join('\n'), /An upload of ours could not be deleted: the admin API of the homeserver says 401/)
    await assert.rejects(network.forget!([place]), Unavailable)
  })
})
