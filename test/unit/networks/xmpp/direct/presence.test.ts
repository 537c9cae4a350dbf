import assert from 'node:assert/strict'
import type { Identity } from '../../../../../src/model/network'
import { makeAddresses } from '../../../../../src/networks/xmpp/addresses'
import { answerPresence, makePresence } from '../../../../../src/networks/xmpp/direct/presence'
import type { Stream } from '../../../../../src/networks/xmpp/wire/stream'
import type { Element, Xml } from '../../../../../src/networks/xmpp/wire/xml'
import { makeMemory, makeWorld } from '../../../../support/world'

const OURS = 'info@chat.example.org'
const identity = (text: string, more: Partial<Identity> = {}): Identity =>
  ({ id: OURS, aliases: [], profile: { name: 'Info', about: '', present: { available: true, text } }, ...more })
const from = (jid: string, type: string): Element => ({ name: 'presence', ns: '', attrs: { from: jid, to: OURS, type }, children: [] })

const stage = (memory = makeMemory()) => {
  const written: string[] = []
  const stream = { isUp: true, writable: async () => {}, send (stanza: Xml) { written.push(stanza.xml); return true } } as Partial<Stream> as Stream
  const addresses = makeAddresses('chat.example.org')
  const presence = makePresence(addresses, stream, makeWorld({ memory }))
  const serve = async (one: Identity): Promise<string[]> => {
    written.length = 0
    addresses.put([one])
    presence.changed()
    await new Promise(resolve => setImmediate(resolve))
    return written.filter(xml => xml.includes('<status>'))
  }
  return { presence, memory, written, serve }
}

describe('xmpp presence of all others', () => {
  it('is refused to whoever asks for it, and shown by nobody', () => {
    const answers = (isThere: boolean): (string | undefined)[] => ['subscribe', 'probe', 'unsubscribe'].map(type =>
      answerPresence(from('anna@example.org/app', type), isThere)?.xml)
    const is = (type: string): string => `<presence type='${type}' from='${OURS}' to='anna@example.org'/>`
    assert.deepEqual(answers(false), [is('unsubscribed'), is('unsubscribed'), is('unsubscribed')])
    assert.deepEqual(answers(true), [is('subscribed'), is('unavailable'), is('unsubscribed')])
    for (const type of ['unsubscribed', 'subscribed', 'error', 'unavailable']) {
      assert.equal(answerPresence(from('anna@example.org', type), false), undefined)
    }
  })
})

describe('xmpp presence of function addresses', () => {
  it('remembers the newest subscribers over a restart, and no more than a thousand', async () => {
    const { presence, memory, serve } = stage()
    await serve(identity('open'))
    for (let i = 0; i < 1_100; i++) presence.heard(from(`p${i}@example.org`, 'subscribe'), identity('open'))
    await new Promise(resolve => setImmediate(resolve))
    const later = stage(memory)
    const told = await later.serve(identity('closed'))
    assert.equal(told.length, 1_000)
    assert.ok(told[0]?.includes('p100@example.org') && told.at(-1)?.includes('p1099@example.org'))
  })

  it('says something only when it is something new', async () => {
    const { presence, serve } = stage()
    await serve(identity('open'))
    presence.heard(from('anna@example.org', 'subscribe'), identity('open'))
    assert.equal((await serve(identity('open'))).length, 0)
    assert.equal((await serve(identity('closed'))).length, 1)
  })

  it('asks back only who is of the team', async () => {
    const { presence, written } = stage()
    for (const who of ['anna@example.org', 'carl@example.org']) {
      presence.heard(from(who, 'subscribe'), identity('open', { team: ['anna@example.org'] }))
    }
    assert.deepEqual(written.filter(xml => xml.includes('type=\'subscribe\'')).map(xml => /to='([^']*)'/.exec(xml)?.[1]), ['anna@example.org'])
  })

  it('shows nothing where nothing is to be shown', () => {
    const { presence, written } = stage()
    const silent = identity('', { profile: { name: 'Info', about: '' } })
    presence.heard(from('anna@example.org', 'probe'), silent)
    presence.heard(from('anna@example.org', 'subscribe'), silent)
    assert.deepEqual(written.map(xml => /type='(\w+)'/.exec(xml)?.[1]), ['subscribed'])
  })

  it('forgets nobody because others, of one server, subscribe by the thousand', async () => {
    const { presence, serve } = stage()
    await serve(identity('open'))
    presence.heard(from('anna@town.example', 'subscribe'), identity('open'))
    for (let i = 0; i < 2_000; i++) presence.heard(from(`p${i}@s${i % 9}.flood.example`, 'subscribe'), identity('open'))
    assert.ok((await serve(identity('closed'))).some(xml => xml.includes('anna@town.example')))
  })
})
