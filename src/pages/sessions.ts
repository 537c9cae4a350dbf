/**
 * Who is logged in. A login always gets a new id, which nobody can have known before. The sessions are in memory only: after a restart
 * everybody logs in again. Their number is bounded for each person, and for all people of teams together, so that these never end one
 * of the operator's.
 */
import type { Chance } from '../lib/chance'
import type { Clock } from '../lib/clock'

export type Who = { kind: 'operator' } | { kind: 'agent', address: string, key: string }

export interface Sessions {
  /** Returns its id. */
  begin (who: Who): string
  find (id: string | undefined): Who | undefined
  end (id: string | undefined): void
}

const ID_BYTES = 32
export const SESSION_MS = 12 * 3_600_000
export const OF_ONE_MAX = 8
export const OF_TEAMS_MAX = 2000

interface Session { who: Who; until: number }

/** Whose it is, as a key. */
export const nameOf = (who: Who): string => who.kind === 'operator' ? 'operator' : `${who.address} ${who.key}`

export const makeSessions = (clock: Clock, chance: Chance): Sessions => {
  const sessions = new Map<string, Session>() // oldest first
  const idsOf = (which: (who: Who) => boolean): string[] => [...sessions].filter(([, { who }]) => which(who)).map(([id]) => id)
  const makeRoom = (ids: string[], most: number): void => { for (const id of ids.slice(0, Math.max(0, ids.length - most + 1))) sessions.delete(id) }

  return {
    begin (who) {
      for (const [id, { until }] of sessions) if (until <= clock.tick()) sessions.delete(id)
      makeRoom(idsOf(one => nameOf(one) === nameOf(who)), OF_ONE_MAX)
      if (who.kind === 'agent') makeRoom(idsOf(({ kind }) => kind === 'agent'), OF_TEAMS_MAX)
      const id = chance.token(ID_BYTES)
      sessions.set(id, { who, until: clock.tick() + SESSION_MS })
      return id
    },
    find (id) {
      const session = sessions.get(id ?? '')
      return session !== undefined && session.until > clock.tick() ? session.who : undefined
    },
    end (id) { sessions.delete(id ?? '') }
  }
}
