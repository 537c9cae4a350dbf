/**
 * The town hall gives its `bürgerbüro` up: it is taken out of the config while a case is open on each network. Eva has Matrix, Carl XMPP,
 * Paul a phone; Anna of the team is on Matrix, Bernd on XMPP.
 */
import assert from 'node:assert/strict'
import { readFileSync, writeFileSync } from 'node:fs'
import { xml } from '@xmpp/client'
import { parse, stringify } from 'yaml'
import { PROGRAM, run } from '../../sandbox/servers/process'
import type { Phone } from '../../sandbox/smsc'
import { ADDRESS_NUMBER, DOMAIN, PASSWORD, raiseTown, type Town } from '../../sandbox/town'
import { makeMatrixPerson, type MatrixPerson } from '../support/matrix-person'
import { needs, scratch } from '../support/real'
import { chatWith, READ_WITHIN_MS } from '../support/story'
import { startPerson, type XmppPerson } from '../support/xmpp-person'

const MXID = `@buergerbuero:${DOMAIN}`
const JID = `bürgerbüro@chat.${DOMAIN}`
const OPEN = 'Automatische Nachricht: Bürgerbüro wird nicht weitergeführt. Neue Anliegen werden nicht mehr gelesen, ' +
  'Nachrichten zu Ihrem laufenden noch.'
const OVER = 'Automatische Antwort: Bürgerbüro wird nicht weitergeführt. Nachrichten werden hier nicht mehr gelesen.'
const TEAM = /^Die Adresse Bürgerbüro wird nicht weitergeführt\./

describe('a function address that leaves the config, on Synapse, Prosody and phones', () => {
  needs('synapse', 'prosody')
  const dir = scratch()
  let town: Town
  let anna: MatrixPerson, eva: MatrixPerson, bernd: XmppPerson, carl: XmppPerson, paul: Phone, nora: Phone
  let whole: string, evasChat: string
  const rooms = new Map<string, string>() // Anna's rooms by their purpose

  before(async () => {
    town = await raiseTown({
      dir: dir('town'),
      addresses: [{ name: 'bürgerbüro', matrix: 'buergerbuero', more: {
        sms: { gateway: 'main', number: ADDRESS_NUMBER }, title: 'Bürgerbüro', automatic: { greeting: false, absence: false },
        team: [{ name: 'Anna', addresses: [`@anna:${DOMAIN}`] }, { name: 'Bernd', addresses: [`bernd@${DOMAIN}`] }]
      } }]
    })
    whole = readFileSync(town.configPath, 'utf8')
    ;({ anna, bernd } = town.people)
    const user = await town.homeserver.createUser('eva', PASSWORD)
    eva = makeMatrixPerson(town.homeserver.url, user.userId, user.accessToken)
    await town.xmpp.addUser('carl', PASSWORD)
    carl = await startPerson(town.xmpp, 'carl', PASSWORD)
    paul = town.smsc.phone('+491709998877')
    nora = town.smsc.phone('+491709998866')
    for (const one of [bernd, carl]) await one.comeOnline()
  })
  after(async () => {
    await carl?.stop()
    await town?.stop()
  })

  /** The next start is with this address, or without. */
  const restartWith = async (address: boolean): Promise<void> => {
    await town.zentrale.stop()
    writeFileSync(town.configPath, address ? whole : stringify({ ...parse(whole) as object, function_addresses: [] }))
    await town.zentrale.restart()
  }
  /** What the check says, whatever its exit status. */
  const check = (): Promise<string> => run(process.execPath, [PROGRAM, '--config', town.configPath, 'check']).catch(String)

  const enter = async (what: number | 'queue'): Promise<string> => {
    const alias = `#_zentrale_buergerbuero_${what}:${DOMAIN}`
    for (const end = performance.now() + READ_WITHIN_MS; ;) {
      try {
        const { room_id: room } = await anna.call('GET', `v3/directory/room/${encodeURIComponent(alias)}`)
        rooms.set(String(what), await anna.join(String(room)))
        return rooms.get(String(what))!
      } catch (error) {
        if (performance.now() > end) throw error
        await new Promise(resolve => setTimeout(resolve, 100))
      }
    }
  }
  const isSaid = (body: string, text: string | RegExp): boolean => typeof text === 'string' ? body === text : text.test(body)
  const annaReads = (what: number | 'queue', text: string | RegExp) => anna.waitFor(rooms.get(String(what))!, `Anna reads ${text}`, event =>
    event.sender !== anna.userId && isSaid(String(event.content['body']), text), READ_WITHIN_MS)
  const evaReads = (text: string) => eva.waitFor(evasChat, `Eva reads ${text}`, ({ sender, content }) =>
    sender === MXID && content['body'] === text, READ_WITHIN_MS)
  const isFrom = (jid: unknown): boolean => String(jid).split('/')[0] === JID
  const chatReads = (who: XmppPerson, fits: (body: string) => boolean, what: string) => who.until(what, one =>
    one.is('message') && isFrom(one.attrs.from) && fits(one.getChildText('body') ?? ''), READ_WITHIN_MS)
  const carlWrites = (text: string, id: string) => carl.client.send(xml('message', { to: JID, type: 'chat', id }, xml('body', {}, text)))
  const paulReads = (text: string) => paul.next(one => one.from === ADDRESS_NUMBER && one.text === text, READ_WITHIN_MS)

  /** How often each contact was told that the address ends. */
  const told = async (): Promise<Record<string, number>> => {
    const count = (texts: string[], text: string | RegExp): number => texts.filter(one => isSaid(one, text)).length
    const bodies = async (person: MatrixPerson, room: string): Promise<string[]> =>
      (await person.events(room)).map(({ content }) => String(content['body']))
    const heard = (who: XmppPerson): string[] => who.heard.filter(one => isFrom(one.attrs.from)).map(one => one.getChildText('body') ?? '')
    return {
      eva: count(await bodies(eva, evasChat), OPEN), carl: count(heard(carl), OPEN), paul: count(paul.inbox.map(({ text }) => text), OPEN),
      anna: count(await bodies(anna, rooms.get('queue')!), TEAM), bernd: count(heard(bernd), TEAM)
    }
  }
  const ONCE = { eva: 1, carl: 1, paul: 1, anna: 1, bernd: 1 }

  it('has an open case on each network, and check has nothing to say of it', async () => {
    evasChat = await chatWith(eva, MXID)
    await eva.send(evasChat, 'Brauche ich einen Termin?')
    await enter(1)
    await carlWrites('Wann haben Sie offen?', 'carl-1')
    await enter(2)
    await paul.type({ text: 'Ist mein Pass da?', to: ADDRESS_NUMBER })
    await enter(3)
    await enter('queue')
    for (const [number, text] of [[1, 'Brauche ich einen Termin?'], [2, 'Wann haben Sie offen?'], [3, 'Ist mein Pass da?']] as const) {
      await annaReads(number, text)
    }
    assert.doesNotMatch(await check(), /not in the config any more/)
  })

  it('tells contacts and team once that it is over, and check says what is open', async () => {
    await restartWith(false)
    await Promise.all([
      evaReads(OPEN), chatReads(carl, body => body === OPEN, 'Carl is told'), paulReads(OPEN),
      annaReads('queue', TEAM), chatReads(bernd, body => TEAM.test(body), 'Bernd is told')
    ])
    assert.match(await check(), /! Function address bürgerbüro: is not in the config any more, and has 3 open cases\n/)
    await restartWith(false)
    assert.deepEqual(await told(), ONCE)
  })

  it('lets the team answer what is open, from either network, and shows them what those contacts still write', async () => {
    await eva.send(evasChat, 'Und jetzt?')
    await annaReads(1, 'Und jetzt?')
    await anna.send(rooms.get('1')!, 'Kommen Sie einfach.')
    await evaReads('Kommen Sie einfach.')
    await bernd.client.send(xml('message', { to: JID, type: 'chat', id: 'bernd-2' }, xml('body', {}, '#2 Bis 18 Uhr.')))
    await chatReads(carl, body => body === 'Bis 18 Uhr.', 'Carl reads the answer')
    await anna.send(rooms.get('3')!, 'Ja, er ist da.')
    await paulReads('Ja, er ist da.')
  })

  it('tells whoever writes anew, or after the end of their case, that nobody reads it', async () => {
    await nora.type({ text: 'Guten Tag', to: ADDRESS_NUMBER })
    await nora.next(one => one.from === ADDRESS_NUMBER && one.text === OVER, READ_WITHIN_MS)
    await anna.send(rooms.get('3')!, '!erledigt')
    await annaReads('queue', /#3 .* · ⚪ erledigt:/)
    await paul.type({ text: 'Noch etwas', to: ADDRESS_NUMBER })
    await paulReads(OVER)
    assert.match(await check(), /has 2 open cases\n/)
    assert.deepEqual(await told(), ONCE)
  })

  it('goes on with all of them when it is put back', async () => {
    await restartWith(true)
    await paul.type({ text: 'Wieder offen?', to: ADDRESS_NUMBER })
    await annaReads(3, 'Wieder offen?')
    await anna.send(rooms.get('3')!, 'Ja, wieder.')
    await paulReads('Ja, wieder.')
    await eva.send(evasChat, 'Danke!')
    await annaReads(1, 'Danke!')
    await nora.type({ text: 'Und ich?', to: ADDRESS_NUMBER })
    await enter(4)
    await annaReads(4, 'Und ich?')
    assert.doesNotMatch(await check(), /not in the config any more/)
    assert.deepEqual(await told(), ONCE)
  })
})
