import assert from 'node:assert/strict'
import { type ChildProcess, spawn } from 'node:child_process'
import { chmodSync, existsSync, mkdirSync, readdirSync, readFileSync, rmSync, statSync, symlinkSync, writeFileSync } from 'node:fs'
import { dirname, join } from 'node:path'
import { stringify } from 'yaml'
import { checkout, PROGRAM } from '../../sandbox/servers/process'
import { systemClock } from '../../src/lib/clock'
import { serve } from '../../src/lib/serve'
import { ask } from '../../src/lib/ask'
import { addressConfig, registration, registrationWith, type Tree, wholeConfig, write } from '../support/config'
import { temporaryFolder } from '../support/folder'
import { until } from '../support/practice'

interface Run { child: ChildProcess; out (): string; err (): string; ended: Promise<number | null> }

const run = (...args: string[]): Run => runAs([process.execPath, PROGRAM], args)

const runAs = ([command, ...first]: string[], args: string[]): Run => {
  const child = spawn(command!, [...first, ...args], { stdio: ['ignore', 'pipe', 'pipe'] })
  let out = ''
  let err = ''
  child.stdout.on('data', chunk => { out += String(chunk) })
  child.stderr.on('data', chunk => { err += String(chunk) })
  return { child, out: () => out, err: () => err, ended: new Promise(resolve => child.once('close', resolve)) }
}

type Ended = Promise<{ code: number | null, out: string, err: string }>

const end = (...args: string[]): Ended => endAs([process.execPath, PROGRAM], args)

const endAs = async (command: string[], args: string[]): Ended => {
  const started = runAs(command, args)
  return { code: await started.ended, out: started.out(), err: started.err() }
}

/** A config whose servers are all down, on free ports. */
const stoppedServers = async (): Promise<{ path: string, config: Tree, url: string }> => {
  const held = await Promise.all(Array.from({ length: 7 }, () => serve(() => {}, { host: '127.0.0.1', port: 0 })))
  const [matrix, media, operate, homeserver, component, smpp, hook] = held.map(({ port }) => port)
  await Promise.all(held.map(({ stop }) => stop()))
  const config = wholeConfig()
  config.matrix.listen.port = matrix
  config.matrix.homeserver_url = `http://127.0.0.1:${homeserver}`
  config.xmpp.component.port = component
  config.sms.gateways[0].port = smpp
  config.sms.gateways[1].listen.port = hook
  config.sms.gateways[1].send_url = `http://127.0.0.1:${smpp}/x`
  config.media.listen.port = media
  config.operate.listen.port = operate
  config.log.level = 'info'
  return { path: write(config, { ...registration(), url: `http://127.0.0.1:${matrix}` }), config, url: `http://127.0.0.1:${operate}` }
}

describe('the command line', function () {
  this.timeout(60_000) // each test starts processes

  it('ends with the documented exit codes', async () => {
    const [help, nothing, gone, action] = await Promise.all([
      end('--help'), end('nonsense'), end('check', '-c', '/nowhere/config.yaml'), end('queue', 'eat')
    ])
    assert.equal(help.code, 0)
    assert.match(help.out, /rooms mirrored between Matrix, XMPP and SMS\./)
    for (const word of ['init', 'check', 'start', 'demo', 'registration', 'queue']) assert.ok(help.out.includes(`\n  ${word}`), word)
    assert.deepEqual([nothing.code, action.code], [64, 64])
    assert.equal(gone.code, 78)
    assert.match(gone.err, /\/nowhere\/config\.yaml:1: cannot be read/)
  })

  it('has a launcher that finds its Node, says its version and nothing else, and is found by a link too', async () => {
    const link = join(temporaryFolder(), 'zentrale')
    symlinkSync(join(checkout, 'bin/zentrale'), link)
    for (const command of [join(checkout, 'bin/zentrale'), link]) {
      const { code, out, err } = await endAs([command], ['--version'])
      assert.deepEqual([code, err], [0, ''])
      assert.match(out, /^\d+\.\d+\.\d+ \(Node 2\d\.\d+\.\d+\)\n$/)
    }
    const registration = await endAs([link], ['registration'])
    assert.deepEqual([registration.code, registration.err], [0, ''])
  })

  it('has a demo that prints no warning of a library at its start', async () => {
    const { scripts } = JSON.parse(readFileSync(join(checkout, 'package.json'), 'utf8')) as { scripts: { demo: string } }
    const [, ...options] = scripts.demo.split(' ').slice(0, -1)
    const { code, err } = await endAs([process.execPath, ...options], ['-e', `require('${join(checkout, 'dist/sandbox/town')}')`])
    assert.deepEqual([code, err], [0, ''])
  })

  it('says in one line that a Node is too old for it', async () => {
    const old = join(temporaryFolder(), 'old.js')
    writeFileSync(old, 'Object.defineProperty(process, "versions", { value: { ...process.versions, node: "20.20.2" } })')
    const { code, err } = await endAs([process.execPath, '--require', old, PROGRAM], ['--version'])
    assert.equal(code, 71)
    assert.match(err, /^Zentrale needs Node 22\.18 or newer; this is 20\.20\.2\. Start bin\/zentrale: .*\n$/)
  })

  it('lets nobody else read what it keeps, also what it kept for everybody before; signals that mean nothing do not end it', async () => {
    const { path, url } = await stoppedServers()
    const data = join(dirname(path), 'data')
    mkdirSync(data)
    writeFileSync(join(data, 'zentrale.db'), '')
    chmodSync(join(data, 'zentrale.db'), 0o644)
    const { child, err, ended } = runAs(['sh', '-c', 'umask 022; exec "$@"', 'sh', process.execPath, PROGRAM], ['start', '-c', path])
    try {
      await until(async () => (await ask(systemClock, `${url}/healthz`).catch(() => undefined))?.status === 200, 'healthy')
      const modes = readdirSync(data).map(file => [file, (statSync(join(data, file)).mode & 0o777).toString(8)])
      assert.ok(modes.length > 1 && modes.every(([, mode]) => mode === '600'), JSON.stringify(modes))
      child.kill('SIGUSR2')
      await until(() => err().includes('"signal":"SIGUSR2"'), 'SIGUSR2 was heard')
      child.kill('SIGHUP')
      await until(() => err().includes('"msg":"the config is in force"'), 'SIGHUP was heard')
      assert.equal((await ask(systemClock, `${url}/healthz`)).status, 200)
    } finally {
      child.kill('SIGTERM')
    }
    assert.equal(await ended, 0)
  })

  it('reads its config anew at SIGHUP: says what needs a restart, and a config that is refused changes nothing', async () => {
    const { path, config, url } = await stoppedServers()
    const { child, err, ended } = run('start', '-c', path)
    const said = async (change: () => void, line: string): Promise<Tree> => {
      const before = err().length
      change()
      writeFileSync(path, stringify(config))
      child.kill('SIGHUP')
      await until(() => err().slice(before).includes(line), line)
      return JSON.parse(err().slice(before).split('\n').find(one => one.includes(line))!) as Tree
    }
    try {
      await until(async () => (await ask(systemClock, `${url}/healthz`).catch(() => undefined))?.status === 200, 'healthy')
      const refused = await said(() => { config.limits.queue_max = 'much' }, 'the config is refused, and nothing is changed')
      assert.match(refused['why'], /config\.yaml:\d+: limits\.queue_max: is "much"/)
      const { waiting } = await said(() => { config.limits.queue_max = 6000; config.operate.token = 'another-operate-token' },
        'the config is in force, except for what needs a restart')
      assert.deepEqual(waiting, ['limits', 'operate'])
      assert.equal((await ask(systemClock, `${url}/metrics`, { token: 'another-operate-token' })).status, 401)
      await said(() => { config.limits.queue_max = 5000; config.operate.token = 'operate-token-1' }, 'the config is in force"')
      config.log.level = 'error'
      writeFileSync(path, stringify(config))
      child.kill('SIGHUP')
    } finally {
      child.kill('SIGTERM')
    }
    assert.equal(await ended, 0)
    assert.ok(!err().includes('another-operate-token'))
  })

  it('names the key of a port that is taken', async () => {
    const { path, config } = await stoppedServers()
    const other = await serve(() => {}, { host: '127.0.0.1', port: config.media.listen.port })
    const { code, err } = await end('start', '-c', path)
    await other.stop()
    assert.equal(code, 71)
    assert.match(err, /"error":"media\.listen\.port: 127\.0\.0\.1:\d+: the port is taken by another program\. Find it: ss -ltnp/)
  })

  it('says at a reload, in check and at the start that another key seals the logbook from now on', async () => {
    const { path, config, url } = await stoppedServers()
    const another = /sealed until now with another operate\.logbook_key \(without it, operate\.token\)/
    const started = async (): Promise<Run> => {
      const zentrale = run('start', '-c', path)
      await until(async () => (await ask(systemClock, `${url}/healthz`).catch(() => undefined))?.status === 200, 'healthy')
      return zentrale
    }
    const stopped = async ({ child, ended, err }: Run): Promise<string> => {
      child.kill('SIGTERM')
      assert.equal(await ended, 0)
      return err()
    }
    const first = await started()
    config.operate.token = 'another-operate-token'
    writeFileSync(path, stringify(config))
    first.child.kill('SIGHUP')
    await until(() => first.err().includes('except for what needs a restart'), 'SIGHUP was heard')
    assert.match(await stopped(first), another)
    assert.match((await end('check', '-c', path)).out, /✗ Logbook: was sealed until now with another .*\n +Write the one of before/)
    assert.match(await stopped(await started()), another)
    assert.doesNotMatch(await stopped(await started()), another, 'it is said once')
    config.operate.logbook_key = config.operate.token
    config.operate.token = 'operate-token-1'
    config.limits.queue_max = 6000
    writeFileSync(path, stringify(config))
    const last = await stopped(await started())
    assert.doesNotMatch(last, another)
    assert.match(last, /"changed":\["limits\.queue_max","operate\.token"\],"msg":"the config is another one than it was/)
  })

  it('starts while every server is down, says so, refuses a second one, obeys commands, and stops in peace', async () => {
    const { path, config, url } = await stoppedServers()
    const zentrale = run('start', '-c', path)
    try {
      await until(async () => (await ask(systemClock, `${url}/healthz`).catch(() => undefined))?.status === 200, 'healthy')
      assert.equal((await ask(systemClock, `${url}/readyz`)).status, 503)
      const metrics = await ask(systemClock, `${url}/metrics`, { token: config.operate.token })
      assert.match(String(metrics.body), /zentrale_queue_messages\{network="matrix",state="waiting"\} 0/)

      const [second, queue, check] = await Promise.all([end('start', '-c', path), end('queue', '-c', path), end('check', '-c', path)])
      assert.equal(second.code, 71)
      assert.match(second.err, /in use by another process/)
      assert.deepEqual([queue.code, queue.out], [0, 'Nothing.\n'])
      assert.equal(check.code, 1)
      assert.match(check.out, /✓ Zentrale: is running/)
    } finally {
      zentrale.child.kill('SIGTERM')
    }
    assert.equal(await zentrale.ended, 0, zentrale.err())
    assert.match(zentrale.err(), /"msg":"stopped"/)
    for (const secret of [config.operate.token, config.xmpp.component.secret, registration().as_token,
      '+491701234567']) assert.ok(!zentrale.err().includes(secret))
    const afterwards = await end('queue', '-c', path)
    assert.deepEqual([afterwards.code, afterwards.out], [0, 'Nothing.\n'])
    assert.ok(existsSync(join(dirname(path), 'data/zentrale.db')))
  })

  it('init, registration and sample write what they say', async () => {
    const folder = temporaryFolder()
    const first = await end('init', '--dir', folder, '--yes', '--xmpp-domain', 'bridge.example.org')
    assert.equal(first.code, 0, first.err)
    assert.match(first.out, /Component "bridge\.example\.org"/)
    const [again, registered, sample] = await Promise.all([
      end('init', '--dir', folder, '--yes'), end('registration', '--out', join(folder, 'new.yaml')), end('sample')
    ])
    assert.equal(again.code, 1)
    assert.match(again.err, /exists already/)
    assert.equal(registered.code, 0)
    assert.ok(existsSync(join(folder, 'new.yaml')))
    assert.match(sample.out, /^# Zentrale's config/)
  })

  it('shows function addresses, and makes the registration that they need before there is one', async () => {
    const path = write(addressConfig(), registrationWith('buergerbuero'))
    const fresh = write(addressConfig())
    rmSync(join(dirname(fresh), 'registration.yaml'))
    const [listed, block, nameless, unknown, registered] = await Promise.all([
      end('address', '-c', path), end('address', 'contact', 'Bürgerbüro', '--format', 'vcard', '-c', path),
      end('address', 'show', '-c', path), end('address', 'show', 'info', '-c', path),
      end('registration', '-c', fresh)
    ])
    assert.equal(listed.out, 'bürgerbüro: @buergerbuero:example.org, bürgerbüro@chat.example.org, +4930123456 (Anna, Bernd Berger)\n')
    assert.match(block.out, /^BEGIN:VCARD\r\n/)
    assert.deepEqual([nameless.code, unknown.code, registered.code], [64, 1, 0])
    for (const line of ['"@buergerbuero:example\\\\.org"', '"#bürgerbüro:example\\\\.org"']) assert.ok(registered.out.includes(line), line)
  })
})
