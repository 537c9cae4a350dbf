/** Tells an account's server what we are done with (XEP-0198 §4): up to the first stanza that we are not done with. */
import { el, type Xml } from '../wire/xml'
import { makeInOrder } from './in-order'
import { SM } from './login'

const COUNTS_MAX = 2 ** 32

export interface Receipts {
  /** A session begins. `handled`: how many of its stanzas need not come again; the rest does, and is counted anew. */
  begin (handled: number, isCounted: boolean): void
  /** A stanza came. Call the result when it is done with. */
  came (): () => void
  handled (): number
  /** Says how far we are. */
  tell (): void
}

export const makeReceipts = (put: (xml: Xml) => void): Receipts => {
  let received = 0
  let isCounted = false
  let owed = false // the server has asked, and the answer did not cover all
  let order = makeInOrder(0)

  const tell = (): void => {
    if (!isCounted) return
    owed = order.reached() !== received
    put(el('a', { xmlns: SM, h: String(order.reached() % COUNTS_MAX) }))
  }

  return {
    begin (handled, counted) {
      received = handled
      isCounted = counted
      owed = false
      const mine = order = makeInOrder(handled, () => { if (owed && mine === order) tell() })
    },
    came: () => order.add(++received),
    handled: () => order.reached(),
    tell
  }
}
