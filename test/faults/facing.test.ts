/** Two Zentrales mirror the same two group chats: each takes the other's messages as a stranger's, and carries them back (T25). */
import assert from 'node:assert/strict'
import { mkdirSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { stringify } from 'yaml'
import { answersHttp, freePorts, type Process, PROGRAM, startProcess, until } from '../../sandbox/servers/process'
import { startProsody, type XmppServer } from '../../sandbox/servers/prosody'
import { needs, scratch } from '../support/real'
import { startPerson, type XmppPerson } from '../support/xmpp-person'

const DOMAIN = 'zentrale.test'
const SECRET = 'component-secret-of-both'
const NAMES = ['one', 'two']
const COPIES_MAX = 8 // copies of one message in one room: each Zentrale carries it on, and the other's copies a few times
const IN_EACH = 5 // Bernd, and of each Zentrale itself and its stand-in for the Bernd of the other room
const MANY = 60 // so many show that it never ends

const configOf = (name: string, server: XmppServer, [media, operate]: number[]): string => stringify({
  store: { path: './zentrale.db' },
  xmpp: { component: { host: '127.0.0.1', port: server.componentPort, domain: `${name}.${DOMAIN}`, secret: SECRET } },
  media: { listen: { port: media }, public_url: `http://127.0.0.1:${media}` },
  operate: { listen: { port: operate }, token: SECRET },
  mirrors: [{ name: 'both', places: [{ xmpp: `left@rooms.${DOMAIN}` }, { xmpp: `right@rooms.${DOMAIN}` }] }]
})

describe('faults: two Zentrales facing each other', () => {
  needs('prosody')
  const dir = scratch()
  const running: { stop (): Promise<void> }[] = []
  let bernd: XmppPerson
  const [left, right] = [`left@rooms.${DOMAIN}`, `right@rooms.${DOMAIN}`]

  const start = async (name: string, server: XmppServer): Promise<Process> => {
    const ports = await freePorts(2)
    const folder = dir(name)
    mkdirSync(folder, { recursive: true })
    writeFileSync(join(folder, 'config.yaml'), configOf(name, server, ports))
    return await startProcess({
      command: process.execPath, args: [PROGRAM, '--config', join(folder, 'config.yaml'), 'start'], cwd: folder,
      logFile: join(folder, 'zentrale.log'), ready: () => answersHttp(`http://127.0.0.1:${ports[1]}/readyz`), readyWithinMs: 120_000
    })
  }

  before(async () => {
    const server = await startProsody({
      dir: dir('prosody'), domain: DOMAIN, users: { bernd: 'pw' }, component: { domain: `${NAMES[0]}.${DOMAIN}`, secret: SECRET },
      config: `Component "${NAMES[1]}.${DOMAIN}"\n  component_secret = "${SECRET}"\n`
    })
    running.unshift(server)
    for (const name of NAMES) running.unshift(await start(name, server))
    bernd = await startPerson(server, 'bernd', 'pw')
    running.unshift(bernd)
    for (const room of [left, right]) await bernd.enter(room, 'Bernd')
  })
  after(async () => { for (const one of running) await one.stop() })

  it('the stand-ins of one are nobody to the other: no stand-ins of theirs come, though all show who is there', async () => {
    const people = (room: string): number => new Set(bernd.heard.filter(one => one.is('presence') && String(one.attrs.from).startsWith(`${room}/`))
      .map(one => String(one.attrs.from))).size
    await until('Bernd stands for himself in both rooms', 60_000, () => people(left) >= IN_EACH && people(right) >= IN_EACH)
    await until('more and more come', 5_000, () => people(left) + people(right) > 2 * IN_EACH).then(() => assert.fail('they multiply'), () => {})
  })

  it('a message dies out after a few copies, and people still read one another', async () => {
    const copies = (room: string): number => bernd.bodies(room).filter(body => body === 'hello').length
    await bernd.say(left, 'hello', 'h1')
    await until('carried on', 60_000, () => copies(right) >= 1)
    await bernd.say(left, 'and the end', 'h2') // comes after the first, and each of its copies after a copy of the first
    await until('the end', 60_000, () => bernd.bodies(right).filter(body => body === 'and the end').length >= NAMES.length)
    await until('it goes on for ever', 5_000, () => copies(left) + copies(right) > MANY).then(() => assert.fail('it never ends'), () => {})
    console.log(`        ${copies(left)} in the room where it was said, ${copies(right)} in the other`)
    assert.ok(copies(left) <= COPIES_MAX && copies(right) <= COPIES_MAX, `${copies(left)} and ${copies(right)} copies`)
  })
})
