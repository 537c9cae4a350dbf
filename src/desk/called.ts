/**
 * Which colleague a text speaks to: by an at sign, by a name in front, as apps complete it, or by an app's own mark. Such a text is for the
 * colleague, although words in the room of a case go to the contact.
 */
import type { NetworkName } from '../model/address'
import type { Content } from '../model/message'
import { agentOf, type Agent, type FunctionAddress } from './address'
import { seenLines } from './typed'

const EVERYBODY = new Set(['room', 'all', 'alle', 'here', 'channel', 'team'])
const AT = /(?<![\p{L}\p{N}.])@([\p{L}\p{N}][\p{L}\p{M}\p{N}_-]{0,40})/gu
const IN_FRONT = /^\s*([\p{L}][^:,()\n]{0,60}?)(?:\s\([^()\n]{1,20}\))?\s?[:,]/u
const LABEL = /\s\([^()]{1,20}\)$/

const folded = (name: string): string => name.normalize('NFKC').toLowerCase().trim()
const wordsOf = (name: string): string[] => folded(name).split(/[\s.]+/)

/** What was said, and the people that the app marked in it, by address or by shown name. */
export interface Speech { content: Content; mentions: string[]; network: NetworkName }

/** The name of the colleague, or the word for everybody; undefined if it speaks to none. A name that the contact has too does not count. */
export const calledIn = ({ content, mentions, network }: Speech, address: FunctionAddress, writer: Agent, contact: string): string | undefined => {
  const theirs = new Set(wordsOf(contact))
  const colleagues = address.team.filter(one => one !== writer && !wordsOf(one.name).some(word => theirs.has(word)))
  const byWord = (word: string): Agent | undefined => colleagues.find(({ name }) => wordsOf(name).includes(folded(word)))
  const byName = (name: string): Agent | undefined =>
    colleagues.find(one => [folded(one.name), wordsOf(one.name)[0]].includes(folded(name.replace(LABEL, ''))))
  const lines = seenLines(content.text)
  const marked = mentions.map(one => byName(one) ?? colleagues.find(other => agentOf(address, { network, id: one }) === other))
  const inFront = IN_FRONT.exec(lines[0] ?? '')?.[1]
  const at = lines.flatMap(line => Array.from(line.matchAll(AT), ([, word = '']) => word))
  const found = [...marked, inFront === undefined ? undefined : byName(inFront), ...at.map(byWord)].find(one => one !== undefined)
  return found?.name ?? at.find(word => EVERYBODY.has(folded(word)))
}
