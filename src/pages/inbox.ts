/** The page of an address for its team: its cases, unanswered first, the longest waiting on top. */
import type { FunctionAddress } from '../desk/address'
import type { CaseMark } from '../store/store'
import { caseCounts, caseTable, readCases, writeMark } from './cases'
import { html } from './html'
import type { Section } from './layout'
import type { PagesServed, Viewer } from './served'
import { WORDS } from './words'

const CASES_SHOWN = 50

const inboxPath = ({ name }: FunctionAddress, behind?: CaseMark): string =>
  `/inbox/${encodeURIComponent(name)}${behind === undefined ? '' : `?behind=${writeMark(behind)}`}`

export const inboxPage = async (served: PagesServed, { who, language }: Viewer, address: FunctionAddress, behind?: CaseMark): Promise<Section[]> => {
  const words = WORDS[language]
  const cases = await served.store.run(tx => readCases(tx, address, CASES_SHOWN, behind))
  const look = { words, now: served.clock.now(), isTeam: who.kind === 'agent' }
  return [
    ['counts', caseCounts(cases, words)],
    ['cases', html`${caseTable(served, address, cases.shown, look)}
<p class="pages">${behind !== undefined && html`<a href="${inboxPath(address)}">${words.first}</a> `}${
  cases.next !== undefined && html`<a href="${inboxPath(address, cases.next)}">${words.more}</a>`}</p>`]
  ]
}
