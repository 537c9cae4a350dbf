/**
 * One lane: the deliveries to one place, in order. It counts each try on disk before the try, keeps at most `can.window`
 * unanswered, and when one has to wait, stops, lets the others be answered and goes back to the first unanswered one. What a crash
 * cut off is sent alone. What carries a file waits for it as long as files.ts lets it, and is said in words if it does not come.
 * Nothing leaves a lane except as done, failed or unknown; what stops it delays this place only.
 */
import { backoffMs } from '../lib/backoff'
import type { Chance } from '../lib/chance'
import { deadline, type Clock, type Timer } from '../lib/clock'
import type { Log } from '../lib/log'
import type { DeliveryKey, Place } from '../model/address'
import { Bug, messageOf, Refused, Unavailable } from '../model/errors'
import type { Action, Sent } from '../model/message'
import type { Network } from '../model/network'
import { quotingInstead } from '../plan/reply'
import type { Queued, Store } from '../store/store'
import type { Ending, Unwanted } from './ending'
import type { Files } from './files'

/** How many rows a lane holds in memory; the rest wait in the store. */
export const LANE_ROWS_MAX = 512
/** How many rows are counted as tried in one commit, where trying again is harmless. */
const AHEAD_ROWS = 32
const SEND_TIMEOUT_MS = 60_000
const RETRY_FIRST_MS = 500
const RETRY_MOST_MS = 120_000
/** How long one delivery may hold up its lane although its network is connected. */
export const LANE_STALL_MAX_MS = 15 * 60_000

export interface LaneParts {
  store: Store; network: Network; clock: Clock; chance: Chance; log: Log; ending: Ending; files: Files
  unwanted (row: Queued): Unwanted | undefined
  retried (): void
  bug (error: unknown): void
  idle (): void // nothing left: the lane may be forgotten
}

export interface Lane {
  /** What was just queued. With an attempt already, that one is counted on disk. */
  add (rows: Queued[]): void
  /** The network is connected again: try now instead of at the end of the pause. */
  wake (): void
  /** Rows changed in the store behind the lane's back. */
  reload (): void
  /** Starts nothing more; resolves when what was sent is answered, or when `signal` fires, and all else is back in the store. */
  stop (signal: AbortSignal): Promise<void>
}

interface Row extends Queued { stalledSince?: number }

/** The delivery that is answered, or reacted to. */
const answeredOf = (action: Action): DeliveryKey | undefined => {
  const said = action.kind === 'reaction' ? action.to : 'reply' in action ? action.reply?.said : undefined
  return said !== undefined && 'delivery' in said ? said.delivery : undefined
}

const suspect = (row: Row | undefined): boolean => (row?.crashes ?? 0) > 0

export const makeLane = (place: Place, parts: LaneParts): Lane => {
  const { store, network, clock, chance, ending } = parts
  const { can } = network
  const aheadMax = can.afterCrash === 'park' ? 1 : Math.max(can.window, AHEAD_ROWS)
  const stopping = new AbortController()

  let waiting: Row[] = [] // in memory, in order
  let ready: Row[] = [] // counted as tried, not yet handed to the network
  const flying = new Map<number, Row>() // handed to the network, unanswered
  let returned: Row[] = [] // tried in vain, to be tried again
  let more = false // the store may hold rows after lastId; a lane is made for what was just queued, so at first it holds none
  let lastId = 0
  let late: Queued[] | undefined // rows added while loading
  let stale = false // the store changed behind our back while loading
  let pause: Timer | undefined
  let broken: Unavailable | undefined
  let pumping = false
  let again = false
  let stopped: (() => void) | undefined

  const push = (rows: Queued[]): void => {
    for (const row of rows) {
      if (row.id <= lastId) continue
      if (more || waiting.length >= LANE_ROWS_MAX) { more = true; return }
      waiting.push(row)
      lastId = row.id
    }
    parts.files.ahead(network, rows)
  }

  /** It was counted when nothing was before it; if something is by now, it waits its turn like all others. */
  const begin = (row: Row): void => {
    if (late !== undefined || more || waiting.length > 0) return void giveBack([row]).then(reload, () => {})
    ready.push(row)
    parts.files.ahead(network, ready)
    lastId = Math.max(lastId, row.id)
  }

  const giveBack = (rows: Row[]): Promise<void> => store.run(tx => tx.waitAgain(rows.map(({ id }) => id)))

  const load = async (): Promise<void> => {
    late = []
    const rows = await store.run(tx => tx.waiting(place, lastId, LANE_ROWS_MAX))
    more = false
    push(rows)
    more = rows.length === LANE_ROWS_MAX
    const missed = late
    late = undefined
    push(missed)
    if (stale) forget()
  }

  const forget = (): void => {
    stale = false
    waiting = []
    lastId = 0
    more = true
  }

  const tooOld = (row: Row): boolean => clock.now() - row.queuedAt > can.giveUpAfterMs

  const endsUnwanted = (row: Row): boolean => {
    const why = parts.unwanted(row)
    if (why !== undefined) ending.unwanted(row, why)
    return why !== undefined
  }

  const endsUntried = (row: Row): boolean => {
    if (!tooOld(row)) return endsUnwanted(row)
    ending.gaveUp(row)
    return true
  }

  /** Counts the next rows as tried, in one commit, after ending those that need no try. */
  const take = async (): Promise<void> => {
    const until = waiting[0]?.notBefore
    if (until !== undefined && until > clock.now()) { pause = clock.after(until - clock.now(), wake); return }
    const apart = waiting.findIndex((row, index) => suspect(row) || (index > 0 && row.notBefore !== undefined))
    const rows = waiting.splice(0, apart === -1 ? aheadMax : Math.min(Math.max(apart, 1), aheadMax))
    const wanted = rows.filter(row => !endsUntried(row))
    if (wanted.length === 0) return
    const taken = await store.run(tx => tx.trying(wanted.map(({ id }) => id)))
    for (const row of wanted) {
      if (!taken.has(row.id)) continue // somebody ended it meanwhile
      row.delivery = taken.get(row.id) ?? { ...row.delivery, attempt: row.delivery.attempt + 1 }
      ready.push(row)
    }
    parts.files.ahead(network, ready)
  }

  const failed = (row: Row, error: unknown): void => {
    flying.delete(row.id)
    if (error instanceof Bug) return parts.bug(error)
    if (error instanceof Refused) { ending.refused(row, error); return pump() }
    const reason = error instanceof Unavailable ? error : new Unavailable(messageOf(error), { cause: error, unknown: can.afterCrash === 'park' })
    if (reason !== error) parts.log.error({ network: place.network, delivery: row.delivery.key, error }, 'unexpected error while sending')
    if (reason.unknown) { ending.unknown(row, reason.message); return pump() }
    row.stalledSince = reason.disconnected ? clock.now() : row.stalledSince ?? clock.now()
    if (clock.now() - row.stalledSince > LANE_STALL_MAX_MS) { ending.stalled(row, reason); return pump() }
    returned.push(row)
    broken = reason
    pump()
  }

  const done = (row: Row, sent: Sent): void => {
    flying.delete(row.id)
    ending.done(row, sent)
    pump()
  }

  /** Under which id that arrives is known when it is answered; this one and those behind it wait for that. */
  const changesOneUnderWay = ({ delivery: { action } }: Row): boolean => {
    const named = ['of' in action ? action.of : undefined, answeredOf(action)]
    return [...flying.values()].some(({ delivery: { key } }) => named.includes(key))
  }

  /** A suspect is sent alone, so that if it is what crashes us nothing else is blamed with it. */
  const keepsApart = (): boolean => {
    const [first] = flying.values()
    return first !== undefined && (suspect(first) || suspect(ready[0] ?? waiting[0]))
  }

  /** Hands one row to the network. Resolves when it is handed over, not when it is answered. */
  const launch = async (row: Row): Promise<void> => {
    const { signal, done: clear } = deadline(clock, SEND_TIMEOUT_MS, stopping.signal)
    const delivery = { ...row.delivery }
    const unsent = (): void => { clear(); flying.delete(row.id) }
    flying.set(row.id, row)
    try {
      const found = delivery.attempt > 1 ? await network.find?.(delivery, signal) : undefined
      if (found !== undefined) { clear(); return done(row, found) }
      if ('of' in delivery.action) {
        const { of } = delivery.action
        delivery.target = await store.run(tx => tx.remoteIds(of))
        if (delivery.target.length === 0) { unsent(); return ending.pointless(row) }
      }
      const answered = answeredOf(delivery.action)
      if (answered !== undefined) {
        delivery.answered = await store.run(tx => tx.remoteIds(answered))
        const isThere = delivery.answered.length > 0
        if (!isThere && delivery.action.kind === 'reaction') { unsent(); return ending.pointless(row) }
        if (!isThere) delivery.action = quotingInstead(delivery.action, can.formatting)
      }
      const missing = await parts.files.brought(network, row, signal)
      if (missing !== undefined) delivery.action = await ending.inWords(row, missing)
    } catch (error) { clear(); return failed(row, error) }
    if (broken !== undefined) { unsent(); returned.push(row); return } // one before it went back meanwhile
    const why = parts.unwanted(row) // since its try was counted
    if (why !== undefined) { unsent(); return ending.unwanted(row, why) }
    const answer = async (): Promise<Sent> => network.send(delivery, signal)
    answer().then(sent => done(row, sent), (error: unknown) => failed(row, error)).finally(clear).catch(parts.bug)
  }

  /** Puts everything that is not done back in order, and waits before the next try. */
  const rest = (why: Unavailable): void => {
    const rows = [...returned, ...ready].sort((one, other) => one.id - other.id)
    returned = []
    ready = []
    waiting.unshift(...rows)
    giveBack(rows).catch(() => {}) // the store itself has said so
    parts.retried()
    const ms = why.retryAfterMs ?? backoffMs(chance, rows[0]?.delivery.attempt ?? 1, RETRY_FIRST_MS, RETRY_MOST_MS)
    parts.log.info({ network: place.network, waiting: rows.length, ms, why: why.message }, 'lane pauses')
    pause = clock.after(ms, wake)
  }

  const work = async (): Promise<void> => {
    while (stopped === undefined && broken === undefined && pause === undefined && flying.size < can.window) {
      if (ready.length === 0 && waiting.length === 0 && more) await load()
      if (keepsApart()) break
      if (ready.length === 0) await take()
      if (ready[0] !== undefined && changesOneUnderWay(ready[0])) break
      const row = broken === undefined ? ready.shift() : undefined
      if (row === undefined) {
        if (waiting.length === 0 && !more) break
        continue
      }
      await launch(row)
    }
    if (broken !== undefined && flying.size === 0 && stopped === undefined) {
      const why = broken
      broken = undefined
      rest(why)
    }
    if (flying.size === 0) stopped?.()
    if (waiting.length + ready.length + returned.length + flying.size === 0 && !more && pause === undefined) parts.idle()
  }

  const pump = (): void => {
    if (pumping) { again = true; return }
    pumping = true
    work().catch((error: unknown) => { if (stopped === undefined) parts.bug(error) }).finally(() => {
      pumping = false
      if (again) { again = false; pump() }
    })
  }

  const reload = (): void => {
    if (late === undefined) forget()
    else stale = true
    wake()
  }

  const wake = (): void => {
    pause?.cancel()
    pause = undefined
    pump()
  }

  return {
    add (rows) {
      for (const row of rows) {
        if (row.delivery.attempt > 0) begin(row)
        else if (late !== undefined) late.push(row)
        else push([row])
      }
      pump()
    },
    wake,
    reload,
    async stop (signal) {
      pause?.cancel()
      const end = new Promise<void>(resolve => { stopped = resolve })
      signal.addEventListener('abort', () => {
        stopping.abort(new Unavailable('shutting down', { disconnected: true }))
        clock.soon(() => stopped?.()) // whoever does not heed the signal is cut off, as by a crash
      })
      pump()
      await end
      await giveBack([...ready, ...returned]).catch(() => {})
    }
  }
}
