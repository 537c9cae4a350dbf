/**
 * Which of the rooms that we attend the bot is not in. One that comes after the start, as a portal does, counts when the bot has tried to enter it.
 * When one changes, the others are not looked at: there may be thousands.
 */
export interface Missing<Entry> {
  /** Takes note of whether it is missing now. Returns all of them. */
  note (entry: Entry, isMissing: boolean): this
  /** Tells how all of them are, if that has changed. */
  show (): void
}

const NAMED_MAX = 5

/** `isTried`: whether the bot was in it, or has tried to enter it. `changed`: see RoomsWorld. */
export const makeMissing = <Entry>(
  nameOf: (entry: Entry) => string, isTried: (entry: Entry) => boolean, changed: (allJoined: boolean, why: string | undefined, tried: boolean) => void
): Missing<Entry> => {
  const missing = new Set<Entry>()
  let isNoted = false // any of them
  let tried = false // since the start, each of them
  let shown: string | undefined

  const first = (count: number, counts: (entry: Entry) => boolean): Entry[] => {
    const found: Entry[] = []
    for (const entry of missing) if (counts(entry) && found.push(entry) === count) break
    return found
  }

  return {
    note (entry, isMissing) {
      isNoted = true
      if (isMissing) missing.add(entry)
      else missing.delete(entry)
      return this
    },
    show () {
      tried ||= first(1, entry => !isTried(entry)).length === 0
      const counted = first(NAMED_MAX, entry => !tried || isTried(entry))
      const why = counted.length === 0 ? undefined : `not in ${counted.map(nameOf).join(', ')}`
      const now = `${why} ${tried} ${missing.size}` // what waits for a room that is not counted is to hear when the bot is in
      if (!isNoted || shown === now || (shown === undefined && why === undefined && missing.size > 0)) return
      shown = now
      changed(why === undefined, why, tried)
    }
  }
}
