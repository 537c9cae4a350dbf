/**
 * A session with one device: X3DH and the double ratchet, as pure functions. Whoever calls them stores the new session before anything that
 * came of it goes out.
 * Promises: a message that cannot be opened changes nothing; each message is opened once; what comes late is opened as long as its key is one
 * of the SKIPPED_MAX newest that were passed over; no message costs more than JUMP_MAX steps of a chain.
 */
import { createCipheriv, createDecipheriv, createHmac, hkdfSync } from 'node:crypto'
import { Malformed } from '../../../model/errors'
import { agree, equal, freshPair, type Fresh, type Identity, type Pair, verify } from './keys'
import { keyBytes, MAC_BYTES, type PreKeyMessage, readMessage, writeMessage, writePreKeyMessage } from './wire'

const SKIPPED_MAX = 1_000 // keys in a session of messages that have not come yet
const JUMP_MAX = 2_000
const OPENED_MAX = 64 // messages that are known again

interface Chain { key: Buffer; next: number }

/**
 * `base`: the key that began it, which names it. `mine`: our newest ratchet pair; `theirs`: their newest ratchet key. `previous`: how many
 * messages our chain before this one had. `begins`: what each of our messages brings until they have answered. `opened`: the newest messages.
 * `life`: of the process that has drawn our newest ratchet pair, for whoever seals.
 */
export interface Session {
  them: Buffer
  base: Buffer
  root: Buffer
  mine: Pair
  theirs?: Buffer
  sending?: Chain
  receiving?: Chain
  previous: number
  skipped: Map<string, Buffer>
  opened: string[]
  begins?: Pick<PreKeyMessage, 'one' | 'signed' | 'base'>
  life?: string
}

/** What somebody publishes so that a session with one of their devices can begin. */
export interface Bundle {
  identity: Buffer
  signed: { id: number, pub: Buffer, signature: Buffer }
  ones: { id: number, pub: Buffer }[]
}

/** `prekey`: it brings what a session begins with. */
export interface Wire { prekey: boolean; bytes: Buffer }

/** `counter`: where the message stands in their chain. */
export interface Opened { session: Session; data: Buffer; counter: number }

const ZEROS = Buffer.alloc(32)
const ONES = Buffer.alloc(32, 0xFF)

const hkdf = (secret: Buffer, salt: Buffer, info: string, bytes: number): Buffer => Buffer.from(hkdfSync('sha256', secret, salt, info, bytes))
const hmac = (key: Buffer, data: Buffer): Buffer => createHmac('sha256', key).update(data).digest()

const rootOf = (...secrets: Buffer[]): Buffer => hkdf(Buffer.concat([ONES, ...secrets]), ZEROS, 'WhisperText', 64).subarray(0, 32)

const stepRoot = (root: Buffer, theirs: Buffer, mine: Pair): { root: Buffer, chain: Chain } => {
  const both = hkdf(agree(theirs, mine.priv), root, 'WhisperRatchet', 64)
  return { root: both.subarray(0, 32), chain: { key: both.subarray(32), next: 0 } }
}

const stepChain = ({ key, next }: Chain): { key: Buffer, chain: Chain } =>
  ({ key: hmac(key, Buffer.from([1])), chain: { key: hmac(key, Buffer.from([2])), next: next + 1 } })

const keysOf = (key: Buffer): { aes: Buffer, mac: Buffer, iv: Buffer } => {
  const all = hkdf(key, ZEROS, 'WhisperMessageKeys', 80)
  return { aes: all.subarray(0, 32), mac: all.subarray(32, 64), iv: all.subarray(64) }
}

const macOf = (key: Buffer, sender: Buffer, receiver: Buffer, authentic: Buffer): Buffer =>
  hmac(key, Buffer.concat([keyBytes(sender), keyBytes(receiver), authentic])).subarray(0, MAC_BYTES)

/** Begins a session from what they published. Throws Malformed if they did not sign it. */
export const begin = (me: Identity, { identity, signed }: Bundle, one: Bundle['ones'][number] | undefined, fresh: Fresh): Session => {
  if (!verify(identity, keyBytes(signed.pub), signed.signature)) throw new Malformed('the signature of a key is wrong')
  const base = freshPair(fresh)
  const secrets = [agree(signed.pub, me.priv), agree(identity, base.priv), agree(signed.pub, base.priv)]
  const mine = freshPair(fresh)
  const { root, chain } = stepRoot(rootOf(...secrets, ...one === undefined ? [] : [agree(one.pub, base.priv)]), signed.pub, mine)
  return {
    them: identity, base: base.pub, root, mine, theirs: signed.pub, sending: chain, previous: 0, skipped: new Map(), opened: [],
    begins: { one: one?.id, signed: signed.id, base: base.pub }
  }
}

/** The session that they began with these keys of ours. Its first message is opened with it. */
export const answer = (me: Identity, { base, identity }: PreKeyMessage, signed: Pair, one: Pair | undefined): Session => {
  const secrets = [agree(identity, signed.priv), agree(base, me.priv), agree(base, signed.priv), ...one === undefined ? [] : [agree(base, one.priv)]]
  return { them: identity, base, root: rootOf(...secrets), mine: signed, previous: 0, skipped: new Map(), opened: [] }
}

export const seal = (me: Identity, session: Session, data: Buffer): { session: Session, wire: Wire } => {
  const { sending, mine, previous, them, begins } = session
  if (sending === undefined) throw new Malformed('nothing has been heard in this session')
  const { key, chain } = stepChain(sending)
  const { aes, mac, iv } = keysOf(key)
  const cipher = createCipheriv('aes-256-cbc', aes, iv)
  const sealed = Buffer.concat([cipher.update(data), cipher.final()])
  const authentic = writeMessage({ ratchet: mine.pub, counter: sending.next, previous, sealed })
  const message = Buffer.concat([authentic, macOf(mac, me.pub, them, authentic)])
  const wire = begins === undefined
    ? { prekey: false, bytes: message }
    : { prekey: true, bytes: writePreKeyMessage({ ...begins, identity: me.pub, message }) }
  return { session: { ...session, sending: chain }, wire }
}

const nameOf = (ratchet: Buffer, counter: number): string => `${ratchet.toString('base64')} ${counter}`

/** Passes over the messages of a chain until this one. */
const skipTo = (until: number, chain: Chain, ratchet: Buffer, skipped: Map<string, Buffer>): Chain => {
  if (until - chain.next > JUMP_MAX) throw new Malformed('too many messages were passed over')
  let now = chain
  while (now.next < until) {
    const { key, chain: next } = stepChain(now)
    skipped.set(nameOf(ratchet, now.next), key)
    now = next
  }
  for (const oldest of skipped.keys()) {
    if (skipped.size <= SKIPPED_MAX) break
    skipped.delete(oldest)
  }
  return now
}

/** The session as it is once they have turned their ratchet to this key. */
const turned = (session: Session, ratchet: Buffer, previous: number, fresh: Fresh): Session => {
  const { theirs, receiving, root, mine, sending } = session
  const skipped = new Map(session.skipped)
  if (theirs !== undefined && receiving !== undefined) skipTo(previous, receiving, theirs, skipped)
  const heard = stepRoot(root, ratchet, mine)
  const next = freshPair(fresh)
  const said = stepRoot(heard.root, ratchet, next)
  return {
    ...session, skipped, root: said.root, mine: next, theirs: ratchet, receiving: heard.chain, sending: said.chain, previous: sending?.next ?? 0
  }
}

/** The key of a message, and the session in which it is used up. */
const keyFor = (session: Session, ratchet: Buffer, counter: number, previous: number, fresh: Fresh): { key: Buffer, session: Session } => {
  const name = nameOf(ratchet, counter)
  const late = session.skipped.get(name)
  if (late !== undefined) {
    const skipped = new Map(session.skipped)
    skipped.delete(name)
    return { key: late, session: { ...session, skipped } }
  }
  const isTurn = session.receiving === undefined || session.theirs === undefined || !session.theirs.equals(ratchet)
  const now = isTurn ? turned(session, ratchet, previous, fresh) : session
  const { receiving } = now
  if (receiving === undefined || counter < receiving.next) throw new Malformed('this message was opened before, or its key is gone')
  const skipped = new Map(now.skipped)
  const { key, chain } = stepChain(skipTo(counter, receiving, ratchet, skipped))
  return { key, session: { ...now, receiving: chain, skipped } }
}

/** Whether this very message was opened before, among the newest. */
export const wasOpened = ({ opened }: Session, bytes: Buffer): boolean => opened.includes(bytes.subarray(-MAC_BYTES).toString('base64'))

/** Opens a message, which stands in a pre-key message if that is how it came. Throws Malformed. */
export const open = (me: Identity, before: Session, bytes: Buffer, fresh: Fresh): Opened => {
  const { ratchet, counter, previous, sealed, authentic, mac: theirs } = readMessage(bytes)
  const { key, session } = keyFor(before, ratchet, counter, previous, fresh)
  const { aes, mac, iv } = keysOf(key)
  if (!equal(macOf(mac, before.them, me.pub, authentic), theirs)) throw new Malformed('not from whom it claims, or for another session')
  const decipher = createDecipheriv('aes-256-cbc', aes, iv)
  let data: Buffer
  try {
    data = Buffer.concat([decipher.update(sealed), decipher.final()])
  } catch (error) {
    throw new Malformed('sealed wrongly', { cause: error })
  }
  const { begins: _, ...going } = session
  const opened = [...session.opened, theirs.toString('base64')].slice(-OPENED_MAX)
  return { session: { ...going, opened }, data, counter }
}
