/**
 * The pages of a running town: real servers, people who write on three networks, an address with cases of all kinds, an answer that could not be
 * sent, and a link that is down. `npm run shots` leaves pictures of them.
 */
import assert from 'node:assert/strict'
import { isDeepStrictEqual } from 'node:util'
import { xml } from '@xmpp/client'
import type { Browser, Cookie, Page } from 'playwright-core'
import { ADDRESS_NUMBER, DOMAIN, PASSWORD, raiseTown, type Town } from '../../sandbox/town'
import { isForEverybody, lookingWith, LOOKS, startChromium } from '../support/looks'
import { type Json, makeMatrixPerson, type MatrixPerson } from '../support/matrix-person'
import { until } from '../support/practice'
import { needs, scratch } from '../support/real'
import { enteredCase, READ_WITHIN_MS, type Story, storyOf } from '../support/story'
import { startPerson } from '../support/xmpp-person'

const MXID = `@buergerbuero:${DOMAIN}`
const HOSTILE = '<img src=x onerror=alert(1)>'
const LONG = 'Friedrich Schmidt-Hohenlohe von und zu Langenfeld-Musterhausen'
const OPERATORS = {
  overview: '/', queue: '/queue?state=failed', waiting: '/queue?state=waiting', reports: '/reports?name=bürgerbüro', empty: '/inbox/bauhof'
}
const TEAMS = { inbox: '/inbox/bürgerbüro', case: '/case/1', hostile: '/case/3' }
const NO_SUCH_NUMBER = 0x0b
const SAID = { anna: 9, bernd: 6, max: 4 }

describe('the pages of a running town', () => {
  needs('synapse', 'prosody', 'chromium')
  const dir = scratch()
  let town: Town
  let story: Story
  let browser: Browser
  let anna: MatrixPerson
  let operator: Page // shows the overview all the while

  before(async () => {
    const hours = Object.fromEntries(['mon', 'tue', 'wed', 'thu', 'fri'].map(day => [day, ['8:00-12:00', '13:00-17:00']]))
    town = await raiseTown({
      dir: dir('town'),
      addresses: [
        { name: 'bürgerbüro', matrix: 'buergerbuero', more: {
          title: 'Bürgerbüro Musterstadt', about: 'Ausweise, Anmeldung, Auskünfte', page: true, website: 'https://www.example.org/buergerbuero',
          imprint: 'https://www.example.org/impressum', privacy: 'https://www.example.org/datenschutz', hours,
          sms: { gateway: 'main', number: ADDRESS_NUMBER }, automatic: { greeting: false, absence: false },
          team: [{ name: 'Anna Arnold', addresses: [`@anna:${DOMAIN}`] }, { name: 'Bernd Berger', addresses: [`bernd@${DOMAIN}`] }]
        } },
        { name: 'bauhof', matrix: 'bauhof', more: { title: 'Bauhof', team: [{ name: 'Bernd Berger', addresses: [`bernd@${DOMAIN}`] }] } }
      ]
    })
    story = storyOf(town)
    ;({ anna } = town.people)
    await town.people.bernd.comeOnline()
    browser = await startChromium()
    operator = await (await browser.newContext({ locale: 'en-GB' })).newPage()
    await logIn(operator)
  })
  after(async () => {
    await browser?.close()
    await town?.stop()
  })

  const logIn = async (page: Page): Promise<void> => {
    await page.goto(`${town.operateUrl}/login`)
    await page.fill('#token', town.token)
    await page.click('main button')
    await page.locator('#live.live').waitFor()
  }
  type Counts = Record<string, number>
  /** What came in and went out since the start: as the overview shows it now, and as /metrics says. */
  const shown = async (): Promise<Counts> => Object.fromEntries(await operator.locator('[data-total]').evaluateAll(all =>
    all.map(one => [one.getAttribute('data-total'), Number(one.textContent)]))) as Counts
  const counted = async (): Promise<Counts> => {
    const text = await town.metrics()
    return Object.fromEntries([['in', 'arrivals', 'stored'], ['out', 'deliveries', 'done']].flatMap(([way, name, outcome]) =>
      ['matrix', 'xmpp', 'sms'].map(network => [`${network} ${way}`,
        Number(new RegExp(`^zentrale_${name}_total\\{network="${network}",outcome="${outcome}"\\} (\\d+)$`, 'm').exec(text)?.[1] ?? 0)])))
  }

  const receipts = async (): Promise<number> => Number(/^zentrale_receipts_total\{network="sms",outcome="delivered"\} (\d+)$/m
    .exec(await town.metrics())?.[1] ?? 0)

  /** What the overview shows and /metrics tells, once both are the same, so much has gone out, and each SMS has its receipt. */
  const settled = async (out: Counts): Promise<Counts> => {
    let now: Record<string, Counts | number> = {}
    let counts: Counts = {}
    await until(async () => {
      counts = await counted()
      now = { counted: counts, shown: await shown(), receipts: await receipts() }
      return isDeepStrictEqual(counts, now['shown']) && Object.entries(out).every(([way, most]) => counts[way]! >= most) &&
        now['receipts'] === counts['sms out']
    }, () => `what is shown is what was counted, with ${JSON.stringify(out)} out and a receipt for each SMS: ${JSON.stringify(now)}`, READ_WITHIN_MS)
    return counts
  }

  it('show the throughput that /metrics tells, and that is what people have sent', async () => {
    await story.allIsWell('zuerst')
    const before = await settled({})
    const { anna: annas, bernd: bernds, max: maxs } = SAID
    for (let n = 1; n <= annas; n++) await story.annaSays(`Anna ${n}`)
    for (let n = 1; n <= bernds; n++) await story.berndSays(`Bernd ${n}`)
    for (let n = 1; n <= maxs; n++) await story.maxTypes(`Max ${n}`)
    const texts = { 'matrix out': bernds + maxs, 'xmpp out': annas + maxs, 'sms out': annas + bernds }
    const after = await settled(Object.fromEntries(Object.entries(texts).map(([way, count]) => [way, before[way]! + count])))
    assert.deepEqual(Object.fromEntries(Object.entries(after).map(([way, count]) => [way, count - before[way]!])),
      { 'matrix in': annas, 'xmpp in': bernds, 'sms in': maxs + texts['sms out'], ...texts }, 'receipts come in too')
    const annaHas = (await anna.events(town.room)).filter(({ content }) => /^(Bernd|Max) \d/.test(String(content['body'])))
    assert.equal(annaHas.length, bernds + maxs)
  })

  describe('with cases of all kinds, an answer that was refused, and a link that is down', () => {
    let cookies: Cookie[]
    before(async () => { cookies = [await annasCookie(await happen()), (await operator.context().cookies())[0]!] })

    /** Somebody writes to the address from Matrix, under this name. */
    const writes = async (user: string, name: string, content: string | Json): Promise<MatrixPerson> => {
      const { userId, accessToken } = await town.homeserver.createUser(user, PASSWORD)
      const person = makeMatrixPerson(town.homeserver.url, userId, accessToken)
      await person.call('PUT', `v3/profile/${encodeURIComponent(userId)}/displayname`, { displayname: name })
      await person.send(await chatOf(person), content)
      return person
    }
    const chatOf = async (person: MatrixPerson): Promise<string> => {
      const room = await person.createRoom({ is_direct: true, preset: 'trusted_private_chat', invite: [MXID] })
      await person.waitFor(room, 'the address in the chat', ({ type, state_key: of, content }) =>
        type === 'm.room.member' && of === MXID && content['membership'] === 'join', READ_WITHIN_MS)
      return room
    }
    const inCase = async (number: number, ...texts: string[]): Promise<void> => {
      const room = await enteredCase(anna, 'buergerbuero', number, DOMAIN)
      for (const text of texts) await anna.send(room, text)
    }
    /** Returns Anna's chat with the address. */
    const happen = async (): Promise<string> => {
      await writes('eva', 'Eva Müller', 'Guten Tag, wann haben Sie am Samstag offen?')
      await inCase(1, '!n Hat gestern angerufen.', 'Guten Tag Frau Müller, von 9 bis 12 Uhr.')
      await writes('friedrich', LONG, 'Mein Reisepass ist abgelaufen. Brauche ich für einen neuen wieder ein Lichtbild, und was kostet er?')
      await inCase(2, '!label Reisepass', '!take')
      const hostile = await writes('mallory', HOSTILE, `</bdi><script>alert(2)</script> ${HOSTILE}`)
      const url = await hostile.upload(Buffer.from('%PDF-1.4'), 'application/pdf')
      const [room] = (await hostile.call('GET', 'v3/joined_rooms'))['joined_rooms'] as string[]
      await hostile.send(room!, { msgtype: 'm.file', body: `${HOSTILE}.pdf`, url, info: { mimetype: 'application/pdf', size: 8 } })
      await inCase(3, `!label ${HOSTILE}`)
      await writes('mohammed', 'محمد علي', 'صباح الخير، هل المكتب مفتوح يوم السبت؟')
      await enteredCase(anna, 'buergerbuero', 4, DOMAIN)
      await town.xmpp.addUser('carl', PASSWORD)
      const carl = await startPerson(town.xmpp, 'carl', PASSWORD)
      await carl.comeOnline()
      await carl.send(xml('message', { to: `bürgerbüro@chat.${DOMAIN}`, type: 'chat', id: 'c1' }, xml('body', {}, 'Wo melde ich meinen Hund an?')))
      await enteredCase(anna, 'buergerbuero', 5, DOMAIN)
      await carl.stop()
      await town.smsc.phone('+491709998877').type({ text: 'Ist mein Pass da?', to: ADDRESS_NUMBER })
      Object.assign(town.smsc.faults, { refuse: { status: NO_SUCH_NUMBER, times: 1 } })
      await inCase(6, 'Ja, seit heute.')
      await until(async () => /^zentrale_deliveries_total\{network="sms",outcome="failed"\} 1$/m.test(await town.metrics()), 'it has failed')
      await town.smsc.down()
      await story.annaSays('Hört Max das noch?')
      return await chatOf(anna)
    }
    const annasCookie = async (chat: string): Promise<Cookie> => {
      await anna.send(chat, '!seite')
      const { content } = await anna.waitFor(chat, 'the link', one => String(one.content['body']).includes('/link/'), READ_WITHIN_MS)
      const page = await (await browser.newContext()).newPage()
      await page.goto(/http\S+/.exec(String(content['body']))![0])
      await page.click('main button')
      return (await page.context().cookies())[0]!
    }

    for (const look of LOOKS) {
      it(`are for everybody on a ${look.device}, ${look.colorScheme}, in ${look.locale}`, async () => {
        const context = await lookingWith(browser, look)
        const page = await context.newPage()
        page.on('dialog', dialog => { throw new Error(dialog.message()) })
        const isWell = async (what: string, path: string, at = town.operateUrl): Promise<void> => {
          await page.goto(at + path)
          await isForEverybody(page, `town-${what}`, look)
        }
        await isWell('login', '/login')
        await isWell('link', `/link/${'x'.repeat(20)}`)
        await isWell('public', '/to/buergerbuero', town.mediaUrl)
        const [annas, operators] = cookies
        await context.addCookies([operators!])
        for (const [what, path] of Object.entries(OPERATORS)) await isWell(what, path)
        await context.addCookies([annas!])
        for (const [what, path] of Object.entries(TEAMS)) await isWell(what, path)
        await context.close()
      })
    }
  })
})
