/** The words by which a person ends everything, or has it again, wherever they write to us alone. */

const STOP = new Set(['STOP', 'STOPP', 'STOPALL', 'ABMELDEN', 'ABBESTELLEN', 'UNSUBSCRIBE', 'OPTOUT', 'СТОП'])
const START = new Set(['START', 'UNSTOP'])
/** Said beside it they change nothing. */
const BESIDE = new Set(['BITTE', 'PLEASE', 'SOFORT', 'JETZT', 'NOW', 'ALL', 'ALLE', 'ALLES'])
const WORDS_CHARACTERS_MAX = 100
const QUOTED_CHARACTERS_MAX = 20_000

/** What is neither letter nor digit, and what cannot be seen, is no part of a word: `!stop`, `“Stop!”`, `STOP 🛑`. */
const wordsIn = (text: string): string[] => text.normalize('NFKD').replace(/[\p{Cf}\p{M}]/gu, '').toUpperCase()
  .split(/[^\p{L}\p{N}]+/u).filter(word => word !== '')

/** Behind what apps quote of the message that is answered. */
const behindQuotations = (text: string): string => text.replace(/^(?:>[^\n]*\n)+/, '')

/** “S T O P”, “opt-out” */
const joined = (words: string[]): string[] => words.length > 1 && (words.every(word => word.length === 1) || words.join('') === 'OPTOUT')
  ? [words.join('')]
  : words

/** Only the whole message counts: "Stopp, ich komme später" ends nothing. */
export const consentWord = (text: string): 'stop' | 'start' | undefined => {
  const said = text.length > QUOTED_CHARACTERS_MAX ? text : behindQuotations(text).trim()
  if (said.length > WORDS_CHARACTERS_MAX) return undefined
  const words = joined(wordsIn(said)).filter(word => !BESIDE.has(word))
  if (words.length === 0) return undefined
  return words.every(word => STOP.has(word)) ? 'stop' : words.every(word => START.has(word)) ? 'start' : undefined
}
