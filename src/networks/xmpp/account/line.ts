/**
 * A connection to an account's server: bytes in, elements out, and TLS in between. Each new stream on it gets a new parser.
 * Promises: whatever was read before TLS began cannot count as read after it. A certificate must be the domain's.
 */
import { connect as connectTcp, type Socket } from 'node:net'
import { connect as connectTls, type ConnectionOptions } from 'node:tls'
import { domainToASCII } from 'node:url'
import { messageOf, Unavailable } from '../../../model/errors'
import { makeParser, type StreamParser, STREAMS } from '../wire/parser'
import { child, type Element, elementsIn } from '../wire/xml'
import { refusal } from './refusal'
import { type AccountConfig, domainOf, type Where } from './where'

const READ_AHEAD_MAX = 64 // elements that nobody has asked for yet, before the login is through

export interface LineEvents {
  element (element: Element): void
  dropped (why: string, element: Element): void
  heard (): void // octets
  lost (why: Error): void
}

export interface Line {
  readonly socket: Socket
  /** False: the socket tells by `drain` when it can take more. */
  write (text: string): boolean
  /** The next element. Rejects when the line is lost. */
  read (): Promise<Element>
  /** Opens a stream. Resolves with its features. */
  open (): Promise<Element>
  /** Begins TLS. */
  secure (): Promise<void>
  /** From now on everything goes to `events`, what was read ahead too. */
  hand (events: LineEvents): void
  /** Says goodbye. Resolves when the connection is gone; `signal` ends it. */
  leave (signal: AbortSignal): Promise<void>
  close (): void
}

export type Dial = (where: Pick<Where, 'host' | 'port'>) => Socket

/** A stream error as a reason. */
const streamFault = (element: Element): Error => {
  const condition = elementsIn(element).find(one => one.name !== 'text')?.name ?? 'undefined-condition'
  if (condition === 'host-unknown') return refusal('domain', 'the server does not know the domain of this account')
  if (condition === 'conflict') return refusal('conflict', 'conflict: somebody else has logged in with this account under the same name')
  return new Unavailable(`stream error ${condition}`, { disconnected: true })
}

const tlsFault = (error: Error & { code?: string }): Error => /CERT|SIGNATURE|ALTNAME/.test(error.code ?? '')
  ? refusal('certificate', `the server's certificate is not good: ${messageOf(error)}`)
  : new Unavailable(`TLS: ${messageOf(error)}`, { disconnected: true })

/** Resolves with the line when it is connected, with TLS if the place wants that at once. `signal` ends it, at any time. */
export const makeLine = async (where: Where, config: AccountConfig, signal: AbortSignal, dial: Dial = connectTcp): Promise<Line> => {
  const domain = domainOf(config.jid)
  let socket = dial({ host: where.host, port: where.port })
  let parser: StreamParser | undefined
  let ahead: Element[] = []
  let wanted: { resolve (element: Element): void, reject (why: Error): void } | undefined
  let broken: Error | undefined
  let events: LineEvents | undefined

  const lost = (why: Error): void => {
    socket.destroy()
    if (broken !== undefined) return
    broken = why
    wanted?.reject(why)
    events?.lost(why)
  }

  const closed = (): void => lost(new Unavailable('the server closed the connection', { disconnected: true }))

  const take = (element: Element): void => {
    if (element.ns === STREAMS && element.name === 'error') return lost(streamFault(element))
    if (events !== undefined) return events.element(element)
    const reader = wanted
    wanted = undefined
    if (reader !== undefined) reader.resolve(element)
    else if (ahead.push(element) > READ_AHEAD_MAX) lost(new Unavailable('the server says too much before the login'))
  }

  const feed = (chunk: Uint8Array): void => {
    events?.heard()
    try { parser?.write(chunk) } catch (error) { lost(new Unavailable(messageOf(error), { disconnected: true })) }
  }

  const listen = (): void => {
    socket.on('data', feed)
    socket.on('close', closed)
  }

  /** Rejects if the other side is gone before it says `event`. */
  const connected = (event: string, reasonOf: (error: Error) => Error): Promise<void> => new Promise((resolve, reject) => {
    const mine = socket
    const failed = (error: Error): void => { lost(reasonOf(error)); reject(broken ?? error) }
    const gone = (): void => failed(new Error('the server closed the connection'))
    const over = (): void => { reject(broken ?? new Error('given up')) }
    mine.on('error', failed) // stays: a socket without a listener for errors ends the process
    mine.once('close', gone)
    signal.addEventListener('abort', over, { once: true })
    mine.once(event, () => {
      mine.removeListener('close', gone)
      signal.removeEventListener('abort', over)
      resolve()
    })
  })

  const secure = async (): Promise<void> => {
    if (ahead.length > 0) throw new Unavailable('the server spoke out of turn before TLS')
    const raw = socket
    raw.removeListener('data', feed)
    raw.removeListener('close', closed)
    const options: ConnectionOptions = { socket: raw, servername: domainToASCII(domain) || domain, ALPNProtocols: ['xmpp-client'] }
    socket = connectTls({ ...options, ...config.ca !== undefined && { ca: config.ca } })
    await connected('secureConnect', tlsFault)
    listen()
  }

  signal.addEventListener('abort', () => lost(new Unavailable('no answer from the server in time', { disconnected: true })), { once: true })
  await connected('connect', error => new Unavailable(messageOf(error), { disconnected: true, cause: error }))
  socket.setNoDelay(true)
  if (where.directTls) await secure()
  else listen()

  const read = (): Promise<Element> => new Promise((resolve, reject) => {
    const first = ahead.shift()
    if (first !== undefined) return resolve(first)
    if (broken !== undefined) return reject(broken)
    wanted = { resolve, reject }
  })

  return {
    get socket () { return socket },
    write: text => broken !== undefined || socket.write(text),
    read,
    async open () {
      parser = makeParser({
        opened () {}, stanza: take, closed,
        dropped: (why, element) => events === undefined ? lost(new Unavailable(why)) : events.dropped(why, element)
      })
      socket.write('<?xml version=\'1.0\'?><stream:stream xmlns=\'jabber:client\' xmlns:stream=\'http://etherx.jabber.org/streams\' ' +
        `version='1.0' to='${domain}'>`)
      const features = await read()
      if (features.name !== 'features' || features.ns !== STREAMS) throw new Unavailable('the server does not speak XMPP')
      return features
    },
    secure,
    hand (given) {
      events = given
      const before = ahead
      ahead = []
      for (const element of before) given.element(element)
      if (broken !== undefined) given.lost(broken)
    },
    leave: limit => new Promise(resolve => {
      socket.once('close', () => resolve())
      limit.addEventListener('abort', () => socket.destroy(), { once: true })
      socket.resume()
      socket.end('</stream:stream>')
    }),
    close: () => lost(new Unavailable('closed', { disconnected: true }))
  }
}

export const has = (features: Element, name: string, ns: string): boolean => child(features, name, ns) !== undefined
