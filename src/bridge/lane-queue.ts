/** What waits in a lane: the first LANE_ROWS_MAX rows in memory, in order; the rest in the store, until there is room. */
import type { Place } from '../model/address'
import type { Queued, Store } from '../store/store'

/** How many rows a lane holds in memory. */
const LANE_ROWS_MAX = 512

/** `stalledSince`: when it began to hold up its lane although its network is connected. */
export interface Row extends Queued { stalledSince?: number }

export interface LaneQueue {
  /** Something was just queued, behind all else. */
  add (row: Queued): void
  /** Whether nothing waits before a row that was just queued. Then it need not wait here. */
  passes (row: Queued): boolean
  first (): Row | undefined
  /** Takes the next rows that may be counted as tried in one commit, `most` of them. */
  take (most: number): Row[]
  /** Tried in vain: they are the first again. */
  putBack (rows: Row[]): void
  /** Whether nothing is in memory, but something may be in the store. */
  mustLoad (): boolean
  load (): Promise<void>
  /** Rows changed in the store, so what is in memory is no longer true. */
  forget (): void
  /** Whether nothing waits, here or in the store. */
  isEmpty (): boolean
}

/** What happened while rows were loaded: which were queued, and whether the store changed. */
interface Meanwhile { late: Queued[]; stale: boolean }

/** It may be what crashed us. */
export const isSuspect = (row: Row | undefined): boolean => (row?.crashes ?? 0) > 0

/** `ahead` is told what will be next. */
export const makeLaneQueue = (place: Place, store: Store, ahead: (rows: readonly Queued[]) => void): LaneQueue => {
  let waiting: Row[] = []
  let lastId = 0 // of what came into memory
  let more = false // the store may hold rows after lastId; a lane is made for what was just queued, so at first it holds none
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
      if (loading === undefined) push([row])
      else loading.late.push(row)
    },
    passes (row) {
      if (!isEmpty()) return false
      lastId = Math.max(lastId, row.id)
      return true
    },
    first: () => waiting[0],
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
      push(meanwhile.late)
      if (meanwhile.stale) forget()
    },
    forget () {
      if (loading === undefined) forget()
      else loading.stale = true
    },
    isEmpty
  }
}
