/** The frame of every page. What changes by itself stands in sections, each of which live.js replaces by its id. */
import { html, type Html } from './html'
import { type Language, WORDS } from './words'

/** A part of a page that is shown anew when it changes. */
export type Section = readonly [id: string, body: Html]

/**
 * `view`: the path of the page, which is also asked for its sections. Without it, nothing is live, and `path` is the path. `nav`: links to other
 * pages.
 */
export interface Page {
  title: string; language: Language; view?: string; path?: string; nav: readonly (readonly [href: string, text: string])[]; mayLogOut: boolean
}

const withQuery = (view: string, key: string, value: string): string => `${view}${view.includes('?') ? '&' : '?'}${key}=${value}`

const languages = ({ language, view, path = view ?? '' }: Page): Html => {
  const other: Language = language === 'de' ? 'en' : 'de'
  return html`<a class="quiet" href="${withQuery(path, 'language', other)}" hreflang="${other}" lang="${other}">${WORDS[other].name}</a>`
}

const header = (page: Page): Html => {
  const words = WORDS[page.language]
  return html`<header class="top"><a class="brand" href="/"><span class="mark" aria-hidden="true"></span>Zentrale</a>
<nav aria-label="${words.title}">${page.nav.map(([href, text]) =>
  html`<a href="${href}"${(page.view ?? page.path)?.split('?')[0] === href && html` aria-current="page"`}>${text}</a>`)}</nav>
<div class="tools">${languages(page)}${page.mayLogOut && html`<form method="post" action="/logout">
<button class="quiet">${words.logOut}</button></form>`}</div>
</header>`
}

export const sectionsOf = (sections: readonly Section[]): Html =>
  html`${sections.map(([id, body]) => html`<section id="${id}">${body}</section>\n`)}`

export const pageOf = (page: Page, body: Html): Html => {
  const words = WORDS[page.language]
  return html`<!doctype html>
<html lang="${page.language}">
<head><meta charset="utf-8"><meta name="viewport" content="width=device-width, initial-scale=1"><meta name="color-scheme" content="light dark">
<title>${page.title} · Zentrale</title><link rel="icon" href="/assets/icon.svg"><link rel="stylesheet" href="/assets/style.css">
${page.view !== undefined && html`<script src="/assets/live.js" defer></script>`}</head>
<body${page.view !== undefined && html` data-live="/events?view=${encodeURIComponent(page.view)}"`}>
<a class="skip" href="#main">${words.skip}</a>
${header(page)}
<main id="main">
<h1>${page.title}</h1>
${body}</main>
${page.view !== undefined && html`<footer><p id="live" role="status" hidden data-live="${words.live}" data-stale="${words.stale}"></p></footer>`}
</body></html>`
}
