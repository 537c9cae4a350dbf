import assert from 'node:assert/strict'
import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { SPELLINGS, wordOf, type Word } from '../../../src/desk/commands'
import { DESK_TEXTS } from '../../../src/desk/texts'

const PAGE = readFileSync(join(__dirname, '../../../docs/team.md'), 'utf8')

/** What is written behind each `!`. */
const namedIn = (text: string): Set<Word | undefined> => new Set(Array.from(text.matchAll(/!(\p{L}+\??)/gu), ([, spelling]) => wordOf(spelling!)))

describe('commands', () => {
  it('are all in the help and on the page of the team, in both languages', () => {
    const words = new Set(SPELLINGS.map(wordOf).filter(word => word !== undefined))
    const [german = '', english = ''] = PAGE.split('\n## English')
    for (const [language, text] of Object.entries({ german, english, 'help de': DESK_TEXTS.de.help, 'help en': DESK_TEXTS.en.help })) {
      const named = namedIn(text).add('help') // the help need not name itself
      assert.deepEqual([...words].filter(word => !named.has(word)), [], `${language}: ${text.slice(0, 40)}`)
    }
  })
})
