/**
 * In a mirror nobody has the name of somebody else there, of an address of ours, or of an agent. The first to have a name keeps it for
 * good. Everybody else with that name gets a sign behind it, made from their address, always the same. Only hashes are remembered, so
 * nobody can read from them who was there. When a place moves to another room, those who were known only by the old one are others there, so
 * their names are free again.
 */
import { hash as hashOf } from 'node:crypto'
import { addressKey, type Person, type Place } from '../model/address'
import { skeletonOf } from './people'

/** The owner of the memory that holds who has which name. */
export const CALLED = 'called'

/** In one mirror. People who come later always get the sign, and are not remembered. */
const NAMES_MAX = 5_000
const SIGN_LENGTHS = [4, 8, 16, 64] // hexadecimal digits; more if the shorter one is taken too

/** Somebody takes a name in a mirror, or nobody has it any more. `key` stands for the name. */
export interface Claim { key: string; person: string | undefined }

/** `only`: the room of this place alone says who they are. */
export interface Who { person: Person; only?: Place }

export interface Namesakes {
  /** The name for this person in a mirror, and the claim to remember if it is new. `reserved`: they may not have it without a sign. */
  called (mirror: string, who: Who, name: string, reserved: boolean): { name: string, claim?: Claim }
  /** What sets free the names of those who were known only by the room of this place. */
  freed (place: Place): Claim[]
  learn (claim: Claim): void
  /** Whether half of the names that can be remembered are taken. The rest is for those who speak. */
  isCrowded (mirror: string): boolean
}

const hash = (text: string): string => hashOf('sha256', text)

/** Stands behind a holder who is known only by the room of this place. */
const markOf = (place: Place): string => ` ${hash(addressKey(place)).slice(0, 16)}`

export const makeNamesakes = (remembered: [key: string, person: string][]): Namesakes => {
  const holders = new Map<string, string>()
  const counts = new Map<string, number>() // by mirror

  const mirrorOf = (key: string): string => (JSON.parse(key) as string[])[0]!
  const learn = ({ key, person }: Claim): void => {
    const change = Number(person !== undefined) - Number(holders.has(key))
    if (person === undefined) holders.delete(key)
    else holders.set(key, person)
    counts.set(mirrorOf(key), (counts.get(mirrorOf(key)) ?? 0) + change)
  }
  for (const [key, person] of remembered) learn({ key, person })

  return {
    called (mirror, who, name, reserved) {
      const person = hash(addressKey(who.person))
      const signed = (length: number): string => length === 0 ? name : `${name} ·${person.slice(0, length)}`
      const claimOf = (key: string): Claim => ({ key, person: `${person}${who.only === undefined ? '' : markOf(who.only)}` })
      for (const length of reserved ? SIGN_LENGTHS : [0, ...SIGN_LENGTHS]) {
        const shown = signed(length)
        const key = JSON.stringify([mirror, who.person.network, hash(skeletonOf(shown))])
        const holder = holders.get(key)
        if (holder === person && who.only !== undefined) return { name: shown, claim: claimOf(key) } // remembered by an earlier version
        if (holder?.startsWith(person) === true) return { name: shown }
        if (holder !== undefined) continue
        if ((counts.get(mirror) ?? 0) < NAMES_MAX) return { name: shown, claim: claimOf(key) }
        if (shown !== name) return { name: shown }
      }
      return { name: signed(SIGN_LENGTHS.at(-1)!) }
    },
    freed (place) {
      const mark = markOf(place)
      return [...holders].flatMap(([key, holder]) => holder.endsWith(mark) ? [{ key, person: undefined }] : [])
    },
    learn,
    isCrowded: mirror => (counts.get(mirror) ?? 0) >= NAMES_MAX / 2
  }
}
