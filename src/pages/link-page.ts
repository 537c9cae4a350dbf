/**
 * The page of an address for everybody: its name, its hours, and all ways to write to it, as links that open the right app. It is public and the
 * same for all who speak a language, asks nobody for anything, needs no script, and loads nothing from elsewhere. It is served by media.listen.
 */
import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import express, { type Request, type Response } from 'express'
import { hoursInWords } from '../config/opening'
import type { FunctionAddress, Roster } from '../desk/address'
import { isOpen, nextOpening, showTime } from '../desk/hours'
import type { Clock } from '../lib/clock'
import { qrOf, type Way } from '../operate/contact'
import { languageAmong } from './guard'
import { html, type Html, linkTo } from './html'
import { type Language, type Words, WORDS } from './words'

export interface LinkPagesServed { roster: Pick<Roster, 'all' | 'named'>; ways (address: FunctionAddress): Way[]; publicUrl: string; clock: Clock }

const FRESH_SECONDS = 60 // whether it is open may change meanwhile
const DAY_SECONDS = 86_400
const STYLE = readFileSync(join(__dirname, 'assets', 'style.css'), 'utf8')

const HEADERS = {
  'Content-Security-Policy': "default-src 'none'; style-src 'self'; img-src 'self'; form-action 'none'; base-uri 'none'; frame-ancestors 'none'",
  'Cross-Origin-Opener-Policy': 'same-origin', 'Cache-Control': `public, max-age=${FRESH_SECONDS}`, Vary: 'Accept-Language'
}

const openNow = ({ hours, zone }: FunctionAddress, language: Language, now: number): Html => {
  const words = WORDS[language]
  const next = nextOpening(hours, now)
  if (hours === undefined) return html``
  const state = isOpen(hours, now) ? html`<strong class="good">${words.isOpen}</strong>`
    : html`<strong>${words.isClosed}</strong>${next !== undefined && html` ${words.openAgain(showTime(next, zone, language, now))}`}`
  return html`<section class="one"><h2>${words.hours}</h2><p>${state}</p><p class="quiet">${hoursInWords(hours, language)}</p></section>\n`
}

const wayOf = ({ label, shown, href, uri }: Way, words: Words): Html => html`<li><a class="way" href="${href}"><strong>${label}</strong>
<bdi>${shown}</bdi></a>${uri !== href && html`<a class="quiet" href="${uri}">${words.inApp}</a>`}</li>\n`

const linkOf = (url: string | undefined, text: string): Html => html`${url !== undefined && html`<a href="${linkTo(url)}">${text}</a> `}`

/** The page in one language, at one time. */
const pageOf = (address: FunctionAddress, language: Language, { ways, clock }: LinkPagesServed): string => {
  const { profile: { name, website, logo }, slug, privacy, linkPage } = address
  const words = WORDS[language]
  const other: Language = language === 'de' ? 'en' : 'de'
  return html`<!doctype html>
<html lang="${language}">
<head><meta charset="utf-8"><meta name="viewport" content="width=device-width, initial-scale=1"><meta name="color-scheme" content="light dark">
<title>${name}</title><meta name="description" content="${linkPage?.about ?? ''}"><link rel="stylesheet" href="style.css"></head>
<body class="public"><main id="main">
<header>${logo !== undefined && html`<img class="logo" src="${slug}/logo" alt="">`}<h1><bdi>${name}</bdi></h1>
<a class="quiet" href="?language=${other}" hreflang="${other}" lang="${other}">${WORDS[other].name}</a></header>
${linkPage !== undefined && linkPage.about !== '' && html`<p class="about">${linkPage.about}</p>`}
<section class="one"><h2>${words.writeUs}</h2><ul class="ways">
${ways(address).map(way => wayOf(way, words))}</ul></section>
${openNow(address, language, clock.now())}
<section class="one"><h2>${words.forPhone}</h2><p><img class="qr" src="${slug}/qr.svg" alt="${words.qr}"></p></section>
</main><footer><p>${linkOf(website, words.website)}${linkOf(linkPage?.imprint, words.imprint)}${linkOf(privacy, words.privacy)}</p></footer>
</body></html>`.text
}

/** In place of a page that is not there. */
const noPage = (language: Language): string => html`<!doctype html>
<html lang="${language}">
<head><meta charset="utf-8"><meta name="viewport" content="width=device-width, initial-scale=1"><meta name="color-scheme" content="light dark">
<title>${WORDS[language].noPage}</title></head>
<body><main><p>${WORDS[language].noPage}</p></main></body></html>`.text

/** GET /to/…: the pages of addresses, and what they load. All else goes on to whatever comes behind. */
export const makeLinkPages = (served: LinkPagesServed): express.Router => {
  const { roster, publicUrl, clock } = served
  const made = new Map<string, { at: number, of: FunctionAddress, text: string }>() // one for each address and language
  const routes = express.Router()

  const hasPage = ({ linkPage, retired }: FunctionAddress): boolean => linkPage !== undefined && retired === undefined
  const named = (request: Request): FunctionAddress | undefined =>
    roster.all().find(one => one.slug === request.params['slug'] && hasPage(one))

  /** Whoever types it writes umlauts and capitals. */
  const spelt = (written: string): FunctionAddress | undefined =>
    [roster.named(written), ...roster.all().filter(({ slug }) => slug === written.toLowerCase())].find(one => one !== undefined && hasPage(one))

  const textOf = (address: FunctionAddress, language: Language): string => {
    const key = `${language} ${address.slug}`
    const before = made.get(key)
    if (before !== undefined && before.of === address && clock.tick() - before.at < FRESH_SECONDS * 1000) return before.text
    const text = pageOf(address, language, served)
    made.set(key, { at: clock.tick(), of: address, text })
    return text
  }

  const asPicture = (response: Response, mime: string, picture: string | Buffer): void => {
    response.set('Content-Security-Policy', "default-src 'none'; sandbox").type(mime).send(picture)
  }

  routes.use('/to', (_request, response, next) => {
    response.removeHeader('X-Robots-Tag')
    response.set(HEADERS)
    next()
  })
  routes.get('/to/style.css', (_request, response) => {
    response.set('Cache-Control', `public, max-age=${DAY_SECONDS}`).type('text/css').send(STYLE)
  })
  routes.get('/to/:slug', (request, response) => {
    const address = named(request)
    if (address === undefined) {
      const meant = spelt(request.params.slug)
      if (meant !== undefined) return response.redirect(meant.slug)
      return void response.status(404).set('Cache-Control', 'no-store').type('html').send(noPage(languageAmong(request, [], 'de')))
    }
    response.type('html').send(textOf(address, languageAmong(request, [request.query['language']], address.language)))
  })
  routes.get('/to/:slug/qr.svg', (request, response, next) => {
    const address = named(request)
    if (address === undefined) return next()
    asPicture(response, 'image/svg+xml', qrOf(address, publicUrl))
  })
  routes.get('/to/:slug/logo', (request, response, next) => {
    const logo = named(request)?.profile.logo
    if (logo === undefined) return next()
    asPicture(response, logo.mime, Buffer.from(logo.bytes))
  })
  return routes
}
