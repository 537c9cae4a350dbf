/** What a room shows of itself: what it tells everybody who enters, and how we change its name and picture. */
import { deadline } from '../../../lib/clock'
import { messageOf, Refused } from '../../../model/errors'
import type { Action, MediaRef, ProfileArrival, Shown } from '../../../model/message'
import type { Profile, World } from '../../../model/network'
import { readPicture, roomPicture, roomPictureOf } from '../avatars'
import { photoXml, VCARD_TEMP } from '../direct/profile'
import { conditionOf } from '../wire/stanza-errors'
import type { Stream } from '../wire/stream'
import { child, el, type Element, elementsIn, owned } from '../wire/xml'
import { DELAY } from './history'
import { MUC_USER } from './people'
import type { Room } from './room'
import type { makeOwnRooms } from './team-rooms'

const KEY_BYTES = 12
const FETCH_MS_MAX = 10_000

/** Whoever enters is told the subject behind all that was said (XEP-0045 §7.2.15). That says nothing of when it was set. */
export const isOfOld = (room: Room, message: Element): boolean =>
  child(message, 'delay', DELAY) !== undefined || (room.subject === undefined && message.attrs.id === undefined)

export const lookAt = (
  network: string, { id, place }: Room, { what, value }: Shown, { clock, chance }: Pick<World, 'clock' | 'chance'>
): ProfileArrival =>
  ({
    kind: 'profile', key: `${id}/shows ${what} ${chance.token(KEY_BYTES)}`, place: { network, id: place }, at: clock.now(),
    shown: { what, value: owned(value) }
  })

const spelt = (value: string): string => value.normalize('NFC').replace(/\s+/gu, ' ').trim()

/**
 * What a room shows after it has taken a subject of ours. It may spell it in its own way, cut it short, or have left the one before. Any other is
 * what somebody else has set meanwhile, and comes by itself: to call that ours would keep it from all other places.
 */
export const subjectAfter = (now: string, before: string, ours: string): string => {
  const isSpeltSo = spelt(now) === spelt(ours) || (spelt(now) !== '' && spelt(ours).startsWith(spelt(now)))
  return now === before || isSpeltSo ? now : ours
}

/** Notices when a room shows another name or picture of itself. Nobody is told who changed it. */
export interface Looks {
  /** We are in the room, and know all that was missed. */
  entered (room: Room): void
  presence (room: Room, presence: Element): void
  message (room: Room, message: Element): void
}

/** The room's configuration has changed (XEP-0045 §10.2.1). */
const isReconfigured = (room: Room, message: Element): boolean => {
  const user = message.attrs.from === room.id ? child(message, 'x', MUC_USER) : undefined
  return user !== undefined && elementsIn(user).some(({ name, attrs }) => name === 'status' && attrs.code === '104')
}

/** `refresh` asks the room for its name. It may fail. */
export const makeLooks = (shows: (room: Room, shown: Shown) => void, refresh: (room: Room) => Promise<void>): Looks => {
  const name = (room: Room): void => { if (room.name !== undefined) shows(room, { what: 'name', value: room.name }) }
  return {
    entered (room) {
      name(room)
      if (room.picture !== undefined) shows(room, { what: 'picture', value: room.picture })
    },
    presence (room, presence) {
      const picture = roomPicture(presence)
      if (picture === undefined || picture === room.picture) return
      room.picture = owned(picture)
      if (room.ready) shows(room, { what: 'picture', value: room.picture })
    },
    message (room, message) {
      if (!room.ready || room.own || !isReconfigured(room, message)) return
      const before = room.name
      refresh(room).then(() => { if (room.name !== before) name(room) }, () => {}) // if that fails, we see it when we enter again
    }
  }
}

/** The room tells of our own change before we have its answer. That is no news. */
const setting = async (room: Room, now: Partial<Pick<Room, 'name' | 'picture'>>, work: () => Promise<void>): Promise<void> => {
  const { name, picture } = room
  Object.assign(room, now)
  try { await work() } catch (error) {
    Object.assign(room, { name, picture })
    throw error
  }
}

interface Parts { own: ReturnType<typeof makeOwnRooms>; stream: Stream; world: Pick<World, 'media' | 'clock'> }

/** Changes the name or picture of a room, which takes its owner. Resolves with what it shows then. Throws Refused or Unavailable. */
export type Change = (room: Room, action: Action & { kind: 'profile' }, signal: AbortSignal) => Promise<string>

export const makeChange = ({ own, stream, world: { media, clock } }: Parts): Change => {
  const fetched = async (at: MediaRef, signal: AbortSignal): Promise<NonNullable<Profile['logo']>> => {
    const limit = deadline(clock, FETCH_MS_MAX, signal)
    try { return await readPicture(media, at, limit.signal) } catch (error) {
      throw new Refused(`the picture cannot be fetched: ${messageOf(error)}`) // nothing that is said waits for it
    } finally { limit.done() }
  }

  return async (room, { shown: { what, value }, change: { network } }, signal) => {
    if (what === 'name') {
      await setting(room, { name: value }, async () => { await own.configure(room.id, { name: value }) })
      return value
    }
    const logo = value === '' ? undefined : await fetched({ network, ref: value }, signal)
    const now = logo === undefined ? '' : roomPictureOf(room.id, logo.bytes)
    if (room.picture === now) return now
    await setting(room, { picture: now }, async () => {
      const answer = await stream.ask('set', room.listener.jid, room.id, el('vCard', { xmlns: VCARD_TEMP }, photoXml(logo)))
      if (answer.attrs.type === 'error') throw new Refused(`the room does not take a picture: ${conditionOf(answer).name}`)
    })
    return now
  }
}
