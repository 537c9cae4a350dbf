/** One HTTP request, for commands. Time and size are bounded. No connection is kept, so a command ends when its work ends. */
import { deadline, type Clock } from './clock'
import { Agent, request } from './packages'

export interface Answer {
  status: number
  body: unknown // parsed JSON; text if it is not JSON
  headers: Record<string, string | string[] | undefined>
}

const ASK_TIMEOUT_MS = 10_000
const ANSWER_BYTES_MAX = 16 * 1024 * 1024

const jsonOr = (text: string): unknown => {
  try {
    return JSON.parse(text)
  } catch {
    return text
  }
}

/** What an answer says is wrong. */
export const errorIn = ({ status, body }: Pick<Answer, 'status' | 'body'>): string =>
  String(typeof body === 'object' && body !== null && 'error' in body ? body.error : status)

/** Rejects if there is no answer within ASK_TIMEOUT_MS. Redirects are not followed. */
export const ask = async (clock: Clock, url: string,
  options: { method?: 'GET' | 'POST' | 'DELETE', token?: string, json?: object } = {}): Promise<Answer> => {
  const dispatcher = new Agent({ maxResponseSize: ANSWER_BYTES_MAX })
  const { signal, done } = deadline(clock, ASK_TIMEOUT_MS)
  try {
    const answer = await request(url, {
      dispatcher, signal, method: options.method ?? 'GET',
      headers: {
        ...options.token === undefined ? {} : { authorization: `Bearer ${options.token}` },
        ...options.json === undefined ? {} : { 'content-type': 'application/json' }
      },
      ...options.json === undefined ? {} : { body: JSON.stringify(options.json) }
    })
    return { status: answer.statusCode, headers: answer.headers, body: jsonOr(await answer.body.text()) }
  } finally {
    done()
    await dispatcher.destroy()
  }
}
