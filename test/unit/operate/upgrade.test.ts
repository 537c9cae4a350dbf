import assert from 'node:assert/strict'
import { join } from 'node:path'
import { DatabaseSync } from 'node:sqlite'
import type { Config } from '../../../src/config/config'
import { systemClock } from '../../../src/lib/clock'
import { runBackup } from '../../../src/operate/backup-command'
import { showFinding } from '../../../src/operate/check'
import { checkUpgrade } from '../../../src/operate/upgrade'
import { ConfigError } from '../../../src/settings/problem'
import { MOVED } from '../../../src/store/moved'
import { openStore } from '../../../src/store/open'
import { SCHEMA } from '../../../src/store/sqlite'
import { loadAddressConfig } from '../../support/config'
import { temporaryFolder } from '../../support/folder'

describe('zentrale upgrade-check', () => {
  let config: Config
  let backup: string
  let path: string
  const said = async (folder?: string, read = () => config, clock = systemClock): Promise<string> =>
    (await checkUpgrade(read, folder, clock)).map(showFinding).join('\n')

  beforeEach(async () => {
    const folder = temporaryFolder()
    path = join(folder, 'data/zentrale.db')
    const loaded = loadAddressConfig()
    config = { ...loaded, store: { path, keepDays: 30 }, operate: { ...loaded.operate, listen: { host: '127.0.0.1', port: 1 } } }
    await (await openStore({ path }, config.operate.token, systemClock, () => {})).close()
    backup = join(folder, 'backup')
    await runBackup(config, { folder: backup, withConfig: false, zentrale: '0.0.9' }, systemClock)
  })

  const schema = (version: number): void => {
    const db = new DatabaseSync(path)
    db.exec(`PRAGMA user_version = ${version}`)
    db.close()
  }

  it('is content where config, store, disk and backup are as they should be', async () => {
    const text = await said(backup)
    assert.ok(!/^[✗!]/m.test(text), text)
    assert.match(text, new RegExp(`^✓ Store .*: its schema is version ${SCHEMA}, as this Zentrale wants it$`, 'm'))
    assert.match(text, /^✓ Backup .*: it was made at .*Z, and is whole$/m)
  })

  it('says what becomes of an older store, refuses a newer one, and reads both while they are in use', async () => {
    schema(SCHEMA - 1)
    assert.match(await said(backup), new RegExp(`^✓ Store .*from version ${SCHEMA - 1} to ${SCHEMA} at the start$`, 'm'))
    schema(SCHEMA)
    const running = await openStore({ path }, config.operate.token, systemClock, () => {})
    try { assert.match(await said(backup), /^✓ Store .*as this Zentrale wants it$/m) } finally { await running.close() }
    config.store = { path: path = join(temporaryFolder(), 'new.db'), keepDays: 30 }
    const first = await openStore({ path }, config.operate.token, systemClock, () => {})
    try { assert.match(await said(backup), /^✓ Store .*as this Zentrale wants it$/m) } finally { await first.close() }
    schema(SCHEMA + 1)
    assert.match(await said(backup), new RegExp(`^✗ Store .*version ${SCHEMA + 1}, made by a newer Zentrale`, 'm'))
    schema(MOVED)
    assert.match(await said(backup), /^✗ Store .*: it was moved to another place by zentrale store copy\. Let the config say so$/m)
  })

  it('wants a backup that is whole and younger than a day', async () => {
    assert.match(await said(), /^✗ Backup: none was named.*\n {4}Make one: zentrale backup FOLDER/m)
    assert.match(await said(backup, undefined, { ...systemClock, now: () => Date.now() + 25 * 3_600_000 }), /^✗ Backup .*: it is 25 hours old/m)
    assert.match(await said(join(backup, 'elsewhere')), /^✗ Backup .* is no backup of Zentrale/m)
  })

  it('shows what a config that is refused should say instead, and asks no more', async () => {
    const refused = (): never => {
      throw new ConfigError([{ file: 'config.yaml', line: 3, path: 'store.folder', wrong: 'unknown key', advice: 'Write path' }])
    }
    assert.equal(await said(backup, refused), '✗ Config: this Zentrale refuses it\n    config.yaml:3: store.folder: unknown key. Write path')
  })
})
