/**
 * Our own rooms for a team: made by our listener, for members only, with real addresses visible to everybody inside, not listed, archived.
 * Promises: nobody is let in before the room is closed to strangers. `make` changes only what differs, and resolves when the room has
 * confirmed all of it. People who may not speak are muted again each time they come in. A room that somebody else made under the name is
 * never used.
 */
import { messageOf, Refused } from '../../../model/errors'
import type { RoomState } from '../../../model/message'
import type { World } from '../../../model/network'
import { type Addresses, LISTENER_LOCAL, RESOURCE } from '../addresses'
import type { Confirm } from '../direct/confirm'
import { logoOf, photoXml, sha1, VCARD_TEMP } from '../direct/profile'
import { bareOf, canonicalBare, parseJid } from '../names'
import { conditionOf, failureOf } from '../wire/stanza-errors'
import type { Stream } from '../wire/stream'
import { child, el, type Element, elementsIn, form, textOf } from '../wire/xml'
import type { OwnRooms, Room } from './room'
import type { Rooms } from './rooms'

const KEY_BYTES = 12
const MUC = 'http://jabber.org/protocol/muc'
const ADMIN = `${MUC}#admin`
const OWNER = `${MUC}#owner`
const CONFIG = `${MUC}#roomconfig`
const FORM = 'jabber:x:data'

/** What servers call each setting. Of these names, all that the room's form has are set. */
const NAMES = {
  persistent: ['muc#roomconfig_persistentroom'],
  membersOnly: ['muc#roomconfig_membersonly'],
  public: ['muc#roomconfig_publicroom', 'public_list'],
  addresses: ['muc#roomconfig_whois'],
  archive: ['muc#roomconfig_enablearchiving', 'mam', 'muc#roomconfig_mam'],
  invitations: ['muc#roomconfig_allowinvites', '{http://prosody.im/protocol/muc}roomconfig_allowmemberinvites'],
  moderated: ['muc#roomconfig_moderatedroom'],
  name: ['muc#roomconfig_roomname']
}
const CLOSED = { persistent: '1', membersOnly: '1', public: '0', addresses: 'anyone', archive: '1', invitations: '0' }
/** Without these features, a stranger could come in, or nobody would know who speaks. */
const NEEDED = ['muc_membersonly', 'muc_nonanonymous']

/** What servers answer about an admin of all their rooms, who may come in anyway: as Prosody says it, as ejabberd does. */
const OWNS_ALL: ReadonlySet<string> = new Set(['not-acceptable', 'not-allowed'])

type Setting = keyof typeof NAMES
type Settings = Partial<Record<Setting, string>>

/** What is remembered of a room that we made. */
interface Kept { from?: string, speakers?: string[], picture?: string }

const same = (one: string, other: string): boolean =>
  one.replace(/^true$/, '1').replace(/^false$/, '0') === other

export interface TeamRooms {
  make (room: Room, state: RoomState, signal: AbortSignal): Promise<void>
  /** The address in whose name people are invited to this room. */
  addressOf (room: Room): string | undefined
  /** Somebody came in, or has another role. */
  known (room: Room, nick: string): void
}

/** Sets up and lets into rooms that are ours alone. `service` is the room service on which we make them. */
export const makeOwnRooms = (domain: string, service: string | undefined, stream: Stream): OwnRooms & {
  /** Removes the room with everybody in it, and names the room that replaces it. It is no error if it is gone already. */
  destroy (id: string, by?: string): Promise<void>
  configure (id: string, wanted: Settings, always?: boolean): Promise<boolean>
  affiliate (id: string, jid: string, affiliation: string, nick?: string): Promise<Element>
  /** Makes somebody a member who is not one of ours. Throws Refused or Unavailable. */
  enlist (id: string, jid: string): Promise<void>
  /** Who has this affiliation, in canonical spelling. */
  affiliated (id: string, affiliation: string): Promise<Set<string>>
} => {
  const ask = async (type: 'get' | 'set', id: string, payload: Parameters<Stream['ask']>[3]): Promise<Element> =>
    await stream.ask(type, `${LISTENER_LOCAL}@${domain}/${RESOURCE}`, id, payload)

  const configure = async (id: string, wanted: Settings, always = false): Promise<boolean> => {
    const answer = await ask('get', id, el('query', { xmlns: OWNER }))
    const query = child(answer, 'query', OWNER)
    const given = query && child(query, 'x', FORM)
    if (given === undefined) throw failureOf('the room does not show its configuration', conditionOf(answer))
    const now = new Map(elementsIn(given).filter(one => one.name === 'field')
      .map(field => [field.attrs.var ?? '', textOf(child(field, 'value'))]))
    const fields = Object.fromEntries(Object.entries(wanted).flatMap(([name, value]) => NAMES[name as Setting]
      .filter(field => now.has(field) && !same(now.get(field) ?? '', value)).map(field => [field, value])))
    if (Object.keys(fields).length === 0 && !always) return false
    const done = await ask('set', id, el('query', { xmlns: OWNER }, form(CONFIG, fields)))
    if (done.attrs.type === 'error') throw failureOf('the room does not take its configuration', conditionOf(done))
    return true
  }

  const affiliate = (id: string, jid: string, affiliation: string, nick?: string): Promise<Element> =>
    ask('set', id, el('query', { xmlns: ADMIN }, el('item', { jid, affiliation, nick })))

  return {
    isClosed: features => NEEDED.every(feature => features.has(feature)),
    has: id => service !== undefined && id.startsWith('_') && id.endsWith(`@${service}`),
    async destroy (id, by) {
      const answer = await ask('set', id, el('query', { xmlns: OWNER }, el('destroy', { jid: by })))
      const condition = conditionOf(answer)
      const isOver = answer.attrs.type !== 'error' || condition.name === 'item-not-found' || condition.name === 'gone'
      if (!isOver) throw failureOf('a room of ours cannot be removed', condition)
    },
    async setUp (id) { await configure(id, CLOSED, true) },
    async admit (id, jid, nick) {
      const named = await affiliate(id, bareOf(jid), 'member', nick)
      // a server that does not know a letter of the nick refuses all of it
      const answer = named.attrs.type === 'error' && nick !== undefined ? await affiliate(id, bareOf(jid), 'member') : named
      if (answer.attrs.type === 'error') throw failureOf('one of ours could not be made a member', conditionOf(answer))
    },
    async enlist (id, jid) {
      const answer = await affiliate(id, jid, 'member')
      const condition = conditionOf(answer)
      if (answer.attrs.type === 'error' && !OWNS_ALL.has(condition.name)) throw failureOf('somebody could not be made a member', condition)
    },
    configure, affiliate,
    async affiliated (id, affiliation) {
      const answer = await ask('get', id, el('query', { xmlns: ADMIN }, el('item', { affiliation })))
      const query = child(answer, 'query', ADMIN)
      if (query === undefined) throw failureOf('the room does not show its members', conditionOf(answer))
      return new Set(elementsIn(query).flatMap(({ attrs: { jid } }) => jid === undefined ? [] : [canonicalBare(bareOf(jid)) ?? jid]))
    }
  }
}

export interface TeamRoomsParts {
  domain: string
  own: ReturnType<typeof makeOwnRooms>
  rooms: Pick<Rooms, 'refresh'>
  addresses: Addresses
  stream: Stream
  confirm: Confirm
  world: World
}

export const makeTeamRooms = ({
  domain, own, rooms, addresses, stream, confirm, world: { memory, chance, log }
}: TeamRoomsParts): TeamRooms => {
  const keptOf = (room: Room): Kept => JSON.parse(memory.get(`team ${room.id}`) ?? '{}') as Kept

  const keep = async (room: Room, { from, speakers }: RoomState): Promise<void> => {
    const { picture } = keptOf(room)
    const value = JSON.stringify({ from, speakers, picture } satisfies { [K in keyof Kept]: Kept[K] | undefined })
    if (memory.get(`team ${room.id}`) !== value) await memory.set(`team ${room.id}`, value)
  }

  const isOurs = (jid: string): boolean => parseJid(jid)?.domain === domain

  /** Apps follow an invitation by themselves if it comes from somebody they know (XEP-0249). Otherwise the room invites (XEP-0045 §7.8). */
  const invite = (room: Room, jid: string, { from, name }: RoomState): void => {
    const sender = from === undefined ? undefined : addresses.at(from)
    const id = `invite.${chance.token(KEY_BYTES)}`
    const asked = el('invite', { to: jid }, el('reason', {}, name))
    stream.send(sender === undefined
      ? el('message', { from: room.listener.jid, to: room.id, id }, el('x', { xmlns: `${MUC}#user` }, asked))
      : el('message', { from: sender.id, to: jid, id }, el('x', { xmlns: 'jabber:x:conference', jid: room.id, reason: name }),
          el('store', { xmlns: 'urn:xmpp:hints' })))
  }

  /** Sends the invitation together with the membership, so that a crash leaves both or neither. */
  const admit = async (room: Room, jid: string, state: RoomState): Promise<void> => {
    const enlisted = own.enlist(room.id, jid)
    invite(room, jid, state)
    await enlisted
  }

  const remove = async (room: Room, jid: string): Promise<void> => {
    const answer = await own.affiliate(room.id, jid, 'none')
    if (answer.attrs.type === 'error') throw failureOf('somebody could not be taken out of the room', conditionOf(answer))
  }

  const peopleOf = ({ people }: RoomState): Set<string> => new Set(people.flatMap(jid => {
    const canonical = canonicalBare(jid)
    if (canonical === undefined) log.error({ jid }, 'not an address, so not asked into the room')
    return canonical ?? []
  }))

  const voice = async (room: Room, nick: string, speakers: string[] | undefined): Promise<void> => {
    const inside = room.people.get(nick)
    if (inside?.address === undefined || isOurs(inside.address)) return
    const role = speakers === undefined || speakers.includes(inside.address) ? 'participant' : 'visitor'
    if (inside.role === role || inside.role === 'moderator') return
    const answer = await stream.ask('set', room.listener.jid, room.id, el('query', { xmlns: ADMIN }, el('item', { nick, role })))
    if (answer.attrs.type === 'error' && room.people.has(nick)) throw failureOf('a voice could not be given or taken', conditionOf(answer))
  }

  const setTopic = async (room: Room, topic: string, signal: AbortSignal): Promise<void> => {
    if (room.subject === topic) return
    const id = `topic.${chance.token(KEY_BYTES)}`
    const stanza = el('message', { type: 'groupchat', from: room.listener.jid, to: room.id, id }, el('subject', {}, topic))
    await confirm.write({ stanza, id, to: room.id, attempt: 1 }, signal)
  }

  /** Not every server keeps pictures of rooms (XEP-0486), and nothing depends on one. */
  const setPicture = async (room: Room, { from = '' }: RoomState): Promise<void> => {
    const identity = addresses.at(from)
    const logo = identity && logoOf(identity.profile)
    const hash = logo === undefined ? '' : sha1(logo.bytes)
    const { picture = '', ...kept } = keptOf(room)
    if (picture === hash) return
    const answer = await stream.ask('set', room.listener.jid, room.id, el('vCard', { xmlns: VCARD_TEMP }, photoXml(logo)))
    if (answer.attrs.type === 'error') log.debug({ room: room.id, why: conditionOf(answer).name }, 'the server keeps no pictures of rooms')
    else await memory.set(`team ${room.id}`, JSON.stringify({ ...kept, picture: hash } satisfies Kept))
  }

  return {
    async make (room, state, signal) {
      if (!room.own) throw new Refused('this is not a room of ours')
      await keep(room, state)
      const moderated = state.speakers === undefined ? '0' : '1'
      if (await own.configure(room.id, { ...CLOSED, moderated, name: state.name })) await rooms.refresh(room)
      await setPicture(room, state)
      const wanted = peopleOf(state)
      const there = await own.affiliated(room.id, 'member')
      await Promise.all([...there].filter(jid => !wanted.has(jid) && !isOurs(jid)).map(jid => remove(room, jid)))
      if (state.withdrawn === undefined) await Promise.all([...wanted].filter(jid => !there.has(jid)).map(jid => admit(room, jid, state)))
      await Promise.all([...room.people.keys()].map(nick => voice(room, nick, state.speakers)))
      await setTopic(room, state.topic, signal)
    },
    addressOf: room => keptOf(room).from,
    known (room, nick) {
      if (!room.own || memory.get(`team ${room.id}`) === undefined) return
      voice(room, nick, keptOf(room).speakers).catch((error: unknown) => log.warn({ room: room.id, why: messageOf(error) }, 'voice not set'))
    }
  }
}
