/** A file that is shared by its link: XEP-0447 with its metadata (XEP-0446), and XEP-0066 beside it for apps that know only that. */
import { isMime, mimeOf } from '../../../lib/mime'
import type { Attachment } from '../../../model/message'
import { child, el, type Element, textOf, type Xml } from '../wire/xml'

const OOB = 'jabber:x:oob'
export const SHARING = 'urn:xmpp:sfs:0'
const METADATA = 'urn:xmpp:file:metadata:0'
const URL_DATA = 'http://jabber.org/protocol/url-data'
const NAME_CHARS_MAX = 255

const isWeb = (url: string): boolean => URL.canParse(url) && /^https?:$/.test(new URL(url).protocol)

/** The last part of the path, as people read it. */
const nameIn = (url: string): string => {
  const name = new URL(url).pathname.split('/').at(-1) || 'file'
  try { return decodeURIComponent(name) } catch { return name }
}

/** A whole number that is not negative, and no larger than JSON keeps exactly. */
const numberIn = (metadata: Element, name: string): number | undefined => {
  const written = textOf(child(metadata, name)).trim()
  return /^\d{1,15}$/.test(written) ? Number(written) : undefined
}

const measured = (metadata: Element): Partial<Attachment> => {
  const [size, width, height, durationMs] = ['size', 'width', 'height', 'length'].map(name => numberIn(metadata, name))
  return {
    ...size !== undefined && { size }, ...width !== undefined && height !== undefined && { width, height },
    ...durationMs !== undefined && { durationMs }
  }
}

const described = (url: string, metadata: Element | undefined): Omit<Attachment, 'at'> => {
  const name = (textOf(metadata && child(metadata, 'name')).trim() || nameIn(url)).slice(0, NAME_CHARS_MAX)
  const type = textOf(metadata && child(metadata, 'media-type')).trim().toLowerCase()
  const mime = isMime(type) ? type : mimeOf(name)
  const kind = (['image', 'audio', 'video'] as const).find(one => mime.startsWith(`${one}/`)) ?? 'file'
  return { kind, name, mime, ...metadata && measured(metadata) }
}

/** Undefined where no link to it is given. */
export const fileOf = (network: string, message: Element): Attachment | undefined => {
  const sharing = child(message, 'file-sharing', SHARING)
  const sources = sharing && child(sharing, 'sources')
  const target = sources && child(sources, 'url-data', URL_DATA)?.attrs.target
  const oob = child(message, 'x', OOB)
  const ref = [target, textOf(oob && child(oob, 'url'))].map(url => url?.trim() ?? '').find(isWeb)
  return ref === undefined ? undefined : { ...described(ref, sharing && child(sharing, 'file', METADATA)), at: { network, ref } }
}

const field = (name: string, value: string | number | undefined): Xml | undefined => value === undefined ? undefined : el(name, {}, String(value))

/** What stands beside the body, which is the link itself. */
export const fileXml = ({ kind, name, mime, size, width, height, durationMs }: Attachment, url: string): Xml[] => [
  el('x', { xmlns: OOB }, el('url', {}, url)),
  el('file-sharing', { xmlns: SHARING, disposition: kind === 'file' ? 'attachment' : 'inline' },
    el('file', { xmlns: METADATA }, field('media-type', mime), field('name', name), field('size', size),
      field('width', width), field('height', height), field('length', durationMs)),
    el('sources', {}, el('url-data', { xmlns: URL_DATA, target: url })))
]
