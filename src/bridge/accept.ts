/**
 * How an arrival comes in. It is checked, dropped if it was seen (by the source's own id, durably), routed, and committed together with
 * everything it causes. The call resolves after the commit. The source may be told yes only then.
 */
import { concernsDesk, deskFacts } from '../desk/read-facts'
import type { DeskMemory } from '../desk/memory'
import { openCases } from '../desk/open-cases'
import type { Clock } from '../lib/clock'
import { bareEmojis, REACTIONS_MAX } from '../lib/emoji'
import { withSuffix } from '../lib/mime'
import { Malformed, Unavailable } from '../model/errors'
import type { Arrival, Attachment, Content, ReactionArrival } from '../model/message'
import type { Inbox } from '../model/network'
import { plain } from '../model/text'
import type { DeskChange } from '../plan/desk-change'
import type { Directory } from '../plan/directory'
import type { DirectChat } from '../plan/directs'
import { cleanName, oneLine } from '../plan/people'
import type { Plan } from '../plan/plan'
import { pieceOf, type Reacted, reactor } from '../plan/react'
import type { Answered, Store, Tx } from '../store/store'
import { answeredBy as toldOf } from './answered'
import { apply } from './apply'
import { removedBy } from './copied'
import { makeCounting } from './counting'
import type { Deliver } from './deliver'
import { makeDoor, type Passing } from './door'
import { asMeant } from './in-words'
import { originAsLeft } from './left'
import type { Observer } from './observer'
import { route, type Facts } from './route'

/** The largest arrival that is stored, as JSON. A larger one goes to quarantine, shortened. */
export const ARRIVAL_CHARACTERS_MAX = 4 * 1024 * 1024

/**
 * The longest time that an arrival waits for others to share its commit. It is shorter if fewer deliveries from its place are open, and
 * zero if none are: people who write little do not wait for those who write much. For receipts, open deliveries from all places count.
 */
const PATIENCE_MS_MAX = 20
const PATIENT_AT = 80 // open deliveries

export interface AcceptLimits {
  queueMax: number // deliveries not yet ended; one place may fill half of what the others leave free
  linkMs: number
}

/** `changed`: a change of the desk was committed. */
interface Parts {
  store: Store; directory: Directory; desk: DeskMemory; deliver: Deliver; observer: Observer; clock: Clock; aging: Clock; limits: AcceptLimits
  changed (change: DeskChange): void
}

export interface Accept extends Pick<Inbox, 'accept' | 'ask' | 'cases' | 'quarantine' | 'lastKey'> {
  /** From now on everything is refused, so that its source keeps it. */
  close (): void
}

const answeredBy = async (tx: Tx, arrival: Arrival): Promise<Answered | undefined> =>
  arrival.kind === 'message' && arrival.replyTo !== undefined ? await tx.answered(arrival.place, arrival.replyTo) : undefined

/** What the first message of its thread is here. Undefined if that is not known, or if it is the message itself. */
const threadOf = async (tx: Tx, arrival: Arrival): Promise<Answered | undefined> =>
  arrival.kind === 'message' && arrival.thread !== undefined ? await tx.threadRoot(arrival) : undefined

const reactedTo = async (tx: Tx, reaction: ReactionArrival): Promise<Reacted | undefined> => {
  const { place, of, theirs } = reaction
  const message = await tx.answered(place, of)
  if (message === undefined) return undefined
  const person = reactor(reaction)
  const called = theirs === true ? await tx.reactionsBefore(message.seq, person, pieceOf(reaction, message)) : undefined
  return { message, before: await tx.reactions(message.seq, person), ...called && { called: { sender: called.sender, before: called.reactions } } }
}

const referred = async (tx: Tx, arrival: Arrival): Promise<Omit<Facts, 'now'>> => {
  switch (arrival.kind) {
    case 'message': return { answered: await answeredBy(tx, arrival), thread: await threadOf(tx, arrival) }
    case 'vote': return { answered: await tx.answered(arrival.place, arrival.of) }
    case 'standing': case 'expulsion': case 'renamed': case 'profile': case 'order': return {}
    case 'edit': {
      if (arrival.openly) return {}
      const original = await tx.recorded(arrival.place.network, arrival.of)
      return { original, answered: original && await answeredBy(tx, original.arrival), thread: original && await threadOf(tx, original.arrival) }
    }
    case 'reaction': return { reacted: await reactedTo(tx, arrival) }
    case 'deletion': {
      const original = await tx.recorded(arrival.place.network, arrival.of)
      if (original === undefined) return { removed: await removedBy(tx, arrival) }
      return { original, ...original?.arrival.kind === 'reaction' && { reacted: await reactedTo(tx, original.arrival) } }
    }
    case 'receipt': return { confirmable: await originAsLeft(tx, await tx.confirmable(arrival.place, arrival.of)) }
  }
}

const openedBy = (arrival: Arrival, directory: Directory, now: number): DirectChat | undefined =>
  arrival.kind === 'message' && arrival.to !== undefined && directory.mirrorAt(arrival.place) === undefined
    ? directory.directs.opening({ network: arrival.place.network, id: arrival.sender.id }, arrival.to, now)
    : undefined

const tidyFile = (file: Attachment): Attachment => ({ ...file, name: withSuffix(oneLine(file.name), file.mime) })

const tidyFiles = ({ file, more, ...content }: Content): Content =>
  ({ ...content, ...file && { file: tidyFile(file) }, ...more && { more: more.map(tidyFile) } })

/** Cleans names, so that none looks like more than a name. Drops addresses that only we see, except those of agents. */
const tidy = (given: Arrival, isOfTeam: DeskMemory['isOfTeam']): Arrival => {
  if (!('sender' in given)) return given
  const { account, ...shown } = given.sender
  const known = account !== undefined && isOfTeam({ network: given.place.network, id: account })
  const sender = { ...shown, name: cleanName(shown.name), ...known && { account } }
  if (given.kind === 'reaction') return { ...given, sender, emojis: bareEmojis(given.emojis, REACTIONS_MAX + 1) } // of one too many people are told
  return 'content' in given ? { ...given, sender, content: tidyFiles(given.content) } : { ...given, sender }
}

export const makeAccept = ({ store, directory, desk, deliver, observer, clock, aging, limits, changed }: Parts): Accept => {
  const door = makeDoor(deliver, limits.queueMax)
  const counting = makeCounting(directory, desk)
  let open = true

  const patienceMs = ({ kind, place }: Arrival): number =>
    PATIENCE_MS_MAX * Math.min(deliver.open(kind === 'receipt' ? undefined : place) / PATIENT_AT, 1)

  /** `raw`: the arrival as JSON, if at hand. */
  const take = async (tx: Tx, arrival: Arrival, raw: string | undefined, { enter, causes }: Passing) => {
    const isNews = arrival.kind === 'message' || arrival.kind === 'reaction' || arrival.kind === 'vote'
    if ((await Promise.all([tx.seen(arrival.place.network, arrival.key), isNews && tx.takenBack(arrival)])).includes(true)) return undefined
    enter()
    const now = clock.now()
    directory.expelled.sweep(aging.now())
    const about = await referred(tx, arrival)
    const { original, answered, reacted } = about
    if (arrival.kind === 'edit' && original === undefined && await tx.takenBack(arrival)) return undefined
    const ofDesk = await deskFacts({ tx, memory: desk, codes: directory.codes, now, original, answered, reacted }, arrival)
    const facts = { ...about, now: aging.now(), opening: openedBy(arrival, directory, now), desk: ofDesk }
    const plan = route(arrival, facts, { directory, memory: desk })
    if (plan.outcome === 'ignored') return undefined
    const shown = facts.desk?.from === 'elsewhere' ? undefined : facts.desk?.shown.name ?? desk.spotOf(arrival.place)?.address
    const cause = { journal: await tx.journal(arrival, plan.outcome, aging.now(), raw, shown), from: arrival.place }
    const applied = await apply(tx, plan, cause, { directory, desk, now, linkMs: limits.linkMs, steadyNow: aging.now(), begins: deliver.begins })
    counting.heard(tx.tally, arrival)
    causes(applied.queued.length)
    return { plan, unmatched: facts.confirmable === undefined, ...applied }
  }

  const record = (given: Arrival, raw: string, passing: Passing) => store.run(async tx => {
    const arrival = await asMeant(tx, given, aging.now(), directory)
    return await take(tx, arrival, arrival === given ? raw : undefined, passing)
  }, patienceMs(given), false, { network: given.place.network, ids: [given.key] })

  const quarantine: Accept['quarantine'] = async (network, raw, why, key) => {
    const isNew = await store.run(tx => tx.quarantine(network, raw, why.message, clock.now(), key))
    if (isNew) observer.quarantined(network)
  }

  /** Whoever has a chat of their own reads alone what comes there. */
  const asReadThere = (arrival: Arrival, unmasked: string | undefined): Arrival => {
    if (arrival.kind !== 'message' || unmasked === undefined) return arrival
    const isOwn = directory.mirrorAt(arrival.place)?.mirror.direct === true || openedBy(arrival, directory, clock.now()) !== undefined
    const { masked: _, ...own } = arrival
    return isOwn ? { ...own, content: { ...arrival.content, text: plain(unmasked) } } : arrival
  }

  /** The plan; undefined if we have the arrival already, or it does not concern us. */
  const enter = async (given: Arrival, unmasked?: string): Promise<Plan | undefined> => {
    const at = Math.min(given.at, clock.now()) // nothing was said later than now, whatever its source claims
    const arrival = { ...tidy(asReadThere(given, unmasked), desk.isOfTeam), at }
    const { network } = arrival.place
    if (!open) {
      observer.accepted(network, 'refused')
      throw new Unavailable('shutting down')
    }
    const concerns = concernsDesk(arrival, desk) || directory.mirrorAt(arrival.place) !== undefined || arrival.kind === 'receipt' ||
      (arrival.kind === 'message' && arrival.direct === true)
    if (!concerns) return undefined
    const raw = JSON.stringify(arrival)
    if (raw.length > ARRIVAL_CHARACTERS_MAX) {
      await quarantine(network, raw, new Malformed(`a message of ${raw.length} characters is too long`), arrival.key)
      return undefined
    }
    const stored = await door.pass(arrival, async passing => {
      const applied = await record(arrival, raw, passing)
      if (applied !== undefined) deliver.heard(applied)
      return applied
    }).catch(async (error: unknown) => {
      if (!(error instanceof Malformed)) {
        observer.accepted(network, 'refused')
        throw error
      }
      await quarantine(network, raw, error, arrival.key) // it would never be stored
      return undefined
    })
    if (arrival.kind === 'message' && arrival.masked !== undefined && unmasked !== undefined) {
      const isUnrouted = stored?.plan.outcome === 'unrouted'
      directory.codes.keep({ key: arrival.key, place: arrival.place, text: unmasked, isUnrouted }, arrival.masked)
    }
    if (stored === undefined) {
      observer.accepted(network, 'seen')
      return undefined
    }
    const isLook = arrival.kind === 'profile' && stored.plan.deliveries.length === 0 // only tells us what the place shows already
    observer.accepted(network, isLook ? 'seen' : stored.plan.outcome === 'unrouted' ? 'unrouted' : 'stored')
    if (arrival.kind === 'receipt') observer.receipt(network, stored.unmatched ? 'unmatched' : arrival.outcome)
    for (const change of stored.plan.changes) {
      if (change.kind === 'desk') changed(change.change)
      if (change.kind === 'stand') deliver.wake(network) // what waits for this place ends now
    }
    return stored.plan
  }

  return {
    accept: async (given, unmasked) => await enter(given, unmasked) === undefined ? 'seen' : 'stored',
    async ask (given) {
      const plan = await enter(given)
      return plan === undefined ? { text: '', done: true } : toldOf(plan, given)
    },
    cases: (network, id) => store.run(async tx => {
      const address = desk.roster.called({ network, id })
      return address === undefined ? [] : await openCases(tx, address, desk, directory)
    }),
    quarantine,
    lastKey: place => store.run(tx => tx.lastKey(place)),
    close: () => { open = false }
  }
}
