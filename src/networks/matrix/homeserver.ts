/**
 * The client of the homeserver. Every call of the Client-Server API goes through `call`, and whatever goes wrong comes out as Refused or
 * Unavailable. It never repeats a call: the lane does that, with the same transaction id.
 */
import type { Dispatcher } from 'undici'
import { httpErrors, Pool } from '../../lib/packages'
import { messageOf, Refused, Unavailable } from '../../model/errors'
import type { World } from '../../model/network'
import type { Json } from './events/json'

/** The homeserver's own refusal (Matrix CS API §Standard error response). */
export class Rejected extends Refused {
  constructor (readonly status: number, readonly errcode: string, message: string) { super(message) }
}

/** Ignores a rejection: what was asked for is done already, or cannot be done any more. */
export const unlessRejected = (error: unknown): undefined => { if (!(error instanceof Rejected)) throw error }

/** The answer is longer than ANSWER_BYTES_MAX: ask for less at once. */
export class TooLong extends Unavailable {}

export type Method = 'GET' | 'PUT' | 'POST' | 'DELETE'
export type Query = Record<string, string | number | undefined>

export interface CallOptions {
  query?: Query
  body?: Json
  as?: string | undefined // the user to act as; the bot if missing
  signal?: AbortSignal | undefined
  elsewhere?: boolean // other servers take part in the call, and their failure says nothing about our homeserver
}

export interface Homeserver {
  /** `path` below /_matrix/, its variable parts already encoded. Throws Rejected or Unavailable. */
  call (method: Method, path: string, options?: CallOptions): Promise<Json>
  /** A call whose body or answer is bytes. Throws like `call`. The answer's body must be read or destroyed. */
  raw (method: Method, path: string, options: RawOptions): Promise<Dispatcher.ResponseData>
}

export interface RawOptions extends Omit<CallOptions, 'body'> {
  bytes?: Dispatcher.DispatchOptions['body']
  headers?: Record<string, string>
}

/** `lost` is told of every call that failed because the homeserver is not there or does not know us. */
export interface Contact extends Pick<World, 'fence'> { lost (why: string): void }

const UNKNOWN_TOKEN = 'the homeserver does not know our token: has it been restarted since the registration was added?'

const CONNECTIONS_MAX = 64
const MEDIA_CONNECTIONS_MAX = 128 // in a pool of their own: slow readers and hanging servers take none from messages
const CONNECT_TIMEOUT_MS = 10_000
const ANSWER_TIMEOUT_MS = 45_000 // less than a lane gives a delivery: else the lane's limit would hide that the homeserver is dead
const KEEP_ALIVE_MS = 30_000
const ANSWER_BYTES_MAX = 32 * 2 ** 20
const RETRY_AFTER_MS_MAX = 10 * 60_000
const GATEWAY_TROUBLE: ReadonlySet<number> = new Set([502, 503, 504])
/** AS API §Pinging: the homeserver does not reach us, but is there itself. */
const PING_FAILED: ReadonlySet<string> = new Set(['M_BAD_STATUS', 'M_CONNECTION_TIMEOUT', 'M_CONNECTION_FAILED'])
const NOBODY_THERE: ReadonlySet<string> = new Set([
  'ECONNREFUSED', 'ENOTFOUND', 'EAI_AGAIN', 'EHOSTUNREACH', 'ENETUNREACH', 'UND_ERR_CONNECT_TIMEOUT', 'CERT_HAS_EXPIRED',
  'DEPTH_ZERO_SELF_SIGNED_CERT'
])
/** No answer in time: the homeserver's own fault, unless other servers take part in the call. */
const NO_ANSWER: ReadonlySet<string> = new Set(['ETIMEDOUT', 'UND_ERR_HEADERS_TIMEOUT'])

interface Raw { status: number; headers: Record<string, string | string[] | undefined>; text: string }

/** Takes a request to the homeserver and resolves with the answer. Rejects with an error whose `code` says why there is none. */
export type Exchange = (request: Dispatcher.DispatchOptions, signal: AbortSignal | undefined) => Promise<Raw>

/** Collects a small answer. Uses the dispatcher's own interface, because `request` costs a third more per call. */
const collecting = (pool: Dispatcher): Exchange => (request, signal) => new Promise((resolve, reject) => {
  let status = 0
  let headers: Raw['headers'] = {}
  let bytes = 0
  const chunks: Buffer[] = []
  let control: Dispatcher.DispatchController | undefined
  const abort = (): void => control?.abort(new httpErrors.RequestAbortedError('given up'))
  const settle = (): void => signal?.removeEventListener('abort', abort)
  signal?.addEventListener('abort', abort, { once: true })
  pool.dispatch(request, {
    onRequestStart (controller) { control = controller; if (signal?.aborted) abort() },
    onResponseStart (_controller, statusCode, received) { status = statusCode; headers = received },
    onResponseData (controller, chunk) {
      bytes += chunk.length
      if (bytes > ANSWER_BYTES_MAX) controller.abort(new httpErrors.ResponseExceededMaxSizeError('answer is too long'))
      else chunks.push(chunk)
    },
    onResponseEnd () { settle(); resolve({ status, headers, text: Buffer.concat(chunks).toString('utf8') }) },
    onResponseError (_controller, error) { settle(); reject(error) }
  })
})

const parse = (text: string): Json | undefined => {
  try {
    const value: unknown = JSON.parse(text)
    return typeof value === 'object' && value !== null ? value as Json : undefined
  } catch {
    return undefined
  }
}

const retryAfter = (headers: Raw['headers'], body: Json): number | undefined => {
  const ms = typeof body.retry_after_ms === 'number' ? body.retry_after_ms : Number(headers['retry-after'] ?? NaN) * 1000
  return Number.isFinite(ms) ? Math.min(Math.max(ms, 0), RETRY_AFTER_MS_MAX) : undefined
}

const codeOf = (error: unknown): string => String((error as { code?: unknown } | null)?.code ?? '')

export const encode = (part: string): string => encodeURIComponent(part.toWellFormed())

export const roomPath = (room: string): string => `client/v3/rooms/${encode(room)}`

const queryOf = ({ as, query }: CallOptions): string => {
  const all: Query = { ...query, user_id: as } // without its type, the spread would not allow numbers
  const pairs = Object.entries(all).flatMap(([key, value]) =>
    value === undefined ? [] : [`${key}=${encode(String(value))}`])
  return pairs.length === 0 ? '' : `?${pairs.join('&')}`
}

export const makeHomeserver = (url: string, token: string, contact: Contact, given?: Exchange): Homeserver => {
  const { origin, pathname } = new URL(url)
  const prefix = pathname.replace(/\/+$/, '')
  const poolOf = (connections: number): Dispatcher => new Pool(origin, {
    connections, pipelining: 1, connect: { timeout: CONNECT_TIMEOUT_MS },
    headersTimeout: ANSWER_TIMEOUT_MS, bodyTimeout: ANSWER_TIMEOUT_MS, keepAliveTimeout: KEEP_ALIVE_MS
  })
  const media = poolOf(MEDIA_CONNECTIONS_MAX)
  const exchange = given ?? collecting(poolOf(CONNECTIONS_MAX))
  const authorization = `Bearer ${token}`

  const failed = (error: unknown, { signal, elsewhere }: Pick<CallOptions, 'signal' | 'elsewhere'>): Unavailable => {
    const code = codeOf(error)
    if (code === 'UND_ERR_RES_EXCEEDED_MAX_SIZE') return new TooLong('homeserver: its answer is too long', { cause: error })
    const disconnected = !signal?.aborted && (NOBODY_THERE.has(code) || (NO_ANSWER.has(code) && !elsewhere))
    if (disconnected) contact.lost(code)
    return new Unavailable(`homeserver: ${code || messageOf(error)}`, { disconnected, cause: error })
  }

  /** The error that an answer means; undefined if it is a success (CS API §Standard error response, §Rate limiting). */
  const trouble = ({ status, headers }: Raw, body: Json | undefined, elsewhere = false): Error | undefined => {
    if (GATEWAY_TROUBLE.has(status) && !PING_FAILED.has(String(body?.errcode)) && !(elsewhere && body !== undefined)) {
      if (elsewhere) return new Unavailable(`homeserver: HTTP ${status}`) // a proxy in front gave up, on an unknown server
      contact.lost(`HTTP ${status}`)
      return new Unavailable(`homeserver: HTTP ${status}`, { disconnected: true })
    }
    if (status >= 200 && status < 300) return body ? undefined : new Unavailable('homeserver: its answer is not JSON')
    const errcode = typeof body?.errcode === 'string' ? body.errcode.slice(0, 100) : `HTTP_${status}`
    const what = `homeserver: ${status} ${errcode}`
    const retryAfterMs = retryAfter(headers, body ?? {})
    if (errcode === 'M_UNKNOWN_TOKEN' || errcode === 'M_MISSING_TOKEN') {
      contact.lost(UNKNOWN_TOKEN)
      return new Unavailable(UNKNOWN_TOKEN, { disconnected: true })
    }
    if (status === 429 || status === 408 || status >= 500 || status < 400) {
      return new Unavailable(what, retryAfterMs === undefined ? {} : { retryAfterMs })
    }
    return new Rejected(status, errcode, typeof body?.error === 'string' ? `${what} (${body.error.slice(0, 200)})` : what)
  }

  const raw: Homeserver['raw'] = async (method, path, options) => {
    const { bytes, headers, signal } = options
    let answer: Dispatcher.ResponseData
    contact.fence()
    try {
      answer = await media.request({
        method, path: `${prefix}/_matrix/${path}${queryOf(options)}`, body: bytes ?? null,
        headers: { authorization, ...headers }, signal: signal ?? null
      })
    } catch (error) {
      if (error instanceof Refused || error instanceof Unavailable) throw error // from the stream that is uploaded
      if (codeOf(error) === 'UND_ERR_REQ_CONTENT_LENGTH_MISMATCH') throw new Refused('a file is not as long as its size says', 'gone')
      throw failed(error, options)
    }
    if (answer.statusCode < 400) return answer
    const text = await answer.body.text().catch(() => '')
    const { statusCode: status, headers: received } = answer
    throw trouble({ status, headers: received, text }, parse(text), options.elsewhere) ?? new Unavailable('homeserver: no answer')
  }

  return {
    async call (method, path, options = {}) {
      const { body, signal } = options
      const headers: Record<string, string> = { authorization }
      if (body) headers['content-type'] = 'application/json'
      let answer: Raw
      contact.fence()
      try {
        answer = await exchange({
          method, path: `${prefix}/_matrix/${path}${queryOf(options)}`, headers, body: body ? JSON.stringify(body) : null
        }, signal)
      } catch (error) {
        throw failed(error, options)
      }
      const parsed = parse(answer.text)
      const error = trouble(answer, parsed, options.elsewhere)
      if (error) throw error
      return parsed!
    },
    raw
  }
}
