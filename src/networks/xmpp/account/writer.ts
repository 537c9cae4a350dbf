/** The one writer of an account's stream. What is written in one go leaves in one piece. */
import { Refused } from '../../../model/errors'
import type { Stream } from '../wire/stream'
import type { Xml } from '../wire/xml'
import type { Line } from './line'

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

/** `line`: undefined while there is none. */
export const makeWriter = (line: () => Line | undefined): Writer => {
  let out = ''
  let drained: (() => void)[] = []

  const flush = (): void => {
    const text = out
    out = ''
    if (text !== '') line()?.write(text)
  }

  const put = ({ xml }: Xml): void => {
    if (out === '') process.nextTick(flush)
    out += xml
  }

  const release = (): void => { const waiting = drained; drained = []; for (const done of waiting) done() }

  return {
    put, flush, release,
    send (stanza) {
      if (Buffer.byteLength(stanza.xml) > STANZA_OUT_BYTES_MAX) {
        throw new Refused(`the message is over ${STANZA_OUT_BYTES_MAX} bytes, more than servers take`)
      }
      if (line() === undefined) return false
      put(stanza)
      return true
    },
    writable: () => new Promise(resolve => {
      const { socket } = line() ?? {}
      if (socket === undefined || socket.writableLength + out.length < WRITE_BUFFER_BYTES_MAX) resolve()
      else drained.push(resolve)
    }),
    forget () {
      out = ''
      release()
    }
  }
}
