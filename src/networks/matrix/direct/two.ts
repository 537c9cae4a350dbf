/**
 * Whether a ghost's chat is of two: what its person says there is meant for the contact alone. So whoever else is in the room, is invited, or
 * may enter or read it uninvited counts. An address speaks for a team, and is not so strict.
 */
import type { Log } from '../../../lib/log'
import { messageOf, Refused } from '../../../model/errors'
import { type Homeserver, Rejected, TooLong } from '../homeserver'
import { GHOST_PREFIX } from '../names'
import { readState } from '../rooms/state'
import type { Chats, DirectRoom } from './chats'
import type { Parting } from './parting'

/** By invitation; `knock` needs one too. */
const CLOSED = ['invite', 'private', 'knock']

export const isStrict = ({ ours }: Pick<DirectRoom, 'ours'>): boolean => ours.startsWith(`@${GHOST_PREFIX}`)

/** Too long an answer is no chat of two. Who may not ask is not in the room, and cannot say anything there either. */
export const isOfTwo = async (homeserver: Homeserver, room: string, { ours, theirs }: DirectRoom, signal: AbortSignal): Promise<boolean> => {
  try {
    const { content, members } = await readState(homeserver, room, { as: ours, signal })
    const isThird = ([mxid, membership]: [string, string]): boolean =>
      mxid !== ours && mxid !== theirs && (membership === 'join' || membership === 'invite')
    return CLOSED.includes(String(content('m.room.join_rules')?.join_rule ?? 'invite')) &&
      content('m.room.history_visibility')?.history_visibility !== 'world_readable' && ![...members].some(isThird)
  } catch (error) {
    if (error instanceof TooLong) return false
    if (error instanceof Rejected) return true
    throw error
  }
}

export interface Two {
  /**
   * The same room, if this may be said there. Otherwise we leave, the chat is over as if the contact had left, and this throws Refused. The room
   * is forgotten later, because what was said there before may still come in.
   */
  checked (room: string, chat: DirectRoom, signal: AbortSignal): Promise<string>
  /** Somebody came: looks whether the chat is over. */
  watch (room: string, chat: DirectRoom): void
}

interface Parts {
  homeserver: Homeserver; chats: Chats; parting: Pick<Parting, 'over'>; log: Log; signal: AbortSignal
  leave (room: string, ours: string): Promise<void>
}

export const makeTwo = ({ homeserver, chats, parting, leave, log, signal: stopping }: Parts): Two => {
  const checked: Two['checked'] = async (room, chat, signal) => {
    if (!isStrict(chat) || await isOfTwo(homeserver, room, chat, signal)) return room
    parting.over(room)
    const now = chats.at(chat.place)
    if (now?.room === room && !now.left) await chats.keep(chat.place, { ...now, left: true, crowded: true })
    await leave(room, chat.ours).catch((error: unknown) => log.info({ room, why: messageOf(error) }, 'a direct chat of more than two is left later'))
    throw new Refused('others could read the chat', undefined, 'crowded')
  }
  return {
    checked,
    watch (room, chat) {
      checked(room, chat, stopping).catch((error: unknown) => log.info({ room, why: messageOf(error) }, 'a direct chat is not of two, or may not be'))
    }
  }
}
