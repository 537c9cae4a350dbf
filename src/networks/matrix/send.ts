/**
 * Turns a delivery into an event, exactly once. The transaction id is the delivery's key, sent from the ghost's own device, so the
 * homeserver remembers it for a day, even over a restart (CS API §Transaction identifiers). After that, `find` looks for the key in the
 * room's history. If we remember something wrong about a ghost, we put it right and try once more.
 */
import type { Chance } from '../../lib/chance'
import { type Clock, deadline } from '../../lib/clock'
import { Refused, Unavailable } from '../../model/errors'
import type { Mention } from '../../model/mention'
import {
  type Action, type Attachment, type Content, type Delivery, hopsOf, type Persona, type Sent, THUMBNAIL_BYTES_MAX
} from '../../model/message'
import { plain } from '../../model/text'
import type { Admin } from './admin'
import { annotationKey, keyIn } from './annotation'
import {
  addressed, answering, besideThread, captioned, fileContent, fileIn, fitting, KEY_FIELD, marksOf, messageContent, replacing, saidEvent
} from './contents'
import { readDirect } from './direct/chats'
import type { Change, Direct } from './direct/direct'
import type { Encryption } from './encryption/encryption'
import { makeSealing } from './encryption/files'
import type { SealedPlaces } from './encryption/sealing'
import { HOPS_FIELD } from './events/events'
import type { Sendable } from './events/extensible'
import { type Json, stringOf } from './events/json'
import { makeFind } from './find'
import type { Bringing } from './users/bringing'
import type { Ghosts } from './users/ghosts'
import { mustNotBeKicked } from './users/put-out'
import { encode, Rejected, roomPath, type Homeserver, type Query } from './homeserver'
import { isGhostOn } from './names'
import type { Uploaded, Uploader } from './media'
import { pollEvent, voteEvent } from './polls'
import { EDITS, REACTIONS, relatedTo } from './relations'
import { show } from './rooms/profile'
import { makeRoomFor } from './rooms/former'
import { isVoiceless } from './rooms/power'
import type { Rooms } from './rooms/rooms'
import type { TeamRooms } from './rooms/team-rooms'
import { clean } from './text'

const LATE_MS = 60_000 // later than this, the event carries the time at which it was said (AS API §Timestamp massaging)
const THUMBNAIL_MS_MAX = 3_000
const UPLOADS_KEPT_MAX = 1000 // uploaded files whose events are not sent yet

export interface SendWorld {
  homeserver: Homeserver; ghosts: Ghosts; rooms: Rooms; direct: Direct; teamRooms: TeamRooms; uploader: Uploader; clock: Clock; chance: Chance
  bringing: Pick<Bringing, 'cameIn'>
  encryption: Pick<Encryption, 'over' | 'isKept'>; sealing: SealedPlaces; admin: Pick<Admin, 'deleteUploads'> | undefined
  bot: string; domain: string; mediaBytesMax: number
}

export interface Send {
  send (delivery: Delivery, signal: AbortSignal): Promise<Sent>
  upload (delivery: Delivery, signal: AbortSignal): Promise<void>
  find (delivery: Delivery, signal: AbortSignal): Promise<Sent | undefined>
}

type Said = Extract<Action, { content: Content }>

const changeOf = (delivery: Delivery): Change | undefined => {
  const { action, target: [event] = [] } = delivery
  const about = action.kind === 'reaction' ? saidEvent(action.to, delivery) : action.kind === 'message' ? undefined : event
  return about === undefined ? undefined : { event: about, kind: action.kind }
}

interface Speaker { place: Delivery['place']; as: Persona; mxid: string }

const enter = async ({ ghosts, bringing }: SendWorld, { place, as, mxid }: Speaker, room: string, signal: AbortSignal): Promise<void> => {
  const wasIn = ghosts.isIn(mxid, room)
  await ghosts.ready(mxid, as, room, signal)
  if (!wasIn) bringing.cameIn(place)
}

/** What is remembered of this speaker was wrong, unless somebody has just put it out. */
const forget = async ({ homeserver, ghosts }: SendWorld, { place }: Delivery, mxid: string, room: string): Promise<void> => {
  if (readDirect(place) === undefined) await mustNotBeKicked(homeserver, room, mxid)
  await ghosts.forget(mxid, room)
}

/** Why the room did not take it. */
const refusalIn = async ({ homeserver, rooms }: SendWorld, room: string, as: string, error: Refused, signal: AbortSignal): Promise<Error> => {
  if (!rooms.isIn(room)) return new Unavailable(`the bot is not in ${room}: ${error.message}`)
  const isMute = error instanceof Rejected && error.errcode === 'M_FORBIDDEN' && await isVoiceless(homeserver, room, as, { signal })
  return isMute ? new Refused('the room lets this user of ours say nothing', undefined, 'voiceless') : error
}

/** The file's thumbnail, uploaded. A file without it is as good, so nobody waits long for it. */
const smaller = async (
  { uploader, clock, chance }: SendWorld, { thumbnail }: Attachment, sealed: boolean, stopping: AbortSignal
): Promise<Uploaded | undefined> => {
  if (thumbnail === undefined) return undefined
  const { signal, done } = deadline(clock, THUMBNAIL_MS_MAX, stopping)
  return await uploader.upload({ ...thumbnail, ...sealed && { sealing: makeSealing(chance) } }, undefined, THUMBNAIL_BYTES_MAX, signal)
    .catch(() => undefined).finally(done)
}

/** Whether it must be sealed there. Nothing of it, no file either, reaches the homeserver before this is asked. Throws Refused or Unavailable. */
const mustSeal = async ({ sealing }: SendWorld, delivery: Delivery, room: string, signal: AbortSignal): Promise<boolean> => {
  if (delivery.as) await sealing.mayBeSaid(delivery.place, room, signal)
  return await sealing.must(delivery, room, signal)
}

/** The room where it will be said, if that is known without asking. */
const roomAhead = ({ direct, rooms }: SendWorld, { place, action }: Delivery): string | undefined => {
  if (readDirect(place) !== undefined) return action.kind === 'edit' ? undefined : direct.rooms(place).find(room => direct.of(room) !== undefined)
  const room = rooms.known(place)
  return room !== undefined && rooms.isIn(room) ? room : undefined
}

/** In a direct chat a ghost has its name before it invites anybody: homeservers show a name that changes late. */
const dressed = async ({ ghosts, domain }: SendWorld, { place, as }: Delivery, signal: AbortSignal): Promise<void> => {
  const ours = readDirect(place)?.ours
  if (as && ours !== undefined && isGhostOn(domain)(ours)) await ghosts.dress(ours, as, signal)
}

/** In a room that was replaced, whoever has no power has no voice any more: then `other` does it, if given. */
const elseAs = async (other: string | undefined, as: string, job: (as: string) => Promise<Json>): Promise<Json> => {
  try {
    return await job(as)
  } catch (error) {
    if (other === undefined || !(error instanceof Rejected)) throw error
    return await job(other)
  }
}

const redactPath = (room: string, event: string, txn: string): string => `${roomPath(room)}/redact/${encode(event)}/${encode(txn)}`

const eventId = (answer: Json): string => {
  const id = stringOf(answer.event_id)
  if (id === undefined) throw new Unavailable('homeserver: no event id in its answer')
  return id
}

const targetOf = ({ target }: Pick<Delivery, 'target'>): string => {
  if (target?.[0] === undefined) throw new Refused('the message to change is not known here')
  return target[0]
}

export const makeSend = (world: SendWorld): Send => {
  const { homeserver, ghosts, rooms, direct, teamRooms, uploader, encryption, sealing, admin, clock, chance, bot, mediaBytesMax } = world

  /** In a direct chat, always the address itself: the contact sees nobody else. To remove what others said, only the bot has the power. */
  const speaker = ({ as, place, action }: Delivery, room: string): string =>
    readDirect(place)?.ours ?? (as ? ghosts.of(as, place, room) : action.kind === 'removal' ? bot : sealing.own(room))
  const roomFor = makeRoomFor({ homeserver, rooms })
  const history = makeFind({ ...world, speakers: (delivery, room) => [...new Set([speaker(delivery, room), ...delivery.as ? [] : [bot]])] })
  const uploads = new Map<string, Uploaded>() // by delivery key, oldest first

  /** Uploads a file once, however often its event is tried. As the bot, because the ghost may not be there yet. `sealed`: for an encrypted chat. */
  const stored = async ({ key }: Delivery, { file }: Content, sealed: boolean, signal: AbortSignal): Promise<Uploaded | undefined> => {
    const before = uploads.get(key)
    if (file === undefined || file.kept === true || (before !== undefined && (before.file !== undefined) === sealed)) return before
    const whole = uploader.upload({ ...file, ...sealed && { sealing: makeSealing(chance) } }, undefined, mediaBytesMax, signal)
    const [thumbnail, uploaded] = await Promise.all([smaller(world, file, sealed, signal), whole])
    if (thumbnail !== undefined) uploaded.thumbnail = thumbnail
    uploads.set(key, uploaded)
    if (uploads.size > UPLOADS_KEPT_MAX) uploads.delete(uploads.keys().next().value as string)
    return uploaded
  }

  const identity = ({ at }: Delivery): Query => ({
    device_id: ghosts.device(), ts: clock.now() - at > LATE_MS && at >= 0 ? Math.trunc(at) : undefined
  })

  const wholeContent = async (
    { action, ...delivery }: Delivery, said: Json, as: string, room: string, signal: AbortSignal
  ): Promise<Json> => {
    if (action.kind === 'edit') {
      const { mentions = [] } = action
      const target = targetOf(delivery)
      if (await sealing.author(room, as, target, signal) !== as) return said // it cannot be edited any more
      return replacing(said, target, marksOf(mentions.filter(({ again }) => again !== true), delivery.place.network))
    }
    if (action.kind !== 'message') return said
    if (action.addressee) return await addressed(action.addressee, said, { homeserver, room, as }, signal)
    return action.reply ? answering(action.reply, delivery, said) : said
  }

  const contentFor = async (delivery: Delivery, content: Content, mentions: Mention[], room: string, signal: AbortSignal): Promise<Json> => {
    const { file, text } = content
    const words = (said: Content): Json => messageContent(said, mentions, delivery.place)
    if (file === undefined) return words(content)
    const uploaded = await stored(delivery, content, await mustSeal(world, delivery, room, signal), signal)
    if (uploaded !== undefined) return captioned(fileContent(file, uploaded), file, words(content))
    const kept = fileIn(await sealing.said(delivery.place, { room, event: targetOf(delivery), as: speaker(delivery, room) }, signal))
    return kept === undefined ? words({ ...content, text: [...text, ...plain(`${file.name}: ${file.url}`)] })
      : captioned(kept, file, words(content))
  }

  /**
   * What an earlier try has said in the clear, before the room was encrypted. The transaction id does not protect from that: it holds for one type
   * of event, and one speaker.
   */
  const saidInClear = async (delivery: Delivery, room: string, signal: AbortSignal): Promise<string | undefined> =>
    delivery.attempt > 1 && !await encryption.isKept(delivery.key) ? (await history.said(delivery, room, signal))?.ids[0] : undefined

  /** Resolves with the event's id. Reactions go out as they are: the homeserver counts them, and apps do not encrypt them either. */
  const put = async (delivery: Delivery, { type, content }: Sendable, room: string, signal: AbortSignal): Promise<string> => {
    const { key, place } = delivery
    const must = await mustSeal(world, delivery, room, signal) && type !== 'm.reaction'
    const before = must ? await saidInClear(delivery, room, signal) : undefined
    if (before !== undefined) return before
    const marked = { ...content, [KEY_FIELD]: key, [HOPS_FIELD]: hopsOf(delivery.as) }
    const as = speaker(delivery, room)
    const [sent, body] = must ? await sealing.sealed({ key, place, room, as, type, content: marked }, signal) : [type, marked]
    const id = eventId(await homeserver.call('PUT', `${roomPath(room)}/send/${sent}/${encode(key)}`, {
      as, query: identity(delivery), signal, body: { ...body, [KEY_FIELD]: key }
    }))
    if (must) await encryption.over(key)
    return id
  }

  const say = async (delivery: Delivery, { content, mentions = [] }: Said, room: string, signal: AbortSignal): Promise<Sent> => {
    const { type, content: said } = await pollEvent(delivery, { homeserver, room, bot }, signal) ??
      { type: 'm.room.message', content: await contentFor(delivery, content, mentions, room, signal) }
    const whole = 'm.relates_to' in said ? said : await wholeContent(delivery, said, speaker(delivery, room), room, signal)
    const id = await put(delivery, { type, content: fitting(whole) }, room, signal).catch((error: unknown) => {
      const beside = error instanceof Rejected && error.status === 400 ? besideThread(whole) : undefined // no thread begins within another
      if (beside === undefined) throw error
      return put(delivery, { type, content: fitting(beside) }, room, signal)
    })
    uploads.delete(delivery.key)
    return { ids: [id] }
  }

  /**
   * CS API §Redactions. Redacts these events, each with a transaction id of its own, and each event's edits before it: the homeserver does not
   * redact edits by itself, and does not list the edits of a redacted event.
   */
  const redact = async (delivery: Delivery, events: string[], room: string, signal: AbortSignal): Promise<Sent> => {
    const as = await sealing.author(room, speaker(delivery, room), events[0] ?? '', signal)
    const isFormer = readDirect(delivery.place) === undefined && !rooms.isNow(room)
    const one = async (event: string, txn: string): Promise<string> => eventId(await elseAs(isFormer ? bot : undefined, as, by =>
      homeserver.call('PUT', redactPath(room, event, `${delivery.key}.${txn}`), { as: by, query: { device_id: ghosts.device() }, body: {}, signal })))
    const ids: string[] = []
    for (const [index, target] of events.entries()) {
      if (delivery.action.kind === 'deletion') await admin?.deleteUploads(sealing.said(delivery.place, { room, event: target, as }, signal))
      for (const { id } of await relatedTo(homeserver, { room, event: target, how: EDITS, as }, signal)) await one(id, id)
      ids.push(await one(target, String(index)))
    }
    return { ids }
  }

  /** If this speaker has already reacted with the same key, that is this reaction: the homeserver takes none twice. */
  const annotate = async (delivery: Delivery, { to, emojis: [emoji = ''] }: Action & { kind: 'reaction' }, room: string,
    signal: AbortSignal): Promise<Sent> => {
    const event = 'arrival' in to ? to.arrival : delivery.answered?.[0]
    if (event === undefined) throw new Refused('the message to react to is not known here')
    const relation = { rel_type: 'm.annotation', event_id: event, key: clean(annotationKey(emoji)) }
    try {
      return { ids: [await put(delivery, { type: 'm.reaction', content: { 'm.relates_to': relation } }, room, signal)] }
    } catch (error) {
      if (!(error instanceof Rejected) || error.errcode !== 'M_DUPLICATE_ANNOTATION') throw error
    }
    const mine = await relatedTo(homeserver, { room, event, how: REACTIONS, as: speaker(delivery, room) }, signal)
    return { ids: mine.filter(({ content }) => keyIn(content) === relation.key).map(({ id }) => id) }
  }

  const act = async (delivery: Delivery, room: string, signal: AbortSignal): Promise<Sent> => {
    const { as, action } = delivery
    if (action.kind === 'room' || (action.kind === 'profile' && readDirect(delivery.place))) throw new Refused('a direct chat is no room')
    if (action.kind === 'profile') return await show(world, room, action, delivery, signal)
    const ours = readDirect(delivery.place)?.ours
    if (as && ours === undefined) await enter(world, { place: delivery.place, as, mxid: speaker(delivery, room) }, room, signal)
    switch (action.kind) {
      case 'deletion': return await redact(delivery, [targetOf(delivery), ...delivery.target!.slice(1)], room, signal)
      case 'removal': return await redact(delivery, action.said.toReversed(), room, signal)
      case 'reaction': return await annotate(delivery, action, room, signal)
      case 'vote': return { ids: [await put(delivery, voteEvent(action, delivery), room, signal)] }
      default: return await say(delivery, action, room, signal)
    }
  }

  /** Restores what the homeserver has forgotten or somebody undid: the ghost, its device, its or the bot's membership of the room. */
  const repair = async (delivery: Delivery, room: string, signal: AbortSignal): Promise<void> => {
    const address = readDirect(delivery.place)?.ours
    if (address !== undefined || (delivery.as && delivery.action.kind !== 'profile')) await forget(world, delivery, speaker(delivery, room), room)
    if (address !== undefined) {
      await dressed(world, delivery, signal)
      await direct.roomFor(delivery.place, undefined, signal)
      return
    }
    if (delivery.as && delivery.action.kind !== 'profile') return await teamRooms.permit(delivery.place, speaker(delivery, room), signal)
    await ghosts.prepare()
    await rooms.again(room)
    const own = sealing.own(room)
    if (delivery.as || own === bot) return
    await sealing.repair(room, signal)
    await teamRooms.permit(delivery.place, own, signal)
  }

  return {
    async upload (delivery, signal) {
      const { action } = delivery
      const room = roomAhead(world, delivery)
      if (!('content' in action) || room === undefined) return
      const must = await mustSeal(world, delivery, room, signal).catch(() => undefined) // says nothing about the file: sending will find the same
      if (must !== undefined) await stored(delivery, action.content, must, signal)
    },

    async send (delivery, signal) {
      const { place, action } = delivery
      const isDirect = readDirect(place) !== undefined
      if (action.kind === 'room' && !isDirect) {
        await teamRooms.make(place, action.room, signal)
        return { ids: [] }
      }
      await dressed(world, delivery, signal)
      const room = isDirect ? await direct.roomFor(place, changeOf(delivery), signal) : await roomFor(delivery, signal)
      try {
        const sent = await act(delivery, room, signal)
        return isDirect && action.kind === 'deletion' && direct.isOver(room) ? { ...sent, unseen: true } : sent
      } catch (error) {
        if (!(error instanceof Rejected) || (error.errcode !== 'M_FORBIDDEN' && error.errcode !== 'M_UNKNOWN_DEVICE')) throw error
      }
      try {
        await repair(delivery, room, signal)
        return await act(delivery, room, signal)
      } catch (error) {
        if (!(error instanceof Refused) || isDirect || !rooms.isNow(room)) throw error
        throw await refusalIn(world, room, speaker(delivery, room), error, signal)
      }
    },

    find: history.find
  }
}
