import assert from 'node:assert/strict'
import { makeMissing } from '../../../../../src/networks/matrix/rooms/missing'

interface Entry { name: string; tried?: boolean }

const stage = () => {
  const told: [boolean, string | undefined, boolean][] = []
  const missing = makeMissing<Entry>(({ name }) => name, ({ tried }) => tried === true, (...how) => { told.push(how) })
  return { missing, told }
}

describe('the rooms that Zentrale is not in', () => {
  it('count from the start, and before all are tried Zentrale is not ready', () => {
    const { missing, told } = stage()
    const [hall, yard]: Entry[] = [{ name: '#hall' }, { name: '#yard' }]
    missing.note(hall!, true).note(yard!, true).show()
    hall!.tried = true
    missing.note(hall!, false).show()
    yard!.tried = true
    missing.note(yard!, true).show()
    missing.note(yard!, false).show()
    assert.deepEqual(told, [
      [false, 'not in #hall, #yard', false], [false, 'not in #yard', false], [false, 'not in #yard', true], [true, undefined, true]
    ])
  })

  it('do not count while they are only being made, as a portal is, until a try has failed; and what waits for one hears when we are in', () => {
    const { missing, told } = stage()
    missing.show()
    const [portal, other]: Entry[] = [{ name: '#portal' }, { name: '#other' }]
    missing.note(portal!, true).show()
    assert.equal(told.length, 0)
    missing.note(portal!, false).show()
    missing.note(other!, true).show()
    missing.note(other!, false).show()
    assert.ok(told.length >= 2 && told.every(([isUp, why, isReady]) => isUp && why === undefined && isReady), JSON.stringify(told))
    const before = told.length
    missing.note(other!, true)
    other!.tried = true
    missing.show()
    assert.deepEqual(told.slice(before), [[false, 'not in #other', true]])
  })
})
