/**
 * Carries out the steps of a rule: it makes the plan. Only this file makes deliveries for the desk, so that what may reach the contact and
 * what may not is seen in one place: `toContact` alone writes to the contact, and nothing in it names who of the team wrote.
 */
import { type Place, samePlace } from '../model/address'
import { Bug } from '../model/errors'
import type { Mention } from '../model/mention'
import type { Action, Content, Persona, Reply } from '../model/message'
import { plain, toPlain } from '../model/text'
import { textsFor } from '../plan/adapt'
import type { DeskChange } from '../plan/desk-change'
import { delivery, linksTo, notice, standing, type Change, type Plan } from '../plan/plan'
import { react, reactInWords } from '../plan/react'
import { standsAt } from '../plan/reply'
import { say, sayAgain } from '../plan/say'
import type { Announced, Conversation } from '../store/desk'
import type { NewDelivery, Recorded } from '../store/store'
import { OURS, type FunctionAddress } from './address'
import { replyAt, replyToContact } from './answered'
import type { Context, DeskFacts } from './facts'
import type { TeamPlace } from './memory'
import { entryText, whoActs } from './shown'
import type { Corrects, Source, Step, ToContact } from './steps'
import { type Line, type LinesAgain, linesOf, summaryAgain, summaryFor, withSummary } from './summary'
import { announcementOf, caseRooms, houseRooms, roomOf, shownAt, type Room, unannounced } from './team-rooms'

/** The plan as it is being made. */
interface Draft {
  readonly facts: DeskFacts
  readonly context: Context
  readonly deliveries: NewDelivery[]
  readonly changes: Change[]
  readonly used: Map<string, number>
  answered: number
  address: FunctionAddress
  conversation: Conversation | undefined
  why?: string
  announced: string | undefined // what stands in the announcement of the conversation
}

type When = Pick<NewDelivery, 'afterMs'> // how long a delivery may be taken back

/** `source`: what it came with, if not with the arrival. `reply`: what it answers. `mentions`: whom it calls. */
interface How { source?: Source | undefined; reply?: Reply | undefined; when?: When; mentions?: Mention[] | undefined }

type Of<D extends Step['do']> = Extract<Step, { do: D }>

/** The existing conversation that the arrival is about, if any. */
const conversationIn = (facts: DeskFacts): Conversation | undefined => {
  if (facts.from === 'team' && facts.about === 'person') return facts.target?.conversation
  return 'conversation' in facts ? facts.conversation : undefined
}

const needed = ({ conversation }: Draft): Conversation => {
  if (conversation === undefined) throw new Bug('no conversation in this plan')
  return conversation
}

const about = ({ conversation: one }: Draft): { conversation?: number } => one === undefined ? {} : { conversation: one.id }

/** Whoever answers sees that the contact's words came encrypted. A chat of a team whose rooms are encrypted is to be so too. */
const isSecret = ({ conversation: one, address, context: { memory } }: Draft, place: Place): boolean =>
  one !== undefined && samePlace(one.place, place)
    ? one.encrypted === true
    : address.encryptedRooms === true && memory.spotOf(place)?.kind === 'chat'

const asSecret = (draft: Draft, place: Place, action: Action): Action =>
  action.kind === 'message' && isSecret(draft, place) ? { ...action, secret: true } : action

/** Several of one kind at one place each get a key of their own. */
const partAt = ({ used }: Draft, place: Place, kind: Action['kind']): number => {
  const what = `${place.network} ${place.id} ${kind}`
  const part = used.get(what) ?? 0
  used.set(what, part + 1)
  return part
}

const add = (draft: Draft, place: Place, action: Action, as: Persona | undefined, ours: boolean, when: When = {}): NewDelivery => {
  const made = delivery(draft.facts.arrival, place, partAt(draft, place, action.kind), asSecret(draft, place, action), as)
  draft.deliveries.push({ ...made, ...about(draft), ...ours && { notice: true }, ...when })
  return made
}

/** Our own words may hold those of others, and so be longer than one message there. */
const addOwnWords = (draft: Draft, place: Place, content: Content): NewDelivery[] =>
  textsFor(content, draft.context.directory.can(place.network)).map(part => add(draft, place, { kind: 'message', content: part }, undefined, true))

const tokenOf = ({ facts: { arrival }, context: { directory } }: Draft, { file }: Content,
  { network, key }: Source = { network: arrival.place.network, key: arrival.key }): string =>
  file === undefined ? '' : directory.links.token(network, key)

/** What is said at `place`; what is too long is told to its writer instead. */
const put = (draft: Draft, said: NewDelivery[], place: Place, as: Persona | undefined, when?: When): void => {
  for (const made of said) {
    if (samePlace(made.delivery.place, place)) add(draft, place, made.delivery.action, as, false, when)
    else draft.deliveries.push(made)
  }
}

const speak = (draft: Draft, content: Content, place: Place, as: Persona | undefined, { source, reply, when, mentions }: How = {}): void => {
  const how = { token: tokenOf(draft, content, source), reply, mentions }
  put(draft, say(draft.facts.arrival, content, place, as, how, draft.context.directory), place, as, when)
}

/** In an agent's direct chat every message is noticed, so nobody is called there. */
const speakToTeam = (draft: Draft, { content, as, called }: Of<'to team' | 'to inbox'>, where: TeamPlace[]): void => {
  for (const one of where.filter(({ place }) => !samePlace(place, draft.facts.arrival.place))) {
    const reply = replyAt(draft.facts, one.place, draft.context)
    const isRoom = one.people !== undefined
    const how = { reply, mentions: isRoom ? called?.mentions : [] }
    speak(draft, shownAt(one, content, draft.conversation, as), one.place, isRoom ? as : undefined, how)
  }
}

/** The whole team may be in the one room in which it is said. */
const sayInInbox = (draft: Draft, step: Of<'to inbox'>): void => {
  const { context: { memory }, address, deliveries } = draft
  speakToTeam(draft, step, memory.placesOf(address, 'queue'))
  if (deliveries.length === 0) draft.why = 'all of the team read it where it was said'
}

// ---- edits and deletions

const saidOf = (original: Recorded, at: Place): Recorded['deliveries'] =>
  original.deliveries.filter(({ notice, place }) => !notice && samePlace(place, at))

/** What is said at a place from now on, by whom, and what it answers. */
interface Correction { place: Place; content: Content; as: Persona | undefined; reply: Reply | undefined }

/** Replaces words that have not left yet. If the new ones are too long, their writer is told, and the old ones stay as they are. */
const sayInstead = (draft: Draft, original: Recorded, { content, place, as, reply }: Correction, { edit }: Corrects): void => {
  const made = say({ ...edit, content }, content, place, as, { token: tokenOf(draft, content), reply }, draft.context.directory)
  const instead = made.filter(one => samePlace(one.delivery.place, place))
    .map(one => ({
      ...one, delivery: { ...one.delivery, action: asSecret(draft, place, one.delivery.action) }, afterMs: draft.facts.shown.undoSeconds * 1000
    }))
  if (instead.length > 0) draft.changes.push({ kind: 'recall', original, lane: place, instead })
  else draft.deliveries.push(...made)
}

const correct = (draft: Draft, corrects: Corrects, correction: Correction, everywhere = false): void => {
  const { edit, original } = corrects
  const { place, content, as, reply } = correction
  const before = original === undefined ? [] : saidOf(original, place)
  const isElsewhere = original === undefined ? samePlace(place, edit.place) : before.length === 0 && !everywhere
  if (isElsewhere) return // this place has what was typed, or never had it
  const isHeld = before.length > 0 && before.every(({ held }) => held === true)
  if (original !== undefined && isHeld) return sayInstead(draft, original, correction, corrects)
  const said = sayAgain({ ...edit, content }, original, place, as, { token: tokenOf(draft, content), reply }, draft.context.directory)
  put(draft, said, place, as)
}

const correctForTeam = (draft: Draft, { corrects, content, as, everywhere }: Of<'correct for team'>): void => {
  for (const where of draft.context.memory.placesOf(draft.address, draft.conversation?.id ?? 'queue')) {
    correct(draft, corrects, {
      place: where.place, content: shownAt(where, content, draft.conversation, as), as: where.people === undefined ? undefined : as,
      reply: replyAt(draft.facts, where.place, draft.context)
    }, everywhere)
  }
}

const recall = ({ changes }: Draft, original: Recorded): void => {
  const lane = original.deliveries.find(({ held }) => held === true)?.place
  if (lane !== undefined) changes.push({ kind: 'recall', original, lane, instead: [] })
}

const takeBack = (draft: Draft, { original, as, atContact }: Of<'take back'>): void => {
  const { facts: { arrival }, context: { directory }, conversation } = draft
  for (const { key, place } of standing({ ...original, deliveries: original.deliveries.filter(({ held }) => held !== true) })) {
    if (!directory.can(place.network).deletions) continue
    const speaker = conversation !== undefined && samePlace(conversation.place, place) ? atContact : as
    draft.deliveries.push(delivery(arrival, place, partAt(draft, place, 'deletion'), { kind: 'deletion', of: key }, speaker))
  }
  recall(draft, original)
  draft.changes.push({ kind: 'revokeLinks', journal: original.seq })
}

// ---- to the contact

const toContact = (draft: Draft, step: ToContact): void => {
  const { content } = step
  const one = needed(draft)
  const { place } = one
  switch (step.kind) {
    case 'own words': return speak(draft, content, place, undefined, { when: step.afterMs === undefined ? {} : { afterMs: step.afterMs } })
    case 'correction':
      return correct(draft, step.corrects, { place, content, as: undefined, reply: replyToContact(draft.facts, one, draft.context) })
    case 'answer': {
      const { source } = step
      const { undoSeconds } = draft.facts.shown
      if (content.file?.at.network === OURS) draft.changes.push({ kind: 'link', token: tokenOf(draft, content, source), file: content.file })
      const reply = source === undefined ? replyToContact(draft.facts, one, draft.context) : undefined
      return speak(draft, content, place, undefined, { source, reply, when: undoSeconds === 0 ? {} : { afterMs: undoSeconds * 1000 } })
    }
  }
}

// ---- reactions

/** As a reaction where the persona can react to the message. Elsewhere as a line: in a direct chat that has the message, or `everywhere`. */
const reactForTeam = (draft: Draft, { reacted, emojis, as, line, everywhere }: Of<'react for team'>): void => {
  const { facts: { arrival }, context: { directory, memory }, conversation, address } = draft
  for (const where of memory.placesOf(address, conversation?.id ?? 'queue').filter(({ place }) => !samePlace(place, arrival.place))) {
    const isThere = standsAt(reacted.message, where.place) !== undefined
    if (isThere && where.people !== undefined && directory.can(where.place.network).reactions !== 'none') {
      for (const made of react(arrival, reacted, emojis, where.place, as, directory)) draft.deliveries.push({ ...made, ...about(draft) })
    } else if (everywhere || (isThere && where.people === undefined)) {
      addOwnWords(draft, where.place, shownAt(where, { style: 'quiet', text: plain(line) }, conversation))
    }
  }
}

const reactForContact = (draft: Draft, { reacted, emojis, by }: Of<'react for contact'>): void => {
  const { facts: { arrival, shown }, context: { directory } } = draft
  const { place } = needed(draft)
  if (standsAt(reacted.message, place) === undefined) return
  draft.deliveries.push(...directory.can(place.network).reactions !== 'none' ? react(arrival, reacted, emojis, place, undefined, directory)
    : shown.reactions === 'lines' ? reactInWords(arrival, reacted, emojis, place, shown.profile.name, directory) : [])
  draft.changes.push({ kind: 'react', message: reacted.message.seq, person: by, now: emojis.map(emoji => ({ emoji, pieces: [] })) })
}

// ---- our own words to the team

const answer = (draft: Draft, text: string, open: boolean): void => {
  const { facts, facts: { arrival } } = draft
  if (!('sender' in arrival)) return
  const { sender, place, key } = arrival
  const isPlain = facts.from === 'reaction' || (facts.from === 'team' && facts.where === 'chat')
  const addressee = { of: key, person: sender.address ?? sender.id, ...open && { open } }
  for (const content of textsFor({ style: 'alert', text: plain(text) }, draft.context.directory.can(place.network))) {
    if (!isPlain && place.id !== '') add(draft, place, { kind: 'message', content, addressee }, undefined, true)
    else draft.deliveries.push({ ...notice(arrival, place, `answer ${draft.answered++}`, toPlain(content.text), 'alert'), ...about(draft) })
  }
}

/** What is stored has no code: it comes into the delivery when that is sent. */
const showCode = (draft: Draft, { of, gone }: Of<'show code'>): void => {
  const made = notice(draft.facts.arrival, draft.facts.arrival.place, 'code', gone, 'alert')
  const action: Action = { kind: 'message', content: { style: 'alert', text: plain(gone) }, code: { of, gone } }
  draft.deliveries.push({ ...made, delivery: { ...made.delivery, action }, ...about(draft) })
}

const tellTeam = (draft: Draft, { text, style, writer }: Of<'tell team'>): void => {
  const { facts, context: { memory }, address } = draft
  const one = needed(draft)
  const places = memory.placesOf(address, one.id)
  for (const where of places) addOwnWords(draft, where.place, shownAt(where, { style, text: plain(text) }, one))
  const isThere = places.some(({ place }) => samePlace(place, facts.arrival.place))
  if (writer && facts.from === 'team' && !isThere) answer(draft, text, false)
}

const tellWhereMissing = (draft: Draft, { original, text }: Of<'tell where missing'>): void => {
  const { context: { memory }, address, conversation: one } = draft
  for (const where of memory.placesOf(address, needed(draft).id).filter(({ place }) => saidOf(original, place).length === 0)) {
    addOwnWords(draft, where.place, shownAt(where, { style: 'quiet', text: plain(text) }, one))
  }
}

const sumUp = (draft: Draft, { told: { lately, kept } }: Of<'sum up'>): void => {
  const { context: { memory }, address, facts: { now } } = draft
  const one = needed(draft)
  const content = summaryFor(address, lately, kept)
  const lines = content === undefined ? [] : memory.placesOf(address, one.id)
    .flatMap(where => linesOf(addOwnWords(draft, where.place, shownAt(where, content, one)), now))
  draft.conversation = withSummary(one, { team: address.name, of: lately.map(({ id }) => id), kept, lines })
}

const sumUpAgain = (draft: Draft, change: Of<'sum up again'>): void => {
  const { context, address, facts: { now: at } } = draft
  const one = needed(draft)
  const again = ({ place, lines, how, content }: LinesAgain): Line[] => {
    if (how === 'stays') return lines
    const parts = how === 'edit' ? textsFor(content, context.directory.can(place.network)) : []
    const isEdit = parts.length === lines.length
    for (const [index, { key: of }] of lines.entries()) {
      const part = isEdit ? parts[index] : undefined
      add(draft, place, part === undefined ? { kind: 'deletion', of } : { kind: 'edit', of, content: part }, undefined, true)
    }
    return isEdit ? lines : content === undefined ? [] : linesOf(addOwnWords(draft, place, content), at)
  }
  const summaries = one.summaries?.map(summary => {
    const changed = summaryAgain(summary, change, { one, address, at }, context)
    return changed === undefined ? summary : { ...summary, of: changed.of, lines: changed.places.flatMap(again) }
  })
  draft.conversation = { ...one, ...summaries && { summaries } }
}

const tellInbox = (draft: Draft, { of, text }: Of<'tell inbox'>): void => {
  for (const { place } of draft.context.memory.placesOf(of, 'queue')) addOwnWords(draft, place, { style: 'quiet', text: plain(text) })
}

// ---- the team's places

const makeRooms = (draft: Draft, rooms: Room[]): void => {
  for (const { place, state } of rooms) add(draft, place, { kind: 'room', room: roomOf(draft.address, place, state) }, undefined, true)
}

const announce = (draft: Draft, excerpt: string): void => {
  const { address, context } = draft
  const one = { ...needed(draft), excerpt }
  const text = announcementOf(one, address, context)
  draft.announced = text
  const of = excerpt === '' || one.opener === undefined ? {} : { opener: one.opener }
  const announced = context.memory.placesOf(address, 'queue').flatMap(({ place }) =>
    linesOf(addOwnWords(draft, place, { style: 'alert', text: plain(text) }), draft.facts.now).map(line => ({ ...line, ...of })))
  draft.conversation = { ...unannounced(one), announced }
}

const unannounce = (draft: Draft, { opener }: Of<'unannounce'>): void => {
  const one = needed(draft)
  const { announced, announcedBefore = [] } = one
  const says = (line: Announced): boolean => line.opener === opener
  for (const { place, key } of [...announcedBefore, ...announced].filter(says)) {
    if (draft.context.directory.can(place.network).deletions) add(draft, place, { kind: 'deletion', of: key }, undefined, true)
  }
  draft.conversation = { ...one, announced: announced.filter(line => !says(line)), announcedBefore: announcedBefore.filter(line => !says(line)) }
}

const show = (draft: Draft, of: FunctionAddress | undefined): void => {
  const { address, context, facts: { shown, now } } = draft
  const one = needed(draft)
  makeRooms(draft, caseRooms(one, address, shown, of, context))
  const text = announcementOf(one, address, context)
  if (text === draft.announced) return
  for (const { place, key, at = 0 } of one.announced) {
    const { edits, editsShownMs = Infinity } = context.directory.can(place.network)
    if (!edits || now - at > editsShownMs) continue // a second line about the case would only confuse
    add(draft, place, { kind: 'edit', of: key, content: { style: 'alert', text: plain(text) } }, undefined, true)
  }
}

// ---- what is remembered

const change = (draft: Draft, what: DeskChange): void => { draft.changes.push({ kind: 'desk', change: what }) }

const enter = (draft: Draft, { kind, who, content, held = false, signature }: Of<'entry'>): void => {
  const { now, arrival } = draft.facts
  const { id, project } = needed(draft)
  change(draft, { what: 'entry', entry: {
    conversation: id, at: now, kind, who, text: entryText(content), content, network: arrival.place.network, key: arrival.key, held,
    ...project === undefined ? {} : { project }, ...signature === undefined ? {} : { signature }
  } })
}

const log = (draft: Draft, { what, detail }: Of<'log'>): void => {
  const { facts, address } = draft
  change(draft, { what: 'log', line: { at: facts.now, address: address.name, ...about(draft), who: whoActs(facts), what, detail } })
}

const carryOut = (draft: Draft, step: Step): void => {
  const { context: { memory }, address } = draft
  switch (step.do) {
    case 'is': draft.conversation = step.conversation; return
    case 'set': draft.conversation = { ...needed(draft), ...step.change }; return
    case 'at': draft.address = step.address; return
    case 'keep': return change(draft, { what: 'save', conversation: needed(draft), expected: step.claim })
    case 'to contact': return toContact(draft, step)
    case 'to team': return speakToTeam(draft, step, memory.placesOf(address, needed(draft).id))
    case 'to inbox': return sayInInbox(draft, step)
    case 'correct for team': return correctForTeam(draft, step)
    case 'take back': return takeBack(draft, step)
    case 'recall': return recall(draft, step.original)
    case 'react for team': return reactForTeam(draft, step)
    case 'react for contact': return reactForContact(draft, step)
    case 'tell team': return tellTeam(draft, step)
    case 'tell where missing': return tellWhereMissing(draft, step)
    case 'tell inbox': return tellInbox(draft, step)
    case 'sum up': return sumUp(draft, step)
    case 'sum up again': return sumUpAgain(draft, step)
    case 'show code': return showCode(draft, step)
    case 'answer': return answer(draft, step.text, step.open)
    case 'announce': return announce(draft, step.excerpt)
    case 'unannounce': return unannounce(draft, step)
    case 'show': return show(draft, step.of)
    case 'close': return makeRooms(draft, [{ place: step.place, state: { name: step.topic, topic: step.topic, people: [] } }])
    case 'house': return makeRooms(draft, houseRooms(step.of, address, draft.context))
    case 'entry': return enter(draft, step)
    case 'log': return log(draft, step)
    case 'change': return void draft.changes.push(step.change)
    case 'nothing': draft.why = step.why
  }
}

/** The plan that these steps make. */
export const interpret = (steps: Step[], facts: DeskFacts, context: Context): Plan => {
  const before = conversationIn(facts)
  const { arrival, address } = facts
  const draft: Draft = {
    facts, context, address, deliveries: [], changes: [], used: new Map(), answered: 0,
    conversation: facts.from === 'team' && facts.about === 'person' ? undefined : before,
    announced: before && announcementOf(before, address, context)
  }
  for (const step of steps) carryOut(draft, step)
  const { conversation: now, deliveries, changes } = draft
  const saved: Change[] = now === undefined || now === before ? []
    : [{ kind: 'desk', change: { what: 'save', conversation: now, expected: before?.claim ?? 0 } }]
  const linked = 'content' in arrival ? linksTo(arrival.content, tokenOf(draft, arrival.content), context.directory) : []
  return { outcome: 'routed', deliveries, changes: [...saved, ...linked, ...changes], ...draft.why !== undefined && { why: draft.why } }
}
