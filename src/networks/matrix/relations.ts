/** What was said about an event, as the homeserver keeps it (CS API §Relationships API). What is taken back is not among it. */
import { isJson, type Json, stringOf } from './events/json'
import { encode, Rejected, roomPath, unlessRejected, type Homeserver } from './homeserver'
import type { By } from './rooms/state'

const PAGES_MAX = 5
const PAGE_EVENTS = 100

export const EDITS = 'm.replace'
export const REACTIONS = 'm.annotation/m.reaction'

/** `how`: relation and type. `as`: who asks, and who said it. */
export interface Asked { room: string; event: string; how: string; as: string }

export interface Related { id: string; content: unknown }

/** Whether this event is in the room, and for us to see. */
export const isThere = async (homeserver: Homeserver, room: string, event: string, by: By): Promise<boolean> =>
  await homeserver.call('GET', `${roomPath(room)}/event/${encode(event)}`, by).catch(unlessRejected) !== undefined

export const relatedTo = async (homeserver: Homeserver, { room, event, how, as }: Asked, signal: AbortSignal): Promise<Related[]> => {
  const path = `client/v1/rooms/${encode(room)}/relations/${encode(event)}/${how}`
  const found: Related[] = []
  let from: string | undefined
  for (let page = 0; page < PAGES_MAX; page++) {
    const answer = await homeserver.call('GET', path, { as, query: { limit: PAGE_EVENTS, from }, signal }).catch((error: unknown): Json => {
      if (error instanceof Rejected) return {} // whatever is wrong is said to what follows, too
      throw error
    })
    for (const one of Array.isArray(answer.chunk) ? answer.chunk as unknown[] : []) {
      if (isJson(one) && one.sender === as && typeof one.event_id === 'string') found.push({ id: one.event_id, content: one.content })
    }
    from = stringOf(answer.next_batch)
    if (from === undefined) break
  }
  return found
}
