import assert from 'node:assert/strict'
import { makeNamesakes } from '../../../src/plan/namesakes'

describe('plan/namesakes', () => {
  const [here, there] = [{ network: 'red', id: 'hall' }, { network: 'red', id: 'side' }]
  const anna = { network: 'red', id: '@anna' }

  it('remember a name once, at whichever places of the mirror its holder is', () => {
    const names = makeNamesakes([])
    const { claim } = names.called('m', { person: anna, only: here }, 'Anna', false)
    assert.ok(claim !== undefined)
    names.learn(claim)
    for (const only of [there, here]) assert.deepEqual(names.called('m', { person: anna, only }, 'Anna', false), { name: 'Anna' })
    const eve = names.called('m', { person: { network: 'red', id: '@eve' }, only: here }, 'Anna', false)
    assert.match(eve.name, /^Anna ·\w{4}$/)
  })

  it('learn of a name that was remembered before whose place it is of, once', () => {
    const first = makeNamesakes([]).called('m', { person: anna }, 'Anna', false).claim!
    const names = makeNamesakes([[first.key, first.person!]])
    const { name, claim } = names.called('m', { person: anna, only: here }, 'Anna', false)
    assert.equal(name, 'Anna')
    names.learn(claim!)
    assert.equal(names.called('m', { person: anna, only: here }, 'Anna', false).claim, undefined)
    assert.deepEqual([names.freed(there), names.freed(here)], [[], [{ key: first.key, person: undefined }]])
  })
})
