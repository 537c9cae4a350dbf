/**
 * Who types where. Promises: nobody is shown typing for longer than TYPING_MS without a new sign of it; whatever comes in, one person is shown
 * to begin at most once in EVERY_MS; whoever has spoken types no longer; only so many are remembered, and those beyond are not shown.
 */
import type { Clock, Timer } from '../lib/clock'
import { addressKey } from '../model/address'
import type { SignalIn, SignalOut } from '../model/signal'

export const TYPING_MS = 30_000
const AGAIN_MS = 10_000 // after so long, a new sign is shown again, because apps forget
const EVERY_MS = 2_000
const TYPISTS_MAX = 1_000
const TYPISTS_AT_ONE_MAX = 10 // at one place; nobody reads more names

export type Target = Pick<SignalOut, 'place' | 'as'>
type Whose = Pick<SignalIn, 'place' | 'sender'>

/** `shown`: where they are shown typing. */
interface Typist extends Whose { typing: boolean; shown: Target[]; shownAt: number; timer?: Timer }

export interface TypingHere {
  take (whose: Whose, typing: boolean): void
  stop (): void
}

export const makeTyping = (clock: Clock, targetsOf: (whose: Whose) => Target[], show: (target: Target, typing: boolean) => void): TypingHere => {
  const places = new Map<string, Map<string, Typist>>()
  let count = 0

  const forget = ({ place, sender }: Whose): void => {
    const here = places.get(addressKey(place))
    if (here?.delete(sender.id) === true) count--
    if (here?.size === 0) places.delete(addressKey(place))
  }

  const ends = (one: Typist): void => {
    for (const target of one.shown.splice(0)) show(target, false)
    const restMs = one.shownAt + EVERY_MS - clock.tick()
    if (restMs <= 0) forget(one)
    else one.timer = clock.after(restMs, () => forget(one))
  }

  /** Brings what is shown up to date. */
  const look = (one: Typist): void => {
    one.timer?.cancel()
    if (!one.typing) return ends(one)
    const sinceMs = clock.tick() - one.shownAt
    if (one.shown.length === 0 && sinceMs < EVERY_MS) {
      one.timer = clock.after(EVERY_MS - sinceMs, () => look(one))
      return
    }
    if (one.shown.length === 0 || sinceMs >= AGAIN_MS) {
      one.shown = targetsOf(one)
      one.shownAt = clock.tick()
      for (const target of one.shown) show(target, true)
    }
    one.timer = clock.after(TYPING_MS, () => { one.typing = false; look(one) })
  }

  const begins = (whose: Whose): void => {
    if (count >= TYPISTS_MAX || targetsOf(whose).length === 0) return
    const here = places.get(addressKey(whose.place)) ?? new Map<string, Typist>()
    if (here.size >= TYPISTS_AT_ONE_MAX) return
    places.set(addressKey(whose.place), here)
    const one: Typist = { ...whose, typing: true, shown: [], shownAt: -Infinity }
    here.set(whose.sender.id, one)
    count++
    look(one)
  }

  return {
    take (whose, typing) {
      const one = places.get(addressKey(whose.place))?.get(whose.sender.id)
      if (one !== undefined) {
        one.typing = typing
        look(one)
      } else if (typing) begins(whose)
    },
    stop () {
      for (const here of places.values()) for (const { timer } of here.values()) timer?.cancel()
      places.clear()
    }
  }
}
