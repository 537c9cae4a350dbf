/** The words by which a person ends everything, or has it again, wherever they write to us alone. */
import unhomoglyph from 'unhomoglyph'

const STOP = new Set(['STOP', 'STOPP', 'STOPALL', 'ABMELDEN', 'ABBESTELLEN', 'UNSUBSCRIBE', 'OPTOUT', 'СТОП'])
const START = new Set(['START', 'UNSTOP'])
/** Said beside it they change nothing. */
const BESIDE = new Set(['BITTE', 'PLEASE', 'SOFORT', 'JETZT', 'NOW', 'ALL', 'ALLE', 'ALLES', 'DANKE', 'THANKS', 'NACHRICHTEN', 'MESSAGES'])
const WORDS_CHARACTERS_MAX = 100
const SIGNED_CHARACTERS_MAX = 200
const QUOTED_CHARACTERS_MAX = 20_000

/** What is neither letter nor digit, and what cannot be seen, is no part of a word: `!stop`, `“Stop!”`, `STOP 🛑`. */
const wordsIn = (text: string): string[] => text.normalize('NFKD').replace(/[\p{Cf}\p{M}]/gu, '').toUpperCase()
  .split(/[^\p{L}\p{N}]+/u).filter(word => word !== '')

/** The last line that apps put below a message, with its dashes. */
const SIGNATURE = /(?:\n-- ?)?\n+(?:Gesendet (?:von|mit) .{1,60}|Von meinem .{1,40} gesendet|Sent (?:from|with|via) .{1,60})\s*$/i
/** What slips in where a key was not held long enough: “Stop!!1”. */
const SLIPPED = /(!+)1+(?=\s*$)/

/** As it is meant: letters of other scripts that look the same, and a letter held too long. */
const isOf = (known: ReadonlySet<string>, word: string): boolean =>
  [word, unhomoglyph(word).toUpperCase()].some(one => known.has(one) || known.has(one.replace(/P{2,}(?:EN)?$/, 'P')))

/** Behind what apps quote of the message that is answered. */
const behindQuotations = (text: string): string => text.replace(/^(?:>[^\n]*\n)+/, '')

/** “S T O P”, “opt-out” */
const joined = (words: string[]): string[] => words.length > 1 && (words.every(word => word.length === 1) || words.join('') === 'OPTOUT')
  ? [words.join('')]
  : words

/** Only the whole message counts: "Stopp, ich komme später" ends nothing. */
export const consentWord = (text: string): 'stop' | 'start' | undefined => {
  const said = text.length > QUOTED_CHARACTERS_MAX ? text : behindQuotations(text).trim()
  if (said.length > SIGNED_CHARACTERS_MAX) return undefined
  const alone = said.replace(SIGNATURE, '').replace(SLIPPED, '$1')
  if (alone.length > WORDS_CHARACTERS_MAX) return undefined
  const words = joined(wordsIn(alone)).filter(word => !BESIDE.has(word))
  if (words.length === 0) return undefined
  return words.every(word => isOf(STOP, word)) ? 'stop' : words.every(word => isOf(START, word)) ? 'start' : undefined
}
