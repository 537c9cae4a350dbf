/**
 * The rule for how places stand to us: a mirror rests at a place that removed us, or is encrypted so that we cannot read it. The other places of
 * the mirror are told once that it rests, and once that it has moved to another room. That it is back, and that something may be missing, is said
 * in all of them, there too; so is that a place is encrypted, whether it is carried or not.
 */
import { addressKey } from '../model/address'
import type { Arrival } from '../model/message'
import type { Directory } from '../plan/directory'
import { type Change, ignored, notice, whereOf, type Plan } from '../plan/plan'
import { reached } from './mirror'

export const standingRule = (arrival: Arrival, directory: Directory): Plan | undefined => {
  if (arrival.kind !== 'standing') return undefined
  const { place, standing, moved } = arrival
  const found = directory.mirrorAt(place)
  const before = directory.standing(place)
  if (found === undefined || (before === standing && moved === undefined)) return ignored('it stands as before')
  const texts = directory.textsAt(place)
  const where = whereOf(place, directory)
  const isBack = !directory.isOpen(place)
  const back = isBack ? [texts.isBack(where)] : []
  const unread = before === 'sealed' ? [texts.unreadStays] : []
  const text = moved === undefined ? {
    in: back, out: [texts.isOut(where)], encrypted: [texts.isEncrypted(where), ...unread], sealed: [...back, texts.isSealed(where)]
  }[standing].join(' ') : texts.hasMoved(where, moved)
  const told = text === '' || (before === 'encrypted' && standing === 'out') ? [] : reached(found.mirror, found.here, directory)
  const freed = moved === undefined ? [] : directory.namesakes.freed(place)
  const here = {
    in: isBack && moved === undefined ? texts.isBackHere : undefined, out: undefined,
    encrypted: [texts.isEncryptedHere, ...unread].join(' '), sealed: texts.isSealedHere
  }[standing]
  return {
    outcome: 'routed',
    changes: [{ kind: 'stand', place, standing }, ...freed.map((claim): Change => ({ kind: 'called', claim }))],
    deliveries: [
      ...told.map(one => notice(arrival, one.place, addressKey(one.place), text)),
      ...here === undefined || before === standing ? [] : [notice(arrival, place, 'here', here)]
    ]
  }
}
