/** The words by which a person ends everything, or has it again, where a message may be unwanted. */

const STOP = new Set(['STOP', 'STOPP', 'STOPALL', 'ABMELDEN', 'ABBESTELLEN', 'UNSUBSCRIBE'])
const START = new Set(['START', 'UNSTOP'])
const WORD_CHARACTERS_MAX = 40

/** Only the whole message counts: "Stopp, ich komme später" ends nothing. */
export const consentWord = (text: string): 'stop' | 'start' | undefined => {
  if (text.length > WORD_CHARACTERS_MAX) return undefined
  const word = text.replace(/[\s\p{P}]+/gu, ' ').trim().toUpperCase()
  return STOP.has(word) ? 'stop' : START.has(word) ? 'start' : undefined
}
