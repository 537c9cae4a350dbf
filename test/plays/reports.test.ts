/** A town hall's month: the report says what people on Matrix, XMPP and a phone wrote and were answered, over kill -9. */
import assert from 'node:assert/strict'
import { xml } from '@xmpp/client'
import { PROGRAM, run } from '../../sandbox/servers/process'
import type { Phone } from '../../sandbox/smsc'
import { ADDRESS_NUMBER, DOMAIN, PASSWORD, raiseTown, type Town } from '../../sandbox/town'
import { ask } from '../../src/lib/ask'
import { systemClock } from '../../src/lib/clock'
import type { Report } from '../../src/reports/report'
import { makeMatrixPerson, type MatrixPerson } from '../support/matrix-person'
import { needs, scratch } from '../support/real'
import { READ_WITHIN_MS } from '../support/story'
import { startPerson, type XmppPerson } from '../support/xmpp-person'

const MXID = `@buergerbuero:${DOMAIN}`
const JID = `bürgerbüro@chat.${DOMAIN}`
const MANY = 12
const RETRY_MS = 100
const LONG = 'Ihr Pass liegt bereit, bitte bringen Sie den alten mit. '.repeat(5) // two segments

describe('the report of an address, on Synapse, Prosody and phones', () => {
  needs('synapse', 'prosody')
  const dir = scratch()
  let town: Town
  let anna: MatrixPerson, eva: MatrixPerson, carl: XmppPerson, paul: Phone
  let chat: string, month: string

  before(async () => {
    town = await raiseTown({
      dir: dir('town'), language: 'en',
      addresses: [{ name: 'bürgerbüro', matrix: 'buergerbuero', more: {
        sms: { gateway: 'main', number: ADDRESS_NUMBER }, automatic: { greeting: false }, team: [{ name: 'Anna', addresses: [`@anna:${DOMAIN}`] }]
      } }]
    })
    ;({ anna } = town.people)
    month = new Intl.DateTimeFormat('sv-SE', { timeZone: 'Europe/Berlin', year: 'numeric', month: '2-digit' }).format(systemClock.now())
    const user = await town.homeserver.createUser('eva', PASSWORD)
    eva = makeMatrixPerson(town.homeserver.url, user.userId, user.accessToken)
    await town.xmpp.addUser('carl', PASSWORD)
    carl = await startPerson(town.xmpp, 'carl', PASSWORD)
    await carl.comeOnline()
    paul = town.smsc.phone('+491709998877')
  })
  after(async () => {
    await carl?.stop()
    await town?.stop()
  })

  const within = async <T>(work: () => Promise<T>): Promise<T> => {
    for (const end = performance.now() + READ_WITHIN_MS; ;) {
      try {
        return await work()
      } catch (error) {
        if (performance.now() > end) throw error
        await new Promise(resolve => setTimeout(resolve, RETRY_MS))
      }
    }
  }
  const roomOf = (number: number): Promise<string> => within(async () => {
    const alias = `#_zentrale_buergerbuero_${number}:${DOMAIN}`
    return await anna.join(String((await anna.call('GET', `v3/directory/room/${encodeURIComponent(alias)}`))['room_id']))
  })
  /** Others said these here, once each. */
  const reads = (who: MatrixPerson, room: string, ...bodies: string[]): Promise<void> => within(async () => {
    const said = (await who.events(room)).filter(({ type, sender }) => type === 'm.room.message' && sender !== who.userId)
      .map(({ content }) => String(content['body']))
    assert.deepEqual(said.filter(body => bodies.includes(body)), bodies)
  })
  const report = async (): Promise<Report> =>
    (await ask(systemClock, `${town.operateUrl}/admin/reports/b%C3%BCrgerb%C3%BCro?month=${month}`, { token: town.token })).body as Report

  it('people write and are answered, and Zentrale is killed in the middle', async () => {
    chat = await eva.createRoom({ is_direct: true, preset: 'trusted_private_chat', invite: [MXID] })
    await eva.waitFor(chat, 'the address in the chat', ({ type, state_key: who, content }) =>
      type === 'm.room.member' && who === MXID && content['membership'] === 'join', READ_WITHIN_MS)
    await eva.send(chat, 'Frage 0')
    const first = await roomOf(1)
    await reads(anna, first, 'Frage 0')
    for (let n = 1; n < MANY; n++) {
      await Promise.all([eva.send(chat, `Frage ${n}`), anna.send(first, `Antwort ${n}`)])
      if (n === MANY / 2) await town.zentrale.kill()
    }
    await town.zentrale.restart()
    const numbers = Array.from({ length: MANY - 1 }, (_, n) => n + 1)
    await Promise.all([reads(anna, first, ...numbers.map(n => `Frage ${n}`)), reads(eva, chat, ...numbers.map(n => `Antwort ${n}`))])
    await carl.client.send(xml('message', { to: JID, type: 'chat', id: 'carl-1' }, xml('body', {}, 'Wann haben Sie offen?')))
    await reads(anna, await roomOf(2), 'Wann haben Sie offen?')
    await paul.type({ text: 'Ist mein Pass da?', to: ADDRESS_NUMBER })
    const third = await roomOf(3)
    await reads(anna, third, 'Ist mein Pass da?')
    await anna.send(third, LONG)
    await paul.next(({ text }) => text.startsWith('Ihr Pass liegt bereit'), READ_WITHIN_MS)
    await anna.send(third, '!label Pass')
    await anna.send(third, '!done')
    await within(async () => assert.equal((await report()).closed, 1))
  })

  it('says what they wrote and were answered, by network and hour, and so do the metrics, over another kill', async () => {
    await town.zentrale.kill()
    await town.zentrale.restart()
    const { hours, labels, firstAnswer, closing, ...made } = await report()
    const sent = { in: { matrix: MANY, sms: 1, xmpp: 1 }, out: { matrix: MANY - 1, sms: 1 } }
    assert.deepEqual({ in: made.in, out: made.out, parts: made.parts }, { ...sent, parts: { sms: 2 } })
    for (const way of ['in', 'out'] as const) {
      const all = hours.flatMap(hour => Object.values(hour[way])).reduce((sum, count) => sum + count, 0)
      assert.equal(all, Object.values(sent[way]).reduce((sum, count) => sum + count, 0))
    }
    assert.deepEqual([made.opened, made.closed, made.claimsLost, made.failed, firstAnswer.count, closing.count, labels],
      [3, 1, 0, 0, 2, 1, [{ label: 'Pass', count: 1 }]])
    const metrics = await town.metrics()
    const total = (name: string, label: string): number =>
      Number(new RegExp(`^zentrale_address_${name}\\{address="bürgerbüro",${label}\\} (\\d+)$`, 'm').exec(metrics)?.[1])
    assert.deepEqual([
      total('messages_total', 'what="in"'), total('messages_total', 'what="out"'), total('cases_total', 'what="opened"'),
      total('parts_total', 'network="sms"'), total('first_answer_seconds_count', 'hours="wall"'), total('closing_seconds_count', 'hours="business"')
    ], [MANY + 2, MANY, 3, 2, 2, 1])
  })

  it('is printed as a table, while Zentrale runs and while it does not', async () => {
    const printed = (): Promise<string> => run(process.execPath, [PROGRAM, '--config', town.configPath, 'report', 'bürgerbüro', '--month', month])
    const text = await printed()
    assert.match(text, new RegExp(`messages of contacts, Matrix +${MANY}\\n`))
    await town.zentrale.stop()
    assert.equal(await printed(), text)
  })
})
