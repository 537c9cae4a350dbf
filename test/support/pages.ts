/** The pages of a bridge on practice networks, with the address `werkstatt`, and somebody who asks for them as a browser does. */
import { request } from 'undici'
import type { Observer } from '../../src/bridge/observer'
import { systemChance } from '../../src/lib/chance'
import { type Clock, systemClock } from '../../src/lib/clock'
import { silentLog } from '../../src/lib/log'
import { serve } from '../../src/lib/serve'
import { makeMedia } from '../../src/bridge/world'
import type { FunctionAddress, Roster } from '../../src/desk/address'
import type { NetworkKind } from '../../src/networks/kind'
import type { Capabilities } from '../../src/model/network'
import { waysOf } from '../../src/operate/contact'
import { makeOperateApp } from '../../src/operate/http'
import { makeMediaApp } from '../../src/operate/media'
import { makeMetrics, type Metrics } from '../../src/operate/metrics'
import { makeQueueLines } from '../../src/operate/queue'
import { watched } from '../../src/pages/flow'
import { makeLinkPages } from '../../src/pages/link-page'
import { makePages } from '../../src/pages/pages'
import { addressOn, agent } from './address'
import { makePractice, until, type Practice } from './practice'
import { mirrorOf, startBridge, type Started } from './started'

export const TOKEN = 'a-token-for-tests-of-pages'
export const TEAM = [agent('Anna', 'red @anna'), agent('Bernd', 'blue bernd')]
export const PUBLIC = 'https://desk.example.org'

export interface Visit { status: number; text: string; headers: Record<string, string | string[] | undefined>; cookies: string[] }

/** `form`: sends it by POST, from a page of ours unless `headers` says otherwise. */
export interface Asked { cookie?: string; headers?: Record<string, string>; form?: Record<string, string> }

export interface PagesStarted {
  red: Practice; blue: Practice; started: Started; metrics: Metrics; observer: Observer; url: string
  routes: string[] // of the pages, such as “post /login”
  visit (path: string, asked?: Asked): Promise<Visit>
  /** Logs in with the token, and gives the cookie of the session. */
  logIn (headers?: Record<string, string>): Promise<string>
  /** Somebody of the team asks for the page in their chat with `werkstatt`; gives the path of the link that they get there. */
  linkOf (name: string): Promise<string>
  /** Logs somebody of the team in by such a link, and gives the cookie. */
  enter (name: string): Promise<string>
  writes (person: string, text: string, name?: string): Promise<unknown>
  stop (): Promise<void>
}

interface Layer { route?: { path: string | string[], methods: Record<string, boolean> }; handle: { stack?: Layer[] } }

const routesIn = (stack: Layer[]): string[] => stack.flatMap(({ route, handle }) => route === undefined ? routesIn(handle.stack ?? [])
  : [route.path].flat().flatMap(path => Object.keys(route.methods).map(method => `${method} ${path}`)))

const listOf = (value: string | string[] | undefined): string[] => value === undefined ? [] : [value].flat()

export const cookiesOf = (set: string[]): string => set.map(one => one.split(';')[0]!).join('; ')

export interface LinkPagesStarted { url: string; stop (): Promise<void> }

/** The pages of these addresses for everybody, as media.listen serves them. */
export const serveLinkPages = async (roster: Roster, kinds: readonly NetworkKind[], clock: Clock): Promise<LinkPagesStarted> => {
  const pages = makeLinkPages({ roster, ways: address => waysOf(address, kinds, []), publicUrl: 'https://files.example.org/', clock })
  const app = makeMediaApp({
    links: { find: async () => undefined, fileKey: () => { throw new Error('no files') } }, media: makeMedia(() => undefined, 1, clock),
    language: 'en', clock, log: silentLog, pages
  })
  const { port, stop } = await serve(app, { host: '127.0.0.1', port: 0 })
  return { url: `http://127.0.0.1:${port}`, stop }
}

interface Options { clock?: Clock; address?: Partial<FunctionAddress>; more?: FunctionAddress[]; path?: string; can?: Partial<Capabilities> }

export const startPages = async ({ clock = systemClock, address = {}, more = [], path, can }: Options = {}): Promise<PagesStarted> => {
  const [red, blue] = [makePractice('red', can), makePractice('blue', can)]
  const addresses = [addressOn(['red', 'blue'], TEAM, address), ...more]
  const metrics: Metrics = makeMetrics(['red', 'blue'], () => started.store.run(tx => tx.depth()), clock)
  const { flow, observer } = watched(metrics.observer, clock)
  const started: Started = await startBridge([red, blue], [mirrorOf(['red', 'hall'], ['blue', 'room'])], {
    addresses, observer, clock, pagesUrl: PUBLIC, ...path !== undefined && { path }
  })
  const queue = makeQueueLines(started.bridge.queue)
  const { desk } = started.bridge
  const pages = makePages({
    desk, store: started.store, queue, flow, connections: metrics.connections,
    networks: [{ name: 'red', label: 'Red' }, { name: 'blue', label: 'Blue' }],
    token: TOKEN, publicUrl: PUBLIC, language: 'en', clock, chance: systemChance, log: silentLog
  })
  const app = makeOperateApp({
    token: TOKEN, metricsPublic: false, networks: ['red', 'blue'], metrics, queue, store: started.store, clock, log: silentLog,
    desk, pages: pages.routes
  })
  const served = await serve(app, { host: '127.0.0.1', port: 0 })
  const url = `http://127.0.0.1:${served.port}`

  const visit = async (path: string, { cookie, headers = {}, form }: Asked = {}): Promise<Visit> => {
    const answer = await request(url + path, {
      method: form === undefined ? 'GET' : 'POST',
      headers: {
        ...cookie === undefined ? {} : { cookie },
        ...form === undefined ? {} : { origin: url, 'content-type': 'application/x-www-form-urlencoded' }, ...headers
      },
      ...form === undefined ? {} : { body: new URLSearchParams(form).toString() }
    })
    return { status: answer.statusCode, text: await answer.body.text(), headers: answer.headers, cookies: listOf(answer.headers['set-cookie']) }
  }
  const linkOf = async (name: string): Promise<string> => {
    const { network, id } = TEAM.find(one => one.name === name)!.addresses[0]!
    const practice = network === 'red' ? red : blue
    const place = `werkstatt/${id}`
    const before = practice.read(place).length
    await practice.say(place, id, '!page', { direct: true, to: 'werkstatt' })
    await until(() => practice.read(place).length > before, 'the link')
    return practice.read(place).at(-1)!.split(PUBLIC)[1]!.split(/\s/)[0]!
  }

  const enter = async (name: string): Promise<string> =>
    cookiesOf((await visit('/link', { form: { link: (await linkOf(name)).slice('/link/'.length) } })).cookies)

  return {
    linkOf, enter, red, blue, started, metrics, observer, url, visit, routes: routesIn(pages.routes.stack as unknown as Layer[]),
    logIn: async headers => cookiesOf((await visit('/login', { form: { token: TOKEN }, ...headers === undefined ? {} : { headers } })).cookies),
    writes: (person, text, name = person) => red.say(`werkstatt/${person}`, person, text, {
      direct: true, to: 'werkstatt', sender: { id: person, name }
    }),
    async stop () {
      pages.stop()
      await served.stop()
      await started.stop()
    }
  }
}
