/**
 * Who is the same person in a room of which we see nicks alone: whoever came with a nick, until they leave, whatever they call themselves meanwhile.
 * Promises: nobody has the stay of another. Each of our own entries begins all of them anew, because nobody tells us who left and came while we
 * were away; so no stay is the same after a restart.
 */
import type { Chance } from '../../../lib/chance'
import { resourceOf } from '../names'
import { type Element, owned } from '../wire/xml'
import { PEOPLE_MAX, renamedTo } from './people'

const RUN_BYTES = 9

export interface Stays {
  /** We enter the room. */
  begin (room: string): void
  end (room: string): void
  /** Takes a presence in the room. Returns the stay that it ends. */
  heard (room: string, presence: Element): string | undefined
  of (room: string, nick: string): string | undefined
}

export const makeStays = (chance: Pick<Chance, 'token'>): Stays => {
  const rooms = new Map<string, Map<string, number>>() // by nick
  let run: string | undefined // of ours: each begins with the same numbers
  let last = 0

  const named = (stay: number): string => `stay ${run ??= chance.token(RUN_BYTES)}.${stay}`

  const leaves = (here: Map<string, number>, nick: string, next: string | undefined): string | undefined => {
    const stay = here.get(nick)
    if (stay === undefined || !here.delete(nick)) return undefined
    if (next === undefined) return named(stay)
    here.set(owned(next), stay)
    return undefined
  }

  return {
    begin (room) { rooms.set(room, new Map()) },
    end (room) { rooms.delete(room) },
    heard (room, presence) {
      const nick = resourceOf(presence.attrs.from ?? '')
      const here = rooms.get(room)
      const { type } = presence.attrs
      if (here === undefined || nick === '') return undefined
      if (type === 'unavailable') return leaves(here, nick, renamedTo(presence))
      if (type === undefined && !here.has(nick) && here.size < PEOPLE_MAX) here.set(owned(nick), ++last)
      return undefined
    },
    of (room, nick) {
      const stay = rooms.get(room)?.get(nick)
      return stay === undefined ? undefined : named(stay)
    }
  }
}
