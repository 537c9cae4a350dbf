/**
 * The way into rooms of other networks. Whoever enters a JID of the component's domain that names such a room, or types the room's name into
 * the gateway (jabber:iq:gateway), is sent to a room of ours on the room service, which is mirrored with it: they are made a member, get the
 * new address as an error (`gone`), and an invitation (XEP-0249).
 * Promises: whoever may not ask, and whoever asks for a room that is not there, gets the same answer. Nobody who was banned comes in again so.
 * At most ASKED_MAX are answered a minute, with limits for each person and server.
 */
import { makeAllowance } from '../../../lib/allowance'
import { deadline } from '../../../lib/clock'
import type { Person } from '../../../model/address'
import { messageOf, Refused } from '../../../model/errors'
import type { Inbox, World } from '../../../model/network'
import { GATEWAY, translated } from '../direct/gateway'
import { bareOf, canonicalBare, localOfRoom, parseJid, roomNamed, serverOf } from '../names'
import { type Language, TEXTS } from '../text/texts'
import { errorReply, movedReply, notNow } from '../wire/stanza-errors'
import type { Stream } from '../wire/stream'
import { child, el, type Element, elementsIn, textOf, type Xml } from '../wire/xml'
import { INFO, type Room } from './room'
import { isPortal } from './room-names'
import type { Rooms } from './rooms'
import type { makeOwnRooms } from './team-rooms'

const ASKED_MAX = 60 // a minute
const OF_ONE_SERVER_MAX = 30
const OF_ONE_MAX = 10
const MEMBERS_MAX = 2000 // of one room
const READY_MS = 60_000
const KEY_BYTES = 12
const NAME_MAX = 500 // characters

const MUC = 'http://jabber.org/protocol/muc'
const FEATURES = [INFO, MUC, 'muc_membersonly', 'muc_nonanonymous', 'muc_persistent', 'muc_hidden']

interface Parts {
  network: string; domain: string; language: Language; inbox: Pick<Inbox, 'mayAsk' | 'portal'>
  rooms: Pick<Rooms, 'attend' | 'whenReady'>; own: ReturnType<typeof makeOwnRooms>; stream: Pick<Stream, 'send'>
  world: Pick<World, 'clock' | 'chance' | 'log' | 'memory'>
}

export interface Entrance {
  /** True if somebody asks for a room with this stanza: then it is answered. */
  take (stanza: Element): boolean
  /** We are in this room: whoever may no longer ask for it is a member no longer. */
  entered (room: Room): void
}

export const makeEntrance = ({ network, domain, language, inbox, rooms, own, stream, world: { clock, chance, log, memory } }: Parts): Entrance => {
  const texts = TEXTS[language].entrance
  const allowance = makeAllowance(clock, ASKED_MAX, OF_ONE_MAX, OF_ONE_SERVER_MAX)
  const memoryKey = ({ id }: Pick<Room, 'id'>): string => `portal ${id}`

  const askedOf = (room: string): { network: string, id: string } | undefined => {
    const local = localOfRoom(room)
    return local === undefined ? undefined : { network, id: `${local}@${domain}` }
  }

  const personOf = (jid = ''): Person | undefined => {
    const id = canonicalBare(bareOf(jid))
    return id === undefined ? undefined : { network, id }
  }

  const mayAsk = (room: string | undefined, by: Person | undefined): boolean => {
    const asked = room === undefined ? undefined : askedOf(room)
    return asked !== undefined && by !== undefined && inbox.mayAsk(asked, by)
  }

  const isOurs = (jid: string): boolean => parseJid(jid)?.domain === domain

  const letIn = async (room: Room, name: string, { id }: Person, signal: AbortSignal): Promise<void> => {
    await rooms.whenReady(room, signal)
    if (memory.get(memoryKey(room)) !== name) {
      await own.configure(room.id, { name })
      await memory.set(memoryKey(room), name)
    }
    const [members, banned] = await Promise.all(['member', 'outcast'].map(affiliation => own.affiliated(room.id, affiliation)))
    if (banned?.has(id)) throw new Refused('banned from this room')
    if (members?.has(id) === true) return
    if ([...members ?? []].filter(jid => !isOurs(jid)).length >= MEMBERS_MAX) throw new Refused('the room has too many members')
    await own.enlist(room.id, id)
  }

  /** Where the room is for this person; undefined if there is none for them. Throws Unavailable. */
  const find = async (room: string, by: Person): Promise<string | undefined> => {
    const asked = askedOf(room)
    const found = asked && await inbox.portal(asked, by)
    if (found === undefined || !isPortal(found.id)) return found?.id
    const { signal, done } = deadline(clock, READY_MS)
    try {
      await letIn(rooms.attend(found.id), room, by, signal)
      return found.id
    } catch (error) {
      if (!(error instanceof Refused)) throw error
      log.warn({ room: found.id, person: by.id, why: error.message }, 'somebody is not let into a room that they asked for')
      return undefined
    } finally {
      done()
    }
  }

  const invite = (room: string, at: string, to: string): void => {
    const { id: from } = askedOf(room) ?? { id: domain }
    stream.send(el('message', { from, to, id: `invite.${chance.token(KEY_BYTES)}` },
      el('x', { xmlns: 'jabber:x:conference', jid: at, reason: room }), el('store', { xmlns: 'urn:xmpp:hints' })))
  }

  /** `found`: the answer to whoever gets the room; all others get the same. */
  const ask = (stanza: Element, room: string, found: (at: string) => Xml): void => {
    const by = personOf(stanza.attrs.from)
    const none = (): Xml => errorReply(stanza, 'cancel', 'item-not-found', { language, text: texts.none })
    if (by === undefined || !mayAsk(room, by)) return void stream.send(none())
    if (!allowance.take([by.id, serverOf(by.id)])) return void stream.send(notNow(stanza, language))
    find(room, by).then(at => {
      stream.send(at === undefined ? none() : found(at))
      if (at !== undefined) invite(room, at, by.id)
    }, (error: unknown) => {
      log.warn({ room, why: messageOf(error) }, 'a room that somebody asks for cannot be given to them now')
      stream.send(errorReply(stanza, 'wait', 'resource-constraint'))
    })
  }

  const about = (iq: Element, room: string, node: string | undefined): Xml => mayAsk(room, personOf(iq.attrs.from))
    ? el('iq', { type: 'result', from: iq.attrs.to, to: iq.attrs.from, id: iq.attrs.id }, el('query', { xmlns: INFO, node },
        el('identity', { category: 'conference', type: 'text', name: room }), ...FEATURES.map(feature => el('feature', { var: feature }))))
    : errorReply(iq, 'cancel', 'item-not-found', { language, text: texts.none })

  const question = (iq: Element, room: string | undefined): boolean => {
    const asked = elementsIn(iq)[0]
    if (room !== undefined && iq.attrs.type === 'get' && asked?.ns === INFO) {
      stream.send(about(iq, room, asked.attrs.node))
      return true
    }
    if (iq.attrs.to !== domain || iq.attrs.type !== 'set' || asked?.ns !== GATEWAY) return false
    const typed = textOf(child(asked, 'prompt')).trim()
    const named = typed.startsWith('#') && typed.length <= NAME_MAX ? typed : undefined
    if (named === undefined) return false
    ask(iq, named, at => translated(iq, at))
    return true
  }

  return {
    take (stanza) {
      const { to = '', type } = stanza.attrs
      const { local = '', domain: at, resource = '' } = parseJid(to) ?? {}
      const room = at === domain ? roomNamed(local) : undefined
      if (stanza.name === 'iq') return question(stanza, room)
      if (stanza.name !== 'presence' || room === undefined) return false
      if (type === undefined && resource !== '') ask(stanza, room, at => movedReply(stanza, at, { language, text: texts.moved(at) }))
      else if (type === undefined && child(stanza, 'x', MUC)) stream.send(errorReply(stanza, 'modify', 'jid-malformed'))
      return type === undefined || type === 'unavailable' || type === 'error'
    },
    entered (room) {
      const name = isPortal(room.id) ? memory.get(memoryKey(room)) : undefined
      if (name === undefined) return
      own.affiliated(room.id, 'member').then(async members => {
        for (const id of members) {
          if (!isOurs(id) && !mayAsk(name, { network, id })) await own.affiliate(room.id, id, 'none')
        }
      }).catch((error: unknown) => log.warn({ room: room.id, why: messageOf(error) }, 'the members of a room could not be looked at'))
    }
  }
}
