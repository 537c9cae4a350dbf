/** A listening HTTP server with limits, from an express application or any other handler. */
import { createServer, type RequestListener } from 'node:http'
import type { AddressInfo } from 'node:net'

export type Handler = RequestListener

/** Where to listen. */
export interface Listen { host: string; port: number }

export interface Served { port: number; stop (): Promise<void> }

const HEADERS_TIMEOUT_MS = 10_000
const REQUEST_TIMEOUT_MS = 60_000
const CONNECTIONS_MAX = 256

const listening = new Set<number>() // the ports of this process

/** Whether this process itself listens on this port. */
export const isOurPort = (port: number): boolean => listening.has(port)

/** Resolves once it listens; port 0 takes a free one. Rejects with the system's reason (EADDRINUSE). `stop` ends open connections. */
export const serve = (handler: Handler, { host, port }: Listen): Promise<Served> => {
  const server = createServer({ headersTimeout: HEADERS_TIMEOUT_MS, requestTimeout: REQUEST_TIMEOUT_MS }, handler)
  server.maxConnections = CONNECTIONS_MAX
  server.on('clientError', (_error, socket) => { socket.destroy() })
  const portOf = (): number => (server.address() as AddressInfo).port
  const stop = (): Promise<void> => new Promise(resolve => {
    if (server.listening) listening.delete(portOf())
    server.close(() => resolve())
    server.closeAllConnections()
  })
  return new Promise((resolve, reject) => {
    server.once('error', reject)
    server.listen(port, host, () => {
      server.off('error', reject)
      server.on('error', () => {}) // errors of single connections, which end by themselves
      listening.add(portOf())
      resolve({ port: portOf(), stop })
    })
  })
}
