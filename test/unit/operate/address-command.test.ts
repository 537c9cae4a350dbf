import assert from 'node:assert/strict'
import { decodeQR } from 'qr/decode.js'
import { runAddress } from '../../../src/operate/address-command'
import { loadAddressConfig as load } from '../../support/config'

const MONDAY = Date.parse('2026-11-23T09:00+01:00')

const run = (action: 'list' | 'show' | 'contact', name?: string, format: 'text' | 'html' | 'vcard' = 'text'): string =>
  runAddress(load(), { action, format, ...name === undefined ? {} : { name } }, MONDAY).output

/** Reads the code back from its rows of characters or its picture. */
const decoded = (isDark: (x: number, y: number) => boolean, size: number): string => {
  const scale = 4
  const side = size * scale
  const data = new Uint8Array(side * side * 4).map((_, index) => {
    const pixel = Math.floor(index / 4)
    return index % 4 === 3 || !isDark(Math.floor(pixel % side / scale), Math.floor(pixel / side / scale)) ? 255 : 0
  })
  return decodeQR({ width: side, height: side, data })
}

/** Two rows of the code in each line of characters, as terminals show them: drawn is light. */
const fromText = (lines: string[]): string => decoded((x, y) => {
  const character = lines[Math.floor(y / 2)]?.[x] ?? ' '
  return !(character === '█' || character === (y % 2 === 0 ? '▀' : '▄'))
}, lines[0]!.length)

describe('zentrale address', () => {
  it('lists and shows', () => {
    assert.equal(run('list'), 'bürgerbüro: @buergerbuero:example.org, bürgerbüro@chat.example.org, +4930123456 (Anna, Bernd Berger)')
    const shown = run('show', 'BÜRGERBUERO'.normalize('NFD'))
    for (const line of ['open: Mo 8:00–12:00, 13:00–17:00; Fr 8:00–12:00 (open now)', 'follow-up: reopens for 3 days', 'texts: angebot, preise',
      '  Bernd Berger: bernd@example.org, @bernd:example.org (direct chats)']) assert.ok(shown.split('\n').includes(line), `${line} in:\n${shown}`)
    const closed = runAddress(load(), { action: 'show', name: 'bürgerbüro', format: 'text' }, MONDAY + 12 * 3_600_000)
    assert.match(closed.output, /\(closed now, next .*8:00\)/)
    const unknown = runAddress(load(), { action: 'show', name: 'büro', format: 'text' }, MONDAY)
    assert.deepEqual([unknown.ok, unknown.output], [false, 'There is no function address "büro". There are: bürgerbüro'])
  })

  it('shows the key that people compare', () => {
    const device = {
      network: 'matrix', address: '@buergerbuero:example.org', device: 'ZENTRALE', fingerprint: 'abcdefghijk', identity: 'x', since: 0, sessions: 1,
      isRenewing: false
    }
    const omemo = { ...device, network: 'xmpp', address: 'bürgerbüro@chat.example.org', device: '4711', fingerprint: '00112233445566778899aabb' }
    const devices = [device, { ...device, address: '@other:example.org', fingerprint: 'mnop' }, omemo]
    const of = (action: 'show' | 'contact', format: 'text' | 'html'): string =>
      runAddress(load(), { action, format, name: 'bürgerbüro' }, MONDAY, { devices }).output
    assert.match(of('show', 'text'), /^fingerprint: \n {2}@buergerbuero:example.org, ZENTRALE: abcd efgh ijk$/m)
    assert.match(of('show', 'text'), /^ {2}bürgerbüro@chat.example.org, 4711: 00112233 44556677 8899aabb$/m)
    assert.match(of('contact', 'text'), /^OMEMO-Fingerabdruck: 00112233 44556677 8899aabb$/m)
    assert.match(of('contact', 'html'), /<br>OMEMO-Fingerabdruck: 00112233 44556677 8899aabb<\/figcaption>/)
    assert.match(of('contact', 'text'), /^Schlüssel unserer Sitzung \(Ed25519\): abcd efgh ijk$/m)
    assert.match(of('contact', 'html'), /<br>Schlüssel unserer Sitzung \(Ed25519\): abcd efgh ijk<\/figcaption>/)
    for (const [action, format] of [['show', 'text'], ['contact', 'html']] as const) assert.doesNotMatch(of(action, format), /mnop/)
  })

  it('gives codes that a camera reads', () => {
    const text = run('contact', 'bürgerbüro')
    const codes = text.split(/\n\n+/).filter(part => part.includes('█')).map(part => part.split('\n').filter(line => /[█▀▄]/.test(line)))
    assert.deepEqual(codes.map(fromText), ['https://matrix.to/#/@buergerbuero:example.org', 'xmpp:b%C3%BCrgerb%C3%BCro@chat.example.org?message',
      'sms:+4930123456'])
  })

  it('gives a block for a web page, in which nothing of the config is code', () => {
    const html = runAddress(load(address => {
      address.title = 'Büro <b>"A&B"</b>'
      address.about = 'Siehe https://www.example.org/?a=1&b="2"'
    }), { action: 'contact', name: 'bürgerbüro', format: 'html' }, MONDAY).output
    assert.match(html, /^<section class="contact" lang="de">\n {2}<h2>Büro &lt;b&gt;&quot;A&amp;B&quot;&lt;\/b&gt;<\/h2>/)
    assert.match(html, /<a href="https:\/\/www\.example\.org\/\?a=1&amp;b=&quot;2&quot;">/)
    assert.match(html, /<a href="https:\/\/matrix\.to\/#\/@buergerbuero:example\.org">@buergerbuero:example\.org<\/a>/)
    assert.match(html, /<a href="xmpp:b%C3%BCrgerb%C3%BCro@chat\.example\.org\?message">bürgerbüro@chat\.example\.org<\/a>/)
    assert.equal(html.match(/<svg role="img" style="background:#fff" aria-label="QR: /g)?.length, 3)
    assert.match(html, /Datenschutz: <a href=/)
  })

  it('gives a code and lines for a web site that lead to the page of an address, if it has one', () => {
    const config = load(address => { Object.assign(address, { page: true, title: 'Büro <b>' }) })
    const of = (action: 'qr' | 'widget') => runAddress(config, { action, name: 'bürgerbüro', format: 'text' }, MONDAY)
    assert.match(of('qr').output, /^<svg [^]*<\/svg>$/)
    assert.equal(of('widget').output, [
      '<details class="contact" lang="de">', '  <summary>Schreiben Sie uns: Büro &lt;b&gt;</summary>', '  <ul>',
      '    <li><a href="https://matrix.to/#/@buergerbuero:example.org">Matrix: @buergerbuero:example.org</a></li>',
      '    <li><a href="xmpp:b%C3%BCrgerb%C3%BCro@chat.example.org?message">XMPP: bürgerbüro@chat.example.org</a></li>',
      '    <li><a href="sms:+4930123456">SMS: +4930123456</a></li>',
      `    <li><a href="${config.media.publicUrl}/to/buergerbuero">Zeiten und weitere Wege</a></li>`, '  </ul>', '</details>'
    ].join('\n'))
    const without = runAddress(load(), { action: 'qr', name: 'bürgerbüro', format: 'text' }, MONDAY)
    assert.deepEqual([without.ok, without.output], [false, 'bürgerbüro has no page to lead to. Give it one with "page: true" in the config'])
  })

  it('gives a vCard 4 whose lines are folded between characters', () => {
    const card = run('contact', 'bürgerbüro', 'vcard')
    assert.ok(card.split('\r\n').every(line => Buffer.byteLength(line) <= 75 && !line.includes('�')))
    const lines = card.replaceAll('\r\n ', '').split('\r\n')
    assert.deepEqual(lines.filter(line => !line.startsWith('NOTE')), ['BEGIN:VCARD', 'VERSION:4.0', 'KIND:org', 'FN:Bürgerbüro Musterstadt',
      'LANG:de', 'IMPP:matrix:u/buergerbuero:example.org', 'IMPP:xmpp:b%C3%BCrgerb%C3%BCro@chat.example.org',
      'TEL;VALUE=uri;TYPE=text:tel:+4930123456', 'URL:https://www.example.org/b', 'END:VCARD', ''])
    assert.match(lines.find(line => line.startsWith('NOTE'))!, /^NOTE:Ausweise und Anmeldung\\nGeöffnet: Mo 8:00–12:00\\, 13:00–17:00\\; Fr /)
  })
})
