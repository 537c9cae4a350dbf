import type { Memory } from '../../../model/network'

/**
 * Up to where a room was read, as remembered: a token of its history, or that we are about to come in. Not the newest stored arrival,
 * because one before it may never have been pushed.
 */
export const positionKey = (room: string): string => `read ${room}`
export const COMING = 'coming'

/** All that is said from now on in a room that we are about to come into is ours to carry. */
export const beginsNow = async (memory: Memory, room: string): Promise<void> => {
  if (!hasPosition(memory, room)) await memory.set(positionKey(room), COMING)
}

/** We are out: once we come in again, only what is said from then on is ours to carry. */
export const beginsAnew = (memory: Memory, room: string): Promise<void> => memory.set(positionKey(room), COMING)

export const forgetPosition = (memory: Memory, room: string): Promise<void> => memory.delete(positionKey(room))

export const hasPosition = (memory: Memory, room: string): boolean => memory.get(positionKey(room)) !== undefined

export const isComing = (memory: Memory, room: string): boolean => memory.get(positionKey(room)) === COMING
