/**
 * A map of at most `max` entries that many people share, so that nobody crowds out the others. When it is full, the group with the most
 * entries (people of one server, writers in one room) loses one: the oldest of the owner who has the most in it.
 */

/** `group` counts before `owner`: anybody can have many names, but not many servers. */
export interface Owner { group: string, owner: string }

export interface Shares<V> {
  readonly size: number
  get (key: string): V | undefined
  has (key: string): boolean
  /** Adds a value as the newest. Returns the value that had to go. */
  put (key: string, of: Owner, value: V): V | undefined
  delete (key: string): V | undefined
  entries (): IterableIterator<[key: string, value: V]>
}

type Keys = Set<string> // oldest first

const largest = <K, V extends { size: number }>(all: Map<K, V>, sizeOf: (one: V) => number): V | undefined => {
  let found: V | undefined
  for (const one of all.values()) if (found === undefined || sizeOf(one) > sizeOf(found)) found = one
  return found
}

interface Group { size: number, owners: Map<string, Keys> }

export const makeShares = <V>(max: number): Shares<V> => {
  const values = new Map<string, V>()
  const owned = new Map<string, Owner>()
  const groups = new Map<string, Group>()

  const remove = (key: string): V | undefined => {
    const of = owned.get(key)
    const value = values.get(key)
    if (of === undefined) return undefined
    values.delete(key)
    owned.delete(key)
    const group = groups.get(of.group)!
    const keys = group.owners.get(of.owner)!
    keys.delete(key)
    group.size--
    if (keys.size === 0) group.owners.delete(of.owner)
    if (group.size === 0) groups.delete(of.group)
    return value
  }

  const oldestOfMost = (): string => {
    const group = largest(groups, one => one.size)!
    return largest(group.owners, one => one.size)!.values().next().value!
  }

  return {
    get size () { return values.size },
    get: key => values.get(key),
    has: key => values.has(key),
    put (key, of, value) {
      remove(key)
      let group = groups.get(of.group)
      if (group === undefined) groups.set(of.group, group = { size: 0, owners: new Map() })
      let keys = group.owners.get(of.owner)
      if (keys === undefined) group.owners.set(of.owner, keys = new Set())
      keys.add(key)
      group.size++
      owned.set(key, of)
      values.set(key, value)
      return values.size > max ? remove(oldestOfMost()) : undefined
    },
    delete: remove,
    entries: () => values.entries()
  }
}
