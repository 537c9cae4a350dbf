import assert from 'node:assert/strict'
import { arrivalOf, readEvent, speaks } from '../../../../src/networks/matrix/events'

const PLACE = { network: 'matrix', id: 'here' }
const EVA = { id: '@eva:x', name: 'Eva' }

describe('matrix: what cannot be read', () => {
  const why = (type: string, content = {}, more = {}): string | undefined => {
    const event = readEvent({ type, content, event_id: '$e', room_id: '!r:x', sender: '@eva:x', origin_server_ts: 1, ...more })
    const arrival = speaks(event) ? arrivalOf(event, PLACE, EVA, 1) : undefined
    return arrival?.kind === 'message' ? arrival.content.unreadable : undefined
  }

  it('is said to be there, by what it is', () => {
    assert.equal(why('m.room.encrypted', { algorithm: 'm.megolm.v1.aes-sha2', ciphertext: 'x' }), 'encrypted')
    assert.equal(why('org.matrix.msc3381.poll.start', { 'org.matrix.msc3381.poll.start': {} }), 'poll')
    assert.equal(why('m.poll.start'), 'poll')
    assert.equal(why('m.call.invite'), 'call')
    assert.equal(why('org.example.voice_broadcast'), 'kind')
  })

  it('is nothing where nobody says anything', () => {
    for (const type of ['m.reaction', 'm.poll.response', 'org.matrix.msc3381.poll.end', 'm.call.candidates', 'm.key.verification.ready', 'm.beacon',
      'org.matrix.call.sdp_stream_metadata_changed', 'io.element.call.encryption_keys']) assert.equal(why(type), undefined, type)
    assert.equal(why('m.poll.start', { 'm.relates_to': { rel_type: 'm.replace', event_id: '$p' } }), undefined)
    assert.equal(why('org.example.state', {}, { state_key: '' }), undefined)
    assert.equal(why('m.room.encrypted', {}, { unsigned: { redacted_because: {} } }), undefined)
  })
})
