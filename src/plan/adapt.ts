/**
 * Makes up for what a network cannot do, by its capabilities. Only this file does it: without ghosts the name is written in front,
 * formatting becomes plain text, a file becomes a link, a long text becomes several messages. Nothing is ever cut.
 */
import { type Attachment, type Content, filesOf, type Persona } from '../model/message'
import type { Capabilities } from '../model/network'
import { inFront, LINE_END, plain, spoilerMark, toPlain, type Text } from '../model/text'
import { thumbnailOf, thumbnailPart } from './links'
import { cleanName } from './people'

const CHARACTER_UNITS = 64 // hardly any visible character is longer
const characters = new Intl.Segmenter()

const bytes = (text: string): number => Buffer.byteLength(text)

/** The longest prefix of at most `max` bytes that ends with a whole code point. */
const prefix = (text: string, max: number): string => {
  const all = Buffer.from(text.slice(0, max))
  let end = Math.min(max, all.length)
  while (end < all.length && (all[end]! & 0xc0) === 0x80) end--
  return all.toString('utf8', 0, end)
}

/** The longest prefix of at most `max` bytes that ends at a line break, else at a space, else between two visible characters. */
const takePart = (text: string, max: number): string => {
  const room = prefix(text, max)
  for (const mark of ['\n', ' ']) {
    const at = room.lastIndexOf(mark)
    if (at > room.length / 2) return text.slice(0, at + 1)
  }
  const { index = 0 } = characters.segment(text.slice(0, room.length + CHARACTER_UNITS)).containing(room.length) ?? {}
  return text.slice(0, index || room.length || 1)
}

const QUOTED = '> '

/** The quote mark for the next part, if this one ends inside a quoted line. */
const openQuote = (part: string): string => part.slice(part.lastIndexOf('\n') + 1).startsWith(QUOTED) ? QUOTED : ''

/** The text in parts of at most `max` UTF-8 bytes each. Joined they give the text, except for white space and quote marks at the joints. */
export const splitText = (text: string, max: number): string[] => {
  const parts: string[] = []
  let rest = text
  while (rest.length > max || bytes(rest) > max) {
    const part = takePart(rest, max)
    parts.push(part.trimEnd())
    rest = openQuote(part) + rest.slice(part.length)
  }
  return [...parts, rest].filter(part => part !== '')
}

const LINES = new RegExp(`(${LINE_END.source})`, 'u')
const BEGINNING = /^\P{L}*\p{L}[^(:]{0,80}\([^)]{0,40}\)\s*:|^\W*\*[^(]{1,80}\([^)]{0,40}\)/u

/** Whether a line looks like the beginning of a message, where each message begins with a name. */
const isBeginning = (line: string): boolean => {
  const seen = line.slice(0, 200).normalize('NFKC').replace(/[\p{Cf}\p{Cc}]/gu, '')
  return !seen.startsWith(QUOTED) && BEGINNING.test(seen)
}

const asQuotation = (line: string): string => isBeginning(line) ? QUOTED + line : line

/** Splits a text so that only its first line can begin with a name. Other lines that look like it are shown as quotations. */
const splitAmbiguous = (text: string, max: number): string[] => {
  const [first, ...others] = text.split(LINES)
  const safe = [first, ...others.map(asQuotation)].join('')
  if (bytes(safe) <= max) return [safe]
  return splitText(safe, max - QUOTED.length).map((part, index) => index === 0 ? part : asQuotation(part))
}

const prefixed = (text: Text, style: Content['style'], persona: string): Text => {
  const name = persona.replace(/[:\uFE13\uFE55\uFF1A]/g, '') // otherwise the name itself could look like a whole message
  const start = style === 'emote' ? `* ${name} ` : `${name}: `
  const [first, ...others] = text
  return first?.kind === 'paragraph'
    ? [{ kind: 'paragraph', of: [{ kind: 'text', text: start }, ...first.of] }, ...others]
    : [...plain(start.trimEnd()), ...text]
}

/** With the usual star of a correction, in front of the first line if that is words. */
const textParts = (text: Text, can: Capabilities): Text[] => {
  if (text.length === 0) return []
  const flat = toPlain(text)
  if (can.formatting && bytes(flat) <= can.textBytesMax / 2) return [text]
  return (can.ghosts ? splitText : splitAmbiguous)(flat, can.textBytesMax).map(plain)
}

const hidden = ({ spoiler }: Attachment): string => spoiler === undefined ? '' : `${spoilerMark(spoiler)} `

/** What stands for a file where it is a line of text. */
const linkLine = ({ name, url }: Attachment): string => `${cleanName(name)}: ${url}`

const linkedIn = (part: Text, files: (Attachment & { url: string })[]): Pick<Content, 'linked'> => {
  const linked = files.filter(({ url }) => toPlain(part).includes(url))
  return linked.length === 0 ? {} : { linked }
}

type UrlOf = (file: Attachment, index: number) => string

/** With our link for the file, and for its thumbnail. */
const linked = (file: Attachment, index: number, url: UrlOf): Attachment & { url: string } => {
  const thumbnail = thumbnailOf(file)
  return {
    ...file, url: url(file, index),
    ...file.thumbnail && thumbnail && { thumbnail: { ...file.thumbnail, url: url(thumbnail, thumbnailPart(index)) } }
  }
}

/**
 * The contents of the deliveries, in order, one for each. `url` makes the link for one of the files, if one is needed. Without `as`, Zentrale
 * itself speaks. `again`: it was said before, otherwise.
 */
export const adapt = (content: Content, can: Capabilities, as: Persona | undefined, url: UrlOf,
  again?: true): Content[] => {
  const { style, location, poll, ends } = content
  const files = filesOf(content).map((file, index) => linked(file, index, url))
  let { text } = content
  if (can.files === 'text') text = [...text, ...files.flatMap(file => plain(`${hidden(file)}${linkLine(file)}`))]
  if (again === true) text = inFront('* ', text)
  if (as !== undefined && !can.ghosts) text = prefixed(text, style, as.name)
  const shownStyle = can.ghosts || style !== 'emote' ? style : 'text'
  const where = { ...can.formatting && location !== undefined && { location }, ...can.polls === true && { ...poll && { poll }, ...ends && { ends } } }
  const inLines = can.files === 'text' ? files : []
  const parts: Content[] = textParts(text, can)
    .map((part, index) => ({ style: shownStyle, text: part, ...index === 0 && where, ...linkedIn(part, inLines) }))
  const shown: Content[] = can.files === 'text' ? [] : files.map(file => ({ style, text: [], file }))
  const [[caption, ...others], [first, ...more]] = [parts, shown]
  return can.captions && caption !== undefined && first !== undefined && others.length === 0 && style !== 'emote'
    ? [{ ...first, ...caption }, ...more]
    : [...parts, ...shown]
}

/** Our own words in as many messages as they need there. */
export const textsFor = ({ style, text }: Content, can: Capabilities): Content[] => textParts(text, can).map(part => ({ style, text: part }))

/** A delivery's content with words of ours in place of these files, or of their links. */
export const withoutFiles = ({ style, text, file }: Content, files: Attachment[], instead: (file: Attachment) => string): Content => {
  if (file !== undefined) return { style, text: [...text, ...plain(instead(file))] }
  const without = (said: string, one: Attachment): string =>
    said.replace(said.includes(linkLine(one)) ? linkLine(one) : one.url ?? '', () => instead(one))
  return { style, text: plain(files.reduce(without, toPlain(text))) }
}
