/** The rule for reactions in mirrors: a reaction to a message appears in every place that has the message. */
import { REACTIONS_MAX } from '../lib/emoji'
import type { MirrorPlace } from '../model/address'
import { type Arrival, HOPS_MAX, type ReactionArrival } from '../model/message'
import type { Directory } from '../plan/directory'
import { delivery, ignored, mayChange, notice, type Plan } from '../plan/plan'
import { votedInReactions } from '../plan/vote'
import { areTooMany, emojisOf, isSame, isUnchanged, react, type Reacted, reactInWords, reactionOf, reactionsAfter, reactor } from '../plan/react'
import type { Recorded } from '../store/store'
import { type Found, reached, speaker } from './mirror'

interface Reacting { arrival: Arrival; reaction: ReactionArrival; reacted: Reacted }

/** What becomes of the reactions that one ghost shows. Undefined if they stay as they are. */
const changed = ({ arrival, reaction, reacted }: Reacting, found: Found, directory: Directory): Plan | undefined => {
  const after = reactionsAfter(arrival, reaction, reacted)
  const now = emojisOf(after)
  const told = areTooMany(arrival, reaction, reacted)
    ? [notice(arrival, arrival.place, 'reactions', directory.textsAt(arrival.place).tooManyReactions(REACTIONS_MAX))] : []
  if (isUnchanged(reacted, after)) return told.length === 0 ? undefined : { outcome: 'routed', deliveries: told, changes: [] }
  const { as, changes } = speaker(reaction, found, directory)
  const { message, before } = reacted
  const places = isSame(reacted, now) ? [] : reached(found.mirror, found.here, directory)
  const isHeard = ({ place }: MirrorPlace): boolean => directory.expelled.at(place, as.person) === undefined
  return {
    outcome: 'routed',
    deliveries: [...told, ...places.filter(isHeard).flatMap(({ place, reactions }) => {
      if (reactions === 'lines') return reactInWords(arrival, reacted, now, place, as.name, directory)
      const { vote, others } = votedInReactions(message, { before: emojisOf(before), now, from: reaction.place }, place, directory)
      const made = react(arrival, { message, before: before.filter(({ emoji }) => others([emoji]).length > 0) }, others(now), place, as, directory)
      return vote === undefined ? made : [...made, delivery(arrival, place, 0, vote, as)]
    })],
    changes: [...changes, { kind: 'react', message: message.seq, person: reactor(reaction), now: after }]
  }
}

/** Whoever is called otherwise now has all of their reactions under the new name: those under the one before go. */
const withdrawn = ({ arrival, reaction, reacted: { message, called } }: Reacting, found: Found, directory: Directory): Plan | undefined => {
  if (called === undefined) return undefined
  const none: ReactionArrival = { ...reaction, key: `${arrival.key} as ${called.sender.id}`, sender: called.sender, emojis: [] }
  return changed({ arrival: none, reaction: none, reacted: { message, before: called.before } }, found, directory)
}

export const reactionRule = (arrival: Arrival, original: Recorded | undefined, reacted: Reacted | undefined,
  directory: Directory): Plan | undefined => {
  const found = directory.mirrorAt(arrival.place)
  const reaction = reactionOf(arrival, original)
  if (found === undefined || reaction === undefined) return undefined
  if (directory.standing(arrival.place) !== 'in' || (reaction.sender.hops ?? 0) >= HOPS_MAX) return ignored('the mirror rests, or it came too far')
  if (arrival.kind === 'deletion' && original !== undefined && !mayChange(arrival, original)) return ignored('not theirs to take back')
  const isOurs = reacted !== undefined && directory.mirrorAt(reacted.message.arrival.place)?.mirror === found.mirror
  if (!isOurs) return ignored('a reaction to no message of this mirror')
  const change = { arrival, reaction, reacted }
  const plans = [withdrawn(change, found, directory), changed(change, found, directory)].flatMap(plan => plan ?? [])
  if (plans.length === 0) return ignored('the same reactions as before')
  return { outcome: 'routed', deliveries: plans.flatMap(({ deliveries }) => deliveries), changes: plans.flatMap(({ changes }) => changes) }
}
