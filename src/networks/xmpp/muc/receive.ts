/**
 * Makes arrivals of what is said in rooms, in the order of each room.
 * Promises: only what the listener hears counts. Our own messages never come back in. After each entry into a room, its archive is read from
 * the last stored message on, before anything live. Ids are trusted only from the room itself, and only if it announces them (XEP-0359 §5,
 * XEP-0421 §4). A correction or retraction is passed on only for a message of the same occupant, and a set of reactions replaces only
 * one of the same occupant. Of a retraction that cannot be matched, its writer is told.
 */
import { createHash } from 'node:crypto'
import type { Place } from '../../../model/address'
import type { Arrival, MediaRef, ReactionArrival, Sender, Shown } from '../../../model/message'
import type { Inbox, World } from '../../../model/network'
import type { SignalIn } from '../../../model/signal'
import { type Intake, makeIntake, ROOM_KEPT_MAX } from '../intake'
import { bareOf, resourceOf } from '../names'
import type { Originals } from '../originals'
import { asCorrection, CORRECT, encryptionOf, reactionsIn, repliedTo, retractedIn, takenAway, threadsIn, topicIn, UNREADABLE } from '../text/content'
import { signalsIn } from '../text/signals'
import type { Stream } from '../wire/stream'
import { child, type Element, elementsIn, owned } from '../wire/xml'
import type { WriteBehind } from '../write-behind'
import type { Archive, Archived } from './archive'
import { saidIn } from './called'
import { makeCatchUp } from './catch-up'
import { makeHistory, printOf } from './history'
import { markedHops, type OwnMessages } from './own-messages'
import { addressFor, archivedJid, idOf, NON_ANONYMOUS, OCCUPANT_IDS, renamedTo, stillHere } from './people'
import { isOfOld, lookAt } from './profile'
import { ARCHIVE, type Room, STANZA_IDS, whisperKey } from './room'
import { makeStays } from './stays'

const KEY_BYTES = 18
const SET_CHARACTERS = 22
const RENAMES = { most: 64, beyond () {} } // of a room, changes of nicks that wait

/** Without an id from the room it is random, because a message that uses an id again is a new one. */
const keyOf = (room: Room, message: Element, given: string | undefined, chance: World['chance']): string =>
  given === undefined ? `${room.id}/${printOf(message)}.${chance.token(KEY_BYTES)}` : `${room.id} ${given}`

export interface Receiver {
  /** From now on, live messages of the room wait. */
  hold (room: Room): void
  /** Nothing more comes from the room. */
  end (room: Room): void
  /** Stores what was missed, then what waited. Resolves earlier if that may take long. Throws Unavailable if the stream goes down. */
  catchUp (room: Room): Promise<void>
  /** Takes a groupchat message to the listener. Our own go to `echo`. */
  groupchat (room: Room, message: Element): void
  /** Takes a presence of somebody in the room. */
  presence (room: Room, presence: Element): void
  /** Takes a private message in the room as said to all. Ids in it do not come from the room, and no archive has it. */
  privately (room: Room, message: Element): void
  /** What the room shows of itself now, in order with its messages. Nobody was heard to change it. */
  shows (room: Room, shown: Shown): void
  /** The room's standing, in order with its messages. */
  standing (room: Room, standing: 'in' | 'out'): void
  /** Takes everything else that comes in, in the order of each place. */
  offer: Intake['offer']
  stop (): Promise<void>
}

/** The id that the room gave to a message (XEP-0359 §3.1). */
export const stanzaId = (room: Room, message: Element): string | undefined => room.features.has(STANZA_IDS)
  ? elementsIn(message).find(one => one.name === 'stanza-id' && one.ns === STANZA_IDS && one.attrs.by === room.id)?.attrs.id
  : undefined

/** The id under which the room's archive has a message (XEP-0313 §3.1.1). Without one, we cannot know that it is there. */
const idInArchive = (room: Room, message: Element): string | undefined => room.features.has(ARCHIVE) ? stanzaId(room, message) : undefined

/**
 * What we know of a speaker besides the message. `address`: their real one, as the room shows it to us. `occupant`: the room's own id of them, which
 * Prosody leaves out of a new subject. `stay`: see stays.ts. `rules`: over others, now.
 */
interface Speaker {
  address?: string | undefined, occupant?: string | undefined, stay?: string | undefined, isHere: boolean, rules?: boolean
  avatar?: MediaRef | undefined
}

/** Anybody may write a mark into a message. Some rooms take it out of presences, ours too; of whoever is gone, nobody can say. */
const mayBeSwitchboard = ({ people, listener }: Room, nick: string): boolean => {
  const present = people.get(nick)
  return present === undefined || present.marked === true || people.get(listener.nick)?.marked !== true
}

/** A room that hides addresses from occupants may let anybody write one into a message, which its archive keeps. */
const senderOf = (room: Room, message: Element, { address, occupant, isHere, avatar }: Speaker): Sender => {
  const nick = resourceOf(message.attrs.from ?? '')
  const shown = address !== undefined && (room.features.has(NON_ANONYMOUS) || isHere) && addressFor(room, address)
  const hops = mayBeSwitchboard(room, nick) ? markedHops(message) : undefined
  const id = idOf(room, nick, child(message, 'occupant-id', OCCUPANT_IDS)?.attrs.id ?? occupant)
  return { id, name: nick, ...shown, ...avatar && { avatar }, ...hops === undefined ? {} : { hops } }
}

/** The writer of an earlier message. People are called the same whether they were heard or read, so we look who is here. */
const earlier = (room: Room, message: Element, archived?: string): Speaker => {
  const address = stillHere(room, message)?.address
  return address === undefined ? { address: archived, isHere: false } : { address, isHere: true }
}

/** What the room itself says concerns us only if a moderator removed a message. */
const moderation = (room: Room, message: Element, place: Place, at: number): Arrival | undefined => {
  const id = message.attrs.from === room.id && room.features.has(STANZA_IDS) ? takenAway(message) : undefined
  const sender = { id: room.id, name: room.id }
  return id === undefined ? undefined
    : { kind: 'deletion', key: `${room.id}/moderated ${id}`, place, at, sender, of: `${room.id} ${id}`, named: id, moderated: true }
}

const signalIn = (network: string, room: Room, does: SignalIn['does'], sender: Sender): SignalIn => ({
  place: { network, id: room.place }, sender: { ...sender, id: owned(sender.id) },
  does: does.kind === 'typing' ? does : { ...does, upTo: does.upTo.flatMap(id => [id, `${room.id} ${id}`]) }
})

interface Writer { writer: string, stays: boolean, vouched?: { theirs: true } }

/**
 * Whose later words and reactions count as this writer's. A nick can pass to somebody else, so without ids and addresses it is whose stay it is. An
 * address in an archive may have been written by anybody.
 */
const writerOf = (room: Room, sender: Sender, { address, stay, isHere }: Speaker): Writer | undefined =>
  sender.id.startsWith(`${room.id} `) ? { writer: sender.id, stays: true }
    : address !== undefined ? { writer: address, stays: true, ...isHere && { vouched: { theirs: true as const } } }
      : stay === undefined ? undefined : { writer: stay, stays: false, vouched: { theirs: true as const } }

/** Whose set of reactions it is, where the sender's id does not tell. It is kept, so it names nobody. Whoever is not known has a new one. */
const setOf = (room: Room, by: Writer | undefined, key: string): Pick<ReactionArrival, 'by' | 'theirs'> => {
  if (by?.writer.startsWith(`${room.id} `) === true) return {}
  const whose = createHash('sha256').update(JSON.stringify([room.id, by?.writer ?? key])).digest('base64url')
  return { by: whose.slice(0, SET_CHARACTERS), ...by?.vouched }
}

/** Somebody takes another nick, where the nick alone says who is who (XEP-0045 §7.6). */
const renamedIn = (place: Place, room: Room, presence: Element, { clock, chance }: Pick<World, 'clock' | 'chance'>): Arrival | undefined => {
  const { from = '' } = presence.attrs
  const isTold = room.ready && !room.own && !room.features.has(OCCUPANT_IDS) // before, its features may not be known
  const next = isTold ? renamedTo(presence) : undefined
  if (next === undefined || room.nicks.has(resourceOf(from)) || room.nicks.has(next)) return undefined
  const key = `${room.id}/renamed ${chance.token(KEY_BYTES)}`
  return { kind: 'renamed', key, place, at: clock.now(), person: owned(from), now: owned(idOf(room, next, undefined)) }
}

export interface ReceiverParts {
  network: string
  inbox: Inbox
  stream: Stream
  archive: Archive
  ownMessages: OwnMessages
  notes: WriteBehind
  originals: Originals
  world: World
  echo: (room: Room, message: Element) => void
  avatarOf?: (room: string, nick: string) => MediaRef | undefined
  tooMuch?: (room: Room) => void
  moved?: (room: Room) => void // everybody is told that the place has moved to this room
}

export const makeReceiver = ({
  network, inbox, stream, archive, ownMessages, notes, originals, world, echo, avatarOf = () => undefined, tooMuch = () => {}, moved = () => {}
}: ReceiverParts): Receiver => {
  const { clock, chance } = world
  const intake = makeIntake(arrival => inbox.accept(arrival), stream, world)
  const history = makeHistory(notes, world)
  const stays = makeStays(chance)
  let stopped = false

  const placeOf = (room: Room): Place => ({ network, id: room.place })

  const arrivalOf = (room: Room, message: Element, given: string | undefined, at: number, speaker: Speaker): Arrival | undefined => {
    if (resourceOf(message.attrs.from ?? '') === '') return moderation(room, message, placeOf(room), at)
    const sender = senderOf(room, message, speaker)
    const about = { key: keyOf(room, message, given, chance), place: placeOf(room), at }
    const topic = topicIn(message)
    if (topic !== undefined) return { ...about, kind: 'profile', shown: { what: 'topic', value: owned(topic) }, by: sender }
    const base = { ...about, sender }
    const { id } = message.attrs
    const by = writerOf(room, sender, speaker)
    const find = (named: string): string | undefined => by && originals.find(room.id, by.writer, named)
    const put = (key: string): void => {
      for (const named of [id, given]) if (by !== undefined && named !== undefined) originals.put(room.id, by.writer, named, key, !by.stays)
    }
    const retract = retractedIn(message)
    if (retract !== undefined) {
      const of = find(retract) ?? (by?.writer.startsWith(`${room.id} `) && room.features.has(STANZA_IDS) ? `${room.id} ${retract}` : undefined)
      return of === undefined ? { ...base, kind: 'deletion', of: `${base.key}/of`, unknown: true } : { ...base, kind: 'deletion', of, ...by?.vouched }
    }
    const reactions = reactionsIn(message)
    if (reactions !== undefined) {
      const set = setOf(room, by, base.key)
      return { ...base, kind: 'reaction', of: [reactions.id, `${room.id} ${reactions.id}`], emojis: reactions.emojis, whole: true, ...set }
    }
    const said = encryptionOf(message) === undefined ? saidIn(room, network, message, speaker.rules === true) : { content: UNREADABLE }
    if (said === undefined) return undefined
    const { content } = said
    const replaced = content.unreadable === undefined ? child(message, 'replace', CORRECT)?.attrs.id : undefined
    const of = replaced === undefined ? undefined : find(replaced)
    put(of ?? base.key)
    if (of !== undefined) return { ...base, kind: 'edit', of, ...by?.vouched, ...said }
    if (replaced !== undefined) return { ...base, kind: 'message', content: asCorrection(content) }
    const answered = repliedTo(message)
    const replies = answered === undefined ? {} : { replyTo: [answered, `${room.id} ${answered}`] }
    const thread = threadsIn(message).flatMap(id => [id, `${room.id} ${id}`])
    return { ...base, kind: 'message', ...given !== undefined && { named: given }, ...said, ...replies, ...thread.length > 0 && { thread } }
  }

  const live = (room: Room, message: Element, speaker: Speaker): void => {
    const arrival = arrivalOf(room, message, stanzaId(room, message), clock.now(), speaker)
    if (arrival === undefined) return
    const id = idInArchive(room, message)
    if (!room.features.has(ARCHIVE) && arrival.key.includes('.')) history.heard(room, message, arrival.key)
    if (id === undefined) intake.offer(arrival, undefined, { most: ROOM_KEPT_MAX, beyond: () => { if (!stopped) tooMuch(room) } })
    else intake.offer(arrival, () => catchUp.stored(room, id), { most: 0, server: room.id, beyond: () => catchUp.setAside(room, id) })
  }

  const offerPrivate = (room: Room, message: Element, speaker: Speaker): void => {
    const arrival = arrivalOf(room, message, undefined, clock.now(), speaker)
    if (arrival !== undefined) intake.offer({ ...arrival, key: whisperKey(room, chance.token(KEY_BYTES)) })
  }

  const archived = (room: Room, { id, at, message }: Archived): Arrival | undefined => {
    if (bareOf(message.attrs.from ?? '') !== room.id || message.attrs.type !== 'groupchat' || ownMessages.isOurs(room.id, message)) return undefined
    return arrivalOf(room, message, id, at ?? clock.now(), earlier(room, message, archivedJid(message)))
  }

  /** What was said in a room without an archive since we heard it last. */
  const missed = async (room: Room): Promise<Arrival[]> => {
    const last = await inbox.lastKey(placeOf(room))
    return history.missed(room, last, message => ownMessages.isOurs(room.id, message)).flatMap(({ at, message }) => {
      const arrival = arrivalOf(room, message, undefined, at ?? clock.now(), earlier(room, message))
      if (arrival !== undefined) history.heard(room, message, arrival.key)
      return arrival ?? []
    })
  }

  const shows: Receiver['shows'] = (room, shown) => { if (!room.own) intake.offer(lookAt(network, room, shown, world)) }

  const standing = (room: Room, standing: 'in' | 'out'): void => {
    if (room.own) return
    const about = { kind: 'standing', place: placeOf(room), at: clock.now(), standing } as const
    intake.offer({ ...about, key: `${room.id}/${standing} ${chance.token(KEY_BYTES)}` })
    if (standing === 'in' && room.untold) intake.offer({ ...about, key: `${room.id}/moved`, moved: room.id }, () => moved(room))
  }

  const catchUp = makeCatchUp({
    inbox, archive, intake, world, placeOf, idOf: idInArchive, arrivalOf: archived, missed,
    live (room) {
      history.settle(room)
      standing(room, 'in')
    }
  })

  return {
    hold (room) {
      originals.drop(room.id)
      stays.begin(room.id)
      history.begin(room)
      catchUp.hold(room)
    },
    presence (room, presence) {
      const over = stays.heard(room.id, presence)
      if (over !== undefined) originals.drop(room.id, over)
      if (presence.attrs.type !== 'unavailable' || presence.attrs.from === undefined) return
      const renamed = renamedIn(placeOf(room), room, presence, world)
      if (renamed !== undefined) intake.offer(renamed, undefined, RENAMES) // before what waits, which may be said under either nick
    },
    catchUp: catchUp.read,
    groupchat (room, message) {
      const nick = resourceOf(message.attrs.from ?? '')
      const topic = topicIn(message)
      const isLook = topic !== undefined && isOfOld(room, message)
      if (topic !== undefined) room.subject = owned(topic)
      if (isLook) room.look = room.subject
      if (topic !== undefined && message.attrs.id === undefined) history.end(room) // the room itself says it, without an id of an app
      room.heardAt = clock.tick()
      if (room.nicks.has(nick) || ownMessages.isOurs(room.id, message)) return echo(room, message)
      if (isLook) return catchUp.inTurn(room, { message, take: () => shows(room, { what: 'topic', value: room.look ?? topic }) })
      if (topic === undefined && history.take(room, message)) return
      const speaker = { isHere: true, avatar: avatarOf(room.id, nick), stay: stays.of(room.id, nick), ...room.people.get(nick) }
      catchUp.inTurn(room, { message, take: () => live(room, message, speaker) })
      if (!room.ready || nick === '') return
      for (const does of signalsIn(message)) inbox.signal(signalIn(network, room, does, senderOf(room, message, speaker)))
    },
    privately (room, message) {
      const { name, ns, attrs } = message
      const said = { name, ns, attrs, children: elementsIn(message).filter(one => one.name === 'body') }
      const speaker = { address: room.people.get(resourceOf(attrs.from ?? ''))?.address, isHere: true }
      catchUp.inTurn(room, { message: said, take: () => offerPrivate(room, said, speaker) })
    },
    shows, standing, offer: intake.offer,
    end (room) { stays.end(room.id); catchUp.end(room) },
    stop () {
      stopped = true
      catchUp.stop()
      return intake.stop()
    }
  }
}
