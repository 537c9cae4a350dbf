import assert from 'node:assert/strict'
import { existsSync } from 'node:fs'
import { join } from 'node:path'
import type { Config } from '../../../src/config/config'
import { systemClock } from '../../../src/lib/clock'
import { runStoreCopy } from '../../../src/operate/store-command'
import { openSqlite } from '../../../src/store/sqlite'
import { loadAddressConfig } from '../../support/config'
import { temporaryFolder } from '../../support/folder'

describe('zentrale store copy', () => {
  const configAt = (path: string, logbookKey = 'secret'): Config => {
    const loaded = loadAddressConfig()
    const operate = { ...loaded.operate, logbookKey, listen: { host: '127.0.0.1', port: 1 } }
    return { ...loaded, file: `${path}.yaml`, store: { path, keepDays: 30 }, operate }
  }
  const open = (path: string) => openSqlite(path, systemClock, () => {})

  it('moves the store to where the other config has it, and lets nobody start on the old one', async () => {
    const [from, to] = ['old', 'data/new'].map(name => join(temporaryFolder(), name)) as [string, string]
    const store = open(from)
    await store.run(tx => tx.remember('me', 'a', 'before'))
    await store.close()
    const output = await runStoreCopy(configAt(from), configAt(to), systemClock)
    assert.match(output, /The store is in .*new now: 1 rows, the same as before\. Start Zentrale with .*new\.yaml/)
    assert.throws(() => open(from), new RegExp(`it was moved to ${to} by zentrale store copy`))
    const moved = open(to)
    assert.deepEqual(await moved.run(tx => tx.remembered('me')), [['a', 'before']])
    await moved.close()
    await assert.rejects(runStoreCopy(configAt(from), configAt(join(temporaryFolder(), 'third')), systemClock), /it was moved to/)
  })

  it('refuses if there is nothing to move, or if the seals of the logbook would not fit any more', async () => {
    const [from, to] = [join(temporaryFolder(), 'old'), join(temporaryFolder(), 'new')]
    await assert.rejects(runStoreCopy(configAt(from), configAt(to), systemClock), /There is no store at/)
    assert.equal(existsSync(from), false)
    await open(from).close()
    await assert.rejects(runStoreCopy(configAt(from), configAt(to, 'other'), systemClock), /The logbook is sealed with .*, and the two configs/)
    await open(from).close()
  })
})
