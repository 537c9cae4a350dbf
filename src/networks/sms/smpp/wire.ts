/**
 * One SMPP connection, for either side: frames in and out, answers matched to requests, each with a time limit.
 * It never throws out of an event. Anything that loses the stream closes the connection, once, and every open request rejects with
 * Unavailable `unknown`, because its bytes may have arrived. Nothing is sent after the close.
 */
import type { Socket } from 'node:net'
import type { Clock } from '../../../lib/clock'
import { Malformed, messageOf, Unavailable } from '../../../model/errors'
import { type Body, decodePdu, encodePdu, type Header, isAnswer, makeFramer, type Pdu, readHeader, SEQUENCE_MAX } from './pdu'
import { STATUS } from './status'

export interface WireEvents {
  /** A request of the peer. Must not throw. */
  request (pdu: Pdu): void
  /** A well-framed request whose body cannot be read. It is not answered yet. */
  malformed (header: Header, frame: Buffer, why: Malformed): void
  closed (why: string): void
}

export interface Wire {
  /** Resolves with the answer, whatever its status; a generic_nack is an answer. Rejects with Unavailable `unknown`. */
  request (body: Body, timeoutMs: number, signal?: AbortSignal): Promise<Pdu>
  answer (sequence: number, body: Body, status?: number): void
  pause (): void
  resume (): void
  idleMs (): number // since the last PDU came in
  readonly open: boolean
  close (why: string): void
  /** Resolves once the socket is closed. */
  readonly gone: Promise<void>
}

const LINGER_MS = 2000 // for the last bytes to leave

interface Pending { settle (result: Pdu | Unavailable): void }

/** `fence`: of World; a gateway needs none. */
export const makeWire = (socket: Socket, clock: Clock, events: WireEvents, fence = (): void => {}): Wire => {
  const pending = new Map<number, Pending>() // bounded by the callers' window
  const framer = makeFramer()
  let sequence = 0
  let open = true
  let heardAt = clock.tick()
  let outgoing: Buffer[] = []
  const gone = new Promise<void>(resolve => { socket.once('close', () => resolve()) })

  const close = (why: string): void => {
    if (!open) return
    flush()
    open = false
    socket.destroySoon()
    const linger = clock.after(LINGER_MS, () => socket.destroy())
    void gone.then(() => linger.cancel())
    const broken = new Unavailable(`the SMS gateway link broke before the answer: ${why}`, { unknown: true })
    for (const { settle } of [...pending.values()]) settle(broken)
    events.closed(why)
  }
  const flush = (): void => {
    if (open && outgoing.length > 0) socket.write(Buffer.concat(outgoing))
    outgoing = []
  }
  const write = (pdu: Pdu): void => {
    if (!open) return
    fence()
    outgoing.push(encodePdu(pdu))
    if (outgoing.length === 1) queueMicrotask(flush) // all that one turn writes leaves in one packet
  }

  const request = (body: Body, timeoutMs: number, signal?: AbortSignal): Promise<Pdu> => new Promise((resolve, reject) => {
    if (!open) return reject(new Unavailable('the SMS gateway link is down', { disconnected: true }))
    sequence = sequence === SEQUENCE_MAX ? 1 : sequence + 1
    const mine = sequence
    const settle = (result: Pdu | Unavailable): void => {
      pending.delete(mine)
      timer.cancel()
      signal?.removeEventListener('abort', abort)
      if (result instanceof Unavailable) reject(result)
      else resolve(result)
    }
    const abort = (): void => settle(new Unavailable('gave up waiting for the SMS gateway to answer', { unknown: true }))
    write({ ...body, status: STATUS.ok, sequence: mine }) // if a field does not fit, this rejects
    const late = (): Unavailable => new Unavailable(`the SMS gateway did not answer within ${timeoutMs} ms`, { unknown: true })
    const timer = clock.after(timeoutMs, () => settle(late()))
    signal?.addEventListener('abort', abort)
    pending.set(mine, { settle })
  })

  const take = (frame: Buffer): void => {
    heardAt = clock.tick()
    const header = readHeader(frame)
    try {
      const pdu = decodePdu(frame)
      if (isAnswer(header.command)) return pdu && pending.get(header.sequence)?.settle(pdu)
      if (pdu) return events.request(pdu)
      write({ name: 'generic_nack', status: STATUS.invalidCommand, sequence: header.sequence })
    } catch (error) {
      if (!(error instanceof Malformed)) return close(messageOf(error))
      if (!isAnswer(header.command)) events.malformed(header, frame, error)
    }
  }

  socket.setNoDelay(true)
  socket.on('data', chunk => {
    if (!open) return
    try {
      for (const frame of framer(chunk)) if (open) take(frame)
    } catch (error) {
      close(messageOf(error))
    }
  })
  socket.on('error', error => close(messageOf(error)))
  socket.on('end', () => close('the peer closed the connection'))
  socket.on('close', () => close('the connection is gone'))

  return {
    request,
    answer: (to, body, status = STATUS.ok) => write({ ...body, status, sequence: to }),
    pause: () => { socket.pause() },
    resume: () => { socket.resume() },
    idleMs: () => clock.tick() - heardAt,
    get open () { return open },
    close, gone
  }
}
