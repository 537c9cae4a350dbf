import assert from 'node:assert/strict'
import { AXOLOTL, devicesIn, readBundle } from '../../../../../src/networks/xmpp/omemo/elements'
import { makeApp, makeChat, OURS } from '../../../../support/omemo/chat'
import { parse } from '../parse'

describe('what an address publishes', () => {
  it('is its device and its keys, to whoever asks, and nothing that others would change', async () => {
    const chat = await makeChat()
    const { device, bundle } = chat.published()
    assert.deepEqual(devicesIn(chat.ask(`${AXOLOTL}.devicelist`)), [device])
    assert.equal(readBundle(bundle).ones.length, 100)
    assert.equal(chat.omemo.answer(chat.iq(`${AXOLOTL}.bundles:1`), chat.identity), undefined)
    assert.equal(chat.omemo.answer(chat.iq('urn:xmpp:omemo:2:devices'), chat.identity), undefined)
    assert.match(chat.omemo.answer(chat.iq(`${AXOLOTL}.devicelist`, OURS, 'set'), chat.identity)!.xml, /<not-allowed /)
  })

  it('is not there for another spelling of it, nor where encryption is off', async () => {
    const chat = await makeChat()
    assert.equal(chat.omemo.answer(chat.iq(`${AXOLOTL}.devicelist`, 'alias@chat.example.org'), chat.identity), undefined)
    const off = await makeChat({ encrypts: false })
    assert.equal(off.omemo.answer(off.iq(`${AXOLOTL}.devicelist`), off.identity), undefined)
  })

  it('is the same after a restart', async () => {
    const chat = await makeChat()
    const again = await makeChat({ vault: chat.vault })
    assert.deepEqual(again.published(), chat.published())
  })

  it('is told once to whoever turns up', async () => {
    const chat = await makeChat()
    for (const type of ['', ' type=\'subscribe\'', ' type=\'unavailable\'']) {
      chat.omemo.presence(parse(`<presence from='olga@example.org/app' to='${OURS}'${type}/>`), chat.identity)
    }
    assert.equal(chat.sent.length, 1)
    assert.match(chat.sent[0]!.xml, /type='headline'.*<items node='eu.siacs.conversations.axolotl.devicelist'><item id='current'><list /)
  })

  it('of others is taken from what their servers tell', async () => {
    const olga = makeApp('olga@example.org')
    const chat = await makeChat({ apps: [olga] })
    const event = (jid: string, id: number) => parse(`<message type='headline' from='${jid}' to='${OURS}'>` +
      `<event xmlns='http://jabber.org/protocol/pubsub#event'><items node='${AXOLOTL}.devicelist'><item id='current'>` +
      `<list xmlns='${AXOLOTL}'><device id='${id}'/></list></item></items></event></message>`)
    assert.ok(chat.omemo.heard(event('olga@example.org', olga.device)))
    assert.ok(chat.omemo.heard(event('eve@example.org', 5)))
    assert.ok(!chat.omemo.heard(parse(`<message from='olga@example.org' to='${OURS}'><body>x</body></message>`)))
    const sent = await chat.seal('olga@example.org', 'hello')
    assert.equal(olga.read(sent!), 'hello')
    assert.deepEqual(chat.asked, [`${AXOLOTL}.bundles:${olga.device}`])
  })
})
