/**
 * The operator's HTTP: /healthz and /readyz for everyone who can reach the listener; /metrics and /admin only with the token.
 * These take no cookies and send no CORS headers, so no web page can use them. Every change is logged. Behind them come the pages (src/pages).
 */
import express, { type NextFunction, type Request, type Response } from 'express'
import type { Bridge } from '../bridge/bridge'
import { deadline, type Clock } from '../lib/clock'
import type { Log } from '../lib/log'
import { bearerOf, sameSecret } from '../lib/secret'
import type { NetworkName } from '../model/address'
import { messageOf } from '../model/errors'
import type { Media } from '../model/network'
import type { Store } from '../store/store'
import { addressRoutes, logbookRoute } from './addresses'
import { backupRoute } from './backup'
import { codesRoute } from './codes-command'
import { deviceRoutes, type DevicesOperated } from './devices'
import { eraseRoutes } from './erase'
import { fileRoute } from './file'
import type { Metrics } from './metrics'
import { reportRoute } from './report-command'
import { isQueueState, LINE_ID, QUEUE_STATES, type QueueLines } from './queue'

export interface Operated {
  desk: Bridge['desk']
  token: string
  metricsPublic: boolean
  networks: NetworkName[]
  metrics: Metrics
  queue: QueueLines
  devices?: DevicesOperated
  pages?: express.Router
  store: Store
  storePath?: string | undefined // without it, it is backed up where it is
  erasing?: Bridge['erasing']
  codes?: Bridge['codes']
  media?: Pick<Media, 'open'> // the same, of files for exports
  clock: Clock
  log: Log
}

const STORE_TIMEOUT_MS = 5000

/** Rejects if the store does not take a write within STORE_TIMEOUT_MS. */
const writeTest = async ({ store, clock }: Operated): Promise<void> => {
  const { signal, done } = deadline(clock, STORE_TIMEOUT_MS)
  const late = new Promise<never>((_resolve, reject) => signal.addEventListener('abort', () => reject(signal.reason as Error)))
  try {
    await Promise.race([store.run(tx => tx.remember('operate', 'healthz', String(clock.now()))), late])
  } finally {
    done()
  }
}

const health = (operated: Operated) => async (_request: Request, response: Response): Promise<void> => {
  try {
    await writeTest(operated)
    response.json({ status: 'ok' })
  } catch (error) {
    response.status(503).json({ status: 'the store cannot be written', reason: messageOf(error) })
  }
}

const hasToken = ({ token }: Operated, request: Request): boolean => {
  const given = bearerOf(request.headers.authorization)
  return given !== undefined && sameSecret(given, token)
}

/**
 * Ready when every network is reached. What people can break, such as a single room, may be down all the same: nobody may make us be started
 * anew for ever. The reason why a connection is down may name rooms, so it needs the token.
 */
const ready = (operated: Operated) => (request: Request, response: Response): void => {
  const { networks, metrics } = operated
  const links = metrics.connections()
  const showsWhy = hasToken(operated, request)
  const silent = networks.filter(network => !links.some(link => link.network === network))
  const isReady = silent.length === 0 && links.every(({ ready }) => ready)
  response.status(isReady ? 200 : 503).json({
    ready: isReady, waiting: silent,
    links: links.map(({ network, name, up, since, detail }) => ({
      network, name, up, since: new Date(since).toISOString(), ...showsWhy && !up && detail !== undefined ? { why: detail } : {}
    }))
  })
}

const guard = (operated: Operated) => (request: Request, response: Response, next: NextFunction): void => {
  if (hasToken(operated, request)) return next()
  operated.log.warn({ path: request.path.slice(0, 64), from: request.socket.remoteAddress }, 'operate request without the right token')
  response.status(401).set('WWW-Authenticate', 'Bearer').json({ error: 'Send "Authorization: Bearer …" with operate.token of the config' })
}

const idOf = (request: Request): string => LINE_ID.test(String(request.params['id'])) ? String(request.params['id']) : '0'
const isOpen = (request: Request): boolean => request.query['text'] === '1'

const notFound = (response: Response, text: string): void => { response.status(404).json({ error: text }) }

const adminRoutes = ({ queue, devices, metrics, log, desk, store, storePath, media, erasing, codes, clock }: Operated): express.Router => {
  const routes = express.Router()
  routes.use('/addresses', addressRoutes({ desk, store }))
  if (devices !== undefined) routes.use('/devices', deviceRoutes(devices, log))
  routes.get('/logbook', logbookRoute({ store }))
  routes.get('/reports/:name', reportRoute({ desk, store }))
  if (storePath !== undefined) routes.get('/backup', backupRoute({ store, path: storePath, log }))
  if (media !== undefined) routes.get('/file', fileRoute(media, clock))
  if (codes !== undefined) routes.post('/codes', codesRoute(codes, log))
  if (erasing !== undefined) routes.use('/erasures', eraseRoutes(erasing))
  routes.get('/links', (_request, response) => { response.json(metrics.connections()) })
  routes.get('/queue', async (request, response) => {
    const state = request.query['state'] ?? 'waiting'
    if (!isQueueState(state)) return void response.status(400).json({ error: `state must be one of ${QUEUE_STATES.join(', ')}` })
    response.json(await queue.list(state, isOpen(request)))
  })
  routes.get('/queue/:id', async (request, response) => {
    const line = await queue.show(idOf(request), isOpen(request))
    if (line === undefined) return notFound(response, 'nothing has this id')
    response.json(line)
  })
  for (const action of ['retry', 'drop'] as const) {
    routes.post(`/queue/:id/${action}`, async (request, response) => {
      const id = idOf(request)
      const changed = await queue[action](id)
      log.info({ id, action, changed }, 'queue changed by the operator')
      if (!changed) return notFound(response, `nothing with this id can be ${action === 'drop' ? 'dropped' : 'retried'}`)
      response.json({ id, action })
    })
  }
  return routes
}

/** The express application. docs/operating.md describes its routes. */
export const makeOperateApp = (operated: Operated): express.Express => {
  const { metrics, metricsPublic, log, pages } = operated
  const app = express().disable('x-powered-by').disable('etag')
  app.use((_request, response, next) => { response.set({ 'Cache-Control': 'no-store', 'X-Content-Type-Options': 'nosniff' }); next() })
  app.get('/healthz', health(operated))
  app.get('/readyz', ready(operated))
  const withToken = guard(operated)
  app.get('/metrics', ...metricsPublic ? [] : [withToken], async (_request: Request, response: Response) => {
    const text = await metrics.text()
    response.set('Content-Type', metrics.contentType).end(text)
  })
  app.use('/admin', withToken, adminRoutes(operated))
  if (pages !== undefined) app.use(pages)
  app.use((_request, response) => notFound(response, 'no such page'))
  app.use((error: unknown, _request: Request, response: Response, _next: NextFunction) => {
    log.error({ error }, 'operate request failed')
    if (!response.headersSent) response.status(503).json({ error: messageOf(error) })
  })
  return app
}
