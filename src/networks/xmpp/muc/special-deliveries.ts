/** Deliveries to a room that are no messages to everybody in it: settings of a room of ours, removals, and messages that one person alone reads. */
import type { Delivery, Sent } from '../../../model/message'
import type { DirectSender } from '../direct/send'
import type { Change } from './profile'
import type { Remove } from './removing'
import type { Room } from './room'
import type { TeamRooms } from './team-rooms'

/** Undefined for messages to everybody. `holds`: later deliveries wait until this one is done. */
export type SpecialDeliveries = (room: Room, delivery: Delivery, signal: AbortSignal) => { sent: Promise<Sent>, holds: boolean } | undefined

interface Parts { teamRooms: TeamRooms; directSender: DirectSender; remove: Remove; change: Change }

export const makeSpecialDeliveries = ({ teamRooms, directSender, remove, change }: Parts): SpecialDeliveries => (room, delivery, signal) => {
  const { action } = delivery
  const id: string = delivery.key // of the stanza, so the other side knows it by that
  if (action.kind === 'room') return { sent: teamRooms.make(room, action.room, signal).then((): Sent => ({ ids: [id] })), holds: true }
  if (action.kind === 'removal') {
    const said = action.said.map(key => key.startsWith(`${room.id} `) ? key.slice(room.id.length + 1) : undefined)
    return { sent: remove(room, said).then((): Sent => ({ ids: [id] })), holds: false }
  }
  if (action.kind === 'profile' && action.shown.what !== 'topic') {
    return { sent: change(room, action, signal).then((shows): Sent => ({ ids: [id], shows })), holds: false }
  }
  if (action.kind === 'profile' && room.subject === action.shown.value) return { sent: Promise.resolve({ ids: [id] }), holds: false }
  if (action.kind !== 'message' || action.addressee === undefined || action.addressee.open === true) return undefined
  const sent = directSender.toAddressee(room, delivery, teamRooms.addressOf(room), signal)
  return sent === false ? undefined : { sent, holds: false }
}
