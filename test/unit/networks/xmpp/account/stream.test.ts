import assert from 'node:assert/strict'
import { once } from 'node:events'
import { type AddressInfo, createServer, type Server, type Socket } from 'node:net'
import { type AccountStream, makeAccountStream } from '../../../../../src/networks/xmpp/account/stream'
import type { AccountConfig } from '../../../../../src/networks/xmpp/account/where'
import { el, type Element } from '../../../../../src/networks/xmpp/wire/xml'
import { handClock, quickClock } from '../../../../support/quick'
import { makeWorld } from '../../../../support/world'

const HEADER = '<?xml version=\'1.0\'?><stream:stream xmlns=\'jabber:client\' xmlns:stream=\'http://etherx.jabber.org/streams\' id=\'s\' ' +
  'version=\'1.0\'>'
const MECHANISMS = '<mechanisms xmlns=\'urn:ietf:params:xml:ns:xmpp-sasl\'><mechanism>PLAIN</mechanism></mechanisms>'
const BOUND = '<iq type=\'result\' id=\'bind\'><bind xmlns=\'urn:ietf:params:xml:ns:xmpp-bind\'><jid>info@example.org/zentrale</jid></bind></iq>'
const SM = 'xmlns=\'urn:xmpp:sm:3\''
const message = (id: string, more = ''): string => `<message from='anna@example.org/x' to='info@example.org' id='${id}'>${more}</message>`

/** A server that logs everybody in, and then does what the test says. */
describe('xmpp stream of an account', () => {
  let server: Server
  let newest: Socket | undefined
  let visits = 0
  let heard = '' // on the newest connection
  let features = MECHANISMS
  let resumed: string | undefined // the answer to who wants to go on
  let stream: AccountStream
  let ups: boolean[] = []
  let downs: string[] = []
  let stanzas: { stanza: Element, done: () => void }[] = []
  const watchers = new Set<() => void>()
  const tell = (): void => { for (const watcher of [...watchers]) watcher() }

  const until = (what: string, holds: () => boolean): Promise<void> => new Promise((resolve, reject) => {
    const look = (): void => { if (holds()) { over(); resolve() } }
    const timer = setTimeout(() => { over(); reject(new Error(`${what}: not in time; heard ${heard}`)) }, 60_000)
    const over = (): void => { clearTimeout(timer); watchers.delete(look) }
    watchers.add(look)
    look()
  })

  const say = (...texts: string[]): Promise<void> =>
    new Promise(resolve => { newest?.write(texts.join(''), () => setImmediate(resolve)) })

  const start = (clock = quickClock(20), more: Partial<AccountConfig> = {}): void => {
    const { port } = server.address() as AddressInfo
    const config = { jid: 'info@example.org', password: 'geheim', host: '127.0.0.1', port, insecure: true, ...more }
    stream = makeAccountStream(config, makeWorld({ clock }))
    stream.start({
      up (again) { ups.push(again); tell() },
      down (why) { downs.push(why); tell() },
      stanza (stanza, done) { stanzas.push({ stanza, done }); tell(); if (stanza.attrs.id === 'throw') throw new Error('a bug of ours') },
      dropped () { tell() }
    })
  }

  beforeEach(async () => {
    [ups, downs, stanzas, visits, features, resumed] = [[], [], [], 0, MECHANISMS, undefined]
    server = createServer(socket => {
      newest = socket
      visits++
      heard = ''
      let open = 0
      socket.on('error', () => { /* the other end hangs up on us by design */ })
      socket.on('data', data => {
        const before = heard
        heard += data
        const now = (word: string): boolean => heard.split(word).length > before.split(word).length
        if (now('<stream:stream')) {
          const offered = open++ === 0 ? features : `<bind xmlns='urn:ietf:params:xml:ns:xmpp-bind'/><sm ${SM}/>`
          socket.write(`${HEADER}<stream:features>${offered}</stream:features>`)
        }
        if (now('</auth>')) socket.write('<success xmlns=\'urn:ietf:params:xml:ns:xmpp-sasl\'/>')
        if (now('<resume ')) socket.write(resumed ?? `<failed ${SM}/>`)
        if (now('</bind>')) socket.write(BOUND)
        if (now('<enable ')) socket.write(`<enabled ${SM} id='session-1' resume='true'/>`)
        if (now('</stream:stream>')) socket.end('</stream:stream>')
        tell()
      })
      tell()
    })
    server.listen(0, '127.0.0.1')
    await once(server, 'listening')
  })
  afterEach(async () => {
    await stream.stop()
    newest?.destroy()
    server.close()
  })

  it('says nothing secret to a server that offers no encryption, and does not hammer at it', async () => {
    const clock = handClock()
    start(clock, { insecure: false })
    await until('refused', () => downs.length === 1)
    assert.match(downs[0]!, /offers no encryption/)
    assert.doesNotMatch(heard, /auth|Z2VoZWlt/)
    clock.advance(119_000)
    assert.equal(visits, 1)
    clock.advance(2_000)
    await until('tried again', () => visits === 2)
  })

  it('reads nothing before TLS as if it came after it', async () => {
    features = '<starttls xmlns=\'urn:ietf:params:xml:ns:xmpp-tls\'/>'
    start(quickClock(20), { insecure: false })
    await until('asked for TLS', () => heard.includes('<starttls'))
    await say('<proceed xmlns=\'urn:ietf:params:xml:ns:xmpp-tls\'/>', message('injected'), `<stream:features>${MECHANISMS}</stream:features>`)
    await until('given up', () => downs.length >= 1)
    assert.match(downs[0]!, /out of turn|TLS/)
    assert.equal(stanzas.length, 0)
  })

  it('says yes only up to the first stanza that is not done with', async () => {
    start()
    await until('up', () => ups.length === 1)
    await say(message('1'), message('2'), message('3'), `<r ${SM}/>`)
    await until('three', () => stanzas.length === 3)
    await until('an answer', () => heard.includes(`<a xmlns='urn:xmpp:sm:3' h='0'/>`))
    stanzas[1]!.done()
    stanzas[0]!.done()
    await until('told how far', () => heard.includes('h=\'2\''))
    stanzas[2]!.done()
    await until('told the rest, which was asked for', () => heard.includes('h=\'3\''))
  })

  it('takes up its session where it was done with all, and counts on from there', async () => {
    start()
    await until('up', () => ups.length === 1)
    await say(message('1'), message('2'), message('3'))
    await until('three', () => stanzas.length === 3)
    stanzas[0]!.done()
    stanzas[2]!.done()
    resumed = `<resumed ${SM} previd='session-1' h='0'/>${message('2')}${message('3')}`
    newest?.destroy()
    await until('up again', () => ups.length === 2)
    assert.match(heard, /<resume xmlns='urn:xmpp:sm:3' previd='session-1' h='1'\/>/)
    await until('the rest again', () => stanzas.length === 5)
    for (const { done } of stanzas) done()
    await say(`<r ${SM}/>`)
    await until('told', () => heard.includes('h=\'3\''))
    assert.deepEqual(ups, [false, true])
  })

  it('begins a new session if the server has forgotten the former one', async () => {
    start()
    await until('up', () => ups.length === 1)
    await say(message('1'))
    await until('one', () => stanzas.length === 1)
    newest?.destroy()
    await until('up again', () => ups.length === 2)
    assert.deepEqual(ups, [false, false])
    stanzas[0]!.done()
    await say(message('2'))
    await until('two', () => stanzas.length === 2)
    stanzas[1]!.done()
    await say(`<r ${SM}/>`)
    await until('counted from the beginning', () => heard.includes('h=\'1\''))
  })

  it('does not fight whoever takes the account over', async () => {
    const clock = handClock()
    start(clock)
    await until('up', () => ups.length === 1)
    await say('<stream:error><conflict xmlns=\'urn:ietf:params:xml:ns:xmpp-streams\'/></stream:error></stream:stream>')
    await until('down', () => downs.length === 1)
    assert.match(downs[0]!, /conflict/)
    clock.advance(60_000)
    assert.equal(visits, 1)
  })

  it('goes on after addresses that are none and after our own bugs, and lets nobody answer for the server', async () => {
    start()
    await until('up', () => ups.length === 1)
    const answer = stream.ask('get', '', 'example.org', el('query', { xmlns: 'urn:q' }))
    await until('asked', () => heard.includes('urn:q'))
    const id = / id='([^']+)'><query/.exec(heard)?.[1]
    await say('<message from=\'a@/r\' to=\'info@example.org\'/>', message('throw'),
      `<iq type='result' id='${id}' from='evil.example' to='info@example.org'/>`, `<iq type='result' id='${id}'/>`)
    assert.equal((await answer).attrs.from, undefined)
    assert.deepEqual(stanzas.map(({ stanza }) => stanza.attrs.id), ['throw', id])
    assert.deepEqual(downs, [])
  })

  it('notices a connection that is dead without a sign', async () => {
    start(quickClock(500))
    await until('pinged', () => heard.includes('urn:xmpp:ping'))
    await until('dead', () => downs.length === 1)
    assert.equal(downs[0], 'no answer to a ping')
  })
})
