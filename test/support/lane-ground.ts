/** A lane that is made and forgotten as in deliver.ts, over a store and a network whose answers come when the test says so. */
import { type Lane, type LaneParts, makeLane } from '../../src/bridge/lane'
import { silentLog } from '../../src/lib/log'
import { makeShares } from '../../src/lib/shares'
import { Unavailable } from '../../src/model/errors'
import type { Delivery } from '../../src/model/message'
import { plain } from '../../src/model/text'
import type { Queued, Tx } from '../../src/store/store'
import { handClock } from './quick'

const PLACE = { network: 'red', id: 'hall' }
const PAUSE_MS = 500

/** What may happen, in any order. `run`: the store does the next job. `hear`: whoever asked for a job that is on disk hears so. */
export const LANE_STEPS = ['accept', 'run', 'hear', 'answer', 'fail', 'wake', 'time'] as const
type Step = typeof LANE_STEPS[number]

type Stored = Queued & { state: 'waiting' | 'sending' }

export const makeLaneGround = (window: number) => {
  const rows = new Map<number, Stored>()
  const arrived: number[] = []
  const jobs: (() => Promise<void>)[] = []
  const ran: (() => void)[] = []
  const sends: PromiseWithResolvers<{ ids: string[] }>[] = []
  const clock = handClock()
  let lane: Lane | undefined
  let accepted = 0

  const set = (id: number, change: Partial<Stored>): void => {
    const row = rows.get(id)
    if (row !== undefined) rows.set(id, { ...row, ...change })
  }
  const tx = {
    waiting: async (_place, after, limit) =>
      [...rows.values()].filter(({ id, state }) => id > after && state === 'waiting').slice(0, limit).map(row => structuredClone(row)),
    trying: async ids => {
      for (const id of ids) set(id, { state: 'sending' })
      return new Map(ids.map(id => [id, undefined]))
    },
    waitAgain: async ids => { for (const id of ids) set(id, { state: 'waiting' }) }
  } satisfies Partial<Tx> as unknown as Tx
  const run = <T>(job: (tx: Tx) => Promise<T>): Promise<T> => {
    const { promise, resolve } = Promise.withResolvers<T>()
    jobs.push(async () => {
      const value = await job(tx)
      ran.push(() => resolve(value))
    })
    return promise
  }
  const parts = {
    clock, log: silentLog, chance: { fraction: () => 0 }, store: { run },
    network: {
      can: { window, afterCrash: 'resend', giveUpAfterMs: Infinity },
      send: () => {
        const answer = Promise.withResolvers<{ ids: string[] }>()
        sends.push(answer)
        return answer.promise
      }
    },
    ending: { done: ({ id }: Queued) => { arrived.push(id); rows.delete(id) } },
    files: { ahead () {}, brought: async () => undefined },
    hopeless: makeShares<true>(1), unwanted: () => undefined, current: (delivery: Delivery) => delivery, retried () {},
    bug: (error: unknown) => { throw error },
    idle: () => { lane = undefined }
  } as unknown as LaneParts

  const accept = async (): Promise<void> => {
    const id = ++accepted
    const row = await run(async () => {
      const row: Stored = {
        id, journal: id, from: PLACE, notice: false, queuedAt: 0, state: lane === undefined ? 'sending' : 'waiting',
        delivery: {
          key: `${id}`, place: PLACE, at: 0, attempt: lane === undefined ? 1 : 0,
          action: { kind: 'message', content: { style: 'text', text: plain('x') } }
        }
      }
      rows.set(id, row)
      return structuredClone(row)
    })
    lane ??= makeLane(PLACE, parts)
    lane.add([row])
  }

  const steps: Record<Step, () => unknown> = {
    accept: () => { void accept() },
    run: () => jobs.shift()?.(),
    hear: () => ran.shift()?.(),
    answer: () => sends.shift()?.resolve({ ids: ['x'] }),
    fail: () => {
      for (const { reject } of sends.splice(0)) reject(new Unavailable('link lost', { disconnected: true, retryAfterMs: PAUSE_MS }))
    },
    wake: () => lane?.wake(),
    time: () => clock.advance(PAUSE_MS)
  }
  return {
    async step (step: Step) {
      await steps[step]()
      await new Promise(setImmediate)
    },
    get arrived () { return arrived },
    get accepted () { return Array.from({ length: accepted }, (_, index) => index + 1) },
    get isOver () { return arrived.length >= accepted }
  }
}
