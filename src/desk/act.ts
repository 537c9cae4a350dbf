/** What each command of the team does. All are answered where they were typed; nothing of a command ever goes to the contact. */

import { addressKey } from '../model/address'
import type { Attachment } from '../model/message'
import { plain, toPlain, type Text } from '../model/text'
import { beginning, cleanName } from '../plan/people'
import type { Conversation, Entry } from '../store/desk'
import { agentKey, identityOn, leftRooms, OURS, type Agent, type FunctionAddress, type StandardTextFile } from './address'
import { answers, claimed, forbidden, freed, mayOverride, ownerOf, send } from './agent'
import type { Command, CommandWord } from './commands'
import { timeout } from './contact'
import { excerptOf, inFull, ownerName, personaOfSpeaker, saidBy, type Draft } from './draft'
import type { CaseFacts, OrderFacts, PersonFacts, TeamFacts } from './facts'
import { MINUTE_MS, nextOpening, openMsBetween, showTime } from './hours'
import { lacks } from './lacks'
import { readLine } from './logbook'
import { withChange } from './memory'
import { passingTo } from './passing'
import { fill, listTexts } from './templates'
import { timeMeant } from './when'

const SHOWN_MAX = 20
const TEXT_CHARACTERS_SHOWN = 120

type Act<F extends TeamFacts = TeamFacts> = (draft: Draft<F>, rest: string) => void

const words = (text: string): Text => plain(text)
const save = (draft: Draft, change: Partial<Conversation>): void => { draft.conversation = { ...draft.conversation!, ...change } }
const name = ({ facts: { who } }: Draft<TeamFacts>): string => who.agent.name

/** For commands about a case. */
const onCase = (act: Act<CaseFacts>): Act => (draft, rest) => {
  const { facts } = draft
  if (facts.about === 'case') act(draft as Draft<CaseFacts>, rest)
  else draft.answer(draft.texts.which)
}

/** Nobody has it, or who has it is off duty or lets the contact wait for too long. */
const isFree = ({ facts: { memory, address, now } }: Draft, one: Conversation): boolean => {
  const owner = ownerOf(one)
  const waitsFor = (): number => openMsBetween(address.hours, Math.max(one.heardAt ?? 0, one.claimedAt ?? 0), now)
  return owner === undefined || memory.isOff(address.name, owner) || (one.awaits && waitsFor() > address.claimTimeoutMinutes * MINUTE_MS)
}

/** For what takes a case from whoever has it: only they may, or everybody when it is free. */
const onOwn = (act: Act<CaseFacts>): Act => onCase((draft, rest) => {
  const { facts: { who, address, conversation } } = draft
  const owner = ownerOf(conversation)
  if (owner === who.key || isFree(draft, conversation)) act(draft, rest)
  else draft.answer(draft.texts.mayNot(ownerName(address, owner)))
})

const take = onCase(draft => {
  const { facts: { who, address, now }, texts } = draft
  const one = draft.conversation!
  const owner = ownerOf(one)
  if (owner === who.key) return draft.answer(texts.taken(name(draft), one.id))
  if (!isFree(draft, one)) return draft.answer(texts.mayNot(ownerName(address, owner)))
  draft.conversation = { ...claimed(draft, one), ...one.awaits ? { dueAt: timeout(address, now) } : {} }
  draft.show()
  draft.tellTeam(texts.taken(name(draft), one.id))
})

/** Free again, and shown below in the queue, where it is seen. */
const free = (draft: Draft, text: string): void => {
  draft.conversation = freed(draft.conversation!)
  draft.log('released')
  draft.show()
  draft.announce(draft.conversation.excerpt ?? '')
  draft.tellTeam(text, 'alert')
}

const release = onOwn(draft => {
  if (ownerOf(draft.conversation!) === undefined) return draft.answer(draft.texts.nobodyHas)
  free(draft, draft.texts.released(name(draft)))
})

const excerpts = (held: Entry[]): { id: number, excerpt: string }[] => held.map(({ id, content }) => ({ id, excerpt: excerptOf(content) }))

/** Without a number only what they said last: what they have said anew since, or held back long ago, is not what they mean. */
const sendHeld = onCase((draft, rest) => {
  const { facts: { held, who, address, conversation }, texts } = draft
  const own = held.filter(entry => entry.who === who.agent.name)
  const wanted = own.find(({ id }) => rest === '' ? id === draft.facts.last : String(id) === rest)
  if (wanted === undefined) return draft.answer(texts.nothingSent(excerpts(own)))
  const why = forbidden(draft)
  if (why !== undefined) return draft.answer(why)
  const owner = ownerOf(conversation)
  if (owner !== undefined && owner !== who.key && !mayOverride(address)) return draft.answer(texts.mayNot(ownerName(address, owner)))
  draft.change({ kind: 'desk', change: { what: 'release', entry: wanted.id, sent: true } })
  draft.log('sent all the same')
  draft.toTeam(wanted.content, personaOfSpeaker(draft))
  send(draft, wanted.content, wanted)
  const left = excerpts(own.filter(entry => entry !== wanted))
  draft.answerOpenly(texts.sentNow(name(draft), toPlain(wanted.content.text) || excerptOf(wanted.content), left))
})

const passToAddress = (draft: Draft<CaseFacts>, to: FunctionAddress): void => {
  const { facts: { memory, address }, texts } = draft
  const one = freed(draft.conversation!)
  draft.log('passed on', to.name)
  draft.tellTeam(texts.passed(name(draft), to.name))
  for (const { place } of memory.roomsOf(address, one.id)) draft.close(place, texts.passed(name(draft), to.name))
  draft.conversation = { ...one, handledBy: to.name, announced: [], ...leftRooms(one.leftRooms, address) }
  draft.handOver(to, draft.facts.lately ?? [])
  if (to.team.every(agent => memory.isOff(to.name, agentKey(agent)))) draft.answer(texts.offDuty(to.profile.name))
}

const passToAgent = (draft: Draft<CaseFacts>, agent: Agent): void => {
  const { facts: { memory, address, now }, texts } = draft
  const one = draft.conversation!
  save(draft, {
    owner: agentKey(agent), state: 'claimed', claim: one.claim + 1, claimedAt: now, ...one.awaits ? { dueAt: timeout(address, now) } : {}
  })
  draft.log('assigned', agent.name)
  draft.show()
  draft.tellTeam(texts.passed(name(draft), agent.name), 'alert')
  if (memory.isOff(address.name, agentKey(agent))) draft.answer(texts.offDuty(agent.name))
}

const assign = onOwn((draft, rest) => {
  const { facts: { memory, address }, texts } = draft
  const to = passingTo(rest, address, memory.roster)
  if (to === undefined) return draft.answer(texts.noSuch(rest))
  if (to.kind === 'several') return draft.answer(texts.several(to.names))
  if (to.kind === 'agent') return passToAgent(draft, to.agent)
  if (to.address.redirectOnly) return draft.answer(texts.redirectsOnly(to.address.profile.name))
  passToAddress(draft, to.address)
})

const done = onOwn(draft => {
  if (draft.conversation!.state === 'done') return draft.answer(draft.texts.isDone)
  const { dueAt: _, ...one } = draft.conversation!
  draft.conversation = { ...one, state: 'done', closedAt: draft.facts.now, awaits: false }
  draft.log('done')
  draft.show()
  draft.tellTeam(draft.texts.done(name(draft)))
})

const wait = onOwn((draft, rest) => {
  const { facts: { now, address, who }, texts } = draft
  const { dueAt: _, ...one } = ownerOf(draft.conversation!) !== who.key ? claimed(draft, draft.conversation!) : draft.conversation!
  const until = rest === '' ? undefined : timeMeant(rest.replace(/^(bis|until)\s+/i, ''), address.zone, now)
  if (rest !== '' && until === undefined) return draft.answer(texts.badTime)
  draft.conversation = { ...one, state: until === undefined ? 'waiting' : 'snoozed', ...until === undefined ? {} : { dueAt: until } }
  draft.log('waits', until === undefined ? '' : showTime(until, address.zone, address.language, now))
  draft.show()
  draft.tellTeam(texts.waiting(name(draft), until === undefined ? '' : showTime(until, address.zone, address.language, now)))
})

const KINDS = ['image', 'audio', 'video'] as const

const attachmentOf = ({ path, name: called, mime }: StandardTextFile): Attachment => ({
  kind: KINDS.find(kind => mime.startsWith(`${kind}/`)) ?? 'file', name: called, mime, at: { network: OURS, ref: path }
})

const standardText = onCase((draft, rest) => {
  const { facts: { address, shown, now, who }, texts } = draft
  const key = rest.toLowerCase()
  const found = Object.hasOwn(address.texts, key) ? address.texts[key] : undefined
  if (found === undefined) return draft.answer(texts.noText(rest, Object.keys(address.texts)))
  const why = forbidden(draft)
  if (why !== undefined) return draft.answer(why)
  const owner = ownerOf(draft.conversation!)
  if (owner !== undefined && owner !== who.key && address.claim !== 'open') return draft.answer(texts.mayNot(ownerName(address, owner)))
  const opening = nextOpening(shown.hours, now)
  const text = fill(found.text, {
    contact: draft.conversation!.name ?? '', agent: name(draft), address: shown.profile.name,
    opening: opening === undefined ? '' : showTime(opening, shown.zone, shown.language, now)
  })
  const file = found.file && attachmentOf(found.file)
  const content = { style: 'text' as const, text: words(text), ...file === undefined ? {} : { file } }
  draft.toTeam(content, personaOfSpeaker(draft))
  send(draft, content)
  draft.answerOpenly(texts.sentNow(name(draft), `${text}${file === undefined ? '' : ` [${file.name}]`}`, []))
})

const label = onCase((draft, rest) => {
  const { labels } = draft.conversation!
  const wanted = rest.replace(/^[-+]/, '').trim()
  if (wanted !== '') {
    const others = labels.filter(one => one !== wanted)
    save(draft, { labels: others.length < labels.length ? others : [...others, wanted].slice(-SHOWN_MAX) })
    draft.log('labels', draft.conversation!.labels.join(', '))
  }
  draft.answer(draft.texts.labels(draft.conversation!.labels))
})

/** All of the conversation that is not filed yet, and what follows, belongs to the project. */
const project = onCase((draft, rest) => {
  if (rest !== '') {
    save(draft, { project: rest })
    for (const entry of draft.facts.found ?? []) {
      if (entry.project === undefined) draft.change({ kind: 'desk', change: { what: 'assign', entry: entry.id, project: rest } })
    }
    draft.log('project', rest)
  }
  draft.answer(draft.texts.project(draft.conversation!.project ?? '–'))
})

const statusLine = (draft: Draft, one: Conversation): string => {
  const { facts: { address, memory, now }, texts, directory } = draft
  return texts.status({
    id: one.id, state: texts.state(one.state, ownerName(address, one.owner)), project: one.project ?? '', labels: one.labels, awaits: one.awaits,
    contact: `${inFull(draft, one)} (${directory.can(one.contact.network).label})`,
    since: showTime(one.openedAt, (memory.roster.named(one.handledBy) ?? address).zone, address.language, now)
  })
}

const lines = (draft: Draft, list: string[]): void => draft.answer(list.slice(0, SHOWN_MAX).join('\n') || draft.texts.none)

const entryLine = (draft: Draft, entry: Entry): string => {
  const { address: { zone, language }, now } = draft.facts
  const said = saidBy(draft.texts, entry, beginning(entry.text, TEXT_CHARACTERS_SHOWN))
  return `#${entry.conversation} ${showTime(entry.at, zone, language, now)} ${said}`
}

const log: Act = draft => {
  const { address: { zone, language }, now, lines: all = [] } = draft.facts
  lines(draft, all.map(line => [
    showTime(line.at, zone, language, now), line.conversation === undefined ? '' : `#${line.conversation}`, ...readLine(line, language)
  ].filter(part => part !== '').join(' · ')))
}

/** Off duty nobody keeps a case. */
const goOffDuty = (draft: Draft<TeamFacts>): void => {
  const { who, all = [], address } = draft.facts
  for (const one of all.filter(({ owner, state }) => owner === who.key && state === 'claimed')) {
    draft.conversation = one
    free(draft, draft.texts.released(name(draft)))
    draft.keep(one)
  }
  draft.conversation = undefined
  draft.change({ kind: 'desk', change: { what: 'duty', address: address.name, agent: who.key, on: false } })
}

const duty: Act = (draft, rest) => {
  const { who, address } = draft.facts
  const off = /^(aus|off)$/i.test(rest)
  if (!off && !/^(an|on)$/i.test(rest)) return draft.answer(draft.texts.help)
  if (off) goOffDuty(draft)
  else draft.change({ kind: 'desk', change: { what: 'duty', address: address.name, agent: who.key, on: true } })
  draft.log(off ? 'off duty' : 'on duty')
  draft.answer(off ? draft.texts.dutyOff : draft.texts.dutyOn)
}

const begin: Act<PersonFacts> = (draft, rest) => {
  const { facts: { target, address, memory, next, now }, texts } = draft
  const [written = '', ...others] = rest.split(/(\s+)/)
  const text = others.join('').trim()
  const ours = target && identityOn(address, target.person.network)
  const naming = target && memory.naming(target.person.network)
  if (target === undefined || ours === undefined || naming === undefined || text === '') return draft.answer(texts.notAPerson(written))
  const { person, conversation: before } = target
  if (address.redirectOnly) return draft.answer(address.retired === undefined ? texts.onlyRedirect : texts.closed(address.profile.name))
  if (before !== undefined && before.handledBy !== address.name) return draft.answer(texts.isAt(before.handledBy))
  if (draft.directory.isBlocked(addressKey(person))) return draft.answer(texts.blocked)
  if (!target.permitted) return draft.answer(texts.consentRequired(written))
  draft.conversation = before ?? {
    id: next, address: address.name, handledBy: address.name, contact: person,
    place: { network: person.network, id: naming.direct(ours, person.id) },
    state: 'new', claim: 0, cases: 1, openedAt: now, answeredAt: now, awaits: false, labels: [], announced: []
  }
  const { id } = draft.conversation
  if (!answers(draft, { style: 'text', text: words(text) })) return draft.answer(texts.keptAt(id))
  draft.log('begun')
  draft.tellTeam(texts.started(name(draft), id))
}

const consent: Act<PersonFacts> = (draft, rest) => {
  const { facts: { target, address, now }, texts } = draft
  const [written = '', ...how] = rest.split(/\s+/)
  if (target === undefined || how.length === 0) return draft.answer(texts.notAPerson(written))
  draft.change({ kind: 'desk', change: { what: 'consent', consent: {
    person: addressKey(target.person), address: address.name, kind: 'granted', how: `${how.join(' ')} (${name(draft)})`, at: now
  } } })
  draft.log('consent')
  draft.answer(texts.consentNoted(written))
}

/** The team as it is now stands in every room of the address; who left has left them all, and their cases are free, which is told. */
export const syncTeam = (draft: Draft<OrderFacts>, address: FunctionAddress): void => {
  const free: number[] = []
  for (const one of draft.facts.all ?? []) {
    const gone = one.owner !== undefined && one.state !== 'done' && !address.team.some(agent => agentKey(agent) === one.owner)
    const { toldClosed, ...here } = gone ? freed(one) : one // it is in the config
    draft.conversation = here
    draft.show(address)
    if (gone || toldClosed === true) draft.keep(one)
    if (!gone) continue
    free.push(one.id)
    draft.log('released')
  }
  draft.conversation = undefined
  draft.house(address)
  if (free.length > 0) draft.tellQueue(address, draft.texts.withoutOwner(free))
}

const changeTeam = (draft: Draft<OrderFacts>, rest: string): void => {
  const { facts: { address, memory }, texts } = draft
  const [sign, network = '', id = '', ...called] = rest.split(/\s+/)
  if ((sign !== '+' && sign !== '-') || memory.naming(network) === undefined || id === '') return
  const change = { address: address.name, person: { network, id }, name: cleanName(called.join(' ') || id), added: sign === '+' }
  draft.change({ kind: 'desk', change: { what: 'team', change } })
  syncTeam(draft, withChange(address, change))
  draft.log(change.added ? 'joined' : 'removed', change.name)
  draft.tellQueue(withChange(address, change), change.added ? texts.joined(change.name) : texts.removed(change.name))
}

/** About a person there is no case at hand, and about a case no person: see facts.ts. */
const onPerson = (act: Act<PersonFacts>): Act => (draft, rest) => {
  if (draft.facts.about === 'person') act(draft as Draft<PersonFacts>, rest)
}

const ACTS: Record<CommandWord, Act> = {
  take, release, send: sendHeld, assign, done, wait, text: standardText, label, project, log, duty, new: onPerson(begin), consent: onPerson(consent),
  team: draft => { draft.answer(draft.facts.address.team.map(agent => agent.name).join(', ')) },
  texts: draft => { draft.answer(listTexts(draft.facts.address.texts) || draft.texts.none) },
  filed: draft => lines(draft, (draft.facts.found ?? []).map(entry => entryLine(draft, entry))),
  status: onCase(draft => { draft.answer(statusLine(draft, draft.conversation!)) }),
  list: draft => lines(draft, (draft.facts.listed ?? []).map(one => statusLine(draft, one))),
  search: draft => lines(draft, (draft.facts.found ?? []).map(entry => entryLine(draft, entry))),
  help: draft => { draft.answer(draft.texts.help) }
}

/** A number in front that is no case here, or not the one of this room, is a slip: nothing is done. */
export const act = (draft: Draft<TeamFacts>, { word, rest }: Command): void => {
  const { facts, texts } = draft
  if (facts.about === 'none' && facts.missing !== undefined) return draft.answer(texts.noCase(facts.missing))
  if (facts.about === 'case' && facts.other !== undefined) return draft.answer(texts.otherCase(facts.other, facts.conversation.id))
  const lacking = lacks(facts.address, word, rest)
  if (lacking !== undefined) return draft.answer(lacking)
  ACTS[word](draft, rest)
}

/** What the operator orders. */
export const order = (draft: Draft<OrderFacts>, { word, rest }: Command): void => {
  if (word === 'team') changeTeam(draft, rest)
}

/** A time has come: what was put off is back, or who has the case has not answered for too long. */
export const due = (draft: Draft): void => {
  const one = draft.conversation
  const { now, address } = draft.facts
  if (one?.dueAt === undefined || one.dueAt > now) return
  const { dueAt: _, ...rest } = one
  if (one.state === 'snoozed') {
    draft.conversation = { ...rest, state: one.owner === undefined ? 'new' : 'claimed' }
    draft.log('woken')
    draft.show()
    return draft.tellTeam(draft.texts.woken, 'alert')
  }
  if (one.state === 'claimed' && one.awaits) return free(draft, draft.texts.releasedByTime(ownerName(address, one.owner)))
  draft.conversation = rest
}
