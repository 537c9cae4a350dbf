/** What a command needs after its word, with an example for whoever left it out. */
import type { FunctionAddress } from './address'
import { spellingOf, type Word } from './commands'
import { DESK_TEXTS } from './texts'

const EXAMPLES: Record<'de' | 'en', Partial<Record<Word, string>>> = {
  de: {
    say: 'Guten Tag …', note: 'ruft morgen an', assign: 'Bernd', search: 'Reisepass', filed: '2026-117', duty: 'aus',
    new: '+491701234567 Guten Tag …', consent: '+491701234567 mündlich am 3.5.'
  },
  en: {
    say: 'Good morning …', note: 'calls tomorrow', assign: 'Bernd', search: 'passport', filed: '2026-117', duty: 'off',
    new: '+491701234567 Good morning …', consent: '+491701234567 by word on 3 May'
  }
}

/** Undefined if nothing is missing. A command about a person needs the person and something after that. */
export const lacks = ({ language }: FunctionAddress, word: Word, rest: string): string | undefined => {
  const example = EXAMPLES[language][word]
  const needed = word === 'new' || word === 'consent' ? /\S\s+\S/ : /\S/
  return example === undefined || needed.test(rest) ? undefined : DESK_TEXTS[language].lacks(`!${spellingOf(word, language)}`, example)
}

/** Behind the number of a case there is nothing. */
export const lacksWords = ({ language }: FunctionAddress, number: number): string =>
  DESK_TEXTS[language].lacks(`#${number}`, EXAMPLES[language].say ?? '')
