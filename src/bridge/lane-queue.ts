/** The waiting rows of a lane, in order: the first LANE_ROWS_MAX in memory, the rest in the store until there is room. */
import type { Place } from '../model/address'
import type { Unsealed } from '../model/errors'
import type { Queued, Store } from '../store/store'

/** How many rows a lane holds in memory. */
const LANE_ROWS_MAX = 512

/**
 * `stalledSince`: when the row began to hold up its lane although the network is connected. `told`: why it, or what is before it, cannot be
 * encrypted, as its writer was told.
 */
export interface Row extends Queued { stalledSince?: number; told?: Unsealed | undefined }

export interface LaneQueue {
  /** A row was just queued. Rows are heard in the order of their ids; one that is not is read from the store, so that none is passed over. */
  add (row: Queued): void
  /** Whether nothing waits before a row that was just queued. Then it skips the queue. */
  passes (row: Queued): boolean
  first (): Row | undefined
  /** Those in memory. */
  rows (): readonly Row[]
  /** Takes the next rows that may be counted as tried in one commit, at most `most`. */
  take (most: number): Row[]
  /** Puts rows whose try failed back to the front. */
  putBack (rows: Row[]): void
  /** Whether nothing is in memory, but something may be in the store. */
  mustLoad (): boolean
  load (): Promise<void>
  /** Rows changed in the store: forgets the rows in memory, so that they are loaded again. */
  forget (): void
  /** Whether nothing waits, here or in the store. */
  isEmpty (): boolean
}

/** What happens while rows are loaded. `late`: rows queued meanwhile. `stale`: rows changed in the store. */
interface Meanwhile { late: Queued[]; stale: boolean }

/** Whether the row may be the cause of a crash. */
export const isSuspect = (row: Row | undefined): boolean => (row?.crashes ?? 0) > 0

/** `ahead` is called with rows that come next. */
export const makeLaneQueue = (place: Place, store: Store, ahead: (rows: readonly Queued[]) => void): LaneQueue => {
  let waiting: Row[] = []
  let lastId = 0 // the last row that came into memory
  let more = false // the store may hold rows after lastId; false at first, because a lane is made for a row that was just queued
  let loading: Meanwhile | undefined

  const push = (rows: Queued[]): void => {
    for (const row of rows) {
      if (row.id <= lastId) continue
      if (more || waiting.length >= LANE_ROWS_MAX) { more = true; return }
      waiting.push(row)
      lastId = row.id
    }
    ahead(rows)
  }

  const forget = (): void => {
    waiting = []
    lastId = 0
    more = true
  }

  const isEmpty = (): boolean => waiting.length === 0 && !more && loading === undefined

  return {
    add (row) {
      if (loading !== undefined) loading.late.push(row)
      else if (row.id <= lastId) forget()
      else push([row])
    },
    passes (row) {
      if (!isEmpty()) return false
      lastId = Math.max(lastId, row.id)
      return true
    },
    first: () => waiting[0],
    rows: () => waiting,
    take (most) {
      const apart = waiting.findIndex((row, index) => isSuspect(row) || (index > 0 && row.notBefore !== undefined))
      return waiting.splice(0, apart === -1 ? most : Math.min(Math.max(apart, 1), most))
    },
    putBack (rows) { waiting.unshift(...rows) },
    mustLoad: () => waiting.length === 0 && more,
    async load () {
      const meanwhile: Meanwhile = { late: [], stale: false }
      loading = meanwhile
      const rows = await store.run(tx => tx.waiting(place, lastId, LANE_ROWS_MAX))
      more = false
      push(rows)
      more = rows.length === LANE_ROWS_MAX
      loading = undefined
      const read = new Set(rows.map(({ id }) => id))
      const isMissed = meanwhile.late.some(({ id }) => id <= lastId && !read.has(id))
      push(meanwhile.late)
      if (meanwhile.stale || isMissed) forget()
    },
    forget () {
      if (loading === undefined) forget()
      else loading.stale = true
    },
    isEmpty
  }
}
