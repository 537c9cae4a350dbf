/** A house that had matrix-bifrost: its rooms, with its ghosts still in them, go on with Zentrale. */
import assert from 'node:assert/strict'
import { cpSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { Client } from 'pg'
import { parse, stringify } from 'yaml'
import { type Postgres, startPostgres } from '../../sandbox/servers/postgres'
import { answersHttp, checkout, freePorts, PROGRAM, run, startOptions, startProcess, until, type Process } from '../../sandbox/servers/process'
import { startProsody, type XmppServer } from '../../sandbox/servers/prosody'
import { startSynapse, type Synapse } from '../../sandbox/servers/synapse'
import { systemChance } from '../../src/lib/chance'
import { registrationText } from '../../src/networks/matrix/registration/registration-text'
import { makeMatrixPerson, type Json, type MatrixPerson } from '../support/matrix-person'
import { temporaryFolder } from '../support/folder'
import { needs, scratch } from '../support/real'
import { READ_WITHIN_MS } from '../support/story'
import { startPerson, type XmppPerson } from '../support/xmpp-person'

const DOMAIN = 'zentrale.test'
const NAMES = ['werkstatt', 'lager', 'empfang'] as const
const OLD_GHOST = `@_bifrost_Bernd=2fwerkstatt=40rooms.${DOMAIN}:${DOMAIN}`
const OLD_BOT = `@bifrost:${DOMAIN}`
const STORE = join(checkout, 'test/support/bifrost')

interface Written { matrix: { not_heard_from: string[] }; mirrors: { name: string, places: Record<string, string>[] }[] }

/** Its registration, as bifrost makes it. */
const formerRegistration = (token: string): string => stringify({
  id: 'bifrost', hs_token: systemChance.token(24), as_token: token, url: null, sender_localpart: 'bifrost', rate_limited: false,
  namespaces: { users: [{ exclusive: true, regex: '@_bifrost_.*' }], aliases: [{ exclusive: true, regex: '#_bifrost_.*' }], rooms: [] }
})

describe('coming from matrix-bifrost', () => {
  needs('synapse', 'prosody', 'postgres')
  const dir = scratch()
  const token = systemChance.token(24)
  const secret = systemChance.token(24)
  const rooms = new Map<string, string>()
  let [synapse, prosody, postgres, zentrale]: [Synapse?, XmppServer?, Postgres?, Process?] = []
  let anna: MatrixPerson
  let admin: MatrixPerson
  let bernd: XmppPerson
  let base: Json

  /** Makes a call as bifrost's user, or as one of its ghosts. */
  const asBifrost = async (who: string, method: string, path: string, body: Json = {}): Promise<Json> => {
    const answer = await fetch(`${synapse!.url}/_matrix/client/v3/${path}?user_id=${encodeURIComponent(who)}`,
      { method, headers: { authorization: `Bearer ${token}` }, body: JSON.stringify(body) })
    assert.ok(answer.ok, await answer.clone().text())
    return await answer.json() as Json
  }
  const registerBifrost = async (username: string): Promise<void> => {
    const answer = await fetch(`${synapse!.url}/_matrix/client/v3/register`,
      { method: 'POST', headers: { authorization: `Bearer ${token}` }, body: JSON.stringify({ type: 'm.login.application_service', username }) })
    assert.ok(answer.ok, await answer.text())
  }
  const muc = (name: string): string => `${name}@${prosody!.muc}`
  const membership = async (name: string, who: string): Promise<unknown> =>
    (await admin.call('GET', `v3/rooms/${encodeURIComponent(rooms.get(name)!)}/state/m.room.member/${encodeURIComponent(who)}`))['membership']
  const writeConfig = (more: Json = {}): void => { writeFileSync(dir('config.yaml'), stringify({ ...base, ...more })) }
  const command = (...args: string[]): Promise<string> => run(process.execPath, [PROGRAM, '--config', dir('config.yaml'), ...args])

  /** What bifrost left: the rooms of its time with Anna and its ghost in them, and its store. */
  const makeHistory = async (): Promise<void> => {
    await registerBifrost('bifrost')
    await registerBifrost(OLD_GHOST.slice(1, -`:${DOMAIN}`.length))
    for (const name of ['werkstatt', 'lager']) {
      rooms.set(name, await anna.createRoom({ name, preset: 'private_chat', invite: [OLD_GHOST, admin.userId] }))
    }
    const portal = await asBifrost(OLD_BOT, 'POST', 'createRoom', { preset: 'public_chat', room_alias_name: '_bifrost_empfang' })
    rooms.set('empfang', String(portal['room_id']))
    for (const room of rooms.values()) await asBifrost(OLD_GHOST, 'POST', `rooms/${encodeURIComponent(room)}/join`)
    for (const person of [anna, admin]) for (const room of rooms.values()) await person.call('POST', `v3/rooms/${encodeURIComponent(room)}/join`)
    const told = (text: string): string => NAMES.reduce((so, name) => so.replaceAll(`!${name}:${DOMAIN}`, rooms.get(name)!), text)
    mkdirSync(dir('store'))
    writeFileSync(dir('store/room-store.db'), told(readFileSync(join(STORE, 'room-store.db'), 'utf8')))
    cpSync(join(STORE, 'user-store.db'), dir('store/user-store.db'))
    const client = new Client({ connectionString: await postgres!.createDatabase('bifrost') })
    await client.connect()
    await client.query(told(readFileSync(join(STORE, 'postgres.sql'), 'utf8')))
    await client.end()
  }

  before(async () => {
    const ports = await freePorts(3)
    writeFileSync(dir('registration.yaml'), registrationText(DOMAIN, `http://127.0.0.1:${ports[0]}`, systemChance, { users: [], aliases: [] }))
    writeFileSync(dir('bifrost.yaml'), formerRegistration(token));
    [synapse, prosody, postgres] = await Promise.all([
      startSynapse({ dir: dir('synapse'), serverName: DOMAIN, registrations: [dir('registration.yaml'), dir('bifrost.yaml')] }),
      startProsody({ dir: dir('prosody'), domain: DOMAIN, users: { bernd: 'pw' }, component: { domain: `chat.${DOMAIN}`, secret } }),
      startPostgres({ dir: temporaryFolder() })
    ])
    const people = [await synapse.createUser('anna', 'pw'), await synapse.createUser('chef', 'pw', true)]
    const [one, other] = people.map(({ userId, accessToken }) => makeMatrixPerson(synapse!.url, userId, accessToken));
    [anna, admin] = [one!, other!]
    bernd = await startPerson(prosody, 'bernd', 'pw')
    base = {
      store: { path: './zentrale.db' },
      matrix: { homeserver_url: synapse.url, domain: DOMAIN, registration: './registration.yaml', listen: { port: ports[0] } },
      xmpp: { component: { host: '127.0.0.1', port: prosody.componentPort, domain: `chat.${DOMAIN}`, secret } },
      media: { listen: { port: ports[1] }, public_url: `http://127.0.0.1:${ports[1]}` },
      operate: { listen: { port: ports[2] }, token: systemChance.token(24) }
    }
    await makeHistory()
    writeConfig()
  })
  after(async () => {
    await bernd?.stop()
    for (const one of [zentrale, synapse, prosody, postgres]) await one?.stop()
  })

  it('both forms of its store give the same lines for the config, and these are a config', async () => {
    const imports = (file: string, ...args: string[]): Promise<string> => command('import', 'bifrost', '--portals', '--write', dir(file), ...args)
    await imports('nedb.yaml', '--store', dir('store'), '--people', dir('people.tsv'))
    await imports('postgres.yaml', '--postgres', `postgres://postgres@127.0.0.1:${postgres!.port}/bifrost`)
    const [nedb, tables] = ['nedb.yaml', 'postgres.yaml'].map(file => parse(readFileSync(dir(file), 'utf8')) as Written)
    const sorted = ({ mirrors, ...rest }: Written): unknown => ({ ...rest, mirrors: mirrors.toSorted((a, b) => a.name < b.name ? -1 : 1) })
    assert.deepEqual(sorted(nedb!), sorted(tables!))
    assert.deepEqual(nedb!.mirrors.map(({ name }) => name), NAMES)
    writeConfig({ matrix: { ...base['matrix'] as Json, ...nedb!.matrix }, mirrors: nedb!.mirrors })
  })

  it('Zentrale starts with them, and in each of the rooms both sides read each other', async () => {
    for (const name of ['werkstatt', 'lager']) {
      await anna.call('POST', `v3/rooms/${encodeURIComponent(rooms.get(name)!)}/invite`, { user_id: `@zentrale:${DOMAIN}` })
    }
    const { port } = (base['operate'] as { listen: { port: number } }).listen
    zentrale = await startProcess({
      command: process.execPath, args: [...startOptions, PROGRAM, '--config', dir('config.yaml'), 'start'], cwd: dir(),
      logFile: dir('zentrale.log'), ready: () => answersHttp(`http://127.0.0.1:${port}/readyz`)
    })
    for (const name of NAMES) {
      await bernd.enter(muc(name), 'Bernd')
      await until('the bot is in', READ_WITHIN_MS, async () => await membership(name, `@zentrale:${DOMAIN}`).catch(() => '') === 'join')
      await anna.send(rooms.get(name)!, `Anna in ${name}`)
      await berndReads(name, `Anna in ${name}`)
      await bernd.say(muc(name), `Bernd in ${name}`, `bernd-${name}`)
      await annaReads(name, `Bernd in ${name}`)
    }
  })

  const berndReads = (name: string, text: string): Promise<unknown> => bernd.until(`Bernd reads ${text}`, one =>
    one.is('message') && one.attrs.from?.startsWith(`${muc(name)}/`) === true && one.getChildText('body') === text, READ_WITHIN_MS)
  const annaReads = (name: string, text: string) => anna.waitFor(rooms.get(name)!, `Anna reads ${text}`, ({ content, sender }) =>
    content['body'] === text && sender !== anna.userId, READ_WITHIN_MS)
  const timesInMuc = (name: string, text: string): number => bernd.bodies(muc(name)).filter(body => body === text).length

  it('what an old ghost still says is not carried back to where it was said: nobody reads themselves as somebody else', async () => {
    const room = encodeURIComponent(rooms.get('werkstatt')!)
    await bernd.say(muc('werkstatt'), 'Hört Ihr mich beide?', 'bernd-beide')
    await annaReads('werkstatt', 'Hört Ihr mich beide?')
    await asBifrost(OLD_GHOST, 'PUT', `rooms/${room}/send/m.room.message/late-1`, { msgtype: 'm.text', body: 'Hört Ihr mich beide?' })
    await anna.send(rooms.get('werkstatt')!, 'Ja, jetzt schon')
    await berndReads('werkstatt', 'Ja, jetzt schon')
    const nicks = bernd.heard.filter(one => one.is('message') && one.getChildText('body') === 'Hört Ihr mich beide?').map(one => one.attrs.from)
    assert.deepEqual(nicks, [`${muc('werkstatt')}/Bernd`])
    assert.equal(timesInMuc('werkstatt', 'Hört Ihr mich beide?'), 1)
  })

  it('asked again it has nothing to do', async () => {
    assert.match(await command('import', 'bifrost', '--portals', '--store', dir('store')), /To be mirrored: 0\. In the config already: 3\./)
  })

  it('the old ghosts leave as the manual says, and nobody else; the portal gets a person with power; all goes on', async () => {
    const manage = async (path: string, body: Json): Promise<void> => {
      const answer = await fetch(`${synapse!.url}/_synapse/admin/v1/${path}`,
        { method: 'POST', headers: { authorization: `Bearer ${admin.accessToken}` }, body: JSON.stringify(body) })
      if (answer.status !== 404) assert.ok(answer.ok, await answer.text())
    }
    await manage(`rooms/${encodeURIComponent(rooms.get('empfang')!)}/make_room_admin`, { user_id: anna.userId })
    const rows = readFileSync(dir('people.tsv'), 'utf8').split('\n').map(line => line.split('\t'))
    const ghosts = rows.flatMap(([what, before]) => what === 'ghost' ? [before!] : [])
    assert.ok(ghosts.includes(OLD_GHOST) && !ghosts.includes(anna.userId))
    for (const ghost of ghosts) await manage(`deactivate/${encodeURIComponent(ghost)}`, {})
    for (const name of NAMES) {
      await until('the old ghost is out', READ_WITHIN_MS, async () => await membership(name, OLD_GHOST) === 'leave')
      assert.equal(await membership(name, anna.userId), 'join')
      await anna.send(rooms.get(name)!, `Am Ende ${name}`)
      await berndReads(name, `Am Ende ${name}`)
      await bernd.say(muc(name), `Auch am Ende ${name}`, `bernd-ende-${name}`)
      await annaReads(name, `Auch am Ende ${name}`)
    }
    await anna.call('PUT', `v3/rooms/${encodeURIComponent(rooms.get('empfang')!)}/state/m.room.topic/`, { topic: 'Annas Empfang' })
  })
})
