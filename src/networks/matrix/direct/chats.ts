/**
 * What we remember of direct chats: the rooms that each has had, the room in which the contact wrote last, and whether they have left it.
 * A chat is one place for ever, `<our MXID> <their MXID>`.
 */
import type { NetworkName, Place } from '../../../model/address'
import type { Memory } from '../../../model/network'
import { parsed } from '../events/json'
import { forgetPosition } from '../recovery/history-position'

/** A room of a direct chat. */
export interface DirectRoom { place: Place; ours: string; theirs: string }

/**
 * The value of `direct <place>` in memory. `at`: when the chat moved to this room, ms; 0 if not known. `older`: earlier rooms, newest first.
 * `crowded`: we have ended it, because others could read it; then it counts as left.
 */
export interface Chat { room: string; at: number; left?: boolean; crowded?: boolean; older: string[] }

export interface Chats {
  placeOf (ours: string, theirs: string): Place
  /** The chat that a room belongs to, even if the room is also something else. */
  of (room: string): DirectRoom | undefined
  /** Whether it is a room of the chat of these two. */
  isOne (room: string | undefined, ours: string, theirs: string): boolean
  at (place: Place): Chat | undefined
  keep (place: Place, chat: Chat): Promise<void>
  /** This room belongs to the chat from now on. */
  add (room: string, place: Place): Promise<void>
  /** From now on we write to the contact here, unless they wrote elsewhere after `at`. */
  turnTo (room: string, place: Place, at: number): Promise<void>
  /** The contact's words came encrypted, or not. */
  heard (place: Place, sealed: boolean): Promise<void>
  /** The room in which the contact wrote last, then earlier ones. */
  rooms (place: Place): string[]
  /** The rooms of chats of these users of ours that their contacts have not left, the chat that moved last first. */
  some (isTheirs: (ours: string) => boolean, most: number): (DirectRoom & { room: string })[]
  /** All rooms that belong to the chat. */
  all (place: Place): string[]
  /** Another room was put in the place of this one, whose tombstone hides it in apps, or no longer is. */
  replace (room: string, isReplaced: boolean): Promise<void>
  isReplaced (room: string): boolean
  /** Forgets a room that we have left. `gone`: if we answered the contact there last, remembers that they are gone. */
  forget (room: string, place: Place, gone: boolean): Promise<void>
  /** Forgets the chat itself. */
  end (place: Place): Promise<void>
}

const OLDER_MAX = 10

const secretKey = ({ id }: Pick<Place, 'id'>): string => `secret ${id}`

/** Whether the contact's last words came encrypted: then nothing is said to them in the clear, in whatever room. */
export const isSecret = (memory: Pick<Memory, 'get'>, place: Pick<Place, 'id'>): boolean => memory.get(secretKey(place)) !== undefined

/** Our and their MXID; undefined if the place is no direct chat. */
export const readDirect = ({ id }: Pick<Place, 'id'>): { ours: string, theirs: string } | undefined => {
  const [ours, theirs, more] = id.split(' ')
  return ours?.startsWith('@') && theirs?.startsWith('@') && more === undefined ? { ours, theirs } : undefined
}

/** What people in a room were told once, and whether it was encrypted. */
export const forgetNotices = async (memory: Memory, room: string): Promise<void> => {
  for (const what of ['told', 'unread', 'encrypted']) await memory.delete(`${what} ${room}`)
}

/** `forgotten`: nobody of ours is in this room any more. */
export const makeChats = (memory: Memory, network: NetworkName, forgotten: (room: string) => Promise<void>): Chats => {
  const placeOf = (ours: string, theirs: string): Place => ({ network, id: `${ours} ${theirs}` })
  const roomKey = (room: string): string => `dm ${room}`
  const replacedKey = (room: string): string => `replaced ${room}`
  const chatKey = (place: Place): string => `direct ${place.id}`
  const keep: Chats['keep'] = (place, chat) => memory.set(chatKey(place), JSON.stringify(chat))
  const at: Chats['at'] = place => {
    const value = memory.get(chatKey(place))
    return value === undefined ? undefined : parsed<Chat>(value)
  }
  const rooms = (place: Place): string[] => {
    const chat = at(place)
    return chat === undefined ? [] : [chat.room, ...chat.older]
  }
  const without = (room: string, place: Place): string[] => rooms(place).filter(one => one !== room)

  return {
    placeOf, at, keep, rooms,
    of (room) {
      const id = memory.get(roomKey(room))
      const pair = id === undefined ? undefined : readDirect({ id })
      return pair && { place: placeOf(pair.ours, pair.theirs), ...pair }
    },
    isOne: (room, ours, theirs) => room !== undefined && memory.get(roomKey(room)) === placeOf(ours, theirs).id,
    add: (room, place) => memory.set(roomKey(room), place.id),
    async turnTo (room, place, since) {
      const chat = at(place)
      if (chat?.room === room && !chat.left && chat.at > 0) return
      if (chat && since > 0 && since < chat.at) return // an old message, read once more
      await keep(place, { room, at: since, older: without(room, place).slice(0, OLDER_MAX) })
    },
    heard: (place, sealed) => sealed ? memory.set(secretKey(place), '') : memory.delete(secretKey(place)),
    some (isTheirs, most) {
      const start = chatKey({ network, id: '' })
      const found = memory.keys(start).flatMap(key => {
        const pair = readDirect({ id: key.slice(start.length) })
        const place = pair && placeOf(pair.ours, pair.theirs)
        const chat = place && at(place)
        return pair && place && chat && isTheirs(pair.ours) && !chat.left ? [{ ...pair, place, since: chat.at }] : []
      })
      return found.sort((one, other) => other.since - one.since).slice(0, most)
        .flatMap(({ since: _, ...chat }) => rooms(chat.place).map(room => ({ ...chat, room })))
    },
    replace: (room, isReplaced) => isReplaced ? memory.set(replacedKey(room), '') : memory.delete(replacedKey(room)),
    isReplaced: room => memory.get(replacedKey(room)) !== undefined,
    all: place => memory.keys(roomKey('')).filter(key => memory.get(key) === place.id).map(key => key.slice(roomKey('').length)),
    async forget (room, place, gone) {
      const chat = at(place)
      const [now, ...older] = without(room, place)
      if (gone && (chat === undefined || chat.room === room)) {
        await keep(place, { ...chat, room, at: chat?.at ?? 0, left: true, older: without(room, place) })
      } else if (now === undefined) await memory.delete(chatKey(place))
      else await keep(place, now === chat!.room ? { ...chat!, older } : { room: now, at: 0, older })
      await memory.delete(roomKey(room))
      await forgetPosition(memory, room)
      await forgotten(room)
      await forgetNotices(memory, room)
      await memory.delete(replacedKey(room))
    },
    async end (place) {
      await memory.delete(secretKey(place))
      await memory.delete(chatKey(place))
    }
  }
}
