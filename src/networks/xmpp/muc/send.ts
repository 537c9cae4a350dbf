/**
 * Deliveries into rooms. The room's echo of our message, with our id and from our occupant, confirms it.
 * Promises: calls are written in the order in which they were made, also while a ghost is still joining. If one cannot go out now, those
 * after it fail too, and come again. An error that bounces with our id is the failure of that delivery. At most WINDOW are unanswered.
 */
import { Refused, Unavailable } from '../../../model/errors'
import { type Action, type Addressee, type Content, type Delivery, hopsOf, type Reply, type Sent, type Thread } from '../../../model/message'
import type { World } from '../../../model/network'
import { ghostLocal, nickOf as spelt, parseJid, resourceOf } from '../names'
import { type AnswerTo, contentXml, correctionXml, reactionsXml, replyXml, retractionXml, spokenTo } from '../text/content'
import { type Condition, conditionOf, failureOf } from '../wire/stanza-errors'
import type { Stream } from '../wire/stream'
import { el, type Element, owned, type Xml } from '../wire/xml'
import type { Archive } from './archive'
import { callingNobody, nickOfPerson, whoIsHere } from './called'
import type { Occupant } from './occupant'
import type { OwnMessages } from './own-messages'
import { stanzaId } from './receive'
import { ARCHIVE, INFO, namedIn, nickOf, type Room, UNKNOWN } from './room'
import { subjectAfter } from './profile'
import type { Rooms } from './rooms'
import type { SpecialDeliveries } from './special-deliveries'

export const WINDOW = 256
const KNOWN_MAX = 2_000 // our messages in one room that we have seen there
const TAIL_PAGES_MAX = 10

interface Job { delivery: Delivery, signal: AbortSignal, resolve (sent: Sent): void, reject (error: Error): void }
interface Unanswered { occupant: Occupant, kind: Action['kind'], resolve (sent: Sent): void, reject (error: Error): void }
interface Lane {
  jobs: Job[]
  writing: boolean
  cameBack: Unavailable | undefined // one came back while we were writing: those after it must not overtake it
  unanswered: Map<string, Unanswered>
  known: Map<string, Sent>
  tail: { visit: number, read: Promise<void> } | undefined
}

export interface Sender {
  send (delivery: Delivery, signal: AbortSignal): Promise<Sent>
  find (delivery: Delivery, signal: AbortSignal): Promise<Sent | undefined>
  echo (room: Room, message: Element): void
  /** A message of type error from a room. */
  bounce (room: Room, message: Element): void
  /** The listener is outside, so it will not hear the unanswered messages. */
  out (room: Room): void
  /** Resolves when nothing is under way. */
  idle (): Promise<void>
}

/** A thread is called as people there call it, else by its first message: by the id that the room gave to it, or by ours. */
const threadOf = (room: Room, { root, id }: Thread, ids: string[] = []): string | undefined =>
  id ?? ('arrival' in root ? namedIn(room, root.arrival) : ids[0])

/** What is answered, by the id that the room gave it (XEP-0461 §3.1). Not every room gives one. */
const answerTo = (room: Room, { said, by: { name, person }, text, thread }: Reply, { answered, root }: Delivery): AnswerTo => {
  const isGhosts = said !== undefined && 'delivery' in said
  const id = isGhosts ? answered?.[1] : said && namedIn(room, said.arrival)
  const ghost = isGhosts ? [...room.nicks].find(([, { jid }]) => jid.startsWith(`${ghostLocal(person)}@`))?.[0] : undefined
  const nick = ghost ?? nickOfPerson(room, person.id) ?? spelt(name)
  const found = id === undefined || text === undefined ? {} : { found: { id, to: `${room.id}/${nick}` } }
  return { name, text, ...found, ...thread && { thread: threadOf(room, thread, root) } }
}

/** The id that the room gave, by which messages in a room are named. Throws Refused if it gave none. */
const givenBy = (id: string | undefined): string => {
  if (id === undefined) throw new Refused('this room gives messages no ids, so none can be taken back or reacted to')
  return id
}

/** Everybody can read it, and the apps of whom it is for notice their name (XEP-0461 without a fallback: nothing need be quoted). */
const addressedXml = (room: Room, { of, person }: Addressee, content: Content): Xml[] => {
  const nick = nickOf(room, person) ?? nickOfPerson(room, person)
  const called = nick ?? parseJid(person)?.local
  const id = of.startsWith(`${room.id} `) ? of.slice(room.id.length + 1) : undefined
  return [
    ...contentXml(called === undefined ? content : spokenTo(called, content)),
    ...nick === undefined || id === undefined ? [] : [replyXml({ id, to: `${room.id}/${nick}` })]
  ]
}

const actionXml = (room: Room, delivery: Delivery): Xml[] => {
  const { action, place, target, answered, as } = delivery
  const reply = 'reply' in action && action.reply !== undefined ? answerTo(room, action.reply, delivery) : undefined
  switch (action.kind) {
    case 'message': {
      const { addressee, mentions } = action
      if (addressee !== undefined) return addressedXml(room, addressee, action.content)
      return contentXml(as === undefined ? callingNobody(room, action.content) : action.content, reply, whoIsHere(room, place, mentions))
    }
    case 'edit': return correctionXml(action.content, target?.[0] ?? action.of, reply, whoIsHere(room, place, action.mentions))
    case 'room': case 'removal': case 'vote': throw new Refused('this is no message')
    case 'deletion': return retractionXml(givenBy(target?.[1]), target?.[0] ?? action.of)
    case 'profile':
      if (action.shown.what !== 'topic') throw new Refused('not changed in group chats')
      return [el('subject', {}, action.shown.value)] // XEP-0045 §8.1
    case 'reaction': { // XEP-0444 §4.2
      const id = 'arrival' in action.to ? namedIn(room, action.to.arrival) : answered?.[1]
      return reactionsXml(givenBy(id), action.emojis)
    }
  }
}

const refusalOf = ({ kind, occupant }: Unanswered, condition: Condition): Refused | Unavailable =>
  condition.name === 'forbidden' && kind !== 'profile' && occupant.role === 'visitor'
    ? new Unavailable('one of ours has no voice any more', { disconnected: true })
    : failureOf('the room refused the message', condition)

/** Who may change what a room shows of itself does not depend on a voice. */
const mayGo = (rooms: Rooms, room: Room, { action }: Delivery, occupant: Occupant): boolean =>
  room.ready && (action.kind === 'profile' || rooms.maySpeak(occupant))

/** Not every room shows a subject with our id, but each has set or refused it before it answers what we ask then. */
const confirmSubject = (stream: Stream, room: Room, lane: Lane, key: string): void => {
  stream.ask('get', room.listener.jid, room.id, el('query', { xmlns: INFO })).then(
    () => lane.unanswered.get(key)?.resolve({ ids: [key] }), (error: Error) => lane.unanswered.get(key)?.reject(error))
}

export interface SenderParts {
  rooms: Rooms
  stream: Stream
  archive: Archive
  ownMessages: OwnMessages
  world: World
  special?: SpecialDeliveries
}

export const makeSender = ({
  rooms, stream, archive, ownMessages, world: { log }, special = () => undefined
}: SenderParts): Sender => {
  const lanes = new Map<string, Lane>()
  let under = 0 // sends that have not ended
  let wakeIdle = (): void => {}

  const laneOf = (room: Room): Lane => {
    let lane = lanes.get(room.id)
    if (lane !== undefined) return lane
    lane = { jobs: [], writing: false, cameBack: undefined, unanswered: new Map(), known: new Map(), tail: undefined }
    lanes.set(room.id, lane)
    return lane
  }

  const learn = (lane: Lane, key: string, sent: Sent): void => {
    lane.known.set(owned(key), { ids: sent.ids.map(owned) })
    if (lane.known.size > KNOWN_MAX) lane.known.delete(lane.known.keys().next().value as string)
  }

  const speaker = (room: Room, { as, action }: Delivery): Occupant =>
    as && action.kind !== 'profile' ? rooms.ghosts.ghost(room, as) : room.listener

  /** Rejects if the signal fires first. */
  const within = <T>(signal: AbortSignal, work: Promise<T>): Promise<T> => new Promise((resolve, reject) => {
    const late = (): void => reject(new Unavailable('not within the time that was given'))
    if (signal.aborted) late()
    signal.addEventListener('abort', late, { once: true })
    work.then(resolve, reject).finally(() => signal.removeEventListener('abort', late))
  })

  const prepare = async (room: Room, job: Job): Promise<void> => {
    await rooms.whenReady(room, job.signal)
    if (job.delivery.action.kind === 'profile' && !job.signal.aborted) return
    await within(job.signal, rooms.bringIn(room, speaker(room, job.delivery)))
    await within(job.signal, stream.writable())
  }

  const write = (room: Room, lane: Lane, { delivery, signal, resolve, reject }: Job): void => {
    const { key } = delivery
    const occupant = speaker(room, delivery)
    const stanza = el('message', { type: 'groupchat', from: occupant.jid, to: room.id, id: key }, ...actionXml(room, delivery),
      el('origin-id', { xmlns: 'urn:xmpp:sid:0', id: key }), ownMessages.mark(room.id, key, hopsOf(delivery.as)))
    if (!stream.send(stanza)) throw new Unavailable('the component link is down', { disconnected: true })
    const late = (): void => {
      lane.unanswered.delete(key)
      rooms.verify(room, occupant)
      rooms.verify(room, room.listener)
      reject(new Unavailable('the room has not shown the message'))
    }
    signal.addEventListener('abort', late, { once: true })
    const over = (): void => { lane.unanswered.delete(key); signal.removeEventListener('abort', late) }
    const [{ action }, before] = [delivery, room.subject ?? '']
    const withSubject = (sent: Sent): Sent =>
      action.kind === 'profile' ? { ...sent, shows: subjectAfter(room.subject ?? '', before, action.shown.value) } : sent
    lane.unanswered.set(key, {
      occupant, kind: action.kind,
      resolve: sent => { over(); resolve(withSubject(sent)) },
      reject: error => { over(); reject(error) }
    })
    if (action.kind === 'profile') confirmSubject(stream, room, lane, key)
  }

  const writeAll = async (room: Room, lane: Lane): Promise<void> => {
    lane.writing = true
    for (let job = lane.jobs[0]; job !== undefined; job = lane.jobs[0]) {
      try {
        while (!mayGo(rooms, room, job.delivery, speaker(room, job.delivery)) || job.signal.aborted) await prepare(room, job)
        await stream.writable()
        if (lane.cameBack !== undefined) throw lane.cameBack
        const other = special(room, job.delivery, job.signal)
        if (other === undefined) write(room, lane, job)
        else if (other.holds) job.resolve(await within(job.signal, other.sent)) // nothing is said while the room changes
        else other.sent.then(job.resolve, job.reject)
        lane.jobs.shift()
      } catch (error) {
        lane.jobs.shift()
        job.reject(error as Error)
        if (error instanceof Refused) continue
        const down = error instanceof Unavailable && error.disconnected
        lane.cameBack = undefined
        for (const behind of lane.jobs.splice(0)) behind.reject(new Unavailable('waits for one before it', { disconnected: down }))
      }
    }
    lane.cameBack = undefined
    lane.writing = false // here, because in a later callback a job that came meanwhile would be overlooked
  }

  /** Learns which of our messages are at the end of the room's archive. Runs once for each entry into the room. */
  const readTail = async (room: Room, lane: Lane): Promise<void> => {
    let before = ''
    for (let pages = 0; pages < TAIL_PAGES_MAX; pages++) {
      const page = await archive.page(room, { before })
      if (page === 'gone') return
      for (const { id, message } of page.items) {
        if (ownMessages.isOurs(room.id, message)) learn(lane, message.attrs.id as string, { ids: [message.attrs.id as string, id] })
      }
      if (page.complete || page.first === undefined) return
      before = page.first
    }
  }

  return {
    send: (delivery, signal) => new Promise((resolve, reject) => {
      if (!stream.isUp) throw new Unavailable('the component link is down', { disconnected: true })
      const room = rooms.attend(delivery.place.id)
      const lane = laneOf(room)
      if (lane.jobs.length + lane.unanswered.size >= WINDOW) throw new Unavailable('too many unanswered messages')
      under++
      const ended = (): void => { if (--under === 0) wakeIdle() }
      lane.jobs.push({
        delivery, signal,
        resolve: sent => { resolve(sent); ended() },
        reject: error => { reject(error); ended() }
      })
      if (!lane.writing) void writeAll(room, lane)
    }),
    async find (delivery, signal) {
      const room = rooms.attend(delivery.place.id)
      await rooms.whenReady(room, signal)
      const lane = laneOf(room)
      const known = lane.known.get(delivery.key)
      if (known !== undefined || !room.features.has(ARCHIVE)) return known
      if (lane.tail?.visit !== room.visit) lane.tail = { visit: room.visit, read: readTail(room, lane) }
      const { tail } = lane
      try { await within(signal, tail.read) } catch (error) {
        if (lane.tail === tail) lane.tail = undefined
        throw error
      }
      return lane.known.get(delivery.key)
    },
    echo (room, message) {
      const { id } = message.attrs
      if (id === undefined) return
      const lane = laneOf(room)
      const given = stanzaId(room, message)
      const sent = { ids: given === undefined ? [id] : [id, given] }
      const unanswered = lane.unanswered.get(id)
      const known = unanswered !== undefined && room.nicks.get(resourceOf(message.attrs.from ?? '')) === unanswered.occupant
      if (!known && !ownMessages.isOurs(room.id, message)) return
      if (unanswered === undefined) learn(lane, id, sent) // late, or from before a restart
      else unanswered.resolve(sent)
    },
    bounce (room, message) {
      const { id } = message.attrs
      const unanswered = id === undefined ? undefined : laneOf(room).unanswered.get(id)
      if (unanswered === undefined || unanswered.occupant.jid !== message.attrs.to) return
      const condition = conditionOf(message)
      log.info({ room: room.id, condition: condition.name, type: condition.type }, 'message came back')
      const failure = refusalOf(unanswered, condition)
      unanswered.reject(failure)
      const lane = laneOf(room)
      if (lane.writing && failure instanceof Unavailable) lane.cameBack = failure
      if (!UNKNOWN.has(condition.name)) return
      unanswered.occupant.lost('the room does not know us')
      if (condition.name === 'item-not-found') room.listener.lost('the room is gone')
      else rooms.verify(room, room.listener) // a room that has forgotten one of ours may have forgotten all, and then shows us nothing
    },
    out (room) {
      const lane = lanes.get(room.id)
      if (lane === undefined) return
      const error = new Unavailable('out of the room', { disconnected: !stream.isUp })
      for (const unanswered of [...lane.unanswered.values()]) unanswered.reject(error)
    },
    idle: () => new Promise(resolve => {
      wakeIdle = resolve
      if (under === 0) resolve()
    })
  }
}
