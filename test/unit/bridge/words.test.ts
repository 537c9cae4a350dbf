import assert from 'node:assert/strict'
import fc from 'fast-check'
import { splitText } from '../../../src/bridge/adapt'
import { consentWord } from '../../../src/bridge/words'
import { cleanName, NAME_CHARACTERS_MAX, personaOf } from '../../../src/bridge/people'

const HOSTILE_MS_MAX = 1500

const anyText = fc.string({ unit: 'binary' })

describe('what the bridge does to words', () => {
  it('splits a text into parts that fit, and loses nothing but white space at the joints', () => {
    fc.assert(fc.property(fc.string({ unit: 'grapheme', maxLength: 400 }), fc.integer({ min: 70, max: 200 }), (text, max) => {
      const parts = splitText(text, max)
      assert.ok(parts.every(part => Buffer.byteLength(part) <= max))
      assert.equal(parts.join('').replace(/\s/gu, ''), text.replace(/\s/gu, ''))
    }))
  })

  it('splits at words, and never inside what people see as one character', () => {
    assert.deepEqual(splitText('eins zwei drei vier', 10), ['eins zwei', 'drei vier'])
    const family = '👨‍👩‍👧‍👦'
    assert.deepEqual(splitText(family.repeat(3), 60), [family.repeat(2), family])
  })

  it('splits what stands for unreadable letters as any other letters', () => {
    assert.deepEqual(splitText('\uFFFD'.repeat(10), 12), ['\uFFFD'.repeat(4), '\uFFFD'.repeat(4), '\uFFFD'.repeat(2)])
    assert.deepEqual(splitText('aä'.repeat(5), 4), ['aäa', 'äa', 'äa', 'äa', 'ä'])
  })

  it('splits any text, even one that is not well formed, and ends', () => {
    fc.assert(fc.property(anyText, fc.integer({ min: 4, max: 50 }), (text, max) => { splitText(text, max) }))
  })

  it('splits a text that is as long as a stanza may be in no time', () => {
    const began = performance.now()
    assert.ok(splitText('ü'.repeat(500_000), 660).length > 1000)
    assert.ok(performance.now() - began < HOSTILE_MS_MAX)
  })

  it('takes only a whole message for STOP or START', () => {
    for (const text of ['STOP', 'stopp', ' Stopp! ', 'STOP.', '"stop"', 'Abmelden']) assert.equal(consentWord(text), 'stop', text)
    const spelt = ['!stop', '/stop', '*Stopp*', '„Stop“', 'S T O P', 's.t.o.p', 'Stop bitte!', 'bitte stop', 'STOP STOP STOP',
      'STOP 🛑', 'st\u200bop', 'ｓｔｏｐ', 'opt-out', 'стоп', '> Guten Tag\n> und Tschüß\nStop', 'Stop all', 'S\u0327top']
    for (const text of spelt) assert.equal(consentWord(text), 'stop', text)
    for (const text of ['Start', 'START!', 'unstop']) assert.equal(consentWord(text), 'start', text)
    for (const text of ['Stopp bitte nicht', 'STOP it', 'nonstop', '', 'halt', 'Ende', 'x'.repeat(100_000),
      'Stopp, ich komme später', 'bitte', 'Start stop', '> Stop\nNein', 'Bitte nicht']) {
      assert.equal(consentWord(text), undefined)
    }
  })

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
