/**
 * Tells a message that a gateway sends again, because our answer was lost, from the same words said twice. SMPP gives inbound
 * messages no id, so each gets a key of ours, and that key is kept on disk until the gateway has proved that it read our
 * answer (it answered something that we sent later, on the same connection). The same octets between the same numbers
 * are the same message only while that proof is missing: on a later connection, or on the same one if our answer was so slow
 * that it crossed the gateway's next try. What is lost of our answers is the end of them, and a gateway sends again before
 * it sends new, so the first new message of a sender ends it for that sender: in doubt a message comes twice, not never.
 * How long we were not connected, and what the clock says after that, does not matter.
 */
import { createHash } from 'node:crypto'
import type { World } from '../../model/network'

const UNCONFIRMED_MAX = 100 // messages; a gateway rarely has more than 10 unanswered
const UNCONFIRMED_FROM_ONE_MAX = 20 // of these from one sender
const REDELIVERY_MS = 600_000 // after the connection came back; after that it is a new message
const SLOW_ANSWER_MS = 5000 // no gateway tries again sooner on the same connection
const CROSSING_MS = 1000 // how long after our answer its next try may still be under way

/** When something came in: `at` in ms since 1970, `tick` for durations. */
export interface Came { connection: number; at: number; tick: number }

/** Whether what came now may be what came then, sent again: on a later connection, or where our answer crossed its next try. */
export const isAgain = (then: Came & { answeredAt?: number }, { connection, tick }: Came): boolean => then.connection !== connection ||
  (tick - then.tick >= SLOW_ANSWER_MS && tick <= (then.answeredAt ?? tick) + CROSSING_MS)

export interface Taken extends Came { thread: string; hash: string; key: string; answeredAt?: number } // in ticks

export interface Redelivery {
  /** The key of a message that came in, on disk when this resolves: the former one if it is sent again. */
  take (thread: string, content: readonly string[], came: Came): Promise<Taken>
  /** The message is stored, and the gateway is being told so. */
  answered (taken: Taken): void
  /** For what is answered now on this connection; call the result when the gateway has proved to have read the answers. */
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

  /** The newest of the same octets, because that is the one that may not be stored yet. */
  const again = (thread: string, hash: string, came: Came): Taken | undefined => {
    const { connection, tick } = came
    if (tick - (upSince ?? tick) >= REDELIVERY_MS) all = all.filter(taken => taken.connection === connection)
    const same = all.filter(taken => taken.thread === thread && taken.hash === hash && isAgain(taken, came))
    const read = all.slice(0, same[0] ? all.indexOf(same[0]) : all.length) // by the order of things, the answers to these were
    const over = new Set(read.filter(taken => taken.thread === thread && taken.connection !== connection))
    all = all.filter(taken => !over.has(taken))
    return same.at(-1)
  }

  return {
    take: async (thread, content, came) => {
      const [who, hash] = [digest([thread]), digest(content)]
      const former = again(who, hash, came)
      if (former) {
        former.connection = came.connection // so that the next of the same words finds the next of the same
        former.tick = came.tick // and is not taken for one that crossed our answer to this one
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
