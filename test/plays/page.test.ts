/**
 * The page of a team. Anna asks for it in her Matrix app, Bernd in his XMPP app, Clara and Olga in chats that are encrypted. Each gets a link for
 * themselves, opens it in Chromium, and works there; their colleagues and the contacts read in their apps what comes of it.
 */
import assert from 'node:assert/strict'
import { mkdirSync, readFileSync } from 'node:fs'
import { type Element, xml } from '@xmpp/client'
import type { Browser, Page } from 'playwright-core'
import type { Phone } from '../../sandbox/smsc'
import { ADDRESS_NUMBER, DOMAIN, PASSWORD, raiseTown, type Town } from '../../sandbox/town'
import { makeEncryptedPerson } from '../support/encrypted-person'
import { type Independent, startOmemo } from '../support/independent'
import { startChromium } from '../support/looks'
import { makeMatrixPerson, type MatrixPerson } from '../support/matrix-person'
import { until } from '../support/practice'
import { needs, scratch } from '../support/real'
import { enteredCase, READ_WITHIN_MS } from '../support/story'
import { startPerson, type XmppPerson } from '../support/xmpp-person'

const MXID = `@info:${DOMAIN}`
const JID = `info@chat.${DOMAIN}`
const ENCRYPTED = { type: 'm.room.encryption', state_key: '', content: { algorithm: 'm.megolm.v1.aes-sha2' } }

const acted = (xmppServer: 'prosody' | 'ejabberd'): void => {
  const dir = scratch()
  let town: Town
  let anna: MatrixPerson, clara: MatrixPerson, eva: MatrixPerson, bernd: XmppPerson, carl: XmppPerson, olga: Independent, paul: Phone
  let browser: Browser
  let evasChat: string, annasChat: string, annasLink: string
  let annasPage: Page

  before(async () => {
    const members = { Anna: `@anna:${DOMAIN}`, Bernd: `bernd@${DOMAIN}`, Clara: `@clara:${DOMAIN}`, Olga: `olga@${DOMAIN}` }
    town = await raiseTown({
      dir: dir('town'), xmppServer, language: 'en',
      addresses: [{ name: 'info', matrix: 'info', more: {
        title: 'Info', omemo: true, sms: { gateway: 'main', number: ADDRESS_NUMBER }, automatic: { greeting: false, absence: false },
        team: Object.entries(members).map(([name, address]) => ({ name, addresses: [address] }))
      } }]
    })
    ;({ anna, bernd } = town.people)
    const onMatrix = async (name: string): Promise<MatrixPerson> => {
      const { userId, accessToken } = await town.homeserver.createUser(name, PASSWORD)
      return makeMatrixPerson(town.homeserver.url, userId, accessToken)
    }
    ;[clara, eva] = [await onMatrix('clara'), await onMatrix('eva')]
    for (const name of ['carl', 'olga']) await town.xmpp.addUser(name, PASSWORD)
    carl = await startPerson(town.xmpp, 'carl', PASSWORD)
    for (const one of [bernd, carl]) await one.comeOnline()
    mkdirSync(dir('olga'))
    olga = await startOmemo(town.xmpp.c2sPort, `olga@${DOMAIN}/phone`, PASSWORD, dir('olga'))
    paul = town.smsc.phone('+491709998877')
    browser = await startChromium()
    evasChat = await chatWithAddress(eva)
    await eva.send(evasChat, 'Do I need an appointment?')
    await annaReads(await annasRoom(1), 'Do I need an appointment?')
    await carl.send(xml('message', { to: JID, type: 'chat', id: 'carl-1' }, xml('body', {}, 'When are you open?')))
    await annaReads(await annasRoom(2), 'When are you open?')
    await paul.type({ text: 'Is my passport there?', to: ADDRESS_NUMBER })
    await annaReads(await annasRoom(3), 'Is my passport there?')
  })
  after(async () => {
    await browser?.close()
    await olga?.stop()
    await carl?.stop()
    await town?.stop()
  })

  const annasRoom = (number: number): Promise<string> => enteredCase(anna, 'info', number, DOMAIN)
  const annaReads = (room: string, text: string) => anna.waitFor(room, `Anna reads ${text}`, ({ type, sender, content }) =>
    type === 'm.room.message' && sender !== anna.userId && content['body'] === text, READ_WITHIN_MS)
  const chatWithAddress = async (who: MatrixPerson, ...state: object[]): Promise<string> => {
    const room = await who.createRoom({ is_direct: true, preset: 'trusted_private_chat', invite: [MXID], initial_state: state })
    await who.waitFor(room, 'the address in the chat', ({ type, state_key: of, content }) =>
      type === 'm.room.member' && of === MXID && content['membership'] === 'join', READ_WITHIN_MS)
    return room
  }
  /** What is said to Anna in a chat after she wrote this. */
  const toldAnna = async (room: string, text: string): Promise<string> => {
    const asked = await anna.send(room, text)
    let answer: unknown
    await until(async () => {
      const events = await anna.events(room)
      const at = events.findIndex(({ event_id: id }) => id === asked)
      answer = events.slice(at + 1).find(({ type, sender }) => type === 'm.room.message' && sender !== anna.userId)?.content['body']
      return answer !== undefined
    }, `the answer to ${text}`, READ_WITHIN_MS)
    return String(answer)
  }
  const toldBernd = async (text: string): Promise<string> => {
    const before = bernd.heard.length
    await bernd.send(xml('message', { to: JID, type: 'chat', id: `bernd-${before}` }, xml('body', {}, text)))
    const answer = await bernd.until(`the answer to ${text}`, one => bernd.heard.indexOf(one) >= before && one.is('message') &&
      String(one.attrs.from).startsWith(JID) && one.getChild('body') !== undefined && one.getChild('replace') === undefined, READ_WITHIN_MS)
    return answer.getChildText('body') ?? ''
  }
  const linkIn = (text: string): string => {
    const [link] = /http:\/\/\S+\/link\/[\w-]{20}/.exec(text) ?? []
    assert.ok(link !== undefined, text)
    return link
  }
  /** A browser of somebody's own, at this address. */
  const opens = async (url: string): Promise<Page> => {
    const page = await (await browser.newContext({ locale: 'en-GB' })).newPage()
    await page.goto(url)
    return page
  }
  const logsIn = async (url: string): Promise<Page> => {
    const page = await opens(url)
    await page.click('main button')
    return page
  }
  /** Whose open cases are on the page, from top to bottom. */
  const shown = (page: Page): Promise<string[]> => page.locator('.cases .who').allInnerTexts()
  const rowOf = (page: Page, text: string) => page.locator('.cases tr', { hasText: text })
  /** What Bernd's app shows now of a case, in its line in his chat with the address. */
  const berndSees = (line: string): Promise<Element> => bernd.until(`Bernd sees ${line}`, one => one.getChildText('body') === line, READ_WITHIN_MS)

  it('Anna asks in her chat with the address; the link shows nothing but a button, and then who waits, the longest on top', async () => {
    annasChat = await chatWithAddress(anna)
    annasLink = linkIn(await toldAnna(annasChat, '!page'))
    annasPage = await opens(annasLink)
    assert.doesNotMatch(await annasPage.locator('main').innerText(), /Info|Anna|eva/)
    await annasPage.click('main button')
    assert.equal(new URL(annasPage.url()).pathname, '/inbox/info')
    assert.deepEqual(await shown(annasPage), ['eva', `carl@${DOMAIN}`, '+491709998877'])
    assert.match(await annasPage.locator('.counts').innerText(), /3 unanswered\s+3 open/)
    assert.equal(await rowOf(annasPage, 'eva').locator('.excerpt').innerText(), 'Do I need an appointment?')
  })

  it('the link lets nobody in twice, in the same browser or another, also after a restart', async () => {
    const same = await annasPage.context().newPage()
    await same.goto(annasLink)
    await same.click('main button')
    for (const page of [same, await logsIn(annasLink)]) {
      await page.getByText('This link does not work, or no longer.').waitFor()
      await page.close()
    }
    await town.zentrale.restart()
    const late = await logsIn(annasLink)
    await late.getByText('This link does not work, or no longer.').waitFor()
    await late.goto(`${town.operateUrl}/inbox/info`)
    assert.equal(new URL(late.url()).pathname, '/login')
    await annasPage.reload()
    assert.equal(new URL(annasPage.url()).pathname, '/login', 'sessions end with the process')
  })

  it('she takes a case there: colleagues see whose it is, she answers in her app, and the contact reads that and no more', async () => {
    annasPage = await logsIn(linkIn(await toldAnna(annasChat, '!page')))
    await rowOf(annasPage, 'eva').locator('button.take').click()
    await annasPage.getByText('in work').waitFor()
    const room = await annasRoom(1)
    await annaReads(room, 'Anna has taken #1.')
    await berndSees('#1 eva (Matrix) · 🟢 Anna: “Do I need an appointment?”')
    await anna.send(room, 'No, just come.')
    await eva.waitFor(evasChat, 'Eva reads it', ({ content, sender }) => content['body'] === 'No, just come.' && sender === MXID, READ_WITHIN_MS)
    await annasPage.locator('.record li.team', { hasText: 'No, just come.' }).waitFor() // the page is live
    assert.deepEqual((await eva.events(evasChat)).flatMap(({ type, content }) => type === 'm.room.message' ? [content['body']] : []),
      ['Do I need an appointment?', 'No, just come.'])
  })

  it('she closes it there: her colleagues see that too, and when the contact writes again, it is on the page again', async () => {
    await annasPage.click('button.done')
    await rowOf(annasPage, 'carl').waitFor()
    assert.deepEqual(await shown(annasPage), [`carl@${DOMAIN}`, '+491709998877'])
    await annaReads(await annasRoom(1), 'Anna has closed the case.')
    await bernd.until('Bernd sees that it is done', one => /^#1 eva \(Matrix\) · ⚪ done/.test(one.getChildText('body') ?? ''), READ_WITHIN_MS)
    await eva.send(evasChat, 'Also on Saturdays?')
    await rowOf(annasPage, 'Also on Saturdays?').waitFor()
    assert.deepEqual((await shown(annasPage)).sort(), ['+491709998877', `carl@${DOMAIN}`, 'eva'])
  })

  it('Bernd asks in his XMPP app, passes a case on to Anna, and takes the one from the phone', async () => {
    const page = await logsIn(linkIn(await toldBernd('!page')))
    await rowOf(page, 'carl').locator('td.number a').click()
    await page.selectOption('select', { label: 'Anna' })
    await page.click('button.assign')
    await rowOf(page, 'carl').getByText('Anna').waitFor()
    await annaReads(await annasRoom(2), 'Bernd has passed the case on to Anna.')
    await rowOf(page, '+491709998877').locator('button.take').click()
    await page.getByText('in work').waitFor()
    await annaReads(await annasRoom(3), 'Bernd has taken #3.')
    await anna.send(await annasRoom(2), 'From 9 to 6.')
    await carl.until('Carl reads it', one => one.getChildText('body') === 'From 9 to 6.' && String(one.attrs.from).startsWith(JID), READ_WITHIN_MS)
    await page.close()
  })

  it('nobody gets a link where others read along, nor a contact for themselves, and it stands in no log', async () => {
    const room = await annasRoom(3)
    await anna.send(room, '!page')
    await annaReads(room, 'The way to the page is for you alone: please write !page in your direct chat with Info.')
    await eva.send(evasChat, '!page')
    await annaReads(await annasRoom(1), '!page') // what contacts write is no command
    await carl.send(xml('message', { to: JID, type: 'chat', id: 'carl-page' }, xml('body', {}, '!page')))
    await annaReads(await annasRoom(2), '!page')
    for (const text of [JSON.stringify([await eva.events(evasChat), await anna.events(room)]), carl.heard.join(''),
      readFileSync(dir('town/zentrale.log'), 'utf8')]) assert.doesNotMatch(text, /\/link\//)
  })

  it('a link comes encrypted where the chat is, on Matrix and with OMEMO; what is a colleague\'s cannot be taken until they give it up', async () => {
    const app = await makeEncryptedPerson(clara)
    const chat = await chatWithAddress(clara, ENCRYPTED)
    await app.say(chat, '!page')
    const { event, read } = await app.reads(chat, 'Clara\'s link', ({ content }) => String(content['body']).includes('/link/'))
    assert.deepEqual([event.type, read.shield], ['m.room.encrypted', ''])
    olga.does('say', { to: JID, text: '!page' })
    const { text } = await olga.sees('Olga\'s link', one => one['encrypted'] === true && String(one['text']).includes('/link/'))
    const [clarasPage, olgasPage] = [await logsIn(linkIn(String(read.content['body']))), await logsIn(linkIn(String(text)))]
    for (const page of [clarasPage, olgasPage]) await rowOf(page, 'eva').locator('td.number a').click()
    await clarasPage.click('button.take')
    await clarasPage.getByText('Nothing done: Anna has the case.').waitFor()
    await rowOf(annasPage, 'eva').locator('td.number a').click()
    await annasPage.click('button.release')
    await olgasPage.locator('.fields', { hasText: 'nobody' }).waitFor() // it is live
    await olgasPage.click('button.take')
    await annaReads(await annasRoom(1), 'Olga has taken #1.')
  })
}

for (const xmppServer of ['prosody', 'ejabberd'] as const) {
  describe(`the page of a team, on Synapse and ${xmppServer}`, () => {
    needs('synapse', xmppServer, 'slixmppOmemo', 'chromium')
    acted(xmppServer)
  })
}
