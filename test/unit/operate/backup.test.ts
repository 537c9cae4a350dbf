import assert from 'node:assert/strict'
import { writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { Writable } from 'node:stream'
import type { Request, Response } from 'express'
import { silentLog } from '../../../src/lib/log'
import { backupRoute } from '../../../src/operate/backup'
import { temporaryFolder } from '../../support/folder'

const BYTES = 200_000

describe('the copy that a running Zentrale gives', () => {
  /** What is logged when the client closes as soon as it has so many bytes. */
  const logged = async (most: number): Promise<string[]> => {
    const said: string[] = []
    const log = { ...silentLog, info: (_: object, text: string) => { said.push(text) }, warn: (_: object, text: string) => { said.push(text) } }
    let had = 0
    const response = new Writable({
      write (chunk: Buffer, _encoding, done) {
        had += chunk.length
        done()
        if (had >= most) this.destroy()
      }
    })
    const path = join(temporaryFolder(), 'zentrale.db')
    const store = { copyTo: (to: string) => { writeFileSync(to, Buffer.alloc(BYTES)); return Promise.resolve() } }
    const answer = Object.assign(response, { writeHead () {}, headersSent: true }) as unknown as Response
    await backupRoute({ store, path, log })({} as unknown as Request, answer)
    return said
  }

  it('is whole when the client closes once it has all, and broken off when it closes before', async () => {
    assert.deepEqual(await logged(BYTES), ['the operator has copied the store'])
    assert.deepEqual(await logged(1), ['a backup broke off'])
  })
})
