/**
 * A homeserver and the people on it, at the other end of a wire that loses, delays and refuses. Our end is the real adapter. The homeserver
 * is the practice one (test/support/homeserver/core.ts) in simulated time. The auditor is told what people see in its rooms.
 */
import { Readable } from 'node:stream'
import type { FunctionAddress } from '../../src/desk/address'
import { silentLog, type Log } from '../../src/lib/log'
import type { Place } from '../../src/model/address'
import type { Delivery, Reply as AnswerTo, RoomState } from '../../src/model/message'
import type { Network, World as Lent } from '../../src/model/network'
import { plain } from '../../src/model/text'
import { makeMatrix, namingOn, type MatrixConfig, type Wire } from '../../src/networks/matrix'
import type { Exchange } from '../../src/networks/matrix/homeserver'
import { GHOST_PREFIX } from '../../src/networks/matrix/names'
import { KEY_FIELD } from '../../src/networks/matrix/contents'
import { makePerson, type HsPerson } from '../support/homeserver'
import { makeCore } from '../support/homeserver/core'
import { membership, type HsEvent, type Json } from '../support/homeserver/state'
import { makeMatrixDoors } from './doors'
import { cutOff, type Life } from './life'
import { makeMischief } from './mischief'
import { isSpeech } from './notices'
import { overhear } from './overhear'
import { makeMatrixModerators } from './moderators'
import { makePusher, type Endpoint } from './pusher'
import type { Random } from './random'
import { makeSealed } from './sealed'
import { makeMatrixReactions } from './matrix-reactions'
import { DOMAIN, ownWords, unrelated, wordOf, type Inhabitant, type Said, type Town } from './town'
import { kindOf } from './typing'
import { acknowledge, makeScribe, TYPICAL_MS, type Server, type Utterance, type World } from './world'

const NAME = 'matrix'
const ANSWER_MS = 45_000 // as long as src/networks/matrix/homeserver.ts waits
const RESTART_MS = [1000, 30_000] as const
const BOT = 'zentrale'
const BOT_ID = `@${BOT}:${DOMAIN}`

export const naming = namingOn(DOMAIN, `@zentrale:${DOMAIN}`)

const exactly = (name: string) => ({ exclusive: true, regex: `${name}:${DOMAIN}` })

const configFor = (addresses: FunctionAddress[]): MatrixConfig => ({
  homeserverUrl: `http://${DOMAIN}`, domain: DOMAIN, listen: { host: '', port: 0 }, acceptInvitesFrom: [], notHeardFrom: [], mediaBytesMax: 0,
  registration: {
    id: 'zentrale', as_token: 'as', hs_token: 'hs', sender_localpart: BOT, namespaces: {
      users: [exactly(`@${GHOST_PREFIX}.*`), exactly(`@${BOT}`), ...addresses.map(({ slug }) => exactly(`@${slug}`))],
      aliases: [exactly(`#${GHOST_PREFIX}.*`)]
    }
  }
})

const broken = (code: string): Error => Object.assign(new Error(code), { code })
const refusal = (errcode: string, more: Json = {}): string => JSON.stringify({ errcode, error: 'weather', ...more })

const OUR_CHATS = `#${GHOST_PREFIX}_`

/** `seals`: where the chance of encrypted chats comes from, if there are any. */
export const makeHomeserver = (world: World, town: Town, addresses: FunctionAddress[], seals: Random | undefined): Server => {
  const { timeline, random, weather, auditor, note, epoch } = world
  const config = configFor(addresses)
  const scribe = makeScribe('say', world)
  const people = new Map<string, HsPerson>()
  const chats = new Map<string, string>() // rooms of direct chats by the place's id
  const places = new Map<string, Place>() // by room
  const utterances = new Map<string, Utterance>() // by event id
  const ids = new Map<string, string>() // event ids by the utterance's key
  const heard = new Set<string>() // tags
  const answered = new Set<string>() // ids of acknowledged events
  const texts = new Map<string, string>() // of our messages, by event id
  const refused = new Set<string>() // keys, for good
  const open = new Set<() => void>() // cuts the requests that have no answer
  const held: (() => void)[] = [] // what people say while it is down
  let endpoint: Endpoint | undefined
  let off = false
  let down = false
  let factor = 1
  let tokens = 0

  const travel = (run: () => void): void => { timeline.after(random.between(...TYPICAL_MS) * factor, run) }
  const reach = (): Endpoint | undefined => off || down || endpoint?.life.alive !== true ? undefined : endpoint
  const told = (fields: object, message: string): void => note(`adapter: ${message} ${JSON.stringify(fields)}`)
  const log: Log = { ...silentLog, info: told, warn: told, error: told }
  const pusher = makePusher({ world, travel, reach, keepsIds: town.people.length % 2 === 0 }) // not random, because that would change all stories
  const core = makeCore({
    serverName: DOMAIN, registration: { ...config.registration, url: 'http://zentrale' } as Parameters<typeof makeCore>[0]['registration'],
    clock: { now: () => Math.round(epoch + timeline.ms) }, chance: { token: () => `t${++tokens}` },
    knowsKeys: seals !== undefined, toPush: event => pusher.push(event),
    async ping () {
      if (reach() === undefined) throw new Error('nobody there')
      pusher.hurry()
      return { status: 200, text: '{}' }
    }
  })
  const { state, isOurs } = core
  const sealed = seals && makeSealed({ world, state, keys: core.keys!, isOurs, random: seals })

  // what people see

  /** A chat that an address of ours has begun. */
  const chatIn = (room: string): string => {
    const there = [...state.room(room).state.values()].filter(({ type }) => type === 'm.room.member').map(({ state_key: who = '' }) => who)
    return `${there.find(isOurs)} ${there.find(who => !isOurs(who))}`
  }

  const placeOf = (room: string): Place | undefined => {
    const known = places.get(room)
    if (known !== undefined) return known
    const [alias] = [...state.aliases].find(([, id]) => id === room) ?? []
    if (alias === undefined) return undefined
    const place = { network: NAME, id: alias.startsWith(OUR_CHATS) ? chatIn(room) : alias }
    places.set(room, place)
    return place
  }

  /** What an app shows above a reply: the message that it names, if that is there. */
  const replyIn = (event: HsEvent): { reply?: AnswerTo } => {
    const relation = event.content['m.relates_to'] as Json | undefined
    const id = (relation?.['m.in_reply_to'] as Json | undefined)?.event_id
    if (id === undefined || relation?.rel_type === 'm.thread') return {}
    const { content, sender } = state.room(event.room_id).events.find(one => one.event_id === id) ?? {}
    return { reply: { by: { person: { network: NAME, id: sender ?? '' }, name: '' }, text: String(content?.body ?? 'nothing that is there') } }
  }

  /** An event as a client shows it, with the sender's name in the room. */
  const seen = (event: HsEvent, place: Place): Delivery => {
    const edited = event.content['m.new_content'] as Json | undefined
    const content = { style: 'text' as const, text: plain(String((edited ?? event.content).body)) }
    const name = String(state.room(event.room_id).state.get(`m.room.member\0${event.sender}`)?.content.displayname)
    return {
      key: String(event.content[KEY_FIELD]), place, at: event.origin_server_ts, attempt: 1,
      ...event.sender.startsWith(`@${GHOST_PREFIX}`) ? { as: { person: { network: NAME, id: event.sender }, name } } : {},
      action: edited === undefined ? { kind: 'message', content, ...replyIn(event) } : { kind: 'edit', of: '', content }
    }
  }

  state.listeners.add(said => {
    if (!isOurs(said.sender) || !['m.room.message', 'm.room.encrypted', 'm.reaction', 'm.room.redaction'].includes(said.type)) return
    const event = sealed === undefined ? said : sealed.shown(said)
    if (event === undefined) return
    const place = placeOf(event.room_id)
    const rule = mischief.isUnwanted(event.room_id) ? 'W5' : 'I6'
    if (place === undefined) return auditor.violation(rule, `${event.sender} spoke in ${event.room_id}, where nobody asked for it`)
    if (event.type === 'm.room.redaction') return auditor.removed(place, texts.get(event.redacts!) ?? '')
    if (event.type === 'm.reaction') {
      note(`${place.id} has ${String(event.content[KEY_FIELD])} ${JSON.stringify(event.content['m.relates_to'])}`)
      return auditor.took(String(event.content[KEY_FIELD]))
    }
    const delivery = seen(event, place)
    const text = String((event.content['m.new_content'] as Json | undefined ?? event.content).body)
    texts.set(event.event_id, text)
    note(`${place.id} has ${delivery.key} ${delivery.action.kind} ${text}`)
    auditor.took(delivery.key)
    auditor.shown(delivery)
  })

  /** Whether a room of ours is visibly as it should be. */
  const isMade = (place: Place, { name, people: wanted, withdrawn }: RoomState): boolean => {
    const room = state.rooms.get(state.aliases.get(place.id) ?? '')
    if (room === undefined) return false
    const members = [...room.state.values()].filter(({ type }) => type === 'm.room.member')
    const invited = members.filter(({ content }) => content.membership === 'invite').map(event => event.state_key!)
    const inside = [...invited, ...members.filter(({ content }) => content.membership === 'join').map(event => event.state_key!)]
    const areAsked = withdrawn === undefined ? wanted.every(id => inside.includes(id)) : invited.every(isOurs)
    return room.state.get('m.room.name\0')?.content.name === name && areAsked && inside.every(id => isOurs(id) || wanted.includes(id))
  }

  // people

  const personOf = ({ id }: Inhabitant): HsPerson => {
    const known = people.get(id) ?? makePerson(state, id.slice(1, id.indexOf(':')))
    people.set(id, known)
    return known
  }

  for (const place of town.placesOf(NAME)) {
    places.set(place.id, place)
    const [first, ...others] = town.people.filter(one => one.place === place).map(personOf)
    state.createRoom(first!.userId, random.happens(0.5)
      ? { preset: 'private_chat', invite: [BOT_ID, ...others.map(({ userId }) => userId)], power_level_content_override: { users: { [BOT_ID]: 50 } } }
      : { preset: 'public_chat', invite: random.happens(0.5) ? [BOT_ID] : [] }, place.id)
    for (const other of others) other.join(place.id)
  }

  /** The room where this contact writes to an address, or to somebody's ghost. Now and then they begin a new one. */
  const chatWith = (by: Inhabitant, person: HsPerson): string => {
    const { place, to } = by
    const before = chats.get(place.id) ?? [...places].find(([, { id }]) => id === place.id)?.[0]
    if (before !== undefined && !random.happens(0.05) && !(to!.startsWith(`@${GHOST_PREFIX}`) && mischief.hasIntruded(before))) return before
    const room = person.createRoom({ preset: 'trusted_private_chat', is_direct: true, invite: [to!], ...sealed?.options(by) })
    chats.set(place.id, room)
    places.set(room, place)
    return room
  }

  const mischief = makeMischief({ world, town, addresses, state, bot: BOT_ID, personOf, isDown: () => down })

  const doors = makeMatrixDoors({ world, town, state, personOf, isOurs, isDown: () => down })

  /** The message with this tag in the room: not one that quotes it, nor a correction. */
  const findEvent = (room: string, tag: string): HsEvent | undefined => state.room(room).events.findLast(({ type, content, unsigned }) =>
    type === 'm.room.message' && unsigned?.redacted_because === undefined && content['m.new_content'] === undefined &&
    ownWords(String(content.body)).startsWith(wordOf(tag, 1)))

  const act = (person: HsPerson, room: string, { kind, of, text }: Utterance, answered: HsEvent | undefined): string => {
    switch (kind) {
      case 'message': return person.send(room, answered === undefined ? text : {
        msgtype: 'm.text', body: text, 'm.relates_to': { 'm.in_reply_to': { event_id: answered.event_id } }
      })
      case 'edit': return person.edit(room, ids.get(of!)!, text)
      case 'deletion': return person.redact(room, ids.get(of!)!)
      case 'reaction': throw new Error('said by react')
    }
  }

  /** Before the bot is in the room, nobody expects it to read. */
  const isTooEarly = (room: string, said: Said | undefined): boolean =>
    membership(state.room(room), BOT_ID) !== 'join' || (said?.of !== undefined && !heard.has(said.of))

  /** A stranger writes in the chat that this contact has begun. */
  const intrude = (by: Inhabitant, contact: HsPerson, text: string): void => {
    const room = chats.get(by.place.id)
    if (room !== undefined) mischief.intrude(by, room, contact, text, id => answered.has(id) ? undefined : utterances.get(id)?.tag)
  }

  const { react, reactions } = makeMatrixReactions({
    world, town, state, isOurs, personOf, findEvent, isDown: room => down || isTooEarly(room, undefined)
  })

  const say: Server['say'] = (by, text, said) => {
    if (down) { held.push(() => say(by, text, said)); return }
    if (town.people.includes(by) && isTooEarly(by.place.id, said)) return
    const person = personOf(by)
    if (said !== undefined && kindOf(said.tag) === 'intrusion') return intrude(by, person, text)
    const room = by.to === undefined ? state.resolve(by.place.id) : chatWith(by, person)
    if (membership(state.room(room), by.id) === 'invite') person.join(room)
    if (said?.kind === 'deletion') auditor.withdrawn(said.of!)
    if (said !== undefined) heard.add(said.tag)
    const answered = said?.answers === undefined ? undefined : findEvent(room, said.answers)
    const utterance = scribe(by, text, answered === undefined ? unrelated(said) : said)
    const id = act(sealed === undefined ? person : sealed.voice(by, person, room, said), room, utterance, answered)
    ids.set(utterance.key, id)
    utterances.set(id, utterance)
  }

  // the wire

  /** What somebody says, if the request is to say something. */
  const saidIn = (path: string, body: string): Json | undefined => {
    const [, room] = /\/rooms\/([^/]+)\/send\/m\.room\.(?:message|encrypted)\//.exec(path) ?? []
    const content = room === undefined ? undefined : JSON.parse(body) as Json
    return content && sealed !== undefined ? sealed.clear(decodeURIComponent(room!), content) : content
  }

  /** Whether the server refuses this for good: somebody's words that it has not taken yet. */
  const refuses = (path: string, content: Json | undefined): boolean => {
    if (content === undefined) return false
    const key = String(content[KEY_FIELD])
    const sender = decodeURIComponent(/user_id=([^&]*)/.exec(path)?.[1] ?? BOT_ID)
    const delivery = { action: { content: { text: plain(String(content.body)) } }, ...sender.startsWith(`@${GHOST_PREFIX}`) ? { as: {} } : {} }
    if (!refused.has(key) && (!isSpeech(delivery as Delivery) || auditor.has(key) || !weather.strikes('never (403)'))) return false
    refused.add(key)
    return true
  }

  const stored = (event: string): void => {
    const utterance = utterances.get(event)
    if (utterance === undefined || answered.has(event) || sealed?.isLost(event) === true) return
    answered.add(event)
    acknowledge(world, utterance)
  }

  /** A client that reads on from some event has that event. */
  const hear = (path: string): void => {
    const [, room, last, from] = /\/rooms\/([^/]+)\/(?:context\/([^?]+)|messages\?dir=f&from=t(\d+))/.exec(path) ?? []
    const { events = [], index } = state.rooms.get(decodeURIComponent(room ?? '')) ?? {}
    for (const event of events.slice(0, from === undefined ? (index?.get(decodeURIComponent(last ?? '')) ?? -1) + 1 : Number(from))) {
      if (event.unsigned?.redacted_because === undefined) stored(event.event_id)
    }
    const [, , key] = /\/redact\/([^/]+)\/([^?]+)\.\d+\?/.exec(path) ?? []
    if (key !== undefined) auditor.took(key)
  }

  interface Reply { status: number; text: string }

  /** The server answers a request. */
  const answer = async (method: string, path: string, headers: Record<string, string>, body: string): Promise<Reply> => {
    const said = saidIn(path, body)
    if (weather.strikes('slow down (429)')) {
      return { status: 429, text: refusal('M_LIMIT_EXCEEDED', { retry_after_ms: random.between(100, 5000) }) }
    }
    if (weather.strikes('server error (500)')) {
      return random.happens(0.8) ? { status: 500, text: refusal('M_UNKNOWN') } : { status: 502, text: 'Bad Gateway' }
    }
    if (refuses(path, said)) return { status: 403, text: refusal('M_FORBIDDEN') }
    if (sealed?.isForgotten(path) === true) return { status: 404, text: refusal('M_NOT_FOUND') }
    const { status = 200, json } = await core.answer({
      method, url: path, headers, json: async () => JSON.parse(body || '{}') as Json, stream: Readable.from([])
    })
    if (status === 200) hear(path)
    const [, again] = /\/send\/m\.reaction\/([^?]+)/.exec(path) ?? []
    if (again !== undefined && (json as Json).errcode === 'M_DUPLICATE_ANNOTATION') auditor.took(decodeURIComponent(again))
    return { status, text: JSON.stringify(json) }
  }

  const exchangeFor = (life: Life): Exchange => ({ method, path, headers, body }, signal) => new Promise((resolve, reject) => {
    if (!life.cross()) return
    let over = false
    const end = (run: () => void): void => {
      if (over || !life.cross()) return
      over = true
      patience.cancel()
      open.delete(cut)
      signal?.removeEventListener('abort', abort)
      run()
    }
    const fail = (code: string): void => travel(() => end(() => reject(broken(code))))
    const cut = (): void => fail('ECONNRESET')
    const abort = (): void => end(() => reject(broken('UND_ERR_ABORTED')))
    const patience = timeline.after(ANSWER_MS, () => end(() => reject(broken('UND_ERR_HEADERS_TIMEOUT'))))
    if (signal?.aborted) return abort()
    signal?.addEventListener('abort', abort)
    if (off || down) return fail('ECONNREFUSED')
    open.add(cut)
    const lost = (): void => { if (random.happens(0.5)) cut() } // or there is only silence
    travel(() => {
      if (off || down) return
      if (weather.strikes('request lost')) return lost()
      void answer(method, path, headers as Record<string, string>, String(body ?? '')).then(({ status, text }) => {
        if (weather.strikes('answer lost')) return lost()
        travel(() => { if (!off) end(() => resolve({ status, headers: {}, text })) })
      })
    })
  })

  const listenFor = (life: Life): Wire['listen'] => async ({ take }) => {
    const underWay = new Set<Promise<void>>()
    const mine: Endpoint = {
      life,
      async take (events, id) {
        if (endpoint !== mine) throw new Error('stopping')
        const task = take(events, id)
        underWay.add(task)
        await task.finally(() => underWay.delete(task))
      }
    }
    endpoint = mine
    return {
      port: 0,
      async close () {
        if (endpoint === mine) endpoint = undefined
        await Promise.allSettled(underWay)
      }
    }
  }

  const connect = (life: Life, { memory, vault, fence }: Lent): Network => {
    const real = makeMatrix(config, {
      clock: life.clock, chance: random, log, memory, vault, fence, media: { open: (_file, signal) => cutOff(signal) }
    }, { exchange: exchangeFor(life), listen: listenFor(life), ...sealed && { makeEngine: sealed.engineFor(life) } })
    return overhear(world, life, real, {
      stored ({ key }) { sealed?.stored(key); stored(key) },
      isMade, mayHave: ({ key }) => auditor.has(key),
      isLost: raw => sealed?.isLost(String((JSON.parse(raw) as { event_id?: unknown }).event_id)) === true
    })
  }

  return {
    name: NAME, say, react, reactions, doors, connect,
    moderators: makeMatrixModerators({ world, town, state, findEvent, isDown: () => down }),
    mischief: mischief.deeds,
    judge () { mischief.judge(); sealed?.judge() },
    get lateUntil () { return sealed?.until ?? 0 },
    cut (now) { off = now },
    slow: now => { factor = now },
    lost: () => { endpoint = undefined },
    restart () {
      if (down) return
      down = true
      core.restart()
      pusher.stop()
      for (const cut of open) cut()
      timeline.after(random.between(...RESTART_MS), () => {
        down = false
        pusher.start()
        for (const run of held.splice(0)) run()
      })
    },
    get waiting () { return pusher.waiting + held.length }
  }
}
