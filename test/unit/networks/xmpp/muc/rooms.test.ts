import assert from 'node:assert/strict'
import { Refused, Unavailable } from '../../../../../src/model/errors'
import type { Persona } from '../../../../../src/model/message'
import type { Memory } from '../../../../../src/model/network'
import { makeRooms } from '../../../../../src/networks/xmpp/muc/rooms'
import type { Stream } from '../../../../../src/networks/xmpp/wire/stream'
import { quickClock, skippingClock } from '../../../../support/quick'
import { until } from '../../../../support/practice'
import { makeMemory, makeWorld } from '../../../../support/world'
import { parse } from '../parse'

const ROOM = 'raum@rooms.example.org'

const FEATURES = parse(`<iq type='result' from='${ROOM}' to='z@y'><query xmlns='http://jabber.org/protocol/disco#info'/></iq>`)
const IN = '><x xmlns=\'http://jabber.org/protocol/muc#user\'><item role=\'participant\'/><status code=\'110\'/></x>'
const FORBIDDEN = ' type=\'error\'><error type=\'auth\'><forbidden xmlns=\'urn:ietf:params:xml:ns:xmpp-stanzas\'/></error>'

/** A link whose server never answers. */
const muteStream = (): Stream & { isUp: boolean, said: number } => {
  const connection = {
    isUp: false, said: 0,
    start () {}, writable: async () => {}, ask: () => new Promise<never>(() => {}), pause () {}, resume () {}, stop: async () => {},
    send () { this.said++; return true }
  }
  return connection
}

const ALONE = {
  domain: 'chat.example.org',
  events: {
    entering () {}, ended () {}, entered: async () => {}, out () {}, putOut () {},
    allIn () {}, known () {}, heard () {}, ours () {}, looks () {}, expelled () {}
  },
  voices: { admit: async () => {}, give: async () => {}, askToStay () {} }
}

describe('xmpp rooms', () => {
  it('end when stopped while a room cannot be entered, although the link is still up', async () => {
    const link = muteStream()
    const rooms = makeRooms({ ...ALONE, stream: link, world: makeWorld() })
    rooms.attend(ROOM)
    link.isUp = true
    rooms.connected()
    await new Promise(resolve => setImmediate(resolve))
    assert.equal(link.said, 1, 'it asked to be let in')
    rooms.stop()
    await new Promise(resolve => setImmediate(resolve)) // never comes if it tries again and again without a pause
    assert.equal(link.said, 1)
  })

  it('do not keep us from being ready once each was tried', async () => {
    const clock = skippingClock()
    const [told, stream] = [[] as [boolean, boolean][], Object.assign(muteStream(), { isUp: true })]
    const events = { ...ALONE.events, allIn: (all: boolean, _why: string | undefined, tried: boolean) => { told.push([all, tried]) } }
    const rooms = makeRooms({ ...ALONE, events, stream, world: makeWorld({ clock }) })
    rooms.attend(ROOM)
    rooms.connected()
    assert.deepEqual(told, [[false, false]])
    await new Promise(resolve => setImmediate(resolve))
    clock.skip(60_000)
    await until(() => told.length > 1)
    assert.deepEqual(told.at(-1), [false, true])
    rooms.stop()
  })

  it('know who is inside also when the room does not say at once what it can', async () => {
    let asked = 0
    const stream: Stream = Object.assign(muteStream(), {
      isUp: true, ask: async () => { if (++asked === 1) throw new Unavailable('no answer'); return FEATURES }
    })
    const rooms = makeRooms({ ...ALONE, stream, world: makeWorld({ clock: quickClock(50) }) })
    rooms.connected()
    const room = rooms.attend(ROOM)
    for (const [nick, status] of [['Anna', ''], ['Zentrale', '<status code=\'110\'/>']] as const) {
      rooms.presence(parse(`<presence from='${ROOM}/${nick}' to='${room.listener.jid}'><x xmlns='http://jabber.org/protocol/muc#user'>` +
        `<item jid='${nick}@example.org/x' role='participant'/>${status}</x></presence>`))
    }
    await rooms.whenReady(room, AbortSignal.timeout(60_000))
    assert.deepEqual([asked, room.people.get('Anna')?.address], [2, 'anna@example.org'])
    rooms.stop()
  })

  it('that can the same share what is known of that', async () => {
    const asked: string[] = []
    const can = (room: string, feature: string): ReturnType<typeof parse> => parse(`<iq type='result' from='${room}' to='z@y'>` +
      `<query xmlns='http://jabber.org/protocol/disco#info'><feature var='${feature}'/><feature var='urn:xmpp:sid:0'/></query></iq>`)
    const stream: Stream = Object.assign(muteStream(), {
      isUp: true, ask: async (_type: string, _from: string, room: string) => can(room, asked.push(room) === 3 ? 'muc_open' : 'urn:xmpp:mam:2')
    })
    const rooms = makeRooms({ ...ALONE, stream, world: makeWorld({ clock: quickClock(50) }) })
    const [one, two, three] = ['one', 'two', 'three'].map(name => rooms.attend(`${name}@rooms.example.org`))
    for (const room of [one, two, three]) await rooms.refresh(room!)
    assert.equal(one!.features, two!.features)
    assert.deepEqual([...two!.features, ...three!.features], ['urn:xmpp:mam:2', 'urn:xmpp:sid:0', 'muc_open', 'urn:xmpp:sid:0'])
    rooms.stop()
  })

  it('that have forgotten a ghost are entered by it again, and ghosts of before a crash leave', async () => {
    const sent: string[] = []
    const stream: Stream = Object.assign(muteStream(), {
      isUp: true, ask: async () => FEATURES, send: ({ xml }: { xml: string }) => { sent.push(xml); return true }
    })
    const gone = `_sms_=2b491@${ALONE.domain}`
    const memory = makeMemory(new Map([[`inside ${ROOM} ${gone}`, '1']]))
    const rooms = makeRooms({ ...ALONE, stream, world: makeWorld({ clock: quickClock(50), memory }) })
    rooms.connected()
    const room = rooms.attend(ROOM)
    const shows = (nick: string, to: string): void => rooms.presence(parse(`<presence from='${ROOM}/${nick}' to='${to}'${IN}</presence>`))
    shows('Zentrale', room.listener.jid)
    await rooms.whenReady(room, AbortSignal.timeout(10_000))
    const [ghost] = rooms.ghosts.expect(room, {
      members: [{ person: { network: 'matrix', id: '@bob:example.org' }, name: 'Bob (Matrix)' }], whole: true
    })
    assert.ok(ghost !== undefined)
    const inside = ghost.join()
    shows('Bob (Matrix)', ghost.jid)
    await inside
    rooms.ghosts.partUnlisted(room)
    await new Promise(resolve => setImmediate(resolve))
    assert.ok(sent.some(xml => xml.includes(`from='${gone}/zentrale'`) && xml.includes('type=\'unavailable\'')), sent.join('\n'))
    assert.deepEqual(memory.keys(`inside ${ROOM} `), [`inside ${ROOM} ${ghost.jid.split('/')[0]}`])
    room.listener.lost('it was started anew')
    rooms.presence(parse(`<presence from='${ROOM}/Zentrale' to='${room.listener.jid}' type='unavailable'/>`))
    await until(() => room.entering, 'it is entered again')
    shows('Zentrale', room.listener.jid)
    await rooms.whenReady(room, AbortSignal.timeout(10_000))
    assert.equal(ghost.nick, '')
    rooms.stop()
  })

  describe('that have put us out are left by all of ours', () => {
    const BEN: Persona = { person: { network: 'matrix', id: '@ben:example.org' }, name: 'Ben (Matrix)' }
    const BENS = 'ben=40example.org@chat.example.org'
    const known = (memory: Memory): string[] => memory.keys(`inside ${ROOM} `)
    const begin = (memory: Memory) => {
      const sent: string[] = []
      const stream = Object.assign(muteStream(), {
        ask: async () => FEATURES, send: ({ xml }: { xml: string }) => { sent.push(xml); return stream.isUp }
      })
      const rooms = makeRooms({ ...ALONE, stream, world: makeWorld({ clock: quickClock(50), memory }) })
      const linked = (isUp: boolean): void => { stream.isUp = isUp; rooms[isUp ? 'connected' : 'disconnected']() }
      const leaves = (jid: string): boolean => sent.some(xml => xml.includes(`from='${jid}'`) && xml.includes('type=\'unavailable\''))
      const hears = (nick: string, to: string, what: string): void =>
        rooms.presence(parse(`<presence from='${ROOM}/${nick}' to='${to}'${what}</presence>`))
      return { rooms, linked, leaves, hears }
    }

    it('also by those whom we lost with the link before we knew of it', async () => {
      const memory = makeMemory()
      const { rooms, linked, leaves, hears } = begin(memory)
      const room = rooms.attend(ROOM)
      linked(true)
      hears('Zentrale', room.listener.jid, IN)
      await rooms.whenReady(room, AbortSignal.timeout(10_000))
      const ghost = rooms.ghosts.ghost(room, BEN)
      const inside = ghost.join()
      await until(() => known(memory).length === 1)
      hears(BEN.name, ghost.jid, IN)
      await inside
      linked(false)
      linked(true)
      await until(() => room.entering)
      hears('Zentrale', room.listener.jid, FORBIDDEN)
      await assert.rejects(rooms.whenReady(room, AbortSignal.timeout(10_000)), Refused)
      assert.ok(leaves(ghost.jid))
      await until(() => known(memory).length === 0)
      rooms.stop()
    })

    for (const linkedFirst of [true, false]) {
      it(`also by those whom a crash kept from it, ${linkedFirst ? 'after' : 'before'} the link is up`, async () => {
        const memory = makeMemory(new Map([[`inside ${ROOM} ${BENS}`, '1'], [`put out ${ROOM}`, 'kicked']]))
        const { rooms, linked, leaves } = begin(memory)
        if (linkedFirst) linked(true)
        rooms.attend(ROOM)
        if (!linkedFirst) linked(true)
        assert.ok(leaves(`${BENS}/zentrale`))
        await until(() => known(memory).length === 0)
        rooms.stop()
      })
    }
  })

  it('that cannot be entered keep no other out, however many there are, and even if their server hangs', async () => {
    const stream: Stream = Object.assign(muteStream(), { isUp: true, ask: async () => FEATURES })
    const rooms = makeRooms({ ...ALONE, stream, world: makeWorld({ clock: quickClock(50) }) })
    rooms.connected()
    for (let n = 0; n < 40; n++) rooms.attend(`r${n}@hangs.example.net`)
    const room = rooms.attend(ROOM)
    await new Promise(resolve => setImmediate(resolve))
    rooms.presence(parse(`<presence from='${ROOM}/Zentrale' to='${room.listener.jid}'><x xmlns='http://jabber.org/protocol/muc#user'>` +
      '<item role=\'participant\'/><status code=\'110\'/></x></presence>'))
    await rooms.whenReady(room, AbortSignal.timeout(1_000))
    rooms.stop()
  })
})
