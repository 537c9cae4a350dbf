import assert from 'node:assert/strict'
import { chmodSync, readFileSync, writeFileSync } from 'node:fs'
import { createServer, type Server } from 'node:net'
import type { AddressInfo } from 'node:net'
import { createHash } from 'node:crypto'
import { join } from 'node:path'
import { startSmsc } from '../../../sandbox/smsc'
import type { Config } from '../../../src/config/config'
import { makeRoster } from '../../../src/desk/address'
import { systemChance } from '../../../src/lib/chance'
import { systemClock } from '../../../src/lib/clock'
import { serve } from '../../../src/lib/serve'
import { KINDS } from '../../../src/networks/kinds'
import { checkServers, showFinding, untilWell } from '../../../src/operate/check'
import { mustHaveRoom } from '../../../src/operate/check-store'
import { fromOutside } from '../../../src/operate/probes'
import type { Finding } from '../../../src/settings/probe'
import { openSqlite } from '../../../src/store/sqlite'
import { type Loaded, loadConfig, registration, type Tree, wholeConfig, write } from '../../support/config'
import { temporaryFolder } from '../../support/folder'
import { startHomeserver } from '../../support/homeserver'
import { serveLinkPages, startPages } from '../../support/pages'
import { skippingClock } from '../../support/quick'

/** A port where nothing listens. */
const freePort = async (): Promise<number> => {
  const served = await serve(() => {}, { host: '127.0.0.1', port: 0 })
  await served.stop()
  return served.port
}

/** A config whose servers are all on free ports of this machine. */
const onFreePorts = async (change: (config: Tree, registered: Tree) => void = () => {}): Promise<Loaded> => {
  const config = wholeConfig()
  const registered = registration()
  const [matrix, hook, media, operate, homeserver, component, smpp, kannel] = await Promise.all(Array.from({ length: 8 }, freePort))
  config.matrix.listen.port = matrix
  registered.url = `http://127.0.0.1:${matrix}`
  config.matrix.homeserver_url = `http://127.0.0.1:${homeserver}`
  config.xmpp.component.port = component
  config.sms.gateways[0].port = smpp
  Object.assign(config.sms.gateways[1],
    { send_url: `http://127.0.0.1:${kannel}/cgi-bin/sendsms`, listen: { host: '127.0.0.1', port: hook } })
  config.media.listen.port = media
  config.media.public_url = `http://127.0.0.1:${media}`
  config.operate.listen.port = operate
  change(config, registered)
  return loadConfig(write(config, registered), {})
}

const look = async (config: Config): Promise<(about: string) => Finding[]> => {
  const findings = await checkServers(config, systemClock, systemChance)
  return about => findings.filter(({ what }) => what.startsWith(about))
}

const wrong = (findings: Finding[]): string => findings.filter(({ advice }) => advice !== undefined).map(showFinding).join('\n')

const STREAM = '<?xml version=\'1.0\'?>' +
  '<stream:stream xmlns=\'jabber:component:accept\' xmlns:stream=\'http://etherx.jabber.org/streams\' id=\'abc\' from=\'chat.example.org\'>'

/** A component port that knows one secret, or answers with an error; split into small pieces. */
const componentPort = async (answer: (handshake: string) => string): Promise<Server> => {
  const server = createServer(socket => {
    socket.on('error', () => {})
    socket.once('data', () => {
      for (const piece of STREAM.match(/.{1,50}/gs)!) socket.write(piece)
      socket.on('data', chunk => { socket.write(answer(String(chunk))) })
    })
  })
  await new Promise<void>(resolve => server.listen(0, '127.0.0.1', resolve))
  return server
}

describe('zentrale check', () => {
  it('says of each stopped server which it is, where, and what to do', async () => {
    const config = await onFreePorts()
    const find = await look(config)
    const matrix = wrong(find('Matrix homeserver'))
    assert.match(matrix, /✗ Matrix homeserver http:\/\/127\.0\.0\.1:\d+: nothing listens there\n.*Start it \(systemctl start matrix-synapse\)/)
    const xmpp = wrong(find('XMPP server'))
    assert.match(xmpp, /✗ XMPP server 127\.0\.0\.1:\d+: nothing listens there/)
    for (const part of ['systemctl start prosody', 'Component "chat.example.org"', 'component_secret',
      'ejabberd_service']) assert.ok(xmpp.includes(part), part)
    assert.match(wrong(find('SMS gateway main')), /✗ SMS gateway main 127\.0\.0\.1:\d+: nothing listens there\n.*provider/)
    assert.match(wrong(find('SMS gateway box')), /✗ SMS gateway box http:.*: nothing listens there\n.*systemctl start kannel/)
    for (const name of ['Store', 'Port', 'Media links']) assert.equal(wrong(find(name)), '', name)
    assert.doesNotMatch(matrix + xmpp, /component-secret|aaaaaaaa/)
  })

  it('says what else is wrong here: a port that is taken, a store that cannot be written', async () => {
    const taken = await serve((_request, response) => { response.end('{}') }, { host: '127.0.0.1', port: 0 })
    const find = await look(await onFreePorts(config => {
      config.sms.gateways[1].listen.port = taken.port
      config.store.path = '/dev/null/zentrale.db'
    }))
    await taken.stop()
    assert.match(wrong(find('Port')), new RegExp(`✗ Port 127\\.0\\.0\\.1:${taken.port}: the port is taken by another program\\n.*ss -ltnp`))
    assert.match(wrong(find('Store')), /✗ Store \/dev\/null\/zentrale\.db: cannot be written .*\n.*chown/)
  })

  it('says that the file of the store is damaged', async () => {
    const path = join(temporaryFolder(), 'zentrale.db')
    await openSqlite(path, systemClock, () => {}).close()
    const bytes = readFileSync(path)
    writeFileSync(path, bytes.fill(0, 4096))
    const find = await look(await onFreePorts(config => { config.store.path = path }))
    assert.match(wrong(find('Store')), /✗ Store .*: is damaged \(.*\n +Move .*zentrale\.db\* away, all of them together/)
  })

  it('says that the disk of the store is full, where that can be known', () => {
    const on = (blocks: number, bavail: number) => (): void => mustHaveRoom({ blocks, bavail, bsize: 4096 }, '/var/lib/zentrale')
    assert.throws(on(100_000, 300), /its disk is full: 1 MiB are free/)
    assert.doesNotThrow(on(100_000, 4096))
    assert.doesNotThrow(on(0, 0))
  })

  it('says when media links lead elsewhere', async () => {
    const other = await serve((_request, response) => { response.end('welcome to nginx') }, { host: '127.0.0.1', port: 0 })
    const find = await look(await onFreePorts(config => { config.media.public_url = `http://127.0.0.1:${other.port}` }))
    await other.stop()
    assert.match(wrong(find('Media')), /something else answers there \(HTTP 200\)\n.*Let your web server pass/)
  })

  describe('behind a web server', () => {
    const withPage = (config: Tree, { namespaces }: Tree): void => {
      config.function_addresses = [{ name: 'info', team: ['@anna:example.org'], page: true }]
      namespaces.users.push({ exclusive: true, regex: '@info:example\\.org' })
      namespaces.aliases.push({ exclusive: true, regex: '#info:example\\.org' })
    }
    /** What it passes on goes to the listener of the config; everything else it answers itself. */
    const behind = async (passes: RegExp, use: (find: (about: string) => Finding[]) => void): Promise<void> => {
      const ports: { media: number, operate: number } = { media: 0, operate: 0 }
      const front = await serve((request, response) => {
        const { url = '' } = request
        if (!passes.test(url)) return void response.end('welcome to nginx')
        const target = /^\/(media|to)\//.test(url) ? ports.media : ports.operate
        fetch(`http://127.0.0.1:${target}${url}`).then(answer => answer.text()).then(text => response.end(text), () => response.destroy())
      }, { host: '127.0.0.1', port: 0 })
      try {
        const config = await onFreePorts((config, registered) => {
          config.media.public_url = config.operate.public_url = `http://127.0.0.1:${front.port}`
          withPage(config, registered)
          Object.assign(ports, { media: config.media.listen.port, operate: config.operate.listen.port })
        })
        use(await look(config))
      } finally {
        await front.stop()
      }
    }

    it('says that pages of addresses and of teams are not passed on, though files are', async () => {
      await behind(/^\/media\//, find => {
        assert.equal(wrong(find('Media links')), '')
        assert.match(wrong(find('Pages of addresses')), /\/to\/: something else answers there \(HTTP 200\)\n.*pass \S+\/to\/ to http:\/\/\S+\/to\/\./)
        assert.match(wrong(find('Pages http')), /something else answers there \(HTTP 200\)\n.*header Host.*!page/)
      })
    })

    it('says that all leads to Zentrale, and takes no port from itself', async () => {
      await behind(/^/, find => {
        for (const name of ['Media links', 'Pages of addresses', 'Pages http']) {
          assert.deepEqual(find(name).map(({ found }) => found), ['leads to Zentrale'], name)
        }
        assert.equal(wrong(find('Port')), '')
      })
    })

    it('knows the running Zentrale by what it answers', async () => {
      const [pages, all] = [await serveLinkPages(makeRoster([]), KINDS, systemClock), await startPages()]
      try {
        const config = await onFreePorts((config, registered) => {
          config.media.public_url = pages.url
          config.operate.public_url = all.url
          withPage(config, registered)
        })
        assert.deepEqual((await fromOutside(config, 'here', systemClock)).map(showFinding).filter(line => !line.startsWith('✓')), [])
        const swapped = { ...config, media: { ...config.media, publicUrl: all.url }, operate: { ...config.operate, publicUrl: pages.url } }
        assert.equal((await fromOutside(swapped, 'here', systemClock)).filter(({ advice }) => advice !== undefined).length, 3)
      } finally {
        await pages.stop()
        await all.stop()
      }
    })
  })

  it('says that everybody can read the secrets, and what closes the file', async () => {
    const config = await onFreePorts()
    chmodSync(config.file, 0o644)
    chmodSync(config.networks.matrix!.registrationFile, 0o640)
    const find = await look(config)
    assert.match(wrong(find('File')), /^✗ File \S+config\.yaml: everybody on this machine can read the secrets in it\n +chmod o= \S+config\.yaml$/)
  })

  describe('with a homeserver', () => {
    const withHomeserver = async (change: (config: Tree, registered: Tree) => void,
      use: (find: (about: string) => Finding[]) => void, user = '@nobody'): Promise<void> => {
      const known = { ...registration(), url: '' } as any
      known.namespaces.users.push({ exclusive: true, regex: user })
      const homeserver = await startHomeserver({ serverName: 'example.org', registration: known })
      const find = await onFreePorts((config, registered) => {
        config.matrix.homeserver_url = homeserver.url
        known.url = registered.url
        change(config, registered)
      }).then(look).finally(() => homeserver.stop())
      use(find)
    }

    it('goes the whole way there and back', async () => {
      await withHomeserver(() => {}, find => {
        assert.equal(wrong(find('Matrix homeserver')), '')
        assert.deepEqual(find('Matrix homeserver').map(({ found }) => found.replace(/[\d.:]+\d$/, '')).length, 3)
        assert.match(find('Matrix homeserver').at(-1)!.found, /reaches Zentrale/)
      })
    })

    it('says what to write if it does not tell who is typing', async () => {
      for (const [field, advice] of [['receive_ephemeral', ''], ['de.sorunome.msc2409.push_ephemeral', ''], ['other', 'receive_ephemeral: true']]) {
        await withHomeserver((_config, registered) => { registered[field!] = true }, find => {
          const [found] = find('Matrix signals')
          assert.equal(found?.advice?.split('\n').at(-1) ?? '', advice)
          assert.equal(found?.mild ?? false, advice !== '')
        })
      }
    })

    it('says what to paste when it does not know us', async () => {
      await withHomeserver((_config, registered) => { registered.as_token = 'b'.repeat(43) }, find => {
        assert.match(wrong(find('Matrix')),
          /does not know the registration \(HTTP 401 M_UNKNOWN_TOKEN\)[\s\S]*app_service_config_files:\n.*registration\.yaml/)
      })
    })

    it('says that it must be restarted when it does not know of a new address', async () => {
      const withInfo = async (known: string, expected: RegExp): Promise<void> => await withHomeserver((config, registered) => {
        config.function_addresses = [{ name: 'info', team: ['@anna:example.org'] }]
        registered.namespaces.users.push({ exclusive: true, regex: '@info:example\\.org' })
        registered.namespaces.aliases.push({ exclusive: true, regex: '#info:example\\.org' })
      }, find => assert.match(wrong(find('Matrix addresses')), expected), known)
      await withInfo('@info:example\\.org', /^$/)
      await withInfo('@other:example\\.org',
        /^✗ Matrix addresses: the homeserver does not let Zentrale have @info:example\.org\n +It knows an older registration than \S+: .*restart/)
    })

    it('says when it is another domain', async () => {
      await withHomeserver((config, registered) => {
        config.matrix.domain = 'example.com'
        registered.namespaces.users[0].regex = '@_zentrale_.*:example\\.com'
      }, find => {
        assert.match(wrong(find('Matrix')),
          /calls Zentrale @zentrale:example\.org instead of @zentrale:example\.com\n.*matrix\.domain/)
      })
    })
  })

  describe('with an XMPP server', () => {
    const withServer = async (answer: (handshake: string) => string): Promise<string> => {
      const server = await componentPort(answer)
      const find = await onFreePorts(config => { config.xmpp.component.port = (server.address() as AddressInfo).port }).then(look)
      server.close()
      return find('XMPP').map(showFinding).join('\n')
    }

    it('logs in with the secret', async () => {
      const right = createHash('sha1').update('abccomponent-secret').digest('hex')
      const text = await withServer(handshake =>
        handshake.includes(right) ? '<handshake/>' : '<stream:error><not-authorized/></stream:error>')
      assert.match(text, /^✓ .*takes chat\.example\.org as a component/)
    })

    it('says what is wrong with the login', async () => {
      assert.match(await withServer(() => '<stream:error><not-authorized xmlns=\'urn:x\'/></stream:error>'),
        /✗ .*refuses the secret[\s\S]*component_secret/)
      assert.match(await withServer(() => '<stream:error><conflict/></stream:error>'), /✗ .*another component is connected/)
      assert.match(await withServer(() => '<stream:error><host-unknown/></stream:error>'),
        /✗ .*does not take chat\.example\.org \(host-unknown\)[\s\S]*Component "chat\.example\.org"/)
    })
  })

  it('binds to the SMS gateway, and says when the login is refused', async () => {
    const smsc = await startSmsc({ systemId: 'zentrale', password: 'pass' })
    try {
      const gateway = (password: string) => onFreePorts(config => { Object.assign(config.sms.gateways[0], { port: smsc.port, password }) })
      assert.match((await look(await gateway('pass')))('SMS gateway main').map(showFinding).join(), /^✓ .*accepts the login zentrale/)
      assert.match(wrong((await look(await gateway('other')))('SMS gateway main')), /✗ .*login refused.*\n.*Compare system_id, password/)
    } finally {
      await smsc.stop()
    }
  })

  it('asks Kannel without sending anything', async () => {
    const asked: string[] = []
    for (const [status, expected] of [[400, /^✓/], [403, /✗ .*refuses the login/], [404, /✗ .*no such path/]] as const) {
      const kannel = await serve((request, response) => { asked.push(request.url!); response.writeHead(status).end('no') },
        { host: '127.0.0.1', port: 0 })
      const find = await look(await onFreePorts(({ sms }) => { sms.gateways[1].send_url = `http://127.0.0.1:${kannel.port}/cgi-bin/sendsms` }))
      await kannel.stop()
      assert.match(find('SMS gateway box').map(showFinding).join(), expected)
    }
    assert.ok(asked.every(url => !/[?&](to|text)=/.test(url)))
  })

  it('logs in nowhere as Zentrale, and lets nothing lead here, while it cannot see whether another one is active on the database', async () => {
    const [smsc, other] = [await startSmsc({ systemId: 'zentrale', password: 'pass' }),
      await serve((_request, response) => { response.end('welcome to nginx') }, { host: '127.0.0.1', port: 0 })]
    let logins = 0
    const server = await componentPort(() => { logins++; return '<handshake/>' })
    const find = await onFreePorts(config => {
      config.xmpp.component.port = (server.address() as AddressInfo).port
      Object.assign(config.sms.gateways[0], { port: smsc.port, password: 'pass' })
      config.media.public_url = `http://127.0.0.1:${other.port}`
      config.store = { postgres: 'postgres://zentrale@127.0.0.1:1/zentrale' }
    }).then(look)
    server.close()
    await Promise.all([smsc.stop(), other.stop()])
    assert.equal(logins, 0)
    assert.match(find('SMS gateway main')[0]!.found, /not tried/)
    assert.match(wrong(find('Networks')),
      /^! Networks: nothing logs in there as Zentrale, because it cannot be seen whether another one is active on/)
    assert.match(wrong(find('Media')), /answers there \(HTTP 200\)\n {4}Let http:\S+ lead to whoever is active, by a proxy/)
  })

  it('leaves a running Zentrale in peace and tells how it sees its links', async () => {
    const running = await serve((_request, response) => {
      response.end(JSON.stringify({ ready: false, waiting: [],
        links: [{ network: 'xmpp', name: 'component', up: false, since: '2026-01-01T00:00:00.000Z' }] }))
    }, { host: '127.0.0.1', port: 0 })
    const find = await look(await onFreePorts(config => { config.operate.listen.port = running.port }))
    await running.stop()
    assert.deepEqual(find('Zentrale').map(({ found }) => found), ['is running'])
    assert.deepEqual([...find('XMPP server'), ...find('Port'), ...find('Store')], [])
    assert.match(find('SMS gateway main')[0]!.found, /not tried/)
    assert.match(wrong(find('Link xmpp component')), /is down since 2026-01-01/)
  })
})

describe('zentrale check --wait', () => {
  it('looks until all is well, and shows what has changed', async () => {
    const clock = skippingClock()
    const away: Finding = { what: 'Homeserver', found: 'nothing listens there', advice: 'Start it' }
    const looks: Finding[][] = [[away, { what: 'Store', found: 'is writable' }], [away, { what: 'Store', found: 'is writable' }],
      [{ what: 'Homeserver', found: 'answers' }, { what: 'Store', found: 'is writable' }]]
    const shown: string[] = []
    const over = untilWell(async () => looks.shift()!, text => { shown.push(text) }, clock)
    for (let left = 2; left > 0; left--) {
      while (clock.waiting === 0) await new Promise(resolve => setImmediate(resolve))
      clock.skip(5000)
    }
    await over
    assert.deepEqual(shown, ['✗ Homeserver: nothing listens there\n    Start it\n✓ Store: is writable', '✓ Homeserver: answers', 'All is well.'])
  })
})
