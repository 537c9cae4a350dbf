/**
 * Matrix, as an application service of the business's own homeserver. Events come in by transactions that are stored before they
 * are answered; everything that is said goes out under ghosts, exactly once. A homeserver that is down is waited for.
 */
import { backoffMs } from '../../lib/backoff'
import { sleep } from '../../lib/clock'
import type { Place } from '../../model/address'
import { Bug, messageOf } from '../../model/errors'
import type { Capabilities, Inbox, Naming, Network, World } from '../../model/network'
import { makeAddresses, type Namespaces } from './addresses'
import { makeAside } from './aside'
import { makeBehind, WAIT_MS } from './behind'
import { catchUp, type CatchUpWorld, type ReadUpTo, type Take } from './catchup'
import { makeDirect } from './direct'
import { openEndpoint, type Endpoint } from './endpoint'
import { makeGhosts } from './ghosts'
import { encode, makeHomeserver, type Exchange } from './homeserver'
import { makeInvitations } from './invitations'
import { makeLink } from './link'
import { makeMembers } from './members'
import { makeUploader, openMedia } from './media'
import { GHOST_PREFIX, isOurs as isOursOf } from './names'
import { makeReading } from './reading'
import { makeTake } from './receive'
import { makeRooms } from './rooms'
import { makeSend } from './send'
import { makeTeamRooms, readTeamRoom } from './teamRooms'

/** What the registration file says (AS API §Registration), as far as it is needed to run. */
export interface Registered { id: string; as_token: string; hs_token: string; sender_localpart: string; namespaces: Namespaces }

export interface MatrixConfig {
  homeserverUrl: string
  domain: string
  registration: Registered
  listen: { host: string, port: number }
  acceptInvitesFrom: string[] // MXIDs, or ':domain' for everybody of a domain
  mediaBytesMax: number
}

/** How we reach the homeserver and it reaches us: over HTTP, if nothing else is given. */
export interface Wire { exchange?: Exchange; listen: typeof openEndpoint }

const NAME = 'matrix'
const CAN: Capabilities = {
  label: 'Matrix', ghosts: true, formatting: true, files: 'upload', edits: true, deletions: true,
  textBytesMax: 12_000, // an edit holds body and HTML twice, and an event has 65536 bytes (CS API §Size limits)
  window: 1, // HTTP keeps no order
  afterCrash: 'resend', giveUpAfterMs: 3 * 24 * 3600_000
}
const UNREACHED = 'the homeserver does not reach us; check the url in the registration, and that the homeserver has read it'
const PING_FIRST_MS = 1000
const PING_MOST_MS = 60_000
const AGAIN_FIRST_MS = 1000
const AGAIN_MOST_MS = 60_000
const LOOK_AGAIN_MS = [3_000, 30_000, 600_000] // the last again and again

export const namingOn = (domain: string): Naming => ({
  direct: (ours, theirs) => `${ours} ${theirs}`,
  room: (address, what) => `#${GHOST_PREFIX}${address}_${what}:${domain}`,
  person: written => /^@[^:\s]+:[^\s]+$/.test(written) ? written : undefined
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
  let generation = 0 // of `found`: a new one takes over from one that is still trying
  let bringing = 0 // transactions under way
  let readFor: string | undefined // the transaction because of whose coming again all was read
  let readingMs = 0 // how long that took
  let trouble = new AbortController() // the homeserver will have to bring something again
  const behind = makeBehind(clock, stopping.signal)

  const isMadeByUs = ({ id }: Place): boolean => readTeamRoom(id, domain) !== undefined

  const linkChanged = (name: string) => (up: boolean, detail?: string): void => { inbox?.link(NAME, name, up, detail) }
  let standing = false
  /** Whether events come in, and if not, why. Shows as a link from the first trouble on. */
  const intake = (trouble?: string): void => {
    if (standing === (trouble !== undefined)) return
    standing = !standing
    linkChanged('intake')(!standing, trouble)
  }
  const homeserverChanged = (up: boolean, detail?: string): void => {
    if (!up) {
      generation++
      behind.suspect()
    }
    linkChanged('homeserver')(up, detail)
  }
  const homeserver = makeHomeserver(config.homeserverUrl, registration.as_token, { lost: why => link.lost(why) }, exchange)
  const link = makeLink({
    clock, chance, changed: homeserverChanged,
    probe: () => homeserver.call('GET', 'client/v3/account/whoami'),
    found: () => { void found() }
  })
  const rooms = makeRooms({
    homeserver, memory, clock, chance, log, bot, serviceId: registration.id, changed: linkChanged('rooms'),
    isMadeByUs
  })
  const members = makeMembers(homeserver, clock, stopping.signal)
  const uploader = makeUploader(homeserver, world.media)
  const ghosts = makeGhosts({ homeserver, uploader, memory, clock, log, bot, domain })
  const addresses = makeAddresses({
    homeserver, ghosts, memory, clock, chance, log, domain, namespaces: registration.namespaces, changed: linkChanged('addresses')
  })
  const catchingUp = (): CatchUpWorld => {
    if (!inbox || !take) throw new Bug('reading before start')
    return { homeserver, inbox, take, memory, log, signal: stopping.signal, bot }
  }

  const aside = makeAside({
    clock, chance, log, signal: stopping.signal, readOn: async room => (await catchUp(catchingUp(), [room]))[0]
  })
  const direct = makeDirect({
    homeserver, addresses, memory, clock, chance, log, signal: stopping.signal, network: NAME, domain, isOurs,
    aside
  })
  const teamRooms = makeTeamRooms({ homeserver, rooms, memory, log, bot, domain, isOurs })
  const { readNews, setAside } = makeReading({ rooms, direct, aside, clock, bot, isMadeByUs, world: catchingUp })
  const { send, upload, find } = makeSend({
    homeserver, ghosts, rooms, direct, teamRooms, uploader, clock, bot, domain, mediaBytesMax: config.mediaBytesMax
  })
  const news = makeInvitations({
    homeserver, rooms, direct, addresses, teamRooms, ghosts, memory, log, bot, isOurs, acceptFrom: config.acceptInvitesFrom
  })

  /** What is done each time the homeserver is found: rooms, what was missed, a ping so that a backlog comes at once, a second look. */
  const found = async (): Promise<void> => {
    if (!inbox) return
    const mine = ++generation
    trouble.abort() // who still looks for an earlier one ends
    trouble = new AbortController()
    for (let attempt = 1; mine === generation && !stopping.signal.aborted; attempt++) {
      try {
        await ghosts.prepare()
        rooms.check()
        addresses.check()
        await rooms.settled()
        const began = clock.tick()
        const read = await readNews([])
        readingMs = clock.tick() - began
        if (mine === generation) behind.caughtUp()
        intake()
        await ping(mine)
        return await lookAgain(mine, read)
      } catch (error) {
        if (mine !== generation) return
        intake(`what was missed cannot be read: ${messageOf(error)}`)
        log.warn({ why: messageOf(error) }, 'could not catch up; trying again')
        await sleep(clock, backoffMs(chance, attempt, AGAIN_FIRST_MS, AGAIN_MOST_MS), stopping.signal)
      }
    }
  }

  /** AS API §Pinging: until the homeserver says that it reaches us. */
  const ping = async (mine: number): Promise<void> => {
    const path = `client/v1/appservice/${encode(registration.id)}/ping`
    for (let attempt = 1; mine === generation && !stopping.signal.aborted; attempt++) {
      if (bringing > 0) return // it reaches us, and a ping would have Synapse try the same in two loops
      try {
        await homeserver.call('POST', path, { body: { transaction_id: `ping${attempt}` }, signal: stopping.signal })
        return intake()
      } catch (error) {
        if (!stopping.signal.aborted) intake(UNREACHED)
        if (attempt === 1) log.warn({ why: messageOf(error) }, UNREACHED)
        await sleep(clock, backoffMs(chance, attempt, PING_FIRST_MS, PING_MOST_MS), stopping.signal)
      }
    }
  }

  /** See catchup.ts. A failure here is one of the link, after which everything is read again. */
  const lookAgain = async (mine: number, read: ReadUpTo[]): Promise<void> => {
    let known = read
    for (let looks = 0; ; looks++) {
      await sleep(clock, LOOK_AGAIN_MS[looks] ?? LOOK_AGAIN_MS.at(-1)!, trouble.signal, stopping.signal)
      if (mine !== generation || stopping.signal.aborted) return
      if (trouble.signal.aborted) {
        trouble = new AbortController()
        looks = -1
        continue
      }
      known = await readNews(known).catch((error: unknown) => {
        log.info({ why: messageOf(error) }, 'could not look again for what was missed')
        return known
      })
    }
  }

  const transaction = async (events: unknown[], id: string): Promise<void> => {
    const turn = behind.turn(id)
    const inVain = readFor === id && readingMs > WAIT_MS // it came again because reading takes long: once more would never end
    if (turn === 'anew' || (turn === 'again' && !inVain && !behind.now())) {
      behind.suspect()
      void found()
    }
    if (turn === 'again') readFor = id
    link.ask() // who pushes is there
    bringing++
    const crowded = new Set<string>()
    try {
      await behind.wait()
      if (!take) throw new Bug('a transaction before start')
      await take(events.filter(event => !aside.leaves(event)), room => {
        if (aside.has(room)) return
        crowded.add(room)
        aside.hold(room)
      })
      await setAside(crowded)
      intake()
    } catch (error) {
      intake(messageOf(error))
      for (const room of crowded) aside.release(room) // all of it comes again
      trouble.abort()
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
      take = makeTake({ network: NAME, inbox, rooms, direct, members, news, clock, isOurs })
      endpoint = await listen({ hsToken: registration.hs_token, ...config.listen, log, take: transaction })
      link.ask()
    },
    send, upload, find,
    open: (ref, signal) => openMedia({ homeserver, clock, bytesMax: config.mediaBytesMax }, ref, signal),
    async stop () {
      stopping.abort()
      link.stop()
      rooms.stop()
      addresses.stop()
      await endpoint?.close()
    }
  }
}
