/**
 * While another Zentrale is active on our database, this one stands by: it is connected to nobody, takes nothing, and tells whoever calls to come
 * again or to go to the active one. So what the homeserver and gateways bring waits with them until one of us is active.
 */
import type { Config } from '../config/config'
import { OTHER_KEY, LOGBOOK_KEY } from '../config/mark'
import type { Log } from '../lib/log'
import { type Handler, type Listen, serve, type Served } from '../lib/serve'

const AGAIN_SECONDS = 5
export const ACTIVE_HELP = 'Whether this process is the active one (1) or stands by (0).'
export const DIFFERS_HELP = 'Whether this one stands by with another config than that of the active one.'
/** What callers hear begins so. */
export const STANDS_BY = 'this Zentrale stands by'

/** All that monitoring needs to know of one that stands by. */
const metrics = (differs: boolean): string => `# HELP zentrale_active ${ACTIVE_HELP}
# TYPE zentrale_active gauge
zentrale_active 0
# HELP zentrale_config_differs ${DIFFERS_HELP}
# TYPE zentrale_config_differs gauge
zentrale_config_differs ${differs ? 1 : 0}
`

const says = (status: number, type: string, body: string): Handler => (request, response) => {
  request.resume()
  response.writeHead(status, { 'content-type': type, 'cache-control': 'no-store', 'retry-after': String(AGAIN_SECONDS) }).end(body)
}
const inJson = (status: number, body: object): Handler => says(status, 'application/json', JSON.stringify(body))

const comeAgain = inJson(503, { error: STANDS_BY })

/**
 * /healthz and /readyz for everybody, as when it is active. That somebody stands by says nothing secret, so the metrics need no token either.
 * Commands hear why: perhaps nobody is active, because the database is away.
 */
const operateHandler = (why: () => string, differs: () => boolean): Handler => (request, response) => {
  const path = request.url?.split('?', 1)[0]
  const handler = path === '/healthz' ? inJson(200, { status: 'standby' })
    : path === '/readyz' ? inJson(503, { ready: false, standby: why(), waiting: [], links: [] })
      : path === '/metrics' ? says(200, 'text/plain; version=0.0.4', metrics(differs())) : inJson(503, { error: `${STANDS_BY}: ${why()}` })
  handler(request, response)
}

const differsIn = (names: string[]): string => `Its config is another one: ${names.join(', ')}`

export interface Standby {
  /** It stands by, because of this. */
  told (why: string): void
  /** What of our config is not as the active one's, by its keys. */
  unlike (names: string[]): void
  /** It is active, or gives up: nothing listens any more. */
  end (): Promise<void>
}

/** `failed`: it cannot listen where the config says. */
export const makeStandby = (
  { listens, operate }: Pick<Config, 'operate'> & { listens: Listen[] }, log: Log, failed: (error: unknown) => void
): Standby => {
  let why = ''
  let differing: string[] = []
  const whole = (): string => differing.length === 0 ? why : `${why}. ${differsIn(differing)}`
  let serving: Promise<Served[]> | undefined
  const begin = (): Promise<Served[]> => {
    const all = Promise.all(listens.map(listen => serve(
      listen.port === operate.listen.port ? operateHandler(whole, () => differing.length > 0) : comeAgain, listen)))
    all.catch(failed)
    return all
  }
  return {
    told (reason) {
      why = reason
      log.info({ why }, 'standing by')
      serving ??= begin()
    },
    unlike (names) {
      if (names.join() === differing.join()) return
      differing = names
      if (names.includes(LOGBOOK_KEY)) log.error({ differs: names }, OTHER_KEY)
      else if (names.length > 0) log.warn({ differs: names }, 'the config of the active Zentrale is another one: let both have the same')
      else log.info({}, 'the config is that of the active Zentrale')
    },
    async end () {
      const served = await serving?.catch(() => []) ?? []
      await Promise.all(served.map(({ stop }) => stop()))
    }
  }
}
