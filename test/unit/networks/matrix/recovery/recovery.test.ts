/** Events that a homeserver may lose or miss: they are read from the rooms, and come in order if that is possible. */
import assert from 'node:assert/strict'
import { Unavailable } from '../../../../../src/model/errors'
import type { Place } from '../../../../../src/model/address'
import type { Homeserver, HsPerson } from '../../../../support/homeserver'
import { said } from '../../../../support/matrix-suite'
import { until } from '../../../../support/practice'
import { handClock, quickClock } from '../../../../support/quick'
import { makeMemory } from '../../../../support/world'
import { stage } from '../stage'

describe('Matrix: the homeserver', () => {
  let homeserver: Homeserver
  let anna: HsPerson
  let place: Place
  const { begin, ready } = stage(at => { ({ homeserver, anna, place } = at) })

  it('may lose what waited in its memory when it stopped: it is read from the room first, in order', async () => {
    const { inbox } = await ready()
    for (const text of ['eins', 'zwei']) anna.send(place.id, text)
    await inbox.until('two', () => inbox.arrivals.length === 2)
    homeserver.pusher.loseNext(1)
    anna.send(place.id, 'verloren')
    homeserver.pusher.restarted()
    anna.send(place.id, 'danach')
    await inbox.until('all four', () => inbox.arrivals.length === 4)
    assert.deepEqual(said(inbox), ['eins', 'zwei', 'verloren', 'danach'])
  })

  it('may lose the very first words of a room: all that was said since the bot came is read', async () => {
    const { inbox } = await ready()
    await homeserver.pusher.drained()
    homeserver.pusher.loseNext(1)
    anna.send(place.id, 'verloren')
    homeserver.pusher.restarted()
    anna.send(place.id, 'danach')
    await inbox.until('both', () => inbox.arrivals.length === 2)
    assert.deepEqual(said(inbox), ['verloren', 'danach'])
  })

  it('may have stopped when it brings the last one again: what it lost meanwhile comes before what it brings next', async () => {
    const { inbox } = await ready()
    await homeserver.pusher.drained()
    await homeserver.pusher.raw('500', JSON.stringify({ events: [] }))
    await inbox.until('found', () => inbox.connections.get('homeserver') === true)
    homeserver.pusher.loseNext(2)
    const [, danach] = ['verloren', 'danach'].map(text => anna.send(place.id, text))
    await homeserver.pusher.raw('500', JSON.stringify({ events: [] }))
    const event = anna.events(place.id).find(({ event_id: id }) => id === danach)
    await homeserver.pusher.raw('501', JSON.stringify({ events: [event] }))
    await inbox.until('both', () => inbox.arrivals.length === 2)
    assert.deepEqual(said(inbox), ['verloren', 'danach'])
  })

  const looks = (): number => homeserver.requests.filter(line => line.includes('/messages?dir=f')).length

  describe('may hold back what is said while it finds us again', () => {
    const bring = async (laterMs: number): Promise<string[]> => {
      const clock = handClock()
      const { inbox } = await ready({ clock })
      anna.send(place.id, 'zuvor')
      await inbox.until('the first', () => inbox.arrivals.length === 1)
      await until(() => { clock.advance(1000); return looks() >= 2 }, 'both looks')
      clock.advance(laterMs)
      await homeserver.pusher.drained()
      await homeserver.pusher.raw('500', JSON.stringify({ events: [] }))
      homeserver.pusher.loseNext(2)
      const ids = ['verloren', 'danach'].map(text => anna.send(place.id, text))
      const danach = anna.events(place.id).find(({ event_id: id }) => id === ids[1])
      await homeserver.pusher.raw('502', JSON.stringify({ events: [danach] }))
      await until(() => { clock.advance(1000); return inbox.arrivals.length === 3 }, 'all three')
      return inbox.arrivals.slice(1).map(({ key }) => key === ids[1] ? 'danach' : 'verloren')
    }

    it('an id that is left out shows that: it comes first', async () => { assert.deepEqual(await bring(0), ['verloren', 'danach']) })
    it('later such an id is another service\'s: nothing waits for a look', async () => {
      assert.deepEqual(await bring(60_000), ['danach', 'verloren'])
    })
  })

  describe('may have stopped where nothing but the age of what it brings shows it', () => {
    const LOOKS_AT_START = 7 // the last of them 44 seconds after the start; then none for minutes
    const bring = async (age: number | undefined, server = homeserver.serverName, before?: string): Promise<string[]> => {
      const clock = handClock() // no real time counts, however long the machine pauses
      const { inbox } = await ready({ clock })
      await homeserver.pusher.drained()
      await homeserver.pusher.raw(before === undefined ? '499' : '498', JSON.stringify({ events: [] })) // so that no id is left out later
      await until(() => { clock.advance(1000); return looks() >= LOOKS_AT_START }, 'all looks of the start and of that')
      clock.advance(3000)
      homeserver.pusher.loseNext(2)
      const [, danach] = ['verloren', 'danach'].map(text => anna.send(place.id, text))
      const said = anna.events(place.id).find(({ event_id: id }) => id === danach)
      const event = { ...said, sender: `@anna:${server}`, unsigned: { age } }
      if (before !== undefined) await homeserver.pusher.raw('499', before)
      await homeserver.pusher.raw('500', JSON.stringify({ events: [event] }))
      await until(() => { clock.advance(1000); return inbox.arrivals.length === 2 }, 'both')
      return inbox.arrivals.map(({ key }) => key === danach ? 'danach' : 'verloren')
    }

    it('if that waited longer than it takes to stop and start: what it lost comes first', async () => {
      assert.deepEqual(await bring(3_000), ['verloren', 'danach'])
    })

    it('also if somebody\'s typing comes before that', async () => {
      const ephemeral = [{ type: 'm.typing', room_id: place.id, content: { user_ids: [anna.userId] } }]
      assert.deepEqual(await bring(3_000, homeserver.serverName, JSON.stringify({ events: [], ephemeral })), ['verloren', 'danach'])
    })

    for (const [what, age, server] of [['is fresh', 900], ['has no age', undefined], ['is of another server', 3_000, 'other.test']] as const) {
      it(`not if that ${what}`, async () => { assert.deepEqual(await bring(age, server), ['danach', 'verloren']) })
    }
  })

  it('may be slow to tell what was said in many rooms of a team: nobody else waits for that, and there it comes in order', async () => {
    const { inbox, memory, network } = await ready()
    const cases = Array.from({ length: 20 }, (_, n): Place => ({ network: 'matrix', id: network.naming.room('amt', n + 1)! }))
    const rooms: string[] = []
    for (const [n, where] of cases.entries()) {
      const action = { kind: 'room' as const, room: { name: 'Müller', topic: '', people: [anna.userId] } }
      await network.send({ key: `room${n}`, attempt: 1, at: 0, place: where, action }, AbortSignal.timeout(60_000))
      rooms.push(anna.join(homeserver.state.resolve(where.id)))
      anna.send(rooms[n]!, `Fall ${n}`)
    }
    await inbox.until('all of them', () => said(inbox).length === 20)
    await network.stop()
    homeserver.pusher.loseNext(20)
    for (const room of rooms) anna.send(room, 'verloren')
    homeserver.faults.push({ on: new RegExp(`GET .*(${rooms.join('|')})/messages`), times: 1000, delayMs: 100 })
    const asked = homeserver.requests.length
    await begin({ inbox, memory }, cases)
    for (const room of rooms) anna.send(room, 'danach')
    const pages = (): number => homeserver.requests.slice(asked).filter(line => rooms.some(room => line.includes(`${room}/messages`))).length
    await until(() => pages() > 0)
    anna.send(place.id, 'guten Tag')
    await inbox.until('the other room', () => said(inbox).includes('guten Tag'))
    assert.ok(pages() < 20, `${pages()} pages were read first`)
    await inbox.until('all', () => said(inbox).length === 61)
    const at = ({ id }: Place): string[] => said({ arrivals: inbox.arrivals.filter(({ place }) => place.id === id) })
    for (const [n, where] of cases.entries()) assert.deepEqual(at(where), [`Fall ${n}`, 'verloren', 'danach'])
  })

  it('may lose an event and push the next before we stop: we still know how far the room was read', async () => {
    const memory = makeMemory()
    const { inbox, network } = await ready({ memory })
    await homeserver.pusher.drained()
    homeserver.pusher.loseNext(1)
    for (const text of ['verloren', 'danach']) anna.send(place.id, text)
    await inbox.until('the second', () => inbox.arrivals.length === 1)
    await network.stop()
    await begin({ memory, inbox })
    await inbox.until('both', () => inbox.arrivals.length === 2)
  })

  it('may not know its own tokens any more: then a room is read from the newest stored message', async () => {
    const memory = makeMemory()
    const { inbox, network } = await ready({ memory })
    anna.send(place.id, 'eins')
    await inbox.until('one', () => inbox.arrivals.length === 1)
    await network.stop()
    assert.notEqual(memory.get(`read ${place.id}`), undefined)
    await memory.set(`read ${place.id}`, 'of-another-database')
    homeserver.pusher.loseNext(1)
    anna.send(place.id, 'verloren')
    await begin({ memory, inbox })
    await inbox.until('both', () => inbox.arrivals.length === 2)
    await until(() => memory.get(`read ${place.id}`) !== 'of-another-database', 'a new mark')
  })

  it('may push a transaction again because reading takes long: rooms are not read anew each time', async () => {
    await ready({ clock: quickClock(100) })
    await homeserver.pusher.drained()
    const bring = () => homeserver.pusher.raw('500', JSON.stringify({ events: [] }))
    assert.equal((await bring()).status, 200)
    const found = (): number => homeserver.requests.filter(line => line.includes('/ping')).length // asked for when all is read
    const before = found()
    homeserver.faults.push({ on: /\/messages\?dir=f/, times: 1000, delayMs: 300 }) // 30 s on our clock, of which a transaction waits for 10
    assert.equal((await bring()).status, 500)
    await until(() => found() > before, 'all is read')
    assert.equal((await bring()).status, 200)
  })

  it('may push what cannot be taken: that shows as a link that is down', async () => {
    const { inbox } = await ready({ clock: quickClock(20) })
    const intake = (): boolean | undefined => inbox.connections.get('intake')
    const trouble = { on: /\/(messages|context)/, times: 1000, status: 500 }
    homeserver.faults.push(trouble)
    homeserver.pusher.restarted()
    anna.send(place.id, 'danach')
    await inbox.until('it stands', () => intake() === false)
    assert.equal(inbox.connections.get('homeserver'), true)
    trouble.times = 0
    await inbox.until('it goes on', () => intake() === true && inbox.arrivals.length === 1)
  })

  it('may not reach us: that shows as a link that is down', async () => {
    const deaf = { on: /\/ping/, times: 1000, status: 502, body: { errcode: 'M_CONNECTION_FAILED' } }
    homeserver.faults.push(deaf)
    homeserver.pusher.loseNext(1000) // what it brings would show that it reaches us
    const { inbox } = await begin({ clock: quickClock(20) })
    await inbox.until('it does not reach us', () => inbox.connections.get('intake') === false)
    deaf.times = 0
    await inbox.until('it reaches us', () => inbox.connections.get('intake') === true)
  })

  it('may fail while we enter a room that we know: the room is still read before anything new is taken', async () => {
    const memory = makeMemory()
    const { inbox, network } = await ready({ memory })
    anna.send(place.id, 'eins')
    await inbox.until('one', () => inbox.arrivals.length === 1)
    await network.stop()
    homeserver.pusher.loseNext(1)
    for (const text of ['verloren', 'danach']) anna.send(place.id, text)
    homeserver.faults.push({ on: /\/join\//, times: 1, status: 500 })
    await begin({ memory, inbox })
    await inbox.until('all three', () => inbox.arrivals.length === 3)
    assert.deepEqual(said(inbox), ['eins', 'verloren', 'danach'])
  })

  it('may push the first words of a room while we look where to begin: they stay first', async () => {
    homeserver.faults.push({ on: /\/messages/, times: 2, delayMs: 200 })
    const { inbox } = await ready()
    await until(() => homeserver.requests.some(line => line.includes('/messages')), 'it looks')
    anna.send(place.id, 'zuerst')
    await until(() => homeserver.requests.some(line => /dir=f|\/ping/.test(line)), 'it has looked')
    anna.send(place.id, 'danach')
    await inbox.until('both', () => inbox.arrivals.length === 2)
    assert.deepEqual(said(inbox), ['zuerst', 'danach'])
  })

  it('may miss an event while it finds us again: a second look brings it', async () => {
    const { inbox } = await ready({ clock: quickClock(20) })
    await homeserver.pusher.drained()
    homeserver.pusher.loseNext(1)
    anna.send(place.id, 'liegengeblieben')
    anna.send(place.id, 'danach')
    await inbox.until('both', () => inbox.arrivals.length === 2)
    assert.deepEqual(said(inbox).sort(), ['danach', 'liegengeblieben'])
  })

  it('may miss an event whose transaction failed, and push nothing after it: a look soon afterwards brings it', async () => {
    const { inbox } = await ready({ clock: quickClock(20) })
    await until(() => homeserver.requests.filter(line => line.includes('/messages?dir=f')).length >= 2, 'both looks')
    inbox.refusing = new Unavailable('full')
    anna.send(place.id, 'abgelehnt')
    await until(() => homeserver.pusher.counts.failed > 0, 'refused')
    inbox.refusing = undefined
    homeserver.pusher.loseNext(1)
    anna.send(place.id, 'liegengeblieben')
    await inbox.until('both', () => inbox.arrivals.length === 2)
  })

  it('may miss an event at any time: a look every ten minutes brings it', async () => {
    const { inbox } = await ready({ clock: quickClock(1000) })
    await until(() => homeserver.requests.filter(line => line.includes('/messages?dir=f')).length >= 2, 'both looks')
    homeserver.pusher.loseNext(1)
    anna.send(place.id, 'liegengeblieben')
    await inbox.until('it', () => inbox.arrivals.length === 1)
  })
})
