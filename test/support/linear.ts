/**
 * Whether a function takes time in proportion to its input. Judged by the processor time of this thread and the quickest of a few tries, so
 * that a busy machine raises no false alarm.
 */
const LONGER = 4 // the linear takes 4 times as long, the quadratic 16
const TIMES_LONGER_MAX = 10
const NOTICEABLE_MS = 60 // the processor's time is counted in steps of some milliseconds
const ROUNDS = 3

const processorMs = async (run: () => unknown): Promise<number> => {
  const before = process.threadCpuUsage()
  await run()
  const { user, system } = process.threadCpuUsage(before)
  return (user + system) / 1000
}

export const quickest = async (run: () => unknown): Promise<number> => {
  let best = Infinity
  for (let round = 0; round < ROUNDS; round++) best = Math.min(best, await processorMs(run))
  return best
}

/** What is wrong with the time that `run` takes; undefined if nothing is. `run` is told how many times as much input to take. */
export const slowness = async (run: (times: number) => unknown, noticeableMs = NOTICEABLE_MS): Promise<string | undefined> => {
  if (await processorMs(() => run(LONGER)) < noticeableMs) return undefined
  const [short, long] = [await quickest(() => run(1)), await quickest(() => run(LONGER))]
  return long > noticeableMs && long > short * TIMES_LONGER_MAX
    ? `${LONGER} times as much takes ${long.toFixed(1)} ms instead of ${short.toFixed(1)}` : undefined
}
