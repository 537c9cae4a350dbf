import assert from 'node:assert/strict'
import { systemClock } from '../../../src/lib/clock'
import { serve } from '../../../src/lib/serve'
import { runLive } from '../../../src/operate/address-live'
import { loadAddressConfig } from '../../support/config'

/** What verify says of this answer of a running Zentrale. */
const verified = async (answer: object): Promise<{ output: string, ok: boolean }> => {
  const listener = await serve((request, response) => {
    response.setHeader('content-type', 'application/json')
    response.end(JSON.stringify(request.url?.startsWith('/readyz') ? { ready: true, waiting: [], links: [] } : answer))
  }, { host: '127.0.0.1', port: 0 })
  const config = loadAddressConfig()
  try {
    return await runLive({ ...config, operate: { ...config.operate, listen: { host: '127.0.0.1', port: listener.port } } },
      { action: 'verify', name: '', person: undefined, called: undefined }, systemClock)
  } finally { await listener.stop() }
}

describe('zentrale address verify', () => {
  it('says that the logbook is whole, or which line was changed', async () => {
    assert.deepEqual(await verified({ lines: 4, sealedFrom: 1 }), { output: 'The logbook is whole: 4 lines.', ok: true })
    const { output, ok } = await verified({ lines: 4, sealedFrom: 1, wrong: { line: 3, why: 'has no seal' } })
    assert.deepEqual([output, ok], ['The logbook was changed from outside: line 3 has no seal.', false])
  })

  it('accuses nobody where another key has sealed lines, and says what tells more', async () => {
    const { output, ok } = await verified({ lines: 9, sealedFrom: 1, foreign: { first: 3, last: 5, lines: 3 } })
    assert.match(output, /^3 of the logbook's 9 lines \(3 to 5\) were not sealed with the key of this Zentrale; their\norder is right\. Either/)
    assert.doesNotMatch(output, /changed from outside|is whole/)
    assert.equal(ok, false)
  })
})
