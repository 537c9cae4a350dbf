/**
 * Uploads the files of deliveries to networks that take files, before their turn in the lane, and tries what is behind our links where these
 * go out. Whatever a file's server does, it holds up a place only for a bounded time: within HELD_WITHIN_MS, the files of one person may hold up
 * a place for HELD_BY_ONE_MS, and the files of all people there for HELD_BY_ALL_MS. A file that has not come by then is replaced by words
 * (ending.ts). A link waits LINK_MS_MAX at most, and goes out unless it is certain that nothing is behind it.
 */
import { type Clock, deadline, sleep } from '../lib/clock'
import { addressKey } from '../model/address'
import { Bug, messageOf, Refused, Unavailable } from '../model/errors'
import type { Attachment } from '../model/message'
import type { Media, Network } from '../model/network'
import type { Queued } from '../store/store'

/** How long one file may take. */
export const FILE_MS_MAX = 10_000
const LINK_MS_MAX = 2_000
export const HELD_BY_ONE_MS = 20_000
export const HELD_BY_ALL_MS = 40_000
export const HELD_WITHIN_MS = 600_000
const HELD_KEPT_MAX = 10_000 // people and places whose use is remembered
/** How many files are fetched before their turn: of one person, for one place, and in all. */
const AHEAD_OF_ONE = 4
const AHEAD_FOR_PLACE = 8
const AHEAD_MAX = 32
const FAILED_KEPT_MAX = 256

type FileFailure = Refused | Unavailable

/** Files of one delivery that will not come. */
export interface Missing { files: Attachment[]; why: FileFailure }

export interface Files {
  /** These rows are next: fetches their files now, as far as there is room. */
  ahead (network: Network, rows: readonly Queued[]): void
  /**
   * Resolves when the row's files are at their destination or behind their links, or with those that are not. Throws Unavailable if the
   * destination is down or asks us to wait.
   */
  brought (network: Network, row: Queued, signal: AbortSignal): Promise<Missing | undefined>
  stop (): void
}

/** `result`: the error, or Dead; undefined if all went well. */
interface Coming { one: string; place: string; began: number; result: Promise<unknown>; abort (why: Error): void }

/** The files that have to be brought to the destination, or behind their links. */
const filesOf = ({ delivery: { action } }: Pick<Queued, 'delivery'>): Attachment[] => {
  if (!('content' in action)) return []
  const { file, linked = [] } = action.content
  return file === undefined ? linked : file.kept === true ? [] : [file]
}

/** Nothing is behind the links to these files. */
class Dead implements Missing {
  constructor (readonly files: Attachment[], readonly why: FileFailure) {}
}

/** A budget of `most` ms for each key. What was used comes back evenly within HELD_WITHIN_MS. */
const makeAllowance = (clock: Clock, most: number) => {
  const used = new Map<string, { ms: number, at: number }>() // the last charged stands last
  const usedOf = (key: string): number => {
    const { ms = 0, at = 0 } = used.get(key) ?? {}
    return Math.max(0, ms - (clock.tick() - at) * most / HELD_WITHIN_MS)
  }
  return {
    left: (key: string): number => Math.max(0, most - usedOf(key)),
    charge (key: string, ms: number): void {
      const now = usedOf(key) + ms
      used.delete(key)
      used.set(key, { ms: now, at: clock.tick() })
      if (used.size > HELD_KEPT_MAX) used.delete(used.keys().next().value as string)
    }
  }
}

/** Whether an error concerns the whole lane, not the file: the destination is down, or asks us to wait. */
const concernsLane = (error: unknown, [file]: Attachment[], { name }: Network): error is Unavailable => error instanceof Unavailable &&
  (error.disconnected || error.retryAfterMs !== undefined) && (error.trouble === undefined || file?.at.network === name)

/** A network that takes our link goes on with that, unless nothing is behind it. What is too large for that network is not too large for the link. */
const lacking = ({ can }: Network, files: Attachment[], error: unknown): Missing | undefined => {
  if (error instanceof Dead) return error
  const why = asFailure(error)
  const isDead = why.trouble === 'gone' || why.trouble === 'forbidden' || why.trouble === 'broken'
  return can.files === 'upload' || isDead ? { files, why } : undefined
}

const asFailure = (error: unknown): FileFailure =>
  error instanceof Refused || error instanceof Unavailable ? error : new Unavailable(messageOf(error), { cause: error })

/** `open`: absent, links are not tried. */
export const makeFiles = (clock: Clock, open?: Media['open']): Files => {
  const coming = new Map<number, Coming>()
  const failed = new Map<number, unknown>() // results of files that failed before their turn
  const ofOne = makeAllowance(clock, HELD_BY_ONE_MS)
  const ofAll = makeAllowance(clock, HELD_BY_ALL_MS)

  const oneOf = ({ delivery: { as, place } }: Queued): string => `${addressKey(place)} ${as === undefined ? '' : addressKey(as.person)}`

  /** Asks for the files behind our links, without reading them. */
  const tryLinks = async (files: Attachment[], stopping: AbortSignal): Promise<Dead | undefined> => {
    const { signal, done } = deadline(clock, LINK_MS_MAX, stopping)
    const failures = await Promise.all(files.map(async file => {
      const why: unknown = await open?.(file, signal).then(({ stream }) => { stream.destroy() }, (error: unknown) => error)
      return why instanceof Refused ? [{ file, why }] : []
    })).finally(done)
    const dead = failures.flat()
    return dead[0] && new Dead(dead.map(({ file }) => file), dead[0].why)
  }

  const bring = async (network: Network, row: Queued, signal: AbortSignal): Promise<Dead | undefined> => {
    const { file } = 'content' in row.delivery.action ? row.delivery.action.content : {}
    const done = file === undefined ? 'left' : await (network.upload?.({ ...row.delivery }, signal) ?? 'left')
    return done === 'left' && network.can.files !== 'upload' ? await tryLinks(filesOf(row), signal) : undefined
  }

  const begin = (network: Network, row: Queued): Coming => {
    const control = new AbortController()
    const timer = clock.after(FILE_MS_MAX, () => control.abort(new Unavailable(`no file within ${FILE_MS_MAX} ms`, { trouble: 'unreachable' })))
    const given = Promise.withResolvers<unknown>() // so an upload that ignores the signal is not waited for
    control.signal.addEventListener('abort', () => given.resolve(control.signal.reason))
    bring(network, row, control.signal).then(given.resolve, given.resolve)
    const one: Coming = {
      one: oneOf(row), place: addressKey(row.delivery.place), began: clock.tick(), result: given.promise, abort: why => control.abort(why)
    }
    coming.set(row.id, one)
    void given.promise.then(() => {
      timer.cancel()
      coming.delete(row.id)
    })
    return one
  }

  const hasRoom = (row: Queued): boolean => {
    const now = [...coming.values()]
    return now.length < AHEAD_MAX && now.filter(({ one }) => one === oneOf(row)).length < AHEAD_OF_ONE &&
      now.filter(({ place }) => place === addressKey(row.delivery.place)).length < AHEAD_FOR_PLACE
  }

  /** The file's result, or the reason to wait no longer. The time is charged to the person who shared it, and to the place. */
  const waitFor = async ({ result, one, place, began, abort }: Coming, signal: AbortSignal): Promise<unknown> => {
    const from = clock.tick()
    const most = Math.min(FILE_MS_MAX - (from - began), ofOne.left(one), ofAll.left(place))
    const over = new AbortController()
    const late = sleep(clock, Math.max(0, most), signal, over.signal)
    const first = await Promise.race([result.then(error => ({ error })), late])
    over.abort()
    ofOne.charge(one, clock.tick() - from)
    ofAll.charge(place, clock.tick() - from)
    if (first !== undefined) return first.error
    const why = signal.aborted ? asFailure(signal.reason) : new Unavailable('the file did not come in time', { trouble: 'unreachable' })
    abort(why)
    return why
  }

  return {
    ahead (network, rows) {
      for (const row of rows) {
        const files = filesOf(row)
        if (files.length === 0 || coming.has(row.id) || failed.has(row.id) || !hasRoom(row)) continue
        void begin(network, row).result.then(error => {
          if (error === undefined || concernsLane(error, files, network)) return
          failed.set(row.id, error)
          if (failed.size > FAILED_KEPT_MAX) failed.delete(failed.keys().next().value as number)
        })
      }
    },
    async brought (network, row, signal) {
      const files = filesOf(row)
      if (files.length === 0) return undefined
      const before = failed.get(row.id)
      failed.delete(row.id)
      if (before !== undefined) return lacking(network, files, before)
      const error = await waitFor(coming.get(row.id) ?? begin(network, row), signal)
      failed.delete(row.id)
      if (error === undefined) return undefined
      if (signal.aborted || error instanceof Bug || concernsLane(error, files, network)) throw error
      return lacking(network, files, error)
    },
    stop () {
      for (const { abort } of coming.values()) abort(new Unavailable('shutting down', { disconnected: true }))
    }
  }
}
