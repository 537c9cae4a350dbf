/**
 * One of ours in one room (XEP-0045): joining, its nickname, leaving.
 * Promises: if a nickname is taken, a number is added; `join` ends in the room, or throws Refused or Unavailable; whatever the room says later
 * (renamed, kicked, banned, destroyed) is followed.
 */
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

/** A try to enter. */
interface Entering { promise: Promise<void>; done (error?: Error): void }

/** A class, because there are tens of thousands: functions of their own for each would be most of what Zentrale keeps in memory. */
class InOneRoom implements Occupant {
  readonly jid: string
  readonly person: Person | undefined
  name: string
  nick = ''
  affiliation = ''
  role = ''
  refusedFor = ''
  replacedBy: string | undefined = undefined
  usedAt: number
  private spellings: string[]
  private admitted = false // in this try to enter
  private number = 1
  private photo: string | undefined = undefined // undefined: never had one, and says nothing about it
  private appearance: Presence | undefined = undefined
  private shown: string | undefined = undefined // what the last presence said
  private entering: Entering | undefined = undefined

  constructor (private readonly parts: OccupantParts) {
    this.jid = parts.jid
    this.person = parts.person
    this.name = parts.firstName
    this.spellings = nickSpellings(this.name)
    this.usedAt = parts.world.clock.tick()
  }

  join (): Promise<void> {
    return this.entering?.promise ?? (this.nick !== '' ? Promise.resolve() : this.begin())
  }

  rename (name: string): void {
    if (name === this.name) return
    this.name = name
    this.number = 1
    this.spellings = nickSpellings(name)
    if (this.nick !== '') this.announce()
  }

  show (photo: string): void {
    if (photo === '' && this.photo === undefined) return
    this.photo = photo
    this.showPhoto()
  }

  appear (presence: Presence): void {
    this.appearance = presence
    if (this.nick !== '') this.present(this.nick)
  }

  leave (why: Error = new Unavailable('leaving')): void {
    const { stream, jid, room } = this.parts
    if (this.nick !== '') stream.send(el('presence', { from: jid, to: `${room}/${this.nick}`, type: 'unavailable' }))
    this.setNick('')
    this.entering?.done(why)
  }

  presence (stanza: Element): void {
    const from = resourceOf(stanza.attrs.from ?? '')
    if (stanza.attrs.type === 'error') return this.refused(stanza)
    if (from === '') return // the room's own
    const user = child(stanza, 'x', MUC_USER)
    const statuses = statusesOf(user)
    if (!statuses.has('110') && from !== this.nick) return
    if (stanza.attrs.type === undefined) return this.entered(from, statuses, user)
    if (stanza.attrs.type !== 'unavailable' || from !== this.nick) return
    const next = statuses.has('303') && user !== undefined ? child(user, 'item')?.attrs.nick : undefined
    if (next !== undefined) return this.setNick(next)
    this.replacedBy = successorOf(user)
    this.lost(...whyOut(user, statuses))
  }

  lost (why: string, put?: PutOut): void {
    const wasIn = this.nick !== ''
    this.setNick('')
    this.entering?.done(new Unavailable(`out of the room: ${why}`))
    if (wasIn) this.parts.events.out(why, put)
  }

  private setNick (now: string): void {
    if (now === this.nick) return
    const before = this.nick
    this.nick = owned(now)
    if (this.nick === '') [this.affiliation, this.role] = ['', '']
    this.parts.events.nick(before, this.nick)
  }

  private setRank (user: Element | undefined): void {
    const { affiliation = '', role = '' } = (user && child(user, 'item')?.attrs) ?? {}
    if (affiliation === this.affiliation && role === this.role) return
    const before = this.role
    this.affiliation = owned(affiliation)
    this.role = owned(role)
    this.parts.events.rank?.(before)
  }

  private present (as: string, enter?: Xml): void {
    const { stream, jid, room, person } = this.parts
    this.shown = this.photo
    const looks = looksXml(this.photo, this.appearance)
    stream.send(el('presence', { from: jid, to: `${room}/${as}` }, enter, STAND_IN, hatOf(this.name, person), ...looks))
  }

  private announce (): void {
    const { events, password } = this.parts
    this.present(nickOf(this.spellings[0] ?? this.name, this.number),
      this.nick === '' ? el('x', { xmlns: MUC }, el('history', events.history?.() ?? { maxchars: '0' }), withPassword(password)) : undefined)
  }

  private showPhoto (): void { if (this.nick !== '' && this.shown !== this.photo) this.present(this.nick) }

  private async announceAfter (admit: Promise<void>): Promise<void> {
    const promise = this.entering?.promise
    const error: Error | undefined = await admit.then(() => undefined, (failed: Error) => failed)
    if (this.entering?.promise !== promise) return // ended by something else
    if (error === undefined) this.announce()
    else this.entering?.done(error)
  }

  private begin (): Promise<void> {
    const { world: { clock }, own, events, jid } = this.parts
    const { promise, resolve, reject } = Promise.withResolvers<void>()
    const timer = clock.after(JOIN_TIMEOUT_MS, () => this.entering?.done(new Unavailable('no answer from the room when joining')))
    this.entering = {
      promise,
      done: error => {
        timer.cancel()
        this.entering = undefined
        if (error === undefined) resolve()
        else reject(error)
      }
    }
    this.number = 1
    this.refusedFor = ''
    this.admitted = false
    const ready = own === undefined || own.isOwner ? events.entering?.() : own.admit(jid, nickOf(this.name))
    if (ready === undefined) this.announce()
    else void this.announceAfter(ready)
    return promise
  }

  private refused (stanza: Element): void {
    const { room, world: { log }, events, person, password } = this.parts
    const condition = conditionOf(stanza)
    if (condition.name === 'conflict' && this.number < NICK_TRIES_MAX) {
      this.number++
      log.info({ room, number: this.number }, 'nickname is taken, trying it with a number')
      return this.announce()
    }
    if (MISSPELT.has(condition.name) && this.spellings.length > 1) {
      this.spellings.shift()
      return this.announce()
    }
    if (condition.name === 'registration-required' && this.entering !== undefined && events.admit !== undefined && !this.admitted) {
      this.admitted = true
      return void this.announceAfter(events.admit())
    }
    this.refusedFor = owned(condition.name)
    this.replacedBy = condition.name === 'gone' ? successorIn(condition.about) : undefined
    this.entering?.done(refusalOf(condition, person, password))
  }

  private async configure (fields: Readonly<Record<string, string>>): Promise<Refused | Unavailable | undefined> {
    const { stream, jid, room } = this.parts
    const answer = await stream.ask('set', jid, room, el('query', { xmlns: OWNER }, form(`${MUC}#roomconfig`, fields)))
    return answer.attrs.type === 'error' ? failureOf('the new room could not be opened', conditionOf(answer)) : undefined
  }

  /** A new room is locked until its maker sends a form (§10.1). It should outlive a moment without people, and its archive too. */
  private async open (): Promise<void> {
    const error = await this.configure({ 'muc#roomconfig_persistentroom': '1' }) && await this.configure({})
    this.entering?.done(error)
  }

  /** Somebody else made the room, and could read what is said there. */
  private isForeign (now: string): void {
    this.setNick(now)
    this.leave(new Refused('the room is there already, and it is not ours; ask the operator of the room service to remove it'))
  }

  private entered (now: string, statuses: Set<string | undefined>, user: Element | undefined): void {
    const { own } = this.parts
    const created = statuses.has('201')
    const affiliation = user && child(user, 'item')?.attrs.affiliation
    if (own?.isOwner === true && affiliation !== 'owner') return this.isForeign(now)
    this.setNick(now)
    this.setRank(user)
    this.showPhoto()
    if (!created) this.entering?.done()
    else if (own === undefined) this.open().catch((error: Error) => this.entering?.done(error))
    else own.setUp().then(() => this.entering?.done(), (error: Error) => { this.leave(error) })
  }
}

export const makeOccupant = (parts: OccupantParts): Occupant => new InOneRoom(parts)
