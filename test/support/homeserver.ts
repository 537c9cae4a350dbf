/**
 * The practice homeserver: a Matrix homeserver inside this process, for faults on demand, for the demo where Synapse cannot
 * be had, and as the instant homeserver of the bench. One server, no federation, nothing on disk. Where Synapse is peculiar in
 * what a bridge depends on (transactions, transaction ids, devices, errors), it is so too; test/real runs the same suite on both.
 */
import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http'
import type { AddressInfo } from 'node:net'
import { deadline, sleep, systemClock } from '../../src/lib/clock'
import { makeCore } from './homeserver/core'
import { makePusher } from './homeserver/push'
import type { Answer, Registration } from './homeserver/routes'
import { HsError, membership, type HsEvent, type Json, type Listener, type State } from './homeserver/state'

export type { HsEvent, Json } from './homeserver/state'
export type { Registration } from './homeserver/routes'

export interface HomeserverOptions {
  serverName: string
  registration: Registration // read at every push, so that its url may be set later
  port?: number
  delayMs?: number // before every answer
  firstRetryMs?: number // of a failed transaction; Synapse's is 2000
  uploadBytesMax?: number
  timelineMax?: number // events of a room in one answer to /sync; 50 if left out
  knowsKeys?: boolean // of encryption
}

/** What a person on the practice homeserver can do, without HTTP. */
export interface HsPerson {
  userId: string
  accessToken: string
  createRoom (options?: Json): string
  join (room: string): string
  leave (room: string): void
  invite (room: string, user: string): void
  kick (room: string, user: string): void
  send (room: string, content: string | Json, type?: string): string
  edit (room: string, event: string, text: string): string
  redact (room: string, event: string): string
  setState (room: string, type: string, key: string, content: Json): string
  upload (bytes: Buffer, mime: string): string
  events (room: string): HsEvent[]
  /** The first event, past or to come, that fits. */
  waitFor (room: string, fits: (event: HsEvent) => boolean, ms?: number): Promise<HsEvent>
}

/** What to do with requests whose "METHOD /path" fits: give this answer, or break the connection before or after doing what is asked. */
export interface Fault {
  on: RegExp
  times: number
  status?: number
  body?: Json
  headers?: Record<string, string>
  breaks?: 'before' | 'after'
  delayMs?: number
}

const JSON_BYTES_MAX = 50 * 2 ** 20 // as Synapse, whose bound is that of files
const WAIT_MS = 60_000
const PROFILE_MS = 50 // until rooms show a new profile

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

export const makePerson = (state: State, name: string): HsPerson => {
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
    kick: (room, user) => state.kick(room, userId, user),
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
  const { firstRetryMs = 2000, uploadBytesMax, timelineMax, knowsKeys = false } = options
  const pusher = makePusher({ url: () => registration.url ?? '', token: registration.hs_token, firstRetryMs })
  const core = makeCore({
    serverName, registration, knowsKeys, ...uploadBytesMax === undefined ? {} : { uploadBytesMax },
    ...timelineMax === undefined ? {} : { timelineMax },
    later: run => void setTimeout(run, PROFILE_MS).unref(),
    toPush (event) { if (registration.url) pusher.push(event) },
    toSignal: signal => pusher.signal(signal),
    async ping (body) {
      const answer = await pusher.ping(body)
      if (answer.status === 200) pusher.hurry()
      return answer
    }
  })
  const { state, bot } = core
  const faults: Fault[] = []
  const requests: string[] = [] // "METHOD /path" of the last ones
  let delayMs = options.delayMs ?? 0

  const fault = (line: string): Fault | undefined => {
    const found = faults.find(entry => entry.times > 0 && entry.on.test(line))
    if (found) found.times--
    return found
  }

  const handle = async (request: IncomingMessage, response: ServerResponse): Promise<void> => {
    const method = request.method!
    const line = `${method} ${request.url!}`
    if (requests.push(line) > 2000) requests.splice(0, 1000)
    const trouble = faults.length === 0 ? undefined : fault(line)
    if (trouble?.breaks === 'before') return void request.socket.destroy()
    if (delayMs + (trouble?.delayMs ?? 0) > 0) await sleep(systemClock, delayMs + (trouble?.delayMs ?? 0))
    let answer: Answer
    if (trouble?.status) {
      answer = { status: trouble.status, headers: trouble.headers ?? {}, json: { errcode: 'M_UNKNOWN', error: 'on demand', ...trouble.body } }
    } else {
      answer = await core.answer({ method, url: request.url!, headers: request.headers, json: () => readJson(request), stream: request })
    }
    if ((answer.status ?? 200) >= 400) request.resume()
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
    url: `http://127.0.0.1:${port}`, port, serverName, bot, state, keys: core.keys, faults, requests, pusher,
    /** Makes the user if there is none. */
    person: (name: string): HsPerson => makePerson(state, name),
    /** As the handle of a real server makes one. */
    createUser: async (name: string): Promise<{ userId: string, accessToken: string }> => makePerson(state, name),
    setDelay (ms: number): void { delayMs = ms },
    membership: (room: string, user: string): string => membership(state.room(state.resolve(room)), user),
    /** As a restart of Synapse: connections break, what it holds in memory is gone, what it holds on disk is not. */
    async goDown (): Promise<void> { await close(); core.restart() },
    comeUp: (): Promise<void> => listen(port),
    async stop (): Promise<void> { await pusher.stop(); await close() }
  }
}

export type Homeserver = Awaited<ReturnType<typeof startHomeserver>>
