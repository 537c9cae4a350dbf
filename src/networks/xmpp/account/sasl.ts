/**
 * Proves to a server that we know the password: SCRAM (RFC 5802, RFC 7677) where the server has it, else PLAIN (RFC 4616).
 * Promises: with SCRAM, the password does not leave this machine, and the server must prove that it knows it too. A server cannot make us count
 * longer than ITERATIONS_MAX.
 */
import { createHash, createHmac, pbkdf2, timingSafeEqual } from 'node:crypto'
import { promisify } from 'node:util'
import { Refused } from '../../../model/errors'
import { saslprep } from '../wire/stringprep'

const ITERATIONS_LEAST = 4096 // RFC 7677 §4
const ITERATIONS_MAX = 1_000_000
const NONCE = /^[\x21-\x2b\x2d-\x7e]{1,512}$/ // printable, without a comma

/** By preference. */
const HASHES: Readonly<Record<string, string>> = { 'SCRAM-SHA-512': 'sha512', 'SCRAM-SHA-256': 'sha256', 'SCRAM-SHA-1': 'sha1' }

export interface Credentials { user: string, password: string }

export interface Mechanism {
  name: string
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
  name: 'PLAIN', first: `\0${user}\0${password}`,
  async answer () { return fault('it asks a question in PLAIN') },
  verify () {}
})

const scram = (name: string, hash: string, { user, password }: Credentials, nonce: string): Mechanism => {
  const bare = `n=${escaped(user)},r=${nonce}`
  let expected: Buffer | undefined
  const hmac = (key: Buffer, text: string): Buffer => createHmac(hash, key).update(text).digest()
  return {
    name, first: `n,,${bare}`,
    async answer (challenge) {
      const given = attributesOf(challenge)
      const [theirs = '', salt = '', count = ''] = ['r', 's', 'i'].map(key => given.get(key) ?? '')
      const iterations = /^\d{1,9}$/.test(count) ? Number(count) : 0
      if (expected !== undefined || given.has('m') || !NONCE.test(theirs) || !theirs.startsWith(nonce) || theirs === nonce) fault('a wrong challenge')
      if (iterations < ITERATIONS_LEAST || iterations > ITERATIONS_MAX) fault(`it asks for ${iterations} rounds`)
      const salted = await derive(password, Buffer.from(salt, 'base64'), iterations, createHash(hash).digest().length, hash)
      const key = hmac(salted, 'Client Key')
      const without = `c=${Buffer.from('n,,').toString('base64')},r=${theirs}`
      const signed = `${bare},${challenge},${without}`
      const signature = hmac(createHash(hash).update(key).digest(), signed)
      expected = hmac(hmac(salted, 'Server Key'), signed)
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

/** The best that the server offers; undefined if there is none. `nonce` must be new each time. */
export const mechanismFor = (offered: ReadonlySet<string>, { user, password }: Credentials, nonce: string): Mechanism | undefined => {
  const credentials = { user, password: saslprep(password) }
  const found = Object.entries(HASHES).find(([name]) => offered.has(name))
  if (found !== undefined) return scram(...found, credentials, nonce)
  return offered.has('PLAIN') ? plainMechanism(credentials) : undefined
}
