/**
 * Stands between two peers that talk over TCP, and does to their octets what bad networks and bad peers do. They pass not at all, one way
 * only, late, slowly, or one by one; the connection ends, is reset, or is cut inside a character; strange words come between.
 */
import { once } from 'node:events'
import { type AddressInfo, createConnection, createServer, type Socket } from 'node:net'
import { setTimeout as pause } from 'node:timers/promises'

/** What happens to the octets of one direction, from now on. Both directions held is a black hole: a link half-open on both ends. */
export interface Way {
  hold: boolean // nothing passes; what came meanwhile goes on afterwards
  chop: boolean // each octet in a write of its own, so that no letter comes whole
  delayMs: number // before each piece
  bytesPerSecond: number // Infinity is no limit
  cutInCharacter: boolean // once: the connection is reset behind the first octet of the next character that has several
}

export interface Proxy {
  readonly port: number
  readonly visits: number // connections so far
  readonly open: number // connections that the server has not ended
  serverPort: number // where new connections go
  readonly toServer: Way
  readonly fromServer: Way
  refuse: boolean // new connections end at once
  watch: (octets: Buffer) => void // called with whatever the server says, when it says it
  overhear: (octets: Buffer) => void // the same of clients
  /** These octets to the client, between whatever the server says. */
  say (...pieces: (string | Buffer)[]): Promise<void>
  /** Ends the newest client's connection after what was said. */
  hangUp (): void
  /** Every connection ends: in peace, or by a reset. */
  cut (): void
  reset (): void
  stop (): Promise<void>
}

const PIECE_MS = 50 // of what a limited way lets pass at once

const makeWay = (): Way & { passes (): Promise<void> } => {
  let held: PromiseWithResolvers<void> | undefined
  return {
    chop: false, delayMs: 0, bytesPerSecond: Infinity, cutInCharacter: false,
    get hold () { return held !== undefined },
    set hold (on) {
      if (on) held ??= Promise.withResolvers<void>()
      else { held?.resolve(); held = undefined }
    },
    passes: () => held?.promise ?? Promise.resolve()
  }
}

/** The octets in the pieces in which they go on. */
const piecesOf = (data: Buffer, { chop, bytesPerSecond }: Way): Buffer[] => {
  const size = chop ? 1 : Number.isFinite(bytesPerSecond) ? Math.max(Math.floor(bytesPerSecond * PIECE_MS / 1000), 1) : data.length
  return Array.from({ length: Math.ceil(data.length / size) }, (_, index) => data.subarray(index * size, (index + 1) * size))
}

const isLead = (octet: number): boolean => octet >= 0xc2 && octet <= 0xf4

export const startProxy = async (serverPort: number): Promise<Proxy> => {
  const sockets = new Set<Socket>()
  const upstreams = new Set<Socket>()
  const toServer = makeWay()
  const fromServer = makeWay()
  let newest: Socket | undefined
  let saying = Promise.resolve() // one after another, to clients
  const write = (to: Socket, piece: string | Buffer): Promise<void> => new Promise(resolve => { to.write(piece, () => setImmediate(resolve)) })
  const tell = (to: Socket, piece: string | Buffer): Promise<void> => saying = saying.then(() => write(to, piece))
  const resetAll = (): void => { for (const socket of sockets) socket.resetAndDestroy() }

  const carry = async (from: Socket, to: Socket, way: ReturnType<typeof makeWay>, put: typeof write): Promise<void> => {
    for await (const data of from as AsyncIterable<Buffer>) {
      if (way === fromServer) self.watch(data)
      else self.overhear(data)
      await way.passes()
      const lead = way.cutInCharacter ? data.findIndex(isLead) : -1
      for (const piece of piecesOf(lead === -1 ? data : data.subarray(0, lead + 1), way)) {
        if (way.delayMs > 0) await pause(way.delayMs)
        if (Number.isFinite(way.bytesPerSecond)) await pause(piece.length / way.bytesPerSecond * 1000)
        await put(to, piece)
        await way.passes()
      }
      if (lead === -1) continue
      way.cutInCharacter = false
      return resetAll()
    }
  }

  const nothing = (_octets: Buffer): void => {}
  const self = {
    visits: 0, serverPort, refuse: false, toServer, fromServer, watch: nothing, overhear: nothing, get open () { return upstreams.size }
  }
  const server = createServer(client => {
    if (self.refuse) return void client.destroy()
    const upstream = createConnection(self.serverPort, '127.0.0.1')
    upstreams.add(upstream)
    for (const over of ['end', 'close']) upstream.on(over, () => upstreams.delete(upstream))
    newest = client
    self.visits++
    for (const [one, other, way] of [[client, upstream, toServer], [upstream, client, fromServer]] as const) {
      sockets.add(one)
      one.setNoDelay(true)
      one.on('error', () => { /* either end may hang up on us by design */ })
      one.on('close', () => {
        sockets.delete(one)
        void way.passes().then(() => { if (!other.destroyed) other.end() })
      })
    }
    carry(client, upstream, toServer, write).catch(() => { /* as above */ })
    carry(upstream, client, fromServer, tell).catch(() => { /* as above */ })
  })
  server.listen(0, '127.0.0.1')
  await once(server, 'listening')

  return Object.assign(self, {
    port: (server.address() as AddressInfo).port,
    async say (...pieces: (string | Buffer)[]) { for (const piece of pieces) if (newest) await tell(newest, piece) },
    hangUp () { newest?.end() },
    cut () { for (const socket of sockets) socket.end() },
    reset: resetAll,
    async stop () {
      for (const way of [toServer, fromServer]) way.hold = false
      for (const socket of sockets) socket.destroy()
      server.close()
    }
  })
}
