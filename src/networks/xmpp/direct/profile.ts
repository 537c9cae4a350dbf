/**
 * What a function address shows of itself: vCards (XEP-0054, XEP-0292), its name (XEP-0172), its picture (XEP-0153, XEP-0084), and its
 * features (XEP-0030). All of it is public, so whoever asks gets an answer.
 */
import { createHash } from 'node:crypto'
import type { Identity, Profile } from '../../../model/network'
import { SHOWS_NOTHING } from '../../../model/signal'
import { CHAT_STATES, MARKERS } from '../text/signals'
import { errorReply } from '../wire/stanza-errors'
import { child, el, elementsIn, type Element, photoUpdate, type Xml } from '../wire/xml'

export const LOGO_BYTES_MAX = 96 * 1024 // in base64 it still fits into the stanzas that servers take

export const RECEIPTS = 'urn:xmpp:receipts'
export const VCARD_TEMP = 'vcard-temp'
const VCARD4 = 'urn:ietf:params:xml:ns:vcard-4.0'
const VCARD4_NODE = 'urn:xmpp:vcard4'
const PUBSUB = 'http://jabber.org/protocol/pubsub'
const PUBLISHED = `${PUBSUB}#retrieve-items`
const AVATAR_DATA = 'urn:xmpp:avatar:data'
export const NICK = 'http://jabber.org/protocol/nick'
export const AVATAR_METADATA = 'urn:xmpp:avatar:metadata'

/** What clients may send to every function address. */
const ADDRESS_FEATURES = [
  VCARD_TEMP, PUBSUB, RECEIPTS, 'jabber:x:oob', 'urn:xmpp:message-correct:0', 'urn:xmpp:message-retract:1', 'urn:xmpp:reactions:0'
]

/** What clients may send to this function address. */
export const featuresOf = ({ shows = SHOWS_NOTHING, encrypts }: Pick<Identity, 'shows' | 'encrypts'>): string[] => [
  ...ADDRESS_FEATURES, ...shows.typing ? [CHAT_STATES] : [], ...shows.read ? [MARKERS] : [], ...encrypts === true ? [PUBLISHED] : []
]

/** The picture, if it goes through in one piece. */
export const logoOf = ({ logo }: Profile): NonNullable<Profile['logo']> | undefined =>
  logo !== undefined && logo.bytes.length <= LOGO_BYTES_MAX ? logo : undefined

const hashes = new WeakMap<Uint8Array, string>() // kept, because each presence needs the hash
export const sha1 = (bytes: Uint8Array): string => {
  const hash = hashes.get(bytes) ?? createHash('sha1').update(bytes).digest('hex')
  hashes.set(bytes, hash)
  return hash
}
const base64 = (bytes: Uint8Array): string => Buffer.from(bytes).toString('base64')

export const photoOf = (profile: Profile): Xml => {
  const logo = logoOf(profile)
  return photoUpdate(logo === undefined ? '' : sha1(logo.bytes))
}

const optional = (name: string, value: string | undefined, inner: (value: string) => Xml | string): Xml | undefined =>
  value === undefined || value === '' ? undefined : el(name, {}, inner(value))

/** A picture in a vCard. */
export const photoXml = (logo: Profile['logo']): Xml | undefined =>
  logo && el('PHOTO', {}, el('TYPE', {}, logo.mime), el('BINVAL', {}, base64(logo.bytes)))

const vcardTemp = (profile: Profile): Xml => {
  const logo = logoOf(profile)
  return el('vCard', { xmlns: VCARD_TEMP }, el('FN', {}, profile.name), el('NICKNAME', {}, profile.name),
    optional('URL', profile.website, url => url),
    profile.phone === undefined ? undefined : el('TEL', {}, el('WORK'), el('VOICE'), el('NUMBER', {}, profile.phone)),
    photoXml(logo),
    optional('DESC', profile.about, about => about), optional('NOTE', profile.about, about => about))
}

const vcard4 = (profile: Profile): Xml => {
  const logo = logoOf(profile)
  return el('vcard', { xmlns: VCARD4 }, el('kind', {}, el('text', {}, 'org')), el('fn', {}, el('text', {}, profile.name)),
    optional('url', profile.website, url => el('uri', {}, url)),
    optional('tel', profile.phone, phone => el('uri', {}, `tel:${phone.replace(/[^+\d]/g, '')}`)),
    logo && el('photo', {}, el('uri', {}, `data:${logo.mime};base64,${base64(logo.bytes)}`)),
    optional('note', profile.about, about => el('text', {}, about)))
}

/** The one item of a node of an address: its id and content. */
export const itemOf = (node: string | undefined, profile: Profile): { id: string, content: Xml } | undefined => {
  if (node === VCARD4_NODE) return { id: 'current', content: vcard4(profile) }
  if (node === NICK) return { id: 'current', content: el('nick', { xmlns: NICK }, profile.name) }
  const logo = logoOf(profile)
  if (logo === undefined) return undefined
  const id = sha1(logo.bytes)
  if (node === AVATAR_DATA) return { id, content: el('data', { xmlns: AVATAR_DATA }, base64(logo.bytes)) }
  if (node !== AVATAR_METADATA) return undefined
  return {
    id, content: el('metadata', { xmlns: AVATAR_METADATA }, el('info', { id, type: logo.mime, bytes: String(logo.bytes.length) }))
  }
}

/** What an account has its server show of the same. Without a picture, the one before is taken away. */
export const publicly = (profile: Profile): { vcard: Xml, items: { node: string, id: string, content: Xml }[] } => ({
  vcard: vcardTemp(profile),
  items: [
    ...[VCARD4_NODE, AVATAR_DATA, AVATAR_METADATA, NICK].flatMap(node => {
      const item = itemOf(node, profile)
      return item === undefined ? [] : [{ node, ...item }]
    }),
    ...logoOf(profile) === undefined ? [{ node: AVATAR_METADATA, id: 'none', content: el('metadata', { xmlns: AVATAR_METADATA }) }] : []
  ]
})

/** The answer to a request about a function address or a ghost; undefined if the request is about something else. */
export const answerAbout = (iq: Element, { profile }: Pick<Identity, 'profile'>): Xml | undefined => {
  const asked = elementsIn(iq)[0]
  if (iq.attrs.type !== 'get' || asked === undefined) return undefined
  const result = (payload: Xml): Xml => el('iq', { type: 'result', from: iq.attrs.to, to: iq.attrs.from, id: iq.attrs.id }, payload)
  if (asked.ns === VCARD_TEMP) return result(vcardTemp(profile))
  if (asked.ns === VCARD4) return result(vcard4(profile))
  if (asked.ns !== PUBSUB) return undefined
  const node = child(asked, 'items')?.attrs.node
  const item = itemOf(node, profile)
  return item === undefined
    ? errorReply(iq, 'cancel', 'item-not-found')
    : result(el('pubsub', { xmlns: PUBSUB }, el('items', { node }, el('item', { id: item.id }, item.content))))
}
