/** The rule for votes that are given where polls are asked: in a mirror they are given in every place that asks the poll. */
import { type Arrival, HOPS_MAX } from '../model/message'
import type { Directory } from '../plan/directory'
import { delivery, ignored, type Plan } from '../plan/plan'
import { votedAt } from '../plan/vote'
import type { Answered } from '../store/store'
import { reached, speaker } from './mirror'

export const voteRule = (arrival: Arrival, answered: Answered | undefined, directory: Directory): Plan | undefined => {
  const found = directory.mirrorAt(arrival.place)
  if (arrival.kind !== 'vote' || found === undefined) return undefined
  if (!directory.isOpen(arrival.place) || (arrival.sender.hops ?? 0) >= HOPS_MAX) return ignored('the mirror rests, or it came too far')
  const isOurs = answered !== undefined && directory.mirrorAt(answered.arrival.place)?.mirror === found.mirror
  if (!isOurs) return ignored('a vote in no poll of this mirror')
  const { as, changes } = speaker(arrival, found, directory)
  const deliveries = reached(found.mirror, found.here, directory).flatMap(({ place }) => {
    const vote = directory.expelled.at(place, as.person) === undefined ? votedAt(answered, arrival.answers, place, directory) : undefined
    return vote === undefined ? [] : [delivery(arrival, place, 0, vote, as)]
  })
  return deliveries.length === 0 ? ignored('it is counted where it was given') : { outcome: 'routed', deliveries, changes }
}
