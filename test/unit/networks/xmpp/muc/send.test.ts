import assert from 'node:assert/strict'
import fc from 'fast-check'
import { Refused } from '../../../../../src/model/errors'
import type { Action, Delivery, Persona, Reply, Sent, Stands } from '../../../../../src/model/message'
import { plain } from '../../../../../src/model/text'
import type { Archive } from '../../../../../src/networks/xmpp/muc/archive'
import type { RoomGhosts } from '../../../../../src/networks/xmpp/muc/ghosts'
import type { Occupant } from '../../../../../src/networks/xmpp/muc/occupant'
import type { OwnMessages } from '../../../../../src/networks/xmpp/muc/own-messages'
import { OCCUPANT_IDS } from '../../../../../src/networks/xmpp/muc/people'
import type { Room } from '../../../../../src/networks/xmpp/muc/room'
import type { Rooms } from '../../../../../src/networks/xmpp/muc/rooms'
import { makeSender } from '../../../../../src/networks/xmpp/muc/send'
import type { Stream } from '../../../../../src/networks/xmpp/wire/stream'
import { el, type Xml } from '../../../../../src/networks/xmpp/wire/xml'
import { strangeIn } from '../../../../support/jids'
import { makeWorld } from '../../../../support/world'
import { parse } from '../parse'

const ROOM = 'werkstatt@rooms.example.org'
const never = new AbortController().signal
const turn = (): Promise<void> => new Promise(resolve => { setImmediate(resolve) })

/** A sender on a room that we are in and a link that writes at once. */
const stage = () => {
  const written: Xml[] = []
  const out: string[] = []
  const listener: Partial<Occupant> = {
    jid: 'zentrale@chat.example.org/zentrale', nick: 'Zentrale', join: async () => {}, lost: why => { out.push(why); sender.out(room) }
  }
  const room = {
    id: ROOM, place: ROOM, listener: listener as Occupant, ready: true, nicks: new Map(), people: new Map(), features: new Set([OCCUPANT_IDS])
  } as unknown as Room
  const verified: string[] = []
  const joining = Promise.withResolvers<void>()
  const ghost = {
    jid: 'anna@chat.example.org/zentrale', nick: '', join: () => joining.promise.then(() => { Object.assign(ghost, { nick: 'Anna' }) })
  } as Occupant
  const rooms: Partial<Rooms> = {
    attend: () => room, ghosts: { ghost: () => ghost } as Partial<RoomGhosts> as RoomGhosts,
    whenReady: async () => {}, maySpeak: ({ nick }) => nick !== '', bringIn: (_room, one) => one.join(),
    verify: (_room, { nick }) => { verified.push(nick) }
  }
  const stream = { isUp: true, writable: async () => {}, send (stanza: Xml) { written.push(stanza); return true } } as Partial<Stream> as Stream
  const ownMessages: OwnMessages = { mark: () => el('mark'), isOurs: () => false }
  const sender = makeSender({ rooms: rooms as Rooms, stream, archive: {} as Archive, ownMessages, world: makeWorld() })
  const send = (key: string, as?: Persona): Promise<Sent> => sender.send({
    key, place: { network: 'xmpp', id: ROOM }, at: 0, attempt: 1, ...as && { as },
    action: { kind: 'message', content: { style: 'text', text: plain(key) } }
  }, never)
  const react = (key: string, action: Action & { kind: 'reaction' }, answered?: string[]): Promise<Sent> =>
    sender.send({ key, place: { network: 'xmpp', id: ROOM }, at: 0, attempt: 1, action, ...answered && { answered } }, never)
  /** What the stanza of a ghost in the room says; undefined if it is refused. */
  const says = async (action: Action, more: Partial<Delivery>) => {
    Object.assign(ghost, { nick: 'Anna' })
    joining.resolve()
    const before = written.length
    const as: Persona = { person: { network: 'matrix', id: '@anna:x.org' }, name: 'Anna (Matrix)' }
    const sent = sender.send({ key: `k${before}`, place: { network: 'xmpp', id: ROOM }, at: 0, attempt: 1, action, as, ...more }, never)
    const refused = await Promise.race([sent.then(() => false, (error: unknown) => error instanceof Refused), turn().then(turn)])
    return refused === true || written.length === before ? undefined : parse(written.at(-1)!.xml)
  }
  const comesBack = (id: string, type: string, condition: string): void => sender.bounce(room, parse(
    `<message type='error' id='${id}' from='${ROOM}' to='${listener.jid}'><error type='${type}'>` +
    `<${condition} xmlns='urn:ietf:params:xml:ns:xmpp-stanzas'/></error></message>`))
  return { send, react, says, room, written, comesBack, verified, out, joining, sender }
}

describe('xmpp/send', () => {
  it('writes a message whenever it comes, also in the moment in which the one before it has just gone', async () => {
    for (let steps = 0; steps < 20; steps++) {
      const { send, written } = stage()
      void send('one')
      for (let step = 0; step < steps; step++) await undefined
      void send('two')
      await turn()
      assert.equal(written.length, 2, `${steps} steps after the first`)
    }
  })

  it('is idle again after a room that has forgotten us, and asks whether it knows who listens', async () => {
    const { send, comesBack, verified, sender } = stage()
    const sent = send('one')
    await turn()
    comesBack('one', 'cancel', 'not-acceptable')
    await assert.rejects(sent, /not-acceptable/)
    assert.deepEqual(verified, ['Zentrale'])
    assert.equal(await Promise.race([sender.idle().then(() => 'idle'), turn()]), 'idle')
  })

  it('reacts to the id that the room gave, and not at all where it gave none', async () => {
    const { react, written } = stage()
    void react('one', { kind: 'reaction', to: { delivery: 'said' }, emojis: ['👍', '❤'] }, ['said', 'given'])
    void react('two', { kind: 'reaction', to: { arrival: 'theirs' }, emojis: [] })
    await assert.rejects(react('three', { kind: 'reaction', to: { delivery: 'said' }, emojis: ['👍'] }, ['said']), /gives messages no ids/)
    await assert.rejects(react('four', { kind: 'reaction', to: { arrival: `${ROOM}/print.token` }, emojis: ['👍'] }), /gives messages no ids/)
    const [one, two] = written.map(({ xml }) => xml)
    assert.match(one ?? '', /<reactions xmlns='urn:xmpp:reactions:0' id='given'><reaction>👍<\/reaction><reaction>❤\uFE0F<\/reaction><\/reactions>/)
    assert.match(one ?? '', /<store xmlns='urn:xmpp:hints'\/>/)
    assert.match(two ?? '', /<reactions xmlns='urn:xmpp:reactions:0' id='theirs'\/>/)
    assert.doesNotMatch(`${one}${two}`, /<body/)
  })

  it('holds no address that is none, and no key of ours in the place of an id, whatever it is about', async () => {
    const { says, room } = stage()
    room.people.set('Paul', { occupant: 'o/1+=', role: 'participant', rules: false })
    const hidden = `${ROOM} o/1+=`
    const key = fc.constantFrom('s1', `${ROOM} s1`, `${ROOM}/print.token`, 'before@rooms.example.org s1')
    const stands: fc.Arbitrary<Stands> = fc.oneof(key.map(arrival => ({ arrival })), fc.constant({ delivery: 'd1' }))
    const who = fc.record({ name: fc.string(), person: fc.record({ network: fc.constant('xmpp'), id: fc.constantFrom(hidden, `${ROOM}/Eva`) }) })
    const reply: fc.Arbitrary<Reply> = fc.record({ said: stands, text: fc.constant('kommst du?'), thread: fc.record({ root: stands }), by: who },
      { requiredKeys: ['by', 'text'] })
    const content = { style: 'text' as const, text: plain('Paul: ja') }
    const mentions = [{ who: { network: 'xmpp', id: hidden }, as: 'Paul' }]
    const actions: fc.Arbitrary<Action> = fc.oneof(
      reply.map(one => ({ kind: 'message', content, reply: one, mentions }) as const),
      fc.record({ of: key, person: fc.constantFrom(hidden, 'eva@x.org') }).map(addressee => ({ kind: 'message', content, addressee }) as const),
      reply.map(one => ({ kind: 'edit', of: 'd1', content, reply: one, mentions }) as const),
      stands.map(to => ({ kind: 'reaction' as const, to, emojis: ['👍'] })), fc.constant({ kind: 'deletion', of: 'd1' } as const))
    let written = 0
    await fc.assert(fc.asyncProperty(actions, async action => {
      const stanza = await says(action, { target: ['t1', 't2'], answered: ['a1', 'a2'], root: ['r1'] })
      if (stanza === undefined) return
      written++
      assert.deepEqual(strangeIn(stanza), [])
      assert.doesNotMatch(JSON.stringify(stanza.children), /print\.token|o\/1|before@|org s1/)
    }))
    assert.ok(written > 50, `${written} were written`)
  })

  it('enters a room again that is gone', async () => {
    const { send, comesBack, out } = stage()
    const sent = send('one')
    await turn()
    comesBack('one', 'cancel', 'item-not-found')
    await assert.rejects(sent, /item-not-found/)
    assert.ok(out.includes('the room is gone'))
  })

  it('sends nothing ahead of what came back while a ghost was joining', async () => {
    const { send, written, comesBack, joining } = stage()
    const all = Promise.allSettled([send('one'), send('two', { person: { network: 'sms', id: '1' }, name: 'Anna' }), send('three')])
    await turn()
    comesBack('one', 'wait', 'resource-constraint')
    joining.resolve()
    assert.deepEqual((await all).map(({ status }) => status), ['rejected', 'rejected', 'rejected'])
    assert.equal(written.length, 1)
    await turn()
    void send('one')
    await turn()
    assert.equal(written.length, 2, 'and then goes on')
  })
})
