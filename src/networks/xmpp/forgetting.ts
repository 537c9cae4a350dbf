/**
 * Ends places whose conversations are forgotten: destroys our rooms, and forgets all that is remembered of direct chats. Leaves rooms of others,
 * and portals, that are in no mirror any more; how they have put us out stays.
 */
import type { Place } from '../../model/address'
import { Unavailable } from '../../model/errors'
import type { Memory } from '../../model/network'
import type { Presence } from './direct/presence'
import { directEnds } from './direct/place'
import { isPortal } from './muc/room-names'
import type { Rooms } from './muc/rooms'
import type { makeOwnRooms } from './muc/team-rooms'
import type { Omemo } from './omemo/omemo'
import type { Originals } from './originals'
import type { Stream } from './wire/stream'
import type { WriteBehind } from './write-behind'

export interface ForgettingParts {
  rooms: Pick<Rooms, 'end' | 'of'>
  stream: Pick<Stream, 'isUp'>
  own: Pick<ReturnType<typeof makeOwnRooms>, 'has' | 'destroy'>
  originals: Originals
  presence: Presence
  omemo: Pick<Omemo, 'forget'>
  notes: WriteBehind
  memory: Memory
}

export const makeForgetting = ({
  rooms, stream, own, originals, presence, omemo, notes, memory
}: ForgettingParts): ((places: Place[]) => Promise<void>) => async places => {
  for (const { id } of places) {
    const ends = directEnds(id)
    if (ends !== undefined) {
      await presence.forget(ends.ours, ends.theirs)
      await omemo.forget(ends)
    } else if (own.has(id) && !isPortal(id)) {
      rooms.end(id)
      await own.destroy(id)
      for (const key of ['put out', 'read', 'asked', 'team']) await memory.delete(`${key} ${id}`)
      await notes.delete(`heard ${id}`)
    } else {
      if (!stream.isUp) throw new Unavailable('the component link is down', { disconnected: true })
      const now = rooms.of(id)?.id ?? id
      rooms.end(id)
      for (const key of ['read', 'asked']) await memory.delete(`${key} ${now}`)
      await notes.delete(`heard ${now}`)
    }
    await originals.forget(id)
  }
}
