/** What a room shows of itself: its topic, name and picture (CS API §m.room.topic, §m.room.name, §m.room.avatar). */
import { type Clock, deadline } from '../../../lib/clock'
import { messageOf, Refused } from '../../../model/errors'
import { type Action, type Delivery, hopsOf, type MediaRef, type Sent, type Shown } from '../../../model/message'
import { HOPS_FIELD, type RoomEvent } from '../events/events'
import { MXC } from '../events/files'
import { type Json, stringOf } from '../events/json'
import type { Homeserver } from '../homeserver'
import type { Uploader } from '../media'
import { clean } from '../text'
import { setState, stateOf } from './state'

const TYPES = { topic: 'm.room.topic', name: 'm.room.name', picture: 'm.room.avatar' } as const
const WHATS = ['topic', 'name', 'picture'] as const
const FIELDS = { topic: 'topic', name: 'name', picture: 'url' } as const
const FETCH_MS_MAX = 10_000
const PICTURE_BYTES_MAX = 2 * 2 ** 20

const valueIn = (what: Shown['what'], content: Json): string => {
  const value = stringOf(content[FIELDS[what]]) ?? ''
  return what === 'picture' && !MXC.test(value) ? '' : value
}

/** What the room shows from this event on; undefined if it is about something else. */
export const shownBy = ({ type, stateKey, content }: RoomEvent): Shown | undefined => {
  const what = WHATS.find(one => TYPES[one] === type)
  return what === undefined || stateKey !== '' ? undefined : { what, value: valueIn(what, content) }
}

/** What the room shows now. Throws Unavailable. */
export const lookAt = async (homeserver: Homeserver, room: string, signal: AbortSignal): Promise<Shown[]> => {
  const all = await Promise.all(WHATS.map(async what =>
    ({ what, value: valueIn(what, await stateOf(homeserver, room, TYPES[what], '', { signal }) ?? {}) })))
  return all.filter(({ value }) => value !== '')
}

const contentOf = (what: Shown['what'], value: string): Json => {
  if (what === 'picture') return value === '' ? {} : { url: value }
  return { [FIELDS[what]]: value, ...what === 'topic' && { 'm.topic': { 'm.text': [{ body: value }] } } }
}

interface Showing { homeserver: Homeserver; uploader: Uploader; clock: Clock }

/** Nothing that is said waits for a picture: what cannot be fetched soon is not shown. */
const stored = async ({ uploader, clock }: Showing, at: MediaRef, signal: AbortSignal): Promise<string> => {
  const limit = deadline(clock, FETCH_MS_MAX, signal)
  try {
    return (await uploader.upload({ at, mime: 'image/png' }, undefined, PICTURE_BYTES_MAX, limit.signal)).uri
  } catch (error) {
    throw new Refused(`the picture cannot be fetched: ${messageOf(error)}`)
  } finally {
    limit.done()
  }
}

/** Shows it, by the bot, unless the room does so already. Throws Refused or Unavailable. */
export const show = async (world: Showing, room: string, { shown: { what, value }, change }: Action & { kind: 'profile' },
  { place: { network }, as }: Delivery, signal: AbortSignal): Promise<Sent> => {
  const { homeserver } = world
  const isElsewhere = what === 'picture' && value !== '' && change.network !== network
  const wanted = isElsewhere ? await stored(world, { network: change.network, ref: value }, signal) : clean(value)
  const now = await stateOf(homeserver, room, TYPES[what], '', { signal })
  if (valueIn(what, now ?? {}) !== wanted) {
    await setState(homeserver, room, { type: TYPES[what], content: { ...contentOf(what, wanted), [HOPS_FIELD]: hopsOf(as) } }, { signal })
  }
  return { ids: [], shows: wanted }
}
