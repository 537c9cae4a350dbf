/** The Kannel gateway against a stand-in for smsbox; the real one is in test/real. */
import assert from 'node:assert/strict'
import { request } from 'undici'
import { serve, type Served } from '../../../../../src/lib/serve'
import { Refused, Unavailable } from '../../../../../src/model/errors'
import type { MessageArrival, ReceiptArrival } from '../../../../../src/model/message'
import type { Network } from '../../../../../src/model/network'
import { plain, toPlain } from '../../../../../src/model/text'
import { makeSms } from '../../../../../src/networks/sms'
import { readQuery } from '../../../../../src/networks/sms/gateways/kannel'
import { makeInbox, type TestInbox } from '../../../../support/inbox'
import { makeWorld } from '../../../../support/world'
import { SPENDING } from '../../../../support/sms'

const OURS = '+4930123456'
const MAX = '+491701234567'

describe('Kannel gateway', () => {
  let smsbox: Served
  let sms: Network
  let inbox: TestInbox
  let asked: URL[]
  let answer: number | 'hang up'
  let hook: string

  beforeEach(async () => {
    asked = []
    answer = 202
    inbox = makeInbox()
    smsbox = await serve((question, reply) => {
      const url = new URL(question.url ?? '', 'http://kannel')
      if (url.searchParams.has('to')) asked.push(url)
      if (answer === 'hang up') question.socket.destroy()
      else reply.writeHead(answer).end('said')
    }, { host: '127.0.0.1', port: 0 })
    const free = await serve(() => {}, { host: '127.0.0.1', port: 0 })
    await free.stop()
    hook = `http://127.0.0.1:${free.port}`
    sms = makeSms({
      gateways: [{
        name: 'k', kind: 'kannel', sendUrl: `http://127.0.0.1:${smsbox.port}/cgi-bin/sendsms`, username: 'u', password: 'p&=', numbers: [OURS],
        listen: { host: '127.0.0.1', port: free.port }, publicUrl: hook, secret: 'geheim/ü'
      }],
      spending: SPENDING
    }, makeWorld())
    await sms.start(inbox)
  })
  afterEach(async () => {
    await sms.stop()
    await smsbox.stop()
  })
  const send = (text: string) => sms.send({
    key: 'key_1', place: { network: 'sms', id: `${OURS}/${MAX}` }, at: 0, attempt: 1,
    action: { kind: 'message', content: { style: 'text', text: plain(text) } }
  }, new AbortController().signal)
  const get = async (path: string): Promise<[number, string]> => {
    const { statusCode, body } = await request(`${hook}/${path}`)
    return [statusCode, await body.text()]
  }
  const SECRET = encodeURIComponent('geheim/ü')

  it('chooses the coding, and knows the receipt by its own address', async () => {
    assert.deepEqual(await send('Grüße & 5€'), { ids: ['k:key_1'], parts: 1 })
    await send('Ω漢')
    assert.deepEqual(asked.map(url => ['coding', 'text', 'from', 'to', 'password', 'charset'].map(field => url.searchParams.get(field))),
      [['0', 'Grüße & 5€', OURS, MAX, 'p&=', 'UTF-8'], ['2', 'Ω漢', OURS, MAX, 'p&=', 'UTF-8']])
    const dlr = (type: number) => request(asked[0]!.searchParams.get('dlr-url')!.replace('%d', String(type)))
    for (const type of [8, 1]) assert.equal((await dlr(type)).statusCode, 200)
    const [receipt] = inbox.arrivals as ReceiptArrival[]
    assert.equal(inbox.arrivals.length, 1)
    assert.deepEqual([receipt?.of, receipt?.outcome, receipt?.place.id], [['k:key_1'], 'delivered', `${OURS}/${MAX}`])
    await dlr(16)
    assert.deepEqual((inbox.arrivals[1] as ReceiptArrival).outcome, 'failed')
  })

  it('refuses what Kannel would cut', async () => {
    await assert.rejects(send('z'.repeat(1531)), Refused)
    assert.equal(asked.length, 0)
  })

  it('says what each answer means', async () => {
    const means = (check: (error: Unavailable) => boolean) => assert.rejects(send('Hallo'), error => error instanceof Unavailable && check(error))
    answer = 400
    await assert.rejects(send('Hallo'), Refused)
    answer = 503
    await means(error => !error.unknown && !error.disconnected)
    answer = 403
    await means(error => error.disconnected && !error.unknown)
    answer = 'hang up'
    await means(error => error.unknown)
    await smsbox.stop()
    await means(error => error.disconnected && !error.unknown)
    assert.equal(inbox.connections.get('k'), false)
  })

  it('takes text in whatever charset it comes', async () => {
    const ask = (text: string, charset: string, id: string) =>
      get(`${SECRET}/in?id=${id}&from=%2B491701234567&to=4930123456&text=${text}&charset=${charset}`)
    assert.deepEqual(await ask('Gr%C3%BC%C3%9Fe+%2B', 'UTF-8', '1'), [200, ''])
    assert.deepEqual(await ask('%00G%00r%00%FC%D8%3D%DE%00', 'UTF-16BE', '2'), [200, ''])
    assert.deepEqual(await ask('%E7a', 'ISO-8859-1', '3'), [200, ''])
    assert.deepEqual(await ask('nochmal', 'UTF-8', '3'), [200, ''])
    const messages = inbox.arrivals as MessageArrival[]
    assert.deepEqual(messages.map(({ content }) => toPlain(content.text)), ['Grüße +', 'Grü😀', 'ça'])
    assert.deepEqual([messages[0]?.place.id, messages[0]?.key], [`${OURS}/${MAX}`, 'k-1'])
  })

  it('says no when nothing can be stored, and nothing to whom it does not know', async () => {
    inbox.refusing = new Unavailable('full')
    assert.deepEqual(await get(`${SECRET}/in?id=1&from=%2B491701234567&to=4930123456&text=a&charset=UTF-8`), [503, ''])
    inbox.refusing = undefined
    assert.equal((await get('falsch/in?id=1&from=%2B491701234567&text=a'))[0], 404)
    assert.deepEqual(await get('%ff/in?id=1'), [400, ''], 'and shows nothing of our inside')
    assert.equal(inbox.arrivals.length, 0)
  })

  it('quarantines what it cannot read, and says yes', async () => {
    const queries = ['', '?', '?text=a', '?id=1&from=49170&text=%ff&charset=nonsense']
    for (const query of queries) assert.deepEqual(await get(`${SECRET}/in${query}`), [200, ''], query)
    assert.equal(inbox.quarantined.length, 4)
  })

  it('reads queries as octets', () => {
    const fields = Object.fromEntries(readQuery('/x?a=%00%FF+%2b&b&c==%zz'))
    assert.deepEqual(fields, { a: Buffer.from([0, 255, 32, 43]), b: Buffer.alloc(0), c: Buffer.from('=%zz') })
  })
})
