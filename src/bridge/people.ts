/**
 * How a person of one network is shown on another: by a cleaned name that always ends with the label of the network they really
 * speak from, so that nobody can pass for somebody of another network.
 */
import type { Persona, Sender } from '../model/message'
import type { NetworkName } from '../model/address'

export const NAME_CHARACTERS_MAX = 60

const NOTHING_LEFT = '?'
const INVISIBLE = /[\p{Cc}\p{Cf}\p{Co}\p{Cs}\p{Cn}\u115F\u1160\u3164\uFFA0\uFFFC\uFFFD]/gu

const shortened = (name: string): string => {
  const characters = name.length > NAME_CHARACTERS_MAX ? [...new Intl.Segmenter().segment(name)] : []
  return characters.length > NAME_CHARACTERS_MAX
    ? `${characters.slice(0, NAME_CHARACTERS_MAX - 1).map(({ segment }) => segment).join('').trim()}…`
    : name
}

/** Without control, bidirectional and invisible characters, spaces made single, not over NAME_CHARACTERS_MAX; '?' if nothing is left. */
export const cleanName = (name: string): string => {
  const visible = name.slice(0, NAME_CHARACTERS_MAX * 16)
    .replace(/[\s\u2800]/gu, ' ').replace(INVISIBLE, '').replace(/ {2,}/g, ' ').normalize('NFC').trim()
  return shortened(visible) || NOTHING_LEFT
}

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
