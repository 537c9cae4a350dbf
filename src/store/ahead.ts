/**
 * What jobs ask first is asked for all jobs of a commit at once, before they run: whether an arrival has come before or was taken back, and whether a
 * receipt is there already for what was delivered. Nearly always there is none. That holds until a job of the same commit writes one; and what is
 * not known here is asked as ever. For an engine that is far away; the others do not look ahead, so they know nothing here.
 */
import { markOf } from './person-tx'
import type { Sql } from './sql'
import type { About } from './store'

/** The next key in order is read, not the same one: so no plan can read all of a network instead, as those made for an empty table did. */
const NO_ARRIVAL = `SELECT value FROM json_each(?) AS asked
  WHERE (SELECT key FROM journal WHERE network = ? AND key >= value ORDER BY network, key LIMIT 1) IS DISTINCT FROM value
  AND (SELECT corrects FROM journal WHERE network = ? AND corrects >= value ORDER BY network, corrects LIMIT 1) IS DISTINCT FROM value`
const ERASED = 'SELECT value FROM json_each(?) AS asked WHERE (SELECT 1 FROM erased WHERE mark = value LIMIT 1) = 1'
const NO_RECEIPT = `SELECT value FROM json_each(?) AS asked
  WHERE (SELECT 1 FROM early_receipt WHERE network = ? AND place = ? AND id = value LIMIT 1) IS NULL`

export interface Ahead {
  /** Forgets what it knew: a new commit begins. Then finds out about these. */
  look (about: About[]): Promise<void>
  /** Nothing has this key, corrects what has it, or is erased. */
  noArrival (network: string, key: string): Promise<boolean>
  noReceipt (network: string, place: string, id: string): Promise<boolean>
  /** It is there, or will be: an arrival, or with a place a receipt. */
  came (id: string, network: string, place?: string): void
}

interface Value { value: string }

/** A network's name has no space, so no receipt is taken for an arrival. */
const whereOf = (network: string, place?: string): string => place === undefined ? network : `${network} ${place}`

export const makeAhead = ({ all }: Pick<Sql, 'all'>): Ahead => {
  const none = new Map<string, Set<string>>() // what is not there, by where; at most what the jobs of one commit are about

  const arrivals = async (network: string, keys: string[]): Promise<string[]> => {
    const marks = new Map(keys.map(key => [markOf(network, key), key]))
    const [free, erased] = await Promise.all([
      all<Value>(NO_ARRIVAL, JSON.stringify(keys), network, network), all<Value>(ERASED, JSON.stringify([...marks.keys()]))
    ])
    const gone = new Set(erased.map(({ value }) => marks.get(value)))
    return free.flatMap(({ value }) => gone.has(value) ? [] : value)
  }
  const receipts = async (network: string, place: string, ids: string[]): Promise<string[]> =>
    (await all<Value>(NO_RECEIPT, JSON.stringify(ids), network, place)).map(({ value }) => value)

  return {
    async look (about) {
      none.clear()
      const asked = Map.groupBy(about, ({ network, place }) => whereOf(network, place))
      await Promise.all([...asked].map(async ([where, of]) => {
        const [{ network, place }, ids] = [of[0]!, of.flatMap(({ ids }) => ids)]
        none.set(where, new Set(place === undefined ? await arrivals(network, ids) : await receipts(network, place, ids)))
      }))
    },
    noArrival: async (network, key) => none.get(whereOf(network))?.has(key) === true,
    noReceipt: async (network, place, id) => none.get(whereOf(network, place))?.has(id) === true,
    came (id, network, place) { none.get(whereOf(network, place))?.delete(id) }
  }
}
