/** Kannel both ways: our Kannel gateway against its HTTP interface, and its SMPP client against our simulator. */
import assert from 'node:assert/strict'
import { missing } from '../../sandbox/servers/available'
import { type Kannel, type Phone, startKannel, startKannelEsme } from '../../sandbox/servers/kannel'
import { freePort } from '../../sandbox/servers/process'
import { type Smsc, startSmsc } from '../../sandbox/smsc'
import { Unavailable } from '../../src/model/errors'
import type { MessageArrival } from '../../src/model/message'
import type { Network } from '../../src/model/network'
import { plain, toPlain } from '../../src/model/text'
import { makeSms } from '../../src/networks/sms'
import { temporaryFolder } from '../support/folder'
import { makeInbox, type TestInbox } from '../support/inbox'
import { makeWorld } from '../support/world'
import { SPENDING } from '../support/sms'

const OURS = '+4930123456'
const MAX = '+491701234567'
const LONG = 'Ein langer Text mit ü, € und 😀: '.repeat(8)

/** The network with its Kannel gateway, listening before Kannel is there. */
const listen = async (port: number, kannel: Pick<Kannel, 'sendsmsUrl' | 'username' | 'password'>) => {
  const inbox = makeInbox()
  const sms = makeSms({
    gateways: [{
      name: 'kannel', kind: 'kannel', sendUrl: kannel.sendsmsUrl, username: kannel.username, password: kannel.password, numbers: [OURS],
      listen: { host: '127.0.0.1', port }, publicUrl: `http://127.0.0.1:${port}`, secret: 'geheim'
    }],
    spending: SPENDING
  }, makeWorld())
  await sms.start(inbox)
  await inbox.until('Kannel answers', () => inbox.connections.get('kannel') === true)
  return { inbox, sms }
}
const sendBy = (sms: Network, text: string, key: string) => sms.send({
  key, place: { network: 'sms', id: `${OURS}/${MAX}` }, at: 0, attempt: 1,
  action: { kind: 'message', content: { style: 'text', text: plain(text) } }
}, new AbortController().signal)
const textsOf = (inbox: TestInbox) => inbox.arrivals.filter(arrival => arrival.kind === 'message').map(arrival => toPlain(arrival.content.text))
const skipWithout = (context: Mocha.Context): void => { if (missing(['kannel']).length > 0) context.skip() }

describe('SMS and Kannel', () => {
  let kannel: Kannel & { phone: Phone }
  let sms: Network
  let inbox: TestInbox

  before(async function () {
    skipWithout(this)
    const port = await freePort()
    kannel = await startKannel({ dir: temporaryFolder(), inboundUrl: `http://127.0.0.1:${port}/geheim/in` })
    ;({ sms, inbox } = await listen(port, kannel))
  })
  after(async () => {
    await sms?.stop()
    await kannel?.stop()
  })

  for (const [name, text] of [['the GSM alphabet', 'Grüße 5€ {}'], ['UCS-2', 'Ω漢😀'], ['a long text', LONG]] as const) {
    it(`sends ${name} and gets its receipt`, async () => {
      const { ids } = await sendBy(sms, text, `k-${text.length}`)
      const got = await kannel.phone.waitFor(sms => sms.text === text)
      assert.deepEqual([got.from, got.to].map(number => number.replace('+', '')), [OURS.slice(1), MAX.slice(1)])
      await inbox.until('the receipt', () => inbox.arrivals.some(arrival =>
        arrival.kind === 'receipt' && arrival.of[0] === ids[0] && arrival.outcome === 'delivered'))
    })
  }

  it('takes what a phone writes', async () => {
    for (const text of ['Hallo Zentrale', 'Grüße Ω漢😀 & 100% + mehr']) kannel.phone.send(MAX, OURS, text)
    await inbox.until('both', () => textsOf(inbox).length === 2)
    assert.deepEqual(textsOf(inbox).sort(), ['Grüße Ω漢😀 & 100% + mehr', 'Hallo Zentrale'])
    const arrival = inbox.arrivals.find(({ kind }) => kind === 'message') as MessageArrival
    assert.deepEqual([arrival.place.id, arrival.sender.id], [`${OURS}/${MAX}`, MAX])
  })

  it('tells Kannel no while nothing can be stored, and gets it later, once', async () => {
    const refusals: string[] = []
    const accept = inbox.accept
    inbox.accept = async arrival => {
      refusals.push(arrival.key)
      if (refusals.length < 3) throw new Unavailable('full')
      return await accept(arrival)
    }
    kannel.phone.send(MAX, OURS, 'geht nicht verloren')
    await inbox.until('after all', () => textsOf(inbox).includes('geht nicht verloren'))
    inbox.accept = accept
    assert.equal(new Set(refusals).size, 1)
  })

  it('waits while Kannel is away', async () => {
    await kannel.kill()
    await assert.rejects(sendBy(sms, 'Hallo', 'k-away'), (error: unknown) => error instanceof Unavailable && error.disconnected && !error.unknown)
    await kannel.restart()
    await inbox.until('back', () => inbox.connections.get('kannel') === true)
    await sendBy(sms, 'wieder da', 'k-back')
    await kannel.phone.waitFor(sms => sms.text === 'wieder da')
  })
})

describe('Kannel on the simulator', () => {
  let smsc: Smsc
  let kannel: Kannel
  let sms: Network
  let inbox: TestInbox

  before(async function () {
    skipWithout(this)
    const port = await freePort()
    smsc = await startSmsc({ systemId: 'kannel', password: 'secret' })
    kannel = await startKannelEsme({
      dir: temporaryFolder(), inboundUrl: `http://127.0.0.1:${port}/geheim/in`, smppPort: smsc.port,
      systemId: 'kannel', systemPassword: 'secret'
    })
    ;({ sms, inbox } = await listen(port, kannel))
  })
  after(async () => {
    await sms?.stop()
    await kannel?.stop()
    await smsc?.stop()
  })

  it('gets from Kannel what was sent through it, long and short', async () => {
    for (const text of ['Grüße 5€', 'Ω漢😀', LONG]) {
      const { ids } = await sendBy(sms, text, `s-${text.length}`)
      const got = await smsc.phone(MAX).next(message => message.text === text)
      assert.equal(got.from, OURS)
      await inbox.until('the receipt', () => inbox.arrivals.some(arrival => arrival.kind === 'receipt' && arrival.of[0] === ids[0]))
    }
  })

  for (const form of ['udh', 'sar', 'payload'] as const) {
    it(`is understood by Kannel when a phone writes long texts as ${form}`, async () => {
      const text = `${form}: ${LONG}`
      await smsc.phone(MAX).type({ text, to: OURS, form, ...form !== 'payload' && { order: [2, 1, 3, 4, 5] } })
      await inbox.until('the text', () => textsOf(inbox).includes(text))
    })
  }
})
