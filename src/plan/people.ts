/**
 * How a person of one network is shown on another: by a cleaned name that always ends with the label of the network they really
 * speak from, so that nobody can pass for somebody of another network.
 */
import unhomoglyph from 'unhomoglyph'
import type { NetworkName } from '../model/address'
import type { Persona, Sender } from '../model/message'
import { LINE_END } from '../model/text'

export const NAME_CHARACTERS_MAX = 60
const LINE_CHARACTERS_MAX = 1000
const SKELETONS_MAX = 10_000 // kept ready; each message needs those of the whole team

const NOTHING_LEFT = '?'
const INVISIBLE = /[\p{Cc}\p{Cf}\p{Co}\p{Cs}\p{Cn}\u115F\u1160\u3164\uFFA0\uFFFC\uFFFD]/gu

const shortened = (name: string): string => {
  const characters = name.length > NAME_CHARACTERS_MAX ? [...new Intl.Segmenter().segment(name)] : []
  return characters.length > NAME_CHARACTERS_MAX
    ? `${characters.slice(0, NAME_CHARACTERS_MAX - 1).map(({ segment }) => segment).join('').trim()}…`
    : name
}

/** In one line: without control, bidirectional and invisible characters, spaces made single. */
export const oneLine = (text: string): string => text.slice(0, LINE_CHARACTERS_MAX)
  .replace(/[\s\u2800]/gu, ' ').replace(INVISIBLE, '').replace(/ {2,}/g, ' ').normalize('NFC').trim()

/** The beginning of a text, in one line that is all its own. */
export const beginning = (text: string, characters: number): string => {
  const line = oneLine(text)
  return line.length <= characters ? line : `${line.slice(0, characters).toWellFormed().trimEnd()}…`
}

/** A text behind the name of whose it is: none of its further lines begins like somebody else's. */
export const behindName = (text: string): string => text.replace(/[\u202a-\u202e\u2066-\u2069]/g, '').split(LINE_END).join('\n> ')

const STATES = /[🔴🟢🟡⚪⛔]/gu
const NUMBERED = /[#＃﹟♯]\s*(?=\p{N})/gu
const COLON_BEHIND = /[:：﹕︓](?=\s|$)/gu

/** A name in which nothing looks like the number or the state of a case, or like the beginning of what was said. */
export const asName = (name: string): string => oneLine(name.replace(STATES, '').replace(NUMBERED, '').replace(COLON_BEHIND, ''))

/** In one line, and not over NAME_CHARACTERS_MAX; '?' if nothing is left. */
export const cleanName = (name: string): string => shortened(oneLine(name)) || NOTHING_LEFT

const skeletons = new Map<string, string>()

/**
 * What names that look alike have in common: UTS 39's skeleton, and none of case, spaces, signs and marks, nor what stands in brackets.
 * i is l, because I is.
 */
export const skeletonOf = (name: string): string => {
  const before = skeletons.get(name)
  if (before !== undefined) return before
  const bare = name.normalize('NFKC').replace(/\([^()]*\)/g, '').normalize('NFD')
  const letters = unhomoglyph(unhomoglyph(bare).toLowerCase()).toLowerCase().normalize('NFD').replace(/[^\p{L}\p{N}]/gu, '').replaceAll('i', 'l')
  const skeleton = letters || name.normalize('NFKC')
  if (skeletons.size >= SKELETONS_MAX) skeletons.clear()
  skeletons.set(name, skeleton)
  return skeleton
}

export const looksLike = (one: string, other: string): boolean => skeletonOf(one) === skeletonOf(other)

/** What to call somebody: nothing but a name that is really theirs. Undefined where they have none beside their address. */
export const ownName = ({ name, nameless }: Sender): string | undefined => {
  const clean = cleanName(name)
  return nameless === true || clean === NOTHING_LEFT ? undefined : clean
}

/** `known` is the name that the config gives this person; `label` is the network's. */
export const personaOf = (network: NetworkName, label: string, sender: Sender, known?: string): Persona => ({
  person: { network, id: sender.id },
  name: `${cleanName(known ?? sender.name)} (${label})`,
  ...sender.avatar === undefined ? {} : { avatar: sender.avatar },
  ...sender.hops === undefined ? {} : { hops: sender.hops + 1 }
})
