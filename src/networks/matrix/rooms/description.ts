/**
 * What a room tells apps of the places that it is connected with: `m.bridge` for each of them (MSC2346), and in `com.beeper.room_features` what
 * people there see of what is sent here. It is said when the bot comes in, and anew when it is no longer the same; where the bot has no power to say
 * it, again when powers change, and at each start. If somebody else writes over it, it is put back, because people there are to know who else reads:
 * once an hour at once, so that two who write over each other end, and otherwise at the next start. No message waits for it. Promises: no number or
 * address of a person stands in it, only their name.
 */
import { createHash } from 'node:crypto'
import type { Chance } from '../../../lib/chance'
import type { Clock } from '../../../lib/clock'
import type { Log } from '../../../lib/log'
import { makeRounds } from '../../../lib/rounds'
import { makeSometimes } from '../../../lib/sometimes'
import type { Place } from '../../../model/address'
import { messageOf } from '../../../model/errors'
import type { Beside, Capabilities, Inbox, Memory } from '../../../model/network'
import type { RoomEvent } from '../events/events'
import type { Json } from '../events/json'
import { encode, type Homeserver, Rejected } from '../homeserver'
import { type Entry, setState } from './state'

const AT_ONCE = 4
const AGAIN_FIRST_MS = 5_000
const AGAIN_MOST_MS = 15 * 60_000
const PUT_BACK_EVERY_MS = 3_600_000
const CHANNEL_DIGITS = 16
const BRIDGE_TYPES = ['m.bridge', 'uk.half-shot.bridge']
const FEATURES_TYPE = 'com.beeper.room_features'

/** How much of something arrives, as mautrix counts it: all, in a poorer form, as plain words, or nothing. */
const [FULL, PART, PLAIN, DROPPED] = [2, 1, 0, -1]

const FORMATTING = [
  'bold', 'italic', 'strikethrough', 'inline_code', 'code_block', 'blockquote', 'inline_link', 'unordered_list', 'ordered_list', 'headers', 'spoiler'
]
const FILES = ['m.image', 'm.file', 'm.audio', 'm.video', 'm.sticker', 'org.matrix.msc3245.voice']

/** In part, if it arrives in some places only: so apps offer it. */
const among = (others: Capabilities[], level: (can: Capabilities) => number): number => {
  const levels = others.map(level)
  const [least, most] = [Math.min(...levels), Math.max(...levels)]
  return least === most || most <= PLAIN ? most : PART
}

export const featuresOf = (beside: Beside[], fileBytesMax: number): Json => {
  const others = beside.map(({ can }) => can)
  const level = (of: (can: Capabilities) => number): number => among(others, of)
  const file = {
    mime_types: { '*/*': level(({ files }) => files === 'text' ? PART : FULL) },
    caption: level(({ captions }) => captions ? FULL : PART), max_size: fileBytesMax
  }
  const formatting = level(can => can.formatting ? PART : PLAIN)
  return {
    formatting: Object.fromEntries(FORMATTING.map(one => [one, formatting])),
    file: Object.fromEntries(FILES.map(one => [one, file])),
    reply: level(({ replies }) => replies ? FULL : PART), thread: level(({ replies }) => replies ? FULL : PART),
    edit: level(({ edits }) => edits ? FULL : PART), delete: level(({ deletions }) => deletions ? FULL : DROPPED),
    reaction: level(({ reactions }) => reactions === 'none' ? DROPPED : FULL), custom_emoji_reactions: true,
    location_message: PART, poll: level(({ polls }) => polls === true ? FULL : PART),
    typing_notifications: beside.some(({ shows }) => shows.typing), read_receipts: beside.some(({ shows }) => shows.read)
  }
}

const channelOf = ({ place, name, people }: Beside): Json => people === undefined ? { id: place.id, displayname: name ?? place.id }
  : { id: createHash('sha256').update(place.id).digest('hex').slice(0, CHANNEL_DIGITS), displayname: people.join(', ') }

interface Parts {
  homeserver: Homeserver; memory: Memory; clock: Clock; chance: Chance; log: Log
  rooms: () => { placeOf (room: string): Place | undefined, isNow (room: string): boolean }
  bot: string; serviceId: string; fileBytesMax: number
  inbox: () => Inbox | undefined
}

export interface Descriptions {
  /** The bot is in this room. */
  entered (room: string): void
  /** Somebody else has changed the state of a room. */
  changed (event: Pick<RoomEvent, 'room' | 'type' | 'stateKey'>): Promise<void>
  stop (): void
}

/** Of what was said last in a room. */
const memoryKey = (room: string): string => `described ${room}`

/** We have nothing more to do with this room. */
export const forgetDescription = (memory: Memory, room: string): Promise<void> => memory.delete(memoryKey(room))

export const makeDescriptions = (
  { homeserver, rooms, memory, clock, chance, log, bot, serviceId, fileBytesMax, inbox }: Parts
): Descriptions => {
  const ourKeys = `org.zentrale://${serviceId}/` // all others can be written by anybody with the power, and this one too
  const isTime = makeSometimes(clock)

  const entriesFor = (place: Place): Entry[] => {
    const all = inbox()?.besides(place) ?? []
    const bridges = all.flatMap(one => {
      const channel = channelOf(one)
      const { network } = one.place
      const content = { bridgebot: bot, protocol: { id: network, displayname: one.can.label }, channel }
      return BRIDGE_TYPES.map(type => ({ type, key: `${ourKeys}${network}/${encode(String(channel.id))}`, content }))
    })
    return all.length === 0 ? [] : [...bridges, { type: FEATURES_TYPE, key: bot, content: featuresOf(all, fileBytesMax) }]
  }

  const describe = async (room: string, isOutdated: () => boolean): Promise<void> => {
    const place = rooms().placeOf(room)
    const entries = place === undefined || !rooms().isNow(room) ? [] : entriesFor(place)
    const digest = createHash('sha256').update(JSON.stringify(entries)).digest('base64url')
    if (entries.length === 0 || memory.get(memoryKey(room)) === digest) return
    try {
      for (const entry of entries) await setState(homeserver, room, entry, {})
      if (!isOutdated()) await memory.set(memoryKey(room), digest)
    } catch (error) {
      if (!(error instanceof Rejected)) throw error
      log.info({ room, code: error.errcode }, 'no power to say in the room that it is bridged')
    }
  }

  const rounds = makeRounds({
    clock, chance, atOnce: AT_ONCE, firstMs: AGAIN_FIRST_MS, mostMs: AGAIN_MOST_MS,
    failed: (room, error) => log.info({ room, why: messageOf(error) }, 'what a room is connected with could not be said there; trying again')
  }, describe)

  return {
    entered: rounds.ask,
    async changed ({ room, type, stateKey }) {
      if (type === 'm.room.power_levels' && memory.get(memoryKey(room)) === undefined) rounds.ask(room)
      if (!BRIDGE_TYPES.includes(type) || stateKey?.startsWith(ourKeys) !== true) return
      await memory.delete(memoryKey(room))
      if (isTime(room, PUT_BACK_EVERY_MS)) rounds.ask(room)
    },
    stop: rounds.stop
  }
}
