/** Stands between Zentrale and the component port of an XMPP server, and says to Zentrale what no server would. */
import { once } from 'node:events'
import { type AddressInfo, createConnection, createServer, type Socket } from 'node:net'

export interface ComponentProxy {
  readonly port: number
  readonly visits: number // connections so far
  /** From now on each octet to Zentrale comes in a write of its own, so that no letter comes whole. */
  chop: boolean
  /** These octets to Zentrale, between whatever the server says. */
  say (...pieces: (string | Buffer)[]): Promise<void>
  /** Ends Zentrale's connection after what was said. */
  hangUp (): void
  stop (): Promise<void>
}

export const startComponentProxy = async (serverPort: number): Promise<ComponentProxy> => {
  const sockets = new Set<Socket>()
  let newest: Socket | undefined
  let writing = Promise.resolve()
  const write = (to: Socket, piece: string | Buffer): Promise<void> =>
    writing = writing.then(() => new Promise<void>(resolve => { to.write(piece, () => setImmediate(resolve)) }))
  const self = { visits: 0, chop: false }

  const server = createServer(zentrale => {
    const upstream = createConnection(serverPort, '127.0.0.1')
    newest = zentrale
    self.visits++
    for (const [one, other] of [[zentrale, upstream], [upstream, zentrale]] as const) {
      sockets.add(one)
      one.setNoDelay(true)
      one.on('error', () => { /* either end may hang up on us by design */ })
      one.on('close', () => { sockets.delete(one); other.end() })
    }
    zentrale.on('data', data => { upstream.write(data) })
    upstream.on('data', (data: Buffer) => {
      if (self.chop) for (const octet of data) void write(zentrale, Buffer.from([octet]))
      else void write(zentrale, data)
    })
  })
  server.listen(0, '127.0.0.1')
  await once(server, 'listening')

  return Object.assign(self, {
    port: (server.address() as AddressInfo).port,
    async say (...pieces: (string | Buffer)[]) { for (const piece of pieces) if (newest) await write(newest, piece) },
    hangUp () { newest?.end() },
    async stop () {
      for (const socket of sockets) socket.destroy()
      server.close()
    }
  })
}
