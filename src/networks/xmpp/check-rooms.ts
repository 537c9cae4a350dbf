/**
 * The XMPP rooms of mirrors and the room service for teams in `zentrale check`. It logs in as the component, so it cannot run while Zentrale
 * does. It enters each existing room for a moment, because a room shows in no other way whom it lets in.
 */
import type { Chance } from '../../lib/chance'
import { deadline, type Clock } from '../../lib/clock'
import { silentLog } from '../../lib/log'
import { messageOf } from '../../model/errors'
import type { World } from '../../model/network'
import { type Finding, runProbe, Wrong } from '../../settings/probe'
import type { XmppConfig } from '.'
import { ARCHIVE, INFO } from './muc/room'
import { conditionOf } from './wire/stanza-errors'
import { type Stream, makeStream } from './wire/stream'
import { child, el, type Element, elementsIn } from './wire/xml'

const MUC = 'http://jabber.org/protocol/muc'
const ANSWER_TIMEOUT_MS = 10_000
const TOKEN_BYTES = 9

interface Session {
  stream: Stream; passwords: Readonly<Record<string, string>>; domain: string; me: string; clock: Clock; chance: Chance
  next (from: string): Promise<Element>
}

/** Logs in, works, and logs out. Throws if it cannot log in in time. */
const session = async <T>(config: XmppConfig, clock: Clock, chance: Chance, work: (session: Session) => Promise<T>): Promise<T> => {
  const stream = makeStream(config.component, { clock, chance, log: silentLog, fence () {} } as World)
  const waiting = new Map<string, (stanza: Element) => void>() // one for each room that is being entered
  const { signal, done } = deadline(clock, ANSWER_TIMEOUT_MS)
  const { component: { domain }, passwords = {} } = config
  try {
    await new Promise<void>((resolve, reject) => {
      signal.addEventListener('abort', () => reject(signal.reason as Error))
      stream.start({
        up: resolve, down: why => reject(new Error(why)), dropped: () => {},
        stanza: stanza => { if (stanza.name === 'presence') waiting.get(stanza.attrs.from?.split('/')[0] ?? '')?.(stanza) }
      })
    })
    return await work({
      stream, passwords, domain, clock, chance, me: `zentrale@${domain}/check`,
      next: from => new Promise((resolve, reject) => {
        const limit = clock.after(ANSWER_TIMEOUT_MS, () => reject(new Error('no answer')))
        waiting.set(from, stanza => {
          if (!isMine(stanza)) return
          waiting.delete(from)
          limit.cancel()
          resolve(stanza)
        })
      })
    })
  } finally {
    done()
    await stream.stop()
  }
}

const userOf = (stanza: Element): Element | undefined => child(stanza, 'x', `${MUC}#user`)
const statusesOf = (stanza: Element): (string | undefined)[] => elementsIn(userOf(stanza) ?? stanza)
  .flatMap(({ name, attrs }) => name === 'status' ? [attrs.code] : [])
const isMine = (stanza: Element): boolean => stanza.attrs.type === 'error' || statusesOf(stanza).includes('110')

/** What an address is and can (XEP-0030); or the error's condition. */
const about = async ({ stream, me }: Session, jid: string): Promise<{ features: Set<string>, kinds: string[] } | { condition: string }> => {
  const answer = await stream.ask('get', me, jid, el('query', { xmlns: INFO }))
  if (answer.attrs.type === 'error') return { condition: conditionOf(answer).name }
  const parts = elementsIn(child(answer, 'query', INFO) ?? answer)
  return {
    features: new Set(parts.flatMap(({ name, attrs }) => name === 'feature' ? [attrs.var ?? ''] : [])),
    kinds: parts.flatMap(({ name, attrs }) => name === 'identity' ? [attrs.category ?? ''] : [])
  }
}

/** Resolves with our own presence in the room, or with the room's error. */
const enter = async ({ stream, passwords, me, next }: Session, room: string): Promise<Element> => {
  const answer = next(room)
  stream.send(el('presence', { from: me, to: `${room}/Zentrale (check)` }, el('x', { xmlns: MUC },
    el('history', { maxstanzas: '0' }), passwords[room] === undefined ? undefined : el('password', {}, passwords[room]))))
  return await answer
}

const leave = ({ stream, me }: Session, stanza: Element): void => {
  stream.send(el('presence', { from: me, to: stanza.attrs.from, type: 'unavailable' }))
}

const membersAdvice = (domain: string): string =>
  `Make zentrale@${domain} an owner or admin of the room (in an app: room settings, affiliations), not the domain: then it makes everybody
who speaks there from elsewhere a member. On ejabberd: ejabberdctl set_room_affiliation ROOM SERVICE zentrale@${domain} admin`

const REFUSALS: Record<string, (domain: string, password?: string) => [found: string, advice: string]> = {
  'registration-required': domain => ['is for members only, and we are not members', membersAdvice(domain)],
  forbidden: domain => ['has banned us', `Lift the ban on ${domain} in the room's settings`],
  'not-authorized': (_domain, password) => password === undefined
    ? ['asks for a password', 'Write the room and its password under xmpp.passwords']
    : ['does not take the password', 'Write the right one under xmpp.passwords'],
  gone: () => ['was destroyed', 'Write the address of the room that replaces it. A Zentrale that was in it follows by itself'],
  'item-not-found': () => ['is locked: whoever made it has not set it up yet', 'Its owner must save its settings once']
}

const ARCHIVE_ADVICE = `Of what is said while Zentrale is down, only the last messages are carried that the room shows on entering, often 20.
Switch an archive on in the room's settings, or for all rooms:
    Prosody, below Component … "muc":   modules_enabled = { "muc_mam" }
                                        muc_log_by_default = true
    ejabberd, below modules:            mod_mam: {}
              and below mod_muc, if it is not there: default_room_options: { mam: true }`

/** What is wrong with a room without keeping us from mirroring it. */
const remarks = (room: string, features: Set<string>): Finding[] => features.has(ARCHIVE) ? []
  : [{ what: `XMPP room ${room}`, found: 'has no archive (XEP-0313)', advice: ARCHIVE_ADVICE, mild: true }]

const makingAdvice = (service: string, domain: string): string => `Prosody, below Component "${service}" "muc":
    restrict_room_creation = false
ejabberd, in ejabberd.yml:
    acl:
      zentrale:
        server: ${domain}
    access_rules:
      muc_create:
        - allow: local
        - allow: zentrale
  and below mod_muc, if it is not there: access_create: muc_create`

/** Makes a room whose name nobody can guess, and removes it. */
const mayMakeRooms = async (at: Session, service: string): Promise<string> => {
  const info = await about(at, service)
  if ('condition' in info || !info.kinds.includes('conference')) {
    throw new Wrong('condition' in info ? `is not there (${info.condition})` : 'is not a room service',
      `Write the room service of your XMPP server as xmpp.rooms. Prosody: Component "${service}" "muc"; ejabberd: mod_muc with hosts: ["${service}"]`)
  }
  const room = `_zentrale-check-${at.chance.token(TOKEN_BYTES).toLowerCase()}@${service}`
  const mine = await enter(at, room)
  if (mine.attrs.type === 'error') throw new Wrong(`does not let us make rooms (${conditionOf(mine).name})`, makingAdvice(service, at.domain))
  await at.stream.ask('set', at.me, room, el('query', { xmlns: `${MUC}#owner` }, el('destroy')))
  return 'is there and lets us make rooms'
}

const lookAtRoom = async (at: Session, room: string): Promise<Finding[]> => {
  let features = new Set<string>()
  const finding = await runProbe(`XMPP room ${room}`, async () => {
    const info = await about(at, room)
    if ('condition' in info && info.condition === 'item-not-found') {
      await mayMakeRooms(at, room.slice(room.indexOf('@') + 1)).catch((error: unknown) => {
        if (!(error instanceof Wrong)) throw error
        throw new Wrong(`is not there, and its service ${error.message}`, `Make it with an app, or:\n${error.advice}`)
      })
      features.add(ARCHIVE) // whether it has one is known only once it is made
      return 'is not there yet; Zentrale makes it when it starts'
    }
    if ('condition' in info && info.condition === 'gone') throw new Wrong(...REFUSALS.gone!(at.domain))
    if ('condition' in info) throw new Wrong(`cannot be looked at (${info.condition})`, 'Is its address right, and does its server run?')
    features = info.features
    const mine = await enter(at, room)
    if (mine.attrs.type === 'error') {
      const { name } = conditionOf(mine)
      const [found, advice] = REFUSALS[name]?.(at.domain, at.passwords[room]) ?? [`does not let us in (${name})`, 'Look at the settings of the room']
      throw new Wrong(found, advice)
    }
    leave(at, mine)
    const role = child(userOf(mine) ?? mine, 'item')?.attrs.role
    if (role === 'visitor') {
      throw new Wrong('is moderated, and we have no voice in it',
        `Make zentrale@${at.domain} an owner or admin of the room, or switch off moderation in the room's settings`)
    }
    return 'is there and lets us in'
  })
  return [finding, ...finding.advice === undefined ? remarks(room, features) : []]
}

/** `rooms`: of mirrors; `ofTeams`: whether rooms for teams are needed too. */
export const checkRooms = async (config: XmppConfig, { rooms, ofTeams }: { rooms: string[], ofTeams: boolean }, clock: Clock,
  chance: Chance): Promise<Finding[]> => {
  const service = ofTeams ? config.rooms : undefined
  if (rooms.length === 0 && service === undefined) return []
  try {
    return await session(config, clock, chance, async at => {
      const findings = service === undefined ? [] : [await runProbe(`XMPP room service ${service}`, () => mayMakeRooms(at, service))]
      for (const room of rooms) findings.push(...await lookAtRoom(at, room))
      return findings
    })
  } catch (error) {
    return [{ what: 'XMPP rooms', found: `could not be looked at (${messageOf(error)})`, advice: 'Try again' }]
  }
}
