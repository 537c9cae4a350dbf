/** A file that is shared by its link: XEP-0447 with its metadata (XEP-0446), and XEP-0066 beside it for apps that know only that. */
import { isBlurhash, isThumbhash } from '../../../lib/blur'
import { isMime, mimeOf, safeName } from '../../../lib/mime'
import { type Attachment, FILES_MAX, type Thumbnail, THUMBNAIL_MIMES } from '../../../model/message'
import { child, el, type Element, elementsIn, textOf, type Xml } from '../wire/xml'

const OOB = 'jabber:x:oob'
export const SHARING = 'urn:xmpp:sfs:0'
const METADATA = 'urn:xmpp:file:metadata:0'
const URL_DATA = 'http://jabber.org/protocol/url-data'
const THUMBS = 'urn:xmpp:thumbs:1'
const [BLURHASH, THUMBHASH] = ['data:image/blurhash,', 'data:image/thumbhash;base64,']
const INLINE = /^data:(image\/[a-z]+);base64,([A-Za-z0-9+/]+={0,2})$/
const INLINE_CHARS_MAX = 32 * 1024 // of a thumbnail that stands in the stanza itself
const NAME_CHARS_MAX = 255

export const isWeb = (url: string): boolean => URL.canParse(url) && /^https?:$/.test(new URL(url).protocol)

/** A file that its own address opens (XEP-0454). */
const isSealed = (url: string): boolean => url.startsWith('aesgcm://') && URL.canParse(url)

const decoded = (text: string): string => {
  try { return decodeURIComponent(text) } catch { return text }
}

/** The last part of the path, as people read it. */
const nameIn = (url: string): string => {
  return decoded(new URL(url).pathname.split('/').at(-1) || 'file')
}

/** A whole number that is not negative, and no larger than JSON keeps exactly. */
const numberIn = (metadata: Element, name: string): number | undefined => {
  const written = textOf(child(metadata, name)).trim()
  return /^\d{1,15}$/.test(written) ? Number(written) : undefined
}

const thumbnailsIn = (metadata: Element): Element[] => elementsIn(metadata).filter(({ name, ns }) => name === 'thumbnail' && ns === THUMBS)

/** Thumbnails that are a few letters (XEP-0264 with `data:`), as Cheogram, Movim and slidge send them. */
const blursIn = (metadata: Element): Pick<Attachment, 'blurhash' | 'thumbhash'> => {
  const uris = thumbnailsIn(metadata).map(({ attrs }) => attrs.uri ?? '')
  const found = (start: string, fits: (text: string) => boolean): string | undefined => uris.filter(uri => uri.startsWith(start))
    .map(uri => decoded(uri.slice(start.length))).find(fits)
  const [blurhash, thumbhash] = [found(BLURHASH, isBlurhash), found(THUMBHASH, isThumbhash)]
  return { ...blurhash !== undefined && { blurhash }, ...thumbhash !== undefined && { thumbhash } }
}

/** A thumbnail that is a picture: behind a link, or small in the stanza itself. Others (`cid:`) would have to be asked for. */
const pictureIn = (network: string, { attrs: { uri = '', 'media-type': type = '', width = '', height = '' } }: Element): Thumbnail | undefined => {
  const inline = uri.length <= INLINE_CHARS_MAX ? INLINE.exec(uri)?.[1] : undefined
  const mime = inline ?? type.toLowerCase()
  if (!THUMBNAIL_MIMES.has(mime) || (inline === undefined && !isWeb(uri))) return undefined
  const measures = [width, height].every(one => /^\d{1,6}$/.test(one)) && { width: Number(width), height: Number(height) }
  return { mime, ...measures, at: { network, ref: uri } }
}

const measured = (metadata: Element): Partial<Attachment> => {
  const [size, width, height, durationMs] = ['size', 'width', 'height', 'length'].map(name => numberIn(metadata, name))
  return {
    ...size !== undefined && { size }, ...width !== undefined && height !== undefined && { width, height },
    ...durationMs !== undefined && { durationMs }, ...blursIn(metadata)
  }
}

const described = (network: string, url: string, metadata: Element | undefined): Omit<Attachment, 'at'> => {
  const name = (textOf(metadata && child(metadata, 'name')).trim() || nameIn(url)).slice(0, NAME_CHARS_MAX)
  const type = textOf(metadata && child(metadata, 'media-type')).trim().toLowerCase()
  const mime = isMime(type) ? type : mimeOf(name)
  const kind = (['image', 'audio', 'video'] as const).find(one => mime.startsWith(`${one}/`)) ?? 'file'
  const thumbnail = metadata && thumbnailsIn(metadata).map(one => pictureIn(network, one)).find(one => one !== undefined)
  return { kind, name, mime, ...metadata && measured(metadata), ...thumbnail && { thumbnail } }
}

const urlOf = (sharing: Element): string => {
  const sources = child(sharing, 'sources')
  return (sources && child(sources, 'url-data', URL_DATA)?.attrs.target)?.trim() ?? ''
}

/** All files with a link, each once, in order. */
export const filesIn = (network: string, message: Element): Attachment[] => {
  const all = (name: string, ns: string): Element[] => elementsIn(message).filter(one => one.name === name && one.ns === ns)
  const shared = all('file-sharing', SHARING).map(one => ({ url: urlOf(one), about: child(one, 'file', METADATA) }))
  const linked = all('x', OOB).map(one => ({ url: textOf(child(one, 'url')).trim(), about: undefined }))
  const files = new Map<string, Attachment>()
  for (const { url, about } of [...shared, ...linked].filter(one => isWeb(one.url) || isSealed(one.url)).slice(0, FILES_MAX)) {
    if (!files.has(url)) files.set(url, { ...described(network, url, about), at: { network, ref: url } })
  }
  return [...files.values()]
}

const field = (name: string, value: string | number | undefined): Xml | undefined => value === undefined ? undefined : el(name, {}, String(value))

const blur = (kind: string, start: string, hash: string | undefined): Xml | undefined => hash === undefined ? undefined
  : el('thumbnail', { xmlns: THUMBS, 'media-type': `image/${kind}`, uri: start + encodeURIComponent(hash) })

const picture = ({ mime, width, height, url }: Thumbnail): Xml | undefined => url === undefined ? undefined
  : el('thumbnail', {
      xmlns: THUMBS, 'media-type': mime, uri: url, ...width !== undefined && height !== undefined && { width: String(width), height: String(height) }
    })

/** What stands beside the body, which is the link itself. */
export const fileXml = (
  { kind, name, mime, size, width, height, durationMs, thumbnail, blurhash, thumbhash }: Attachment, url: string
): Xml[] => [
  el('x', { xmlns: OOB }, el('url', {}, url)),
  el('file-sharing', { xmlns: SHARING, disposition: kind === 'file' ? 'attachment' : 'inline' },
    el('file', { xmlns: METADATA }, field('media-type', mime), field('name', safeName(name)), field('size', size),
      field('width', width), field('height', height), field('length', durationMs), thumbnail && picture(thumbnail),
      blur('blurhash', BLURHASH, blurhash),
      blur('thumbhash', THUMBHASH, thumbhash)),
    el('sources', {}, el('url-data', { xmlns: URL_DATA, target: url })))
]
