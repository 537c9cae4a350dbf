/** The contact block of a function address: the same links and codes for a web page, an address book or a poster. */
import { encodeQR } from 'qr'
import type { FunctionAddress } from '../desk/address'
import { escaped } from '../lib/html'
import type { ContactWay, NetworkKind } from '../networks/kind'
import type { DeviceShown } from './devices'
import { inGroups } from './devices-command'

export const CONTACT_FORMATS = ['text', 'html', 'vcard'] as const
export type ContactFormat = (typeof CONTACT_FORMATS)[number]

/** `key`: what people compare to make sure that the address is the address. */
export interface Way extends ContactWay { label: string; shown: string; key?: string }

/** `keys`: of this address. */
type Block = (address: FunctionAddress, kinds: readonly NetworkKind[], keys: DeviceShown[]) => string

export const waysOf = ({ identities, language }: FunctionAddress, kinds: readonly NetworkKind[], keys: DeviceShown[]): Way[] =>
  identities.flatMap(({ network, id }) => {
    const device = keys.find(one => one.network === network && one.address === id)
    return kinds.flatMap(({ settings: { name, label, contact }, keyring }) => {
      const key = device && keyring && { key: `${keyring.shown.label[language]}: ${inGroups(device.fingerprint, network, kinds)}` }
      return name === network ? [{ label, shown: id, ...contact(id), ...key }] : []
    })
  })

const asText: Block = (address, kinds, keys) => {
  const { profile } = address
  const head = [profile.name, profile.about, profile.website].filter(line => line)
  const ways = waysOf(address, kinds, keys).map(({ label, shown, code, key }) =>
    `${label}: ${shown}\n${code}\n${key === undefined ? '' : `${key}\n`}\n${encodeQR(code, 'ascii')}`)
  return `${head.join('\n')}\n\n${ways.join('\n')}`
}

const linked = (line: string): string => line.split(/(https?:\/\/\S+)/).map((part, index) =>
  index % 2 === 1 ? `<a href="${escaped(part)}">${escaped(part)}</a>` : escaped(part)).join('')

/** A QR code on white, even on a dark page: cameras need that. */
const picture = (code: string): string => encodeQR(code, 'svg').trim()
  .replace('<svg ', `<svg role="img" style="background:#fff" aria-label="QR: ${escaped(code)}" width="160" height="160" `)

const asHtml: Block = (address, kinds, keys) => {
  const { profile: { name, about, website, logo } } = address
  const lines = [...about.split('\n').filter(line => line !== ''), ...website === undefined ? [] : [website]]
  const ways = waysOf(address, kinds, keys).map(({ label, shown, code, href, key }) => `  <figure>
    ${picture(code)}
    <figcaption>${label}: <a href="${escaped(href)}">${escaped(shown)}</a>${key === undefined ? '' : `<br>${escaped(key)}`}</figcaption>
  </figure>`)
  return [
    `<section class="contact" lang="${address.language}">`,
    ...logo === undefined ? [] : [`  <img src="data:${logo.mime};base64,${Buffer.from(logo.bytes).toString('base64')}" alt="" height="64">`],
    `  <h2>${escaped(name)}</h2>`, ...lines.map(line => `  <p>${linked(line)}</p>`), ...ways, '</section>'
  ].join('\n')
}

const LINE_BYTES_MAX = 75 // RFC 6350 §3.2
const value = (text: string): string => text.replaceAll('\\', '\\\\').replaceAll(/[,;]/g, '\\$&').replaceAll(/\r?\n/g, '\\n')

/** Folds a line, never in the middle of a character. */
const foldedLine = (line: string): string => Array.from(line).reduce<{ lines: string[], bytes: number }>(({ lines, bytes }, letter) => {
  const size = Buffer.byteLength(letter)
  return bytes + size > LINE_BYTES_MAX ? { lines: [...lines, ` ${letter}`], bytes: size + 1 }
    : { lines: [...lines.slice(0, -1), lines.at(-1)! + letter], bytes: bytes + size }
}, { lines: [''], bytes: 0 }).lines.join('\r\n')

/** RFC 6350, with IMPP for chats. */
const asVcard: Block = (address, kinds, keys) => {
  const { profile: { name, about, website, phone } } = address
  return [
    'BEGIN:VCARD', 'VERSION:4.0', 'KIND:org', `FN:${value(name)}`, `LANG:${address.language}`,
    ...waysOf(address, kinds, keys).flatMap(({ impp }) => impp === undefined ? [] : [`IMPP:${impp}`]),
    ...phone === undefined ? [] : [`TEL;VALUE=uri;TYPE=text:tel:${phone}`],
    ...website === undefined ? [] : [`URL:${website}`], ...about === '' ? [] : [`NOTE:${value(about)}`], 'END:VCARD', ''
  ].map(foldedLine).join('\r\n')
}

const FORMS: Record<ContactFormat, Block> = { text: asText, html: asHtml, vcard: asVcard }

export const contactBlock = (address: FunctionAddress, format: ContactFormat, kinds: readonly NetworkKind[], keys: DeviceShown[]): string =>
  FORMS[format](address, kinds, keys)

// ---- the page of an address (src/pages/link-page.ts)

const linkPageUrl = ({ slug }: FunctionAddress, publicUrl: string): string => `${publicUrl.replace(/\/$/, '')}/to/${slug}`

/** A picture of the link to the page, to print. */
export const qrOf = (address: FunctionAddress, publicUrl: string): string => encodeQR(linkPageUrl(address, publicUrl), 'svg').trim()

const WORDS = {
  de: { write: 'Schreiben Sie uns', all: 'Zeiten und weitere Wege' }, en: { write: 'Write to us', all: 'Hours and more ways' }
}

/** Lines for a web site: links that open the right app, without a script, and the page for all else. */
export const widgetOf = (address: FunctionAddress, publicUrl: string, kinds: readonly NetworkKind[]): string => {
  const { language, profile } = address
  const words = WORDS[language]
  return [
    `<details class="contact" lang="${language}">`, `  <summary>${words.write}: ${escaped(profile.name)}</summary>`, '  <ul>',
    ...waysOf(address, kinds, []).map(({ label, shown, href }) => `    <li><a href="${escaped(href)}">${label}: ${escaped(shown)}</a></li>`),
    `    <li><a href="${escaped(linkPageUrl(address, publicUrl))}">${words.all}</a></li>`, '  </ul>', '</details>'
  ].join('\n')
}
