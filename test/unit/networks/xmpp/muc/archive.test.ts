import assert from 'node:assert/strict'
import { makeArchive } from '../../../../../src/networks/xmpp/muc/archive'
import type { Room } from '../../../../../src/networks/xmpp/muc/room'
import { makeParser } from '../../../../../src/networks/xmpp/wire/parser'
import type { Stream } from '../../../../../src/networks/xmpp/wire/stream'
import type { Element, Xml } from '../../../../../src/networks/xmpp/wire/xml'

const HEADER = '<stream:stream xmlns=\'jabber:component:accept\' xmlns:stream=\'http://etherx.jabber.org/streams\'>'

const parse = (text: string): Element => {
  const heard: Element[] = []
  const parser = makeParser({ opened () {}, closed () {}, stanza: one => { heard.push(one) }, dropped () {} })
  parser.write(Buffer.from(HEADER + text))
  return heard[0] as Element
}

const result = (from: string, queryid: string, id: string): Element => parse(`<message from='${from}' to='zentrale@chat.example.org/zentrale'>
  <result xmlns='urn:xmpp:mam:2' queryid='${queryid}' id='${id}'><forwarded xmlns='urn:xmpp:forward:0'>
  <delay xmlns='urn:xmpp:delay' stamp='2026-01-02T03:04:05Z'/><message xmlns='jabber:client' from='${from}/Anna' type='groupchat'/>
  </forwarded></result></message>`)

const room = { id: 'raum@rooms.example.org', listener: { jid: 'zentrale@chat.example.org/zentrale' } } as Room

describe('xmpp archive', () => {
  it('takes results only from the room that was asked, and only with its own query id', async () => {
    let asked = ''
    const answer = parse('<iq type=\'result\'><fin xmlns=\'urn:xmpp:mam:2\' complete=\'true\'/></iq>')
    const archive = makeArchive({
      ask: async (_type: string, _from: string, _to: string, query: Xml) => {
        asked = /queryid='([^']+)'/.exec(query.xml)?.[1] ?? ''
        assert.ok(archive.take(result('raum@rooms.example.org', asked, 'true')))
        assert.ok(archive.take(result('evil@rooms.example.org', asked, 'forged')), 'swallowed, though not believed')
        assert.ok(archive.take(result('raum@rooms.example.org', 'guessed', 'forged')))
        return answer
      }
    } as unknown as Stream)
    const page = await archive.page(room, { after: undefined })
    assert.ok(page !== 'gone')
    assert.deepEqual(page.items.map(({ id, at }) => [id, at]), [['true', Date.UTC(2026, 0, 2, 3, 4, 5)]])
    assert.ok(archive.take(result('raum@rooms.example.org', asked, 'late')))
    assert.equal(page.items.length, 1)
    assert.equal(archive.take(parse('<message from=\'raum@rooms.example.org\'/>')), false)
  })

  it('says when the place to begin at is gone, and when the archive does not answer', async () => {
    const failing = (condition: string) => makeArchive({
      ask: async () => parse(`<iq type='error'><error type='cancel'><${condition} xmlns='urn:ietf:params:xml:ns:xmpp-stanzas'/></error></iq>`)
    } as unknown as Stream)
    assert.equal(await failing('item-not-found').page(room, { after: 'old' }), 'gone')
    assert.equal(await failing('item-not-found').page(room, { before: 'old' }), 'gone')
    for (const range of [{ after: undefined }, { before: '' }]) {
      await assert.rejects(failing('item-not-found').page(room, range), { name: 'Unavailable' }, 'the room itself is not there now')
    }
    await assert.rejects(failing('forbidden').page(room, { after: 'old' }), { name: 'Refused' })
    await assert.rejects(failing('service-unavailable').page(room, { after: 'old' }), { name: 'Unavailable' })
  })
})
