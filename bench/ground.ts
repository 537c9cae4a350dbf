/**
 * The servers of the bench: the practice homeserver in this process, a real Prosody (or rooms that cost nothing), the SMSC with phones, and
 * Zentrale between them as its own process, with its store in a real file, each commit synced. All on loopback.
 */
import { mkdirSync, readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { parse, stringify } from 'yaml'
import { checkout, answersHttp, freePorts, startEnv, startOptions, startProcess, until } from '../sandbox/servers/process'
import { startProsody, type XmppServer } from '../sandbox/servers/prosody'
import { startSmsc, type Smsc } from '../sandbox/smsc'
import { systemChance } from '../src/lib/chance'
import { systemClock as clock } from '../src/lib/clock'
import { registrationText } from '../src/networks/matrix/registration/registration-text'
import { startHomeserver, type Homeserver, type HsPerson, type Registration } from '../test/support/homeserver'
import type { Way } from './load'
import { PROFILE_ARGS } from './profile'
import { bodyOf, dialComponent, dialPerson, enter, groupchat, type Raw } from './raw'
import { startRooms } from './rooms'

export const DOMAIN = 'bench.test'
export const GATEWAY = { systemId: 'zentrale', password: 'smpp-pw' }
const PARTS_PER_DAY = 10_000_000 // they cost nothing here
export const SECRET = 'a-secret-of-the-bench'
const BARE = `bare.${DOMAIN}`
const OURS_DOMAIN = `chat.${DOMAIN}`
export const NICK = 'Bernd'
/** For other bridges: a component, and a person's account. */
export const PEER = `peer.${DOMAIN}`
export const PEER_USER = 'bote'
const OURS = '+4930123457'
const LISTENER = `listener@${BARE}/x`
const GHOST = `ghost@${BARE}/x`
const READY_MS = 120_000
const CROWD = `crowd.${DOMAIN}` // whose component brings many people into one room
const CROWD_MS = 240_000
/** Node's options for Zentrale: those of `npm start`, and further ones to try: BENCH_NODE_ARGS='--cpu-prof'. */
const NODE_ARGS = [...startOptions, ...PROFILE_ARGS, ...process.env['BENCH_NODE_ARGS']?.split(' ') ?? []]

/** Prosody without archives, Prosody whose rooms keep an archive, or rooms that cost nothing. */
export type Rooms = 'plain' | 'archive' | 'free'

/** The XMPP side: where Zentrale connects, and how people connect. */
export interface Xmpp {
  muc: string
  componentPort: number
  personPort?: number
  pid?: number
  dial (): Promise<Raw>
  from?: string // the `from` that the person must write
  stop (): unknown
}

export interface Ground {
  homeserver: Homeserver
  xmpp: Xmpp
  person: Raw // on XMPP
  smsc: Smsc
  pids: { zentrale: number, prosody?: number }
  /** From the start of Zentrale's process until it was ready, with an empty store and with its own. */
  startMs: { first: number, again: number }
  /** Starts Zentrale again. `between`: after it has stopped. */
  again (between?: () => Promise<void>): Promise<void>
  /** From a Matrix person to an XMPP person, and back, through `rooms` mirrored rooms. */
  toXmpp (rooms: number): Way
  toMatrix (rooms: number): Way
  /** From a Matrix person to phones, in a room with one phone, or with PHONES of them. */
  toPhones (room: 'phone' | 'phones'): Way
  /** The same ways through Prosody alone, between a component and the person. */
  bareOut (): Way
  bareIn (): Way
  /** Resolves when so many members are in the first room on Matrix, and so many ghosts in the first one on XMPP. */
  allThere (members: number, ghosts: number): Promise<void>
  /** The ghosts that are in the first room on XMPP. */
  ghosts (): number
  /** How often the store has committed. */
  commits (): Promise<number>
  stop (): Promise<void>
}

export const ROOMS = 16
export const PHONES = 16

const nameOf = (_: unknown, index: number): string => `raum${index}`
const names = Array.from({ length: ROOMS }, nameOf) // those in which something is said
const phoneNumber = (index: number): string => `+4917012345${String(index).padStart(2, '0')}`
const members = (count: number): Record<string, string> =>
  Object.fromEntries(Array.from({ length: count }, (_, index) => [phoneNumber(index + (count === 1 ? 50 : 0)), `Telefon ${index}`]))

/** Components besides Zentrale. */
const COMPONENTS = `
Component "${BARE}"
  component_secret = "${SECRET}"
Component "${CROWD}"
  component_secret = "${SECRET}"
Component "${PEER}"
  component_secret = "${SECRET}"
`

const prosody = async (dir: string, archive: boolean): Promise<Xmpp> => {
  const server: XmppServer = await startProsody({
    dir, domain: DOMAIN, users: { bernd: SECRET, [PEER_USER]: SECRET }, component: { domain: OURS_DOMAIN, secret: SECRET }, archive,
    config: COMPONENTS
  })
  return {
    muc: server.muc, componentPort: server.componentPort, personPort: server.c2sPort,
    pid: Number(readFileSync(join(dir, 'prosody.pid'), 'utf8')),
    dial: () => dialPerson(server.c2sPort, DOMAIN, 'bernd', SECRET), stop: () => server.stop()
  }
}

const freeRooms = async (): Promise<Xmpp> => {
  const { port, stop } = await startRooms()
  return { muc: `rooms.${DOMAIN}`, componentPort: port, dial: () => dialComponent(port, DOMAIN, SECRET), from: `bernd@${DOMAIN}/x`, stop }
}

const configOf = (
  ports: number[], homeserver: Homeserver, xmpp: Xmpp, smsc: Smsc, mirrors: string[], { membersMax, store = FILE }: Size
): string => stringify({
  log: { level: 'warn' },
  store,
  matrix: { homeserver_url: homeserver.url, domain: DOMAIN, registration: './registration.yaml', listen: { port: ports[0] } },
  xmpp: { component: { host: '127.0.0.1', port: xmpp.componentPort, domain: OURS_DOMAIN, secret: SECRET } },
  sms: {
    gateways: [{
      name: 'main', kind: 'smpp', host: '127.0.0.1', port: smsc.port, numbers: [OURS],
      system_id: GATEWAY.systemId, password: GATEWAY.password
    }],
    parts_per_day: PARTS_PER_DAY, parts_per_day_to_one: PARTS_PER_DAY
  },
  media: { listen: { port: ports[1] }, public_url: `http://127.0.0.1:${ports[1]}` },
  operate: { listen: { port: ports[2] }, token: SECRET, metrics_public: true },
  mirrors: [
    ...mirrors.map(name => ({
      name, ...membersMax !== undefined && { members_max: membersMax }, places: [{ matrix: `#${name}:${DOMAIN}` }, { xmpp: `${name}@${xmpp.muc}` }]
    })),
    ...([['phone', 1], ['phones', PHONES]] as const).map(([name, count]) =>
      ({ name, places: [{ matrix: `#${name}:${DOMAIN}` }, { sms: { gateway: 'main', number: OURS, members: members(count) } }] }))
  ]
})

/** By the names of the rooms. The Matrix person's messages go straight into the homeserver. Messages of ghosts there call `arrived`. */
export const matrixWays = (homeserver: Homeserver, anna: HsPerson, rooms: Map<string, string>) => {
  let arrived: (load: number, index: number) => void = () => {}
  homeserver.state.listeners.add(({ type, sender, content }) => {
    if (type !== 'm.room.message' || sender === anna.userId) return
    const found = /^(?:.* )??(\d+)\.(\d+) /.exec(String(content.body))
    if (found) arrived(Number(found[1]), Number(found[2]))
  })
  return {
    say (name: string, load: number, index: number): void { anna.send(rooms.get(name)!, bodyOf(load, index)) },
    listen (heard: typeof arrived): void { arrived = heard }
  }
}

/** Where the store is: in this folder's file, or in a database. */
export type StoreAt = { path: string } | { postgres: string }

export const FILE: StoreAt = { path: './data/zentrale.db' }

/**
 * So many people are in the first room of each side, and say nothing. On XMPP they are in the bare room too. `mirrors`: in all, if not ROOMS.
 * `store`: if not in a file.
 */
export interface Size { matrix?: number; xmpp?: number; membersMax?: number | undefined; mirrors?: number; store?: StoreAt }

const crowdIn = async (crowd: Raw, count: number, muc: string): Promise<void> => {
  for (const room of [names[0], 'bare']) {
    for (let index = 0; index < count; index++) await enter(crowd, `${room}@${muc}`, `Gast ${index}`, `gast${index}@${CROWD}/x`)
  }
  crowd.gather(/(?!)/g)
}

const enterAll = async (person: Raw, bare: Raw, { muc, from }: Xmpp): Promise<void> => {
  for (const name of names) await enter(person, `${name}@${muc}`, NICK, from)
  for (const [nick, jid] of [['listener', LISTENER], ['ghost', GHOST]] as const) await enter(bare, `bare@${muc}`, nick, jid)
  await enter(person, `bare@${muc}`, NICK, from)
}

export const raiseGround = async (dir: string, rooms: Rooms, size: Size = {}): Promise<Ground> => {
  mkdirSync(dir, { recursive: true })
  const ports = await freePorts(3)
  const registration = registrationText(DOMAIN, `http://127.0.0.1:${ports[0]}`, systemChance)
  writeFileSync(join(dir, 'registration.yaml'), registration)
  const [homeserver, xmpp, smsc] = await Promise.all([
    startHomeserver({ serverName: DOMAIN, registration: parse(registration) as Registration }),
    rooms === 'free' ? freeRooms() : prosody(join(dir, 'prosody'), rooms === 'archive'),
    startSmsc({ ...GATEWAY, record: false })
  ])
  const config = join(dir, 'config.yaml')
  const mirrors = Array.from({ length: size.mirrors ?? ROOMS }, nameOf)
  writeFileSync(config, configOf(ports, homeserver, xmpp, smsc, mirrors, size), { mode: 0o600 })
  const anna = homeserver.person('anna')
  const roomIds = new Map([...mirrors, 'phone', 'phones'].map(name =>
    [name, anna.createRoom({ room_alias_name: name, invite: [homeserver.bot], preset: 'private_chat' })]))
  for (let index = 0; index < (size.matrix ?? 0); index++) {
    const guest = homeserver.person(`gast${index}`)
    anna.invite(roomIds.get(names[0]!)!, guest.userId)
    guest.join(roomIds.get(names[0]!)!)
  }
  const [person, bare, crowd] = await Promise.all([
    xmpp.dial(), dialComponent(xmpp.componentPort, BARE, SECRET), dialComponent(xmpp.componentPort, CROWD, SECRET)
  ])
  await crowdIn(crowd, size.xmpp ?? 0, xmpp.muc)
  await enterAll(person, bare, xmpp)
  const ghosts = person.gather(/<presence(?![^>]*type=)[^>]*from='[^'/]*\/([^']*\(Matrix\))'/g)
  const operate = `http://127.0.0.1:${ports[2]}`
  const startMs = { first: 0, again: 0 }
  const start = async (which: keyof typeof startMs) => {
    const began = clock.tick()
    const running = await startProcess({
      command: process.execPath, args: [...NODE_ARGS, join(checkout, 'dist/src/main.js'), '--config', config, 'start'], cwd: dir, env: startEnv,
      logFile: join(dir, 'zentrale.log'), ready: () => answersHttp(`${operate}/readyz`), readyWithinMs: READY_MS
    })
    startMs[which] = clock.tick() - began
    return running
  }
  let zentrale = await start('first')
  const pids: Ground['pids'] = { zentrale: zentrale.pid, ...xmpp.pid === undefined ? {} : { prosody: xmpp.pid } }
  await until('the SMS gateway is bound', READY_MS, () => smsc.receiving)
  const matrix = matrixWays(homeserver, anna, roomIds)
  const muc = (room: number): string => `${names[room]}@${xmpp.muc}`
  const bareRoom = `bare@${xmpp.muc}`
  return {
    homeserver, xmpp, person, smsc, startMs,
    async again (between) {
      await zentrale.stop()
      await between?.()
      zentrale = await start('again')
      pids.zentrale = zentrale.pid
    },
    pids,
    toXmpp: rooms => ({
      rooms, send: (room, load, index) => matrix.say(names[room]!, load, index),
      listen: arrived => person.listen((_room, load, index) => arrived(load, index))
    }),
    toMatrix: rooms => ({
      rooms, send: (room, load, index) => person.write(groupchat(muc(room), bodyOf(load, index), xmpp.from)),
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
      rooms: 1, send: (_room, load, index) => person.write(groupchat(bareRoom, bodyOf(load, index), xmpp.from)),
      listen: arrived => {
        bare.listen((_room, load, index, to) => { if (to === LISTENER) arrived(load, index) })
        person.listen(() => {})
      }
    }),
    async allThere (members, expected) {
      const { state } = homeserver.state.room(roomIds.get(names[0]!)!)
      const joined = (): number => [...state.values()].filter(({ type, content }) => type === 'm.room.member' && content.membership === 'join').length
      await until('all are there on Matrix', CROWD_MS, () => joined() >= members)
      await until('all are there on XMPP', CROWD_MS, () => ghosts.size >= expected)
    },
    ghosts: () => ghosts.size,
    commits: async () => Number(/^zentrale_store_commits_total (\d+)/m.exec(await (await fetch(`${operate}/metrics`)).text())?.[1]),
    async stop () {
      await zentrale.stop()
      person.end()
      bare.end()
      crowd.end()
      await Promise.all([homeserver.stop(), xmpp.stop(), smsc.stop()])
    }
  }
}
