/** Reads what comes in encrypted, before it is taken: now, or when its key is here. */
import { Malformed } from '../../../model/errors'
import type { RoomEvent } from '../events/events'
import { jsonOf } from '../events/json'
import { type Encryption, readOpened, SEALED } from './encryption'
import type { Waiting } from './waiting'

/** An event as it came, and as it can be read. */
export interface Taken { raw: unknown; event: RoomEvent | Malformed }

interface OpeningParts {
  encryption: Pick<Encryption, 'open'>; waiting: Pick<Waiting, 'holds' | 'keep'>
  /** Who of ours can read what is said in this room. */
  readerOf (room: string): string | undefined
  /** Somebody else says something in a room that we attend. */
  isSaid (event: RoomEvent): boolean
}

/** Nothing comes of what cannot be read, or stands behind that: it waits. */
export const makeOpening = ({ encryption, waiting, readerOf, isSaid }: OpeningParts) => {
  const openOne = async (taken: Taken): Promise<Taken[]> => {
    const { event } = taken
    const reader = event instanceof Malformed || !isSaid(event) || event.redacted ? undefined : readerOf(event.room)
    if (event instanceof Malformed || reader === undefined) return [taken]
    const raw = jsonOf(taken.raw)
    if (waiting.holds(event)) return await waiting.keep(event, raw) ? [] : [taken]
    if (event.type !== SEALED) return [taken]
    const read = await encryption.open(reader, raw, true)
    if (!('event' in read) && await waiting.keep(event, raw)) return []
    return [{ raw, event: 'event' in read ? readOpened(read) : event }]
  }

  return async (taken: Taken[]): Promise<Taken[]> => {
    const opened: Taken[] = []
    for (const one of taken) opened.push(...await openOne(one)) // in order
    return opened
  }
}
