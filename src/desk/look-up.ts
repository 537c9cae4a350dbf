/** Commands that only show something. */
import { beginning } from '../plan/people'
import type { Conversation, Entry, LogLine } from '../store/desk'
import type { CommandFacts, Context } from './facts'
import { showTime } from './hours'
import { readLine } from './logbook'
import { openHere } from './secret'
import { inFull, ownerName, saidBy, textsOf } from './shown'
import { answer, type Step } from './steps'

const LINES_MAX = 20
const TEXT_CHARACTERS_SHOWN = 120

type Asking = Pick<CommandFacts, 'address' | 'now'>

export const lines = ({ address }: Asking, list: string[]): Step[] => [answer(list.slice(0, LINES_MAX).join('\n') || textsOf(address).none)]

export const statusLine = ({ address, now }: Asking, one: Conversation, { memory, directory }: Context): string => {
  const texts = textsOf(address)
  return texts.status({
    id: one.id, state: texts.state(one.state, ownerName(address, one.owner)), project: one.project ?? '', labels: one.labels, awaits: one.awaits,
    contact: `${inFull(memory, texts, one)} (${directory.can(one.contact.network).label})`,
    since: showTime(one.openedAt, (memory.roster.named(one.handledBy) ?? address).zone, address.language, now)
  })
}

const entryLine = ({ address: { zone, language }, address, now }: Asking, entry: Entry): string => {
  const said = saidBy(textsOf(address), entry, beginning(entry.text, TEXT_CHARACTERS_SHOWN))
  return `#${entry.conversation} ${showTime(entry.at, zone, language, now)} ${said}`
}

export const found = (facts: Extract<CommandFacts, { found: Entry[] }>): Step[] => {
  const texts = textsOf(facts.address)
  const open = openHere(facts, facts.found)
  const kept = facts.found.length - open.length
  const shown = open.slice(0, LINES_MAX).map(entry => entryLine(facts, entry))
  return [answer([...shown, ...kept === 0 ? [] : [texts.notShown(kept)]].join('\n') || texts.none)]
}

export const logLine = ({ address: { zone, language }, now }: Asking, line: LogLine): string => [
  showTime(line.at, zone, language, now), line.conversation === undefined ? '' : `#${line.conversation}`, ...readLine(line, language)
].filter(part => part !== '').join(' · ')
