/**
 * Matrix, as an application service of the business's own homeserver. Events come in by transactions, which are stored before they are
 * answered. Messages go out under ghosts, exactly once. If the homeserver is down, we wait for it.
 */
import type { Place } from '../../model/address'
import type { Capabilities, Inbox, Naming, Network, World } from '../../model/network'
import { makeAdmin } from './admin'
import { type Addresses, makeAddresses, type Namespaces } from './users/addresses'
import { makeBringing } from './users/bringing'
import { makeEraseGhosts } from './users/erased-ghosts'
import { makeDirect } from './direct/direct'
import { openEndpoint, type Endpoint } from './endpoint'
import { makeFileTypes } from './file-types'
import { makeDescriptions } from './rooms/description'
import { makeExpelled } from './rooms/expelled'
import { makeForgetting } from './forgetting'
import { type Ghosts, makeGhosts } from './users/ghosts'
import { makeDoneToGhosts } from './users/put-out'
import { makeEncrypting } from './encryption/encrypting'
import { makeReading } from './encryption/keeper'
import { makeEngine, type MakeEngine } from './encryption/engine'
import { encode, makeHomeserver, type Exchange, type Homeserver } from './homeserver'
import { makePowerful } from './rooms/power'
import { makeRoomNews } from './rooms/room-news'
import { makeLink } from './link'
import { makeMemberLists } from './rooms/member-lists'
import { makeFirstLook } from './rooms/first-look'
import { makeMoved } from './rooms/moved'
import { makeMembers, type Members } from './rooms/members'
import { makeFindRoom, makePortals } from './rooms/portals'
import { makeUploader, openMedia } from './media'
import { GHOST_PREFIX, ghostMxid, ghostPerson, isAmong, isOthersAlias, personId, portalOf, isOurs as isOursOf } from './names'
import type { Json } from './events/json'
import type { Around } from './events/mentions'
import { makeRecovery } from './recovery/recovery'
import { makeStrange, makeTake, type Takes, tellLook, tellStanding, tellUnread } from './receive'
import { makeRooms } from './rooms/rooms'
import { makeRemains } from './remains'
import { makeSend } from './send'
import { makeSignals } from './signals'
import { makeTeamRooms, readTeamRoom } from './rooms/team-rooms'

/** The fields of the registration file (AS API §Registration) that are needed to run. */
export interface Registered { id: string; as_token: string; hs_token: string; sender_localpart: string; namespaces: Namespaces }

export interface MatrixConfig {
  homeserverUrl: string
  domain: string
  registration: Registered
  listen: { host: string, port: number }
  acceptInvitesFrom: string[] // MXIDs, or ':domain' for everybody of a domain
  notHeardFrom: string[] // MXIDs; a star stands for the rest of a localpart
  mediaBytesMax: number
  adminToken?: string // of an administrator of a Synapse
  signedDevicesOnly?: boolean // what is encrypted is readable only on devices that people have signed themselves
}

/** How we reach the homeserver and it reaches us: over HTTP by default. */
export interface Wire { exchange?: Exchange; listen: typeof openEndpoint; makeEngine?: MakeEngine }

export const NAME = 'matrix'
const CAN: Capabilities = {
  label: 'Matrix', ghosts: true, formatting: true, files: 'upload', captions: true, edits: true, deletions: true, replies: true, quotes: true,
  reactions: 'each', sealsRooms: true, polls: true, profiles: true,
  textBytesMax: 12_000, // an edit holds body and HTML twice, and an event has 65536 bytes (CS API §Size limits)
  window: 1, // HTTP keeps no order
  afterCrash: 'resend', giveUpAfterMs: 3 * 24 * 3600_000
}
const KEY_BYTES = 12

export const namingOn = (domain: string, bot: string): Naming => ({
  direct: (ours, theirs) => `${ours} ${theirs}`,
  room: (address, what) => `#${GHOST_PREFIX}${address}_${what}:${domain}`,
  person: personId,
  serves: ours => ours.endsWith(`:${domain}`),
  isOurs: id => isOursOf(id, bot, domain),
  ghost: person => ghostMxid(person, domain), standsFor: id => ghostPerson(id, domain),
  portal: alias => portalOf(alias, domain), isRoom: id => isOthersAlias(id, domain)
})

/** In a direct chat a ghost is like an address, but without a profile of its own. */
const withGhosts = ({ all, has, ready }: Addresses, ghosts: Ghosts, domain: string): Pick<Addresses, 'all' | 'ready'> => ({
  all,
  async ready (mxid, signal) {
    const person = has(mxid) ? undefined : ghostPerson(mxid, domain)
    const name = person?.id.split(' ', 1)[0] // without what tells the occupants of a room apart
    await (person === undefined || name === undefined ? ready(mxid, signal) : ghosts.dress(mxid, { person, name }, signal))
  }
})

interface AroundParts { ghosts: Ghosts; members: Members; isOurs (mxid: string): boolean; domain: string }

const aroundIn = ({ ghosts, members, isOurs, domain }: AroundParts) => (room: string): Omit<Around, 'hasPower'> => ({
  person: mxid => ghostPerson(mxid, domain) ?? ghosts.personOf(mxid, room) ?? { network: NAME, id: mxid },
  called (name) {
    const ghost = ghosts.called(name, room)
    const isAnothers = ghost !== undefined && members.called(room, name).some(mxid => !isOurs(mxid))
    return ghost === undefined || isAnothers ? undefined : ghostPerson(ghost, domain) ?? ghosts.personOf(ghost, room)
  }
})

const pingOf = (homeserver: Homeserver, { id }: Registered, signal: AbortSignal) => (attempt: number): Promise<Json> =>
  homeserver.call('POST', `client/v1/appservice/${encode(id)}/ping`, { body: { transaction_id: `ping${attempt}` }, signal })

const BY_DEFAULT: Wire = { listen: openEndpoint, makeEngine }

export const makeMatrix = (config: MatrixConfig, world: World, wire = BY_DEFAULT): Network => {
  const { clock, chance, memory, vault, log, fence } = world
  const { domain, registration, registration: { as_token: secret }, mediaBytesMax } = config
  const bot = `@${registration.sender_localpart}:${domain}`
  const isOurs = (mxid: string): boolean => isOursOf(mxid, bot, domain) || addresses.has(mxid)
  const stopping = new AbortController()
  let [attending, up] = [false, false]
  let [inbox, endpoint, takes]: [Inbox?, Endpoint?, Takes?] = []

  const isMadeByUs = ({ id }: Place): boolean => readTeamRoom(id, domain) !== undefined
  const connectionChanged = (name: string) => (up: boolean, detail?: string, ready?: boolean): void => {
    inbox?.connection(NAME, name, up, detail, ready)
  }
  const homeserverChanged = (isUp: boolean, detail?: string): void => {
    up = isUp
    if (!isUp) recovery.lost()
    connectionChanged('homeserver')(isUp, detail)
  }
  const homeserver = makeHomeserver(config.homeserverUrl, secret, { lost: why => link.lost(why), fence }, wire.exchange)
  const admin = makeAdmin(config, world, stopping.signal)
  const link = makeLink({
    clock, chance, changed: homeserverChanged, probe: () => homeserver.call('GET', 'client/v3/account/whoami'), found: () => recovery.found()
  })
  const recovery = makeRecovery({
    homeserver, memory, clock, chance, log, signal: stopping.signal, bot, domain, isMadeByUs, changed: connectionChanged('intake'),
    async prepare () {
      await ghosts.prepare()
      await takes?.load()
      await devices.prepare()
      await rooms.check()
      addresses.check()
      await rooms.settled()
    },
    ping: pingOf(homeserver, registration, stopping.signal)
  })
  const rooms = makeRooms({
    homeserver, memory, clock, chance, log, bot, isMadeByUs, changed: connectionChanged('rooms'),
    describe: room => descriptions.entered(room), knew: (place, room) => moved.knew(place, room),
    stands: (place, standing) => tellStanding(inbox, { place, standing, key: chance.token(KEY_BYTES), at: clock.now() }),
    expelled (room) { expelled(room); keeper.out(room) },
    standing: (place, room) => keeper.attend(place, room), readAnew: recovery.backlog.read,
    entered (place, room) { memberLists.entered(room); bringing.entered(place); firstLook.entered(place, room) }
  })
  const shown = { homeserver, rooms: () => rooms, memory, clock, chance, log, signal: stopping.signal }
  const descriptions = makeDescriptions({ ...shown, bot, serviceId: registration.id, fileBytesMax: mediaBytesMax, inbox: () => inbox })
  const firstLook = makeFirstLook({ ...shown, tell: look => tellLook(inbox, look) })
  const [members, uploader, moved] = [makeMembers(homeserver, clock, stopping.signal), makeUploader(homeserver, world.media), makeMoved(shown)]
  const ghosts = makeGhosts({ homeserver, uploader, memory, clock, log, bot, domain, isMadeByUs, secret, signal: stopping.signal })
  const expelled = makeExpelled({ ghosts, clock, chance, log, signal: stopping.signal, isOut: rooms.isOut })
  const bringing = makeBringing({ ghosts, rooms, memory, clock, chance, log, signal: stopping.signal })
  const addresses = makeAddresses({
    homeserver, ghosts, memory, clock, chance, log, domain, bot, namespaces: registration.namespaces, changed: connectionChanged('addresses')
  })
  const { devices, encryption, keeper, sealing, wait, verifying, forgotten } = makeEncrypting({
    homeserver, makeEngine: wire.makeEngine, vault, memory, clock, chance, log, signal: stopping.signal, signed: config.signedDevicesOnly === true,
    addresses, ghosts, rooms, bot, domain, isOurs, isMadeByUs, inbox: () => inbox
  })
  const direct = makeDirect({
    homeserver, addresses: withGhosts(addresses, ghosts, domain), memory, clock, chance, log, signal: stopping.signal, network: NAME, domain,
    isOurs, backlog: recovery.backlog, isAttended: room => rooms.placeOf(room) !== undefined, encrypted: room => news.encrypted(room), forgotten,
    unread: (place, event) => tellUnread(inbox, place, event, clock.now())
  })
  const teamRooms = makeTeamRooms({ homeserver, rooms, addresses, encryption, keeper, memory, vault, chance, log, bot, domain, isOurs })
  const { send, upload, find } = makeSend({
    homeserver, ghosts, rooms, direct, teamRooms, uploader, encryption, sealing, bringing, admin, clock, chance, bot, domain, mediaBytesMax
  })
  const [isUnheard, reading] = [isAmong(config.notHeardFrom), makeReading({ direct, rooms, keeper, encryption })]
  const isNobody = (mxid: string): boolean => isOurs(mxid) || isUnheard(mxid)
  const memberLists = makeMemberLists({ homeserver, rooms, ghosts, clock, chance, log, signal: stopping.signal, inbox: () => inbox, isNobody })
  const news = makeRoomNews({
    homeserver, rooms, direct, addresses, teamRooms, ghosts, bringing, memberLists, descriptions, encryption, keeper, reading, memory, clock, log,
    signal: stopping.signal, bot, isOurs, acceptFrom: config.acceptInvitesFrom,
    admits: (theirs, ghost) => !isUnheard(theirs) && inbox?.admits({ network: NAME, id: theirs }, ghost, true) === true
  })
  const signals = makeSignals({ homeserver, rooms, direct, ghosts, clock, bot, network: NAME, isUp: () => up, isNobody, inbox: () => inbox })

  return {
    name: NAME, can: CAN, naming: namingOn(domain, bot), serve (identities) { addresses.serve(identities); devices.check() },
    attend (places) { attending ||= places.length > 0; rooms.attend(places) },
    async start (given) {
      inbox = given
      inbox.connection(NAME, 'homeserver', false, 'not reached yet')
      if (attending) inbox.connection(NAME, 'rooms', false, 'not in the rooms yet')
      takes = makeTake({
        network: NAME, inbox, rooms, direct, members, news, memory, clock, bot, isOurs, isUnheard, encryption, keeper, reading, wait, verifying,
        kicks: ghosts.kicks, strange: makeStrange(log, mxid => !isNobody(mxid)),
        around: aroundIn({ ghosts, members, isOurs, domain }), expulsionOf: makeDoneToGhosts({ rooms, ghosts, clock, isOurs }),
        typesOf: makeFileTypes({ homeserver, domain, clock, bytesMax: config.mediaBytesMax }, stopping.signal),
        powerfulIn: makePowerful(homeserver, clock, room => rooms.placeOf(room) !== undefined, stopping.signal)
      })
      recovery.start({ inbox, take: takes.take, rooms, direct })
      const portal = makePortals({ homeserver, rooms, inbox: given, network: NAME, domain, clock })
      endpoint = await wire.listen({
        hsToken: registration.hs_token, ...config.listen, log, hear: signals.hear, portal,
        take (events, id) { link.ask(); return recovery.take(events, id) } // a homeserver that pushes is there
      })
      link.ask()
    },
    send, upload, find, signal: signals.show, members: bringing.members, devicesChanged: devices.check, encryptionCounts: () => devices.counts,
    eraseGhosts: makeEraseGhosts({ homeserver, memory, admin, bringing, ghosts, domain, isOurs }),
    findRoom: makeFindRoom({ homeserver, rooms, memory, isMadeByUs, network: NAME, log }), remains: makeRemains({ rooms, direct, admin, isMadeByUs }),
    forget: makeForgetting({ homeserver, rooms, ghosts, direct, teamRooms, encryption, admin, memory, bot, isOurs, isMadeByUs, forgotten }),
    open: (ref, signal, pictureBytesMax) => openMedia({ homeserver, domain, clock, bytesMax: mediaBytesMax, pictureBytesMax }, ref, signal),
    async stop () {
      stopping.abort()
      for (const part of [link, rooms, moved, descriptions, memberLists, firstLook, signals, bringing, direct, addresses, takes]) part?.stop()
      await endpoint?.close()
      devices.stop()
    }
  }
}
