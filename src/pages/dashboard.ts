/** The operator's overview. What it reads is bounded by what it shows, however long the queue is and however many cases there are. */
import type { FunctionAddress } from '../desk/address'
import { maskNumbers } from '../lib/log'
import type { ConnectionState } from '../operate/metrics'
import { lineOf, type QueueLine } from '../operate/queue'
import type { OutboxState, Tx } from '../store/store'
import { caseCounts, type Cases, caseTable, readCases } from './cases'
import { curveOf } from './figures'
import { html, type Html } from './html'
import type { Section } from './layout'
import { inboxPath, labelOf, type PagesServed, type Viewer } from './served'
import { readToday, type Today, todayOf } from './today'
import { ageIn, countIn, WORDS, type Words } from './words'

const ADDRESSES_SHOWN = 20
const CASES_SHOWN = 6
const PROBLEMS_SHOWN = 5
export const COUNTED_MAX = 1000
const COUNTED: readonly OutboxState[] = ['waiting', 'sending', 'failed', 'unknown']
const TO_DECIDE: readonly OutboxState[] = ['failed', 'unknown']

interface Read {
  counts: { network: string, state: OutboxState, count: number }[]
  oldest: QueueLine | undefined
  problems: QueueLine[]
  addresses: { address: FunctionAddress, cases: Cases, today: Today }[]
}

const read = async (tx: Tx, { networks, clock }: PagesServed, addresses: FunctionAddress[]): Promise<Read> => {
  const counts: Read['counts'] = []
  for (const { name: network } of networks) {
    for (const state of COUNTED) counts.push({ network, state, count: await tx.pages.count(state, network, COUNTED_MAX) })
  }
  const waiting = [await tx.pages.oldest('sending'), await tx.pages.oldest('waiting')].flatMap(row => row ?? [])
  const [oldest] = waiting.toSorted((one, other) => one.queuedAt - other.queuedAt)
  const problems = (await Promise.all(TO_DECIDE.map(state => tx.pages.rows(state, PROBLEMS_SHOWN)))).flat()
  return {
    counts, oldest: oldest && lineOf(oldest, false),
    problems: problems.toSorted((one, other) => other.queuedAt - one.queuedAt).slice(0, PROBLEMS_SHOWN).map(row => lineOf(row, false)),
    addresses: await Promise.all(addresses.map(async address => ({
      address, cases: await readCases(tx, address, CASES_SHOWN), today: await readToday(tx, address, clock.now())
    })))
  }
}

// ---- the sections

const wellness = (links: ConnectionState[], { counts, oldest }: Read, served: PagesServed, words: Words): Html => {
  const down = links.filter(({ up }) => !up).length
  const toDecide = counts.filter(({ state }) => TO_DECIDE.includes(state)).reduce((sum, { count }) => sum + count, 0)
  const silent = served.networks.some(({ name }) => !links.some(({ network }) => network === name))
  const told = down > 0 ? words.linksDown(down) : silent ? words.starting : words.allWell
  return html`<p class="wellness ${down > 0 ? 'bad' : silent ? 'fair' : 'good'}">
<span class="lamp" aria-hidden="true"></span><strong>${told}</strong></p>
${toDecide > 0 && html`<p class="decide"><a href="/queue?state=failed">${words.toDecide(countIn(toDecide, COUNTED_MAX))}</a></p>`}
<p class="oldest">${oldest === undefined ? words.nothingWaits : html`${words.oldest}: <a href="/queue/${oldest.id}">${labelOf(served, oldest.network)}
<bdi>${oldest.place}</bdi></a>, ${words.waitsSince(ageIn(words, served.clock.now() - oldest.since))}`}</p>`
}

const flowSection = ({ networks, flow }: PagesServed, words: Words): Html => html`<h2>${words.flow}</h2><div class="cards">
${networks.map(({ name, label }) => {
  const flows = flow.of(name)
  const now = { in: flows.in.minutes.at(-1) ?? 0, out: flows.out.minutes.at(-1) ?? 0 }
  const said = `${label}: ${now.in} ${words.arrived}, ${now.out} ${words.delivered}, ${words.thisMinute}`
  return html`<article class="card"><h3>${label}</h3>${curveOf(flows, said)}
<dl class="totals"><div class="in"><dt>${words.arrived}</dt><dd data-total="${name} in">${flows.in.total}</dd></div>
<div class="out"><dt>${words.delivered}</dt><dd data-total="${name} out">${flows.out.total}</dd></div></dl></article>\n`
})}</div><p class="quiet">${words.flowHint}</p>`

const linksSection = (links: ConnectionState[], served: PagesServed, words: Words): Html => html`<h2>${words.links}</h2>
${links.length === 0 ? html`<p class="empty">${words.noLinks}</p>` : html`<ul class="links">
${links.toSorted((one, other) => Number(one.up) - Number(other.up)).map(({ network, name, up, since, detail }) => html`
<li class="${up ? 'up' : 'down'}">
<span class="lamp" aria-hidden="true"></span><strong>${labelOf(served, network)}</strong> <bdi>${name}</bdi>
<span class="quiet">${up ? words.up : words.down}, ${words.waitsSince(ageIn(words, served.clock.now() - since))}</span>
${!up && detail !== undefined && html`<p class="why"><bdi>${maskNumbers(detail)}</bdi></p>`}</li>\n`)}</ul>`}`

const queueSection = ({ counts, problems }: Read, served: PagesServed, words: Words): Html => html`<h2><a href="/queue">${words.queue}</a></h2>
<table class="numbers"><thead><tr><th scope="col">${words.network}</th>${COUNTED.map(state =>
  html`<th scope="col"><a href="/queue?state=${state}">${words.queueStates[state]}</a></th>`)}</tr></thead><tbody>
${served.networks.map(({ name, label }) => html`<tr><th scope="row">${label}</th>${counts.filter(({ network }) => network === name)
  .map(({ state, count }) => html`<td class="${count > 0 ? state : 'none'}">${countIn(count, COUNTED_MAX)}</td>`)}</tr>\n`)}</tbody></table>
${problems.length > 0 && html`<ul class="problems">${problems.map(line => html`<li><a href="/queue/${line.id}">${labelOf(served, line.network)}
<bdi>${line.place}</bdi></a> <span class="state ${line.state}">${words.queueStates[line.state]}</span>
${line.reason !== undefined && html`<p class="why"><bdi>${line.reason}</bdi></p>`}</li>\n`)}</ul>`}`

const addressSection = ({ address, cases, today }: Read['addresses'][number], served: PagesServed, words: Words): Html => html`
<article class="card address">
<h3><a href="${inboxPath(address)}"><bdi>${address.profile.name}</bdi></a></h3>${caseCounts(cases, words)}
${todayOf(today, words)}${caseTable(served, address, cases.shown, { words, now: served.clock.now(), isTeam: false })}
${cases.next !== undefined && html`<p><a href="${inboxPath(address)}">${words.all}</a></p>`}</article>\n`

/** `from`: the first of the addresses that are shown. */
export const dashboard = async (served: PagesServed, { language }: Viewer, from: number): Promise<Section[]> => {
  const words = WORDS[language]
  const all = served.desk.memory.roster.all().filter(({ retired }) => retired === undefined)
  const found = await served.store.run(tx => read(tx, served, all.slice(from, from + ADDRESSES_SHOWN)))
  const links = served.connections()
  const more = html`<p class="pages">${from > 0 && html`<a href="/">${words.first}</a>`}${
    from + ADDRESSES_SHOWN < all.length && html` <a href="/?from=${from + ADDRESSES_SHOWN}">${words.more}</a>`}</p>`
  return [
    ['wellness', wellness(links, found, served, words)],
    ['flow', flowSection(served, words)],
    ['links', linksSection(links, served, words)],
    ['queue', queueSection(found, served, words)],
    ['addresses', all.length === 0 ? html`` : html`<h2>${words.addresses}</h2><div class="cards wide">
${found.addresses.map(one => addressSection(one, served, words))}</div>${more}`]
  ]
}
