import assert from 'node:assert/strict'
import { CHANGE_EVERY_MS, CHANGES_AT_ONCE, GRACE_MS, type Halls, makeHalls, SPEAKER_MS } from '../../../src/bridge/halls'
import type { Clock } from '../../../src/lib/clock'
import type { MirrorPlace, Place } from '../../../src/model/address'
import type { Sender } from '../../../src/model/message'
import type { Directory, Mirror } from '../../../src/plan/directory'

const MIRRORS = 10_000
const PEOPLE = 10 // in each

describe('who is in the halls', () => {
  let now = 0
  let looks = 0 // at halls and members
  const place = (n: number): Place => ({ network: 'red', id: `room ${n}` })
  const person = (id: string, name = id): Sender => ({ id, name })

  const town = (count: number): Halls => {
    const mirrors = new Map(Array.from({ length: count }, (_, n): [string, { mirror: Mirror, here: MirrorPlace }] => {
      const here = { place: { id: place(n).id, get network () { looks++; return 'red' } } }
      return [place(n).id, { mirror: { name: `mirror ${n}`, membersMax: 100, places: [here] }, here }]
    }))
    const directory: Pick<Directory, 'mirrorAt'> = { mirrorAt: ({ id }) => mirrors.get(id) }
    const clock: Pick<Clock, 'tick'> = { tick () { looks++; return now } }
    const halls = makeHalls(directory as Directory, clock as Clock)
    for (let n = 0; n < count; n++) {
      const members = [...Array.from({ length: PEOPLE }, (_, one) => person(`${n}/${one}`)), ...n < 3 ? [person('anna')] : []]
      halls.take(place(n), { kind: 'all', members, others: 'left' })
    }
    return halls
  }
  const aged = (halls: Halls): string[] => halls.age().map(({ name }) => name)
  beforeEach(() => { now = 1_000 })

  it('finds where somebody is, and whom time has changed, without a look at all people of all mirrors', () => {
    const halls = town(MIRRORS)
    looks = 0
    assert.deepEqual(halls.of({ network: 'red', id: 'anna' }).map(({ id }) => id), ['room 0', 'room 1', 'room 2'])
    halls.spoke(place(7), person('7/1'))
    assert.deepEqual(aged(halls), [])
    assert.ok(looks < 100, `${looks} looks`)
    halls.take(place(8), { kind: 'went', id: '8/1', how: 'lost' })
    assert.deepEqual(halls.forget({ network: 'red', id: 'anna' }).length, 3)
    assert.deepEqual(halls.of({ network: 'red', id: 'anna' }), [])
    now += 1_000
    looks = 0
    assert.deepEqual(aged(halls), [])
    assert.ok(looks < 100, `${looks} looks`)
  })

  it('changes each of them when its time has come, and no later', () => {
    const halls = town(3)
    assert.deepEqual(aged(halls), [])
    now += 10
    halls.spoke(place(0), person('0/1'))
    halls.take(place(1), { kind: 'went', id: '1/1', how: 'lost' })
    for (let n = 0; n <= CHANGES_AT_ONCE; n++) halls.take(place(2), { kind: 'came', member: person('2/1', `name ${n}`) })
    assert.deepEqual([aged(halls), halls.memberAt(place(2), '2/1')?.name], [[], `name ${CHANGES_AT_ONCE - 1}`])
    now += CHANGE_EVERY_MS
    assert.deepEqual([aged(halls), halls.memberAt(place(2), '2/1')?.name], [['mirror 2'], `name ${CHANGES_AT_ONCE}`])
    now = 1_000 + GRACE_MS
    assert.deepEqual(aged(halls), ['mirror 0', 'mirror 1', 'mirror 2']) // it is known for long enough who is there
    assert.notEqual(halls.memberAt(place(1), '1/1'), undefined)
    now += 10
    assert.deepEqual([aged(halls), halls.memberAt(place(1), '1/1')], [['mirror 1'], undefined])
    now = 1_000 + SPEAKER_MS
    assert.deepEqual(aged(halls), ['mirror 0', 'mirror 1', 'mirror 2'])
    now += 10
    assert.deepEqual(aged(halls), ['mirror 0'])
    assert.equal(halls.membersAt(place(0))?.some(({ spokeAt }) => spokeAt !== undefined), false)
  })
})
