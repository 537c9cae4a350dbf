/** A small /sync: joined rooms with a timeline, invitations, departures; waits for something new up to `timeout`. */
import { systemClock } from '../../../src/lib/clock'
import type { Keys } from './keys'
import type { Answer } from './routes'
import { membership, type HsEvent, type HsRoom, type Json, type State } from './state'

export const TIMELINE_MAX = 50
const WAIT_MS_MAX = 30_000

const concerns = (state: State, user: string, event: HsEvent): boolean =>
  membership(state.room(event.room_id), user) !== 'leave' || event.state_key === user

/** As they are now; changes of them alone are no news. */
const signalsIn = ({ typists, receipts }: HsRoom): Json[] => [
  { type: 'm.typing', content: { user_ids: [...typists] } },
  ...[...receipts].map(([user, event]) => ({ type: 'm.receipt', content: { [event]: { 'm.read': { [user]: { ts: 1 } } } } }))
]

const newsFor = (state: State, user: string, since: number, most: number): Json | undefined => {
  const rooms = new Map<string, HsEvent[]>()
  for (let at = since; at < state.stream.length; at++) {
    const event = state.stream[at]!
    if (!concerns(state, user, event)) continue
    const events = rooms.get(event.room_id)
    if (events) events.push(event)
    else rooms.set(event.room_id, [event])
  }
  if (rooms.size === 0) return undefined
  const news = { join: {} as Json, invite: {} as Json, leave: {} as Json }
  for (const [id, events] of rooms) {
    const room = state.room(id)
    const own = membership(room, user)
    const fresh = events.some(event => event.type === 'm.room.member' && event.state_key === user)
    if (own === 'invite') {
      const stripped = [...room.state.values()].filter(event => event.type !== 'm.room.member' || event.state_key === user)
      news.invite[id] = { invite_state: { events: stripped } }
    } else {
      const shown = events.slice(-most)
      const start = room.index.get(shown[0]!.event_id)!
      const timeline = { events: shown, limited: events.length > shown.length, prev_batch: `t${start}` }
      const before = since === 0 || fresh ? [...room.state.values()] : []
      const rest = { ephemeral: { events: signalsIn(room) }, account_data: { events: [] } }
      news[own === 'join' ? 'join' : 'leave'][id] = { timeline, state: { events: before }, ...rest }
    }
  }
  return news
}

/** The answer may leave out all rooms (CS API §Filtering). */
const wantsRooms = (query: URLSearchParams): boolean => {
  const { room } = JSON.parse(query.get('filter')?.startsWith('{') === true ? query.get('filter')! : '{}') as { room?: { rooms?: string[] } }
  return room?.rooms?.length !== 0
}

/** `most`: events of each room. */
export interface Synced { user: string; device: string | undefined; query: URLSearchParams; most: number }

export const answerSync = async (state: State, keys: Keys | undefined, { user, device, query, most }: Synced): Promise<Answer> => {
  const [since, told] = query.has('since') ? query.get('since')!.slice(1).split('_').map(Number) : []
  const isAsked = wantsRooms(query)
  const newsNow = (): Json | undefined => isAsked ? newsFor(state, user, since ?? 0, most) : undefined
  const first = newsNow()
  const wait = Math.min(Number(query.get('timeout') ?? 0), WAIT_MS_MAX)
  if (!first && query.has('since') && wait > 0) {
    await new Promise<void>(resolve => {
      const done = (): void => { timer.cancel(); state.listeners.delete(listen); resolve() }
      const listen = (event: HsEvent): void => { if (concerns(state, user, event)) setImmediate(done) }
      const timer = systemClock.after(wait, done)
      state.listeners.add(listen)
    })
  }
  const next = state.stream.length
  const rooms = first ?? newsNow() ?? { join: {}, invite: {}, leave: {} }
  const { position, news } = keys && device !== undefined ? keys.news(user, device, told) : { position: 0, news: { to_device: { events: [] } } }
  return { json: { next_batch: `s${next}_${position}`, rooms, account_data: { events: [] }, presence: { events: [] }, ...news } }
}
