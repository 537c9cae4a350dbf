/**
 * What every page is guarded by. Pages answer only under names that cannot be rebound to this machine: IP addresses, localhost and the host
 * of operate.public_url. Whatever changes something must come from a page of the same origin. Nothing is loaded from elsewhere, no script
 * or style stands in a page, and no other site may show one in a frame.
 */
import { isIP } from 'node:net'
import type { Request, RequestHandler } from 'express'
import { html, type Html } from './html'
import { type Language, WORDS } from './words'

export const HEADERS = {
  'Content-Security-Policy': "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self'; connect-src 'self'; form-action 'self'; " +
    "base-uri 'none'; frame-ancestors 'none'",
  'Referrer-Policy': 'same-origin', // with no-referrer, browsers would send no origin with a form
  'Cross-Origin-Opener-Policy': 'same-origin', 'Cross-Origin-Resource-Policy': 'same-origin', 'X-Content-Type-Options': 'nosniff',
  'X-Robots-Tag': 'noindex', 'Cache-Control': 'no-store'
}

/** Undefined if it is none. */
const urlOf = (text: string | undefined): URL | undefined => text !== undefined && URL.canParse(text) ? new URL(text) : undefined

const hostOf = ({ headers }: Request): URL | undefined => urlOf(headers.host === undefined ? undefined : `http://${headers.host}`)

const isKnown = (name: string, publicUrl: string | undefined): boolean =>
  isIP(name.replace(/^\[|\]$/g, '')) !== 0 || name === 'localhost' || name === urlOf(publicUrl)?.hostname

const isOurs = (request: Request): boolean => {
  const { origin } = request.headers
  if (origin === 'null') return false
  return origin === undefined ? request.headers['sec-fetch-site'] === 'same-origin' : urlOf(origin)?.host === hostOf(request)?.host
}

export const cookieOf = ({ headers: { cookie = '' } }: Request, name: string): string | undefined =>
  cookie.split(';').map(part => part.trim()).find(part => part.startsWith(`${name}=`))?.slice(name.length + 1)

const LANGUAGE = 'zentrale_language'

export const cookie = (name: string, value: string, seconds: number, isSecure: boolean): string =>
  `${name}=${value}; Path=/; HttpOnly; SameSite=Strict; Max-Age=${seconds}${isSecure ? '; Secure' : ''}`

const isLanguage = (word: unknown): word is Language => word === 'de' || word === 'en'

/** The first of these that is one, or else the browser's. */
export const languageAmong = (request: Request, words: unknown[], otherwise: Language): Language => {
  const chosen = words.find(isLanguage)
  if (chosen !== undefined) return chosen
  const accepted = request.headers['accept-language'] === undefined ? false : request.acceptsLanguages('de', 'en')
  return isLanguage(accepted) ? accepted : otherwise
}

/** Chosen on the page, or else by the browser. */
export const languageOf = (request: Request, otherwise: Language): Language =>
  languageAmong(request, [request.query['language'], cookieOf(request, LANGUAGE)], otherwise)

const YEAR_SECONDS = 31_536_000

export const refusal = (language: Language, text: string): Html => html`<!doctype html><html lang="${language}"><title>Zentrale</title><p>${text}`

export const guard = (publicUrl: string | undefined, otherwise: Language): RequestHandler => (request, response, next) => {
  response.set(HEADERS)
  const language = languageOf(request, otherwise)
  const words = WORDS[language]
  const refuse = (status: number, text: string): void => { response.status(status).type('html').send(refusal(language, text).text) }
  if (!isKnown(hostOf(request)?.hostname ?? '', publicUrl)) return refuse(421, words.wrongHost)
  if (request.method !== 'GET' && request.method !== 'HEAD' && !isOurs(request)) return refuse(403, words.wrongOrigin)
  if (isLanguage(request.query['language'])) {
    response.append('Set-Cookie', cookie(LANGUAGE, request.query['language'], YEAR_SECONDS, isSecure(request, publicUrl)))
  }
  next()
}

/** Whether the browser reached us by TLS, as far as we know. */
export const isSecure = (request: Request, publicUrl: string | undefined): boolean =>
  publicUrl?.startsWith('https:') === true && hostOf(request)?.hostname === urlOf(publicUrl)?.hostname
