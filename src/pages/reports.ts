/** The report of an address and month, as `zentrale report` gives it, to read, to print and for a spreadsheet. It is not live: a month is long. */
import type { RequestHandler, Response } from 'express'
import type { FunctionAddress } from '../desk/address'
import { isoDay, offsetAt } from '../desk/hours'
import { reportCsv } from '../reports/forms'
import { MONTH, report, type Report } from '../reports/report'
import { headOf, type Table, tablesOf, zoneOf } from '../reports/tables'
import type { Access } from './access'
import { html, type Html } from './html'
import { labelOf, type PagesServed, type Viewer } from './served'
import { type Words, WORDS } from './words'

const MONTH_DIGITS = 7 // 2026-11

interface Asked { address: FunctionAddress; month: string }

const askedOf = ({ desk, clock }: PagesServed, { name, month }: Record<string, unknown>): Asked | undefined => {
  const address = name === undefined ? desk.memory.roster.all()[0] : desk.memory.roster.named(String(name))
  if (address === undefined) return undefined
  const now = clock.now()
  return { address, month: MONTH.test(String(month)) ? String(month) : isoDay(now + offsetAt(address.zone, now)).slice(0, MONTH_DIGITS) }
}

const queryOf = ({ address, month }: Asked): string => `name=${encodeURIComponent(address.name)}&month=${month}`

const made = ({ store }: PagesServed, { address, month }: Asked, { language }: Viewer): Promise<Report> =>
  report(store, { ...address, title: address.profile.name, language }, month)

const tableOf = ({ title, head, rows }: Table): Html => html`<h2>${title}</h2><table class="numbers"><thead><tr>${head.map(one =>
  one === '' ? html`<td></td>` : html`<th scope="col">${one}</th>`)}</tr></thead><tbody>${rows.map(([first = '', ...rest]) =>
  html`<tr><th scope="row"><bdi>${first}</bdi></th>${rest.map(cell => html`<td>${cell}</td>`)}</tr>\n`)}</tbody></table>\n`

const askForm = ({ desk }: PagesServed, { address, month }: Asked, words: Words): Html => html`<form class="acts asks" method="get" action="/reports">
<label>${words.address} <select name="name">${desk.memory.roster.all().map(({ name, profile }) =>
  html`<option value="${name}"${name === address.name && html` selected`}>${profile.name}</option>`)}</select></label>
<label>${words.month} <input type="month" name="month" value="${month}" required pattern="[0-9]{4}-[0-9]{2}"></label>
<button>${words.show}</button></form>`

const bodyOf = async (served: PagesServed, asked: Asked, viewer: Viewer): Promise<Html> => {
  const words = WORDS[viewer.language]
  const found = await made(served, asked, viewer)
  return html`<section class="one">${askForm(served, asked, words)}</section>
<section class="one report"><h2>${headOf(found)}</h2><p class="quiet">${zoneOf(found)}</p>
${tablesOf(found, network => labelOf(served, network)).map(tableOf)}
<p class="pages"><a href="/reports.csv?${queryOf(asked)}" download>${words.csv}</a></p></section>`
}

interface Shown { title: string; path: string; body: Html }

/** GET /reports and /reports.csv, for the operator. Without a name, of the first address; without a month, of the present one. */
export const reportRoutes = (served: PagesServed, { viewerOf }: Access, show: (response: Response, viewer: Viewer, shown: Shown) => void,
  gone: (response: Response, viewer: Viewer) => void): { page: RequestHandler, csv: RequestHandler } => {
  const asking = (then: (response: Response, viewer: Viewer, asked: Asked) => Promise<void>): RequestHandler => async (request, response) => {
    const viewer = viewerOf(request)
    if (viewer === undefined) return response.redirect(303, '/login')
    const asked = viewer.who.kind === 'operator' ? askedOf(served, request.query) : undefined
    if (asked === undefined) return gone(response, viewer)
    await then(response, viewer, asked)
  }
  return {
    page: asking(async (response, viewer, asked) => {
      show(response, viewer, { title: WORDS[viewer.language].reports, path: `/reports?${queryOf(asked)}`, body: await bodyOf(served, asked, viewer) })
    }),
    csv: asking(async (response, viewer, asked) => {
      const text = reportCsv(await made(served, asked, viewer), network => labelOf(served, network))
      response.attachment(`${asked.address.slug}-${asked.month}.csv`).type('text/csv; charset=utf-8').send(text)
    })
  }
}
