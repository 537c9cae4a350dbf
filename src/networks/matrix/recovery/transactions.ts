/**
 * What the homeserver pushes, one transaction after another. If it stopped in between, it may have lost something. Three signs show that:
 * the ids begin anew, the last transaction comes again, or, after a silence, events come that have waited. And while it finds us again, an
 * id that is left out shows an event that it holds back.
 */
import type { Clock } from '../../../lib/clock'
import { messageOf } from '../../../model/errors'
import type { Backlog } from './backlog'
import type { Take } from './catch-up'
import { isJson, stringOf } from '../events/json'
import { WAIT_MS } from './gap'
import type { Intake } from './intake'
import type { Reading } from './reading'
import type { States } from './states'

/** No homeserver stops, starts and sends what it has kept in less time. Synapse waits two seconds before it sends. */
const STOPPED_MS = 2_000

/**
 * Synapse makes a transaction of what is said in the moment in which it finds us again, and does not send it before it has lost us once more.
 * Later, an id that is left out only means another application service.
 */
const FINDING_MS = 30_000

interface Parts { states: States; backlog: Backlog; intake: Intake; reading: Reading; take: Take; clock: Clock; domain: string }

export interface Transactions {
  /** Resolves when every event is on disk or does not concern us. Throws if all of them must come again. */
  take (events: unknown[], id: string): Promise<void>
  isBringing (): boolean
  /** The homeserver is there, after it was away. */
  found (): void
}

export const makeTransactions = ({ states, backlog, intake, reading, take, clock, domain }: Parts): Transactions => {
  let lastId = 0
  let lastAt = 0 // of clock.tick
  let foundAt = 0 // of clock.tick
  let underWay = 0
  let readFor: string | undefined // id of the transaction for which everything was read

  const turnOf = (id: string): 'next' | 'again' | 'anew' | 'one left out' => {
    if (!/^\d{1,15}$/.test(id)) return 'next'
    const before = lastId
    lastId = Number(id)
    if (lastId <= before) return lastId === before ? 'again' : 'anew'
    return before > 0 && lastId > before + 1 ? 'one left out' : 'next'
  }

  /** How old an event is (ms, CS API §Room event format), if it is from our own homeserver. Others may say what they like. */
  const ageOf = (event: unknown): number | undefined => {
    if (!isJson(event) || !isJson(event.unsigned) || stringOf(event.sender)?.endsWith(`:${domain}`) !== true) return undefined
    return typeof event.unsigned.age === 'number' ? event.unsigned.age : undefined
  }

  const haveWaited = (events: unknown[]): boolean => {
    const ages = events.map(ageOf).filter(age => age !== undefined)
    return ages.length > 0 && Math.min(...ages) > STOPPED_MS
  }

  /** Makes sure that what may have been lost is read before this transaction is taken. */
  const lookForLoss = (events: unknown[], id: string): void => {
    const turn = turnOf(id)
    const holdsBack = turn === 'one left out' && clock.tick() - foundAt < FINDING_MS
    const silentMs = clock.tick() - Math.max(lastAt, states.caughtUpAt())
    const isLate = haveWaited(events)
    if (isLate) foundAt = clock.tick() // it still brings what has waited
    const mayHaveStopped = turn === 'again' || (silentMs > STOPPED_MS && isLate) || holdsBack
    const inVain = readFor === id && states.readingMs() > WAIT_MS // it came again because reading takes long: to read again would never end
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
        await take(events.filter(event => !backlog.passesOver(event)), room => {
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
    isBringing: () => underWay > 0,
    found () { foundAt = clock.tick() }
  }
}
