/**
 * Confirms messages to one person, which nobody echoes. We send a ping to ourselves after them on the same stream. When its answer is back,
 * the server has read what came before. A message that bounced until then has failed. A later bounce becomes a receipt, unless the message
 * will be tried again: then the bounce is ignored, because the next try may succeed.
 * Promises: one ping is under way at a time, and confirms all that was written before it.
 */
import { makeShares } from '../../../lib/shares'
import { Refused, Unavailable } from '../../../model/errors'
import type { World } from '../../../model/network'
import { bareOf, serverOf } from '../names'
import { becauseOf, conditionOf, failureOf } from '../wire/stanza-errors'
import type { Stream } from '../wire/stream'
import { el, type Element, type Xml } from '../wire/xml'

/** Some passing conditions also mean “no such person”. After so many tries, they count as final. */
const PASSING_TRIES_MAX = 5
const UNSURE_MAX = 1_000

export interface Letter { stanza: Xml, id: string, to: string, attempt: number }

export interface Confirm {
  /** Writes a message at once. Resolves when the server has read it. Throws Refused or Unavailable. */
  write (letter: Letter, signal: AbortSignal): Promise<void>
  /** Takes a message of type error. False if it concerns no message that waits here or will be tried again. */
  bounce (message: Element): boolean
  /** Resolves when nothing waits. */
  idle (): Promise<void>
}

interface Waiting extends Letter { done (error?: Error): void }

export const makeConfirm = (domain: string, stream: Stream, { clock, log }: World): Confirm => {
  const waiting = new Map<string, Waiting>()
  const unsure = makeShares<true>(UNSURE_MAX) // ids of messages that will be written again
  let unasked: Waiting[] = []
  let asking = false
  let wakeIdle = (): void => {}

  const ask = async (): Promise<void> => {
    while (unasked.length > 0) {
      const asked = unasked
      unasked = []
      const ping = el('ping', { xmlns: 'urn:xmpp:ping' })
      const error: Error | undefined = await stream.ask('get', domain, domain, ping).then(() => undefined, (failed: Error) => failed)
      for (const one of asked) one.done(error)
    }
    asking = false
  }

  return {
    write: (letter, signal) => new Promise((resolve, reject) => {
      if (signal.aborted) throw new Unavailable('not within the time that was given')
      if (!stream.send(letter.stanza)) throw new Unavailable('the link to the XMPP server is down', { disconnected: true })
      const late = (): void => one.done(new Unavailable('the server has not confirmed the message'))
      const one: Waiting = {
        ...letter,
        done (error) {
          if (waiting.get(letter.id) === one) waiting.delete(letter.id)
          if (waiting.size === 0) wakeIdle()
          if (error instanceof Unavailable) unsure.put(letter.id, { group: serverOf(letter.to), owner: bareOf(letter.to) }, true)
          signal.removeEventListener('abort', late)
          if (error === undefined) resolve()
          else reject(error)
        }
      }
      signal.addEventListener('abort', late, { once: true })
      unsure.delete(letter.id)
      waiting.set(letter.id, one)
      unasked.push(one)
      if (asking) return
      asking = true
      clock.soon(() => { void ask() })
    }),
    bounce (message) {
      const { id = '', from = '' } = message.attrs
      const one = waiting.get(id)
      if (one === undefined && unsure.has(id)) return true
      if (one === undefined || (from !== one.to && bareOf(from) !== one.to)) return false
      const condition = conditionOf(message)
      log.info({ condition: condition.name, type: condition.type }, 'message to one person came back')
      const failure = failureOf('the message was refused', condition)
      const refused = (): Refused => new Refused(failure.message, undefined, becauseOf(one.to, condition))
      const patience = condition.type === 'wait' || one.attempt < PASSING_TRIES_MAX
      one.done(failure instanceof Unavailable && patience ? failure : refused())
      return true
    },
    idle: () => new Promise(resolve => {
      wakeIdle = resolve
      if (waiting.size === 0) resolve()
    })
  }
}
