/**
 * Whoever comes into a room whose mirror rests was not there when people were told. Promises: they are told once more when somebody comes, at
 * most once a day in each room; not where the mirror rests itself, and not in threads, where each word costs.
 */
import type { Clock } from '../lib/clock'
import { makeSometimes } from '../lib/sometimes'
import { addressKey, type Place } from '../model/address'
import type { StandingArrival } from '../model/message'
import type { Directory } from '../plan/directory'
import { notice, whereOf } from '../plan/plan'
import type { Store } from '../store/store'
import type { Deliver } from './deliver'

const TOLD_MS = 24 * 3_600_000

interface Parts { store: Store; directory: Directory; deliver: Pick<Deliver, 'heard'>; clock: Clock; aging: Clock }

/** Somebody has come to this place who was not there before. */
export const makeNewcomers = ({ store, directory, deliver, clock, aging }: Parts) => {
  const isTime = makeSometimes(clock)

  const textAt = (place: Place): string => {
    const texts = directory.textsAt(place)
    const resting = directory.mirrorAt(place)?.mirror.places.filter(one => !directory.isOpen(one.place)) ?? []
    const told = resting.map(({ place: there }) =>
      (directory.standing(there) === 'out' ? texts.isOut : texts.isEncrypted)(whereOf(there, directory)))
    return [...new Set(told)].join(' ')
  }

  return (place: Place): void => {
    const text = directory.isOpen(place) ? textAt(place) : ''
    if (text === '' || !isTime(addressKey(place), TOLD_MS)) return
    const at = clock.now()
    const arrival: StandingArrival = { kind: 'standing', key: `newcomer ${at} ${place.id}`, place, at, standing: directory.standing(place) }
    store.run(async tx => {
      const cause = { journal: await tx.journal(arrival, 'routed', aging.now()), from: place }
      return await tx.queue(cause, notice(arrival, place, 'rests', text), aging.now())
    }).then(row => deliver.heard({ queued: [row], cancelled: [] }), () => { /* the store has failed, and the process stops */ })
  }
}
