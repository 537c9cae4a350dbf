/**
 * What a function address is called. Promises: every way to write its name (capitals, composed or decomposed umlauts, ue for ü)
 * folds to the same, so that two addresses which people or servers could take for one another are found.
 */

/** As the desk knows it: composed, lower case. */
export const canonicalName = (written: string): string => written.normalize('NFC').toLowerCase().normalize('NFC')

const SPELLED: Record<string, string> = { ä: 'ae', ö: 'oe', ü: 'ue', ß: 'ss', æ: 'ae', ø: 'oe', œ: 'oe', ł: 'l', đ: 'd' }

/** In ASCII, the way German passports do it; other marks are dropped. Undefined if letters are left that have no such spelling. */
export const transliterated = (name: string): string | undefined => {
  const plain = Array.from(canonicalName(name), letter => SPELLED[letter] ?? letter).join('').normalize('NFKD').replaceAll(/\p{M}/gu, '')
  return /^[a-z0-9._-]+$/.test(plain) ? plain : undefined
}

/** For names of rooms: of a–z, 0–9 and -. */
export const slugOf = (ascii: string): string => ascii.toLowerCase().replaceAll(/[^a-z0-9]+/g, '-').replaceAll(/^-+|-+$/g, '')

/** What all spellings of a name have in common. */
export const folded = (name: string): string => transliterated(name) ?? canonicalName(name.normalize('NFKC'))

/** What names have in common that differ in capitals or letter width alone. */
export const caseless = (name: string): string => name.normalize('NFKC').toLowerCase()

/** With a capital at each word: what people see where nothing else is said. */
export const capitalized = (name: string): string => name.split(/[._-]+/).filter(word => word !== '')
  .map(word => word[0]!.toUpperCase() + word.slice(1)).join(' ')
