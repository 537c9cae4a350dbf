/**
 * Direct chats of our addresses with their contacts, and of ghosts, which are addresses that stand for one person.
 * A chat is one place for ever, `<our MXID> <their MXID>`, whatever rooms it has had.
 * We listen in all of them, and write where the contact wrote last. We take an invitation at once, and first read what the contact said
 * before we were in. Only the homeserver remembers invitations: each time it is found, we ask it what happened since the last time. A room
 * that is a place of its own, or has several people in it, is no direct chat, whatever its inviter says.
 */
import { createHash } from 'node:crypto'
import type { Chance } from '../../../lib/chance'
import type { Clock } from '../../../lib/clock'
import type { Log } from '../../../lib/log'
import { makeTurns } from '../../../lib/turns'
import type { Place } from '../../../model/address'
import { messageOf, Refused, Unavailable } from '../../../model/errors'
import type { Action } from '../../../model/message'
import type { Memory } from '../../../model/network'
import type { Addresses } from '../users/addresses'
import type { Backlog } from '../recovery/backlog'
import { READ_BACK_MS, type ReadUpTo } from '../recovery/catch-up'
import { beginsNow } from '../recovery/history-position'
import type { RoomEvent } from '../events/events'
import { isJson, jsonOf } from '../events/json'
import { encode, Rejected, roomPath, unlessRejected, type Homeserver } from '../homeserver'
import { GHOST_PREFIX, isGhostOn } from '../names'
import { makeChats, readDirect, type Chats, type DirectRoom } from './chats'
import { makeDeclined } from './declined'
import { makeFound } from './found'
import { makeInvitations, type Invitations } from './invitations'
import { makeParting } from './parting'
import { makeTwo } from './two'
import { askSync } from '../recovery/sync-position'
import { isThere } from '../relations'
import { isMember, roomOfAlias, setState, stateOf } from '../rooms/state'

export interface DirectWorld {
  homeserver: Homeserver; addresses: Pick<Addresses, 'all' | 'ready'>; memory: Memory; clock: Clock; chance: Chance; log: Log; signal: AbortSignal
  network: string; domain: string
  isOurs: (mxid: string) => boolean
  backlog: Backlog
  /** Whether a room is a place of its own: it is mirrored, or the team's. */
  isAttended (room: string): boolean
  /** The chat is encrypted: tells its contact so, if it cannot be read. */
  encrypted (room: string): void
  forgotten (room: string): Promise<void>
  /** Nobody will read what we said by this event. Resolves when its writer is told. */
  unread (place: Place, event: string): Promise<unknown>
}

/** The event that an edit, a deletion or a reaction is about. */
export interface Change { event: string; kind: Action['kind'] }

export interface Direct {
  /** The chat that a room belongs to. */
  of (room: string): DirectRoom | undefined
  /** An address or a ghost of ours was invited. Resolves when that is remembered, if it must be. */
  invited (event: RoomEvent): Promise<void> | undefined
  /** Somebody came, went, or was sent out in a direct chat. */
  member (event: RoomEvent, chat: DirectRoom): Promise<void>
  /** Another room was put in the place of a chat's. Only if the contact invites us there does the chat go on in it. */
  replaced (event: RoomEvent): Promise<void>
  /** The contact wrote here. From now on we answer them here, and not in the clear if they did not write so. */
  wrote (event: RoomEvent, chat: DirectRoom): Promise<void>
  /**
   * The room to write in, made if there is none; with `change`, the room of the message to change. For an edit, only a room in which the
   * contact still reads. Throws Refused or Unavailable.
   */
  roomFor (place: Place, change: Change | undefined, signal: AbortSignal): Promise<string>
  /** Whether the contact has left this room. */
  isOver (room: string): boolean
  /** The room in which the contact wrote last, then earlier ones. */
  rooms (place: Place): string[]
  /** Leaves all rooms of a chat and forgets it. */
  over (place: Place): Promise<void>
  /** Takes the invitations that came meanwhile. Resolves with the rooms in which something happened; call `keep` when they are read. */
  look (): Promise<{ rooms: ReadUpTo[], keep: () => void }>
  /** The rooms of all chats, as far as known: what may have been missed is in some of them. */
  known (): ReadUpTo[]
  stop (): void
}

const LATELY_EVENTS = 50
const GHOST_CHATS_MAX = 5_000 // of which we look whether something was missed; each is read by itself, because ghosts are too many to ask for all
const CHATS_MAX = 10_000 // that are read so if it is not told soon in which of them something happened
const HAS_LEFT = 'the contact has left the chat'

/** The contact may have written while we were away, and it is not read yet. */
const hasSpoken = async (homeserver: Homeserver, room: string, { ours, theirs }: DirectRoom, signal: AbortSignal): Promise<boolean> => {
  const query = { dir: 'b', limit: LATELY_EVENTS }
  const { chunk } = await homeserver.call('GET', `${roomPath(room)}/messages`, { as: ours, query, signal })
  return Array.isArray(chunk) && chunk.some(event => isJson(event) && event.sender === theirs && event.state_key === undefined)
}

/** An alias that nobody sees. If a try is cut off, the next one finds the room by it instead of making a second one. */
const aliasOf = ({ id }: Place, domain: string): string =>
  `#${GHOST_PREFIX}_${createHash('sha256').update(id).digest('hex').slice(0, 32)}:${domain}`

const makeKnown = ({ isAttended, clock }: DirectWorld, chats: Chats, { has }: Pick<Invitations, 'has'>) =>
  (isTheirs: (ours: string) => boolean, most: number): ReadUpTo[] => chats.some(isTheirs, most)
    .filter(({ room }) => !isAttended(room) && !has(room))
    .map(({ place, room, ours }) => ({ place, room, by: { as: ours, notBefore: clock.now() - READ_BACK_MS } }))

/** No reaction or correction: those may come in the clear from servers too, and change nothing. */
const isNew = ({ type, content }: RoomEvent): boolean => {
  const { rel_type: relation } = jsonOf(content['m.relates_to'])
  return type !== 'm.room.redaction' && relation !== 'm.annotation' && relation !== 'm.replace'
}

const leaving = (homeserver: Homeserver, signal: AbortSignal) => async (room: string, ours: string, reason?: string): Promise<void> => {
  const body = reason === undefined ? {} : { reason }
  await homeserver.call('POST', `${roomPath(room)}/leave`, { as: ours, body, elsewhere: true, signal })
}

/** CS API §Direct messaging. */
const noting = (homeserver: Homeserver) => async (ours: string, theirs: string, rooms: string[]): Promise<void> => {
  const path = `client/v3/user/${encode(ours)}/account_data/m.direct`
  const now = await homeserver.call('GET', path, { as: ours }).catch((error: unknown) => {
    if (error instanceof Rejected) return {}
    throw error
  })
  await homeserver.call('PUT', path, { as: ours, body: { ...now, [theirs]: rooms } })
}

export const makeDirect = (world: DirectWorld): Direct => {
  const { homeserver, addresses, memory, clock, log, signal: stopping, network, domain, backlog, isAttended } = world
  const [turns, chats, leave] = [makeTurns(), makeChats(memory, network, world.forgotten), leaving(homeserver, stopping)]

  const noteDirect = noting(homeserver)
  const of = (room: string): DirectRoom | undefined => isAttended(room) ? undefined : chats.of(room)

  const wrote: Direct['wrote'] = async (event, { place }) => {
    const { room, at = 0, sealed } = event
    parting.spoken(room)
    if (parting.isOver(room) || chats.isReplaced(room)) return // this is an earlier message
    await chats.turnTo(room, place, at)
    if (chats.at(place)?.room === room && (sealed !== undefined || isNew(event))) await chats.heard(place, sealed !== undefined)
  }

  const parting = makeParting({
    memory, clock, log, isBusy: room => backlog.has(room) || invitations.has(room),
    async part (room, quiet) {
      const chat = chats.of(room)
      if (chat === undefined || (quiet && await hasSpoken(homeserver, room, chat, stopping))) return
      log.info({ room, address: chat.ours, contact: chat.theirs }, 'leaving a direct chat that is over')
      await leave(room, chat.ours).catch(unlessRejected) // we are not in it any more
      await chats.forget(room, chat.place, !quiet && !isAttended(room))
    }
  })

  const [two, declined] = [makeTwo({ homeserver, chats, parting, leave, log, signal: stopping }), makeDeclined(world)]
  const invitations = makeInvitations({ ...world, chats, parting, leave })
  const [found, known] = [makeFound({ ...world, chats, invitations }), makeKnown(world, chats, invitations)]

  const makeRoom = async (place: Place, ours: string, theirs: string, signal: AbortSignal): Promise<string> => {
    const before = chats.at(place)
    if (before && !isAttended(before.room)) return before.room
    await addresses.ready(ours, signal)
    const { room, made } = await roomOfAlias(homeserver, aliasOf(place, domain), {
      preset: 'trusted_private_chat', is_direct: true, invite: [theirs],
      initial_state: [{ type: 'm.room.canonical_alias', state_key: '', content: {} }]
    }, { as: ours, signal })
    if (isAttended(room)) throw new Refused('the room of this chat is a place of its own now')
    await chats.add(room, place)
    await beginsNow(memory, room)
    const by = { as: ours, signal }
    if (!made) {
      const there = await stateOf(homeserver, room, 'm.room.member', theirs, by)
      const content = { membership: 'invite', is_direct: true }
      if (there === undefined) await setState(homeserver, room, { type: 'm.room.member', key: theirs, content }, by)
    }
    await chats.keep(place, { room, at: 0, older: [] })
    await noteDirect(ours, theirs, [room]).catch((error: unknown) => log.info({ room, why: messageOf(error) }, 'could not update m.direct'))
    return room
  }

  const roomOf = async (place: Place, event: string, as: string, signal: AbortSignal): Promise<string | undefined> => {
    for (const room of chats.rooms(place)) if (!isAttended(room) && await isThere(homeserver, room, event, { as, signal })) return room
    return undefined
  }

  /** What happened to one address: the rooms to read, and `keep`, to be called when they are read. */
  const lookAt = async (ours: string): Promise<{ rooms: ReadUpTo[], keep: () => Promise<void> }> => {
    await addresses.ready(ours, stopping)
    const { joined, invited, first, keep } = await askSync(world, ours, stopping)
    await Promise.all(invited.map(one => invitations.take(one.room, ours, one.by, one.direct || chats.isOne(one.replaces, ours, one.by), 0)))
    for (const room of joined) if (isAttended(room) && chats.of(room) !== undefined) parting.over(room)
    found.look(joined, ours, first)
    const rooms = [...joined].flatMap(room => {
      const chat = invitations.has(room) ? undefined : of(room)
      return chat ? [{ place: chat.place, room, by: { as: ours, notBefore: clock.now() - READ_BACK_MS } }] : []
    })
    return { rooms, keep }
  }

  const member: Direct['member'] = async (event, chat) => {
    const { room, stateKey, content: { membership } } = event
    const { place, ours, theirs } = chat
    if (stateKey !== ours && membership !== 'leave' && !invitations.has(room)) two.watch(room, chat)
    if (stateKey !== ours && stateKey !== theirs) return
    const left = membership === 'leave' || membership === 'ban'
    if (left && stateKey === ours && invitations.has(room)) { // once that is taken, it is seen whether we are out
      const again = async (): Promise<void> => { if (chats.of(room) !== undefined) await member(event, chat) }
      return void invitations.entered(room).then(again).catch((error: unknown) => log.warn({ room, why: messageOf(error) }, 'perhaps out of a chat'))
    }
    const isIn = left || parting.isOver(room) ? await isMember(homeserver, room, stateKey, { as: ours, signal: stopping }) : !left
    if (left === isIn) return // it is so no more: it was read again, or late
    const now = chats.at(place)
    if (left) parting.over(room)
    else if (membership === 'join' && stateKey === theirs) parting.stays(room)
    if (left && stateKey === theirs) await declined(room, { place, ours, theirs })
    if (now?.room === room && left !== (now.left ?? false) && (left || stateKey === theirs)) await chats.keep(place, { ...now, left })
  }

  return {
    of,
    invited: ({ room, sender, stateKey: ours = '', content, at, replaces }) =>
      invitations.take(room, ours, sender, content.is_direct === true || chats.isOne(replaces, ours, sender), at ?? 0),
    replaced: async ({ room, content }) => { if (of(room)) await chats.replace(room, typeof content.replacement_room === 'string') },
    member,
    wrote,
    rooms: chats.rooms, isOver: room => parting.isOver(room) || chats.of(room) === undefined,
    async roomFor (place, change, signal) {
      const chat = { place, ...readDirect(place)! }
      const { ours, theirs } = chat
      const stands = change && await roomOf(place, change.event, ours, signal)
      const isRead = stands !== undefined && !parting.isOver(stands) && !chats.isReplaced(stands) && chats.of(stands) !== undefined
      if (!isRead && (stands === undefined ? change?.kind === 'edit' : change?.kind !== 'deletion')) throw new Refused(HAS_LEFT, undefined, 'moved')
      if (stands !== undefined) return change?.kind === 'deletion' ? stands : await two.checked(stands, chat, signal)
      const now = chats.at(place)
      if (now?.left && invitations.has(now.room)) throw new Unavailable('the contact has invited us back, and we are not there yet')
      if (now?.left) throw new Refused(HAS_LEFT, undefined, now.crowded ? 'crowded' : 'parted')
      await addresses.ready(ours, signal)
      const room = chats.rooms(place).find(one => !isAttended(one))
      if (room !== undefined && (parting.isOver(room) || chats.isReplaced(room))) throw new Refused(HAS_LEFT, undefined, 'parted')
      if (room === undefined) return await two.checked(await turns(`make ${place.id}`, () => makeRoom(place, ours, theirs, signal)), chat, signal)
      parting.spoken(room)
      return await two.checked(room, chat, signal)
    },
    async over (place) {
      const pair = readDirect(place)
      const rooms = chats.all(place)
      if (pair === undefined || rooms.length === 0) return
      await homeserver.call('DELETE', `client/v3/directory/room/${encode(aliasOf(place, domain))}`, { as: pair.ours }).catch(unlessRejected)
      await noteDirect(pair.ours, pair.theirs, []).catch(unlessRejected)
      for (const room of rooms) {
        if (!isAttended(room)) await leave(room, pair.ours).catch(unlessRejected)
        await chats.forget(room, place, false)
        parting.stays(room) // our own leaving may have been pushed meanwhile
      }
      await chats.end(place)
    },
    async look () {
      invitations.begin()
      const answers = await Promise.allSettled(addresses.all().map(lookAt))
      for (const one of answers) {
        if (one.status === 'fulfilled') continue
        if (one.reason instanceof Unavailable && one.reason.disconnected) throw one.reason
        log.warn({ why: messageOf(one.reason) }, 'could not ask what is new for an address')
      }
      const looked = answers.flatMap(one => one.status === 'fulfilled' ? [one.value] : [])
      const keep = async (): Promise<void> => {
        const isAll = await found.settled() && await invitations.settled()
        if (!isAll || backlog.busy() || stopping.aborted) return // so that the next answer shows again what is not read yet
        for (const one of looked) await one.keep()
      }
      return {
        rooms: [...looked.flatMap(({ rooms }) => rooms), ...known(isGhostOn(domain), GHOST_CHATS_MAX)],
        keep () { keep().catch((error: unknown) => log.warn({ why: messageOf(error) }, 'could not remember what was asked about addresses')) }
      }
    },
    known: () => known(() => true, CHATS_MAX), stop: parting.stop
  }
}
