/**
 * The rule for STOP and START, wherever a person writes to us alone. A message that says only STOP ends all messages to that person at
 * once, from every address of ours, and the others in the mirror are told. It is asked before the rules for the desk and for mirrors.
 */
import type { Context, DeskFacts } from '../desk/facts'
import { consentChanged } from '../desk/consent'
import { addressKey, type Place, samePlace } from '../model/address'
import type { Arrival, EditArrival, MessageArrival } from '../model/message'
import { toPlain } from '../model/text'
import { consentWord } from '../plan/consent-word'
import type { Directory } from '../plan/directory'
import { notice, type Change, type Plan } from '../plan/plan'
import { TEXTS } from '../plan/texts'
import type { NewDelivery, Recorded } from '../store/store'

type Written = MessageArrival | EditArrival

/** In a chat between two persons, “stop” is a word, unless it is a phone's: an app lets its owner block whom they do not want. */
const isToPerson = (arrival: Arrival, { mirrorAt, directs, can }: Directory): boolean => {
  const { network } = arrival.place
  const isChat = mirrorAt(arrival.place)?.mirror.direct === true ||
    (arrival.kind === 'message' && arrival.to !== undefined && directs.behind(network, arrival.to) !== undefined)
  return isChat && can(network).ghosts
}

/** A message to us alone, or its correction by the same writer: a corrected typing error counts as if typed right. */
const isWritten = (arrival: Arrival, desk: DeskFacts | undefined, original: Recorded | undefined, directory: Directory): arrival is Written => {
  if (isToPerson(arrival, directory)) return false
  if (desk !== undefined && desk.from !== 'contact' && desk.from !== 'elsewhere') return false
  if (arrival.kind === 'message') return arrival.direct === true
  if (arrival.kind !== 'edit' || original?.arrival.kind !== 'message' || original.arrival.direct !== true) return false
  const { place, sender } = original.arrival
  const contact = desk?.from === 'contact' ? desk.conversation?.contact.id : undefined
  return samePlace(place, arrival.place) && sender.id === arrival.sender.id && sender.id === (contact ?? sender.id)
}

/** Tells the other places of every mirror that this person is in. */
const tellOthers = (arrival: Written, threads: Place[], directory: Directory, word: 'left' | 'returned'): NewDelivery[] =>
  threads.flatMap(thread => {
    const found = directory.mirrorAt(thread)
    const name = found?.here.people?.[arrival.sender.id]
    if (found === undefined || name === undefined) return []
    return found.mirror.places
      .filter(({ place, people }) => (people === undefined || found.mirror.direct === true) && !samePlace(place, thread))
      .map(({ place }) => notice(arrival, place, 'consent', directory.textsAt(place)[word](name)))
  })

export const consentRule = (arrival: Arrival, desk: DeskFacts | undefined, original: Recorded | undefined,
  context: Context): Plan | undefined => {
  const { directory } = context
  if (!isWritten(arrival, desk, original, directory)) return undefined
  const word = consentWord(toPlain(arrival.content.text))
  const person = addressKey({ network: arrival.place.network, id: arrival.sender.id })
  if (word === undefined) return undefined
  const blocked = directory.isBlocked(person)
  if (blocked && word === 'stop') return { outcome: 'routed', deliveries: [], changes: [], why: 'everything is ended already' }
  if (!blocked && word === 'start') return undefined
  const threads = directory.threadsOf(person)
  const lanes = threads.some(thread => samePlace(thread, arrival.place)) ? threads : [...threads, arrival.place]
  const texts = desk?.from === 'contact' ? TEXTS[desk.shown.language] : directory.textsAt(arrival.place) // the address may not know the place yet
  const beside = consentChanged(desk, word, context)
  const changes: Change[] = word === 'stop'
    ? [{ kind: 'block', person }, ...lanes.map(lane => ({ kind: 'cancel' as const, lane, reason: 'the person sent STOP' }))]
    : [{ kind: 'unblock', person }]
  return {
    outcome: 'routed', changes: [...changes, ...beside.changes],
    deliveries: [
      notice(arrival, arrival.place, word, word === 'stop' ? texts.stopped : texts.started),
      ...tellOthers(arrival, threads, directory, word === 'stop' ? 'left' : 'returned'),
      ...beside.deliveries
    ]
  }
}
