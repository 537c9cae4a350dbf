/**
 * Whether messages come in: shows as the connection `intake`, from the first trouble on. A room of ours that cannot be read is trouble. A
 * stranger's chat that cannot be read is none: everybody else is still heard, and anybody could cause it.
 */
export interface Intake {
  /** Nothing comes in, and why; without an argument, everything does. */
  is (trouble?: string): void
  /** Whether this room of ours cannot be read. */
  room (room: string, trouble: boolean): void
}

export const makeIntake = (changed: (up: boolean, detail?: string) => void): Intake => {
  const failing = new Set<string>() // at most as many as our rooms
  let trouble: string | undefined
  let up = true

  const show = (): void => {
    const isUp = trouble === undefined && failing.size === 0
    if (isUp === up) return
    up = isUp
    changed(up, up ? undefined : trouble ?? `what is said in ${[...failing].slice(0, 5).join(', ')} cannot be read`)
  }

  return {
    is (why) { trouble = why; show() },
    room (room, fails) {
      if (fails) failing.add(room)
      else failing.delete(room)
      show()
    }
  }
}
