/**
 * What we said to somebody who then declined our invitation: nobody has read it, and its writers must be told at once, of each word. Resolves when
 * that is stored, so a crash loses nothing of it.
 */
import type { Place } from '../../../model/address'
import { isJson, type Json, jsonOf } from '../events/json'
import { roomPath, unlessRejected, type Homeserver } from '../homeserver'
import type { DirectRoom } from './chats'

const EVENTS_MAX = 200 // more than these since the invitation are not looked through

interface Parts { homeserver: Homeserver; signal: AbortSignal; unread (place: Place, event: string): Promise<unknown> }

/** Whether it says something by itself: an edit only changes what was said. */
const isWords = ({ type, state_key: key, content, unsigned }: Json): boolean =>
  key === undefined && type !== 'm.room.redaction' && type !== 'm.reaction' &&
  jsonOf(jsonOf(content)['m.relates_to']).rel_type !== 'm.replace' && jsonOf(unsigned).redacted_because === undefined

/** What we said since they were invited, oldest first. Nothing if they came in after that. `events`: newest first. */
const unreadIn = (events: Json[], { ours, theirs }: DirectRoom): Json[] => {
  const since = events.findIndex(({ type, state_key: key, content }) =>
    type === 'm.room.member' && key === theirs && jsonOf(content).membership !== 'leave' && jsonOf(content).membership !== 'ban')
  const isInvited = jsonOf(events[since]?.content).membership === 'invite'
  return isInvited ? events.slice(0, since).filter(event => event.sender === ours && isWords(event)).reverse() : []
}

export const makeDeclined = ({ homeserver, signal, unread }: Parts) => async (room: string, chat: DirectRoom): Promise<void> => {
  const query = { dir: 'b', limit: EVENTS_MAX }
  const { chunk } = await homeserver.call('GET', `${roomPath(room)}/messages`, { as: chat.ours, query, signal }).catch(unlessRejected) ?? {}
  for (const { event_id: id } of unreadIn(Array.isArray(chunk) ? chunk.filter(isJson) : [], chat)) {
    if (typeof id === 'string') await unread(chat.place, id)
  }
}
