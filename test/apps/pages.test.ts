/** The pages as somebody has them in a browser, on a desk and on a phone, by day and by night, in both languages, with script and without. */
import assert from 'node:assert/strict'
import { readFileSync } from 'node:fs'
import { mkdir } from 'node:fs/promises'
import { join } from 'node:path'
import { type Browser, chromium, type Page } from 'playwright-core'
import { makeRoster } from '../../src/desk/address'
import { systemClock } from '../../src/lib/clock'
import { Refused } from '../../src/model/errors'
import { KINDS } from '../../src/networks/kinds'
import { loadAddressConfig } from '../support/config'
import { CHROMIUM } from '../support/converse'
import { type LinkPagesStarted, type PagesStarted, serveLinkPages, startPages, TOKEN } from '../support/pages'
import { needs } from '../support/real'

const AXE = readFileSync(require.resolve('axe-core/axe.min.js'), 'utf8')
const SHOTS = process.env['SHOTS']
const DEVICES = { desk: { width: 1280, height: 900 }, phone: { width: 390, height: 844 } }
const LOOKS = (['desk', 'phone'] as const).flatMap(device => (['light', 'dark'] as const).flatMap(colorScheme =>
  (['de-DE', 'en-GB'] as const).map(locale => ({ device, colorScheme, locale }))))

interface Violation { id: string; nodes: { html: string, failureSummary: string }[] }

describe('the pages in Chromium', () => {
  needs('chromium')
  let all: PagesStarted
  let forAll: LinkPagesStarted
  let browser: Browser
  interface Cookie { name: string, value: string, url: string }
  let session: Cookie, anna: Cookie

  before(async () => {
    all = await startPages({ address: { profile: { name: 'Bürgerbüro Musterstadt', about: '' } } })
    browser = await chromium.launch({ executablePath: CHROMIUM, args: ['--no-sandbox', '--disable-gpu'] })
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
    if (SHOTS !== undefined) await mkdir(SHOTS, { recursive: true })
  })
  after(async () => {
    await browser?.close()
    await forAll?.stop()
    await all?.stop()
  })

  /** What is wrong with the page for people who do not see, or hardly: nothing. */
  const isAccessible = async (page: Page, name: string): Promise<void> => {
    await page.evaluate(AXE)
    const { violations } = await page.evaluate('axe.run()') as { violations: Violation[] }
    assert.deepEqual(violations.map(({ id, nodes }) => `${name}: ${id}: ${nodes.map(({ html }) => html).join(' ')}`), [])
    assert.equal(await page.evaluate('document.documentElement.scrollWidth - document.documentElement.clientWidth'), 0, `${name} is too wide`)
    if (SHOTS !== undefined) await page.screenshot({ path: join(SHOTS, `${name}.png`), fullPage: true })
  }

  for (const { device, colorScheme, locale } of LOOKS) {
    it(`are for everybody on a ${device}, ${colorScheme}, in ${locale}`, async () => {
      const context = await browser.newContext({ viewport: DEVICES[device], colorScheme, locale, bypassCSP: true }) // for axe, which is not ours
      const page = await context.newPage()
      const name = (what: string): string => `${what}-${device}-${colorScheme}-${locale.slice(0, 2)}`
      await page.goto(`${all.url}/`)
      await isAccessible(page, name('login'))
      await context.addCookies([session])
      await page.goto(`${all.url}/`)
      await page.locator('#live.live').waitFor()
      await isAccessible(page, name('overview'))
      await page.goto(`${all.url}/queue?state=failed`)
      await isAccessible(page, name('queue'))
      await page.click('.rows td.number a')
      await isAccessible(page, name('message'))
      await page.goto(`${all.url}/reports`)
      await isAccessible(page, name('reports'))
      await page.goto(`${all.url}/inbox/werkstatt`)
      await isAccessible(page, name('inbox-operator'))
      await context.addCookies([anna])
      await page.goto(`${all.url}/inbox/werkstatt`)
      await page.locator('#live.live').waitFor()
      await isAccessible(page, name('inbox'))
      await page.click('.cases td.number a >> nth=0')
      await isAccessible(page, name('case'))
      await page.goto(`${all.url}/link/${'x'.repeat(20)}`)
      await isAccessible(page, name('link'))
      await page.goto(`${forAll.url}/to/buergerbuero`)
      await isAccessible(page, name('public'))
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
