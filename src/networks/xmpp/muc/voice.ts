/**
 * Ours in rooms of others that are for members only, or in which only some may speak (XEP-0045 §5.1.1).
 * Promises: where we may, we make each ghost a member, and members have a voice. Where we may not, we ask those who may: in the room at most
 * once in ASK_AGAIN_MS, and for each ghost once in REQUEST_AGAIN_MS. Until then, messages wait; but where others of ours may speak, whoever may not
 * holds up none of them.
 */
import { messageOf, Refused, Unavailable } from '../../../model/errors'
import type { World } from '../../../model/network'
import { bareOf } from '../names'
import { type Language, TEXTS } from '../text/texts'
import { conditionOf, failureOf } from '../wire/stanza-errors'
import type { Stream } from '../wire/stream'
import { el, form } from '../wire/xml'
import type { RoomNotices } from './notices'
import type { Occupant } from './occupant'
import { canRule, type Room, type Voices } from './room'

const ASK_AGAIN_MS = 24 * 3_600_000
const REQUEST_AGAIN_MS = 31 * 60_000 // servers take one request in half an hour
const MUC = 'http://jabber.org/protocol/muc'
const FOR_SOME = ['muc_membersonly', 'muc_moderated']

export const makeVoices = (language: Language, stream: Stream, { clock, memory, log }: World, say: RoomNotices['say']): Voices => {
  const requested = new WeakMap<Occupant, number>()

  const change = async (room: Room, item: Record<string, string>): Promise<void> => {
    const answer = await stream.ask('set', room.listener.jid, room.id, el('query', { xmlns: `${MUC}#admin` }, el('item', item)))
    if (answer.attrs.type === 'error') throw failureOf('one of ours could not be given a voice', conditionOf(answer))
  }

  const askInRoom = (room: Room, words: string): void => {
    const last = Number(memory.get(`asked ${room.id}`) ?? '0')
    if (Math.abs(clock.now() - last) < ASK_AGAIN_MS) return
    memory.set(`asked ${room.id}`, String(clock.now())).catch(error => log.warn({ why: messageOf(error) }, 'not remembered'))
    say(room, words)
  }

  /** XEP-0045 §7.13. */
  const request = (room: Room, ghost: Occupant): void => {
    if (clock.tick() - (requested.get(ghost) ?? -Infinity) < REQUEST_AGAIN_MS) return
    requested.set(ghost, clock.tick())
    stream.send(el('message', { from: ghost.jid, to: room.id }, form(`${MUC}#request`, { 'muc#role': 'participant' })))
  }

  const voiceKey = ({ id }: Room): string => `voice in ${id}`

  /** One of our ghosts was heard in a room that we do not rule. */
  const noteHeard = (room: Room): void => {
    if (memory.get(voiceKey(room)) !== undefined || !FOR_SOME.some(feature => room.features.has(feature))) return
    memory.set(voiceKey(room), '1').catch(error => log.warn({ why: messageOf(error) }, 'not remembered'))
  }

  const areOthersHeard = (room: Room): boolean => memory.get(voiceKey(room)) !== undefined ||
    [...room.ghosts.values()].some(({ nick, role }) => nick !== '' && role !== 'visitor')

  const failure = (room: Room, what: string): Refused | Unavailable => {
    const why = `${what}; make ${bareOf(room.listener.jid)} an admin of it`
    if (areOthersHeard(room)) return new Refused(why, undefined, 'voiceless')
    askInRoom(room, TEXTS[language].noVoice(bareOf(room.listener.jid)))
    return new Unavailable(why, { disconnected: true, voiceless: true })
  }

  return {
    async admit (room, ghost) {
      if (canRule(room)) return await change(room, { jid: bareOf(ghost.jid), affiliation: 'member' })
      throw failure(room, 'the room is for members only, and we may not make members')
    },
    async give (room, ghost) {
      if (ghost.role !== 'visitor') {
        if (ghost !== room.listener && !canRule(room)) noteHeard(room)
        return
      }
      if (canRule(room)) await change(room, { jid: bareOf(ghost.jid), affiliation: 'member' })
      if (ghost.role === 'visitor' && room.listener.role === 'moderator') await change(room, { nick: ghost.nick, role: 'participant' })
      if (ghost.role !== 'visitor') return
      if (canRule(room)) throw new Unavailable('the room has not given one of ours a voice yet')
      request(room, ghost)
      throw failure(room, 'the room is moderated, and one of ours has no voice in it')
    },
    askToStay (room) { askInRoom(room, TEXTS[language].askToStay(bareOf(room.listener.jid))) }
  }
}
