/** What a rule decides: deliveries and changes. They are committed together with the arrival. */
import { hash } from 'node:crypto'
import { addressKey, type ArrivalKey, type DeliveryKey, type NetworkName, type Place, type RemoteId } from '../model/address'
import type { FileTrouble, Unsealed } from '../model/errors'
import {
  type Action, type Arrival, type Attachment, type Content, type DeletionArrival, type EditArrival, filesOf, type Persona, type Standing
} from '../model/message'
import { plain, toPlain } from '../model/text'
import type { EarlyReceipt, Had, NewDelivery, Recorded } from '../store/store'
import type { DeskChange } from './desk-change'
import type { Directory } from './directory'
import type { DirectChat } from './directs'
import type { Expelled } from './expelled'
import type { Claim } from './namesakes'
import { thumbnailOf, thumbnailPart } from './links'
import { beginning, cleanName } from './people'
import type { Texts } from './texts'

export type Change =
  | { kind: 'link', token: string, file?: Attachment } // without `file`: the arrival's own
  | { kind: 'revokeLinks', journal: number }
  | { kind: 'remove', journal: number } // a moderator elsewhere has removed this message
  | { kind: 'block' | 'unblock', person: string }
  | { kind: 'stand', place: Place, standing: Standing }
  | { kind: 'expel', key: string, expelled?: Expelled } // without `expelled`: heard again
  | { kind: 'cancel', lane: Place, reason: string }
  | { kind: 'recall', original: Recorded, lane: Place, instead: NewDelivery[] } // its held deliveries there never leave; `instead` does
  | { kind: 'confirm', place: Place, id: RemoteId, outcome: 'delivered' | 'failed' }
  | { kind: 'desk', change: DeskChange }
  | { kind: 'called', claim: Claim }
  | { kind: 'profile', key: string, value: string | undefined } // see profiles.ts
  | { kind: 'chat', chat: DirectChat }
  | { kind: 'react', message: number, person: string, now: Had[] } // all of the person's reactions to it now
  | { kind: 'early', place: Place, ids: (ArrivalKey | RemoteId)[], what: Omit<EarlyReceipt, 'id'> }

/** `why`: the reason for which nothing comes of an arrival. A plan without deliveries and changes has one. */
export interface Plan {
  outcome: 'routed' | 'unrouted' | 'ignored' // unrouted: kept and shown to the operator; ignored: not kept
  deliveries: NewDelivery[]
  changes: Change[]
  why?: string
}

export const ignored = (why: string): Plan => ({ outcome: 'ignored', deliveries: [], changes: [], why })

/** The same arrival, place, part and purpose always give the same key, even after the store was lost. Nobody can make two collide. */
const deliveryKey = (source: NetworkName, arrivalKey: ArrivalKey, place: Place, part: number, purpose: string): DeliveryKey =>
  hash('sha256', JSON.stringify([source, arrivalKey, place.network, place.id, part, purpose]), 'base64url').slice(0, 27)

export const delivery = (arrival: Arrival, place: Place, part: number, action: Action, as?: Persona): NewDelivery => ({
  delivery: {
    key: deliveryKey(arrival.place.network, arrival.key, place, part, action.kind), place, at: arrival.at, action,
    ...as === undefined ? {} : { as }
  },
  notice: false
})

/** What opens an arrival's files, and their thumbnails, by its token. */
export const linksTo = (content: Content, token: string, { links }: Directory): Change[] => filesOf(content).flatMap((file, index): Change[] => {
  const thumbnail = thumbnailOf(file)
  return [
    index === 0 ? { kind: 'link', token } : { kind: 'link', token: links.part(token, index), file },
    ...thumbnail ? [{ kind: 'link' as const, token: links.part(token, thumbnailPart(index)), file: thumbnail }] : []
  ]
})

/** Zentrale's own words. `about` distinguishes the notices that one arrival causes at one place. */
export const notice = (arrival: Arrival, place: Place, about: string, text: string, style: 'quiet' | 'alert' = 'quiet'): NewDelivery => ({
  delivery: {
    key: deliveryKey(arrival.place.network, arrival.key, place, 0, `notice ${about}`), place, at: arrival.at,
    action: { kind: 'message', content: { style, text: plain(text) } }
  },
  notice: true
})

/** The deliveries that show what was said now. */
export const standing = ({ deliveries, copies }: Pick<Recorded, 'deliveries' | 'copies'>): Recorded['copies'] =>
  [...deliveries.filter(({ notice, gone }) => !notice && gone !== true), ...copies]

/** At its own place a message may be changed by its writer, and deleted by somebody whom the place's server allows to. */
export const mayChange = (arrival: EditArrival | DeletionArrival, { arrival: original }: Recorded): boolean =>
  'sender' in original && original.place.network === arrival.place.network && original.place.id === arrival.place.id &&
  (original.sender.id === arrival.sender.id || arrival.theirs === true || (arrival.kind === 'deletion' && arrival.moderated === true))

const EXCERPT_CHARACTERS = 40

/** The beginning of a message, to remind its writer of it. */
const excerptOf = (arrival: Arrival): string => {
  if (arrival.kind !== 'message' && arrival.kind !== 'edit') return ''
  return beginning(toPlain(arrival.content.text) || arrival.content.file?.name || '', EXCERPT_CHARACTERS)
}

/** How we quote somebody at a place. Where it is encrypted and we are not let in, we speak in the clear, and quote nobody. */
const quotedAt = (place: Place, words: string, { standing }: Directory): string => standing(place) === 'encrypted' ? '…' : words

/** What people call a place. */
export const whereOf = (place: Place, directory: Directory): string => {
  const { label } = directory.can(place.network)
  const names = Object.values(directory.mirrorAt(place)?.here.people ?? {})
  return names.length === 0 ? label : `${names.join(', ')} (${label})`
}

/** Tells the writer, where they wrote, why their file could not be passed on. Once, for however many places. Machines are not told. */
export const fileNotice = (arrival: Arrival, name: string, why: FileTrouble | undefined, linked: boolean, directory: Directory): NewDelivery[] => {
  if (!(arrival.kind === 'message' && !arrival.automatic) && arrival.kind !== 'edit') return []
  const shown = quotedAt(arrival.place, cleanName(name), directory)
  return [notice(arrival, arrival.place, 'file', directory.textsAt(arrival.place).noFile(shown, why, linked), 'alert')]
}

/** Tells whoever removed a message in their place that it stays in another one, where we may not remove it. */
export const staysNotice = (arrival: Arrival, failed: Place, directory: Directory): NewDelivery[] => directory.mayTell(arrival.place, failed)
  ? [notice(arrival, arrival.place, `stays ${addressKey(failed)}`, directory.textsAt(arrival.place).staysThere(whereOf(failed, directory)))]
  : []

/** In the language of whoever is told. */
type Why = (texts: Texts) => string

type Problem = { kind: 'failed', why: Why } | { kind: 'unknown' | 'waits' } | { kind: 'unsealed' | 'behind', why: Unsealed }
  | { kind: 'part', part: number, parts: number, why: Why }

const textOf = (problem: Problem, where: string, excerpt: string, texts: Texts): string => {
  switch (problem.kind) {
    case 'failed': return texts.failed(where, excerpt, problem.why(texts))
    case 'unsealed': case 'behind': return texts[problem.kind](where, excerpt, problem.why)
    case 'unknown': case 'waits': return texts[problem.kind](where, excerpt)
    case 'part': return texts.partFailed(where, excerpt, problem.part, problem.parts, problem.why(texts))
  }
}

/** Tells the writer, where they wrote, that their message did not (or perhaps did not) reach a place. For a contact's place, tells the team too. */
export const failureNotice = (
  arrival: Arrival, failed: { key: DeliveryKey, place: Place }, directory: Directory, problem: Problem
): NewDelivery[] => {
  const isTold = arrival.kind === 'message' || arrival.kind === 'edit' || arrival.kind === 'deletion'
  if (!isTold || !directory.mayTell(arrival.place, failed.place)) return []
  const { textsAt } = directory
  const where = whereOf(failed.place, directory)
  const unsealed = problem.kind === 'unsealed' || problem.kind === 'behind' ? problem.why : undefined
  const waits = problem.kind === 'waits' || unsealed !== undefined
  if (arrival.kind === 'deletion') return waits ? [] : [notice(arrival, arrival.place, `stays ${failed.key}`, textsAt(arrival.place).stays(where))]
  const excerpt = excerptOf(arrival)
  const textAt = (place: Place): string => textOf(problem, where, quotedAt(place, excerpt, directory), textsAt(place))
  const about = `${problem.kind} ${unsealed === undefined ? '' : `${unsealed} `}${failed.key}`
  const others = directory.teams.roomsFor(failed.place).filter(place => addressKey(place) !== addressKey(arrival.place))
  return [
    notice(arrival, arrival.place, about, textAt(arrival.place), 'alert'), ...others.map(place => notice(arrival, place, about, textAt(place)))
  ]
}
