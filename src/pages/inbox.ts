/** The page of an address for its team: its cases, unanswered first, the longest waiting on top. */
import type { FunctionAddress } from '../desk/address'
import type { Conversation } from '../store/desk'
import type { CaseMark } from '../store/store'
import { actButton } from './case'
import { caseCounts, caseTable, readCases, writeMark } from './cases'
import { html, type Html } from './html'
import type { Section } from './layout'
import { casePath, inboxPath, type PagesServed, type Viewer } from './served'
import { readToday, todayOf } from './today'
import { WORDS } from './words'

const CASES_SHOWN = 50

const pagePath = (address: FunctionAddress, behind: CaseMark): string => `${inboxPath(address)}?behind=${writeMark(behind)}`

export const inboxPage = async (served: PagesServed, { who, language }: Viewer, address: FunctionAddress, behind?: CaseMark): Promise<Section[]> => {
  const words = WORDS[language]
  const now = served.clock.now()
  const { cases, today } = await served.store.run(async tx =>
    ({ cases: await readCases(tx, address, CASES_SHOWN, behind), today: await readToday(tx, address, now) }))
  const isTeam = who.kind === 'agent'
  const act = (one: Conversation): Html => html`${one.owner === undefined && actButton(one, 'take', words)}`
  const look = { words, now, isTeam, ...isTeam && { link: casePath, act } }
  return [
    ['counts', html`${caseCounts(cases, words)}${todayOf(today, words)}`],
    ['cases', html`${caseTable(served, address, cases.shown, look)}
<p class="pages">${behind !== undefined && html`<a href="${inboxPath(address)}">${words.first}</a> `}${
  cases.next !== undefined && html`<a href="${pagePath(address, cases.next)}">${words.more}</a>`}</p>
${isTeam && !address.wordsOnPage && html`<p class="quiet">${words.wordsHidden}</p>`}`]
  ]
}
