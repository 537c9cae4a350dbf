import assert from 'node:assert/strict'
import { once } from 'node:events'
import { type AddressInfo, createServer, type Server, type Socket } from 'node:net'
import { Refused, Unavailable } from '../../../../../src/model/errors'
import type { World } from '../../../../../src/model/network'
import { type Stream, makeStream, STANZA_OUT_BYTES_MAX } from '../../../../../src/networks/xmpp/wire/stream'
import { el, type Element, textOf } from '../../../../../src/networks/xmpp/wire/xml'
import { handClock, quickClock } from '../../../../support/quick'
import { makeWorld } from '../../../../support/world'

interface Fake {
  port: number
  visits: number
  greet: boolean // answers handshakes
  heard: string // on the newest connection
  say (...chunks: (string | Uint8Array)[]): Promise<void>
  stop (): Promise<void>
}

const HEADER = '<?xml version=\'1.0\'?><stream:stream xmlns=\'jabber:component:accept\' xmlns:stream=\'http://etherx.jabber.org/streams\' id=\'s\'>'
const FROM = 'from=\'anna@example.org/x\' to=\'chat.example.org\''

/** A server that does what the test says, so that it can say what no real one would. */
const startFake = async (tell: () => void): Promise<Fake> => {
  let newest: Socket | undefined
  const server: Server = createServer(socket => {
    newest = socket
    fake.visits++
    fake.heard = ''
    socket.setNoDelay(true)
    socket.on('error', () => { /* the other end hangs up on us by design */ })
    socket.on('data', data => {
      const before = fake.heard
      fake.heard += data
      const now = (word: string): boolean => fake.heard.includes(word) && !before.includes(word)
      if (fake.greet && now('<stream:stream')) socket.write(HEADER)
      if (fake.greet && now('</handshake>')) socket.write('<handshake/>')
      if (now('</stream:stream>')) socket.end('</stream:stream>')
      tell()
    })
    tell()
  })
  server.listen(0, '127.0.0.1')
  await once(server, 'listening')
  const fake: Fake = {
    port: (server.address() as AddressInfo).port, visits: 0, greet: true, heard: '',
    async say (...chunks) {
      for (const chunk of chunks) await new Promise(resolve => newest?.write(chunk, () => setImmediate(resolve)))
    },
    stop: async () => {
      newest?.destroy()
      server.close()
    }
  }
  return fake
}

describe('xmpp stream: the component link', () => {
  let fake: Fake
  let stream: Stream
  let ups = 0
  let downs: string[] = []
  let stanzas: Element[] = []
  let dropped: string[] = []
  const watchers = new Set<() => void>()
  const tell = (): void => { for (const watcher of [...watchers]) watcher() }

  const until = (what: string, holds: () => boolean): Promise<void> => new Promise((resolve, reject) => {
    const look = (): void => { if (holds()) { over(); resolve() } }
    const timer = setTimeout(() => { over(); reject(new Error(`${what}: not in time`)) }, 60_000)
    const over = (): void => { clearTimeout(timer); watchers.delete(look) }
    watchers.add(look)
    look()
  })

  const start = (world: Partial<World> = { clock: quickClock(20) }): void => {
    stream = makeStream({ host: '127.0.0.1', port: fake.port, domain: 'chat.example.org', secret: 'geheim' }, makeWorld(world))
    stream.start({
      up () { ups++; tell() },
      down (why) { downs.push(why); tell() },
      stanza (one) { stanzas.push(one); tell(); if (one.attrs.id === 'throw') throw new Error('a bug of ours') },
      dropped (why) { dropped.push(why); tell() }
    })
  }

  beforeEach(async () => {
    ups = 0
    downs = []
    stanzas = []
    dropped = []
    fake = await startFake(tell)
  })
  afterEach(async () => {
    await stream.stop()
    await fake.stop()
  })

  it('reads a stanza that is cut inside ü', async () => {
    start()
    await until('up', () => ups === 1)
    const bytes = Buffer.from(`<message ${FROM}><body>Grüße</body></message>`)
    const cut = bytes.indexOf(0xc3) + 1
    await fake.say(bytes.subarray(0, cut), bytes.subarray(cut))
    await until('stanza', () => stanzas.length === 1)
    assert.equal(textOf(stanzas[0]?.children[0] as Element), 'Grüße')
    assert.match(fake.heard, /<handshake>[0-9a-f]{40}<\/handshake>/)
  })

  it('says nothing once another process may be active', async () => {
    let over = false
    start({ clock: quickClock(20), fence () { if (over) throw new Error('another one may be active') } })
    await until('up', () => ups === 1)
    stream.send(el('message', { id: 'before' }))
    await until('heard', () => fake.heard.includes('before'))
    over = true
    assert.throws(() => stream.send(el('message', { id: 'after' })), /another one may be active/)
    over = false
    stream.send(el('message', { id: 'last' }))
    await until('heard', () => fake.heard.includes('last'))
    assert.equal(fake.heard.includes('after'), false)
  })

  it('goes on with more than it keeps unsent, also if the socket takes all of it at once and so has nothing to drain', async () => {
    start()
    await until('up', () => ups === 1)
    const text = 'x'.repeat(30_000)
    for (let n = 0; n < 200; n++) {
      await stream.writable()
      stream.send(el('message', { id: `m${n}` }, el('body', {}, text)))
    }
    await until('the last one', () => fake.heard.includes('m199'))
  })

  const hostile: Record<string, string | Uint8Array> = {
    'a DOCTYPE': '<!DOCTYPE a [<!ENTITY b "c">]>',
    'an entity': `<message ${FROM}><body>&nbsp;</body></message>`,
    'a reference to a control character': `<message ${FROM}><body>&#11;</body></message>`,
    'U+0000': '\0',
    'bytes that are not UTF-8': new Uint8Array([0xff]),
    'a wrong end tag': '</message>',
    'a stream error': '<stream:error><conflict xmlns=\'urn:ietf:params:xml:ns:xmpp-streams\'/></stream:error>',
    'the end of the stream': '</stream:stream>'
  }
  for (const [what, bytes] of Object.entries(hostile)) {
    it(`comes back after ${what}`, async () => {
      start()
      await until('up', () => ups === 1)
      await fake.say(bytes)
      await until('up again', () => ups === 2)
      assert.equal(downs.length, 1)
      await fake.say(`<message ${FROM}/>`)
      await until('stanza', () => stanzas.length === 1)
    })
  }

  it('goes on after addresses that are none, our own bugs, and stanzas over the limits', async () => {
    start()
    await until('up', () => ups === 1)
    await fake.say('<message from=\'a@/r\' to=\'chat.example.org\'/>', '<message/>', `<message ${FROM} id='throw'/>`,
      `<message ${FROM}>${'<a>'.repeat(100)}${'</a>'.repeat(100)}</message>`, `<message ${FROM} id='last'/>`)
    await until('last', () => stanzas.at(-1)?.attrs.id === 'last')
    assert.deepEqual(stanzas.map(one => one.attrs.id), ['throw', 'last'])
    assert.deepEqual(dropped, ['too deep'])
    assert.deepEqual(downs, [])
  })

  it('waits for a server that is not there, or does not answer', async () => {
    fake.greet = false
    start({ clock: quickClock(500) })
    await until('tried again', () => fake.visits >= 3)
    assert.equal(stream.isUp, false)
    assert.equal(stream.send(el('presence')), false)
    await assert.rejects(stream.ask('get', 'a', 'b', el('x')), (error: unknown) => error instanceof Unavailable && error.disconnected)
    fake.greet = true
    await until('up', () => ups === 1)
  })

  it('notices a link that is dead without a sign', async () => {
    start({ clock: quickClock(500) })
    await until('pinged', () => fake.heard.includes('urn:xmpp:ping'))
    await until('dead', () => downs.length === 1)
    assert.equal(downs[0], 'no answer to a ping')
  })

  it('asks after half a minute of silence, counted from the last octet that came', async () => {
    const clock = handClock()
    start({ clock })
    await until('up', () => ups === 1)
    clock.advance(29_000)
    await fake.say(`<message ${FROM}/>`)
    await until('heard', () => stanzas.length === 1)
    clock.advance(29_999)
    assert.ok(!fake.heard.includes('urn:xmpp:ping'))
    clock.advance(1)
    await until('asked', () => fake.heard.includes('urn:xmpp:ping'))
    clock.advance(20_000)
    assert.deepEqual(downs, [])
    await until('dead', () => downs.length === 1)
  })

  it('takes an answer only from whom was asked', async () => {
    start()
    await until('up', () => ups === 1)
    const answer = stream.ask('get', 'zentrale@chat.example.org', 'rooms.example.org', el('query', { xmlns: 'urn:q' }))
    await until('asked', () => fake.heard.includes('urn:q'))
    const id = / id='([^']+)'><query/.exec(fake.heard)?.[1]
    await fake.say(`<iq type='result' id='${id}' from='evil.example.org' to='zentrale@chat.example.org'/>`)
    await until('forged', () => stanzas.length === 1)
    await fake.say(`<iq type='result' id='${id}' from='rooms.example.org' to='zentrale@chat.example.org'/>`)
    assert.equal((await answer).attrs.from, 'rooms.example.org')
  })

  it('fails what was asked when the link goes down, and refuses what is too large', async () => {
    start()
    await until('up', () => ups === 1)
    const answer = assert.rejects(stream.ask('get', 'a@chat.example.org', 'b', el('q')), Unavailable)
    assert.throws(() => stream.send(el('message', {}, 'x'.repeat(STANZA_OUT_BYTES_MAX))), Refused)
    await fake.say('<')
    await fake.say('!')
    await answer
  })

  it('says goodbye', async () => {
    start()
    await until('up', () => ups === 1)
    stream.send(el('presence', { id: 'last' }))
    await stream.stop()
    assert.match(fake.heard, /<presence id='last'\/><\/stream:stream>$/)
  })

  it('stays down if the handshake is answered while it stops', async () => {
    fake.greet = false
    start()
    await until('knocked', () => fake.heard.includes('<stream:stream'))
    await fake.say(HEADER)
    await until('has shaken hands', () => fake.heard.includes('</handshake>'))
    void fake.say('<handshake/>')
    await stream.stop()
    assert.equal(ups, 0)
  })
})
