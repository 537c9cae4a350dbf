/**
 * In a mirror nobody has the name of somebody else there, of an address of ours, or of an agent. The first to have a name keeps it for
 * good. Everybody else with that name gets a sign behind it, made from their address, always the same. Only hashes are remembered, so
 * nobody can read from them who was there.
 */
import { createHash } from 'node:crypto'
import { addressKey, type Person } from '../model/address'
import { skeletonOf } from './people'

/** The owner of the memory that holds who has which name. */
export const CALLED = 'called'

/** In one mirror. People who come later always get the sign, and are not remembered. */
const NAMES_MAX = 5_000
const SIGN_LENGTHS = [4, 8, 16, 64] // hexadecimal digits; more if the shorter one is taken too

/** Somebody takes a name in a mirror. `key` stands for the name. */
export interface Claim { key: string; person: string }

export interface Namesakes {
  /** The name for this person in a mirror, and the claim to remember if it is new. `reserved`: they may not have it without a sign. */
  called (mirror: string, person: Person, name: string, reserved: boolean): { name: string, claim?: Claim }
  learn (claim: Claim): void
  /** Whether half of the names that can be remembered are taken. The rest is for those who speak. */
  isCrowded (mirror: string): boolean
}

const hash = (text: string): string => createHash('sha256').update(text).digest('hex')

export const makeNamesakes = (remembered: [key: string, person: string][]): Namesakes => {
  const holders = new Map<string, string>()
  const counts = new Map<string, number>() // by mirror

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
    learn,
    isCrowded: mirror => (counts.get(mirror) ?? 0) >= NAMES_MAX / 2
  }
}
