/** What an erasure cannot reach at a homeserver, for its receipt. */
import type { Place } from '../../model/address'
import type { Direct } from './direct/direct'
import type { Rooms } from './rooms/rooms'

export const makeRemains = (rooms: Pick<Rooms, 'known'>, direct: Pick<Direct, 'rooms'>): ((places: Place[]) => string[]) => places => {
  const found = places.flatMap(place => rooms.known(place) ?? direct.rooms(place))
  const where = found.length === 0 ? '' : ` and the rooms ${[...new Set(found)].join(', ')}, from which Zentrale has gone`
  return [
    `The homeserver keeps what was taken back for a while (Synapse: redaction_retention_period, 7 days by default)${where}. Its ` +
    'administrator can delete at once: DELETE /_synapse/admin/v2/rooms/ROOM with {"purge": true}.',
    'Uploads stay in the media store of the homeserver until its media_retention, or until its administrator deletes them, and so do the names of ' +
    'users that stood for them in rooms. Their own homeserver and apps keep their copies.'
  ]
}
