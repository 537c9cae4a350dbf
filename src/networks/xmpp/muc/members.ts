/**
 * Tells who is in rooms, as their listeners see it: all when a room is entered, then whoever comes, goes, or has another nick or picture.
 * Promises: neither ours nor the ghosts of another switchboard are told. Both are known by the mark in their presence, ours also by their nick,
 * because some rooms drop the mark.
 */
import type { MediaRef, Sender } from '../../../model/message'
import type { Leave } from '../../../model/members'
import type { Inbox } from '../../../model/network'
import { presenceOf } from '../../../model/signal'
import { resourceOf } from '../names'
import { child, type Element, owned } from '../wire/xml'
import { statusesOf } from './occupant'
import { addressFor, idOf, MUC_USER, type Present } from './people'
import type { Room } from './room'

export interface RoomMembers {
  /** The room is entered: whoever is in it is known. */
  entered (room: Room): void
  /** Takes a presence to the listener, once it is noted. `before`: who had its nick until then. */
  heard (room: Room, presence: Element, before: Present | undefined): void
  /** This nick is one of ours. */
  ours (room: Room, nick: string): void
}

interface Parts {
  network: string
  domain: string
  inbox: () => Inbox | undefined
  avatarOf: (room: string, nick: string) => MediaRef | undefined
}

const HOW: [code: string, how: Leave][] = [['301', 'banned'], ['307', 'kicked'], ['321', 'kicked'], ['322', 'kicked']]
const TECHNICAL = ['332', '333'] // they come with the code of a kick too

export const makeRoomMembers = ({ network, domain, inbox, avatarOf }: Parts): RoomMembers => {
  const told = (room: Room): Inbox | undefined => {
    const given = room.ready && !room.own ? inbox() : undefined
    return given?.wantsMembers({ network, id: room.place }) === true ? given : undefined
  }

  const isTheirs = (room: Room, nick: string, { marked, address }: Present): boolean =>
    !room.nicks.has(nick) && marked !== true && address?.endsWith(`@${domain}`) !== true

  const memberOf = (room: Room, nick: string, present: Present): Sender => {
    const { address } = present
    const avatar = avatarOf(room.id, nick)
    const shown = address !== undefined && addressFor(room, address)
    return { id: owned(idOf(room, nick, present.occupant)), name: owned(nick), ...shown, ...avatar && { avatar } }
  }

  const reached = (given: Inbox | undefined, room: Room, nick: string, { occupant, presence = presenceOf('online', '') }: Present): void =>
    given?.presence({ network, id: owned(idOf(room, nick, occupant)) }, presence)

  const howOf = (presence: Element): Leave => {
    const statuses = statusesOf(child(presence, 'x', MUC_USER))
    return TECHNICAL.some(code => statuses.has(code)) ? 'lost' : HOW.find(([code]) => statuses.has(code))?.[1] ?? 'lost'
  }

  const gone = (room: Room, nick: string, before: Present, presence: Element): void => {
    const id = idOf(room, nick, before.occupant)
    const other = [...room.people].find(([another, one]) => isTheirs(room, another, one) && idOf(room, another, one.occupant) === id)
    const isRenamed = before.occupant !== undefined && statusesOf(child(presence, 'x', MUC_USER)).has('303')
    const place = { network, id: room.place }
    if (other !== undefined) told(room)?.members(place, { kind: 'came', member: memberOf(room, ...other) })
    else if (!isRenamed || id.startsWith(`${room.id}/`)) told(room)?.members(place, { kind: 'went', id, how: howOf(presence) })
  }

  return {
    entered (room) {
      const members = [...room.people].flatMap(([nick, one]) => isTheirs(room, nick, one) ? [memberOf(room, nick, one)] : [])
      const given = told(room)
      const others = room.untold ? 'left' : 'lost' // nobody of the room that it replaces comes back to that
      given?.members({ network, id: room.place }, { kind: 'all', members, others })
      for (const [nick, one] of room.people) if (isTheirs(room, nick, one)) reached(given, room, nick, one)
    },
    heard (room, presence, before) {
      const nick = resourceOf(presence.attrs.from ?? '')
      const { type } = presence.attrs
      if (type === 'unavailable' && before !== undefined && isTheirs(room, nick, before)) return gone(room, nick, before, presence)
      const now = type === undefined ? room.people.get(nick) : undefined
      if (now === undefined || !isTheirs(room, nick, now)) return
      const given = told(room)
      given?.members({ network, id: room.place }, { kind: 'came', member: memberOf(room, nick, now) })
      reached(given, room, nick, now)
    },
    ours (room, nick) {
      const present = room.people.get(nick)
      const id = present === undefined ? undefined : idOf(room, nick, present.occupant)
      if (id !== undefined) told(room)?.members({ network, id: room.place }, { kind: 'went', id, how: 'left' })
    }
  }
}
