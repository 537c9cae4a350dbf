import assert from 'node:assert/strict'
import { systemClock } from '../../../../src/lib/clock'
import { type Served, serve } from '../../../../src/lib/serve'
import { checkEncryption } from '../../../../src/networks/matrix/check-encryption'

const INFO = '@info:example.org'
const OTHER = '@other:example.org'
const SIGNED = { Z: { signatures: { [INFO]: { 'ed25519:Z': 'a', 'ed25519:master': 'b' } } } }
const registration = { id: 'z', as_token: 'a', hs_token: 'h', sender_localpart: 'zentrale', namespaces: {} }

describe('the check of encryption on a homeserver', () => {
  let served: Served
  let answers: Record<string, [status: number, body: object]>
  let asked: string[]
  beforeEach(async () => {
    asked = []
    answers = { 'keys/query': [200, { device_keys: {} }], sync: [200, {}], 'keys/device_signing/upload': [200, {}] }
    served = await serve((request, response) => {
      const [path = '', query] = request.url!.replace('/_matrix/client/v3/', '').split('?')
      asked.push(`${path} ${new URLSearchParams(query).get('user_id')}`)
      const [status, body] = answers[path] ?? [404, { errcode: 'M_UNRECOGNIZED' }]
      request.resume()
      response.writeHead(status, { 'content-type': 'application/json' }).end(JSON.stringify(body))
    }, { host: '127.0.0.1', port: 0 })
  })
  afterEach(() => served.stop())
  const check = (addresses = [INFO]) =>
    checkEncryption({ homeserverUrl: `http://127.0.0.1:${served.port}`, registration }, addresses, systemClock)

  it('is content when each address has a device that its identity has signed', async () => {
    answers['keys/query'] = [200, { device_keys: { [INFO]: SIGNED } }]
    assert.deepEqual(await check(), { what: 'Matrix encryption', found: 'each address has a device with keys, which its identity has signed' })
    assert.deepEqual(asked, ['keys/query null'])
  })

  it('names those that have none, or none that is signed, and what to do', async () => {
    answers['keys/query'] = [200, { device_keys: { [INFO]: SIGNED, [OTHER]: { Z: { signatures: { [OTHER]: { 'ed25519:Z': 'a' } } } } } }]
    const { found, advice, mild } = await check([INFO, OTHER])
    assert.deepEqual([found, mild], [`no device with keys yet: ${OTHER}`, true])
    assert.match(advice ?? '', /its log says why/)
    assert.deepEqual(asked, ['keys/query null', `sync ${OTHER}`, `keys/device_signing/upload ${OTHER}`])
  })

  it('says what the homeserver does not do', async () => {
    answers['keys/device_signing/upload'] = [401, { flows: [] }]
    assert.match((await check()).found, /wants a password/)
    answers['sync'] = [500, { errcode: 'M_UNKNOWN' }]
    assert.match((await check()).found, /does not let our addresses ask for their keys \(\/sync: HTTP 500 M_UNKNOWN\)/)
    answers['sync'] = [403, {}]
    assert.match((await check()).found, /no device with keys yet/, 'before the first start there is no such user')
    answers = {}
    assert.match((await check()).found, /knows nothing of keys \(HTTP 404 M_UNRECOGNIZED\)/)
  })
})
