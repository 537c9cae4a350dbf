import assert from 'node:assert/strict'
import { setImmediate as turn } from 'node:timers/promises'
import { makeRooms, type Rooms } from '../../../../../src/networks/xmpp/muc/rooms'
import type { Room } from '../../../../../src/networks/xmpp/muc/room'
import type { Stream } from '../../../../../src/networks/xmpp/wire/stream'
import type { Xml } from '../../../../../src/networks/xmpp/wire/xml'
import { skippingClock } from '../../../../support/quick'
import { makeMemory, makeWorld } from '../../../../support/world'
import { parse } from '../parse'

const DOMAIN = 'chat.example.org'
const [OLD, NEW, LAST] = ['alt', 'neu', 'dann'].map(local => `${local}@rooms.example.org`) as [string, string, string]
const PROOF_MS = 10 * 60_000
const FEATURES = parse(`<iq type='result' from='x' to='y'><query xmlns='http://jabber.org/protocol/disco#info'/></iq>`)
const MISSING = parse(`<iq type='error' from='x' to='y'><error type='cancel'>` +
  `<item-not-found xmlns='urn:ietf:params:xml:ns:xmpp-stanzas'/></error></iq>`)

describe('the room that replaces another one', () => {
  let memory = makeMemory()
  let clock = skippingClock()
  let rooms: Rooms
  let out: string[]
  let sent: string[]
  let links: boolean[]
  let tried: boolean
  let missing: Set<string>

  const start = (...places: string[]): void => {
    [out, sent, missing, links, tried] = [[], [], new Set(), [], false]
    clock = skippingClock()
    const stream: Stream = {
      isUp: true, start () {}, writable: async () => {}, pause () {}, resume () {}, stop: async () => {},
      ask: async (_type, _from, to) => missing.has(to) ? MISSING : FEATURES,
      send (stanza: Xml) { sent.push(stanza.xml); return true }
    }
    rooms = makeRooms({
      domain: DOMAIN, stream, world: makeWorld({ memory, clock }), voices: { admit: async () => {}, give: async () => {}, askToStay () {} },
      own: { has: id => id.startsWith('_'), isClosed: () => true, setUp: async () => {}, admit: async () => {} },
      events: {
        entering () {}, entered: async () => {}, ended () {}, out () {}, known () {}, heard () {}, ours () {}, looks () {}, expelled () {},
        putOut: room => { out.push(room.place) }, allIn: (all, _why, each) => { links.push(all); tried = each }
      }
    })
    rooms.connected()
    for (const place of places) rooms.attend(place)
  }
  beforeEach(() => { memory = makeMemory(); start(OLD) })
  afterEach(() => rooms.stop())

  const settle = async (): Promise<void> => { for (let i = 0; i < 20; i++) await turn() }
  const presence = async (room: string, nick: string, item: string, more = '', type = ''): Promise<void> => {
    rooms.presence(parse(`<presence from='${room}/${nick}' to='zentrale@${DOMAIN}/zentrale'${type}>` +
      `<x xmlns='http://jabber.org/protocol/muc#user'><item ${item}/>${more}</x></presence>`))
    await settle()
  }
  const somebody = (room: string, local: string, affiliation: string): Promise<void> =>
    presence(room, local, `affiliation='${affiliation}' role='participant' jid='${local}@example.org/x'`)
  const letIn = async (room: string, affiliation = 'none'): Promise<void> => {
    await settle()
    await presence(room, 'Zentrale', `affiliation='${affiliation}' role='participant'`, '<status code=\'110\'/>')
  }
  const destroy = (room: string, next: string): Promise<void> =>
    presence(room, 'Zentrale', 'affiliation=\'none\' role=\'none\'', `<destroy jid='${next}'/><status code='110'/>`, ' type=\'unavailable\'')
  const isGone = async (room: string, uri: string): Promise<void> => {
    await settle()
    rooms.presence(parse(`<presence type='error' from='${room}/Zentrale' to='zentrale@${DOMAIN}/zentrale'><error type='cancel'>` +
      `<gone xmlns='urn:ietf:params:xml:ns:xmpp-stanzas'>${uri}</gone></error></presence>`))
    await settle()
  }
  const now = (): [address: string | undefined, ready: boolean | undefined] => {
    const room: Room | undefined = rooms.of(OLD)
    return [room?.id, room?.ready]
  }
  const enterOld = async (): Promise<void> => {
    await somebody(OLD, 'anna', 'owner')
    await somebody(OLD, 'carl', 'none')
    await letIn(OLD)
  }

  it('is one that has an owner of the old one', async () => {
    await enterOld()
    await destroy(OLD, NEW)
    await letIn(NEW)
    assert.deepEqual([now(), links.at(-1)], [[NEW, false], false])
    await somebody(NEW, 'anna', 'owner')
    assert.deepEqual([now(), links], [[NEW, true], [true, false, true]])
    assert.deepEqual(out, [])
  })

  it('is not one whose owner was none in the old one, or is not known there, and is left after a while', async () => {
    await enterOld()
    await destroy(OLD, NEW)
    await somebody(NEW, 'carl', 'owner')
    await somebody(NEW, 'anna', 'member')
    await letIn(NEW)
    assert.deepEqual([now(), out], [[NEW, false], []])
    clock.skip(PROOF_MS)
    await settle()
    assert.deepEqual([now(), out], [[OLD, false], [OLD]])
    assert.ok(sent.at(-1)?.includes(`to='${NEW}/Zentrale'`) || sent.at(-1)?.includes(`to="${NEW}/Zentrale"`), sent.at(-1))
    assert.equal(rooms.get(NEW), undefined)
  })

  it('is not one whose owner has lost the old one before', async () => {
    await enterOld()
    await somebody(OLD, 'anna', 'member')
    await destroy(OLD, NEW)
    await somebody(NEW, 'anna', 'owner')
    await letIn(NEW)
    assert.deepEqual(now(), [NEW, false])
  })

  it('is one that has made us a member, before or while we wait', async () => {
    await enterOld()
    await destroy(OLD, NEW)
    await letIn(NEW)
    assert.deepEqual(now(), [NEW, false])
    await letIn(NEW, 'member')
    assert.deepEqual(now(), [NEW, true])
  })

  it('is found by what a room that is over says, also after a restart and over several rooms', async () => {
    await enterOld()
    rooms.stop()
    start(OLD)
    await isGone(OLD, `xmpp:${NEW.replace('neu', 'n%65u')}?join`)
    assert.deepEqual(now(), [NEW, false])
    rooms.stop()
    start(OLD)
    await isGone(NEW, `xmpp:${LAST}?join`)
    await letIn(LAST)
    assert.deepEqual(now(), [LAST, false])
    await somebody(LAST, 'anna', 'owner')
    assert.deepEqual(now(), [LAST, true])
    rooms.stop()
    start(OLD)
    await letIn(LAST)
    assert.deepEqual(now(), [LAST, true])
  })

  it('keeps us waiting for it, but not from being ready, also after a restart', async () => {
    await enterOld()
    await destroy(OLD, NEW)
    assert.deepEqual([links.at(-1), tried], [false, true])
    rooms.stop()
    start('auch@rooms.example.org', OLD)
    await letIn(NEW)
    assert.deepEqual([now(), links.at(-1), tried], [[NEW, false], false, false], 'the other room was not tried yet')
    await letIn('auch@rooms.example.org')
    assert.deepEqual([now(), links.at(-1), tried], [[NEW, false], false, true])
  })

  it('is not made by us', async () => {
    await enterOld()
    missing.add(NEW)
    const before = sent.length
    await destroy(OLD, NEW)
    assert.deepEqual(sent.slice(before), [])
    assert.deepEqual(now(), [NEW, false])
  })

  for (const [what, next] of [
    ['one of ours', '_team@rooms.example.org'], ['one on our own domain', `raum@${DOMAIN}`], ['no room', 'rooms.example.org'], ['no address', 'a b@'],
    ['another place', 'auch@rooms.example.org'], ['the same', OLD]
  ] as const) {
    it(`is not ${what}`, async () => {
      rooms.attend('auch@rooms.example.org')
      await enterOld()
      await destroy(OLD, next)
      assert.deepEqual([now(), out], [[OLD, false], [OLD]])
    })
  }

  it('is none in which the place was before, and a place moves a limited number of times', async () => {
    await enterOld()
    const names = [OLD, ...Array.from({ length: 30 }, (_, i) => `r${i}@rooms.example.org`)]
    for (let i = 1; i < names.length && out.length === 0; i++) {
      await destroy(names[i - 1]!, names[i]!)
      if (out.length === 0) await letIn(names[i]!, 'member')
    }
    assert.equal(rooms.of(OLD)?.id, names[19])
    memory = makeMemory()
    start(OLD)
    await enterOld()
    await destroy(OLD, NEW)
    await letIn(NEW, 'member')
    await destroy(NEW, OLD)
    assert.deepEqual([now(), out], [[NEW, false], [OLD]])
  })

  it('belongs to the place that is named so, if the config names it too', async () => {
    await enterOld()
    await destroy(OLD, NEW)
    await letIn(NEW, 'member')
    for (const places of [[OLD, NEW], [NEW, OLD]]) {
      rooms.stop()
      start(...places)
      await letIn(NEW)
      assert.deepEqual([rooms.of(NEW)?.id, rooms.of(NEW)?.ready, ...now(), out], [NEW, true, OLD, false, [OLD]])
    }
  })
})
