/**
 * From a delivery to an event, exactly once: the transaction id is the delivery's key, sent from a device of the ghost's own, by
 * which the homeserver keeps it for a day even over its restart (CS API §Transaction identifiers). After that, `find` looks for
 * the key in what was said. What we remembered wrongly of a ghost is put right and tried once more.
 */
import type { Clock } from '../../lib/clock'
import { Refused, Unavailable } from '../../model/errors'
import type { Content, Delivery, Sent } from '../../model/message'
import type { Memory } from '../../model/network'
import { isJson, stringOf } from './events'
import type { Ghosts } from './ghosts'
import { encode, Rejected, roomPath, type Homeserver, type Json, type Query } from './homeserver'
import { fileContent, type Uploaded, type Uploader } from './media'
import { ghostMxid } from './names'
import type { Rooms } from './rooms'
import { writeText } from './text'

export const KEY_FIELD = 'org.zentrale.key'

const LATE_MS = 60_000 // later than this, the event carries the time at which it was said (AS API §Timestamp massaging)
const TRANSACTION_MS = 20 * 3600_000 // the homeserver keeps ids for 24 h; we look ourselves a bit before
const EVENT_BYTES_MAX = 60_000 // of 65536; the rest is for what the homeserver adds
const FIND_PAGES_MAX = 20
const FIND_PAGE_EVENTS = 100
const MSGTYPES = { text: 'm.text', notice: 'm.notice', emote: 'm.emote' } as const

export interface SendWorld {
  homeserver: Homeserver; ghosts: Ghosts; rooms: Rooms; uploader: Uploader; memory: Memory; clock: Clock
  bot: string; domain: string; mediaBytesMax: number
}

export interface Send {
  send (delivery: Delivery, signal: AbortSignal): Promise<Sent>
  find (delivery: Delivery, signal: AbortSignal): Promise<Sent | undefined>
}

/** CS API §m.room.message msgtypes; `m.mentions` always, so that no name in the text alarms anybody (§Mentions). */
const messageContent = ({ style, text }: Content): Json => {
  const { body, html } = writeText(text)
  return {
    msgtype: MSGTYPES[style], body, 'm.mentions': {},
    ...(html === undefined ? {} : { format: 'org.matrix.custom.html', formatted_body: html })
  }
}

/** CS API §Event replacements. */
const replacing = (content: Json, target: string): Json => ({
  ...content, body: `* ${content.body as string}`,
  ...(content.formatted_body === undefined ? {} : { formatted_body: `* ${content.formatted_body as string}` }),
  'm.new_content': content, 'm.relates_to': { rel_type: 'm.replace', event_id: target }
})

const plainer = ({ format, formatted_body, ...rest }: Json): Json =>
  isJson(rest['m.new_content']) ? { ...rest, 'm.new_content': plainer(rest['m.new_content']) } : rest

/** Without formatting if it would be too long with it. */
const fitting = (content: Json): Json => {
  const tooLong = content.formatted_body !== undefined && Buffer.byteLength(JSON.stringify(content)) > EVENT_BYTES_MAX
  return tooLong ? plainer(content) : content
}

export const makeSend = ({ homeserver, ghosts, rooms, uploader, memory, clock, bot, domain, mediaBytesMax }: SendWorld): Send => {
  const speaker = ({ as }: Delivery): string => as ? ghostMxid(as.person, domain) : bot
  const fileKey = (delivery: Delivery): string => `file ${delivery.key}`

  /** Uploaded once, however often the event itself has to be tried. */
  const stored = async (delivery: Delivery, content: Content, signal: AbortSignal): Promise<Uploaded | undefined> => {
    if (!content.file) return undefined
    const before = memory.get(fileKey(delivery))
    if (before !== undefined) return JSON.parse(before) as Uploaded
    const uploaded = await uploader.upload(content.file, speaker(delivery), mediaBytesMax, signal)
    await memory.set(fileKey(delivery), JSON.stringify(uploaded))
    return uploaded
  }

  const eventId = (answer: Json): string => {
    const id = stringOf(answer.event_id)
    if (id === undefined) throw new Unavailable('homeserver: no event id in its answer')
    return id
  }

  const identity = ({ at }: Delivery): Query => ({
    device_id: ghosts.device(), ts: clock.now() - at > LATE_MS && at >= 0 ? Math.trunc(at) : undefined
  })

  const targetOf = ({ target }: Delivery): string => {
    if (target?.[0] === undefined) throw new Refused('the message to change is not known here')
    return target[0]
  }

  const say = async (delivery: Delivery, content: Content, room: string, signal: AbortSignal): Promise<Sent> => {
    const uploaded = await stored(delivery, content, signal)
    const said = uploaded && content.file ? fileContent(content.file, uploaded) : messageContent(content)
    const whole = delivery.action.kind === 'edit' ? replacing(said, targetOf(delivery)) : said
    const answer = await homeserver.call('PUT', `${roomPath(room)}/send/m.room.message/${encode(delivery.key)}`, {
      as: speaker(delivery), query: identity(delivery), body: { ...fitting(whole), [KEY_FIELD]: delivery.key }, signal
    })
    if (uploaded) await memory.delete(fileKey(delivery))
    return { ids: [eventId(answer)] }
  }

  /** CS API §Redactions. All that the delivery became, each under an id of its own. */
  const redact = async (delivery: Delivery, room: string, signal: AbortSignal): Promise<Sent> => {
    targetOf(delivery)
    const ids: string[] = []
    for (const [index, target] of delivery.target!.entries()) {
      const path = `${roomPath(room)}/redact/${encode(target)}/${encode(`${delivery.key}.${index}`)}`
      const answer = await homeserver.call('PUT', path, {
        as: speaker(delivery), query: { device_id: ghosts.device() }, body: {}, signal
      })
      ids.push(eventId(answer))
    }
    return { ids }
  }

  const act = async (delivery: Delivery, room: string, signal: AbortSignal): Promise<Sent> => {
    const { as, action } = delivery
    if (as) await ghosts.ready(as, room, signal)
    return action.kind === 'deletion' ? await redact(delivery, room, signal) : await say(delivery, action.content, room, signal)
  }

  /** What the homeserver has forgotten, or somebody undid: the ghost, its device, its or the bot's place in the room. */
  const repair = async (delivery: Delivery, room: string, signal: AbortSignal): Promise<void> => {
    if (delivery.as) return await ghosts.forget(speaker(delivery), room)
    await ghosts.prepare()
    await homeserver.call('POST', `${roomPath(room)}/join`, { body: {}, signal })
  }

  return {
    async send (delivery, signal) {
      const room = rooms.roomOf(delivery.place)
      try {
        return await act(delivery, room, signal)
      } catch (error) {
        if (!(error instanceof Rejected) || (error.errcode !== 'M_FORBIDDEN' && error.errcode !== 'M_UNKNOWN_DEVICE')) throw error
      }
      try {
        await repair(delivery, room, signal)
        return await act(delivery, room, signal)
      } catch (error) {
        if (error instanceof Rejected && !rooms.isIn(room)) throw new Unavailable(`the bot is not in ${room}: ${error.message}`)
        throw error
      }
    },

    /** Needed only where the transaction id no longer protects; looks back FIND_PAGES_MAX pages of what this ghost said. */
    async find (delivery, signal) {
      if (delivery.action.kind === 'deletion') return undefined // redacting again changes nothing
      if (ghosts.device() !== undefined && Math.abs(clock.now() - delivery.at) < TRANSACTION_MS) return undefined
      const filter = JSON.stringify({ senders: [speaker(delivery)], types: ['m.room.message'] })
      const path = `${roomPath(rooms.roomOf(delivery.place))}/messages`
      let from: string | undefined
      for (let page = 0; page < FIND_PAGES_MAX; page++) {
        const query = { dir: 'b', limit: FIND_PAGE_EVENTS, filter, from }
        const { chunk, end } = await homeserver.call('GET', path, { query, signal })
        for (const event of Array.isArray(chunk) ? chunk as unknown[] : []) {
          if (!isJson(event) || event.sender !== speaker(delivery) || !isJson(event.content)) continue
          if (event.content[KEY_FIELD] === delivery.key && typeof event.event_id === 'string') return { ids: [event.event_id] }
        }
        from = stringOf(end)
        if (from === undefined) return undefined
      }
      return undefined
    }
  }
}
