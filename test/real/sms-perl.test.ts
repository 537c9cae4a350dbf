/** Our SMPP session against an SMSC that shares no code with ours: Perl's Net::SMPP. */
import assert from 'node:assert/strict'
import { missing } from '../../sandbox/servers/available'
import { type PerlSmsc, startPerlSmsc } from '../../sandbox/servers/perl-smsc'
import type { ReceiptArrival } from '../../src/model/message'
import type { Network } from '../../src/model/network'
import { plain, toPlain } from '../../src/model/text'
import { makeSms } from '../../src/networks/sms'
import { encodeUcs2 } from '../../src/networks/sms/data-coding'
import { encodeGsm7 } from '../../src/networks/sms/gsm7'
import { temporaryFolder } from '../support/folder'
import { makeInbox, type TestInbox } from '../support/inbox'
import { makeWorld } from '../support/world'
import { SPENDING } from '../support/sms'

const OURS = '+4930123456'
const MAX = '+491701234567'
const MAX_FIELDS = {
  source_addr: MAX.slice(1), source_addr_ton: 1, source_addr_npi: 1, destination_addr: OURS.slice(1), dest_addr_ton: 1, dest_addr_npi: 1
}

describe('SMS and Net::SMPP', function () {
  let smsc: PerlSmsc
  let sms: Network
  let inbox: TestInbox
  const connect = (password: string): Network => makeSms({
    gateways: [{ name: 'perl', kind: 'smpp', host: '127.0.0.1', port: smsc.port, systemId: 'zentrale', password, numbers: [OURS] }],
    spending: SPENDING
  }, makeWorld())
  const send = (text: string, key: string) => sms.send({
    key, place: { network: 'sms', id: `${OURS}/${MAX}` }, at: 0, attempt: 1,
    action: { kind: 'message', content: { style: 'text', text: plain(text) } }
  }, new AbortController().signal)
  const texts = () => inbox.arrivals.filter(arrival => arrival.kind === 'message').map(arrival => toPlain(arrival.content.text))

  before(async function () {
    const [how] = missing(['perlSmsc'])
    if (how !== undefined) return this.skip()
    smsc = await startPerlSmsc({ dir: temporaryFolder() })
    inbox = makeInbox()
    sms = connect(smsc.password)
    await sms.start(inbox)
    await inbox.until('bound', () => inbox.connections.get('perl') === true)
  })
  after(async () => {
    await sms?.stop()
    await smsc?.stop()
  })

  it('binds as transceiver', async () => {
    const { kind, status } = await smsc.waitFor(({ event }) => event === 'bind')
    assert.deepEqual([kind, status], ['transceiver', 0])
  })

  it('sends the GSM alphabet, and knows the receipt by an id written otherwise', async () => {
    const { ids } = await send('Grüße 5€', 'k1')
    const submitted = await smsc.waitFor(({ event }) => event === 'submit_sm')
    assert.equal(submitted.hex?.short_message, encodeGsm7('Grüße 5€').toString('hex'))
    const fields = ['source_addr', 'source_addr_ton', 'destination_addr', 'dest_addr_ton', 'data_coding', 'registered_delivery']
    assert.deepEqual(fields.map(field => Number(submitted[field])), [Number(OURS), 1, Number(MAX), 1, 0, 1])
    await inbox.until('the receipt', () => inbox.arrivals.some(arrival => arrival.kind === 'receipt' && arrival.of.includes(ids[0]!)))
    assert.equal((inbox.arrivals[0] as ReceiptArrival).outcome, 'delivered')
  })

  it('sends long UCS-2 in parts', async () => {
    const text = '😀 Ω漢 '.repeat(30)
    const { ids } = await send(text, 'k2')
    const submits = () => smsc.received.filter(({ event }) => event === 'submit_sm')
    await smsc.waitFor(() => submits().length === 4)
    const parts = submits().slice(1).map(({ hex }) => Buffer.from(hex!.short_message!, 'hex'))
    assert.deepEqual(parts.map(part => [...part.subarray(0, 3), ...part.subarray(4, 6)]), [[5, 0, 3, 3, 1], [5, 0, 3, 3, 2], [5, 0, 3, 3, 3]])
    assert.equal(Buffer.concat(parts.map(part => part.subarray(6))).toString('hex'), encodeUcs2(text).toString('hex'))
    assert.equal(ids.length, 3)
    await inbox.until('three receipts', () => ids.every(id => inbox.arrivals.some(arrival => arrival.kind === 'receipt' && arrival.of.includes(id))))
  })

  it('takes text in every form, and answers each', async () => {
    const part = (seq: number, text: string): Buffer => Buffer.concat([Buffer.from([6, 8, 4, 1, 7, 2, seq]), encodeUcs2(text)])
    smsc.deliver({ ...MAX_FIELDS, esm_class: 0, data_coding: 0 }, { short_message: encodeGsm7('Hallo {ü}') })
    smsc.deliver({ ...MAX_FIELDS, esm_class: 0, data_coding: 3 }, { short_message: Buffer.from('ça', 'latin1') })
    smsc.deliver({ ...MAX_FIELDS, esm_class: 0x40, data_coding: 8 }, { short_message: part(2, ' zwei') })
    smsc.deliver({ ...MAX_FIELDS, esm_class: 0x40, data_coding: 8 }, { short_message: part(1, 'eins 😀') })
    smsc.deliver({ ...MAX_FIELDS, esm_class: 0, data_coding: 8 }, { short_message: Buffer.alloc(0), message_payload: encodeUcs2('漢'.repeat(300)) })
    await inbox.until('four texts', () => texts().length === 4)
    assert.deepEqual(texts(), ['Hallo {ü}', 'ça', 'eins 😀 zwei', '漢'.repeat(300)])
    const answers = () => smsc.received.filter(({ event, status }) => event === 'deliver_sm_resp' && status === 0)
    await smsc.waitFor(() => answers().length >= 5 + 4) // the receipts' too
  })

  it('takes several long texts that use one reference and begin alike, each whole', async () => {
    const before = texts().length
    const part = (seq: number, text: string): Buffer => Buffer.concat([Buffer.from([5, 0, 3, 9, 2, seq]), encodeGsm7(text)])
    for (const end of ['eins', 'zwei', 'drei']) {
      smsc.deliver({ ...MAX_FIELDS, esm_class: 0x40, data_coding: 0 }, { short_message: part(1, 'Sehr geehrte Damen und Herren, ') })
      smsc.deliver({ ...MAX_FIELDS, esm_class: 0x40, data_coding: 0 }, { short_message: part(2, end) })
    }
    await inbox.until('three texts', () => texts().length >= before + 3)
    assert.deepEqual(texts().slice(before), ['eins', 'zwei', 'drei'].map(end => `Sehr geehrte Damen und Herren, ${end}`))
  })

  it('knows a sender whose national number is marked as international', async () => {
    smsc.deliver({ ...MAX_FIELDS, source_addr: `0${MAX.slice(3)}`, esm_class: 0, data_coding: 0 }, { short_message: encodeGsm7('von hier') })
    await inbox.until('the text', () => texts().includes('von hier'))
    assert.equal(inbox.arrivals.at(-1)?.place.id, `${OURS}/${MAX}`)
  })

  it('says why a login fails', async () => {
    const other = connect('wrong')
    const heard = makeInbox()
    const details: string[] = []
    const connection = heard.connection
    heard.connection = (network, name, up, detail) => { details.push(detail ?? ''); connection(network, name, up) }
    await other.start(heard)
    await heard.until('the reason', () => details.some(detail => /login refused \(0x0E\)/.test(detail)))
    await other.stop()
  })

  it('comes back when the SMSC was killed', async () => {
    await smsc.kill()
    await inbox.until('down', () => inbox.connections.get('perl') === false)
    await smsc.restart()
    await inbox.until('up', () => inbox.connections.get('perl') === true)
    await send('wieder da', 'k3')
  })
})
