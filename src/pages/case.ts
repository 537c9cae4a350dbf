/**
 * One case, for the team that has it: who writes, who has it, what was said as the room of the case shows it, and what may be done. What is
 * chosen here is a command like one that is typed in a chat, and comes in the same way: nobody may do more here than there.
 */
import type { RequestHandler, Response } from 'express'
import { agentKey, type FunctionAddress } from '../desk/address'
import { ownerOf } from '../desk/answer'
import { isPageWord, type PageWord } from '../desk/commands'
import { showTime } from '../desk/hours'
import { inFull, ownerName, textsOf } from '../desk/shown'
import { makeAllowance } from '../lib/allowance'
import { filesOf } from '../model/message'
import type { Conversation, Entry } from '../store/desk'
import { type Access, fieldOf } from './access'
import { html, type Html } from './html'
import type { Section } from './layout'
import { inboxPath, labelOf, type PagesServed, type Viewer } from './served'
import type { Who } from './sessions'
import { type Language, type Words, WORDS } from './words'

const ENTRIES_SHOWN = 100
const ACTS_MAX = 1000 // in a minute, of all
const ACTS_OF_ONE_MAX = 60 // of one session

type AgentWho = Extract<Who, { kind: 'agent' }>

export const actButton = ({ id }: Conversation, word: PageWord, words: Words): Html =>
  html`<form method="post" action="/case/${id}/${word}"><button class="${word}">${words.acts[word]}</button></form>`

interface Read { one: Conversation; entries: Entry[] }

/** The case with this number; undefined if another team has it than that of whoever asks. */
const readCase = ({ store, desk }: PagesServed, { address }: AgentWho, id: number): Promise<Read | undefined> =>
  store.run(async tx => {
    const one = await tx.desk.conversation(id)
    return one?.handledBy !== desk.memory.roster.named(address)?.name || one === undefined ? undefined
      : { one, entries: await tx.desk.entries(id, ENTRIES_SHOWN) }
  })

// ---- what is shown

const field = (name: string, value: Html | string | undefined): Html =>
  html`${value !== undefined && value !== '' && html`<div><dt>${name}</dt><dd><bdi>${value}</bdi></dd></div>`}`

const headOf = (served: PagesServed, address: FunctionAddress, one: Conversation, language: Language): Html => {
  const { memory } = served.desk
  const words = WORDS[language]
  const shown = memory.roster.named(one.address) ?? address
  const owner = ownerName(address, ownerOf(one))
  return html`<dl class="fields">
${field(words.contact, `${inFull(memory, textsOf(address), one)} (${labelOf(served, one.contact.network)})`)}
${shown.name !== address.name && field(words.place, shown.profile.name)}
${field(words.state, html`<span class="state ${one.state}">${words.caseStates[one.state]}</span>`)}
${field(words.has, owner === '' ? words.nobody : owner)}
${field(words.openedAt, showTime(one.openedAt, address.zone, language, served.clock.now()))}
${field(words.labels, one.labels.join(', '))}${field(words.project, one.project)}</dl>`
}

/** To everybody but whoever has it. */
const assignForm = ({ desk }: PagesServed, address: FunctionAddress, one: Conversation, words: Words): Html => {
  const others = desk.memory.roster.all().filter(({ name, redirectOnly, retired }) => name !== address.name && !redirectOnly && retired === undefined)
  const choices = [
    ...address.team.filter(agent => agentKey(agent) !== ownerOf(one)).map(agent => [agentKey(agent), agent.name] as const),
    ...others.map(({ name, profile }) => [name, profile.name] as const)
  ]
  return choices.length === 0 ? html`` : html`<form method="post" action="/case/${one.id}/assign"><label>${words.to} <select name="to">${
    choices.map(([value, shown]) => html`<option value="${value}">${shown}</option>`)}</select></label>
<button class="assign">${words.acts.assign}</button></form>`
}

const actsOf = (served: PagesServed, address: FunctionAddress, one: Conversation, { who, words }: { who: AgentWho, words: Words }): Html => {
  const owner = ownerOf(one)
  return html`<div class="acts">${one.state !== 'done' && owner !== who.key && actButton(one, 'take', words)}${
    owner !== undefined && actButton(one, 'release', words)}${one.state !== 'done' && actButton(one, 'done', words)}${
    one.state !== 'done' && assignForm(served, address, one, words)}</div><p class="quiet">${words.answerInApp}</p>`
}

const markOf = ({ kind, held }: Entry, words: Words): string | undefined =>
  held ? words.notSent : kind === 'note' ? words.note : kind === 'automatic' ? words.automatically : undefined

const entryOf = (entry: Entry, address: FunctionAddress, language: Language, now: number): Html => {
  const words = WORDS[language]
  const { kind, who, text, content, at, gone } = entry
  const mark = markOf(entry, words)
  const files = filesOf(content)
  const isTold = text !== '' && !files.some(({ name }) => name === text) // many apps say a file's name as its text
  return html`<li class="${entry.held ? 'note' : kind}"><p class="by"><bdi>${who}</bdi>${
    mark !== undefined && html` <span class="state">${mark}</span>`}
<span class="quiet">${showTime(at, address.zone, language, now)}</span></p>${gone === true ? html`<p class="quiet">${words.takenBack}</p>`
  : !address.wordsOnPage ? html`` : html`${isTold && html`<p class="text"><bdi>${text}</bdi></p>`}${
      files.map(({ name }) => html`<p class="quiet">${words.file}: <bdi>${name}</bdi></p>`)}`}</li>\n`
}

/** Undefined if there is no such case of theirs. */
export const casePage = async (served: PagesServed, who: AgentWho, { language }: Viewer, id: number): Promise<Section[] | undefined> => {
  const words = WORDS[language]
  const address = served.desk.memory.roster.named(who.address)
  const { one, entries } = await readCase(served, who, id) ?? {}
  if (address === undefined || one === undefined || entries === undefined) return undefined
  const now = served.clock.now()
  return [
    ['case', html`${headOf(served, address, one, language)}${actsOf(served, address, one, { who, words })}`],
    ['said', html`<h2>${words.said}</h2>${!address.wordsOnPage && html`<p class="quiet">${words.wordsHidden}</p>`}
${entries.length === ENTRIES_SHOWN && html`<p class="quiet">${words.lastSaid(ENTRIES_SHOWN)}</p>`}
${entries.length === 0 ? html`<p class="empty">${words.nothingSaid}</p>` : html`<ol class="record">${entries.toReversed().map(entry =>
  entryOf(entry, address, language, now))}</ol>`}<p><a href="${inboxPath(address)}">${words.toCases}</a></p>`]
  ]
}

// ---- what is done

/** What came of it: where to go on, or the name of who has the case instead, if anybody. */
type Outcome = { to: string } | { owner: string } | 'no such case'

const isChanged = (before: Conversation, after: Conversation, word: PageWord, { key }: AgentWho): boolean =>
  before.claim !== after.claim || before.state !== after.state || before.handledBy !== after.handledBy || (word === 'take' && ownerOf(after) === key)

const act = async (served: PagesServed, who: AgentWho, id: number, { word, rest }: { word: PageWord, rest: string }): Promise<Outcome> => {
  const address = served.desk.memory.roster.named(who.address)
  const before = await readCase(served, who, id)
  if (address === undefined || before === undefined) return 'no such case'
  await served.desk.order(address.name, { what: 'act', by: who.key, conversation: id, word, rest })
  const after = await served.store.run(tx => tx.desk.conversation(id))
  if (after === undefined) return 'no such case'
  if (isChanged(before.one, after, word, who)) return { to: word === 'take' ? `/case/${id}` : inboxPath(address) }
  return { owner: ownerName(address, ownerOf(after)) }
}

type Tell = (response: Response, viewer: Viewer, status: number, text: string) => void

/** Answers what somebody of a team has chosen. `tell` says why it was not done. */
export const acts = (served: PagesServed, access: Access, tell: Tell): RequestHandler => {
  const allowance = makeAllowance(served.clock, ACTS_MAX, ACTS_OF_ONE_MAX)
  return async (request, response) => {
    const viewer = access.viewerOf(request)
    if (viewer === undefined) return response.redirect(303, '/login')
    const { who, language } = viewer
    const [id, word] = [Number(request.params['id']), String(request.params['word'])]
    const words = WORDS[language]
    if (who.kind !== 'agent' || !isPageWord(word) || !Number.isSafeInteger(id)) return tell(response, viewer, 404, words.gone)
    if (!allowance.take([access.sessionOf(request)])) return tell(response, viewer, 429, words.tooOften)
    const outcome = await act(served, who, id, { word, rest: fieldOf(request, 'to') })
    served.log.info({ address: who.address, by: who.key, case: id, word, outcome }, 'somebody of a team has chosen something on its page')
    if (outcome === 'no such case') return tell(response, viewer, 404, words.gone)
    if ('owner' in outcome) return tell(response, viewer, 409, words.notDone(outcome.owner))
    response.redirect(303, outcome.to)
  }
}
