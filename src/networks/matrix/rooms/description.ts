/**
 * What a room tells apps of the places that it is connected with: `m.bridge` for each of them (MSC2346), and in `com.beeper.room_features` what
 * people there see of what is sent here. Promises: no number or address of a person stands in it, only their name.
 */
import { createHash } from 'node:crypto'
import type { Log } from '../../../lib/log'
import type { Place } from '../../../model/address'
import type { Beside, Capabilities, Inbox } from '../../../model/network'
import type { Json } from '../events/json'
import { encode, type Homeserver, Rejected, roomPath } from '../homeserver'

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

export interface DescriptionParts {
  homeserver: Homeserver; log: Log; bot: string; serviceId: string; fileBytesMax: number
  inbox: () => Inbox | undefined
}

/** Says it all in a room, and whether it could: it needs power that the bot may not have. Throws Unavailable. */
export const makeDescribe = ({ homeserver, log, bot, serviceId, fileBytesMax, inbox }: DescriptionParts) => {
  const put = (room: string, type: string, key: string, body: Json): Promise<Json> =>
    homeserver.call('PUT', `${roomPath(room)}/state/${type}/${encode(key)}`, { body })

  return async (place: Place, room: string): Promise<boolean> => {
    const all = inbox()?.besides(place) ?? []
    try {
      for (const one of all) {
        const channel = channelOf(one)
        const { network } = one.place
        const content = { bridgebot: bot, protocol: { id: network, displayname: one.can.label }, channel }
        const key = `org.zentrale://${serviceId}/${network}/${encode(String(channel.id))}`
        for (const type of BRIDGE_TYPES) await put(room, type, key, content)
      }
      if (all.length > 0) await put(room, FEATURES_TYPE, bot, featuresOf(all, fileBytesMax))
      return true
    } catch (error) {
      if (!(error instanceof Rejected)) throw error
      log.info({ room, code: error.errcode }, 'no power to say in the room that it is bridged')
      return false
    }
  }
}
