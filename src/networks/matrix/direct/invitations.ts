/**
 * Invitations of an address: taken at once if they lead into a direct chat, declined if they lead anywhere else. Anybody can call a room a
 * direct chat, so its size decides. We ask for it before we join, and again when we are in.
 */
import { backoffMs } from '../../../lib/backoff'
import type { Chance } from '../../../lib/chance'
import { sleep, type Clock } from '../../../lib/clock'
import type { Log } from '../../../lib/log'
import { makeSlots } from '../../../lib/slots'
import { messageOf } from '../../../model/errors'
import type { Memory } from '../../../model/network'
import { isJson } from '../events/json'
import { encode, Rejected, roomPath, TooLong, type Homeserver } from '../homeserver'
import { sourceOf } from '../names'
import type { Backlog } from '../recovery/backlog'
import { wasEncrypted } from '../encryption/encryption'
import { beginsNow } from '../recovery/history-position'
import { isMember, stateOf } from '../rooms/state'
import type { Addresses } from '../users/addresses'
import type { Chats, DirectRoom } from './chats'
import type { Parting } from './parting'
import { type Invitation, makeRemembered } from './remembered'
import { isOfTwo, isStrict } from './two'

interface Parts {
  homeserver: Homeserver; addresses: Pick<Addresses, 'ready'>; memory: Memory; clock: Clock; chance: Chance; log: Log; signal: AbortSignal
  domain: string
  isOurs: (mxid: string) => boolean
  chats: Chats; parting: Parting; backlog: Backlog
  isAttended (room: string): boolean
  encrypted (room: string): void
  leave (room: string, ours: string, reason?: string): Promise<void>
}

export interface Invitations {
  /** If it must be remembered, resolves when it is. */
  take (...one: Invitation): Promise<void> | undefined
  /** Whether an invitation to this room is under way. */
  has (room: string): boolean
  /** Resolves when none to this room is under way. */
  entered (room: string): Promise<void>
  /** Takes those that are remembered. From now on, notices if one is dropped. */
  begin (): void
  /** Resolves when none is under way, with whether all since `begin` were taken up. */
  settled (): Promise<boolean>
}

/** `direct`: the inviter says so. */
interface Invited { room: string; chat: DirectRoom; direct: boolean; at: number }

const NOT_TWO = 'Hier geht es nur im Direktchat zu zweit. Bitte beginnen Sie einen neuen Chat.\n' +
  'This works only in direct chats of two. Please begin a new chat.'
const OTHERS_MAX = 1 // in a direct chat besides us: more are a group
const OTHERS_SAID_MAX = 2 // the same if the inviter calls it a direct chat: their bridge or assistant may be in it
const ENTERING_MAX = 1000 // invitations under way
const ENTERING_OF_ONE_MAX = 10 // of them by one inviter: whoever sends more is no contact
const AT_ONCE_MAX = 32 // of them tried at the same time, so that slow servers cannot take every connection
const AT_ONCE_OF_ONE_MAX = 4 // of these from one server, or one inviter of our own server, so that they keep nobody else waiting
const FIRST_MS = 1000
const MOST_MS = 5 * 60_000
const ATTEMPTS_MAX = 12

/** How many others are in a room that we are in. If the list of members is too long an answer, there are many. */
const othersWithUs = async (homeserver: Homeserver, room: string, by: { as: string, signal: AbortSignal }): Promise<number> => {
  try {
    const { joined } = await homeserver.call('GET', `${roomPath(room)}/joined_members`, by)
    return Object.keys(isJson(joined) ? joined : {}).filter(mxid => mxid !== by.as).length
  } catch (error) {
    if (error instanceof TooLong) return Infinity
    throw error
  }
}

export const makeInvitations = (parts: Parts): Invitations => {
  const { homeserver, addresses, memory, clock, chance, log, signal: stopping, domain, isOurs } = parts
  const { chats, parting, backlog, isAttended, encrypted, leave } = parts
  const [slots, remembered] = [makeSlots(AT_ONCE_MAX, AT_ONCE_OF_ONE_MAX), makeRemembered(memory)]
  const entering = new Map<string, { by: string, task: Promise<void> }>() // by room
  let dropped = false

  /** How many others are in a room that we are invited to (CS API §Room summaries); undefined if that cannot be known. */
  const othersIn = async (room: string, as: string, via: string): Promise<number | undefined> => {
    try {
      const query = { via: via.slice(via.indexOf(':') + 1) }
      const { num_joined_members: joined, membership } = await homeserver.call('GET', `client/v1/room_summary/${encode(room)}`,
        { as, query, elsewhere: true, signal: stopping })
      return typeof joined === 'number' ? joined - (membership === 'join' ? 1 : 0) : undefined // we are in it already if an answer was lost
    } catch (error) {
      if (error instanceof Rejected) return undefined
      throw error
    }
  }

  const decline = async ({ room, chat: { place, ours, theirs } }: Invited, others?: number): Promise<void> => {
    log.info({ room, address: ours, by: theirs, others }, 'declined an invitation of an address to a room that is no direct chat')
    backlog.release(room)
    parting.stays(room)
    await leave(room, ours, NOT_TWO)
    if (chats.of(room)?.place.id === place.id) await chats.forget(room, place, false)
  }

  /** Whether we took this invitation before: it comes again by a transaction that does, or by an answer that is out of date. */
  const wasTaken = async ({ room, chat: { place, ours } }: Invited): Promise<boolean> =>
    chats.of(room)?.place.id === place.id && await isMember(homeserver, room, ours, { as: ours, signal: stopping })

  /** We are in the room, and hear what is said there. `turns`: and answer there. */
  const listen = async ({ room, chat, at }: Invited, turns: boolean): Promise<void> => {
    if (turns) await chats.turnTo(room, chat.place, at)
    backlog.read({ place: chat.place, room, by: { as: chat.ours, notBefore: 0 } })
  }

  const enter = async (invited: Invited): Promise<void> => {
    const { room, chat } = invited
    const { ours, theirs } = chat
    const direct = invited.direct || chats.of(room)?.place.id === chat.place.id // whoever invites back seldom says it again
    await addresses.ready(ours, stopping)
    const isIn = await wasTaken(invited)
    if (isIn && parting.isOver(room)) return await listen(invited, chats.at(chat.place) === undefined) // the contact has left since
    const isChat = isIn && !chats.at(chat.place)?.left && chats.rooms(chat.place).includes(room) // whoever else came since is no reason to leave
    const most = isChat ? Infinity : direct ? OTHERS_SAID_MAX : OTHERS_MAX
    const others = await othersIn(room, ours, theirs) ?? (direct ? 0 : Infinity)
    if (isAttended(room) || others > most) return await decline(invited, others)
    backlog.hold(room)
    const before = chats.at(chat.place)
    if (chats.of(room) === undefined && !(before && chats.isReplaced(before.room))) parting.quiet(room)
    else if (!isIn && parting.isOver(room)) parting.stays(room) // it was sent out
    await chats.add(room, chat.place)
    await beginsNow(memory, room)
    await homeserver.call('POST', `${roomPath(room)}/join`, { as: ours, body: {}, elsewhere: true, signal: stopping })
    const now = await othersWithUs(homeserver, room, { as: ours, signal: stopping })
    if (now > most || (isStrict(chat) && !await isOfTwo(homeserver, room, chat, stopping))) return await decline(invited, now)
    const isOn = await stateOf(homeserver, room, 'm.room.encryption', '', { as: ours, signal: stopping }) !== undefined
    if (isOn) encrypted(room)
    const leadsIntoTheClear = before !== undefined && !before.left && wasEncrypted(memory, before.room) && !isOn
    await listen(invited, !leadsIntoTheClear) // else we answer there once they have written: anybody's server can make an invitation
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
          return await chats.forget(room, chat.place, false)
        }
        await sleep(clock, backoffMs(chance, attempt, FIRST_MS, MOST_MS), stopping)
      }
    }
  }

  const take: Invitations['take'] = (room, ours, theirs, direct, at) => {
    if (isOurs(theirs) || entering.has(room)) return undefined
    if ([...entering.values()].filter(({ by }) => by === theirs).length >= ENTERING_OF_ONE_MAX) {
      return void log.warn({ room, by: theirs }, 'too many invitations by one person at once; not taken')
    }
    if (entering.size >= ENTERING_MAX) { dropped = true; return void log.warn({ room }, 'too many invitations at once; taken up later') }
    const chat = { place: chats.placeOf(ours, theirs), ours, theirs }
    const kept = remembered.keep(room, ours, theirs, direct, at)
    const task = tryToEnter({ room, chat, direct, at }).then(() => stopping.aborted ? undefined : remembered.forget(room))
      .finally(() => { entering.delete(room) })
    task.catch((error: unknown) => log.warn({ room, why: messageOf(error) }, 'an invitation that was taken stays remembered'))
    entering.set(room, { by: theirs, task })
    return kept
  }

  return {
    take,
    has: room => entering.has(room),
    async entered (room) { await entering.get(room)?.task },
    begin () {
      dropped = false
      for (const one of remembered.all()) void take(...one)
    },
    async settled () {
      await Promise.allSettled([...entering.values()].map(({ task }) => task))
      return !dropped
    }
  }
}
