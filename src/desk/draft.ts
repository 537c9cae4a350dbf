/**
 * What an arrival causes, as it is being decided: the conversation as it will be, and the deliveries and changes for it. Only this
 * file makes deliveries for the desk, so that what may reach the contact and what may not is seen in one place: `toContact` alone
 * writes to the contact, and nothing in it names who of the team wrote.
 */
import { type Place, samePlace } from '../model/address'
import { Bug } from '../model/errors'
import type { Action, Arrival, Content, EditArrival, MessageArrival, Persona, RoomState, Sender } from '../model/message'
import { plain, toPlain, type Text } from '../model/text'
import type { Directory } from '../plan/directory'
import { asName, behindName, cleanName, oneLine, ownName, personaOf } from '../plan/people'
import { delivery, notice, type Change, type Plan } from '../plan/plan'
import { say, sayAgain } from '../plan/say'
import type { Conversation, Entry, EntryKind } from '../store/desk'
import type { NewDelivery, Recorded } from '../store/store'
import { agentKey, identityOn, OURS, type FunctionAddress } from './address'
import type { DeskFacts } from './facts'
import type { LogWord } from './logbook'
import type { TeamPlace } from './memory'
import { DESK_TEXTS, type DeskTexts } from './texts'

/** What the contact is called for the team: without a name, by the whole address. */
export const shownName = ({ facts, texts }: { facts: Pick<DeskFacts, 'memory'>, texts: DeskTexts }, { name, contact }: Conversation): string => {
  const clean = (name === undefined ? '' : asName(name)) || oneLine(contact.id)
  return facts.memory.isReserved(clean, contact, true) ? texts.notOurs(clean) : clean
}

/** Whom the team writes to, in full. */
export const inFull = (draft: Pick<Draft, 'facts' | 'texts'>, one: Conversation): string =>
  one.name === undefined ? shownName(draft, one) : `${shownName(draft, one)}, ${oneLine(one.contact.id)}`

/** The conversation with the name that its contact has now. */
export const named = (one: Omit<Conversation, 'name'>, sender: Sender): Conversation => {
  const { name: _, ...rest } = one as Conversation
  const name = ownName(sender)
  return { ...rest, ...name === undefined ? {} : { name } }
}

/** The beginning of what was said, as one line of which nothing is hidden. */
export const excerptOf = ({ text, file }: Content): string => {
  const words = (toPlain(text) || file?.name || '').trim()
  return words === '' ? '' : cleanName(words)
}

/** An arrival by its network and key. */
interface Source { network: string; key: string }

/** What was said, with whoever said it, and whether the contact knows it. */
export const saidBy = (texts: DeskTexts, { kind, who, held }: Entry, text: string): string =>
  `${held ? texts.heldNote(who) : `${kind === 'note' ? texts.note : ''}${who}: `}${text}`

export interface Draft<F extends DeskFacts = DeskFacts> {
  readonly arrival: Arrival
  readonly facts: F
  readonly directory: Directory
  readonly texts: DeskTexts
  conversation: Conversation | undefined
  change (change: Change): void
  deliver (delivery: NewDelivery): void
  /** Words of the desk itself to the contact, as the address. */
  toContact (content: Content): void
  /** An answer of the team, as the address; it may be taken back for a while. `source`: what it came with, if it is not this arrival. */
  answerContact (content: Content, source?: Source): void
  /** Something that was said, at all places of the team but where it was said. */
  toTeam (content: Content, as: Persona | undefined): void
  /** What the team says about no case, wherever else all cases of the address are shown. */
  toInbox (content: Content, as: Persona): void
  /** The desk's own words, in every place of the team on this conversation, and where it was ordered. */
  tellTeam (text: string, style?: 'quiet' | 'alert'): void
  /** What is done meanwhile is about another conversation, for the team that works on it. */
  about (one: Conversation, run: () => void): void
  /** To whoever wrote the arrival, alone, where they wrote it; it may be that they wait for something in vain. */
  answer (text: string): void
  /** To whoever wrote the arrival, and to all who read it where they wrote it. */
  answerOpenly (text: string): void
  /** Shows all cases of the address where the team looks for them, or corrects what is shown of this one. */
  announce (excerpt: string): void
  /** The state of the case, in the names of its rooms and in what was announced; `team`: as it is about to be. */
  show (team?: FunctionAddress): void
  /** Everybody out of a room. */
  close (place: Place, topic: string): void
  /** From now on the team of another address works on it, and sees what was said lately, newest first. */
  handOver (to: FunctionAddress, lately: Entry[]): void
  /** The rooms in which all cases of the address are found, for its team. */
  house (team: FunctionAddress): void
  tellQueue (team: FunctionAddress, text: string): void
  /** The conversation as it is now is changed too, beside the one that the arrival is about. */
  keep (before: Conversation): void
  entry (kind: EntryKind, who: string, content: Content, more?: { held?: boolean, signature?: string }): void
  log (what: LogWord, detail?: string): void
  /** Something that was said, said otherwise: for the team wherever the original went, and for the contact only if it is given. */
  changed (arrival: EditArrival, original: Recorded | undefined, as: Persona | undefined, forTeam: Content, forContact?: Content): void
  /** Gone from wherever it went, or it never leaves: then true. */
  takenBack (original: Recorded, as: (place: Place) => Persona | undefined): boolean
  /** What has not left yet never leaves; false if all of it has. */
  recall (original: Recorded): boolean
  plan (): Plan
}

/** How long a delivery may be taken back. */
type When = Pick<NewDelivery, 'afterMs'>

const saidOf = (original: Recorded, at: Place): Recorded['deliveries'] =>
  original.deliveries.filter(({ notice, place }) => !notice && samePlace(place, at))

export const ownerName = (address: FunctionAddress, owner: string | undefined): string =>
  address.team.find(agent => agentKey(agent) === owner)?.name ?? ''

/** The name of whoever of the team speaks, or spoke. */
const writerOf = (facts: DeskFacts): string | undefined =>
  facts.from === 'team' ? facts.who.agent.name : facts.from === 'writer' ? facts.entry.who : undefined

/** The conversation that is there already, of those that the arrival may change. */
const conversationIn = (facts: DeskFacts): Conversation | undefined => {
  if (facts.from !== 'team') return facts.conversation
  return facts.about === 'case' ? facts.conversation : facts.about === 'person' ? facts.target?.conversation : undefined
}

export const makeDraft = <F extends DeskFacts>(arrival: Arrival, facts: F, directory: Directory): Draft<F> => {
  const { memory, shown, now } = facts
  let { address } = facts
  let texts = DESK_TEXTS[address.language]
  const deliveries: NewDelivery[] = []
  const changes: Change[] = []
  const before = conversationIn(facts)
  const inChat = facts.from === 'team' && facts.where === 'chat'
  const used = new Map<string, number>()
  let told = 0

  const about = (): { conversation?: number } => draft.conversation === undefined ? {} : { conversation: draft.conversation.id }

  /** Several things at one place each need a key of their own. */
  const add = (place: Place, action: Action, as: Persona | undefined, ours: boolean, when: When = {}): string => {
    const what = `${place.network} ${place.id} ${action.kind}`
    const part = used.get(what) ?? 0
    used.set(what, part + 1)
    const made = delivery(arrival, place, part, action, as)
    deliveries.push({ ...made, ...about(), ...ours && { notice: true }, ...when })
    return made.delivery.key
  }

  const token = ({ file }: Content, { network, key }: Source = { network: arrival.place.network, key: arrival.key }): string =>
    file === undefined ? '' : directory.links.token(network, key)

  const spoken = (content: Content, place: Place, as: Persona | undefined, source?: Source, when?: When): void => {
    for (const made of say(arrival as MessageArrival, content, place, as, token(content, source), directory)) {
      if (samePlace(made.delivery.place, place)) add(place, made.delivery.action, as, false, when)
      else deliveries.push(made) // what is too long is told to its writer instead
    }
  }

  /** What has not left yet leaves so. What would be too long is told to its writer, and what waits stays as it is. */
  const insteadOf = (original: Recorded, edit: EditArrival, content: Content, place: Place, as: Persona | undefined): void => {
    const made = say({ ...edit, content }, content, place, as, token(content), directory)
    const instead = made.filter(one => samePlace(one.delivery.place, place)).map(one => ({ ...one, afterMs: shown.undoSeconds * 1000 }))
    if (instead.length > 0) changes.push({ kind: 'recall', original, lane: place, instead })
    else deliveries.push(...made)
  }

  const needed = (): Conversation => {
    if (draft.conversation === undefined) throw new Bug('no conversation in this draft')
    return draft.conversation
  }

  const stateOf = ({ state, owner }: Conversation): string => texts.state(state, ownerName(address, owner))
  const networkName = ({ contact }: Conversation): string => directory.can(contact.network).label
  const titleOf = (one: Conversation): string => `${stateOf(one)} · ${shownName(draft, one)} (${networkName(one)})`
  const announcement = (one: Conversation): string => texts.announce(titleOf(one), one.id, one.excerpt ?? '')
  let stands: string | undefined // what is announced of the conversation

  /**
   * In a direct chat of the team the address speaks: the number of the case and who said it stand in front, their words as a quotation,
   * and a file of theirs has a name that looks like no case.
   */
  const at = ({ people }: TeamPlace, content: Content, one?: Conversation, as?: Persona): Content => {
    if (people !== undefined) return content
    const head = plain([one && `#${one.id}`, as && `${as.name}:`].filter(part => part !== undefined).join(' '))
    const words: Text = as === undefined || content.text.length === 0 ? content.text : [{ kind: 'quote', of: content.text }]
    const file = as === undefined || content.file === undefined ? {} : { file: { ...content.file, name: asName(content.file.name) || '?' } }
    return { ...content, ...file, text: [...head, ...words] }
  }

  const speak = (content: Content, where: TeamPlace[], as: Persona | undefined): void => {
    for (const one of where.filter(({ place }) => !samePlace(place, arrival.place))) {
      spoken(at(one, content, draft.conversation, as), one.place, one.people === undefined ? undefined : as)
    }
  }

  const teamPlaces = (): TeamPlace[] => memory.placesOf(address, draft.conversation?.id ?? 'queue')

  const room = (place: Place, of: RoomState): void => {
    const from = identityOn(address, place.network)
    add(place, { kind: 'room', room: { ...of, ...from === undefined ? {} : { from } } }, undefined, true)
  }

  const inside = (place: Place): { inside?: Place } => {
    const house = memory.houseOf(address, place.network)
    return house === undefined ? {} : { inside: house }
  }

  const speakersOf = (one: Conversation, network: string): { speakers?: string[] } => {
    const owner = address.team.find(agent => agentKey(agent) === one.owner)
    return address.claim !== 'hard' || owner === undefined ? {} : {
      speakers: owner.addresses.filter(person => person.network === network).map(({ id }) => id)
    }
  }

  /** In every place of the team on this conversation, which it gives back. */
  const tell = (text: string, style: 'quiet' | 'alert'): TeamPlace[] => {
    const one = needed()
    const places = memory.placesOf(address, one.id)
    for (const where of places) add(where.place, { kind: 'message', content: at(where, { style, text: plain(text) }, one) }, undefined, true)
    return places
  }

  const answer = (text: string, open: boolean): void => {
    if (!('sender' in arrival)) return
    const content: Content = { style: 'alert', text: plain(text) }
    const { sender, place, key } = arrival
    if (inChat || place.id === '') return void deliveries.push({ ...notice(arrival, place, `answer ${told++}`, text, 'alert'), ...about() })
    add(place, { kind: 'message', content, addressee: { of: key, person: sender.address ?? sender.id, ...open && { open } } }, undefined, true)
  }

  const draft: Draft<F> = {
    arrival, facts, directory, conversation: facts.from === 'team' && facts.about === 'person' ? undefined : before,
    get texts () { return texts },
    change: change => { changes.push(change) },
    deliver: one => { deliveries.push(one) },
    toContact (content) { spoken(content, needed().place, undefined) },
    answerContact (content, source) {
      if (content.file?.at.network === OURS) changes.push({ kind: 'link', token: token(content, source), file: content.file })
      const { undoSeconds } = shown
      spoken(content, needed().place, undefined, source, undoSeconds === 0 ? {} : { afterMs: undoSeconds * 1000 })
    },
    toTeam (content, as) { speak(content, memory.placesOf(address, needed().id), as) },
    toInbox (content, as) { speak(content, memory.placesOf(address, 'queue'), as) },
    tellTeam (text, style = 'quiet') {
      const places = tell(text, style)
      if (facts.from === 'team' && !places.some(({ place }) => samePlace(place, arrival.place))) answer(text, false)
    },
    about (one, run) {
      const other = memory.roster.named(one.handledBy)
      if (other === undefined) return
      const own = { conversation: draft.conversation, address, texts }
      draft.conversation = one
      address = other
      texts = DESK_TEXTS[other.language]
      run()
      draft.conversation = own.conversation
      address = own.address
      texts = own.texts
    },
    answer (text) { answer(text, false) },
    answerOpenly (text) { answer(text, true) },
    announce (excerpt) {
      const one = { ...needed(), excerpt }
      stands = announcement(one)
      const announced = memory.placesOf(address, 'queue').map(({ place }) => ({
        place, key: add(place, { kind: 'message', content: { style: 'alert', text: plain(announcement(one)) } }, undefined, true)
      }))
      draft.conversation = { ...one, announced }
    },
    show (team) {
      const one = needed()
      const topic = texts.topic(one.id, shown.profile.name, inFull(draft, one), networkName(one))
      const rooms = team === undefined ? memory.placesOf(address, one.id) : memory.roomsOf(team, one.id)
      for (const { place, people } of rooms) {
        if (people !== undefined) room(place, { name: titleOf(one), topic, people, ...speakersOf(one, place.network), ...inside(place) })
      }
      if (announcement(one) === stands) return
      for (const { place, key } of one.announced) {
        if (!directory.can(place.network).edits) continue
        add(place, { kind: 'edit', of: key, content: { style: 'alert', text: plain(announcement(one)) } }, undefined, true)
      }
    },
    close (place, topic) { room(place, { name: topic, topic, people: [] }) },
    handOver (to, lately) {
      address = to
      texts = DESK_TEXTS[to.language]
      draft.show()
      tell(lately.toReversed().map(entry => saidBy(texts, entry, behindName(entry.text))).join('\n'), 'quiet')
      draft.announce(needed().excerpt ?? '')
    },
    house (team) {
      for (const { place, people } of memory.roomsOf(team, 'queue')) {
        const house = memory.houseOf(team, place.network)
        if (house !== undefined) room(house, { name: team.profile.name, topic: team.profile.about, people })
        room(place, { name: texts.queueName(team.profile.name), topic: texts.help, people, ...inside(place) })
      }
    },
    tellQueue (team, text) {
      for (const { place } of memory.placesOf(team, 'queue')) {
        add(place, { kind: 'message', content: { style: 'quiet', text: plain(text) } }, undefined, true)
      }
    },
    keep (one) {
      changes.push({ kind: 'desk', change: { what: 'save', conversation: needed(), expected: one.claim } })
    },
    entry (kind, who, content, { held = false, signature } = {}) {
      const { id, project } = needed()
      changes.push({ kind: 'desk', change: { what: 'entry', entry: {
        conversation: id, at: now, kind, who, text: toPlain(content.text) || content.file?.name || '', content,
        network: arrival.place.network, key: arrival.key, held, ...project === undefined ? {} : { project },
        ...signature === undefined ? {} : { signature }
      } } })
    },
    log (what, detail = '') {
      const ours = arrival.kind === 'order' && arrival.order.what === 'say' ? arrival.order.by : 'Zentrale'
      const who = writerOf(facts) ?? (facts.from === 'contact' || facts.from === 'elsewhere' ? 'contact' : ours)
      const conversation = draft.conversation?.id
      changes.push({ kind: 'desk', change: { what: 'log', line: {
        at: now, address: address.name, ...conversation === undefined ? {} : { conversation }, who, what, detail
      } } })
    },
    changed (edit, original, as, forTeam, forContact) {
      const again = (place: Place, content: Content, persona: Persona | undefined): void => {
        if (original === undefined || saidOf(original, place).length === 0) return
        if (saidOf(original, place).every(({ held }) => held === true)) return insteadOf(original, edit, content, place, persona)
        const said = sayAgain({ ...edit, content }, original, place, persona, token(content), directory)
        for (const { delivery: { action } } of said) add(place, action, persona, false)
      }
      for (const where of teamPlaces()) again(where.place, at(where, forTeam, draft.conversation, as), where.people === undefined ? undefined : as)
      if (forContact !== undefined) again(needed().place, forContact, undefined)
    },
    takenBack (original, as) {
      let index = 0
      for (const { key, place } of [...original.deliveries.filter(({ notice, held }) => !notice && held !== true), ...original.copies]) {
        if (!directory.can(place.network).deletions) continue
        deliveries.push(delivery(arrival, place, index++, { kind: 'deletion', of: key }, as(place)))
      }
      return draft.recall(original)
    },
    recall (original) {
      const first = original.deliveries.find(({ held }) => held === true)
      if (first !== undefined) changes.push({ kind: 'recall', original, lane: first.place, instead: [] })
      return first !== undefined
    },
    plan () {
      const now = draft.conversation
      const saved: Change[] = now === undefined || now === before
        ? []
        : [{ kind: 'desk', change: { what: 'save', conversation: now, expected: before?.claim ?? 0 } }]
      const content = 'content' in arrival ? arrival.content : undefined
      const linked: Change[] = content?.file === undefined ? [] : [{ kind: 'link', token: token(content) }]
      return { outcome: 'routed', deliveries, changes: [...saved, ...linked, ...changes] }
    }
  }
  stands = before && announcement(before)
  return draft
}

/** Who of the team speaks, for the others of the team. */
export const personaOfSpeaker = ({ arrival, facts, directory }: Draft): Persona => {
  const { place: { network } } = arrival
  const sender = 'sender' in arrival ? arrival.sender : { id: '', name: '' }
  return personaOf(network, directory.can(network).label, { ...sender, id: sender.address ?? sender.id }, writerOf(facts))
}

/** The contact, for the team. */
export const personaOfContact = (draft: Draft, one: Conversation): Persona => {
  const { arrival, directory } = draft
  const { network } = one.contact
  const sender = 'sender' in arrival ? arrival.sender : { id: one.contact.id, name: '' }
  return personaOf(network, directory.can(network).label, sender, shownName(draft, one))
}
