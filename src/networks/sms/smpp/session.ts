/**
 * A bound SMPP 3.4 session that keeps itself alive. It connects, binds as transceiver (or as transmitter and receiver on two connections,
 * if the peer has no transceiver), watches with enquire_link, and reconnects with backoff after any loss.
 * Promises: a submit either rejects before a byte of it is written, or ends with the peer's answer, or rejects with Unavailable `unknown`.
 * At most `window` submits are unanswered. A deliver_sm is answered only when its handler is done.
 */
import { connect as connectTcp, type Socket } from 'node:net'
import { connect as connectTls } from 'node:tls'
import { backoffMs } from '../../../lib/backoff'
import { sleep, type Timer } from '../../../lib/clock'
import { Malformed, messageOf, Unavailable } from '../../../model/errors'
import type { World } from '../../../model/network'
import { makePace } from './pace'
import { type BindName, HEADER_BYTES, type Header, type Pdu, type ShortMessage } from './pdu'
import { bindReason, isLoginCertain, isLoginError, isThrottle, STATUS, submitError } from './status'
import { makeWire, type Wire } from './wire'

export interface SessionConfig {
  host: string
  port: number
  systemId: string
  password: string
  systemType?: string
  window?: number
  perSecond?: number
  tls?: boolean
}

export interface SessionEvents {
  /** Resolves with the command_status to answer. Must not reject. `connection` counts connections, from 1. */
  deliver (sm: ShortMessage, connection: number): Promise<number>
  /** A deliver_sm that cannot be read. Resolves when it is kept. */
  malformed (frame: Buffer, why: Malformed): Promise<void>
  /** Called when a probe is sent after some answers. Its result is called once the peer has proved that it read them. */
  answered (connection: number): () => void
  connection (up: boolean, detail?: string): void
}

export interface Session {
  start (): void
  /** Resolves with the message_id, perhaps ''. Throws Refused or Unavailable. */
  submit (sm: ShortMessage, signal: AbortSignal): Promise<string>
  stop (): Promise<void>
}

const WINDOW_DEFAULT = 10
const CONNECT_TIMEOUT_MS = 10_000
const BIND_TIMEOUT_MS = 10_000
const RESPONSE_TIMEOUT_MS = 30_000
const ENQUIRE_EVERY_MS = 30_000 // of silence
const ENQUIRE_TIMEOUT_MS = 10_000
const ENQUIRE_MISSED_MAX = 2
const RECONNECT_FIRST_MS = 500
const RECONNECT_MAX_MS = 60_000
const STABLE_MS = 30_000 // a session that lasted this long resets the backoff
const LOGIN_RETRY_MS = 300_000
const ALREADY_BOUND_WAIT_MS = 30_000
const STOP_MS = 5000
const UNBIND_TIMEOUT_MS = 2000
const PROOF_AFTER_MS = 100
const INBOUND_OPEN_MAX = 100 // deliver_sm being stored; beyond it we stop reading

const LATER = STATUS.temporaryAppError

/** Starts to connect. */
export type Dial = (to: Pick<SessionConfig, 'host' | 'port' | 'tls'>) => Socket

const dialOut: Dial = ({ host, port, tls }) => tls ? connectTls({ host, port, servername: host }) : connectTcp({ host, port })

/** Why a session ended or did not begin, and how long to wait before the next try. */
interface Ending { why: string; waitMs: number }

type Lost = (why: string) => void

type Lent = Pick<World, 'clock' | 'chance' | 'log' | 'fence'>

export const makeSession = (config: SessionConfig, world: Lent, events: SessionEvents, dial: Dial = dialOut): Session => {
  const { clock, chance, log } = world
  const pace = makePace(clock, config.window ?? WINDOW_DEFAULT, config.perSecond)
  const stopping = new AbortController()
  let wires: Wire[] = [] // all that are not gone yet, bound or not
  let transmitter: Wire | undefined
  let pair = false // whether this peer wants separate binds
  let connections = 0
  let submitting = 0
  let running: Promise<void> = Promise.resolve()

  const connect = (): Promise<Socket> => new Promise((resolve, reject) => {
    const socket = dial(config)
    const end = (done: () => void): void => {
      limit.cancel()
      socket.removeAllListeners('error')
      stopping.signal.removeEventListener('abort', stopped)
      done()
    }
    const fail = (why: string): void => end(() => { socket.on('error', () => {}); socket.destroy(); reject(new Error(why)) })
    const stopped = (): void => fail('stopped')
    const limit = clock.after(CONNECT_TIMEOUT_MS, () => fail(`no connection within ${CONNECT_TIMEOUT_MS} ms`))
    stopping.signal.addEventListener('abort', stopped)
    socket.on('error', error => fail(messageOf(error) || 'no connection'))
    socket.once(config.tls ? 'secureConnect' : 'connect', () => end(() => resolve(socket)))
  })

  const answerDeliver = (wire: () => Wire, connection: number) => {
    let storing = 0
    let proof: Timer | undefined
    const prove = (): void => {
      proof = undefined
      const proved = events.answered(connection)
      wire().request({ name: 'enquire_link' }, ENQUIRE_TIMEOUT_MS).then(proved, () => {})
    }
    const respond = (sequence: number, result: Promise<number>): void => {
      if (++storing === INBOUND_OPEN_MAX) wire().pause()
      void result.catch(() => LATER).then(status => {
        if (storing-- === INBOUND_OPEN_MAX) wire().resume()
        wire().answer(sequence, { name: 'deliver_sm_resp', messageId: '' }, status)
        if (wire().open) proof ??= clock.after(PROOF_AFTER_MS, prove)
      })
    }
    return { respond, end: (): void => proof?.cancel() }
  }

  const open = async (lost: Lost): Promise<Wire> => {
    if (stopping.signal.aborted) throw new Unavailable('stopped', { disconnected: true })
    const socket = await connect()
    const connection = ++connections
    const { respond, end } = answerDeliver(() => wire, connection)
    const request = (pdu: Pdu): void => {
      switch (pdu.name) {
        case 'enquire_link': return wire.answer(pdu.sequence, { name: 'enquire_link_resp' })
        case 'unbind':
          wire.answer(pdu.sequence, { name: 'unbind_resp' })
          return wire.close('the gateway ended the session')
        case 'deliver_sm':
          return respond(pdu.sequence, stopping.signal.aborted ? Promise.resolve(LATER) : events.deliver(pdu, connection))
        default: return wire.answer(pdu.sequence, { name: 'generic_nack' }, STATUS.invalidCommand)
      }
    }
    const malformed = (header: Header, frame: Buffer, why: Malformed): void => {
      if (header.name === 'deliver_sm') respond(header.sequence, events.malformed(frame, why).then(() => STATUS.ok))
      else wire.answer(header.sequence, { name: 'generic_nack' }, STATUS.invalidLength)
    }
    const closed = (why: string): void => { end(); lost(why) }
    const wire = makeWire(socket, clock, { request, malformed, closed }, world.fence)
    wires.push(wire)
    void wire.gone.then(() => { wires = wires.filter(other => other !== wire) })
    return wire
  }

  /** The wire, if the peer accepted the bind; else the status of its refusal. */
  const bind = async (name: BindName, lost: Lost): Promise<Wire | number> => {
    const wire = await open(lost)
    const { systemId, password, systemType = '' } = config
    const answer = await wire.request({ name, systemId, password, systemType }, BIND_TIMEOUT_MS)
    return answer.status === STATUS.ok && answer.name !== 'generic_nack' ? wire : answer.status
  }
  const bindAll = async (lost: Lost): Promise<Wire | number> => {
    if (!pair) return await bind('bind_transceiver', lost)
    const sending = await bind('bind_transmitter', lost)
    const receiving = typeof sending === 'number' ? sending : await bind('bind_receiver', lost)
    return typeof receiving === 'number' ? receiving : sending
  }

  /** Probes the peer after each silence, and closes the wire if it does not answer. Returns a function that stops this. */
  const watch = (wire: Wire): (() => void) => {
    let missed = 0
    let timer: Timer | undefined
    const beat = (): void => {
      if (!wire.open) return
      const quiet = wire.idleMs()
      timer = undefined
      if (quiet < ENQUIRE_EVERY_MS) {
        timer = clock.after(ENQUIRE_EVERY_MS - quiet, beat)
        return
      }
      wire.request({ name: 'enquire_link' }, ENQUIRE_TIMEOUT_MS).then(() => { missed = 0; beat() }, () => {
        if (++missed >= ENQUIRE_MISSED_MAX) wire.close('the gateway fell silent')
        else beat()
      })
    }
    beat()
    return () => timer?.cancel()
  }

  const closeAll = (why: string): void => { for (const wire of [...wires]) wire.close(why) }

  const backoff = (attempt: number): number => backoffMs(chance, attempt, RECONNECT_FIRST_MS, RECONNECT_MAX_MS)

  /** After a refused bind it tries the other way of binding at once: many peers just refuse commands that they do not know. */
  const refused = (status: number, attempt: number): Ending => {
    const why = bindReason(status)
    if (status === STATUS.alreadyBound) return { why, waitMs: ALREADY_BOUND_WAIT_MS }
    pair = !pair && !isLoginCertain(status)
    if (pair) return { why, waitMs: 0 }
    return { why, waitMs: isLoginError(status) ? LOGIN_RETRY_MS : backoff(attempt) }
  }
  /** A peer that cuts the connection at a bind, or never answers it, may not know transceivers. */
  const failed = (error: unknown, attempt: number): Ending => {
    const answered = error instanceof Unavailable && error.unknown
    pair = answered && !pair
    return { why: `not connected: ${messageOf(error)}`, waitMs: pair ? 0 : backoff(attempt) }
  }

  /** One session, from dialling to its end. */
  const live = async (attempt: number): Promise<Ending & { lived: boolean }> => {
    let lost: Lost = () => {}
    const ended = new Promise<string>(resolve => { lost = resolve })
    const bound = await bindAll(lost).catch((error: unknown) => failed(error, attempt))
    if (typeof bound === 'number' || 'why' in bound) {
      closeAll('could not bind')
      return { ...typeof bound === 'number' ? refused(bound, attempt) : bound, lived: false }
    }
    transmitter = bound
    const since = clock.tick()
    const watches = wires.map(watch)
    log.info({ connections }, 'SMPP session bound')
    events.connection(true)
    const why = await ended
    transmitter = undefined
    closeAll(why)
    watches.forEach(end => end())
    const lived = clock.tick() - since >= STABLE_MS
    return { why, waitMs: backoff(lived ? 1 : attempt), lived }
  }

  const run = async (): Promise<void> => {
    for (let attempt = 1; !stopping.signal.aborted; attempt++) {
      const { why, waitMs, lived } = await live(attempt)
      if (stopping.signal.aborted) break
      log.warn({ why, waitMs }, 'SMPP session ended')
      if (waitMs > 0) events.connection(false, why)
      if (lived) attempt = 1
      await sleep(clock, waitMs, stopping.signal)
    }
  }

  const submit = async (sm: ShortMessage, signal: AbortSignal): Promise<string> => {
    const down = (): Unavailable => new Unavailable('the SMS gateway link is down', { disconnected: true })
    if (!transmitter || stopping.signal.aborted) throw down()
    await pace.enter(signal)
    submitting++
    try {
      if (!transmitter) throw down()
      const answer = await transmitter.request({ name: 'submit_sm', ...sm }, RESPONSE_TIMEOUT_MS, signal)
      if (answer.status === STATUS.ok && answer.name === 'submit_sm_resp') {
        pace.faster()
        return answer.messageId
      }
      throw submitError(answer.status, isThrottle(answer.status) ? pace.slower() : undefined)
    } finally {
      submitting--
      pace.leave()
    }
  }

  const idle = async (): Promise<void> => {
    const until = clock.tick() + STOP_MS
    while (submitting > 0 && clock.tick() < until) await sleep(clock, 20)
  }

  return {
    start: () => { running = run() },
    submit,
    stop: async () => {
      if (!stopping.signal.aborted) {
        stopping.abort()
        await idle()
        await Promise.all(wires.map(wire => wire.request({ name: 'unbind' }, UNBIND_TIMEOUT_MS).catch(() => undefined)))
        closeAll('stopped')
      }
      await Promise.all([running, ...wires.map(({ gone }) => gone)])
    }
  }
}

export const frameHex = (frame: Buffer): string => frame.subarray(HEADER_BYTES).toString('hex')
