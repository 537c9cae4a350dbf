/**
 * Pages for the operator and for teams. They work without scripts; with them, they show what happens as it happens. guard.ts says what they
 * are guarded by. A page shows and does nothing without a session; access.ts says how one begins.
 */
import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import express, { type Request, type Response } from 'express'
import type { FunctionAddress } from '../desk/address'
import { LINE_ID } from '../operate/queue'
import { formOf, makeAccess } from './access'
import { acts, casePage } from './case'
import { readMark } from './cases'
import { dashboard } from './dashboard'
import { guard, languageOf, refusal } from './guard'
import { html, type Html } from './html'
import { inboxPage } from './inbox'
import { type Page, pageOf, type Section, sectionsOf } from './layout'
import { makeLive } from './live'
import { queueAsked, queueLinePage, queuePage, queuePath } from './queue'
import { reportRoutes } from './reports'
import { inboxPath, type PagesServed, type Viewer } from './served'
import { nameOf } from './sessions'
import { WORDS } from './words'

export interface Pages { routes: express.Router; stop (): void }

const ASSETS = [['style.css', 'text/css'], ['live.js', 'text/javascript'], ['icon.svg', 'image/svg+xml']] as const

/** What a path shows: its title, and its sections; undefined if there is nothing, or nothing any more. */
interface View { title: string; path: string; sections (): Promise<Section[] | undefined> }

const numberIn = (value: unknown): number => /^\d{1,6}$/.test(String(value)) ? Number(value) : 0

/** Of what could not be read: the reader's fault, or ours. */
const statusOf = (error: unknown): number => {
  const status = typeof error === 'object' && error !== null && 'status' in error ? Number(error.status) : 503
  return status >= 400 && status < 500 ? status : 503
}

const decoded = (part: string): string => {
  try { return decodeURIComponent(part) } catch { return '' }
}

export const makePages = (served: PagesServed): Pages => {
  const { desk, store, queue, flow, publicUrl, clock, log } = served
  const access = makeAccess(served)
  const { viewerOf } = access
  const live = makeLive(clock, () => `${store.commits()} ${flow.seen()}`)
  const routes = express.Router()

  // ---- what is shown

  const navOf = ({ who, language }: Viewer): [string, string][] => {
    const words = WORDS[language]
    return who.kind === 'operator' ? [['/', words.overview], ['/queue', words.queue], ['/reports', words.reports]]
      : [[inboxPath({ name: who.address }), words.cases]]
  }
  const send = (response: Response, viewer: Viewer, title: string, body: Html, shown: Pick<Page, 'view' | 'path'> = {}): void => {
    const page = { title, language: viewer.language, nav: navOf(viewer), mayLogOut: true, ...shown }
    response.type('html').send(pageOf(page, body).text)
  }
  const tell = (response: Response, viewer: Viewer, status: number, text: string): void => {
    send(response.status(status), viewer, text, html`<p><a href="/">${WORDS[viewer.language].home}</a></p>`)
  }

  const mayOpen = ({ who }: Viewer, { name }: FunctionAddress): boolean => who.kind === 'operator' || who.address === name

  /** The page at a path, if there is one and the viewer may see it. */
  const viewAt = (path: string, viewer: Viewer): View | undefined => {
    const { pathname, searchParams } = new URL(path, 'http://pages')
    const words = WORDS[viewer.language]
    const query = Object.fromEntries(searchParams)
    const [, name] = /^\/inbox\/([^/]{1,300})$/.exec(pathname) ?? []
    if (name !== undefined) {
      const address = desk.memory.roster.named(decoded(name))
      const behind = readMark(query['behind'])
      return address === undefined || !mayOpen(viewer, address) ? undefined
        : { title: address.profile.name, path, sections: () => inboxPage(served, viewer, address, behind) }
    }
    const { who } = viewer
    const [, id] = /^\/case\/(\d{1,15})$/.exec(pathname) ?? []
    if (who.kind !== 'operator') {
      return id === undefined ? undefined
        : { title: `${words.case} #${id}`, path: pathname, sections: () => casePage(served, who, viewer, Number(id)) }
    }
    if (pathname === '/') return { title: words.overview, path, sections: () => dashboard(served, viewer, numberIn(query['from'])) }
    const asked = queueAsked(query)
    return pathname === '/queue' ? { title: words.queue, path: queuePath(asked), sections: () => queuePage(served, viewer, asked) } : undefined
  }

  // ---- routes

  routes.use(guard(publicUrl, served.language))
  for (const [name, type] of ASSETS) {
    const text = readFileSync(join(__dirname, 'assets', name), 'utf8')
    routes.get(`/assets/${name}`, (_request, response) => { response.set('Cache-Control', 'private, max-age=300').type(type).send(text) })
  }
  routes.use(access.routes)

  routes.get('/events', (request, response) => {
    const viewer = viewerOf(request)
    const asked = String(request.query['view'])
    const view = viewer === undefined || !/^\/(?!\/)/.test(asked) || !URL.canParse(asked, 'http://pages') ? undefined : viewAt(asked, viewer)
    if (viewer === undefined || view === undefined) return void response.status(viewer === undefined ? 401 : 404).end()
    const key = `${viewer.language} ${nameOf(viewer.who)} ${view.path}`
    const mayLook = (): boolean => viewerOf(request) !== undefined
    const watches = live.watch(response, { key, session: access.sessionOf(request), mayLook, read: view.sections })
    if (!watches) response.status(503).set('Retry-After', '60').end()
  })

  routes.get(['/', '/queue', '/inbox/:name', '/case/:id'], async (request, response) => {
    const viewer = viewerOf(request)
    if (viewer === undefined) return response.redirect(303, '/login')
    if (viewer.who.kind === 'agent' && request.path === '/') return response.redirect(303, inboxPath({ name: viewer.who.address }))
    const view = viewAt(request.originalUrl, viewer)
    const sections = await view?.sections()
    if (view === undefined || sections === undefined) return tell(response, viewer, 404, WORDS[viewer.language].gone)
    send(response, viewer, view.title, sectionsOf(sections), { view: view.path })
  })

  const reports = reportRoutes(served, access, (response, viewer, { title, path, body }) => send(response, viewer, title, body, { path }),
    (response, viewer) => tell(response, viewer, 404, WORDS[viewer.language].gone))
  routes.get('/reports', reports.page).get('/reports.csv', reports.csv)
  routes.post('/case/:id/:word', formOf(), acts(served, access, tell))

  /** The operator and the id in the path; answers if it is not the operator who asks. */
  const operatorOf = (request: Request, response: Response): { viewer: Viewer, id: string } | undefined => {
    const viewer = viewerOf(request)
    const id = String(request.params['id'])
    if (viewer === undefined) response.redirect(303, '/login')
    else if (viewer.who.kind !== 'operator' || !LINE_ID.test(id)) tell(response, viewer, 404, WORDS[viewer.language].gone)
    else return { viewer, id }
    return undefined
  }
  routes.get('/queue/:id', async (request, response) => {
    const { viewer, id } = operatorOf(request, response) ?? {}
    if (viewer === undefined || id === undefined) return
    const open = request.query['text'] === '1'
    const line = await queue.show(id, open)
    const words = WORDS[viewer.language]
    if (line === undefined) return tell(response, viewer, 404, words.gone)
    send(response, viewer, `${words.message} ${id}`, queueLinePage(line, served, viewer, open))
  })
  for (const action of ['retry', 'drop'] as const) {
    routes.post(`/queue/:id/${action}`, async (request, response) => {
      const { viewer, id } = operatorOf(request, response) ?? {}
      if (viewer === undefined || id === undefined) return
      const before = await queue.show(id, false)
      const changed = await queue[action](id)
      log.info({ id, action, changed }, 'queue changed by the operator, on a page')
      if (!changed) return tell(response, viewer, 409, WORDS[viewer.language].notChanged)
      response.redirect(303, queuePath({ state: before === undefined || before.state === 'done' ? 'waiting' : before.state }))
    })
  }
  routes.use((error: unknown, request: Request, response: Response, next: express.NextFunction) => {
    if (response.headersSent) return next(error)
    const status = statusOf(error)
    if (status === 503) log.error({ error }, 'a page failed')
    const language = languageOf(request, served.language)
    response.status(status).type('html').send(refusal(language, WORDS[language][status === 503 ? 'later' : 'gone']).text)
  })
  return { routes, stop: live.stop }
}
