/**
 * Spellings as XMPP servers compare them: stringprep (RFC 3454) with the profiles nodeprep (RFC 3920 appendix A) and nameprep (RFC 3491),
 * strictly in Unicode 3.2. The JavaScript engine knows newer letters, folds more of them, and turns some into older ones. With it, somebody
 * with such a letter in their address would be taken for somebody else.
 */
import { LEFT_TO_RIGHT, UNASSIGNED } from './unicode-3-2'

const SPACES = /[\u00a0\u1680\u2000-\u200b\u202f\u205f\u3000]/gu // table C.1.2
const NOTHING = /[\u00ad\u034f\u1806\u180b-\u180d\u200b-\u200d\u2060\ufe00-\ufe0f\ufeff]/gu // table B.1
const PROHIBITED = new RegExp([ // tables C.1.2 to C.9
  String.raw`[\u00a0\u1680\u2000-\u200b\u202f\u205f\u3000\u0080-\u009f\u06dd\u070f\u180e\u200c-\u200f\u2028-\u202e\u2060-\u2063\u206a-\u206f`,
  String.raw`\u0340\u0341\u2ff0-\u2ffb\ufeff\ufff9-\uffff\ufdd0-\ufdef\u{1d173}-\u{1d17a}\u{e0001}\u{e0020}-\u{e007f}\p{Co}\p{Cs}]`
].join(''), 'u')
const IN_LOCAL = /["&'/:<>@ \p{Cc}]/u // tables C.1.1 and C.2.1, and those of nodeprep itself
const RIGHT_TO_LEFT = new RegExp([ // table D.1
  String.raw`[\u05be\u05c0\u05c3\u05d0-\u05ea\u05f0-\u05f4\u061b\u061f\u0621-\u063a\u0640-\u064a\u066d-\u066f\u0671-\u06d5\u06dd\u06e5\u06e6`,
  String.raw`\u06fa-\u06fe\u0700-\u070d\u0710\u0712-\u072c\u0780-\u07a5\u07b1\u200f\ufb1d\ufb1f-\ufb28\ufb2a-\ufb36\ufb38-\ufb3c\ufb3e\ufb40\ufb41`,
  String.raw`\ufb43\ufb44\ufb46-\ufbb1\ufbd3-\ufd3d\ufd50-\ufd8f\ufd92-\ufdc7\ufdf0-\ufdfc\ufe70-\ufe74\ufe76-\ufefc]`
].join(''), 'u')

/** Five letters that Unicode 3.2 maps wrongly (corrected in 4.0, Corrigendum #4), and a mark that folds to a letter. */
const AS_OF_OLD = new Map([['\u{2f868}', '\u{2136a}'], ['\u{2f874}', '\u5f33'], ['\u{2f91f}', '\u43ab'], ['\u{2f95f}', '\u7aae'],
  ['\u{2f9bf}', '\u4d57'], ['\u0345', '\u03b9']])

/** Table B.2: folds as the engine does, unless the result is newer than Unicode 3.2. ß becomes ss, a final sigma a sigma. */
const foldLetter = (letter: string): string => {
  const old = AS_OF_OLD.get(letter)
  if (old !== undefined) return old
  const lower = letter.toLowerCase()
  const upper = lower.toUpperCase()
  const folded = [...upper].length > 1 ? [...upper].map(one => one.toLowerCase()).join('') : lower === 'ς' ? 'σ' : lower
  return UNASSIGNED.test(folded) ? letter : folded
}

const fold = (text: string): string => Array.from(text, foldLetter).join('')

/** Section 6: text with right-to-left letters must begin and end with one, and contain no left-to-right letter. */
const isOneWay = (text: string): boolean => {
  if (!RIGHT_TO_LEFT.test(text)) return true
  const letters = [...text]
  return !LEFT_TO_RIGHT.test(text) && RIGHT_TO_LEFT.test(letters[0]!) && RIGHT_TO_LEFT.test(letters.at(-1)!)
}

const ASCII = /^[ -~]*$/

/** Folds twice, because normalizing may make a letter that folds too. */
const prep = (text: string): string | undefined => {
  if (ASCII.test(text)) return text.toLowerCase() // all of the rest changes nothing of it, and most addresses are
  if (UNASSIGNED.test(text)) return undefined
  const folded = fold(fold(text.replace(NOTHING, '')).normalize('NFKC')).normalize('NFKC')
  return PROHIBITED.test(folded) || !isOneWay(folded) ? undefined : folded
}

export const nodeprep = (local: string): string | undefined => {
  const prepared = prep(local)
  return prepared === undefined || IN_LOCAL.test(prepared) ? undefined : prepared
}

export const nameprep = prep

/** How a password is spelled before it is proved (RFC 4013 §2). Letters that it forbids are left as they are: then it is wrong or it is not. */
export const saslprep = (password: string): string => password.replace(SPACES, ' ').replace(NOTHING, '').normalize('NFKC')
