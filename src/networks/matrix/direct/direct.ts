/**
 * Direct chats between our addresses and their contacts. A chat is one place for ever, `<our MXID> <their MXID>`, whatever rooms it
 * has had: all of them are heard, and what we say goes to where the contact wrote last. An invitation is taken at once, and what the
 * contact said before we were in is read first. Nothing is kept of an invitation but by the homeserver: each time it is found it is
 * asked what happened since the last time. A room that is a place of its own, or of several, is no direct chat whatever its inviter says.
 */
import { createHash } from 'node:crypto'
import { backoffMs } from '../../../lib/backoff'
import type { Chance } from '../../../lib/chance'
import { sleep, type Clock } from '../../../lib/clock'
import type { Log } from '../../../lib/log'
import { makeSlots } from '../../../lib/slots'
import { makeTurns } from '../../../lib/turns'
import type { Place } from '../../../model/address'
import { messageOf, Refused, Unavailable } from '../../../model/errors'
import type { Memory } from '../../../model/network'
import type { Addresses } from '../users/addresses'
import type { Backlog } from '../recovery/backlog'
import { READ_BACK_MS, type ReadUpTo } from '../recovery/catch-up'
import { beginsNow, forgetPosition } from '../recovery/history-position'
import { isJson, type RoomEvent } from '../events'
import { unlessRejected } from '../users/ghosts'
import { encode, Rejected, roomPath, TooLong, type Homeserver } from '../homeserver'
import { GHOST_PREFIX, sourceOf } from '../names'
import { makeParting } from './parting'
import { askSync } from '../recovery/sync-position'
import { roomOfAlias, setState, stateOf } from '../rooms/state'

/** A room of a direct chat. */
export interface DirectRoom { place: Place; ours: string; theirs: string }

export interface DirectWorld {
  homeserver: Homeserver; addresses: Addresses; memory: Memory; clock: Clock; chance: Chance; log: Log; signal: AbortSignal
  network: string; domain: string
  isOurs: (mxid: string) => boolean
  backlog: Backlog
  /** Whether a room is a place of its own: it is mirrored, or the team's. */
  isAttended (room: string): boolean
  /** The chat is encrypted: its contact is told so. */
  encrypted (room: string): void
}

export interface Direct {
  /** The chat that a room belongs to. */
  of (room: string): DirectRoom | undefined
  /** An address of ours was invited. */
  invited (event: RoomEvent): void
  /** Somebody came, went, or was sent out in a direct chat. */
  member (event: RoomEvent, chat: DirectRoom): Promise<void>
  /** The contact wrote here (at this time, as their homeserver says): from now on they are answered here. */
  wrote (room: string, chat: DirectRoom, at: number): Promise<void>
  /** Where to say something, made if there is no room yet; where to change something that was said. Throws Refused or Unavailable. */
  roomFor (place: Place, target: string | undefined, signal: AbortSignal): Promise<string>
  /** Where the contact wrote last, and before that. */
  rooms (place: Place): string[]
  /** Leaves all rooms of a chat and remembers nothing of it. */
  over (place: Place): Promise<void>
  /** Takes the invitations that came meanwhile; resolves with the rooms in which something happened. `keep` when these are read. */
  look (): Promise<{ rooms: ReadUpTo[], keep: () => void }>
  stop (): void
}

/** `direct <place>` in memory. `at`: when it became this room, ms; 0 if not known. `older`: earlier rooms, newest first. */
interface Chat { room: string; at: number; left?: boolean; older: string[] }

/** An invitation of an address. `direct`: the inviter says so. */
interface Invited { room: string; chat: DirectRoom; direct: boolean; at: number }

const OTHERS_MAX = 1 // in a direct chat beside us: more are a group
const OTHERS_SAID_MAX = 2 // the same where its inviter says that it is a direct chat: somebody's bridge or assistant may be in it
const ENTERING_MAX = 1000 // invitations under way
const ENTERING_OF_ONE_MAX = 10 // of them by one inviter: who has more is no customer
const AT_ONCE_MAX = 32 // of them tried at the same time, so that slow servers of others cannot take every connection
const AT_ONCE_OF_ONE_MAX = 4 // and from one server, or one inviter of ours, so that they keep nobody else waiting
const FIRST_MS = 1000
const MOST_MS = 5 * 60_000
const ATTEMPTS_MAX = 12
const OLDER_MAX = 10
const HAS_LEFT = 'the contact has left the chat'
/** Our and their MXID; undefined if the place is no direct chat. */
export const readDirect = ({ id }: Place): { ours: string, theirs: string } | undefined => {
  const [ours, theirs, more] = id.split(' ')
  return ours?.startsWith('@') && theirs?.startsWith('@') && more === undefined ? { ours, theirs } : undefined
}

export const makeDirect = (world: DirectWorld): Direct => {
  const { homeserver, addresses, memory, clock, chance, log, signal: stopping, network, domain, isOurs, backlog, isAttended, encrypted } = world
  const turns = makeTurns()
  const slots = makeSlots(AT_ONCE_MAX, AT_ONCE_OF_ONE_MAX)
  const entering = new Map<string, { by: string, task: Promise<void> }>() // by room
  let dropped = false

  const placeOf = (ours: string, theirs: string): Place => ({ network, id: `${ours} ${theirs}` })
  const roomKey = (room: string): string => `dm ${room}`
  const chatKey = (place: Place): string => `direct ${place.id}`
  const chatOf = (place: Place): Chat | undefined => {
    const value = memory.get(chatKey(place))
    return value === undefined ? undefined : JSON.parse(value) as Chat
  }
  const keepChat = (place: Place, chat: Chat): Promise<void> => memory.set(chatKey(place), JSON.stringify(chat))

  const known = (room: string): DirectRoom | undefined => {
    const id = memory.get(roomKey(room))
    const pair = id === undefined ? undefined : readDirect({ network, id })
    return pair && { place: placeOf(pair.ours, pair.theirs), ...pair }
  }
  const of = (room: string): DirectRoom | undefined => isAttended(room) ? undefined : known(room)

  const wrote: Direct['wrote'] = async (room, { place }, at) => {
    parting.spoken(room)
    if (!parting.isOver(room)) await turnTo(room, place, at) // else it was said before that
  }

  /** What is said to the contact goes here from now on. */
  const turnTo = async (room: string, place: Place, at: number): Promise<void> => {
    const chat = chatOf(place)
    if (chat?.room === room && !chat.left && chat.at > 0) return
    if (chat && at > 0 && at < chat.at) return // read once more
    const older = [chat?.room, ...chat?.older ?? []].filter(one => one !== undefined && one !== room).slice(0, OLDER_MAX) as string[]
    await keepChat(place, { room, at, older })
  }

  const leave = async (room: string, ours: string): Promise<void> => {
    await homeserver.call('POST', `${roomPath(room)}/leave`, { as: ours, body: {}, elsewhere: true, signal: stopping })
  }

  /** Nothing is remembered of a room that is left, but, where the contact was answered last, that they are gone. */
  const forget = async (room: string, place: Place, gone: boolean): Promise<void> => {
    const chat = chatOf(place)
    const [now, ...older] = [chat?.room, ...chat?.older ?? []].filter(one => one !== undefined && one !== room) as string[]
    if (gone && (chat === undefined || chat.room === room)) await keepChat(place, { room, at: chat?.at ?? 0, left: true, older })
    else if (now === undefined) await memory.delete(chatKey(place))
    else await keepChat(place, now === chat!.room ? { ...chat!, older } : { room: now, at: 0, older })
    await memory.delete(roomKey(room))
    await forgetPosition(memory, room)
    await memory.delete(`told ${room}`)
  }

  /** An alias that nobody sees: by it a try that was cut off finds the room again instead of making a second one. */
  const aliasOf = (place: Place): string => `#${GHOST_PREFIX}_${createHash('sha256').update(place.id).digest('hex').slice(0, 32)}:${domain}`

  const parting = makeParting({
    memory, clock, log, isBusy: room => backlog.has(room) || entering.has(room),
    async part (room, quiet) {
      const chat = known(room)
      if (chat === undefined) return
      log.info({ room, address: chat.ours, contact: chat.theirs }, 'leaving a direct chat that is over')
      await leave(room, chat.ours).catch(unlessRejected) // not in there any more
      await forget(room, chat.place, !quiet && !isAttended(room))
    }
  })

  /** How many others are in a room that we are invited to (CS API §Room summaries); undefined where that cannot be known. */
  const othersIn = async (room: string, as: string, via: string): Promise<number | undefined> => {
    try {
      const query = { via: via.slice(via.indexOf(':') + 1) }
      const { num_joined_members: joined, membership } = await homeserver.call('GET', `client/v1/room_summary/${encode(room)}`,
        { as, query, elsewhere: true, signal: stopping })
      return typeof joined === 'number' ? joined - (membership === 'join' ? 1 : 0) : undefined // we are in where an answer was lost
    } catch (error) {
      if (error instanceof Rejected) return undefined
      throw error
    }
  }

  /** The same once we are in; a room whose members would be too long an answer has many. */
  const othersWithUs = async (room: string, as: string): Promise<number> => {
    try {
      const { joined } = await homeserver.call('GET', `${roomPath(room)}/joined_members`, { as, signal: stopping })
      return Object.keys(isJson(joined) ? joined : {}).filter(mxid => mxid !== as).length
    } catch (error) {
      if (error instanceof TooLong) return Infinity
      throw error
    }
  }

  const decline = async ({ room, chat: { ours, theirs } }: Invited, others?: number): Promise<void> => {
    log.info({ room, address: ours, by: theirs, others }, 'declined an invitation of an address to a room that is no direct chat')
    backlog.release(room)
    parting.stays(room)
    await leave(room, ours)
  }

  /** An invitation that was taken before comes once more: whoever else has come into the chat since then is no reason to leave it. */
  const isInChat = async ({ room, chat: { place, ours } }: Invited): Promise<boolean> => {
    const chat = chatOf(place)
    if (chat === undefined || chat.left || ![chat.room, ...chat.older].includes(room)) return false
    const now = await stateOf(homeserver, room, 'm.room.member', ours, { as: ours, signal: stopping })
    return now?.membership === 'join'
  }

  const enter = async (invited: Invited): Promise<void> => {
    const { room, chat, direct, at } = invited
    const { ours, theirs } = chat
    const most = await isInChat(invited) ? Infinity : direct ? OTHERS_SAID_MAX : OTHERS_MAX
    const others = await othersIn(room, ours, theirs) ?? (direct ? 0 : Infinity)
    if (isAttended(room) || others > most) return await decline(invited, others)
    backlog.hold(room)
    if (known(room) === undefined) parting.quiet(room)
    else parting.stays(room)
    await memory.set(roomKey(room), chat.place.id)
    await beginsNow(memory, room)
    await homeserver.call('POST', `${roomPath(room)}/join`, { as: ours, body: {}, elsewhere: true, signal: stopping })
    const now = await othersWithUs(room, ours)
    if (now > most) {
      await decline(invited, now)
      return await forget(room, chat.place, false)
    }
    if (await stateOf(homeserver, room, 'm.room.encryption', '', { as: ours, signal: stopping }) !== undefined) encrypted(room)
    await turnTo(room, chat.place, at)
    backlog.read({ place: chat.place, room, by: { as: ours, notBefore: 0 } })
  }

  const tryToEnter = async (invited: Invited): Promise<void> => {
    const { room, chat } = invited
    for (let attempt = 1; !stopping.aborted; attempt++) {
      try {
        const giveBack = await slots.take(sourceOf(chat.theirs, domain), stopping)
        return await enter(invited).finally(giveBack)
      } catch (error) {
        if (stopping.aborted) return
        const over = attempt === ATTEMPTS_MAX || (error instanceof Rejected && error.errcode === 'M_FORBIDDEN')
        log.warn({ room, by: chat.theirs, attempt, over, why: messageOf(error) }, 'could not take an invitation to a direct chat')
        if (over) {
          backlog.release(room)
          parting.stays(room)
          return await forget(room, chat.place, false)
        }
        await sleep(clock, backoffMs(chance, attempt, FIRST_MS, MOST_MS), stopping)
      }
    }
  }

  const invite = (room: string, ours: string, theirs: string, direct: boolean, at: number): void => {
    if (isOurs(theirs) || entering.has(room)) return
    if ([...entering.values()].filter(({ by }) => by === theirs).length >= ENTERING_OF_ONE_MAX) {
      return log.warn({ room, by: theirs }, 'too many invitations by one person at once; not taken')
    }
    if (entering.size >= ENTERING_MAX) { dropped = true; return log.warn({ room }, 'too many invitations at once; taken up later') }
    const chat = { place: placeOf(ours, theirs), ours, theirs }
    const task = tryToEnter({ room, chat, direct, at }).finally(() => { entering.delete(room) })
    entering.set(room, { by: theirs, task })
  }

  const makeRoom = async (place: Place, ours: string, theirs: string, signal: AbortSignal): Promise<string> => {
    const before = chatOf(place)
    if (before && !isAttended(before.room)) return before.room
    await addresses.ready(ours, signal)
    const { room, made } = await roomOfAlias(homeserver, aliasOf(place), {
      preset: 'trusted_private_chat', is_direct: true, invite: [theirs],
      initial_state: [{ type: 'm.room.canonical_alias', state_key: '', content: {} }]
    }, { as: ours, signal })
    if (isAttended(room)) throw new Refused('the room of this chat is a place of its own now')
    await memory.set(roomKey(room), place.id)
    await beginsNow(memory, room)
    const by = { as: ours, signal }
    if (!made) {
      const there = await stateOf(homeserver, room, 'm.room.member', theirs, by)
      const content = { membership: 'invite', is_direct: true }
      if (there === undefined) await setState(homeserver, room, { type: 'm.room.member', key: theirs, content }, by)
    }
    await keepChat(place, { room, at: 0, older: [] })
    await noteDirect(ours, theirs, [room]).catch((error: unknown) => log.info({ room, why: messageOf(error) }, 'm.direct could not be kept'))
    return room
  }

  /** CS API §Direct messaging. */
  const noteDirect = async (ours: string, theirs: string, rooms: string[]): Promise<void> => {
    const path = `client/v3/user/${encode(ours)}/account_data/m.direct`
    const now = await homeserver.call('GET', path, { as: ours }).catch((error: unknown) => {
      if (error instanceof Rejected) return {}
      throw error
    })
    await homeserver.call('PUT', path, { as: ours, body: { ...now, [theirs]: rooms } })
  }

  const isThere = async (room: string, event: string, as: string, signal: AbortSignal): Promise<boolean> => {
    try {
      await homeserver.call('GET', `${roomPath(room)}/event/${encode(event)}`, { as, signal })
      return true
    } catch (error) {
      if (error instanceof Rejected) return false
      throw error
    }
  }

  /** What happened to one address: the rooms to read, and what to call when they were read. */
  const lookAt = async (ours: string): Promise<{ rooms: ReadUpTo[], keep: () => Promise<void> }> => {
    await addresses.ready(ours, stopping)
    const { joined, invited, keep } = await askSync(world, ours, stopping)
    for (const { room, by, direct } of invited) invite(room, ours, by, direct, 0)
    for (const room of joined) if (isAttended(room) && known(room) !== undefined) parting.over(room)
    const rooms = [...joined].flatMap(room => {
      const chat = entering.has(room) ? undefined : of(room)
      return chat ? [{ place: chat.place, room, by: { as: ours, notBefore: clock.now() - READ_BACK_MS } }] : []
    })
    return { rooms, keep }
  }

  return {
    of,
    invited ({ room, sender, stateKey, content, at }) { invite(room, stateKey!, sender, content.is_direct === true, at ?? 0) },
    async member ({ room, stateKey, content: { membership } }, { place, ours, theirs }) {
      if (stateKey !== ours && stateKey !== theirs) return
      const chat = chatOf(place)
      const left = membership === 'leave' || membership === 'ban'
      if (left) parting.over(room)
      else if (membership === 'join' && stateKey === theirs) parting.stays(room)
      if (chat?.room !== room) return
      if (left !== (chat.left ?? false) && (left || stateKey === theirs)) await keepChat(place, { ...chat, left })
    },
    wrote,
    rooms (place) {
      const chat = chatOf(place)
      return chat === undefined ? [] : [chat.room, ...chat.older]
    },
    async roomFor (place, target, signal) {
      const { ours, theirs } = readDirect(place)!
      const chat = chatOf(place)
      if (target !== undefined && chat) {
        for (const room of chat.older) if (!isAttended(room) && await isThere(room, target, ours, signal)) return room
      }
      if (chat?.left) throw new Refused(HAS_LEFT)
      await addresses.ready(ours, signal)
      const room = chat && [chat.room, ...chat.older].find(one => !isAttended(one))
      if (room !== undefined && parting.isOver(room)) throw new Refused(HAS_LEFT)
      if (room === undefined) return await turns(`make ${place.id}`, () => makeRoom(place, ours, theirs, signal))
      parting.spoken(room)
      return room
    },
    async over (place) {
      const pair = readDirect(place)
      const rooms = memory.keys('dm ').filter(key => memory.get(key) === place.id).map(key => key.slice('dm '.length))
      if (pair === undefined || rooms.length === 0) return
      await homeserver.call('DELETE', `client/v3/directory/room/${encode(aliasOf(place))}`, { as: pair.ours }).catch(unlessRejected)
      await noteDirect(pair.ours, pair.theirs, []).catch(unlessRejected)
      for (const room of rooms) {
        parting.stays(room)
        if (!isAttended(room)) await leave(room, pair.ours).catch(unlessRejected)
        await forget(room, place, false)
      }
      await memory.delete(chatKey(place))
    },
    async look () {
      dropped = false
      const found = await Promise.allSettled(addresses.all().map(lookAt))
      for (const one of found) {
        if (one.status === 'fulfilled') continue
        if (one.reason instanceof Unavailable && one.reason.link) throw one.reason
        log.warn({ why: messageOf(one.reason) }, 'an address cannot be asked what came for it')
      }
      const looked = found.flatMap(one => one.status === 'fulfilled' ? [one.value] : [])
      const keep = async (): Promise<void> => {
        await Promise.allSettled([...entering.values()].map(({ task }) => task))
        if (dropped || backlog.busy() || stopping.aborted) return // what is not read yet is to be shown again
        for (const one of looked) await one.keep()
      }
      return {
        rooms: looked.flatMap(({ rooms }) => rooms),
        keep () { keep().catch((error: unknown) => log.warn({ why: messageOf(error) }, 'could not remember up to where was looked')) }
      }
    },
    stop () { parting.stop() }
  }
}
