/**
 * Direct chats between our addresses and their contacts. A chat is one place for ever, `<our MXID> <their MXID>`, whatever rooms it
 * has had: all of them are heard, and what we say goes to where the contact wrote last. An invitation is taken at once, and what the
 * contact said before we were in is read first. Nothing is kept of an invitation but by the homeserver: each time it is found it is
 * asked what happened since the last time.
 */
import { createHash } from 'node:crypto'
import { backoffMs } from '../../lib/backoff'
import type { Chance } from '../../lib/chance'
import { sleep, type Clock } from '../../lib/clock'
import type { Log } from '../../lib/log'
import { makeTurns } from '../../lib/turns'
import type { Place } from '../../model/address'
import { messageOf, Refused, Unavailable } from '../../model/errors'
import type { Memory } from '../../model/network'
import type { Addresses } from './addresses'
import type { Aside } from './aside'
import { beginsNow, READ_BACK_MS, type ReadUpTo } from './catchup'
import type { RoomEvent } from './events'
import { encode, Rejected, roomPath, type Homeserver } from './homeserver'
import { GHOST_PREFIX } from './names'
import { lookSince } from './since'
import { roomOfAlias, setState, stateOf } from './state'

/** A room of a direct chat. */
export interface DirectRoom { place: Place; ours: string; theirs: string }

export interface DirectWorld {
  homeserver: Homeserver; addresses: Addresses; memory: Memory; clock: Clock; chance: Chance; log: Log; signal: AbortSignal
  network: string; domain: string
  isOurs: (mxid: string) => boolean
  aside: Aside
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
  /** Takes the invitations that came meanwhile; resolves with the rooms in which something happened. `keep` when these are read. */
  look (): Promise<{ rooms: ReadUpTo[], keep: () => void }>
}

/** `direct <place>` in memory. `at`: when it became this room, ms; 0 if not known. `older`: earlier rooms, newest first. */
interface Chat { room: string; at: number; left?: boolean; older: string[] }

/** An invitation of an address. `direct`: the inviter says so. */
interface Invited { room: string; chat: DirectRoom; direct: boolean; at: number }

const OTHERS_MAX = 2 // in a direct chat beside us: more are a group
const ENTERING_MAX = 1000 // invitations under way
const AT_ONCE_MAX = 8 // of them tried at the same time, so that slow servers of others cannot take every connection
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
  const { homeserver, addresses, memory, clock, chance, log, signal: stopping, network, domain, isOurs, aside } = world
  const turns = makeTurns()
  const entering = new Map<string, Promise<void>>() // by room
  let count = 0
  let dropped = false

  const placeOf = (ours: string, theirs: string): Place => ({ network, id: `${ours} ${theirs}` })
  const roomKey = (room: string): string => `dm ${room}`
  const chatKey = (place: Place): string => `direct ${place.id}`
  const chatOf = (place: Place): Chat | undefined => {
    const value = memory.get(chatKey(place))
    return value === undefined ? undefined : JSON.parse(value) as Chat
  }
  const keepChat = (place: Place, chat: Chat): Promise<void> => memory.set(chatKey(place), JSON.stringify(chat))

  const of = (room: string): DirectRoom | undefined => {
    const id = memory.get(roomKey(room))
    const pair = id === undefined ? undefined : readDirect({ network, id })
    return pair && { place: placeOf(pair.ours, pair.theirs), ...pair }
  }

  const wrote: Direct['wrote'] = async (room, { place }, at) => {
    const chat = chatOf(place)
    if (chat?.room === room && !chat.left && chat.at > 0) return
    if (chat && at > 0 && at < chat.at) return // read once more
    const older = [chat?.room, ...chat?.older ?? []].filter(one => one !== undefined && one !== room).slice(0, OLDER_MAX) as string[]
    await keepChat(place, { room, at, older })
  }

  const leave = async (room: string, ours: string): Promise<void> => {
    await homeserver.call('POST', `${roomPath(room)}/leave`, { as: ours, body: {}, elsewhere: true })
  }

  /** How many others are in a room that we are invited to (CS API §Room summaries); undefined where that cannot be known. */
  const othersIn = async (room: string, as: string, via: string): Promise<number | undefined> => {
    try {
      const query = { via: via.slice(via.indexOf(':') + 1) }
      const { num_joined_members: joined } = await homeserver.call('GET', `client/v1/room_summary/${encode(room)}`,
        { as, query, elsewhere: true, signal: stopping })
      return typeof joined === 'number' ? joined : undefined
    } catch (error) {
      if (error instanceof Rejected) return undefined
      throw error
    }
  }

  const enter = async ({ room, chat, direct, at }: Invited): Promise<void> => {
    const { ours, theirs } = chat
    const others = await othersIn(room, ours, theirs)
    if (others === undefined ? !direct : others > OTHERS_MAX) {
      log.info({ room, address: ours, by: theirs, others }, 'declined an invitation of an address to a group')
      return await leave(room, ours)
    }
    aside.hold(room)
    await memory.set(roomKey(room), chat.place.id)
    await beginsNow(memory, room)
    await homeserver.call('POST', `${roomPath(room)}/join`, { as: ours, body: {}, elsewhere: true, signal: stopping })
    await wrote(room, chat, at)
    aside.read({ place: chat.place, room, by: { as: ours, notBefore: 0 } })
  }

  const tryToEnter = async (invited: Invited): Promise<void> => {
    const { room, chat } = invited
    for (let attempt = 1; !stopping.aborted; attempt++) {
      try {
        return await turns(String(count++ % AT_ONCE_MAX), () => enter(invited))
      } catch (error) {
        if (stopping.aborted) return
        const over = attempt === ATTEMPTS_MAX || (error instanceof Rejected && error.errcode === 'M_FORBIDDEN')
        log.warn({ room, by: chat.theirs, attempt, over, why: messageOf(error) }, 'could not take an invitation to a direct chat')
        if (over) return aside.release(room)
        await sleep(clock, backoffMs(chance, attempt, FIRST_MS, MOST_MS), stopping)
      }
    }
  }

  const invite = (room: string, ours: string, theirs: string, direct: boolean, at: number): void => {
    if (isOurs(theirs) || entering.has(room)) return
    if (entering.size >= ENTERING_MAX) { dropped = true; return log.warn({ room }, 'too many invitations at once; taken up later') }
    const chat = { place: placeOf(ours, theirs), ours, theirs }
    const task = tryToEnter({ room, chat, direct, at }).finally(() => { entering.delete(room) })
    entering.set(room, task)
  }

  const makeRoom = async (place: Place, ours: string, theirs: string, signal: AbortSignal): Promise<string> => {
    const before = chatOf(place)
    if (before) return before.room
    await addresses.ready(ours, signal)
    // An alias that nobody sees: by it a try that was cut off finds the room again instead of making a second one.
    const alias = `#${GHOST_PREFIX}_${createHash('sha256').update(place.id).digest('hex').slice(0, 32)}:${domain}`
    const { room, made } = await roomOfAlias(homeserver, alias, {
      preset: 'trusted_private_chat', is_direct: true, invite: [theirs],
      initial_state: [{ type: 'm.room.canonical_alias', state_key: '', content: {} }]
    }, { as: ours, signal })
    await memory.set(roomKey(room), place.id)
    await beginsNow(memory, room)
    const by = { as: ours, signal }
    if (!made) {
      const there = await stateOf(homeserver, room, 'm.room.member', theirs, by)
      const content = { membership: 'invite', is_direct: true }
      if (there === undefined) await setState(homeserver, room, { type: 'm.room.member', key: theirs, content }, by)
    }
    await keepChat(place, { room, at: 0, older: [] })
    await noteDirect(ours, theirs, room).catch((error: unknown) => log.info({ room, why: messageOf(error) }, 'm.direct could not be kept'))
    return room
  }

  /** CS API §Direct messaging. */
  const noteDirect = async (ours: string, theirs: string, room: string): Promise<void> => {
    const path = `client/v3/user/${encode(ours)}/account_data/m.direct`
    const now = await homeserver.call('GET', path, { as: ours }).catch((error: unknown) => {
      if (error instanceof Rejected) return {}
      throw error
    })
    await homeserver.call('PUT', path, { as: ours, body: { ...now, [theirs]: [room] } })
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
    const { joined, invited, keep } = await lookSince(homeserver, memory, ours, stopping)
    for (const { room, by, direct } of invited) invite(room, ours, by, direct, 0)
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
      const chat = chatOf(place)
      if (chat?.room !== room || (stateKey !== ours && stateKey !== theirs)) return
      const left = membership === 'leave' || membership === 'ban'
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
        for (const room of chat.older) if (await isThere(room, target, ours, signal)) return room
      }
      if (chat?.left) throw new Refused(HAS_LEFT)
      await addresses.ready(ours, signal)
      if (chat) return chat.room
      return await turns(`make ${place.id}`, () => makeRoom(place, ours, theirs, signal))
    },
    async look () {
      dropped = false
      const found = await Promise.allSettled(addresses.all().map(lookAt))
      for (const one of found) {
        if (one.status === 'fulfilled') continue
        if (one.reason instanceof Unavailable) throw one.reason
        log.warn({ why: messageOf(one.reason) }, 'an address cannot be asked what came for it')
      }
      const looked = found.flatMap(one => one.status === 'fulfilled' ? [one.value] : [])
      const keep = async (): Promise<void> => {
        await Promise.allSettled(entering.values())
        if (dropped || aside.busy() || stopping.aborted) return // what is not read yet is to be shown again
        for (const one of looked) await one.keep()
      }
      return {
        rooms: looked.flatMap(({ rooms }) => rooms),
        keep () { keep().catch((error: unknown) => log.warn({ why: messageOf(error) }, 'could not remember up to where was looked')) }
      }
    }
  }
}
