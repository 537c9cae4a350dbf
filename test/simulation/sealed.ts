/**
 * Contacts whose chats with an address are encrypted: from the beginning, or from some day on. Their apps and our devices are fake ones
 * (test/support/fake-machine.ts); their keys come late or never, and the homeserver may forget that a chat is encrypted, or show a message again.
 *
 * S1 what we say in a chat that is encrypted never reaches the homeserver in the clear · S2 the contact's app can read it, from a device for which
 * the address vouches, and a second try sends the same event · S3 what can never be read is told to its writer, and to the team within TOLD_MS, in a
 * line of the case (desk-auditor.ts looks for it) · S4 what a contact says is taken in its order, unless a key holds it up for longer than HELD_MS.
 * (Nothing lost, nothing twice: desk-auditor.ts.)
 */
import type { MakeEngine } from '../../src/networks/matrix/encryption/engine'
import { SEALED } from '../../src/networks/matrix/encryption/encryption'
import { KEY_FIELD } from '../../src/networks/matrix/contents'
import { makeFakeApp, type FakeApp } from '../support/fake-app'
import { fakeEngine } from '../support/fake-engine'
import type { HsPerson } from '../support/homeserver'
import type { Keys } from '../support/homeserver/keys'
import type { HsEvent, Json, State } from '../support/homeserver/state'
import type { Life } from './life'
import type { Random } from './random'
import type { Inhabitant, Said } from './town'
import { kindOf } from './typing'
import type { World } from './world'

const ENCRYPTION = 'm.room.encryption'
const ALGORITHM: Json = { algorithm: 'm.megolm.v1.aes-sha2' }
const MESSAGE = 'm.room.message'
/** An answer that is under way while the contact encrypts the chat goes out as it is. */
const UNDER_WAY_MS = 60_000
const HELD_MS = 30_000 // as src/networks/matrix/encryption/waiting.ts has it
/** After so long, what cannot be read is given up, and a key that came has been found. */
const GIVEN_UP_MS = 25 * 3600_000
const FOUND_MS = 10 * 60_000
const LATE_MS = [100, 20_000, 3 * 3600_000] as const
const AGAIN_MS = [5_000, 600_000] as const
/** In good weather, what cannot be read is told after the moment in which its key may come, and a look or two. */
const TOLD_MS = HELD_MS + 5 * 60_000
/** A contact is not told more often. */
const NOTICED_MS = 3600_000
const UNREAD = /was encrypted so that we cannot read it/
/** How likely contacts encrypt their chat before they say something. 1: from the beginning. */
const WILLS = [0, 0.3, 1, 1] as const
const ROTATES = 0.5

/** What a contact said, as the homeserver has it. `told`: when the bridge has stored that something came, in ms of the timeline. */
interface Letter { room: string; by: string; tag: string; at: number; stored: boolean; told: number | undefined; isLost: boolean }

interface Parts { world: World; state: State; keys: Keys; isOurs (user: string): boolean; random: Random }

export interface Sealed {
  engineFor (life: Life): MakeEngine
  /** What a contact asks of a new chat. */
  options (by: Inhabitant): Json
  /** How a contact says something in a chat, which they may encrypt just now. */
  voice (by: Inhabitant, person: HsPerson, room: string, said: Said | undefined): HsPerson
  /** An event of ours as the contact reads it; undefined if it is a notice about what cannot be read. */
  shown (event: HsEvent): HsEvent | undefined
  /** What a request of ours says, in the clear. */
  clear (room: string, content: Json): Json
  /** Whether the homeserver answers this question as if the chat were not encrypted. */
  isForgotten (path: string): boolean
  /** The bridge has taken an arrival. */
  stored (key: string): void
  /** Whether nobody can ever read this event, or has to. */
  isLost (id: string): boolean
  /** When all keys have come, or what they open was given up, in ms of the timeline. */
  readonly until: number
  judge (): void
}

export const makeSealed = ({ world, state, keys, isOurs, random }: Parts): Sealed => {
  const { timeline, weather, auditor, note, epoch } = world
  const apps = new Map<string, FakeApp>() // by user
  const wills = new Map<string, number>() // the same
  const since = new Map<string, number>() // when a room was encrypted
  const letters = new Map<string, Letter>() // by event id
  const never = new Set<string>() // sessions whose keys never come
  const noticed: { room: string, at: number }[] = []
  const forgotten = new Set<string>() // rooms
  const sent = new Map<string, { plain: string, ciphertext: unknown }>() // by key
  let until = 0

  const keep = <T>(all: Map<string, T>, key: string, make: () => T): T => {
    const one = all.get(key) ?? make()
    all.set(key, one)
    return one
  }
  const appOf = (user: string): FakeApp =>
    keep(apps, user, () => makeFakeApp({ user, device: 'D', keys, chance: random, now: () => epoch + timeline.ms }))
  const willOf = ({ id }: Inhabitant): number => keep(wills, id, () => random.pick(WILLS))

  /** An app can only encrypt for whoever has keys. */
  const hasKeys = (user: string): boolean => {
    const { device_keys: all } = keys.query({ device_keys: { [user]: [] } }) as { device_keys: Record<string, Json> }
    return Object.keys(all[user] ?? {}).length > 0
  }

  const peopleIn = (room: string): string[] => [...state.room(room).state.values()]
    .filter(({ type, content }) => type === 'm.room.member' && ['join', 'invite'].includes(String(content.membership))).map(event => event.state_key!)

  const isOn = (room: string): boolean => state.room(room).state.has(`${ENCRYPTION}\0`)
  const contactIn = (room: string): FakeApp | undefined => apps.get(peopleIn(room).find(user => !isOurs(user) && apps.has(user)) ?? '')

  /** Hands out the keys of a session: at once, later, or never. */
  const give = (session: string, run: () => void): void => {
    if (weather.strikes('a key never comes')) never.add(session)
    else if (weather.strikes('a key comes late')) {
      const ms = random.between(0, random.pick(LATE_MS))
      until = Math.max(until, timeline.ms + ms + FOUND_MS)
      note(`the key of ${session} comes after ${Math.round(ms / 1000)} s`)
      timeline.after(ms, run)
    } else run()
  }

  const add = (id: string, letter: Omit<Letter, 'at' | 'stored' | 'told'>): void => {
    letters.set(id, { ...letter, at: timeline.ms, stored: false, told: undefined })
    if (letter.isLost) until = Math.max(until, timeline.ms + GIVEN_UP_MS)
  }

  /** The homeserver shows the same event again, under another id. */
  const again = (by: string, room: string, content: Json): void => {
    timeline.after(random.between(0, random.pick(AGAIN_MS)), () => {
      const id = state.send(room, by, SEALED, content).event_id
      note(`an encrypted event is shown again, as ${id}`)
      add(id, { room, by, tag: '', isLost: true })
    })
  }

  const speak = (by: Inhabitant, room: string, { tag }: Said, content: Json): string => {
    const app = appOf(by.id)
    const given: (() => void)[] = []
    const sealed = app.seal({ room, type: MESSAGE, content, to: peopleIn(room) }, run => given.push(run))
    const session = String(sealed.session_id)
    for (const run of given) give(session, run)
    const isLost = never.has(session)
    if (isLost) auditor.unheard(tag)
    if (random.happens(ROTATES)) app.rotate(room)
    const { event_id: id } = state.send(room, by.id, SEALED, sealed)
    add(id, { room, by: by.id, tag, isLost })
    note(`${tag} is encrypted as ${id} with ${session}${isLost ? ', whose key never comes' : ''}`)
    if (weather.strikes('an encrypted event again')) again(by.id, room, sealed)
    return id
  }

  const encrypt = (person: HsPerson, room: string): void => {
    since.set(room, timeline.ms)
    note(`${person.userId} encrypts ${room}`)
    person.setState(room, ENCRYPTION, '', ALGORITHM)
  }

  /** Says what is read, and with whose key it was sealed. */
  const read = (room: string, content: Json, sender: string): Json | undefined => {
    const found = contactIn(room)?.read({ room_id: room, content })
    const key = content[KEY_FIELD]
    if (found === undefined) auditor.violation('S2', `${String(key)} in ${room} cannot be read by the contact`)
    else if (found.owner.user !== sender || !found.owner.isSigned) auditor.violation('S2', `nobody vouches for the device that sealed ${String(key)}`)
    return found && { ...found.content, [KEY_FIELD]: key }
  }

  const judgeOrder = (letter: Letter): void => {
    if (weather.counts.has('clock jump')) return
    for (const one of letters.values()) {
      if (one === letter) return
      const isHeld = one.room === letter.room && one.by === letter.by && !one.stored && !one.isLost && timeline.ms - one.at < HELD_MS
      if (isHeld) auditor.violation('S4', `${letter.tag} was taken before ${one.tag}`, letter.tag)
    }
  }

  return {
    engineFor: life => parts => {
      const engine = fakeEngine({ chance: random, dies: () => weather.strikes('the worker of encryption dies') })(parts)
      return {
        call: (...asked) => life.through(() => engine.call(...asked)), stop: engine.stop,
        get life () { return engine.life }
      }
    },
    options: by => willOf(by) === 1 && hasKeys(by.to!) ? { initial_state: [{ type: ENCRYPTION, state_key: '', content: ALGORITHM }] } : {},
    voice (by, person, room, said) {
      if (said === undefined || kindOf(said.tag) !== 'ask') return person
      if (!isOn(room) && hasKeys(by.to!) && random.happens(willOf(by))) encrypt(person, room)
      return isOn(room) ? { ...person, send: (where, text) => speak(by, where, said, { msgtype: 'm.text', body: text }) } : person
    },
    shown (event) {
      const { room_id: room, sender, content, type } = event
      if (type === MESSAGE && timeline.ms - (since.get(room) ?? (isOn(room) ? 0 : Infinity)) > UNDER_WAY_MS) {
        auditor.violation('S1', `${room} is encrypted, and “${String(content.body)}” was said there in the clear`)
      }
      if (type !== SEALED) return event
      if (weather.strikes('a homeserver forgets that a chat is encrypted')) forgotten.add(room)
      const plain = read(room, content, sender)
      if (UNREAD.test(String(plain?.body))) noticed.push({ room, at: timeline.ms })
      return plain === undefined || UNREAD.test(String(plain.body)) ? undefined : { ...event, type: MESSAGE, content: plain }
    },
    clear (room, content) {
      const found = content.ciphertext === undefined ? undefined : contactIn(room)?.read({ room_id: room, content })
      if (found === undefined) return content
      const now = { plain: JSON.stringify(found.content), ciphertext: content.ciphertext }
      const before = content[KEY_FIELD] === undefined ? now : keep(sent, `${room} ${String(content[KEY_FIELD])}`, () => now)
      const isAgain = !auditor.has(String(content[KEY_FIELD])) && before.plain === now.plain // once it is there, another try changes nothing
      if (isAgain && before.ciphertext !== now.ciphertext) auditor.violation('S2', `${now.plain} was sealed twice`)
      return { ...found.content, [KEY_FIELD]: content[KEY_FIELD] }
    },
    isForgotten: path => forgotten.has(decodeURIComponent(/\/rooms\/([^/]+)\/state\/m\.room\.encryption/.exec(path)?.[1] ?? '')),
    stored (key) {
      const letter = letters.get(key.replace(/ unread$/, ''))
      if (letter === undefined) return
      letter.told ??= timeline.ms
      if (key.endsWith(' unread') || letter.isLost || letter.stored) return
      letter.stored = true
      judgeOrder(letter)
    },
    isLost: id => letters.get(id)?.isLost === true,
    get until () { return until },
    judge () {
      for (const [id, { tag, room, at, told, isLost }] of letters) {
        if (!isLost) continue
        if (told === undefined || told - Math.max(at, weather.clearedAt) > TOLD_MS) {
          auditor.violation('S3', `the team was told of ${id} ${tag}, which cannot be read, ${told === undefined ? 'never' : 'too late'}`, tag)
        }
        const isNoticed = noticed.some(one => one.room === room && one.at > at - NOTICED_MS)
        if (!isNoticed) auditor.violation('S3', `${tag} ${id} cannot be read, and its writer does not know`, tag)
      }
    }
  }
}
