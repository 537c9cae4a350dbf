/**
 * The limits beside the figures: the bare HTTP client and the bare SMPP session. Each has its own thread, as Zentrale has its own process.
 */
import { once } from 'node:events'
import { isMainThread, parentPort, Worker, workerData } from 'node:worker_threads'
import { Pool } from 'undici'
import { systemChance as chance } from '../src/lib/chance'
import { systemClock as clock } from '../src/lib/clock'
import { silentLog as log } from '../src/lib/log'
import { makeSession, type SessionConfig } from '../src/networks/sms/smpp/session'
import { STATUS } from '../src/networks/sms/smpp/status'
import { bodyOf } from './raw'

export type BareTask =
  | { kind: 'http', url: string, token: string, room: string, count: number, underWay: number }
  | { kind: 'smpp', config: SessionConfig, count: number, underWay: number }

type One = (index: number) => Promise<unknown>

const putter = ({ url, token, room, underWay }: BareTask & { kind: 'http' }): One => {
  const pool = new Pool(url, { connections: underWay })
  const run = chance.token(6)
  return async index => {
    const body = JSON.stringify({ msgtype: 'm.text', body: bodyOf(0, index) })
    const { body: answer } = await pool.request({
      method: 'PUT', path: `/_matrix/client/v3/rooms/${encodeURIComponent(room)}/send/m.room.message/${run}${index}`, body,
      headers: { authorization: `Bearer ${token}`, 'content-type': 'application/json' }
    })
    JSON.parse(await answer.text())
  }
}

const submitter = async ({ config }: BareTask & { kind: 'smpp' }): Promise<One> => {
  const bound = Promise.withResolvers<void>()
  const session = makeSession(config, { clock, chance, log, fence () {} }, {
    deliver: async () => STATUS.ok, malformed: async () => {}, answered: () => () => {},
    connection: up => { if (up) bound.resolve() }
  })
  session.start()
  await bound.promise
  const address = (digits: string) => ({ ton: 1, npi: 1, digits })
  const [source, destination, never] = [address('4930123457'), address('491701234599'), new AbortController().signal]
  return index => session.submit({
    source, destination, dataCoding: 0, registeredDelivery: 1, esmClass: 0, body: Buffer.from(bodyOf(0, index)), tlvs: new Map()
  }, never)
}

/** Measures how many per second it does, with `underWay` at once. */
const rate = async (one: One, count: number, underWay: number): Promise<number> => {
  let next = 0
  const start = clock.tick()
  await Promise.all(Array.from({ length: underWay }, async () => { while (next < count) await one(next++) }))
  return Math.round(count / (clock.tick() - start) * 1000)
}

const work = async (task: BareTask): Promise<void> => {
  const one = task.kind === 'http' ? putter(task) : await submitter(task)
  await rate(one, Math.ceil(task.count / 4), task.underWay) // warm
  parentPort!.postMessage(await rate(one, task.count, task.underWay))
}

/** Runs a task in a thread of its own, then ends the thread. */
export const bare = async (task: BareTask): Promise<number> => {
  const worker = new Worker(__filename, { workerData: task })
  const [perSecond] = await once(worker, 'message') as [number]
  await worker.terminate()
  return perSecond
}

if (!isMainThread) void work(workerData as BareTask)
