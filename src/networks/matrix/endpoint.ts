/**
 * The address that the homeserver pushes to (Application Service API v1). A transaction is answered `200 {}` only after all of it is stored.
 * Any other answer makes the homeserver send the same transaction again. A request without the hs_token is refused before its body is read.
 * Uses node:http alone, because every message comes through here: see docs/decisions.md.
 */
import type { Log } from '../../lib/log'
import { bearerOf, sameSecret } from '../../lib/secret'
import { serve, type Handler } from '../../lib/serve'
import { messageOf } from '../../model/errors'
import { isJson } from './events/json'

/**
 * 100 events (Synapse's limit) of 64 KiB, each with the event that it replaces or, for an invitation, with eight entries of room state, and
 * three times as long in ASCII. Strangers decide what is in a transaction, and one refused for its size would come again for ever.
 */
const BODY_BYTES_MAX = 192 * 2 ** 20
const ROUTE = /^\/_matrix\/app\/v1\/(?:(ping)|(transactions|users|rooms)\/([^/?]+))\/?(?:\?.*)?$/
const METHODS: Readonly<Record<string, string>> = { ping: 'POST', transactions: 'PUT', users: 'GET', rooms: 'GET' }

export interface EndpointOptions {
  hsToken: string
  host: string
  port: number
  log: Log
  /** Takes a transaction's events. If it throws, the homeserver tries again. */
  take (events: unknown[], transactionId: string): Promise<void>
  /** Somebody asks for a room of this alias: whether there is one now. */
  portal (alias: string): Promise<boolean>
  /** Hears of what people do besides speaking (ephemeral data). Never throws. */
  hear (ephemeral: unknown[]): void
}

export interface Endpoint {
  port: number
  /** Takes no new transaction. Resolves when those under way are stored. */
  close (): Promise<void>
}

type Incoming = Parameters<Handler>[0]

/** '' if it is not written as URLs are. */
const decoded = (text: string): string => {
  try { return decodeURIComponent(text) } catch { return '' }
}

const listIn = (value: unknown): unknown[] => Array.isArray(value) ? value : []

interface Answer { status: number; body: { errcode?: string, error?: string } }

const refusal = (status: number, errcode: string, error?: string): Answer =>
  ({ status, body: { errcode, ...error === undefined ? {} : { error } } })

const OK: Answer = { status: 200, body: {} }

/** A request whose body was not read also loses its connection, because the rest of the body may still come. */
const reply = (response: Parameters<Handler>[1], { status, body }: Answer): void => {
  const text = JSON.stringify(body)
  const ends = status === 401 || status === 403 || status === 413 || status === 415 || status === 503
  response.writeHead(status, {
    'content-type': 'application/json', 'content-length': Buffer.byteLength(text), ...ends ? { connection: 'close' } : {}
  }).end(text)
}

/** The body as JSON. Rejects if the other side goes away. */
const read = (request: Incoming): Promise<{ json: unknown } | Answer> => new Promise((resolve, reject) => {
  const { 'content-encoding': coding = 'identity', 'content-length': length } = request.headers
  if (coding !== 'identity') return resolve(refusal(415, 'M_UNKNOWN', 'compressed, which is not supported'))
  const tooLarge = refusal(413, 'M_TOO_LARGE')
  if (Number(length) > BODY_BYTES_MAX) return resolve(tooLarge)
  const chunks: Buffer[] = []
  let bytes = 0
  request.on('data', (chunk: Buffer) => {
    bytes += chunk.length
    if (bytes > BODY_BYTES_MAX) return resolve(tooLarge)
    chunks.push(chunk)
  })
  request.on('end', () => {
    try {
      resolve({ json: JSON.parse(Buffer.concat(chunks).toString()) })
    } catch {
      resolve(refusal(400, 'M_NOT_JSON'))
    }
  })
  request.on('close', () => reject(new Error('the connection broke'))) // without effect after the end
})

/** Throws if it cannot listen there. */
export const openEndpoint = async ({ hsToken, host, port, log, take, hear, portal }: EndpointOptions): Promise<Endpoint> => {
  const underWay = new Set<Promise<void>>() // the homeserver sends one at a time
  let closing = false

  /** Whatever is in it, the events that came with it are not sent again for it. */
  const signals = (ephemeral: unknown[]): void => {
    try {
      if (ephemeral.length > 0) hear(ephemeral)
    } catch (error) {
      log.error({ error }, 'a signal could not be handled')
    }
  }

  const transaction = async (request: Incoming, id: string): Promise<Answer> => {
    const found = await read(request)
    if ('status' in found) {
      log.warn({ status: found.status, errcode: found.body.errcode }, 'a transaction of the homeserver could not be read')
      return found
    }
    const { json } = found
    if (closing) return refusal(503, 'M_UNKNOWN', 'stopping')
    if (!isJson(json)) return refusal(400, 'M_BAD_JSON')
    const events = listIn(json.events)
    const ephemeral = listIn(json.ephemeral ?? json['de.sorunome.msc2409.ephemeral'])
    const signalsAlone = events.length === 0 && ephemeral.length > 0 // says nothing about what may have been lost
    const task = signalsAlone ? Promise.resolve() : take(events, id)
    underWay.add(task)
    try {
      await task
      signals(ephemeral)
      return OK
    } catch (error) {
      log.warn({ why: messageOf(error) }, 'a transaction could not be stored; the homeserver will bring it again')
      return refusal(500, 'M_UNKNOWN', 'not stored')
    } finally {
      underWay.delete(task)
    }
  }

  /** AS API §Authorization: 401 without a token, 403 with a wrong one; in constant time. */
  const answer = async (request: Incoming): Promise<Answer> => {
    const given = bearerOf(request.headers.authorization)
    if (given === undefined) return refusal(401, 'M_UNAUTHORIZED')
    if (!sameSecret(given, hsToken)) return refusal(403, 'M_FORBIDDEN')
    const [, ping, what = ping, id = ''] = ROUTE.exec(request.url ?? '') ?? []
    if (what === undefined) return refusal(404, 'M_UNRECOGNIZED')
    if (request.method !== METHODS[what]) return refusal(405, 'M_UNRECOGNIZED')
    if (what === 'transactions') return await transaction(request, id)
    const isThere = what === 'ping' || (what === 'rooms' && !closing && await portal(decoded(id)))
    return isThere ? OK : refusal(404, 'M_NOT_FOUND')
  }

  const served = await serve((request, response) => {
    answer(request).then(
      found => reply(response, found),
      (error: unknown) => {
        log.warn({ why: messageOf(error) }, 'a request of the homeserver broke off')
        response.destroy()
      })
  }, { host, port })
  return {
    port: served.port,
    async close () {
      closing = true
      await Promise.allSettled(underWay)
      await served.stop()
    }
  }
}
