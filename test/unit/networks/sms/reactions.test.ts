import assert from 'node:assert/strict'
import { reactsIn } from '../../../../src/networks/sms/reactions'
import { slowness } from '../../../support/linear'

describe('what phones send for a reaction', () => {
  it('is read in English and German, from iPhones and Android', () => {
    for (const [text, to, ...emojis] of [
      ['Liked “Bis morgen”', 'Bis morgen', '👍'], ['Loved "Bis morgen"', 'Bis morgen', '❤'], ['Disliked “x”', 'x', '👎'],
      ['Laughed at “x”', 'x', '😂'], ['Emphasised “x”', 'x', '‼'], ['Emphasized “x”', 'x', '‼'], ['Questioned “x”', 'x', '❓'],
      ['Reacted 🎉 to “Wir\nkommen”', 'Wir\nkommen', '🎉'], ['\u200A👍\u200B to “Bis morgen”', 'Bis morgen', '👍'],
      ['Gefällt „Bis morgen“', 'Bis morgen', '👍'], ['Gefällt „x“ nicht', 'x', '👎'], ['„x“ ein Herz hinzugefügt', 'x', '❤'],
      ['Hat „x“ ein Lachen hinzugefügt', 'x', '😂'], ['Hat „x“ geliked', 'x', '👍'], ['Hat mit 🎉 auf „x“ reagiert', 'x', '🎉'],
      ['👍 auf „er sagte „ja““', 'er sagte „ja“', '👍'], ['Liked “Eine lange Nachri…”', 'Eine lange Nachri', '👍'],
      ['Removed a like from “x”', 'x'], ['Removed 🎉 from “x”', 'x'], ['Herz von „x“ entfernt', 'x']
    ] as [string, string, ...string[]][]) assert.deepEqual(reactsIn(text), { to, emojis }, text)
  })

  it('is nothing else that people write', () => {
    const texts = [
      'Liked an image', 'I liked “x”', 'Liked “x” a lot', 'Gefällt mir', 'abc to “x”', '“x”', '', 'Bis morgen 👍', 'Reacted badly to “x”'
    ]
    for (const text of texts) assert.equal(reactsIn(text), undefined, text)
  })

  for (const form of ['Liked “', '👍 to “', 'Hat „', '“'.repeat(50)]) {
    it(`takes no long time to be told from what only looks like it: ${form}`, async () => {
      assert.equal(await slowness(times => reactsIn(form + 'a”'.repeat(5000 * times) + '!')), undefined)
    })
  }
})
