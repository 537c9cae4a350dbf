/** Work of one key runs one after another, in the order in which it was given; work of different keys side by side. */
export type Turns = <T>(key: string, work: () => Promise<T>) => Promise<T>

/** Remembers a key only while work of it is unfinished: bounded by what its callers leave open. A failure stops nothing. */
export const makeTurns = (): Turns => {
  const last = new Map<string, Promise<void>>()
  return (key, work) => {
    const mine = (last.get(key) ?? Promise.resolve()).then(work)
    const over: Promise<void> = mine.then(() => {}, () => {}).then(() => { if (last.get(key) === over) last.delete(key) })
    last.set(key, over)
    return mine
  }
}
