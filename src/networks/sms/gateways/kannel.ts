/**
 * A gateway that is reached through Kannel's HTTP interface (user guide 1.4.5, "Sending SMS", "SMS-service group", "Delivery reports").
 * Kannel gives no id, so the URL for its delivery reports contains ours. Kannel requests a report for the first part only. It damages
 * text that does not fit its coding, and cuts text that is too long, so this file decides coding and length before sending.
 *
 * Kannel's config needs `get-url = "<public_url>/<secret>/in?id=%I&from=%p&to=%P&text=%b&charset=%C"`, `max-messages = 0` in the
 * sms-service (or our answer becomes an SMS), and http-request-retry above 0 (or messages that come while we restart are lost).
 */
import express, { type NextFunction, type Request, type Response } from 'express'
import { backoffMs } from '../../../lib/backoff'
import { deadline, type Timer } from '../../../lib/clock'
import { request } from '../../../lib/packages'
import { sameSecret } from '../../../lib/secret'
import { serve, type Served } from '../../../lib/serve'
import { Malformed, Refused, Unavailable } from '../../../model/errors'
import type { Sent } from '../../../model/message'
import type { World } from '../../../model/network'
import { CODING } from '../data-coding'
import { fromAddress, ourNumber, TON } from '../names'
import { segment } from '../segments'
import type { Address } from '../smpp/pdu'
import { type GatewayEvents, type Gateway, type Outbound, refuseOver, SEGMENTS_MAX_DEFAULT } from './gateway'

export interface KannelConfig {
  name: string
  kind: 'kannel'
  sendUrl: string
  username: string
  password: string
  smsc?: string
  numbers: string[] // E.164
  listen: { host: string, port: number }
  publicUrl: string
  secret: string
}

const ANSWER_TIMEOUT_MS = 30_000
const PROBE_FIRST_MS = 1000
const PROBE_MAX_MS = 60_000
const SLOW_ATTEMPT = 10 // probe slowly, as after so many attempts: a person must fix the login or the URL first
const DLR_MASK = 1 | 2 | 16 // delivered, failed, rejected by the SMSC
const OUTCOMES: Record<string, { outcome: 'delivered' | 'failed', detail?: string }> = {
  1: { outcome: 'delivered' }, 2: { outcome: 'failed', detail: 'UNDELIV' }, 16: { outcome: 'failed', detail: 'REJECTD' }
}
const NOT_CONNECTED: ReadonlySet<unknown> = new Set([
  'ECONNREFUSED', 'EHOSTUNREACH', 'ENETUNREACH', 'ENOTFOUND', 'EAI_AGAIN', 'UND_ERR_CONNECT_TIMEOUT'
])

type Fields = Map<string, Buffer>

/** The fields of a query as octets: %b is in the charset that %C names, so a UTF-8 decoder would damage it. */
export const readQuery = (url: string): Fields => {
  const query = url.slice(url.indexOf('?') + 1).replaceAll('+', ' ')
  const octets = (text: string): Buffer =>
    Buffer.from(text.replace(/%([\da-f]{2})/gi, (_, code: string) => String.fromCharCode(parseInt(code, 16))), 'latin1')
  return new Map(query.split('&').map(field => {
    const equals = field.indexOf('=')
    return equals === -1 ? [field, Buffer.alloc(0)] : [field.slice(0, equals), octets(field.slice(equals + 1))]
  }))
}

const textOf = (octets: Buffer, charset: string): string => {
  try {
    return new TextDecoder(charset || 'utf-8').decode(octets)
  } catch {
    throw new Malformed('Kannel: an unknown charset')
  }
}

const addressOf = (written: string): Address =>
  ({ ton: written.startsWith('+') ? TON.international : TON.unknown, npi: 1, digits: written })

export const makeKannelGateway = (config: KannelConfig, world: World): Gateway => {
  const { name, numbers } = config
  const { clock, chance, fence } = world
  const log = world.log.child({ gateway: name })
  const base = `${config.publicUrl.replace(/\/+$/, '')}/${encodeURIComponent(config.secret)}`
  let events: GatewayEvents
  let served: Served | undefined
  let up: boolean | undefined
  let probe: Timer | undefined
  let stopped = false

  const connection = (now: boolean, detail?: string, attempt = 1): void => {
    if (up === now) return
    up = now
    events.connection(now, detail)
    if (!now) look(attempt)
  }
  /** While it is down: probes whether anything answers there. Without a login Kannel refuses, which is an answer too. */
  const look = (attempt: number): void => {
    if (stopped) return
    probe = clock.after(backoffMs(chance, attempt, PROBE_FIRST_MS, PROBE_MAX_MS), () => {
      const limit = deadline(clock, ANSWER_TIMEOUT_MS)
      request(config.sendUrl, { signal: limit.signal, reset: true })
        .then(async ({ body }) => { await body.dump(); connection(true) })
        .catch(() => look(attempt + 1)).finally(limit.done)
    })
  }

  const message = async (fields: Fields): Promise<void> => {
    const field = (key: string): string => fields.get(key)?.toString('latin1') ?? ''
    const [id, from] = [field('id'), field('from').trim()]
    if (id === '' || from === '') throw new Malformed('Kannel: an SMS without id or sender: get-url must have id=%I and from=%p')
    const to = ourNumber(addressOf(field('to').trim()), numbers)
    const text = textOf(fields.get('text') ?? Buffer.alloc(0), field('charset'))
    await events.message({ key: `${name}-${id}`, from: fromAddress(addressOf(from), to), to, text, at: clock.now() })
  }
  const receipt = async (fields: Fields): Promise<void> => {
    const field = (key: string): string => fields.get(key)?.toString('latin1') ?? ''
    const [ref, type] = [field('ref'), field('type')]
    const told = OUTCOMES[type]
    if (!told) return log.debug({ ref, type }, 'SMS receipt without an outcome yet')
    const ids = [`${name}:${ref}`]
    const thread = { from: `+${field('to')}`, to: `+${field('from')}` }
    await events.receipt({ key: `${name}-receipt-${ref}-${type}`, ...thread, ids, at: clock.now(), ...told })
  }

  /** Answers an empty 200 when the input is on disk, else 503: Kannel tries again on anything but 2xx. */
  const hook = (take: (fields: Fields) => Promise<void>) => async (asked: Request, answer: Response): Promise<void> => {
    if (!sameSecret(String(asked.params.secret), config.secret)) return void answer.status(404).end()
    try {
      await take(readQuery(asked.url)).catch(async (error: unknown) => {
        if (!(error instanceof Malformed)) throw error
        await events.quarantine(asked.url.slice(asked.url.indexOf('?') + 1), error)
      })
      answer.status(200).end()
    } catch (error) {
      log.warn({ error }, 'SMS not taken: Kannel is told to send it again')
      answer.status(503).end()
    }
  }
  const application = express().disable('x-powered-by').disable('etag')
  application.get('/:secret/in', hook(message))
  application.get('/:secret/dlr', hook(receipt))
  application.use((error: { status?: number }, _asked: Request, answer: Response, _next: NextFunction) => {
    answer.status(error.status ?? 503).end()
  })

  const addressFor = ({ key, from, to, text }: Outbound, dataCoding: number): string => {
    const url = new URL(config.sendUrl)
    const dlr = `${base}/dlr?ref=${key}&from=${from.slice(1)}&to=${to.slice(1)}&type=%d`
    for (const [field, value] of Object.entries({
      username: config.username, password: config.password, from, to, text, charset: 'UTF-8',
      coding: dataCoding === CODING.ucs2 ? '2' : '0', 'dlr-mask': String(DLR_MASK), 'dlr-url': dlr,
      ...config.smsc && { smsc: config.smsc }
    })) url.searchParams.set(field, value)
    return url.href
  }

  const ask = async (url: string, signal: AbortSignal): Promise<number> => {
    if (signal.aborted) throw new Unavailable('gave up before it was sent')
    fence()
    const limit = deadline(clock, ANSWER_TIMEOUT_MS, signal)
    try {
      const { statusCode, body } = await request(url, { signal: limit.signal, reset: true })
      await body.dump()
      return statusCode
    } catch (error) {
      const { code } = error as { code?: unknown }
      if (!NOT_CONNECTED.has(code)) throw new Unavailable('Kannel did not answer', { unknown: true })
      connection(false, 'Kannel cannot be reached: check send_url and that smsbox runs')
      throw new Unavailable('Kannel cannot be reached', { disconnected: true })
    } finally {
      limit.done()
    }
  }

  const send = async (outbound: Outbound, signal: AbortSignal): Promise<Sent> => {
    const { octets, dataCoding, texts } = segment(outbound.text)
    refuseOver(SEGMENTS_MAX_DEFAULT, octets.length)
    const status = await ask(addressFor({ ...outbound, text: texts.join('') }, dataCoding), signal)
    if (status === 403 || status === 404) {
      const what = status === 403 ? 'refused the login: check username and password' : 'has no sendsms there: check send_url'
      connection(false, `Kannel ${what}`, SLOW_ATTEMPT)
      throw new Unavailable(`Kannel does not let us send (${status})`, { disconnected: true })
    }
    connection(true)
    if (status === 400) throw new Refused('Kannel does not accept this SMS (400)')
    if (status < 200 || status > 299) throw new Unavailable(`Kannel cannot take it now (${status})`)
    return { ids: [`${name}:${outbound.key}`], parts: octets.length }
  }

  return {
    name, numbers, segmentsMax: SEGMENTS_MAX_DEFAULT, send,
    start: async given => {
      events = given
      served = await serve(application, config.listen)
      look(1)
    },
    stop: async () => {
      stopped = true
      probe?.cancel()
      await served?.stop()
    }
  }
}
