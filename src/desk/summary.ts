/**
 * What a team that gets a case is told of what was said before: the last words, as they stand by then. What the contact corrects or takes back
 * later changes there too, wherever the app shows that, in the same commit as everywhere else. Beside that a line tells the team, because an edit
 * of many lines is easily overlooked.
 */
import { samePlace } from '../model/address'
import type { Content } from '../model/message'
import { plain } from '../model/text'
import { behindName } from '../plan/people'
import type { Conversation, Entry, Summary } from '../store/desk'
import type { FunctionAddress } from './address'
import type { Context } from './facts'
import { saidBy, textsOf } from './shown'
import { shownAt } from './team-rooms'

/** `lately`: newest first, as it stands. `kept`: how much is not among it because it would stand in the clear. */
export interface Told { excerpt: string; lately: Entry[]; kept: number }

const SUMMARIES_MAX = 10 // of one conversation

/** Undefined if there is nothing to tell. */
export const summaryFor = (team: FunctionAddress, entries: Entry[], kept: number): Content | undefined => {
  const lines = [
    ...entries.toReversed().map(entry => saidBy(textsOf(team), entry, behindName(entry.text))),
    ...kept === 0 ? [] : [textsOf(team).notCopied(kept)]
  ]
  return lines.length === 0 ? undefined : { style: 'quiet', text: plain(lines.join('\n')) }
}

export const withSummary = (one: Conversation, summary: Summary): Conversation =>
  ({ ...one, summaries: [...one.summaries ?? [], summary].slice(-SUMMARIES_MAX) })

/** What becomes of a line of a summary. What is deleted is said anew as `content`. */
export type LineAgain = { line: Summary['lines'][number] } &
  ({ how: 'stays', content?: undefined } | { how: 'edit', content: Content } | { how: 'delete', content?: Content | undefined })

/** The case as it is now, and who has it. */
interface Case { one: Conversation; address: FunctionAddress; at: number }

/**
 * A summary after an entry has changed, or is not among `now` any more: then its lines are deleted, because an edit would leave the words in the
 * history, and the team that has the case is told the rest anew. Undefined if it does not say the entry.
 */
export const summaryAgain = ({ team: name, of, kept, lines }: Summary, { entry, now }: { entry: number, now: Entry[] }, { one, address, at }: Case,
  { memory, directory }: Context): { of: number[], lines: LineAgain[] } | undefined => {
  const team = memory.roster.named(name)
  if (team === undefined || !of.includes(entry)) return undefined
  const left = now.filter(({ id }) => of.includes(id))
  const isGone = left.every(({ id }) => id !== entry)
  const text = summaryFor(team, left, kept)
  const lineAgain = (line: Summary['lines'][number]): LineAgain => {
    const { deletions, edits, editsShownMs = Infinity } = directory.can(line.place.network)
    const where = memory.placesOf(team, one.id).find(({ place }) => samePlace(place, line.place))
    const content = where && text && shownAt(where, text, one)
    if (isGone) return deletions ? { line, how: 'delete', content: name === address.name ? content : undefined } : { line, how: 'stays' }
    return content !== undefined && edits && at - line.at <= editsShownMs ? { line, how: 'edit', content } : { line, how: 'stays' }
  }
  return { of: of.filter(id => !isGone || id !== entry), lines: lines.map(lineAgain) }
}
