/**
 * Asks the homeserver for the keys of people. Their own servers decide how much it answers, so whoever has more than OF_ONE_BYTES_MAX, or makes an
 * answer too long to be taken, is put aside for a while, as somebody without a device. That holds up nobody else.
 */
import { backoffMs } from '../../../lib/backoff'
import type { Chance } from '../../../lib/chance'
import type { Clock } from '../../../lib/clock'
import type { Log } from '../../../lib/log'
import { type Json, jsonOf } from '../events/json'
import { TooLong } from '../homeserver'

/** For their devices, or for keys that start sessions with these (CS API §End-to-end encryption). */
export type About = 'device_keys' | 'one_time_keys'

export interface Asking {
  /** The answer to a question about people, without those who are put aside. Throws what `call` throws. */
  ask (question: Json, about: About, call: (question: Json) => Promise<Json>): Promise<Json>
  /** Who of these was put aside, and may be asked for again now. */
  due (users: string[]): string[]
  isAside (user: string): boolean
}

interface AskingParts { clock: Pick<Clock, 'tick'>; chance: Chance; log: Log }

const AT_ONCE_MAX = 50 // people in one question
const OF_ONE_BYTES_MAX = 2 ** 19 // the keys of over 300 devices
const ASIDE_MAX = 10_000
const FIRST_MS = 60_000
const MOST_MS = 24 * 3600_000

const chunksOf = <T>(all: T[], size: number): T[][] =>
  Array.from({ length: Math.ceil(all.length / size) }, (_, n) => all.slice(n * size, (n + 1) * size))

const merged = (answers: Json[]): Json => {
  const whole: Json = {}
  for (const answer of answers) {
    for (const [key, value] of Object.entries(answer)) whole[key] = { ...jsonOf(whole[key]), ...jsonOf(value) }
  }
  return whole
}

/** How much there is of somebody in an answer. */
const bytesOf = (user: string, answer: Json): number =>
  Object.values(answer).reduce<number>((sum, all) => sum + (user in jsonOf(all) ? JSON.stringify(jsonOf(all)[user]).length : 0), 0)

export const makeAsking = ({ clock, chance, log }: AskingParts): Asking => {
  const aside = new Map<string, { until: number, attempt: number }>() // of clock.tick

  const putAside = (user: string): void => {
    const attempt = (aside.get(user)?.attempt ?? 0) + 1
    aside.delete(user)
    const [first] = aside.keys()
    if (aside.size >= ASIDE_MAX && first !== undefined) aside.delete(first)
    aside.set(user, { until: clock.tick() + backoffMs(chance, attempt, FIRST_MS, MOST_MS), attempt })
    log.warn({ user, attempt }, 'somebody has too many keys, and counts as somebody without a device for a while')
  }

  const isAside = (user: string): boolean => (aside.get(user)?.until ?? -Infinity) > clock.tick()

  /** Those whose keys make the answer too long are found by asking for half of them at once. */
  const askSome = async (some: [string, unknown][], call: (some: [string, unknown][]) => Promise<Json>): Promise<Json> => {
    try {
      return await call(some)
    } catch (error) {
      const [one] = some
      if (!(error instanceof TooLong) || one === undefined) throw error
      if (some.length === 1) {
        putAside(one[0])
        return {}
      }
      const half = Math.ceil(some.length / 2)
      return merged([await askSome(some.slice(0, half), call), await askSome(some.slice(half), call)])
    }
  }

  return {
    isAside,
    due: users => users.filter(user => aside.has(user) && !isAside(user)),
    async ask (question, about, call) {
      const asked = Object.entries(jsonOf(question[about]))
      const answers: Json[] = []
      for (const some of chunksOf(asked.filter(([user]) => !isAside(user)), AT_ONCE_MAX)) {
        answers.push(await askSome(some, part => call({ ...question, [about]: Object.fromEntries(part) })))
      }
      const answer = merged(answers)
      const keys = jsonOf(answer[about])
      for (const [user] of asked) {
        if (bytesOf(user, answer) > OF_ONE_BYTES_MAX) putAside(user)
        else if (!isAside(user) && user in keys) aside.delete(user)
        if (!isAside(user)) continue
        for (const all of Object.values(answer)) delete jsonOf(all)[user]
        keys[user] = {}
      }
      return { ...answer, [about]: keys }
    }
  }
}
