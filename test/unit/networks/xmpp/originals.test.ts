import assert from 'node:assert/strict'
import { join } from 'node:path'
import { makeMemory } from '../../../../src/bridge/world'
import { systemClock } from '../../../../src/lib/clock'
import { makeOriginals } from '../../../../src/networks/xmpp/originals'
import { openSqlite } from '../../../../src/store/sqlite'
import { temporaryFolder } from '../../../support/folder'
import { makeWorld } from '../../../support/world'

describe('xmpp originals', () => {
  it('are known over a restart, of their own writer, and those of a stay only as long as it lasts', async () => {
    const world = makeWorld()
    const before = makeOriginals(world)
    before.put('room', 'anna', 'm1', 'first')
    before.put('room', 'anna', 'm1', 'first, again')
    before.put('room', 'room/Gast', 'm2', 'of a stay', true)
    assert.deepEqual([before.find('room', 'room/Gast', 'm2'), before.find('room', 'eva', 'm1')], ['of a stay', undefined])
    before.drop('room', 'room/Gast')
    assert.equal(before.find('room', 'room/Gast', 'm2'), undefined)
    before.put('room', 'room/Gast', 'm2', 'of another', true)
    const after = makeOriginals(world)
    assert.deepEqual([after.find('room', 'anna', 'm1'), after.find('room', 'room/Gast', 'm2')], ['first, again', undefined])
  })

  it('are on disk no later than the message, which is stored next, and cost no commit of their own', async () => {
    const store = openSqlite(join(temporaryFolder(), 'store.db'), systemClock, error => { throw error })
    const memory = await makeMemory(store, 'xmpp')
    const originals = makeOriginals({ ...makeWorld(), memory })
    await store.run(async () => {})
    const before = store.commits()
    for (let i = 0; i < 3; i++) {
      originals.put('room', 'anna', `m${i}`, `key ${i}`)
      const stored = await store.run(tx => tx.remembered('xmpp'))
      assert.equal(stored.length, i + 1)
    }
    assert.equal(store.commits(), before + 3)
    await store.close()
  })

  it('of a place that is forgotten are in no file any more', async () => {
    const [world, chat] = [makeWorld(), 'info@chat.example bernd@town.example']
    const originals = makeOriginals(world)
    for (let i = 0; i < 3; i++) for (const place of ['room', chat]) originals.put(place, 'bernd@town.example', String(i), `${place} ${i}`)
    await originals.forget(chat)
    originals.put('room', 'anna', 'm1', 'new')
    const after = makeOriginals(world)
    assert.deepEqual([after.find(chat, 'bernd@town.example', '1'), after.find('room', 'bernd@town.example', '1'), after.find('room', 'anna', 'm1')],
      [undefined, 'room 1', 'new'])
    assert.ok(world.memory.keys('said').every(key => !world.memory.get(key)!.includes(chat)))
  })

  it('are not more than a fixed number', async () => {
    const world = makeWorld()
    const originals = makeOriginals(world)
    for (let i = 0; i <= 20_000; i++) originals.put('room', 'anna', String(i), String(i))
    for (const one of [originals, makeOriginals(world)]) {
      assert.deepEqual([one.find('room', 'anna', '0'), one.find('room', 'anna', '1')], [undefined, '1'])
    }
  })

  it('of one server, or of one room, take none from those of others, also over a restart', async () => {
    const world = makeWorld()
    const originals = makeOriginals(world)
    originals.put('room@rooms.example', 'anna', 'm1', 'mirrored')
    originals.put('info@chat.example bernd@town.example', 'bernd@town.example', 'm1', 'asked')
    for (let i = 0; i < 25_000; i++) {
      const who = `${i % 300}@s${i % 7}.flood.example`
      originals.put(`info@chat.example ${who}`, who, String(i), String(i))
      originals.put('loud@rooms.example', `loud@rooms.example/${i % 3}`, String(i), String(i), true)
    }
    originals.put('room@rooms.example', 'room@rooms.example/Gast', 'm2', 'passing', true)
    for (let i = 0; i < 6_000; i++) originals.put('loud@rooms.example', 'loud@rooms.example/x', String(i), String(i), true)
    assert.equal(originals.find('room@rooms.example', 'room@rooms.example/Gast', 'm2'), 'passing')
    for (const one of [originals, makeOriginals(world)]) {
      assert.deepEqual([
        one.find('room@rooms.example', 'anna', 'm1'), one.find('info@chat.example bernd@town.example', 'bernd@town.example', 'm1')
      ], ['mirrored', 'asked'])
    }
  })
})
