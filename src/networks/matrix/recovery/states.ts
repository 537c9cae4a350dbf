/**
 * How far we are in hearing everything, whatever the homeserver did meanwhile:
 *
 * - `away`, also at first: we do not reach it.
 * - `catching up`: it is found, or was started anew. We enter rooms, and read what was missed (see catch-up.ts).
 * - `pinging`: we ask whether it reaches us, which makes it send at once what has waited.
 * - `watching`: now and then we look again for what it did not push.
 *
 * Each leads to the next. In the first two there is a gap, because it may have lost events that we never saw (Synapse drops what waits in
 * its memory when it stops, synapse#11637). When the homeserver is lost, the first begins again; when it is found, the second.
 */
import { backoffMs } from '../../../lib/backoff'
import type { Chance } from '../../../lib/chance'
import { sleep, type Clock } from '../../../lib/clock'
import type { Log } from '../../../lib/log'
import { messageOf } from '../../../model/errors'
import type { ReadUpTo } from './catch-up'
import { makeGap } from './gap'

type State = 'away' | 'catching up' | 'pinging' | 'watching'

interface Parts {
  clock: Clock; chance: Chance; log: Log; signal: AbortSignal
  /** Prepares what reading needs. */
  prepare (): Promise<void>
  readNews (known?: ReadUpTo[]): Promise<ReadUpTo[]>
  /** AS API §Pinging. */
  ping (attempt: number): Promise<unknown>
  /** Whether the homeserver is pushing something just now. */
  isBringing (): boolean
  /** Whether events come in, and if not, why. */
  intake (trouble?: string): void
}

export interface States {
  /** The homeserver is there, or was started anew: ends what is under way, and begins again. */
  found (): void
  lost (): void
  /** The homeserver must send something again: soon afterwards, we look for what it lost. */
  troubled (): void
  hasGap (): boolean
  /** Resolves when there is no gap. Throws Unavailable if that takes long. */
  caughtUp (): Promise<void>
  /** How long the last reading took. */
  readingMs (): number
  /** When everything was last read, of clock.tick. */
  caughtUpAt (): number
}

const HAS_GAP: Record<State, boolean> = { away: true, 'catching up': true, pinging: false, watching: false }
const UNREACHED = 'the homeserver does not reach us; check the url in the registration, and that the homeserver has read it'
const PING_FIRST_MS = 1000
const PING_MOST_MS = 60_000
const AGAIN_FIRST_MS = 1000
const AGAIN_MOST_MS = 60_000
const LOOK_AGAIN_MS = [3_000, 30_000, 600_000] // the last one repeats

export const makeStates = (parts: Parts): States => {
  const { clock, chance, log, signal, prepare, readNews, intake } = parts
  const gap = makeGap(clock, signal)
  let state: State = 'away'
  let course = new AbortController() // from one `found` to the next, or to `lost`
  let trouble = new AbortController()
  let lastMs = 0
  let lastAt = 0

  const enter = (next: State): void => {
    state = next
    if (HAS_GAP[next]) gap.open()
    else gap.close()
  }

  const isOver = (mine: AbortSignal): boolean => mine.aborted || signal.aborted

  /** Resolves with how far rooms were read; undefined if it is ended before that. */
  const catchUp = async (mine: AbortSignal): Promise<ReadUpTo[] | undefined> => {
    for (let attempt = 1; !isOver(mine); attempt++) {
      try {
        await prepare()
        const began = clock.tick()
        const read = await readNews()
        lastAt = clock.tick()
        lastMs = lastAt - began
        return isOver(mine) ? undefined : read
      } catch (error) {
        if (isOver(mine)) return undefined
        log.warn({ why: messageOf(error) }, 'could not catch up; trying again')
        intake(`what was missed cannot be read: ${messageOf(error)}`)
        await sleep(clock, backoffMs(chance, attempt, AGAIN_FIRST_MS, AGAIN_MOST_MS), mine, signal)
      }
    }
    return undefined
  }

  /** Tries until the homeserver says that it reaches us. */
  const ping = async (mine: AbortSignal): Promise<void> => {
    for (let attempt = 1; !isOver(mine); attempt++) {
      if (parts.isBringing()) return // it reaches us, and after a ping Synapse would send the same in two loops
      try {
        await parts.ping(attempt)
        return intake()
      } catch (error) {
        if (!signal.aborted) intake(UNREACHED)
        if (attempt === 1) log.warn({ why: messageOf(error) }, UNREACHED)
        await sleep(clock, backoffMs(chance, attempt, PING_FIRST_MS, PING_MOST_MS), mine, signal)
      }
    }
  }

  /** If this fails, the link has failed, and then everything is read again anyway. */
  const watch = async (mine: AbortSignal, read: ReadUpTo[]): Promise<void> => {
    let known = read
    for (let looks = 0; ; looks++) {
      await sleep(clock, LOOK_AGAIN_MS[looks] ?? LOOK_AGAIN_MS.at(-1)!, trouble.signal, mine, signal)
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

  const run = async (mine: AbortSignal): Promise<void> => {
    enter('catching up')
    const read = await catchUp(mine)
    if (read === undefined) return
    enter('pinging')
    intake()
    await ping(mine)
    if (isOver(mine)) return
    enter('watching')
    await watch(mine, read)
  }

  return {
    found () {
      course.abort()
      course = new AbortController()
      trouble = new AbortController()
      void run(course.signal)
    },
    lost () {
      course.abort()
      enter('away')
    },
    troubled () { trouble.abort() },
    hasGap: () => HAS_GAP[state],
    caughtUp: gap.closed,
    readingMs: () => lastMs,
    caughtUpAt: () => lastAt
  }
}
