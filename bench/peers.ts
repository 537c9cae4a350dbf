/**
 * Other bridges that a folder outside the repository holds: matrix-bifrost (`matrix-bifrost/`, built) and matterbridge (`matterbridge/`, with
 * its program of that name). Each is started on the Prosody of the bench and on a practice homeserver of its own in this process, with one room
 * that holds one person on each side, and does what Zentrale does beside it.
 */
import { existsSync, mkdirSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { stringify } from 'yaml'
import { freePort, startProcess, until, type Process } from '../sandbox/servers/process'
import { sleep, systemClock as clock } from '../src/lib/clock'
import { startHomeserver, type Homeserver, type HsPerson, type Registration } from '../test/support/homeserver'
import { DOMAIN, type Ground, matrixWays, NICK, PEER, PEER_USER, SECRET } from './ground'
import { type Way, UNDER_WAY_MAX } from './load'
import { bodyOf, enter, groupchat } from './raw'

export interface Bridge { name: string; pid: number; toXmpp: Way; toMatrix: Way; stop (): Promise<void> }

/** Where one peer is to be started. `room`: its name on both sides. `program`: its folder. */
interface Site {
  ground: Ground; homeserver: Homeserver; registration: Registration; anna: HsPerson; room: string; roomId: string; dir: string; program: string
}

type Start = (site: Site) => Promise<Process>

const CARRIES_MS = 60_000
const AGAIN_MS = 500
const PROBE = 0 // the number of no load

const up = async (): Promise<boolean> => true // whether it carries is seen by what comes out

const registrationAt = (name: string, port: number): Registration => ({
  id: name, url: `http://127.0.0.1:${port}`, as_token: `as-${SECRET}`, hs_token: `hs-${SECRET}`, sender_localpart: name,
  namespaces: { users: [{ exclusive: true, regex: `@_${name}_.*:${DOMAIN}` }], aliases: [] }
})

const bifrost: Start = async ({ ground: { xmpp }, homeserver, registration, anna, room, roomId, dir, program }) => {
  anna.invite(roomId, homeserver.bot)
  homeserver.state.join(roomId, homeserver.bot)
  const remoteId = Buffer.from(`xmpp-js:${room}@${xmpp.muc}`).toString('base64')
  writeFileSync(join(dir, 'room-store.db'), `${JSON.stringify({
    id: `${roomId}    ${remoteId}`, remote_id: remoteId, matrix_id: roomId, matrix: { extras: { type: 'group' } }, data: {}, _id: room,
    remote: { protocol_id: 'xmpp-js', room_name: `${room}@${xmpp.muc}`, plumbed: true, properties: { room, server: xmpp.muc } }
  })}\n`)
  const username = `anna_${DOMAIN}@${PEER}` // known before: it takes what it finds first for her account, which may be an occupant
  const account = `xmpp-js://${username}`
  const users = [
    { type: 'remote', id: account, data: { protocol_id: 'xmpp-js', username, type: 'account' } },
    { type: 'matrix', id: anna.userId, data: { localpart: 'anna' } }, { type: 'union', remote_id: account, matrix_id: anna.userId }
  ]
  writeFileSync(join(dir, 'user-store.db'), users.map((user, index) => `${JSON.stringify({ ...user, _id: `0${index}` })}\n`).join(''))
  writeFileSync(join(dir, 'registration.yaml'), stringify({ ...registration, rate_limited: false, protocols: [] }))
  writeFileSync(join(dir, 'config.yaml'), stringify({
    bridge: {
      domain: DOMAIN, homeserverUrl: homeserver.url, userPrefix: `_${room}_`, appservicePort: Number(new URL(registration.url!).port)
    },
    datastore: { engine: 'nedb', connectionString: `nedb://${dir}` },
    purple: { backend: 'xmpp-js', backendOpts: { service: `xmpp://127.0.0.1:${xmpp.componentPort}`, domain: PEER, password: SECRET } },
    autoRegistration: {
      enabled: true, protocolSteps: { 'xmpp-js': { type: 'implicit', parameters: { username: `<T_LOCALPART>_<T_DOMAIN>@${PEER}` } } }
    },
    portals: { enableGateway: false },
    provisioning: { enablePlumbing: true, requiredUserPL: 0 },
    logging: { console: 'warn' }
  }))
  return await startProcess({
    command: join(program, 'node_modules/.bin/node'),
    args: ['lib/Program.js', '-c', join(dir, 'config.yaml'), '-f', join(dir, 'registration.yaml')], cwd: program,
    logFile: join(dir, 'log'), ready: async () => homeserver.requests.some(line => line.endsWith('/displayname'))
  })
}

const matterbridge: Start = ({ ground: { xmpp }, homeserver, anna, room, roomId, dir, program }) => {
  const { userId, accessToken } = homeserver.person(PEER_USER)
  anna.invite(roomId, userId)
  writeFileSync(join(dir, 'config.toml'), `
[matrix.bench]
Server="${homeserver.url}"
MxID="${userId}"
Token="${accessToken}"
RemoteNickFormat="<{NICK}> "
[xmpp.bench]
Server="127.0.0.1:${xmpp.personPort}"
Jid="${PEER_USER}@${DOMAIN}"
Password="${SECRET}"
Muc="${xmpp.muc}"
Nick="${PEER_USER}"
NoTLS=true
RemoteNickFormat="<{NICK}> "
[[gateway]]
name="bench"
enable=true
[[gateway.inout]]
account="matrix.bench"
channel="${roomId}"
[[gateway.inout]]
account="xmpp.bench"
channel="${room}"
`)
  return startProcess({
    command: join(program, room), args: ['-conf', join(dir, 'config.toml')], cwd: dir, logFile: join(dir, 'log'), ready: up
  })
}

const KINDS: Readonly<Record<string, Start>> = { 'matrix-bifrost': bifrost, matterbridge }

/** The names of the peers that this folder holds. */
export const peersIn = (folder: string): string[] => {
  const found = Object.keys(KINDS).filter(name => existsSync(join(folder, name)))
  if (found.length > 0) return found
  throw new Error(`${folder} holds no folder ${Object.keys(KINDS).join(' and no folder ')}: bench/README.md says how to get them`)
}

/** Resolves once what is said on one side comes out on the other. */
const carries = async (what: string, way: Way): Promise<void> => {
  let heard = false
  way.listen(() => { heard = true })
  let sentAt = 0
  await until(what, CARRIES_MS, () => {
    if (clock.tick() - sentAt > AGAIN_MS) {
      sentAt = clock.tick()
      way.send(0, PROBE, 0)
    }
    return heard
  })
  await sleep(clock, AGAIN_MS)
}

export const startPeer = async (ground: Ground, folder: string, name: string, base: string): Promise<Bridge> => {
  const dir = join(base, name)
  mkdirSync(dir)
  const registration = registrationAt(name, await freePort())
  const homeserver = await startHomeserver({
    serverName: DOMAIN, registration: name === 'matrix-bifrost' ? registration : { ...registration, url: null }, timelineMax: UNDER_WAY_MAX
  })
  const anna = homeserver.person('anna')
  const roomId = anna.createRoom({ preset: 'private_chat', room_version: '11' })
  const { person, xmpp } = ground
  const muc = `${name}@${xmpp.muc}`
  await enter(person, muc, NICK)
  const start = KINDS[name]!
  const running = await start({ ground, homeserver, registration, anna, room: name, roomId, dir, program: join(folder, name) })
  const matrix = matrixWays(homeserver, anna, new Map([[name, roomId]]))
  const toXmpp: Way = {
    rooms: 1, send: (_room, load, index) => matrix.say(name, load, index),
    listen: arrived => person.listen((_room, load, index) => arrived(load, index))
  }
  const toMatrix: Way = {
    rooms: 1, send: (_room, load, index) => person.write(groupchat(muc, bodyOf(load, index))), listen: arrived => matrix.listen(arrived)
  }
  await carries(`${name} carries to XMPP`, toXmpp)
  await carries(`${name} carries to Matrix`, toMatrix)
  return {
    name, pid: running.pid, toXmpp, toMatrix,
    async stop () {
      await running.stop()
      await homeserver.stop()
    }
  }
}
