/**
 * A person with a Matrix client of their own, on any homeserver: what the suites that run on real and practice servers use.
 * The calls are those of the Matrix client library, over undici.
 */
import { LogService, MatrixClient, setRequestFn } from '@vector-im/matrix-bot-sdk'
import { request } from 'undici'

export type Json = Record<string, unknown>
export interface SeenEvent {
  event_id: string; type: string; sender: string; content: Json; origin_server_ts: number
  state_key?: string; redacts?: string; unsigned?: Json
}

export const body = (text: string) => (event: SeenEvent): boolean => event.content.body === text
export const membership = (who: string, now: string) => ({ type, state_key: key, content }: SeenEvent): boolean =>
  type === 'm.room.member' && key === who && content.membership === now

export interface MatrixPerson {
  userId: string
  accessToken: string
  /** Throws what the library throws: a MatrixError with errcode and statusCode. */
  call (method: 'GET' | 'PUT' | 'POST' | 'DELETE', path: string, body?: Json): Promise<Json>
  createRoom (options?: Json): Promise<string>
  join (room: string): Promise<string>
  send (room: string, content: string | Json, type?: string): Promise<string>
  edit (room: string, event: string, text: string): Promise<string>
  redact (room: string, event: string): Promise<string>
  setState (room: string, type: string, key: string, content: Json): Promise<void>
  upload (bytes: Buffer, mime: string): Promise<string>
  download (mxc: string): Promise<Buffer>
  /** The first event seen in this room, past or to come, that fits. */
  waitFor (room: string, what: string, fits: (event: SeenEvent) => boolean, limitMs?: number): Promise<SeenEvent>
  /** The typing and read marks that their app shows in this room now. */
  signals (room: string): Promise<{ type: string, content: Json }[]>
  /** Resolves when the typing or read marks that their app shows in this room fit. */
  seesSignal (room: string, what: string, fits: (type: string, content: Json) => boolean): Promise<void>
  types (room: string, typing: boolean): Promise<void>
  reads (room: string, event: string): Promise<void>
  /** Everything that is in the room now, oldest first. */
  events (room: string): Promise<SeenEvent[]>
}

const LIMIT_MS = 60_000
const POLL_MS = 1000
const LOOK_MS = 200

const encode = encodeURIComponent
let transactions = 0

const textContent = (body: string): Json => ({ msgtype: 'm.text', body })

interface Asked {
  uri: string; method: 'GET' | 'PUT' | 'POST' | 'DELETE'; headers: Record<string, string>; timeout: number
  qs: Record<string, string> | null; encoding: null | undefined; body?: string | Buffer
}

/** The library asks as one asked the `request` package: encoding null wants the bytes. */
const askOverUndici = async (
  { uri, method, headers, qs, encoding, timeout, body }: Asked
): Promise<{ statusCode: number, headers: object, body: unknown }> => {
  const answer = await request(uri, { method, headers, headersTimeout: timeout, body: body ?? null, ...qs === null ? {} : { query: qs } })
  const bytes = Buffer.from(await answer.body.arrayBuffer())
  return { statusCode: answer.statusCode, headers: answer.headers, body: encoding === null ? bytes : bytes.toString() }
}

setRequestFn((asked: Asked, done: (error: unknown, response?: object, body?: unknown) => void): void => {
  askOverUndici(asked).then(answer => done(undefined, answer, answer.body), done)
})
LogService.muteModule('MatrixHttpClient') // what fails is thrown

export const makeMatrixPerson = (url: string, userId: string, accessToken: string): MatrixPerson => {
  const client = new MatrixClient(url, accessToken)
  const call: MatrixPerson['call'] = (method, path, body) => client.doRequest(method, `/_matrix/client/${path}`, null, body)
  const seen = new Map<string, SeenEvent[]>()
  let since: string | undefined

  const sync = async (timeoutMs: number): Promise<void> => {
    const answer = await call('GET', `v3/sync?timeout=${timeoutMs}${since === undefined ? '' : `&since=${encode(since)}`}`) as {
      next_batch: string, rooms?: { join?: Record<string, { timeline: { events: SeenEvent[] } }> }
    }
    since = answer.next_batch
    for (const [room, { timeline }] of Object.entries(answer.rooms?.join ?? {})) {
      seen.set(room, [...seen.get(room) ?? [], ...timeline.events])
    }
  }

  let looks = 0
  const signals: MatrixPerson['signals'] = async room => {
    const filter = JSON.stringify({ room: { rooms: [room], timeline: { limit: ++looks } } }) // Synapse answers the same question as it did before
    const { rooms } = await call('GET', `v3/sync?timeout=0&filter=${encode(filter)}`) as {
      rooms?: { join?: Record<string, { ephemeral: { events: { type: string, content: Json }[] } }> }
    }
    return rooms?.join?.[room]?.ephemeral.events ?? []
  }

  const send: MatrixPerson['send'] = async (room, content, type = 'm.room.message') => {
    const body = typeof content === 'string' ? textContent(content) : content
    return (await call('PUT', `v3/rooms/${encode(room)}/send/${type}/p${process.pid}.${transactions++}`, body)).event_id as string
  }

  return {
    userId, accessToken, call, send,
    createRoom: async (options = {}) => (await call('POST', 'v3/createRoom', options)).room_id as string,
    join: async room => (await call('POST', `v3/join/${encode(room)}`, {})).room_id as string,
    edit: (room, event, text) => send(room, {
      ...textContent(`* ${text}`), 'm.new_content': textContent(text), 'm.relates_to': { rel_type: 'm.replace', event_id: event }
    }),
    async redact (room, event) {
      const answer = await call('PUT', `v3/rooms/${encode(room)}/redact/${encode(event)}/p${process.pid}.${transactions++}`, {})
      return answer.event_id as string
    },
    async setState (room, type, key, content) {
      await call('PUT', `v3/rooms/${encode(room)}/state/${type}/${encode(key)}`, content)
    },
    upload: (bytes, mime) => client.uploadContent(bytes, mime),
    download: mxc => client.doRequest('GET', `/_matrix/client/v1/media/download/${mxc.slice('mxc://'.length)}`,
      null, null, LIMIT_MS, false, '', true) as Promise<Buffer>,
    async waitFor (room, what, fits, limitMs = LIMIT_MS) {
      const end = performance.now() + limitMs
      for (;;) {
        const found = seen.get(room)?.find(fits)
        if (found) return found
        const last = JSON.stringify(seen.get(room)?.slice(-3))
        if (performance.now() > end) throw new Error(`${what}: not within ${limitMs} ms. Last seen: ${last}`)
        await sync(POLL_MS)
      }
    },
    signals,
    async seesSignal (room, what, fits) {
      for (const end = performance.now() + LIMIT_MS; ;) {
        const now = await signals(room)
        if (now.some(({ type, content }) => fits(type, content))) return
        if (performance.now() > end) throw new Error(`${what}: not within ${LIMIT_MS} ms. Last seen: ${JSON.stringify(now)}`)
        await new Promise(resolve => setTimeout(resolve, LOOK_MS))
      }
    },
    async types (room, typing) {
      const body = typing ? { typing, timeout: 30_000 } : { typing }
      await call('PUT', `v3/rooms/${encode(room)}/typing/${encode(userId)}`, body)
    },
    async reads (room, event) { await call('POST', `v3/rooms/${encode(room)}/receipt/m.read/${encode(event)}`, {}) },
    async events (room) {
      const { chunk } = await call('GET', `v3/rooms/${encode(room)}/messages?dir=b&limit=500`)
      return (chunk as SeenEvent[]).reverse()
    }
  }
}
