/**
 * Rooms that cost almost nothing, behind a component port, in the bench's own process. They show what Zentrale itself can do when it does
 * not wait for a real server. Every connection is a component that says who speaks. There are no errors, affiliations or archives.
 */
import { createHash } from 'node:crypto'
import { once } from 'node:events'
import { createServer, type AddressInfo, type Socket } from 'node:net'

interface Occupant { nick: string; write (text: string): void }

const STANZA = /<(message|presence|iq)\b([^>]*?)(?:\/>|>(.*?)<\/\1>)/gs
const FEATURES = ['http://jabber.org/protocol/muc', 'urn:xmpp:occupant-id:0'].map(name => `<feature var='${name}'/>`).join('')

const attribute = (tag: string, name: string): string => new RegExp(`\\b${name}='([^']*)'`).exec(tag)?.[1] ?? ''

/** Sends all writes of one turn of the event loop together. */
const corked = (socket: Socket): ((text: string) => void) => {
  let out = ''
  return text => {
    if (out === '') process.nextTick(() => { socket.write(out); out = '' })
    out += text
  }
}

export const startRooms = async (): Promise<{ port: number, stop (): void }> => {
  const rooms = new Map<string, Map<string, Occupant>>() // by the occupant's own address
  const sockets = new Set<Socket>()

  const presence = (tag: string, write: Occupant['write']): void => {
    const [from, to] = [attribute(tag, 'from'), attribute(tag, 'to')]
    const [id = '', nick = ''] = to.split('/')
    const room = rooms.get(id) ?? new Map<string, Occupant>()
    rooms.set(id, room)
    if (tag.includes("type='unavailable'")) return void room.delete(from)
    room.set(from, { nick, write })
    write(`<presence from='${to}' to='${from}'><x xmlns='http://jabber.org/protocol/muc#user'><status code='110'/></x></presence>`)
  }

  const message = (tag: string, inner: string): void => {
    const [id, to] = [attribute(tag, 'id'), attribute(tag, 'to')]
    const room = rooms.get(to)
    const from = attribute(tag, 'from')
    const nick = room?.get(from)?.nick
    if (room === undefined || nick === undefined) return
    const occupant = createHash('sha256').update(from).digest('base64url')
    const rest = `type='groupchat' from='${to}/${nick}' id='${id}'>${inner}` +
      `<occupant-id xmlns='urn:xmpp:occupant-id:0' id='${occupant}'/></message>`
    for (const [jid, { write }] of room) write(`<message to='${jid}' ${rest}`)
  }

  const iq = (tag: string, inner: string, write: Occupant['write']): void => {
    if (!/type='[gs]et'/.test(tag)) return
    const info = inner.includes('disco#info') ? `<query xmlns='http://jabber.org/protocol/disco#info'>${FEATURES}</query>` : ''
    write(`<iq type='result' from='${attribute(tag, 'to')}' to='${attribute(tag, 'from')}' id='${attribute(tag, 'id')}'>${info}</iq>`)
  }

  const server = createServer({ noDelay: true }, socket => {
    sockets.add(socket.setEncoding('utf8').on('error', () => {}).on('close', () => sockets.delete(socket)))
    const write = corked(socket)
    let text = ''
    socket.on('data', chunk => {
      text += chunk
      if (/<stream:stream[^>]*>/.test(text)) {
        write("<stream:stream xmlns='jabber:component:accept' xmlns:stream='http://etherx.jabber.org/streams' id='1'>")
        text = ''
      } else if (text.includes('</handshake>')) {
        write('<handshake/>')
        text = ''
      }
      let at = 0
      for (const [whole, kind, tag, inner = ''] of text.matchAll(STANZA)) {
        at = text.indexOf(whole, at) + whole.length
        if (kind === 'message') message(tag!, inner)
        else if (kind === 'presence') presence(tag!, write)
        else iq(tag!, inner, write)
      }
      text = text.slice(at)
    })
  })
  await once(server.listen(0, '127.0.0.1'), 'listening')
  return {
    port: (server.address() as AddressInfo).port,
    stop () {
      for (const socket of sockets) socket.destroy()
      server.close()
    }
  }
}
