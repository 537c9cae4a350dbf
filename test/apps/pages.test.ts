/** The pages as somebody has them in a browser, on a desk and on a phone, by day and by night, in both languages, with script and without. */
import assert from 'node:assert/strict'
import type { Browser } from 'playwright-core'
import { makeRoster } from '../../src/desk/address'
import { systemClock } from '../../src/lib/clock'
import { Refused } from '../../src/model/errors'
import { KINDS } from '../../src/networks/kinds'
import { loadAddressConfig } from '../support/config'
import { isForEverybody, lookingWith, LOOKS, startChromium } from '../support/looks'
import { type LinkPagesStarted, type PagesStarted, serveLinkPages, startPages, TOKEN } from '../support/pages'
import { needs } from '../support/real'

describe('the pages in Chromium', () => {
  needs('chromium')
  let all: PagesStarted
  let forAll: LinkPagesStarted
  let browser: Browser
  interface Cookie { name: string, value: string, url: string }
  let session: Cookie, anna: Cookie

  before(async () => {
    all = await startPages({ address: { profile: { name: 'Bürgerbüro Musterstadt', about: '' } } })
    browser = await startChromium()
    const names = ['Eva Müller', 'Friedrich Schmidt-Hohenlohe von und zu Langenfeld-Musterhausen', 'محمد علي', '<img src=x onerror=alert(1)>']
    for (const [index, name] of names.entries()) await all.writes(`red:${index}`, 'Guten Tag, wann haben Sie am Samstag offen?', name)
    await all.red.say('werkstatt-1', '@anna', 'Ab 9 Uhr.')
    await all.red.say('werkstatt-2', '@anna', '!label Reisepass')
    all.blue.onSend = ({ place }) => { if (place.id === 'room') throw new Refused('the room does not exist any more') }
    await all.red.say('hall', '@carl', 'Hello')
    all.observer.connection('red', 'homeserver', true)
    all.observer.connection('blue', 'component', false, 'connect ECONNREFUSED')
    const cookieOf = (text: string): Cookie => {
      const [name = '', value = ''] = text.split('=')
      return { name, value, url: all.url }
    }
    forAll = await serveLinkPages(makeRoster(loadAddressConfig(address => { address.page = true }).addresses), KINDS, systemClock)
    session = cookieOf(await all.logIn()) // each login counts as a try
    anna = cookieOf(await all.enter('Anna'))
  })
  after(async () => {
    await browser?.close()
    await forAll?.stop()
    await all?.stop()
  })

  for (const look of LOOKS) {
    it(`are for everybody on a ${look.device}, ${look.colorScheme}, in ${look.locale}`, async () => {
      const context = await lookingWith(browser, look)
      const page = await context.newPage()
      const isWell = (what: string): Promise<void> => isForEverybody(page, what, look)
      await page.goto(`${all.url}/`)
      await isWell('login')
      await context.addCookies([session])
      await page.goto(`${all.url}/`)
      await page.locator('#live.live').waitFor()
      await isWell('overview')
      await page.goto(`${all.url}/queue?state=failed`)
      await isWell('queue')
      await page.click('.rows td.number a')
      await isWell('message')
      await page.goto(`${all.url}/reports`)
      await isWell('reports')
      await page.goto(`${all.url}/inbox/werkstatt`)
      await isWell('inbox-operator')
      await context.addCookies([anna])
      await page.goto(`${all.url}/inbox/werkstatt`)
      await page.locator('#live.live').waitFor()
      await isWell('inbox')
      await page.click('.cases td.number a >> nth=0')
      await isWell('case')
      await page.goto(`${all.url}/link/${'x'.repeat(20)}`)
      await isWell('link')
      await page.goto(`${forAll.url}/to/buergerbuero`)
      await isWell('public')
      await context.close()
    })
  }

  it('show what happens as it happens, and run no script of anybody else', async () => {
    const page = await browser.newPage()
    const wrong: string[] = []
    page.on('pageerror', error => wrong.push(error.message))
    page.on('console', message => { if (message.type() === 'error') wrong.push(message.text()) })
    page.on('dialog', dialog => { wrong.push(dialog.message()) })
    const asked: string[] = []
    page.on('request', one => asked.push(new URL(one.url()).origin))
    await page.goto(`${all.url}/login`)
    await page.fill('#token', TOKEN)
    await page.click('main button')
    await page.locator('#live.live').waitFor()
    await all.writes('red:live', 'Hello', 'Nina <script>alert(3)</script>')
    await page.locator('.who', { hasText: 'Nina' }).waitFor()
    all.observer.connection('blue', 'component', true)
    await page.getByText(/All is well/).waitFor()
    assert.deepEqual(wrong, [])
    assert.deepEqual([...new Set(asked)], [all.url])
    assert.equal(await page.evaluate('document.cookie'), '', 'scripts see no cookie')
    await page.close()
  })

  it('change around whoever is at the keyboard, and leave the focus where it is', async () => {
    const context = await browser.newContext()
    await context.addCookies([anna])
    const page = await context.newPage()
    await page.goto(`${all.url}/inbox/werkstatt`)
    await page.locator('#live.live').waitFor()
    const link = page.locator('tr', { hasText: 'Eva Müller' }).locator('a').first()
    await link.focus()
    await all.writes('red:while', 'Hello', 'Meanwhile')
    await page.locator('tr', { hasText: 'Meanwhile' }).waitFor()
    assert.equal(await page.evaluate('document.activeElement.getAttribute("href")'), await link.getAttribute('href'))
    await context.close()
  })

  it('do everything without a script', async () => {
    const context = await browser.newContext({ javaScriptEnabled: false, locale: 'en-GB' })
    const page = await context.newPage()
    await page.goto(`${all.url}/login`)
    await page.fill('#token', 'wrong')
    await page.click('main button')
    await page.getByText('This is not the token.').waitFor()
    await page.fill('#token', TOKEN)
    await page.click('main button')
    await page.click('.decide a')
    await page.click('.rows td.number a')
    await page.click('text=Show text and whole numbers')
    assert.equal(await page.locator('blockquote').innerText(), 'Hello')
    all.blue.onSend = () => {}
    await page.click('button.retry')
    await page.getByText('None.').waitFor()
    await page.click('text=Deutsch')
    await page.getByText('Keine.').waitFor()
    await page.click('text=Abmelden')
    await page.getByLabel('Token').waitFor()
    await context.close()
  })

  it('let a team work without a script: in by the link, a case taken, passed on and closed', async () => {
    const context = await browser.newContext({ javaScriptEnabled: false, locale: 'en-GB' })
    const page = await context.newPage()
    await page.goto(all.url + await all.linkOf('Anna'))
    await page.click('main button')
    await page.locator('tr', { hasText: 'Eva Müller' }).locator('td.number a').click()
    await page.getByText('Ab 9 Uhr.').waitFor()
    await page.selectOption('select', { label: 'Bernd' })
    await page.click('button.assign')
    await page.locator('tr', { hasText: 'Eva Müller' }).getByText('Bernd').waitFor()
    await page.locator('tr', { hasText: 'محمد علي' }).locator('button.take').click()
    await page.click('button.done')
    await page.locator('tr', { hasText: 'Eva Müller' }).waitFor()
    assert.equal(await page.locator('tr', { hasText: 'محمد علي' }).count(), 0)
    await context.close()
  })
})
