/** The tables in test/support/bifrost/postgres.sql were made and filled by matrix-bifrost 1.0.3 itself, with the same as its NeDB files there. */
import assert from 'node:assert/strict'
import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { Client } from 'pg'
import { type Postgres, startPostgres } from '../../sandbox/servers/postgres'
import { type FormerStore, prefixOf } from '../../src/import/bifrost/former'
import { readNedb } from '../../src/import/bifrost/nedb'
import { readPostgres } from '../../src/import/bifrost/postgres'
import { needs, scratch } from '../support/real'
import { temporaryFolder } from '../support/folder'

const FOLDER = join(__dirname, '../support/bifrost')
const TABLES = readFileSync(join(FOLDER, 'postgres.sql'), 'utf8')
const MANY = 2500

describe('the PostgreSQL store of matrix-bifrost', () => {
  needs('postgres')
  scratch()
  let postgres: Postgres
  let made = 0
  const open: Client[] = []
  before(async () => { postgres = await startPostgres({ dir: temporaryFolder() }) })
  afterEach(async () => { for (const client of open.splice(0)) await client.end() })
  after(async () => { await postgres?.stop() })

  const query = async (url: string, text: string): Promise<Record<string, unknown>[]> => {
    const client = new Client({ connectionString: url })
    await client.connect()
    try {
      return (await client.query<Record<string, unknown>>(text)).rows
    } finally {
      await client.end()
    }
  }
  /** A database as bifrost left it, changed by `more`. */
  const database = async (more = ''): Promise<string> => {
    const url = await postgres.createDatabase(`bifrost${++made}`)
    await query(url, TABLES + more)
    return url
  }
  /** Without the position in the store. How a room on IRC came about is not in the tables, and does not matter. */
  const sorted = ({ rooms, people }: FormerStore): unknown => ({
    rooms: rooms.map(({ room, protocol, kind, remote }) => [room, protocol, protocol === 'prpl-irc' ? '' : kind, remote].join(' ')).sort(),
    people: people.map(({ mxid, protocol, id, isAccount, name = '' }) => [mxid, protocol, id, isAccount, name].join(' ')).sort()
  })

  it('says the same as the NeDB store, also about plumbed rooms, which it does not mark as such', async () => {
    const store = await readPostgres(await database())
    assert.deepEqual(sorted(store), sorted(await readNedb(FOLDER)))
    assert.equal(store.others, 0)
    assert.doesNotMatch(JSON.stringify(store), /geheim/)
  })

  it('is read whole in pages', async () => {
    const url = await database(`
      INSERT INTO group_rooms
        SELECT '!' || n || ':zentrale.test', 'xmpp-js', n || '@rooms.zentrale.test', false, '{}' FROM generate_series(1, ${MANY}) n;
      INSERT INTO remote_users SELECT '@_bifrost_p' || n || '=40x.y:zentrale.test', 'p' || n || '@x.y', 'xmpp-js' FROM generate_series(1, ${MANY}) n;
      INSERT INTO accounts SELECT '@p' || n || ':zentrale.test', 'xmpp-js', 'p' || n || '@matrix.zentrale.test' FROM generate_series(1, ${MANY}) n;`)
    const { rooms, people } = await readPostgres(url)
    assert.equal(new Set(rooms.map(({ room }) => room)).size, 8 + MANY)
    assert.equal(new Set(people.filter(({ isAccount }) => isAccount).map(({ id }) => id)).size, 2 + MANY)
    assert.equal(new Set(people.filter(person => prefixOf(person, 'zentrale.test') === '_bifrost_').map(({ mxid }) => mxid)).size, 5 + MANY)
  })

  it('is refused whole with each row that is not as bifrost writes it', async () => {
    const url = await database(`
      UPDATE group_rooms SET properties = '"x"' WHERE room_id = '!chat:zentrale.test';
      UPDATE group_rooms SET properties = '[1]' WHERE room_id = '!lager:zentrale.test';`)
    await assert.rejects(readPostgres(url), /group_rooms, !chat:zentrale\.test: properties.*\ngroup_rooms, !lager:zentrale\.test: properties/)
  })

  it('is refused if it is another database, of a later version, or not reached; the password is not shown', async () => {
    await assert.rejects(readPostgres(await postgres.createDatabase('empty')), /there are no tables of matrix-bifrost in this database/)
    await assert.rejects(readPostgres(await database('UPDATE schema SET version = 3;')), /its schema has version 3; known are 1 and 2/)
    const missing = `postgres://postgres:geheim@127.0.0.1:${postgres.port}/missing`
    const refusal = await readPostgres(missing).then(() => assert.fail('it was read'), (error: Error) => error.message)
    assert.match(refusal, /PostgreSQL at 127\.0\.0\.1:\d+\/missing: .*does not exist/)
    assert.doesNotMatch(refusal, /geheim/)
    assert.equal((await readPostgres(await database('DROP TABLE events; UPDATE schema SET version = 1;'))).rooms.length, 8)
  })

  it('is read in a session that cannot write, and who else is connected is counted', async () => {
    const url = await database()
    const bifrost = new Client({ connectionString: url })
    open.push(bifrost)
    await bifrost.connect()
    await query(url, 'ALTER TABLE group_rooms RENAME TO kept')
    await query(url, `CREATE FUNCTION spoil() RETURNS text LANGUAGE sql VOLATILE AS $$ DELETE FROM kept RETURNING room_id $$;
      CREATE VIEW group_rooms AS SELECT spoil() AS room_id, NULL AS protocol_id, NULL AS room_name, false AS gateway, NULL::jsonb AS properties`)
    await assert.rejects(readPostgres(url), /cannot execute DELETE in a read-only transaction/)
    await query(url, 'DROP VIEW group_rooms; ALTER TABLE kept RENAME TO group_rooms')
    assert.equal((await readPostgres(url)).others, 1)
  })
})
