import assert from 'node:assert/strict'
import { Refused, Unavailable } from '../../../../../src/model/errors'
import { makeConfirm } from '../../../../../src/networks/xmpp/direct/confirm'
import type { Stream } from '../../../../../src/networks/xmpp/wire/stream'
import { el, type Element } from '../../../../../src/networks/xmpp/wire/xml'
import { makeWorld } from '../../../../support/world'

const NS = 'jabber:component:accept'
const STANZAS = 'urn:ietf:params:xml:ns:xmpp-stanzas'
const ANNA = 'anna@example.org'
const never = new AbortController().signal

/** A link on which nothing is answered before the test says so. */
const stage = () => {
  const written: string[] = []
  const pings: { answer (): void, fail (error: Error): void }[] = []
  const connection = {
    isUp: true,
    send (stanza: { xml: string }) { written.push(stanza.xml); return connection.isUp },
    ask: () => new Promise<Element>((resolve, reject) => {
      written.push('ping')
      pings.push({ answer: () => resolve({ name: 'iq', ns: NS, attrs: {}, children: [] }), fail: reject })
    })
  }
  const confirm = makeConfirm('chat.example.org', connection as Partial<Stream> as Stream, makeWorld())
  const ended: string[] = []
  const write = (id: string, attempt = 1, signal = never): Promise<unknown> =>
    confirm.write({ stanza: el('message', { id }), id, to: ANNA, attempt }, signal)
      .then(() => { ended.push(id) }, (error: unknown) => { ended.push(`${id} failed`); return error })
  return { confirm, write, written, pings, ended, connection }
}

const turn = (): Promise<void> => new Promise(resolve => setImmediate(() => setImmediate(resolve)))

const bounceOf = (id: string, condition: string, type: string, from = `${ANNA}/phone`): Element => ({
  name: 'message', ns: NS, attrs: { id, from, type: 'error' },
  children: [{ name: 'error', ns: NS, attrs: { type }, children: [{ name: condition, ns: STANZAS, attrs: {}, children: [] }] }]
})

describe('xmpp confirm: the ping behind messages to one person', () => {
  it('confirms with one ping all that was written before it, and nothing that was written after', async () => {
    const { write, written, pings, ended } = stage()
    void write('a'); void write('b')
    await turn()
    assert.deepEqual(written, ['<message id=\'a\'/>', '<message id=\'b\'/>', 'ping'])
    void write('c')
    await turn()
    pings[0]?.answer()
    await turn()
    assert.deepEqual(ended, ['a', 'b'])
    assert.equal(pings.length, 2, 'the next ping is for what came behind')
    pings[1]?.answer()
    await turn()
    assert.deepEqual(ended, ['a', 'b', 'c'])
  })

  it('fails what comes back before the ping, and believes it only from its addressee', async () => {
    const { confirm, write, pings, ended } = stage()
    const refused = write('a')
    const later = write('b')
    const atLast = write('c', 5)
    void write('d')
    await turn()
    assert.equal(confirm.bounce(bounceOf('d', 'forbidden', 'auth', 'carl@example.org')), false)
    assert.equal(confirm.bounce(bounceOf('unknown', 'forbidden', 'auth')), false)
    assert.ok(confirm.bounce(bounceOf('a', 'forbidden', 'auth')))
    assert.ok(confirm.bounce(bounceOf('b', 'service-unavailable', 'cancel')))
    assert.ok(confirm.bounce(bounceOf('c', 'service-unavailable', 'cancel')))
    pings[0]?.answer()
    await turn()
    const [now, last] = [await refused, await atLast]
    assert.ok(now instanceof Refused && now.because === undefined)
    assert.ok(await later instanceof Unavailable)
    assert.ok(last instanceof Refused && last.because === 'nobody', 'after so many tries it is taken at its word')
    assert.deepEqual(ended.sort(), ['a failed', 'b failed', 'c failed', 'd'])
  })

  it('knows that a bounce between two tries is of the first, and says nothing about the second', async () => {
    const { confirm, write, pings, ended } = stage()
    void write('a')
    await turn()
    pings[0]?.fail(new Unavailable('the component link is down', { disconnected: true }))
    await turn()
    assert.ok(confirm.bounce(bounceOf('a', 'remote-server-timeout', 'wait')))
    void write('a', 2)
    await turn()
    pings[1]?.answer()
    await turn()
    assert.deepEqual(ended, ['a failed', 'a'])
    assert.equal(confirm.bounce(bounceOf('a', 'remote-server-timeout', 'wait')), false, 'this one is of what counts as sent')
  })

  it('fails everything when the link goes down or the time is over, and is idle then', async () => {
    const { confirm, write, pings, connection, ended } = stage()
    const time = new AbortController()
    const late = write('late', 1, time.signal)
    const cut = write('cut')
    await turn()
    time.abort()
    assert.ok(await late instanceof Unavailable)
    pings[0]?.fail(new Unavailable('the component link is down', { disconnected: true }))
    const error = await cut
    assert.ok(error instanceof Unavailable && error.disconnected)
    connection.isUp = false
    const down = await write('down')
    assert.ok(down instanceof Unavailable && down.disconnected)
    await confirm.idle()
    assert.equal(ended.length, 3)
  })
})
