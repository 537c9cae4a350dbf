/** The open cases of an address: unanswered first, and of these the one that waits longest on top. */
import type { FunctionAddress } from '../desk/address'
import { ownerName, shownName, textsOf } from '../desk/shown'
import { maskNumbers } from '../lib/log'
import type { Conversation } from '../store/desk'
import type { CaseMark, Tx } from '../store/store'
import { html, type Html } from './html'
import { labelOf, type PagesServed } from './served'
import { ageIn, countIn, type Words } from './words'

/** Beyond that, a page says that there are more. */
export const COUNTED_MAX = 100

export interface Cases { unanswered: number; open: number; shown: Conversation[]; next?: CaseMark }

const markOf = ({ awaits, heardAt, openedAt, id }: Conversation): CaseMark => ({ answered: !awaits, at: heardAt ?? openedAt, id })

export const readCases = async ({ pages }: Tx, { name }: FunctionAddress, most: number, behind?: CaseMark): Promise<Cases> => {
  const found = await pages.cases(name, most + 1, behind)
  const shown = found.slice(0, most)
  const last = shown.at(-1)
  const unanswered = await pages.countCases(name, false, COUNTED_MAX)
  const answered = await pages.countCases(name, true, COUNTED_MAX)
  const open = Math.min(unanswered + answered, COUNTED_MAX)
  return { unanswered, open, shown, ...found.length > most && last !== undefined && { next: markOf(last) } }
}

export const writeMark = ({ answered, at, id }: CaseMark): string => `${answered ? 1 : 0}.${at}.${id}`

export const readMark = (written: unknown): CaseMark | undefined => {
  const [, answered, at, id] = /^([01])\.(\d{1,15})\.(\d{1,15})$/.exec(String(written)) ?? []
  return answered === undefined ? undefined : { answered: answered === '1', at: Number(at), id: Number(id) }
}

/** With its whole number only for the team. */
const contactOf = ({ desk }: Pick<PagesServed, 'desk'>, address: FunctionAddress, one: Conversation, isTeam: boolean): string => {
  const shown = shownName(desk.memory, textsOf(address), one)
  return isTeam ? shown : maskNumbers(shown)
}

/** `now`: ms since 1970. `link`: where a case leads to, if anywhere. */
export interface Look { words: Words; now: number; isTeam: boolean; link?: (one: Conversation) => string; act?: (one: Conversation) => Html }

export const caseTable = (served: PagesServed, address: FunctionAddress, cases: readonly Conversation[], look: Look): Html => {
  const { words, now, isTeam, link, act } = look
  if (cases.length === 0) return html`<p class="empty">${words.noCases}</p>`
  const number = (one: Conversation): Html => link === undefined ? html`#${one.id}` : html`<a href="${link(one)}">#${one.id}</a>`
  return html`<table class="cases"><thead><tr>
<th scope="col">${words.case}</th><th scope="col">${words.contact}</th><th scope="col">${words.waits}</th>
<th scope="col">${words.has}</th>${act !== undefined && html`<th scope="col"><span class="unseen">${words.state}</span></th>`}</tr></thead><tbody>
${cases.map(one => html`<tr class="${one.awaits ? 'awaits' : 'rests'}"><td class="number">${number(one)}</td>
<td><bdi class="who">${contactOf(served, address, one, isTeam)}</bdi> <span class="net">${labelOf(served, one.contact.network)}</span>${
  one.labels.map(label => html` <span class="label"><bdi>${label}</bdi></span>`)}${
  isTeam && address.wordsOnPage && one.excerpt !== undefined && html`<p class="excerpt"><bdi>${one.excerpt}</bdi></p>`}</td>
<td class="age">${one.awaits ? html`<strong>${ageIn(words, now - (one.heardAt ?? one.openedAt))}</strong>` : html`<span class="quiet">–</span>`}</td>
<td>${one.owner === undefined ? html`<em>${words.nobody}</em>` : html`<bdi>${ownerName(address, one.owner)}</bdi>`}
<span class="state ${one.state}">${words.caseStates[one.state]}</span></td>${act !== undefined && html`<td class="acts">${act(one)}</td>`}</tr>\n`)}
</tbody></table>`
}

export const caseCounts = ({ unanswered, open }: Cases, words: Words): Html => html`<p class="counts">
<span class="${unanswered > 0 ? 'many' : 'none'}">
<strong>${countIn(unanswered, COUNTED_MAX)}</strong> ${words.unanswered}</span>
<span><strong>${countIn(open, COUNTED_MAX)}</strong> ${words.open}</span></p>`
