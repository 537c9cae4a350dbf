/** How guests come into rooms, go, and are called: in Matrix rooms and in group chats. */
import { membership, type State } from '../support/homeserver/state'
import type { HsPerson } from '../support/homeserver'
import type { Doors } from './crowd'
import type { Room } from './room'
import { COMPONENT, type Inhabitant, type Town } from './town'
import { isOf } from './room'
import type { World } from './world'

interface Homes {
  world: World; town: Town; state: State
  personOf (one: Inhabitant): HsPerson
  isOurs (mxid: string): boolean
  isDown (): boolean
}

export const makeMatrixDoors = ({ world: { note }, town, state, personOf, isOurs, isDown }: Homes): Doors => {
  const NETWORK = 'matrix'
  const isIn = ({ id, place }: Inhabitant): boolean => membership(state.room(place.id), id) === 'join'
  return {
    comes (guest) {
      const host = town.people.find(({ place }) => place.id === guest.place.id)
      if (isDown() || host === undefined || isIn(guest)) return false
      note(`${guest.name} comes into ${guest.place.id}`)
      const { userId, join } = personOf(guest)
      state.invite(guest.place.id, host.id, userId)
      join(guest.place.id)
      return true
    },
    goes (guest) {
      if (isDown() || !isIn(guest)) return false
      note(`${guest.name} leaves ${guest.place.id}`)
      personOf(guest).leave(guest.place.id)
      return true
    },
    isCalled (guest, name) {
      if (isDown() || !isIn(guest)) return false
      note(`${guest.name} in ${guest.place.id} is ${name} now`)
      state.setProfile(guest.id, 'displayname', name)
      return true
    },
    present: () => town.placesOf(NETWORK).flatMap(({ id }) => [...state.room(id).state.values()].flatMap(({ type, state_key: who = '', content }) =>
      type === 'm.room.member' && content.membership === 'join'
        ? [{ place: `${NETWORK} ${id}`, name: String(content.displayname ?? who.slice(1, who.indexOf(':'))), ours: isOurs(who) }] : []))
  }
}

interface Chats { world: World; roomAt (id: string): Room; rooms (): Iterable<Room>; isDown (): boolean }

export const makeRoomDoors = ({ world: { note }, roomAt, rooms, isDown }: Chats): Doors => {
  const jidOf = ({ id }: Inhabitant): string => `${id}/app`
  return {
    comes (guest) {
      const room = roomAt(guest.place.id)
      if (isDown() || room.byJid(jidOf(guest)) !== undefined) return false
      note(`${guest.name} comes into ${room.id}`)
      return room.enter(jidOf(guest), guest.name, true) === undefined
    },
    goes (guest) {
      const room = roomAt(guest.place.id)
      const who = room.byJid(jidOf(guest))
      if (isDown() || who === undefined) return false
      note(`${guest.name} leaves ${room.id}`)
      room.remove(who)
      return true
    },
    isCalled (guest, name) {
      const room = roomAt(guest.place.id)
      if (isDown() || room.byJid(jidOf(guest)) === undefined) return false
      note(`${guest.name} in ${room.id} is ${name} now`)
      return room.enter(jidOf(guest), name, true) === undefined
    },
    present: () => [...rooms()].flatMap(({ id, occupants }) => [...occupants.values()].map(({ nick, jid }) =>
      ({ place: `xmpp ${id}`, name: nick, ours: isOf(COMPONENT, jid) })))
  }
}
