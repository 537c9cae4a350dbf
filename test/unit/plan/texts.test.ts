import assert from 'node:assert/strict'
import { defaultTexts } from '../../../src/desk/automatic'
import { closesText } from '../../../src/desk/retired'
import { fill } from '../../../src/desk/templates'
import { CODING } from '../../../src/networks/sms/data-coding'
import { segment } from '../../../src/networks/sms/segments'
import { spelledPlainly } from '../../../src/networks/sms/send'
import { type Language, TEXTS } from '../../../src/plan/texts'
import { addressOn } from '../../support/address'

const NAME = 'Bürgerbüro Mitte'
const WHERE = 'Eva Mustermann (XMPP)'
const EXCERPT = 'Guten Tag, ich hätte gern einen Termin…' // as much as is quoted
const FILE = 'Antrag-2026.pdf'

/** All that Zentrale says to phones by itself. A greeting outside the hours also has the absence text, and may be two. */
const toPhones = (language: Language): string[] => {
  const texts = TEXTS[language]
  const automatic = defaultTexts(language, { privacy: 'https://www.example.org/datenschutz', retentionDays: 365, reach: ['buero@chat.example.org'] })
  const values = { address: NAME, contact: 'Eva', opening: language === 'de' ? 'Mittwoch, 30. September, 9:00 Uhr' : 'Wednesday, 30 September, 9:00' }
  return [
    texts.stopped, texts.started, texts.ended, texts.left(WHERE), texts.returned(WHERE), texts.isBack(WHERE), texts.isOut(WHERE),
    texts.isEncrypted(WHERE), texts.stays(WHERE),
    texts.unknown(WHERE, EXCERPT), texts.reacted('+1', WHERE, EXCERPT),
    ...[texts.refused, texts.gaveUp, texts.tooLong, texts.rests].map(why => texts.failed(WHERE, EXCERPT, why)),
    texts.instead(FILE, undefined),
    ...([undefined, 'gone', 'large', 'forbidden', 'unreachable', 'broken'] as const).map(why => texts.noFile(FILE, why, false)),
    texts.notCarried('call'), texts.notCarried('kind'),
    ...Object.values(automatic).map(one => fill(one, values)),
    closesText({ ...addressOn(['sms'], []), language, profile: { name: NAME, about: '' } })
  ]
}

describe('texts on phones', () => {
  for (const language of ['de', 'en'] as const) {
    it(`fit into one SMS each, in the characters that every phone has (${language})`, () => {
      const costly = toPhones(language).map(spelledPlainly).filter(text => {
        const { texts, dataCoding } = segment(text)
        return texts.length > 1 || dataCoding !== CODING.standard
      })
      assert.deepEqual(costly.map(text => `${text.length}: ${text}`), [])
    })
  }
})
