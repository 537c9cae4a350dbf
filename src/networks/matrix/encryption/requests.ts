/** Sends what a device wants sent, and tells it the answers. */
import { messageOf } from '../../../model/errors'
import { type Json, jsonOf, parsed } from '../events/json'
import type { About, Asking } from './asking'
import type { Needed } from './calls'
import type { DeviceParts, Kept, makeCall } from './kept'

export interface Requests {
  /** Throws Unavailable. */
  sendAll (requests: Needed[], signal: AbortSignal): Promise<void>
  /**
   * What the device wants sent by itself. Of people, it asks only for the keys of its own user and of these: what has changed of others is asked
   * for when something is said to them. Throws Unavailable.
   */
  outgoing (signal: AbortSignal, people?: string[]): Promise<void>
}

interface RequestsParts extends Pick<DeviceParts, 'engine' | 'counts'> { kept: Kept; call: ReturnType<typeof makeCall>; asking: Asking; user: string }

const ROUNDS_MAX = 10
const IS_OLDER = /One time key .* already exists/ // Synapse: it has another key under the same id
const CLAIM = 'client/v3/keys/claim'
const QUERY = 'client/v3/keys/query'
const ABOUT = new Map<string, About>([[QUERY, 'device_keys'], [CLAIM, 'one_time_keys']])

/** Of a question about people, what concerns these, if anything does. */
const concerning = (users: ReadonlySet<string>) => (request: Needed): Needed[] => {
  if (request.path !== QUERY) return [request]
  const question = parsed(request.body)
  const asked = Object.entries(jsonOf(question.device_keys)).filter(([user]) => users.has(user))
  return asked.length === 0 ? [] : [{ ...request, body: JSON.stringify({ ...question, device_keys: Object.fromEntries(asked) }) }]
}

export const makeRequests = ({ engine, kept, call, asking, counts, user }: RequestsParts): Requests => {
  const answerTo = async ({ method, path, body }: Needed, signal: AbortSignal): Promise<Json> => {
    const ask = (question: Json): Promise<Json> => call(method, path, { body: question, signal, elsewhere: true })
    const about = ABOUT.get(path)
    try {
      return await (about === undefined ? ask(parsed(body)) : asking.ask(parsed(body), about, ask))
    } catch (error) {
      if (IS_OLDER.test(messageOf(error))) await kept.forget()
      throw error
    }
  }

  const sendAll: Requests['sendAll'] = async (requests, signal) => {
    for (const one of requests) {
      const answer = await answerTo(one, signal)
      if (one.path === CLAIM) counts.claims++
      await engine.call(kept.name(), 'sent', { id: one.id, type: one.type, answer: JSON.stringify(answer) })
    }
  }

  return {
    sendAll,
    async outgoing (signal, people = []) {
      const concerned = concerning(new Set([user, ...people]))
      for (let round = 0; round < ROUNDS_MAX; round++) {
        const requests = (await engine.call(kept.name(), 'outgoing')).flatMap(concerned)
        if (requests.length === 0) return
        await sendAll(requests, signal)
      }
    }
  }
}
