/** Zentrale as somebody gets it who has no checkout: installed from a package, set up, tried, started, updated. */
import assert from 'node:assert/strict'
import { chmodSync, copyFileSync, existsSync, mkdirSync, readdirSync, readFileSync, renameSync, writeFileSync } from 'node:fs'
import { basename, join } from 'node:path'
import { parse, stringify } from 'yaml'
import { manifest } from '../../packages/contents'
import { packDeb } from '../../packages/deb'
import { packNpm } from '../../packages/npm'
import { copyOfDebian, DEBIAN_ROOT, inside } from '../../sandbox/servers/debian'
import { answersHttp, checkout, freePorts, type Process, run, startProcess } from '../../sandbox/servers/process'
import { type Phone, type Smsc, startSmsc } from '../../sandbox/smsc'
import { type Homeserver, type HsPerson, startHomeserver, type Registration } from '../support/homeserver'
import { until } from '../support/practice'
import { needs, scratch } from '../support/real'
import type { Tree } from '../support/config'

const NUMBER = '+4930123456'
const DOMAIN = 'example.org'
const NOBODY = 65534

/** `command` runs zentrale's commands, and `start` the program as its service does. `etc`: where init writes, as we see it. */
interface Installed { command: string[]; start: string[]; etc: string }

const zentrale = ({ command: [first, ...args] }: Installed, ...more: string[]): Promise<string> => run(first!, [...args, ...more])

/** Its servers, and what its people do. */
const makeWorld = async () => {
  const [homeserverPort, appPort, media, operate] = await freePorts(4)
  const smsc: Smsc = await startSmsc({ systemId: 'zentrale', password: 'pass' })
  const phone: Phone = smsc.phone('+491701234567')
  let homeserver: Homeserver | undefined
  let anna: HsPerson | undefined
  let process: Process | undefined
  const room = `#_zentrale_info_1:${DOMAIN}`
  return {
    /** Answers init's questions, and lets the homeserver read what it wrote. */
    async setUp (installed: Installed): Promise<string> {
      const said = await zentrale(installed, 'init', '--yes',
        '--matrix-domain', DOMAIN, '--homeserver-url', `http://127.0.0.1:${homeserverPort}`, '--matrix-room', 'none',
        '--xmpp-domain', 'none', '--sms-host', '127.0.0.1', '--sms-port', String(smsc.port),
        '--sms-system-id', 'zentrale',
        '--sms-password', 'pass', '--sms-number', NUMBER, '--address', 'info', '--address-team', `@anna:${DOMAIN}`)
      const [file, registered] = [join(installed.etc, 'config.yaml'), join(installed.etc, 'registration.yaml')]
      const config = parse(readFileSync(file, 'utf8')) as Tree
      Object.assign(config['matrix'], { listen: { port: appPort } })
      Object.assign(config['media'], { listen: { port: media }, public_url: `http://127.0.0.1:${media}` })
      Object.assign(config['operate'], { listen: { port: operate } })
      const sms = { gateway: config['sms'].gateways[0].name, number: NUMBER }
      Object.assign(config['function_addresses'][0], { encrypted_team_rooms: false, sms })
      writeFileSync(file, stringify(config))
      const registration = { ...parse(readFileSync(registered, 'utf8')) as Registration, url: `http://127.0.0.1:${appPort}` }
      writeFileSync(registered, stringify(registration))
      homeserver = await startHomeserver({ serverName: DOMAIN, registration, port: homeserverPort!, firstRetryMs: 50 })
      anna = homeserver.person('anna')
      return said
    },
    async start ({ start: [command, ...args] }: Installed, logFile: string): Promise<void> {
      process = await startProcess({ command: command!, args, cwd: '/', logFile, ready: () => answersHttp(`http://127.0.0.1:${operate}/readyz`) })
    },
    get pid () { return process!.pid },
    async stop (): Promise<number | null | undefined> { await process?.stop(); return process?.exitCode },
    async end (): Promise<void> { await process?.stop(); await homeserver?.stop(); await smsc.stop() },
    async phoneAsks (text: string): Promise<void> {
      await phone.type({ text, to: NUMBER })
      await until(() => { try { anna!.join(room); return true } catch { return false } }, 'Anna is in the room of the case', 60_000)
      await anna!.waitFor(room, ({ content }) => content['body'] === text)
    },
    async annaAnswers (text: string): Promise<void> {
      anna!.send(room, text)
      assert.equal((await phone.next(message => message.text === text)).from, NUMBER)
    },
    phone, room, events: () => anna!.events(room)
  }
}

const WELL = [/^✓ .*homeserver/m, /^✓ .*main/m]

describe('the npm package', () => {
  const dir = scratch()
  let world: Awaited<ReturnType<typeof makeWorld>>
  before(async () => { world = await makeWorld() })
  after(async () => { await world?.end() })

  it('installs without asking a registry, for somebody who may do nothing else, and works there from init to start', async () => {
    const home = dir('home')
    mkdirSync(home)
    chmodSync(dir(), 0o755)
    const tarball = await packNpm(home)
    const held = (await run('tar', ['--list', '--file', tarball])).trimEnd().split('\n').map(path => path.replace(/^package\//, ''))
    const ours = held.filter(path => !path.startsWith('node_modules/'))
    assert.deepEqual(ours.filter(path => !/^(bin|docs|monitoring|dist\/src)\/|^(LICENSE|[\w.-]+\.(md|yaml|json))$/.test(path)), [])
    assert.deepEqual(held.filter(path => /\.(map|[cm]?ts)$|^node_modules\/(mocha|typescript|node)\//.test(path)), [])
    await run('chown', ['-R', String(NOBODY), home])
    const as = ['setpriv', `--reuid=${NOBODY}`, `--regid=${NOBODY}`, '--clear-groups', 'env', '-i', '-C', home, `HOME=${home}`]
    const path = (await run('sh', ['-c', 'dirname "$(command -v npm)"'])).trim()
    const [command, ...args] = [...as, `PATH=${path}:/usr/bin:/bin`, 'npm', 'install', '--offline', '--no-audit', '--no-fund', tarball]
    await run(command!, args)
    assert.deepEqual(await run('ls', [join(home, 'node_modules')]), 'zentrale\n')

    const node = [...as, `PATH=${join(checkout, 'node_modules/.bin')}:/usr/bin:/bin`, 'node_modules/.bin/zentrale']
    const installed: Installed = { command: node, start: [...node, 'start'], etc: home }
    assert.match(await zentrale(installed, '--version'), /^\d+\.\d+\.\d+ \(Node 2\d\./)
    await world.setUp(installed)
    const checked = await zentrale(installed, 'check')
    for (const line of WELL) assert.match(checked, line)
    await world.start(installed, dir('npm.log'))
    await world.phoneAsks('Ist mein Rad fertig?')
    await world.annaAnswers('Ja, seit Mittag.')
    assert.equal(await world.stop(), 0)
  })
})

describe('the Debian package, on a bare Debian, and the image made of it', () => {
  needs('debianRoot', 'buildah')
  const dir = scratch()
  let world: Awaited<ReturnType<typeof makeWorld>>
  let root: string
  before(async () => {
    root = dir('root')
    world = await makeWorld()
    await copyOfDebian(root)
  })
  after(async () => { await world?.end() })

  const inRoot = (...args: string[]): Promise<string> => {
    const [command, before] = inside(root)
    return run(command, [...before, ...args])
  }
  const install = (path: string): Promise<string> => inRoot('dpkg', '--force-unsafe-io', '--install', join('/tmp', basename(path)))
  /** As its unit says. */
  const installedAt = (): Installed => {
    const unit = readFileSync(join(root, 'lib/systemd/system/zentrale.service'), 'utf8')
    const said = (key: string): string => new RegExp(`^${key}=(.*)$`, 'm').exec(unit)![1]!
    const [command, before] = inside(root)
    const asService = ['setpriv', `--reuid=${said('User')}`, `--regid=${said('Group')}`, '--clear-groups', '--bounding-set=-all', '--no-new-privs',
      'env', '-i', `STATE_DIRECTORY=/var/lib/${said('StateDirectory')}`,
      `CONFIGURATION_DIRECTORY=/etc/${said('ConfigurationDirectory')}`, 'PATH=/usr/bin:/bin']
    return {
      command: [command, ...before, 'zentrale'], etc: join(root, 'etc/zentrale'),
      start: [command, ...before, ...asService, ...said('ExecStart').split(' ')]
    }
  }
  const modes = (...paths: string[]): Promise<string> => inRoot('stat', '--format', '%n %U %a', ...paths)

  /** As `systemctl reload` does: its command, with the same rights, on a machine that has nothing else. */
  const reload = (pid: number): Promise<string> => {
    const [, line] = /^ExecReload=(.*)$/m.exec(readFileSync(join(root, 'lib/systemd/system/zentrale.service'), 'utf8'))!
    const words = [...line!.replace('$MAINPID', String(pid)).matchAll(/'([^']*)'|(\S+)/g)].map(([, quoted, word]) => quoted ?? word!)
    return inRoot('setpriv', '--reuid=zentrale', '--regid=zentrale', '--clear-groups', ...words)
  }

  it('brings its Node and its user; init, check and start work as that user; an update keeps config, store and settings', async () => {
    const [before, after] = await packDeb(join(root, 'tmp'), ['0.0.9', manifest.version])
    assert.match(await install(before!), /Next: zentrale init, zentrale check, systemctl start zentrale/)
    assert.match(await inRoot('zentrale', '--version'), /\(Node 24\./)
    assert.match(await world.setUp(installedAt()), /Written: \/etc\/zentrale\/config\.yaml, \/etc\/zentrale\/registration\.yaml/)
    const checked = await zentrale(installedAt(), 'check')
    for (const line of WELL) assert.match(checked, line)
    await world.start(installedAt(), dir('before.log'))
    await reload(world.pid)
    await until(() => readFileSync(dir('before.log'), 'utf8').includes('"msg":"the config is in force"'), 'reloaded', 60_000)
    await world.phoneAsks('Ist mein Rad fertig?')
    assert.equal(await world.stop(), 0)
    const store = '/var/lib/zentrale/zentrale.db'
    assert.match(await inRoot('zentrale', 'backup', '/var/backups/zentrale/before', '--with-config'), /config\.yaml, registration\.yaml/)
    assert.equal(await modes('/etc/zentrale/config.yaml', '/var/lib/zentrale', store),
      `/etc/zentrale/config.yaml zentrale 600\n/var/lib/zentrale zentrale 700\n${store} zentrale 600\n`)

    writeFileSync(join(root, 'etc/default/zentrale'), 'LANG=C.UTF-8\n')
    const config = readFileSync(join(root, 'etc/zentrale/config.yaml'), 'utf8')
    assert.doesNotMatch(await install(after!), /Next: zentrale init/)
    assert.deepEqual([readFileSync(join(root, 'etc/default/zentrale'), 'utf8'), readFileSync(join(root, 'etc/zentrale/config.yaml'), 'utf8')],
      ['LANG=C.UTF-8\n', config])
    await world.start(installedAt(), dir('after.log'))
    await world.annaAnswers('Ja, seit Mittag.')
    assert.equal(await world.stop(), 0)
    assert.equal(world.events().filter(({ content }) => content['body'] === 'Ist mein Rad fertig?').length, 1)
    assert.equal(world.phone.inbox.filter(({ text }) => text === 'Ja, seit Mittag.').length, 1)

    assert.match(await inRoot('dpkg', '--purge', 'zentrale'), /Zentrale's \/var\/lib\/zentrale is still there, with what people said/)
    assert.ok(existsSync(join(root, store)))
    assert.ok(!existsSync(join(root, 'etc/default/zentrale')) && !existsSync(join(root, 'usr/lib/zentrale')))
  })

  it('makes the image by every line of the Containerfile, which runs as the service\'s user', async () => {
    const [made] = readdirSync(join(root, 'tmp')).filter(name => name.endsWith(`_${manifest.version}_amd64.deb`))
    const files = dir('image')
    mkdirSync(files)
    renameSync(join(root, 'tmp', made!), join(files, made!))
    const buildah = async (...args: string[]): Promise<string> => (await run('buildah',
      ['--root', dir('storage'), '--runroot', dir('running'), '--storage-driver', 'vfs', ...args], { env: { BUILDAH_ISOLATION: 'chroot' } })).trim()
    const base = await buildah('from', 'scratch')
    await buildah('add', '--quiet', base, DEBIAN_ROOT, '/')
    await buildah('commit', '--quiet', '--rm', base, 'localhost/base')
    await buildah('build', '--quiet', '--build-arg', 'BASE=localhost/base', '--tag', 'localhost/zentrale', '--file',
      join(checkout, 'packages/Containerfile'), files)
    const { OCIv1: { config } } = JSON.parse(await buildah('inspect', '--type', 'image', 'localhost/zentrale')) as { OCIv1: { config: Tree } }
    assert.deepEqual([config['User'], config['Entrypoint'], config['Cmd']], ['zentrale', ['zentrale'], ['start']])
    const container = await buildah('from', 'localhost/zentrale')
    const inside = (...args: string[]): Promise<string> => buildah('run', container, '--', ...args)
    assert.equal(await inside('id', '--user', '--name'), 'zentrale')
    assert.match(await inside('zentrale', 'init', '--yes', '--xmpp-domain', 'chat.example.org'), /Written: \/etc\/zentrale\/config\.yaml/)
    assert.match(await inside('sh', '-c', 'zentrale check; true'), /^✓ Store \/var\/lib\/zentrale\/zentrale\.db: can be written$/m)
  })
})

describe('the compose file', () => {
  needs('prosody', 'promtool')
  const dir = scratch()
  const folder = join(checkout, 'packages/compose')
  const { services, volumes } = parse(readFileSync(join(folder, 'compose.yaml'), 'utf8')) as Tree

  it('mounts files that are here, or that its page says to make, and volumes that it names', () => {
    const page = readFileSync(join(checkout, 'docs/operating.md'), 'utf8')
    const sources = Object.values(services as Tree).flatMap(({ volumes: mounted }) => (mounted as string[]).map(one => one.split(':')[0]!))
    const strange = sources.filter(one => one.startsWith('.')
      ? !existsSync(join(folder, one)) && !page.includes(one.slice(2)) : !(one in (volumes as Tree)))
    assert.deepEqual(strange, [])
    for (const [name, { network_mode: network }] of Object.entries(services as Tree)) {
      assert.equal(network, name === 'prosody' ? undefined : 'service:prosody', name)
    }
  })

  it('has configs that Prosody and Prometheus take', async () => {
    chmodSync(dir(), 0o755)
    copyFileSync(join(folder, 'prosody.cfg.lua'), dir('prosody.cfg.lua'))
    mkdirSync(dir('certs'))
    assert.match(await run('prosodyctl', ['--config', dir('prosody.cfg.lua'), 'check', 'config']), /All checks passed/)
    writeFileSync(dir('operate.token'), 'token')
    writeFileSync(dir('prometheus.yml'), readFileSync(join(folder, 'prometheus.yml'), 'utf8')
      .replaceAll('/monitoring/', `${join(checkout, 'monitoring')}/`).replace('/etc/prometheus/operate.token', dir('operate.token')))
    assert.match(await run('promtool', ['check', 'config', dir('prometheus.yml')]), /is valid prometheus config file syntax/)
  })

  it('lets Grafana find Prometheus and the dashboard, where the compose file puts both', () => {
    const file = (name: string): Tree => parse(readFileSync(join(folder, 'grafana', name), 'utf8')) as Tree
    const [source] = file('datasource.yaml')['datasources'] as Tree[]
    const [provider] = file('dashboards.yaml')['providers'] as Tree[]
    const { prometheus, grafana } = services as Record<string, { command?: unknown, volumes: string[] }>
    assert.deepEqual([source?.['url'], prometheus?.command], ['http://127.0.0.1:9090', undefined], 'the port by default, in the one network')
    const [, held = ''] = /^[^:]+:(\/[^:]+)/.exec(grafana!.volumes.find(one => one.startsWith('../../monitoring:')) ?? '') ?? []
    const path = String((provider?.['options'] as Tree)['path'])
    assert.ok(path.startsWith(held) && existsSync(join(checkout, 'monitoring', path.slice(held.length), 'zentrale.json')), path)
  })
})

describe('the unit of the Debian package', () => {
  needs('systemd')
  const dir = scratch()

  it('says nothing that systemd does not know', async () => {
    const unit = readFileSync(join(checkout, 'packages/debian/zentrale.service'), 'utf8').replace('/usr/lib/zentrale/bin/zentrale', process.execPath)
    const verified = (text: string): Promise<string> => {
      writeFileSync(dir('zentrale.service'), text)
      return run('sh', ['-c', 'systemd-analyze verify --man=no "$0" 2>&1', dir('zentrale.service')])
    }
    assert.equal(await verified(unit), '')
    assert.match(await verified(unit.replace('LockPersonality=', 'LockPersonalities=')), /Unknown key.* 'LockPersonalities'/)
  })

  it('is as little exposed as the documents say', async () => {
    const file = join(checkout, 'packages/debian/zentrale.service')
    const said = await run('systemd-analyze', ['security', '--offline=true', '--no-pager', file])
    const [, score] = /Overall exposure level for zentrale\.service: ([\d.]+) OK/.exec(said) ?? []
    assert.ok(score !== undefined && readFileSync(join(checkout, 'docs/operating.md'), 'utf8').includes(`exposure level ${score} of 10`), score)
  })
})
