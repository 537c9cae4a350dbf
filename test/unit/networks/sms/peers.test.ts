/** Our two sides of SMPP against an independent implementation of the other: npm's smpp. */
import assert from 'node:assert/strict'
import { once } from 'node:events'
import type { AddressInfo, Server } from 'node:net'
import { startSmsc } from '../../../../sandbox/smsc'
import { plain, toPlain } from '../../../../src/model/text'
import { makeSms } from '../../../../src/networks/sms'
import { makeInbox } from '../../../support/inbox'
import { makeWorld } from '../../../support/world'
import { SPENDING } from '../../../support/sms'

interface PeerPdu {
  command_status: number
  message_id: string
  short_message: { message: string | Buffer }
  response (fields?: object): PeerPdu
  [field: string]: unknown
}
interface PeerSession {
  on (event: string, run: (pdu: PeerPdu) => void): void
  send (pdu: PeerPdu): void
  close (): void
  [command: string]: unknown
}
type Call = (fields: object, answered?: (pdu: PeerPdu) => void) => void
const peer = require('smpp') as { connect (url: string): PeerSession, createServer (serve: (session: PeerSession) => void): Server }

const OURS = '+4930123456'
const MAX = '+491701234567'
const portOf = (server: Server): number => (server.address() as AddressInfo).port
const ask = (session: PeerSession, command: string, fields: object): Promise<PeerPdu> =>
  new Promise(resolve => (session[command] as Call).call(session, fields, resolve))

describe('SMPP with npm smpp', () => {
  const connect = async (server: Server) => {
    const sms = makeSms({
      gateways: [{ name: 'main', kind: 'smpp', host: '127.0.0.1', port: portOf(server), systemId: 'zentrale', password: 'secret', numbers: [OURS] }],
      spending: SPENDING
    }, makeWorld())
    const inbox = makeInbox()
    await sms.start(inbox)
    await inbox.until('bound', () => inbox.connections.get('main') === true)
    return { sms, inbox }
  }

  it('as the client of our simulator', async () => {
    const smsc = await startSmsc({ systemId: 'peer', password: 'secret' })
    const session = peer.connect(`smpp://127.0.0.1:${smsc.port}`)
    const came: PeerPdu[] = []
    session.on('error', error => assert.fail(String(error)))
    session.on('deliver_sm', pdu => { came.push(pdu); session.send(pdu.response()) })
    await new Promise<void>(resolve => session.on('connect', () => resolve()))
    assert.equal((await ask(session, 'bind_transceiver', { system_id: 'peer', password: 'secret' })).command_status, 0)
    const numbers = { source_addr: OURS.slice(1), source_addr_ton: 1, destination_addr: MAX.slice(1), dest_addr_ton: 1 }
    const answer = await ask(session, 'submit_sm', { ...numbers, data_coding: 8, short_message: 'Grüße 😀', registered_delivery: 1 })
    assert.deepEqual([answer.command_status, answer.message_id], [0, '0000000001'])
    assert.equal((await smsc.phone(MAX).next(() => true)).text, 'Grüße 😀')
    await smsc.phone(MAX).type('Antwort ü€')
    assert.deepEqual(came.map(pdu => pdu.esm_class), [4, 0])
    assert.match(String(came[0]!.short_message.message), /^id:0000000001 .*stat:DELIVRD/)
    assert.equal(came[1]!.short_message.message, 'Antwort ü€')
    assert.equal((await ask(session, 'enquire_link', {})).command_status, 0)
    assert.equal((await ask(session, 'unbind', {})).command_status, 0)
    session.close()
    await smsc.stop()
  })

  it('as the gateway of our session', async () => {
    const submitted: PeerPdu[] = []
    let phone: PeerSession | undefined
    const server = peer.createServer(session => {
      session.on('error', error => assert.fail(String(error)))
      session.on('bind_transceiver', pdu => { phone = session; session.send(pdu.response()) })
      session.on('submit_sm', pdu => session.send(pdu.response({ message_id: `id-${submitted.push(pdu)}` })))
      session.on('enquire_link', pdu => session.send(pdu.response()))
      session.on('unbind', pdu => { session.send(pdu.response()); session.close() })
    })
    server.listen(0, '127.0.0.1')
    await once(server, 'listening')
    const { sms, inbox } = await connect(server)
    const text = 'Ω'.repeat(100)
    const sent = await sms.send({
      key: 'k', place: { network: 'sms', id: `${OURS}/${MAX}` }, at: 0, attempt: 1,
      action: { kind: 'message', content: { style: 'text', text: plain(`ç${text}`) } }
    }, new AbortController().signal)
    assert.deepEqual(sent.ids, ['main:id-1', 'main:id-2'])
    assert.equal(submitted.map(pdu => pdu.short_message.message).join(''), `ç${text}`)
    const numbers = { source_addr: MAX.slice(1), source_addr_ton: 1, destination_addr: OURS.slice(1), dest_addr_ton: 1 }
    const answers = await Promise.all([
      ask(phone!, 'deliver_sm', { ...numbers, data_coding: 8, short_message: 'Grüße 😀' }),
      ask(phone!, 'deliver_sm', { ...numbers, esm_class: 4, short_message: 'stat:DELIVRD', receipted_message_id: 'id-1', message_state: 2 })
    ])
    assert.deepEqual(answers.map(answer => answer.command_status), [0, 0])
    const [message, receipt] = ['message', 'receipt'].map(kind => inbox.arrivals.find(arrival => arrival.kind === kind))
    assert.equal(message?.kind === 'message' && toPlain(message.content.text), 'Grüße 😀')
    assert.deepEqual(receipt?.kind === 'receipt' && receipt.of, ['main:id-1'])
    await sms.stop()
    await new Promise(resolve => server.close(resolve))
  })

  it('as a gateway that answers with hexadecimal ids and writes decimal ones in its receipts: no receipt is of another message', async () => {
    let phone: PeerSession | undefined
    let last = 9
    const server = peer.createServer(session => {
      session.on('error', error => assert.fail(String(error)))
      session.on('bind_transceiver', pdu => { phone = session; session.send(pdu.response()) })
      session.on('submit_sm', pdu => session.send(pdu.response({ message_id: (++last).toString(16).toUpperCase() })))
      session.on('enquire_link', pdu => session.send(pdu.response()))
      session.on('unbind', pdu => { session.send(pdu.response()); session.close() })
    })
    server.listen(0, '127.0.0.1')
    await once(server, 'listening')
    const { sms, inbox } = await connect(server)
    for (let n = 10; n <= 40; n++) {
      await sms.send({
        key: `k${n}`, place: { network: 'sms', id: `${OURS}/${MAX}` }, at: 0, attempt: 1,
        action: { kind: 'message', content: { style: 'text', text: plain(`n${n}`) } }
      }, new AbortController().signal)
    }
    const numbers = { source_addr: MAX.slice(1), source_addr_ton: 1, destination_addr: OURS.slice(1), dest_addr_ton: 1 }
    const order = [10, 16, 11, 20, ...Array.from({ length: 31 }, (_, n) => n + 10).filter(n => ![10, 16, 11, 20].includes(n))]
    for (const n of order) {
      const state = n === 16 ? 'UNDELIV' : 'DELIVRD'
      await ask(phone!, 'deliver_sm', { ...numbers, esm_class: 4, short_message: `id:${n} stat:${state} err:000` })
    }
    const failed = inbox.arrivals.filter(arrival => arrival.kind === 'receipt' && arrival.outcome === 'failed')
    assert.deepEqual(failed.map(arrival => arrival.kind === 'receipt' && arrival.of), [['main:10']], 'which is 16')
    const told = inbox.arrivals.flatMap(arrival => arrival.kind === 'receipt' ? arrival.of : [])
    assert.deepEqual(told.sort(), Array.from({ length: 31 }, (_, n) => `main:${(n + 10).toString(16)}`).sort())
    await sms.stop()
    await new Promise(resolve => server.close(resolve))
  })
})
