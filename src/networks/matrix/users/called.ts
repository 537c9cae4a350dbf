/** The names of our users, remembered; and which ghosts a name calls, with or without the label of their network. */
import { folded, withoutLabel } from '../../../model/mention'
import type { Memory } from '../../../model/network'

const NAME_KEY = 'name '
const ENOUGH = 2

export interface Called {
  /** Its presence says: registered, with a device. */
  nameOf (mxid: string): string | undefined
  /** This is its name now; without one, it is forgotten. */
  learn (mxid: string, name: string | undefined): Promise<void>
  /** The one of this name for whom `isHere` holds; undefined if there is none, or several. */
  find (name: string, isHere: (mxid: string) => boolean): string | undefined
}

export const makeCalled = (memory: Memory): Called => {
  const called = new Map<string, Set<string>>()
  const nameOf = (mxid: string): string | undefined => memory.get(NAME_KEY + mxid)
  const spellings = (name: string | undefined): string[] => name === undefined ? [] : [folded(name), folded(withoutLabel(name))]
  const add = (mxid: string, name: string | undefined): void => {
    for (const one of spellings(name)) called.set(one, (called.get(one) ?? new Set()).add(mxid))
  }
  const remove = (mxid: string): void => {
    for (const one of spellings(nameOf(mxid))) {
      const all = called.get(one)
      if (all?.delete(mxid) === true && all.size === 0) called.delete(one)
    }
  }
  for (const key of memory.keys(NAME_KEY)) add(key.slice(NAME_KEY.length), memory.get(key))

  return {
    nameOf,
    async learn (mxid, name) {
      remove(mxid)
      add(mxid, name)
      await (name === undefined ? memory.delete(NAME_KEY + mxid) : memory.set(NAME_KEY + mxid, name))
    },
    find (name, isHere) {
      const found: string[] = []
      for (const mxid of called.get(folded(name)) ?? []) if (isHere(mxid) && found.push(mxid) === ENOUGH) return undefined
      return found[0]
    }
  }
}
