import assert from 'node:assert/strict'
import { decodeQR } from 'qr/decode.js'
import { request } from 'undici'
import { makeRoster, type FunctionAddress } from '../../../src/desk/address'
import { KINDS } from '../../../src/networks/kinds'
import { loadAddressConfig } from '../../support/config'
import { handClock } from '../../support/quick'
import { serveLinkPages, type LinkPagesStarted } from '../../support/pages'

const BAD = '"><img src=x onerror=alert(1)>\u202e'
const HOUR = 3_600_000
const MONDAY = Date.parse('2026-11-23T00:00+01:00')

const address = (more: Partial<FunctionAddress> = {}): FunctionAddress =>
  ({ ...loadAddressConfig(one => { Object.assign(one, { page: true, about: 'Ausweise & Anmeldung' }) }).addresses[0]!, ...more })

describe('the page of an address for everybody', () => {
  const clock = handClock()
  let all: LinkPagesStarted
  const start = async (...addresses: FunctionAddress[]): Promise<void> => { all = await serveLinkPages(makeRoster(addresses), KINDS, clock) }
  before(() => clock.advance(MONDAY + 9 * HOUR))
  afterEach(async () => { await all.stop() })
  const get = async (path: string, headers: Record<string, string> = {}) => {
    const { statusCode, headers: told, body } = await request(all.url + path, { headers })
    return { status: statusCode, headers: told, text: await body.text() }
  }

  it('says who it is, when somebody answers, and all ways to write, as links that open the right app', async () => {
    await start(address())
    const { status, text } = await get('/to/buergerbuero')
    assert.equal(status, 200)
    for (const href of ['https://matrix.to/#/@buergerbuero:example.org', 'matrix:u/buergerbuero:example.org?action=chat', 'sms:+4930123456',
      'xmpp:b%C3%BCrgerb%C3%BCro@chat.example.org?message', 'https://www.example.org/b', 'https://www.example.org/impressum',
      'https://www.example.org/datenschutz']) assert.ok(text.includes(`href="${href}"`), `${href} in ${text}`)
    assert.match(text, /<html lang="de">[^]*Ausweise &amp; Anmeldung[^]*Jetzt geöffnet[^]*Mo 8:00–12:00/)
    assert.doesNotMatch(text, /anna|bernd/i, 'nothing of the team')
  })

  it('is in the language of the browser, or the one that was chosen, and kept for as long as it is true', async () => {
    await start(address())
    const english = await get('/to/buergerbuero', { 'accept-language': 'en-GB,en;q=0.9' })
    assert.match(english.text, /<html lang="en">[^]*Open now/)
    assert.deepEqual([english.headers['cache-control'], english.headers['vary'], english.headers['set-cookie'], english.headers['x-robots-tag']],
      ['public, max-age=60', 'Accept-Language', undefined, undefined])
    assert.match((await get('/to/buergerbuero?language=de', { 'accept-language': 'en' })).text, /<html lang="de">/)
    clock.advance(3.5 * HOUR)
    assert.match((await get('/to/buergerbuero')).text, /Zurzeit geschlossen\.<\/strong> Wieder da: heute 13:00\./)
    assert.match((await get('/to/buergerbuero?language=en')).text, /Closed now\.<\/strong> Back today 13:00\./)
  })

  it('is found however somebody spells its name, and whoever looks for another one reads that in their language', async () => {
    await start(address())
    for (const path of ['b%C3%BCrgerb%C3%BCro', 'B%C3%9CRGERB%C3%9CRO', 'bu%CC%88rgerbu%CC%88ro', 'Buergerbuero']) {
      const { status, headers } = await get(`/to/${path}`)
      assert.deepEqual([status, headers['location']], [302, 'buergerbuero'], path)
    }
    const other = await get('/to/werkstatt', { 'accept-language': 'en' })
    assert.deepEqual([other.status, other.headers['cache-control']], [404, 'no-store'])
    assert.match(other.text, /<html lang="en">[^]*There is no such page/)
    assert.match((await get('/to/werkstatt', { 'accept-language': 'de' })).text, /<html lang="de">[^]*Diese Seite gibt es nicht/)
  })

  it('has a code that a camera reads', async () => {
    await start(address())
    const { headers, text } = await get('/to/buergerbuero/qr.svg')
    assert.match(String(headers['content-type']), /^image\/svg\+xml/)
    assert.equal(readCode(text), 'https://files.example.org/to/buergerbuero')
  })

  it('loads nothing from elsewhere, runs nothing, and shows what the config says as text', async () => {
    await start(address({
      profile: { name: BAD, about: '', website: 'javascript:alert(1)', logo: { bytes: Buffer.from('<svg onload=alert(1)>'), mime: 'image/png' } },
      linkPage: { about: BAD, imprint: 'javascript:alert(1)' }, privacy: 'data:text/html,x'
    }))
    const { headers, text } = await get('/to/buergerbuero')
    assert.equal(headers['content-security-policy'],
      "default-src 'none'; style-src 'self'; img-src 'self'; form-action 'none'; base-uri 'none'; frame-ancestors 'none'")
    assert.equal(headers['x-content-type-options'], 'nosniff')
    assert.doesNotMatch(text, /<img src=x|<script|<style|<form|\sstyle=|\son\w+="|javascript:|data:|\u202e/)
    assert.deepEqual([...text.matchAll(/<(?:link|img)[^>]*(?:href|src)="([^"]*)"/g)].map(([, url]) => url),
      ['style.css', 'buergerbuero/logo', 'buergerbuero/qr.svg'])
    const logo = await get('/to/buergerbuero/logo')
    assert.deepEqual([logo.headers['content-type'], logo.headers['content-security-policy']], ['image/png', "default-src 'none'; sandbox"])
    assert.equal((await get('/to/style.css')).status, 200)
  })

  it('is there only for addresses that want it and are still ours', async () => {
    const { linkPage: _, ...without } = address({ name: 'other', slug: 'other' })
    assert.equal(loadAddressConfig().addresses[0]!.linkPage, undefined, 'nothing is public that nobody asked for')
    await start(without, address({ name: 'gone', slug: 'gone', retired: [] }))
    for (const path of ['/to/other', '/to/gone', '/to/gone/qr.svg', '/to/other/logo', '/to/nobody', '/to/', '/to', '/to/..%2f', '/to/constructor',
      '/']) {
      const { status, headers } = await get(path)
      assert.equal(status, 404, path)
      assert.equal(headers['cache-control'], 'no-store', path)
    }
  })
})

/** What is in a code that consists of dark squares on a grid. */
const readCode = (svg: string): string => {
  const size = Number(/viewBox="0 0 (\d+)/.exec(svg)![1])
  const dark = new Set<string>()
  for (const [, path = ''] of svg.matchAll(/ d="([^"]+)"/g)) {
    let [x, y] = [0, 0]
    for (const [, command, numbers = ''] of path.matchAll(/([a-zA-Z])([-\d. ,]*)/g)) {
      const values = [...numbers.matchAll(/-?\d+/g)].map(Number)
      if (command === 'M') [x, y] = [values[0]!, values[1]!]
      if (command === 'm') [x, y] = [x + values[0]!, y + values[1]!]
      if (command === 'h' && values[0]! > 0) for (let step = 0; step < values[0]!; step++) dark.add(`${x + step} ${y}`)
    }
  }
  const scale = 8
  const side = size * scale
  const data = new Uint8Array(side * side * 4).fill(255)
  for (const square of dark) {
    const [x = 0, y = 0] = square.split(' ').map(Number)
    for (let row = 0; row < scale; row++) data.fill(0, ((y * scale + row) * side + x * scale) * 4, ((y * scale + row) * side + (x + 1) * scale) * 4)
  }
  for (let index = 3; index < data.length; index += 4) data[index] = 255
  return decodeQR({ width: side, height: side, data })
}
