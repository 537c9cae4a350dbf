/**
 * A whole town on loopback: a homeserver, an XMPP server, an SMSC with phones, Zentrale between them as its own process, and one room that
 * is mirrored on all three networks. The demo and the tests (plays and faults) use it.
 */
import { mkdirSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { parse, stringify } from 'yaml'
import { systemChance } from '../src/lib/chance'
import { registrationText } from '../src/networks/matrix/registration/registration-text'
import { startHomeserver, type Homeserver as PracticeHomeserver, type Registration } from '../test/support/homeserver'
import { makeMatrixPerson, type MatrixPerson } from '../test/support/matrix-person'
import { startPerson, type XmppPerson } from '../test/support/xmpp-person'
import { startEjabberd } from './servers/ejabberd'
import { answersHttp, freePorts, PROGRAM, startOptions, startProcess, type Process, type Server } from './servers/process'
import { startProsody, type XmppServer, type XmppServerOptions } from './servers/prosody'
import { startSynapse, type SynapseUser } from './servers/synapse'
import { startSmsc, type Phone, type Smsc } from './smsc'

export interface TownOptions {
  dir: string
  homeserver?: 'synapse' | 'practice'
  xmppServer?: 'prosody' | 'ejabberd' | ((options: XmppServerOptions) => Promise<XmppServer>)
  twin?: true // the first room is mirrored to another Matrix room too, which is Dora's
  presence?: boolean // Synapse has it switched on
  mirrors?: number // how many further rooms are mirrored between Matrix and XMPP; 0 if left out
  mirror?: Record<string, unknown> // further keys of each mirror
  language?: 'de' | 'en'
  addresses?: TownAddress[] // function addresses
  directChats?: Record<string, unknown> // the section of the config
  portals?: Record<string, unknown> // the same
  postgres?: string // the URL of a database; without it, the store is a file
  /** Puts something into a link: gets its port, and resolves with the port that the other end should use. */
  via? (link: Connection, port: number): Promise<number>
  env?: NodeJS.ProcessEnv // added to Zentrale's environment
  prosodyConfig?: string // see XmppServerOptions.config
  admins?: string[] // see XmppServerOptions.admins
  power?: true // Zentrale may change and remove anything in the Matrix rooms
  fetchHosts?: string[] // further hosts on this machine from which files may be fetched
}

/** `more`: further keys of the config. */
export interface TownAddress { name: string; matrix: string; more: Record<string, unknown> }

/** The links from Zentrale to each server, and from the homeserver to Zentrale. */
export type Connection = 'homeserver' | 'component' | 'smsc' | 'zentrale'

interface Homeserver extends Server {
  url: string
  createUser (name: string, password: string): Promise<SynapseUser>
}

export interface Town {
  readonly domain: string
  readonly homeserver: Homeserver
  readonly practice?: PracticeHomeserver // the same, if it is the practice homeserver
  readonly xmpp: XmppServer
  readonly smsc: Smsc
  readonly zentrale: Process
  readonly configPath: string
  readonly alias: string
  readonly muc: string
  readonly number: string // our number, which the phones text to
  readonly operateUrl: string
  readonly token: string
  readonly mediaUrl: string
  readonly people: { anna: MatrixPerson, bernd: XmppPerson, max: Phone }
  readonly room: string // the Matrix room's id
  readonly twin?: { room: string, dora: MatrixPerson }
  /** The further mirrored rooms, each with Anna and Bernd in it. */
  readonly more: { room: string, muc: string }[]
  metrics (): Promise<string>
  stop (): Promise<void>
}

export const PASSWORD = 'zentrale-demo'
export const DOMAIN = 'zentrale.test'
const NUMBER = '+4930123457'
/** Our other number, for a function address. */
export const ADDRESS_NUMBER = '+4930123456'
const MAX = '+491701234567'
const TWIN = 'zwilling'
const PARTS_PER_DAY = 10_000_000 // they cost nothing here
export const GATEWAY = { systemId: 'zentrale', password: 'smpp-pw' }

const aliasOf = (name: string): string => `#${name}:${DOMAIN}`

const asServer = ({ url, createUser, goDown, comeUp }: PracticeHomeserver): Homeserver => {
  let up = true
  const stop = async (): Promise<void> => {
    if (up) await goDown()
    up = false
  }
  return { url, createUser, stop, kill: stop, async restart () { await stop(); await comeUp(); up = true } }
}

const configOf = (o: {
  homeserverUrl: string, ports: number[], xmpp: XmppServer, smscPort: number, token: string, mirrors: string[], language: string,
  addresses: TownAddress[], fetchHosts: string[], mirror: Record<string, unknown>, twin: boolean,
  directChats: TownOptions['directChats'], portals: TownOptions['portals'], postgres: string | undefined
}): string => stringify({
  language: o.language,
  store: o.postgres === undefined ? { path: './data/zentrale.db' } : { postgres: o.postgres },
  matrix: { homeserver_url: o.homeserverUrl, domain: DOMAIN, registration: './registration.yaml', listen: { port: o.ports[0] } },
  xmpp: {
    component: { host: '127.0.0.1', port: o.xmpp.componentPort, domain: o.xmpp.component.domain, secret: o.xmpp.component.secret },
    rooms: o.xmpp.muc,
    fetch: { allow_hosts: [`127.0.0.1:${o.xmpp.httpPort}`, ...o.fetchHosts] } // the sandbox's own upload service
  },
  sms: {
    gateways: [{
      name: 'main', kind: 'smpp', host: '127.0.0.1', port: o.smscPort, system_id: GATEWAY.systemId, password: GATEWAY.password,
      numbers: [NUMBER, ADDRESS_NUMBER]
    }],
    parts_per_day: PARTS_PER_DAY, parts_per_day_to_one: PARTS_PER_DAY
  },
  media: { listen: { port: o.ports[1] }, public_url: `http://127.0.0.1:${o.ports[1]}` },
  operate: { listen: { port: o.ports[2] }, token: o.token, metrics_public: true, public_url: `http://127.0.0.1:${o.ports[2]}` },
  ...o.directChats && { direct_chats: o.directChats }, ...o.portals && { portals: o.portals },
  // whoever reads along in tests mostly has an app that cannot encrypt
  function_addresses: o.addresses.map(({ name, matrix, more }) => ({ name, matrix, encrypted_team_rooms: false, ...more })),
  mirrors: o.mirrors.map((name, index) => ({
    name, ...o.mirror,
    places: [
      { matrix: aliasOf(name) }, { xmpp: `${name}@${o.xmpp.muc}` },
      ...index === 0 && o.twin ? [{ matrix: aliasOf(TWIN) }] : [],
      ...index === 0 ? [{ sms: { gateway: 'main', number: NUMBER, members: { [MAX]: 'Max' } } }] : []
    ]
  }))
})

/** Starts everything, and waits until Zentrale's links are up and it is in its rooms. If that fails, stops what was started. */
export const raiseTown = async (options: TownOptions): Promise<Town> => {
  const running: { stop (): Promise<void> }[] = [] // the newest first
  const keep = async <T extends { stop (): Promise<void> }>(starting: Promise<T>): Promise<T> => {
    const started = await starting
    running.unshift(started)
    return started
  }
  const stop = async (): Promise<void> => { for (const one of running.splice(0)) await one.stop() }
  try {
    return { ...await raise(options, keep), stop }
  } catch (error) {
    await stop()
    throw error
  }
}

type Keep = <T extends { stop (): Promise<void> }>(starting: Promise<T>) => Promise<T>

/** `port`: where Zentrale listens. `reached`: the port that the homeserver is told. */
const raiseServers = async (options: TownOptions, port: number, reached: number, keep: Keep) => {
  const { dir, homeserver: kind = 'synapse', xmppServer = 'prosody', prosodyConfig, admins, addresses = [] } = options
  const startXmpp = typeof xmppServer === 'function' ? xmppServer : xmppServer === 'prosody' ? startProsody : startEjabberd
  const ours = registrationText(DOMAIN, `http://127.0.0.1:${port}`, systemChance, {
    users: addresses.map(({ matrix }) => `@${matrix}:${DOMAIN}`), aliases: addresses.flatMap(({ name, matrix }) => [aliasOf(name), aliasOf(matrix)])
  })
  const registration = ours.replaceAll(`127.0.0.1:${port}`, `127.0.0.1:${reached}`)
  const registrationPath = join(dir, 'homeserver-registration.yaml')
  writeFileSync(join(dir, 'registration.yaml'), ours, { mode: 0o600 })
  writeFileSync(registrationPath, registration)
  const practice = kind === 'practice'
    ? await keep(startHomeserver({ serverName: DOMAIN, registration: parse(registration) as Registration }))
    : undefined
  const [homeserver, xmpp, smsc] = await Promise.all([
    practice ? asServer(practice) : keep(startSynapse({
      dir: join(dir, 'synapse'), serverName: DOMAIN, registrations: [registrationPath], ...options.presence && { presence: true }
    })),
    keep(startXmpp({
      dir: join(dir, 'xmpp'), domain: DOMAIN, users: { bernd: PASSWORD }, component: { domain: `chat.${DOMAIN}`, secret: systemChance.token(24) },
      ...prosodyConfig === undefined ? {} : { config: prosodyConfig }, ...admins && { admins }
    })),
    keep(startSmsc(GATEWAY))
  ])
  return { homeserver, xmpp, smsc, ...practice && { practice } }
}

const raise = async (options: TownOptions, keep: Keep): Promise<Omit<Town, 'stop'>> => {
  const { dir, mirrors = 0, mirror = {}, twin = false, language = 'de', env = {}, addresses = [], fetchHosts = [], directChats, portals } = options
  const via = options.via ?? (async (_link: Connection, port: number): Promise<number> => port)
  mkdirSync(dir, { recursive: true })
  const ports = await freePorts(3)
  const token = systemChance.token(24)
  const servers = await raiseServers(options, ports[0]!, await via('zentrale', ports[0]!), keep)
  const { homeserver, xmpp, smsc } = servers
  const names = ['werkstatt', ...Array.from({ length: mirrors }, (_, index) => `raum${index + 1}`)]
  const configPath = join(dir, 'config.yaml')
  const homeserverPort = Number(new URL(homeserver.url).port)
  const config = configOf({
    homeserverUrl: `http://127.0.0.1:${await via('homeserver', homeserverPort)}`, ports, token, mirrors: names, mirror, twin, language,
    addresses, fetchHosts, directChats, portals, postgres: options.postgres,
    xmpp: { ...xmpp, componentPort: await via('component', xmpp.componentPort) }, smscPort: await via('smsc', smsc.port)
  })
  writeFileSync(configPath, config, { mode: 0o600 })

  const onMatrix = async (name: string): Promise<MatrixPerson> => {
    const { userId, accessToken } = await homeserver.createUser(name.toLowerCase(), PASSWORD)
    const person = makeMatrixPerson(homeserver.url, userId, accessToken)
    await person.call('PUT', `v3/profile/${encodeURIComponent(userId)}/displayname`, { displayname: name })
    return person
  }
  const open = (by: MatrixPerson, name: string): Promise<string> =>
    by.createRoom({
      room_alias_name: name, name, preset: 'private_chat', invite: [`@zentrale:${DOMAIN}`],
      ...options.power && { power_level_content_override: { users: { [`@zentrale:${DOMAIN}`]: 99 } } }
    })
  const enters = (by: MatrixPerson, room: string): Promise<unknown> => by.waitFor(room, 'Zentrale in the room', ({ type, state_key: who, content }) =>
    type === 'm.room.member' && who === `@zentrale:${DOMAIN}` && content['membership'] === 'join')
  const anna = await onMatrix('Anna')
  const dora = twin ? await onMatrix('Dora') : undefined
  const doras = dora && { dora, room: await open(dora, TWIN) }
  const bernd = await keep(startPerson(xmpp, 'bernd', PASSWORD))
  const places = []
  for (const name of names) {
    places.push({ room: await open(anna, name), muc: `${name}@${xmpp.muc}` })
  }

  const operateUrl = `http://127.0.0.1:${ports[2]}`
  const zentrale = await keep(startProcess({
    command: process.execPath, args: [...startOptions, PROGRAM, '--config', configPath, 'start'], cwd: dir, env,
    logFile: join(dir, 'zentrale.log'), ready: () => answersHttp(`${operateUrl}/readyz`), readyWithinMs: 120_000
  }))
  for (const { muc } of places) await bernd.enter(muc, 'Bernd')
  for (const { room } of places) await enters(anna, room)
  if (doras !== undefined) await enters(doras.dora, doras.room)
  const [first, ...more] = places
  return {
    domain: DOMAIN, ...servers, zentrale, configPath, alias: aliasOf('werkstatt'), muc: first!.muc, number: NUMBER, operateUrl, token,
    mediaUrl: `http://127.0.0.1:${ports[1]}`, people: { anna, bernd, max: smsc.phone(MAX) }, room: first!.room, more, ...doras && { twin: doras },
    metrics: async () => await (await fetch(`${operateUrl}/metrics`)).text()
  }
}
