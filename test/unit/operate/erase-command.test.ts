import assert from 'node:assert/strict'
import express from 'express'
import { systemClock } from '../../../src/lib/clock'
import { serve, type Served } from '../../../src/lib/serve'
import { runErase } from '../../../src/operate/erase-command'
import { loadAddressConfig } from '../../support/config'

const RECEIPT = { id: 'r1', at: 0, conversations: 0, messages: 0, quarantine: 0, facts: 0, takenBack: 0, unreached: ['something'] }

describe('zentrale erase', () => {
  let served: Served
  let asked: unknown[]
  let isUp: boolean
  let standby: string | undefined
  const run = async (more: { anyway?: boolean, persons?: string[] } = {}): Promise<string> => {
    const config = loadAddressConfig()
    return await runErase({ ...config, operate: { ...config.operate, listen: { host: '127.0.0.1', port: served.port } } },
      { persons: ['@Eva:Example.org'], yes: true, ...more }, systemClock)
  }

  beforeEach(async () => {
    [asked, isUp, standby] = [[], true, undefined]
    const app = express().use(express.json())
    app.get('/readyz', (_request, response) => {
      response.status(isUp ? 200 : 503).json({ ready: isUp, standby, waiting: [], links: [
        { network: 'xmpp', name: 'component', up: isUp, since: '', ...!isUp && { why: 'ECONNREFUSED' } },
        { network: 'matrix', name: 'homeserver', up: true, since: '' }
      ] })
    })
    app.post('/admin/erasures', (request, response) => {
      asked.push(request.body)
      response.status(202).json({ id: 'r1' })
    })
    app.get('/admin/erasures/r1', (_request, response) => { response.json(RECEIPT) })
    served = await serve(app, { host: '127.0.0.1', port: 0 })
  })
  afterEach(async () => { await served.stop() })

  it('names them in small letters too, and says so if nothing was kept', async () => {
    assert.match(await run(), /^Receipt r1 of 1970.*\nNothing was kept about them\. Is this the address that their own app shows\?/)
    assert.deepEqual(asked, [{ persons: ['@Eva:Example.org', '@eva:example.org'].map(id => ({ network: 'matrix', id })) }])
  })

  it('says that this one stands by, and what the running one refuses', async () => {
    await assert.rejects(run({ persons: [] }), /the running Zentrale says: /)
    standby = 'another process is active'
    const why = /this Zentrale stands by: another process is active\. Give this command where the active one runs/
    await assert.rejects(run({ persons: [] }), why)
    await assert.rejects(run(), why)
    assert.deepEqual(asked, [])
  })

  it('waits for what is not connected, because what was said there could not be taken back', async () => {
    isUp = false
    await assert.rejects(run(), /this is not connected now: xmpp component \(ECONNREFUSED\)\. What was said there could not be taken back/)
    assert.deepEqual(asked, [])
    assert.match(await run({ anyway: true }), /^Receipt r1/)
  })
})
