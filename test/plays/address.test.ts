/**
 * A town hall: people write to `bürgerbüro` with an Element-style client, an XMPP app and a plain phone. Its team is Anna in her Matrix
 * client and Bernd in his XMPP app. The first to answer has the case, and nobody outside learns who is who inside.
 */
import assert from 'node:assert/strict'
import { type Element, xml } from '@xmpp/client'
import { PROGRAM, run } from '../../sandbox/servers/process'
import { ADDRESS_NUMBER, DOMAIN, PASSWORD, raiseTown, type Town } from '../../sandbox/town'
import { type Phone } from '../../sandbox/smsc'
import { makeMatrixPerson, type MatrixPerson } from '../support/matrix-person'
import { needs, scratch } from '../support/real'
import { holdsNone, READ_WITHIN_MS, replying } from '../support/story'
import { startPerson, type XmppPerson } from '../support/xmpp-person'

const MXID = `@buergerbuero:${DOMAIN}`
const JID = `bürgerbüro@chat.${DOMAIN}`
const PAUL = '+491709998877'

const RETRY_MS = 100

/** Tries until it no longer fails. */
const retried = async <T>(work: () => Promise<T>): Promise<T> => {
  const end = performance.now() + READ_WITHIN_MS
  for (;;) {
    try {
      return await work()
    } catch (error) {
      if (performance.now() > end) throw error
      await new Promise(resolve => setTimeout(resolve, RETRY_MS))
    }
  }
}

describe('a function address on Synapse, Prosody and phones', () => {
  needs('synapse', 'prosody')
  const dir = scratch()
  let town: Town
  let anna: MatrixPerson, bernd: XmppPerson
  let eva: MatrixPerson, carl: XmppPerson, paul: Phone
  let evasChat: string

  before(async () => {
    town = await raiseTown({
      dir: dir('town'),
      addresses: [{ name: 'bürgerbüro', matrix: 'buergerbuero', more: {
        sms: { gateway: 'main', number: ADDRESS_NUMBER }, title: 'Bürgerbüro', automatic: { greeting: false, absence: false },
        team: [{ name: 'Anna', addresses: [`@anna:${DOMAIN}`] }, { name: 'Bernd', addresses: [`bernd@${DOMAIN}`] }]
      } }]
    })
    anna = town.people.anna
    bernd = town.people.bernd
    const user = await town.homeserver.createUser('eva', PASSWORD)
    eva = makeMatrixPerson(town.homeserver.url, user.userId, user.accessToken)
    await town.xmpp.addUser('carl', PASSWORD)
    carl = await startPerson(town.xmpp, 'carl', PASSWORD)
    paul = town.smsc.phone(PAUL)
    for (const one of [bernd, carl]) await one.comeOnline()
  })
  after(async () => {
    await carl?.stop()
    await town?.stop()
  })

  const command = (...args: string[]): Promise<string> => run(process.execPath, [PROGRAM, '--config', town.configPath, ...args])

  /** Anna's rooms by the numbers of cases: she is invited into each and enters. */
  const annasRoom = async (number: number | 'queue'): Promise<string> => {
    const alias = `#_zentrale_buergerbuero_${number}:${DOMAIN}`
    const found = await retried(async () => String((await anna.call('GET', `v3/directory/room/${encodeURIComponent(alias)}`))['room_id']))
    await retried(() => anna.join(found))
    return found
  }
  /** The room's address from his invitation: nobody else can know it. */
  const berndsRoom = (number: number): string => bernd.heard.map(one => String(one.getChild('x', 'jabber:x:conference')?.attrs.jid))
    .find(room => room.startsWith(`_buergerbuero_${number}_`)) ?? ''
  const enter = (number: number): Promise<void> => retried(async () => {
    assert.notEqual(berndsRoom(number), '', 'Bernd is asked in')
    await bernd.enter(berndsRoom(number), 'Bernd')
  })

  const annaReads = (room: string, fits: (body: string) => boolean, what: string) => anna.waitFor(room, what, event =>
    event.type === 'm.room.message' && event.sender !== anna.userId && fits(String(event.content['body'])), READ_WITHIN_MS)
  const berndReads = (number: number, fits: (body: string, one: Element) => boolean, what: string) => bernd.until(what, one =>
    one.is('message') && String(one.attrs.from).startsWith(`${berndsRoom(number)}/`) && fits(one.getChildText('body') ?? '', one), READ_WITHIN_MS)

  it('three customers write; Anna on Matrix and Bernd on XMPP see all three', async () => {
    evasChat = await eva.createRoom({ is_direct: true, preset: 'trusted_private_chat', invite: [MXID] })
    await eva.waitFor(evasChat, 'the address in the chat', ({ type, state_key: who, content }) =>
      type === 'm.room.member' && who === MXID && content['membership'] === 'join', READ_WITHIN_MS)
    await eva.send(evasChat, 'Brauche ich einen Termin?')
    const first = await annasRoom(1)
    await annaReads(first, body => body === 'Brauche ich einen Termin?', 'Anna reads Eva')
    await enter(1)
    await carl.client.send(xml('message', { to: JID, type: 'chat', id: 'carl-1' },
      xml('body', {}, 'Wann haben Sie offen?'), xml('request', { xmlns: 'urn:xmpp:receipts' })))
    await carl.until('the receipt', one => one.getChild('received')?.attrs.id === 'carl-1', READ_WITHIN_MS)
    const second = await annasRoom(2)
    await annaReads(second, body => body === 'Wann haben Sie offen?', 'Anna reads Carl')
    await enter(2)
    await paul.type({ text: 'Ist mein Pass da? 😀', to: ADDRESS_NUMBER })
    const third = await annasRoom(3)
    await annaReads(third, body => body === 'Ist mein Pass da? 😀', 'Anna reads Paul')
    await enter(3)
    for (const [number, text] of [[1, 'Termin'], [2, 'offen'], [3, 'Pass']] as const) {
      assert.ok((await retried(async () => {
        const bodies = await bernd.archived(berndsRoom(number))
        assert.ok(bodies.some(body => body.includes(text)))
        return bodies
      })).length > 0)
    }
  })

  it('Anna answers the first, Bernd the second, both at once the third: one answer, one is told, and the note is held', async () => {
    await anna.send(await annasRoom(1), 'Nein, kommen Sie einfach.')
    await eva.waitFor(evasChat, 'Eva reads the answer', ({ content, sender }) =>
      content['body'] === 'Nein, kommen Sie einfach.' && sender === MXID, READ_WITHIN_MS)
    await bernd.say(berndsRoom(2), 'Bis 18 Uhr.', 'b-2')
    await carl.until('Carl reads the answer', one =>
      one.getChildText('body') === 'Bis 18 Uhr.' && String(one.attrs.from).split('/')[0] === JID, READ_WITHIN_MS)
    await annaReads(await annasRoom(2), body => body === 'Bis 18 Uhr.', 'Anna reads what Bernd answered')

    const third = await annasRoom(3)
    await Promise.all([anna.send(third, 'Ja, er ist da! (A)'), bernd.say(berndsRoom(3), 'Ja, seit gestern. (B)', 'b-3')])
    const answer = await paul.next(one => one.from === ADDRESS_NUMBER && one.text.startsWith('Ja'), READ_WITHIN_MS)
    const annaWon = answer.text.includes('(A)')
    const told = annaWon
      ? berndReads(3, (body, one) => /^bernd: Nicht gesendet: „Ja, .*Anna hat .* gerade /.test(body) && one.attrs.type !== 'chat', 'he is told')
      : annaReads(third, body => /^Nicht gesendet\. Bernd hat .* gerade /.test(body), 'Anna is told')
    const held = annaWon
      ? annaReads(third, body => body === '(nicht gesendet) Bernd: Ja, seit gestern. (B)', 'Anna sees the note')
      : berndReads(3, body => body === '(nicht gesendet) Anna: Ja, er ist da! (A)', 'Bernd sees the note')
    await Promise.all([told, held])
    assert.deepEqual(paul.inbox.filter(one => one.from === ADDRESS_NUMBER).map(({ text }) => text), [answer.text])
  })

  it('an answer to a certain message shows as a reply in the reader\'s app, and names nobody of the team', async () => {
    const first = await annasRoom(1)
    const { event_id: answer } = await eva.waitFor(evasChat, 'the answer', ({ content }) => content['body'] === 'Nein, kommen Sie einfach.')
    await eva.send(evasChat, { msgtype: 'm.text', body: 'Auch samstags?', 'm.relates_to': { 'm.in_reply_to': { event_id: answer } } })
    const asked = await annaReads(first, body => body === 'Auch samstags?', 'Anna reads what Eva asks')
    const { event_id: own } = await anna.waitFor(first, 'her own answer', ({ content, sender }) =>
      content['body'] === 'Nein, kommen Sie einfach.' && sender === anna.userId)
    assert.deepEqual(asked.content['m.relates_to'], { 'm.in_reply_to': { event_id: own } })
    await berndReads(1, body => body === '> Anna (Matrix): Nein, kommen Sie einfach.\nAuch samstags?', 'Bernd reads both')

    const second = await annasRoom(2)
    for (const [id, text] of [['carl-q1', 'Auch am Feiertag?'], ['carl-q2', 'Und am Samstag?']] as const) {
      await carl.client.send(xml('message', { to: JID, type: 'chat', id }, xml('body', {}, text)))
    }
    const { event_id: question } = await annaReads(second, body => body === 'Auch am Feiertag?', 'Carl\'s question')
    const heard = await berndReads(2, body => body === 'Auch am Feiertag?', 'Bernd reads it too')
    await berndReads(2, body => body === 'Und am Samstag?', 'and the next')
    const named = String(heard.getChild('stanza-id', 'urn:xmpp:sid:0')?.attrs.id)
    await bernd.say(berndsRoom(2), 'Da ist zu.', 'b-4', ...replying(named, berndsRoom(2), ''))
    const read = await carl.until('Carl reads it as a reply', one => one.getChildText('body')?.endsWith('\nDa ist zu.') === true, READ_WITHIN_MS)
    assert.deepEqual(read.getChild('reply', 'urn:xmpp:reply:0')?.attrs.id, 'carl-q1')
    const shown = await annaReads(second, body => body === 'Da ist zu.', 'Anna sees what it answers')
    assert.deepEqual(shown.content['m.relates_to'], { 'm.in_reply_to': { event_id: question } })
  })

  it('customers react to answers, and the team sees it; what the team reacts with among itself, no customer sees', async () => {
    const first = await annasRoom(1)
    const { event_id: answer } = await eva.waitFor(evasChat, 'the answer', ({ content }) => content['body'] === 'Nein, kommen Sie einfach.')
    const { event_id: own } = await anna.waitFor(first, 'her own answer', ({ content, sender }) =>
      content['body'] === 'Nein, kommen Sie einfach.' && sender === anna.userId)
    const annotation = (of: string, key: string) => ({ 'm.relates_to': { rel_type: 'm.annotation', event_id: of, key } })
    const annaSees = (room: string, of: string, key: string) => anna.waitFor(room, `Anna sees ${key}`, ({ type, sender, content }) => {
      const relation = content['m.relates_to'] as Partial<Record<string, string>> | undefined
      return type === 'm.reaction' && sender !== anna.userId && relation?.['event_id'] === of && relation['key'] === key
    }, READ_WITHIN_MS)
    await eva.send(evasChat, annotation(answer, '👍\uFE0F'), 'm.reaction')
    await annaSees(first, own, '👍\uFE0F')

    const second = await annasRoom(2)
    const read = await carl.until('Carl has the answer', one => one.getChildText('body')?.endsWith('\nDa ist zu.') === true, READ_WITHIN_MS)
    const reactions = xml('reactions', { xmlns: 'urn:xmpp:reactions:0', id: String(read.attrs.id) }, xml('reaction', {}, '🎉'))
    await carl.client.send(xml('message', { to: JID, type: 'chat', id: 'carl-r1' }, reactions))
    const { event_id: shown } = await annaReads(second, body => body === 'Da ist zu.', 'Anna has the answer too')
    await annaSees(second, shown, '🎉')

    const asked = await annaReads(first, body => body === 'Auch samstags?', 'what Eva asked')
    await anna.send(first, annotation(asked.event_id, '👀'), 'm.reaction')
    await bernd.until('Bernd sees it', one => one.attrs.from?.startsWith(`${berndsRoom(1)}/Anna`) === true &&
      one.getChild('reactions', 'urn:xmpp:reactions:0')?.getChildText('reaction') === '👀', READ_WITHIN_MS)
    assert.deepEqual((await eva.events(evasChat)).filter(({ type, sender }) => type === 'm.reaction' && sender !== eva.userId), [])
  })

  it('the state is right on both networks: the names of rooms, and what the queue shows', async () => {
    for (const [number, owner] of [[1, 'Anna'], [2, 'Bernd']] as const) {
      const room = await annasRoom(number)
      await anna.waitFor(room, `the name of room ${number}`, ({ type, content }) =>
        type === 'm.room.name' && String(content['name']).endsWith(` · 🟢 ${owner}`), READ_WITHIN_MS)
      await retried(async () => {
        const info = await bernd.ask('get', berndsRoom(number), xml('query', { xmlns: 'http://jabber.org/protocol/disco#info' }))
        assert.match(String(info.getChild('query')?.getChild('identity')?.attrs.name), new RegExp(` · 🟢 ${owner}$`))
      })
    }
    const shown = (await anna.events(await annasRoom(1))).map(({ type }) => type) // each is a line on screens
    assert.deepEqual(shown.filter(type => /guest|join_rules|parent|topic/.test(type)).sort(),
      ['m.room.join_rules', 'm.room.topic', 'm.space.parent'])
    await annaReads(await annasRoom('queue'), body => /#1 .* · 🟢 Anna: „Brauche ich einen Termin\?“/.test(body), 'the queue shows who has it')
    await bernd.until('Bernd\'s list shows it too', one =>
      String(one.attrs.from).split('/')[0] === JID && /^#2 .* · 🔴 neu: /.test(one.getChildText('body') ?? ''), READ_WITHIN_MS)
  })

  it('nothing that went to the customers names anybody of the team', async () => {
    const evaSaw = JSON.stringify(await eva.events(evasChat)) +
      JSON.stringify(await eva.call('GET', `v3/rooms/${encodeURIComponent(evasChat)}/members`))
    const carlHeard = carl.heard.map(String).join('\n')
    const paulRead = JSON.stringify(paul.inbox)
    for (const seen of [evaSaw, carlHeard, paulRead]) {
      holdsNone(seen, { Anna: 'Anna', Bernd: 'Bernd', 'Anna\'s id': '@anna', 'Bernd\'s id': 'bernd@', 'a ghost': '_zentrale_' })
    }
  })

  it('nor does anything else show them: no receipts of reading, no typing, no pictures of theirs', async () => {
    const synced = await eva.call('GET', 'v3/sync?timeout=0') as
      { rooms: { join: Record<string, { ephemeral: { events: { type: string, content: object }[] } }> } }
    const ephemeral = synced.rooms.join[evasChat]?.ephemeral.events ?? []
    assert.deepEqual(ephemeral.filter(({ type, content }) => type === 'm.typing' || JSON.stringify(content).includes(MXID)), [])
    const heard = carl.heard.filter(one => String(one.attrs.from).startsWith(JID)).map(String).join('\n')
    holdsNone(heard, { typing: 'http://jabber.org/protocol/chatstates', reading: 'urn:xmpp:chat-markers:0', pictures: 'avatar' })
  })

  it('Bernd leaves the team: within 10 s he is out of all rooms, and reads nothing more', async () => {
    assert.match(await command('address', 'leave', 'bürgerbüro', `bernd@${DOMAIN}`), /is out of the team/)
    for (const number of [1, 2, 3]) {
      await bernd.until(`Bernd out of ${number}`, one => one.is('presence') && one.attrs.type === 'unavailable' &&
        String(one.attrs.from).startsWith(`${berndsRoom(number)}/`), 10_000)
    }
    await carl.client.send(xml('message', { to: JID, type: 'chat', id: 'carl-2' }, xml('body', {}, 'Danke, bis später!')))
    await annaReads(await annasRoom(2), body => body === 'Danke, bis später!', 'Anna reads it')
    await anna.send(await annasRoom(2), 'Gern.')
    await carl.until('Carl reads Anna', one => one.getChildText('body') === 'Gern.', READ_WITHIN_MS)
    assert.ok(!bernd.heard.some(one => String(one).includes('Danke, bis später')))
    assert.match(await command('address', 'cases', 'bürgerbüro'), /#2 claimed .* carl/)
    assert.match(await command('address', 'log', 'bürgerbüro'), /operator · removed · Bernd/)
    const whole = await command('address', 'verify')
    const seal = /^The logbook is whole: \d+ lines\.\nLast line (\d+), seal ([0-9a-f]{16})\./.exec(whole)
    assert.ok(seal, whole)
    assert.match(await command('address', 'verify', seal[2]!), new RegExp(`Line ${seal[1]} has the seal ${seal[2]}`))
    await assert.rejects(command('address', 'verify', '0123456789abcdef'), /No line has the seal 0123456789abcdef/)
    assert.match(await town.metrics(), new RegExp(`zentrale_logbook_seal ${parseInt(seal[2]!.slice(0, 12), 16)}\\n`))
  })
})
