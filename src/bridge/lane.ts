/**
 * One lane: the deliveries to one place, in order. It counts each try on disk before the try, and keeps at most `can.window` unanswered. If
 * one has to wait, the lane stops, waits until the others are answered, and goes back to the first one that failed. A delivery that a crash
 * cut off is sent alone. A delivery with a file waits for it as long as files.ts allows; if the file does not come, words replace it. Nothing
 * leaves a lane except as done, failed or unknown. A lane that stops delays only its own place.
 */
import { backoffMs } from '../lib/backoff'
import type { Chance } from '../lib/chance'
import { deadline, type Clock, type Timer } from '../lib/clock'
import { coalesced } from '../lib/coalesced'
import type { Log } from '../lib/log'
import type { Shares } from '../lib/shares'
import { addressKey, type Place } from '../model/address'
import { Bug, messageOf, Refused, Unavailable } from '../model/errors'
import type { Delivery, Sent } from '../model/message'
import type { Network } from '../model/network'
import type { Queued, Store } from '../store/store'
import type { Ending, Unwanted } from './ending'
import type { Files } from './files'
import { isSuspect, makeLaneQueue, type Row } from './lane-queue'
import { changedBy, fillInNamed, namedBy } from './named'

/** How many rows are counted as tried in one commit, if trying again is harmless. */
const AHEAD_ROWS = 32
const SEND_TIMEOUT_MS = 60_000
const RETRY_FIRST_MS = 500
const RETRY_MOST_MS = 120_000
/** How long one delivery may hold up its lane although its network is connected. */
const LANE_STALL_MAX_MS = 15 * 60_000
/** The same where the place is hopeless: long enough that what was remembered of it is asked for again. */
const HOPELESS_STALL_MAX_MS = 5 * 60_000

export interface LaneParts {
  store: Store; network: Network; clock: Clock; chance: Chance; log: Log; ending: Ending; files: Files
  /** Places that were closed so long that a row ended for it, and have taken no message since. They are remembered when their lanes are not. */
  hopeless: Shares<true>
  unwanted (row: Queued): Unwanted | undefined
  /** With its writer's name of now. */
  current (delivery: Delivery): Delivery
  retried (): void
  bug (error: unknown): void
  idle (): void // nothing left: the lane may be forgotten
}

export interface Lane {
  /** These rows were just queued. If a row has an attempt already, that try is counted on disk. */
  add (rows: Queued[]): void
  /** The network is connected again: tries now, not at the end of the pause. */
  wake (): void
  /** Rows of this lane were changed in the store by somebody else. */
  reload (): void
  /** Starts nothing more. Resolves when all sends are answered, or `signal` fires, and all other rows are back in the store. */
  stop (signal: AbortSignal): Promise<void>
}

/** Any other error counts as one. */
const unavailable = (error: unknown, { delivery: { place, key } }: Row, { network, log }: LaneParts): Unavailable => {
  if (error instanceof Unavailable) return error
  log.error({ network: place.network, delivery: key, error }, 'unexpected error while sending')
  return new Unavailable(messageOf(error), { cause: error, unknown: network.can.afterCrash === 'park' })
}

/** If its place has become another room meanwhile, what can be said there in its place. */
const send = async ({ network, ending, current }: LaneParts, row: Row, delivery: Delivery, signal: AbortSignal): Promise<Sent> => {
  try {
    return await network.send(current(delivery), signal)
  } catch (error) {
    const instead = error instanceof Refused && error.because === 'replaced' ? await ending.anew(row) : undefined
    if (instead === undefined) throw error
    return await network.send(current({ ...delivery, action: instead }), signal)
  }
}

/**
 * Whether a row has held up its lane for too long. Where the place is closed, rows behind it wait for the same, so their time runs too; and once
 * it is hopeless, later ones get less.
 */
const makePatience = (place: Place, { clock, hopeless }: LaneParts) => {
  const key = addressKey(place)
  let closedSince: number | undefined
  return {
    isOver (row: Row, { closed, disconnected }: Unavailable): boolean {
      const now = clock.now()
      closedSince = closed ? closedSince ?? now : undefined
      row.stalledSince = disconnected ? now : row.stalledSince ?? Math.max(row.queuedAt, closedSince ?? now)
      const isOver = now - row.stalledSince > (closed && hopeless.has(key) ? HOPELESS_STALL_MAX_MS : LANE_STALL_MAX_MS)
      if (isOver && closed) hopeless.put(key, { group: place.network, owner: place.id }, true)
      return isOver
    },
    /** What has no words may arrive where words cannot be encrypted. */
    arrived ({ delivery: { action } }: Row) {
      if (!('content' in action)) return
      closedSince = undefined
      hopeless.delete(key)
    }
  }
}

/** Whoever wrote these hears at once that they wait behind what cannot be encrypted. Its own writer may be nobody: it may be a greeting. */
const tellBehind = (rows: readonly Row[], { unsealed }: Unavailable, ending: Ending): void => {
  for (const row of rows) {
    if (unsealed === undefined || row.told === unsealed) continue
    row.told = unsealed
    ending.waits(row, unsealed, true)
  }
}

/** A lane hands rows to the network only while it is `working`. `going back`: a row has to wait; first the flying ones are answered. */
type State =
  | { is: 'working' }
  | { is: 'going back', why: Unavailable }
  | { is: 'pausing', timer: Timer, why?: Unavailable }
  | { is: 'stopping', over (): void }

/**
 * A row goes from the queue to `ready`, to `flying`, and to its end. If its try fails, it goes to `returned`, and from there back to the
 * queue, together with all ready rows.
 */
export const makeLane = (place: Place, parts: LaneParts): Lane => {
  const { store, network, network: { can }, clock, chance, ending } = parts
  const aheadMax = can.afterCrash === 'park' ? 1 : Math.max(can.window, AHEAD_ROWS)
  const cutOff = new AbortController()

  const queue = makeLaneQueue(place, store, rows => parts.files.ahead(network, rows))
  let ready: Row[] = [] // counted as tried, not yet handed to the network
  const flying = new Map<number, Row>() // handed to the network, unanswered
  let returned: Row[] = [] // rows whose try failed, to be tried again
  let state: State = { is: 'working' }
  const patience = makePatience(place, parts)

  const enter = (next: State): void => {
    if (state.is === 'stopping') return // a lane that stops never starts again
    if (state.is === 'pausing') state.timer.cancel()
    state = next
  }

  const pauseFor = (ms: number, why?: Unavailable): void => enter({ is: 'pausing', timer: clock.after(ms, wake), ...why && { why } })

  const giveBack = (rows: Row[]): Promise<void> => store.run(tx => tx.waitAgain(rows.map(({ id }) => id))).catch(() => {}) // it says so itself

  /** The row's try was counted when nothing was before it. If something is by now, the row is given back and waits its turn. */
  const begin = (row: Row): void => {
    if (queue.passes(row)) { ready.push(row); return parts.files.ahead(network, ready) }
    void giveBack([row])
    queue.forget() // what is heard from now on comes from the store, behind this row
  }

  const endsUnwanted = (row: Row): boolean => {
    const why = parts.unwanted(row)
    if (why !== undefined) ending.unwanted(row, why)
    return why !== undefined
  }

  const endsUntried = (row: Row): boolean => {
    if (clock.now() - row.queuedAt <= can.giveUpAfterMs) return endsUnwanted(row)
    ending.gaveUp(row)
    return true
  }

  /** Counts the next rows as tried, in one commit, after ending those that need no try. */
  const take = async (): Promise<void> => {
    const until = queue.first()?.notBefore
    if (until !== undefined && until > clock.now()) return pauseFor(until - clock.now())
    const wanted = queue.take(aheadMax).filter(row => !endsUntried(row))
    if (wanted.length === 0) return
    const taken = await store.run(tx => tx.trying(wanted.map(({ id }) => id)))
    const counted = wanted.filter(({ id }) => taken.has(id)) // the others were ended meanwhile
    for (const row of counted) row.delivery = taken.get(row.id) ?? { ...row.delivery, attempt: row.delivery.attempt + 1 }
    ready.unshift(...counted) // before those that began meanwhile
    parts.files.ahead(network, ready)
  }

  const goBack = (row: Row, why: Unavailable): void => {
    if (why.voiceless || why.unsealed !== undefined) ending.waits(row, why.unsealed, false)
    row.told = why.unsealed
    returned.push(row)
    enter({ is: 'going back', why })
  }

  const failed = (row: Row, error: unknown): void => {
    flying.delete(row.id)
    if (error instanceof Bug) return parts.bug(error)
    if (error instanceof Refused) { ending.refused(row, error); return pump() }
    const reason = unavailable(error, row, parts)
    if (reason.unknown) { ending.unknown(row, reason.message); return pump() }
    if (patience.isOver(row, reason)) ending.stalled(row, reason)
    else goBack(row, reason)
    pump()
  }

  const done = (row: Row, sent: Sent): void => {
    flying.delete(row.id)
    patience.arrived(row)
    ending.done(row, sent)
    pump()
  }

  /**
   * Whether the row names a delivery that is still flying, or changes what one that is flying changes. It must wait, because a remote id, and
   * that a change was taken, are known only when that one is answered.
   */
  const hasToWait = ({ delivery, delivery: { action } }: Row): boolean => {
    const named = namedBy(action)
    const changed = changedBy(delivery)
    return [...flying.values()].some(one => named.includes(one.delivery.key) || (changed !== undefined && changedBy(one.delivery) === changed))
  }

  /** A suspect is sent alone, so that no other row is blamed if it crashes us again. */
  const keepsApart = (): boolean => {
    const [first] = flying.values()
    return first !== undefined && (isSuspect(first) || isSuspect(ready[0] ?? queue.first()))
  }

  /** Hands one row to the network. Resolves when it is handed over, not when it is answered. */
  const launch = async (row: Row): Promise<void> => {
    const { signal, done: clear } = deadline(clock, SEND_TIMEOUT_MS, cutOff.signal)
    const delivery = { ...row.delivery }
    const unsent = (): void => { clear(); flying.delete(row.id) }
    flying.set(row.id, row)
    try {
      const found = delivery.attempt > 1 ? await network.find?.(delivery, signal) : undefined
      if (found !== undefined) { clear(); return done(row, found) }
      const named = namedBy(delivery.action).length === 0 || await store.run(tx => fillInNamed(tx, delivery, can.formatting))
      if (!named) { unsent(); return ending.pointless(row) }
      const missing = await parts.files.brought(network, row, signal)
      if (missing !== undefined) delivery.action = await ending.inWords(row, missing)
    } catch (error) { clear(); return failed(row, error) }
    if (returned.length > 0) { unsent(); returned.push(row); return } // an earlier row went back meanwhile
    if (endsUnwanted(row)) return unsent() // it became unwanted after its try was counted
    send(parts, row, delivery, signal).then(sent => done(row, sent), (error: unknown) => failed(row, error)).finally(clear).catch(parts.bug)
  }

  /** Puts all unfinished rows back into the queue in order, and pauses before the next try. */
  const rest = (why: Unavailable): void => {
    const rows = [...returned, ...ready].sort((one, other) => one.id - other.id)
    returned = []
    ready = []
    queue.putBack(rows)
    tellBehind(queue.rows(), why, ending)
    void giveBack(rows)
    parts.retried()
    const ms = why.retryAfterMs ?? backoffMs(chance, rows[0]?.delivery.attempt ?? 1, RETRY_FIRST_MS, RETRY_MOST_MS)
    parts.log.info({ network: place.network, waiting: rows.length, ms, why: why.message }, 'lane pauses')
    pauseFor(ms, why)
  }

  const work = async (): Promise<void> => {
    while (state.is === 'working' && flying.size < can.window && !keepsApart()) {
      const [row] = ready
      if (row !== undefined) {
        if (hasToWait(row)) break
        ready.shift()
        await launch(row)
      } else if (queue.isEmpty()) break
      else await (queue.mustLoad() ? queue.load() : take())
    }
    if (flying.size > 0) return
    if (state.is === 'going back') rest(state.why)
    if (state.is === 'stopping') state.over()
    if (queue.isEmpty() && ready.length + returned.length === 0) parts.idle()
  }

  const pump = coalesced(work, error => { if (state.is !== 'stopping') parts.bug(error) })

  const wake = (): void => {
    if (state.is === 'pausing') enter({ is: 'working' })
    pump()
  }

  const reload = (): void => {
    queue.forget()
    wake()
  }

  return {
    add (rows) {
      for (const row of rows) {
        if (row.delivery.attempt > 0) begin(row)
        else queue.add(row)
      }
      if (state.is === 'pausing' && state.why !== undefined) tellBehind(queue.rows(), state.why, ending)
      pump()
    },
    wake,
    reload,
    async stop (signal) {
      const { promise, resolve: over } = Promise.withResolvers<void>()
      enter({ is: 'stopping', over })
      signal.addEventListener('abort', () => {
        cutOff.abort(new Unavailable('shutting down', { disconnected: true }))
        clock.soon(over) // a send that ignores the signal is cut off, as by a crash
      })
      pump()
      await promise
      await giveBack([...ready, ...returned])
    }
  }
}
