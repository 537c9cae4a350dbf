/**
 * One of ours in one room (XEP-0045): joining, its nickname, leaving.
 * Promises: if a nickname is taken, a number is added; `join` ends in the room, or throws Refused or Unavailable; whatever the room says later
 * (renamed, kicked, banned, destroyed) is followed.
 */
import type { Timer } from '../../../lib/clock'
import type { Person } from '../../../model/address'
import { Refused, Unavailable } from '../../../model/errors'
import { labelOf } from '../../../model/mention'
import type { World } from '../../../model/network'
import type { Presence } from '../../../model/signal'
import { canonicalBare, nickOf, nickSpellings, resourceOf } from '../names'
import { presenceXml } from '../text/signals'
import { type Condition, conditionOf, failureOf } from '../wire/stanza-errors'
import type { Stream } from '../wire/stream'
import { child, el, type Element, elementsIn, form, owned, photoUpdate, type Xml } from '../wire/xml'
import { STAND_IN } from './own-messages'

const JOIN_TIMEOUT_MS = 20_000
const NICK_TRIES_MAX = 50

const MUC = 'http://jabber.org/protocol/muc'
const MUC_USER = `${MUC}#user`
const OWNER = `${MUC}#owner`

export interface Occupant {
  readonly jid: string // our full address behind it
  readonly person: Person | undefined // for whom it speaks
  readonly nick: string // as the room spells it; '' while outside
  readonly name: string // the nickname that is wanted
  readonly affiliation: string // '' while outside
  readonly role: string
  readonly refusedFor: string // the condition of the last try that failed, '' if it did not
  readonly replacedBy: string | undefined // the room that its owners named when they destroyed this one
  usedAt: number // of clock.tick; when it spoke, or was about to
  /** Enters, or waits for the try under way. Throws Refused or Unavailable. */
  join (): Promise<void>
  rename (name: string): void
  /** The hash of its picture, '' for none. */
  show (photo: string): void
  /** Whether its person can be reached. */
  appear (presence: Presence): void
  leave (why?: Error): void
  /** What the room says to `jid`. */
  presence (stanza: Element): void
  /** We have learned that it is outside. */
  lost (why: string): void
}

export interface OccupantEvents {
  nick (before: string, now: string): void // '' is outside
  out (why: string, put: PutOut | undefined): void
  /** How much of the past it asks for when it enters; without this, nothing. */
  history? (): Record<string, string> | undefined
  /** Its role or affiliation has changed; the role was `before`, '' while outside. */
  rank? (before: string): void
  /** It is about to enter, once this resolves; undefined: at once. */
  entering? (): Promise<void> | undefined
  /** The room is for members only: makes it one. Throws Unavailable. */
  admit? (): Promise<void>
}

/** Somebody decided against us. After `kicked`, another try would be rude; after `shut out`, the room itself decides about the next try. */
export type PutOut = 'kicked' | 'shut out' | 'destroyed'

/** For a room that is ours alone. */
export interface OwnRoom {
  setUp (): Promise<void> // it is new
  admit (jid: string, nick: string): Promise<void> // before another of us enters, and how it wants to be called
  isOwner: boolean // this one sets up and admits
}

/** Apps show beside the name on which network somebody is (XEP-0317), even where the name had to be shortened or spelt plainer. */
const hatOf = (name: string, person: Person | undefined): Xml | undefined => {
  const label = labelOf(name)
  return person === undefined || label === undefined ? undefined
    : el('hats', { xmlns: 'urn:xmpp:hats:0' }, el('hat', { uri: `urn:zentrale:network:${person.network}`, title: label }))
}

const looksXml = (photo: string | undefined, appearance: Presence | undefined): (Xml | undefined)[] =>
  [photo === undefined ? undefined : photoUpdate(photo), ...appearance === undefined ? [] : presenceXml(appearance)]

/** For a nickname with letters that it does not know, Prosody says the first, ejabberd the second. */
const MISSPELT: ReadonlySet<string> = new Set(['jid-malformed', 'bad-request'])

/** XEP-0045 §15.6. */
export const statusesOf = (user: Element | undefined): Set<string | undefined> =>
  new Set(user === undefined ? [] : elementsIn(user).filter(one => one.name === 'status').map(one => one.attrs.code))

export const MEMBERSHIP_TAKEN = 'membership taken away'
export const MEMBERS_ONLY = 'room became members-only'

const OUT_BECAUSE: Readonly<Record<string, string>> = {
  301: 'banned',
  307: 'kicked',
  321: MEMBERSHIP_TAKEN,
  322: MEMBERS_ONLY,
  332: 'server shutting down',
  333: 'removed after an error'
}

const PUT_OUT: Readonly<Record<string, PutOut>> = { 301: 'shut out', 307: 'kicked', 321: 'shut out', 322: 'shut out' }

/** Technical reasons, which come with the code of a kick as well (XEP-0045 §9.11). */
const TECHNICAL = ['332', '333']

const whyOut = (user: Element | undefined, statuses: Set<string | undefined>): [why: string, put: PutOut | undefined] => {
  if (user !== undefined && child(user, 'destroy') !== undefined) return ['room destroyed', 'destroyed']
  const code = [...TECHNICAL, ...Object.keys(OUT_BECAUSE)].find(one => statuses.has(one)) ?? ''
  return [OUT_BECAUSE[code] ?? 'left', PUT_OUT[code]]
}

/** XEP-0045 §10.9; a room that is over already says it as RFC 6120 §8.3.3.5 does. */
const successorIn = (written: string): string | undefined => {
  const jid = owned(/^(?:xmpp:)?([^?;#]+)/.exec(written)?.[1] ?? '')
  try { return canonicalBare(written.startsWith('xmpp:') ? decodeURIComponent(jid) : jid) } catch { return undefined }
}

const withPassword = (password: string | undefined): Xml | undefined => password === undefined ? undefined : el('password', {}, password)

const NO_PASSWORD = 'the room asks for a password: write it under xmpp.passwords, and start Zentrale again'
const WRONG_PASSWORD = 'the room does not take the password that stands under xmpp.passwords: write the right one, and start Zentrale again'

const successorOf = (user: Element | undefined): string | undefined => successorIn((user && child(user, 'destroy')?.attrs.jid) ?? '')

/** Somebody can mend a wrong password, so what a ghost has to say waits. */
const refusalOf = (condition: Condition, person: Person | undefined, password: string | undefined): Refused | Unavailable => {
  if (condition.name === 'not-authorized') {
    const why = password === undefined ? NO_PASSWORD : WRONG_PASSWORD
    return person === undefined ? new Refused(why) : new Unavailable(why, { disconnected: true })
  }
  const failure = failureOf('the room does not let us in', condition)
  return person !== undefined && condition.name === 'forbidden' ? new Refused(failure.message, undefined, 'expelled') : failure
}

export interface OccupantParts {
  room: string
  jid: string
  firstName: string
  person?: Person | undefined
  password?: string | undefined
  stream: Stream
  world: World
  events: OccupantEvents
  own?: OwnRoom | undefined
}

export const makeOccupant = ({ room, jid, firstName, person, password, stream, world: { clock, log }, events, own }: OccupantParts): Occupant => {
  let name = firstName
  let spellings = nickSpellings(name)
  let nick = ''
  let rank = { affiliation: '', role: '' }
  let [refusedFor, replacedBy]: [string, string?] = ['']
  let admitted = false // in this try to enter
  let number = 1
  let photo: string | undefined // undefined: never had one, and says nothing about it
  let appearance: Presence | undefined
  let shown: string | undefined // what the last presence said
  let entering: { promise: Promise<void>, done (error?: Error): void } | undefined
  let timer: Timer | undefined

  const setNick = (now: string): void => {
    if (now === nick) return
    const before = nick
    nick = owned(now)
    if (nick === '') rank = { affiliation: '', role: '' }
    events.nick(before, nick)
  }

  const setRank = (user: Element | undefined): void => {
    const { affiliation = '', role = '' } = (user && child(user, 'item')?.attrs) ?? {}
    if (affiliation === rank.affiliation && role === rank.role) return
    const before = rank.role
    rank = { affiliation: owned(affiliation), role: owned(role) }
    events.rank?.(before)
  }

  const present = (as: string, enter?: Xml): void => {
    shown = photo
    stream.send(el('presence', { from: jid, to: `${room}/${as}` }, enter, STAND_IN, hatOf(name, person), ...looksXml(photo, appearance)))
  }

  const announce = (): void => present(nickOf(spellings[0] ?? name, number),
    nick === '' ? el('x', { xmlns: MUC }, el('history', events.history?.() ?? { maxchars: '0' }), withPassword(password)) : undefined)

  const showPhoto = (): void => { if (nick !== '' && shown !== photo) present(nick) }
  const announceAfter = async (admit: Promise<void>): Promise<void> => {
    const promise = entering?.promise
    const error: Error | undefined = await admit.then(() => undefined, (failed: Error) => failed)
    if (entering?.promise !== promise) return // ended by something else
    if (error === undefined) announce()
    else entering?.done(error)
  }

  const begin = (): Promise<void> => {
    let settle: (error?: Error) => void = () => {}
    const promise = new Promise<void>((resolve, reject) => { settle = error => error === undefined ? resolve() : reject(error) })
    entering = { promise, done (error) { timer?.cancel(); entering = undefined; settle(error) } }
    timer = clock.after(JOIN_TIMEOUT_MS, () => entering?.done(new Unavailable('no answer from the room when joining')))
    number = 1
    refusedFor = ''
    admitted = false
    const ready = own === undefined || own.isOwner ? events.entering?.() : own.admit(jid, nickOf(name))
    if (ready === undefined) announce()
    else void announceAfter(ready)
    return promise
  }

  const refused = (stanza: Element): void => {
    const condition = conditionOf(stanza)
    if (condition.name === 'conflict' && number < NICK_TRIES_MAX) {
      number++
      log.info({ room, number }, 'nickname is taken, trying it with a number')
      return announce()
    }
    if (MISSPELT.has(condition.name) && spellings.length > 1) {
      spellings.shift()
      return announce()
    }
    if (condition.name === 'registration-required' && entering !== undefined && events.admit !== undefined && !admitted) {
      admitted = true
      return void announceAfter(events.admit())
    }
    [refusedFor, replacedBy] = [owned(condition.name), condition.name === 'gone' ? successorIn(condition.about) : undefined]
    entering?.done(refusalOf(condition, person, password))
  }

  const lost = (why: string, put?: PutOut): void => {
    const wasIn = nick !== ''
    setNick('')
    entering?.done(new Unavailable(`out of the room: ${why}`))
    if (wasIn) events.out(why, put)
  }

  const configure = async (fields: Readonly<Record<string, string>>): Promise<Refused | Unavailable | undefined> => {
    const answer = await stream.ask('set', jid, room, el('query', { xmlns: OWNER }, form(`${MUC}#roomconfig`, fields)))
    return answer.attrs.type === 'error' ? failureOf('the new room could not be opened', conditionOf(answer)) : undefined
  }

  /** A new room is locked until its maker sends a form (§10.1). It should outlive a moment without people, and its archive too. */
  const open = async (): Promise<void> => {
    const error = await configure({ 'muc#roomconfig_persistentroom': '1' }) && await configure({})
    entering?.done(error)
  }

  /** Somebody else made the room, and could read what is said there. */
  const isForeign = (now: string): void => {
    setNick(now)
    leave(new Refused('the room is there already, and it is not ours; ask the operator of the room service to remove it'))
  }

  const entered = (now: string, statuses: Set<string | undefined>, user: Element | undefined): void => {
    const created = statuses.has('201')
    const affiliation = user && child(user, 'item')?.attrs.affiliation
    if (own?.isOwner === true && affiliation !== 'owner') return isForeign(now)
    setNick(now)
    setRank(user)
    showPhoto()
    if (!created) entering?.done()
    else if (own === undefined) open().catch((error: Error) => entering?.done(error))
    else own.setUp().then(() => entering?.done(), (error: Error) => { leave(error) })
  }

  const leave = (why: Error = new Unavailable('leaving')): void => {
    if (nick !== '') stream.send(el('presence', { from: jid, to: `${room}/${nick}`, type: 'unavailable' }))
    setNick('')
    entering?.done(why)
  }

  return {
    jid, person,
    get nick () { return nick },
    get name () { return name },
    get affiliation () { return rank.affiliation },
    get role () { return rank.role },
    get refusedFor () { return refusedFor }, get replacedBy () { return replacedBy },
    usedAt: clock.tick(),
    join: () => entering?.promise ?? (nick !== '' ? Promise.resolve() : begin()),
    rename (now) {
      if (now === name) return
      name = now
      number = 1
      spellings = nickSpellings(name)
      if (nick !== '') announce()
    },
    show (now) { if (now !== '' || photo !== undefined) { photo = now; showPhoto() } },
    appear (now) { appearance = now; if (nick !== '') present(nick) },
    leave,
    presence (stanza) {
      const from = resourceOf(stanza.attrs.from ?? '')
      if (stanza.attrs.type === 'error') return refused(stanza)
      if (from === '') return // the room's own
      const user = child(stanza, 'x', MUC_USER)
      const statuses = statusesOf(user)
      if (!statuses.has('110') && from !== nick) return
      if (stanza.attrs.type === undefined) return entered(from, statuses, user)
      if (stanza.attrs.type !== 'unavailable' || from !== nick) return
      const next = statuses.has('303') && user !== undefined ? child(user, 'item')?.attrs.nick : undefined
      if (next !== undefined) return setNick(next)
      replacedBy = successorOf(user)
      lost(...whyOut(user, statuses))
    },
    lost
  }
}
