/**
 * The rule for moderators of a mirror: a copy that one of them removes is removed in all other places, and so is the message itself where it
 * was said. Only a removal counts for which the place's own server vouches, and nothing is done anywhere but by the power that Zentrale was
 * given there.
 */
import { samePlace, type ArrivalKey, type Place } from '../model/address'
import type { Arrival } from '../model/message'
import type { Directory } from '../plan/directory'
import { delivery, ignored, notice, whereOf, type Plan } from '../plan/plan'
import type { Answered, NewDelivery } from '../store/store'
import { speaker } from './mirror'

/** The message whose copy was removed. `corrections`: by its writer, newest first. */
export interface Copied { message: Answered; corrections: ArrivalKey[] }

export const moderationRule = (arrival: Arrival, copied: Copied | undefined, directory: Directory): Plan | undefined => {
  const found = directory.mirrorAt(arrival.place)
  if (copied === undefined || found === undefined || arrival.kind !== 'deletion') return undefined
  const { message, message: { arrival: original }, corrections } = copied
  const from = directory.mirrorAt(original.place)
  if (from?.mirror !== found.mirror || !('sender' in original)) return ignored('a copy of what is said in no place of this mirror')
  if (found.mirror.moderation === 'own') return ignored('moderators of this mirror have a say in their own place only')
  if (directory.standing(arrival.place) !== 'in') return ignored('the mirror rests')
  const { as: writer } = speaker(message.latest, from, directory, original.sender)
  const mayDelete = (place: Place): boolean =>
    directory.can(place.network).deletions && directory.expelled.at(place, writer.person) === undefined
  const said = [...message.deliveries.filter(({ notice }) => !notice), ...message.copies]
  const areSeveral = said.filter(({ place }) => samePlace(place, arrival.place)).length > 1 // then one of them was removed, and which is not known
  const gone = said.filter(({ place }) => mayDelete(place) && directory.standing(place) === 'in' && (areSeveral || !samePlace(place, arrival.place)))
  const deliveries: NewDelivery[] = [
    ...gone.map(({ key, place }, index) => delivery(arrival, place, index, { kind: 'deletion', of: key }, writer)),
    ...mayDelete(original.place) && directory.standing(original.place) === 'in'
      ? [delivery(arrival, original.place, 0, { kind: 'removal', said: [original.key, ...corrections] })] : []
  ]
  const left = [original.place, ...message.deliveries.filter(one => !one.notice && one.state !== 'failed').map(({ place }) => place)]
    .filter(place => !mayDelete(place)).map(place => whereOf(place, directory))
  const told = left.length === 0 ? [] : [notice(arrival, arrival.place, 'stays', directory.texts.stays([...new Set(left)].join(', ')))]
  return {
    outcome: 'routed', deliveries: [...deliveries, ...told],
    changes: [{ kind: 'remove', journal: message.seq }, { kind: 'revokeLinks', journal: message.seq }]
  }
}
