/**
 * Matrix, as an application service of the business's own homeserver. Events come in by transactions that are stored before they
 * are answered; everything that is said goes out under ghosts, exactly once. A homeserver that is down is waited for.
 */
import type { Place } from '../../model/address'
import { Bug, messageOf } from '../../model/errors'
import type { Capabilities, Inbox, Naming, Network, World } from '../../model/network'
import { makeAddresses, type Namespaces } from './users/addresses'
import { makeBacklog } from './recovery/backlog'
import { makeGap, WAIT_MS } from './recovery/gap'
import type { CatchUpWorld, Take } from './recovery/catch-up'
import { makeDirect } from './direct/direct'
import { openEndpoint, type Endpoint } from './endpoint'
import { makeExpelled } from './rooms/expelled'
import { makeFinding } from './recovery/finding'
import { makeForgetting } from './forgetting'
import { makeGhosts } from './users/ghosts'
import { encode, makeHomeserver, type Exchange } from './homeserver'
import { makeIntake } from './recovery/intake'
import { makeRoomNews } from './rooms/room-news'
import { makeLink } from './link'
import { makeMembers } from './rooms/members'
import { makeUploader, openMedia } from './media'
import { GHOST_PREFIX, isAmong, isOurs as isOursOf } from './names'
import { makeReadApart, makeReading } from './recovery/reading'
import { makeTake, tellStanding } from './receive'
import { makeRooms } from './rooms/rooms'
import { makeSend } from './send'
import { makeTeamRooms, readTeamRoom } from './rooms/team-rooms'

/** What the registration file says (AS API §Registration), as far as it is needed to run. */
export interface Registered { id: string; as_token: string; hs_token: string; sender_localpart: string; namespaces: Namespaces }

export interface MatrixConfig {
  homeserverUrl: string
  domain: string
  registration: Registered
  listen: { host: string, port: number }
  acceptInvitesFrom: string[] // MXIDs, or ':domain' for everybody of a domain
  notHeardFrom: string[] // MXIDs; a star stands for the rest of a localpart
  mediaBytesMax: number
}

/** How we reach the homeserver and it reaches us: over HTTP, if nothing else is given. */
export interface Wire { exchange?: Exchange; listen: typeof openEndpoint }

export const NAME = 'matrix'
const CAN: Capabilities = {
  label: 'Matrix', ghosts: true, formatting: true, files: 'upload', edits: true, deletions: true,
  textBytesMax: 12_000, // an edit holds body and HTML twice, and an event has 65536 bytes (CS API §Size limits)
  window: 1, // HTTP keeps no order
  afterCrash: 'resend', giveUpAfterMs: 3 * 24 * 3600_000
}
const KEY_BYTES = 12

export const namingOn = (domain: string): Naming => ({
  direct: (ours, theirs) => `${ours} ${theirs}`,
  room: (address, what) => `#${GHOST_PREFIX}${address}_${what}:${domain}`,
  person: written => /^@[^:\s]+:[^\s]+$/.test(written) ? written : undefined,
  serves: ours => ours.endsWith(`:${domain}`)
})

export const makeMatrix = (config: MatrixConfig, world: World, { exchange, listen }: Wire = { listen: openEndpoint }): Network => {
  const { clock, chance, memory, log } = world
  const { domain, registration } = config
  const bot = `@${registration.sender_localpart}:${domain}`
  const isOurs = (mxid: string): boolean => isOursOf(mxid, bot, domain) || addresses.has(mxid)
  const stopping = new AbortController()
  let inbox: Inbox | undefined
  let attending = false
  let take: Take | undefined
  let endpoint: Endpoint | undefined
  let bringing = 0 // transactions under way
  let readFor: string | undefined // the transaction because of whose coming again all was read
  const gap = makeGap(clock, stopping.signal)
  const isMadeByUs = ({ id }: Place): boolean => readTeamRoom(id, domain) !== undefined

  const linkChanged = (name: string) => (up: boolean, detail?: string): void => { inbox?.link(NAME, name, up, detail) }
  const intake = makeIntake(linkChanged('intake'))
  const homeserverChanged = (up: boolean, detail?: string): void => {
    if (!up) {
      finding.lost()
      gap.suspect()
    }
    linkChanged('homeserver')(up, detail)
  }
  const homeserver = makeHomeserver(config.homeserverUrl, registration.as_token, { lost: why => link.lost(why) }, exchange)
  const link = makeLink({
    clock, chance, changed: homeserverChanged,
    probe: () => homeserver.call('GET', 'client/v3/account/whoami'),
    found: () => found()
  })
  const rooms = makeRooms({
    homeserver, memory, clock, chance, log, bot, serviceId: registration.id, changed: linkChanged('rooms'),
    isMadeByUs,
    stands: (place, standing) => tellStanding(inbox, { place, standing, key: chance.token(KEY_BYTES), at: clock.now() }),
    expelled: room => expelled(room),
    readAnew: room => backlog.read(room)
  })
  const members = makeMembers(homeserver, clock, stopping.signal)
  const uploader = makeUploader(homeserver, world.media)
  const ghosts = makeGhosts({ homeserver, uploader, memory, clock, log, bot, domain })
  const expelled = makeExpelled({ ghosts, clock, chance, log, signal: stopping.signal, isOut: rooms.isOut })
  const addresses = makeAddresses({
    homeserver, ghosts, memory, clock, chance, log, domain, namespaces: registration.namespaces, changed: linkChanged('addresses')
  })
  const catchingUp = (): CatchUpWorld => {
    if (!inbox || !take) throw new Bug('reading before start')
    return { homeserver, inbox, take, memory, clock, log, signal: stopping.signal, bot, isOut: rooms.isOut }
  }

  const backlog = makeBacklog({
    clock, chance, log, signal: stopping.signal, bot, readOn: makeReadApart(catchingUp, domain),
    fails: (room, failing) => { if (rooms.placeOf(room)) intake.room(room, failing) }
  })
  const direct = makeDirect({
    homeserver, addresses, memory, clock, chance, log, signal: stopping.signal, network: NAME, domain, isOurs,
    backlog, isAttended: room => rooms.placeOf(room) !== undefined, encrypted: room => news.encrypted(room)
  })
  const teamRooms = makeTeamRooms({ homeserver, rooms, memory, log, bot, domain, isOurs })
  const { readNews, toBacklog } = makeReading({ rooms, direct, backlog, clock, bot, isMadeByUs, world: catchingUp })
  const { send, upload, find } = makeSend({
    homeserver, ghosts, rooms, direct, teamRooms, uploader, clock, bot, domain, mediaBytesMax: config.mediaBytesMax
  })
  const news = makeRoomNews({
    homeserver, rooms, direct, addresses, teamRooms, ghosts, memory, log, bot, isOurs, acceptFrom: config.acceptInvitesFrom
  })

  const finding = makeFinding({
    clock, chance, log, signal: stopping.signal, gap, readNews, intake: intake.is,
    async prepare () {
      await ghosts.prepare()
      rooms.check()
      addresses.check()
      await rooms.settled()
    },
    ping: attempt => homeserver.call('POST', `client/v1/appservice/${encode(registration.id)}/ping`, {
      body: { transaction_id: `ping${attempt}` }, signal: stopping.signal
    }),
    isBringing: () => bringing > 0
  })
  const found = (): void => { if (inbox) void finding.found() }

  const transaction = async (events: unknown[], id: string): Promise<void> => {
    const turn = gap.turn(id)
    const inVain = readFor === id && finding.readingMs() > WAIT_MS // it came again because reading takes long: once more would never end
    if (turn === 'anew' || (turn === 'again' && !inVain && !gap.now())) {
      gap.suspect()
      found()
    }
    if (turn === 'again') readFor = id
    link.ask() // who pushes is there
    bringing++
    const crowded = new Set<string>()
    try {
      await gap.wait()
      if (!take) throw new Bug('a transaction before start')
      await take(events.filter(event => !backlog.leaves(event)), room => {
        if (backlog.has(room)) return
        crowded.add(room)
        backlog.hold(room)
      })
      await toBacklog(crowded)
      intake.is()
    } catch (error) {
      intake.is(messageOf(error))
      for (const room of crowded) backlog.release(room) // all of it comes again
      finding.troubled()
      throw error
    } finally {
      bringing--
    }
  }

  return {
    name: NAME, can: CAN, naming: namingOn(domain),
    serve: identities => addresses.serve(identities),
    attend (places) {
      attending ||= places.length > 0
      rooms.attend(places)
    },
    async start (given) {
      inbox = given
      inbox.link(NAME, 'homeserver', false, 'not reached yet')
      if (attending) inbox.link(NAME, 'rooms', false, 'not in the rooms yet')
      take = makeTake({ network: NAME, inbox, rooms, direct, members, news, clock, bot, isOurs, isUnheard: isAmong(config.notHeardFrom) })
      endpoint = await listen({ hsToken: registration.hs_token, ...config.listen, log, take: transaction })
      link.ask()
    },
    send, upload, find,
    forget: makeForgetting({ homeserver, rooms, ghosts, direct, teamRooms, memory, bot, isOurs, isMadeByUs }),
    open: (ref, signal) => openMedia({ homeserver, clock, bytesMax: config.mediaBytesMax }, ref, signal),
    async stop () {
      stopping.abort()
      link.stop()
      rooms.stop()
      direct.stop()
      addresses.stop()
      await endpoint?.close()
    }
  }
}
