/**
 * XMPP streams with almost nothing above the socket, so that the bench measures the server and Zentrale, not the people. Text is sent as it
 * is given. Of the input, only who said which numbered message in which room is read.
 */
import { createHash } from 'node:crypto'
import { connect } from 'node:net'
import { deadline, systemClock } from '../src/lib/clock'

/** A numbered message of one load was heard. `to`: our bare or full address that heard it. */
export type Heard = (room: string, load: number, index: number, to: string) => void

export interface Raw {
  write (text: string): void
  /** Resolves with the match once it has arrived. Input before it is dropped. */
  until (what: RegExp): Promise<RegExpExecArray>
  /** From now on calls `heard` for each numbered message. */
  listen (heard: Heard): void
  /** From now on drops all input, and gathers what the first group of each match says. */
  gather (what: RegExp): ReadonlySet<string>
  end (): void
}

const ANSWER_MS = 10_000
const MESSAGE_END = '</message>'
const HEADER = "xmlns:stream='http://etherx.jabber.org/streams'"
const NUMBERED = /<body>(?:[^<]* )??(\d+)\.(\d+) / // some bridges say first who speaks
const FROM = /\bfrom='([^'/]+)/
const TO = /\bto='([^']+)/

/** The text in both directions: short, like most messages, and numbered. */
export const bodyOf = (load: number, index: number): string => `${load}.${index} Der Wagen ist fertig und kann abgeholt werden, danke für die Geduld.`

export const groupchat = (room: string, body: string, from?: string, id = body): string =>
  `<message type='groupchat' to='${room}'${from === undefined ? '' : ` from='${from}'`} id='${id}'><body>${body}</body></message>`

const dial = (port: number): Raw => {
  const socket = connect({ port, host: '127.0.0.1', noDelay: true }).setEncoding('utf8')
  socket.on('error', () => { /* `until` notices */ })
  let text = ''
  let look = (): void => {}
  let out = ''
  socket.on('data', (chunk: string) => { text += chunk; look() })

  const scan = (heard: Heard): void => {
    let at = 0
    for (let end = text.indexOf(MESSAGE_END); end >= 0; end = text.indexOf(MESSAGE_END, at)) {
      const message = text.slice(text.lastIndexOf('<message', end), end)
      at = end + MESSAGE_END.length
      const found = NUMBERED.exec(message)
      if (found) heard(FROM.exec(message)?.[1] ?? '', Number(found[1]), Number(found[2]), TO.exec(message)?.[1] ?? '')
    }
    text = text.slice(at)
  }

  return {
    write (more) {
      if (out === '') process.nextTick(() => { socket.write(out); out = '' })
      out += more
    },
    until: what => new Promise((resolve, reject) => {
      const limit = deadline(systemClock, ANSWER_MS)
      limit.signal.addEventListener('abort', () => reject(new Error(`${what} did not come; the last was ${text.slice(-500)}`)))
      look = () => {
        const found = what.exec(text)
        if (!found) return
        text = text.slice(found.index + found[0].length)
        look = () => {}
        limit.done()
        resolve(found)
      }
      look()
    }),
    listen (heard) { look = () => scan(heard); look() },
    gather (what) {
      const found = new Set<string>()
      look = () => {
        for (const [, said = ''] of text.matchAll(what)) found.add(said)
        text = text.slice(Math.max(0, text.lastIndexOf('<')))
      }
      look()
      return found
    },
    end: () => { socket.destroy() }
  }
}

/** A component (XEP-0114 §3). */
export const dialComponent = async (port: number, domain: string, secret: string): Promise<Raw> => {
  const raw = dial(port)
  raw.write(`<stream:stream xmlns='jabber:component:accept' ${HEADER} to='${domain}'>`)
  const [, id = ''] = await raw.until(/<stream:stream[^>]* id=['"]([^'"]+)['"][^>]*>/)
  raw.write(`<handshake>${createHash('sha1').update(id + secret).digest('hex')}</handshake>`)
  await raw.until(/<handshake\s*\/>|<handshake><\/handshake>/)
  return raw
}

/** A person with an app: SASL PLAIN, a resource, presence (RFC 6120 §6, §7; RFC 6121 §4). */
export const dialPerson = async (port: number, domain: string, user: string, password: string): Promise<Raw> => {
  const raw = dial(port)
  const open = `<stream:stream xmlns='jabber:client' ${HEADER} version='1.0' to='${domain}'>`
  raw.write(open)
  await raw.until(/<\/stream:features>/)
  const plain = Buffer.from(`\0${user}\0${password}`).toString('base64')
  raw.write(`<auth xmlns='urn:ietf:params:xml:ns:xmpp-sasl' mechanism='PLAIN'>${plain}</auth>`)
  await raw.until(/<success/)
  raw.write(open)
  await raw.until(/<\/stream:features>/)
  raw.write("<iq type='set' id='bind'><bind xmlns='urn:ietf:params:xml:ns:xmpp-bind'/></iq><presence/>")
  await raw.until(/<\/iq>/)
  return raw
}

/** Enters a room, and opens it if it is new (XEP-0045 §7.2, §10.1.2). */
export const enter = async (raw: Raw, room: string, nick: string, from?: string): Promise<void> => {
  const sender = from === undefined ? '' : ` from='${from}'`
  raw.write(`<presence to='${room}/${nick}'${sender}><x xmlns='http://jabber.org/protocol/muc'><history maxchars='0'/></x></presence>`)
  const [presence] = await raw.until(/<presence(?:(?!<\/presence>).)*code='110'.*?<\/presence>/)
  if (!presence.includes("code='201'")) return
  raw.write(`<iq type='set' to='${room}'${sender} id='open'><query xmlns='http://jabber.org/protocol/muc#owner'>` +
    "<x xmlns='jabber:x:data' type='submit'/></query></iq>")
  await raw.until(/<iq[^>]*id='open'[^>]*>/)
}
