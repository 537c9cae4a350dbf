import assert from 'node:assert/strict'
import { join } from 'node:path'
import { DatabaseSync, type StatementSync } from 'node:sqlite'
import { CRASHES_MAX } from '../../../src/bridge/deliver'
import { temporaryFolder } from '../../support/folder'
import { makePractice, until } from '../../support/practice'
import { mirrorOf, type Started, startBridge } from '../../support/started'

describe('what is being sent when the process ends', () => {
  it('is sent again if the disk was full, however often, and no delivery is blamed for it', async () => {
    const mirror = mirrorOf(['red', 'room'], ['wide', 'hall'])
    const path = join(temporaryFolder(), 'zentrale.db')
    let started: Started | undefined
    let isFull = true
    class Full extends DatabaseSync {
      override prepare (sql: string): StatementSync {
        const statement = super.prepare(sql)
        const run = statement.run.bind(statement)
        if (/INSERT INTO remote/.test(sql)) {
          statement.run = (...given: never[]) => {
            if (isFull) throw Object.assign(new Error('database or disk is full'), { code: 'ERR_SQLITE_ERROR', errcode: 13 })
            return run(...given)
          }
        }
        return statement
      }
    }
    for (let run = 0; run <= CRASHES_MAX + 2; run++) {
      await started?.store.close() // as a crash: nothing is put back
      isFull = run < CRASHES_MAX + 2
      const [red2, wide, begun] = [makePractice('red'), makePractice('wide', { window: 16 }), Promise.withResolvers<void>()]
      wide.onSend = () => begun.promise
      const { store, bugs } = started = await startBridge([red2, wide], [mirror], { path, Engine: Full })
      if (run === 0) for (const text of ['one', 'two']) await red2.say('room', 'anna', text, { at: Date.now() })
      begun.resolve()
      if (isFull) await until(() => bugs.length > 0, `it fails, in run ${run}`)
      else await until(async () => wide.delivered.length >= 2 && (await store.run(tx => tx.depth())).length === 0)
    }
    assert.deepEqual(await started?.bridge.queue.list('unknown'), [])
    await started?.stop()
  })
})
