import assert from 'node:assert/strict'
import { makeObstacles, notYet } from '../../../../../src/networks/xmpp/muc/obstacles'
import type { Occupant } from '../../../../../src/networks/xmpp/muc/occupant'
import type { Room } from '../../../../../src/networks/xmpp/muc/room'

const room = (id: string, visit = 0): Room => ({ id, visit } as Room)

describe('what keeps us out of rooms', () => {
  const stage = () => {
    const told: [boolean, string | undefined, boolean][] = []
    return { told, ...makeObstacles((...how) => { told.push(how) }) }
  }

  it('is there from the start, and before all rooms are tried Zentrale is not ready', () => {
    const { told, outside, gone, tell } = stage()
    const [hall, yard] = [room('hall'), room('yard')]
    for (const one of [hall, yard]) outside(one, notYet(one))
    tell()
    gone(hall)
    tell()
    outside(yard, 'the room is full')
    tell()
    assert.deepEqual(told, [
      [false, 'hall: not entered yet', false], [false, 'yard: not entered yet', false], [false, 'yard: the room is full', true]
    ])
  })

  it('is nothing while a room is only being entered that came later, as a portal does, until a try has failed or we were in it', () => {
    const { told, outside, gone, mute, tell } = stage()
    const portal = room('portal')
    tell()
    outside(portal, notYet(portal))
    mute({} as Occupant, 'no voice')
    tell()
    assert.deepEqual(told.at(-1), [false, 'no voice', true])
    outside(portal, 'the room is full')
    tell()
    assert.deepEqual(told.at(-1), [false, 'portal: the room is full', true])
    gone(portal)
    portal.visit = 1
    outside(portal, notYet(portal))
    tell()
    assert.deepEqual(told.at(-1), [false, 'portal: not entered yet', true], 'the link was lost')
  })

  it('is nothing else than what keeps others out', () => {
    const { told, outside, tell } = stage()
    tell()
    const portal = room('portal')
    outside(portal, notYet(portal))
    tell()
    assert.deepEqual(told, [[true, undefined, true], [true, undefined, true]])
  })
})
