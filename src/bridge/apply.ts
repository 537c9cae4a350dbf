/** Carries out a plan inside the commit that it belongs to. */
import type { Place } from '../model/address'
import type { Queued, Tx } from '../store/store'
import { applyDesk, learnDesk } from '../desk/desk'
import type { Directory } from './directory'
import type { Change, Plan } from './plan'

/** What lanes must hear once the commit is on disk. */
export interface Applied { queued: Queued[]; cancelled: { lane: Place, count: number }[] }

const change = async (tx: Tx, what: Change, journal: number, now: number, linkMs: number): Promise<number> => {
  switch (what.kind) {
    case 'link': await tx.link(what.token, journal, now + linkMs, what.file); return 0
    case 'revokeLinks': await tx.revokeLinks(what.journal); return 0
    case 'block': await tx.block(what.person, now); return 0
    case 'unblock': await tx.unblock(what.person); return 0
    case 'confirm': await tx.confirm(what.place, what.id, what.outcome); return 0
    case 'early': await tx.earlyReceipt(what.place, what.ids, what.outcome, what.detail, now); return 0
    case 'desk': await applyDesk(tx, what.change, journal, now); return 0
    case 'cancel': return await tx.cancel(what.lane, what.reason, now)
  }
}

/** `linkMs`: how long a link to a file works. The directory's memory changes last: if that commit fails, the process ends anyway. */
export const apply = async (tx: Tx, plan: Plan, journal: number, directory: Directory, now: number, linkMs: number,
  queuedAt = now): Promise<Applied> => {
  const applied: Applied = { queued: [], cancelled: [] }
  for (const what of plan.changes) {
    const count = await change(tx, what, journal, now, linkMs)
    if (what.kind === 'cancel') applied.cancelled.push({ lane: what.lane, count })
  }
  for (const delivery of plan.deliveries) applied.queued.push(await tx.queue(journal, delivery, queuedAt))
  for (const what of plan.changes) {
    if (what.kind === 'block') directory.block(what.person)
    if (what.kind === 'unblock') directory.unblock(what.person)
    if (what.kind === 'desk') learnDesk(directory.desk, what.change)
  }
  return applied
}
