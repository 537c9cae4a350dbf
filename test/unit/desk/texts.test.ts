import assert from 'node:assert/strict'
import { DESK_TEXTS } from '../../../src/desk/texts'

const TOPIC_CHARACTERS_MAX = 140 // more is cut off, or fills the screen

describe('the desk\'s texts', () => {
  for (const [language, texts] of Object.entries(DESK_TEXTS)) {
    it(`keep the topics of rooms to one short line (${language})`, () => {
      for (const topic of [texts.queueTopic, texts.topic(1234, 'Bürgerbüro', 'eva.mustermann@example.org', 'XMPP')]) {
        assert.doesNotMatch(topic, /\n/)
        assert.ok(topic.length <= TOPIC_CHARACTERS_MAX, topic)
        assert.match(topic, language === 'de' ? /!hilfe$/ : /!help$/)
      }
    })
  }
})
