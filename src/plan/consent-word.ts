/** The words that stop all messages to a person (STOP) or start them again (START), wherever they write to us alone. */
import unhomoglyph from 'unhomoglyph'

const STOP = new Set(['STOP', 'STOPP', 'STOPALL', 'ABMELDEN', 'ABBESTELLEN', 'UNSUBSCRIBE', 'OPTOUT', 'СТОП'])
const START = new Set(['START', 'UNSTOP'])
/** Words that may stand beside STOP or START and change nothing. */
const BESIDE = new Set(['BITTE', 'PLEASE', 'SOFORT', 'JETZT', 'NOW', 'ALL', 'ALLE', 'ALLES', 'DANKE', 'THANKS', 'NACHRICHTEN', 'MESSAGES'])
const WORDS_CHARACTERS_MAX = 100
const SIGNED_CHARACTERS_MAX = 200
const QUOTED_CHARACTERS_MAX = 20_000

/** Signs and invisible characters are no part of a word: `!stop`, `“Stop!”`, `STOP 🛑`. */
const wordsIn = (text: string): string[] => text.normalize('NFKD').replace(/[\p{Cf}\p{M}]/gu, '').toUpperCase()
  .split(/[^\p{L}\p{N}]+/u).filter(word => word !== '')

/** The last line that apps append to a message, with its dashes. */
const SIGNATURE = /(?:\n-- ?)?\n+(?:Gesendet (?:von|mit) .{1,60}|Von meinem .{1,40} gesendet|Sent (?:from|with|via) .{1,60})\s*$/i
/** A slip of the shift key: “Stop!!1”. */
const SLIPPED = /(!+)1+(?=\s*$)/

/** Accepts letters of other scripts that look the same, and a repeated last P: “STOPPP”. */
const isOneOf = (known: ReadonlySet<string>, word: string): boolean =>
  [word, unhomoglyph(word).toUpperCase()].some(one => known.has(one) || known.has(one.replace(/P{2,}(?:EN)?$/, 'P')))

/** The text without the quotation of the answered message that apps put in front. */
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
  return words.every(word => isOneOf(STOP, word)) ? 'stop' : words.every(word => isOneOf(START, word)) ? 'start' : undefined
}
