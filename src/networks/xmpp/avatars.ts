/**
 * Pictures of people (XEP-0153): those of a room's occupants for other networks, and on ghosts those of people from other networks.
 * Promises: a picture is taken only if it has the hash that its occupant showed and begins as pictures do; no message waits for one; memory
 * is bounded; a ghost shows its picture only to the rooms that it is in.
 */
import { addAbortSignal, Readable } from 'node:stream'
import { deadline } from '../../lib/clock'
import { makeSlots, serverOf } from '../../lib/slots'
import { messageOf, Refused } from '../../model/errors'
import type { MediaRef } from '../../model/message'
import type { Download, Media, Profile, World } from '../../model/network'
import { answerAbout, LOGO_BYTES_MAX, sha1, VCARD_TEMP } from './direct/profile'
import type { Occupant } from './muc/occupant'
import { bareOf, resourceOf } from './names'
import { conditionOf, failureOf } from './wire/stanza-errors'
import type { Stream } from './wire/stream'
import { child, el, type Element, elementsIn, owned, PHOTO_UPDATE, textOf, type Xml } from './wire/xml'

const SEEN_MAX = 5_000 // occupants of one room whose pictures are known
const SEEN_BYTES_MAX = 512 * 1024
const KEPT_MAX = 200 // pictures of ghosts in memory
const KEPT_BYTES_MAX = 10 * 1024 * 1024
const COMING_MAX = 1000
const COMING_AT_ONCE = 4
const COMING_FROM_ONE_MAX = 1 // of these from one server
const FETCH_MS_MAX = 10_000

const HASH = /^[0-9a-f]{40}$/
const REF = /^picture:([^]+) ([0-9a-f]{40})$/
const BASE64 = /^[A-Za-z0-9+/]+={0,2}$/

export const isAvatar = (ref: string): boolean => ref.startsWith('picture:')

/** What a picture's first bytes say. What somebody claims about it does not count. */
export const avatarMime = (bytes: Uint8Array): string | undefined => {
  const start = Buffer.from(bytes.subarray(0, 12)).toString('latin1')
  if (start.startsWith('\x89PNG\r\n\x1A\n')) return 'image/png'
  if (start.startsWith('\xFF\xD8\xFF')) return 'image/jpeg'
  if (/^GIF8[79]a/.test(start)) return 'image/gif'
  return /^RIFF[^]{4}WEBP/.test(start) ? 'image/webp' : undefined
}

const asRef = (of: string, hash: string): string => `picture:${of} ${hash}`

/** The hash of the picture in a presence; '' if it says that there is none, undefined if it says nothing. */
const hashIn = (presence: Element): string | undefined => {
  const update = child(presence, 'x', PHOTO_UPDATE)
  const photo = update && child(update, 'photo')
  const hash = photo && textOf(photo).trim().toLowerCase()
  return hash === undefined ? undefined : HASH.test(hash) ? hash : ''
}

/** Where the picture lies that a room shows of itself (XEP-0486), from a presence of its own; '' if it shows none. */
export const roomPicture = (presence: Element): string | undefined => {
  const { from = '', type } = presence.attrs
  const hash = resourceOf(from) === '' && type === undefined ? hashIn(presence) : undefined
  return hash === undefined ? undefined : hash === '' ? '' : asRef(from, hash)
}
export const roomPictureOf = (room: string, bytes: Uint8Array): string => asRef(room, sha1(bytes))

/** Pictures that occupants show. */
export interface OccupantAvatars {
  /** Notes the picture in a presence from the room to its listener. */
  heard (room: string, presence: Element): void
  /** The picture of an occupant. Another picture has another reference. */
  of (room: string, nick: string): MediaRef | undefined
  /** The room is entered anew, and will send all presences again. */
  forget (room: string): void
  /** Throws Refused or Unavailable, no later than the stream's limit for an answer. */
  open (ref: string): Promise<Download>
}

const bytesOf = (vcard: Element | undefined): Buffer => {
  const photo = vcard && child(vcard, 'PHOTO')
  const text = textOf(photo && child(photo, 'BINVAL')).replace(/\s+/g, '')
  if (text.length > Math.ceil(SEEN_BYTES_MAX / 3) * 4) throw new Refused(`the picture is over ${SEEN_BYTES_MAX} bytes`)
  if (!BASE64.test(text)) throw new Refused('there is no picture any more')
  return Buffer.from(text, 'base64')
}

export const makeOccupantAvatars = (network: string, listener: (room: string) => string | undefined, stream: Stream): OccupantAvatars => {
  const hashes = new Map<string, Map<string, string>>() // room → nick → hash

  return {
    heard (room, presence) {
      const known = hashes.get(room) ?? new Map<string, string>()
      hashes.set(room, known)
      const nick = resourceOf(presence.attrs.from ?? '')
      const hash = hashIn(presence)
      if (presence.attrs.type === 'unavailable') known.delete(nick)
      if (presence.attrs.type !== undefined || hash === undefined || nick === '') return
      if (hash === '') known.delete(nick)
      else if (known.size < SEEN_MAX || known.has(nick)) known.set(owned(nick), owned(hash))
    },
    of (room, nick) {
      const hash = hashes.get(room)?.get(nick)
      return hash === undefined ? undefined : { network, ref: asRef(`${room}/${nick}`, hash), hash }
    },
    forget (room) { hashes.delete(room) },
    async open (ref) {
      const [, occupant = '', hash] = REF.exec(ref) ?? []
      const from = listener(bareOf(occupant))
      if (from === undefined) throw new Refused('not a picture of somebody in a room that we are in')
      const answer = await stream.ask('get', from, occupant, el('vCard', { xmlns: VCARD_TEMP }))
      if (answer.attrs.type === 'error') throw failureOf('the picture cannot be fetched', conditionOf(answer))
      const bytes = bytesOf(child(answer, 'vCard', VCARD_TEMP))
      if (sha1(bytes) !== hash) throw new Refused('the picture is another one by now')
      const mime = avatarMime(bytes)
      if (mime === undefined) throw new Refused('not a supported kind of picture')
      return { stream: Readable.from([bytes]), mime, size: bytes.length }
    }
  }
}

/** Pictures that ghosts show. */
export interface GhostAvatars {
  /** The ghost shows this picture as soon as it is fetched; without `avatar`, none. */
  wear (ghost: Occupant, avatar: MediaRef | undefined): void
  /** The answer to a request for the ghost's vCard; undefined if the request is another one. */
  answer (iq: Element, ghost: Occupant): Promise<Xml | undefined> | undefined
  stop (): void
}

type Picture = Profile['logo']

const keyOf = ({ network, ref }: MediaRef): string => `${network} ${ref}`

/** Throws Refused if it is too large or no picture, and whatever `media` throws. */
export const readPicture = async (media: Media, at: MediaRef, signal: AbortSignal): Promise<NonNullable<Picture>> => {
  const { stream } = await media.open({ at, mime: 'image/png' }, signal, LOGO_BYTES_MAX)
  const parts: Buffer[] = []
  let size = 0
  for await (const part of addAbortSignal(signal, stream) as AsyncIterable<Buffer>) {
    parts.push(part)
    size += part.length
    if (size > LOGO_BYTES_MAX) throw new Refused(`the picture is over ${LOGO_BYTES_MAX} bytes, more than goes through in one piece`)
  }
  const bytes = Buffer.concat(parts)
  const mime = avatarMime(bytes)
  if (mime === undefined) throw new Refused('not a supported kind of picture')
  return { bytes, mime }
}

export const makeGhostAvatars = ({ clock, log, media }: World): GhostAvatars => {
  const worn = new WeakMap<Occupant, MediaRef>()
  const kept = new Map<string, Picture>() // undefined: it cannot be fetched
  const coming = new Map<string, Promise<Picture>>()
  const stopped = new AbortController()
  let bytesKept = 0
  const slots = makeSlots(COMING_AT_ONCE, COMING_FROM_ONE_MAX)

  const fetched = async (at: MediaRef): Promise<Picture> => {
    const over = await slots.take(`${at.network} ${serverOf(at.ref)}`, stopped.signal)
    const limit = deadline(clock, FETCH_MS_MAX, stopped.signal)
    try { return await readPicture(media, at, limit.signal) } catch (error) {
      log.info({ why: messageOf(error) }, 'a ghost stays without its picture')
      return undefined
    } finally {
      limit.done()
      over()
    }
  }

  const drop = (key: string): void => {
    bytesKept -= kept.get(key)?.bytes.length ?? 0
    kept.delete(key)
  }

  const keep = (key: string, picture: Picture): void => {
    kept.set(key, picture)
    bytesKept += picture?.bytes.length ?? 0
    for (const oldest of kept.keys()) {
      if (kept.size <= KEPT_MAX && bytesKept <= KEPT_BYTES_MAX) return
      drop(oldest)
    }
  }

  const pictureAt = (at: MediaRef): Promise<Picture> => {
    const key = keyOf(at)
    if (kept.has(key)) return Promise.resolve(kept.get(key))
    const under = coming.get(key)
    if (under !== undefined) return under
    if (coming.size >= COMING_MAX || stopped.signal.aborted) return Promise.resolve(undefined)
    const next = fetched(at).then(picture => {
      keep(key, picture)
      return picture
    }, () => undefined).finally(() => coming.delete(key))
    coming.set(key, next)
    return next
  }

  return {
    wear (ghost, avatar) {
      const before = worn.get(ghost)
      if (avatar === undefined) {
        if (worn.delete(ghost)) ghost.show('')
        if (before !== undefined) drop(keyOf(before))
        return
      }
      if (before !== undefined && keyOf(before) === keyOf(avatar)) return
      if (before !== undefined) drop(keyOf(before)) // one ghost, one picture, however often it changes
      worn.set(ghost, avatar)
      void pictureAt(avatar).then(picture => {
        if (worn.get(ghost) === avatar) ghost.show(picture === undefined ? '' : sha1(picture.bytes))
      })
    },
    answer (iq, ghost) {
      if (iq.attrs.type !== 'get' || elementsIn(iq)[0]?.ns !== VCARD_TEMP) return undefined
      const avatar = worn.get(ghost)
      const picture = avatar === undefined ? Promise.resolve(undefined) : pictureAt(avatar)
      return picture.then(logo => answerAbout(iq, { profile: { name: ghost.name, about: '', ...logo && { logo } } }))
    },
    stop () { stopped.abort() }
  }
}
