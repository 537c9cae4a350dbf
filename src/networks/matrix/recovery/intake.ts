/**
 * Whether what is said comes in: shows as the connection `intake`, from the first trouble on. A room of ours that cannot be read is such
 * trouble; a stranger's chat that cannot is not, for it keeps nobody else from being heard, and anybody could bring it about.
 */
export interface Intake {
  /** Nothing comes in, and why; or all does. */
  is (trouble?: string): void
  /** What is said in this room of ours does not come in, or does again. */
  room (room: string, trouble: boolean): void
}

export const makeIntake = (changed: (up: boolean, detail?: string) => void): Intake => {
  const failing = new Set<string>() // as many as rooms of ours
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
