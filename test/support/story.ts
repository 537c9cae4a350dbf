/** Verbs for plays: who says what where, and who reads it. Each resolves when that has happened, or throws after a limit. */
import assert from 'node:assert/strict'
import { type Element, xml } from '@xmpp/client'
import type { PhoneMessage } from '../../sandbox/smsc'
import type { Town } from '../../sandbox/town'
import type { Json, MatrixPerson, SeenEvent } from './matrix-person'
import { until } from './practice'
import type { XmppPerson } from './xmpp-person'

export const READ_WITHIN_MS = 120_000

export const LABELS = { anna: 'Anna (Matrix)', bernd: 'Bernd (XMPP)', max: 'Max (SMS)' }

export const correcting = (id: string): Element => xml('replace', { xmlns: 'urn:xmpp:message-correct:0', id })
/** The id that the room gave to a message; '' if it gave none. */
export const stanzaIdOf = (message: Element): string => message.getChild('stanza-id', 'urn:xmpp:sid:0')?.attrs.id ?? ''

export const retracting = (id: string): Element => xml('retract', { xmlns: 'urn:xmpp:message-retract:1', id })
export const replying = (id: string, to: string, quotation: string): Element[] => [
  xml('reply', { xmlns: 'urn:xmpp:reply:0', id, to }),
  xml('fallback', { xmlns: 'urn:xmpp:fallback:0', for: 'urn:xmpp:reply:0' }, xml('body', { start: '0', end: String([...quotation].length) }))
]

const REACTIONS = 'urn:xmpp:reactions:0'
export const reacting = (id: string, emojis: string[]): Element[] =>
  [xml('reactions', { xmlns: REACTIONS, id }, ...emojis.map(one => xml('reaction', {}, one))), xml('store', { xmlns: 'urn:xmpp:hints' })]

let said = 0

export type Story = ReturnType<typeof storyOf>

/** `berndNow`: Bernd's new connection, if he has one. */
export const storyOf = (town: Town, berndNow?: XmppPerson) => {
  const { anna, max } = town.people
  const bernd = berndNow ?? town.people.bernd
  const { room, muc, number } = town

  const fromElsewhere = (one: Element, where: string): boolean =>
    one.is('message') && one.attrs.from?.startsWith(`${where}/`) === true && one.attrs.from !== `${where}/Bernd`

  const story = {
    annaSays: (what: string | Json, where = room): Promise<string> => anna.send(where, what),
    /** Resolves with the id that Bernd's app gave. */
    async berndSays (text: string, ...more: Element[]): Promise<string> {
      const id = `bernd-${++said}`
      await bernd.say(muc, text, id, ...more)
      return id
    },
    annaReacts: (event: string, key: string): Promise<string> =>
      anna.send(room, { 'm.relates_to': { rel_type: 'm.annotation', event_id: event, key } }, 'm.reaction'),
    berndReacts: (id: string, ...emojis: string[]): Promise<void> =>
      bernd.send(xml('message', { type: 'groupchat', to: muc, id: `bernd-${++said}` }, ...reacting(id, emojis))),
    /** What Anna's app shows that this person has at an event: `emoji` is there, or there no more. */
    annaSees: (event: string, emoji: string): Promise<SeenEvent> => anna.waitFor(room, `Anna sees ${emoji}`, ({ type, sender, content }) => {
      const { event_id: of, key } = (content['m.relates_to'] ?? {}) as Json
      return type === 'm.reaction' && sender !== anna.userId && of === event && key === emoji
    }, READ_WITHIN_MS),
    /** The set that Bernd's app shows of somebody from elsewhere at a message. */
    berndSees: (id: string, emojis: string[]): Promise<Element> => bernd.until(`Bernd sees ${emojis.join(' ')}`, one => {
      const reactions = one.getChild('reactions', REACTIONS)
      return fromElsewhere(one, muc) && reactions?.attrs.id === id &&
        reactions.getChildren('reaction').map(each => each.text()).join() === emojis.join()
    }, READ_WITHIN_MS),
    berndSignals: (name: string, xmlns: string, id?: string): Promise<void> =>
      bernd.send(xml('message', { type: 'groupchat', to: muc }, xml(name, { xmlns, ...id !== undefined && { id } }))),
    berndSeesSignal: (name: string, xmlns: string): Promise<Element> => bernd.until(`Bernd sees ${name}`, one =>
      fromElsewhere(one, muc) && one.getChild(name, xmlns) !== undefined && one.getChild('body') === undefined, READ_WITHIN_MS),
    maxTypes: (text: string): Promise<void> => max.type({ text, to: number }),

    annaReads: (text: string, fits: (event: SeenEvent) => boolean = () => true, where = room): Promise<SeenEvent> =>
      anna.waitFor(where, `Anna reads ${text.slice(0, 80)}`, event =>
        event.content['body'] === text && event.sender !== anna.userId && fits(event), READ_WITHIN_MS),
    berndReads: (text: string, fits: (message: Element) => boolean = () => true, where = muc): Promise<Element> =>
      bernd.until(`Bernd reads ${text.slice(0, 80)}`, one =>
        fromElsewhere(one, where) && one.getChildText('body') === text && fits(one), READ_WITHIN_MS),
    maxReads: (text: string): Promise<PhoneMessage> => max.next(one => one.text === text, READ_WITHIN_MS),

    /** The name under which Anna sees somebody. */
    async nameOf (sender: string): Promise<string> {
      const member = await anna.call('GET', `v3/rooms/${encodeURIComponent(room)}/state/m.room.member/${encodeURIComponent(sender)}`)
      return String(member['displayname'])
    },
    /** Each of the three says something, and both others read it. */
    async allIsWell (mark: string): Promise<void> {
      await Promise.all([story.annaSays(`${mark}: Anna hört Euch`), story.berndSays(`${mark}: Bernd grüßt`), story.maxTypes(`${mark}: Max auch 😀`)])
      await Promise.all([
        story.berndReads(`${mark}: Anna hört Euch`), story.maxReads(`${LABELS.anna}: ${mark}: Anna hört Euch`),
        story.annaReads(`${mark}: Bernd grüßt`), story.maxReads(`${LABELS.bernd}: ${mark}: Bernd grüßt`),
        story.annaReads(`${mark}: Max auch 😀`), story.berndReads(`${mark}: Max auch 😀`)
      ])
    },
    /** How often each of these was said by others in Anna's room. */
    async timesOnMatrix (text: string): Promise<number> {
      return (await anna.events(room)).filter(event => event.content['body'] === text && event.sender !== anna.userId).length
    }
  }
  return story
}

/** Fails if one of these words is in the text. Names which one it is, not the word itself. */
export const holdsNone = (text: string, words: Record<string, string>): void => {
  const found = Object.entries(words).filter(([, word]) => text.includes(word)).map(([what]) => what)
  assert.deepEqual(found, [], 'found where it must not be')
}

const isAlive = (pid: number): boolean => {
  try { return process.kill(pid, 0) } catch { return false }
}

/** Restarts Zentrale once it has died. */
export const restartedOnceDead = async ({ zentrale }: Town): Promise<void> => {
  const { pid } = zentrale
  await until(() => !isAlive(pid), 'it dies', READ_WITHIN_MS)
  await zentrale.restart()
}

/** What a room has from its beginning that is encrypted. */
export const ENCRYPTED = { initial_state: [{ type: 'm.room.encryption', state_key: '', content: { algorithm: 'm.megolm.v1.aes-sha2' } }] }

/** A direct chat with an address, once that is in it. `more`: what else the room has from its beginning. */
export const chatWith = async (who: MatrixPerson, address: string, more: Json = {}): Promise<string> => {
  const room = await who.createRoom({ is_direct: true, preset: 'trusted_private_chat', invite: [address], ...more })
  await who.waitFor(room, 'the address in the chat', ({ type, state_key: key, content }) =>
    type === 'm.room.member' && key === address && content['membership'] === 'join', READ_WITHIN_MS)
  return room
}

/** The room of a case, which somebody of the team has entered. `name`: of the address, as its rooms are called. */
export const enteredCase = async (agent: MatrixPerson, name: string, number: number, domain: string): Promise<string> => {
  const alias = encodeURIComponent(`#_zentrale_${name}_${number}:${domain}`)
  let room = ''
  await until(async () => {
    room = await agent.call('GET', `v3/directory/room/${alias}`).then(({ room_id: id }) => agent.join(String(id))).catch(() => '')
    return room !== ''
  }, `the room of case ${number}`, READ_WITHIN_MS)
  return room
}
