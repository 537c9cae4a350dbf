/** Makes sure that everything is heard, in order. Joins what is pushed, what is read because it was not pushed, and the states in between. */
import type { Chance } from '../../../lib/chance'
import type { Clock } from '../../../lib/clock'
import type { Log } from '../../../lib/log'
import type { Place } from '../../../model/address'
import { Bug } from '../../../model/errors'
import type { Inbox, Memory } from '../../../model/network'
import type { Direct } from '../direct/direct'
import type { Homeserver } from '../homeserver'
import type { Rooms } from '../rooms/rooms'
import { makeBacklog, type Backlog } from './backlog'
import type { CatchUpWorld, Take } from './catch-up'
import { makeIntake } from './intake'
import { makeReadApart, makeReading } from './reading'
import { makeStates } from './states'
import { makeTransactions } from './transactions'

export interface RecoveryWorld {
  homeserver: Homeserver; memory: Memory; clock: Clock; chance: Chance; log: Log; signal: AbortSignal; bot: string; domain: string
  isMadeByUs (place: Place): boolean
  /** Prepares what reading needs. */
  prepare (): Promise<void>
  /** AS API §Pinging. */
  ping (attempt: number): Promise<unknown>
  /** Whether events come in, and if not, why. */
  changed (up: boolean, detail?: string): void
}

/** The parts that exist only after the start. */
export interface Listening { inbox: Inbox; take: Take; rooms: Rooms; direct: Direct }

export interface Recovery {
  readonly backlog: Backlog
  /** Called before anything is found or pushed. */
  start (listening: Listening): void
  /** The homeserver is there. */
  found (): void
  lost (): void
  /** Takes what the homeserver pushes. Throws if it must come again. */
  take (events: unknown[], id: string): Promise<void>
}

export const makeRecovery = (world: RecoveryWorld): Recovery => {
  const { homeserver, memory, clock, chance, log, signal, bot, domain, isMadeByUs, changed } = world
  let started: Listening | undefined

  const listening = (): Listening => {
    if (started === undefined) throw new Bug('reading before start')
    return started
  }
  const catchUpWorld = (): CatchUpWorld => {
    const { inbox, take, rooms, direct } = listening()
    const isHeard = (room: string): boolean => !rooms.isOut(room) && (rooms.placeOf(room) !== undefined || direct.of(room) !== undefined)
    return { homeserver, inbox, take, memory, clock, log, signal, bot, isHeard }
  }

  const intake = makeIntake(changed)
  const backlog = makeBacklog({
    clock, chance, log, signal, bot, readOn: makeReadApart(catchUpWorld, domain),
    fails: (room, failing) => { if (listening().rooms.placeOf(room)) intake.room(room, failing) }
  })
  const reading = makeReading({ listening, backlog, clock, bot, isMadeByUs, world: catchUpWorld })
  const states = makeStates({
    clock, chance, log, signal, prepare: world.prepare, ping: world.ping,
    readNews: reading.readNews, isBringing: () => transactions.isBringing(), intake: intake.is
  })
  const transactions = makeTransactions({
    states, backlog, intake, reading, clock, domain, take: (raws, crowded) => listening().take(raws, crowded)
  })

  return {
    backlog,
    start (given) { started = given },
    found () {
      if (started === undefined) return
      transactions.found()
      states.found()
    },
    lost: states.lost,
    take: transactions.take
  }
}
