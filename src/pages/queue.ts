/** The queue, page by page, and one message of it. */
import { isQueueState, lineOf, QUEUE_STATES, type QueueLine, type QueueState } from '../operate/queue'
import type { QueueMark } from '../store/store'
import { html, type Html } from './html'
import type { Section } from './layout'
import { labelOf, type PagesServed, type Viewer } from './served'
import { ageIn, type Words, WORDS } from './words'

const ROWS_SHOWN = 50

interface Rows { lines: QueueLine[]; next?: QueueMark }

const readRows = async ({ store, queue }: PagesServed, state: QueueState, behind: QueueMark | undefined): Promise<Rows> => {
  if (state === 'quarantine' || state === 'unrouted') return { lines: (await queue.list(state, false)).slice(0, ROWS_SHOWN) }
  const rows = await store.run(tx => tx.pages.rows(state, ROWS_SHOWN + 1, behind))
  const shown = rows.slice(0, ROWS_SHOWN)
  const last = shown.at(-1)
  const next = rows.length > ROWS_SHOWN && last !== undefined ? { next: { network: last.network, place: last.place, id: last.id } } : {}
  return { lines: shown.map(row => lineOf(row, false)), ...next }
}

/** In the path of a page. */
export interface QueueAsked { state: QueueState; behind?: QueueMark }

export const queueAsked = ({ state, behind }: Record<string, unknown>): QueueAsked => {
  const [, id, network = '', place = ''] = /^(\d{1,15})\.([^.]{1,50})\.([^]{0,2000})$/.exec(String(behind)) ?? []
  return { state: isQueueState(state) ? state : 'waiting', ...id !== undefined && { behind: { network, place, id: Number(id) } } }
}

export const queuePath = ({ state, behind }: QueueAsked): string =>
  `/queue?state=${state}${behind === undefined ? '' : `&behind=${encodeURIComponent(`${behind.id}.${behind.network}.${behind.place}`)}`}`

const button = (line: QueueLine, action: 'retry' | 'drop', text: string): Html =>
  html`<form method="post" action="/queue/${line.id}/${action}"><button class="${action}">${text}</button></form>`

const isOf = (states: readonly QueueLine['state'][], { state }: QueueLine): boolean => states.includes(state)
const mayRetry = (line: QueueLine): boolean => isOf(['failed', 'unknown'], line)
const mayDrop = (line: QueueLine): boolean => isOf(['waiting', 'failed', 'unknown', 'quarantine'], line)

const rowOf = (line: QueueLine, served: PagesServed, words: Words): Html => html`<tr>
<td class="number"><a href="/queue/${line.id}">${line.id}</a></td>
<td>${labelOf(served, line.network)} <bdi>${line.place}</bdi>${line.reason !== undefined && html`<p class="why"><bdi>${line.reason}</bdi></p>`}</td>
<td class="age">${ageIn(words, served.clock.now() - line.since)}</td>
<td class="acts">${mayRetry(line) && button(line, 'retry', words.retry)}</td></tr>\n`

export const queuePage = async (served: PagesServed, { language }: Viewer, asked: QueueAsked): Promise<Section[]> => {
  const words = WORDS[language]
  const { lines, next } = await readRows(served, asked.state, asked.behind)
  const tabs = html`<nav class="tabs" aria-label="${words.state}">${QUEUE_STATES.map(state =>
    html`<a href="${queuePath({ state })}"${state === asked.state && html` aria-current="page"`}>${words.queueStates[state]}</a> `)}</nav>`
  return [['rows', html`${tabs}${lines.length === 0 ? html`<p class="empty">${words.none}</p>` : html`<table class="rows"><thead><tr>
<th scope="col">${words.message}</th><th scope="col">${words.place}</th><th scope="col">${words.since}</th>
<th scope="col"><span class="unseen">${words.retry}</span></th>
</tr></thead><tbody>${lines.map(line => rowOf(line, served, words))}</tbody></table>`}
<p class="pages">${asked.behind !== undefined && html`<a href="${queuePath({ state: asked.state })}">${words.first}</a> `}${
  next !== undefined && html`<a href="${queuePath({ state: asked.state, behind: next })}">${words.more}</a>`}</p>`]]
}

const field = (name: string, value: string | number | undefined): Html =>
  html`${value !== undefined && value !== '' && html`<div><dt>${name}</dt><dd><bdi>${value}</bdi></dd></div>`}`

/** One message. `open`: with its text and whole numbers. */
export const queueLinePage = (line: QueueLine, served: PagesServed, { language }: Viewer, open: boolean): Html => {
  const words = WORDS[language]
  return html`<section class="one"><dl class="fields">
${field(words.state, words.queueStates[line.state])}${field(words.place, `${labelOf(served, line.network)} ${line.place}`)}
${field(words.from, line.from)}
${field(words.when, new Date(line.since).toLocaleString(language, { timeZoneName: 'short' }))}${field(words.tries, line.attempt)}
${field(words.because, line.reason)}</dl>
${line.text !== undefined && html`<blockquote><bdi>${line.text}</bdi></blockquote>`}
<p><a href="/queue/${line.id}${open ? '' : '?text=1'}">${open ? words.hideText : words.showText}</a></p>
<div class="acts">${mayRetry(line) && button(line, 'retry', words.retry)}${mayDrop(line) && button(line, 'drop', words.drop)}</div>
${mayDrop(line) && html`<p class="quiet">${words.dropHint}</p>`}
<p><a href="${queuePath(line.state === 'done' ? { state: 'waiting' } : { state: line.state })}">${words.back}</a></p></section>`
}
