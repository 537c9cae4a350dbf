/** What moderators can do in Matrix rooms and in group chats. */
import { addressKey, type Person, type Place } from '../../src/model/address'
import { ghostMxid, ghostPerson } from '../../src/networks/matrix/names'
import { ghostLocal, ghostPerson as personBehind, parseJid } from '../../src/networks/xmpp/names'
import { RESOURCE } from '../../src/networks/xmpp/addresses'
import { MODERATE, RETRACT } from '../../src/networks/xmpp/text/content'
import { el, type Xml } from '../../src/networks/xmpp/wire/xml'
import { membership, type HsEvent, type State } from '../support/homeserver/state'
import type { Moderators } from './moderation'
import { MUC_USER, type Room } from './room'
import { COMPONENT, DOMAIN, type Inhabitant, type Town } from './town'
import type { World } from './world'

interface Homes { world: World; town: Town; state: State; findEvent (room: string, tag: string): HsEvent | undefined; isDown (): boolean }

export const makeMatrixModerators = ({ world: { note, weather }, town, state, findEvent, isDown }: Homes): Moderators => {
  /** Whoever made the room. */
  const modOf = ({ id }: Place): Inhabitant => town.people.find(({ place }) => place.id === id)!
  return {
    putsOut (place, name, how) {
      const ghost = [...state.room(place.id).state.values()].find(({ type, content }) =>
        type === 'm.room.member' && content.membership === 'join' && content.displayname === name)?.state_key
      const person = ghost === undefined ? undefined : ghostPerson(ghost, DOMAIN)
      if (isDown() || ghost === undefined || person === undefined) return undefined
      note(`${place.id}: ${name} is ${how}`)
      weather.happened(`a moderator: ${how}`)
      state.kick(place.id, modOf(place).id, ghost, how === 'kicked' ? 'leave' : 'ban')
      return person
    },
    letsIn (place, person) {
      const ghost = ghostMxid(person, DOMAIN)
      const is = membership(state.room(place.id), ghost)
      if (isDown() || is === 'join' || is === 'invite') return false
      note(`${place.id}: ${addressKey(person)} is let in`)
      if (is === 'ban') state.kick(place.id, modOf(place).id, ghost)
      else state.invite(place.id, modOf(place).id, ghost)
      return true
    },
    removes (place, tag) {
      const event = isDown() ? undefined : findEvent(place.id, tag)
      if (event === undefined) return false
      note(`${place.id}: ${tag} is removed`)
      weather.happened('a moderator: removed')
      state.redact(place.id, modOf(place).id, event.event_id)
      return true
    },
    stands: (place, tag) => findEvent(place.id, tag) !== undefined
  }
}

interface Chats {
  world: World
  roomAt (id: string): Room
  send (stanza: Xml): boolean
  nextId (): string
  isDown (): boolean
}

export const makeRoomModerators = ({ world: { note, weather, timeline }, roomAt, send, nextId, isDown }: Chats): Moderators => {
  const bareOf = (person: Person): string => `${ghostLocal(person)}@${COMPONENT}`
  return {
    putsOut (place, name, meant) {
      const room = roomAt(place.id)
      const how = room.isLasting ? meant : 'kicked' // a room that ends forgets its bans
      const who = room.occupants.get(name)
      const person = who && personBehind(parseJid(who.jid)?.local ?? '')
      if (isDown() || who === undefined || person === undefined) return undefined
      note(`${place.id}: ${name} is ${how}`)
      weather.happened(`a moderator: ${how}`)
      if (how === 'banned') room.affiliations.set(bareOf(person), 'outcast')
      room.remove(who, how === 'banned' ? '301' : '307')
      return person
    },
    letsIn (place, person) {
      const room = roomAt(place.id)
      if (isDown() || room.byJid(`${bareOf(person)}/${RESOURCE}`) !== undefined || room.affiliationOf(bareOf(person)) === 'outcast') return false
      note(`${place.id}: ${addressKey(person)} is let in`)
      return send(el('message', { from: room.id, to: bareOf(person), id: nextId() },
        el('x', { xmlns: MUC_USER }, el('invite', { from: `mod@${DOMAIN}` }))))
    },
    removes (place, tag) {
      const room = roomAt(place.id)
      const item = isDown() ? undefined : room.find(tag)
      if (item === undefined) return false
      note(`${place.id}: ${tag} is removed`)
      weather.happened('a moderator: removed')
      Object.assign(item, { content: [], text: '' })
      const id = nextId()
      room.broadcast({
        id, at: timeline.ms, nick: '', by: room.id, messageId: id, text: '',
        content: [el('retract', { xmlns: RETRACT, id: item.id }, el('moderated', { xmlns: MODERATE }, el('retract', { xmlns: RETRACT })))]
      })
      return true
    },
    stands (place, tag) {
      const room = roomAt(place.id)
      const item = room.find(tag)
      const isTakenBack = (id: string): boolean => room.archive.some(({ content }) =>
        content.some(({ xml }) => xml.includes(`<retract xmlns='${RETRACT}' id='${id}'`)))
      return item !== undefined && !isTakenBack(item.id)
    }
  }
}
