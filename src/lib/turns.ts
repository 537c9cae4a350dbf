/** Runs the work of one key one after the other, in the order of the calls; different keys run side by side. */
export type Turns = <T>(key: string, work: () => Promise<T>) => Promise<T>

/** Remembers a key only while its work is unfinished, so the callers' open work bounds it. A failure does not stop the next work. */
export const makeTurns = (): Turns => {
  const last = new Map<string, Promise<void>>()
  return (key, work) => {
    const mine = (last.get(key) ?? Promise.resolve()).then(work)
    const over: Promise<void> = mine.then(() => {}, () => {}).then(() => { if (last.get(key) === over) last.delete(key) })
    last.set(key, over)
    return mine
  }
}
