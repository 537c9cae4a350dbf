/**
 * How pages look: on a desk and on a phone, by day and by night, in both languages, and what is wrong with them for people who see little. With
 * SHOTS=FOLDER each page that is looked at leaves a picture there (`npm run shots`).
 */
import assert from 'node:assert/strict'
import { mkdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { type Browser, type BrowserContext, chromium, type Page } from 'playwright-core'
import { CHROMIUM } from './converse'

const AXE = readFileSync(require.resolve('axe-core/axe.min.js'), 'utf8')
const SHOTS = process.env['SHOTS']
const DEVICES = { desk: { width: 1280, height: 900 }, phone: { width: 390, height: 844 } }

export interface Look { device: keyof typeof DEVICES; colorScheme: 'light' | 'dark'; locale: 'de-DE' | 'en-GB' }

export const LOOKS: readonly Look[] = (['desk', 'phone'] as const).flatMap(device => (['light', 'dark'] as const).flatMap(colorScheme =>
  (['de-DE', 'en-GB'] as const).map(locale => ({ device, colorScheme, locale }))))

interface Violation { id: string; nodes: { html: string }[] }

export const startChromium = (): Promise<Browser> => chromium.launch({ executablePath: CHROMIUM, args: ['--no-sandbox', '--disable-gpu'] })

/** A browser of somebody's own. */
export const lookingWith = (browser: Browser, { device, colorScheme, locale }: Look): Promise<BrowserContext> =>
  browser.newContext({ viewport: DEVICES[device], colorScheme, locale, bypassCSP: true }) // for axe, which is not ours

/** What looks wrong though it can be read: words of buttons that are broken, columns that begin unevenly, tables that stick out of their card. */
const ODD = `[
  ...[...document.querySelectorAll('button')].filter(({ firstChild }) => {
    const range = document.createRange()
    range.selectNodeContents(firstChild)
    return range.getClientRects().length > 1
  }).map(({ innerText }) => 'broken: ' + innerText),
  ...[...document.querySelectorAll('tbody')].filter(({ rows }) =>
    new Set([...rows].map(({ cells: [, second] }) => Math.round(second.getBoundingClientRect().left))).size > 1).map(() => 'uneven columns'),
  ...[...document.querySelectorAll('table')].filter(table =>
    table.getBoundingClientRect().right > table.closest('section, article').getBoundingClientRect().right)
    .map(({ innerText }) => 'sticks out: ' + innerText)
]`

/** Nothing is wrong with the page for people who do not see, or hardly, and it is no wider than the screen. */
export const isForEverybody = async (page: Page, what: string, { device, colorScheme, locale }: Look): Promise<void> => {
  const name = `${what}-${device}-${colorScheme}-${locale.slice(0, 2)}`
  await page.evaluate(AXE)
  const { violations } = await page.evaluate('axe.run()') as { violations: Violation[] }
  assert.deepEqual(violations.map(({ id, nodes }) => `${name}: ${id}: ${nodes.map(({ html }) => html).join(' ')}`), [])
  assert.equal(await page.evaluate('document.documentElement.scrollWidth - document.documentElement.clientWidth'), 0, `${name} is too wide`)
  assert.deepEqual(await page.evaluate(ODD), [], name)
  if (SHOTS === undefined) return
  mkdirSync(SHOTS, { recursive: true })
  await page.screenshot({ path: join(SHOTS, `${name}.png`), fullPage: true })
}
