import assert from 'node:assert/strict'
import { writeFileSync } from 'node:fs'
import { createServer, type AddressInfo, type Socket } from 'node:net'
import { type Element, xml } from '@xmpp/client'
import { Client } from 'pg'
import { startEjabberd } from '../../sandbox/servers/ejabberd'
import { startPostgres } from '../../sandbox/servers/postgres'
import { startProsody, type XmppServer } from '../../sandbox/servers/prosody'
import { startSynapse, type Synapse } from '../../sandbox/servers/synapse'
import { systemChance } from '../../src/lib/chance'
import { systemClock } from '../../src/lib/clock'
import { serve } from '../../src/lib/serve'
import { checkAdmin } from '../../src/networks/matrix/check-admin'
import { checkEncryption } from '../../src/networks/matrix/check-encryption'
import { checkRooms as checkMatrixRooms } from '../../src/networks/matrix/check-rooms'
import { logsIn } from '../../src/networks/xmpp/check'
import { checkRooms as checkXmppRooms } from '../../src/networks/xmpp/check-rooms'
import { checkServers, showFinding } from '../../src/operate/check'
import { Wrong } from '../../src/settings/probe'
import { loadConfig, registration, wholeConfig, write } from '../support/config'
import { temporaryFolder } from '../support/folder'
import { makeMatrixPerson, type MatrixPerson } from '../support/matrix-person'
import { until } from '../support/practice'
import { needs, scratch } from '../support/real'
import { startPerson } from '../support/xmpp-person'

const SECRET = 'component-secret'

const configuring = (fields: Record<string, string>): Element => xml('query', { xmlns: 'http://jabber.org/protocol/muc#owner' },
  xml('x', { xmlns: 'jabber:x:data', type: 'submit' },
    xml('field', { var: 'FORM_TYPE', type: 'hidden' }, xml('value', {}, 'http://jabber.org/protocol/muc#roomconfig')),
    ...Object.entries(fields).map(([name, value]) => xml('field', { var: name }, xml('value', {}, value)))))

/** The check of the component link, against a real server. */
const suite = (name: 'prosody' | 'ejabberd', start: typeof startProsody): void => {
  describe(`zentrale check against ${name}`, () => {
    needs(name)
    const dir = scratch()
    let server: XmppServer
    before(async () => {
      server = await start({ dir: dir(name), domain: 'example.org', users: {}, component: { domain: 'chat.example.org', secret: SECRET } })
    })
    after(async () => { await server?.stop() })
    const login = (more: { domain?: string, secret?: string } = {}): Promise<string> => logsIn(
      { component: { host: '127.0.0.1', port: server.componentPort, domain: 'chat.example.org', secret: SECRET, ...more } }, systemClock)
    const wrong = (pattern: RegExp) => (error: unknown): boolean => error instanceof Wrong && pattern.test(error.message)

    it('is content with a right login, twice', async () => {
      assert.match(await login(), /takes chat\.example\.org as a component/)
      assert.match(await login(), /takes chat\.example\.org as a component/)
    })
    it('says that the secret is wrong', async () => {
      await assert.rejects(login({ secret: 'something-else' }), wrong(/refuses the secret/))
    })
    it('says that the domain is not known', async () => {
      await assert.rejects(login({ domain: 'other.example.org' }), wrong(/does not take other\.example\.org|refuses the secret/))
    })
    it('tells of each room whether it is there, whom it lets in, and whether it has an archive; and whether we may make rooms', async () => {
      await server.addUser('anna', 'pw')
      const anna = await startPerson(server, 'anna', 'pw')
      const room = (local: string): string => `${local}@${server.muc}`
      for (const local of ['offen', 'mitglieder', 'moderiert']) {
        await anna.enter(room(local), 'Anna')
        await anna.ask('set', room(local), configuring({
          'muc#roomconfig_persistentroom': '1', 'muc#roomconfig_membersonly': local === 'mitglieder' ? '1' : '0',
          'muc#roomconfig_moderatedroom': local === 'moderiert' ? '1' : '0',
          ...name === 'prosody' ? {} : { members_by_default: local === 'moderiert' ? '0' : '1' }
        }))
      }
      const look = async (rooms: string): Promise<string> => (await checkXmppRooms(
        { rooms, component: { host: '127.0.0.1', port: server.componentPort, domain: 'chat.example.org', secret: SECRET } },
        { rooms: ['offen', 'mitglieder', 'moderiert', 'fehlt'].map(room), ofTeams: true }, systemClock, systemChance
      )).map(showFinding).join('\n')
      const said = await look(server.muc)
      assert.match(said, /✓ XMPP room service rooms\.example\.org: is there and lets us make rooms/)
      assert.match(said, /✓ XMPP room offen@\S+: is there and lets us in/)
      assert.match(said, /✗ XMPP room mitglieder@\S+: is for members only, and we are not members\n +Make zentrale@chat\.example\.org an owner/)
      assert.match(said, /✗ XMPP room moderiert@\S+: is moderated, and we have no voice in it/)
      assert.match(said, /✓ XMPP room fehlt@\S+: is not there yet; Zentrale makes it/)
      assert.match(await look('nowhere.example.org'), /✗ XMPP room service nowhere\.example\.org: is not there/)
      const info = await anna.ask('get', server.muc, xml('query', { xmlns: 'http://jabber.org/protocol/disco#items' }))
      assert.deepEqual(String(info).match(/_zentrale-check|fehlt/g), null, 'no room is left behind')
      await anna.stop()
    })
    it('says that it is stopped', async () => {
      const { componentPort } = server
      await server.stop()
      const component = { host: '127.0.0.1', port: componentPort, domain: 'x.example.org', secret: SECRET }
      await assert.rejects(logsIn({ component }, systemClock), wrong(/nothing listens there/))
    })
  })
}

suite('prosody', startProsody)
suite('ejabberd', startEjabberd)

describe('zentrale check against Synapse', () => {
  needs('synapse')
  const dir = scratch()
  let synapse: Synapse
  let anna: MatrixPerson
  let tokenOfAnna: string
  const registered = { as_token: 'a'.repeat(43), hs_token: 'h'.repeat(43), id: 'zentrale', url: 'http://127.0.0.1:1', sender_localpart: 'zentrale',
    rate_limited: false, namespaces: { users: [{ exclusive: true, regex: '@_zentrale_.*:example\\.org' }], aliases: [], rooms: [] } }
  const bot = '@zentrale:example.org'
  before(async () => {
    writeFileSync(dir('registration.yaml'), JSON.stringify(registered))
    synapse = await startSynapse({ dir: dir('synapse'), serverName: 'example.org', registrations: [dir('registration.yaml')] })
    const user = await synapse.createUser('anna', 'pw')
    tokenOfAnna = user.accessToken
    anna = makeMatrixPerson(synapse.url, user.userId, user.accessToken)
  })
  after(async () => { await synapse?.stop() })

  const look = async (...places: string[]): Promise<string[]> => (await checkMatrixRooms(
    { homeserverUrl: synapse.url, domain: 'example.org', registration: registered }, places, systemClock)).map(showFinding)

  it('tells of each room whether it is there, and whether we are in or may come in; before the first start too', async () => {
    const make = (name: string, more: Record<string, unknown> = {}): Promise<string> =>
      anna.createRoom({ room_alias_name: name, preset: 'private_chat', ...more })
    await make('offen', { preset: 'public_chat' })
    await make('eingeladen', { invite: [bot] })
    await make('zu')
    const names = ['offen', 'eingeladen', 'zu', 'fehlt'].map(name => `#${name}:example.org`)
    for (const isFirst of [true, false]) {
      const said = await look(...names)
      assert.match(said[0]!, /^✓ .*: is public; Zentrale enters when it starts$/)
      assert.match(said[1]!, /^✓ .*: has invited @zentrale:example\.org, which enters when Zentrale starts$/)
      assert.match(said[2]!, /^✗ .*: @zentrale:example\.org is not in it\n +Invite @zentrale:example\.org/)
      assert.match(said[3]!, /^✗ .*: there is no such room/)
      if (isFirst) await asBot('POST', 'v3/register', { type: 'm.login.application_service', username: 'zentrale' })
    }
  })

  it('says that an address has no device before the first start, and asks nothing that is refused', async () => {
    const address = '@_zentrale_info:example.org'
    const { found, mild } = await checkEncryption({ homeserverUrl: synapse.url, registration: registered }, [address], systemClock)
    assert.deepEqual([found, mild], [`no device with keys yet: ${address}`, true])
  })

  it('tells of rooms that we are in whether they are encrypted since, and whether we may invite', async () => {
    const make = async (name: string, invite: number): Promise<string> => {
      const room = await anna.createRoom({ room_alias_name: name, preset: 'private_chat', invite: [bot], power_level_content_override: { invite } })
      await asBot('POST', `v3/join/${encodeURIComponent(room)}`, {})
      return room
    }
    await make('gut', 0)
    await make('machtlos', 50)
    const later = await make('später', 0)
    await anna.call('PUT', `v3/rooms/${encodeURIComponent(later)}/state/m.room.encryption/`, { algorithm: 'm.megolm.v1.aes-sha2' })
    const said = await look('#gut:example.org', '#machtlos:example.org', '#später:example.org')
    assert.match(said[0]!, /^✓ .*: is there, not encrypted, and Zentrale is in it$/)
    assert.match(said[1]!, /^✗ .*may not invite \(its power is 0; it needs 50\)\n +Give @zentrale:example\.org the power 50/)
    assert.match(said[2]!, /^✗ .*: is encrypted/)
    const [allowed] = await checkMatrixRooms({ homeserverUrl: synapse.url, domain: 'example.org', registration: registered },
      ['#später:example.org'], systemClock, ['#später:example.org'])
    assert.match(showFinding(allowed!), /^✓ .*: is there, encrypted \(which the mirror allows\), and Zentrale is in it$/)
  })

  it('tells of the admin token whose it is, or why it is none that helps, and what to do', async () => {
    const chief = await synapse.createUser('chief', 'pw', true)
    const at = { homeserverUrl: synapse.url }
    const tell = async (adminToken?: string): Promise<string> =>
      (await checkAdmin({ ...at, ...adminToken !== undefined && { adminToken } }, systemClock)).map(showFinding).join('\n')
    assert.equal(await tell(), '')
    assert.match(await tell(chief.accessToken), /^✓ Matrix admin token: is that of the administrator @chief:example\.org$/)
    assert.match(await tell(tokenOfAnna), /^✗ .*: is that of @anna:example\.org, who is no administrator\n +Log in as an administrator of this/)
    const login = await fetch(`${synapse.url}/_synapse/admin/v1/users/${encodeURIComponent('@anna:example.org')}/login`, {
      method: 'POST', headers: { authorization: `Bearer ${chief.accessToken}` }, body: JSON.stringify({ valid_until_ms: Date.now() + 1_000 })
    })
    const { access_token: brief } = await login.json() as { access_token: string }
    await until(async () => /^✗ .*: has expired \(.*\)\n +Log in/.test(await tell(brief)), 'it has expired')
    await makeMatrixPerson(synapse.url, chief.userId, chief.accessToken).call('POST', 'v3/logout', {})
    for (const gone of [chief.accessToken, 'syt_b3RoZXI_somewhere_0000']) {
      assert.match(await tell(gone), /^✗ .*: is not known here: it was logged out, or is one of another server \(.*\)\n +Log in/)
    }
  })

  const asBot = async (method: string, path: string, body: object): Promise<void> => {
    const answer = await fetch(`${synapse.url}/_matrix/client/${path}`,
      { method, headers: { authorization: `Bearer ${registered.as_token}` }, body: JSON.stringify(body) })
    assert.ok(answer.ok, await answer.text())
  }
})

describe('zentrale check on a database on which a Zentrale is active elsewhere', () => {
  needs('postgres')
  it('connects to nothing where it would log in as Zentrale, and says who is active; also while one stands by here', async () => {
    const server = await startPostgres({ dir: temporaryFolder() })
    const url = await server.createDatabase('zentrale')
    const active = new Client({ connectionString: url })
    const standby = await serve((_request, response) => {
      response.end(JSON.stringify({ ready: false, standby: 'another process is active', waiting: [], links: [] }))
    }, { host: '127.0.0.1', port: 0 })
    let connected = 0
    let said: string[] = [] // to the component's port, and to the gateway
    let holders = -1
    const ports = await Promise.all([
      (socket: Socket) => { connected++; socket.destroy() },
      (socket: Socket) => {
        socket.on('error', () => {}).on('data', chunk => {
          said.push(String(chunk))
          if (!String(chunk).includes('handshake')) socket.write("<stream:stream id='abc'>")
          else void holdersNow().then(count => { holders = count; socket.end('<handshake/>') })
        })
      },
      (socket: Socket) => { socket.on('error', () => {}).on('data', () => { said.push('bind'); socket.destroy() }) }
    ].map(async each => {
      const listening = createServer(each)
      await new Promise<void>(resolve => listening.listen(0, '127.0.0.1', resolve))
      return { listening, port: (listening.address() as AddressInfo).port }
    }))
    const holdersNow = async (): Promise<number> =>
      (await active.query("SELECT 1 FROM pg_locks WHERE locktype = 'advisory' AND granted")).rowCount ?? 0
    try {
      await active.connect()
      await active.query('CREATE ROLE guest LOGIN')
      const [web = 0, component = 0, gateway = 0] = ports.map(({ port }) => port)
      const look = async (postgres: string, operate?: number): Promise<string> => {
        const config = wholeConfig()
        Object.assign(config.xmpp.component, { port: component })
        Object.assign(config.sms.gateways[0], { port: gateway })
        config.media.public_url = config.operate.public_url = `http://127.0.0.1:${web}`
        config.store = { postgres }
        if (operate !== undefined) config.operate.listen.port = operate
        const loaded = loadConfig(write(config, registration()), {})
        return (await checkServers(loaded, systemClock, systemChance)).map(showFinding).join('\n')
      }
      const free = await look(url)
      assert.match(free, /^✓ XMPP server 127\.0\.0\.1:\d+: takes chat\.example\.org as a component$/m)
      assert.doesNotMatch(free, /Networks|works on it/)
      assert.deepEqual([holders, await holdersNow()], [1, 0], 'nobody becomes active while it tries')
      assert.ok(said.includes('bind'))
      said = []
      connected = 0
      await active.query('SELECT pg_advisory_lock($1)', [0x5a454e54])
      const beside = await look(url)
      assert.match(beside, /^! Networks: nothing logs in there as Zentrale, because the one at 127\.0\.0\.1 is active on this database\n/m)
      assert.match(beside, /^! Store .*: a Zentrale at 127\.0\.0\.1 \(role postgres\) works on it since 20.*Z\n/m)
      assert.match(beside, /^ {4}What disturbs nobody is tried from here/m)
      assert.match(beside, /^✓ XMPP server 127\.0\.0\.1:\d+: is reached from here; the login is not tried$/m)
      assert.match(beside, /^✓ SMS gateway main .*: is reached from here; the login is not tried$/m)
      assert.doesNotMatch(beside, /Let your web server/)
      assert.match(beside, /^✓ Port 127\.0\.0\.1:9993: is free$/m)
      assert.match(beside, /^✗ Media links .*\n {4}Let http:\S+ lead to whoever is active/m)
      const guest = await look(url.replace('postgres@', 'guest@'))
      assert.match(guest, /a Zentrale at an address that this role may not see \(role postgres\) works on it\n/)
      assert.match(guest, /^✗ Store .*: this config has another role, which may not end the session of .*\n {4}Let both .* postgres/m)
      const here = await look(url, standby.port)
      assert.match(here, /^✓ Zentrale: stands by: another process is active\n✓ Store PostgreSQL/)
      assert.match(here, /^! Store .*: a Zentrale at 127\.0\.0\.1 \(role postgres\) works on it since 20.*Z\n {4}This one is active as soon as/m)
      assert.match(here, /^! Networks: nothing logs in there as Zentrale, because the one at 127\.0\.0\.1 is active/m)
      assert.doesNotMatch(here, /Let your web server/)
      assert.deepEqual(said.filter(text => text === 'bind' || text.includes('handshake')), [])
      assert.equal(connected, 6, 'by the two public addresses, each time')
      await active.query('CREATE SCHEMA zentrale; CREATE TABLE zentrale.version (version BIGINT)')
      await active.query('CREATE TABLE zentrale.memory (owner TEXT, key TEXT, value TEXT)')
      const part = await look(url)
      assert.match(part, /^✗ Store .*: its schema zentrale cannot be used\n {4}there are tables in it but no version/m)
      assert.doesNotMatch(part, /✓ Store/)
      await active.query('INSERT INTO zentrale.version VALUES (1000)')
      assert.match(await look(url), /^! Store .*: a Zentrale at .* works on it since 20.*Z\n {4}This one cannot take over from that one$/m)
    } finally {
      await active.end()
      for (const { listening } of ports) listening.close()
      await Promise.all([standby.stop(), server.stop()])
    }
  })
})
