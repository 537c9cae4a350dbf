/** What a room shows of itself, as it tells everybody who enters. */
import type { ProfileArrival, Shown } from '../../../model/message'
import type { World } from '../../../model/network'
import { child, type Element, owned } from '../wire/xml'
import { DELAY } from './history'
import type { Room } from './room'

const KEY_BYTES = 12

/** Whoever enters is told the subject behind all that was said (XEP-0045 §7.2.15). That says nothing of when it was set. */
export const isOfOld = (room: Room, message: Element): boolean =>
  child(message, 'delay', DELAY) !== undefined || (room.subject === undefined && message.attrs.id === undefined)

export const lookAt = (network: string, { id }: Room, { what, value }: Shown, { clock, chance }: Pick<World, 'clock' | 'chance'>): ProfileArrival =>
  ({
    kind: 'profile', key: `${id}/shows ${what} ${chance.token(KEY_BYTES)}`, place: { network, id }, at: clock.now(),
    shown: { what, value: owned(value) }
  })
