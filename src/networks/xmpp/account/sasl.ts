/**
 * Proves to a server that we know the password: SCRAM (RFC 5802, RFC 7677) where the server has it, else PLAIN (RFC 4616).
 * Promises: with SCRAM, the password does not leave this machine, and the server must prove that it knows it too. Where the server can bind that
 * to the connection (RFC 5802 §6), nobody can stand in between, even with a certificate that is believed, nor make us do without: the server
 * learns that we can, and what it says that it offers is compared (XEP-0474). A server cannot make us count longer than ITERATIONS_MAX.
 */
import { createHash, createHmac, pbkdf2, timingSafeEqual } from 'node:crypto'
import { promisify } from 'node:util'
import { Refused } from '../../../model/errors'
import { saslprep } from '../wire/stringprep'
import { BINDINGS, type Bindings } from './channel-binding'

const ITERATIONS_LEAST = 4096 // RFC 7677 §4
const ITERATIONS_MAX = 1_000_000
const NONCE = /^[\x21-\x2b\x2d-\x7e]{1,512}$/ // printable, without a comma

/** By preference. */
const HASHES: Readonly<Record<string, string>> = { 'SCRAM-SHA-512': 'sha512', 'SCRAM-SHA-256': 'sha256', 'SCRAM-SHA-1': 'sha1' }

export interface Credentials { user: string, password: string }

/** What a server offers. `bindings`: undefined if it does not say which (XEP-0440). */
export interface Offer { mechanisms: string[]; bindings?: string[] }

/** How far a login is tied to its connection: what is said in front (RFC 5802 §7), and what is signed with it. */
interface Tie { header: string; signed: Buffer }

export interface Mechanism {
  name: string
  proves: boolean // otherwise the password itself is said
  first: string
  /** The answer to the server's challenge. Throws Refused if the server does not keep to the rules. */
  answer (challenge: string): Promise<string>
  /** Throws Refused if the server has not proved that it knows the password. */
  verify (success: string): void
}

const derive = promisify(pbkdf2)

const fault = (what: string): never => { throw new Refused(`the server's login fails: ${what}`) }

const attributesOf = (text: string): Map<string, string> =>
  new Map(text.split(',').map(part => [part.slice(0, 1), part[1] === '=' ? part.slice(2) : '']))

/** The two signs that have a meaning in SCRAM. */
const escaped = (user: string): string => user.replace(/=/g, '=3D').replace(/,/g, '=2C')

const plainMechanism = ({ user, password }: Credentials): Mechanism => ({
  name: 'PLAIN', proves: false, first: `\0${user}\0${password}`,
  async answer () { return fault('it asks a question in PLAIN') },
  verify () {}
})

const UNTIED: Tie = { header: 'n,,', signed: Buffer.alloc(0) }

/**
 * Whether the server offered what we saw of it (XEP-0474 §5.1), in the spelling of now or of before its version 0.4, whose signs could stand in a
 * name.
 */
const isAsSaid = (said: string, hash: string, { mechanisms, bindings }: Offer): boolean => {
  const spelled = (one: string, other: string): string =>
    [mechanisms, ...bindings === undefined ? [] : [bindings]].map(names => [...names].sort().join(one)).join(other)
  const isOf = (text: string): boolean => createHash(hash).update(text).digest('base64') === said
  return isOf(spelled('\x1e', '\x1f')) || ([...mechanisms, ...bindings ?? []].every(name => /^[\w-]+$/.test(name)) && isOf(spelled(',', '|')))
}

interface Scram { name: string; hash: string; tie: Tie; offer: Offer }

const scram = ({ name, hash, tie: { header, signed }, offer }: Scram, { user, password }: Credentials, nonce: string): Mechanism => {
  const bare = `n=${escaped(user)},r=${nonce}`
  let expected: Buffer | undefined
  const hmac = (key: Buffer, text: string): Buffer => createHmac(hash, key).update(text).digest()
  return {
    name, proves: true, first: `${header}${bare}`,
    async answer (challenge) {
      const given = attributesOf(challenge)
      const [theirs = '', salt = '', count = ''] = ['r', 's', 'i'].map(key => given.get(key) ?? '')
      const iterations = /^\d{1,9}$/.test(count) ? Number(count) : 0
      if (expected !== undefined || given.has('m') || !NONCE.test(theirs) || !theirs.startsWith(nonce) || theirs === nonce) fault('a wrong challenge')
      if (iterations < ITERATIONS_LEAST || iterations > ITERATIONS_MAX) fault(`it asks for ${iterations} rounds`)
      const said = given.get('h')
      if (said !== undefined && !isAsSaid(said, hash, offer)) fault('somebody on the way has changed what it offers')
      const salted = await derive(password, Buffer.from(salt, 'base64'), iterations, createHash(hash).digest().length, hash)
      const key = hmac(salted, 'Client Key')
      const without = `c=${Buffer.concat([Buffer.from(header), signed]).toString('base64')},r=${theirs}`
      const all = `${bare},${challenge},${without}`
      const signature = hmac(createHash(hash).update(key).digest(), all)
      expected = hmac(hmac(salted, 'Server Key'), all)
      const proof = Buffer.from(key.map((byte, index) => byte ^ (signature[index] ?? 0)))
      return `${without},p=${proof.toString('base64')}`
    },
    verify (success) {
      const proof = Buffer.from(attributesOf(success).get('v') ?? '', 'base64')
      if (expected === undefined || proof.length !== expected.length || !timingSafeEqual(proof, expected)) {
        fault('it does not prove that it knows the password')
      }
    }
  }
}

/** The best that the server offers; undefined if there is none. `nonce` must be new each time. `own`: what the connection can be known by. */
export const mechanismFor = (offer: Offer, { user, password }: Credentials, nonce: string, own: Bindings = new Map()): Mechanism | undefined => {
  const { mechanisms, bindings = [] } = offer
  const credentials = { user, password: saslprep(password) }
  const best = (end: string): [string, string] | undefined => Object.entries(HASHES).find(([name]) => mechanisms.includes(name + end))
  const [tied, plain] = [best('-PLUS'), best('')]
  const binding = BINDINGS.find(one => bindings.includes(one) && own.has(one))
  const signed = binding && own.get(binding)
  if (tied !== undefined && signed !== undefined) {
    return scram({ name: `${tied[0]}-PLUS`, hash: tied[1], tie: { header: `p=${binding},,`, signed }, offer }, credentials, nonce)
  }
  // “We could, but you cannot” is only true if nothing of the kind is offered. If that was taken out on the way, the server ends the login.
  const tie = tied === undefined && own.size > 0 ? { ...UNTIED, header: 'y,,' } : UNTIED
  if (plain !== undefined) return scram({ name: plain[0], hash: plain[1], tie, offer }, credentials, nonce)
  return mechanisms.includes('PLAIN') ? plainMechanism(credentials) : undefined
}
