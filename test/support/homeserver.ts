/**
 * The practice homeserver: a Matrix homeserver inside this process, for faults on demand, for the demo where Synapse cannot
 * be had, and as the instant homeserver of the bench. One server, no federation, nothing on disk. Where Synapse is peculiar in
 * what a bridge depends on (transactions, transaction ids, devices, errors), it is so too; test/real runs the same suite on both.
 */
import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http'
import type { AddressInfo } from 'node:net'
import { deadline, sleep, systemClock } from '../../src/lib/clock'
import { makePusher } from './homeserver/push'
import { makeRoutes, type Answer, type Call, type Registration } from './homeserver/routes'
import { HsError, makeState, membership, type HsEvent, type Json, type Listener, type State } from './homeserver/state'

export type { HsEvent, HsRoom, Json } from './homeserver/state'
export type { Registration } from './homeserver/routes'

export interface HomeserverOptions {
  serverName: string
  registration: Registration // read at every push, so that its url may be set later
  port?: number
  delayMs?: number // before every answer
  firstRetryMs?: number // of a failed transaction; Synapse's is 2000
  uploadBytesMax?: number
}

/** What a person on the practice homeserver can do, without HTTP. */
export interface HsPerson {
  userId: string
  accessToken: string
  createRoom (options?: Json): string
  join (room: string): string
  leave (room: string): void
  invite (room: string, user: string): void
  send (room: string, content: string | Json, type?: string): string
  edit (room: string, event: string, text: string): string
  redact (room: string, event: string): string
  setState (room: string, type: string, key: string, content: Json): string
  upload (bytes: Buffer, mime: string): string
  events (room: string): HsEvent[]
  /** The first event, past or to come, that fits. */
  waitFor (room: string, fits: (event: HsEvent) => boolean, ms?: number): Promise<HsEvent>
}

/** What to do with requests whose "METHOD /path" fits: answer so, or break the connection before or after doing it. */
export interface Fault {
  on: RegExp
  times: number
  status?: number
  body?: Json
  headers?: Record<string, string>
  breaks?: 'before' | 'after'
  delayMs?: number
}

const JSON_BYTES_MAX = 10 * 2 ** 20
const PREFIX = /^\/_matrix\/(?:client\/(?:v3|r0|v1|unstable)|media\/v3)\//
const WAIT_MS = 60_000

const readJson = async (request: IncomingMessage): Promise<Json> => {
  let text = ''
  request.setEncoding('utf8')
  for await (const chunk of request) {
    text += chunk
    if (text.length > JSON_BYTES_MAX) throw new HsError(413, 'M_TOO_LARGE')
  }
  if (text === '') return {}
  let body: unknown
  try { body = JSON.parse(text) } catch { throw new HsError(400, 'M_NOT_JSON', 'Content not JSON.') }
  if (typeof body !== 'object' || body === null || Array.isArray(body)) throw new HsError(400, 'M_BAD_JSON', 'not an object')
  return body as Json
}

const reply = (response: ServerResponse, { status = 200, json, bytes, mime, headers }: Answer): void => {
  const body = bytes ?? Buffer.from(JSON.stringify(json ?? {}))
  response.writeHead(status, { 'content-type': mime ?? 'application/json', 'content-length': body.length, ...headers })
  response.end(body)
}

const textContent = (body: string): Json => ({ msgtype: 'm.text', body })

const makePerson = (state: State, name: string): HsPerson => {
  const userId = `@${name}:${state.serverName}`
  if (!state.users.has(userId)) state.addUser(userId)
  const events = (room: string): HsEvent[] => state.room(state.resolve(room)).events
  const send: HsPerson['send'] = (room, content, type = 'm.room.message') =>
    state.send(state.resolve(room), userId, type, typeof content === 'string' ? textContent(content) : content).event_id
  return {
    userId, accessToken: state.login(userId), events, send,
    createRoom: (options = {}) => state.createRoom(userId, options).id,
    join: room => state.join(state.resolve(room), userId).id,
    leave: room => state.leave(state.resolve(room), userId),
    invite: (room, user) => state.invite(state.resolve(room), userId, user),
    edit: (room, event, text) => send(room, {
      ...textContent(`* ${text}`), 'm.new_content': textContent(text), 'm.relates_to': { rel_type: 'm.replace', event_id: event }
    }),
    redact: (room, event) => state.redact(state.resolve(room), userId, event).event_id,
    setState: (room, type, key, content) => state.setState(state.resolve(room), userId, type, key, content).event_id,
    upload (bytes, mime) {
      const id = `upload${state.media.size}`
      state.media.set(id, { mime, bytes })
      return `mxc://${state.serverName}/${id}`
    },
    async waitFor (room, fits, ms = WAIT_MS) {
      const before = events(room).find(fits)
      if (before) return before
      const limit = deadline(systemClock, ms)
      return await new Promise<HsEvent>((resolve, reject) => {
        const id = state.resolve(room)
        const done = (): void => { state.listeners.delete(listen); limit.done() }
        const listen: Listener = event => { if (event.room_id === id && fits(event)) { done(); resolve(event) } }
        state.listeners.add(listen)
        limit.signal.addEventListener('abort', () => {
          done()
          reject(new Error(`no such event in ${room} within ${ms} ms; the last there: ${JSON.stringify(events(room).slice(-3))}`))
        })
      })
    }
  }
}

export const startHomeserver = async (options: HomeserverOptions) => {
  const { registration, serverName } = options
  const state = makeState(serverName)
  const namespaces = (registration.namespaces.users ?? []).map(entry => new RegExp(`^(?:${entry.regex})`))
  const bot = `@${registration.sender_localpart}:${serverName}`
  const isOurs = (user: string): boolean => user === bot || namespaces.some(regex => regex.test(user))
  state.addUser(bot)
  const { firstRetryMs = 2000 } = options
  const pusher = makePusher({ url: () => registration.url ?? '', token: registration.hs_token, firstRetryMs })
  const interesting = ({ sender, state_key: key = '', room_id: room }: HsEvent): boolean => isOurs(sender) || isOurs(key) ||
    (members.get(room)?.size ?? 0) > 0
  const members = new Map<string, Set<string>>() // the application service's users in each room
  state.listeners.add(event => {
    if (event.type === 'm.room.member' && isOurs(event.state_key ?? '')) {
      const present = members.get(event.room_id) ?? new Set()
      members.set(event.room_id, present)
      if (event.content.membership === 'join') present.add(event.state_key!); else present.delete(event.state_key!)
    }
    if (registration.url && interesting(event)) pusher.push(event)
  })

  const fleeting = new Map<string, string>()
  const route = makeRoutes({
    state, registration, isOurs, remembered: new Map(), fleeting,
    uploadBytesMax: options.uploadBytesMax ?? 50 * 2 ** 20,
    async ping (body) {
      const answer = await pusher.ping(body)
      if (answer.status === 200) pusher.hurry()
      return answer
    }
  })
  const faults: Fault[] = []
  const requests: string[] = [] // "METHOD /path" of the last ones
  let delayMs = options.delayMs ?? 0

  const authorize = (call: Call, open: boolean): void => {
    const token = String(call.headers.authorization ?? '').replace(/^Bearer /, '')
    if (token === registration.as_token) {
      call.service = true
      call.user = call.query.get('user_id') ?? bot
      if (!isOurs(call.user)) throw new HsError(403, 'M_FORBIDDEN', 'Application service cannot masquerade as this user.')
      if (!open && !state.users.has(call.user)) throw new HsError(403, 'M_FORBIDDEN', 'this user is not registered')
      const device = call.query.get('device_id')
      if (device !== null && !state.users.get(call.user)?.devices.has(device)) {
        throw new HsError(400, 'M_UNKNOWN_DEVICE', 'Application service trying to use a device that doesn\'t exist')
      }
      call.device = device ?? undefined
      return
    }
    const user = state.tokens.get(token)
    if (user === undefined && !open) throw new HsError(401, token === '' ? 'M_MISSING_TOKEN' : 'M_UNKNOWN_TOKEN', 'Invalid token')
    call.user = user ?? ''
    call.device = 'D'
  }

  const fault = (line: string): Fault | undefined => {
    const found = faults.find(entry => entry.times > 0 && entry.on.test(line))
    if (found) found.times--
    return found
  }

  const handle = async (request: IncomingMessage, response: ServerResponse): Promise<void> => {
    const method = request.method!
    const [path, search] = request.url!.split('?') as [string, string | undefined]
    const line = `${method} ${request.url!}`
    if (requests.push(line) > 2000) requests.splice(0, 1000)
    const trouble = faults.length === 0 ? undefined : fault(line)
    if (trouble?.breaks === 'before') return void request.socket.destroy()
    if (delayMs + (trouble?.delayMs ?? 0) > 0) await sleep(systemClock, delayMs + (trouble?.delayMs ?? 0))
    let answer: Answer
    try {
      if (trouble?.status) throw new HsError(trouble.status, 'M_UNKNOWN', 'on demand', trouble.body)
      const short = path === '/_matrix/client/versions' ? 'versions' : path.replace(PREFIX, '')
      const match = short === path ? 404 : route(method, short)
      if (typeof match === 'number') throw new HsError(match, 'M_UNRECOGNIZED', 'Unrecognized request')
      const call: Call = {
        params: match.params, query: new URLSearchParams(search), user: '', device: undefined, service: false,
        json: () => readJson(request), stream: request, headers: request.headers
      }
      authorize(call, match.open)
      answer = await match.handler(call)
    } catch (error) {
      const known = error instanceof HsError ? error : new HsError(500, 'M_UNKNOWN', String(error))
      answer = {
        status: known.status, headers: trouble?.headers ?? {},
        json: { errcode: known.errcode, error: known.message, ...known.extra }
      }
      request.resume()
    }
    if (trouble?.breaks === 'after') return void request.socket.destroy()
    reply(response, answer)
  }

  let server: Server
  const listen = async (port: number): Promise<void> => {
    server = createServer({ keepAliveTimeout: 60_000 }, (request, response) => {
      handle(request, response).catch(() => request.socket.destroy())
    })
    await new Promise<void>((resolve, reject) => { server.once('error', reject); server.listen(port, '127.0.0.1', resolve) })
  }
  const close = (): Promise<void> => new Promise(resolve => { server.close(() => resolve()); server.closeAllConnections() })
  await listen(options.port ?? 0)
  const { port } = server!.address() as AddressInfo

  return {
    url: `http://127.0.0.1:${port}`, port, serverName, bot, state, faults, requests, pusher,
    /** Makes the user if need be. */
    person: (name: string): HsPerson => makePerson(state, name),
    /** As the handle of a real server makes one. */
    createUser: async (name: string): Promise<{ userId: string, accessToken: string }> => makePerson(state, name),
    setDelay (ms: number): void { delayMs = ms },
    membership: (room: string, user: string): string => membership(state.room(state.resolve(room)), user),
    /** As a restart of Synapse: connections break, what it holds in memory is gone, what it holds on disk is not. */
    async goDown (): Promise<void> { await close(); fleeting.clear() },
    comeUp: (): Promise<void> => listen(port),
    async stop (): Promise<void> { await pusher.stop(); await close() }
  }
}

export type Homeserver = Awaited<ReturnType<typeof startHomeserver>>
