/**
 * What people write encrypted to our addresses.
 * Promises: what is opened is on disk in the same change as the session that it leaves behind, and is offered again after a crash until it is stored;
 * the same stanza again is dropped; what cannot be opened is an arrival all the same, its writer hears of it, and the session begins anew. What
 * somebody says keeps its order, encrypted or not. At most WAITING_ONE_MAX stanzas of one chat wait, and WAITING_MAX of all.
 */
import { createHash } from 'node:crypto'
import { makeAllowance } from '../../../lib/allowance'
import type { Clock } from '../../../lib/clock'
import type { Log } from '../../../lib/log'
import { makeShares } from '../../../lib/shares'
import type { Turns } from '../../../lib/turns'
import { Malformed, messageOf } from '../../../model/errors'
import type { Identity } from '../../../model/network'
import { type DirectReceiver, namedIn } from '../direct/receive'
import { directPlace, type Ends } from '../direct/place'
import { bareOf, personOf, serverOf } from '../names'
import { CORRECT, encryptionOf, isAutomatic, reactionsIn, retractedIn } from '../text/content'
import type { Stream } from '../wire/stream'
import { child, el, type Element, textOf, type Xml } from '../wire/xml'
import { AXOLOTL, encryptedIn, readEncrypted, saysIn, senderIn, withWords } from './elements'
import { fingerprintOf, type Fresh } from './keys'
import { type Chat, chatChange, heardAs, type Kept, sessionsChange, type Taken, takenChange, withClear, withoutClear } from './kept'
import { keysFor, meOf, type Own, without } from './own'
import type { Owns } from './owns'
import { openText } from './payload'
import type { Peers } from './peers'
import { answer, open, type Opened, type Session, wasOpened, type Wire } from './ratchet'
import { type Sealing, withDevices, withSession } from './sealing'
import { MAC_BYTES, readPreKeyMessage } from './wire'

const WAITING_ONE_MAX = 64
const WAITING_MAX = 512
const HEAL_AGAIN_MS = 10 * 60_000
const HEALED_MAX = 5_000 // devices
const HEALS_MAX = 300 // in a minute
const HEALS_ONE_MAX = 30 // of them for one server
const QUIET_MAX = 53 // messages without an answer, then they get one without words
const KEY_BYTES = 18

export interface OpeningParts {
  kept: Kept; owns: Owns; peers: Peers; sealing: Sealing; turns: Turns; fresh: Fresh; clock: Clock; log: Log; life: string
  stream: Pick<Stream, 'send'>
  receiver: DirectReceiver
  /** Whoever cannot be read hears of it, encrypted if that is possible. */
  tell (ends: Ends): void
}

export interface Opening {
  /** As the receiver takes it: what is not to be opened, it takes at once. */
  message: DirectReceiver['message']
  /** From now on, what cannot be stored any more is kept for the next life. */
  stop (): void
  /** Offers what was opened in an earlier life and is not stored. */
  resume (addresses: (jid: string) => Identity | undefined): Promise<void>
}

/** What came of a key: the sessions with its device, and the one-time key of ours that it used up. */
interface Tried { opened: Opened; sessions: Session[]; used?: number | undefined; isNew: boolean }

/** The session as it is now: if they have turned the ratchet, we have drawn a new pair. */
const drawn = (before: Session, { session }: Opened, life: string): Session =>
  session.mine.pub.equals(before.mine.pub) ? session : { ...session, life }

/** Undefined if this very message was opened before. Throws Malformed. */
const tryKey = (own: Own, before: Session[], { prekey, bytes }: Wire, fresh: Fresh, life: string): Tried | undefined => {
  const first = prekey ? readPreKeyMessage(bytes) : undefined
  const message = first?.message ?? bytes
  if (before.some(session => wasOpened(session, message))) return undefined
  const me = meOf(own)
  const among = first === undefined ? before : before.filter(({ base }) => base.equals(first.base))
  if (first !== undefined && among.length === 0) {
    const { signed, one } = keysFor(own, first)
    const answered = answer(me, first, signed, one)
    const opened = open(me, answered, message, fresh)
    return { opened, sessions: withSession(before, undefined, drawn(answered, opened, life)), used: first.one, isNew: true }
  }
  let failure: unknown = new Malformed('no session with this device')
  for (const session of among) {
    try {
      const opened = open(me, session, message, fresh)
      return { opened, sessions: withSession(before, session, drawn(session, opened, life)), isNew: false }
    } catch (error) {
      failure = error
    }
  }
  throw failure
}

/** Words, in the clear, that somebody wrote themselves. Reactions and retractions are never encrypted. */
const speaksInClear = (message: Element): boolean =>
  ['body', 'subject'].some(name => textOf(child(message, name)).trim() !== '') && message.attrs.type !== 'headline' &&
  [encryptionOf, encryptedIn, reactionsIn, retractedIn].every(found => found(message) === undefined) && !isAutomatic(message)

const correctedIn = (message: Element): string | undefined => child(message, 'replace', CORRECT)?.attrs.id

/** A stanza without an id gets one that stays the same. */
const withId = (stanza: Element, { bytes }: Wire): Element => stanza.attrs.id !== undefined ? stanza
  : { ...stanza, attrs: { ...stanza.attrs, id: createHash('sha256').update(bytes).digest('base64url') } }

/** It is so if they have said nothing encrypted since. */
const inClear = async (kept: Kept, ends: Ends, { last, id }: Cleared): Promise<void> => {
  const chat = await kept.chat(ends)
  const said = id === undefined ? undefined : heardAs(id)
  const now = withClear(chat.last === last && chat.encrypted !== false ? { ...chat, encrypted: false } : chat, said)
  if (now !== chat) await kept.change([chatChange(ends, now)])
}

/** `last`: their last encrypted words when they said it. `id`: that of their stanza. */
interface Cleared { last: string | undefined; id: string | undefined }

/** Called for words that are new: apps, servers and strangers say things again, perhaps after encrypted words. */
const makeClearing = ({ kept, turns, log }: Pick<OpeningParts, 'kept' | 'turns' | 'log'>) => (ends: Ends, cleared: Cleared): void => {
  turns(directPlace(ends.ours, ends.theirs), () => inClear(kept, ends, cleared))
    .catch((error: unknown) => log.warn({ why: messageOf(error) }, 'that a chat is in the clear now could not be kept'))
}

/** How many stanzas wait. */
const makeRoom = (): { enter (chat: string): boolean, leave (chat: string): void } => {
  const waiting = new Map<string, number>()
  let all = 0
  return {
    enter (chat) {
      const before = waiting.get(chat) ?? 0
      if (before >= WAITING_ONE_MAX || all >= WAITING_MAX) return false
      waiting.set(chat, before + 1)
      all++
      return true
    },
    leave (chat) {
      const left = (waiting.get(chat) ?? 1) - 1
      all--
      if (left === 0) waiting.delete(chat)
      else waiting.set(chat, left)
    }
  }
}

export const makeOpening = ({
  kept, owns, peers, sealing, turns, fresh, clock, log, life, stream, receiver, tell
}: OpeningParts): Opening => {
  const room = makeRoom()
  const healed = makeShares<number>(HEALED_MAX) // when, by chat and device
  const heals = makeAllowance(clock, HEALS_MAX, HEALS_ONE_MAX)
  const isInClear = makeClearing({ kept, turns, log })
  const never = new AbortController().signal
  let number = 0
  let stopped = false

  const sendEmpty = (ends: Ends, device: number, anew: boolean): void => {
    sealing.empty(ends, device, anew, never).then(xml => {
      if (xml === undefined) return
      const id = `omemo.${fresh(KEY_BYTES).toString('base64url')}`
      const content: Xml[] = xml
      stream.send(el('message', { type: 'chat', from: ends.ours, to: ends.theirs, id }, ...content))
    }).catch((error: unknown) => log.info({ device, why: messageOf(error) }, 'a session could not be kept going'))
  }

  const heal = (ends: Ends, device: number): void => {
    const name = `${directPlace(ends.ours, ends.theirs)} ${device}`
    if (clock.tick() - (healed.get(name) ?? -Infinity) < HEAL_AGAIN_MS || !heals.take([serverOf(ends.theirs)])) return
    healed.put(name, { group: serverOf(ends.theirs), owner: ends.theirs }, clock.tick())
    sendEmpty(ends, device, true)
  }

  const store = (taken: number, { stanza, rekeyed }: Taken, to: Identity): void => {
    const over = (): void => {
      kept.change([takenChange(taken, undefined)]).catch((error: unknown) => log.warn({ why: messageOf(error) }, 'what is stored is still kept'))
    }
    const beyond = (): void => {
      if (stopped) return
      over()
      receiver.refuse(stanza)
    }
    receiver.message(stanza, to, { sealed: true, rekeyed, done: over, beyond })
  }

  const unread = async (stanza: Element, to: Identity, ends: Ends, why: unknown): Promise<void> => {
    log.info({ address: ends.ours, why: messageOf(why) }, 'an encrypted message cannot be opened')
    await kept.change([chatChange(ends, { ...await kept.chat(ends), encrypted: true, last: fresh(KEY_BYTES).toString('base64url') })])
    receiver.message(stanza, to, owns.isOn(ends.ours) ? { unread: () => tell(ends) } : { stays: true })
  }

  const opened = async (stanza: Element, encrypted: Element, to: Identity, ends: Ends): Promise<void> => {
    const own = owns.of(ends.ours)
    if (own === undefined || !owns.isOn(ends.ours)) throw new Malformed('we have no keys, or encryption is off')
    const { from, key, iv, payload } = readEncrypted(encrypted, own.device)
    if (key === undefined) throw new Malformed('it is for other devices')
    const before = await kept.sessions(ends, from)
    const tried = tryKey(own, before, key, fresh, life)
    if (tried === undefined) return log.info({ address: ends.ours }, 'an encrypted message came again')
    const { opened: { session, data, counter }, sessions, used, isNew } = tried
    const words = payload && openText({ iv, secret: data, payload })
    const isOther = isNew && before[0]?.them.equals(session.them) === false
    if (isOther) log.warn({ address: ends.ours, device: from }, 'a device of a contact has another identity now')
    const clear = words === undefined ? undefined : withId(withWords(stanza, words), key)
    const { rekeyed: untold, ...chat } = await kept.chat(ends)
    const rekeyed = isOther ? fingerprintOf(session.them) : untold
    const corrected = clear && correctedIn(clear)
    const unclear = [corrected, clear && namedIn(clear)].filter(id => id !== undefined).map(heardAs)
    const tells = clear !== undefined && corrected === undefined // a correction brings no news to the team
    const said: Taken | undefined = clear && { ours: ends.ours, stanza: clear, ...tells && { rekeyed } }
    const taken = number++
    const last = key.bytes.subarray(-MAC_BYTES).toString('base64')
    const heard: Partial<Chat> = { ...clear && { encrypted: true, last }, ...!tells && rekeyed !== undefined && { rekeyed } }
    const now: Chat = { ...unclear.reduce(withoutClear, chat), ...heard }
    await owns.change(ends.ours, own => isNew ? without(own, used, clock.now(), fresh) : own, [
      sessionsChange(ends, from, sessions), ...withDevices(ends, now, [from]),
      ...said === undefined ? [] : [takenChange(taken, said)]
    ])
    if (said !== undefined) store(taken, said, to)
    if (isNew || counter % QUIET_MAX === QUIET_MAX - 1) sendEmpty(ends, from, false)
  }

  const take = async (stanza: Element, to: Identity, ends: Ends): Promise<void> => {
    const encrypted = encryptedIn(stanza)
    if (encrypted === undefined) {
      const { encrypted: before, last } = await kept.chat(ends)
      if (!speaksInClear(stanza)) return receiver.message(stanza, to, { stays: before === true })
      return receiver.message(stanza, to, { done (isNew) { if (isNew) isInClear(ends, { last, id: namedIn(stanza) }) } })
    }
    try {
      peers.wrote(ends.theirs, senderIn(encrypted))
      await opened(stanza, encrypted, to, ends)
    } catch (error) {
      if (!(error instanceof Malformed)) throw error
      if (saysIn(encrypted)) await unread(stanza, to, ends, error)
      else log.info({ address: ends.ours, why: error.message }, 'an encrypted message without words cannot be opened')
      const device = Number(child(encrypted, 'header', AXOLOTL)?.attrs.sid)
      if (Number.isSafeInteger(device)) heal(ends, device)
    }
  }

  return {
    stop () { stopped = true },
    message (stanza, to, fate) {
      const { from = '', to: written = '' } = stanza.attrs
      const ends = { ours: to.id, theirs: personOf(from) }
      if (bareOf(written) !== to.id || (owns.of(to.id) === undefined && !owns.isOn(to.id))) return receiver.message(stanza, to, fate)
      const chat = directPlace(ends.ours, ends.theirs)
      if (!room.enter(chat)) return receiver.refuse(stanza)
      turns(chat, () => take(stanza, to, ends))
        .catch((error: unknown) => {
          log.error({ why: messageOf(error) }, 'what was written to an address could not be taken')
          receiver.refuse(stanza)
        })
        .finally(() => room.leave(chat))
    },
    async resume (addresses) {
      for (const [taken, said] of await kept.taken()) {
        number = Math.max(number, taken + 1)
        const to = addresses(said.ours)
        if (to !== undefined) store(taken, said, to)
        else log.warn({ address: said.ours }, 'what was written to an address that is not served any more was not stored')
      }
    }
  }
}
