/**
 * A town's store moves from a file to PostgreSQL and back, by the command, which is killed in the middle. The town goes on as if nothing had been:
 * what waited arrives, what was said before is corrected and read, cases and encrypted chats go on.
 */
import assert from 'node:assert/strict'
import { copyFileSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { parse, stringify } from 'yaml'
import { type Postgres, startPostgres } from '../../sandbox/servers/postgres'
import { checkout, until } from '../../sandbox/servers/process'
import type { Phone } from '../../sandbox/smsc'
import { ADDRESS_NUMBER, DOMAIN, PASSWORD, raiseTown, type Town } from '../../sandbox/town'
import { runCommand, runCommandWith } from '../support/command'
import { type EncryptedPerson, makeEncryptedPerson } from '../support/encrypted-person'
import { temporaryFolder } from '../support/folder'
import { makeMatrixPerson, type MatrixPerson } from '../support/matrix-person'
import { needs, scratch } from '../support/real'
import { chatWith, correcting, ENCRYPTED, enteredCase, READ_WITHIN_MS, type Story, storyOf } from '../support/story'

const MXID = `@buergerbuero:${DOMAIN}`
const ASKED = /asked (\d+) times/

describe('a town whose store moves', () => {
  needs('synapse', 'prosody', 'postgres')
  const dir = scratch()
  let server: Postgres
  let town: Town
  let story: Story
  let eva: MatrixPerson
  let evasApp: EncryptedPerson
  let evasChat: string
  let paul: Phone
  /** The config as it is where the store is in a file, and in a database. */
  let inFile: string, inDatabase: string

  const copyTo = (to: string, killAt = Infinity, config = 'config.yaml') => {
    const env = { NODE_OPTIONS: `--require ${join(checkout, 'dist/test/support/kill-at.js')}`, KILL_AT: String(killAt) }
    return runCommandWith(env, dir(`town/${config}`), 'store', 'copy', '--to', dir(`town/${to}`))
  }
  const startWith = async (config: string): Promise<void> => {
    writeFileSync(town.configPath, config, { mode: 0o600 })
    await town.zentrale.restart()
  }
  /** How often the way there asks the database: found by going it with copies of both. */
  const asksOf = async (to: 'dry-file.yaml' | 'dry-database.yaml', from: string): Promise<number> => {
    const { said, code } = await copyTo(to, Infinity, from)
    assert.equal(code, 0, said)
    return Number(ASKED.exec(said)?.[1])
  }
  /** Gives the command, and kills it so early, then so late; then it is left to come to its end. */
  const moves = async (to: string, asks: number): Promise<void> => {
    for (const at of [Math.round(asks / 2), asks - 2]) {
      const cut = await copyTo(to, at)
      assert.equal(cut.code, null, `killed at ${at} of ${asks}: ${cut.said}`)
    }
    const { said, code } = await copyTo(to)
    assert.equal(code, 0, said)
    assert.match(said, /^The store is in .* now: .*\n.* is as it was, and no Zentrale starts on it any more/)
    const refused = await runCommand(town.configPath, 'queue')
    assert.match(refused.said, /it was moved to .* by zentrale store copy\. Let the config say so/)
  }

  before(async () => {
    server = await startPostgres({ dir: temporaryFolder() })
    const [url, dry] = [await server.createDatabase('zentrale'), await server.createDatabase('dry')]
    town = await raiseTown({
      dir: dir('town'),
      addresses: [{ name: 'bürgerbüro', matrix: 'buergerbuero', more: {
        sms: { gateway: 'main', number: ADDRESS_NUMBER }, title: 'Bürgerbüro', automatic: { greeting: false, absence: false }, claim: 'open',
        team: [{ name: 'Anna', addresses: [`@anna:${DOMAIN}`] }]
      } }]
    })
    story = storyOf(town)
    inFile = readFileSync(town.configPath, 'utf8')
    const withStore = (store: Record<string, string>): string => stringify({ ...parse(inFile) as object, store })
    inDatabase = withStore({ postgres: url })
    for (const [name, config] of Object.entries({
      file: withStore({ path: './data/new.db' }), database: inDatabase,
      'dry-file': withStore({ path: './data/dry.db' }), 'dry-database': withStore({ postgres: dry })
    })) writeFileSync(dir(`town/${name}.yaml`), config, { mode: 0o600 })
    const user = await town.homeserver.createUser('eva', PASSWORD)
    eva = makeMatrixPerson(town.homeserver.url, user.userId, user.accessToken)
    evasApp = await makeEncryptedPerson(eva)
    paul = town.smsc.phone('+491709998877')
  })
  after(async () => {
    await town?.stop()
    await server?.stop()
  })

  const annasRoom = (number: number): Promise<string> => enteredCase(town.people.anna, 'buergerbuero', number, DOMAIN)
  const annaReads = async (number: number, text: string): Promise<unknown> => story.annaReads(text, undefined, await annasRoom(number))
  const evaReads = async (text: string): Promise<void> => {
    const { event, read } = await evasApp.reads(evasChat, text, ({ content }) => content['body'] === text)
    assert.deepEqual([event.sender, event.type, read.shield], [MXID, 'm.room.encrypted', ''])
  }
  /** Both customers and Anna go on with their cases. */
  const casesGoOn = async (mark: string): Promise<void> => {
    await evasApp.say(evasChat, `Eva ${mark}`)
    await paul.type({ text: `Paul ${mark}`, to: ADDRESS_NUMBER })
    await Promise.all([annaReads(1, `Eva ${mark}`), annaReads(2, `Paul ${mark}`)])
    await town.people.anna.send(await annasRoom(1), `An Eva ${mark}`)
    await town.people.anna.send(await annasRoom(2), `An Paul ${mark}`)
    await Promise.all([evaReads(`An Eva ${mark}`), paul.next(({ text }) => text === `An Paul ${mark}`, READ_WITHIN_MS)])
  }
  /** Says something that the gateway does not take yet, and lets Zentrale die. Resolves with the id of what Bernd said before. */
  const saysBefore = async (mark: string): Promise<string> => {
    const id = await story.berndSays(`Bernd ${mark}`)
    await story.annaReads(`Bernd ${mark}`)
    town.smsc.faults.throttle = Infinity
    await story.annaSays(`wartet ${mark}`)
    await story.berndReads(`wartet ${mark}`)
    await until('the phone is tried', READ_WITHIN_MS, async () => /^zentrale_retries_total\{network="sms"\} [1-9]/m.test(await town.metrics()))
    await town.zentrale.kill()
    town.smsc.faults.throttle = 0
    return id
  }
  const goesOnAfter = async (mark: string, id: string): Promise<void> => {
    await story.maxReads(`Anna (Matrix): wartet ${mark}`)
    await story.berndSays(`Bernd ${mark}, richtig`, correcting(id))
    const corrected = await story.annaReads(`* Bernd ${mark}, richtig`)
    const said = await story.annaReads(`Bernd ${mark}`)
    assert.deepEqual(corrected.content['m.relates_to'], { rel_type: 'm.replace', event_id: said.event_id })
    await casesGoOn(mark)
    await story.allIsWell(`nach ${mark}`)
    assert.equal(await story.timesOnMatrix(`Bernd ${mark}`), 1)
  }

  it('has cases and an encrypted chat', async () => {
    evasChat = await chatWith(eva, MXID, ENCRYPTED)
    await evasApp.say(evasChat, 'Eva zuerst')
    await annaReads(1, 'Eva zuerst')
    await paul.type({ text: 'Paul zuerst', to: ADDRESS_NUMBER })
    await annaReads(2, 'Paul zuerst')
    await casesGoOn('vorher')
  })

  it('goes on in PostgreSQL', async () => {
    const id = await saysBefore('hin')
    for (const end of ['', '-wal']) copyFileSync(dir(`town/data/zentrale.db${end}`), dir(`town/data/dry.db${end}`))
    await moves('database.yaml', await asksOf('dry-database.yaml', 'dry-file.yaml'))
    await startWith(inDatabase)
    await goesOnAfter('hin', id)
  })

  it('goes on in a file again', async () => {
    const id = await saysBefore('zurück')
    for (const end of ['', '-wal', '-shm']) rmSync(dir(`town/data/dry.db${end}`), { force: true })
    await moves('file.yaml', await asksOf('dry-file.yaml', 'dry-database.yaml'))
    await startWith(readFileSync(dir('town/file.yaml'), 'utf8'))
    await goesOnAfter('zurück', id)
  })
})
