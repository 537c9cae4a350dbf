/**
 * In which rooms the users are that stand for people. Of each it is counted in how many, because that is asked whenever one comes into a room,
 * and there may be a hundred thousand.
 */
import type { Memory } from '../../../model/network'

export interface Inside {
  isIn (mxid: string, room: string): boolean
  /** Also one that is leaving. */
  mayBeIn (mxid: string, room: string): boolean
  inRoom (room: string): string[]
  /** Whether it may be in another room too. */
  isElsewhere (mxid: string, room: string | undefined): boolean
  comes (mxid: string, room: string): Promise<void>
  leaves (mxid: string, room: string): Promise<void>
  out (mxid: string, room: string): Promise<void>
}

const START = 'in '
const joinKey = (mxid: string, room: string): string => `${START}${room} ${mxid}`
const mxidOf = (key: string): string => key.slice(key.lastIndexOf(' ') + 1)
const IN = '1'
/** It may be out already: an answer may be lost. */
const LEAVING = 'leaving'

export const makeInside = (memory: Memory): Inside => {
  const rooms = new Map<string, number>() // by user; none are not there
  const count = (mxid: string, more: number): void => {
    const now = (rooms.get(mxid) ?? 0) + more
    if (now > 0) rooms.set(mxid, now)
    else rooms.delete(mxid)
  }
  for (const key of memory.keys(START)) count(mxidOf(key), 1)

  const mayBeIn = (mxid: string, room: string): boolean => memory.get(joinKey(mxid, room)) !== undefined

  const note = async (mxid: string, room: string, how: string): Promise<void> => {
    if (!mayBeIn(mxid, room)) count(mxid, 1)
    await memory.set(joinKey(mxid, room), how)
  }

  return {
    mayBeIn,
    isIn: (mxid, room) => memory.get(joinKey(mxid, room)) === IN,
    inRoom: room => memory.keys(joinKey('', room)).map(mxidOf),
    isElsewhere: (mxid, room) => (rooms.get(mxid) ?? 0) > (room !== undefined && mayBeIn(mxid, room) ? 1 : 0),
    comes: (mxid, room) => note(mxid, room, IN),
    leaves: (mxid, room) => note(mxid, room, LEAVING),
    async out (mxid, room) {
      if (mayBeIn(mxid, room)) count(mxid, -1)
      await memory.delete(joinKey(mxid, room))
    }
  }
}
