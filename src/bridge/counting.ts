/** What is counted of messages that pass: for a mirror, or for the address that has the place. What addresses do otherwise is counted by the desk. */
import type { DeskMemory } from '../desk/memory'
import type { Place } from '../model/address'
import type { Arrival, Sent } from '../model/message'
import type { Directory, Mirror } from '../plan/directory'
import type { Queued } from '../store/store'
import type { TallyTx, ToCount } from '../store/tally'

export interface Counting {
  /** Somebody said something in a mirror. */
  heard (tally: TallyTx, arrival: Arrival): void
  done (tally: TallyTx, row: Queued, sent: Sent): void
  failed (tally: TallyTx, row: Queued): void
}

const ofMirror = ({ name, direct, isPortal }: Mirror): Pick<ToCount, 'whose' | 'name'> =>
  direct === true ? { whose: 'direct chats', name: '' } : isPortal === true ? { whose: 'portals', name: '' } : { whose: 'mirror', name }

export const makeCounting = (directory: Directory, desk: DeskMemory): Counting => {
  const whose = (place: Place): Pick<ToCount, 'whose' | 'name' | 'network'> | undefined => {
    const { network } = place
    const found = directory.mirrorAt(place)
    if (found !== undefined) return { ...ofMirror(found.mirror), network }
    const spot = desk.spotOf(place)
    return spot === undefined ? undefined : { whose: 'address', name: spot.address, network }
  }
  return {
    heard (tally, { kind, place }) {
      const mine = kind === 'message' ? whose(place) : undefined
      if (mine !== undefined && mine.whose !== 'address') tally.count({ ...mine, what: 'in' })
    },
    done (tally, { notice, delivery: { place, action } }, { parts = 0 }) {
      const mine = whose(place)
      if (mine === undefined) return
      if (mine.whose !== 'address' && action.kind === 'message' && !notice) tally.count({ ...mine, what: 'out' })
      if (parts > 0) tally.count({ ...mine, what: 'parts', count: parts })
    },
    failed (tally, { delivery: { place } }) {
      const mine = whose(place)
      if (mine !== undefined && (mine.whose !== 'address' || desk.isContacts(place))) tally.count({ ...mine, what: 'failed' })
    }
  }
}
