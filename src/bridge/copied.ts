/** Finds the message, or the reaction, whose copy a moderator removes in another place. */
import type { ArrivalKey } from '../model/address'
import type { Arrival, DeletionArrival, Persona } from '../model/message'
import { type Reacted, shownBy } from '../plan/react'
import type { Answered, Tx } from '../store/store'

/** The message. `corrections`: by its writer, newest first. */
export interface Copied { message: Answered; corrections: ArrivalKey[] }

/** The reactions of a person that the removed one showed, and what is known of them. */
export interface CopiedReaction extends Reacted { as: Persona; emojis: string[] }

export interface Removed { copied?: Copied; copiedReaction?: CopiedReaction }

const idsOf = ({ of, named }: DeletionArrival): string[] => named === undefined ? [of] : [of, named]

/** The message to which somebody reacted by this arrival, or took a reaction back. */
const reactedBy = async (tx: Tx, cause: Arrival): Promise<Answered | undefined> => {
  if (cause.kind === 'reaction') return await tx.answered(cause.place, cause.of)
  if (cause.kind !== 'deletion') return undefined
  const original = await tx.recorded(cause.place.network, cause.of)
  if (original !== undefined) return original.arrival.kind === 'reaction' ? await reactedBy(tx, original.arrival) : undefined
  const before = await tx.reactionShown(cause.place, idsOf(cause)) // a moderator has removed another reaction before
  return before && await reactedBy(tx, before.cause)
}

const reactionAt = async (tx: Tx, removal: DeletionArrival): Promise<CopiedReaction | undefined> => {
  const shown = await tx.reactionShown(removal.place, idsOf(removal))
  const message = shown && await reactedBy(tx, shown.cause)
  if (shown === undefined || message === undefined) return undefined
  const { as, emojis } = shown
  return { message, as, emojis, before: await tx.reactions(message.seq, shownBy(as)) }
}

export const removedBy = async (tx: Tx, arrival: DeletionArrival): Promise<Removed> => {
  if (arrival.moderated !== true) return {}
  const message = await tx.answered(arrival.place, idsOf(arrival))
  if (message !== undefined) return { copied: { message, corrections: await tx.corrections(message.arrival.place.network, message.arrival.key) } }
  const copiedReaction = await reactionAt(tx, arrival)
  return copiedReaction === undefined ? {} : { copiedReaction }
}
