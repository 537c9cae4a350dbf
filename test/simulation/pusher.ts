/**
 * How the homeserver pushes to us, like Synapse: one transaction at a time, each repeated until it is told yes, in the order of events, and
 * with their age. Now and then an old transaction comes again. Events that wait behind the current transaction are only in its memory
 * (synapse#11637). With SQLite, transaction ids start again with the server; with PostgreSQL they go on.
 */
import type { Timer } from '../../src/lib/clock'
import type { HsEvent } from '../support/homeserver/state'
import type { Life } from './life'
import type { World } from './world'

const HOUR_MS = 3_600_000
const TRANSACTION_MAX = 12
const PATIENCE_MS = 60_000
const RETRY_FIRST_MS = 2000
const RETRIES_MAX = 9 // after that the pause no longer grows
const AGAIN_MOST_MS = 2 * HOUR_MS

export interface Endpoint { life: Life; take (events: unknown[], id: string): Promise<void> }

export interface Pusher {
  push (event: HsEvent): void
  /** Tries a failed transaction now. */
  hurry (): void
  /** The homeserver stops: what waits in its memory is lost. */
  stop (): void
  start (): void
  readonly waiting: number
}

/** A transaction. When Synapse repeats one, events redacted meanwhile are empty. */
interface Transaction { id: number; events: HsEvent[]; altered?: boolean }

/** `keepsIds`: ids go on after a restart. */
interface Parts { world: World; keepsIds: boolean; travel (run: () => void): void; reach (): Endpoint | undefined }

const written = (event: HsEvent, age: number, altered: boolean): unknown => {
  const copy = JSON.parse(JSON.stringify({ ...event, unsigned: { ...event.unsigned, age } })) as HsEvent
  if (altered && typeof copy.content.body === 'string') copy.content.body += ' ALTERED'
  return copy
}

export const makePusher = ({ world, keepsIds, travel, reach }: Parts): Pusher => {
  const { timeline, random, weather, note } = world
  const queue: HsEvent[] = []
  const madeAt = new WeakMap<HsEvent, number>() // of timeline.ms
  let transaction: Transaction | undefined
  let nextId = 1
  let tries = 0
  let retry: Timer | undefined
  let giveUp: (() => void) | undefined // ends the try under way
  let running = true
  let replays = 0

  const bring = (): void => {
    retry = undefined
    if (!running || (transaction === undefined && queue.length === 0)) return
    transaction ??= { id: nextId++, events: queue.splice(0, 1 + random.below(TRANSACTION_MAX)) }
    let over = false
    const end = (yes: boolean): void => {
      giveUp!()
      if (yes) accepted()
      else retry = timeline.after(RETRY_FIRST_MS * 2 ** Math.min(tries++, RETRIES_MAX - 1), bring)
    }
    const patience = timeline.after(PATIENCE_MS, () => end(false))
    giveUp = () => { over = true; patience.cancel() }
    carry(transaction, yes => { if (!over) end(yes) })
  }

  const carry = ({ id, events, altered = false }: Transaction, end: (yes: boolean) => void): void => travel(() => {
    const to = reach()
    if (to === undefined) return end(false)
    const answer = (yes: boolean): void => travel(() => {
      if (reach() !== undefined && !(yes && weather.strikes('answer to the homeserver lost'))) end(yes)
    })
    to.life.through(() => to.take(events.map(event => written(event, timeline.ms - madeAt.get(event)!, altered)), String(id)))
      .then(() => answer(true), (error: unknown) => { note(`no to transaction ${id}: ${String(error)}`); answer(false) })
  })

  const accepted = (): void => {
    const done = transaction!
    transaction = undefined
    tries = 0
    if (weather.strikes('transaction again, later')) again({ ...done, id: random.happens(0.5) ? done.id : nextId++ })
    if (weather.strikes('transaction again, altered')) again({ ...done, altered: true })
    bring()
  }

  const again = (one: Transaction): void => {
    replays++
    timeline.after(random.between(0, AGAIN_MOST_MS), () => { replays--; if (running) carry(one, () => {}) })
  }

  return {
    push (event) {
      madeAt.set(event, timeline.ms)
      queue.push(event)
      if (transaction === undefined) bring()
    },
    hurry () {
      if (retry === undefined) return
      retry.cancel()
      tries = 0
      bring()
    },
    stop () {
      running = false
      giveUp?.()
      retry?.cancel()
      for (const event of queue.splice(0)) {
        weather.happened('never pushed')
        note(`never pushed: ${event.event_id} ${event.type} ${String(event.content.body ?? event.content.membership)} in ${event.room_id}`)
      }
      if (transaction === undefined && !keepsIds) nextId = 1
    },
    start () {
      running = true
      tries = 0
      if (transaction === undefined) bring()
      else retry = timeline.after(RETRY_FIRST_MS, bring)
    },
    get waiting () { return queue.length + (transaction?.events.length ?? 0) + replays }
  }
}
