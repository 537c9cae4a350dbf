/**
 * Events of a room besides its messages. The bot takes invitations to configured rooms and declines others. It is noticed when a ghost or
 * the bot is sent out. A room in which somebody writes encrypted is told once that this cannot be carried on.
 */
import { createHash } from 'node:crypto'
import { deadline, type Clock } from '../../../lib/clock'
import type { Log } from '../../../lib/log'
import type { Place } from '../../../model/address'
import { messageOf, Unavailable } from '../../../model/errors'
import type { Memory } from '../../../model/network'
import type { Addresses } from '../users/addresses'
import type { Bringing } from '../users/bringing'
import type { Direct } from '../direct/direct'
import { type Encryption, SEALED } from '../encryption/encryption'
import type { Keeper, Reading } from '../encryption/keeper'
import type { RoomEvent } from '../events/events'
import type { Json } from '../events/json'
import { type Ghosts, makeUser } from '../users/ghosts'
import { roomPath, type Homeserver } from '../homeserver'
import type { Descriptions } from './description'
import type { MemberLists } from './member-lists'
import type { Rooms } from './rooms'
import { stateOf } from './state'
import { readTeamRoom, type TeamRooms } from './team-rooms'

const TASKS_MAX = 100 // under way at once; more are dropped, because people can ask again

/** Takes these events. Must not wait for the homeserver. */
export interface RoomNews {
  /** Somebody's membership changed. Resolves when that is on disk. */
  member (event: RoomEvent): Promise<void> | undefined
  /** Somebody else changed the state of a room that we attend. */
  changed (place: Place, event: RoomEvent): Promise<void>
  /** Another room was put in the place of this one. Resolves when that is on disk. */
  replaced (event: RoomEvent): Promise<void>
  /** The room is encrypted. */
  encrypted (room: string): void
  /** An encrypted event cannot be read. */
  unread (event: Pick<RoomEvent, 'id' | 'room'>): void
  /** The same. Resolves when its writer knows. */
  lost (event: Pick<RoomEvent, 'id' | 'room'>): Promise<void>
}

export interface RoomNewsWorld {
  homeserver: Homeserver; rooms: Rooms; direct: Direct; addresses: Addresses; teamRooms: TeamRooms; ghosts: Ghosts
  bringing: Pick<Bringing, 'putOut'>; memberLists: Pick<MemberLists, 'changed'>; descriptions: Pick<Descriptions, 'changed'>
  encryption: Pick<Encryption, 'seal' | 'over'>; keeper: Pick<Keeper, 'mxid' | 'left'>; reading: Pick<Reading, 'readerOf'>
  memory: Memory; clock: Clock; log: Log; signal: AbortSignal; bot: string
  isOurs: (mxid: string) => boolean; acceptFrom: string[]
  /** Whether somebody may have a direct chat with a ghost. */
  admits (theirs: string, ghost: string): boolean
}

/** For a room that is not encrypted itself: else its standing is told there. The writer's language is not known. */
const ENCRYPTED = 'Verschlüsselte Nachrichten können nicht in andere Netze übertragen werden: Eine Nachricht in diesem Raum ist dort ' +
  'nicht angekommen.\nEncrypted messages cannot be carried to other networks: a message in this room has not arrived there.'

/** For a direct chat. Nothing else goes into an encrypted one in the clear (send.ts refuses it); this says nothing about anybody. */
const ENCRYPTED_CHAT = 'Dieser Chat ist verschlüsselt. Verschlüsselte Nachrichten können wir nicht lesen, und Antworten schicken wir nicht ' +
  'unverschlüsselt hierher: Bitte beginnen Sie einen neuen Chat ohne Verschlüsselung und schreiben Sie dort noch einmal.\n' +
  'This chat is encrypted. We cannot read encrypted messages, and we do not send answers here without encryption: please start a new chat ' +
  'without encryption and write again there.'

/** Says nothing about whether there is such a contact. */
const NOT_OURS = 'Zentrale kommt nur in Räume, die in ihrer Konfiguration stehen.\nZentrale enters only rooms that its config names.'
const NO_CHAT = 'Mit diesem Kontakt ist für Sie hier kein Chat eingerichtet.\nYou cannot have a chat with this contact here.'

const UNREAD = 'Eine Ihrer Nachrichten war so verschlüsselt, dass wir sie nicht lesen können. Bitte schreiben Sie sie noch einmal.\n' +
  'One of your messages was encrypted so that we cannot read it. Please write it again.'
const TELL_MS_MAX = 60_000
const UNREAD_MS = 3600_000 // between two such notices in one chat

/** Whether `mxid` is one of `list`, whose entries are MXIDs or ':domain'. */
export const isOneOf = (list: string[], mxid: string): boolean =>
  list.some(entry => entry.startsWith(':') ? mxid.slice(mxid.indexOf(':')) === entry : mxid === entry)

/** Handles an error: does something else if nothing can be encrypted for the contact. */
const ifNoDevice = (instead: () => Promise<unknown>) => (error: unknown): Promise<unknown> => {
  if (error instanceof Unavailable && error.unsealed !== undefined) return instead()
  throw error
}

/** Tells a room, unless it was told the same within `ms`. A clock that was set back does not make that longer. */
const makeOnce = (memory: Memory, clock: Clock) => {
  const telling = new Map<string, Promise<void>>()
  return (key: string, ms: number, tell: () => Promise<unknown>): Promise<void> => {
    const told = memory.get(key)
    const before = telling.get(key)
    if (before !== undefined || (told !== undefined && Math.abs(clock.now() - Number(told)) < ms)) return before ?? Promise.resolve()
    const now = tell().then(() => memory.set(key, String(clock.now()))).finally(() => telling.delete(key))
    telling.set(key, now)
    return now
  }
}

/** Whether the room itself is encrypted. */
const isOn = async ({ homeserver, signal }: RoomNewsWorld, room: string): Promise<boolean> =>
  await stateOf(homeserver, room, 'm.room.encryption', '', { signal }) !== undefined

export const makeRoomNews = (world: RoomNewsWorld): RoomNews => {
  const { homeserver, rooms, direct, addresses, teamRooms, ghosts, bringing, memberLists, encryption, keeper, memory, clock, log, bot } = world
  const { isOurs, acceptFrom, reading: { readerOf } } = world
  const once = makeOnce(memory, clock)
  let tasks = 0

  const background = (what: string, room: string, run: () => Promise<unknown>): void => {
    if (tasks >= TASKS_MAX) return log.warn({ room }, `too much at once: ${what} was dropped`)
    tasks++
    run().catch((error: unknown) => log.warn({ room, why: messageOf(error) }, `failed: ${what}`)).finally(() => { tasks-- })
  }

  const later = (...what: Parameters<typeof background>): undefined => { background(...what) }
  const look = (room: string): undefined => { rooms.checkRoom(room) }

  const post = (room: string, verb: 'join' | 'leave', as: string, body: Json = {}): Promise<unknown> =>
    homeserver.call('POST', `${roomPath(room)}/${verb}`, { as, body })

  const isMirrored = (room: string): boolean => {
    const place = rooms.placeOf(room)
    return place !== undefined && rooms.isNow(room) && readTeamRoom(place.id, bot.slice(bot.indexOf(':') + 1)) === undefined
  }

  /** Only a user that exists can decline, and nobody may find out which ghosts do. */
  const decline = async (room: string, ghost: string): Promise<void> => {
    await makeUser(homeserver, ghost)
    await post(room, 'leave', ghost, { reason: NO_CHAT })
  }

  const invited = (event: RoomEvent): Promise<void> | undefined => {
    const { room, sender, stateKey, replaces } = event
    const target = stateKey!
    if (isOurs(sender)) return undefined
    if (target === keeper.mxid && isMirrored(room)) return look(room) // the bot could not invite it
    if (target !== bot && !addresses.has(target) && isMirrored(room)) {
      return later('taking an invitation of a ghost', room, () => post(room, 'join', target))
    }
    if (addresses.has(target) || (target !== bot && world.admits(sender, target))) return direct.invited(event)
    if (target !== bot) return later('declining for a ghost', room, () => decline(room, target))
    if (rooms.placeOf(room) || rooms.awaits(room)) return look(room)
    if (replaces !== undefined && rooms.isNow(replaces)) return look(replaces) // we may not know yet that it is replaced
    return later('answering an invitation', room, async () => {
      if (isOneOf(acceptFrom, sender)) { await post(room, 'join', bot); return }
      rooms.checkRoom(room) // perhaps a place of ours whose alias could not be resolved yet
      if (!await rooms.settled()) return world.signal.aborted ? undefined : void invited(event) // of thousands, not all have been found yet
      if (rooms.placeOf(room) || rooms.awaits(room)) return
      log.info({ room, by: sender }, 'declined an invitation to a room that is not configured')
      await post(room, 'leave', bot, { reason: NOT_OURS })
    })
  }

  /** The membership of one of ours changed. */
  const mine = (event: RoomEvent): Promise<void> | undefined => {
    const { room, sender, stateKey = bot, content: { membership } } = event
    if (membership === 'invite' || membership === 'join') return membership === 'invite' ? invited(event) : undefined
    if (stateKey === bot) {
      if (sender === bot) rooms.checkRoom(room) // receive.ts handles what others do to the bot, in order with messages
    } else if (stateKey === keeper.mxid) {
      if (sender !== stateKey) return keeper.left(room).then(() => rooms.checkRoom(room))
    } else if (sender !== stateKey) { // what ours did themselves we know; read again later, it is out of date
      const isOut = ghosts.isIn(stateKey, room) && !isOurs(sender) // else it is told again
      if (isOut && membership === 'leave') ghosts.kicks.heard(stateKey, room)
      ghosts.left(stateKey, room)
      if (isOut) bringing.putOut(stateKey, room)
    }
    return undefined
  }

  const say = (room: string, as: string, about: string, body: string): Promise<unknown> =>
    put(room, as, about, 'm.room.message', { msgtype: 'm.notice', body, 'm.mentions': {} })

  const put = (room: string, as: string, about: string, type: string, body: Json): Promise<unknown> =>
    homeserver.call('PUT', `${roomPath(room)}/send/${type}/${createHash('sha256').update(about).digest('base64url')}`,
      { as, query: { device_id: ghosts.device() }, body })

  const saySealed = async (room: string, as: string, contact: string | undefined, about: string): Promise<void> => {
    const limit = deadline(clock, TELL_MS_MAX, world.signal)
    try {
      const content = { msgtype: 'm.notice', body: UNREAD, 'm.mentions': {} }
      await put(room, as, about, SEALED, await encryption.seal({ key: about, room, as, contact, type: 'm.room.message', content }, limit.signal))
      await encryption.over(about)
    } finally {
      limit.done()
    }
  }

  const soon = (room: string, tell: () => Promise<void>): void => background('telling an encrypted room', room, tell)
  const encrypted = (room: string): void => {
    if (readerOf(room) !== undefined) return
    const chat = direct.of(room)
    const tell = (): Promise<unknown> => say(room, chat?.ours ?? bot, room, chat ? ENCRYPTED_CHAT : ENCRYPTED)
    soon(room, async () => { if (chat !== undefined || !await isOn(world, room)) await once(`told ${room}`, Infinity, tell) })
  }

  const lost: RoomNews['lost'] = async ({ id, room }) => {
    const reader = readerOf(room)
    if (reader === undefined) return encrypted(room)
    await once(`unread ${room}`, UNREAD_MS, () =>
      saySealed(room, reader, direct.of(room)?.theirs, id).catch(ifNoDevice(() => say(room, reader, room, ENCRYPTED_CHAT))))
  }

  return {
    member (event) {
      const { room, stateKey } = event
      if (stateKey === undefined) return undefined
      const chat = direct.of(room)
      const kept = chat && direct.member(event, chat)
      if (!isOurs(stateKey)) memberLists.changed(event)
      const taken = isOurs(stateKey) ? mine(event) : undefined
      return kept && taken ? Promise.all([kept, taken]).then(() => {}) : kept ?? taken
    },
    async changed (place, event) {
      await world.descriptions.changed(event)
      await teamRooms.changed(place)
    },
    replaced (event) { rooms.checkRoom(event.room); return direct.replaced(event) },
    encrypted, lost,
    unread (event) { soon(event.room, () => lost(event)) }
  }
}
