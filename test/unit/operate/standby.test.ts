import assert from 'node:assert/strict'
import { LOGBOOK_KEY } from '../../../src/config/mark'
import { type Fields, silentLog } from '../../../src/lib/log'
import { serve } from '../../../src/lib/serve'
import { makeStandby } from '../../../src/operate/standby'
import { until } from '../../support/practice'

const HOST = '127.0.0.1'

const freePorts = async (): Promise<number[]> => {
  const held = await Promise.all([1, 2].map(() => serve(() => {}, { host: HOST, port: 0 })))
  await Promise.all(held.map(({ stop }) => stop()))
  return held.map(({ port }) => port)
}

describe('standing by', () => {
  it('tells whoever calls to come again, and monitoring why, until it ends', async () => {
    const [hook = 0, port = 0] = await freePorts()
    const standby = makeStandby({ listens: [{ host: HOST, port: hook }, { host: HOST, port }], operate: { listen: { host: HOST, port } } as never },
      silentLog, error => { throw error })
    standby.told('another process is active')
    standby.told('the database is away')
    const get = (to: number, path: string): Promise<Response> => fetch(`http://${HOST}:${to}${path}`)
    await until(() => get(port, '/readyz').then(() => true, () => false), 'it listens')
    assert.deepEqual(await (await get(port, '/readyz')).json(), { ready: false, standby: 'the database is away', waiting: [], links: [] })
    assert.match(await (await get(port, '/metrics')).text(), /^zentrale_active 0$/m)
    const answers = await Promise.all([
      get(port, '/readyz'), get(port, '/healthz'), get(port, '/admin/queue'), get(hook, '/readyz'), get(hook, '/in?id=1')
    ])
    assert.deepEqual(answers.map(({ status }) => status), [503, 200, 503, 503, 503])
    assert.deepEqual(await answers[2]!.json(), { error: 'this Zentrale stands by: the database is away' })
    assert.deepEqual(await answers[4]!.json(), { error: 'this Zentrale stands by' }, 'to the world it says no more')
    await standby.end()
    await assert.rejects(get(port, '/readyz'))
    await assert.rejects(get(hook, '/readyz'))
  })

  it('says what of its config is not as the active one\'s, whenever that changes', async () => {
    const [hook = 0, port = 0] = await freePorts()
    const said: [string, Fields][] = []
    const log = { ...silentLog, warn: (fields: Fields) => said.push(['warn', fields]), error: (fields: Fields) => said.push(['error', fields]) }
    const standby = makeStandby({ listens: [{ host: HOST, port: hook }, { host: HOST, port }], operate: { listen: { host: HOST, port } } as never },
      log, error => { throw error })
    const now = async (path: string): Promise<string> => await (await fetch(`http://${HOST}:${port}${path}`)).text()
    standby.unlike(['mirrors', 'operate.token'])
    standby.told('another process is active')
    await until(() => now('/readyz').then(() => true, () => false), 'it listens')
    standby.unlike(['mirrors', 'operate.token'])
    assert.match(await now('/readyz'), /"standby":"another process is active\. Its config is another one: mirrors, operate\.token"/)
    assert.match(await now('/metrics'), /^zentrale_config_differs 1$/m)
    standby.unlike([LOGBOOK_KEY])
    standby.unlike([])
    assert.match(await now('/metrics'), /^zentrale_config_differs 0$/m)
    assert.deepEqual(said, [['warn', { differs: ['mirrors', 'operate.token'] }], ['error', { differs: [LOGBOOK_KEY] }]])
    await standby.end()
  })

  it('says that it cannot listen, and ends all the same', async () => {
    const taken = await serve(() => {}, { host: HOST, port: 0 })
    const failed: unknown[] = []
    const standby = makeStandby({ listens: [{ host: HOST, port: taken.port }], operate: { listen: { host: HOST, port: 1 } } as never }, silentLog,
      error => failed.push(error))
    standby.told('another process is active')
    await until(() => failed.length > 0, 'it is said')
    assert.match(String(failed), /EADDRINUSE/)
    await standby.end()
    await taken.stop()
  })
})
