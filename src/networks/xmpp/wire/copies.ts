/**
 * A room sends each message to every occupant of ours. What differs from the stanza before only in whom it is to is not read anew: with ninety
 * occupants, that took as long as all else. Only what the parser has read without fault is remembered, so a copy means the same. Of a copy that
 * nobody heeds, no more than the address is read.
 */
import type { Element } from './xml'

/** Longer stanzas are not remembered. */
const CHARS_MAX = 64 * 1024
const TO_CHARS_MAX = 3071 // RFC 7622 §3.1
const NAME = /<[^ \t\r\n/>]+/y
const ATTRIBUTE = /[ \t\r\n]+([^ \t\r\n/>='"&]+)[ \t\r\n]*=[ \t\r\n]*(?:'[^']*'|"[^"]*")/y
const TO_DECODE = /[<&\t\r\n]/

/** Whether a copy of this stanza for that address changes nothing. */
export type Heedless = (original: Element, to: string) => boolean

export interface Copies {
  /** A copy of the last stanza at this place, whole, and where it ends. Without `element`, nobody heeds it. */
  find (data: string, at: number): { element?: Element, end: number } | undefined
  /** The stanza that was read, and its text from its first character to its last; '' if that is not known. */
  remember (text: string, element: Element): undefined
}

/** Where the value of the attribute `to` ends in a tag that is well-formed; 0 if it has none. */
const toEnd = (tag: string): number => {
  NAME.lastIndex = 0
  ATTRIBUTE.lastIndex = NAME.test(tag) ? NAME.lastIndex : 0
  for (let found = ATTRIBUTE.exec(tag); found !== null; found = ATTRIBUTE.exec(tag)) if (found[1] === 'to') return ATTRIBUTE.lastIndex - 1
  return 0
}

export const makeCopies = (heedless: Heedless): Copies => {
  let before = '' // whom it is to, with the quote
  let after = '' // that, from the quote on
  let original: Element | undefined

  return {
    find (data, at) {
      if (original === undefined || !data.startsWith(before, at)) return undefined
      const from = at + before.length
      const end = data.indexOf(after.charAt(0), from)
      if (end < 0 || end - from > TO_CHARS_MAX || !data.startsWith(after, end)) return undefined
      const to = data.slice(from, end)
      if (TO_DECODE.test(to)) return undefined
      if (heedless(original, to)) return { end: end + after.length }
      const attrs = Object.assign(Object.create(null) as object, original.attrs, { to })
      return { element: { ...original, attrs, children: [...original.children] }, end: end + after.length }
    },
    remember (text, element) {
      const end = text.length > CHARS_MAX ? 0 : toEnd(text)
      const start = end === 0 ? 0 : text.lastIndexOf(text.charAt(end), end - 1) + 1
      original = end > 0 && text.slice(start, end) === element.attrs.to ? element : undefined
      before = text.slice(0, start)
      after = text.slice(end)
      return undefined
    }
  }
}
