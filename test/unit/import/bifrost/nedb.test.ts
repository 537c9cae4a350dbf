/**
 * Stores in test/support/bifrost were written by matrix-bifrost 1.0.3 itself, by the functions that it calls when rooms are plumbed, asked for
 * and so on: werkstatt and lager are plumbed, empfang is a portal, weg was plumbed and removed.
 */
import assert from 'node:assert/strict'
import { appendFileSync, cpSync, mkdirSync, readFileSync, renameSync, statSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import fc from 'fast-check'
import Datastore from 'nedb'
import { prefixOf } from '../../../../src/import/bifrost/former'
import { readNedb } from '../../../../src/import/bifrost/nedb'
import { temporaryFolder } from '../../../support/folder'

const STORE = join(__dirname, '../../../support/bifrost')
const DOMAIN = 'zentrale.test'
const MEBIBYTE = 1_048_576

/** A copy of the store, with these lines after its own. */
const copy = (more: { rooms?: string[], users?: string[] } = {}): string => {
  const folder = join(temporaryFolder(), 'store')
  mkdirSync(folder)
  for (const file of ['room-store.db', 'user-store.db']) cpSync(join(STORE, file), join(folder, file))
  for (const line of more.rooms ?? []) appendFileSync(join(folder, 'room-store.db'), `${line}\n`)
  for (const line of more.users ?? []) appendFileSync(join(folder, 'user-store.db'), `${line}\n`)
  return folder
}
const linesIn = (file: string): number => readFileSync(join(STORE, file), 'utf8').trimEnd().split('\n').length

describe('the NeDB store of matrix-bifrost', () => {
  it('is read with all kinds of rooms; what was removed is gone', async () => {
    const { rooms, empty } = await readNedb(STORE)
    assert.deepEqual(rooms.map(({ room, kind, protocol, remote }) => [room.slice(1, -`:${DOMAIN}`.length), kind, protocol, remote]), [
      ['werkstatt', 'plumbed', 'xmpp-js', 'werkstatt@rooms.zentrale.test'],
      ['empfang', 'portal', 'xmpp-js', 'empfang@rooms.zentrale.test'],
      ['lager', 'plumbed', 'prpl-jabber', 'Lager@rooms.zentrale.test'],
      ['chat', 'plumbed', 'prpl-irc', '#zentrale'],
      ['offen', 'gateway', 'xmpp-js', '#offen#zentrale.test@matrix.zentrale.test'],
      ['direkt', 'direct', 'xmpp-js', '@anna:zentrale.test ↔ bernd@zentrale.test'],
      ['admin', 'admin', '', '@anna:zentrale.test'],
      ['intern', 'admin', '', '-internal-']
    ])
    assert.equal(empty, 0)
  })

  it('tells its ghosts from people of Matrix, whom it stores as ghosts too', async () => {
    const { people } = await readNedb(STORE)
    const [ghosts, others] = [true, false].map(yes => people.filter(person => (prefixOf(person, DOMAIN) !== undefined) === yes))
    assert.deepEqual(ghosts!.map(({ id, name }) => [id, name]), [
      ['werkstatt@rooms.zentrale.test/Bernd', 'Bernd'], ['werkstatt@rooms.zentrale.test/Jörg (Büro)', 'Jörg (Büro)'],
      ['bernd@zentrale.test', 'Bernd Beispiel'], ['clara@example.com', undefined], ['dora@irc.example.org', 'dora']
    ])
    assert.deepEqual(new Set(ghosts!.map(person => prefixOf(person, DOMAIN))), new Set(['_bifrost_']))
    assert.deepEqual(others!.map(({ mxid, id, isAccount }) => [mxid, id, isAccount]), [
      ['@anna:zentrale.test', 'anna_zentrale.test@matrix.zentrale.test', true],
      ['@anna:zentrale.test', 'anna@irc.example.org', true],
      ['@anna:zentrale.test', 'werkstatt@rooms.zentrale.test/Anna', false]
    ])
  })

  it('keeps nobody\'s password in memory', async () => {
    assert.match(readFileSync(join(STORE, 'user-store.db'), 'utf8'), /geheim/)
    assert.doesNotMatch(JSON.stringify(await readNedb(STORE)), /geheim/)
  })

  it('lets the last line of an entry hold, passes over indexes and empty lines, and counts what leads nowhere', async () => {
    const rooms = [
      '{"$$indexCreated":{"fieldName":"id","unique":true,"sparse":false}}', '',
      '{"_id":"1","matrix_id":"!a:zentrale.test","matrix":{"extras":{"type":"group"}},"remote":{"protocol_id":"xmpp-js","room_name":"a@x.y"}}',
      '{"_id":"1","matrix_id":"!a:zentrale.test","matrix":{"extras":{"type":"group"}},"remote":{"protocol_id":"xmpp-js","room_name":"b@x.y"}}',
      '{"_id":"2","matrix_id":"!c:zentrale.test","matrix":{"extras":{"type":"group"}}}',
      '{"_id":"3","matrix_id":"!d:zentrale.test","matrix":{"extras":{"type":"group"}},"remote":{"properties":{"room":"d","server":"x.y"}}}'
    ]
    const read = await readNedb(copy({ rooms }))
    assert.deepEqual(read.rooms.slice(8).map(({ room, remote, at }) => [room, remote, at]), [
      ['!a:zentrale.test', 'b@x.y', `line ${linesIn('room-store.db') + 4}`],
      ['!d:zentrale.test', 'd@x.y', `line ${linesIn('room-store.db') + 6}`]
    ])
    assert.equal(read.empty, 1)
  })

  it('is read as the library reads it, whatever was put in, changed and removed', async () => {
    const step = fc.record({ act: fc.constantFrom('put', 'remove', 'tidy'), id: fc.constantFrom('a', 'b', 'c'), remote: fc.string() })
    const steps = fc.array(step, { maxLength: 12 })
    await fc.assert(fc.asyncProperty(steps, async all => {
      const folder = copy()
      const filename = join(folder, 'room-store.db')
      writeFileSync(filename, '')
      const library = new Datastore<Record<string, unknown>>({ filename })
      await library.loadDatabaseAsync()
      await library.ensureIndexAsync({ fieldName: 'id' })
      for (const { act, id, remote } of all) {
        const entry = { _id: id, matrix_id: id, matrix: { extras: { type: 'group' } }, remote: { room_name: `-${remote}` } }
        if (act === 'put') await library.updateAsync({ _id: id }, entry, { upsert: true })
        else if (act === 'remove') await library.removeAsync({ _id: id }, {})
        else await library.compactDatafileAsync()
      }
      const kept = (await library.findAsync({})).map(({ _id: id, remote }) => [id, (remote as { room_name: string }).room_name])
      assert.deepEqual((await readNedb(folder)).rooms.map(({ room, remote }) => [room, remote]).sort(), kept.sort())
    }), { numRuns: 40 })
  })

  it('is refused whole with each line that cannot be read', async () => {
    const folder = copy({
      rooms: [
        '{"_id":"1","matrix_id":', '{"_id":"2","matrix_id":7}', '[]', 'null', '{"matrix_id":"!a:b"}', '{"_id":"3","matrix":{"extras":{"type":"group'
      ],
      users: ['{"_id":"1","type":"remote","id":"x","data":{}}', '{"_id":"2","type":"pet"}']
    })
    const from = linesIn('room-store.db')
    const refusal = await readNedb(folder).then(() => assert.fail('it was read'), (error: Error) => error.message)
    const named = [...refusal.matchAll(/^(.*\/room-store\.db):(\d+): \S/gm)].map(match => Number(match[2]) - from)
    assert.deepEqual(named, [1, 2, 3, 4, 5, 6])
    assert.match(refusal, /matrix_id/)
    appendFileSync(join(folder, 'user-store.db'), Buffer.from([0x7b, 0xff, 0x7d, 0x0a]))
    cpSync(join(STORE, 'room-store.db'), join(folder, 'room-store.db'))
    const [one, other] = [2, 3].map(number => `user-store\\.db:${linesIn('user-store.db') + number}: `)
    await assert.rejects(readNedb(folder), new RegExp(`${one}.*\n.*${other}it is not JSON`))
  })

  it('is refused where it is not there, and after a crash of its own is told by what is there', async () => {
    const folder = temporaryFolder()
    await assert.rejects(readNedb(folder), /room-store\.db is not there\. Write the folder.*\n.*user-store\.db is not there/)
    const crashed = copy()
    renameSync(join(crashed, 'room-store.db'), join(crashed, 'room-store.db~'))
    await assert.rejects(readNedb(crashed), /room-store\.db~ is, from a crash/)
  })

  it('is not changed by being read', async () => {
    const folder = copy({ rooms: ['{"$$deleted":true,"_id":"gone"}'] })
    const state = (): string[] => ['room-store.db', 'user-store.db'].map(file => join(folder, file))
      .map(file => `${readFileSync(file, 'utf8')} ${statSync(file).mtimeMs}`)
    const before = state()
    await readNedb(folder)
    assert.deepEqual(state(), before)
  })

  it('takes no more memory than the entries that hold, however often they were changed', async function () {
    const folder = copy()
    const line = `{"_id":"1","type":"matrix","id":"@a:b","data":{"displayname":"A","last_check":1,"x":"${'y'.repeat(900)}"}}\n`
    writeFileSync(join(folder, 'user-store.db'), line.repeat(100_000))
    const before = process.memoryUsage().rss
    await readNedb(folder)
    const taken = (process.memoryUsage().rss - before) / MEBIBYTE
    assert.ok(taken < 64, `${taken} MiB for a file of ${100_000 * line.length / MEBIBYTE} MiB`)
    writeFileSync(join(folder, 'user-store.db'), `{"_id":"1","x":"${'y'.repeat(2 * MEBIBYTE)}"}`)
    await assert.rejects(readNedb(folder), /user-store\.db:1: the line is longer than 1048576 bytes/)
  })
})
