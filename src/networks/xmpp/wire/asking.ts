/** Questions on a stream, and their answers (RFC 6120 §8.2.3). */
import type { Clock } from '../../../lib/clock'
import { Unavailable } from '../../../model/errors'
import { bareOf } from '../names'
import { el, type Element, type Xml } from './xml'

const ASK_TIMEOUT_MS = 20_000

export interface Asking {
  /** Without `from`, the server writes it. Rejects with Unavailable if no answer comes. */
  ask (type: 'get' | 'set', from: string | undefined, to: string, payload: Xml): Promise<Element>
  /** True if it was an answer. */
  take (stanza: Element): boolean
  /** Nobody will answer any more. */
  fail (why: string): void
}

interface Question { to: string, answer: (stanza: Element) => void, fail: (error: Error) => void }

interface AskingParts {
  clock: Clock
  run: string // begins each id
  most: number // how many may be unanswered
  mine?: string[] // our own names, under which our server answers too, or under none (RFC 6120 §8.1.2.1)
  send (stanza: Xml): boolean // false if the stream is down
  down (why: string): Unavailable
}

export const makeAsking = ({ clock, run, most, mine = [], send, down }: AskingParts): Asking => {
  const questions = new Map<string, Question>()
  let asked = 0

  const isFrom = ({ to }: Question, from: string | undefined): boolean =>
    from === to || (mine.includes(to) && (from === undefined || mine.includes(bareOf(from))))

  return {
    ask: (type, from, to, payload) => new Promise((resolve, reject) => {
      if (questions.size >= most) throw new Unavailable('too many unanswered questions')
      const id = `${run}-${++asked}`
      if (!send(el('iq', { type, from, to, id }, payload))) throw down('not connected')
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
      for (const question of questions.values()) question.fail(down(why))
    }
  }
}
