import assert from 'node:assert/strict'
import { existsSync, mkdirSync, readdirSync, readFileSync, statSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { Readable } from 'node:stream'
import type { Config } from '../../../src/config/config'
import { systemClock } from '../../../src/lib/clock'
import { silentLog } from '../../../src/lib/log'
import { type Served, serve } from '../../../src/lib/serve'
import { Malformed, Refused } from '../../../src/model/errors'
import { runExport } from '../../../src/operate/export-command'
import { makeOperateApp } from '../../../src/operate/http'
import { makeMetrics } from '../../../src/operate/metrics'
import { addressOn, agent } from '../../support/address'
import { loadAddressConfig } from '../../support/config'
import { temporaryFolder } from '../../support/folder'
import { makePractice, type Practice, until } from '../../support/practice'
import { mirrorOf, startBridge, type Started } from '../../support/started'

const EVA = '@eva:example.org'
const JID = 'eva@other.example'
const NUMBER = '+491701234567'
const picture = (ref: string) => ({ kind: 'image', name: '../../<Ausweis>.png', mime: 'image/png', at: { network: 'matrix', ref } }) as const

for (const isRunning of [false, true]) {
  describe(`zentrale export, while Zentrale ${isRunning ? 'runs' : 'does not run'}`, () => {
    let folder: string
    let config: Config
    let started: Started
    let served: Served | undefined
    let matrix: Practice, xmpp: Practice, sms: Practice

    const wrote = async (): Promise<void> => {
      const direct = { direct: true, to: 'werkstatt' }
      await matrix.say(`werkstatt/${EVA}`, EVA, 'Mein Hund heißt Canary-M', { ...direct, content: { style: 'text', text: [
        { kind: 'paragraph', of: [{ kind: 'text', text: 'Mein Hund heißt Canary-M <b>' }] }], file: picture('mxc://1') } })
      await until(() => matrix.read('werkstatt-1').some(line => line.includes('Canary-M')))
      await matrix.say('werkstatt-1', '@anna', 'Ein schöner Name')
      await matrix.say('werkstatt-1', '@anna', '!n Canary-Note: zahlt nie')
      await matrix.say('werkstatt-1', '@anna', '!label Canary-Label')
      await sms.say(`werkstatt/${NUMBER}`, NUMBER, 'Canary-S', direct)
      await sms.say(`werkstatt/${NUMBER}8`, `${NUMBER}8`, 'Canary-Other', direct)
      await xmpp.say('hall', `hall ${JID}`, 'Canary-X', { sender: { id: 'hall/eva', name: 'Eva', address: JID } })
      await xmpp.say('hall', 'hall/bob', `Schreibt an ${JID}, Canary-Bob`)
      await matrix.say(`werkstatt/${EVA}`, '@otto:example.org', 'Canary-Third', { direct: true, to: 'werkstatt' })
      await xmpp.inbox.quarantine('xmpp', `<message from='${JID}'>Canary-Q`, new Malformed('no'))
      await until(() => matrix.read('room').some(line => line.includes('Canary-Bob')))
    }

    beforeEach(async () => {
      folder = temporaryFolder()
      const path = join(folder, 'zentrale.db')
      const loaded = loadAddressConfig()
      config = {
        ...loaded, file: join(folder, 'config.yaml'), store: { path, keepDays: 30 }, addresses: [
          addressOn(['matrix', 'sms'], [agent('Anna', 'matrix @anna', 'xmpp anna@example.org'),
            agent('Eva', `matrix ${EVA}`, 'xmpp eva@example.org')])
        ], operate: { ...loaded.operate, logbookKey: 'secret', listen: { host: '127.0.0.1', port: 1 } }
      }
      ;[matrix, xmpp, sms] = [makePractice('matrix'), makePractice('xmpp'), makePractice('sms', { ghosts: false })]
      started = await startBridge([matrix, xmpp, sms], [mirrorOf(['matrix', 'room'], ['xmpp', 'hall'])],
        { path, addresses: [addressOn(['matrix', 'sms'], [agent('Anna', 'matrix @anna')])] })
      await wrote()
      if (!isRunning) return await started.stop()
      served = await serve(makeOperateApp({
        token: config.operate.token, metricsPublic: false, networks: [], metrics: makeMetrics([], async () => [], systemClock),
        store: started.store, storePath: path, queue: {} as never, desk: started.bridge.desk, clock: systemClock, log: silentLog,
        media: { async open ({ at: { ref } }) {
          if (ref !== 'mxc://1') throw new Refused('it is gone')
          return { stream: Readable.from(['PNG']), mime: 'image/png' }
        } }
      }), { host: '127.0.0.1', port: 0 })
      config.operate.listen.port = served.port
    })
    afterEach(async () => {
      await served?.stop()
      if (isRunning) await started.stop()
      served = undefined
    })
    const run = (...persons: string[]): Promise<string> => runExport(config, { persons, folder: join(folder, 'eva'), zentrale: '1.2.3' }, systemClock)
    const read = (name: string): string => readFileSync(join(folder, 'eva', name), 'utf8')

    it('holds all that was said by them and to them, what the team noted, and what could not be read', async () => {
      const output = await run(EVA, JID, '+49 170 1234567')
      for (const file of ['data.json', 'index.html']) {
        for (const canary of ['Canary-M', 'Canary-Note', 'Canary-Label', 'Canary-S', 'Canary-X', 'Canary-Q', 'schöner Name']) {
          assert.ok(read(file).includes(canary), `${canary} in ${file}`)
        }
      }
      assert.match(output, /eva: @eva:example\.org with 1 conversation and \d messages?; eva@other\.example with 0 /)
      assert.deepEqual(readdirSync(folder).filter(name => name.includes('part') || name.includes('copy')), [])
      assert.equal(statSync(join(folder, 'eva', 'data.json')).mode & 0o077, 0)
    })

    it('names nobody of the team, neither by name nor by address, nor a third one who came into their chat', async () => {
      await run(EVA, NUMBER)
      const whole = read('data.json') + read('index.html')
      for (const theirs of ['@anna', 'Anna', 'Canary-Third', '@otto']) assert.ok(!whole.includes(theirs), theirs)
    })

    it('leaves out what others said, and those whose address only begins like theirs', async () => {
      await run(JID, NUMBER)
      const whole = read('data.json') + read('index.html')
      for (const other of ['Canary-Bob', 'Canary-Other', `${NUMBER}8`]) assert.ok(!whole.includes(other), other)
      assert.match(read('index.html'), /Others named your address: once</)
      assert.match(read('index.html'), /<th>Time \(UTC\)</)
    })

    it('takes files along while it runs, under names that harm nobody, and says which are missing', async () => {
      const output = await run(EVA)
      if (isRunning) {
        const [name = '', ...others] = readdirSync(join(folder, 'eva', 'files'))
        assert.match(name, /^001-[\w.-]*_Ausweis_\.png$/)
        assert.deepEqual([others, read(`files/${name}`)], [[], 'PNG'])
        assert.ok(!existsSync(join(folder, 'Ausweis.png')))
      } else {
        assert.match(output, /Not in it: the file .*because: Zentrale does not run/)
      }
      assert.doesNotMatch(read('index.html'), /<b>|<Ausweis>|<script/)
    })

    it('suggests which addresses belong together, and guesses nothing', async () => {
      const output = await run(EVA, JID)
      assert.match(output, /The config says that this is the same person.*: eva@example\.org$/m)
      assert.match(output, /A room vouches that this is the same person.*: hall\/eva$/m)
      assert.ok(!read('data.json').includes('eva@example.org'))
    })

    it('refuses what is no address, and a folder that has something in it', async () => {
      await assert.rejects(run('eva'), /eva is no address of somebody on Matrix, XMPP or SMS\. A phone number begins with \+/)
      mkdirSync(join(folder, 'eva'))
      writeFileSync(join(folder, 'eva', 'x'), '')
      await assert.rejects(run(EVA), /eva is not empty/)
    })

    it('says so if nothing is kept', async () => {
      assert.match(await run('@nobody:example.org'), /^Nothing is kept about them\.\nIs this the address that their own app shows\?/m)
    })

    it('finds who is written in capitals', async () => {
      assert.doesNotMatch(await run(EVA.toUpperCase()), /Nothing is kept/)
    })
  })
}
