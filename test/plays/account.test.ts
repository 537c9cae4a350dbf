/**
 * The whole program with a function address that is an account, and nothing else: Anna writes to it, Bernd answers in his chat with it. It is killed
 * in the middle, its server too.
 */
import assert from 'node:assert/strict'
import { writeFileSync } from 'node:fs'
import { type Element, xml } from '@xmpp/client'
import { stringify } from 'yaml'
import { startEjabberd } from '../../sandbox/servers/ejabberd'
import { answersHttp, freePorts, type Process, PROGRAM, run, startOptions, startProcess } from '../../sandbox/servers/process'
import { startProsody, type XmppServer } from '../../sandbox/servers/prosody'
import { startSlixmpp } from '../support/independent'
import { needs, scratch } from '../support/real'
import { startPerson, type XmppPerson } from '../support/xmpp-person'
import { prosodyProvider } from '../support/xmpp-tls'

const INFO = 'info@localhost'
const TOKEN = 'operate-token-1'

/** Writes a config with this account alone. */
const configure = (file: string, account: Record<string, unknown>, [media, operate]: number[], more = {}): void => {
  writeFileSync(file, stringify({
    language: 'en', store: { path: './data/zentrale.db' }, xmpp: { accounts: [{ jid: INFO, password: 'geheim', host: '127.0.0.1', ...account }] },
    media: { listen: { port: media }, public_url: `http://127.0.0.1:${media}` }, operate: { listen: { port: operate }, token: TOKEN },
    function_addresses: [{
      name: 'info', xmpp: INFO, automatic: { greeting: false }, undo_seconds: 0, ...more,
      team: [{ name: 'Bernd Berger', addresses: ['bernd@localhost'], direct: true }]
    }]
  }), { mode: 0o600 })
}

const suite = (name: 'prosody' | 'ejabberd', start: typeof startProsody): void => {
  describe(`an address that is an account, with ${name}`, () => {
    needs(name, 'slixmpp')
    const dir = scratch()
    let server: XmppServer
    let zentrale: Process
    let anna: XmppPerson
    let bernd: XmppPerson
    let operate = ''
    let ports: number[] = []

    const comeOnline = async (): Promise<void> => {
      [anna, bernd] = [await startPerson(server, 'anna', 'a'), await startPerson(server, 'bernd', 'b')]
      for (const one of [anna, bernd]) await one.comeOnline()
    }
    const write = (who: XmppPerson, body: string): Promise<void> =>
      who.send(xml('message', { to: INFO, type: 'chat', id: body.replace(/\W/g, '') }, xml('body', {}, body)))
    /** What the address said to somebody, if it is about this. */
    const said = (one: Element): string => String(one.attrs.from).startsWith(INFO) ? one.getChildText('body') ?? '' : ''
    const bodies = (who: XmppPerson, about: RegExp): string[] => who.heard.flatMap(one => about.exec(said(one))?.[0] ?? [])
    const hears = async (who: XmppPerson, what: RegExp): Promise<string> =>
      said(await who.until(String(what), one => what.test(said(one))))
    const ready = (): Promise<boolean> => answersHttp(`${operate}/readyz`)

    before(async () => {
      server = await start({
        dir: dir('server'), domain: 'localhost', component: { domain: 'none.localhost', secret: 'x' },
        users: { anna: 'a', bernd: 'b', carla: 'c', info: 'geheim' }
      })
      ports = await freePorts(2)
      operate = `http://127.0.0.1:${ports[1]}`
      configure(dir('config.yaml'), { port: server.c2sPort, insecure: true }, ports)
      await comeOnline()
      zentrale = await startProcess({
        command: process.execPath, args: [...startOptions, PROGRAM, '--config', dir('config.yaml'), 'start'], cwd: dir(''),
        logFile: dir('zentrale.log'), ready
      })
    })
    after(async () => {
      for (const one of [anna, bernd, zentrale, server]) await one?.stop()
    })

    it('is let in, says the check', async () => {
      const said = await run(process.execPath, [...startOptions, PROGRAM, '--config', dir('config.yaml'), 'check'])
      assert.match(said, /✓ XMPP account info@localhost: lets us in/)
      assert.match(said, /✓ Link xmpp account info@localhost: is up/)
    })

    it('carries a question to the team and the answer back', async () => {
      await write(anna, 'Is the pool open today?')
      const shown = await hears(bernd, /Is the pool open today\?/)
      const number = /#\d+/.exec(shown)?.[0] ?? /#\d+/.exec(bodies(bernd, /.*#\d+.*/)[0] ?? '')?.[0]
      assert.ok(number, shown)
      await write(bernd, `${number} Until eight.`)
      await hears(anna, /Until eight\./)
      await write(bernd, `${number} Bring a towel.`)
      await hears(anna, /Bring a towel\./)
    })

    it('answers an app that is none of ours, shows it on the account\'s other apps, and reads what was said while it was dead', async () => {
      const carla = await startSlixmpp(server.c2sPort, 'carla@localhost/app', 'c', dir())
      const phone = await startSlixmpp(server.c2sPort, `${INFO}/phone`, 'geheim', dir())
      try {
        phone.does('carbons')
        await phone.sees('that it sees all', { saw: 'carbons' })
        carla.does('tell', { to: INFO, text: 'Do you have lockers?' })
        const { id } = await carla.sees('her question', { saw: 'sent' })
        await carla.sees('that it has arrived', { saw: 'receipt', sender: INFO, of: id })
        const shown = await hears(bernd, /Do you have lockers\?/)
        const number = /#\d+/.exec(shown)?.[0] ?? ''
        await write(bernd, `${number} For a coin.`)
        await carla.sees('the answer', { saw: 'told', sender: INFO, text: 'For a coin.' })
        await phone.sees('the answer too', { saw: 'carbon', text: 'For a coin.' })
        await zentrale.kill()
        carla.does('tell', { to: INFO, text: 'And hairdryers?' })
        await carla.sees('that it is on its way', { saw: 'sent', text: 'And hairdryers?' })
        await zentrale.restart()
        await hears(bernd, /And hairdryers\?/)
        await write(bernd, `${number} Yes, two.`)
        await carla.sees('the other answer', { saw: 'told', sender: INFO, text: 'Yes, two.' })
        assert.deepEqual(bodies(bernd, /^> (?:Do you have lockers|And hairdryers)\?$/m), ['> Do you have lockers?', '> And hairdryers?'])
      } finally {
        await Promise.all([carla.stop(), phone.stop()])
      }
    })

    it('loses and doubles nothing when Zentrale is killed in the middle, and its server stops', async () => {
      for (let i = 1; i <= 60; i++) {
        await write(anna, `line ${i}.`)
        if (i === 20) await zentrale.kill()
        if (i === 40) {
          const again = zentrale.restart()
          await hears(bernd, /line 21\./)
          await zentrale.kill()
          await again.catch(() => { /* it was killed while it started */ })
          await zentrale.restart()
        }
      }
      await hears(bernd, /line 60\./)
      const expected = Array.from({ length: 60 }, (_, i) => `line ${i + 1}.`)
      assert.deepEqual(bodies(bernd, /line \d+\./), expected)
      for (const one of [anna, bernd]) await one.stop()
      await server.restart()
      await comeOnline()
      await write(anna, 'after it all')
      await hears(bernd, /after it all/)
    })

    it('shows neither who types nor who has read, on either side, where that is switched off', async () => {
      configure(dir('config.yaml'), { port: server.c2sPort, insecure: true }, ports, { typing: false, read_marks: false })
      await zentrale.restart()
      const [STATES, MARKERS] = ['http://jabber.org/protocol/chatstates', 'urn:xmpp:chat-markers:0']
      const signal = (who: XmppPerson, name: string, xmlns: string, id = ''): Promise<void> =>
        who.send(xml('message', { to: INFO, type: 'chat' }, xml(name, { xmlns, ...id !== '' && { id } })))
      const from = anna.heard.length
      const fromToBernd = bernd.heard.length
      await write(anna, 'Still open?')
      const shown = await bernd.until('the question', one => /Still open\?/.test(said(one)))
      const number = /#\d+/.exec(said(shown))?.[0] ?? /#\d+/.exec(bodies(bernd, /.*#\d+.*/).at(-1) ?? '')?.[0] ?? ''
      await signal(anna, 'composing', STATES)
      await signal(bernd, 'composing', STATES)
      await signal(bernd, 'displayed', MARKERS, shown.attrs.id)
      await write(bernd, `${number} Yes.`)
      const answer = await anna.until('the answer', one => /Yes\./.test(said(one)))
      await signal(anna, 'displayed', MARKERS, answer.attrs.id)
      await write(anna, 'Thanks')
      await hears(bernd, /Thanks/)
      const signals = [...anna.heard.slice(from), ...bernd.heard.slice(fromToBernd)].filter(one => String(one.attrs.from).startsWith(INFO) &&
        (one.getChild('composing', STATES) ?? one.getChild('displayed', MARKERS) ?? one.getChild('markable', MARKERS)) !== undefined)
      assert.deepEqual(signals.map(String), [])
    })
  })
}

suite('prosody', startProsody)
suite('ejabberd', startEjabberd)

describe('an account at a provider whose certificate is made by an authority of our own', () => {
  needs('prosody')
  const dir = scratch()

  it('is let in once Node knows that authority', async () => {
    const server = await prosodyProvider({ dir: dir('server'), users: { info: 'geheim' } })
    configure(dir('config.yaml'), { port: server.c2sPort }, await freePorts(2))
    const check = (env: NodeJS.ProcessEnv): Promise<string> =>
      run(process.execPath, [...startOptions, PROGRAM, '--config', dir('config.yaml'), 'check'], { env }).catch((error: Error) => error.message)
    assert.match(await check({}), /✗ XMPP account info@localhost: the server's certificate is not good[^]*NODE_EXTRA_CA_CERTS/)
    assert.match(await check({ NODE_EXTRA_CA_CERTS: dir('server/tls/cert.pem') }), /✓ XMPP account info@localhost: lets us in/)
    await server.stop()
  })
})
