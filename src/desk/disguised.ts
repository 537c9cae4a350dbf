/**
 * Text that may be a note or a command, but is not typed as one: with a sign in front of `!` or instead of it, as keyboards and apps make
 * them, or with a label such as “Intern:”. It is neither obeyed nor sent. All lines are as people see them.
 */
import { INSIDE, wordOf, type Word } from './commands'

/** A line that begins with anything but letters, and the word after that. */
const FIRST = /^([^\p{L}]+)(\p{L}[\p{L}\p{M}\p{N}]{0,40})(\?)?(?!['’]?[\p{L}\p{M}\p{N}])/u
/** Apps escape signs, and some take `//` for an escape. */
const ESCAPED = /^[^\p{L}\p{N}]*(?:\\[!/]|\/\/)/u
/** In front of any command. White space only if nothing but the number of a case precedes it, because “24! Frei …” is words. */
const BANG = /!\p{M}*$|^(?:[^\p{N}]|#\s?\d{1,9})*(?:!\s*|\/\p{M}*)$/u
/** In front of a note: any sign but quotation marks, brackets and apostrophes, and the `1`, which is on the key of `!`. */
const SIGN = /(?:[^\p{L}\p{N}\p{M}\s\p{Ps}\p{Pi}\p{Pf}"'\u0060]|(?:^|[^\p{N}])1)\p{M}*$|¡\s*$/u
/** In front of `n`, which begins no sentence. */
const SPACED = /^(?:[^\p{N}]|#\s?\d{1,9})*[^\p{N}\p{M}\s\p{Ps}\p{Pi}\p{Pf}"'\u0060]\p{M}*\s+$/u

/** `n` and `!` the wrong way round, or `1` for `!`. */
const SWAPPED = /^(?:[^\p{L}\p{N}'’#]|#\s?\d{1,9}(?!\d))*n(?:!|1(?=\s*\p{L}))/iu

/** The word with which it begins; `true` if we do not know the word, but an app may have changed the sign. */
export const disguised = (line: string): Word | true | undefined => {
  if (SWAPPED.test(line)) return 'note'
  const [, front = '', written = '', question = ''] = FIRST.exec(line) ?? []
  const spelling = written.normalize('NFC').toLowerCase()
  const word = wordOf(spelling + question) ?? wordOf(spelling)
  const isMeant = word !== undefined &&
    (BANG.test(front) || (INSIDE.has(word) && SIGN.test(front)) || (spelling === 'n' && SPACED.test(front)))
  return isMeant ? word : ESCAPED.test(line) ? word ?? true : undefined
}

const INTERNAL = '(?:[\\p{L}-]{0,20}intern(?:e[rs]?)?|internal(?:ly)?)'
const NOTE = '(?:[\\p{L}-]{0,20}(?:notiz|notizen|vermerk)|notes?|memo|n)'
const LABEL = `(?:(?:nur|only)\\s)?(?:${INTERNAL}\\s)?(?:${INTERNAL}|${NOTE})(?:\\s(?:an|für|fürs|von|to|for|from)\\s[^:\\n]{1,40})?`
const LABELLED = new RegExp(`^[^\\p{L}]*(?:${LABEL}[\\s*_~\`"\\p{Pe}\\p{Pf}]{0,5}:(?![-()])|(?<=[\\p{Ps}<])${LABEL}[:.!]?\\s?[\\p{Pe}>])`, 'iu')

/** “Intern Tom will call you” and “Internal medicine …” are sentences. */
const SHOUTED = /^[^\p{L}]*(?:INTERN(?:AL)?(?![\p{L}\p{M}-])|intern(?=\s\p{L})|[Ii]ntern(?:al)?(?=\s?[,;–—!]|\s-))/u
const FURTHER = /^[^\p{L}]*(?:(?:in|als|zur|eine|meine|kurze|kleine|nur|die|für|as|an?|my|private|quick)\s){1,3}(?:notiz|vermerk|note|memo)\s?:/iu

/** Whether a label calls it a note: “Notiz: …”, “(intern) …”, “INTERN …”, “In Notiz: …”. */
export const isLabelled = (line: string): boolean => LABELLED.test(line) || SHOUTED.test(line) || FURTHER.test(line)
