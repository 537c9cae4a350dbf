/**
 * What strangers send to an address with encrypted chats on Matrix, to the real library: events and what is inside them, what comes for its device,
 * what a homeserver says of people's keys, and files. Nothing of it ends the library, is taken for the words of somebody who has not sealed them, is
 * passed over in silence, or lets out anything in the clear.
 */
import assert from 'node:assert/strict'
import { buffer } from 'node:stream/consumers'
import { Readable } from 'node:stream'
import fc from 'fast-check'
import { systemChance as chance } from '../../../src/lib/chance'
import { type Clock, systemClock } from '../../../src/lib/clock'
import { silentLog as log } from '../../../src/lib/log'
import { Refused, Unavailable } from '../../../src/model/errors'
import type { Arrival } from '../../../src/model/message'
import type { Devices } from '../../../src/networks/matrix/encryption/devices'
import { makeEncryption, SEALED } from '../../../src/networks/matrix/encryption/encryption'
import { type Engine, makeEngine } from '../../../src/networks/matrix/encryption/engine'
import { makeSealing, readRef, unsealed } from '../../../src/networks/matrix/encryption/files'
import { keepIn } from '../../../src/networks/matrix/encryption/kept'
import { makeWaiting } from '../../../src/networks/matrix/encryption/waiting'
import { attachment, MXC } from '../../../src/networks/matrix/events/files'
import { isJson, type Json, jsonOf } from '../../../src/networks/matrix/events/json'
import type { Rooms } from '../../../src/networks/matrix/rooms/rooms'
import type { Direct } from '../../../src/networks/matrix/direct/direct'
import { makeKeys, type Keys } from '../../support/homeserver/keys'
import { makeState } from '../../support/homeserver/state'
import { homeserverThat, keyAnswers, makeKeyedDevice } from '../../support/keyed-device'
import { makeMemory, makeVault } from '../../support/world'
import type { Opened, Target } from '../engine'
import { judgingInbox, ODD } from '../judges'
import { jsonIn, makeTaking } from './matrix'

const OURS = '@buergerbuero:example.org'
const THEIRS = '@eva:example.org'
const DEVICE = 'D'
const ROTATION = { ms: 7 * 86_400_000, messages: 100 }
const WORDS = 'streng geheim'
const never = new AbortController().signal

/** A value of which a part is replaced: what stands in `by`, at the same place. */
const merged = (value: unknown, by: unknown): unknown => {
  if (Array.isArray(value) && Array.isArray(by)) return by.map((one, index) => merged(value[index % value.length], one))
  if (!isJson(value) || !isJson(by)) return by === undefined ? value : by
  const fields = Object.entries(by).map(([key, part]) => [key, merged(Object.hasOwn(value, key) ? value[key] : undefined, part)])
  return { ...value, ...Object.fromEntries(fields) as Json }
}

/** Two devices of one room, each with the keys of the other. `rows`: what is kept of them. */
const makePair = async () => {
  const rows = new Map<string, Uint8Array>()
  const facts: Record<string, Map<string, string>> = { [OURS]: new Map(), [THEIRS]: new Map() }
  const state = makeState('example.org')
  for (const user of [OURS, THEIRS]) state.addUser(user)
  const { id: room } = state.createRoom(THEIRS, { preset: 'trusted_private_chat', invite: [OURS] })
  state.join(room, OURS)
  const keys = makeKeys(state)
  let kept = rows
  const real = makeEngine({ clock: systemClock, log, keep: (name, changes) => keepIn(makeVault(name.startsWith(OURS) ? kept : rows))(name, changes) })
  const open = new Set<Promise<unknown>>()
  const call = (...asked: Parameters<Engine['call']>): Promise<unknown> => {
    const answer = real.call(...asked)
    const over: Promise<unknown> = answer.then(() => {}, () => {}).then(() => open.delete(over))
    open.add(over)
    return answer
  }
  const engine: Engine = { call: call as Engine['call'], stop: real.stop, get life () { return real.life } }
  const homeserver = homeserverThat(keyAnswers(keys))
  const [ours, theirs] = [OURS, THEIRS].map(user => makeKeyedDevice({ user, id: DEVICE, engine, homeserver, rows, facts: facts[user]! }))
  for (const device of [ours, theirs]) await device!.news(never)
  const said = (type: string, content: Json, rotation = ROTATION) => ({ room, to: [OURS, THEIRS], rotation, type, content })
  await ours!.seal(said('m.room.message', {}), never)
  return {
    room, keys, engine, said, ours: ours!, theirs: theirs!,
    /** Resolves when nothing is under way. */
    async idle () {
      for (let turns = 0; turns < QUIET_TURNS; turns++) {
        if (open.size > 0) turns = 0
        await Promise.all(open)
        await new Promise(resolve => setImmediate(resolve))
      }
    },
    /** Ours again as it is now, with another homeserver, and nothing of it is kept. */
    async copy (homeserver: ReturnType<typeof homeserverThat>) {
      kept = new Map(rows)
      await engine.call(`${OURS} ${DEVICE}`, 'close')
      return { device: makeKeyedDevice({ user: OURS, id: DEVICE, engine, homeserver, rows: kept, facts: new Map(facts[OURS]!) }), kept }
    },
    rows
  }
}

/** A clock that stands until it is moved. */
const makeStill = (): Clock & { move (ms: number): void } => {
  let now = systemClock.now()
  let timers: { at: number, run: () => void }[] = []
  return {
    now: () => now, tick: () => now, soon: systemClock.soon,
    after (ms, run) {
      const timer = { at: now + ms, run }
      timers.push(timer)
      return { cancel () { timers = timers.filter(one => one !== timer) } }
    },
    move (ms) {
      now += ms
      const due = timers.filter(({ at }) => at <= now)
      timers = timers.filter(({ at }) => at > now)
      for (const { run } of due) run()
    }
  }
}

const WAIT_STEPS = [1_000, 60_000, 25 * 3600_000, 60_000] // until what waits for a key is given up
const LOOKS_MAX = 100
const QUIET_TURNS = 10

const isShown = (arrival: Arrival): boolean => !(arrival.kind === 'message' && arrival.content.unreadable === 'encrypted')

/** `{"say": what is inside, "late": whether its key comes later, "content", "event": what is changed of the content and of the event}`. */
const openEvents = async (): Promise<Opened> => {
  const { room, keys, engine, said, ours, theirs, idle } = await makePair()
  let [count, held] = [0, undefined as (() => void)[] | undefined]
  const send = keys.send
  keys.send = (...sent) => {
    if (held === undefined) return send(...sent)
    held.push(() => send(...sent))
    return {}
  }
  const place = { network: 'matrix', id: `${OURS} ${THEIRS}` }

  const seal = async ({ type, content }: Json, isLate: boolean): Promise<Json | undefined> => {
    if (isLate) held = []
    const about = said(typeof type === 'string' ? type : 'm.room.message', jsonOf(content), { ...ROTATION, messages: isLate ? 1 : ROTATION.messages })
    return await theirs.seal(about, never).catch((error: unknown) => { assert.ok(error instanceof Unavailable, String(error)); return undefined })
  }

  const run = async (input: Buffer): Promise<void> => {
    const value = jsonOf(jsonIn(input))
    const sealed = isJson(value.say) ? await seal(value.say, value.late === true) : {}
    if (sealed === undefined) return
    const id = `$${++count}`
    const usual = { event_id: id, room_id: room, sender: THEIRS, type: SEALED, origin_server_ts: 1, content: merged(sealed, value.content) }
    const raw = { ...merged(usual, value.event) as Json, event_id: id }
    const [vault, heard, lost, clock] = [new Map<string, Uint8Array>(), [] as Arrival[], new Set<string>(), makeStill()]
    const judge = judgingInbox()
    const counts = { unread: { late: 0, broken: 0, full: 0 } }
    const devices = { off: false, of: () => ours, serves: () => true, news: () => ours.news(never), counts }
    const parts = { vault: makeVault(vault), clock, signal: never, devices: devices as unknown as Devices }
    const encryption = makeEncryption({ ...parts, homeserver: homeserverThat(() => ({})), memory: makeMemory(), isDeaf: () => false })
    const told = async ({ id }: { id: string }): Promise<void> => { lost.add(id) }
    const chat = { place, ours: OURS, theirs: THEIRS }
    const takes = makeTaking({
      inbox: { ...judge, async accept (arrival) { heard.push(arrival); return await judge.accept(arrival) } }, encryption,
      wait: makeWaiting({ ...parts, encryption, chance, log }), reading: { readerOf: () => OURS, whose: () => OURS },
      rooms: { placeOf: () => undefined, isOut: () => false, isEncrypted: () => false, isNow: () => false } as Partial<Rooms> as Rooms,
      direct: { of: (one: string) => one === room ? chat : undefined, async wrote () {} } as Partial<Direct> as Direct,
      news: { member: () => undefined, changed: async () => {}, async replaced () {}, encrypted () {}, unread: event => void told(event), lost: told }
    })
    try {
      await takes.take([raw])
      await takes.take([{ ...raw, event_id: `${id}x` }, raw])
      for (const run of held?.splice(0) ?? []) run()
      held = undefined
      for (let looks = 0; [...vault.keys()].some(key => key.startsWith('waiting ')); looks++) {
        assert.ok(looks < LOOKS_MAX, 'it waits for ever')
        clock.move(WAIT_STEPS[Math.min(looks, WAIT_STEPS.length - 1)]!)
        await idle()
      }
    } finally { takes.stop() }
    assert.equal(engine.life, 0, 'the library has ended')
    judgeHeard({ raw, sealed, id, heard, lost, room })
  }
  return { run, close: () => engine.stop() }
}

interface Heard { raw: Json; sealed: Json; id: string; heard: Arrival[]; lost: Set<string>; room: string }

const bytesOf = (text: unknown): string => Buffer.from(String(text), 'base64').toString('hex')

const judgeHeard = ({ raw, sealed, id, heard, lost, room }: Heard): void => {
  const { sender, room_id: where, type, state_key: key, unsigned } = raw
  const content = jsonOf(raw.content)
  if (type !== SEALED || key !== undefined || sender !== THEIRS || where !== room || isJson(jsonOf(unsigned).redacted_because)) return
  const isAsSealed = sealed.ciphertext !== undefined && content.session_id === sealed.session_id && content.algorithm === sealed.algorithm &&
    bytesOf(content.ciphertext) === bytesOf(sealed.ciphertext)
  const shown = heard.filter(isShown)
  if (!isAsSealed) {
    assert.deepEqual(shown, [], 'words that nobody sealed')
    assert.ok(heard.some(one => one.key === id || one.key === `${id} unread`) && lost.has(id), 'passed over in silence')
  }
  assert.deepEqual(shown.filter(one => one.key !== id), [], 'said once more')
  assert.ok(shown.every(one => one.kind !== 'deletion' || one.moderated !== true), 'taken back by what the homeserver cannot read')
}

const BYTES_MAX = 300_000
const CALLS_MAX = 100

/** `{"sync", "query", "claim", "upload": what is changed of the homeserver's answers}`. Events for the device change those that really came. */
const openKeys = async (): Promise<Opened> => {
  const { keys, engine, copy, said, theirs, rows } = await makePair()
  await theirs.seal(said('m.room.message', {}), never) // a key is under way
  const bytes = (all: Map<string, Uint8Array>): number => [...all].reduce((sum, [key, value]) => sum + key.length + value.length, 0)
  const identities = new Set(Object.values(keys.query({ device_keys: { [OURS]: [], [THEIRS]: [] } }).device_keys as Record<string, any>)
    .map(devices => devices[DEVICE].keys[`curve25519:${DEVICE}`]))
  const empty = (): Json => ({})
  const upload = (): Json => ({ one_time_key_counts: { signed_curve25519: 50 } })
  const shadow: Keys = { ...keys, upload, identify: empty, sign: empty, send: empty }

  const run = async (input: Buffer): Promise<void> => {
    const value = jsonOf(jsonIn(input))
    let calls = 0
    const good = keyAnswers(shadow, (what, body) => {
      assert.ok(++calls <= CALLS_MAX, 'it asks for ever')
      assert.ok(!JSON.stringify(body).includes(WORDS), 'in the clear')
      if (!what.startsWith('sendToDevice/m.room.encrypted')) return
      for (const devices of Object.values(jsonOf(body.messages))) {
        for (const content of Object.values(jsonOf(devices))) {
          for (const key of Object.keys(jsonOf(jsonOf(content).ciphertext))) assert.ok(identities.has(key), 'a key for a stranger')
        }
      }
    })
    const homeserver = homeserverThat((what, options) => jsonOf(merged(good(what, options), value[what.split('/').at(-1)!])))
    const { device, kept } = await copy(homeserver)
    const orUnavailable = async <T>(work: Promise<T>): Promise<T | undefined> => await work.catch((error: unknown) => {
      assert.ok(error instanceof Unavailable || error instanceof Refused, String(Object(error).stack))
      return undefined
    })
    await orUnavailable(device.news(never))
    const sealed = await orUnavailable(device.seal(said('m.room.message', { body: WORDS }), never))
    if (sealed !== undefined) assert.ok(typeof sealed.ciphertext === 'string' && !JSON.stringify(sealed).includes(WORDS), 'in the clear')
    assert.equal(engine.life, 0, 'the library has ended')
    assert.ok(bytes(kept) < bytes(rows) + BYTES_MAX, 'it keeps too much')
  }
  return { run, close: () => engine.stop() }
}

const FILE = Buffer.from('der Inhalt der Datei')

/** What is changed of an encrypted file's place in an event (CS API §Sending encrypted attachments). */
const files = async (): Promise<Opened> => {
  const sealing = makeSealing(chance)
  const sealed = await buffer(sealing.through(Readable.from([FILE])))
  const file = sealing.file('mxc://example.org/abc')
  return { async run (input) {
    const changed = merged({ file, info: { mimetype: 'text/plain', size: FILE.length } }, jsonIn(input))
    const made = isJson(changed) ? attachment('file', changed, 'x') : undefined
    if (made === undefined) return
    if (made.at.ref.endsWith('#')) return assert.throws(() => readRef(made.at.ref), Refused)
    const { mxc, secret } = readRef(made.at.ref)
    assert.match(mxc, MXC)
    assert.ok(made.at.ref.length < 2 * JSON.stringify(changed).length + 500)
    if (secret === undefined) return assert.ok(!isJson(jsonOf(changed).file))
    assert.deepEqual([secret.key.length, secret.iv.length, secret.mime], [32, 16, made.mime])
    const clear = await buffer(unsealed(Readable.from([sealed]), secret)).catch((error: unknown) => {
      assert.ok(error instanceof Refused)
      return undefined
    })
    const isSame = secret.hash === jsonOf(file.hashes).sha256
    assert.equal(clear !== undefined, isSame, 'a file that is not what was encrypted')
  } }
}

const PARTS = [SEALED, 'm.megolm.v1.aes-sha2', 'm.olm.v1.curve25519-aes-sha2', 'm.room_key', 'm.forwarded_room_key', 'm.room_key.withheld',
  'm.room_key_request', 'm.secret.request', 'm.secret.send', 'm.dummy', 'm.key.verification.request', 'm.room.message', 'm.room.redaction',
  'm.room.member', 'm.reaction', 'm.sticker', 'm.poll.start', 'm.text', 'm.image', 'm.replace', 'm.thread', 'm.annotation', 'Hallo', OURS,
  THEIRS, '@mallory:example.org', '!other:example.org', '$0', DEVICE, 'E', 'ed25519:D', 'curve25519:D', 'ed25519', 'curve25519',
  'signed_curve25519', 'signed_curve25519:AAAAAAAAAAA', 'AwgA', 'AwgAEgA', '', 'A'.repeat(43), 'mxc://example.org/abc', 'v2', 'A256CTR',
  'x'.repeat(300)]
const KEYS = ['say', 'late', 'content', 'event', 'type', 'sender', 'room_id', 'state_key', 'unsigned', 'redacted_because', 'algorithm',
  'ciphertext', 'session_id', 'sender_key', 'device_id', 'm.relates_to', 'm.new_content', 'rel_type', 'event_id', 'm.in_reply_to', 'msgtype',
  'body', 'key', 'sync', 'query', 'claim', 'upload', 'to_device', 'events', 'device_lists', 'changed', 'left', 'device_one_time_keys_count',
  'device_unused_fallback_key_types', 'signed_curve25519', 'next_batch', 'device_keys', 'master_keys', 'self_signing_keys', 'user_signing_keys',
  'failures', 'one_time_keys', 'one_time_key_counts', 'keys', 'signatures', 'algorithms', 'user_id', 'usage', 'fallback', 'file', 'url', 'iv',
  'hashes', 'sha256', 'v', 'k', 'kty', 'info', 'mimetype', 'size', OURS, THEIRS, DEVICE, 'ed25519:D', 'curve25519:D', '__proto__',
  'constructor', 'toJSON']
const SOME = [...PARTS, null, true, -1, 2 ** 53, 1e308, {}, []]
const words = [...[...PARTS, ...KEYS].map(word => JSON.stringify(word)), '{', '}', '[', ']', ':', ',', 'null', '1e400', '[[[[[[[[', '{"a":', ...ODD]

const { any } = fc.letrec<{ any: unknown }>(tie => ({
  any: fc.oneof({ maxDepth: 5, withCrossShrink: true }, fc.constantFrom<unknown>(...SOME),
    fc.dictionary(fc.constantFrom(...KEYS), tie('any'), { maxKeys: 4 }), fc.array(tie('any'), { maxLength: 3 }))
}))
const object = fc.dictionary(fc.constantFrom(...KEYS), any, { maxKeys: 4 })
const inside = fc.record({ type: fc.oneof({ weight: 3, arbitrary: fc.constant<unknown>('m.room.message') }, fc.constantFrom<unknown>(...SOME)),
  content: fc.oneof(any, object.map(more => ({ msgtype: 'm.text', body: 'Hallo', ...more }))) })
const event = fc.record({ say: inside, late: fc.boolean(), content: object, event: object }, { requiredKeys: [] })
const user = fc.constantFrom(OURS, THEIRS)
const ofPeople = fc.dictionary(user, fc.dictionary(fc.constantFrom(DEVICE, 'E'), object, { maxKeys: 2 }), { maxKeys: 2 })
const changes = fc.record({
  sync: fc.oneof(object, fc.record({ to_device: fc.record({ events: fc.array(object, { maxLength: 3 }) }) })),
  query: fc.oneof(object, fc.record({ device_keys: ofPeople, master_keys: fc.dictionary(user, object) }, { requiredKeys: [] })),
  claim: fc.oneof(object, fc.record({ one_time_keys: ofPeople })), upload: object
}, { requiredKeys: [] })
const target = (name: string, made: fc.Arbitrary<unknown>, open: Target['open']): Target =>
  ({ name, words, generate: made.map(value => JSON.stringify(value) ?? 'null'), open, untimed: true })

export const sealedTargets: Target[] = [
  target('sealed-events', event, openEvents), target('sealed-keys', changes, openKeys), target('sealed-files', object, files)
]
