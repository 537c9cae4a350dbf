/**
 * One app of somebody who encrypts with OMEMO, without a server and an account: its own keys, its sessions with one address, and the XML that it
 * publishes, says and reads. It keeps the keys that were used, so that it reads whatever was sealed for it.
 */
import { AXOLOTL, bundleXml, encryptedXml, readBundle, readEncrypted } from '../../../src/networks/xmpp/omemo/elements'
import type { Fresh } from '../../../src/networks/xmpp/omemo/keys'
import { bundleOf, keysFor, makeOwn, meOf } from '../../../src/networks/xmpp/omemo/own'
import { openText, sealText } from '../../../src/networks/xmpp/omemo/payload'
import { answer, begin, open, seal, type Session } from '../../../src/networks/xmpp/omemo/ratchet'
import { readPreKeyMessage } from '../../../src/networks/xmpp/omemo/wire'
import { child, type Element, type Xml } from '../../../src/networks/xmpp/wire/xml'

/** What an address publishes. */
export interface Shown { device: number; bundle: Element }

export interface FakeApp {
  readonly device: number
  /** What it publishes, without the keys that were used. */
  readonly bundle: Xml
  /** Whether its next message begins a session. */
  readonly begins: boolean
  /** What it writes in a stanza in place of the words. `one`: with which of the address's one-time keys a session begins. */
  seal (to: Shown, text: string | undefined, one?: number): Xml[]
  /** What a stanza says to it: '' if it has no words, undefined if it is not for it. Throws if it cannot be read. */
  open (stanza: Element): string | undefined
  /** Has no session any more. */
  forget (): void
}

export const makeFakeApp = (fresh: Fresh, number?: number): FakeApp => {
  const drawn = makeOwn(0, fresh)
  const own = { ...drawn, device: number ?? drawn.device }
  const me = meOf(own)
  const used = new Set<number>()
  let sessions: Session[] = [] // the newest first

  const put = (before: Session | undefined, now: Session): void => { sessions = [now, ...sessions.filter(one => one !== before)] }

  const opened = (session: Session, before: Session | undefined, bytes: Buffer): Buffer => {
    const { session: now, data } = open(me, session, bytes, fresh)
    put(before, now)
    return data
  }

  const secretOf = (prekey: boolean, bytes: Buffer): Buffer => {
    const first = prekey ? readPreKeyMessage(bytes) : undefined
    const message = first?.message ?? bytes
    const among = first === undefined ? sessions : sessions.filter(({ base }) => base.equals(first.base))
    if (first !== undefined && among.length === 0) {
      const { signed, one } = keysFor(own, first)
      if (first.one !== undefined) used.add(first.one)
      return opened(answer(me, first, signed, one), undefined, message)
    }
    let failure: unknown = new Error('no session')
    for (const session of among) {
      try { return opened(session, session, message) } catch (error) { failure = error }
    }
    throw failure
  }

  return {
    device: own.device,
    get bundle () { return bundleXml({ ...bundleOf(own), ones: own.ones.filter(({ id }) => !used.has(id)) }) },
    get begins () { return !sessions.some(({ sending }) => sending !== undefined) },
    seal ({ device, bundle }, text, one = 0) {
      const before = sessions.find(({ sending }) => sending !== undefined)
      const { iv, secret, payload } = sealText(text ?? '', fresh)
      const sealed = seal(me, before ?? begin(me, readBundle(bundle), readBundle(bundle).ones[one], fresh), secret)
      put(before, sealed.session)
      return encryptedXml({ from: own.device, keys: [[device, sealed.wire]], iv, ...text !== undefined && { payload } })
    },
    open (stanza) {
      const encrypted = child(stanza, 'encrypted', AXOLOTL)
      const { key, iv, payload } = encrypted === undefined ? { key: undefined } : readEncrypted(encrypted, own.device)
      if (key === undefined || iv === undefined) return undefined
      const secret = secretOf(key.prekey, key.bytes)
      return payload === undefined ? '' : openText({ iv, secret, payload })
    },
    forget () { sessions = [] }
  }
}
