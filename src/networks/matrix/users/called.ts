/**
 * The names of our users, remembered: in their profile, and in a room where they are called otherwise; and which ghosts a name calls, with or
 * without the label of their network.
 */
import { folded, withoutLabel } from '../../../model/mention'
import type { Memory } from '../../../model/network'

const NAME_KEY = 'name '
const ENOUGH = 2

export interface Called {
  /** The name in its profile. Its presence says: registered, with a device. */
  nameOf (mxid: string): string | undefined
  nameIn (mxid: string, room: string): string | undefined
  isOwnIn (mxid: string, room: string): boolean
  /** This is its name now, in this room alone if one is given; without a name, it is forgotten. */
  learn (mxid: string, name: string | undefined, room?: string): Promise<void>
  /** The one of this name for whom `isHere` holds; undefined if there is none, or several. */
  find (name: string, room: string, isHere: (mxid: string) => boolean): string | undefined
}

export const makeCalled = (memory: Memory): Called => {
  const called = new Map<string, Set<string>>() // keys of names, by the name's spellings
  const keyOf = (mxid: string, room?: string): string => room === undefined ? NAME_KEY + mxid : `called ${room} ${mxid}`
  const mxidOf = (key: string): string => key.slice(key.lastIndexOf(' ') + 1)
  const spellings = (name: string | undefined): string[] => name === undefined ? [] : [folded(name), folded(withoutLabel(name))]
  const add = (key: string, name: string | undefined): void => {
    for (const one of spellings(name)) called.set(one, (called.get(one) ?? new Set()).add(key))
  }
  const remove = (key: string): void => {
    for (const one of spellings(memory.get(key))) {
      const all = called.get(one)
      if (all?.delete(key) === true && all.size === 0) called.delete(one)
    }
  }
  for (const key of [...memory.keys(NAME_KEY), ...memory.keys('called ')]) add(key, memory.get(key))

  const isOwnIn = (mxid: string, room: string): boolean => memory.get(keyOf(mxid, room)) !== undefined

  return {
    isOwnIn,
    nameOf: mxid => memory.get(keyOf(mxid)),
    nameIn: (mxid, room) => memory.get(keyOf(mxid, room)) ?? memory.get(keyOf(mxid)),
    async learn (mxid, name, room) {
      const key = keyOf(mxid, room)
      remove(key)
      add(key, name)
      await (name === undefined ? memory.delete(key) : memory.set(key, name))
    },
    find (name, room, isHere) {
      const found: string[] = []
      for (const key of called.get(folded(name)) ?? []) {
        const mxid = mxidOf(key)
        const counts = key === keyOf(mxid, room) || (key === keyOf(mxid) && !isOwnIn(mxid, room))
        if (counts && isHere(mxid) && found.push(mxid) === ENOUGH) return undefined
      }
      return found[0]
    }
  }
}
