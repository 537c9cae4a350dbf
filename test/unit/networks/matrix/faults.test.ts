import assert from 'node:assert/strict'
import fc from 'fast-check'
import { request } from 'undici'
import { Unavailable } from '../../../../src/model/errors'
import type { Place } from '../../../../src/model/address'
import type { Homeserver, HsEvent, HsPerson } from '../../../support/homeserver'
import { until } from '../../../support/practice'
import { quickClock } from '../../../support/quick'
import { bernd, delivery, max, said, type Ground } from '../../../support/matrix-suite'
import { stage } from './stage'

const GHOST = '@_zentrale_sms_+491701234567:practice.test'

describe('Matrix: faults', () => {
  let homeserver: Homeserver
  let ground: Ground
  let anna: HsPerson
  let place: Place
  const signal = (): AbortSignal => AbortSignal.timeout(60_000)

  const { begin, ready } = stage(at => { ({ homeserver, ground, anna, place } = at) })
  const bodies = (): unknown[] => anna.events(place.id).map(event => event.content.body).filter(body => body !== undefined)
  const asHomeserver = (method: 'PUT' | 'POST' | 'GET', path: string, headers: Record<string, string> = {}) =>
    request(`http://127.0.0.1:${ground.config.listen.port}${path}`, {
      method, headers: { authorization: `Bearer ${ground.config.registration.hs_token}`, ...headers }
    })

  it('brings nobody in again whom somebody kicks while a message of theirs is under way', async () => {
    const { network, inbox } = await ready()
    const { accept } = inbox
    const { promise: stored, resolve: store } = Promise.withResolvers<void>()
    const heard = Promise.withResolvers<void>()
    inbox.accept = async arrival => {
      if (arrival.kind === 'expulsion') { heard.resolve(); await stored }
      return await accept(arrival)
    }
    await network.send(delivery(place, 'davor'), signal())
    homeserver.faults.push({ on: /\/send\//, times: 1, delayMs: 300 })
    const underWay = assert.rejects(network.send(delivery(place, 'unterwegs'), signal()), { name: 'Unavailable' })
    await until(() => homeserver.faults.length === 0 || homeserver.faults.every(({ times }) => times === 0), 'it is under way')
    anna.kick(place.id, GHOST)
    await heard.promise
    await underWay
    await assert.rejects(network.send(delivery(place, 'gleich danach'), signal()), { name: 'Unavailable' })
    assert.deepEqual(bodies(), ['davor'])
    store()
    await inbox.until('the kick', () => inbox.arrivals.some(({ kind }) => kind === 'expulsion'))
    await network.send(delivery(place, 'eine Stunde später'), signal())
    assert.deepEqual(bodies(), ['davor', 'eine Stunde später'])
  })

  it('takes whoever spoke after their person had left out again, though no list comes', async () => {
    const { network } = await ready({ clock: quickClock(200) })
    network.members!({ place, members: [], whole: true })
    await network.send(delivery(place, 'noch auf dem Weg'), signal())
    const isIn = (): unknown => homeserver.membership(place.id, GHOST)
    assert.equal(isIn(), 'join')
    await until(() => isIn() === 'leave', 'it leaves')
    assert.deepEqual(bodies(), ['noch auf dem Weg'])
  })

  it('tells a room that lets nobody in from a homeserver that is down', async () => {
    const closed: Place = { network: 'matrix', id: anna.createRoom({ preset: 'private_chat' }) }
    const { network } = await begin({}, [closed])
    let why: unknown
    await until(() => network.send(delivery(closed, 'vor der Tür'), signal()).catch((error: unknown) => { why = error })
      .then(() => why instanceof Unavailable && why.closed), 'it is closed')
    await homeserver.goDown()
    await until(() => network.send(delivery(place, 'weg'), signal()).catch((error: unknown) => { why = error })
      .then(() => why instanceof Unavailable && why.disconnected && !why.closed), 'it is down')
  })

  describe('the homeserver', () => {
    it('is waited for when it is down at start and later', async () => {
      await homeserver.goDown()
      const { network, inbox } = await begin()
      await inbox.until('it is missed', () => inbox.connections.get('homeserver') === false)
      await assert.rejects(network.send(delivery(place, 'früh'), signal()), { name: 'Unavailable', disconnected: true })
      await homeserver.comeUp()
      await inbox.until('it is found', () => inbox.connections.get('homeserver') === true)
      await inbox.until('the room is joined', () => inbox.connections.get('rooms') === true)
      await network.send(delivery(place, 'eins'), signal())
      await homeserver.goDown()
      await assert.rejects(network.send(delivery(place, 'weg'), signal()), { name: 'Unavailable' })
      await assert.rejects(network.send(delivery(place, 'weg'), signal()), { name: 'Unavailable', disconnected: true })
      assert.equal(inbox.connections.get('homeserver'), false)
      await homeserver.comeUp()
      await inbox.until('it is found again', () => inbox.connections.get('homeserver') === true)
      await network.send(delivery(place, 'zwei'), signal())
      assert.deepEqual(bodies(), ['eins', 'zwei'])
    })

    it('gets the same transaction id again after it broke the connection, and shows the message once', async () => {
      const { network } = await ready()
      await network.send(delivery(place, 'eins'), signal())
      const second = delivery(place, 'zwei')
      homeserver.faults.push({ on: /\/send\//, times: 1, breaks: 'after' })
      await assert.rejects(network.send(second, signal()), { name: 'Unavailable' })
      await network.send({ ...second, attempt: 2 }, signal())
      assert.deepEqual(bodies(), ['eins', 'zwei'])
    })

    it('is not pinged while it brings something: Synapse would try the same in two loops', async () => {
      const { inbox } = await ready({ clock: quickClock(20) })
      for (let n = 1; n <= 3; n++) {
        anna.send(place.id, 'vorher')
        await inbox.until('it', () => inbox.arrivals.length === n)
      }
      homeserver.requests.length = 0
      homeserver.pusher.restarted()
      homeserver.faults.push({ on: /\/context\//, times: 1, delayMs: 200 }) // so that it waits for the reading
      anna.send(place.id, 'danach')
      await inbox.until('it', () => inbox.arrivals.length === 4)
      await until(() => homeserver.requests.filter(line => line.includes('/messages')).length >= 3, 'both looks')
      assert.deepEqual(homeserver.requests.filter(line => line.includes('/ping')), [])
    })

    it('is not asked to let the bot in where it is, because who is sent out just then would be in again', async () => {
      const { network, inbox } = await ready()
      await homeserver.goDown()
      await assert.rejects(network.send(delivery(place, 'weg'), signal()), { name: 'Unavailable' })
      await assert.rejects(network.send(delivery(place, 'weg'), signal()), { name: 'Unavailable', disconnected: true })
      homeserver.requests.length = 0
      await homeserver.comeUp()
      await inbox.until('it is found again', () => inbox.connections.get('homeserver') === true)
      await until(() => homeserver.requests.some(line => line.includes('/state/m.room.encryption')), 'the room was looked at')
      assert.deepEqual(homeserver.requests.filter(line => line.includes('/join/')), [])
    })

    it('says how long to wait, or only that it failed', async () => {
      const { network, inbox } = await ready()
      const trouble = async (status: number, body = {}, headers = {}): Promise<Unavailable> => {
        homeserver.faults.push({ on: /\/send\//, times: 1, status, body, headers })
        return await network.send(delivery(place, 'x'), signal()).then(() => assert.fail('sent'), (error: unknown) => {
          assert.ok(error instanceof Unavailable)
          return error
        })
      }
      assert.equal((await trouble(429, { errcode: 'M_LIMIT_EXCEEDED', retry_after_ms: 1500 })).retryAfterMs, 1500)
      assert.equal((await trouble(429, {}, { 'retry-after': '2' })).retryAfterMs, 2000)
      assert.equal((await trouble(500)).disconnected, false)
      assert.equal((await trouble(503)).disconnected, true)
      assert.equal(inbox.connections.get('homeserver'), false)
      await inbox.until('it is found again', () => inbox.connections.get('homeserver') === true)
    })

    it('is down to us when it does not know our token', async () => {
      const { inbox } = await begin({ registration: { ...ground.config.registration, as_token: 'other' } })
      await inbox.until('it says so', () => inbox.connections.get('homeserver') === false)
    })

    it('may have no devices for us: then what was tried is looked up', async () => {
      homeserver.faults.push({ on: /PUT .*\/devices\//, times: 100, status: 404, body: { errcode: 'M_UNRECOGNIZED' } })
      const { network } = await ready()
      const message = delivery(place, 'eins')
      assert.equal(await network.find!(message, signal()), undefined)
      const sent = await network.send(message, signal())
      assert.deepEqual(await network.find!(message, signal()), sent)
    })

    it('gets no file that is longer or shorter than was said, nor one that is over the limit', async () => {
      const file = { kind: 'image' as const, name: 'a.png', mime: 'image/png', at: { network: 'xmpp', ref: 'f' } }
      const content = { style: 'text' as const, text: [], file }
      const cases = [{ sizeError: 1 }, { sizeError: -1 }, { mediaBytesMax: 9 }, { mediaBytesMax: 9, sized: false }]
      for (const odd of cases) {
        const { network, files } = await ready(odd)
        files.set('f', Buffer.alloc(10))
        const sending = network.send(delivery(place, '', { action: { kind: 'message', content } }), signal())
        await assert.rejects(sending, { name: 'Refused' }, JSON.stringify(odd))
        await network.send(delivery(place, 'weiter'), signal())
        await network.stop()
      }
    })

    it('is not down because another server is, on which a picture lies, or because a proxy stops waiting for that server', async () => {
      const { network, inbox } = await ready()
      let downs = 0
      const { connection } = inbox
      inbox.connection = (...args) => {
        if (!args[2]) downs++
        connection(...args)
      }
      const answers = [
        { status: 502, body: { errcode: 'M_UNKNOWN' } }, { status: 504, body: { errcode: 'M_NOT_YET_UPLOADED' } },
        { status: 502 }, { status: 504 }
      ]
      for (const answer of answers) {
        homeserver.faults.push({ on: /media\/download/, times: 1, ...answer })
        await assert.rejects(network.open('mxc://gone.test/x', signal()), { name: 'Unavailable', disconnected: false })
      }
      assert.equal(downs, 0)
      homeserver.faults.push({ on: /\/send\//, times: 1, status: 502 })
      await assert.rejects(network.send(delivery(place, 'eins'), signal()), { name: 'Unavailable', disconnected: true })
      assert.equal(downs, 1)
    })

    it('keeps a file until its message is said, and stores it before that when asked to', async () => {
      const { network, files } = await ready()
      files.set('f', Buffer.alloc(10))
      const file = { kind: 'image' as const, name: 'a.png', mime: 'image/png', at: { network: 'xmpp', ref: 'f' } }
      const message = delivery(place, '', { as: max, action: { kind: 'message', content: { style: 'text', text: [], file } } })
      await network.upload!(message, signal())
      files.delete('f')
      homeserver.faults.push({ on: /\/send\//, times: 1, status: 502 })
      await assert.rejects(network.send(message, signal()), { name: 'Unavailable' })
      await network.send(message, signal())
      const event = await anna.waitFor(place.id, ({ content }) => content.msgtype === 'm.image')
      assert.equal(event.sender, GHOST)
      assert.equal(homeserver.requests.filter(line => line.includes('/upload')).length, 1)
    })

    it('sends us to no private address for a file, and cannot make us take more than the limit', async () => {
      const { network } = await ready({ mediaBytesMax: 1000 })
      const ref = anna.upload(Buffer.alloc(1001), 'image/png')
      await assert.rejects(network.open(ref, signal()), { name: 'Refused' })
      const headers = { location: `${homeserver.url}/_matrix/client/versions` }
      homeserver.faults.push({ on: /media\/download/, times: 1, status: 307, headers })
      await assert.rejects(network.open(ref, signal()), { name: 'Refused', message: /not a public address/ })
    })
  })

  describe('transactions', () => {
    it('are stored once and in order, though they come twice and the store fails in between', async () => {
      const { inbox } = await ready()
      homeserver.pusher.duplicateNext(5)
      const { accept } = inbox
      let calls = 0
      inbox.accept = async arrival => {
        if (++calls < 200 && calls % 7 === 0) throw new Unavailable('full')
        return await accept(arrival)
      }
      for (let n = 0; n < 250; n++) anna.send(place.id, String(n))
      await inbox.until('all', () => inbox.arrivals.length === 250)
      await homeserver.pusher.drained()
      assert.deepEqual(said(inbox).sort((a, b) => Number(a) - Number(b)), Array.from({ length: 250 }, (_, n) => String(n)))
    })

    it('are taken only with the right token, and only where they belong', async () => {
      await ready()
      const path = '/_matrix/app/v1/transactions/1'
      const status = async (...args: Parameters<typeof asHomeserver>): Promise<number> => {
        const { statusCode, body } = await asHomeserver(...args)
        await body.dump()
        return statusCode
      }
      assert.equal((await request(`http://127.0.0.1:${ground.config.listen.port}${path}`, { method: 'PUT' })).statusCode, 401)
      assert.equal(await status('PUT', path, { authorization: 'Bearer wrong' }), 403)
      const inQuery = `${path}?access_token=${ground.config.registration.hs_token}`
      assert.equal(await status('PUT', inQuery, { authorization: 'Basic x' }), 401)
      assert.equal(await status('GET', '/_matrix/app/v1/other'), 404)
      assert.equal(await status('GET', path), 405)
      assert.equal(await status('GET', `/_matrix/app/v1/users/${encodeURIComponent(GHOST)}`), 404)
      assert.equal(await status('POST', '/_matrix/app/v1/ping'), 200)
    })

    it('may hold anything: what is no event is kept in quarantine, the rest goes on', async () => {
      const { inbox } = await ready()
      const event = (more: object): object => ({
        event_id: '$x', room_id: place.id, sender: anna.userId, type: 'm.room.message',
        content: { msgtype: 'm.text', body: 'x' }, ...more
      })
      const bad: unknown[] = [
        null, 1, 'x', [], {}, { event_id: 1 }, event({ event_id: '$' + 'x'.repeat(300) }), event({ content: { msgtype: 1 } }),
        event({ type: 'm.room.redaction', content: {} }),
        event({ content: { msgtype: 'm.text', body: '* x', 'm.relates_to': { rel_type: 'm.replace' }, 'm.new_content': null } })
      ]
      const answer = await homeserver.pusher.raw('bad1', JSON.stringify({ events: [...bad, event({ event_id: '$good' })] }))
      assert.deepEqual(answer, { status: 200, text: '{}' })
      assert.equal(inbox.quarantined.length, bad.length)
      assert.deepEqual(inbox.arrivals.map(({ key }) => key), ['$x', '$good']) // that something was said is told in its turn
      const deep = `{"events":[${'['.repeat(100_000)}${']'.repeat(100_000)}]}`
      const whole = [[deep, 200], ['{"events":{}}', 200], ['[]', 400], ['{', 400], ['{"__proto__":{"x":1}}', 200]] as const
      for (const [body, status] of whole) {
        assert.equal((await homeserver.pusher.raw('bad2', body)).status, status, body.slice(0, 40))
      }
      assert.equal(({} as { x?: number }).x, undefined)
    })

    it('never fail for what is in an event', async () => {
      await ready()
      const value = fc.oneof(fc.jsonValue(), fc.constant(place.id), fc.constant(anna.userId), fc.constant('m.room.message'))
      const types = ['m.room.message', 'm.room.member', 'm.room.tombstone', 'm.room.redaction', 'm.sticker']
      const odd = fc.record({
        event_id: fc.oneof(fc.string().map(text => `$${text}`), value), room_id: fc.oneof(fc.constant(place.id), value),
        sender: fc.oneof(fc.constant('@b:c'), value), origin_server_ts: value, state_key: value, redacts: value, unsigned: value,
        type: fc.oneof(fc.constantFrom(...types), value),
        content: fc.oneof(value, fc.record({
          msgtype: fc.oneof(fc.constantFrom('m.text', 'm.image'), value), body: value,
          format: fc.constant('org.matrix.custom.html'), formatted_body: value, info: value, url: value,
          'm.relates_to': value, 'm.new_content': value, membership: value, displayname: value
        }, { requiredKeys: [] }))
      }, { requiredKeys: [] })
      await fc.assert(fc.asyncProperty(fc.array(fc.oneof(odd, fc.jsonValue()), { maxLength: 5 }), async events => {
        assert.equal((await homeserver.pusher.raw('odd', JSON.stringify({ events }))).status, 200)
      }), { numRuns: 150 })
    })

    it('of other rooms and of our own ghosts are ignored', async () => {
      const { network, inbox } = await ready()
      const elsewhere = anna.createRoom({ preset: 'public_chat' })
      await network.send(delivery(place, 'von uns'), signal())
      homeserver.state.join(elsewhere, GHOST)
      anna.send(elsewhere, 'woanders')
      anna.send(place.id, 'hier')
      await homeserver.pusher.drained()
      assert.deepEqual(said(inbox), ['hier'])
    })

    it('are refused after stop', async () => {
      const { network, inbox } = await ready()
      await network.stop()
      anna.send(place.id, 'zu spät')
      await assert.rejects(homeserver.pusher.raw('late', '{"events":[]}'))
      assert.equal(inbox.arrivals.length, 0)
      await network.stop()
    })
  })

  describe('ghosts', () => {
    it('get their pictures after their words, and once', async () => {
      const { network, files } = await ready()
      files.set('pic', Buffer.from('png'))
      const as = { ...max, avatar: { network: 'sms', ref: 'pic' } }
      await network.send(delivery(place, 'eins', { as }), signal())
      const withPicture = ({ state_key: key, content }: HsEvent): boolean => key === GHOST && content.avatar_url !== undefined
      const event = await anna.waitFor(place.id, withPicture)
      assert.match(String(event.content.avatar_url), /^mxc:\/\/practice\.test\//)
      await network.send(delivery(place, 'zwei', { as }), signal())
      assert.equal(homeserver.requests.filter(line => line.includes('/upload')).length, 1)
    })

    it('speak even if their picture cannot be fetched', async () => {
      const { network } = await ready()
      const as = { ...bernd, avatar: { network: 'xmpp', ref: 'nothing there' } }
      await network.send(delivery(place, 'eins', { as }), signal())
      await network.send(delivery(place, 'zwei', { as }), signal())
      assert.deepEqual(bodies(), ['eins', 'zwei'])
    })

    it('are made once, renamed when their name changes', async () => {
      const { network } = await ready()
      for (const name of ['Max', 'Max', 'Maxi']) await network.send(delivery(place, name, { as: { ...max, name } }), signal())
      const count = (pattern: RegExp): number => homeserver.requests.filter(line => pattern.test(line)).length
      assert.equal(count(/\/register/), 1)
      assert.equal(count(/_zentrale_[^/]*\/displayname/), 2)
      assert.equal(count(/POST .*\/join\?user_id/), 1)
    })

    it('do not forget where they are when they read again that they once left', async () => {
      const { network } = await ready()
      await network.send(delivery(place, 'eins', { as: max }), signal())
      const mxid = anna.events(place.id).find(event => event.content.body === 'eins')!.sender
      const left = { event_id: '$left', room_id: place.id, type: 'm.room.member', sender: mxid, state_key: mxid, content: { membership: 'leave' } }
      assert.equal((await homeserver.pusher.raw('again', JSON.stringify({ events: [left] }))).status, 200)
      await network.send(delivery(place, 'zwei', { as: max }), signal())
      assert.equal(homeserver.requests.filter(line => /POST .*\/join\?user_id/.test(line)).length, 1)
    })

    it('leave a room that has sent the bot out one by one, try again if that fails, and go on after a restart', async () => {
      const first = await ready({ clock: quickClock(20) })
      for (let n = 0; n < 5; n++) {
        const as = { ...bernd, person: { network: 'xmpp', id: `b${n}@example.org` } }
        await first.network.send(delivery(place, `n${n}`, { as }), signal())
      }
      const leaving = (): string[] => homeserver.requests.filter(line => /\/leave/.test(line))
      const trouble = { on: /\/leave/, times: 1000, status: 500 }
      homeserver.faults.push(trouble)
      homeserver.state.kick(place.id, anna.userId, '@zentrale:practice.test')
      await until(() => leaving().length >= 3)
      assert.equal(new Set(leaving()).size, 1, 'the first is tried until it is out')
      await first.network.stop()
      trouble.times = 1
      await begin({ inbox: first.inbox, memory: first.memory, clock: quickClock(20) })
      const inside = (): string[] => [...homeserver.state.rooms.get(place.id)!.state.values()]
        .flatMap(({ type, state_key: key, content }) => type === 'm.room.member' && content.membership === 'join' ? [key!] : [])
      await until(() => inside().length === 1 && first.memory.keys(`in ${place.id}`).length === 0)
    })
  })
})
