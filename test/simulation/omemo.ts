/**
 * Contacts on XMPP whose apps encrypt with OMEMO: always, sometimes, never. Our side is the real one; their apps are fake ones
 * (test/support/omemo/fake-app.ts). Devices come and go, with or without news of them; what a contact's server says of their keys is late, wrong or
 * nothing; letters come spoiled, again, for other devices, or with a key that was used before.
 *
 * The invariants are those of sealed.ts: S1 nothing in the clear to whoever wrote encrypted last · S2 each listed app can read what we say, and a
 * second try sends the same · S3 what cannot be read is told to its writer and to the team, and nothing else is called so. (S4 is not judged here.)
 */
import { addressKey } from '../../src/model/address'
import type { MessageArrival } from '../../src/model/message'
import { directPlace } from '../../src/networks/xmpp/direct/place'
import { bareOf } from '../../src/networks/xmpp/names'
import { AXOLOTL, BUNDLE_NODE, devicesIn, LIST_NODE, listXml } from '../../src/networks/xmpp/omemo/elements'
import { child, el, type Element, elementsIn, textOf, type Xml } from '../../src/networks/xmpp/wire/xml'
import { type FakeApp, makeFakeApp, type Shown } from '../support/omemo/fake-app'
import type { Random } from './random'
import type { Answer } from './room'
import type { Inhabitant } from './town'
import type { Utterance, World } from './world'

const PUBSUB = 'http://jabber.org/protocol/pubsub'
/** How likely a contact's app encrypts, if it has keys. */
const WILLS = [0, 0.5, 1, 1] as const
const APPS_MAX = 3
const COMES = 0.15
const GOES = 0.1
const NEWS = 0.5
/** An app that gets no keys for so long goes on without. */
const PATIENCE_MS = 5000
/** An answer that is under way while the contact writes goes out as it is. */
const UNDER_WAY_MS = 60_000
/** After so long, a list was asked for again. */
const KNOWN_MS = 20 * 60_000
/** A contact is not told more often. */
const NOTICED_MS = 3_600_000
/** What is said to them at most so long before the link breaks, or after it, may not come to them. */
const TELLING_MS = 2 * 60_000
/** A link may be dead for so long without a sign. */
const DEAD_MS = 20 * 60_000
const UNREAD = /Your last message was not encrypted for us|We cannot read encrypted messages/

interface App { fake: FakeApp; listedAt: number; isListed: boolean; isBad: boolean; known?: Shown }
interface Person { jid: string; will: number; apps: App[] }
interface Letter { place: string; tag: string; isSealed: boolean; isLost: boolean; isExcused: boolean; storedAt?: number }

interface Parts {
  world: World; random: Random
  send (stanza: Xml): boolean
  /** Asks the component. `done` is called with its answer, or never. */
  question (from: string, to: string, payload: Xml, done: (answer: Element) => void): void
}

export interface Omemo {
  /** Says `content` in the place of the words, now or when the app has the keys for it; `isLost`: nobody will be able to read it. */
  write (by: Inhabitant, utterance: Utterance, say: (content: Xml[], isLost: boolean) => void): void
  /** What the server of a person says about keys. Undefined: it does not answer. */
  ask (iq: Element, payload: Element): Answer | undefined
  /** What a stanza of ours says to its reader; undefined if that is nothing, or only that we cannot read them. */
  read (stanza: Element): string | undefined
  /** The bridge has taken a message. */
  stored (arrival: MessageArrival): void
  /** It may never have been read by the component, or came back. */
  excuse (key: string): void
  isLost (id: string): boolean
  /** Whether it is encrypted and not taken yet: the bridge may keep its words, opened, for its next life. */
  isKept (id: string): boolean
  /** The link broke. It may have been dead since then. */
  broke (since: number): void
  judge (): void
}

const changed = (xml: Xml, key: (attrs: string, base64: string) => string): Xml =>
  ({ xml: xml.xml.replace(/<key ([^>]*)>([^<]*)<\/key>/, (_, attrs: string, base64: string) => key(attrs, base64)) })

const spoiled = (xml: Xml): Xml => changed(xml, (attrs, base64) => {
  const bytes = Buffer.from(base64, 'base64')
  bytes[bytes.length - 20]! ^= 1
  return `<key ${attrs}>${bytes.toString('base64')}</key>`
})

const forOthers = (xml: Xml): Xml => changed(xml, (attrs, base64) => `<key ${attrs.replace(/rid='\d+'/, 'rid=\'1\'')}>${base64}</key>`)

const itemIn = (answer: Element): Element | undefined => {
  const items = child(child(answer, 'pubsub', PUBSUB) ?? answer, 'items')
  return items && child(items, 'item')
}

export const makeOmemo = ({ world, random, send, question }: Parts): Omemo => {
  const { timeline, weather, auditor, note } = world
  const people = new Map<string, Person>() // by address
  const letters = new Map<string, Letter>() // by the stanza's id
  const since = new Map<string, number>() // by place: since when the contact's words are encrypted
  const opened = new Map<string, string>() // what was read, by id and payload
  const sent = new Map<string, { text: string, payload: string }>() // by id
  const begun = new Map<string, { shown: Shown, one: number, letter: string }>() // by address of ours: the first session with it
  const noticed: { place: string, at: number }[] = []
  const breaks: [from: number, to: number][] = [] // of the link

  const newApp = (): App => ({
    fake: makeFakeApp(bytes => random.bytes(bytes)), listedAt: timeline.ms, isListed: true,
    isBad: weather.strikes('a bundle has a wrong signature')
  })

  const personOf = (jid: string): Person => {
    const person = people.get(jid) ?? { jid, will: random.pick(WILLS), apps: [] }
    people.set(jid, person)
    if (person.apps.length === 0 && person.will > 0) person.apps.push(newApp())
    return person
  }

  const listed = ({ apps }: Person): App[] => apps.filter(({ isListed }) => isListed)
  const listOf = (person: Person): Xml => listXml(listed(person).map(({ fake }) => fake.device))

  /** Apps come and go. Their server tells of it, or not. */
  const changes = (person: Person, to: string): void => {
    const before = listed(person).length
    if (person.apps.length < APPS_MAX && random.happens(COMES)) person.apps.push(newApp())
    else if (before > 1 && random.happens(GOES)) random.pick(listed(person)).isListed = false
    if (listed(person).length === before || !random.happens(NEWS)) return
    note(`the devices of ${person.jid} have changed`)
    send(el('message', { type: 'headline', from: person.jid, to }, el('event', { xmlns: `${PUBSUB}#event` },
      el('items', { node: LIST_NODE }, el('item', { id: 'current' }, listOf(person))))))
  }

  const learn = (app: App, from: string, to: string, over: () => void): void => {
    const ask = (node: string, done: (item: Element | undefined) => void): void =>
      question(from, to, el('pubsub', { xmlns: PUBSUB }, el('items', { node })), answer => done(itemIn(answer)))
    ask(LIST_NODE, list => {
      const [device] = devicesIn(list && child(list, 'list', AXOLOTL))
      if (device === undefined) return over()
      ask(BUNDLE_NODE + String(device), item => {
        const bundle = item && child(item, 'bundle', AXOLOTL)
        if (bundle !== undefined) app.known = { device, bundle }
        over()
      })
    })
  }

  /** The keys with which the app writes. With a key that was used before, nobody can read it. */
  const begins = (app: App, ours: string, letter: string): { shown: Shown, one: number, isUsed: boolean } => {
    const first = begun.get(ours)
    const before = first && letters.get(first.letter)
    const isRead = before?.storedAt !== undefined && !before.isLost
    const isUsed = first !== undefined && isRead && weather.strikes('a key is used already')
    if (isUsed) return { ...first, isUsed }
    const count = elementsIn(child(app.known!.bundle, 'prekeys') ?? app.known!.bundle).length
    const one = random.below(count)
    if (first === undefined) begun.set(ours, { shown: app.known!, one, letter })
    return { shown: app.known!, one, isUsed: false }
  }

  const words = (app: App, { key, text, tag = '', by }: Utterance): { content: Xml[], isLost: boolean } => {
    const isFirst = app.fake.begins
    const { shown, one, isUsed } = isFirst ? begins(app, by.to!, key) : { shown: app.known!, one: 0, isUsed: false }
    const content = app.fake.seal(shown, text, one)
    if (isUsed) app.fake.forget()
    const how = isUsed ? 'with a key that was used' : weather.strikes('a letter is spoiled') ? 'spoiled'
      : weather.strikes('a letter is for other devices') ? 'for others' : ''
    const [encrypted, ...more] = content
    const written = how === 'spoiled' ? spoiled(encrypted!) : how === 'for others' ? forOthers(encrypted!) : encrypted!
    note(`${tag} is encrypted${isFirst ? ', the first of a session' : ''} ${how}`)
    return { content: [written, ...more], isLost: how !== '' }
  }

  const placeOf = (ours: string, theirs: string): string => addressKey({ network: 'xmpp', id: directPlace(ours, theirs) })

  const judgeApps = (person: Person, id: string, read: Set<App>): void => {
    const isSure = !weather.counts.has('keys cannot be had')
    for (const app of listed(person)) {
      if (app.isBad ? read.has(app) && app.fake.begins : isSure && !read.has(app) && timeline.ms - app.listedAt > KNOWN_MS) {
        auditor.violation('S2', `${id} was ${app.isBad ? '' : 'not '}sealed for device ${app.fake.device} of ${person.jid}`)
      }
    }
  }

  /** Each app reads each stanza once. */
  const openFor = (person: Person, stanza: Element, id: string): string | undefined => {
    const payload = textOf(child(child(stanza, 'encrypted', AXOLOTL)!, 'payload'))
    const name = `${id} ${payload}`
    if (payload !== '' && opened.has(name)) return opened.get(name)
    const read = new Set<App>()
    let text: string | undefined
    for (const app of person.apps) {
      try {
        const said = app.fake.open(stanza)
        if (said === undefined) continue
        read.add(app)
        text = said
      } catch (error) {
        note(`${id} cannot be read by ${app.fake.device}: ${String(error)}`)
      }
    }
    if (payload === '') return undefined
    if (text === undefined) auditor.violation('S2', `${id} to ${person.jid} can be read by none of their apps`)
    else opened.set(name, text)
    judgeApps(person, id, read)
    return text
  }

  /** Whether each word about it, until then and in the hour before, must have come to them. */
  const isToldBefore = (place: string, until: number): boolean => {
    const tries = [...letters.values()].filter(one => one.isLost && one.place === place).map(({ storedAt = Infinity }) => storedAt)
      .filter(at => at <= until && at > until - NOTICED_MS)
    return tries.every(at => breaks.every(([from, to]) => to < at - TELLING_MS || from > at + TELLING_MS)) && timeline.ms - until > TELLING_MS
  }

  return {
    write (by, utterance, say) {
      const person = personOf(by.id)
      changes(person, by.to!)
      const { key, tag = '', text } = utterance
      const speak = (app: App | undefined): void => {
        const sealed = app === undefined ? undefined : words(app, utterance)
        const isLost = sealed?.isLost === true
        letters.set(key, {
          place: placeOf(by.to!, by.id), tag, isSealed: app !== undefined, isLost, isExcused: false
        })
        if (isLost) auditor.unheard(tag)
        say(sealed?.content ?? [el('body', {}, text)], isLost)
      }
      if (listed(person).length === 0 || !random.happens(person.will)) return speak(undefined)
      const app = random.pick(listed(person))
      if (app.known !== undefined) return speak(app)
      let isSaid = false
      const over = (): void => {
        if (isSaid) return
        isSaid = true
        speak(app.known === undefined ? undefined : app)
      }
      timeline.after(PATIENCE_MS, over)
      learn(app, `${by.id}/phone`, by.to!, over)
    },
    ask (iq, payload) {
      const node = elementsIn(payload).find(({ name }) => name === 'items')?.attrs.node ?? ''
      const person = people.get(bareOf(iq.attrs.to ?? ''))
      const app = person && listed(person).find(({ fake }) => node === BUNDLE_NODE + String(fake.device))
      const has = person !== undefined && listed(person).length > 0
      if (has && weather.strikes('keys cannot be had')) {
        return random.pick([undefined, { type: 'wait', error: 'remote-server-timeout' }, { type: 'auth', error: 'forbidden' }])
      }
      const content = has && node === LIST_NODE ? listOf(person) : app?.fake.bundle
      if (content === undefined) return { type: 'cancel', error: 'item-not-found' }
      const shown = app?.isBad === true
        ? { xml: content.xml.replace(/<signedPreKeySignature>[^<]*/, `<signedPreKeySignature>${Buffer.alloc(64, 1).toString('base64')}`) } : content
      return { result: el('pubsub', { xmlns: PUBSUB }, el('items', { node }, el('item', { id: 'current' }, shown))) }
    },
    read (stanza) {
      const { id = '', from = '', to = '' } = stanza.attrs
      const place = placeOf(bareOf(from), bareOf(to))
      const isSealed = child(stanza, 'encrypted', AXOLOTL) !== undefined
      const person = people.get(bareOf(to))
      if (isSealed && person === undefined) auditor.violation('S2', `${id} is encrypted for ${to}, who has no keys`)
      const text = isSealed ? person && openFor(person, stanza, id) : textOf(child(stanza, 'body'))
      if (text === undefined) return undefined
      if (UNREAD.test(text)) {
        noticed.push({ place, at: timeline.ms })
        return undefined
      }
      if (!isSealed && timeline.ms - (since.get(place) ?? Infinity) > UNDER_WAY_MS) {
        auditor.violation('S1', `${place} is encrypted, and “${text}” was said there in the clear`)
      }
      const payload = textOf(child(child(stanza, 'encrypted', AXOLOTL) ?? stanza, 'payload'))
      const before = sent.get(id)
      sent.set(id, { text, payload })
      if (before?.text === text && before.payload !== payload && before.payload !== '' && !auditor.has(id)) {
        auditor.violation('S2', `${text} was sealed twice`)
      }
      return text
    },
    stored ({ named = '', content }) {
      const letter = letters.get(named)
      if (letter === undefined || letter.storedAt !== undefined) return
      const { place, tag, isSealed, isLost } = letter
      letter.storedAt = timeline.ms
      if (isSealed) since.set(place, since.get(place) ?? timeline.ms)
      else since.delete(place)
      const isUnread = content.unreadable !== undefined
      if (isUnread === isLost) return
      if (!isUnread) return auditor.violation('S3', `${tag} was read, and nobody could`, tag)
      letter.isLost = true
      auditor.unheard(tag)
      if (!weather.counts.has('clock jump')) auditor.violation('S3', `${tag} was not read, and could have been`, tag) // else a key was too old
    },
    excuse (key) {
      const letter = letters.get(key)
      if (letter !== undefined) letter.isExcused = true
    },
    isLost: id => letters.get(id)?.isLost === true || weather.counts.has('clock jump'), // then a key may have been too old
    isKept (id) {
      const letter = letters.get(id)
      return letter?.isSealed === true && letter.storedAt === undefined
    },
    broke (since) { breaks.push([Math.max(since, timeline.ms - DEAD_MS), timeline.ms]) },
    judge () {
      for (const { tag, place, isLost, isExcused, storedAt: at } of letters.values()) {
        if (!isLost) continue
        if (at === undefined) {
          if (!isExcused) auditor.violation('S3', `nobody of the team was told of ${tag}, which cannot be read`, tag)
          continue
        }
        const isNoticed = noticed.some(one => one.place === place && one.at > at - NOTICED_MS)
        if (!isNoticed && isToldBefore(place, at)) auditor.violation('S3', `${tag} cannot be read, and its writer does not know`, tag)
      }
    }
  }
}
