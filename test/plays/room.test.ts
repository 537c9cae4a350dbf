/**
 * One room on three networks, between real servers: Anna is on Matrix, Bernd on XMPP, Max has a plain phone. What one says, the two
 * others read.
 */
import assert from 'node:assert/strict'
import { execFileSync } from 'node:child_process'
import { readFileSync } from 'node:fs'
import { dirname, join } from 'node:path'
import { parse } from 'yaml'
import type { Element } from '@xmpp/client'
import { playScene } from '../../sandbox/scene'
import { PROGRAM, run } from '../../sandbox/servers/process'
import { GATEWAY, PASSWORD, raiseTown, type Town } from '../../sandbox/town'
import { makeMatrixPerson } from '../support/matrix-person'
import { needs, scratch } from '../support/real'
import { correcting, holdsNone, LABELS, READ_WITHIN_MS, replying, retracting, type Story, storyOf } from '../support/story'
import { startPerson } from '../support/xmpp-person'

const STRANGER = '+4915123456789'
const STATES = 'http://jabber.org/protocol/chatstates'
const MARKERS = 'urn:xmpp:chat-markers:0'
const CANARIES = { text: 'Kanarienvogel', name: 'Papagei', file: 'Wellensittich' }

const silent = (): void => {}

const theScene = async (town: Town, homeserver: string): Promise<void> => {
  const { problems, messages } = await playScene(town, homeserver, silent)
  assert.deepEqual(problems, [])
  const parts = messages.flatMap(({ arrivals }) => arrivals).filter(({ network }) => network === 'sms').map(({ parts = 1 }) => parts)
  assert.ok(Math.max(...parts) > 1, 'one of them was too long for one SMS')
  assert.equal(messages.flatMap(({ arrivals }) => arrivals).filter(({ bytes = 0 }) => bytes > 0).length, 4, 'two pictures, each seen by both others')
}

describe('a room on Synapse, Prosody and phones', () => {
  needs('synapse', 'prosody', 'promtool')
  const dir = scratch()
  let town: Town
  let story: Story
  before(async () => {
    town = await raiseTown({ dir: dir('town') })
    story = storyOf(town)
  })
  after(async () => { await town?.stop() })

  const command = (...args: string[]): Promise<string> => run(process.execPath, [PROGRAM, '--config', town.configPath, ...args])

  it('every message of the scene arrives on both other networks once, in order and whole', () => theScene(town, 'synapse'))

  it('promtool is content with the metrics of what was said', async () => {
    execFileSync('promtool', ['check', 'metrics'], { input: await town.metrics(), stdio: ['pipe', 'pipe', 'pipe'] })
  })

  it('Anna\'s bold word is bold for Bernd, plain for Max, and the other way round', async () => {
    await story.annaSays({
      msgtype: 'm.text', body: 'egal', format: 'org.matrix.custom.html',
      formatted_body: '<b>fett</b>, <em>schräg</em>, <del>weg</del> und <code>a &lt; b</code><ul><li>Säge</li><li>Öl</li></ul>'
    })
    await story.berndReads('*fett*, _schräg_, ~weg~ und `a < b`\n- Säge\n- Öl')
    await story.maxReads(`${LABELS.anna}: fett, schräg, ~weg~ und a < b\n- Säge\n- Öl`)
    await story.berndSays('*dick* und _schief_ 😀\n> Grüße')
    const { content } = await story.annaReads('dick und schief 😀\n> Grüße')
    assert.match(String(content['formatted_body']), /<strong>dick<\/strong> und <em>schief<\/em> 😀.*<blockquote>.*Grüße/s)
    await story.maxReads(`${LABELS.bernd}: dick und schief 😀\n> Grüße`)
  })

  it('Anna corrects herself: Bernd\'s app replaces it, Max gets it again with a star', async () => {
    const event = await story.annaSays('Um nuen Uhr')
    const first = await story.berndReads('Um nuen Uhr')
    await town.people.anna.edit(town.room, event, 'Um neun Uhr')
    const second = await story.berndReads('Um neun Uhr')
    assert.equal(second.getChild('replace', 'urn:xmpp:message-correct:0')?.attrs.id, first.attrs.id)
    await story.maxReads(`${LABELS.anna}: * Um neun Uhr`)
  })

  it('Bernd corrects himself: for Anna it replaces what he said', async () => {
    const id = await story.berndSays('Ich bringe Khucen')
    const first = await story.annaReads('Ich bringe Khucen')
    await story.berndSays('Ich bringe Kuchen', correcting(id))
    const { content } = await story.annaReads('* Ich bringe Kuchen')
    assert.deepEqual(content['m.relates_to'], { rel_type: 'm.replace', event_id: first.event_id })
    assert.equal((content['m.new_content'] as { body: string }).body, 'Ich bringe Kuchen')
    await story.maxReads(`${LABELS.bernd}: * Ich bringe Kuchen`)
  })

  it('Anna and Bernd see one another typing, and nobody sees who has read what', async () => {
    const { anna, bernd } = town.people
    await story.berndSays('Wer schreibt da?')
    const { sender, event_id: asked } = await story.annaReads('Wer schreibt da?')
    const seesBernd = (typing: boolean): Promise<void> => anna.seesSignal(town.room, `Bernd types: ${typing}`,
      (type, { user_ids: ids }) => type === 'm.typing' && Array.isArray(ids) && ids.includes(sender) === typing)
    await story.berndSignals('composing', STATES)
    await seesBernd(true)
    await story.berndSays('Ich!')
    await seesBernd(false)

    await story.annaSays('Und ich')
    const mine = await story.berndReads('Und ich')
    await anna.types(town.room, true)
    await story.berndSeesSignal('composing', STATES)
    await anna.reads(town.room, asked)
    await story.berndSignals('displayed', MARKERS, mine.getChild('stanza-id', 'urn:xmpp:sid:0')?.attrs.id)
    await anna.types(town.room, false)
    await story.berndSeesSignal('active', STATES)
    await story.annaSays('Genug')
    await story.berndReads('Genug')
    await story.berndSays('Genug!')
    await story.annaReads('Genug!')
    assert.ok(bernd.heard.every(one => one.getChild('displayed', MARKERS) === undefined || one.attrs.from === `${town.muc}/Bernd`))
    const receipts = await anna.signals(town.room)
    assert.ok(receipts.every(({ type, content }) => type !== 'm.receipt' || !JSON.stringify(content).includes(sender)), JSON.stringify(receipts))
  })

  it('a reply is a reply for everybody: in Anna\'s app, in Bernd\'s, and in words on Max\'s phone', async () => {
    const event = await story.annaSays('Wer bringt Kuchen?')
    const asked = await story.berndReads('Wer bringt Kuchen?')
    const given = asked.getChild('stanza-id', 'urn:xmpp:sid:0')?.attrs.id ?? ''
    const quotation = '> Anna (Matrix): Wer bringt Kuchen?\n'
    await story.berndSays(`${quotation}Ich`, ...replying(given, String(asked.attrs.from), quotation))
    const { content, event_id: answer } = await story.annaReads('Ich')
    assert.deepEqual(content['m.relates_to'], { 'm.in_reply_to': { event_id: event } })
    assert.deepEqual(content['m.mentions'], { user_ids: [town.people.anna.userId] })
    await story.maxReads(`${LABELS.bernd}: Re "Wer bringt Kuchen?": Ich`)

    const more = { msgtype: 'm.text', body: 'Danke', 'm.relates_to': { 'm.in_reply_to': { event_id: answer } } }
    await story.annaSays(more)
    const mine = await town.people.bernd.until('his own message', one => one.getChildText('body') === `${quotation}Ich`)
    const thanks = await story.berndReads('> Bernd: Ich\nDanke')
    const reply = thanks.getChild('reply', 'urn:xmpp:reply:0')
    assert.equal(reply?.attrs.id, mine.getChild('stanza-id', 'urn:xmpp:sid:0')?.attrs.id)
    assert.equal(reply?.attrs.to, mine.attrs.from)
    const fallback = thanks.getChild('fallback', 'urn:xmpp:fallback:0')?.getChild('body')
    assert.deepEqual([fallback?.attrs.start, fallback?.attrs.end], ['0', '13'])
    await story.maxReads(`${LABELS.anna}: Re "Ich": Danke`)
  })

  it('a name calls whoever it means in their own app, and is a name on Max\'s phone', async () => {
    await story.berndSays('Wer kommt mit?')
    const { sender: ghost } = await story.annaReads('Wer kommt mit?')
    const pill = `<a href="https://matrix.to/#/${encodeURIComponent(ghost)}">${LABELS.bernd}</a>: ich`
    await story.annaSays({
      msgtype: 'm.text', body: `${LABELS.bernd}: ich`, format: 'org.matrix.custom.html', formatted_body: pill, 'm.mentions': { user_ids: [ghost] }
    })
    const uri = `xmpp:${town.muc}/Bernd`
    const marks = ({ attrs }: Element): unknown[] => [attrs['type'], attrs['begin'], attrs['end'], attrs['uri']]
    const called = await story.berndReads('Bernd: ich')
    assert.deepEqual(called.getChildren('reference', 'urn:xmpp:reference:0').map(marks), [['mention', '0', '5', uri]])
    await story.maxReads(`${LABELS.anna}: ${LABELS.bernd}: ich`)
    await story.annaSays('und Du, @bernd?')
    const typed = await story.berndReads('und Du, Bernd?')
    assert.deepEqual(typed.getChildren('reference', 'urn:xmpp:reference:0').map(marks), [['mention', '8', '13', uri]])
    await story.maxReads(`${LABELS.anna}: und Du, @bernd?`)

    await story.berndSays(`${LABELS.anna}: gern`)
    const { content } = await story.annaReads('Anna: gern')
    const { userId } = town.people.anna
    const answer = `<a href="https://matrix.to/#/${encodeURIComponent(userId)}">Anna</a>: gern`
    assert.deepEqual([content['m.mentions'], content['formatted_body']], [{ user_ids: [userId] }, answer])
    await story.maxReads(`${LABELS.bernd}: ${LABELS.anna}: gern`)
  })

  it('Anna and Bernd react to what the other said, think better of it, and each sees what the other has', async () => {
    const event = await story.annaSays('Ich habe Kuchen!')
    const given = (await story.berndReads('Ich habe Kuchen!')).getChild('stanza-id', 'urn:xmpp:sid:0')?.attrs.id ?? ''
    await story.berndReacts(given, '👍', '🎂')
    const [thumb, cake] = await Promise.all([story.annaSees(event, '👍\uFE0F'), story.annaSees(event, '🎂')])
    assert.deepEqual([await story.nameOf(thumb.sender), thumb.sender], [LABELS.bernd, cake.sender])
    await story.berndReacts(given, '🎂')
    await town.people.anna.waitFor(town.room, 'the redaction', ({ type, content, redacts }) =>
      type === 'm.room.redaction' && (redacts ?? content['redacts']) === thumb.event_id, READ_WITHIN_MS)

    await story.berndSays('Ich bringe Kaffee')
    const coffee = await story.annaReads('Ich bringe Kaffee')
    const own = (await town.people.bernd.until('his own message', one => one.getChildText('body') === 'Ich bringe Kaffee'))
      .getChild('stanza-id', 'urn:xmpp:sid:0')?.attrs.id ?? ''
    const heart = await story.annaReacts(coffee.event_id, '❤️')
    assert.equal((await story.berndSees(own, ['❤️'])).attrs.from, `${town.muc}/${LABELS.anna}`)
    await story.annaReacts(coffee.event_id, '👍️')
    await story.berndSees(own, ['❤️', '👍'])
    await town.people.anna.redact(town.room, heart)
    await story.berndSees(own, ['👍'])
    await story.allIsWell('nach den Reaktionen')
    assert.deepEqual(town.people.max.inbox.filter(({ text }) => /[👍❤🎂]/u.test(text)), [], 'none of it came to the phone')
  })

  it('nobody corrects what somebody else said', async () => {
    await town.xmpp.addUser('carl', PASSWORD)
    const carl = await startPerson(town.xmpp, 'carl', PASSWORD)
    const eva = await town.homeserver.createUser('eva', PASSWORD)
    try {
      await carl.enter(town.muc, 'Carl')
      const id = await story.berndSays('Das Tor ist zu')
      await story.annaReads('Das Tor ist zu')
      await carl.say(town.muc, 'Das Tor ist offen', 'forged', correcting(id))
      const { content, sender } = await story.annaReads('* Das Tor ist offen')
      assert.equal(content['m.relates_to'], undefined)
      assert.equal(await story.nameOf(sender), 'Carl (XMPP)')

      const event = await story.annaSays('Bitte das Licht aus')
      await story.berndReads('Bitte das Licht aus')
      const { anna, bernd } = town.people
      await anna.call('POST', `v3/rooms/${encodeURIComponent(town.room)}/invite`, { user_id: eva.userId })
      const asEva = makeMatrixPerson(town.homeserver.url, eva.userId, eva.accessToken)
      await asEva.join(town.room)
      await asEva.edit(town.room, event, 'Bitte das Licht an')
      await asEva.send(town.room, 'Eva war das')
      await story.berndReads('Eva war das')
      assert.deepEqual(bernd.bodies(town.muc).filter(body => body.includes('Licht an')), [])
    } finally {
      await carl.stop()
    }
  })

  it('Anna and Bernd each take back a message, and it is gone for the other', async () => {
    const event = await story.annaSays('Geheimer Plan von Anna')
    const shown = await story.berndReads('Geheimer Plan von Anna')
    await town.people.anna.redact(town.room, event)
    const given = shown.getChild('stanza-id', 'urn:xmpp:sid:0')?.attrs.id
    await town.people.bernd.until('the retraction', one => one.getChild('retract')?.attrs.id === given && given !== undefined, READ_WITHIN_MS)

    await story.berndSays('Geheimer Plan von Bernd')
    const { event_id: target } = await story.annaReads('Geheimer Plan von Bernd')
    const mine = await town.people.bernd.until('his own message', one => one.getChildText('body') === 'Geheimer Plan von Bernd')
    await story.berndSays('/me hat etwas zurückgenommen', retracting(mine.getChild('stanza-id', 'urn:xmpp:sid:0')?.attrs.id ?? ''))
    await town.people.anna.waitFor(town.room, 'the redaction', ({ type, content, redacts }) =>
      type === 'm.room.redaction' && (redacts ?? content['redacts']) === target, READ_WITHIN_MS)
  })

  it('the gateway refuses Max\'s number: Anna is told, in her language; Bernd reads her all the same', async () => {
    town.smsc.faults.refuse = { status: 0x0b, times: 1 }
    await story.annaSays('Kommst Du heute?')
    await story.berndReads('Kommst Du heute?')
    await story.annaReads('Nicht zugestellt an Max (SMS): „Kommst Du heute?“ (vom Empfänger abgelehnt)')
    await story.allIsWell('nach der Absage')
  })

  it('a long message cannot be delivered to the phone: Anna is told once, whatever the number of receipts', async () => {
    town.smsc.faults.receiptState = 'UNDELIV'
    const long = `Lang ${'und länger '.repeat(40)}`.trim()
    await story.annaSays(long)
    const notice = await town.people.anna.waitFor(town.room, 'the notice', ({ content }) =>
      String(content['body']).startsWith('Nicht ganz zugestellt an Max (SMS): „Lang und'), READ_WITHIN_MS)
    town.smsc.faults.receiptState = 'DELIVRD'
    await story.allIsWell('nach dem Funkloch')
    assert.equal(await story.timesOnMatrix(String(notice.content['body'])), 1)
    const all = (await town.people.anna.events(town.room)).filter(({ content }) => String(content['body']).startsWith('Nicht ganz zugestellt'))
    assert.equal(all.length, 1)
  })

  it('STOP ends it for Max at once and the others are told; START brings him back', async () => {
    await story.maxTypes(' Stopp. ')
    await story.maxReads('Sie erhalten keine Nachrichten mehr von uns. Wenn Sie wieder welche erhalten möchten, senden Sie START.')
    const left = 'Max bekommt keine Nachrichten mehr (STOP).'
    await Promise.all([story.annaReads(left), story.berndReads(left)])
    await story.annaSays('Das liest Max nicht')
    await story.berndReads('Das liest Max nicht')
    await story.maxTypes('START')
    await story.maxReads('Sie erhalten wieder Nachrichten von uns. Wenn Sie keine mehr möchten, senden Sie STOP.')
    const back = 'Max bekommt wieder Nachrichten (START).'
    await Promise.all([story.annaReads(back), story.berndReads(back)])
    await story.allIsWell('Max ist wieder da')
    assert.deepEqual(town.people.max.inbox.filter(({ text }) => text.includes('liest Max nicht')), [])
  })

  it('a stranger\'s SMS is answered by nobody and told to nobody, but the operator finds it', async () => {
    const stranger = town.smsc.phone(STRANGER)
    await stranger.type({ text: 'Ist da jemand?', to: town.number })
    await story.allIsWell('nach dem Fremden')
    assert.deepEqual(stranger.inbox, [])
    assert.equal(await story.timesOnMatrix('Ist da jemand?'), 0)
    const [masked, whole] = [await command('queue', '--state', 'unrouted'), await command('queue', '--state', 'unrouted', '--text')]
    assert.match(masked, /unrouted .*\+49…89/)
    holdsNone(masked, { number: STRANGER, text: 'Ist da jemand?' })
    assert.ok(whole.includes(STRANGER) && whole.includes('Ist da jemand?'))
  })

  it('Max\'s stand-in is banned from Anna\'s room: he is told, Bernd reads him, and is let in again', async () => {
    const { anna } = town.people
    const { sender } = await story.annaReads('Max ist wieder da: Max auch 😀')
    const path = `v3/rooms/${encodeURIComponent(town.room)}`
    await anna.call('POST', `${path}/ban`, { user_id: sender })
    await story.annaReads(`${LABELS.max} ist hier gesperrt. Von dieser Person kommt nichts mehr hierher, bis die Sperre aufgehoben ist.`)
    await story.maxTypes('Darf ich rein?')
    await story.berndReads('Darf ich rein?')
    await story.maxReads('Nicht zugestellt an Matrix: "Darf ich rein?" (dort hat die Moderation Sie gesperrt; bis das aufgehoben ist, kommt nichts ' +
      'von Ihnen dort an)')
    await anna.call('POST', `${path}/unban`, { user_id: sender })
    await story.annaSays('Komm wieder rein')
    await story.maxReads(`${LABELS.anna}: Komm wieder rein`) // behind the end of the ban
    await story.allIsWell('nach dem Bann')
  })

  it('no word, name, file, secret or phone number of all this is in the log', async () => {
    const { anna } = town.people
    await anna.call('PUT', `v3/profile/${encodeURIComponent(anna.userId)}/displayname`, { displayname: CANARIES.name })
    const url = await anna.upload(Buffer.from('not a picture'), 'image/png')
    await story.annaSays({ msgtype: 'm.image', body: `${CANARIES.file}.png`, url, info: { mimetype: 'image/png' } })
    town.smsc.faults.refuse = { status: 0x0b, times: 1 }
    await story.annaSays(`${CANARIES.text} 😀`)
    await story.berndReads(`${CANARIES.text} 😀`, one => one.attrs.from === `${town.muc}/${CANARIES.name} (Matrix)`)
    await story.annaSays('und noch etwas')
    await story.maxReads(`${CANARIES.name} (Matrix): und noch etwas`)
    const folder = dirname(town.configPath)
    const registration = parse(readFileSync(join(folder, 'registration.yaml'), 'utf8')) as Record<string, string>
    const log = readFileSync(join(folder, 'zentrale.log'), 'utf8')
    assert.match(log, /"delivery ended undelivered"/)
    holdsNone(log, {
      ...CANARIES, asToken: registration['as_token']!, hsToken: registration['hs_token']!, operateToken: town.token,
      componentSecret: town.xmpp.component.secret, smppPassword: GATEWAY.password,
      max: town.people.max.number.slice(1), stranger: STRANGER.slice(1), ours: town.number.slice(1), 'the first message': 'Guten Morgen'
    })
  })
})

describe('a room on ejabberd', () => {
  needs('ejabberd')
  const dir = scratch()
  let town: Town
  before(async () => { town = await raiseTown({ dir: dir('town'), homeserver: 'practice', xmppServer: 'ejabberd' }) })
  after(async () => { await town?.stop() })

  it('every message of the scene arrives on both other networks once, in order and whole', () => theScene(town, 'practice'))
})
