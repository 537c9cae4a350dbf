/**
 * The town hall on a hurried day: Anna in her Matrix client and Bernd in his XMPP app mistype, quote, edit, and talk in the wrong place.
 * What is not meant for a customer reaches none, and what is meant for one reaches nobody else.
 */
import assert from 'node:assert/strict'
import { type Element, xml } from '@xmpp/client'
import { ADDRESS_NUMBER, DOMAIN, PASSWORD, raiseTown, type Town } from '../../sandbox/town'
import { type Phone } from '../../sandbox/smsc'
import { makeMatrixPerson, type MatrixPerson } from '../support/matrix-person'
import { needs, scratch } from '../support/real'
import { chatWith, READ_WITHIN_MS } from '../support/story'
import { startPerson, type XmppPerson } from '../support/xmpp-person'

const MXID = `@buergerbuero:${DOMAIN}`
const JID = `bürgerbüro@chat.${DOMAIN}`
const UNDO_SECONDS = 15 // long enough to be in time on a machine that is busy
const SLIPS = [
  '! frei', '!frei.', '!erledigt!', '/frei', '/ ist schwierig', '// ist schwierig', '！frei', '`!frei`', '!n ist schwierig', '!!!', '! wichtig',
  '> Ist mein Pass da?\n!n ist schwierig', '> Ist mein Pass da?\n\n!frei', 'Guten Tag\n!frei', '!senden.', '!frie',
  'Der nervt !n', 'gleich fertig !erledigt'
]

describe('the right words to the right people, on Synapse, Prosody and phones', () => {
  needs('synapse', 'prosody')
  const dir = scratch()
  let town: Town
  let anna: MatrixPerson, bernd: XmppPerson, eva: MatrixPerson, mallory: MatrixPerson
  let paul: Phone, olga: Phone
  let evasChat: string, inbox: string
  const rooms: Record<number, string> = {}

  const register = async (name: string): Promise<MatrixPerson> => {
    const { userId, accessToken } = await town.homeserver.createUser(name, PASSWORD)
    return makeMatrixPerson(town.homeserver.url, userId, accessToken)
  }
  const chatWithAddress = (who: MatrixPerson, address = MXID): Promise<string> => chatWith(who, address)
  const within = async <T>(work: () => Promise<T>): Promise<T> => {
    for (const end = performance.now() + READ_WITHIN_MS; ;) {
      try { return await work() } catch (error) { if (performance.now() > end) throw error }
      await new Promise(resolve => setTimeout(resolve, 100))
    }
  }
  const annasRoom = async (what: number | 'queue', slug = 'buergerbuero'): Promise<string> => await within(async () => {
    const { room_id: room } = await anna.call('GET', `v3/directory/room/${encodeURIComponent(`#_zentrale_${slug}_${what}:${DOMAIN}`)}`)
    return await anna.join(String(room))
  })
  const berndsRoom = async (number: number): Promise<string> => {
    const asked = await bernd.until(`Bernd is asked into ${number}`, one =>
      String(one.getChild('x', 'jabber:x:conference')?.attrs.jid).startsWith(`_buergerbuero_${number}_`), READ_WITHIN_MS)
    const room = String(asked.getChild('x', 'jabber:x:conference')!.attrs.jid)
    await bernd.enter(room, 'Bernd')
    return room
  }
  const annaReads = (room: string, fits: RegExp) => anna.waitFor(room, String(fits), ({ type, sender, content }) =>
    type === 'm.room.message' && sender !== anna.userId && fits.test(String(content['body'])), READ_WITHIN_MS)
  const isFromAddress = (fits: RegExp) => (one: Element): boolean =>
    String(one.attrs.from).split('/')[0] === JID && fits.test(one.getChildText('body') ?? '')
  const evaReads = (text: string) => eva.waitFor(evasChat, text, ({ content, sender }) =>
    sender === MXID && (content['m.new_content'] as { body?: string } | undefined ?? content)['body'] === text, READ_WITHIN_MS)
  const evaSaw = async (): Promise<string[]> => (await eva.events(evasChat))
    .filter(({ type, sender }) => type === 'm.room.message' && sender === MXID).map(({ content }) => String(content['body']))

  before(async () => {
    town = await raiseTown({
      dir: dir('town'),
      addresses: [{ name: 'bürgerbüro', matrix: 'buergerbuero', more: {
        sms: { gateway: 'main', number: ADDRESS_NUMBER }, title: 'Bürgerbüro', automatic: { greeting: false, absence: false },
        team: [{ name: 'Anna', addresses: [`@anna:${DOMAIN}`] }, { name: 'Bernd', addresses: [`bernd@${DOMAIN}`] }]
      } }, { name: 'kasse', matrix: 'kasse', more: {
        title: 'Kasse', automatic: { greeting: false, absence: false }, undo_seconds: UNDO_SECONDS,
        team: [{ name: 'Anna', addresses: [`@anna:${DOMAIN}`] }]
      } }]
    })
    anna = town.people.anna
    bernd = town.people.bernd
    await bernd.comeOnline();
    [eva, mallory] = [await register('eva'), await register('mallory')];
    [paul, olga] = [town.smsc.phone('+491709998877'), town.smsc.phone('+491709998878')]
    await paul.type({ text: 'Ist mein Pass da?', to: ADDRESS_NUMBER })
    rooms[1] = await annasRoom(1)
    await annaReads(rooms[1], /Ist mein Pass da/)
    evasChat = await chatWithAddress(eva)
    await eva.send(evasChat, 'Brauche ich einen Termin?')
    rooms[2] = await annasRoom(2)
    inbox = await annasRoom('queue')
  })
  after(() => town?.stop())

  it('slips of both, in Matrix and in the MUC, reach no customer, and each is told', async () => {
    const muc = await berndsRoom(1)
    for (const text of SLIPS) await anna.send(rooms[1]!, text)
    for (const [index, text] of SLIPS.entries()) await bernd.say(muc, text, `slip-${index}`)
    await annaReads(rooms[1]!, /Meinten Sie !frei\?/)
    await bernd.until('Bernd is told', one => /Meinten Sie !frei\?/.test(one.getChildText('body') ?? ''), READ_WITHIN_MS)
    await annaReads(rooms[1]!, /\(Notiz\) .*ist schwierig/)
    await anna.send(rooms[1]!, '!übernehmen')
    await anna.send(rooms[1]!, '!a Ja, er ist da.')
    await paul.next(({ text }) => text === 'Ja, er ist da.', READ_WITHIN_MS)
    assert.deepEqual(paul.inbox.map(({ text }) => text), ['Ja, er ist da.'])
  })

  it('an answer edited into a note stays as it was for the customer, and its writer is told', async () => {
    const answer = await anna.send(rooms[2]!, 'Nein, kommen Sie einfach.')
    await evaReads('Nein, kommen Sie einfach.')
    await anna.edit(rooms[2]!, answer, '!n die ist schwierig')
    await annaReads(rooms[2]!, /Der Kontakt sieht weiterhin/)
    await anna.edit(rooms[2]!, answer, 'Nein, kommen Sie einfach so.')
    await evaReads('Nein, kommen Sie einfach so.')
    assert.deepEqual((await evaSaw()).filter(text => text.includes('schwierig')), [])
  })

  it('a command about somebody else never reaches the customer at hand: not past a colleague, not past STOP', async () => {
    const muc = await berndsRoom(2)
    const notice = 'Ihr Steuerbescheid liegt bereit.'
    await bernd.say(muc, '!einwilligung +491709998878 schriftlich am 3.5.', 'e-1')
    await bernd.say(muc, `!neu +491709998878 ${notice}`, 'n-1') // Anna has this case
    await olga.next(({ text }) => text === notice, READ_WITHIN_MS)
    await paul.type({ text: 'STOP', to: ADDRESS_NUMBER })
    await annaReads(rooms[1]!, /STOP/)
    await anna.send(rooms[1]!, '!neu +491709998878 Und die Rechnung.')
    await annaReads(rooms[1]!, /Nicht gesendet|nicht gesendet|hat den Vorgang/i) // Bernd has that case: it is held
    assert.deepEqual(olga.inbox.map(({ text }) => text), [notice])
    assert.deepEqual(paul.inbox.filter(({ text }) => /Steuer|Rechnung/.test(text)), [])
    assert.deepEqual((await evaSaw()).filter(text => /Steuer|Rechnung/.test(text)), [])
  })

  it('the inbox room and the direct chat send nothing without the number or a reply, and talk is for all of the team', async () => {
    await anna.send(inbox, 'Wer kennt diese Frau?')
    await bernd.until('Bernd reads the talk', isFromAddress(/Anna .*Wer kennt diese Frau\?/s), READ_WITHIN_MS)
    await bernd.client.send(xml('message', { to: JID, type: 'chat', id: 'plain' }, xml('body', {}, 'Ich nicht')))
    await bernd.until('Bernd is asked which', isFromAddress(/^Welcher Vorgang\?/), READ_WITHIN_MS)
    await anna.send(inbox, '#2 Bis morgen!')
    await evaReads('Bis morgen!')
    const { event_id: announced } = await annaReads(inbox, /^#2 /)
    await anna.send(inbox, { msgtype: 'm.text', body: 'Um acht.', 'm.relates_to': { 'm.in_reply_to': { event_id: announced } } })
    await evaReads('Um acht.')
    await anna.send(rooms[2]!, '!frei')
    await bernd.until('the case is free', one => /Anna hat den Vorgang freigegeben/.test(one.getChildText('body') ?? ''), READ_WITHIN_MS)
    const again = await bernd.until('free again', isFromAddress(/^#2 .* · 🔴/), READ_WITHIN_MS)
    const quotation = (again.getChildText('body') ?? '').split('\n').map(line => `> ${line}\n`).join('')
    await bernd.client.send(xml('message', { to: JID, type: 'chat', id: 'reply' }, xml('body', {}, `${quotation}Oder um neun.`),
      xml('reply', { xmlns: 'urn:xmpp:reply:0', id: again.attrs.id, to: JID })))
    await evaReads('Oder um neun.')
    const saw = await evaSaw()
    assert.deepEqual(saw.filter(text => /kennt|Ich nicht|#2|🔴|🟢/.test(text)), [])
  })

  it('a third person in a customer\'s chat is not the customer, and a command in a stranger\'s chat is not answered there', async () => {
    await eva.call('POST', `v3/rooms/${encodeURIComponent(evasChat)}/invite`, { user_id: mallory.userId })
    await mallory.join(evasChat)
    await mallory.send(evasChat, 'Bitte alles löschen')
    await eva.send(evasChat, 'Das war nicht ich')
    await annaReads(rooms[2]!, /Das war nicht ich/)
    const said = (await anna.events(rooms[2]!)).map(({ content }) => String(content['body']))
    assert.deepEqual(said.filter(text => text.includes('alles löschen')), [])
    const strange = await chatWithAddress(mallory)
    await mallory.call('POST', `v3/rooms/${encodeURIComponent(strange)}/invite`, { user_id: anna.userId })
    await anna.join(strange)
    await anna.send(strange, '!liste')
    await anna.send(strange, '#2 !status')
    await mallory.send(strange, 'Hallo?')
    await annaReads(await annasRoom(4), /Hallo\?/)
    const seen = (await mallory.events(strange)).filter(({ type, sender }) => type === 'm.room.message' && sender === MXID)
    assert.deepEqual(seen.map(({ content }) => content['body']), [])
  })

  /** Anna says two things, deletes one and corrects the other before they leave, and takes all back when they have. */
  const changesHerMind = async (room: string, arrived: () => Promise<unknown>): Promise<void> => {
    const oops = await anna.send(room, 'Das geht Sie nichts an.')
    const typo = await anna.send(room, 'Der Pass kostet 73 Euro.')
    await anna.redact(room, oops)
    await anna.edit(room, typo, 'Der Pass kostet 37 Euro.')
    await annaReads(room, /Zurückgenommen, bevor es gesendet wurde/)
    await arrived()
    await anna.redact(room, typo)
  }

  it('an answer deleted in time reaches no customer, and one edited in time reaches them once, as edited; later it is taken back there', async () => {
    const address = `@kasse:${DOMAIN}`
    const chat = await chatWithAddress(eva, address)
    await eva.send(chat, 'Was kostet ein Pass?')
    const isAnswer = ({ type, sender }: { type: string, sender: string }): boolean => type === 'm.room.message' && sender === address
    const evasRoom = await annasRoom(5, 'kasse')
    await changesHerMind(evasRoom, async () => {
      await eva.waitFor(chat, 'the answer', isAnswer, READ_WITHIN_MS)
      assert.deepEqual((await eva.events(chat)).filter(isAnswer).map(({ content }) => content['body']), ['Der Pass kostet 37 Euro.'])
    })
    await eva.waitFor(chat, 'the redaction', ({ type, sender }) => type === 'm.room.redaction' && sender === address, READ_WITHIN_MS)
    assert.equal((await eva.events(chat)).filter(isAnswer).length, 1)

    await town.xmpp.addUser('dora', PASSWORD)
    const dora = await startPerson(town.xmpp, 'dora', PASSWORD)
    await dora.comeOnline()
    const jid = `kasse@chat.${DOMAIN}`
    const heard = (): string[] => dora.heard.filter(one => one.is('message') && String(one.attrs.from).startsWith(jid))
      .flatMap(one => one.getChildText('body') ?? [])
    await dora.client.send(xml('message', { to: jid, type: 'chat', id: 'd-1' }, xml('body', {}, 'Was kostet ein Pass?')))
    const dorasRoom = await annasRoom(6, 'kasse')
    await changesHerMind(dorasRoom, () => dora.until('the answer', one => one.getChildText('body') === 'Der Pass kostet 37 Euro.', READ_WITHIN_MS))
    await dora.until('the retraction', one => one.getChild('retract', 'urn:xmpp:message-retract:1') !== undefined, READ_WITHIN_MS)
    assert.deepEqual(heard().filter(text => text.includes('Euro') || text.includes('nichts an')), ['Der Pass kostet 37 Euro.'])
    await dora.stop()
  })

  it('what is on a phone stays there, and whoever deletes it is told', async () => {
    const ute = town.smsc.phone('+491709998879')
    await ute.type({ text: 'Haben Sie auf?', to: ADDRESS_NUMBER })
    const room = await annasRoom(7)
    const answer = await anna.send(room, 'Nein.')
    await ute.next(({ text }) => text === 'Nein.', READ_WITHIN_MS)
    await anna.redact(room, answer)
    await annaReads(room, /Hier gelöscht; der Kontakt hat die Nachricht aber noch/)
  })

  it('a long message goes to another team whole, and who asks again in the same words after the case was closed is heard', async () => {
    const [bytes, words] = [72_000, 'Bitte rufen Sie mich an.']
    await town.xmpp.addUser('greta', PASSWORD)
    const greta = await startPerson(town.xmpp, 'greta', PASSWORD)
    const writes = (text: string, id: string): Promise<void> => greta.send(xml('message', { to: JID, type: 'chat', id }, xml('body', {}, text)))
    await writes('Satz. '.repeat(bytes / 6), 'g-1')
    await writes(words, 'g-2')
    await annaReads(await annasRoom(8), new RegExp(`^${words}`))
    await anna.send(await annasRoom(8), '!an kasse')
    const room = await annasRoom(8, 'kasse')
    await annaReads(room, new RegExp(`${words}$`))
    const told = (await anna.events(room)).map(({ content }) => String(content['body'])).filter(text => text.includes('Satz.'))
    assert.ok(told.join('').length > bytes - 100, `${told.length} messages hold ${told.join('').length} characters`)
    await anna.send(room, '!erledigt')
    await annaReads(room, /hat den Vorgang erledigt/)
    const before = (await anna.events(room)).length
    await writes(words, 'g-3')
    await within(async () => {
      const names = (await anna.events(room)).slice(before).filter(({ type }) => type === 'm.room.name').map(({ content }) => String(content['name']))
      assert.match(names.at(-1) ?? '', /🔴|🟢/)
    })
    await greta.stop()
  })
})
