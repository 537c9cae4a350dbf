/**
 * Whom our users have read in encrypted chats, and by which identity: so that a team hears of it once if a contact has another one. A first identity
 * and a new device that it has signed are nothing to tell.
 */
import type { Vault } from '../../../model/network'
import { parsed } from '../events/json'

/** `identity`: if there is one. `event`: the one with which they had it first, if they had another one before. */
interface Person { identity?: string | undefined; event?: string }

export interface Met {
  /** Those of them of whom something was read before. */
  among (ours: string, people: string[]): Promise<string[]>
  /** Something of theirs was read. Whether their identity is another one since this event; said again if the event is read again. */
  isOther (ours: string, theirs: string, event: string, identity: string | undefined): Promise<boolean>
  forget (ours: string, theirs: string): Promise<void>
}

const keyOf = (ours: string, theirs: string): string => `met ${ours} ${theirs}`

export const makeMet = (vault: Vault): Met => {
  const find = async (ours: string, theirs: string): Promise<Person | undefined> => {
    const bytes = await vault.get(keyOf(ours, theirs))
    return bytes && parsed<Person>(bytes)
  }

  return {
    async among (ours, people) {
      const found = await Promise.all(people.map(one => find(ours, one)))
      return people.filter((_, n) => found[n] !== undefined)
    },
    async isOther (ours, theirs, event, identity) {
      const before = await find(ours, theirs)
      if (before !== undefined && (identity === undefined || identity === before.identity)) return before.event === event
      const isOther = before?.identity !== undefined
      await vault.change([[keyOf(ours, theirs), Buffer.from(JSON.stringify({ identity, ...isOther && { event } } satisfies Person))]])
      return isOther
    },
    forget: (ours, theirs) => vault.change([[keyOf(ours, theirs), undefined]])
  }
}
