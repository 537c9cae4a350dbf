/**
 * Loaded before the program by `node --require`, only in tests: kills the process at a named moment, as `kill -9` would. It wraps the exports
 * of the built modules, so src contains nothing of it. Orders come in the text of a message, `(K7 xmpp x10 n)`: at K7 of its delivery to
 * XMPP, the first ten times; n makes it unique. A crash that belongs to no message is ordered by a file in the folder CRASH_ORDERS. The file
 * holds a count, in statements of the store: `K10` from the start, `K11` from the signal to stop. A file `ahead` there holds how far the clock of
 * the machine is ahead at this start, in ms: so long the process seems to have been away.
 *
 * K2 read, before the commit · K3 PostgreSQL is told to commit, no answer read · K4 committed, before the answer · K5 answered, nothing sent ·
 * K6 marked as sending, before the bytes · K7 bytes out, no answer read · K8 answer read, before the commit · K9 that committed ·
 * K10 while starting · K11 while stopping · K12 sealed and that is on disk, before the bytes
 */
import { appendFileSync, existsSync, readFileSync, rmSync, statSync } from 'node:fs'
import { Socket } from 'node:net'
import { join } from 'node:path'
import { DatabaseSync, StatementSync } from 'node:sqlite'
import { Client } from 'pg'
import * as accept from '../../src/bridge/accept'
import * as deliver from '../../src/bridge/deliver'
import * as world from '../../src/bridge/world'
import type { Delivery } from '../../src/model/message'
import type { Network } from '../../src/model/network'
import { toPlain } from '../../src/model/text'
import * as matrix from '../../src/networks/matrix'
import * as sms from '../../src/networks/sms'
import * as xmpp from '../../src/networks/xmpp'
import * as postgres from '../../src/store/postgres'
import * as bundle from '../../src/store/postgres-bundle'
import { BEAT } from '../../src/store/postgres-lock'
import * as sqlite from '../../src/store/sqlite'
import type { Store } from '../../src/store/store'
import * as tx from '../../src/store/tx'
import { around } from './around'

const folder = process.env['CRASH_ORDERS'] ?? '.'
const ANSWERED_MS = 100

interface Order { moment: string, network: string | undefined, times: number, name: string }

/** The order in a message, anywhere in its text. */
const orderIn = (thing: unknown): Order | undefined => {
  const found = /\((K\d+)(?: (matrix|xmpp|sms))?(?: x(\d+))? (\d+)\)/.exec(JSON.stringify(thing))
  return found ? { moment: found[1]!, network: found[2], times: Number(found[3] ?? 1), name: `${found[1]}-${found[4]}` } : undefined
}

const isDue = ({ name, times }: Order): boolean => {
  const file = join(folder, name)
  return !existsSync(file) || statSync(file).size < times
}

const die = ({ name }: Order): void => {
  appendFileSync(join(folder, name), '.')
  process.kill(process.pid, 'SIGKILL')
}

const dieAt = (moment: string, thing: unknown, network?: string): void => {
  const order = orderIn(thing)
  if (order !== undefined && order.moment === moment && order.network === network && isDue(order)) die(order)
}

let storing: Order | undefined // what the next commit stores

around(accept, 'makeAccept', former => (...given) => {
  const made = former(...given)
  return {
    ...made,
    async accept (arrival) {
      dieAt('K2', arrival)
      const order = orderIn(arrival)
      if (order?.moment === 'K3' && isDue(order)) storing = order
      const answer = await made.accept(arrival)
      dieAt('K4', arrival)
      return answer
    }
  }
})

around(deliver, 'makeDeliver', former => (...given) => {
  const made = former(...given)
  let dying = false
  return {
    ...made,
    heard (applied) {
      const order = orderIn(applied)
      if (!dying && order?.moment === 'K5' && isDue(order)) {
        dying = true // and what comes behind it is not sent either
        setTimeout(() => die(order), ANSWERED_MS)
      }
      if (!dying) made.heard(applied)
    }
  }
})

let sealing: Order | undefined

around(world, 'makeVault', former => (...given) => {
  const vault = former(...given)
  return {
    ...vault,
    async change (changes) {
      await vault.change(changes)
      const isSealed = changes.some(([key, value]) => value !== undefined && /\bsealed /.test(key))
      if (sealing !== undefined && isSealed) die(sealing)
    }
  }
})

let awaited: { order: Order, octets: string } | undefined

const write = Socket.prototype.write as (this: Socket, ...given: unknown[]) => boolean
Socket.prototype.write = function (this: Socket, ...given: unknown[]): boolean {
  const sent = write.apply(this, given)
  const [chunk] = given
  const text = typeof chunk === 'string' ? chunk : Buffer.from(chunk as Uint8Array).toString('latin1')
  if (awaited !== undefined && text.includes(awaited.octets)) write.call(this, '', () => die(awaited!.order))
  return sent
}

/** How the bytes of a delivery are recognised on their way out. */
const octetsOf = ({ place, key, action }: Delivery): string =>
  place.network === 'sms' && action.kind === 'message' ? toPlain(action.content.text) : key

const mortal = (network: Network): Network => ({
  ...network,
  async send (delivery, signal) {
    dieAt('K6', delivery, network.name)
    const order = orderIn(delivery)
    if (order?.moment === 'K12' && order.network === network.name && isDue(order)) sealing = order
    if (order?.moment === 'K7' && order.network === network.name && isDue(order)) awaited = { order, octets: octetsOf(delivery) }
    const sent = await network.send(delivery, signal)
    dieAt('K8', delivery, network.name)
    return sent
  }
})

around(matrix, 'makeMatrix', former => (...given) => mortal(former(...given)))
around(xmpp, 'makeXmpp', former => (...given) => mortal(former(...given)))
around(sms, 'makeSms', former => (...given) => mortal(former(...given)))

let settled: Order | undefined // in the commit that is being made

around(tx, 'makeTx', former => (db, ...rest) => {
  const made = former(db, ...rest)
  return {
    ...made,
    done (row, ...rest) {
      const order = orderIn(row.delivery)
      if (order?.moment === 'K9' && order.network === row.delivery.place.network && isDue(order)) settled = order
      return made.done(row, ...rest)
    }
  }
})

const mortalStore = (store: Store): Store => ({
  ...store,
  async run (...asked) {
    const value = await store.run(...asked)
    if (settled !== undefined) die(settled)
    return value
  }
})

around(sqlite, 'openSqlite', former => (...given) => mortalStore(former(...given)))
around(postgres, 'openPostgres', former => async (...given) => mortalStore(await former(...given)))

type Query = (this: Client, ...given: unknown[]) => unknown

/** Called with each statement to PostgreSQL before it is sent; may return what to do when it is out. */
const asking: ((text: string) => (() => void) | undefined)[] = []
const ask = (client: Client, texts: string[], send: () => unknown): unknown => {
  const outs = texts.flatMap(text => asking.flatMap(each => each(text) ?? []))
  const answer = send()
  for (const out of outs) write.call((client as unknown as { connection: { stream: Socket } }).connection.stream, '', out)
  return answer
}

around(bundle, 'makeSending', former => client => {
  const sending = former(client)
  return statements => ask(client, statements.map(({ text }) => text), () => sending(statements)) as ReturnType<typeof sending>
})

/** What is said to PostgreSQL alone. */
const { query } = Client.prototype as unknown as { query: Query }
Client.prototype.query = function (this: Client, ...given: unknown[]) {
  const [asked] = given
  const texts = typeof asked === 'string' ? [asked] : 'text' in (asked as object) ? [(asked as { text: string }).text] : []
  return ask(this, texts, () => query.apply(this, given))
} as typeof Client.prototype.query

asking.push(text => {
  const order = storing
  return order !== undefined && text.startsWith('COMMIT') ? () => die(order) : undefined
})

/** Dies at the statement with this number, counted from now. */
const countStatements = (name: string): void => {
  const file = join(folder, name)
  if (!existsSync(file)) return
  let left = Number(readFileSync(file, 'utf8'))
  rmSync(file)
  const count = (): void => { if (--left === 0) process.kill(process.pid, 'SIGKILL') }
  if (left === 0) process.kill(process.pid, 'SIGKILL')
  for (const prototype of [DatabaseSync.prototype, StatementSync.prototype] as unknown as Record<string, (...given: unknown[]) => unknown>[]) {
    for (const name of ['exec', 'run', 'get', 'all']) {
      const former = prototype[name]
      if (former !== undefined) prototype[name] = function (...given) { count(); return former.apply(this, given) }
    }
  }
  asking.push(text => {
    if (text !== BEAT) count() // it comes when it likes
    return undefined
  })
}

const goAhead = (): void => {
  const file = join(folder, 'ahead')
  const ms = existsSync(file) ? Number(readFileSync(file, 'utf8')) : 0
  const { now } = Date
  if (ms > 0) Date.now = () => now() + ms
}

goAhead()
countStatements('K10')
process.once('SIGTERM', () => countStatements('K11'))
