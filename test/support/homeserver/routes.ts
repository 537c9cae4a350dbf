/** The client-server API of the practice homeserver: what a bridge, the bot SDK's MatrixClient and the tests call. */
import type { Readable } from 'node:stream'
import { PNG } from '../png'
import { HsError, membership, type HsEvent, type HsRoom, type Json, type State } from './state'
import type { Keys } from './keys'
import { answerSync } from './sync'

export interface Registration {
  id: string; url: string | null; as_token: string; hs_token: string; sender_localpart: string
  receive_ephemeral?: boolean
  namespaces: { users?: Array<{ exclusive: boolean, regex: string }>; aliases?: Array<{ exclusive: boolean, regex: string }> }
}

/** One request: who asks, and what. `body` is read on demand. */
export interface Call {
  params: string[]; query: URLSearchParams; user: string; device: string | undefined; service: boolean
  json: () => Promise<Json>; stream: Readable; headers: Record<string, string | string[] | undefined>
}

export interface Answer { status?: number; json?: unknown; bytes?: Buffer; mime?: string; headers?: Record<string, string> }
type Handler = (call: Call) => Promise<Answer> | Answer
interface Route { method: string; parts: string[]; handler: Handler; open: boolean }

/** Transaction keys → what came of them, and when. */
export type Remembered = Map<string, { event: string, at: number }>

const DAY_MS = 24 * 3600_000
const WHILE_MS = 30 * 60_000

export interface RouteWorld {
  state: State
  registration: Registration
  isOurs: (user: string) => boolean // in the application service's namespace
  remembered: Remembered // with a device for a day
  fleeting: Remembered // and without one for a while, at most until the next restart
  ping: (body: string) => Promise<{ status: number, text: string }>
  uploadBytesMax: number
  timelineMax: number // events of a room in one answer to /sync
  keys: Keys | undefined // without, it knows of no encryption
  /** Something that people of this room do besides speaking. */
  signal: (type: string, room: string, content: Json) => void
  presence: (user: string, content: Json) => void
}

const string = (value: unknown): string => {
  if (typeof value !== 'string') throw new HsError(400, 'M_BAD_JSON', 'a string is missing')
  return value
}
const shown = (event: HsEvent): Json => ({ ...event, unsigned: event.unsigned ?? {} })

const readBytes = async (stream: Readable, most: number): Promise<Buffer> => {
  const chunks: Buffer[] = []
  let size = 0
  for await (const chunk of stream as AsyncIterable<Buffer>) {
    size += chunk.length
    if (size > most) throw new HsError(413, 'M_TOO_LARGE')
    chunks.push(chunk)
  }
  return Buffer.concat(chunks)
}

const page = (room: HsRoom, query: URLSearchParams, now: number): Json => {
  const limit = Math.min(Number(query.get('limit') ?? 10), 1000)
  const back = query.get('dir') !== 'f'
  if (query.has('from') && !/^t\d+$/.test(query.get('from')!)) throw new HsError(400, 'M_INVALID_PARAM', 'no token of mine')
  const from = query.has('from') ? Number(query.get('from')!.slice(1)) : back ? room.events.length : 0
  const chunk = back ? room.events.slice(Math.max(from - limit, 0), from).reverse() : room.events.slice(from, from + limit)
  const end = back ? from - chunk.length : from + chunk.length
  const more = back ? end > 0 : chunk.length > 0
  const aged = (event: HsEvent): Json => shown({ ...event, unsigned: { ...event.unsigned, age: now - event.origin_server_ts } })
  return { chunk: chunk.map(aged), start: `t${from}`, ...(more ? { end: `t${end}` } : {}), state: [] }
}

export interface Match { handler: Handler; params: string[]; open: boolean }

/** Finds who answers; a number is the status to refuse with. */
export const makeRoutes = (world: RouteWorld): ((method: string, path: string) => Match | number) => {
  const { state, keys } = world
  const routes = new Map<string, Route[]>()
  const known = new Set<string>()

  const recall = (from: Remembered, key: string | undefined, forMs: number): string | undefined => {
    const found = key === undefined ? undefined : from.get(key)
    return found && state.now() - found.at < forMs ? found.event : undefined
  }

  /** Transaction ids as Synapse keeps them: by device for a day, or by path and application service for a while. */
  const once = (call: Call, path: string, run: () => HsEvent): Answer => {
    const short = `${path} ${call.service ? 'service' : `${call.user} ${call.device ?? ''}`}`
    const long = call.device === undefined ? undefined : `${path} ${call.user} ${call.device}`
    const before = recall(world.remembered, long, DAY_MS) ?? recall(world.fleeting, short, WHILE_MS)
    if (before !== undefined) return { json: { event_id: before } }
    const { event_id: event } = run()
    if (long !== undefined) world.remembered.set(long, { event, at: state.now() })
    world.fleeting.set(short, { event, at: state.now() })
    return { json: { event_id: event } }
  }

  const on = (method: string, path: string, handler: Handler, open = false): void => {
    const parts = path.split('/')
    const group = `${method} ${parts.length} ${parts[0]}`
    known.add(`${parts.length} ${parts[0]}`)
    routes.set(group, [...routes.get(group) ?? [], { method, parts, handler, open }])
  }
  const ts = (call: Call): number | undefined => call.service && call.query.has('ts') ? Number(call.query.get('ts')) : undefined

  on('GET', 'versions', () => ({ json: { versions: ['v1.11', 'v1.17'], unstable_features: {} } }), true)
  on('GET', 'login', () => ({ json: { flows: [{ type: 'm.login.password' }, { type: 'm.login.application_service' }] } }), true)
  on('GET', 'capabilities', () => ({
    json: { capabilities: { 'm.room_versions': { default: '12', available: { 11: 'stable', 12: 'stable' } }, 'm.profile_fields': { enabled: true } } }
  }))
  on('POST', 'register', async call => {
    const body = await call.json()
    const id = `@${string(body.username)}:${state.serverName}`
    if (call.service ? !world.isOurs(id) : world.isOurs(id)) throw new HsError(400, 'M_EXCLUSIVE', 'namespace')
    if (state.users.has(id)) throw new HsError(400, 'M_USER_IN_USE', 'User ID already taken.')
    state.addUser(id)
    return { json: { user_id: id, ...(body.inhibit_login === true ? {} : { access_token: state.login(id), device_id: 'D' }) } }
  }, true)
  on('POST', 'login', async call => {
    const body = await call.json()
    const name = string((body.identifier as Json | undefined)?.user ?? body.user)
    const id = name.startsWith('@') ? name : `@${name}:${state.serverName}`
    if (!state.users.has(id) || world.isOurs(id)) throw new HsError(403, 'M_FORBIDDEN')
    return { json: { user_id: id, access_token: state.login(id), device_id: 'D', home_server: state.serverName } }
  }, true)
  on('GET', 'account/whoami', call => ({ json: { user_id: call.user, device_id: call.device } }))
  on('POST', 'user/:/filter', () => ({ json: { filter_id: '0' } }))
  on('GET', 'user/:/account_data/:', call => {
    const found = state.users.get(call.user)?.accountData.get(call.params[1]!)
    if (!found) throw new HsError(404, 'M_NOT_FOUND', 'Account data not found')
    return { json: found }
  })
  on('PUT', 'user/:/account_data/:', async call => {
    state.users.get(call.user)?.accountData.set(call.params[1]!, await call.json())
    return { json: {} }
  })
  on('PUT', 'presence/:/status', async call => {
    const presence = state.users.get(call.user)!.presence = await call.json()
    world.presence(call.user, presence)
    return { json: {} }
  })
  on('GET', 'presence/:/status', call => ({ json: state.users.get(call.params[0]!)?.presence ?? { presence: 'offline' } }))
  on('GET', 'room_summary/:', call => {
    const room = state.rooms.get(state.resolve(call.params[0]!))
    if (!room || membership(room, call.user) === 'leave') throw new HsError(404, 'M_NOT_FOUND', 'Room not found')
    const joined = [...room.state.values()].filter(event => event.type === 'm.room.member' && event.content.membership === 'join')
    return { json: { room_id: room.id, num_joined_members: joined.length, membership: membership(room, call.user) } }
  })
  on('GET', 'sync', call => answerSync(state, keys, { ...call, most: world.timelineMax }))
  on('POST', 'appservice/:/ping', async call => {
    if (!call.service || call.params[0] !== world.registration.id) throw new HsError(403, 'M_FORBIDDEN')
    const body = await call.json()
    const answer = await world.ping(JSON.stringify(body)).catch(() => undefined)
    if (!answer) throw new HsError(502, 'M_CONNECTION_FAILED')
    if (answer.status !== 200) throw new HsError(502, 'M_BAD_STATUS', 'bad status', { status: answer.status, body: answer.text })
    return { json: { duration_ms: 1 } }
  })

  /** An application service may only give the aliases of its namespace, and nobody else may give those. */
  const mayName = (call: Call, alias: string): void => {
    const ours = (world.registration.namespaces.aliases ?? []).some(({ regex }) => new RegExp(`^(?:${regex})`).test(alias))
    if (call.service !== ours) throw new HsError(400, 'M_EXCLUSIVE', 'This application service has not reserved this kind of alias.')
  }
  on('POST', 'createRoom', async call => {
    const options = await call.json()
    if (options.room_alias_name !== undefined) mayName(call, `#${string(options.room_alias_name)}:${state.serverName}`)
    return { json: { room_id: state.createRoom(call.user, options).id } }
  })
  on('POST', 'rooms/:/upgrade', async call => ({
    json: { replacement_room: state.upgrade(call.params[0]!, call.user, String((await call.json()).new_version ?? '12')).id }
  }))
  on('GET', 'directory/room/:', call => ({
    json: { room_id: state.resolve(call.params[0]!), servers: [state.serverName] }
  }), true)
  on('PUT', 'directory/room/:', async call => {
    mayName(call, call.params[0]!)
    if (state.aliases.has(call.params[0]!)) throw new HsError(409, 'M_UNKNOWN', 'alias taken')
    state.aliases.set(call.params[0]!, string((await call.json()).room_id))
    return { json: {} }
  })
  on('DELETE', 'directory/room/:', call => { state.aliases.delete(call.params[0]!); return { json: {} } })
  const join: Handler = call => ({ json: { room_id: state.join(state.resolve(call.params[0]!), call.user).id } })
  on('POST', 'join/:', join)
  on('POST', 'rooms/:/join', join)
  on('POST', 'rooms/:/leave', async call => {
    state.leave(call.params[0]!, call.user, (await call.json()).reason)
    return { json: {} }
  })
  type OnMember = (id: string, by: string, who: string, reason: unknown) => void
  for (const [verb, run] of [['invite', (id, by, who) => state.invite(id, by, who)],
    ['kick', (id, by, who, reason) => state.kick(id, by, who, 'leave', reason)],
    ['ban', (id, by, who, reason) => state.kick(id, by, who, 'ban', reason)],
    ['unban', (id, by, who) => state.kick(id, by, who)]] as [string, OnMember][]) {
    on('POST', `rooms/:/${verb}`, async call => {
      const { user_id: who, reason } = await call.json()
      run(call.params[0]!, call.user, string(who), reason)
      return { json: {} }
    })
  }
  on('GET', 'joined_rooms', call => ({
    json: { joined_rooms: [...state.rooms.values()].filter(room => membership(room, call.user) === 'join').map(room => room.id) }
  }))

  on('PUT', 'rooms/:/send/:/:', async call => {
    const [id, type, txn] = call.params as [string, string, string]
    const content = await call.json()
    return once(call, `${id} ${type} ${txn}`, () => state.send(id, call.user, type, content, ts(call)))
  })
  on('PUT', 'rooms/:/redact/:/:', async call => {
    const [id, target, txn] = call.params as [string, string, string]
    const { reason } = await call.json()
    return once(call, `${id} redact ${target} ${txn}`, () => state.redact(id, call.user, target, reason))
  })
  on('PUT', 'rooms/:/typing/:', async ({ params: [room = '', who], user, json }) => {
    if (who !== user) throw new HsError(403, 'M_FORBIDDEN', 'not their own')
    const { typists, id } = state.joined(room, user)
    const { typing } = await json()
    if (typing === true ? typists.has(user) : !typists.delete(user)) return { json: {} }
    if (typing === true) typists.add(user)
    world.signal('m.typing', id, { user_ids: [...typists] })
    return { json: {} }
  })
  on('POST', 'rooms/:/receipt/:/:', ({ params: [room = '', type = '', event = ''], user }) => {
    const { id, receipts } = state.joined(room, user)
    if (type === 'm.read') receipts.set(user, event)
    if (type === 'm.read') world.signal('m.receipt', id, { [event]: { [type]: { [user]: { ts: state.now() } } } })
    return { json: {} }
  })
  on('GET', 'rooms/:/state', call => ({ json: [...state.readable(call.params[0]!, call.user).state.values()].map(shown) }))
  const getState: Handler = call => {
    const found = state.readable(call.params[0]!, call.user).state.get(`${call.params[1]}\0${call.params[2] ?? ''}`)
    if (!found) throw new HsError(404, 'M_NOT_FOUND', 'Event not found.')
    return { json: call.query.get('format') === 'event' ? shown(found) : found.content }
  }
  on('GET', 'rooms/:/state/:', getState)
  on('GET', 'rooms/:/state/:/:', getState)
  const setState: Handler = async ({ params, user, json }) => {
    const { event_id: id } = state.setState(params[0]!, user, params[1]!, params[2] ?? '', await json())
    return { json: { event_id: id } }
  }
  on('PUT', 'rooms/:/state/:', setState)
  on('PUT', 'rooms/:/state/:/:', setState)
  on('GET', 'rooms/:/messages', call => ({ json: page(state.readable(call.params[0]!, call.user), call.query, state.now()) }))
  on('GET', 'rooms/:/context/:', call => {
    const room = state.joined(call.params[0]!, call.user)
    const at = room.index.get(call.params[1]!)
    if (at === undefined) throw new HsError(404, 'M_NOT_FOUND', 'Event not found.')
    const around = { start: `t${at}`, end: `t${at + 1}`, events_before: [], events_after: [], state: [] }
    return { json: { event: shown(room.events[at]!), ...around } }
  })
  on('GET', 'rooms/:/event/:', call => {
    const room = state.joined(call.params[0]!, call.user)
    const at = room.index.get(call.params[1]!)
    if (at === undefined) throw new HsError(404, 'M_NOT_FOUND', 'Event not found.')
    return { json: shown(room.events[at]!) }
  })
  /** As on Synapse, nothing that was redacted is told, nor anything about it. */
  const related = (call: Call): Answer => {
    const [id, target, relation, type] = call.params as [string, string, string, string?]
    const { events, index } = state.joined(id, call.user)
    const at = index.get(target)
    if (at === undefined) throw new HsError(404, 'M_NOT_FOUND', 'Unknown parent event')
    const isAbout = ({ content }: HsEvent): boolean => {
      const { rel_type: kind, event_id: of } = (content['m.relates_to'] ?? {}) as Json
      return kind === relation && of === target
    }
    const isAsked = (event: HsEvent): boolean => (type === undefined || event.type === type) && isAbout(event)
    const found = 'redacted_because' in (events[at]!.unsigned ?? {}) ? [] : events.filter(isAsked).reverse()
    const from = Number(call.query.get('from') ?? 0)
    const end = from + Number(call.query.get('limit') ?? 5)
    return { json: { chunk: found.slice(from, end).map(shown), ...end < found.length ? { next_batch: String(end) } : {} } }
  }
  on('GET', 'rooms/:/relations/:/:', related)
  on('GET', 'rooms/:/relations/:/:/:', related)
  const members = (call: Call): HsEvent[] =>
    [...state.joined(call.params[0]!, call.user).state.values()].filter(event => event.type === 'm.room.member')
  on('GET', 'rooms/:/members', call => ({ json: { chunk: members(call).map(shown) } }))
  on('GET', 'rooms/:/joined_members', call => ({
    json: {
      joined: Object.fromEntries(members(call).filter(event => event.content.membership === 'join')
        .map(event => [event.state_key, { display_name: event.content.displayname, avatar_url: event.content.avatar_url }]))
    }
  }))

  on('GET', 'profile/:', call => {
    const user = state.users.get(call.params[0]!)
    if (!user) throw new HsError(404, 'M_NOT_FOUND', 'Profile was not found')
    return { json: { displayname: user.displayname, avatar_url: user.avatar_url, ...user.fields } }
  }, true)
  for (const field of ['displayname', 'avatar_url'] as const) {
    on('GET', `profile/:/${field}`, call => ({ json: { [field]: state.users.get(call.params[0]!)?.[field] } }), true)
    on('PUT', `profile/:/${field}`, async call => {
      if (call.params[0] !== call.user) throw new HsError(403, 'M_FORBIDDEN')
      state.setProfile(call.user, field, string((await call.json())[field]))
      return { json: {} }
    })
  }
  for (const method of ['PUT', 'DELETE']) {
    on(method, 'profile/:/:', async ({ params: [whose, field = ''], user, json }) => {
      if (whose !== user) throw new HsError(403, 'M_FORBIDDEN')
      const { [field]: before, ...others } = state.users.get(user)?.fields ?? {}
      state.users.get(user)!.fields = method === 'PUT' ? { ...others, [field]: (await json())[field] } : others
      return { json: {} }
    })
  }
  on('PUT', 'devices/:', call => {
    if (!call.service) throw new HsError(404, 'M_NOT_FOUND')
    state.users.get(call.user)?.devices.add(call.params[0]!)
    return { status: 201, json: {} }
  })
  on('DELETE', 'devices/:', ({ user, params: [device = ''] }) => {
    state.users.get(user)?.devices.delete(device)
    keys?.forget(user, device)
    return { json: {} }
  })
  if (keys !== undefined) {
    on('POST', 'keys/upload', async ({ user, device = '', json }) => ({ json: keys.upload(user, device, await json()) }))
    on('POST', 'keys/query', async ({ json }) => ({ json: keys.query(await json()) }))
    on('POST', 'keys/claim', async ({ json }) => ({ json: keys.claim(await json()) }))
    on('POST', 'keys/device_signing/upload', async ({ user, json }) => ({ json: keys.identify(user, await json()) }))
    on('POST', 'keys/signatures/upload', async ({ json }) => ({ json: keys.sign(await json()) }))
    on('PUT', 'sendToDevice/:/:', async ({ user, params: [type = '', transaction = ''], json }) =>
      ({ json: keys.send(user, type, transaction, await json()) }))
  }

  on('POST', 'upload', async call => {
    const bytes = await readBytes(call.stream, world.uploadBytesMax)
    const id = state.token(12)
    const name = call.query.get('filename')
    const mime = String(call.headers['content-type'] ?? 'application/octet-stream')
    state.media.set(id, { mime, bytes, ...(name === null ? {} : { name }) })
    return { json: { content_uri: `mxc://${state.serverName}/${id}` } }
  })
  const download: Handler = call => {
    const file = state.media.get(call.params[1]!)
    if (!file || call.params[0] !== state.serverName) throw new HsError(404, 'M_NOT_FOUND')
    return { bytes: file.bytes, mime: file.mime, headers: { 'content-disposition': 'inline' } }
  }
  on('GET', 'media/download/:/:', download)
  on('GET', 'media/thumbnail/:/:', async call => {
    const { bytes = Buffer.of() } = await download(call)
    if (bytes.subarray(1, 4).toString() !== 'PNG') throw new HsError(400, 'M_UNKNOWN', 'Cannot find any thumbnails')
    return { bytes: PNG, mime: 'image/png' }
  })
  on('GET', 'media/download/:/:/:', download)
  on('GET', 'media/config', () => ({ json: { 'm.upload.size': world.uploadBytesMax } }))

  return (method, path) => {
    const parts = path.split('/')
    for (const route of routes.get(`${method} ${parts.length} ${parts[0]}`) ?? []) {
      const params: string[] = []
      const fits = (part: string, index: number): boolean =>
        part === ':' ? params.push(decodeURIComponent(parts[index]!)) > 0 : part === parts[index]
      if (route.parts.every(fits)) {
        return { handler: route.handler, params, open: route.open }
      }
    }
    return known.has(`${parts.length} ${parts[0]}`) ? 405 : 404
  }
}
