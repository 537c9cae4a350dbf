/**
 * The rule for moderators of a mirror: a copy that one of them removes is removed in all other places, and so is the message itself where it
 * was said. Only a removal counts for which the place's own server vouches, and nothing is done anywhere but by the power that Zentrale was
 * given there. A reaction goes too, except where it was made as part of a set, which only its person can change; nobody is told of that.
 */
import { samePlace, type Place } from '../model/address'
import type { Arrival, DeletionArrival } from '../model/message'
import type { Directory, Mirror } from '../plan/directory'
import { delivery, ignored, notice, standing, whereOf, type Plan } from '../plan/plan'
import { emojisOf, isSame, react, shownBy } from '../plan/react'
import type { NewDelivery } from '../store/store'
import type { Copied, CopiedReaction, Removed } from './copied'
import { speaker } from './mirror'

const removeMessage = (arrival: DeletionArrival, { message, message: { arrival: original }, corrections }: Copied, mirror: Mirror,
  directory: Directory): Plan => {
  const from = directory.mirrorAt(original.place)
  if (from?.mirror !== mirror || !('sender' in original)) return ignored('a copy of what is said in no place of this mirror')
  const { as: writer } = speaker(message.latest, from, directory, original.sender)
  const mayDelete = (place: Place): boolean =>
    directory.can(place.network).deletions && directory.expelled.at(place, writer.person) === undefined
  const said = standing(message)
  const areSeveral = said.filter(({ place }) => samePlace(place, arrival.place)).length > 1 // then one of them was removed, and which is not known
  const gone = said.filter(({ place }) => mayDelete(place) && directory.standing(place) === 'in' && (areSeveral || !samePlace(place, arrival.place)))
  const deliveries: NewDelivery[] = [
    ...gone.map(({ key, place }, index) => delivery(arrival, place, index, { kind: 'deletion', of: key }, writer)),
    ...mayDelete(original.place) && directory.standing(original.place) === 'in'
      ? [delivery(arrival, original.place, 0, { kind: 'removal', said: [original.key, ...corrections] })] : []
  ]
  const left = [original.place, ...message.deliveries.filter(one => !one.notice && one.state !== 'failed').map(({ place }) => place)]
    .filter(place => !mayDelete(place)).map(place => whereOf(place, directory))
  const { stays } = directory.textsAt(arrival.place)
  const told = left.length === 0 ? [] : [notice(arrival, arrival.place, 'stays', stays([...new Set(left)].join(', ')))]
  return {
    outcome: 'routed', deliveries: [...deliveries, ...told],
    changes: [{ kind: 'remove', journal: message.seq }, { kind: 'revokeLinks', journal: message.seq }]
  }
}

const removeReaction = (arrival: DeletionArrival, { message, before, as, emojis }: CopiedReaction, mirror: Mirror, directory: Directory): Plan => {
  if (directory.mirrorAt(message.arrival.place)?.mirror !== mirror) return ignored('a reaction to what is said in no place of this mirror')
  const kept = before.filter(({ emoji }) => !emojis.includes(emoji))
  const now = emojisOf(kept)
  if (isSame({ message, before }, now)) return ignored('it is taken back already')
  const mayChange = (place: Place): boolean => directory.standing(place) === 'in' && directory.expelled.at(place, as.person) === undefined
  const made = before.filter(({ emoji }) => emojis.includes(emoji)).map(({ made }) => made)
  const isSingle = ({ network }: Place): boolean => directory.can(network).reactions === 'each'
  const places = [arrival.place, ...made.map(one => one.place)]
  const others = mirror.places.map(({ place }) => place).filter(place => places.every(one => !samePlace(one, place)))
  return {
    outcome: 'routed',
    deliveries: [
      ...others.filter(mayChange).flatMap(place => react(arrival, { message, before }, now, place, as, directory)),
      ...made.filter(({ place }) => isSingle(place) && mayChange(place))
        .map(({ key, place }, index) => delivery(arrival, place, index, { kind: 'removal', said: [key] }))
    ],
    changes: [{ kind: 'react', message: message.seq, person: shownBy(as), now: kept }]
  }
}

export const moderationRule = (arrival: Arrival, { copied, copiedReaction }: Removed = {}, directory: Directory): Plan | undefined => {
  const found = directory.mirrorAt(arrival.place)
  if (found === undefined || arrival.kind !== 'deletion' || (copied ?? copiedReaction) === undefined) return undefined
  if (found.mirror.moderation === 'own') return ignored('moderators of this mirror have a say in their own place only')
  if (directory.standing(arrival.place) !== 'in') return ignored('the mirror rests')
  if (copied !== undefined) return removeMessage(arrival, copied, found.mirror, directory)
  return copiedReaction && removeReaction(arrival, copiedReaction, found.mirror, directory)
}
