/**
 * The component's stream (XEP-0114): one connection, dialled again for ever, with a strict parser and a single writer.
 * Promises: no input can throw out of here or stop the process; a fault ends the stream, which is dialled again. What is read is passed on in
 * order. A connection that died silently is noticed within STREAM_PING_MS + ASK_TIMEOUT_MS.
 * Uses @xmpp/component for connecting, opening and the handshake. Does not use its parser, text decoding, middleware (which throws on
 * addresses that it cannot parse) and reconnecting (no jitter, leaves half-open sockets).
 */
import { EventEmitter } from 'node:events'
import { component, type Component } from '@xmpp/component'
import { backoffMs } from '../../../lib/backoff'
import type { Timer } from '../../../lib/clock'
import { messageOf, Refused, Unavailable } from '../../../model/errors'
import type { World } from '../../../model/network'
import { parseJid } from '../names'
import { makeAsking } from './asking'
import type { Heedless } from './copies'
import { makeParser, STREAMS } from './parser'
import { el, elementsIn, type Element, type Xml } from './xml'

export interface ComponentConfig { host: string, port: number, domain: string, secret: string }

export const STANZA_OUT_BYTES_MAX = 500_000 // Prosody ends the stream at 512 KiB
const HANDSHAKE_TIMEOUT_MS = 10_000
const REDIAL_FIRST_MS = 500
const REDIAL_MOST_MS = 30_000
const STREAM_STABLE_MS = 10_000 // after so long up, the next redial is quick again
const STREAM_PING_MS = 30_000
const ASKS_MAX = 10_000
const WRITE_BUFFER_BYTES_MAX = 1024 * 1024
const FAREWELL_TIMEOUT_MS = 2_000

export interface StreamEvents {
  up (): void
  down (why: string): void
  stanza (stanza: Element): void // not answers to `ask`; addresses are checked
  dropped (why: string, stanza: Element): void // the parser could not take it; `stanza` is its outermost tag alone
  heedless?: Heedless
}

export interface Stream {
  readonly isUp: boolean
  start (events: StreamEvents): void
  /** Writes in order. False if the stream is down. Throws Refused if the stanza is over STANZA_OUT_BYTES_MAX. */
  send (stanza: Xml): boolean
  /** Resolves when more may be written without hoarding memory, or when the stream is down. */
  writable (): Promise<void>
  /** Sends an iq and resolves with the answer, which may be of type error. Throws Unavailable if none comes. */
  ask (type: 'get' | 'set', from: string, to: string, payload: Xml): Promise<Element>
  pause (): void
  resume (): void
  stop (): Promise<void>
}

const streamDown = (why: string): Unavailable => new Unavailable(`the component link is down: ${why}`, { disconnected: true })

const streamFault = (element: Element): string => {
  const condition = elementsIn(element).find(one => one.name !== 'text')?.name ?? 'undefined-condition'
  return condition === 'conflict' ? 'conflict: another process is connected as this component' : `stream error ${condition}`
}

/** The parser that the library gets. The library hears of the stream's opening and of the handshake; everything else goes to `take`. */
const parserFor = (
  take: (stanza: Element) => void, dropped: StreamEvents['dropped'], fault: (why: string) => void, heedless: Heedless | undefined
): EventEmitter & { feed (chunk: Uint8Array): void } => {
  let greeted = false
  const emitter = new EventEmitter()
  const parser = makeParser({
    opened: attrs => { emitter.emit('start', { attrs }) },
    closed: () => fault('the server closed the stream'),
    dropped,
    ...heedless && { heedless },
    stanza: stanza => {
      if (stanza.ns === STREAMS) return fault(streamFault(stanza))
      if (greeted) return take(stanza)
      greeted = true
      emitter.emit('element', { name: stanza.name, is: () => false })
    }
  })
  return Object.assign(emitter, {
    feed (chunk: Uint8Array) {
      try { parser.write(chunk) } catch (error) { fault(messageOf(error)) }
    }
  })
}

/** `make` makes the connection. */
export const makeStream = (config: ComponentConfig, { clock, chance, log, fence }: World, make = component): Stream => {
  const run = chance.token(6)
  let events: StreamEvents | undefined
  let entity: Component | undefined
  let up = false
  let paused = false
  let stopped = false
  let [attempt, upSince] = [0, 0]
  let heardAt = 0 // of clock.tick
  let out = ''
  let timer: Timer | undefined
  const drained: (() => void)[] = []

  const release = (): void => { for (const done of drained.splice(0)) done() }

  const lost = (which: Component, why: string): void => {
    which.socket?.destroy()
    if (which !== entity) return
    entity = undefined
    out = ''
    timer?.cancel()
    if (up && clock.tick() - upSince > STREAM_STABLE_MS) attempt = 0
    up = false
    release()
    asking.fail(why)
    events?.down(why)
    if (stopped) return
    const wait = backoffMs(chance, ++attempt, REDIAL_FIRST_MS, REDIAL_MOST_MS)
    log.warn({ why, attempt, wait }, 'component link down')
    timer = clock.after(wait, dial)
  }

  const take = (stanza: Element): void => {
    const { from, to, type } = stanza.attrs
    if (from === undefined || to === undefined || parseJid(from) === undefined || parseJid(to) === undefined) {
      return log.warn({ stanza: stanza.name }, 'stanza without a usable address dropped')
    }
    if (asking.take(stanza)) return
    try { events?.stanza(stanza) } catch (error) {
      log.error({ stanza: stanza.name, type, error }, 'stanza could not be handled')
    }
  }

  const dial = (): void => {
    const host = config.host.includes(':') ? `[${config.host}]` : config.host
    const mine = make({ service: `xmpp://${host}:${config.port}`, domain: config.domain, password: config.secret })
    entity = mine
    mine.reconnect.stop()
    mine.removeAllListeners('element')
    const parser = parserFor(stanza => { if (mine === entity) take(stanza) }, (why, stanza) => {
      log.warn({ stanza: stanza.name, why }, 'stanza dropped')
      events?.dropped(why, stanza)
    }, why => lost(mine, why), events?.heedless)
    mine.Parser = function () { return parser } as never
    mine.timeout = HANDSHAKE_TIMEOUT_MS
    mine._onData = chunk => { heardAt = clock.tick(); if (mine === entity) parser.feed(chunk) }
    mine.on('error', error => lost(mine, messageOf(error)))
    mine.on('disconnect', () => lost(mine, 'the connection was closed'))
    mine.on('online', () => {
      if (mine !== entity || stopped) return
      timer?.cancel()
      up = true
      upSince = clock.tick()
      mine.socket?.on('drain', release)
      mine.socket?.setNoDelay(true)
      if (paused) mine.socket?.pause()
      log.info({}, 'component link up')
      watch(mine)
      events?.up()
    })
    timer = clock.after(HANDSHAKE_TIMEOUT_MS, () => lost(mine, 'no answer to the handshake'))
    mine.connect(`xmpp://${host}:${config.port}`)
      .then(() => mine.open({ domain: config.domain, timeout: HANDSHAKE_TIMEOUT_MS }))
      .catch((error: unknown) => lost(mine, messageOf(error)))
  }

  /** Pings ourselves: a server routes back what a component sends to itself. That is the shortest way through all that must work. */
  const watch = (mine: Component): void => {
    timer = clock.after(heardAt + STREAM_PING_MS - clock.tick(), () => {
      if (paused) heardAt = clock.tick()
      if (clock.tick() - heardAt < STREAM_PING_MS) return watch(mine)
      asking.ask('get', config.domain, config.domain, el('ping', { xmlns: 'urn:xmpp:ping' }))
        .then(() => { if (mine === entity) watch(mine) }, () => lost(mine, 'no answer to a ping'))
    })
  }

  const flush = (): void => {
    const text = out
    out = ''
    if (text === '' || entity?.socket?.write(text) !== false) release() // a socket that takes it at once has nothing to drain, and never says so
  }

  const send = (stanza: Xml): boolean => {
    if (Buffer.byteLength(stanza.xml) > STANZA_OUT_BYTES_MAX) {
      throw new Refused(`the message is over ${STANZA_OUT_BYTES_MAX} bytes, more than servers take`)
    }
    if (!up) return false
    fence()
    if (out === '') process.nextTick(flush)
    out += stanza.xml
    return true
  }

  const asking = makeAsking({ clock, run, most: ASKS_MAX, send, down: streamDown })

  return {
    get isUp () { return up },
    start (given) { events = given; dial() },
    send,
    writable: () => new Promise(resolve => {
      if (!up || (entity?.socket?.writableLength ?? 0) + out.length < WRITE_BUFFER_BYTES_MAX) resolve()
      else drained.push(resolve)
    }),
    ask: asking.ask,
    pause () { paused = true; entity?.socket?.pause() },
    resume () { paused = false; entity?.socket?.resume() },
    async stop () {
      stopped = true
      timer?.cancel()
      const mine = entity
      const socket = mine?.socket
      if (mine === undefined || !socket) return
      flush()
      await new Promise<void>(resolve => {
        const limit = clock.after(FAREWELL_TIMEOUT_MS, () => lost(mine, 'stopped'))
        mine.on('disconnect', () => { limit.cancel(); resolve() })
        socket.resume()
        socket.end(up ? '</stream:stream>' : '')
      })
    }
  }
}
