/**
 * A backup is made in the middle of a stream of messages, the machine is lost later, and the backup is put back on an empty one. And both commands
 * are killed at each step: what they make is whole, or it is not there.
 */
import assert from 'node:assert/strict'
import { type ChildProcess, spawn } from 'node:child_process'
import { once } from 'node:events'
import { cpSync, existsSync, readdirSync, rmSync } from 'node:fs'
import { dirname, join } from 'node:path'
import { PROGRAM, run, until } from '../../sandbox/servers/process'
import { raiseTown, type Town } from '../../sandbox/town'
import { readBackup } from '../../src/operate/backup-folder'
import { needs, scratch } from '../support/real'
import { numbers, onMatrix, onXmpp } from './counted'

const EACH = 100
const ALL_WITHIN_MS = 180_000
const STEPS_MS = 60_000

describe('faults: a backup', function () {
  this.timeout(900_000)
  needs('synapse', 'prosody')
  const dir = scratch()
  let town: Town
  before(async () => { town = await raiseTown({ dir: dir('town') }) })
  after(async () => { await town?.stop() })

  const zentrale = (...args: string[]): string[] => [PROGRAM, '--config', town.configPath, ...args]
  const command = (...args: string[]): Promise<string> => run(process.execPath, zentrale(...args))
  const data = (): string => join(dirname(town.configPath), 'data')

  /** Runs a command until `isThere`, then kills it, or something else. Resolves with its exit code, or null if it was killed. */
  const cutOff = async (args: string[], isThere: () => boolean, kill?: () => Promise<void>): Promise<number | null> => {
    const child: ChildProcess = spawn(process.execPath, zentrale(...args), { stdio: 'ignore' })
    const ended = once(child, 'close') as Promise<[number | null]>
    let isOver = false
    void ended.then(() => { isOver = true })
    while (!isThere() && !isOver) await new Promise(resolve => setImmediate(resolve))
    await (kill ?? (async () => { child.kill('SIGKILL') }))()
    return (await ended)[0]
  }

  const said = async (from: number, to: number): Promise<void> => {
    for (let n = from; n < to; n++) {
      await Promise.all([
        town.people.anna.send(town.room, `anna-backup/${n}`), town.people.bernd.say(town.muc, `bernd-backup/${n}`, `backup-${n}`)
      ])
    }
  }
  const arrived = (count: number): Promise<void> => until(`${count} both ways`, ALL_WITHIN_MS, async () =>
    new Set(await onMatrix(town, 'bernd-backup')).size === count &&
      new Set(await onXmpp(town, town.people.bernd, 'anna-backup')).size === count)

  it('put back on an empty machine: nothing is said twice, and what was said while nobody was there is carried', async () => {
    const backup = dir('backup')
    const [output] = await Promise.all([command('backup', backup, '--with-config'), said(0, EACH)])
    assert.match(output, /config\.yaml, registration\.yaml/)
    await said(EACH, 2 * EACH)
    await arrived(2 * EACH)
    await town.zentrale.kill()
    const stopped = Math.ceil(Date.now() / 1000) * 1000 // Prosody's archive knows whole seconds
    await until('the next second', STEPS_MS, () => Date.now() > stopped)
    await said(2 * EACH, 3 * EACH)
    for (const one of [data(), town.configPath, join(dirname(town.configPath), 'registration.yaml')]) rmSync(one, { recursive: true })
    const told = await command('restore', backup, '--stopped', new Date(stopped).toISOString())
    assert.match(told, /^Written: .*registration\.yaml, .*config\.yaml\nWhoever was erased after \S+ is in the store again.*\nThe store is back at/)
    await town.zentrale.restart()
    await arrived(3 * EACH)
    await said(3 * EACH, 3 * EACH + 1) // whatever would come twice has come before it
    await arrived(3 * EACH + 1)
    assert.deepEqual(await onMatrix(town, 'bernd-backup'), numbers(3 * EACH + 1))
    assert.deepEqual(await onXmpp(town, town.people.bernd, 'anna-backup'), numbers(3 * EACH + 1))
  })

  it('killed at each step, leaves a whole backup or none, and the next one is made', async () => {
    const backup = dir('cut')
    const part = `${backup}.part`
    for (const step of [part, join(part, 'zentrale.db'), join(part, 'config'), join(part, 'manifest.json'), backup]) {
      await cutOff(['backup', backup, '--with-config'], () => existsSync(step))
      if (!existsSync(backup)) continue
      await readBackup(backup)
      rmSync(backup, { recursive: true })
    }
    await command('backup', backup)
    assert.deepEqual(readdirSync(backup).toSorted(), ['manifest.json', 'zentrale.db'])
    assert.equal(existsSync(part), false)
  })

  it('is not made if Zentrale dies meanwhile, which leaves no copy beside its store', async () => {
    const backup = dir('alone')
    const copy = join(data(), 'zentrale.db.copy')
    const code = await cutOff(['backup', backup], () => existsSync(copy), () => town.zentrale.kill())
    if (code !== 0) assert.equal(existsSync(backup) || existsSync(`${backup}.part`), false)
    await town.zentrale.restart()
    await until('the copy is gone', STEPS_MS, () => !existsSync(copy))
  })

  it('put back and killed at each step, leaves a whole store or none, and can be put back again', async () => {
    const backup = dir('back')
    await command('backup', backup)
    await town.zentrale.stop()
    const path = join(data(), 'zentrale.db')
    cpSync(path, dir('kept.db'))
    for (const step of [`${path}.part`, `${path}.part-wal`, path]) {
      rmSync(path, { force: true })
      await cutOff(['restore', backup], () => existsSync(step))
      if (existsSync(path)) assert.match(await command('queue'), /./)
      assert.match(await command('restore', backup, '--replace'), /The store is back at/)
      assert.equal(existsSync(`${path}.part`), false)
    }
    for (const name of readdirSync(data())) if (name.includes('.before-')) rmSync(join(data(), name))
    cpSync(dir('kept.db'), path)
    await town.zentrale.restart()
    await said(3 * EACH + 1, 3 * EACH + 2)
    await arrived(3 * EACH + 2)
  })
})
