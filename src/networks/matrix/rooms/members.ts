/** The names and pictures of people in rooms, so that an arrival can say who spoke. Never holds up an arrival for long. */
import { deadline, type Clock } from '../../../lib/clock'
import { folded } from '../../../model/mention'
import type { Sender } from '../../../model/message'
import type { RoomEvent } from '../events/events'
import { MXC } from '../events/files'
import { stringOf, type Json } from '../events/json'
import { encode, roomPath, type Homeserver } from '../homeserver'

const MEMBERS_MAX = 10_000
const LOOKUP_MS_MAX = 1000
const UNKNOWN_MS = 60_000 // after a failed lookup, the localpart serves as the name this long

interface Known { sender: Sender; until?: number }

export interface Members {
  /** Learns from a member event (CS API §m.room.member). */
  learn (event: RoomEvent): void
  /** Fetches what is not known yet, as a user who is in the room. Resolves within LOOKUP_MS_MAX and never throws. */
  prepare (senders: Array<{ room: string, sender: string, as?: string | undefined }>): Promise<void>
  /** Who has this name in the room, as far as we know. */
  called (room: string, name: string): string[]
  /** The sender if known, else named by the localpart. */
  of (room: string, mxid: string): Sender
}

const localpart = (mxid: string): string => {
  const colon = mxid.indexOf(':')
  return mxid.slice(1, colon < 0 ? undefined : colon) || mxid
}

export const senderOf = (mxid: string, content: Json): Sender => {
  const name = stringOf(content.displayname)?.trim()
  const ref = stringOf(content.avatar_url)
  const avatar = ref !== undefined && MXC.test(ref) ? { avatar: { network: 'matrix', ref } } : {}
  return { id: mxid, ...name ? { name } : { name: localpart(mxid), nameless: true }, ...avatar }
}

export const makeMembers = (homeserver: Homeserver, clock: Clock, stopping?: AbortSignal): Members => {
  const known = new Map<string, Known>()
  const keyOf = (room: string, mxid: string): string => `${room} ${mxid}`

  const keep = (key: string, value: Known): void => {
    known.delete(key)
    known.set(key, value)
    if (known.size > MEMBERS_MAX) known.delete(known.keys().next().value!)
  }

  const isKnown = (key: string): boolean => {
    const found = known.get(key)
    return found !== undefined && (found.until === undefined || clock.tick() < found.until)
  }

  const fetch = async (room: string, mxid: string, as: string | undefined): Promise<void> => {
    const key = keyOf(room, mxid)
    const limit = deadline(clock, LOOKUP_MS_MAX, stopping)
    try {
      const path = `${roomPath(room)}/state/m.room.member/${encode(mxid)}`
      const content = await homeserver.call('GET', path, { as, signal: limit.signal })
      keep(key, { sender: senderOf(mxid, content) })
    } catch {
      keep(key, { sender: known.get(key)?.sender ?? senderOf(mxid, {}), until: clock.tick() + UNKNOWN_MS })
    } finally {
      limit.done()
    }
  }

  return {
    learn (event) {
      if (event.stateKey === undefined || event.content.membership !== 'join') return
      keep(keyOf(event.room, event.stateKey), { sender: senderOf(event.stateKey, event.content) })
    },
    async prepare (senders) {
      const wanted = new Map(senders.map(one => [keyOf(one.room, one.sender), one]))
      await Promise.all([...wanted].filter(([key]) => !isKnown(key)).map(([, { room, sender, as }]) => fetch(room, sender, as)))
    },
    called: (room, name) => [...known].flatMap(([key, { sender }]) =>
      key.startsWith(keyOf(room, '')) && folded(sender.name) === folded(name) ? [sender.id] : []),
    of: (room, mxid) => known.get(keyOf(room, mxid))?.sender ?? senderOf(mxid, {})
  }
}
