/** How a delivery ends. Each end is one commit, together with the notice to the writer. Then the lanes and the operator are told. */
import type { DeskMemory } from '../desk/memory'
import { tellUnreached, whyUnreached } from '../desk/unreached'
import type { Clock } from '../lib/clock'
import type { Log } from '../lib/log'
import { makeSometimes } from '../lib/sometimes'
import type { Forbidden, Refused, Unavailable, Unsealed } from '../model/errors'
import { addressKey } from '../model/address'
import type { Action, Arrival, Attachment, Sent } from '../model/message'
import { withoutFiles } from '../plan/adapt'
import type { Directory } from '../plan/directory'
import { cleanName } from '../plan/people'
import { failureNotice, fileNotice, notice, staysNotice, whereOf, type Plan } from '../plan/plan'
import { saidAnew } from '../plan/reply'
import { reasonOf } from '../plan/texts'
import type { Cause, NewDelivery, Queued, Store, Tx } from '../store/store'
import { apply, type Applied } from './apply'
import { makeCounting } from './counting'
import { reactionMark } from './delivery-marks'
import { planOfEarly } from './early'
import { tellBanned, tellExpelled } from './expulsion'
import type { Missing } from './files'
import { asLeft, isGone } from './left'
import type { Observer } from './observer'
import { isNotShown, isShown, overtakenBy } from './profile'

/** How long a done delivery may wait to share a commit, if a crash meanwhile does no harm. Nobody waits for it. */
const DONE_PATIENCE_MS = 20
/** Moderators hear once in this time that what they remove stays in a certain other place. */
const REMOVALS_TOLD_MS = 3_600_000
/** People hear once in this time that their reactions are to what is in an earlier room of a certain other place. */
const REACTIONS_TOLD_MS = 3_600_000
/** People hear once in this time that they have no voice in a certain other place. */
const VOICELESS_TOLD_MS = 24 * 3_600_000
/** Where they write, people hear once in this time for which reason nothing can be encrypted for a certain other place. */
const UNSEALED_TOLD_MS = 3_600_000
/** A team hears once in this time that the own chat of one of them takes nothing. */
const UNREACHED_TOLD_MS = 24 * 3_600_000

export interface Ending {
  done (row: Queued, sent: Sent): void
  refused (row: Queued, why: Refused): void
  unknown (row: Queued, why: string): void
  gaveUp (row: Queued): void
  stalled (row: Queued, why: Unavailable): void
  /** Not an end: nobody may speak there yet, or it cannot be encrypted. Writers are told that it waits, or that it is `behind` what does. */
  waits (row: Queued, why: Unsealed | undefined, behind: boolean): void
  /** It would change a message that never arrived, so nobody misses it. */
  pointless (row: Queued): void
  /** Not an end: files of it will not come, so words replace them, and its writer is told why. Resolves when that is on disk. */
  inWords (row: Queued, missing: Missing): Promise<Action>
  /** Not an end: the message that it refers to is in an earlier room of its place. Resolves with what is said instead, if that is on disk. */
  anew (row: Queued): Promise<Action | undefined>
  unwanted (row: Queued, why: Unwanted): void
}

/**
 * Why a queued delivery is no longer wanted. `stopped`: its reader sent STOP. `rests`: its place removed us, or is encrypted. `overtaken`:
 * there is a later change of the same. `expelled`: a moderator there put out whoever speaks.
 */
export type Unwanted = 'stopped' | 'rests' | 'overtaken' | 'expelled'

interface Parts {
  store: Store; directory: Directory; desk: DeskMemory; observer: Observer; clock: Clock; log: Log; linkMs: number
  heard (applied: Applied, ended?: Queued): void
}

type Problem = Parameters<typeof failureNotice>[3]
/** `from`: finds the origin, if another way than for most. */
interface Tell { (origin: Arrival): Pick<Plan, 'deliveries' | 'changes'> | undefined; from?: typeof originOf }

/** Those of the notices that this arrival has not caused before. */
const untold = async (tx: Tx, { place, key }: Arrival, told: NewDelivery[]): Promise<NewDelivery[]> => {
  const before = await tx.recorded(place.network, key)
  return told.filter(({ delivery }) => before?.deliveries.every(one => one.key !== delivery.key))
}

/** What was said, if somebody is to be told of its end. */
const originOf = async (tx: Tx, { journal, notice, delivery: { action } }: Queued): Promise<Arrival | undefined> => {
  const origin = notice || action.kind === 'reaction' ? undefined : await tx.origin(journal)
  return origin && await asLeft(tx, origin)
}

/** Whoever reacted so. */
const reactedBy = async (tx: Tx, { journal, notice: isMark }: Queued): Promise<Arrival | undefined> => isMark ? undefined : await tx.origin(journal)

/** Tells people that nobody sees their reaction, to what is in an earlier room of its place, or in one that its reader has left. */
const inVain = ({ delivery: { place, action } }: Queued, { because }: Refused, isTime: ReturnType<typeof makeSometimes>,
  directory: Directory): Tell | undefined => action.kind !== 'reaction' || (because !== 'replaced' && because !== 'moved') ? undefined
  : Object.assign((origin: Arrival) => {
      if (origin.kind !== 'reaction' || !directory.mayTell(origin.place, place)) return undefined
      const isNews = isTime(`reaction ${addressKey(place)} ${addressKey({ ...origin.place, id: origin.sender.id })}`, REACTIONS_TOLD_MS)
      const text = directory.textsAt(origin.place).reactedInVain[because](whereOf(place, directory))
      return isNews ? { changes: [], deliveries: [notice(origin, origin.place, `reacted ${addressKey(place)}`, text)] } : undefined
    }, { from: reactedBy })

/** Tells whoever took back what its reader has left that they still see it. */
const unseen = async (tx: Tx, row: Queued, directory: Directory): Promise<NewDelivery[]> => {
  const origin = await originOf(tx, row)
  return origin === undefined ? [] : failureNotice(origin, row.delivery, directory, { kind: 'unknown' })
}

/** Tells the others of the team that one of them is not reached, also if what waits is a notice. Undefined if this is no such chat. */
const makeUnreached = ({ desk, directory }: Pick<Parts, 'desk' | 'directory'>, isTime: ReturnType<typeof makeSometimes>) => (
  { delivery: { place } }: Queued, because: Forbidden | Unsealed | undefined
): Tell | undefined => {
  const why = whyUnreached(place, because, desk)
  return why && Object.assign((cause: Arrival) => ({
    changes: [], deliveries: isTime(`unreached ${addressKey(place)}`, UNREACHED_TOLD_MS) ? tellUnreached(cause, place, why, desk, directory) : []
  }), { from: (tx: Tx, { journal }: Queued) => tx.origin(journal) })
}

const sayAnew = async ({ id, delivery }: Queued, store: Store, directory: Directory): Promise<Action | undefined> => {
  const instead = saidAnew(delivery.action, directory.can(delivery.place.network).formatting)
  if (instead === undefined) return undefined
  await store.run(tx => tx.reword(id, instead))
  delivery.action = instead
  return instead
}

/** Tells whoever has to wait. */
const makeWaiting = (failure: (row: Queued, problem: Problem) => Tell, isTime: ReturnType<typeof makeSometimes>) => ({
  /** Whoever has no voice there may say much before they get one. */
  voiceless: (row: Queued, problem: Problem): Tell => origin => {
    const { place, as } = row.delivery
    const isNews = as === undefined || isTime(`${problem.kind} ${addressKey(place)} ${addressKey(as.person)}`, VOICELESS_TOLD_MS)
    return isNews ? failure(row, problem)(origin) : undefined
  },
  /** Much may be said there before it can be encrypted. */
  unsealed: (row: Queued, why: Unsealed, behind: boolean): Tell => origin => {
    const plan = failure(row, { kind: behind ? 'behind' : 'unsealed', why })(origin)
    const about = `unsealed ${why} ${addressKey(row.delivery.place)} ${addressKey(origin.place)}`
    return plan === undefined || plan.deliveries.length === 0 || isTime(about, UNSEALED_TOLD_MS) ? plan : undefined
  }
})

export const makeEnding = ({ store, directory, desk, observer, clock, log, linkMs, heard }: Parts): Ending => {
  const isTime = makeSometimes(clock)
  const [counting, unreached] = [makeCounting(directory, desk), makeUnreached({ desk, directory }, isTime)]

  /** `clock` is the one that does not jump. */
  const carryOut = (tx: Tx, plan: Plan, cause: Cause, now: number): Promise<Applied> =>
    apply(tx, plan, cause, { directory, desk, now, steadyNow: now, linkMs })

  const settled = (row: Queued, outcome: 'done' | 'failed' | 'unknown', parts: number, applied: Applied): void => {
    observer.settled(row.delivery.place.network, outcome, clock.now() - row.queuedAt, parts)
    heard(applied, row)
  }

  const failure = ({ delivery, delivery: { key, place, action } }: Queued, problem: Problem): Tell => origin => {
    if (origin.kind === 'profile') return isNotShown(origin, delivery, directory)
    if (action.kind !== 'removal') return { changes: [], deliveries: failureNotice(origin, { key, place }, directory, problem) }
    const isNews = isTime(`${addressKey(origin.place)} ${addressKey(place)}`, REMOVALS_TOLD_MS) // of much that is removed, one word is enough
    return { changes: [], deliveries: isNews ? staysNotice(origin, place, directory) : [] }
  }

  const { voiceless, unsealed } = makeWaiting(failure, isTime)

  /** We know already that whoever speaks is out of the place, or its server tells us now. */
  const expelled = ({ delivery: { place, as } }: Queued): Tell => origin => {
    if (as === undefined) return undefined
    const known = directory.expelled.at(place, as.person)
    if (known !== undefined) return tellExpelled(origin, place, as.person, known, directory)
    return tellBanned(origin, place, as.person, clock.now(), directory)
  }

  /** `tell`: what the writer is told. */
  const end = (row: Queued, state: 'failed' | 'unknown', reason: string, tell?: Tell): void => {
    const { place, key, attempt } = row.delivery
    log.warn({ network: place.network, delivery: key, id: row.id, attempt, state, reason }, 'delivery ended undelivered')
    store.run(async tx => {
      const now = clock.now()
      await tx.ended(row.id, state, reason, now)
      counting.failed(tx.tally, row)
      const origin = tell === undefined ? undefined : await (tell.from ?? originOf)(tx, row)
      return carryOut(tx, { outcome: 'routed', changes: [], deliveries: [], ...origin && tell?.(origin) }, row, now)
    }).then(applied => settled(row, state, 0, applied), () => {}) // the store has reported its failure itself
  }

  return {
    /** Committed first, because an arrival in the same moment may refer to it already. */
    done (row, sent) {
      const [{ ids, parts = 1 }, { network, id: place }] = [sent, row.delivery.place]
      const patienceMs = directory.can(network).afterCrash === 'resend' ? DONE_PATIENCE_MS : 0
      store.run(async tx => {
        const now = clock.now()
        await tx.done(row, ids, now)
        counting.done(tx.tally, row, sent)
        const marks = await reactionMark(tx, row, directory)
        const stays = sent.unseen === true ? await unseen(tx, row, directory) : []
        const later = overtakenBy(row.delivery, directory)
        const changes = isShown(row.delivery, sent, later && await tx.recorded(later.network, later.key), row.id, directory)
        const applied = await carryOut(tx, { outcome: 'routed', changes: [], deliveries: [...marks, ...stays], ...changes }, row, now)
        for (const early of await tx.takeEarlyReceipts(row.delivery.place, ids, now)) {
          const caused = await planOfEarly(tx, row.delivery.place, early, directory)
          if (caused === undefined) continue
          if (early.outcome !== 'removed') observer.receipt(row.delivery.place.network, early.outcome)
          applied.queued.push(...(await carryOut(tx, caused.plan, caused.cause ?? row, now)).queued)
        }
        return applied
      }, patienceMs, true, { network, place, ids }).then(applied => settled(row, 'done', parts, applied), () => {})
    },
    refused (row, why) {
      const problem: Problem = { kind: 'failed', why: texts => reasonOf(why.because, texts) }
      const tell = why.because === 'expelled' ? expelled(row) : (why.because === 'voiceless' ? voiceless : failure)(row, problem)
      end(row, 'failed', why.message, inVain(row, why, isTime, directory) ?? unreached(row, why.because) ?? tell)
    },
    waits (row, why, behind) {
      store.run(async tx => {
        const tell = unreached(row, why) ?? (why === undefined ? voiceless(row, { kind: 'waits' }) : unsealed(row, why, behind))
        const origin = await (tell.from ?? originOf)(tx, row)
        const { deliveries = [], changes = [] } = origin === undefined ? {} : tell(origin) ?? {}
        return carryOut(tx, { outcome: 'routed', changes, deliveries: origin ? await untold(tx, origin, deliveries) : [] }, row, clock.now())
      }).then(heard, () => {})
    },
    unknown: (row, why) => end(row, 'unknown', why, failure(row, { kind: 'unknown' })),
    gaveUp: row => end(row, 'failed', 'gave up: not deliverable for too long', failure(row, { kind: 'failed', why: texts => texts.gaveUp })),
    stalled: (row, { message, unsealed }) =>
      end(row, 'failed', message, failure(row, { kind: 'failed', why: texts => unsealed === undefined ? texts.gaveUp : texts.sealing(unsealed) })),
    anew: row => sayAnew(row, store, directory),
    async inWords (row, { files, why }) {
      const { place, key, action } = row.delivery
      if (!('content' in action)) return action
      log.info({ network: place.network, delivery: key, why: why.message }, 'file replaced by words')
      const isDead = why.trouble !== undefined && why.trouble !== 'unreachable' // then the link leads nowhere either
      const instead = ({ name, url }: Attachment): string => directory.textsAt(place).instead(cleanName(name), isDead ? undefined : url)
      const changed: Action = { ...action, content: withoutFiles(action.content, files, instead) }
      const applied = await store.run(async tx => {
        await tx.reword(row.id, changed)
        const origin = await originOf(tx, row)
        const names = files.map(({ name }) => name).join(', ')
        const told = origin === undefined || await isGone(tx, origin) ? []
          : await untold(tx, origin, fileNotice(origin, names, why.trouble, files.some(({ url }) => url !== undefined), directory))
        return carryOut(tx, { outcome: 'routed', changes: [], deliveries: told }, row, clock.now())
      })
      row.delivery.action = changed
      heard(applied)
      return changed
    },
    pointless: row => end(row, 'failed', 'the message that it changes was never delivered'),
    unwanted (row, why) {
      switch (why) {
        case 'expelled': return end(row, 'failed', 'a moderator has put its writer out of the place', expelled(row))
        case 'overtaken': return end(row, 'failed', 'it was changed again before it could be shown')
        case 'rests':
          return end(row, 'failed', 'we were removed from the place, or it is encrypted', failure(row, { kind: 'failed', why: texts => texts.rests }))
        case 'stopped': return end(row, 'failed', 'the person sent STOP',
          desk.isContacts(row.delivery.place) ? failure(row, { kind: 'failed', why: texts => texts.hasEnded }) : undefined)
      }
    }
  }
}
