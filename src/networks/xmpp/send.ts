/** Gives each delivery to the part that sends it: the one for direct chats, or the one for rooms. */
import { Refused, Unavailable } from '../../model/errors'
import type { Network } from '../../model/network'
import { directEnds } from './direct/place'
import { type DirectSender } from './direct/send'
import type { Sender } from './muc/send'
import { canonicalBare } from './names'

/** `rooms`: undefined before the start. */
export const makeSend = (direct: DirectSender, rooms: () => Sender | undefined): Pick<Network, 'send'> & Required<Pick<Network, 'find'>> => ({
  send (delivery, signal) {
    const { id } = delivery.place
    const sender = rooms()
    if (sender === undefined) return Promise.reject(new Unavailable('not started', { disconnected: true }))
    if (directEnds(id) !== undefined) return direct.send(delivery, signal)
    if (canonicalBare(id) !== id) return Promise.reject(new Refused('not the address of a room'))
    return sender.send(delivery, signal)
  },
  async find (delivery, signal) {
    const { place, action: { kind }, edits } = delivery
    const tells = directEnds(place.id) === undefined && !['room', 'removal'].includes(kind) && edits === undefined // only a room has an archive
    return tells ? await rooms()?.find(delivery, signal) : undefined
  }
})
