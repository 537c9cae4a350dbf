/** Carries out a plan inside its commit. */
import { applyDesk, learnDesk } from '../desk/desk'
import type { DeskMemory } from '../desk/memory'
import { addressKey, type Place } from '../model/address'
import type { Standing } from '../model/message'
import type { Directory } from '../plan/directory'
import { chatKey, DIRECTS } from '../plan/directs'
import { EXPELLED } from '../plan/expelled'
import { CALLED, type Claim } from '../plan/namesakes'
import type { Change, Plan } from '../plan/plan'
import { PROFILES } from '../plan/profiles'
import type { Cause, Count, Queued, Tx } from '../store/store'

/** The owner of the memory that holds the places that are not `in`. */
export const STANDINGS = 'standing'

const keepStanding = (tx: Tx, place: Place, standing: Standing): Promise<void> =>
  standing === 'in' ? tx.forget(STANDINGS, addressKey(place)) : tx.remember(STANDINGS, addressKey(place), standing)

const keepExpelled = async (tx: Tx, { key, expelled }: Change & { kind: 'expel' }, directory: Directory): Promise<void> => {
  if (expelled === undefined) return await tx.forget(EXPELLED, key)
  const surplus = directory.expelled.surplus(key)
  if (surplus !== undefined) await tx.forget(EXPELLED, surplus)
  await tx.remember(EXPELLED, key, JSON.stringify(expelled))
}

export const keepClaim = (tx: Pick<Tx, 'remember' | 'forget'>, { key, person }: Claim): Promise<void> =>
  person === undefined ? tx.forget(CALLED, key) : tx.remember(CALLED, key, person)

/** What lanes must learn once the commit is on disk. */
export interface Applied { queued: Queued[]; cancelled: { lane: Place, counts: Count[] }[] }

/**
 * `steadyNow`: by the clock that does not jump. `linkMs`: how long a link to a file works. `begins`: whether a delivery to this place is
 * tried right after the commit; the commit then counts that try too.
 */
interface How { directory: Directory; desk: DeskMemory; now: number; steadyNow: number; linkMs: number; begins? (place: Place): boolean }

/** As many deliveries as before take their turns. If the number differs, the new ones go to the end of the lane. */
const recall = async (tx: Tx, { original, lane, instead }: Change & { kind: 'recall' }, now: number): Promise<Partial<Applied>> => {
  const held = original.deliveries.filter(({ held, place }) => held === true && addressKey(place) === addressKey(lane))
  if (held.length !== instead.length) {
    const cancelled = [{ lane, counts: await tx.recall(held.map(({ id }) => id)) }]
    const queued: Queued[] = []
    for (const one of instead) queued.push(await tx.queue({ journal: original.seq, from: original.arrival.place }, one, now))
    return { cancelled, queued }
  }
  for (const [index, { id }] of held.entries()) await tx.rewrite(id, instead[index]!.delivery)
  return { cancelled: [{ lane, counts: [] }] }
}

const change = async (tx: Tx, what: Change, journal: number, { directory, now, linkMs, steadyNow }: How): Promise<Partial<Applied>> => {
  switch (what.kind) {
    case 'link': await tx.link(what.token, journal, now + linkMs, what.file); return {}
    case 'revokeLinks': await tx.revokeLinks(what.journal); return {}
    case 'remove': await tx.remove(what.journal); return {}
    case 'block': await tx.block(what.person, now); return {}
    case 'unblock': await tx.unblock(what.person); return {}
    case 'expel': await keepExpelled(tx, what, directory); return {}
    case 'stand': await keepStanding(tx, what.place, what.standing); return {}
    case 'confirm': await tx.confirm(what.place, what.id, what.outcome); return {}
    case 'early': await tx.earlyReceipt(what.place, what.ids, what.what, steadyNow); return {}
    case 'called': await keepClaim(tx, what.claim); return {}
    case 'profile': await (what.value === undefined ? tx.forget(PROFILES, what.key) : tx.remember(PROFILES, what.key, what.value)); return {}
    case 'chat': await tx.remember(DIRECTS, chatKey(what.chat), JSON.stringify(what.chat)); return {}
    case 'react': await tx.react(what.message, what.person, what.now, journal); return {}
    case 'desk': await applyDesk(tx, what.change, journal, now, steadyNow); return {}
    case 'recall': return await recall(tx, what, steadyNow)
    case 'cancel': return { cancelled: [{ lane: what.lane, counts: await tx.cancel(what.lane, what.reason, now) }] }
  }
}

/** Changes the directory's memory last. If the commit fails, the process ends anyway. */
export const apply = async (tx: Tx, plan: Plan, { journal, from }: Cause, how: How): Promise<Applied> => {
  const { directory, desk, steadyNow, begins } = how
  const applied: Applied = { queued: [], cancelled: [] }
  for (const what of plan.changes) {
    const { cancelled = [], queued = [] } = await change(tx, what, journal, how)
    applied.cancelled.push(...cancelled)
    applied.queued.push(...queued)
  }
  for (const one of plan.deliveries) {
    const tried = one.afterMs === undefined && begins?.(one.delivery.place) === true
    applied.queued.push(await tx.queue({ journal, from }, one, steadyNow, tried))
  }
  for (const what of plan.changes) {
    if (what.kind === 'block') directory.block(what.person)
    if (what.kind === 'unblock') directory.unblock(what.person)
    if (what.kind === 'stand') directory.stand(what.place, what.standing)
    if (what.kind === 'expel') directory.expelled.set(what.key, what.expelled)
    if (what.kind === 'called') directory.namesakes.learn(what.claim)
    if (what.kind === 'profile') directory.profiles.learn(what)
    if (what.kind === 'chat') directory.directs.learn(what.chat)
    if (what.kind === 'desk') learnDesk(desk, what.change)
  }
  return applied
}
