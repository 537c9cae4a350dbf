/** The XML of OMEMO as apps speak it today (XEP-0384 0.3): an encrypted message, a list of devices, what a device publishes. */
import { Malformed } from '../../../model/errors'
import { child, el, type Element, elementsIn, textOf, type Xml } from '../wire/xml'
import { SIGNATURE_BYTES } from './keys'
import type { Bundle, Wire } from './ratchet'
import { keyBytes, keyIn, UINT32_MAX } from './wire'

export const AXOLOTL = 'eu.siacs.conversations.axolotl'
export const LIST_NODE = `${AXOLOTL}.devicelist`
export const BUNDLE_NODE = `${AXOLOTL}.bundles:`
const EME = 'urn:xmpp:eme:0'
const STORE = 'urn:xmpp:hints'

const DEVICES_MAX = 32 // of one person
const ONES_MAX = 200 // one-time keys that somebody publishes
const PAYLOAD_BYTES_MAX = 256 * 1024
const HEADER_BYTES_MAX = 1024

/** For apps that cannot read the message. Which language their people speak is not known. */
const CLEAR = 'Diese Nachricht ist verschlüsselt (OMEMO), und diese App kann sie nicht lesen. / This message is encrypted (OMEMO), and this app ' +
  'cannot read it.'

/** `from`: the device that sent it. `key`: what is sealed for us; undefined if nothing is. Without `payload` it says nothing. */
export interface Encrypted { from: number; key: Wire | undefined; iv: Buffer; payload: Buffer | undefined }

const isId = (text: string | undefined): text is string => text !== undefined && /^[1-9]\d{0,9}$/.test(text) && Number(text) <= UINT32_MAX

const idIn = (text: string | undefined): number => {
  if (!isId(text)) throw new Malformed('not the number of a device or key')
  return Number(text)
}

const base64 = (bytes: Buffer): string => bytes.toString('base64')

const bytesIn = (element: Element | undefined, most: number): Buffer => {
  const text = textOf(element).replace(/\s+/g, '')
  if (text.length > Math.ceil(most / 3) * 4) throw new Malformed('too long')
  if (!/^[A-Za-z0-9+/]*={0,2}$/.test(text)) throw new Malformed('not base64')
  return Buffer.from(text, 'base64')
}

/** Number of a key, which may be 0. */
const keyIdIn = (text: string | undefined): number => text === '0' ? 0 : idIn(text)

export const encryptedIn = (message: Element): Element | undefined => child(message, 'encrypted', AXOLOTL)

/** Whether a message seals words. Without them it only keeps the session going. */
export const saysIn = (encrypted: Element): boolean => child(encrypted, 'payload') !== undefined

/** The device that an encrypted message says it comes from. Throws Malformed. */
export const senderIn = (encrypted: Element): number => idIn(child(encrypted, 'header')?.attrs.sid)

/** `device`: ours. Throws Malformed. */
export const readEncrypted = (encrypted: Element, device: number): Encrypted => {
  const header = child(encrypted, 'header')
  const payload = child(encrypted, 'payload')
  const key = header && elementsIn(header).find(({ name, attrs }) => name === 'key' && attrs.rid === String(device))
  return {
    from: senderIn(encrypted),
    key: key && { prekey: ['true', '1'].includes(key.attrs.prekey ?? ''), bytes: bytesIn(key, HEADER_BYTES_MAX) },
    iv: bytesIn(header && child(header, 'iv'), HEADER_BYTES_MAX),
    payload: payload && bytesIn(payload, PAYLOAD_BYTES_MAX)
  }
}

export interface Sealed { from: number; keys: [device: number, wire: Wire][]; iv: Buffer; payload?: Buffer }

/** What stands in a stanza in place of the words. Without `payload`, it says nothing to people. */
export const encryptedXml = ({ from, keys, iv, payload }: Sealed): Xml[] => [
  el('encrypted', { xmlns: AXOLOTL },
    el('header', { sid: String(from) },
      ...keys.map(([rid, { prekey, bytes }]) => el('key', { rid: String(rid), ...prekey && { prekey: 'true' } }, base64(bytes))),
      el('iv', {}, base64(iv))),
    payload && el('payload', {}, base64(payload))),
  ...payload === undefined ? [] : [el('encryption', { xmlns: EME, namespace: AXOLOTL, name: 'OMEMO' }), el('body', {}, CLEAR)],
  el('store', { xmlns: STORE })
]

/** A file that only this message opens (XEP-0454). Behind its address may stand a thumbnail. */
const SEALED_FILE = /^aesgcm:\/\/\S+#[0-9a-fA-F]+(?=\s|$)/
const OOB = 'jabber:x:oob'

/** What says something, and stands in the clear beside what is encrypted: anybody on the way may have put it there. */
const CLEAR_WORDS: ReadonlySet<string> = new Set([
  `${AXOLOTL} encrypted`, `${EME} encryption`, `${OOB} x`, 'urn:xmpp:sfs:0 file-sharing', 'http://jabber.org/protocol/geoloc geoloc',
  'http://jabber.org/protocol/xhtml-im html'
])

const textElement = (name: string, ns: string, ...children: Element['children']): Element => ({ name, ns, attrs: {}, children })

const wordsOf = (ns: string, words: string): Element[] => {
  const [file] = SEALED_FILE.exec(words) ?? []
  if (file === undefined) return [textElement('body', ns, words)]
  return [textElement('body', ns, file), textElement('x', OOB, textElement('url', OOB, file))]
}

/** The message as its writer meant it: with these words, and without what encrypted them. */
export const withWords = (message: Element, words: string): Element => ({
  ...message,
  children: [
    ...message.children.filter(one => typeof one !== 'string' && !CLEAR_WORDS.has(`${one.ns} ${one.name}`) &&
      !(one.ns === message.ns && (one.name === 'body' || one.name === 'subject'))),
    ...wordsOf(message.ns, words)
  ]
})

/** The numbers of a list of devices, each once: the newest, which stand last. */
export const devicesIn = (list: Element | undefined): number[] => {
  const ids = list === undefined ? [] : elementsIn(list).flatMap(({ name, attrs }) => name === 'device' && isId(attrs.id) ? [Number(attrs.id)] : [])
  return [...new Set(ids)].slice(-DEVICES_MAX)
}

export const listXml = (devices: number[]): Xml => el('list', { xmlns: AXOLOTL }, ...devices.map(id => el('device', { id: String(id) })))

export const bundleXml = ({ identity, signed, ones }: Bundle): Xml => el('bundle', { xmlns: AXOLOTL },
  el('signedPreKeyPublic', { signedPreKeyId: String(signed.id) }, base64(keyBytes(signed.pub))),
  el('signedPreKeySignature', {}, base64(signed.signature)),
  el('identityKey', {}, base64(keyBytes(identity))),
  el('prekeys', {}, ...ones.map(({ id, pub }) => el('preKeyPublic', { preKeyId: String(id) }, base64(keyBytes(pub))))))

/** Throws Malformed. Whether its signature is right is not looked at here. */
export const readBundle = (bundle: Element): Bundle => {
  const signed = child(bundle, 'signedPreKeyPublic')
  const signature = bytesIn(child(bundle, 'signedPreKeySignature'), SIGNATURE_BYTES)
  const keys = child(bundle, 'prekeys')
  return {
    identity: keyIn(bytesIn(child(bundle, 'identityKey'), HEADER_BYTES_MAX)),
    signed: { id: keyIdIn(signed?.attrs.signedPreKeyId), pub: keyIn(bytesIn(signed, HEADER_BYTES_MAX)), signature },
    ones: (keys === undefined ? [] : elementsIn(keys)).filter(({ name }) => name === 'preKeyPublic').slice(0, ONES_MAX)
      .map(one => ({ id: keyIdIn(one.attrs.preKeyId), pub: keyIn(bytesIn(one, HEADER_BYTES_MAX)) }))
  }
}
