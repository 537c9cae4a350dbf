/**
 * Invitations that are not taken yet. Ghosts are too many to ask the homeserver about them after a crash. And whoever came in, and was stopped
 * before it knew whether the room is a direct chat, is invited no longer: it looks again.
 */
import type { Memory } from '../../../model/network'

/** `direct`: the inviter says that it is a direct chat. `at`: when, ms; 0 if not known. */
export type Invitation = [room: string, ours: string, theirs: string, direct: boolean, at: number]

const keyOf = (room: string): string => `invited ${room}`

export const makeRemembered = (memory: Memory) => ({
  /** Resolves when it is on disk. */
  keep: (...[room, ...one]: Invitation): Promise<void> => memory.set(keyOf(room), one.join(' ')),
  async forget (room: string) { if (memory.get(keyOf(room)) !== undefined) await memory.delete(keyOf(room)) },
  all: (): Invitation[] => memory.keys(keyOf('')).map(key => {
    const [ours = '', theirs = '', direct, at] = (memory.get(key) ?? '').split(' ')
    return [key.slice(keyOf('').length), ours, theirs, direct === 'true', Number(at)]
  })
})
