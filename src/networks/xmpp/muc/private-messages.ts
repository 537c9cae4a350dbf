/**
 * Private messages to one of ours in a room (XEP-0045 §7.5). If the room shows who wrote one, it may be a message to the ghost in a direct chat.
 * All others are not carried. Their writer is told so, in a private message from the occupant they wrote to. In a team's room, a command
 * counts as typed in the room, and is answered in private too.
 * Promises: never answers with an error, because rooms put out whoever sends one. A machine's message is not answered. There are at most
 * ANSWERS_MAX answers a minute, with limits for each occupant and room, so that two machines do not answer each other for ever.
 */
import { makeAllowance } from '../../../lib/allowance'
import type { World } from '../../../model/network'
import { plain } from '../../../model/text'
import { contentXml, isAutomatic } from '../text/content'
import { parseJid, resourceOf } from '../names'
import { type Language, TEXTS } from '../text/texts'
import { inXhtml } from '../text/xhtml'
import type { Stream } from '../wire/stream'
import { child, el, type Element, owned, textOf } from '../wire/xml'
import { RECEIPTS } from '../direct/profile'
import { NON_ANONYMOUS } from './people'
import type { Room } from './room'

const ANSWERS_MAX = 240 // a minute, over all rooms
const OF_ONE_ROOM_MAX = 80
const OF_ONE_MAX = 40
const KEY_BYTES = 12
const MUC_USER = 'http://jabber.org/protocol/muc#user'

/** In every spelling of the sign, and after invisible characters. */
const isCommand = (body: string): boolean => body.normalize('NFKC').replace(/[\s\p{Cf}]/gu, '').startsWith('!')

/**
 * The message as if its writer had sent it without the room. Undefined if the room does not show everybody's address, or is not of the server
 * that the writer is on: another one could name anybody.
 */
export const asDirect = (room: Room, message: Element): Element | undefined => {
  const address = room.isTeams || !room.features.has(NON_ANONYMOUS) ? undefined : room.people.get(resourceOf(message.attrs.from ?? ''))?.address
  const [service, theirs] = [parseJid(room.id)?.domain, parseJid(address ?? '')?.domain]
  if (address === undefined || theirs === undefined || (service !== theirs && service?.endsWith(`.${theirs}`) !== true)) return undefined
  const children = message.children.filter(one => typeof one === 'string' || one.ns !== RECEIPTS) // their app waits for one from the room
  return { ...message, attrs: { ...message.attrs, from: address }, children }
}

export interface PrivateMessages {
  /** Takes a message from an occupant to one of ours that is neither to all nor an error. */
  heard (room: Room, message: Element): void
}

/** `take`: the message counts as said in the room. */
export const makePrivateMessages = (
  language: Language, stream: Pick<Stream, 'send'>, { clock, chance }: World, take: (room: Room, message: Element) => void
): PrivateMessages => {
  const answers = makeAllowance(clock, ANSWERS_MAX, OF_ONE_MAX, OF_ONE_ROOM_MAX)

  return {
    heard (room, message) {
      const { from = '', to, type } = message.attrs
      const body = textOf(child(message, 'body'))
      if ((body === '' && inXhtml(message) === undefined) || type === 'headline' || isAutomatic(message)) return
      if (room.isTeams && isCommand(body)) return take(room, message)
      if (!answers.take([owned(from), room.id])) return
      const words = TEXTS[language].privately[room.isTeams ? 'team' : 'room']
      stream.send(el('message', { type: 'chat', from: to, to: owned(from), id: `private.${chance.token(KEY_BYTES)}` },
        ...contentXml({ style: 'quiet', text: plain(words) }), el('x', { xmlns: MUC_USER })))
    }
  }
}
