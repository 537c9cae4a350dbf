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
  /** Those who are remembered and do not belong there leave, if we are in the room, or it has put us out. Then nobody belongs there. */
  partOthers (room: Room): void
  /** The same for everybody: nobody belongs there any more. */
  partAll (room: Room): void
}

const START = 'inside '

const belongs = ({ putOut, ghosts }: Room, jid: string): boolean => putOut === undefined && ghosts.has(jid)

export const makeInside = (stream: Pick<Stream, 'isUp' | 'send' | 'ask'>, { memory, log }: Pick<World, 'memory' | 'log'>): Inside => {
  const known = new Map<string, Set<string>>() // full addresses by room, because to look through the memory takes long
  const keyOf = (room: Room, jid: string): string => `${START}${room.id} ${bareOf(jid)}`

  const learn = (room: string, jid: string): void => {
    const all = known.get(room) ?? new Set()
    known.set(room, all.add(jid))
  }

  for (const key of memory.keys(START)) {
    const [room = '', bare = ''] = key.slice(START.length).split(' ')
    learn(room, `${bare}/${RESOURCE}`)
  }

  const forget = async (room: Room, jids: string[]): Promise<void> => {
    await stream.ask('get', room.listener.jid, room.id, el('query', { xmlns: INFO })) // it has read all that we sent before
    for (const jid of jids) {
      if (belongs(room, jid)) continue
      known.get(room.id)?.delete(jid)
      await memory.delete(keyOf(room, jid))
    }
  }

  const partOthers: Inside['partOthers'] = room => {
    const others = [...known.get(room.id) ?? []].filter(jid => !belongs(room, jid))
    if (others.length === 0 || !stream.isUp || (!room.ready && room.putOut === undefined)) return
    const to = `${room.id}/${room.listener.nick || RESOURCE}` // whichever nick: the room looks at who says so
    for (const jid of others) stream.send(el('presence', { from: jid, to, type: 'unavailable' }))
    forget(room, others).catch((error: unknown) => log.info({ room: room.id, why: messageOf(error) }, 'ghosts of before may be in the room still'))
  }

  return {
    enters (room, jid) {
      if (room.own || known.get(room.id)?.has(jid) === true) return undefined
      learn(room.id, jid)
      return memory.set(keyOf(room, jid), '1')
    },
    partOthers,
    partAll (room) {
      room.ghosts.clear()
      partOthers(room)
    }
  }
}
