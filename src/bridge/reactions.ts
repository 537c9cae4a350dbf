/** The rule for reactions in mirrors: a reaction to a message appears in every place that has the message. */
import { addressKey } from '../model/address'
import { type Arrival, HOPS_MAX } from '../model/message'
import type { Directory } from '../plan/directory'
import { ignored, mayChange, type Plan } from '../plan/plan'
import { isSame, react, type Reacted, reactInWords, reactionOf, reactionsAfter } from '../plan/react'
import type { Recorded } from '../store/store'
import { reached, speaker } from './mirror'

export const reactionRule = (arrival: Arrival, original: Recorded | undefined, reacted: Reacted | undefined,
  directory: Directory): Plan | undefined => {
  const found = directory.mirrorAt(arrival.place)
  const reaction = reactionOf(arrival, original)
  if (found === undefined || reaction === undefined) return undefined
  if (directory.standing(arrival.place) !== 'in' || (reaction.sender.hops ?? 0) >= HOPS_MAX) return ignored('the mirror rests, or it came too far')
  if (arrival.kind === 'deletion' && original !== undefined && !mayChange(arrival, original)) return ignored('not theirs to take back')
  const isOurs = reacted !== undefined && directory.mirrorAt(reacted.message.arrival.place)?.mirror === found.mirror
  if (!isOurs) return ignored('a reaction to no message of this mirror')
  const now = reactionsAfter(arrival, reaction, reacted)
  if (isSame(reacted, now)) return ignored('the same reactions as before')
  const { as, changes } = speaker(reaction, found, directory)
  const person = addressKey({ network: reaction.place.network, id: reaction.sender.id })
  return {
    outcome: 'routed',
    deliveries: reached(found.mirror, found.here, directory).flatMap(({ place, reactions }) => reactions === 'lines'
      ? reactInWords(arrival, reacted, now, place, as.name, directory)
      : react(arrival, reacted, now, place, as, directory)),
    changes: [...changes, { kind: 'react', message: reacted.message.seq, person, emojis: now }]
  }
}
