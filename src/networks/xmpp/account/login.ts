/**
 * Logs in to an account (RFC 6120): TLS, SASL, then the former session again (XEP-0198) or a new one.
 * Promises: nothing secret is said before TLS, and nothing at all if there is none; the one exception is `insecure`, for a server on this machine.
 */
import type { Chance } from '../../../lib/chance'
import { Unavailable } from '../../../model/errors'
import { RESOURCE } from '../addresses'
import { bareOf, canonicalBare, parseJid } from '../names'
import { conditionOf } from '../wire/stanza-errors'
import { child, el, type Element, elementsIn, textOf, type Xml } from '../wire/xml'
import { bindingsOf } from './channel-binding'
import { type Dial, has, type Line, makeLine } from './line'
import { refusal } from './refusal'
import { type Mechanism, mechanismFor, type Offer } from './sasl'
import { type AccountConfig, placesFor, type Resolve, type Where } from './where'

const TLS = 'urn:ietf:params:xml:ns:xmpp-tls'
const SASL = 'urn:ietf:params:xml:ns:xmpp-sasl'
const BINDING = 'urn:xmpp:sasl-cb:0'
const BIND = 'urn:ietf:params:xml:ns:xmpp-bind'
export const SM = 'urn:xmpp:sm:3'
const LIMITS = 'urn:xmpp:stream-limits:0'
const NONCE_BYTES = 24
const KEEP_SECONDS = '600' // how long the server should keep a session whose connection is gone

/** A session that the server can take up again. */
export interface Former { id: string, handled: number }

export interface Session {
  line: Line
  /** Whether it is the former session. Then the server goes on counting; otherwise it counts from 0, or not at all. */
  resumed: boolean
  counts: boolean
  proved: boolean // the server took a proof of the password, not the password itself
  id?: string // by which it can be taken up again
  bytesMax?: number // of a stanza to the server, if it says so (XEP-0478)
  early: Element[] // what came before the server began to count
}

/** `proved`: this server has taken a proof of the password before, so it does not get the password itself (XEP-0474 §6). */
export interface LoginParts {
  resource?: string, proved?: boolean, chance: Chance, signal: AbortSignal, dial?: Dial | undefined, resolve?: Resolve | undefined
}

const say = (line: Line, xml: Xml): Promise<Element> => {
  line.write(xml.xml)
  return line.read()
}

const encrypted = async (line: Line, { directTls }: Where, { insecure = false }: AccountConfig): Promise<Element> => {
  const features = await line.open()
  if (directTls || insecure) return features
  if (!has(features, 'starttls', TLS)) throw refusal('encryption', 'the server offers no encryption')
  const answer = await say(line, el('starttls', { xmlns: TLS }))
  if (answer.name !== 'proceed' || answer.ns !== TLS) throw new Unavailable('the server does not begin TLS')
  await line.secure()
  return await line.open()
}

const base64 = (text: string): string => text === '' ? '=' : Buffer.from(text).toString('base64')
const fromBase64 = (element: Element): string => Buffer.from(textOf(element), 'base64').toString()

const failed = (answer: Element): Error => {
  const condition = elementsIn(answer).find(({ name }) => name !== 'text')?.name ?? 'undefined-condition'
  return condition === 'temporary-auth-failure'
    ? new Unavailable('the server cannot check passwords just now')
    : refusal('password', `the server refuses the password (${condition})`)
}

const offerOf = (features: Element): Offer => {
  const [mechanisms, bindings] = [child(features, 'mechanisms', SASL), child(features, 'sasl-channel-binding', BINDING)]
  return {
    mechanisms: mechanisms === undefined ? [] : elementsIn(mechanisms).map(one => textOf(one)),
    ...bindings && { bindings: elementsIn(bindings).map(({ attrs }) => attrs.type ?? '') }
  }
}

const chosen = (line: Line, offer: Offer, { jid, password, plain = false }: AccountConfig, { proved = false, chance }: LoginParts): Mechanism => {
  const credentials = { user: parseJid(jid)?.local ?? '', password }
  const mechanism = mechanismFor(offer, credentials, chance.token(NONCE_BYTES), bindingsOf(line.socket))
  if (mechanism === undefined) {
    throw refusal('mechanism', `the server has no way to log in that we know (it offers ${offer.mechanisms.sort().join(', ') || 'none'})`)
  }
  if (!mechanism.proves && proved && !plain) {
    throw refusal('plain', 'the server wants the password itself, although a proof of it was enough before')
  }
  return mechanism
}

const authenticate = async (
  line: Line, features: Element, config: AccountConfig, parts: LoginParts
): Promise<{ features: Element, proved: boolean }> => {
  const mechanism = chosen(line, offerOf(features), config, parts)
  let answer = await say(line, el('auth', { xmlns: SASL, mechanism: mechanism.name }, base64(mechanism.first)))
  while (answer.name === 'challenge' && answer.ns === SASL) {
    answer = await say(line, el('response', { xmlns: SASL }, base64(await mechanism.answer(fromBase64(answer)))))
  }
  if (answer.name !== 'success' || answer.ns !== SASL) throw failed(answer)
  mechanism.verify(fromBase64(answer))
  return { features: await line.open(), proved: mechanism.proves }
}

const bind = async (line: Line, { jid }: AccountConfig, resource: string): Promise<void> => {
  const answer = await say(line, el('iq', { type: 'set', id: 'bind' }, el('bind', { xmlns: BIND }, el('resource', {}, resource))))
  const bound = child(answer, 'bind', BIND)
  const given = bareOf(textOf(bound && child(bound, 'jid')))
  if (answer.attrs.type === 'error') {
    const { name } = conditionOf(answer)
    throw name === 'conflict'
      ? refusal('conflict', 'conflict: somebody else is logged in with this account under the same name')
      : new Unavailable(`no session: ${name}`)
  }
  if (canonicalBare(given) !== jid) throw refusal('domain', `the server takes the account for ${given}`)
}

const resume = async (line: Line, { id, handled }: Former): Promise<boolean> => {
  const answer = await say(line, el('resume', { xmlns: SM, previd: id, h: String(handled) }))
  return answer.name === 'resumed' && answer.ns === SM
}

const begin = async (
  line: Line, config: AccountConfig, resource: string, counted: boolean
): Promise<Omit<Session, 'proved'>> => {
  await bind(line, config, resource)
  const session: Omit<Session, 'proved'> = { line, resumed: false, counts: false, early: [] }
  if (!counted) return session
  let answer = await say(line, el('enable', { xmlns: SM, resume: 'true', max: KEEP_SECONDS }))
  for (; answer.ns !== SM; answer = await line.read()) session.early.push(answer)
  const { id, resume } = answer.attrs
  const mayResume = id !== undefined && (resume === 'true' || resume === '1')
  return { ...session, counts: answer.name === 'enabled', ...mayResume && { id } }
}

const through = async (line: Line, where: Where, config: AccountConfig, parts: LoginParts, former?: Former): Promise<Session> => {
  const { features, proved } = await authenticate(line, await encrypted(line, where, config), config, parts)
  const counted = has(features, 'sm', SM)
  const limits = child(features, 'limits', LIMITS)
  const bytesMax = Number(textOf(limits && child(limits, 'max-bytes')))
  const told = { proved, ...Number.isInteger(bytesMax) && bytesMax > 0 && { bytesMax } }
  if (former !== undefined && counted && await resume(line, former)) {
    return { line, resumed: true, counts: true, id: former.id, early: [], ...told }
  }
  return { ...await begin(line, config, parts.resource ?? RESOURCE, counted), ...told }
}

/** Works on the connection to the first server that is reached. */
const reached = async <T>(config: AccountConfig, parts: LoginParts, work: (line: Line, where: Where) => Promise<T>): Promise<T> => {
  let last: unknown = new Unavailable('no server')
  for (const where of await placesFor(config, parts.resolve)) {
    let line: Line | undefined
    try {
      line = await makeLine(where, config, parts.signal, parts.dial)
      return await work(line, where)
    } catch (error) {
      line?.close()
      if (line !== undefined || parts.signal.aborted) throw error
      last = error
    }
  }
  throw last
}

/** Throws Refused with a Fault, or Unavailable. */
export const login = (config: AccountConfig, parts: LoginParts, former?: Former): Promise<Session> =>
  reached(config, parts, (line, where) => through(line, where, config, parts, former))

/** Says the password, and goes without a session. Throws as `login` does. */
export const proves = (config: AccountConfig, parts: LoginParts): Promise<void> => reached(config, parts, async (line, where) => {
  await authenticate(line, await encrypted(line, where, config), config, parts)
  line.close()
})
