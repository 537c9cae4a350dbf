/** Where the active one leaves the mark of its config (config/mark.ts): in the store's own memory. */
import type { Tx } from './store'

const [OWNER, KEY] = ['store', 'config']

/** What is read by whoever only looks. */
export const MARK = "SELECT value FROM memory WHERE owner = 'store' AND key = 'config'"

export const markIn = async (tx: Tx): Promise<string | undefined> => new Map(await tx.remembered(OWNER)).get(KEY)

export const mark = (tx: Tx, value: string): Promise<void> => tx.remember(OWNER, KEY, value)
