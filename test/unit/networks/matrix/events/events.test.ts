import assert from 'node:assert/strict'
import { toPlain } from '../../../../../src/model/text'
import { arrivalOf, readEvent, speaks } from '../../../../../src/networks/matrix/events/events'
import type { Around } from '../../../../../src/networks/matrix/events/mentions'

const said = (content: object): string | undefined => {
  const event = readEvent({ type: 'm.room.message', content, event_id: '$e', room_id: '!r:x', sender: '@eva:x', origin_server_ts: 1 })
  const arrival = arrivalOf(event, { network: 'matrix', id: '!r:x' }, { id: '@eva:x', name: 'Eva' }, 1)
  return arrival?.kind === 'message' || arrival?.kind === 'edit' ? toPlain(arrival.content.text) : undefined
}

const arrivalFrom = (type: string, content: object) => {
  const event = readEvent({ type, content, event_id: '$e', room_id: '!r:x', sender: '@eva:x', origin_server_ts: 1 })
  return speaks(event) ? arrivalOf(event, { network: 'matrix', id: '!r:x' }, { id: '@eva:x', name: 'Eva' }, 1) : undefined
}

describe('Matrix events: a location', () => {
  const uri = 'geo:52.516274,13.377704;u=35'
  const link = 'https://www.openstreetmap.org/?mlat=52.516274&mlon=13.377704#map=17/52.516274/13.377704'

  it('is told by its words and a link to a map, and stays a location', () => {
    const where = { msgtype: 'm.location', body: 'Brandenburger Tor', geo_uri: uri }
    assert.equal(said(where), `📍 Brandenburger Tor\n${link}`)
    for (const body of [' ', undefined, uri, `Location was shared at ${uri} as of 2026-11-29`, `User Location ${uri} at 2026-11-29T08:00:00.000Z`,
      `Location ${uri} at 2026-11-29T08:00:00.000Z`]) {
      assert.equal(said({ msgtype: 'm.location', body, geo_uri: uri }), `📍 ${link}`, body)
    }
    const relation = { 'm.new_content': where, 'm.relates_to': { rel_type: 'm.replace', event_id: '$o' } }
    assert.equal(said({ msgtype: 'm.location', body: '* x', ...relation }), `📍 Brandenburger Tor\n${link}`)
    const arrival = arrivalFrom('m.room.message', where)
    assert.equal(arrival?.kind === 'message' ? arrival.content.location : undefined, uri)
  })

  it('is told as apps that know MSC3488 alone say it', () => {
    const described = { msgtype: 'm.location', body: uri, 'org.matrix.msc3488.location': { uri, description: 'hier' } }
    assert.equal(said(described), `📍 hier\n${link}`)
    assert.equal(said({ msgtype: 'm.location', body: 'hier', 'm.location': { uri } }), `📍 hier\n${link}`)
  })

  it('is its words alone where it is no place', () => {
    for (const geo of ['geo:', 'geo:52.5', 'geo:1,2\nfalsch', 'geo:91,2', 'geo:1,181', 'geo:1,2;crs=moon', 'https://example.org/1,2',
      'geo:1,2;u=3 <b>', `geo:1,2;x=${'1'.repeat(300)}`, 5, {}]) {
      assert.equal(said({ msgtype: 'm.location', body: 'hier', geo_uri: geo }), 'hier', String(geo))
    }
    assert.equal(said({ msgtype: 'm.text', body: 'hier', geo_uri: uri }), 'hier')
  })
})

describe('Matrix events: a poll', () => {
  const told = (type: string, content: object): [string, string[] | undefined] | string | undefined => {
    const arrival = arrivalFrom(type, content)
    if (arrival?.kind === 'message') return arrival.content.unreadable ?? [toPlain(arrival.content.text), arrival.replyTo]
    return arrival?.kind === 'edit' ? [toPlain(arrival.content.text), [arrival.of]] : undefined
  }
  const stable = { 'm.poll': {
    kind: 'm.disclosed', question: { 'm.text': [{ body: 'Wann?' }] },
    answers: [{ 'm.id': 'a', 'm.text': [{ mimetype: 'text/html', body: '<b>Mo</b>' }, { body: 'Mo' }] }, { 'm.id': 'b', 'm.text': [{ body: 'Di' }] }]
  } }
  const before = { 'org.matrix.msc1767.text': 'Wann?\n1. Mo\n2. Di', 'org.matrix.msc3381.poll.start': {
    question: { 'org.matrix.msc1767.text': 'Wann?', body: 'Wann?', msgtype: 'm.text' },
    answers: [{ id: 'a', 'org.matrix.msc1767.text': 'Mo' }, { id: 'b', 'org.matrix.msc1767.text': 'Di' }]
  } }

  it('is a question with numbered answers, and its result a reply to it', () => {
    for (const [type, content] of [['m.poll.start', stable], ['org.matrix.msc3381.poll.start', before]] as const) {
      assert.deepEqual(told(type, content), ['📊 Wann?\n1. Mo\n2. Di', undefined])
      const end = { 'm.relates_to': { rel_type: 'm.reference', event_id: '$poll' }, 'org.matrix.msc1767.text': 'The poll has ended. Top answer: Mo' }
      assert.deepEqual(told(type.replace('start', 'end'), end), ['The poll has ended. Top answer: Mo', ['$poll']])
    }
  })

  it('that asks otherwise is corrected', () => {
    const edit = { 'm.new_content': stable, 'm.relates_to': { rel_type: 'm.replace', event_id: '$poll' } }
    assert.deepEqual(told('m.poll.start', edit), ['📊 Wann?\n1. Mo\n2. Di', ['$poll']])
    assert.equal(told('m.poll.start', { ...edit, 'm.new_content': {} }), undefined)
  })

  it('that nobody could answer is said to be there', () => {
    for (const content of [{}, { 'm.poll': 5 }, { 'm.poll': { answers: [] } }, { 'm.poll': { ...stable['m.poll'], answers: [] } },
      { 'm.poll': { ...stable['m.poll'], answers: [{}] } }, { 'm.poll': { ...stable['m.poll'], question: { 'm.text': [{ body: ' ' }] } } }]) {
      assert.equal(told('m.poll.start', content), 'poll', JSON.stringify(content))
    }
  })
})

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
    assert.equal(why('org.matrix.msc3672.beacon_info', { live: true }, { state_key: '@eva:x' }), 'track')
    assert.equal(why('m.call.invite'), 'call')
    assert.equal(why('org.example.voice_broadcast'), 'kind')
  })

  it('is told in the words that come with it for whoever does not know its kind', () => {
    for (const text of ['Hallo', [{ mimetype: 'text/html', body: '<b>Hallo</b>' }, { mimetype: 'text/plain', body: 'Hallo' }]]) {
      const arrival = arrivalFrom('org.example.letter', { [typeof text === 'string' ? 'org.matrix.msc1767.text' : 'm.text']: text })
      assert.equal(arrival?.kind === 'message' ? toPlain(arrival.content.text) : undefined, 'Hallo')
    }
  })

  it('is nothing where nobody says anything', () => {
    for (const type of ['m.reaction', 'm.poll.response', 'org.matrix.msc3381.poll.end', 'm.call.candidates', 'm.key.verification.ready', 'm.beacon',
      'org.matrix.call.sdp_stream_metadata_changed', 'io.element.call.encryption_keys']) assert.equal(why(type), undefined, type)
    assert.equal(arrivalFrom('m.room.message', { msgtype: 'm.key.verification.request', body: 'Eva wants to verify' }), undefined)
    assert.equal(why('org.example.state', {}, { state_key: '' }), undefined)
    assert.equal(why('m.beacon_info', { live: false }, { state_key: '@eva:x' }), undefined)
    assert.equal(why('m.beacon_info', { live: true }, { state_key: '@max:x' }), undefined)
    assert.equal(why('m.room.encrypted', {}, { unsigned: { redacted_because: {} } }), undefined)
  })
})

describe('Matrix events: a reaction', () => {
  const reaction = (content: object): [string[], string[]] | undefined => {
    const event = readEvent({ type: 'm.reaction', content, event_id: '$e', room_id: '!r:x', sender: '@eva:x', origin_server_ts: 1 })
    const arrival = arrivalOf(event, { network: 'matrix', id: '!r:x' }, { id: '@eva:x', name: 'Eva' }, 1)
    return arrival?.kind === 'reaction' && arrival.whole === undefined ? [arrival.of, arrival.emojis] : undefined
  }
  const annotation = (key: unknown, more = {}) => ({ 'm.relates_to': { rel_type: 'm.annotation', event_id: '$m', key }, ...more })

  it('is one sign at one event, and a picture is its name', () => {
    assert.deepEqual(reaction(annotation('👍️')), [['$m'], ['👍️']])
    assert.deepEqual(reaction(annotation('mxc://x.org/abc', { 'com.beeper.reaction.shortcode': ':party:' })), [['$m'], [':party:']])
    assert.deepEqual(reaction(annotation('mxc://x.org/abc')), [['$m'], ['🖼']])
    const nothing = [{}, { rel_type: 'm.annotation', key: '👍' }, { event_id: '$m', key: '👍' }].map(relation => ({ 'm.relates_to': relation }))
    for (const content of [annotation(1), ...nothing]) assert.equal(reaction(content), undefined)
  })
})

describe('Matrix events: who is called', () => {
  const ROOM = { network: 'matrix', id: '!r:x' }
  const around: Around = {
    person: mxid => mxid === '@_ghost:x.org' ? { network: 'xmpp', id: 'bernd' } : { network: 'matrix', id: mxid },
    called: name => name === 'Bernd' ? { network: 'xmpp', id: 'bernd' } : undefined, hasPower: false
  }
  const marked = (content: object, hasPower = false): string[] | undefined => {
    const event = readEvent({ type: 'm.room.message', content, event_id: '$e', room_id: '!r:x', sender: '@eva:x', origin_server_ts: 1 })
    const arrival = arrivalOf(event, ROOM, { id: '@eva:x', name: 'Eva' }, 1, { ...around, hasPower })
    const mentions = arrival?.kind === 'message' || arrival?.kind === 'edit' ? arrival.mentions : undefined
    return mentions?.flatMap(({ who, as }) => who === 'everybody' ? [who] : [who.id, as])
  }
  const html = (body: string) => ({ msgtype: 'm.text', body: 'x', format: 'org.matrix.custom.html', formatted_body: body })
  const text = (body: string, more: object = {}) => ({ msgtype: 'm.text', body, ...more })
  const pill = '<a href="https://matrix.to/#/@clara:x.org">Clara</a>'

  it('is told by address and shown name, in an edit too', () => {
    assert.deepEqual(marked(html(`${pill}: schau`)), ['@clara:x.org', 'Clara'])
    assert.deepEqual(marked(html('<a href="https://matrix.to/#/%40clara%3Ax.org">C &amp; D</a>')), ['@clara:x.org', 'C & D'])
    assert.deepEqual(marked({
      ...html('* x'), 'm.new_content': html(pill), 'm.relates_to': { rel_type: 'm.replace', event_id: '$o' }
    }), ['@clara:x.org', 'Clara'])
  })

  it('is the person behind a ghost, by a pill, a name or the mark alone, and once', () => {
    const ghost = '<a href="https://matrix.to/#/@_ghost:x.org">Bernd</a>'
    assert.deepEqual(marked({ ...html(`${ghost}: ja`), body: 'Bernd: ja', 'm.mentions': { user_ids: ['@_ghost:x.org'] } }), ['bernd', 'Bernd'])
    assert.deepEqual(marked(text('Bernd: ja')), ['bernd', 'Bernd'])
    assert.deepEqual(marked(text('ja, @Bernd')), ['bernd', '@Bernd'])
    assert.deepEqual(marked(text('ja', { 'm.mentions': { user_ids: ['@_ghost:x.org', 7] } })), ['bernd', ''])
    assert.equal(marked(text('ja, Bernd', { 'm.mentions': { user_ids: 'x' } })), undefined)
  })

  it('is not who is answered, nor a room, and is bounded', () => {
    const answer = { 'm.relates_to': { 'm.in_reply_to': { event_id: '$asked' } } }
    assert.equal(marked({ ...html('x'), ...answer, 'm.mentions': { user_ids: ['@clara:x.org'] } }), undefined)
    const now = text('x', { 'm.mentions': { user_ids: ['@clara:x.org'] } })
    const edit = { 'm.new_content': now, 'm.relates_to': { rel_type: 'm.replace', event_id: '$o' } }
    assert.equal(marked(text('* x', edit)), undefined, 'an edit may be one of an answer')
    assert.equal(marked(html(`<mx-reply>${pill}</mx-reply>ja`)), undefined)
    assert.equal(marked(html('<a href="https://matrix.to/#/#room:x.org">r</a>')), undefined)
    assert.equal(marked(html(pill.repeat(500)))?.length, 40)
    assert.equal(marked(text('x', { 'm.mentions': { user_ids: Array.from({ length: 500 }, (_, i) => `@u${i}:x`) } }))?.length, 40)
  })

  it('is everybody only if the app says so and the sender may', () => {
    const all = text('@room', { 'm.mentions': { room: true } })
    assert.deepEqual([marked(all), marked(all, true), marked(text('@room'), true)], [undefined, ['everybody'], undefined])
  })
})
