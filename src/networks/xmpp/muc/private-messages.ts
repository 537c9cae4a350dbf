/**
 * Private messages to one of ours in a room (XEP-0045 §7.5). If it is certain who wrote one, it may be a message to the ghost in a direct chat.
 * All others are not carried. Their writer is told so, in a private message from the occupant they wrote to. In a team's room, a command
 * counts as typed in the room, and is answered in private too.
 * Promises: never answers with an error, because rooms put out whoever sends one. A machine's message is not answered. There are at most
 * ANSWERS_MAX answers a minute, with limits for each occupant and room, so that two machines do not answer each other for ever.
 */
import { makeAllowance } from '../../../lib/allowance'
import type { World } from '../../../model/network'
import { plain } from '../../../model/text'
import { contentXml, encryptionOf, isAutomatic } from '../text/content'
import { resourceOf } from '../names'
import { type Language, TEXTS } from '../text/texts'
import { inXhtml } from '../text/xhtml'
import type { Stream } from '../wire/stream'
import { child, el, type Element, owned, textOf } from '../wire/xml'
import { NICK, RECEIPTS } from '../direct/profile'
import { idOf, NON_ANONYMOUS, OCCUPANT_IDS, type Present, vouchesFor } from './people'
import type { Room } from './room'

const ANSWERS_MAX = 240 // a minute, over all rooms
const OF_ONE_ROOM_MAX = 80
const OF_ONE_MAX = 40
const KEY_BYTES = 12
const MUC_USER = 'http://jabber.org/protocol/muc#user'

/** In every spelling of the sign, and after invisible characters. */
const isCommand = (body: string): boolean => body.normalize('NFKC').replace(/[\s\p{Cf}]/gu, '').startsWith('!')

/** The address that the room shows to all; undefined if it is not of the server that the writer is on: another one could name anybody. */
const shownIn = (room: Room, { address }: Present): string | undefined =>
  address !== undefined && vouchesFor(room.id, address) ? address : undefined

/** Where addresses are hidden, the room's own id is somebody for as long as the room knows them (XEP-0421): no other gets it with their nick. */
const hiddenIn = (room: Room, nick: string, { occupant, marked }: Present): string | undefined =>
  occupant === undefined || marked === true || !room.features.has(OCCUPANT_IDS) ? undefined : idOf(room, nick, occupant)

/**
 * The message as if its writer had sent it without the room, under their address or, where that is hidden, as an occupant of the room.
 * Undefined if neither can be believed.
 */
export const asDirect = (room: Room, message: Element): Element | undefined => {
  const nick = resourceOf(message.attrs.from ?? '')
  const present = room.isTeams ? undefined : room.people.get(nick)
  const isHidden = !room.features.has(NON_ANONYMOUS)
  const from = present && (isHidden ? hiddenIn(room, nick, present) : shownIn(room, present))
  if (from === undefined || (isHidden && encryptionOf(message) !== undefined)) return undefined
  const children = message.children.filter(one => typeof one === 'string' || (one.ns !== RECEIPTS && !(isHidden && one.ns === NICK)))
  const called: Element = { name: 'nick', ns: NICK, attrs: {}, children: [nick] }
  return { ...message, attrs: { ...message.attrs, from }, children: isHidden ? [...children, called] : children } // their app waits for the room's
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
