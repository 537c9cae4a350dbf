import assert from 'node:assert/strict'
import { existsSync, mkdirSync, readdirSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { DatabaseSync } from 'node:sqlite'
import type { Config } from '../../../src/config/config'
import { systemClock } from '../../../src/lib/clock'
import { silentLog } from '../../../src/lib/log'
import { type Served, serve } from '../../../src/lib/serve'
import { runBackup } from '../../../src/operate/backup-command'
import { makeOperateApp } from '../../../src/operate/http'
import { makeMetrics } from '../../../src/operate/metrics'
import { openStore } from '../../../src/store/open'
import type { Store } from '../../../src/store/store'
import { emptyDesk } from '../../support/address'
import { loadAddressConfig } from '../../support/config'
import { temporaryFolder } from '../../support/folder'

const remembered = (path: string): unknown[] => {
  const db = new DatabaseSync(path)
  try { return db.prepare('SELECT value FROM memory').all().map(row => row['value']) } finally { db.close() }
}

for (const isRunning of [false, true]) {
  describe(`zentrale backup, while Zentrale ${isRunning ? 'runs' : 'does not run'}`, () => {
    let folder: string
    let config: Config
    let store: Store | undefined
    let served: Served | undefined

    beforeEach(async () => {
      folder = temporaryFolder()
      const path = join(folder, 'data', 'zentrale.db')
      const loaded = loadAddressConfig()
      const open = await openStore({ path }, 'secret', systemClock, () => {})
      await open.run(tx => tx.remember('me', 'a', 'before'))
      const operate = { ...loaded.operate, logbookKey: 'secret', listen: { host: '127.0.0.1', port: 1 } }
      config = { ...loaded, file: join(folder, 'config.yaml'), store: { path, keepDays: 30 }, operate }
      if (!isRunning) return await open.close()
      store = open
      served = await serve(makeOperateApp({
        token: config.operate.token, metricsPublic: false, networks: [], metrics: makeMetrics([], async () => [], systemClock), store: open,
        storePath: path, queue: {} as never, desk: emptyDesk, clock: systemClock, log: silentLog
      }), { host: '127.0.0.1', port: 0 })
      config.operate.listen.port = served.port
    })
    afterEach(async () => {
      await served?.stop()
      await store?.close()
      store = served = undefined
    })
    const run = (name: string, withConfig = false): Promise<string> =>
      runBackup(config, { folder: join(folder, name), withConfig, zentrale: '1.2.3' }, systemClock)

    it('copies all that is stored into a folder of one\'s own, and leaves nothing beside the store', async () => {
      const output = await run('copy')
      assert.deepEqual(readdirSync(join(folder, 'copy')).toSorted(), ['manifest.json', 'zentrale.db'])
      assert.deepEqual(remembered(join(folder, 'copy', 'zentrale.db')), ['before'])
      assert.match(output, /copy: the store with \d+ bytes, checked\. It holds texts.*\nTo put it back: zentrale restore .*copy$/)
      assert.deepEqual(readdirSync(join(folder, 'data')).filter(name => !/^zentrale\.db(-wal)?$/.test(name)), [])
      for (const one of ['.', 'zentrale.db', 'manifest.json']) assert.equal(statSync(join(folder, 'copy', one)).mode & 0o077, 0, one)
    })

    it('takes the config along on wish, with the files that it names, and says what lies elsewhere', async () => {
      const elsewhere = join(temporaryFolder(), 'logo.png')
      writeFileSync(elsewhere, 'a picture')
      mkdirSync(join(folder, 'texts'))
      writeFileSync(join(folder, 'texts', 'form.pdf'), 'a form')
      writeFileSync(config.file, `a: ./texts/form.pdf\nb: [{c: ${elsewhere}}, no such file, ./data/zentrale.db, "\\0"]\n`)
      const output = await run('copy', true)
      assert.match(output, /checked, and config\.yaml, texts\/form\.pdf\. /)
      assert.match(output, new RegExp(`\nNot in it, because it lies elsewhere: ${elsewhere}\n`))
      assert.equal(readFileSync(join(folder, 'copy', 'config', 'texts', 'form.pdf'), 'utf8'), 'a form')
      assert.deepEqual(readdirSync(join(folder, 'copy', 'config')).toSorted(), ['config.yaml', 'texts'])
    })

    it('overwrites no folder that has something in it, and clears away what an earlier one left when it was cut off', async () => {
      mkdirSync(join(folder, 'mine'))
      mkdirSync(join(folder, 'mine.part'))
      await run('mine')
      await run('of a year/of a day')
      assert.deepEqual(remembered(join(folder, 'of a year', 'of a day', 'zentrale.db')), ['before'])
      await assert.rejects(run('mine'), /mine is not empty, and a backup is not overwritten\. Name a new folder/)
      assert.equal(existsSync(join(folder, 'mine.part')), false)
    })

    it('leaves nothing behind if it cannot be made', async () => {
      await assert.rejects(runBackup(config, { folder: '/sys/copy', withConfig: false, zentrale: '1.2.3' }, systemClock),
        /\/sys\/copy cannot be made by this user \(\w+\)\. Name a folder where it may write/)
      writeFileSync(config.file, 'a: ./secret.txt\n')
      writeFileSync(join(folder, 'secret.txt'), '')
      rmSync(config.file)
      await assert.rejects(run('copy', true), /ENOENT/)
      assert.deepEqual(readdirSync(folder).toSorted(), ['data', 'secret.txt'])
    })
  })
}

describe('zentrale backup', () => {
  it('says what is wrong if there is no store', async () => {
    const folder = temporaryFolder()
    const loaded = loadAddressConfig()
    const operate = { ...loaded.operate, listen: { host: '127.0.0.1', port: 1 } }
    const config = { ...loaded, store: { path: join(folder, 'none.db'), keepDays: 1 }, operate }
    const order = { folder: join(folder, 'copy'), withConfig: false, zentrale: '1' }
    await assert.rejects(runBackup(config, order, systemClock), /There is no store at .*none\.db/)
    assert.deepEqual(readdirSync(folder), [])
  })

  it('says of a store in PostgreSQL that only the line of pg_dump makes the copy', async () => {
    const folder = temporaryFolder()
    const loaded = loadAddressConfig()
    const operate = { ...loaded.operate, listen: { host: '127.0.0.1', port: 1 } }
    const store = { postgres: 'postgres://zentrale@127.0.0.1:1/zentrale', keepDays: 1 }
    const config = { ...loaded, file: join(folder, 'config.yaml'), store, operate }
    writeFileSync(config.file, 'a: b\n')
    const run = (name: string, withConfig: boolean): Promise<string> =>
      runBackup(config, { folder: join(folder, name), withConfig, zentrale: '1' }, systemClock)
    assert.match(await run('bare', false),
      /bare: only when it was made\. No copy of the store is in it: this line puts that there, from Postgre.*:\npg_dump /)
    assert.match(await run('more', true),
      /more: config\.yaml\. No copy of the store is in it: .*:\npg_dump .*\nIt holds texts, names, numbers and keys then: /)
  })
})
