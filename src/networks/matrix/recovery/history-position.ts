import type { Memory } from '../../../model/network'

/**
 * How far a room was read, as remembered: a token of its history, or COMING if we are about to come in. The newest stored arrival would not
 * do, because one before it may never have been pushed.
 */
export const positionKey = (room: string): string => `read ${room}`
const COMING = 'coming'

/** We are about to come into this room: all that is said from now on is ours to carry. */
export const beginsNow = async (memory: Memory, room: string): Promise<void> => {
  if (!hasPosition(memory, room)) await memory.set(positionKey(room), COMING)
}

/** We have been in this room for longer than the store knows: what was said before `since` (ms since 1970) is not ours to carry. */
export const beginsAt = async (memory: Memory, room: string, since: number): Promise<void> => {
  if (!hasPosition(memory, room)) await memory.set(positionKey(room), `${COMING} ${since}`)
}

/** We are out of this room: only what is said after we come in again is ours to carry. */
export const beginsAnew = (memory: Memory, room: string): Promise<void> => memory.set(positionKey(room), COMING)

export const forgetPosition = (memory: Memory, room: string): Promise<void> => memory.delete(positionKey(room))

export const hasPosition = (memory: Memory, room: string): boolean => memory.get(positionKey(room)) !== undefined

export const isComing = (memory: Memory, room: string): boolean => comingSince(memory.get(positionKey(room))) !== undefined

/** If we are about to come in: what was said before this time (ms since 1970) is not read. */
export const comingSince = (mark: string | undefined): number | undefined =>
  mark === COMING || mark?.startsWith(`${COMING} `) === true ? Number(mark.slice(COMING.length)) : undefined
