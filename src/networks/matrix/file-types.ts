/**
 * The types of files whose events do not say them, as the homeserver has them. Promises: holds up what is said for no longer than LOOKUP_MS_MAX,
 * asks for few at once, and never throws. Of the others, and of what does not answer in time, the type is guessed.
 */
import { deadline } from '../../lib/clock'
import type { Attachment } from '../../model/message'
import { addressIn, fits, KINDS, typeIn } from './events/files'
import type { RoomEvent } from './events/events'
import { isJson, jsonOf, stringOf } from './events/json'
import { openMedia, type Stored } from './media'

const LOOKUP_MS_MAX = 1000
const AT_ONCE_MAX = 4 // of the events that come together

/** The kind of its file, and where that lies in the clear. */
const untyped = ({ type, content }: RoomEvent): { kind: Attachment['kind'], ref: string } | undefined => {
  const kind = type === 'm.sticker' ? 'image' : type === 'm.room.message' ? KINDS.get(stringOf(content.msgtype) ?? '') : undefined
  const ref = isJson(content.file) ? undefined : addressIn(content)
  const name = stringOf(content.filename) ?? stringOf(content.body) ?? ''
  return kind === undefined || ref === undefined || typeIn(kind, content, name) !== undefined ? undefined : { kind, ref }
}

interface Asked { event: RoomEvent; kind: Attachment['kind']; ref: string }

/** By event: the same with the type. */
export type FileTypes = (events: RoomEvent[]) => Promise<ReadonlyMap<RoomEvent, RoomEvent>>

export const makeFileTypes = (world: Stored, stopping: AbortSignal): FileTypes => {
  const typeOf = async (ref: string, signal: AbortSignal): Promise<string | undefined> => {
    const file = await openMedia({ ...world, pictureBytesMax: undefined }, ref, signal).catch(() => undefined)
    file?.stream.on('error', () => {}).destroy()
    return file?.mime.replace(/;.*/s, '').trim().toLowerCase()
  }

  return async events => {
    const asked = events.map(event => ({ event, ...untyped(event) })).filter((one): one is Asked => one.ref !== undefined).slice(0, AT_ONCE_MAX)
    if (asked.length === 0) return new Map()
    const limit = deadline(world.clock, LOOKUP_MS_MAX, stopping)
    const found = await Promise.all(asked.map(async ({ event, kind, ref }): Promise<[RoomEvent, RoomEvent][]> => {
      const mimetype = await typeOf(ref, limit.signal)
      if (mimetype === undefined || !fits(kind, mimetype)) return []
      return [[event, { ...event, content: { ...event.content, info: { ...jsonOf(event.content.info), mimetype } } }]]
    }))
    limit.done()
    return new Map(found.flat())
  }
}
