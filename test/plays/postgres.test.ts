/**
 * The store is a database of PostgreSQL: what people say is carried as with a file, over crashes of Zentrale and of the database, and the operator
 * can do what they can do with a file, by the commands that are named.
 */
import assert from 'node:assert/strict'
import { existsSync, readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { Client } from 'pg'
import { playScene } from '../../sandbox/scene'
import { type Postgres, startPostgres } from '../../sandbox/servers/postgres'
import { run, until } from '../../sandbox/servers/process'
import { DOMAIN, raiseTown, type Town } from '../../sandbox/town'
import { during, judge } from '../faults/counted'
import { runCommand } from '../support/command'
import { temporaryFolder } from '../support/folder'
import { needs, scratch } from '../support/real'

const COUNT = 100
const WITHIN_MS = 60_000
const PASSWORD = 'geheimes-kennwort'
const TOOLS = '/usr/lib/postgresql/15/bin'

describe('a store in PostgreSQL', () => {
  needs('synapse', 'prosody', 'postgres')
  const dir = scratch()
  let server: Postgres
  let town: Town
  let url: string
  const outputs: string[] = []

  /** With the config of the town, or another one in its folder. */
  const commandAt = async (config: string, ...args: string[]): Promise<{ said: string, code: number | null }> => {
    const done = await runCommand(dir(`town/${config}`), ...args)
    outputs.push(done.said)
    return done
  }
  const command = (...args: string[]) => commandAt('config.yaml', ...args)
  const asks = async (database: string, ...queries: string[]): Promise<void> => {
    const client = new Client({ connectionString: url.replace(/[^/]*$/, database) })
    await client.connect()
    for (const query of queries) await client.query(query)
    await client.end()
  }
  /** Runs the line of `output` that begins so. PostgreSQL's tools are not in the path of every shell. */
  const follow = async (output: string, tool: string): Promise<void> => {
    const line = output.split('\n').find(one => one.startsWith(`${tool} `)) ?? ''
    await run('sh', ['-c', `${TOOLS}/${line}`], { env: { PGPASSWORD: PASSWORD } })
  }

  before(async () => {
    server = await startPostgres({ dir: temporaryFolder() })
    url = (await server.createDatabase('zentrale')).replace('postgres@', `postgres:${PASSWORD}@`)
    town = await raiseTown({ dir: dir('town'), postgres: url })
  })
  after(async () => {
    await town?.stop()
    await server?.stop()
  })

  it('carries the scene to both other networks, each message once, in order and whole', async () => {
    assert.deepEqual((await playScene(town, 'synapse', () => {})).problems, [])
  })

  it('loses and doubles nothing when Zentrale is killed in the middle', async () => {
    await during(town, 'kill', COUNT, () => town.zentrale.kill().then(() => town.zentrale.restart()))
  })

  it('loses and doubles nothing when the database is killed: Zentrale stops, and goes on after the next start', async () => {
    const { anna, bernd } = town.people
    for (let n = 0; n < COUNT; n++) {
      await Promise.all([anna.send(town.room, `anna-database/${n}`), bernd.say(town.muc, `bernd-database/${n}`, `database-${n}`)])
      if (n === COUNT / 2) await server.kill()
    }
    await until('Zentrale stops', WITHIN_MS, () => !town.zentrale.running)
    assert.equal(town.zentrale.exitCode, 70)
    await server.restart()
    await town.zentrale.restart()
    await judge(town, 'database', bernd, COUNT)
  })

  it('is looked at by check, while Zentrale runs and while it does not', async () => {
    const running = await command('check')
    assert.match(running.said, /✓ Zentrale: is running\n✓ Store PostgreSQL at 127\.0\.0\.1:\d+\/zentrale: PostgreSQL 15.*, UTF8; its schema is ver/)
    assert.match(running.said, /! Store .*: fsync or full_page_writes is off\n {4}If its machine dies/) // it is, in tests
    assert.equal(running.code, 0, running.said)
    assert.match((await command('upgrade-check')).said, /✓ Store PostgreSQL at .*, as this Zentrale wants it\n✓ Disk: is that of the database/)
    await town.zentrale.stop()
    assert.match((await command('check')).said, /✓ Store PostgreSQL at .*as this Zentrale wants it/)
  })

  it('is said to be in the way by check and by commands, if it is not there or lets nobody write', async () => {
    const at = async (other: string, ...args: string[]): Promise<string> => {
      writeFileSync(dir('town/other.yaml'), readFileSync(town.configPath, 'utf8').replace(url, other), { mode: 0o600 })
      return (await commandAt('other.yaml', ...args)).said
    }
    await town.zentrale.stop()
    const nowhere = url.replace(/:\d+\/.*/, ':1/zentrale')
    assert.match(await at(nowhere, 'check'), /✗ Store PostgreSQL at .*: cannot be reached: nothing listens there\n {4}Check whether it runs/)
    assert.match(await at(nowhere, 'queue'), /ECONNREFUSED/)
    assert.match(await at(`${url}-gone`, 'check'), /✗ Store .*zentrale-gone: cannot be reached: database "zentrale-gone" does not exist/)
    await asks('postgres', 'CREATE DATABASE latin ENCODING LATIN1 TEMPLATE template0', 'CREATE ROLE guest LOGIN')
    const latin = await at(url.replace(/postgres:[^/]*@/, 'guest@').replace(/[^/]*$/, 'latin'), 'check')
    assert.match(latin, /✗ Store .*: its encoding is LATIN1\n {4}Make another one/)
    assert.match(latin, /✗ Store .*: this user may not create in it\n {4}Let it/)
    assert.match(await at(url.replace(/[^/]*$/, 'latin'), 'queue'), /There is no store at PostgreSQL at/)
  })

  it('tells a command at once that another Zentrale works on it', async () => {
    await town.zentrale.stop()
    const other = new Client({ connectionString: url })
    await other.connect()
    await other.query('SELECT pg_advisory_lock($1)', [0x5a454e54])
    assert.match((await command('queue')).said, /PostgreSQL at .* is in use by the Zentrale at 127\.0\.0\.1, which does not answer here\. Give/)
    assert.match((await command('check')).said,
      /! Store .*: a Zentrale at 127\.0\.0\.1 \(role postgres\) works on it since 20.*Z\n {4}If this one .* stands by/)
    await other.end()
  })

  it('says all that it holds about a person, while Zentrale runs and while it does not', async () => {
    const exported = async (folder: string): Promise<string> => {
      const { said, code } = await command('export', `@anna:${DOMAIN}`, dir(folder))
      assert.equal(code, 0, said)
      return readFileSync(join(dir(folder), 'data.json'), 'utf8')
    }
    assert.match(await exported('export-1'), /anna-kill\/99/)
    await town.zentrale.restart()
    assert.match(await exported('export-2'), /anna-database\/99/)
  })

  it('is backed up and put back by the lines that are named, and sends nothing twice', async () => {
    const folder = dir('backup')
    const backup = await command('backup', folder, '--with-config')
    assert.equal(backup.code, 0, backup.said)
    await follow(backup.said, 'pg_dump')
    assert.match((await command('upgrade-check', folder)).said, /✓ Backup .*: it was made at .*, and .*zentrale\.dump is there/)
    await town.zentrale.stop()
    const { bernd, anna } = town.people
    await asks('postgres', 'DROP DATABASE zentrale', 'CREATE DATABASE zentrale')
    const first = await command('restore', folder, '--yes')
    assert.match(first.said, /There is no store in PostgreSQL at .* yet\. Put the copy into it first/)
    await follow(first.said, 'pg_restore')
    assert.match((await command('restore', folder, '--yes')).said, /The store is back at PostgreSQL at 127\.0\.0\.1:\d+\/zentrale\.\n/)
    await town.zentrale.restart()
    await bernd.say(town.muc, 'bernd-back/0', 'back-0')
    await anna.waitFor(town.room, 'Bernd again', ({ content }) => content['body'] === 'bernd-back/0', WITHIN_MS)
    await judge(town, 'kill', bernd, COUNT)
    assert.equal(existsSync(dir('backup/config/config.yaml')), true)
  })

  it('has its password in no log, no metrics and no output', async () => {
    const shown = [...outputs, readFileSync(dir('town/zentrale.log'), 'utf8'), await town.metrics()].join('\n')
    assert.equal(shown.includes(PASSWORD), false)
    assert.ok(shown.includes('started'))
  })
})
