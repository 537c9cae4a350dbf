import assert from 'node:assert/strict'
import { chmodSync, readdirSync, readFileSync, statSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { fillBeside, writeNew } from '../../../src/operate/new-file'
import { temporaryFolder } from '../../support/folder'

const NOBODY = 65534

describe('new files of commands', () => {
  it('are for their owner only, and overwrite nothing', () => {
    const path = join(temporaryFolder(), 'new')
    writeNew(path, 'mine')
    assert.equal(statSync(path).mode & 0o777, 0o600)
    assert.throws(() => writeNew(path, 'other'), /new exists already and is not overwritten/)
    assert.equal(readFileSync(path, 'utf8'), 'mine')
  })

  /** Runs as somebody who may not enter a folder. Root may enter each. */
  const asStranger = async (use: (folder: string) => Promise<unknown>): Promise<void> => {
    const folder = temporaryFolder()
    chmodSync(folder, 0)
    const isRoot = process.getuid!() === 0
    if (isRoot) process.seteuid!(NOBODY)
    try { await use(folder) } finally {
      if (isRoot) process.seteuid!(0)
      chmodSync(folder, 0o700)
    }
  }

  it('say in words why they cannot be made', async () => {
    const refused = /^Refused: \S+new cannot be made by this user \(\w+\)\. Name a folder where it may write$/
    await asStranger(folder => assert.rejects(async () => writeNew(join(folder, 'new'), ''), refused))
    await asStranger(folder => assert.rejects(fillBeside(join(folder, 'new'), () => Promise.resolve()), refused))
    assert.throws(() => writeNew(join(temporaryFolder(), 'no', 'new'), ''), /no\/new cannot be made: its folder is not there\. Make it first$/)
  })

  it('are there whole or not at all', async () => {
    const folder = join(temporaryFolder(), 'above', 'new')
    const failing = (error: object) => fillBeside(folder, async part => {
      writeFileSync(join(part, 'half'), '')
      throw Object.assign(new Error('it breaks'), error)
    })
    await assert.rejects(failing({}), /it breaks/)
    await assert.rejects(failing({ code: 'ENOSPC' }), /there is no room for \S+new$/)
    assert.deepEqual(readdirSync(join(folder, '..')), [])
  })
})
