/**
 * What phones send when somebody reacts to an SMS: a text that says so and quotes the message, in the language of the phone. Which message it
 * is, and so whether it is a reaction at all, only the store can tell.
 */
import type { MessageArrival } from '../../model/message'

type Reacts = NonNullable<MessageArrival['reacts']>

const QUOTED = '[“„"»«](?<to>[^]{1,1600}?)(?:…|\\.\\.\\.)?[”“"«»]'
const SIGN = '(?<sign>\\S{1,20})'
const IS_SIGN = /\p{Extended_Pictographic}|\p{Regional_Indicator}|\u20E3/u
/** Around what Google's app says, so that it knows it again. */
const MARKS = /[\u200A\u200B\u200C\u2060\uFEFF]/g

const LIKE = '👍', LOVE = '❤', DISLIKE = '👎', LAUGH = '😂', EMPHASIS = '‼', QUESTION = '❓'

/** [words around the quotation {q} and the sign {s}, the sign if it is always the same] */
const FORMS: [form: string, sign?: string][] = [
  ['Liked {q}', LIKE], ['Loved {q}', LOVE], ['Disliked {q}', DISLIKE], ['Laughed at {q}', LAUGH], ['Emphasi[sz]ed {q}', EMPHASIS],
  ['Questioned {q}', QUESTION],
  ['Reacted {s} to {q}'], ['Reacted with {s} to {q}'], ['{s} to {q}'],
  ['Gefällt {q}', LIKE], ['Hat {q} geliked', LIKE], ['Gefällt {q} nicht', DISLIKE], ['(?:Hat )?{q} ein Herz hinzugefügt', LOVE],
  ['(?:Hat )?{q} ein Lachen hinzugefügt', LAUGH], ['(?:Hat )?{q} ein Ausrufezeichen hinzugefügt', EMPHASIS],
  ['(?:Hat )?{q} ein Fragezeichen hinzugefügt', QUESTION], ['(?:Hat )?(?:mit )?{s} auf {q}(?: reagiert)?'], ['Reagierte? mit {s} auf {q}'],
  ['{s} zu {q}']
]
const REMOVALS = ['Removed (?:an? (?:like|heart|dislike|laugh|exclamation|question mark)|\\S{1,20}) from {q}', '\\S{1,20} removed from {q}',
  '(?:Hat )?(?:(?:ein|das) )?(?:Herz|Lachen|Ausrufezeichen|Fragezeichen|\\S{1,20}) (?:von|aus) {q} entfernt']

const written = (form: string): RegExp => new RegExp(`^${form.replace('{q}', () => QUOTED).replace('{s}', () => SIGN)}$`, 'u')

const ADDED = FORMS.map(([form, sign]) => ({ form: written(form), sign }))
const REMOVED = REMOVALS.map(written)

/** What the text would be as a reaction; undefined if it has no such form. */
export const reactsIn = (text: string): Reacts | undefined => {
  const said = text.replace(MARKS, '').trim()
  for (const form of REMOVED) {
    const to = form.exec(said)?.groups?.to
    if (to !== undefined) return { to, emojis: [] }
  }
  for (const { form, sign } of ADDED) {
    const { to, sign: shown = sign } = form.exec(said)?.groups ?? {}
    if (to !== undefined && shown !== undefined && IS_SIGN.test(shown)) return { to, emojis: [shown] }
  }
  return undefined
}
