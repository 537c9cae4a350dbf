/** Deliveries to a room that are not messages to everybody in it: settings of a room of ours, and messages to one person. */
import type { Delivery, Sent } from '../../../model/message'
import type { DirectSender } from '../direct/send'
import type { Room } from './room'
import type { TeamRooms } from './team-rooms'

/** Undefined for messages to everybody. `holds`: later deliveries wait until this one is done. */
export type SpecialDeliveries = (room: Room, delivery: Delivery, signal: AbortSignal) => { sent: Promise<Sent>, holds: boolean } | undefined

export const makeSpecialDeliveries = (teamRooms: TeamRooms, directSender: DirectSender): SpecialDeliveries => (room, delivery, signal) => {
  const { action } = delivery
  const id: string = delivery.key // of the stanza, so the other side knows it by that
  if (action.kind === 'room') return { sent: teamRooms.make(room, action.room, signal).then((): Sent => ({ ids: [id] })), holds: true }
  if (action.kind !== 'message' || action.addressee === undefined || action.addressee.open === true) return undefined
  const sent = directSender.toAddressee(room, delivery, teamRooms.addressOf(room), signal)
  return sent === false ? undefined : { sent, holds: false }
}
