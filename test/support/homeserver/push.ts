/**
 * Pushes events to the application service as Synapse does: one transaction in flight, increasing ids, at most 100 events,
 * the same transaction again with backoff until it is answered 2xx with JSON, at once after a ping.
 */
import { Pool } from 'undici'
import { sleep, systemClock } from '../../../src/lib/clock'
import type { HsEvent, Json } from './state'

export interface PushOptions { url: () => string; token: string; firstRetryMs: number }

const EVENTS_MAX = 100
const ANSWER_MS_MAX = 60_000

export const makePusher = (options: PushOptions) => {
  const queue: HsEvent[] = []
  let signals: Json[] = []
  let head = 0
  let pool: Pool | undefined
  let poolUrl = ''
  let nextId = 1
  let running = false
  let stopped = false
  let hurry = new AbortController()
  let failures = 0
  let duplicates = 0
  let losses = 0
  const idle = new Set<() => void>()
  const counts = { sent: 0, failed: 0 }

  const target = (): Pool => {
    const url = options.url()
    if (!pool || poolUrl !== url) {
      void pool?.destroy()
      pool = new Pool(url, { connections: 4, headersTimeout: ANSWER_MS_MAX, bodyTimeout: ANSWER_MS_MAX })
      poolUrl = url
    }
    return pool
  }

  const put = async (
    id: string, body: string | Buffer, headers: Record<string, string> = {}
  ): Promise<{ status: number, text: string }> => {
    const answer = await target().request({
      method: 'PUT', path: `/_matrix/app/v1/transactions/${encodeURIComponent(id)}`, body,
      headers: { 'content-type': 'application/json', authorization: `Bearer ${options.token}`, ...headers }
    })
    return { status: answer.statusCode, text: await answer.body.text() }
  }

  const attempt = async (id: string, body: string): Promise<boolean> => {
    try {
      const { status, text } = await put(id, body)
      JSON.parse(text)
      return status >= 200 && status < 300
    } catch { return false }
  }

  const untilTaken = async (id: string, body: string): Promise<void> => {
    while (!stopped && !await attempt(id, body)) {
      counts.failed++
      failures = Math.min(failures + 1, 9)
      await sleep(systemClock, options.firstRetryMs * 2 ** (failures - 1), hurry.signal)
      if (hurry.signal.aborted) { hurry = new AbortController(); failures = 0 }
    }
    failures = 0
  }

  const run = async (): Promise<void> => {
    if (running) return
    running = true
    while (!stopped && (head < queue.length || signals.length > 0)) {
      const events = queue.slice(head, head + EVENTS_MAX)
      const body = JSON.stringify({ events, ephemeral: signals })
      signals = []
      await untilTaken(String(nextId++), body)
      if (duplicates > 0) { duplicates--; await attempt(String(nextId++), body) }
      head += events.length
      counts.sent += events.length
      if (head > 10_000) { queue.splice(0, head); head = 0 }
    }
    running = false
    if (head >= queue.length) { for (const done of idle) done(); idle.clear() }
  }

  return {
    counts,
    push (event: HsEvent): void {
      if (losses > 0) { losses--; return }
      queue.push(event)
      if (!running) queueMicrotask(() => void run())
    },
    signal (signal: Json): void {
      signals.push(signal)
      if (!running) queueMicrotask(() => void run())
    },
    /** As a ping does: try what failed again at once. */
    hurry (): void { hurry.abort() },
    /** The next n transactions come twice, the second time with another id. */
    duplicateNext (times: number): void { duplicates = times },
    /** The next n events never come, as those that waited in memory when the homeserver stopped. */
    loseNext (times: number): void { losses = times },
    /** The ids begin anew, as after a restart. */
    restarted (): void { nextId = 1 },
    /** Any bytes as one transaction, once. */
    raw: put,
    /** Resolves when everything was taken. */
    drained: (): Promise<void> =>
      head >= queue.length && !running ? Promise.resolve() : new Promise(resolve => idle.add(resolve)),
    async ping (body: string): Promise<{ status: number, text: string }> {
      const answer = await target().request({
        method: 'POST', path: '/_matrix/app/v1/ping', body,
        headers: { 'content-type': 'application/json', authorization: `Bearer ${options.token}` }
      })
      return { status: answer.statusCode, text: await answer.body.text() }
    },
    async stop (): Promise<void> { stopped = true; hurry.abort(); await pool?.destroy() }
  }
}
