/** The events of a transaction, as a homeserver might bring them: whatever JSON it is, each is taken or goes to quarantine. */
import assert from 'node:assert/strict'
import fc from 'fast-check'
import { systemClock } from '../../../src/lib/clock'
import type { Direct } from '../../../src/networks/matrix/direct/direct'
import type { Json } from '../../../src/networks/matrix/events/json'
import { NOBODY } from '../../../src/networks/matrix/events/mentions'
import type { Homeserver } from '../../../src/networks/matrix/homeserver'
import { makeMembers } from '../../../src/networks/matrix/rooms/members'
import { makeTake, type ReceiveWorld, type Takes } from '../../../src/networks/matrix/receive'
import { ghostPerson } from '../../../src/networks/matrix/names'
import { makeDoneToGhosts } from '../../../src/networks/matrix/users/put-out'
import type { Rooms } from '../../../src/networks/matrix/rooms/rooms'
import type { Target } from '../engine'
import { makeMemory } from '../../support/world'
import { judgingInbox, ODD, textFrom } from '../judges'

const BOT = '@zentrale:example.org'
const ROOM = '!room:example.org'
const ROOMS = {
  placeOf: (room: string) => room === ROOM ? { network: 'matrix', id: ROOM } : undefined, isNow: (room: string) => room === ROOM
}
const EVENT = { event_id: '$1', room_id: ROOM, sender: '@anna:example.org', type: 'm.room.message', origin_server_ts: 1 }

export const jsonIn = (input: Buffer): unknown => {
  try { return JSON.parse(textFrom(input)) } catch { return undefined }
}

/** Takes events in a room that is mirrored. `answer`: what the homeserver says to every question. */
export const makeTaking = (given: Pick<ReceiveWorld, 'inbox'> & Partial<ReceiveWorld>, answer: () => Json = () => ({})): Takes => makeTake({
  network: 'matrix', memory: makeMemory(), clock: systemClock, strange () {}, bot: BOT,
  members: makeMembers({ call: async () => answer() } as Partial<Homeserver> as Homeserver, systemClock),
  rooms: {
    ...ROOMS, isOut: () => false, isEncrypted: () => false, sentOut: async () => {}, checkRoom () {}
  } as Partial<Rooms> as Rooms,
  direct: { of: () => undefined } as Partial<Direct> as Direct,
  isOurs: mxid => mxid.startsWith('@_'), isUnheard: mxid => mxid.startsWith('@b'),
  around: () => ({ ...NOBODY, called: name => name === 'Bernd' ? { network: 'xmpp', id: name } : undefined }),
  powerfulIn: async () => new Set(['$1']), typesOf: async () => new Map(), expulsionOf: () => undefined,
  news: { member: () => undefined, changed: async () => {}, async replaced () {}, encrypted () {}, unread () {}, async lost () {} },
  encryption: { open: async () => ({ why: '' }) }, keeper: { reads: () => false, mxid: '@keys:example.org' },
  reading: { readerOf: () => undefined, whose: () => undefined },
  wait: () => ({ holds: () => false, keep: async () => false, load: async () => {}, stop () {} }), verifying: { look () {} },
  ...given
})

const take = async (input: Buffer): Promise<void> => {
  const value = jsonIn(input)
  if (value === undefined) return
  const inbox = judgingInbox()
  const events = Array.isArray(value) ? value : [value]
  let kept = 0
  const quarantine: typeof inbox.quarantine = async (network, raw, why) => { kept++; await inbox.quarantine(network, raw, why) }
  const expulsionOf = makeDoneToGhosts({
    rooms: ROOMS as Partial<Rooms> as Rooms, ghosts: { nameIn: () => 'Bernd', personOf: mxid => ghostPerson(mxid, 'example.org') },
    clock: systemClock, isOurs: mxid => mxid.startsWith('@_')
  })
  await makeTaking({ inbox: { ...inbox, quarantine }, expulsionOf }, () => Object(events.at(-1)) as Json).take(events)
  assert.ok(kept <= events.length)
}

const PARTS = [BOT, '@_zentrale_xmpp_bernd:example.org', 'leave', 'ban', 'invite', 'm.room.encryption',
  'm.text', 'm.emote', 'm.image', 'm.room.message', 'm.room.redaction', 'm.sticker', 'm.room.member', 'm.room.encrypted', 'm.replace',
  'org.matrix.custom.html', '$1', '$2', ROOM, '@anna:example.org', 'mxc://example.org/abc', 'mxc://../..', '<b>fett</b>',
  '> <@a:b> zitiert\n\nneu',
  'Bernd: ja, @Bernd', '<a href="https://matrix.to/#/@b:c">Bernd</a>', '']
const KEYS = ['content', 'body', 'msgtype', 'formatted_body', 'format', 'url', 'info', 'mimetype', 'size', 'filename', 'm.relates_to', 'rel_type',
  'event_id',
  'm.in_reply_to', 'm.new_content',
  'm.mentions', 'user_ids', 'room', 'redacts', 'unsigned', 'redacted_because', 'state_key', 'displayname', 'avatar_url', 'membership', '__proto__',
  'constructor', 'toString']
const value = fc.letrec<{ any: unknown }>(tie => ({
  any: fc.oneof({ maxDepth: 4, withCrossShrink: true }, fc.constantFrom<unknown>(...PARTS, null, true, -1, 1e308, {}, []),
    fc.dictionary(fc.constantFrom(...KEYS), tie('any'), { maxKeys: 5 }), fc.array(tie('any'), { maxLength: 3 }))
})).any
const content = fc.record({ msgtype: fc.constantFrom('m.text', 'm.notice', 'm.emote', 'm.image', 'm.file', 'm.location'), body: value,
  more: value }).chain(({ more, ...rest }) =>
  fc.constantFrom({ ...rest, ...Object(more) as Json }, { ...rest, body: 'Hallo', url: 'mxc://example.org/abc', format: 'org.matrix.custom.html',
    formatted_body: more }))
const event = fc.oneof(value, content.map(inside => ({ ...EVENT, content: inside })),
  fc.tuple(value, fc.constantFrom('m.sticker', 'm.room.redaction', 'm.room.message', 'm.room.member', 'm.room.tombstone'))
    .map(([inside, type]) => ({ ...EVENT, type, content: inside, redacts: '$2',
      state_key: type.endsWith('member') ? '@max:example.org' : undefined })))

const WORDS = [...[...PARTS, ...KEYS].map(word => JSON.stringify(word)), '"\\ud800"', '{', '}', '[', ']', ':', ',', 'null', '1e400', '-0',
  '[[[[[[[[', '{"a":', ...ODD]

export const matrixTargets: Target[] = [
  { name: 'events', words: WORDS, generate: fc.array(event, { maxLength: 4 }).map(events => JSON.stringify(events)), open: () => ({ run: take }),
    untimed: true }
]
