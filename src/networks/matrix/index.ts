/**
 * Matrix, as an application service of the business's own homeserver. Events come in by transactions that are stored before they
 * are answered; everything that is said goes out under ghosts, exactly once. A homeserver that is down is waited for.
 */
import { backoffMs } from '../../lib/backoff'
import { sleep } from '../../lib/clock'
import { Bug, messageOf } from '../../model/errors'
import type { Capabilities, Inbox, Network, World } from '../../model/network'
import { makeBehind } from './behind'
import { catchUp, type ReadUpTo } from './catchup'
import { openEndpoint, type Endpoint } from './endpoint'
import { makeGhosts } from './ghosts'
import { encode, makeHomeserver } from './homeserver'
import { makeInvitations } from './invitations'
import { makeLink } from './link'
import { makeMembers } from './members'
import { makeUploader, openMedia } from './media'
import { isOurs as isOursOf } from './names'
import { makeTake, type Take } from './receive'
import { makeRooms } from './rooms'
import { makeSend } from './send'

/** What the registration file says (AS API §Registration), as far as it is needed to run. */
export interface Registered { id: string; as_token: string; hs_token: string; sender_localpart: string }

export interface MatrixConfig {
  homeserverUrl: string
  domain: string
  registration: Registered
  listen: { host: string, port: number }
  acceptInvitesFrom: string[] // MXIDs, or ':domain' for everybody of a domain
  mediaBytesMax: number
}

const NAME = 'matrix'
const CAN: Capabilities = {
  label: 'Matrix', ghosts: true, formatting: true, files: 'upload', edits: true, deletions: true,
  textBytesMax: 12_000, // an edit holds body and HTML twice, and an event has 65536 bytes (CS API §Size limits)
  window: 1, // HTTP keeps no order
  afterCrash: 'resend', giveUpAfterMs: 3 * 24 * 3600_000, optOut: false
}
const UNREACHED = 'the homeserver does not reach us; check the url in the registration, and that the homeserver has read it'
const PING_FIRST_MS = 1000
const PING_MOST_MS = 60_000
const AGAIN_FIRST_MS = 1000
const AGAIN_MOST_MS = 60_000
const LOOK_AGAIN_MS = [3_000, 30_000]

export const makeMatrix = (config: MatrixConfig, world: World): Network => {
  const { clock, chance, memory, log } = world
  const { domain, registration } = config
  const bot = `@${registration.sender_localpart}:${domain}`
  const isOurs = (mxid: string): boolean => isOursOf(mxid, bot, domain)
  const stopping = new AbortController()
  let inbox: Inbox | undefined
  let attending = false
  let take: Take | undefined
  let endpoint: Endpoint | undefined
  let generation = 0 // of `found`: a new one takes over from one that is still trying
  const behind = makeBehind(clock, stopping.signal)

  const linkChanged = (name: string) => (up: boolean, detail?: string): void => { inbox?.link(NAME, name, up, detail) }
  const homeserverChanged = (up: boolean, detail?: string): void => {
    if (!up) {
      generation++
      behind.suspect()
    }
    linkChanged('homeserver')(up, detail)
  }
  const homeserver = makeHomeserver(config.homeserverUrl, registration.as_token, {
    reached: () => link.reached(), lost: why => link.lost(why)
  })
  const link = makeLink({
    clock, chance, changed: homeserverChanged,
    probe: () => homeserver.call('GET', 'client/v3/account/whoami'),
    found: () => { void found() }
  })
  const rooms = makeRooms({
    homeserver, memory, clock, chance, log, bot, serviceId: registration.id, changed: linkChanged('rooms')
  })
  const members = makeMembers(homeserver, clock)
  const uploader = makeUploader(homeserver, world.media)
  const ghosts = makeGhosts({ homeserver, uploader, memory, clock, log, bot, domain })
  const { send, find } = makeSend({
    homeserver, ghosts, rooms, uploader, memory, clock, bot, domain, mediaBytesMax: config.mediaBytesMax
  })
  const news = makeInvitations({ homeserver, rooms, ghosts, memory, log, bot, isOurs, acceptFrom: config.acceptInvitesFrom })

  /** What is done each time the homeserver is found: rooms, what was missed, a ping so that a backlog comes at once, a second look. */
  const found = async (): Promise<void> => {
    if (!inbox || !take) return
    const mine = ++generation
    const work = { homeserver, inbox, take, log, signal: stopping.signal }
    for (let attempt = 1; mine === generation && !stopping.signal.aborted; attempt++) {
      try {
        await ghosts.prepare()
        rooms.check()
        await rooms.settled()
        const read = await catchUp(work, rooms.joined())
        if (mine === generation) behind.caughtUp()
        await ping(mine)
        return await lookAgain(mine, read)
      } catch (error) {
        log.warn({ why: messageOf(error) }, 'could not catch up; trying again')
        await sleep(clock, backoffMs(chance, attempt, AGAIN_FIRST_MS, AGAIN_MOST_MS), stopping.signal)
      }
    }
  }

  /** AS API §Pinging: until the homeserver says that it reaches us. */
  const ping = async (mine: number): Promise<void> => {
    const path = `client/v1/appservice/${encode(registration.id)}/ping`
    for (let attempt = 1; mine === generation && !stopping.signal.aborted; attempt++) {
      try {
        await homeserver.call('POST', path, { body: { transaction_id: `ping${attempt}` }, signal: stopping.signal })
        return
      } catch (error) {
        if (attempt === 1) log.warn({ why: messageOf(error) }, UNREACHED)
        await sleep(clock, backoffMs(chance, attempt, PING_FIRST_MS, PING_MOST_MS), stopping.signal)
      }
    }
  }

  /** See catchup.ts. A failure here is one of the link, after which everything is read again. */
  const lookAgain = async (mine: number, read: ReadUpTo[]): Promise<void> => {
    if (!inbox || !take) return
    for (const ms of LOOK_AGAIN_MS) {
      await sleep(clock, ms, stopping.signal)
      if (mine !== generation || stopping.signal.aborted) return
      await catchUp({ homeserver, inbox, take, log, signal: stopping.signal }, read)
        .catch(error => log.info({ why: messageOf(error) }, 'could not look again for what was missed'))
    }
  }

  const transaction = async (events: unknown[], id: string): Promise<void> => {
    if (behind.restarted(id)) {
      behind.suspect()
      void found()
    }
    link.ask() // who pushes is there
    await behind.wait()
    if (!take) throw new Bug('a transaction before start')
    await take(events)
  }

  return {
    name: NAME, can: CAN,
    attend (places) {
      attending ||= places.length > 0
      rooms.attend(places)
    },
    async start (given) {
      inbox = given
      inbox.link(NAME, 'homeserver', false, 'not reached yet')
      if (attending) inbox.link(NAME, 'rooms', false, 'not in the rooms yet')
      take = makeTake({ network: NAME, inbox, rooms, members, news, clock, isOurs })
      endpoint = await openEndpoint({ hsToken: registration.hs_token, ...config.listen, log, take: transaction })
      link.ask()
    },
    send, find,
    open: (ref, signal) => openMedia({ homeserver, clock, bytesMax: config.mediaBytesMax }, ref, signal),
    async stop () {
      stopping.abort()
      link.stop()
      rooms.stop()
      await endpoint?.close()
    }
  }
}
