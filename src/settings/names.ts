/**
 * Names of function addresses. Promises: all spellings of a name (capitals, composed or decomposed umlauts, ue for ü) fold to the same, so
 * that two addresses which people or servers could confuse are found.
 */

/** The name as the desk uses it: composed, lower case. */
export const canonicalName = (written: string): string => written.normalize('NFC').toLowerCase().normalize('NFC')

const SPELLED: Record<string, string> = { ä: 'ae', ö: 'oe', ü: 'ue', ß: 'ss', æ: 'ae', ø: 'oe', œ: 'oe', ł: 'l', đ: 'd' }

/** The name in ASCII, as in German passports; other marks are dropped. Undefined if it has letters without such a spelling. */
export const transliterated = (name: string): string | undefined => {
  const plain = Array.from(canonicalName(name), letter => SPELLED[letter] ?? letter).join('').normalize('NFKD').replaceAll(/\p{M}/gu, '')
  return /^[a-z0-9._-]+$/.test(plain) ? plain : undefined
}

/** A name for ids of rooms, of a–z, 0–9 and -. */
export const slugOf = (ascii: string): string => ascii.toLowerCase().replaceAll(/[^a-z0-9]+/g, '-').replaceAll(/^-+|-+$/g, '')

/** The same for all spellings of a name. */
export const folded = (name: string): string => transliterated(name) ?? canonicalName(name.normalize('NFKC'))

/** The same for names that differ only in capitals or letter width. */
export const caseless = (name: string): string => name.normalize('NFKC').toLowerCase()

/** Each word with a capital: what people see if there is no other title. */
export const capitalized = (name: string): string => name.split(/[._-]+/).filter(word => word !== '')
  .map(word => word[0]!.toUpperCase() + word.slice(1)).join(' ')
