/** Questions on an account's stream, and their answers (RFC 6120 §8.2.3). */
import type { Clock } from '../../../lib/clock'
import { Unavailable } from '../../../model/errors'
import { bareOf } from '../names'
import type { Stream } from '../wire/stream'
import { el, type Element, type Xml } from '../wire/xml'

const ASK_TIMEOUT_MS = 20_000
const ASKS_MAX = 1_000

export interface Asking {
  ask: Stream['ask']
  /** True if it was an answer. */
  take (stanza: Element): boolean
  /** Nobody will answer any more. */
  fail (why: string): void
}

interface Question { to: string, answer: (stanza: Element) => void, fail: (error: Error) => void }

/** `mine`: our own names, under which our server answers too, or under none (RFC 6120 §8.1.2.1). `run`: begins each id. */
export const makeAsking = (clock: Clock, run: string, mine: string[], send: (stanza: Xml) => boolean): Asking => {
  const questions = new Map<string, Question>()
  let asked = 0

  const isFrom = ({ to }: Question, from: string | undefined): boolean =>
    from === to || (mine.includes(to) && (from === undefined || mine.includes(bareOf(from))))

  return {
    ask: (type, _from, to, payload) => new Promise((resolve, reject) => {
      if (questions.size >= ASKS_MAX) throw new Unavailable('too many unanswered questions')
      const id = `${run}-${++asked}`
      if (!send(el('iq', { type, to, id }, payload))) throw new Unavailable('the account is down: not connected', { disconnected: true })
      const limit = clock.after(ASK_TIMEOUT_MS, () => {
        questions.delete(id)
        reject(new Unavailable('no answer to a question in time'))
      })
      const over = (): void => { limit.cancel(); questions.delete(id) }
      questions.set(id, {
        to,
        answer: stanza => { over(); resolve(stanza) },
        fail: error => { over(); reject(error) }
      })
    }),
    take (stanza) {
      const { from, id, type } = stanza.attrs
      const question = stanza.name === 'iq' && (type === 'result' || type === 'error') ? questions.get(id ?? '') : undefined
      if (question === undefined || !isFrom(question, from)) return false
      question.answer(stanza)
      return true
    },
    fail (why) {
      for (const question of questions.values()) question.fail(new Unavailable(`the account is down: ${why}`, { disconnected: true }))
    }
  }
}
