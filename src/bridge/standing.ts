/**
 * The rule for how places stand to us: a mirror rests at a place that removed us or is encrypted. The other places of the mirror are told
 * once that it rests, once that it is back, and once that it has moved to another room. An encrypted room is told too.
 */
import { addressKey } from '../model/address'
import type { Arrival } from '../model/message'
import type { Directory } from '../plan/directory'
import { ignored, notice, whereOf, type Plan } from '../plan/plan'
import { reached } from './mirror'

export const standingRule = (arrival: Arrival, directory: Directory): Plan | undefined => {
  if (arrival.kind !== 'standing') return undefined
  const { place, standing, moved } = arrival
  const found = directory.mirrorAt(place)
  const before = directory.standing(place)
  if (found === undefined || (before === standing && moved === undefined)) return ignored('it stands as before')
  const { texts } = directory
  const where = whereOf(place, directory)
  const text = moved === undefined ? { in: texts.isBack, out: texts.isOut, encrypted: texts.isEncrypted }[standing](where)
    : texts.hasMoved(where, moved)
  const told = before === 'encrypted' && standing === 'out' ? [] : reached(found.mirror, found.here, directory)
  return {
    outcome: 'routed',
    changes: [{ kind: 'stand', place, standing }],
    deliveries: [
      ...told.map(one => notice(arrival, one.place, addressKey(one.place), text)),
      ...standing === 'encrypted' ? [notice(arrival, place, 'here', texts.isEncryptedHere)] : []
    ]
  }
}
