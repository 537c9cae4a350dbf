/**
 * A connection to a server. Octets arrive in order, in pieces cut anywhere. When it breaks, some of the octets under way still arrive and
 * the rest is lost, in either direction. This file also stands in for our end: @xmpp/component (dialling, opening, the handshake) and a
 * socket of node:net. Reading can be paused: then nothing is lost, and nobody notices that the other end is gone.
 */
import { EventEmitter } from 'node:events'
import type { Socket } from 'node:net'
import type { Component, component } from '@xmpp/component'
import type { Life } from './life'
import type { World } from './world'

const PIECES_CUT = 0.3

/** The server's end of one connection. */
export interface Peer {
  heard (octets: Uint8Array): void
  /** Nothing more comes, and nothing written arrives. */
  closed (): void
}

/** One connection, as the server holds it. */
export interface Wire {
  write (octets: string | Uint8Array): void
  /** Hangs up after what was written. */
  end (): void
  /** It breaks, and both ends see it. */
  drop (): void
  /** It breaks, and no end sees it. */
  vanish (): void
  /** The server learns that nobody is there any more. */
  forsake (): void
}

/** What happens when somebody dials: `answer` gets the connection. False: refused; undefined: no answer at all. */
export interface Exchange {
  answer (wire: Wire): Peer
  reachable (): boolean | undefined
  delay (): number
}

/** One direction of a connection. `undefined` is its end. */
interface Flow {
  put (octets: Buffer | undefined): void
  /** Some of what is under way arrives now, then the end. */
  breaks (): void
  /** Nothing arrives any more. */
  stops (): void
  hold (now: boolean): void
}

const makeFlow = ({ timeline, random }: World, delay: () => number, give: (octets: Buffer | undefined) => void): Flow => {
  const under: (Buffer | undefined)[] = []
  let here = 0 // how many of them only wait to be read
  let held = false
  let shut = false // nothing more is put in
  let last = 0
  const read = (): void => {
    while (!held && here > 0) {
      here--
      give(under.shift())
    }
  }
  const put = (octets: Buffer | undefined): void => {
    under.push(octets)
    last = Math.max(last + 0.001, timeline.ms + delay())
    timeline.after(last - timeline.ms, () => {
      if (shut) return
      here++
      read()
    })
  }
  return {
    put (octets) {
      if (shut) return
      if (octets !== undefined && octets.length > 1 && random.happens(PIECES_CUT)) {
        const at = 1 + random.below(octets.length - 1)
        put(octets.subarray(0, at))
        put(octets.subarray(at))
      } else put(octets)
    },
    breaks () {
      if (shut) return
      shut = true
      const rest = Buffer.concat(under.splice(here).flatMap(octets => octets ?? []))
      under.push(rest.subarray(0, random.below(rest.length + 1)), undefined)
      here = under.length
      process.nextTick(read)
    },
    stops () {
      shut = true
      here = under.length = 0
    },
    hold (now) {
      held = now
      if (!now) process.nextTick(read)
    }
  }
}

interface Reader {
  data (octets: Buffer): void
  /** The other end has stopped writing. */
  end? (): void
  close (error?: Error): void
}

/** The process's end of a connection that it dials, in the shape of a socket. */
const makeSocket = (world: World, life: Life, exchange: Exchange, on: Reader) => {
  const { timeline } = world
  let open = false
  let over = false
  let ending = false
  let peer: Peer | undefined
  let out: Buffer[] = [] // what the server wrote in this event

  const close = (error?: Error): void => {
    if (over) return
    over = true
    inward.stops()
    outward.breaks()
    process.nextTick(() => on.close(error))
  }
  const inward = makeFlow(world, exchange.delay, octets => {
    if (!life.cross()) return
    if (octets === undefined) { on.end?.(); close() } else if (octets.length > 0) on.data(octets)
  })
  const outward = makeFlow(world, exchange.delay, octets => {
    if (octets === undefined) peer?.closed()
    else peer?.heard(octets)
  })
  const flush = (): void => {
    if (out.length > 0) inward.put(Buffer.concat(out))
    out = []
  }
  const wire: Wire = {
    write (octets) {
      if (out.length === 0) process.nextTick(flush)
      out.push(Buffer.from(octets as Uint8Array))
    },
    end () {
      flush()
      inward.put(undefined)
    },
    drop () { inward.breaks(); outward.breaks() },
    vanish () { inward.stops(); outward.stops() },
    forsake () { peer?.closed() }
  }

  const connect = (): Promise<void> => new Promise((resolve, reject) => {
    timeline.after(exchange.delay(), () => {
      const reachable = exchange.reachable()
      if (over || reachable === undefined || !life.cross()) return
      if (!reachable) {
        const error = new Error('connection refused')
        close(error)
        return reject(error)
      }
      open = true
      peer = exchange.answer(wire)
      resolve()
      if (ending) outward.put(undefined)
    })
  })

  const write = (octets: string | Uint8Array): void => {
    if (!over && !ending && life.cross()) outward.put(Buffer.from(octets as Uint8Array))
  }
  const socket = {
    writableLength: 0,
    on () {}, setNoDelay () {}, write,
    pause () { inward.hold(true) },
    resume () { inward.hold(false) },
    end (text: string) {
      if (text !== '') write(text)
      ending = true
      if (open && !over && life.cross()) outward.put(undefined)
    },
    destroy () { if (life.cross()) close() },
    /** Closes after what was written has left. */
    destroySoon () {
      if (over || !life.cross()) return
      outward.put(undefined)
      over = true
      inward.stops()
      process.nextTick(() => on.close())
    }
  }
  return { socket, connect, lost: () => { over = true; inward.stops(); outward.breaks() } }
}

/** Dials for one life. `lost`: the process is gone, and its machine hangs up for it. */
export const makeDialling = (world: World, life: Life, exchange: Exchange): { dial: typeof component, lost (): void } => {
  let newest: { lost (): void } | undefined

  const dial: typeof component = ({ domain }) => {
    const entity = Object.assign(new EventEmitter(), {
      socket: null, timeout: 0, reconnect: { stop () {} }, Parser: EventEmitter, _onData () {}
    }) as unknown as Component
    entity.connect = () => {
      const { socket, connect, lost } = makeSocket(world, life, exchange, {
        data: octets => entity._onData(octets),
        close (error) {
          entity.socket = null
          if (error !== undefined) entity.emit('error', error)
          entity.emit('disconnect')
        }
      })
      newest = { lost }
      entity.socket = socket as unknown as Component['socket']
      return connect()
    }
    entity.open = async () => {
      const parser = new entity.Parser()
      parser.on('start', () => entity.socket?.write('<handshake>…</handshake>'))
      parser.on('element', () => queueMicrotask(() => entity.emit('online')))
      entity.socket?.write(`<stream:stream xmlns='jabber:component:accept' xmlns:stream='http://etherx.jabber.org/streams' to='${domain}'>`)
    }
    return entity
  }

  return { dial, lost: () => newest?.lost() }
}

/** The same with sockets like those of node:net. */
export const makeNetDialling = (world: World, life: Life, exchange: Exchange): { dial (): Socket, lost (): void } => {
  const open = new Set<() => void>()

  const dial = (): Socket => {
    const events = new EventEmitter()
    const { socket: { on: _, ...socket }, connect, lost } = makeSocket(world, life, exchange, {
      data: octets => events.emit('data', octets), end: () => events.emit('end'),
      close (error) {
        open.delete(lost)
        if (error !== undefined) events.emit('error', error)
        events.emit('close')
      }
    })
    open.add(lost)
    connect().then(() => events.emit('connect'), () => {})
    return Object.assign(events, socket) as unknown as Socket
  }

  return { dial, lost: () => { for (const lost of open) lost() } }
}
