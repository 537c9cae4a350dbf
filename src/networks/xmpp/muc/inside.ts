/**
 * Which of our ghosts a room may still have inside: a room keeps them while the stream is down, also when the process has died. Promises: a ghost
 * is remembered before it enters, and until the room has answered after it left; ghosts of before that belong there no more leave it.
 */
import { messageOf } from '../../../model/errors'
import type { World } from '../../../model/network'
import { bareOf } from '../names'
import type { Stream } from '../wire/stream'
import { el } from '../wire/xml'
import { RESOURCE } from '../addresses'
import { INFO, type Room } from './room'

export interface Inside {
  /** This ghost is about to enter. The promise resolves when that is remembered; undefined if it is already. */
  enters (room: Room, jid: string): Promise<void> | undefined
  /** Those who are remembered and not in `room.ghosts` leave. */
  partOthers (room: Room): void
}

export const makeInside = (stream: Pick<Stream, 'send' | 'ask'>, { memory, log }: Pick<World, 'memory' | 'log'>): Inside => {
  const keyOf = (room: Room, jid: string): string => `inside ${room.id} ${bareOf(jid)}`

  const forget = async (room: Room, jids: string[]): Promise<void> => {
    await stream.ask('get', room.listener.jid, room.id, el('query', { xmlns: INFO })) // it has read all that we sent before
    for (const jid of jids) if (!room.ghosts.has(jid)) await memory.delete(keyOf(room, jid))
  }

  return {
    enters: (room, jid) => room.own || memory.get(keyOf(room, jid)) !== undefined ? undefined : memory.set(keyOf(room, jid), '1'),
    partOthers (room) {
      const start = keyOf(room, '')
      const others = memory.keys(start).map(key => `${key.slice(start.length)}/${RESOURCE}`).filter(jid => !room.ghosts.has(jid))
      if (others.length === 0 || !room.ready) return
      for (const jid of others) stream.send(el('presence', { from: jid, to: `${room.id}/${room.listener.nick}`, type: 'unavailable' }))
      forget(room, others).catch((error: unknown) => log.info({ room: room.id, why: messageOf(error) }, 'ghosts of before may be in the room still'))
    }
  }
}
