/** Tools for the checks: they try a connection or a port once, and say what a failure means. */
import { once } from 'node:events'
import { connect, type Socket } from 'node:net'
import { connect as connectTls } from 'node:tls'
import { deadline, type Clock } from '../lib/clock'
import { type Handler, type Listen, serve } from '../lib/serve'
import { messageOf } from '../model/errors'

/** The result of one check. `advice`: what to do; present exactly if something is wrong. `mild`: Zentrale works all the same. */
export interface Finding { what: string; found: string; advice?: string; mild?: true }

/** A check that failed: what was found, and what to do. `mild`: it may be meant so. */
export class Wrong extends Error {
  constructor (found: string, readonly advice: string, readonly mild = false) { super(found) }
}

const PROBE_TIMEOUT_MS = 10_000

const CODES: Record<string, string> = {
  ECONNREFUSED: 'nothing listens there',
  ENOTFOUND: 'no machine has this name',
  EAI_AGAIN: 'the name cannot be looked up',
  ECONNRESET: 'the connection was cut',
  EHOSTUNREACH: 'the machine cannot be reached',
  ENETUNREACH: 'the network cannot be reached',
  ETIMEDOUT: 'no answer'
}

/** The reason why a connection failed, in words. */
export const reasonOf = (error: unknown): string => {
  const { code, cause } = error as { code?: string, cause?: { code?: string } }
  return CODES[code ?? ''] ?? CODES[cause?.code ?? ''] ?? messageOf(error)
}

export const runProbe = async (what: string, probe: () => Promise<string>): Promise<Finding> => {
  try {
    return { what, found: await probe() }
  } catch (error) {
    return error instanceof Wrong
      ? { what, found: error.message, advice: error.advice, ...error.mild && { mild: true } }
      : { what, found: reasonOf(error), advice: 'Check whether that server runs and whether the config has the right address' }
  }
}

interface Peer { host: string; port: number; tls?: boolean }

/**
 * Connects, says `first`, and hands every chunk to `hear` until it returns something. Rejects on errors, when the other side
 * closes, and after PROBE_TIMEOUT_MS.
 */
export const converse = <T>({ host, port, tls }: Peer, clock: Clock, first: string | Buffer,
  hear: (chunk: Buffer, socket: Socket) => T | undefined): Promise<T> => {
  const { signal, done } = deadline(clock, PROBE_TIMEOUT_MS)
  const socket = tls ? connectTls({ host, port, servername: host }) : connect({ host, port })
  return new Promise<T>((resolve, reject) => {
    socket.once(tls ? 'secureConnect' : 'connect', () => { socket.write(first) })
    socket.on('data', (chunk: Buffer) => {
      try {
        const result = hear(chunk, socket)
        if (result !== undefined) resolve(result)
      } catch (error) {
        reject(error)
      }
    })
    socket.on('error', reject)
    socket.on('close', () => reject(new Error('the other side closed the connection')))
    signal.addEventListener('abort', () => reject(signal.reason as Error))
  }).finally(() => { done(); socket.destroy() })
}

/** Resolves when something listens there, with TLS if it must have that. Rejects as `converse` does. */
export const connects = async ({ host, port, tls = false }: Peer, clock: Clock): Promise<void> => {
  const { signal, done } = deadline(clock, PROBE_TIMEOUT_MS)
  const socket = tls ? connectTls({ host, port, servername: host }) : connect({ host, port })
  await once(socket, tls ? 'secureConnect' : 'connect', { signal }).finally(() => { done(); socket.on('error', () => {}).destroy() })
}

export const hostAndPort = ({ host, port }: Listen): string => `${host}:${port}`

/** Why nothing can listen, with the key that says where; undefined if that is not what is wrong. */
export const unheard = (error: unknown, listens: (Listen & { key: string })[]): string | undefined => {
  const { code, address, port } = error as { code?: string, address?: string, port?: number }
  const at = listens.find(listen => listen.port === port && (listen.host === address || listens.filter(one => one.port === port).length === 1))
  if (at === undefined) return undefined
  const wrong = portTaken(at, Object.assign(new Error(messageOf(error)), { code }))
  return `${at.key}: ${hostAndPort(at)}: ${wrong.message}. ${wrong.advice}`
}

const portTaken = ({ host, port }: Listen, error: unknown): Wrong => (error as { code?: string }).code === 'EADDRINUSE'
  ? new Wrong('the port is taken by another program', `Find it: ss -ltnp 'sport = :${port}'. Stop it, or write another port in the config`)
  : new Wrong(`cannot listen there: ${messageOf(error)}`, `Check whether ${host} is an address of this machine`)

/** Listens for as long as `during` takes. */
export const listening = async <T>(listen: Listen, handler: Handler, during: () => Promise<T>): Promise<T> => {
  const served = await serve(handler, listen).catch((error: unknown) => { throw portTaken(listen, error) })
  return await during().finally(served.stop)
}

/** Tells every caller to come again, so that nothing is lost while this listens. */
const comeAgain: Handler = (request, response) => {
  request.resume()
  response.writeHead(503, { 'content-type': 'application/json' }).end('{}')
}

export const portIsFree = async (listen: Listen): Promise<string> => await listening(listen, comeAgain, () => Promise.resolve('is free'))
