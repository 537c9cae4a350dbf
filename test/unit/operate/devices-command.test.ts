import assert from 'node:assert/strict'
import { randomBytes } from 'node:crypto'
import { readFileSync, statSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { makeVault } from '../../../src/bridge/world'
import type { Config } from '../../../src/config/config'
import { systemClock } from '../../../src/lib/clock'
import { silentLog } from '../../../src/lib/log'
import { type Served, serve } from '../../../src/lib/serve'
import { ownChange } from '../../../src/networks/xmpp/omemo/kept'
import { makeOwn } from '../../../src/networks/xmpp/omemo/own'
import { makeDevicesOperated } from '../../../src/operate/devices'
import { runDevices, type DeviceAction } from '../../../src/operate/devices-command'
import { makeOperateApp } from '../../../src/operate/http'
import { makeMetrics } from '../../../src/operate/metrics'
import { openStore } from '../../../src/store/open'
import type { Store } from '../../../src/store/store'
import { emptyDesk } from '../../support/address'
import { loadAddressConfig } from '../../support/config'
import { temporaryFolder } from '../../support/folder'

const ADDRESS = '@buergerbuero:example.org'
const SECRET = 'a'.repeat(43)
const identity = (key: string, secret = SECRET) => ({
  upload: JSON.stringify({ master_key: { user_id: ADDRESS, keys: { [`ed25519:${key}`]: key } } }),
  secret: { master: secret, self: secret, user: secret }, device: 'ZENTRALE', fingerprint: 'abcdefghij', at: 0
})

for (const isRunning of [false, true]) {
  describe(`zentrale devices, while Zentrale ${isRunning ? 'runs' : 'does not run'}`, () => {
    let folder: string
    let config: Config
    let store: Store | undefined
    let served: Served | undefined
    let told: number

    beforeEach(async () => {
      folder = temporaryFolder()
      told = 0
      const path = join(folder, 'zentrale.db')
      const loaded = loadAddressConfig()
      const open = await openStore({ path }, 'secret', systemClock, () => {})
      await makeVault(open, 'matrix').change([[`identity ${ADDRESS}`, Buffer.from(JSON.stringify(identity('master')))]])
      const operate = { ...loaded.operate, logbookKey: 'secret', listen: { host: '127.0.0.1', port: 1 } }
      config = { ...loaded, store: { path, keepDays: 30 }, operate }
      if (!isRunning) return await open.close()
      store = open
      served = await serve(makeOperateApp({
        token: config.operate.token, metricsPublic: false, networks: [], metrics: makeMetrics([], async () => [], systemClock), store: open,
        queue: {} as never, desk: emptyDesk, clock: systemClock, log: silentLog, devices: makeDevicesOperated(open, () => { told++ })
      }), { host: '127.0.0.1', port: 0 })
      config.operate.listen.port = served.port
    })
    afterEach(async () => {
      await served?.stop()
      await store?.close()
    })
    const run = (action: DeviceAction, what = '', json = false) => runDevices(config, { action, what, json }, systemClock)

    it('lists, with the fingerprint as apps show it', async () => {
      const { output } = await run('list')
      assert.match(output, /matrix @buergerbuero:example.org\n {2}device {7}ZENTRALE, since 1970/)
      assert.match(output, /\n {2}fingerprint {2}abcd efgh ij\n {2}identity {5}mast er\n/)
      assert.match(output, /No message waits for a key\.$/)
      const { devices } = JSON.parse((await run('list', '', true)).output) as { devices: { fingerprint: string }[] }
      assert.deepEqual(devices.map(({ fingerprint }) => fingerprint), ['abcdefghij'])
      assert.doesNotMatch(JSON.stringify(devices), new RegExp(SECRET))
    })

    it('orders a new device, by the name of the address', async () => {
      assert.deepEqual((await run('renew', 'nobody')).ok, false)
      const { output, ok } = await run('renew', 'BÜRGERBÜRO')
      assert.deepEqual([ok, output.startsWith(`${ADDRESS} gets a new device`)], [true, true])
      assert.match((await run('list')).output, /a new one is to be made/)
      if (isRunning) assert.ok(told > 0)
    })

    it('says which device of the address stays as it is', async () => {
      assert.doesNotMatch((await run('renew', 'BÜRGERBÜRO')).output, /keeps its device/)
      const { id } = config.addresses[0]!.identities.find(({ network }) => network === 'xmpp')!
      const open = store ?? await openStore(config.store, 'secret', systemClock, () => {})
      await makeVault(open, 'xmpp').change([ownChange(id, makeOwn(0, randomBytes))])
      if (!isRunning) await open.close()
      const { output, ok } = await run('renew', 'BÜRGERBÜRO')
      assert.ok(ok && output.startsWith(`${ADDRESS} gets a new device`))
      assert.match(output, /\nbürgerbüro@\S+ keeps its device and its fingerprint: .* begin with a new address\.$/)
      const alone = await run('renew', id)
      assert.deepEqual([alone.ok, alone.output.startsWith(`${id} keeps its device`)], [false, true])
    })

    it('exports identities into a file of its own for nobody else, warns, and imports them', async () => {
      const path = join(folder, 'identities.json')
      const { output } = await run('export', path)
      assert.match(output, /can pass for your addresses/)
      assert.equal(statSync(path).mode & 0o777, 0o600)
      await assert.rejects(run('export', path), /exists already/)
      assert.match((await run('import', path)).output, /in use already/)
      await run('export', join(folder, 'first.json'))
      const { upload, secret } = identity('other', 'b'.repeat(43))
      writeFileSync(path, JSON.stringify({ identities: { matrix: { [ADDRESS]: { upload, secret } } } }))
      await assert.rejects(run('import', path), /has another identity already/)
      const exported = readFileSync(join(folder, 'first.json'), 'utf8')
      writeFileSync(path, exported.replaceAll('@buergerbuero', '@other'))
      assert.match((await run('import', path)).output, /^@other:example.org: the identity is the one of the file/)
    })

    it('leaves out numbers of conversations when it imports into a new store, because rooms bear them, and only then', async () => {
      const path = join(folder, 'identities.json')
      await run('export', path)
      await run('import', path)
      if (isRunning) return assert.equal(await store!.run(tx => tx.desk.nextConversation()), 1)
      const next = async (): Promise<number> => {
        const open = await openStore(config.store, 'secret', systemClock, () => {})
        return await open.run(tx => tx.desk.nextConversation()).finally(() => open.close())
      }
      assert.equal(await next(), 1)
      config.store = { path: join(folder, 'new.db'), keepDays: 30 }
      await run('import', path)
      assert.equal(await next(), 1001)
      await run('import', path)
      assert.equal(await next(), 1001)
    })

    it('says what is wrong with a file, and takes nothing of it', async () => {
      const path = join(folder, 'bad.json')
      await assert.rejects(run('import', path), /bad\.json cannot be read/)
      for (const bad of ['{}', '[]', '7', JSON.stringify({ identities: { matrix: { [ADDRESS]: {} } } })]) {
        writeFileSync(path, bad)
        await assert.rejects(run('import', path), { name: 'Refused' })
      }
      assert.match((await run('list')).output, /mast er/)
    })
  })
}
