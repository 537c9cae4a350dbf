/**
 * Which colleague a text speaks to: by an at sign, by a name in front, as apps complete it, or by an app's own mark. Such a text is for the
 * colleague, although words in the room of a case go to the contact.
 */
import { folded, type Mention, MENTIONS_MAX, nameIn, withoutLabel } from '../model/mention'
import type { Content } from '../model/message'
import { agentOf, type Agent, type FunctionAddress } from './address'
import { seenLines } from './typed'

const EVERYBODY = new Set(['room', 'all', 'alle', 'here', 'channel', 'team'])
const AT = /(?<![\p{L}\p{N}.])@([\p{L}\p{N}][\p{L}\p{M}\p{N}_-]{0,40})/gu
const WORDS_MAX = 1000 // with an at sign, in one text
const IN_FRONT = /^\s*([\p{L}][^:,()\n]{0,60}?)(?:\s\([^()\n]{1,20}\))?\s?[:,]/u

/** A name in front of words that only one person says to another. “Bernd will call you” is an answer. */
const BESPOKEN = new RegExp('^\\s*(\\p{L}[\\p{L}\\p{M}-]{0,40})\\s(?:schau|guck|sieh|nimm|übernimm|mach|gib|sag|ruf|bitte|du|' +
  '(?:kannst|könntest|hast|weißt|bist|magst|willst|würdest)\\sdu|please|you|(?:can|could|would|will|do|did|have|are)\\syou)(?![\\p{L}\\p{M}])', 'u')

const wordsOf = (name: string): string[] => folded(name).split(/[\s.]+/)

/** What was said, and whom the app marked in it. */
export interface Speech { content: Content; mentions: Mention[] }

/** `name`: of the colleague, or the word for everybody. `mentions`: the colleagues, by each of their addresses. */
export interface Calls { name: string; mentions: Mention[] }

/** Undefined if it speaks to no colleague. A name that the contact has too does not count. */
export const calledIn = ({ content, mentions }: Speech, address: FunctionAddress, writer: Agent, contact: string): Calls | undefined => {
  const theirs = new Set(wordsOf(contact))
  const colleagues = address.team.filter(one => one !== writer && !wordsOf(one.name).some(word => theirs.has(word)))
  const byWord = (word: string): Agent | undefined => colleagues.find(({ name }) => wordsOf(name).includes(folded(word)))
  const byName = (name: string): Agent | undefined =>
    colleagues.find(one => [folded(one.name), wordsOf(one.name)[0]].includes(folded(withoutLabel(nameIn(name)))))
  const lines = seenLines(content.text)
  const marked = mentions.map(({ who, as }) => ({ as, agent: byName(as) ?? (who === 'everybody' ? undefined : agentOf(address, who)) }))
  const inFront = (IN_FRONT.exec(lines[0] ?? '') ?? BESPOKEN.exec(lines[0] ?? ''))?.[1]
  const at = lines.flatMap(line => Array.from(line.matchAll(AT), ([, word = '']) => word)).slice(0, WORDS_MAX)
  const front = inFront === undefined ? [] : [{ as: inFront, agent: byName(inFront) }]
  const found = [...marked, ...front, ...at.map(word => ({ as: `@${word}`, agent: byWord(word) }))]
    .flatMap(({ as, agent }) => agent === undefined ? [] : [{ as, agent }])
  const name = found[0]?.agent.name ?? at.find(word => EVERYBODY.has(folded(word)))
  return name === undefined ? undefined : { name, mentions: found.slice(0, MENTIONS_MAX)
    .flatMap(({ as, agent }) => agent.addresses.map(who => ({ who, as }))) }
}
