/** The servers of the bench of encryption: the practice homeserver with keys, rooms on XMPP that cost nothing, Zentrale with a function address. */
import { mkdirSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { parse, stringify } from 'yaml'
import { answersHttp, checkout, freePorts, startEnv, startOptions, startProcess, until } from '../sandbox/servers/process'
import { systemChance } from '../src/lib/chance'
import { systemClock as clock } from '../src/lib/clock'
import { silentLog as log } from '../src/lib/log'
import type { Device } from '../src/networks/matrix/encryption/device'
import { makeEngine } from '../src/networks/matrix/encryption/engine'
import { keeperOn } from '../src/networks/matrix/names'
import { registrationText } from '../src/networks/matrix/registration/registration-text'
import { startHomeserver, type HsPerson, type Registration } from '../test/support/homeserver'
import { homeserverThat, keyAnswers, makeKeyedDevice } from '../test/support/keyed-device'
import type { Way } from './load'
import { bodyOf, dialComponent, enter, groupchat } from './raw'
import { startRooms } from './rooms'

const DOMAIN = 'bench.test'
const OURS_DOMAIN = `chat.${DOMAIN}`
const PEOPLE = `leute.${DOMAIN}`
const ADDRESS = 'info'
const MUC = `rooms.${DOMAIN}`
const SECRET = 'a-secret-of-the-bench'
const READY_MS = 60_000
const NODE_ARGS = [...startOptions, ...process.env['BENCH_NODE_ARGS']?.split(' ') ?? []]
const ENCRYPTION = { type: 'm.room.encryption', state_key: '', content: { algorithm: 'm.megolm.v1.aes-sha2' } }
const KINDS = { clear: 'klar', sealed: 'dicht' } as const
const ROTATION = { ms: 7 * 86_400_000, messages: 100 }
const never = new AbortController().signal

type Kind = keyof typeof KINDS

/** Between a contact and the team. `rotate`: after how many answers a new key is used. */
export interface Chat { in: Way; out: Way; rotate (messages: number): void }

export interface SealedGround {
  zentrale: number
  /** A contact with so many devices; with none, in the clear. */
  chat (name: string, devices: number): Promise<Chat>
  /** Out: from Matrix to XMPP. */
  room (kind: Kind): Record<'in' | 'out', Way>
  /** So many more people speak in the room on XMPP, once each; how many of them are heard on Matrix. */
  speakers (kind: Kind, count: number): Promise<{ spoken (): number }>
  stop (): Promise<void>
}

const configOf = (ports: number[], homeserver: string, componentPort: number): string => stringify({
  log: { level: 'warn' },
  store: { path: './data/zentrale.db' },
  matrix: { homeserver_url: homeserver, domain: DOMAIN, registration: './registration.yaml', listen: { port: ports[0] } },
  xmpp: { component: { host: '127.0.0.1', port: componentPort, domain: OURS_DOMAIN, secret: SECRET } },
  media: { listen: { port: ports[1] }, public_url: `http://127.0.0.1:${ports[1]}` },
  operate: { listen: { port: ports[2] }, token: SECRET, metrics_public: true },
  function_addresses: [{
    name: ADDRESS, matrix: ADDRESS, title: 'Info', encrypted_team_rooms: false, automatic: { greeting: false, absence: false },
    team: [{ name: 'Anna', addresses: [`@anna:${DOMAIN}`] }]
  }],
  mirrors: Object.values(KINDS).map(name => ({
    name, allow_encrypted: name === KINDS.sealed, places: [{ matrix: `#${name}:${DOMAIN}` }, { xmpp: `${name}@${MUC}` }]
  }))
})

export const raiseSealed = async (dir: string): Promise<SealedGround> => {
  mkdirSync(dir, { recursive: true })
  const ports = await freePorts(3)
  const registration = registrationText(DOMAIN, `http://127.0.0.1:${ports[0]}`, systemChance, { users: [`@${ADDRESS}:${DOMAIN}`], aliases: [] })
  writeFileSync(join(dir, 'registration.yaml'), registration)
  const homeserver = await startHomeserver({ serverName: DOMAIN, registration: parse(registration) as Registration, knowsKeys: true })
  const xmpp = await startRooms()
  const config = join(dir, 'config.yaml')
  writeFileSync(config, configOf(ports, homeserver.url, xmpp.port), { mode: 0o600 })
  const engine = makeEngine({ clock, log, async keep () { /* people's devices do not last */ } })
  const local = homeserverThat(keyAnswers(homeserver.keys!))
  const newDevice = async (user: string, id: string): Promise<Device> => {
    const device = makeKeyedDevice({ user, id, engine, homeserver: local })
    await device.news(never)
    return device
  }

  const anna = homeserver.person('anna')
  const rooms = new Map(Object.entries(KINDS).map(([kind, name]): [string, string] => [kind, anna.createRoom({
    room_alias_name: name, preset: 'private_chat', invite: [homeserver.bot, ...kind === 'sealed' ? [keeperOn(DOMAIN)] : []],
    ...kind === 'sealed' && { initial_state: [ENCRYPTION] }
  })]))
  const annas = await newDevice(anna.userId, 'D')
  const bernd = await dialComponent(xmpp.port, DOMAIN, SECRET)
  const people = await dialComponent(xmpp.port, PEOPLE, SECRET)
  for (const name of Object.values(KINDS)) await enter(bernd, `${name}@${MUC}`, 'Bernd', `bernd@${DOMAIN}/x`)
  const zentrale = await startProcess({
    command: process.execPath, args: [...NODE_ARGS, join(checkout, 'dist/src/main.js'), '--config', config, 'start'], cwd: dir, env: startEnv,
    logFile: join(dir, 'zentrale.log'), ready: () => answersHttp(`http://127.0.0.1:${ports[2]}/readyz`), readyWithinMs: READY_MS
  })
  const keysOf = (user: string): object => Object(homeserver.keys!.query({ device_keys: { [user]: [] } }).device_keys)[user]
  const has = (user: string): boolean => Object.keys(keysOf(user)).length > 0
  await until('our readers have keys', READY_MS, () => [`@${ADDRESS}:${DOMAIN}`, keeperOn(DOMAIN)].every(has))
  await until('our reader is in the room', READY_MS, () => homeserver.membership(rooms.get('sealed')!, keeperOn(DOMAIN)) === 'join')

  /** Says it in a room, sealed for these readers, in order. */
  const sealing = (by: HsPerson, device: Device, room: string, to: string[]): ((body: string) => void) => {
    let last = Promise.resolve()
    return body => {
      const content = device.seal({ room, to, rotation: ROTATION, type: 'm.room.message', content: { msgtype: 'm.text', body } }, never)
      last = last.then(async () => { by.send(room, await content, 'm.room.encrypted') })
    }
  }

  /** `say` leads to messages of ours in a room. Encrypted ones are taken to come in order. */
  const wayTo = (room: string, isOurs: (user: string) => boolean, say: (body: string) => void): Way => {
    let arrived: (load: number, index: number) => void = () => {}
    let [now, next] = [0, 0]
    homeserver.state.listeners.add(({ type, room_id: id, sender, content }) => {
      if (id !== room || !isOurs(sender)) return
      const found = /^(\d+)\.(\d+) /.exec(String(content.body))
      if (type === 'm.room.encrypted') arrived(now, next++)
      else if (found) arrived(Number(found[1]), Number(found[2]))
    })
    return {
      rooms: 1,
      send (_room, load, index) {
        if (index === 0) [now, next] = [load, 0]
        say(bodyOf(load, index))
      },
      listen (heard) { arrived = heard }
    }
  }

  let cases = 0
  const ours = `@${ADDRESS}:${DOMAIN}`
  const isAnna = (user: string): boolean => user === anna.userId

  return {
    zentrale: zentrale.pid,
    async chat (name, count) {
      const contact = homeserver.person(name)
      const devices = await Promise.all(Array.from({ length: count }, (_, index) => newDevice(contact.userId, `D${index}`)))
      const [device] = devices
      const options = { preset: 'trusted_private_chat', is_direct: true, invite: [ours], ...device && { initial_state: [ENCRYPTION] } }
      const room = contact.createRoom(options)
      await until('the address is in the chat', READY_MS, () => homeserver.membership(room, ours) === 'join')
      const say = device === undefined ? (body: string) => { contact.send(room, body) } : sealing(contact, device, room, [contact.userId, ours])
      say('Guten Tag')
      const alias = `#_zentrale_${ADDRESS}_${++cases}:${DOMAIN}`
      const isThere = (): boolean => { try { return homeserver.membership(alias, anna.userId) === 'invite' } catch { return false } }
      await until('the team has a room for the case', READY_MS, isThere)
      const team = anna.join(alias)
      return {
        in: wayTo(homeserver.state.resolve(team), user => !isAnna(user), say),
        out: wayTo(room, user => user === ours, body => { anna.send(team, body) }),
        rotate (messages) {
          contact.setState(room, ENCRYPTION.type, '', { ...ENCRYPTION.content, rotation_period_msgs: messages })
        }
      }
    },
    room (kind) {
      const room = rooms.get(kind)!
      const muc = `${KINDS[kind]}@${MUC}`
      const say = kind === 'clear' ? (body: string) => { anna.send(room, body) } : sealing(anna, annas, room, [anna.userId, keeperOn(DOMAIN)])
      return {
        out: {
          rooms: 1, send: (_room, load, index) => say(bodyOf(load, index)),
          listen: arrived => bernd.listen((_where, load, index) => arrived(load, index))
        },
        in: wayTo(room, user => !isAnna(user), body => bernd.write(groupchat(muc, body, `bernd@${DOMAIN}/x`)))
      }
    },
    async speakers (kind, count) {
      const room = rooms.get(kind)!
      const muc = `${KINDS[kind]}@${MUC}`
      const jids = Array.from({ length: count }, (_, index) => `${kind}${index}@${PEOPLE}/x`)
      for (const [index, jid] of jids.entries()) await enter(people, muc, `Gast ${index}`, jid)
      people.gather(/(?!)/g)
      let spoken = 0
      homeserver.state.listeners.add(({ type, room_id: id, sender }) => {
        if (id === room && !isAnna(sender) && ['m.room.message', 'm.room.encrypted'].includes(type)) spoken++
      })
      for (const [index, jid] of jids.entries()) people.write(groupchat(muc, bodyOf(0, index), jid))
      return { spoken: () => spoken }
    },
    async stop () {
      await zentrale.stop()
      engine.stop()
      bernd.end()
      people.end()
      xmpp.stop()
      await homeserver.stop()
    }
  }
}
