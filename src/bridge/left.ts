/** What is left of a message that was taken back, for those who are told what became of it: that there was one. */
import type { Arrival } from '../model/message'
import { plain } from '../model/text'
import type { Tx } from '../store/store'

/** Whether its writer or a moderator has taken it back since. Of a correction: what it corrects. */
export const isGone = async (tx: Tx, arrival: Arrival): Promise<boolean> => (arrival.kind === 'message' || arrival.kind === 'edit') && (
  await tx.takenBack(arrival) ||
  (await tx.recorded(arrival.place.network, arrival.kind === 'edit' ? arrival.of : arrival.key))?.removed === true)

/** The arrival as it may be quoted now. */
export const asLeft = async (tx: Tx, arrival: Arrival): Promise<Arrival> =>
  'content' in arrival && await isGone(tx, arrival) ? { ...arrival, content: { style: 'text', text: plain('…') } } : arrival

/** The same for what is confirmed. */
export const originAsLeft = async <T extends { origin: Arrival }>(tx: Tx, found: T | undefined): Promise<T | undefined> =>
  found && { ...found, origin: await asLeft(tx, found.origin) }
