import assert from 'node:assert/strict'
import { toPlain } from '../../../../src/model/text'
import { arrivalOf, readEvent } from '../../../../src/networks/matrix/events'

const said = (content: object): string | undefined => {
  const event = readEvent({ type: 'm.room.message', content, event_id: '$e', room_id: '!r:x', sender: '@eva:x', origin_server_ts: 1 })
  const arrival = arrivalOf(event, { network: 'matrix', id: '!r:x' }, { id: '@eva:x', name: 'Eva' }, 1)
  return arrival?.kind === 'message' || arrival?.kind === 'edit' ? toPlain(arrival.content.text) : undefined
}

describe('Matrix events: a location', () => {
  const uri = 'geo:52.516274,13.377704;u=35'

  it('is told by its words and where it is', () => {
    const where = { msgtype: 'm.location', body: 'Brandenburger Tor', geo_uri: uri }
    assert.equal(said(where), `Brandenburger Tor\n${uri}`)
    assert.equal(said({ msgtype: 'm.location', body: ' ', geo_uri: uri }), uri)
    assert.equal(said({ msgtype: 'm.location', geo_uri: uri }), uri)
    const relation = { 'm.new_content': where, 'm.relates_to': { rel_type: 'm.replace', event_id: '$o' } }
    assert.equal(said({ msgtype: 'm.location', body: '* x', ...relation }), `Brandenburger Tor\n${uri}`)
  })

  it('is told once where its words say it', () => {
    const body = `Location was shared at ${uri} as of today`
    assert.equal(said({ msgtype: 'm.location', body, geo_uri: uri }), body)
  })

  it('is told as apps that know MSC3488 alone say it', () => {
    assert.equal(said({ msgtype: 'm.location', body: 'hier', 'org.matrix.msc3488.location': { uri, description: 'x' } }), `hier\n${uri}`)
    assert.equal(said({ msgtype: 'm.location', body: 'hier', 'm.location': { uri } }), `hier\n${uri}`)
  })

  it('is its words alone where it is no place', () => {
    for (const geo of ['geo:', 'geo:52.5', 'geo:1,2\nfalsch', 'https://example.org/1,2', 'geo:1,2;u=3 <b>', `geo:1,2;x=${'1'.repeat(300)}`, 5, {}]) {
      assert.equal(said({ msgtype: 'm.location', body: 'hier', geo_uri: geo }), 'hier', String(geo))
    }
    assert.equal(said({ msgtype: 'm.text', body: 'hier', geo_uri: uri }), 'hier')
  })
})
