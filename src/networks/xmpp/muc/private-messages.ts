/**
 * Private messages to one of ours in a room (XEP-0045 §7.5). They are not carried: their writer is told so, in a private message from
 * whom they wrote to. In a team's room a command is taken as if it had been typed in the room, because there the team is told things
 * in private messages, and answers where it was told.
 * Promises: nothing is answered with an error, because rooms put out who sends one; what a machine sends is not answered, and of all
 * that comes in a minute ANSWERS_MAX are, first of one occupant and of one room, so that two machines do not answer each other for ever.
 */
import { makeAllowance } from '../../../lib/allowance'
import type { World } from '../../../model/network'
import { plain } from '../../../model/text'
import { contentXml, isAutomatic } from '../text/content'
import { type Language, TEXTS } from '../text/texts'
import type { Stream } from '../wire/stream'
import { child, el, type Element, owned, textOf } from '../wire/xml'
import type { Room } from './room'

const ANSWERS_MAX = 240 // a minute, over all rooms
const OF_ONE_ROOM_MAX = 80
const OF_ONE_MAX = 40
const KEY_BYTES = 12
const MUC_USER = 'http://jabber.org/protocol/muc#user'

/** In every spelling of the sign, and behind what nobody sees. */
const isCommand = (body: string): boolean => body.normalize('NFKC').replace(/[\s\p{Cf}]/gu, '').startsWith('!')

export interface PrivateMessages {
  /** A message to one of ours from an occupant, neither to all nor an error. */
  heard (room: Room, message: Element): void
}

/** `take`: it is to count as said in the room. */
export const makePrivateMessages = (
  language: Language, stream: Pick<Stream, 'send'>, { clock, chance }: World, take: (room: Room, message: Element) => void
): PrivateMessages => {
  const answers = makeAllowance(clock, ANSWERS_MAX, OF_ONE_MAX, OF_ONE_ROOM_MAX)

  return {
    heard (room, message) {
      const { from = '', to, type } = message.attrs
      const body = textOf(child(message, 'body'))
      if (body === '' || type === 'headline' || isAutomatic(message)) return
      if (room.own && isCommand(body)) return take(room, message)
      if (!answers.take([owned(from), room.id])) return
      const words = TEXTS[language].privately[room.own ? 'team' : 'room']
      stream.send(el('message', { type: 'chat', from: to, to: owned(from), id: `private.${chance.token(KEY_BYTES)}` },
        ...contentXml({ style: 'quiet', text: plain(words) }), el('x', { xmlns: MUC_USER })))
    }
  }
}
