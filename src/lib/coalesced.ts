/** Runs `work`, one run at a time. A call while it runs makes it run once more afterwards, so that nothing is missed. */
export const coalesced = (work: () => Promise<void>, failed: (error: unknown) => void): (() => void) => {
  let running = false
  let again = false
  const run = (): void => {
    if (running) { again = true; return }
    running = true
    work().catch(failed).finally(() => {
      running = false
      if (again) { again = false; run() }
    })
  }
  return run
}
