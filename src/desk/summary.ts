/**
 * What a team that gets a case is told of what was said before: the last words, as they stand by then. What the contact corrects or takes back
 * later changes there too, wherever the app shows that, in the same commit as everywhere else. Beside that a line tells the team, because an edit
 * of many lines is easily overlooked.
 */
import { addressKey, type Place, samePlace } from '../model/address'
import type { Content } from '../model/message'
import { plain } from '../model/text'
import { behindName } from '../plan/people'
import type { Conversation, Entry, Summary } from '../store/desk'
import type { NewDelivery } from '../store/store'
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

export type Line = Summary['lines'][number]

export const linesOf = (said: NewDelivery[], at: number): Line[] => said.map(({ delivery: { place, key } }) => ({ place, key, at }))

/** What becomes of the lines of a summary at one place, which are one message each. What is deleted is said anew as `content`. */
export type LinesAgain = { place: Place, lines: Line[] } &
  ({ how: 'stays', content?: undefined } | { how: 'edit', content: Content } | { how: 'delete', content?: Content | undefined })

/** The case as it is now, and who has it. */
interface Case { one: Conversation; address: FunctionAddress; at: number }

/**
 * A summary after an entry has changed, or is not among `now` any more: then its lines are deleted, because an edit would leave the words in the
 * history, and the team that has the case is told the rest anew. Undefined if it does not say the entry.
 */
export const summaryAgain = ({ team: name, of, kept, lines }: Summary, { entry, now }: { entry: number, now: Entry[] }, { one, address, at }: Case,
  { memory, directory }: Context): { of: number[], places: LinesAgain[] } | undefined => {
  const team = memory.roster.named(name)
  if (team === undefined || !of.includes(entry)) return undefined
  const left = now.filter(({ id }) => of.includes(id))
  const isGone = left.every(({ id }) => id !== entry)
  const text = summaryFor(team, left, kept)
  const again = (there: Line[]): LinesAgain[] => {
    const [first] = there
    if (first === undefined) return []
    const { place } = first
    const { deletions, edits, editsShownMs = Infinity } = directory.can(place.network)
    const where = memory.placesOf(team, one.id).find(known => samePlace(known.place, place))
    const content = where && text && shownAt(where, text, one)
    const mayEdit = content !== undefined && edits && at - first.at <= editsShownMs
    return [{ place, lines: there, ...isGone
      ? deletions ? { how: 'delete', content: name === address.name ? content : undefined } : { how: 'stays' }
      : mayEdit ? { how: 'edit', content } : { how: 'stays' } }]
  }
  const byPlace = Map.groupBy(lines, ({ place }) => addressKey(place))
  return { of: of.filter(id => !isGone || id !== entry), places: [...byPlace.values()].flatMap(again) }
}
