/**
 * The operator's config of function addresses. Now and then one is taken out or put back while Zentrale is stopped, so at each start the
 * config is known. An address leaves only after somebody has written to it, because otherwise nobody would notice.
 */
import type { DatabaseSync } from 'node:sqlite'
import type { FunctionAddress } from '../../src/desk/address'
import type { Disk } from './disk'
import { looking } from './inspect'
import type { Random } from './random'

/** How often. */
const BUSY = 0.4

/** After line `behind` of the journal, the addresses `out` were not in the config. */
export interface Config { behind: number; out: ReadonlySet<string> }

export interface Operator {
  readonly configs: readonly Config[]
  /** Whether the operator changes anything in this story. */
  readonly isBusy: boolean
  /** Takes an address out, or puts one back. Returns what it did. */
  edit (isKnown: (address: FunctionAddress) => boolean): string
  /** Zentrale starts: returns the addresses in the config now. */
  start (disk: Disk): FunctionAddress[]
}

const newestLine = (db: DatabaseSync): number => {
  const isMade = db.prepare("SELECT 1 FROM sqlite_schema WHERE name = 'journal'").get() !== undefined // a crash may have come before
  return isMade ? Number(db.prepare('SELECT coalesce(max(seq), 0) AS seq FROM journal').get()!['seq']) : 0
}

export const makeOperator = (random: Random, addresses: FunctionAddress[]): Operator => {
  const out = new Set<string>()
  const configs: Config[] = []
  return {
    configs, isBusy: random.happens(BUSY),
    edit (isKnown) {
      const { name } = random.pick(addresses)
      if (out.delete(name)) return `puts ${name} back`
      if (!isKnown(addresses.find(one => one.name === name)!)) return 'changes nothing'
      out.add(name)
      return `takes ${name} out`
    },
    start (disk) {
      if (configs.length > 0 || out.size > 0) configs.push({ behind: looking(disk, newestLine), out: new Set(out) })
      return addresses.filter(({ name }) => !out.has(name))
    }
  }
}

/** Whether the address was out of the config when a line of the journal was written. */
export const isOut = (configs: readonly Config[], address: string, line: number): boolean =>
  configs.findLast(({ behind }) => behind < line)?.out.has(address) === true
