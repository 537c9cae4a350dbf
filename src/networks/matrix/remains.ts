/** What an erasure cannot reach at a homeserver, for its receipt. */
import type { Place } from '../../model/address'
import type { Direct } from './direct/direct'
import type { Admin } from './admin'
import type { Rooms } from './rooms/rooms'

interface Parts { rooms: Pick<Rooms, 'known'>; direct: Pick<Direct, 'rooms'>; admin: Admin | undefined; isMadeByUs (place: Place): boolean }

const OF_UPLOADS = {
  none: 'Uploads stay in the media store of the homeserver until its media_retention, or until its administrator deletes them; whoever has the ' +
    'address of one may still open it. Their own homeserver and apps keep their copies.',
  ours: 'Uploads that are not ours stay in the media store of the homeserver until its media_retention. Their own ' +
    'homeserver and apps keep their copies.'
}

/** With the admin API, our rooms are deleted with their history; if that fails, they count as not left. */
export const makeRemains = ({ rooms, direct, admin, isMadeByUs }: Parts): ((places: Place[]) => string[]) => places => {
  const found = places.filter(place => admin === undefined || !isMadeByUs(place)).flatMap(place => rooms.known(place) ?? direct.rooms(place))
  const trouble = admin?.trouble()
  const where = found.length === 0 ? '' : `: ${[...new Set(found)].join(', ')}`
  return [
    'The homeserver keeps what was taken back, which only its administrator can read: for a while (Synapse: redaction_retention_period, 7 days by ' +
    `default), in its search index and in the names of users that stood for them until the room is deleted${where}. Its administrator deletes a ` +
    'room at once by DELETE /_synapse/admin/v2/rooms/ROOM with {"purge": true}.',
    OF_UPLOADS[admin === undefined ? 'none' : 'ours'],
    ...trouble === undefined ? [] : [`An upload of ours could not be deleted: ${trouble}`]
  ]
}
