/** Invitations of ghosts that are not taken yet. Ghosts are too many to ask the homeserver about them after a crash, so they are remembered. */
import type { Memory } from '../../../model/network'
import { isGhostOn } from '../names'

/** `direct`: the inviter says that it is a direct chat. `at`: when, ms; 0 if not known. */
export type Invitation = [room: string, ours: string, theirs: string, direct: boolean, at: number]

const keyOf = (room: string): string => `invited ${room}`

export const makeRemembered = (memory: Memory, domain: string) => ({
  /** Resolves when it is on disk; undefined if it is none of a ghost. */
  keep: (...[room, ...one]: Invitation): Promise<void> | undefined => isGhostOn(domain)(one[0]) ? memory.set(keyOf(room), one.join(' ')) : undefined,
  async forget (room: string) { if (memory.get(keyOf(room)) !== undefined) await memory.delete(keyOf(room)) },
  all: (): Invitation[] => memory.keys(keyOf('')).map(key => {
    const [ours = '', theirs = '', direct, at] = (memory.get(key) ?? '').split(' ')
    return [key.slice(keyOf('').length), ours, theirs, direct === 'true', Number(at)]
  })
})
