/**
 * What the homeserver pushes, one transaction after another. Its ids show whether it may have lost something: they begin anew when it was
 * started anew, and it brings one again when it may have stopped in between.
 */
import { messageOf } from '../../../model/errors'
import type { Backlog } from './backlog'
import type { Take } from './catch-up'
import { WAIT_MS } from './gap'
import type { Intake } from './intake'
import type { Reading } from './reading'
import type { States } from './states'

interface Parts { states: States; backlog: Backlog; intake: Intake; reading: Reading; take: Take }

export interface Transactions {
  /** Resolves when all of it is on disk or of no concern. Throws if all of it is to come again. */
  take (events: unknown[], id: string): Promise<void>
  isBringing (): boolean
}

export const makeTransactions = ({ states, backlog, intake, reading, take }: Parts): Transactions => {
  let lastId = 0
  let underWay = 0
  let readFor: string | undefined // the one because of whose coming again all was read

  const turnOf = (id: string): 'next' | 'again' | 'anew' => {
    if (!/^\d{1,15}$/.test(id)) return 'next'
    const before = lastId
    lastId = Number(id)
    return lastId < before ? 'anew' : lastId === before ? 'again' : 'next'
  }

  /** Reads what may have been lost, before this one is taken. */
  const lookForLoss = (id: string): void => {
    const turn = turnOf(id)
    const inVain = readFor === id && states.readingMs() > WAIT_MS // it came again because reading takes long: once more would never end
    if (turn === 'anew' || (turn === 'again' && !inVain && !states.hasGap())) states.found()
    if (turn === 'again') readFor = id
  }

  return {
    async take (events, id) {
      lookForLoss(id)
      underWay++
      const crowded = new Set<string>()
      try {
        await states.caughtUp()
        await take(events.filter(event => !backlog.leaves(event)), room => {
          if (backlog.has(room)) return
          crowded.add(room)
          backlog.hold(room)
        })
        await reading.toBacklog(crowded)
        intake.is()
      } catch (error) {
        intake.is(messageOf(error))
        for (const room of crowded) backlog.release(room) // all of it comes again
        states.troubled()
        throw error
      } finally {
        underWay--
      }
    },
    isBringing: () => underWay > 0
  }
}
