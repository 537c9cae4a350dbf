/** Files in events: one with its caption, or many (MSC4274). Pure, and safe for any JSON. */
import { isBlurhash } from '../../../lib/blur'
import { isMime, mimeOf } from '../../../lib/mime'
import { type Attachment, type Content, FILES_MAX, type Thumbnail, THUMBNAIL_BYTES_MAX, THUMBNAIL_MIMES } from '../../../model/message'
import { plain, reasonIn, type Text } from '../../../model/text'
import { refOf } from '../encryption/files'
import { readText } from '../text'
import { isJson, type Json, jsonOf, listOf, stringOf } from './json'
import { formatted, isReply } from './mentions'

export const MXC = /^mxc:\/\/[A-Za-z0-9.:[\]-]{1,255}\/[A-Za-z0-9_-]{1,255}$/

const FILE_NAME_CHARS_MAX = 255

export const KINDS: ReadonlyMap<string, Attachment['kind']> = new Map(
  [['m.image', 'image'], ['m.audio', 'audio'], ['m.video', 'video'], ['m.file', 'file']])
const DEFAULT_MIME = { image: 'image/jpeg', audio: 'audio/ogg', video: 'video/mp4', file: 'application/octet-stream' } as const
const VOICE = ['m.voice', 'org.matrix.msc3245.voice'] // MSC3245, in the final and the present spelling
const BLURS = ['blurhash', 'xyz.amorgan.blurhash'] // MSC2448
/** MSC4193, in the present and the final spelling. */
export const SPOILERS = ['page.codeberg.everypizza.msc4193.spoiler', 'm.spoiler'] as const
const isCount = (value: unknown): value is number => typeof value === 'number' && Number.isSafeInteger(value) && value >= 0 && !Object.is(value, -0)

/** Where a file lies, encrypted or not. */
export const addressIn = (content: Json): string | undefined => stringOf(jsonOf(content.file).url) ?? stringOf(content.url)

/** Whether a file of this kind can be of this type, so that the type says more than the kind. */
export const fits = (kind: Attachment['kind'], mime: string): boolean =>
  kind === 'file' ? isMime(mime) && mime !== DEFAULT_MIME.file : isMime(mime) && mime.startsWith(`${kind}/`)

/** The type that the event says, or that the name suggests. */
export const typeIn = (kind: Attachment['kind'], content: Json, name: string): string | undefined => {
  const said = stringOf(jsonOf(content.info).mimetype)?.toLowerCase()
  if (said !== undefined && isMime(said)) return said
  return fits(kind, mimeOf(name)) ? mimeOf(name) : undefined
}

/** What says that it is of another type is no picture that all can show. */
const thumbnailIn = ({ thumbnail_file: file, thumbnail_url: url, thumbnail_info: about }: Json): Thumbnail | undefined => {
  const { mimetype, size, w, h } = jsonOf(about)
  const mime = stringOf(mimetype)?.toLowerCase() ?? DEFAULT_MIME.image
  const ref = isJson(file) ? refOf(file, mime) : stringOf(url)
  const isPicture = THUMBNAIL_MIMES.has(mime) && !(isCount(size) && size > THUMBNAIL_BYTES_MAX)
  if (ref === undefined || !isPicture || !MXC.test(addressIn({ file, url }) ?? '')) return undefined
  return { mime, ...isCount(w) && isCount(h) && { width: w, height: h }, at: { network: 'matrix', ref } }
}

/** Undefined without a usable address. */
export const attachment = (kind: Attachment['kind'], content: Json, name: string): Attachment | undefined => {
  const info = jsonOf(content.info)
  const { size, w, h, duration } = info
  const blurhash = BLURS.map(field => stringOf(info[field])).find(one => one !== undefined && isBlurhash(one))
  const mime = typeIn(kind, content, name) ?? DEFAULT_MIME[kind]
  const hides = SPOILERS.find(mark => content[mark] === true)
  const thumbnail = thumbnailIn(info)
  const address = addressIn(content) ?? ''
  if (!MXC.test(address)) return undefined
  const ref = isJson(content.file) ? refOf(content.file, mime) ?? `${address}#` : address // without its key, it ends as a file that cannot be had
  return {
    kind, name: name.slice(0, FILE_NAME_CHARS_MAX), mime, at: { network: 'matrix', ref },
    ...isCount(size) && { size }, ...isCount(w) && isCount(h) && { width: w, height: h }, ...isCount(duration) && { durationMs: duration },
    ...blurhash !== undefined && { blurhash }, ...thumbnail && { thumbnail },
    ...VOICE.some(mark => isJson(content[mark])) && { voice: true as const },
    ...hides !== undefined && { spoiler: reasonIn(stringOf(content[`${hides}.reason`]) ?? '') }
  }
}

/** A file, with these words. If nobody can open it, people are told so. */
export const withFile = (kind: Attachment['kind'], content: Json, name: string, text: Text = []): Content => {
  const file = attachment(kind, content, name)
  return file === undefined ? { style: 'text', text: [], unreadable: 'file' } : { style: 'text', text, file }
}

/** A file's body is its caption if `filename` differs (CS API §Media captions). */
export const fileContent = (kind: Attachment['kind'], content: Json, body: string): Content => {
  const name = stringOf(content.filename) ?? body
  const caption = stringOf(content.filename) !== undefined && name !== body
  return withFile(kind, content, name || kind, caption ? readText(body, formatted(content), isReply(content)) : [])
}

export const GALLERIES: ReadonlySet<string> = new Set(['m.gallery', 'dm.filament.gallery'])

const itemIn = (item: unknown): Content | undefined => {
  const { itemtype, ...content } = jsonOf(item)
  const kind = KINDS.get(stringOf(itemtype) ?? '')
  const read = kind && fileContent(kind, content, stringOf(content.body) ?? '')
  return read?.file && read
}

/** Its body is the caption of all its files; what cannot be read among them is counted. */
export const galleryContent = (content: Json, body: string): Content => {
  const items = listOf(content.itemtypes)
  const read = items.slice(0, FILES_MAX).map(itemIn).filter(one => one !== undefined)
  const [file, ...more] = read.flatMap(one => one.file ?? [])
  const left = items.length - read.length
  const text: Text = [
    ...body === '' ? [] : readText(body, formatted(content), isReply(content)), ...read.flatMap(one => one.text),
    ...left > 0 ? plain(`🖼 +${left}`) : []
  ]
  return { style: 'text', text, ...file && { file }, ...more.length > 0 && { more } }
}
