/** The one writer of an account's stream. What is written in one go leaves in one piece. */
import { Refused } from '../../../model/errors'
import type { World } from '../../../model/network'
import type { Stream } from '../wire/stream'
import type { Xml } from '../wire/xml'
import type { Session } from './login'

const STANZA_OUT_BYTES_MAX = 250_000 // many servers end a client's stream at 256 KiB
const WRITE_BUFFER_BYTES_MAX = 1024 * 1024

export interface Writer extends Pick<Stream, 'send' | 'writable'> {
  /** Without a look at its size, and whether there is a line. */
  put (xml: Xml): void
  flush (): void
  /** The line has taken what was written. */
  release (): void
  /** The line is gone, and with it what is not written yet. */
  forget (): void
}

/** `session`: undefined while there is none. */
export const makeWriter = (session: () => Pick<Session, 'line' | 'bytesMax'> | undefined, fence: World['fence']): Writer => {
  let out = ''
  let drained: (() => void)[] = []

  const release = (): void => { const waiting = drained; drained = []; for (const done of waiting) done() }

  /** A socket that takes all of it at once has nothing to drain, and never says so. */
  const flush = (): void => {
    const text = out
    out = ''
    if (text === '' || session()?.line.write(text) !== false) release()
  }

  const put = ({ xml }: Xml): void => {
    fence()
    if (out === '') process.nextTick(flush)
    out += xml
  }

  return {
    put, flush, release,
    send (stanza) {
      const most = Math.min(session()?.bytesMax ?? Infinity, STANZA_OUT_BYTES_MAX)
      if (Buffer.byteLength(stanza.xml) > most) throw new Refused(`the message is over ${most} bytes, more than the server takes`)
      if (session() === undefined) return false
      put(stanza)
      return true
    },
    writable: () => new Promise(resolve => {
      const { socket } = session()?.line ?? {}
      if (socket === undefined || socket.writableLength + out.length < WRITE_BUFFER_BYTES_MAX) resolve()
      else drained.push(resolve)
    }),
    forget () {
      out = ''
      release()
    }
  }
}
