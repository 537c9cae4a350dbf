/**
 * Nobody in a mirror is called like somebody else there, like an address of ours, or like somebody of a team: whoever was called so
 * first keeps the name, and it is remembered; behind the name of anybody else stands a sign made of their address, the same for ever.
 * What is remembered are hashes: nobody can read in them who was there.
 */
import { createHash } from 'node:crypto'
import { addressKey, type Person } from '../model/address'
import { skeletonOf } from './people'

/** Whose memory holds who is called what. */
export const CALLED = 'called'

/** In one mirror; whoever comes later is told apart by the sign alone. */
export const NAMES_MAX = 5_000
const SIGN_LENGTHS = [4, 8, 16, 64] // hexadecimal digits; more where the shorter one is taken too

/** A name of a mirror, and who has it now. `key`: what it is remembered by. */
export interface Claim { key: string; person: string }

export interface Namesakes {
  /** What this person is called in a mirror, and the claim that makes it so if that is new. `reserved`: not a name for them. */
  called (mirror: string, person: Person, name: string, reserved: boolean): { name: string, claim?: Claim }
  learn (claim: Claim): void
}

const hash = (text: string): string => createHash('sha256').update(text).digest('hex')

export const makeNamesakes = (remembered: [key: string, person: string][]): Namesakes => {
  const holders = new Map<string, string>()
  const counts = new Map<string, number>() // by mirror, as many as the config has

  const mirrorOf = (key: string): string => (JSON.parse(key) as string[])[0]!
  const learn = ({ key, person }: Claim): void => {
    holders.set(key, person)
    counts.set(mirrorOf(key), (counts.get(mirrorOf(key)) ?? 0) + 1)
  }
  for (const [key, person] of remembered) learn({ key, person })

  return {
    called (mirror, who, name, reserved) {
      const person = hash(addressKey(who))
      const keyOf = (shown: string): string => JSON.stringify([mirror, who.network, hash(skeletonOf(shown))])
      const marked = SIGN_LENGTHS.map(length => `${name} ·${person.slice(0, length)}`)
      for (const shown of reserved ? marked : [name, ...marked]) {
        const key = keyOf(shown)
        const holder = holders.get(key)
        if (holder === person) return { name: shown }
        if (holder !== undefined) continue
        if ((counts.get(mirror) ?? 0) < NAMES_MAX) return { name: shown, claim: { key, person } }
        if (shown !== name) return { name: shown }
      }
      return { name: marked.at(-1)! }
    },
    learn
  }
}
