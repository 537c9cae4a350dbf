/** Addresses and names of all networks, and URLs of files that strangers send. */
import assert from 'node:assert/strict'
import { BlockList, isIP } from 'node:net'
import fc from 'fast-check'
import { systemClock } from '../../../src/lib/clock'
import { safeFetch } from '../../../src/lib/safe-fetch'
import { escapeLocalpart, ghostMxid, isOurs } from '../../../src/networks/matrix/names'
import { canonicalNumber, fromAddress, isNumber, nameOf, ourNumber } from '../../../src/networks/sms/names'
import { bareOf, canonicalBare, GHOST_LENGTH_MAX, ghostLocal, nickOf, nickSpellings, parseJid, resourceOf } from '../../../src/networks/xmpp/names'
import type { Target } from '../engine'
import { anyText, ODD, textFrom } from '../judges'

const JIDS = ['a@b.example', '@', '/', 'b.example', 'A', 'Straße', '[::1]', '.', '"', '&', '<', ...ODD]

const jids = (input: Buffer): void => {
  const text = textFrom(input)
  const jid = parseJid(text)
  if (jid !== undefined) {
    const { local, domain, resource } = jid
    assert.equal(`${local === '' ? '' : `${local}@`}${domain}${resource === '' ? '' : `/${resource}`}`, text)
    assert.deepEqual([bareOf(text), resourceOf(text)], [text.slice(0, bareOf(text).length), resource])
  }
  const canonical = canonicalBare(text)
  if (canonical !== undefined) assert.equal(canonicalBare(canonical), canonical)
  for (const nick of [nickOf(text), nickOf(text, 2), ...nickSpellings(text)]) {
    assert.ok(nick !== '' && nick === nick.trim(), JSON.stringify(nick))
    assert.doesNotMatch(nick, /[\p{C}\p{Zl}\p{Zp}\n\t]/u)
    assert.ok(parseJid(`r@s/${nick}`) !== undefined, nick)
  }
}

const DOMAIN = 'example.org'
const MXID = /^@_zentrale_[a-z0-9._=/+-]{1,243}:example\.org$/
const LOCAL = /^_[a-z0-9.=_-]+$/

/** A ghost's name shows the person behind it: different people have different ghosts. */
const ghosts = (input: Buffer): void => {
  const [one = '', other = ''] = textFrom(input).split('|', 2)
  const people = [one, other].map(id => ({ network: 'xmpp', id }))
  const [mxids, locals] = [people.map(person => ghostMxid(person, DOMAIN)), people.map(ghostLocal)]
  for (const mxid of mxids) {
    assert.match(mxid, MXID)
    assert.ok(isOurs(mxid, '@zentrale:example.org', DOMAIN) && Buffer.byteLength(mxid) <= 255)
  }
  for (const local of locals) {
    assert.match(local, LOCAL)
    assert.ok(local.length <= GHOST_LENGTH_MAX)
  }
  assert.match(escapeLocalpart(one), /^[a-z0-9.=/+-]*$/)
  if (one === other) return
  assert.notEqual(mxids[0], mxids[1])
  assert.notEqual(locals[0], locals[1])
}

const OURS = '+4930123456'
const NUMBERS = ['+49', '0049', '0', '170 123', '-', '(0)', '116117', '4917012345678', ' ', '+1', '٣', '／', 'DHL', ';ext=1', 'tel:', '\\u0000']

/** The first byte is the type of number. */
const numbers = (input: Buffer): void => {
  const [ton = 0] = input
  const digits = textFrom(input.subarray(1))
  const canonical = canonicalNumber(digits)
  if (canonical !== undefined) assert.equal(canonicalNumber(canonical), canonical)
  const id = fromAddress({ ton, npi: 1, digits }, OURS)
  assert.ok(isNumber(id) || /^(?:short:\d*|alpha:)/.test(id), id)
  assert.ok(!isNumber(id) || /^\+\d{1,3}…\d\d$/.test(nameOf(id)), 'the whole number is shown')
  assert.equal(typeof ourNumber({ ton, npi: 1, digits }, [OURS, '+4930123457']), 'string')
}

/** IANA's special-purpose registries, as another implementation judges them. */
const SPECIAL = { ipv4: new BlockList(), ipv6: new BlockList() } // apart, because every IPv4 address is also one in ::/8
for (const [net, bits] of [['0.0.0.0', 8], ['10.0.0.0', 8], ['100.64.0.0', 10], ['127.0.0.0', 8], ['169.254.0.0', 16], ['172.16.0.0', 12],
  ['192.0.0.0', 24], ['192.0.2.0', 24], ['192.168.0.0', 16], ['198.18.0.0', 15], ['198.51.100.0', 24], ['203.0.113.0', 24], ['224.0.0.0', 4],
  ['240.0.0.0', 4]] as const) SPECIAL.ipv4.addSubnet(net, bits, 'ipv4')
for (const [net, bits] of [['::', 8], ['64:ff9b:1::', 48], ['100::', 64], ['2001:db8::', 32], ['2002::', 16], ['fc00::', 7], ['fe80::', 10],
  ['ff00::', 8],
  ['2001::', 32]] as const) SPECIAL.ipv6.addSubnet(net, bits, 'ipv6')

const over = AbortSignal.abort() // a URL that is let through throws instead of connecting
const LIMITS = { allowHosts: [], bytesMax: 1000, timeoutMs: 1000 }
const WEB = /^https?:$/

/** Whether a URL may be fetched. Those are not tried here, so that we never connect to strangers. */
const isFetched = (text: string): boolean => {
  if (!URL.canParse(text)) return false
  const { protocol, hostname } = new URL(text)
  const host = hostname.replace(/^\[|\]$/g, '')
  const family = isIP(host) === 6 ? 'ipv6' : 'ipv4'
  const list = host.startsWith('::ffff:') ? SPECIAL.ipv4 : SPECIAL[family] // IPv4 in the spelling of IPv6 is IPv4
  return WEB.test(protocol) && isIP(host) > 0 && !list.check(host, family)
}

/** Every name resolves to this machine, so everything must be refused. */
const urls = async (input: Buffer): Promise<void> => {
  const text = textFrom(input)
  if (isFetched(text)) return
  const answer = await safeFetch(text, LIMITS, systemClock, over, async () => [{ address: '127.0.0.1', family: 4 }])
  assert.ok('refused' in answer)
}

const URLS = ['http://', 'https://', 'HTTP:\\\\', 'ftp://', 'file:///', '127.0.0.1', '0x7f.1', '2130706433', '017700000001', '[::1]',
  '[::ffff:7f00:1]',
  '[64:ff9b::7f00:1]', '[2002:7f00:1::]', '[fe80::1%25lo]', 'localhost', '169.254.169.254', '8.8.8.8', '[2a00::1]', '[2001:4860::1]', '@', ':80',
  ':', '/', '#', '?', '%00',
  '①②⑦.0.0.1', '。', '\t', 'a', ...ODD]
const url = fc.tuple(fc.constantFrom(...URLS.slice(0, 5)), fc.oneof(fc.ipV4(), fc.ipV6().map(ip => `[${ip}]`), fc.ipV4Extended(), fc.domain()))
  .map(parts => parts.join(''))

export const nameTargets: Target[] = [
  { name: 'jids', words: JIDS, generate: anyText(JIDS, 12), open: () => ({ run: jids }) },
  { name: 'ghosts', words: ['|', '_', '=', '=5f', ...JIDS], open: () => ({ run: ghosts }),
    generate: fc.tuple(anyText(JIDS), anyText(JIDS)).map(both => both.join('|')) },
  { name: 'numbers', words: NUMBERS, open: () => ({ run: numbers }),
    generate: fc.tuple(fc.constantFrom('\0', '\u0001', '\u0002', '\u0005'), anyText(NUMBERS, 5)).map(both => both.join('')) },
  { name: 'urls', words: URLS, generate: fc.oneof(url, anyText(URLS, 5)), open: () => ({ run: urls }) }
]
