/**
 * An account's stream: logged in, dialled again for ever, with the strict parser and a single writer. It stands beside the component's
 * (wire/stream.ts), and the parts for direct chats work over either.
 * Promises: no input can throw out of here or stop the process. The server gets its yes for a stanza (XEP-0198) only when that and all before it
 * are done with, so a crash leaves the rest to the server. After a break the former session is taken up again if the server still has it. What
 * is asked or written when the connection breaks has failed; whoever asked tries again. Whoever takes the account over is not fought: we come
 * back only after FAULT_WAIT_MS.
 */
import { backoffMs } from '../../../lib/backoff'
import { deadline, type Timer } from '../../../lib/clock'
import { Unavailable } from '../../../model/errors'
import type { World } from '../../../model/network'
import { parseJid } from '../names'
import { makeAsking } from '../wire/asking'
import type { Stream } from '../wire/stream'
import { el, type Element } from '../wire/xml'
import type { Dial } from './line'
import { login, type Session, SM } from './login'
import { makeReceipts } from './receipts'
import { faultOf } from './refusal'
import { type AccountConfig, domainOf, type Resolve } from './where'
import { makeWriter } from './writer'

const LOGIN_TIMEOUT_MS = 30_000
const REDIAL_FIRST_MS = 500
const REDIAL_MOST_MS = 30_000
const FAULT_WAIT_MS = 120_000 // so that a wrong password does not lock the account
const STREAM_STABLE_MS = 10_000
const STREAM_PING_MS = 60_000
const FAREWELL_TIMEOUT_MS = 2_000
const ASKS_MAX = 1_000
const PROVED = 'proved' // in the memory: the server took a proof of the password

export interface AccountEvents {
  /** `resumed`: nothing was lost, and the server still shows us as we were. */
  up (resumed: boolean): void
  down (why: string): void
  /** A stanza to us; `to` is our bare address, but for requests. Not answers to `ask`. Call `done` when it need not come again. */
  stanza (stanza: Element, done: () => void): void
  dropped (why: string, stanza: Element): void
}

/** `ask` and `send` leave out who speaks: the server writes it. */
export interface AccountStream extends Omit<Stream, 'start'> { start (events: AccountEvents): void }

/** How to reach the server in tests. */
export interface Reaching { dial?: Dial, resolve?: Resolve }

const accountDown = (why: string): Unavailable => new Unavailable(`the account is down: ${why}`, { disconnected: true })

export const makeAccountStream = (config: AccountConfig, { clock, chance, log, memory, fence }: World, reaching: Reaching = {}): AccountStream => {
  const { jid } = config
  const domain = domainOf(jid)
  const stopping = new AbortController()
  let events: AccountEvents | undefined
  let session: Session | undefined
  let resumable: string | undefined // the session that broke
  let paused = false
  let attempt = 0
  let upSince = 0
  let heardAt = 0
  let timer: Timer | undefined

  const { put, send, flush, forget, writable, release } = makeWriter(() => session, fence)
  const receipts = makeReceipts(put)
  const asking = makeAsking({ clock, run: chance.token(6), most: ASKS_MAX, mine: [jid, domain], send, down: accountDown })

  const again = (error: Error): void => {
    events?.down(error.message)
    if (stopping.signal.aborted) return
    attempt++
    const wait = faultOf(error) === undefined ? backoffMs(chance, attempt, REDIAL_FIRST_MS, REDIAL_MOST_MS) : FAULT_WAIT_MS
    log.warn({ account: jid, why: error.message, attempt, wait }, 'account is down')
    timer = clock.after(wait, dial)
  }

  const lost = (which: Session, error: Error): void => {
    const wasOurs = which === session
    if (wasOurs) session = undefined // first, because closing the line tells of it too
    which.line.close()
    if (!wasOurs) return
    resumable = which.id
    forget()
    timer?.cancel()
    if (clock.tick() - upSince > STREAM_STABLE_MS) attempt = 0
    asking.fail(error.message)
    again(error)
  }

  const take = (stanza: Element, done: () => void): void => {
    const { from = jid, to = jid } = stanza.attrs
    if (parseJid(from) === undefined) {
      log.warn({ stanza: stanza.name }, 'stanza without a usable address dropped')
      return done()
    }
    if (asking.take(stanza)) return done()
    try { events?.stanza({ ...stanza, attrs: { ...stanza.attrs, from, to: stanza.name === 'iq' ? to : jid } }, done) } catch (error) {
      log.error({ stanza: stanza.name, type: stanza.attrs.type, error }, 'stanza could not be handled')
      done()
    }
  }

  const begin = (mine: Session, handled: number): void => {
    session = mine
    resumable = undefined
    upSince = heardAt = clock.tick()
    receipts.begin(mine.resumed ? handled : 0, mine.counts)
    mine.line.socket.on('drain', release)
    if (paused) mine.line.socket.pause()
    if (mine.proved && memory.get(PROVED) === undefined) memory.set(PROVED, 'yes').catch(() => {}) // the next login tries again
    log.info({ account: jid, resumed: mine.resumed, counted: mine.counts }, 'account is up')
    watch(mine)
    events?.up(mine.resumed)
    for (const early of mine.early) take(early, () => {})
    mine.line.hand({
      element (one) {
        if (mine !== session) return
        if (one.ns !== SM) take(one, receipts.came())
        else if (one.name === 'r') receipts.tell()
      },
      dropped (why, stanza) {
        log.warn({ stanza: stanza.name, why }, 'stanza dropped')
        receipts.came()()
        events?.dropped(why, stanza)
      },
      heard () { heardAt = clock.tick() },
      lost: why => lost(mine, why)
    })
  }

  const dial = (): void => {
    const { signal, done } = deadline(clock, LOGIN_TIMEOUT_MS, stopping.signal)
    const handled = receipts.handled()
    const former = resumable === undefined ? undefined : { id: resumable, handled }
    login(config, { chance, signal, proved: memory.get(PROVED) !== undefined, ...reaching }, former).finally(done).then(mine => {
      if (stopping.signal.aborted) mine.line.close()
      else begin(mine, handled)
    }, again)
  }

  /** Asks the server for a sign of life when it has been silent for long. */
  const watch = (mine: Session): void => {
    timer = clock.after(heardAt + STREAM_PING_MS - clock.tick(), () => {
      if (paused) heardAt = clock.tick()
      if (clock.tick() - heardAt < STREAM_PING_MS) return watch(mine)
      asking.ask('get', undefined, domain, el('ping', { xmlns: 'urn:xmpp:ping' }))
        .then(() => { if (mine === session) watch(mine) }, () => lost(mine, new Unavailable('no answer to a ping')))
    })
  }

  return {
    get isUp () { return session !== undefined },
    start (given) { events = given; dial() },
    send,
    writable,
    ask: (type, _from, to, payload) => asking.ask(type, undefined, to, payload),
    pause () { paused = true; session?.line.socket.pause() },
    resume () { paused = false; session?.line.socket.resume() },
    async stop () {
      timer?.cancel()
      stopping.abort()
      if (session === undefined) return
      receipts.tell()
      flush()
      const limit = deadline(clock, FAREWELL_TIMEOUT_MS)
      await session.line.leave(limit.signal)
      limit.done()
    }
  }
}
