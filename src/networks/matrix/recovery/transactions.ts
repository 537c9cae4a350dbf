/**
 * What the homeserver pushes, one transaction after another. It may have lost something if it stopped in between. That shows when the ids
 * begin anew, when the last transaction comes again, or when nothing came for a while and what comes then has waited.
 */
import type { Clock } from '../../../lib/clock'
import { messageOf } from '../../../model/errors'
import type { Backlog } from './backlog'
import type { Take } from './catch-up'
import { isJson, stringOf } from '../events'
import { WAIT_MS } from './gap'
import type { Intake } from './intake'
import type { Reading } from './reading'
import type { States } from './states'

/** No homeserver stops, starts and brings what it has kept within this time. Synapse waits two seconds with it. */
const STOPPED_MS = 2_000

interface Parts { states: States; backlog: Backlog; intake: Intake; reading: Reading; take: Take; clock: Clock; domain: string }

export interface Transactions {
  /** Resolves when all of it is on disk or of no concern. Throws if all of it is to come again. */
  take (events: unknown[], id: string): Promise<void>
  isBringing (): boolean
}

export const makeTransactions = ({ states, backlog, intake, reading, take, clock, domain }: Parts): Transactions => {
  let lastId = 0
  let lastAt = 0 // of clock.tick
  let underWay = 0
  let readFor: string | undefined // the one for which everything was read

  const turnOf = (id: string): 'next' | 'again' | 'anew' => {
    if (!/^\d{1,15}$/.test(id)) return 'next'
    const before = lastId
    lastId = Number(id)
    return lastId < before ? 'anew' : lastId === before ? 'again' : 'next'
  }

  /** How old an event is (ms, CS API §Room event format), if it is of our own homeserver; others may say what they like. */
  const ageOf = (event: unknown): number | undefined => {
    if (!isJson(event) || !isJson(event.unsigned) || stringOf(event.sender)?.endsWith(`:${domain}`) !== true) return undefined
    return typeof event.unsigned.age === 'number' ? event.unsigned.age : undefined
  }

  const hasWaited = (events: unknown[]): boolean => {
    const ages = events.map(ageOf).filter(age => age !== undefined)
    const silentMs = clock.tick() - Math.max(lastAt, states.caughtUpAt())
    return silentMs > STOPPED_MS && ages.length > 0 && Math.min(...ages) > STOPPED_MS
  }

  /** Reads what may have been lost, before this one is taken. */
  const lookForLoss = (events: unknown[], id: string): void => {
    const turn = turnOf(id)
    const mayHaveStopped = turn === 'again' || hasWaited(events)
    const inVain = readFor === id && states.readingMs() > WAIT_MS // it came again because reading takes long: once more would never end
    if (turn === 'anew' || (mayHaveStopped && !inVain && !states.hasGap())) states.found()
    if (mayHaveStopped) readFor = id
  }

  return {
    async take (events, id) {
      lookForLoss(events, id)
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
        lastAt = clock.tick()
      }
    },
    isBringing: () => underWay > 0
  }
}
