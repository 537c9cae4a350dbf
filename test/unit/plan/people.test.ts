import assert from 'node:assert/strict'
import fc from 'fast-check'
import { cleanName, NAME_CHARACTERS_MAX, personaOf } from '../../../src/plan/people'

const anyText = fc.string({ unit: 'binary' })

describe('how people are shown', () => {
  it('shows names without what cannot be seen, never empty, never too long', () => {
    assert.equal(cleanName('  Anna\u202e\u200b  \u0007Müller\n'), 'Anna Müller')
    assert.equal(cleanName('\u200b\u2060'), '?')
    assert.equal(cleanName('Anna \u200b Müller'), 'Anna Müller', 'a space on both sides of what cannot be seen')
    assert.equal(cleanName('e\u200b\u0301'), 'é', 'one spelling, also of what stood apart')
    fc.assert(fc.property(anyText, text => {
      const name = cleanName(text)
      assert.ok(name.length > 0 && [...new Intl.Segmenter().segment(name)].length <= NAME_CHARACTERS_MAX)
      assert.doesNotMatch(name, /[\p{Cc}\p{Cf}\p{Cs}]/u)
    }))
  })

  it('ends every shown name with the label of the network that the person really speaks from', () => {
    fc.assert(fc.property(anyText, name => {
      assert.ok(personaOf('red', 'Red', { id: 'x', name }).name.endsWith(' (Red)'))
    }))
    assert.equal(personaOf('red', 'Red', { id: 'x', name: 'Bernd (Blue)' }).name, 'Bernd (Blue) (Red)')
  })
})
