/**
 * The rules for what is too late: a correction of a message that was taken back changes nothing, on any network, because nobody can see it there,
 * and because it may be older; and what takes back a message that cannot be told any more takes back none. The writer is told once.
 */
import type { DeskFacts } from '../desk/facts'
import { addressKey } from '../model/address'
import type { Arrival } from '../model/message'
import type { Directory } from '../plan/directory'
import { ignored, mayChange, notice, type Plan } from '../plan/plan'
import type { Recorded } from '../store/store'

export const takenBackRule = (arrival: Arrival, original: Recorded | undefined, { isOpen, textsAt }: Directory): Plan | undefined => {
  if (arrival.kind !== 'edit' || original?.takenBack === undefined || !mayChange(arrival, original)) return undefined
  if (original.takenBack.changed || !isOpen(arrival.place)) return ignored('what it corrects was taken back')
  return { outcome: 'routed', changes: [], deliveries: [notice(arrival, arrival.place, 'taken back', textsAt(arrival.place).wasTakenBack, 'alert')] }
}

export const unknownRule = (arrival: Arrival, desk: DeskFacts | undefined, { mirrorAt, isBlocked, isOpen, textsAt }: Directory): Plan | undefined => {
  if (arrival.kind !== 'deletion' || arrival.unknown !== true) return undefined
  const { place, sender: { id } } = arrival
  const isOurs = desk !== undefined || mirrorAt(place) !== undefined
  if (!isOurs || !isOpen(place) || isBlocked(addressKey({ network: place.network, id }))) return ignored('nobody is told what it takes back')
  return { outcome: 'routed', changes: [], deliveries: [notice(arrival, place, 'unknown', textsAt(place).isUnknown, 'alert')] }
}
