/**
 * The address that the homeserver pushes to (Application Service API v1). A transaction is answered `200 {}` only after all of
 * it is stored, and otherwise 500, upon which the homeserver brings the same one again. Only who knows the hs_token gets further
 * than the headers.
 */
import express, { type ErrorRequestHandler, type RequestHandler } from 'express'
import type { Log } from '../../lib/log'
import { bearerOf, sameSecret } from '../../lib/secret'
import { serve } from '../../lib/serve'
import { messageOf } from '../../model/errors'
import { isJson } from './events'

const BODY_BYTES_MAX = 50 * 2 ** 20
const UNREADABLE: Record<string, string> = { 'entity.too.large': 'M_TOO_LARGE', 'entity.parse.failed': 'M_NOT_JSON' }

export interface EndpointOptions {
  hsToken: string
  host: string
  port: number
  log: Log
  /** Takes a transaction's events. What it throws makes the homeserver try again. */
  take (events: unknown[], transactionId: string): Promise<void>
}

export interface Endpoint {
  port: number
  /** No new transaction from now on; resolves when those under way are stored. */
  close (): Promise<void>
}

/** Throws if it cannot listen there. */
export const openEndpoint = async ({ hsToken, host, port, log, take }: EndpointOptions): Promise<Endpoint> => {
  const underWay = new Set<Promise<void>>() // the homeserver sends one at a time
  let closing = false

  /** AS API §Authorization: 401 without a token, 403 with a wrong one; in constant time. */
  const authorize: RequestHandler = (request, response, next) => {
    const given = bearerOf(request.headers.authorization)
    if (given !== undefined && sameSecret(given, hsToken)) return next()
    const [status, errcode] = given === undefined ? [401, 'M_UNAUTHORIZED'] : [403, 'M_FORBIDDEN']
    response.set('connection', 'close').status(status as number).json({ errcode })
  }

  const transaction: RequestHandler = async (request, response) => {
    const body: unknown = request.body
    if (closing) return void response.set('connection', 'close').status(503).json({ errcode: 'M_UNKNOWN', error: 'stopping' })
    if (!isJson(body)) return void response.status(400).json({ errcode: 'M_BAD_JSON' })
    const task = take(Array.isArray(body.events) ? body.events : [], String(request.params['id']))
    underWay.add(task)
    try {
      await task
      response.json({})
    } catch (error) {
      log.warn({ why: messageOf(error) }, 'a transaction could not be stored; the homeserver will bring it again')
      response.status(500).json({ errcode: 'M_UNKNOWN', error: 'not stored' })
    } finally {
      underWay.delete(task)
    }
  }

  const notFound: RequestHandler = (_request, response) => { response.status(404).json({ errcode: 'M_NOT_FOUND' }) }
  const wrongMethod: RequestHandler = (_request, response) => { response.status(405).json({ errcode: 'M_UNRECOGNIZED' }) }

  const failed: ErrorRequestHandler = (error: { status?: number, type?: string }, _request, response, _next) => {
    const status = error.status ?? 500
    const errcode = UNREADABLE[error.type ?? ''] ?? 'M_UNKNOWN'
    log.warn({ status, errcode }, 'a request of the homeserver could not be read')
    if (!response.headersSent) response.status(status).json({ errcode })
  }

  const app = express().disable('x-powered-by').disable('etag')
  app.use(authorize)
  app.route('/_matrix/app/v1/transactions/:id')
    .put(express.json({ limit: BODY_BYTES_MAX, type: () => true, inflate: false, strict: false }), transaction).all(wrongMethod)
  app.route('/_matrix/app/v1/ping').post((_request, response) => { response.json({}) }).all(wrongMethod)
  app.route(['/_matrix/app/v1/users/:id', '/_matrix/app/v1/rooms/:alias']).get(notFound).all(wrongMethod)
  app.use((_request, response) => { response.status(404).json({ errcode: 'M_UNRECOGNIZED' }) })
  app.use(failed)

  const served = await serve(app, { host, port })
  return {
    port: served.port,
    async close () {
      closing = true
      await Promise.allSettled(underWay)
      await served.stop()
    }
  }
}
