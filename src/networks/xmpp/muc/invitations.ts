/**
 * Direct invitations (XEP-0249) of ours into rooms that we attend, and that have put them out. Promises: one counts like one that the room passes on
 * (XEP-0045 §7.8.2) only if it comes from somebody whom the room has shown to us inside. All others are told how, at most ANSWERS_MAX a minute.
 */
import { makeAllowance } from '../../../lib/allowance'
import type { World } from '../../../model/network'
import { plain } from '../../../model/text'
import { RESOURCE } from '../addresses'
import { bareOf, canonicalBare, personOf, serverOf } from '../names'
import { contentXml } from '../text/content'
import { type Language, TEXTS } from '../text/texts'
import type { Stream } from '../wire/stream'
import { child, el, type Element, owned } from '../wire/xml'
import { MUC_USER } from './people'
import { nickOf, type Room } from './room'
import type { Rooms } from './rooms'

const ANSWERS_MAX = 60 // a minute
const OF_ONE_SERVER_MAX = 20
const OF_ONE_MAX = 5
const KEY_BYTES = 12
const CONFERENCE = 'jabber:x:conference'

/** As the room would pass it on. */
const passedOn = ({ id }: Room, to: string): Element => {
  const element = (name: string, attrs: Record<string, string>, ns: string, ...children: Element[]): Element => ({ name, ns, attrs, children })
  return element('message', { from: id, to }, 'jabber:client', element('x', {}, MUC_USER, element('invite', {}, MUC_USER)))
}

export interface Invitations {
  /** True if this is such an invitation: then it is answered, or counts. */
  take (message: Element): boolean
}

export const makeInvitations = (
  language: Language, rooms: Pick<Rooms, 'get' | 'said'>, stream: Pick<Stream, 'send'>, { clock, chance }: Pick<World, 'clock' | 'chance'>
): Invitations => {
  const answers = makeAllowance(clock, ANSWERS_MAX, OF_ONE_MAX, OF_ONE_SERVER_MAX)

  const isOut = (room: Room, ours: string): boolean =>
    bareOf(room.listener.jid) === ours ? room.putOut !== undefined : room.ghosts.get(`${ours}/${RESOURCE}`)?.nick === ''

  return {
    take (message) {
      const { from = '', to = '', type } = message.attrs
      const ours = bareOf(to)
      const named = canonicalBare(child(message, 'x', CONFERENCE)?.attrs.jid ?? '')
      const room = named === undefined || type === 'error' ? undefined : rooms.get(named)
      if (room === undefined || room.own || !isOut(room, ours)) return false
      const theirs = owned(personOf(from))
      if (nickOf(room, theirs) !== undefined) rooms.said(room, passedOn(room, to))
      else if (answers.take([theirs, serverOf(theirs)])) {
        stream.send(el('message', { type: 'chat', from: ours, to: theirs, id: `invited.${chance.token(KEY_BYTES)}` },
          ...contentXml({ style: 'quiet', text: plain(TEXTS[language].inviteInside(ours)) })))
      }
      return true
    }
  }
}
