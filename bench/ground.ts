/**
 * What the bench stands on: the practice homeserver in this process, a real Prosody, the SMSC with phones, and Zentrale as a process
 * of its own between them, its journal in a real file with synchronous=FULL. All on loopback.
 */
import { mkdirSync, readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { parse, stringify } from 'yaml'
import { checkout, answersHttp, freePorts, startProcess, until } from '../sandbox/servers/process'
import { startProsody, type XmppServer } from '../sandbox/servers/prosody'
import { startSmsc, type Smsc } from '../sandbox/smsc'
import { systemChance } from '../src/lib/chance'
import { registrationText } from '../src/operate/registration'
import { startHomeserver, type Homeserver, type HsPerson, type Registration } from '../test/support/homeserver'
import type { Way } from './load'
import { bodyOf, dialComponent, dialPerson, enter, groupchat, type Raw } from './raw'

export const DOMAIN = 'bench.test'
export const GATEWAY = { systemId: 'zentrale', password: 'smpp-pw' }
const SECRET = 'a-secret-of-the-bench'
const BARE = `bare.${DOMAIN}`
const NICK = 'Bernd'
const OURS = '+4930123457'
const LISTENER = `listener@${BARE}/x`
const GHOST = `ghost@${BARE}/x`
const READY_MS = 60_000
/** Options of Node for Zentrale, to try what they do: BENCH_NODE_ARGS='--cpu-prof'. */
const NODE_ARGS = process.env['BENCH_NODE_ARGS']?.split(' ') ?? []

export interface Ground {
  homeserver: Homeserver
  xmpp: XmppServer
  smsc: Smsc
  pids: { zentrale: number, prosody: number }
  /** From a Matrix person to an XMPP person, and back, through `rooms` mirrored rooms. */
  toXmpp (rooms: number): Way
  toMatrix (rooms: number): Way
  /** From a Matrix person to phones, in a room with one, or with as many as PHONES. */
  toPhones (room: 'phone' | 'phones'): Way
  /** The same ways through Prosody alone, between a component and the person. */
  bareOut (): Way
  bareIn (): Way
  metrics (): Promise<string>
  stop (): Promise<void>
}

export const ROOMS = 16
export const PHONES = 16

const names = Array.from({ length: ROOMS }, (_, index) => `raum${index}`)
const phoneNumber = (index: number): string => `+4917012345${String(index).padStart(2, '0')}`
const members = (count: number): Record<string, string> =>
  Object.fromEntries(Array.from({ length: count }, (_, index) => [phoneNumber(index + (count === 1 ? 50 : 0)), `Telefon ${index}`]))

/** Prosody with a second component, the bare one. Without `archive` rooms keep none, as with Prosody's own presets. */
const serverConfig = (archive: boolean): string => `
muc_log_by_default = ${archive}
Component "${BARE}"
  component_secret = "${SECRET}"
`

const configOf = (ports: number[], homeserver: Homeserver, xmpp: XmppServer, smsc: Smsc): string => stringify({
  log: { level: 'warn' },
  store: { path: './data/zentrale.db' },
  matrix: { homeserver_url: homeserver.url, domain: DOMAIN, registration: './registration.yaml', listen: { port: ports[0] } },
  xmpp: { component: { host: '127.0.0.1', port: xmpp.componentPort, domain: xmpp.component.domain, secret: xmpp.component.secret } },
  sms: {
    gateways: [{
      name: 'main', kind: 'smpp', host: '127.0.0.1', port: smsc.port, numbers: [OURS],
      system_id: GATEWAY.systemId, password: GATEWAY.password
    }]
  },
  media: { listen: { port: ports[1] }, public_url: `http://127.0.0.1:${ports[1]}` },
  operate: { listen: { port: ports[2] }, token: SECRET, metrics_public: true },
  mirrors: [
    ...names.map(name => ({ name, places: [{ matrix: `#${name}:${DOMAIN}` }, { xmpp: `${name}@${xmpp.muc}` }] })),
    ...([['phone', 1], ['phones', PHONES]] as const).map(([name, count]) =>
      ({ name, places: [{ matrix: `#${name}:${DOMAIN}` }, { sms: { gateway: 'main', number: OURS, members: members(count) } }] }))
  ]
})

/** What is typed by the Matrix person goes straight into the homeserver; what ghosts say there is told to `arrived`. */
const matrixWays = (homeserver: Homeserver, anna: HsPerson, rooms: Map<string, string>) => {
  let arrived: (load: number, index: number) => void = () => {}
  homeserver.state.listeners.add(({ type, sender, content }) => {
    if (type !== 'm.room.message' || sender === anna.userId) return
    const found = /^(\d+)\.(\d+) /.exec(String(content.body))
    if (found) arrived(Number(found[1]), Number(found[2]))
  })
  return {
    say (name: string, load: number, index: number): void { anna.send(rooms.get(name)!, bodyOf(load, index)) },
    listen (heard: typeof arrived): void { arrived = heard }
  }
}

const enterAll = async (person: Raw, bare: Raw, muc: string): Promise<void> => {
  for (const name of names) await enter(person, `${name}@${muc}`, NICK)
  for (const [nick, jid] of [['listener', LISTENER], ['ghost', GHOST]] as const) await enter(bare, `bare@${muc}`, nick, jid)
  await enter(person, `bare@${muc}`, NICK)
}

export const raiseGround = async (dir: string, archive: boolean): Promise<Ground> => {
  mkdirSync(dir, { recursive: true })
  const ports = await freePorts(3)
  const registration = registrationText(DOMAIN, `http://127.0.0.1:${ports[0]}`, systemChance)
  writeFileSync(join(dir, 'registration.yaml'), registration)
  const [homeserver, xmpp, smsc] = await Promise.all([
    startHomeserver({ serverName: DOMAIN, registration: parse(registration) as Registration }),
    startProsody({
      dir: join(dir, 'prosody'), domain: DOMAIN, users: { bernd: SECRET }, component: { domain: `chat.${DOMAIN}`, secret: SECRET },
      config: serverConfig(archive)
    }),
    startSmsc({ ...GATEWAY, record: false })
  ])
  const config = join(dir, 'config.yaml')
  writeFileSync(config, configOf(ports, homeserver, xmpp, smsc), { mode: 0o600 })
  const anna = homeserver.person('anna')
  const rooms = new Map([...names, 'phone', 'phones'].map(name =>
    [name, anna.createRoom({ room_alias_name: name, invite: [homeserver.bot], preset: 'private_chat' })]))
  const operate = `http://127.0.0.1:${ports[2]}`
  const zentrale = await startProcess({
    command: process.execPath, args: [...NODE_ARGS, join(checkout, 'dist/src/main.js'), '--config', config, 'start'], cwd: dir,
    logFile: join(dir, 'zentrale.log'), ready: () => answersHttp(`${operate}/readyz`), readyWithinMs: READY_MS
  })
  await until('the SMS gateway is bound', READY_MS, () => smsc.receiving)
  const [person, bare] = await Promise.all([
    dialPerson(xmpp.c2sPort, DOMAIN, 'bernd', SECRET), dialComponent(xmpp.componentPort, BARE, SECRET)
  ])
  await enterAll(person, bare, xmpp.muc)
  const matrix = matrixWays(homeserver, anna, rooms)
  const muc = (room: number): string => `${names[room]}@${xmpp.muc}`
  const bareRoom = `bare@${xmpp.muc}`
  return {
    homeserver, xmpp, smsc,
    pids: { zentrale: zentrale.pid, prosody: Number(readFileSync(join(dir, 'prosody', 'prosody.pid'), 'utf8')) },
    toXmpp: rooms => ({
      rooms, send: (room, load, index) => matrix.say(names[room]!, load, index),
      listen: arrived => person.listen((_room, load, index) => arrived(load, index))
    }),
    toMatrix: rooms => ({
      rooms, send: (room, load, index) => person.write(groupchat(muc(room), bodyOf(load, index))),
      listen: arrived => matrix.listen(arrived)
    }),
    toPhones: room => ({
      rooms: 1, send: (_room, load, index) => matrix.say(room, load, index),
      listen () { /* the SMSC counts */ }
    }),
    bareOut: () => ({
      rooms: 1, send: (_room, load, index) => bare.write(groupchat(bareRoom, bodyOf(load, index), GHOST)),
      listen: arrived => {
        bare.listen((_room, load, index, to) => { if (to === LISTENER) arrived(load, index) })
        person.listen(() => {})
      }
    }),
    bareIn: () => ({
      rooms: 1, send: (_room, load, index) => person.write(groupchat(bareRoom, bodyOf(load, index))),
      listen: arrived => {
        bare.listen((_room, load, index, to) => { if (to === LISTENER) arrived(load, index) })
        person.listen(() => {})
      }
    }),
    metrics: async () => await (await fetch(`${operate}/metrics`)).text(),
    async stop () {
      await zentrale.stop()
      person.end()
      bare.end()
      await Promise.all([homeserver.stop(), xmpp.stop(), smsc.stop()])
    }
  }
}
