/**
 * How somebody gets in: the operator with the token, somebody of a team by a link that they got alone in their chat (src/desk/page-link.ts). A link
 * only shows a button: apps and servers open links by themselves, for previews. Tries are bounded, for each reader and for all. A login
 * always gives a new session, and ends the one that the browser had before.
 */
import express, { type Request, type Response } from 'express'
import { agentKey } from '../desk/address'
import { makeAllowance } from '../lib/allowance'
import { digestOf, sameSecret } from '../lib/secret'
import { readerOf } from '../operate/reader'
import { cookie, cookieOf, isSecure, languageOf } from './guard'
import { html } from './html'
import { pageOf } from './layout'
import { inboxPath, type PagesServed, type Viewer } from './served'
import { makeSessions, SESSION_MS, type Who } from './sessions'
import { WORDS } from './words'

export interface Access {
  routes: express.Router
  /** Undefined if nobody is logged in there. */
  viewerOf (request: Request): Viewer | undefined
  sessionOf (request: Request): string
}

const SESSION = 'zentrale_session'
const LINK = /^[\w-]{20}$/
const FORM_BYTES_MAX = 4096
export const TRIES_MAX = 300 // to log in, in a minute, of all
export const TRIES_OF_ONE_MAX = 10

export const formOf = (): express.RequestHandler => express.urlencoded({ extended: false, limit: FORM_BYTES_MAX })

/** A field of a form; without it, the empty text. */
export const fieldOf = ({ body }: Request<unknown, unknown, unknown>, name: string): string => {
  const value: unknown = typeof body === 'object' && body !== null ? Object.entries(body).find(([key]) => key === name)?.[1] : undefined
  return typeof value === 'string' ? value : ''
}

export const makeAccess = (served: PagesServed): Access => {
  const { desk, store, token, publicUrl, clock, chance, log } = served
  const sessions = makeSessions(clock, chance)
  const tries = makeAllowance(clock, TRIES_MAX, TRIES_OF_ONE_MAX)
  const routes = express.Router()

  const isThere = (who: Who): boolean => who.kind === 'operator' ||
    desk.memory.roster.named(who.address)?.team.some(agent => agentKey(agent) === who.key) === true

  /** With TLS a name that no other host of the domain can set, so that nobody plants a session. */
  const nameFor = (request: Request): string => isSecure(request, publicUrl) ? `__Host-${SESSION}` : SESSION
  const sessionOf = (request: Request): string | undefined => cookieOf(request, nameFor(request))
  const setSession = (request: Request, response: Response, id: string, seconds: number): void => {
    response.append('Set-Cookie', cookie(nameFor(request), id, seconds, isSecure(request, publicUrl)))
  }

  const begin = (request: Request, response: Response, who: Who): void => {
    sessions.end(sessionOf(request))
    const id = sessions.begin(who)
    log.info({ who: who.kind, ...who.kind === 'agent' && { address: who.address } }, 'somebody has logged in to the pages')
    setSession(request, response, id, SESSION_MS / 1000)
    response.redirect(303, who.kind === 'operator' ? '/' : inboxPath({ name: who.address }))
  }

  const loginPage = (request: Request, response: Response, status = 200, why?: string): void => {
    const language = languageOf(request, served.language)
    const words = WORDS[language]
    response.status(status).type('html').send(pageOf({ title: words.logIn, language, nav: [], mayLogOut: false }, html`
<form class="login" method="post" action="/login">${why !== undefined && html`<p class="bad" role="alert">${why}</p>`}
<label for="token">${words.token}</label><input id="token" name="token" type="password" autocomplete="current-password" required autofocus>
<button>${words.logIn}</button><p class="quiet">${words.tokenHint}</p><p class="quiet">${words.teamHint}</p></form>`).text)
  }

  const linkPage = (request: Request, response: Response, link: string): void => {
    const language = languageOf(request, served.language)
    const words = WORDS[language]
    response.type('html').send(pageOf({ title: words.logIn, language, nav: [], mayLogOut: false }, html`
<form class="login" method="post" action="/link"><p>${words.byLink}</p><input type="hidden" name="link" value="${link}">
<button autofocus>${words.logIn}</button></form>`).text)
  }

  routes.get('/login', (request, response) => loginPage(request, response))
  routes.post('/login', formOf(), (request, response) => {
    const words = WORDS[languageOf(request, served.language)]
    if (!tries.take([readerOf(request) ?? ''])) return loginPage(request, response, 429, words.tooOften)
    if (sameSecret(fieldOf(request, 'token'), token)) return begin(request, response, { kind: 'operator' })
    log.warn({ from: request.socket.remoteAddress }, 'somebody gave a wrong token to the pages')
    loginPage(request, response, 403, words.wrongToken)
  })
  routes.get('/link/:link', (request, response) => {
    const { link } = request.params
    if (LINK.test(link)) linkPage(request, response, link)
    else loginPage(request, response, 404, WORDS[languageOf(request, served.language)].deadLink)
  })
  routes.post('/link', formOf(), async (request, response) => {
    const words = WORDS[languageOf(request, served.language)]
    if (!tries.take([readerOf(request) ?? ''])) return loginPage(request, response, 429, words.tooOften)
    const login = await store.run(tx => tx.pages.takeLogin(digestOf(fieldOf(request, 'link')), clock.now()))
    const who = login && { kind: 'agent', address: login.address, key: login.agent } as const
    if (who !== undefined && isThere(who)) return begin(request, response, who)
    log.warn({ from: request.socket.remoteAddress }, 'somebody brought a link to the pages that lets nobody in')
    loginPage(request, response, 403, words.deadLink)
  })
  routes.post('/logout', (request, response) => {
    sessions.end(sessionOf(request))
    setSession(request, response, '', 0)
    response.redirect(303, '/login')
  })

  return {
    routes,
    viewerOf (request) {
      const who = sessions.find(sessionOf(request))
      return who !== undefined && isThere(who) ? { who, language: languageOf(request, served.language) } : undefined
    },
    sessionOf: request => sessionOf(request) ?? ''
  }
}
