/**
 * How a person of one network is shown on another: a cleaned name that always ends with the label of their real network, so that nobody
 * can pass for somebody of another network.
 */
import unhomoglyph from 'unhomoglyph'
import type { NetworkName } from '../model/address'
import type { Persona, Sender } from '../model/message'
import { LINE_END } from '../model/text'

export const NAME_CHARACTERS_MAX = 60
const LINE_CHARACTERS_MAX = 1000
const SKELETONS_MAX = 10_000 // a cache: each message needs those of the whole team

const NOTHING_LEFT = '?'
const INVISIBLE = /[\p{Cc}\p{Cf}\p{Co}\p{Cs}\p{Cn}\u115F\u1160\u3164\uFFA0\uFFFC\uFFFD]/gu

const shortened = (name: string): string => {
  const characters = name.length > NAME_CHARACTERS_MAX ? [...new Intl.Segmenter().segment(name)] : []
  return characters.length > NAME_CHARACTERS_MAX
    ? `${characters.slice(0, NAME_CHARACTERS_MAX - 1).map(({ segment }) => segment).join('').trim()}…`
    : name
}

/** The text in one line, with single spaces and without control, bidirectional and invisible characters. */
export const oneLine = (text: string): string => text.slice(0, LINE_CHARACTERS_MAX)
  .replace(/[\s\u2800]/gu, ' ').replace(INVISIBLE, '').replace(/ {2,}/g, ' ').normalize('NFC').trim()

/** The beginning of a text, in one line. */
export const beginning = (text: string, characters: number): string => {
  const line = oneLine(text)
  return line.length <= characters ? line : `${line.slice(0, characters).toWellFormed().trimEnd()}…`
}

/** A text to stand behind its writer's name: its other lines are quoted, so that none looks like somebody else's message. */
export const behindName = (text: string): string => text.replace(/[\u202a-\u202e\u2066-\u2069]/g, '').split(LINE_END).join('\n> ')

const STATES = /[🔴🟢🟡⚪⛔]/gu
const NUMBERED = /[#＃﹟♯]\s*(?=\p{N})/gu
const COLON_BEHIND = /[:：﹕︓](?=\s|$)/gu

/** A name in which nothing looks like the number or state of a case, or like the beginning of a message. */
export const asName = (name: string): string => oneLine(name.replace(STATES, '').replace(NUMBERED, '').replace(COLON_BEHIND, ''))

/** One line of at most NAME_CHARACTERS_MAX; '?' if nothing is left. */
export const cleanName = (name: string): string => shortened(oneLine(name)) || NOTHING_LEFT

const BEHIND = /^(.*?)\s*\(([^()]{1,20})\)$/u

/** The name without labels of networks that its owner has put behind it: only we say so who is of which network. */
export const withoutLabels = (name: string, labels: readonly string[]): string => {
  const [, before, label = ''] = BEHIND.exec(name.normalize('NFKC').trim()) ?? []
  if (before === undefined || !labels.some(one => looksLike(one, label))) return name
  return withoutLabels(before, labels) || NOTHING_LEFT
}

const skeletons = new Map<string, string>()

/**
 * The same for names that look alike: UTS 39's skeleton, without case, spaces, signs, marks and anything in brackets. i counts as l,
 * because I does.
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

/** The person's own name; undefined if only their address is known. */
export const ownName = ({ name, nameless }: Sender): string | undefined => {
  const clean = cleanName(name)
  return nameless === true || clean === NOTHING_LEFT ? undefined : clean
}

/** `known`: this person's name in the config. `label`: the network's. */
export const personaOf = (network: NetworkName, label: string, sender: Sender, known?: string): Persona => ({
  person: { network, id: sender.id },
  name: `${cleanName(known ?? sender.name)} (${label})`,
  ...sender.vouched === true && sender.address !== undefined && { everywhere: sender.address },
  ...sender.avatar === undefined ? {} : { avatar: sender.avatar },
  ...sender.hops === undefined ? {} : { hops: sender.hops + 1 }
})
