/** A map whose keys are found by how they begin, without a walk through all of them: there may be a hundred thousand. */
export interface Facts {
  get (key: string): string | undefined
  set (key: string, value: string): void
  /** Whether it was there. */
  delete (key: string): boolean
  /** All keys that begin with `start`, in the order of their code units. */
  keys (start: string): string[]
}

export const makeFacts = (entries: Iterable<readonly [key: string, value: string]> = []): Facts => {
  const facts = new Map(entries)
  const sorted = [...facts.keys()].sort() // by code units, so those that begin alike stand together

  /** Where the first key stands that is not less than `key`. */
  const placeOf = (key: string): number => {
    let [low, high] = [0, sorted.length]
    while (low < high) {
      const middle = (low + high) >>> 1
      if ((sorted[middle] ?? '') < key) low = middle + 1
      else high = middle
    }
    return low
  }

  return {
    get: key => facts.get(key),
    set (key, value) {
      if (!facts.has(key)) sorted.splice(placeOf(key), 0, key)
      facts.set(key, value)
    },
    delete (key) {
      const was = facts.delete(key)
      if (was) sorted.splice(placeOf(key), 1)
      return was
    },
    keys (start) {
      const found: string[] = []
      let at = placeOf(start)
      for (let key = sorted[at]; key?.startsWith(start) === true; key = sorted[++at]) found.push(key)
      return found
    }
  }
}
