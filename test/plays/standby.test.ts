/**
 * Two Zentralen on one PostgreSQL, behind one front, as on two machines: one is active, the other stands by and takes over when the first has died,
 * stops or is frozen. While messages are under way, nothing is lost, Matrix has each once, and the two are never active at the same time.
 */
import assert from 'node:assert/strict'
import { readFileSync, writeFileSync } from 'node:fs'
import { parse, stringify } from 'yaml'
import { type Postgres, startPostgres } from '../../sandbox/servers/postgres'
import { answersHttp, freePorts, type Process, PROGRAM, startOptions, startProcess, until } from '../../sandbox/servers/process'
import { raiseTown, type Town } from '../../sandbox/town'
import type { Served } from '../../src/lib/serve'
import { during } from '../faults/counted'
import { runCommand } from '../support/command'
import { temporaryFolder } from '../support/folder'
import { startFront } from '../support/front'
import { needs, scratch } from '../support/real'

const COUNT = 100
const TAKEN_WITHIN_MS = 60_000

describe('a Zentrale that stands by', () => {
  needs('synapse', 'prosody', 'postgres')
  const dir = scratch()
  let server: Postgres
  let town: Town
  let front: Served
  let first: { url: string, process: Pick<Process, 'kill' | 'stop' | 'pid'> }
  let second: { url: string, process: Process }
  let auditing = true
  let audit: Promise<void>
  const bothAt: number[] = []

  /** Starts one with this config, as its own service. It need not become the active one. */
  const startAt = async (config: string, url: string): Promise<Process> => await startProcess({
    command: process.execPath, args: [...startOptions, PROGRAM, '--config', dir(`town/${config}`), 'start'], cwd: dir('town'),
    logFile: dir(`town/${config}.log`), ready: () => answersHttp(`${url}/healthz`)
  })
  const isActive = async (url: string): Promise<boolean> =>
    /^zentrale_active 1$/m.test(await fetch(`${url}/metrics`).then(answer => answer.text(), () => ''))
  const readiness = async (url: string): Promise<{ status: number, standby?: string }> => {
    const answer = await fetch(`${url}/readyz`)
    return { status: answer.status, ...await answer.json() as { standby?: string } }
  }

  before(async () => {
    server = await startPostgres({ dir: temporaryFolder() })
    const ports = await freePorts(3)
    const via = async (link: string, port: number): Promise<number> => {
      if (link !== 'zentrale') return port
      front = await startFront([port, ports[0]!])
      return front.port
    }
    town = await raiseTown({ dir: dir('town'), postgres: await server.createDatabase('zentrale'), via })
    const config = parse(readFileSync(town.configPath, 'utf8')) as Record<'matrix' | 'media' | 'operate', { listen: { port: number } }>
    const registered = readFileSync(dir('town/registration.yaml'), 'utf8').replace(`:${config.matrix.listen.port}`, `:${ports[0]}`)
    writeFileSync(dir('town/second-registration.yaml'), registered, { mode: 0o600 })
    Object.assign(config.matrix, { registration: './second-registration.yaml' })
    for (const [index, one] of [config.matrix, config.media, config.operate].entries()) one.listen.port = ports[index]!
    Object.assign(config.media, { public_url: `http://127.0.0.1:${ports[1]}` }) // no proxy leads to whoever is active
    writeFileSync(dir('town/second.yaml'), stringify(config), { mode: 0o600 })
    const url = `http://127.0.0.1:${ports[2]}`
    first = { url: town.operateUrl, process: town.zentrale }
    second = { url, process: await startAt('second.yaml', url) }
    const look = async (): Promise<void> => {
      while (auditing) {
        const [one, other] = await Promise.all([isActive(first.url), isActive(second.url)])
        if (one && other) bothAt.push(Date.now())
      }
    }
    audit = look()
  })
  after(async () => {
    auditing = false
    await audit
    await second?.process.stop()
    await first?.process.kill()
    await town?.stop()
    await front?.stop()
    await server?.stop()
  })

  const neverBoth = async (name: string, what: () => Promise<void>): Promise<void> => {
    await during(town, name, COUNT, what)
    assert.deepEqual(bothAt, [])
  }
  const takesOver = async (url: string, since: number): Promise<void> => {
    await until('it takes over', TAKEN_WITHIN_MS, () => isActive(url))
    console.log(`        active after ${Math.round(performance.now() - since)} ms`)
  }

  it('says so, is connected to nobody, and sends whoever calls away', async () => {
    const { status, standby } = await readiness(second.url)
    assert.deepEqual([status, standby], [503, 'another process is active. Its config is another one: media.public_url'])
    assert.match(await fetch(`${second.url}/metrics`).then(answer => answer.text()), /^zentrale_active 0$/m)
    assert.equal((await readiness(first.url)).standby, undefined)
    const said = await runCommand(dir('town/second.yaml'), 'check')
    assert.match(said.said, /✓ Zentrale: stands by: another process is active\. Its config .*\n✓ Store PostgreSQL/)
    assert.match(said.said, /✗ Config: is not that of the active Zentrale: media\.public_url\n {4}Let both have the same/)
    assert.match(said.said, /! Store .*: a Zentrale at 127\.0\.0\.1 \(role postgres\) works on it since 20.*Z\n {4}This one is active as soon as/)
    assert.match(said.said, /! Networks: nothing logs in there as Zentrale, because the one at 127\.0\.0\.1 is active/)
    assert.match(said.said, /! Media links http:\S+: leads to a Zentrale that stands by\n {4}Let http:\S+ lead to whoever is active/)
    assert.match((await runCommand(dir('town/second.yaml'), 'queue')).said, /this Zentrale stands by: another process is active/)
    const { listen: { port } } = (parse(readFileSync(dir('town/second.yaml'), 'utf8')) as { matrix: { listen: { port: number } } }).matrix
    assert.equal((await fetch(`http://127.0.0.1:${port}/_matrix/app/v1/transactions/1`, { method: 'PUT', body: '{}' })).status, 503)
    assert.equal(readFileSync(dir('town/second.yaml.log'), 'utf8').includes('link'), false)
  })

  it('does not wait for the database of another homeserver\'s Zentrale, and check says whose it is', async () => {
    for (const name of ['second.yaml', 'second-registration.yaml']) {
      const text = readFileSync(dir(`town/${name}`), 'utf8').replaceAll(/zentrale(\\*)\.test/g, 'other$1.test').replaceAll('second-reg', 'third-reg')
      writeFileSync(dir(`town/${name.replace('second', 'third')}`), text.replace(town.token, 'another-token-12'), { mode: 0o600 })
    }
    const why = /it is the store of the Zentrale for zentrale\.test, and this one is for other\.test/
    const { code, said } = await runCommand(dir('town/third.yaml'), 'start')
    assert.equal(code, 71, said)
    assert.match(said, why)
    assert.match((await runCommand(dir('town/third.yaml'), 'check')).said, why)
  })

  it('tells at SIGHUP what is wrong with its config, which it reads once more when it takes over', async () => {
    const [path, log] = [dir('town/second.yaml'), dir('town/second.yaml.log')]
    const saysThen = async (words: string): Promise<void> => {
      process.kill(second.process.pid, 'SIGHUP')
      await until(words, TAKEN_WITHIN_MS, () => readFileSync(log, 'utf8').includes(words))
    }
    const text = readFileSync(path, 'utf8')
    writeFileSync(path, text.replace('mirrors:', 'mirors:'))
    await saysThen('the config is refused, and nothing is changed')
    writeFileSync(path, text.replace(town.token, `${town.token}-changed`)) // commands ask by it
    await saysThen('the config can be used, and is in force once this Zentrale is active')
    const another = 'the logbook was sealed until now with another operate.logbook_key (without it, operate.token)'
    await until('it finds that the token, which seals, differs', TAKEN_WITHIN_MS, () => readFileSync(log, 'utf8').includes(another))
    assert.match((await readiness(second.url)).standby ?? '', /Its config is another one: operate\.logbook_key/)
    assert.match(await fetch(`${second.url}/metrics`).then(answer => answer.text()), /^zentrale_config_differs 1$/m)
    assert.match((await runCommand(path, 'check')).said, /✗ Logbook: was sealed until now with another .*\n +Write the one of the active machine/)
  })

  it('takes over when the active one is killed, with messages under way', () => neverBoth('killed', async () => {
    const since = performance.now()
    await first.process.kill()
    await takesOver(second.url, since)
    assert.deepEqual(await runCommand(dir('town/second.yaml'), 'queue').then(({ code, said }) => code === 0 ? '' : said), '')
    first.process = await startAt('config.yaml', first.url)
    await until('the first stands by', TAKEN_WITHIN_MS, async () => (await readiness(first.url)).standby !== undefined)
  }))

  it('takes over when the active one is stopped', () => neverBoth('stopped', async () => {
    const since = performance.now()
    await second.process.stop()
    assert.equal(second.process.exitCode, 0)
    await takesOver(first.url, since)
    second.process = await startAt('second.yaml', second.url)
    await until('the second stands by', TAKEN_WITHIN_MS, async () => (await readiness(second.url)).standby !== undefined)
  }))

  it('is stopped by a signal like any other', async () => {
    await second.process.stop()
    assert.equal(second.process.exitCode, 0)
    assert.equal(await isActive(first.url), true)
  })
})
