/**
 * The rule for STOP and START, wherever a person writes to us alone: one whole message ends everything for that person at once, from
 * every address of ours, and the others in the mirror are told. Asked before all other rules.
 */
import type { DeskFacts } from '../desk/facts'
import { consentChanged } from '../desk/rule'
import { addressKey, type Place } from '../model/address'
import type { Arrival, MessageArrival } from '../model/message'
import { toPlain } from '../model/text'
import { consentWord } from '../plan/consent-word'
import type { Directory } from '../plan/directory'
import { notice, type Change, type Plan } from '../plan/plan'
import type { NewDelivery } from '../store/store'

const samePlace = (one: Place, other: Place): boolean => addressKey(one) === addressKey(other)

/** Tells the other places of every mirror that this person is in. */
const tellOthers = (arrival: MessageArrival, threads: Place[], directory: Directory, text: (name: string) => string): NewDelivery[] =>
  threads.flatMap(thread => {
    const found = directory.mirrorAt(thread)
    const name = found?.here.people?.[arrival.sender.id]
    if (found === undefined || name === undefined) return []
    return found.mirror.places
      .filter(({ place, people }) => people === undefined && !samePlace(place, thread))
      .map(({ place }) => notice(arrival, place, 'consent', text(name)))
  })

export const consentRule = (arrival: Arrival, desk: DeskFacts | undefined, directory: Directory): Plan | undefined => {
  if (arrival.kind !== 'message' || arrival.direct !== true || (desk !== undefined && desk.from !== 'contact')) return undefined
  const word = consentWord(toPlain(arrival.content.text))
  const person = addressKey({ network: arrival.place.network, id: arrival.sender.id })
  if (word === undefined) return undefined
  const blocked = directory.isBlocked(person)
  if (blocked === (word === 'stop')) return blocked ? { outcome: 'routed', deliveries: [], changes: [] } : undefined
  const threads = directory.threadsOf(person)
  const lanes = threads.some(thread => samePlace(thread, arrival.place)) ? threads : [...threads, arrival.place]
  const { texts } = directory
  const beside = consentChanged(arrival, desk, word, directory)
  const changes: Change[] = word === 'stop'
    ? [{ kind: 'block', person }, ...lanes.map(lane => ({ kind: 'cancel' as const, lane, reason: 'the person sent STOP' }))]
    : [{ kind: 'unblock', person }]
  return {
    outcome: 'routed', changes: [...changes, ...beside.changes],
    deliveries: [
      notice(arrival, arrival.place, word, word === 'stop' ? texts.stopped : texts.started),
      ...tellOthers(arrival, threads, directory, word === 'stop' ? texts.left : texts.returned),
      ...beside.deliveries
    ]
  }
}
