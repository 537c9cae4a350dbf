/** Keys and ranges of keys (Indexed Database API §Keys, §Key range). */

export type Key = number | string | Key[]

export const wrong = (what: string, name: string): DOMException => new DOMException(what, name)

const rank = (key: Key): number => typeof key === 'number' ? 0 : typeof key === 'string' ? 1 : 2

/** Indexed Database API §Compare two keys. */
export const compare = (one: Key, other: Key): number => {
  if (Array.isArray(one) && Array.isArray(other)) {
    const differs = one.findIndex((part, index) => other[index] === undefined || compare(part, other[index]) !== 0)
    const [mine, theirs] = [one[differs], other[differs]]
    return mine === undefined ? one.length - other.length : theirs === undefined ? 1 : compare(mine, theirs)
  }
  return rank(one) - rank(other) || (one < other ? -1 : one > other ? 1 : 0)
}

export const isKey = (value: unknown): value is Key =>
  typeof value === 'string' || (typeof value === 'number' && !Number.isNaN(value)) || (Array.isArray(value) && value.every(isKey))

export const keyOf = (value: unknown): Key => {
  if (!isKey(value)) throw wrong('no key', 'DataError')
  return value
}

interface Bounds { lower?: Key; upper?: Key; lowerOpen?: boolean; upperOpen?: boolean }

export class IDBKeyRange {
  constructor (readonly bounds: Bounds) {}
  static bound = (lower: Key, upper: Key, lowerOpen = false, upperOpen = false): IDBKeyRange =>
    new IDBKeyRange({ lower, upper, lowerOpen, upperOpen })

  static lowerBound = (lower: Key, lowerOpen = false): IDBKeyRange => new IDBKeyRange({ lower, lowerOpen })
  static upperBound = (upper: Key, upperOpen = false): IDBKeyRange => new IDBKeyRange({ upper, upperOpen })
  static only = (key: Key): IDBKeyRange => new IDBKeyRange({ lower: key, upper: key })
}

export type Query = Key | IDBKeyRange | null | undefined

export const fits = (query: Query) => (key: Key): boolean => {
  if (query === undefined || query === null) return true
  if (!(query instanceof IDBKeyRange)) return compare(key, query) === 0
  const { lower, upper, lowerOpen = false, upperOpen = false } = query.bounds
  const above = lower === undefined ? 1 : compare(key, lower)
  const below = upper === undefined ? -1 : compare(key, upper)
  return (lowerOpen ? above > 0 : above >= 0) && (upperOpen ? below < 0 : below <= 0)
}
