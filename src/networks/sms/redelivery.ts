/**
 * Distinguishes a message that a gateway sends again because our answer was lost from the same words said twice. SMPP gives incoming
 * messages no id, so each gets a key of ours. The key is kept on disk until the gateway has proved that it read our answer: it answered
 * something that we sent later on the same connection. While that proof is missing, the same octets between the same numbers are the same
 * message if they come on a later connection, or on the same one if our answer was so slow that it crossed the gateway's next try.
 * Only our last answers can be lost, and a gateway repeats messages before it sends new ones. So the first new message of a sender proves
 * the earlier ones of that sender. In doubt, a message comes twice rather than never. It does not matter how long we were disconnected,
 * or what the clock says after that.
 */
import { createHash } from 'node:crypto'
import type { World } from '../../model/network'

const UNCONFIRMED_MAX = 100 // messages; a gateway rarely has more than 10 unanswered
const UNCONFIRMED_FROM_ONE_MAX = 20 // from one sender
const REDELIVERY_MS = 600_000 // after the connection came back; later it is a new message
const SLOW_ANSWER_MS = 5000 // no gateway tries again sooner on the same connection
const CROSSING_MS = 1000 // how long after our answer its next try may still be under way

/** When something came in: `at` in ms since 1970, `tick` for durations. */
export interface Came { connection: number; at: number; tick: number }

/** Whether the same octets may be the same message, sent again: on a later connection, or because our answer crossed the next try. */
export const isAgain = (then: Came & { answeredAt?: number }, { connection, tick }: Came): boolean => then.connection !== connection ||
  (tick - then.tick >= SLOW_ANSWER_MS && tick <= (then.answeredAt ?? tick) + CROSSING_MS)

export interface Taken extends Came { thread: string; hash: string; key: string; answeredAt?: number } // in ticks

export interface Redelivery {
  /** The key of an incoming message; if it was sent again, the former key. Resolves when the key is on disk. */
  take (thread: string, content: readonly string[], came: Came): Promise<Taken>
  /** The message is stored, and the gateway is being told so. */
  answered (taken: Taken): void
  /** Covers the answers sent so far on this connection. Call the result when the gateway has proved that it read them. */
  proof (connection: number): () => void
  connected (up: boolean): void
}

const digest = (content: readonly string[]): string =>
  createHash('sha256').update(JSON.stringify(content)).digest('base64url').slice(0, 16)

export const makeRedelivery = (gateway: string, world: Pick<World, 'clock' | 'chance' | 'memory' | 'log'>): Redelivery => {
  const { clock, chance, memory, log } = world
  const place = `unconfirmed ${gateway}`
  let all = (JSON.parse(memory.get(place) ?? '[]') as [string, string, string, number][])
    .map(([thread, hash, key, at]): Taken => ({ thread, hash, key, at, tick: 0, connection: 0 }))
  let upSince: number | undefined

  const save = (): Promise<void> =>
    memory.set(place, JSON.stringify(all.map(({ thread, hash, key, at }) => [thread, hash, key, at])))
  const saveLater = (): void => void save().catch(() => log.warn({ gateway }, 'could not note which SMS are confirmed'))

  /** The newest message with the same octets, because that one may not be stored yet. */
  const again = (thread: string, hash: string, came: Came): Taken | undefined => {
    const { connection, tick } = came
    if (tick - (upSince ?? tick) >= REDELIVERY_MS) all = all.filter(taken => taken.connection === connection)
    const same = all.filter(taken => taken.thread === thread && taken.hash === hash && isAgain(taken, came))
    const read = all.slice(0, same[0] ? all.indexOf(same[0]) : all.length) // the gateway must have read the answers to these, by their order
    const over = new Set(read.filter(taken => taken.thread === thread && taken.connection !== connection))
    all = all.filter(taken => !over.has(taken))
    return same.at(-1)
  }

  return {
    take: async (thread, content, came) => {
      const [who, hash] = [digest([thread]), digest(content)]
      const former = again(who, hash, came)
      if (former) {
        former.connection = came.connection // so that the next message with these words finds the next entry
        former.tick = came.tick // and is not taken as one that crossed our answer to this one
        delete former.answeredAt
        return former
      }
      const taken: Taken = { thread: who, hash, key: `${gateway}-${hash}-${chance.token(9)}`, ...came }
      const ofOne = all.filter(({ thread }) => thread === who)
      const over = ofOne.length >= UNCONFIRMED_FROM_ONE_MAX ? ofOne[0] : undefined
      all = [...all.filter(other => other !== over), taken].slice(-UNCONFIRMED_MAX)
      try {
        await save()
      } catch (error) {
        all = all.filter(other => other !== taken)
        throw error
      }
      return taken
    },
    answered: taken => { taken.answeredAt = clock.tick() },
    connected: up => { upSince = up ? clock.tick() : undefined },
    proof: connection => {
      const proved = new Set(all.filter(taken => taken.connection === connection && taken.answeredAt !== undefined))
      return () => {
        const left = all.filter(taken => !proved.has(taken))
        if (left.length === all.length) return
        all = left
        saveLater()
      }
    }
  }
}
