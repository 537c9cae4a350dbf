import assert from 'node:assert/strict'
import { existsSync } from 'node:fs'
import { join } from 'node:path'
import type { Config } from '../../../src/config/config'
import { markOf } from '../../../src/config/mark'
import { systemChance } from '../../../src/lib/chance'
import { systemClock } from '../../../src/lib/clock'
import { checkServers, showFinding } from '../../../src/operate/check'
import { runStoreCopy } from '../../../src/operate/store-command'
import { mark } from '../../../src/store/mark'
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
    const said = (await checkServers(configAt(from), systemClock, systemChance)).filter(({ what }) => what.startsWith('Store')).map(showFinding)
    assert.deepEqual(said.map(one => one.split('. ')[0]), [`✗ Store ${from}: it was moved to ${to} by zentrale store copy`])
    assert.match(said[0]!, /Let the config say so\n {4}Give the config whose store leads there/)
    await assert.rejects(runStoreCopy(configAt(to), configAt(from), systemClock),
      new RegExp(`holds what was left when .* to ${to}\\. If the store in ${to} is the one to keep, remove the files ${from}\\*\\. Then give`))
  })

  it('refuses if there is nothing to move, or if the seals of the logbook would not fit any more', async () => {
    const [from, to] = [join(temporaryFolder(), 'old'), join(temporaryFolder(), 'new')]
    await assert.rejects(runStoreCopy(configAt(from), configAt(to), systemClock), /There is no store at/)
    await assert.rejects(runStoreCopy(configAt(from), configAt(from), systemClock), /Both configs have the same store/)
    assert.equal(existsSync(from), false)
    await open(from).close()
    const another = /The logbook in .*old is sealed with another operate\.logbook_key .* than .*new\.yaml has\. Write that one there/
    await assert.rejects(runStoreCopy(configAt(from), configAt(to, 'other'), systemClock), another)
    const store = open(from)
    await store.run(tx => mark(tx, markOf(configAt(from, 'of before'))))
    await store.close()
    await assert.rejects(runStoreCopy(configAt(from), configAt(to), systemClock), another, 'the last active one had another config than both')
    assert.equal(existsSync(to), false)
    await runStoreCopy(configAt(from), configAt(to, 'of before'), systemClock)
  })
})
