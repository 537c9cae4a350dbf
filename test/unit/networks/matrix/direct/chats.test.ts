import assert from 'node:assert/strict'
import { makeChats } from '../../../../../src/networks/matrix/direct/chats'
import { makeMemory } from '../../../../support/world'

const OURS = '@amt:x'
const EVA = '@eva:y'

describe('Matrix: what is remembered of direct chats', () => {
  const start = async (...rooms: string[]) => {
    const memory = makeMemory()
    const chats = makeChats(memory, 'matrix', async () => {})
    const place = chats.placeOf(OURS, EVA)
    for (const [index, room] of rooms.entries()) {
      await chats.add(room, place)
      await chats.turnTo(room, place, index + 1)
    }
    return { memory, chats, place }
  }

  it('is all rooms, first the one in which the contact wrote last, however often their words are read', async () => {
    const { chats, place } = await start('!1', '!2', '!3')
    await chats.turnTo('!1', place, 2) // read once more
    assert.deepEqual(chats.rooms(place), ['!3', '!2', '!1'])
    await chats.turnTo('!1', place, 9)
    assert.deepEqual(chats.rooms(place), ['!1', '!3', '!2'])
    assert.deepEqual(chats.of('!2'), { place, ours: OURS, theirs: EVA })
  })

  it('is that the contact has left the last room, and all earlier rooms, in which messages can still be edited', async () => {
    const { chats, place } = await start('!1', '!2', '!3')
    await chats.forget('!3', place, true)
    assert.deepEqual([chats.at(place)?.left, chats.rooms(place), chats.of('!3')], [true, ['!3', '!2', '!1'], undefined])
    await chats.turnTo('!4', place, 9)
    assert.deepEqual([chats.at(place)?.left, chats.rooms(place)], [undefined, ['!4', '!3', '!2', '!1']])
  })

  it('is nothing of a room that is over, and nothing at all when all are', async () => {
    const { memory, chats, place } = await start('!1', '!2')
    await chats.forget('!2', place, false)
    assert.deepEqual([chats.rooms(place), chats.all(place)], [['!1'], ['!1']])
    await chats.forget('!1', place, false)
    assert.deepEqual(memory.keys(''), [])
  })
})
