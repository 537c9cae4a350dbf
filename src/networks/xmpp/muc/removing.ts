/**
 * Removes messages, where the listener is a moderator and the room can do it: by XEP-0425, or as its version 0.2 says, which Prosody's
 * module of 2023 speaks. ejabberd before 23.04 cannot. The room's archive keeps a tombstone in their place.
 */
import { Refused, Unavailable } from '../../../model/errors'
import { MODERATE, MODERATE_BEFORE, removalXml } from '../text/content'
import { conditionOf } from '../wire/stanza-errors'
import type { Stream } from '../wire/stream'
import type { Room } from './room'

/** `said`: the ids that the room gave, of the message first. Throws Refused or Unavailable if the message stays. */
export type Remove = (room: Room, said: (string | undefined)[]) => Promise<void>

export const makeRemove = (stream: Pick<Stream, 'ask'>): Remove => {
  const one = async (room: Room, id: string | undefined): Promise<void> => {
    const form = [MODERATE, MODERATE_BEFORE].find(known => room.features.has(known))
    if (form === undefined) throw new Refused('this room lets nobody remove messages of others (XEP-0425)')
    if (room.listener.role !== 'moderator') throw new Refused('we are no moderator of this room')
    if (id === undefined) throw new Refused('the room gave this message no id')
    const answer = await stream.ask('set', room.listener.jid, room.id, removalXml(form, id))
    if (answer.attrs.type !== 'error') return
    const { name, type } = conditionOf(answer)
    const why = `the room does not remove the message: ${name}`
    throw type === 'wait' ? new Unavailable(why) : new Refused(why)
  }

  return async (room, [first, ...corrections]) => {
    await one(room, first)
    for (const correction of corrections) await one(room, correction).catch((error: unknown) => { if (!(error instanceof Refused)) throw error })
  }
}
