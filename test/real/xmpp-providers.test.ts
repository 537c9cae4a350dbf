/** Accounts at a provider: logging in, what `zentrale check` says of it, and two accounts that write to each other. */
import assert from 'node:assert/strict'
import type { AddressInfo } from 'node:net'
import { connect, createServer, type TLSSocket } from 'node:tls'
import { startProsody } from '../../sandbox/servers/prosody'
import { systemChance } from '../../src/lib/chance'
import { systemClock } from '../../src/lib/clock'
import type { Memory, Network, Profile } from '../../src/model/network'
import type { AccountConfig } from '../../src/networks/xmpp/account/where'
import type { Active } from '../../src/networks/kind'
import { checkAccount } from '../../src/networks/xmpp/check-account'
import { makeJoined } from '../../src/networks/xmpp/joined'
import type { Finding } from '../../src/settings/probe'
import { makeInbox, type TestInbox } from '../support/inbox'
import { until } from '../support/practice'
import { startProxy } from '../support/proxy'
import { needs, scratch } from '../support/real'
import { makeMemory, makeWorld } from '../support/world'
import { delivery, say, textOf } from '../support/xmpp-ground'
import { ejabberdProvider, prosodyProvider, type Provided, type Provider } from '../support/xmpp-tls'

const USERS = { info: 'grüße, =büro=', anna: 'geheim' }

const check = (account: AccountConfig, active: Active = 'nowhere'): Promise<Finding[]> =>
  checkAccount(account, { clock: systemClock, chance: systemChance, active })

interface Begun { network: Network, inbox: TestInbox, memory: Memory, why: string[] }

const suite = (name: 'prosody' | 'ejabberd', start: (options: Provider) => Promise<Provided>): void => {
  describe(`accounts at a provider with ${name}`, () => {
    needs(name)
    const dir = scratch()
    const networks: Network[] = []
    let server: Provided

    const account = (local: keyof typeof USERS = 'info', more: Partial<AccountConfig> = {}): AccountConfig =>
      ({ jid: `${local}@localhost`, password: USERS[local], host: '127.0.0.1', port: server.c2sPort, ca: server.ca, ...more })

    /** Resolves once it is up or says why it is not. */
    const begin = async (config: AccountConfig, logo?: Profile['logo']): Promise<Begun> => {
      const inbox = makeInbox()
      const why: string[] = []
      const { connection } = inbox
      inbox.connection = (...told) => { why.push(told[3] ?? 'up'); connection(...told) }
      const memory = makeMemory()
      const network = makeJoined({ accounts: [config] }, makeWorld({ memory }))
      networks.push(network)
      network.serve([{ id: config.jid, aliases: [], profile: { name: config.jid, about: '', ...logo && { logo } } }])
      await network.start(inbox)
      await inbox.until('an outcome', () => why.length > 1)
      return { network, inbox, memory, why }
    }

    before(async () => { server = await start({ dir: dir('server'), users: USERS }) })
    after(() => server.stop())
    afterEach(async () => { for (const network of networks.splice(0)) await network.stop() })

    it('logs in with TLS that begins later or at once, and carries messages both ways', async () => {
      const one = await begin(account())
      const other = await begin(account('anna', { port: server.componentPort, directTls: true }))
      assert.deepEqual([one.why, other.why].map(why => why.at(-1)), ['up', 'up'])
      const to = (ours: string, theirs: string) => ({ network: 'xmpp', id: `${ours}@localhost ${theirs}@localhost` })
      const go = (from: Network, text: string, place: ReturnType<typeof to>) => from.send(delivery(say(text), place), AbortSignal.timeout(60_000))
      await go(other.network, 'Guten Tag', to('anna', 'info'))
      await one.inbox.until('the question', () => one.inbox.arrivals.length === 1)
      await go(one.network, 'Womit können wir helfen?', to('info', 'anna'))
      await other.inbox.until('the answer', () => other.inbox.arrivals.some(({ kind }) => kind === 'message'))
      assert.deepEqual(one.inbox.arrivals.map(textOf)[0], 'Guten Tag')
      await other.inbox.until('the receipt', () => other.inbox.arrivals.some(({ kind }) => kind === 'receipt'))
    })

    it('says the password and begins no session while a Zentrale is active elsewhere', async () => {
      assert.deepEqual((await check(account(), 'elsewhere')).map(({ found }) => found), ['takes the password from here; no session is begun'])
      assert.match((await check(account('info', { password: 'falsch' }), 'elsewhere'))[0]!.found, /refuses the password/)
    })

    it('tells why it does not log in, and what to do', async () => {
      const said = async (more: Partial<AccountConfig>): Promise<string[]> => {
        const [{ found, advice } = { found: '', advice: '' }] = await check(account('info', more))
        const { why } = await begin(account('info', more))
        assert.equal(why.at(-1), found, 'the link says the same')
        return [found, advice ?? '']
      }
      const [password, how] = await said({ password: 'wrong' })
      assert.match(password!, /refuses the password \(not-authorized\)/)
      assert.match(how!, /Log in as info@localhost with an app/)
      assert.match((await said({ ca: undefined as never }))[0]!, /certificate is not good: self-signed certificate/)
      assert.match((await said({ jid: 'info@elsewhere.example' }))[0]!, /certificate is not good|does not know the domain/)
      const [gone] = await check(account('info', { port: 1 }))
      assert.match(gone!.found, /ECONNREFUSED|nothing listens/)
    })

    it('does not log in where the certificate has run out', async () => {
      const late = await start({ dir: dir('late'), users: USERS, days: -1 })
      const { ca, c2sPort: port } = late
      assert.match((await check(account('info', { ca, port })))[0]!.found, /certificate is not good: certificate has expired/)
      const { why } = await begin(account('info', { ca, port }))
      assert.match(why.at(-1)!, /certificate has expired/)
      await late.stop()
    })

    it('tells what a server does not do, and works all the same', async () => {
      const bare = await start({ dir: dir('bare'), users: USERS, bare: true })
      const config = account('info', { ca: bare.ca, port: bare.c2sPort })
      const found = await check(config)
      assert.deepEqual(found.map(one => [one.found, one.mild ?? false]), [['lets us in', false], ['has no archive (XEP-0313)', true],
        ['is not told what was received (XEP-0198)', true], ['copies no messages (XEP-0280)', true]])
      const other = await begin(account('anna', { ca: bare.ca, port: bare.c2sPort }))
      const place = { network: 'xmpp', id: 'anna@localhost info@localhost' }
      await other.network.send(delivery(say('while it was away'), place), AbortSignal.timeout(60_000))
      const one = await begin(config)
      await one.inbox.until('what the server kept', () => one.inbox.arrivals.length === 1)
      assert.deepEqual((await check(account())).map(({ found }) => found), ['lets us in'], 'a good one has no remarks')
      await bare.stop()
    })

    it('stays where a server takes little at once, without the picture that is too large for it', async () => {
      const small = await start({ dir: dir('small'), users: USERS, bytesMax: 65_536 })
      const config = account('info', { ca: small.ca, port: small.c2sPort })
      const logo = { bytes: Buffer.alloc(80 * 1024, 'x'), mime: 'image/png' }
      const one = await begin(config, logo)
      const other = await begin(account('anna', { ca: small.ca, port: small.c2sPort }))
      const isOver = (): boolean => one.memory.get('account info@localhost published') !== undefined || one.why.filter(why => why === 'up').length > 3
      await until(isOver, 'the picture is left out', 60_000)
      const text = '&'.repeat(one.network.can.textBytesMax)
      const place = { network: 'xmpp', id: 'info@localhost anna@localhost' }
      await one.inbox.until('up', () => one.inbox.connections.get('account info@localhost') === true)
      await one.network.send(delivery(say(text), place), AbortSignal.timeout(60_000))
      await other.inbox.until('the long one', () => other.inbox.arrivals.some(arrival => textOf(arrival) === text))
      await small.stop()
    })

    it('gives way to whoever takes the account over, and says so', async () => {
      const one = await begin(account())
      const other = await begin(account())
      await one.inbox.until('down', () => one.why.at(-1) !== 'up')
      assert.match(one.why.at(-1)!, /conflict/)
      assert.equal(other.why.at(-1), 'up')
    })
  })
}

suite('prosody', prosodyProvider)
suite('ejabberd', ejabberdProvider)

describe('an account at a server without encryption', () => {
  needs('prosody')
  const dir = scratch()

  it('is refused before a password is said', async () => {
    const server = await startProsody({
      dir: dir('server'), domain: 'localhost', users: { info: 'geheim-genug' }, component: { domain: 'chat.localhost', secret: 'geheim' }
    })
    const proxy = await startProxy(server.c2sPort)
    let said = ''
    proxy.watch = octets => { said += String(octets) }
    const [found] = await check({ jid: 'info@localhost', password: 'geheim-genug', host: '127.0.0.1', port: proxy.port })
    assert.match(found!.found, /offers no encryption/)
    assert.match(said, /<mechanism>/, 'it would have taken one')
    assert.doesNotMatch(said, /success|failure/)
    await proxy.stop()
    await server.stop()
  })
})

/** Stands between a client and its server with the server's own certificate, and changes what the server says before the login. */
const inTheMiddle = async (
  { ca, key, componentPort }: Provided, change: (text: string) => string
): Promise<{ port: number, said: () => string, stop: () => void }> => {
  let said = ''
  const open = new Set<TLSSocket>()
  const server = createServer({ key, cert: ca }, client => {
    const behind = connect({ port: componentPort, host: '127.0.0.1', servername: 'localhost', ca })
    for (const [from, to] of [[client, behind], [behind, client]] as const) {
      open.add(from)
      from.on('error', () => {}).on('close', () => to.destroy())
    }
    behind.on('data', (octets: Buffer) => client.write(change(octets.toString())))
    client.on('data', (octets: Buffer) => { said += octets.toString(); behind.write(octets) })
  })
  await new Promise<void>(resolve => server.listen(0, '127.0.0.1', resolve))
  const { port } = server.address() as AddressInfo
  return { port, said: () => said, stop () { server.close(); for (const socket of open) socket.destroy() } }
}

describe('a login that is tied to its connection', () => {
  needs('prosody')
  const dir = scratch()
  const stops: (() => Promise<void> | void)[] = []
  afterEach(async () => { for (const stop of stops.splice(0).reverse()) await stop() })

  const provider = async (name: string, binds: string[]): Promise<Provided> => {
    const server = await prosodyProvider({ dir: dir(name), users: USERS, binds })
    stops.push(() => server.stop())
    return server
  }
  const between = async (server: Provided, change: (text: string) => string = text => text) => {
    const middle = await inTheMiddle(server, change)
    stops.push(middle.stop)
    return middle
  }
  const login = (ca: string, port: number): Promise<Finding[]> =>
    check({ jid: 'info@localhost', password: USERS.info, host: '127.0.0.1', port, directTls: true, ca })

  /** What becomes of a login to the server, of one to somebody in between who has the server's certificate, and how that one began. */
  const logins = async (kind: string): Promise<(string | undefined)[]> => {
    const server = await provider(kind, [kind])
    const middle = await between(server)
    const found = [(await login(server.ca, server.componentPort))[0]?.found, (await login(server.ca, middle.port))[0]?.found]
    const [, auth = ''] = /mechanism='SCRAM-SHA-256-PLUS'>([^<]*)</.exec(middle.said()) ?? []
    return [...found, Buffer.from(auth, 'base64').toString().split(',')[0]]
  }

  it('is taken by the server, and through nobody in between who has its certificate', async () => {
    assert.deepEqual(await logins('tls-exporter'), ['lets us in', 'the server refuses the password (malformed-request)', 'p=tls-exporter'])
  })

  it('can be tied to the certificate alone, where the server has no more', async () => {
    assert.deepEqual(await logins('tls-server-end-point'), ['lets us in', 'lets us in', 'p=tls-server-end-point'])
  })

  it('cannot be talked out of it by somebody who takes away that it is offered', async () => {
    const server = await provider('without', ['tls-exporter'])
    const middle = await between(server, text => text.replace(/<mechanism>[^<]*-PLUS<\/mechanism>/g, ''))
    const [{ found } = { found: '' }] = await login(server.ca, middle.port)
    assert.match(found, /refuses the password \(malformed-request\)/)
    assert.match(Buffer.from(/mechanism='SCRAM-SHA-[^-]*'>([^<]*)</.exec(middle.said())![1]!, 'base64').toString(), /^y,,/)
  })

  it('does not say the password where a proof of it was enough before', async () => {
    const server = await provider('plain', ['tls-exporter'])
    const memory = makeMemory()
    const begin = async (port: number, more: Partial<AccountConfig> = {}): Promise<string | undefined> => {
      const config = { jid: 'info@localhost', password: USERS.info, host: '127.0.0.1', port, directTls: true, ca: server.ca, ...more }
      const why: (string | undefined)[] = []
      const inbox = makeInbox()
      inbox.connection = (...told) => { why.push(told[3] ?? 'up') }
      const network = makeJoined({ accounts: [config] }, makeWorld({ memory }))
      await network.start(inbox)
      await until(() => why.length > 1, 'an outcome', 60_000)
      await network.stop()
      return why[1]
    }
    assert.equal(await begin(server.componentPort), 'up')
    const middle = await between(server, text => text.replace(/<mechanism>SCRAM[^<]*<\/mechanism>/g, ''))
    assert.match(await begin(middle.port) ?? '', /wants the password itself, although a proof of it was enough before/)
    assert.doesNotMatch(middle.said(), /<auth/)
    assert.equal(await begin(middle.port, { plain: true }), 'up', 'the operator says that it is right')
  })
})
