/**
 * What is done each time the homeserver is found: rooms are entered, what was missed is read, a ping makes a backlog come at once, and
 * then it is looked again for what was missed (see catch-up.ts). Until all of that was read once nothing new is taken.
 */
import { backoffMs } from '../../../lib/backoff'
import type { Chance } from '../../../lib/chance'
import { sleep, type Clock } from '../../../lib/clock'
import type { Log } from '../../../lib/log'
import { messageOf } from '../../../model/errors'
import type { Gap } from './gap'
import type { ReadUpTo } from './catch-up'

interface Parts {
  clock: Clock; chance: Chance; log: Log; signal: AbortSignal; gap: Gap
  /** Makes ready what is read with. */
  prepare (): Promise<void>
  readNews (known?: ReadUpTo[]): Promise<ReadUpTo[]>
  /** AS API §Pinging. */
  ping (attempt: number): Promise<unknown>
  /** Whether the homeserver is bringing something just now. */
  isBringing (): boolean
  /** Whether events come in, and if not, why. */
  intake (trouble?: string): void
}

export interface Finding {
  /** The homeserver is there: takes over from an earlier one that is still trying. */
  found (): Promise<void>
  /** It is lost: what is under way ends. */
  lost (): void
  /** The homeserver will have to bring something again: it is looked soon afterwards what it lost. */
  troubled (): void
  /** How long reading took the last time. */
  readingMs (): number
}

const UNREACHED = 'the homeserver does not reach us; check the url in the registration, and that the homeserver has read it'
const PING_FIRST_MS = 1000
const PING_MOST_MS = 60_000
const AGAIN_FIRST_MS = 1000
const AGAIN_MOST_MS = 60_000
const LOOK_AGAIN_MS = [3_000, 30_000, 600_000] // the last again and again

export const makeFinding = (parts: Parts): Finding => {
  const { clock, chance, log, signal, gap, prepare, readNews, intake } = parts
  let generation = 0
  let lastMs = 0
  let trouble = new AbortController()

  const isOver = (mine: number): boolean => mine !== generation || signal.aborted

  /** Until the homeserver says that it reaches us. */
  const ping = async (mine: number): Promise<void> => {
    for (let attempt = 1; !isOver(mine); attempt++) {
      if (parts.isBringing()) return // it reaches us, and a ping would have Synapse try the same in two loops
      try {
        await parts.ping(attempt)
        return intake()
      } catch (error) {
        if (!signal.aborted) intake(UNREACHED)
        if (attempt === 1) log.warn({ why: messageOf(error) }, UNREACHED)
        await sleep(clock, backoffMs(chance, attempt, PING_FIRST_MS, PING_MOST_MS), signal)
      }
    }
  }

  /** A failure here is one of the link, after which everything is read again. */
  const lookAgain = async (mine: number, read: ReadUpTo[]): Promise<void> => {
    let known = read
    for (let looks = 0; ; looks++) {
      await sleep(clock, LOOK_AGAIN_MS[looks] ?? LOOK_AGAIN_MS.at(-1)!, trouble.signal, signal)
      if (isOver(mine)) return
      if (trouble.signal.aborted) {
        trouble = new AbortController()
        looks = -1
        continue
      }
      known = await readNews(known).catch((error: unknown) => {
        log.info({ why: messageOf(error) }, 'could not look again for what was missed')
        return known
      })
    }
  }

  return {
    async found () {
      const mine = ++generation
      trouble.abort() // who still looks for an earlier one ends
      trouble = new AbortController()
      for (let attempt = 1; !isOver(mine); attempt++) {
        try {
          await prepare()
          const began = clock.tick()
          const read = await readNews()
          lastMs = clock.tick() - began
          if (!isOver(mine)) { gap.caughtUp(); intake() }
          await ping(mine)
          return await lookAgain(mine, read)
        } catch (error) {
          if (isOver(mine)) return
          log.warn({ why: messageOf(error) }, 'could not catch up; trying again')
          intake(`what was missed cannot be read: ${messageOf(error)}`)
          await sleep(clock, backoffMs(chance, attempt, AGAIN_FIRST_MS, AGAIN_MOST_MS), signal)
        }
      }
    },
    lost () { generation++ },
    troubled () { trouble.abort() },
    readingMs: () => lastMs
  }
}
