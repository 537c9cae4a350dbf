/**
 * An SMSC with phones for the demo, the tests and the bench. It speaks SMPP 3.4 over real TCP. Like a real one, it stores what a phone types
 * until a bound receiver has answered yes, and sends it again after a break or a temporary refusal. Each fault comes on demand, a given
 * number of times.
 */
import { createServer, type Socket } from 'node:net'
import type { AddressInfo } from 'node:net'
import { sleep, systemClock } from '../src/lib/clock'
import { decode, type DefaultCharset, encodeUcs2 } from '../src/networks/sms/data-coding'
import { type LongForm, readPiece, writePieces } from '../src/networks/sms/concatenation'
import { segment } from '../src/networks/sms/segments'
import { type Address, type Bind, type Pdu, type ShortMessage, TLV } from '../src/networks/sms/smpp/pdu'
import { STATUS } from '../src/networks/sms/smpp/status'
import { makeWire, type Wire } from '../src/networks/sms/smpp/wire'

export type ReceiptShape = 'text' | 'upper' | 'noText' | 'ucs2' | 'tlv' | 'hex' | 'unpadded'

export interface SmscOptions {
  systemId: string
  password: string
  port?: number
  host?: string
  defaultCharset?: DefaultCharset
  transceiver?: boolean // false: only separate binds, like old SMSCs
  window?: number // deliver_sm unanswered at once
  answerMs?: number // how long to wait for deliver_sm_resp before sending again
  record?: boolean // false: keep no messages, for the bench
}

/** One SMS as a phone shows it, with its parts joined. */
export interface PhoneMessage { from: string; to: string; text: string; parts: number; dataCoding: number; ids: string[] }

/** `order`: the parts to send, counted from 1, in this order. If left out: all, in their own order. */
export interface TypeOptions { text: string; to?: string; form?: LongForm; order?: number[] }

export interface Phone {
  readonly number: string
  /** Sends to `to`, or to the last number that wrote to this phone. Resolves when every part is acknowledged. */
  type (what: string | TypeOptions): Promise<void>
  readonly inbox: PhoneMessage[] // the newest INBOX_MAX
  /** The first message, past or to come, that fits. */
  next (fits: (message: PhoneMessage) => boolean, limitMs?: number): Promise<PhoneMessage>
}

/** How often each fault is still to happen. `silent`, the shape and the state hold until changed. */
export interface Faults {
  throttle: number // submit_sm answered ESME_RTHROTTLED
  refuse: { status: number, times: number }
  dropBeforeResp: number // the connection is cut at a submit_sm, which is lost
  dropAfterTaken: number // the connection is cut after the message is taken, before the answer
  dropBeforeDeliverResp: number // the connection is cut as soon as a deliver_sm is sent
  receiptBeforeResp: number
  noResp: number // submit_sm taken and never answered
  emptyId: number
  alreadyBound: number // binds answered ESME_RALYBND
  silent: boolean // reads, answers nothing
  receiptShape: ReceiptShape
  receiptState: string
}

type Submit = ShortMessage & { sequence: number }
type Countable = { [K in keyof Faults]: Faults[K] extends number ? K : never }[keyof Faults]

interface Job { sm: ShortMessage; place: number; done (): void }

const INBOX_MAX = 10_000
const WAIT_MS = 60_000
const ANSWER_MS = 10_000
const WINDOW = 10
const REFUSED_AGAIN_MS = 200

const INTERNATIONAL = 1
export const addressOf = (number: string): Address => /^\+?\d+$/.test(number)
  ? { ton: number.startsWith('+') ? INTERNATIONAL : 0, npi: 1, digits: number.replace('+', '') }
  : { ton: 5, npi: 0, digits: number }
export const numberOf = (address: Address): string => address.ton === INTERNATIONAL ? `+${address.digits}` : address.digits

const stamp = (ms: number): string => {
  return new Date(ms).toISOString().slice(2, 16).replace(/\D/g, '') // YYMMDDhhmm
}

/** A delivery receipt's user data, in a given shape. `id`: a decimal number padded to ten digits. `at`: ms since 1970. */
export const receiptOf = (id: string, state: string, shape: ReceiptShape, at: number): Pick<ShortMessage, 'body' | 'dataCoding' | 'tlvs'> => {
  const now = stamp(at)
  const error = state === 'DELIVRD' ? '000' : '045'
  const shown = { hex: BigInt(id).toString(16).toUpperCase(), unpadded: String(BigInt(id)) }[shape as string] ?? id
  const text = `id:${shown} sub:001 dlvrd:001 submit date:${now} done date:${now} stat:${state} err:${error}`
  const ascii = { body: Buffer.from(`${text} text:`), dataCoding: 0, tlvs: new Map<number, Buffer>() }
  switch (shape) {
    case 'upper': return { ...ascii, body: Buffer.from(`${text} text:`.toUpperCase()) }
    case 'noText': return { ...ascii, body: Buffer.from(text) }
    case 'ucs2': return { ...ascii, body: encodeUcs2(`id:${shown} stat:${state} err:${error}`), dataCoding: 8 }
    case 'tlv': return {
      body: Buffer.alloc(0), dataCoding: 0, tlvs: new Map([
        [TLV.receiptedMessageId, Buffer.from(`${id}\0`)], [TLV.messageState, Buffer.from([state === 'DELIVRD' ? 2 : 5])]
      ])
    }
    default: return ascii
  }
}

interface Handset extends Phone { receive (message: PhoneMessage): void }

const makePhone = (number: string, send: (what: TypeOptions & { to: string }) => Promise<void>): Handset => {
  const inbox: PhoneMessage[] = []
  const waiting = new Set<() => void>()
  const next: Phone['next'] = (fits, limitMs = WAIT_MS) => new Promise((resolve, reject) => {
    const look = (): void => {
      const found = inbox.find(fits)
      if (!found) return
      waiting.delete(look)
      timer.cancel()
      resolve(found)
    }
    const timer = systemClock.after(limitMs, () => {
      waiting.delete(look)
      reject(new Error(`${number} got no such message within ${limitMs} ms; it has ${JSON.stringify(inbox.slice(-3))}`))
    })
    waiting.add(look)
    look()
  })
  return {
    number, inbox, next,
    receive: message => {
      if (inbox.push(message) > INBOX_MAX) inbox.shift()
      waiting.forEach(look => look())
    },
    type: async what => {
      const typed = typeof what === 'string' ? { text: what } : what
      const to = typed.to ?? inbox.at(-1)?.from
      if (to === undefined) throw new Error('nobody wrote to this phone yet: say to whom')
      await send({ ...typed, to })
    }
  }
}

export type Smsc = Awaited<ReturnType<typeof startSmsc>>

export const startSmsc = async (options: SmscOptions) => {
  const charset = options.defaultCharset ?? 'gsm7'
  const faults: Faults = {
    throttle: 0, refuse: { status: 0, times: 0 }, dropBeforeResp: 0, dropAfterTaken: 0, dropBeforeDeliverResp: 0,
    receiptBeforeResp: 0, noResp: 0, emptyId: 0, alreadyBound: 0, silent: false, receiptShape: 'text', receiptState: 'DELIVRD'
  }
  const phones = new Map<string, Handset>()
  const sockets = new Map<Wire, Socket>()
  const receivers = new Set<Wire>()
  const started = new Map<string, { pieces: (string | undefined)[], ids: string[] }>() // joining, by thread and reference
  const counts = { submits: 0, delivers: 0, binds: 0, enquires: 0, answers: [] as number[] }
  let queue: Job[] = []
  let unanswered = 0
  let lastPlace = 0
  let lastRef = 0
  let lastId = 0
  let closing = false

  const take = (fault: Countable): boolean => faults[fault] > 0 && faults[fault]-- > 0

  const deliverNext = (): void => {
    const [wire] = receivers
    while (wire?.open && !closing && unanswered < (options.window ?? WINDOW)) {
      const job = queue.shift()
      if (!job) return
      void deliver(wire, job)
    }
  }
  const deliver = async (wire: Wire, job: Job): Promise<void> => {
    unanswered++
    counts.delivers++
    try {
      const asked = wire.request({ name: 'deliver_sm', ...job.sm }, options.answerMs ?? ANSWER_MS)
      if (take('dropBeforeDeliverResp')) queueMicrotask(() => queueMicrotask(() => wire.close('fault')))
      const { status } = await asked
      counts.answers.push(status)
      if (status === STATUS.ok) return job.done()
      if (status !== STATUS.temporaryAppError) return
      again(job)
      await sleep(systemClock, REFUSED_AGAIN_MS)
    } catch {
      again(job)
    } finally {
      unanswered--
      deliverNext()
    }
  }
  const again = (job: Job): void => {
    queue.unshift(job)
    queue.sort((a, b) => a.place - b.place)
  }
  const enqueue = (sm: ShortMessage): Promise<void> => new Promise(resolve => {
    queue.push({ sm, place: lastPlace++, done: resolve })
    deliverNext()
  })

  const typeOn = (number: string) => async ({ text, to, form = 'udh', order }: TypeOptions & { to: string }): Promise<void> => {
    const { octets, dataCoding } = segment(text, charset)
    lastRef = (lastRef + 1) % 256
    const pieces = writePieces(octets, form, lastRef)
    const sequence = order ?? pieces.map((_, index) => index + 1)
    await Promise.all(sequence.map(place => enqueue({
      source: addressOf(number), destination: addressOf(to), registeredDelivery: 0, dataCoding, ...pieces[place - 1]!
    })))
  }
  const phone = (number: string): Handset => {
    const known = phones.get(number) ?? makePhone(number, typeOn(number))
    phones.set(number, known)
    return known
  }

  const keep = (sm: ShortMessage, id: string): void => {
    counts.submits++
    if (options.record === false) return
    const { octets, part, shifts } = readPiece(sm)
    const [from, to] = [numberOf(sm.source), numberOf(sm.destination)]
    const key = part ? `${from} ${to} ${part.ref} ${part.total}` : ''
    const joining = started.get(key) ?? { pieces: Array<undefined>(part?.total ?? 1).fill(undefined), ids: [] }
    joining.pieces[(part?.seq ?? 1) - 1] = decode(octets, sm.dataCoding, charset, shifts)
    joining.ids.push(id)
    if (part && joining.pieces.includes(undefined)) return void started.set(key, joining)
    started.delete(key)
    const { pieces, ids } = joining
    phone(to).receive({ from, to, text: pieces.join(''), parts: pieces.length, dataCoding: sm.dataCoding, ids })
  }

  const sendReceipt = (sm: ShortMessage, id: string): void => {
    const receipt = receiptOf(id, faults.receiptState, faults.receiptShape, systemClock.now())
    void enqueue({ source: sm.destination, destination: sm.source, esmClass: 0x04, registeredDelivery: 0, ...receipt })
  }

  const submit = (wire: Wire, pdu: Submit): void => {
    const answer = (status: number, messageId = ''): void =>
      wire.answer(pdu.sequence, { name: 'submit_sm_resp', messageId }, status)
    if (take('throttle')) return answer(STATUS.throttled)
    if (faults.refuse.times > 0) {
      faults.refuse.times--
      return answer(faults.refuse.status)
    }
    if (take('dropBeforeResp')) return wire.close('fault')
    const id = String(++lastId).padStart(10, '0')
    keep(pdu, id)
    if (take('dropAfterTaken')) return wire.close('fault')
    if (take('noResp')) return
    const wanted = (pdu.registeredDelivery & 1) === 1
    const early = wanted && take('receiptBeforeResp')
    if (early) sendReceipt(pdu, id)
    answer(STATUS.ok, take('emptyId') ? '' : id)
    if (wanted && !early) sendReceipt(pdu, id)
  }

  const bind = (wire: Wire, pdu: Bind & { sequence: number }): void => {
    const answer = (status: number): void => wire.answer(pdu.sequence, { name: `${pdu.name}_resp`, systemId: 'SIM' }, status)
    const unknown = pdu.name === 'bind_transceiver' && options.transceiver === false
    if (unknown) return wire.answer(pdu.sequence, { name: 'generic_nack' }, STATUS.invalidCommand)
    if (take('alreadyBound')) return answer(STATUS.alreadyBound)
    if (pdu.systemId !== options.systemId || pdu.password !== options.password) return answer(STATUS.invalidPassword)
    counts.binds++
    answer(STATUS.ok)
    if (pdu.name !== 'bind_transmitter') receivers.add(wire)
    deliverNext()
  }

  const serve = (socket: Socket): void => {
    const request = (pdu: Pdu): void => {
      if (faults.silent) return
      switch (pdu.name) {
        case 'bind_receiver': case 'bind_transmitter': case 'bind_transceiver': return bind(wire, pdu)
        case 'submit_sm': return submit(wire, pdu)
        case 'enquire_link':
          counts.enquires++
          return wire.answer(pdu.sequence, { name: 'enquire_link_resp' })
        case 'unbind':
          wire.answer(pdu.sequence, { name: 'unbind_resp' })
          return wire.close('unbound')
        default: return wire.answer(pdu.sequence, { name: 'generic_nack' }, STATUS.invalidCommand)
      }
    }
    const wire = makeWire(socket, systemClock, {
      request,
      malformed: header => wire.answer(header.sequence, { name: 'generic_nack' }, STATUS.invalidLength),
      closed: () => { sockets.delete(wire); receivers.delete(wire); deliverNext() }
    })
    sockets.set(wire, socket)
  }

  const server = createServer(serve)
  const listen = (port: number): Promise<void> => new Promise((resolve, reject) => {
    server.once('error', reject)
    server.listen(port, options.host ?? '127.0.0.1', () => { server.off('error', reject); resolve() })
  })
  const dropConnections = (): void => { for (const socket of sockets.values()) socket.destroy() }
  await listen(options.port ?? 0)
  const { port } = server.address() as AddressInfo
  const close = async (): Promise<void> => {
    const closed = new Promise(resolve => server.close(resolve))
    dropConnections()
    await closed
  }

  return {
    port, host: options.host ?? '127.0.0.1', phone: (number: string): Phone => phone(number), faults, counts, dropConnections,
    /** Sends a deliver_sm as given, for instance again, or in an odd form. Resolves when it is acknowledged. */
    deliver: enqueue,
    /** Sends raw octets to every connection. */
    rawBytes: (octets: Buffer): void => { for (const socket of sockets.values()) socket.write(octets) },
    /** Sends half of a PDU, then ends the connection. */
    halfFrame: (): void => { for (const socket of sockets.values()) socket.end(Buffer.from([0, 0, 0, 16, 0, 0, 0])) },
    get bound (): number { return sockets.size },
    get receiving (): boolean { return receivers.size > 0 },
    get waiting (): number { return queue.length + unanswered },
    /** Nobody can connect until `up`; what phones type is kept. */
    down: close,
    up: (): Promise<void> => listen(port),
    stop: async (): Promise<void> => {
      closing = true
      queue = []
      await close()
    }
  }
}
