import assert from 'node:assert/strict'
import { existsSync, statSync } from 'node:fs'
import { join } from 'node:path'
import { systemClock } from '../../../src/lib/clock'
import { openStore } from '../../../src/store/open'
import { temporaryFolder } from '../../support/folder'

const open = (path: string) => openStore({ path }, 'a secret', systemClock, () => {})

describe('the file of the store', () => {
  it('is made in a folder of its own, which only its owner can read', async () => {
    const folder = temporaryFolder()
    const path = join(folder, 'data/zentrale.db')
    for (let times = 1; times <= 2; times++) await (await open(path)).close()
    assert.deepEqual([statSync(join(folder, 'data')).mode & 0o777, statSync(path).mode & 0o777], [0o700, 0o600])
  })

  it('is not made where folders are missing: it is said which, at once', async () => {
    const folder = temporaryFolder()
    await assert.rejects(open(join(folder, 'no/such/zentrale.db')), { message: new RegExp(`${join(folder, 'no')} is not there`) })
    assert.equal(existsSync(join(folder, 'no')), false)
    await assert.rejects(open('/proc/nowhere/zentrale.db'), /\/proc\/nowhere/) // making all folders would go on for ever there
  })
})
