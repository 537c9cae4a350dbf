/** How far everything is done, although things are done in any order: up to the first that is not. */
export interface InOrder<T> {
  /** Something came, which `mark` names. Call the result when it is done. */
  add (mark: T): () => void
  /** The mark of the last thing before which, and with which, all is done. */
  reached (): T
  /** Whether nothing is open. */
  isIdle (): boolean
}

export const makeInOrder = <T>(from: T, moved: () => void = () => {}): InOrder<T> => {
  const open = new Set<{ before: T }>() // oldest first, each with the mark before it
  let newest = from

  const reached = (): T => {
    const [first] = open
    return first === undefined ? newest : first.before
  }

  return {
    add (mark) {
      const entry = { before: newest }
      newest = mark
      open.add(entry)
      return () => {
        const [first] = open
        if (open.delete(entry) && first === entry) moved()
      }
    },
    reached,
    isIdle: () => open.size === 0
  }
}
