import assert from 'node:assert/strict'
import { appendFileSync, existsSync, mkdirSync, readdirSync, readFileSync, renameSync, rmSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { makeVault } from '../../../src/bridge/world'
import type { Config } from '../../../src/config/config'
import { systemClock } from '../../../src/lib/clock'
import { serve } from '../../../src/lib/serve'
import type { Arrival } from '../../../src/model/message'
import { runBackup } from '../../../src/operate/backup-command'
import { makeDevicesOperated } from '../../../src/operate/devices'
import { type RestoreOrder, runRestore } from '../../../src/operate/restore-command'
import { RESTORED } from '../../../src/plan/restored'
import { openStore } from '../../../src/store/open'
import type { NewDelivery, Store } from '../../../src/store/store'
import { loadAddressConfig } from '../../support/config'
import { temporaryFolder } from '../../support/folder'

const place = { network: 'red', id: 'room' }
const arrival: Arrival = { kind: 'message', key: 'k', place, at: 1, sender: { id: 'anna', name: 'Anna' }, content: { style: 'text', text: [] } }
const delivery = (key: string, action: NewDelivery['delivery']['action']): NewDelivery =>
  ({ delivery: { key, place: { network: 'blue', id: 'hall' }, at: 1, action }, notice: false })

describe('zentrale restore', () => {
  let folder: string
  let path: string
  let config: Config

  const withStore = async <T>(use: (store: Store) => Promise<T>): Promise<T> => {
    const store = await openStore({ path }, 'secret', systemClock, () => {})
    try { return await use(store) } finally { await store.close() }
  }
  beforeEach(async () => {
    folder = temporaryFolder()
    path = join(folder, 'data', 'zentrale.db')
    const loaded = loadAddressConfig()
    config = {
      ...loaded, file: join(folder, 'config.yaml'), store: { path, keepDays: 30 },
      operate: { ...loaded.operate, logbookKey: 'secret', listen: { host: '127.0.0.1', port: 1 } }
    }
    writeFileSync(config.file, 'registration: ./registration.yaml\n')
    writeFileSync(join(folder, 'registration.yaml'), 'a secret')
    await withStore(store => store.run(async tx => {
      const journal = await tx.journal(arrival, 'routed', 1)
      await tx.queue({ journal, from: place }, delivery('words', { kind: 'message', content: { style: 'text', text: [] } }), 1)
      await tx.queue({ journal, from: place }, delivery('tried', { kind: 'message', content: { style: 'text', text: [] } }), 1, true)
      await tx.queue({ journal, from: place }, delivery('gone', { kind: 'deletion', of: 'words' }), 1)
    }))
    await runBackup(config, { folder: join(folder, 'copy'), withConfig: true, zentrale: '1' }, systemClock)
  })

  const restore = (more: Partial<RestoreOrder> = {}): Promise<string> =>
    runRestore({ folder: join(folder, 'copy'), config: config.file, replaces: false, ...more }, () => config, systemClock)
  const waiting = (): Promise<string[]> => withStore(store => store.run(async tx =>
    (await tx.list('waiting', 10)).map(({ delivery: { key } }) => key).toSorted()))
  const files = (): string[] => readdirSync(join(folder, 'data')).toSorted()

  it('sets aside what may have gone out, and keeps what may be done twice', async () => {
    rmSync(join(folder, 'data'), { recursive: true })
    const output = await restore()
    assert.match(output, /The store is back at .*zentrale\.db\.\n2 deliveries that waited then are set aside, because they may have gone out/)
    assert.deepEqual(await waiting(), ['gone'])
    const unknown = await withStore(store => store.run(tx => tx.list('unknown', 10)))
    assert.deepEqual(unknown.map(({ delivery: { key }, reason }) => [key, reason]), [
      ['tried', 'it waited when the copy of the store was made, and may have gone out since'],
      ['words', 'it waited when the copy of the store was made, and may have gone out since']
    ])
    assert.deepEqual(files(), ['zentrale.db'])
  })

  it('sends it if that is wished, by a flag or by an answer', async () => {
    for (const more of [{ sends: true }, { ask: async () => 'yes', stopped: 'now' }]) {
      rmSync(join(folder, 'data'), { recursive: true })
      assert.match(await restore(more), /What waited when the backup was made is sent as soon as Zentrale starts/)
      assert.deepEqual(await waiting(), ['gone', 'words'])
    }
  })

  it('remembers when Zentrale stopped, or takes this moment; both asked for on a terminal', async () => {
    const stopped = new Date(systemClock.now() + 1).toISOString()
    const asked: string[] = []
    const ask = async (question: string): Promise<string> => { asked.push(question); return '' }
    for (const [more, expected] of [[{ stopped }, Date.parse(stopped)], [{}, undefined], [{ ask }, undefined]] as const) {
      rmSync(join(folder, 'data'), { recursive: true })
      const before = systemClock.now()
      while (systemClock.now() <= before + 1); // `stopped` is in the past then
      await restore(more)
      const [[, at] = []] = await withStore(store => store.run(tx => tx.remembered(RESTORED)))
      if (expected === undefined) assert.ok(Number(at) >= before)
      else assert.equal(Number(at), expected)
    }
    assert.match(asked.join(), /^When did the Zentrale stop whose store is lost\?.*,Shall what waited when the backup was made be sent\?/s)
  })

  it('has devices for encrypted chats made anew, because their keys were used since, and takes no chat for one in the clear', async () => {
    const upload = JSON.stringify({ master_key: { keys: { 'ed25519:a': 'a' } } })
    const secret = { master: 'a', self: 'a', user: 'a' }
    rmSync(join(folder, 'copy'), { recursive: true })
    await withStore(store => makeVault(store, 'matrix').change([
      ['identity @info:example.org', Buffer.from(JSON.stringify({ upload, secret, device: 'A', fingerprint: 'f', at: 0 }))]
    ]))
    const chat = 'omemo chat info@example.org olga@example.org'
    await withStore(store => makeVault(store, 'xmpp').change([[chat, Buffer.from(JSON.stringify({ encrypted: false, devices: [7] }))]]))
    await runBackup(config, { folder: join(folder, 'copy'), withConfig: false, zentrale: '1' }, systemClock)
    await restore({ replaces: true })
    assert.equal(Buffer.from((await withStore(store => makeVault(store, 'xmpp').get(chat)))!).toString(), '{"devices":[7]}')
    const { devices } = await withStore(store => makeDevicesOperated(store, () => {}).list())
    assert.deepEqual(devices.map(({ address, isRenewing }) => [address, isRenewing]), [['@info:example.org', true]])
  })

  it('leaves out numbers of conversations, because rooms bear them', async () => {
    rmSync(join(folder, 'data'), { recursive: true })
    await restore()
    assert.equal(await withStore(store => store.run(tx => tx.desk.nextConversation())), 1001)
  })

  const refusals: [string, Partial<RestoreOrder>, RegExp, (() => void)?][] = [
    ['a folder that is no backup', { folder: '/' }, /\/ is no backup of Zentrale: ENOENT/],
    ['a time that is none', { stopped: 'yesterday' }, /yesterday is no time\. Write it like this/],
    ['a time before the backup', { stopped: '2020-01-01T00:00' }, /is before this backup was made \(2/],
    ['a time that is to come', { stopped: '2999-01-01T00:00' }, /is in the future/],
    ['a store that is there', {}, /A store is there: .*zentrale\.db\. With --replace it is kept under another name/, () =>
      writeFileSync(path, '')],
    ['a log without its store', { replaces: true }, /zentrale\.db-wal is there without its store/, () => writeFileSync(`${path}-wal`, 'a log')]
  ]
  for (const [what, more, expected, prepare] of refusals) {
    it(`refuses ${what}, and changes nothing`, async () => {
      rmSync(join(folder, 'data'), { recursive: true })
      mkdirSync(join(folder, 'data'))
      prepare?.()
      const before = files()
      await assert.rejects(restore(more), expected)
      assert.deepEqual(files(), before)
    })
  }

  it('refuses a backup that has changed, or that names files elsewhere', async () => {
    const manifest = join(folder, 'copy', 'manifest.json')
    const whole = readFileSync(manifest, 'utf8')
    writeFileSync(manifest, whole.replace('"registration.yaml"', '"../../stolen"'))
    await assert.rejects(restore(), /manifest\.json names \.\.\/\.\.\/stolen/)
    writeFileSync(manifest, whole.replace('"made"', '"mad"'))
    await assert.rejects(restore(), /is no backup of Zentrale: manifest\.json is not as it was written \(made\)/)
    writeFileSync(manifest, whole)
    appendFileSync(join(folder, 'copy', 'zentrale.db'), ' ')
    await assert.rejects(restore(), /is not as it was written: its checksum differs/)
  })

  it('keeps a store that is there under another name, with all that its log holds', async () => {
    await withStore(store => store.run(tx => tx.remember('me', 'later', 'yes')))
    const output = await restore({ replaces: true })
    const [kept] = files().filter(name => name.startsWith('zentrale.db.before-'))
    assert.ok(kept !== undefined && output.includes(`The store that was there: ${join(folder, 'data', kept)}. Delete it when`))
    assert.match(output, /^Whoever was erased after 20\d\d-\S+Z is in the store again\. Erase them again\.$/m)
    assert.deepEqual(await withStore(store => store.run(tx => tx.remembered('me'))), [])
    renameSync(join(folder, 'data', kept), path)
    assert.deepEqual(await withStore(store => store.run(tx => tx.remembered('me'))), [['later', 'yes']])
  })

  it('does not touch a store that is in use, nor a Zentrale that runs', async () => {
    await withStore(async () => { await assert.rejects(restore({ replaces: true }), /is in use by another process/) })
    const served = await serve((_request, response) => { response.end('{"ready":true}') }, { host: '127.0.0.1', port: 0 })
    config.operate.listen.port = served.port
    await assert.rejects(restore({ replaces: true }), /Zentrale runs with this config\. Stop it first/)
    await served.stop()
    assert.equal(files().some(name => name.includes('before') || name.includes('part')), false)
  })

  it('brings the config and its files to where there is none, and overwrites none', async () => {
    rmSync(join(folder, 'data'), { recursive: true })
    const elsewhere = join(folder, 'new', 'config.yaml')
    mkdirSync(join(folder, 'new'))
    writeFileSync(join(folder, 'new', 'registration.yaml'), 'mine')
    const output = await restore({ config: elsewhere })
    assert.match(output, /^Written: .*new\/config\.yaml\n/)
    assert.equal(readFileSync(elsewhere, 'utf8'), 'registration: ./registration.yaml\n')
    assert.equal(readFileSync(join(folder, 'new', 'registration.yaml'), 'utf8'), 'mine')
    assert.ok(existsSync(path))
  })
})
