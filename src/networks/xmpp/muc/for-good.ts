/**
 * Takes back what ours said for good. A retraction (XEP-0424) only has apps hide it; so it is taken out of the room's archive too, with its edits,
 * by our power over others (XEP-0425). Fails if it stays there. Whoever can no longer take it back themselves need not.
 */
import { messageOf, Refused } from '../../../model/errors'
import type { Delivery, Sent } from '../../../model/message'
import type { Remove } from './removing'
import type { Rooms } from './rooms'
import type { Sender } from './send'

export const makeForGood = ({ send }: Pick<Sender, 'send'>, rooms: Pick<Rooms, 'attend'>, remove: Remove): Sender['send'] => {
  const forGood = async (delivery: Delivery, signal: AbortSignal): Promise<Sent> => {
    const id: string = delivery.key
    const hidden = await send(delivery, signal).catch((error: unknown) => {
      if (error instanceof Refused) return error
      throw error
    })
    const room = rooms.attend(delivery.place.id)
    try {
      for (const ids of [delivery.target, ...delivery.edits ?? []]) await remove(room, [ids?.[1]])
    } catch (error) {
      if (!(error instanceof Refused)) throw error
      const what = hidden instanceof Refused ? hidden.message : 'apps hide it, but it stays in the archive of the room'
      throw new Refused(`${what}: ${messageOf(error)}`)
    }
    return hidden instanceof Refused ? { ids: [id] } : hidden
  }

  return (delivery, signal) => delivery.edits === undefined ? send(delivery, signal) : forGood(delivery, signal)
}
