/**
 * Makes up for what a network cannot do, by its capabilities, in this one place: a name is written in front where there are no
 * ghosts, formatting becomes plain text, a file becomes a link, what is too long becomes several messages. Nothing is ever cut.
 */
import { plain, toPlain, type Text } from '../model/text'
import type { Attachment, Content, Persona } from '../model/message'
import type { Capabilities } from '../model/network'

const bytes = (text: string): number => Buffer.byteLength(text)

/** The longest prefix of at most `max` bytes, ended at a line, else at a space, else between two characters as people see them. */
const takePart = (text: string, max: number): string => {
  const room = Buffer.from(text).subarray(0, max).toString().replace(/\uFFFD+$/u, '')
  for (const mark of ['\n', ' ']) {
    const at = room.lastIndexOf(mark)
    if (at > room.length / 2) return text.slice(0, at + 1)
  }
  const whole = [...new Intl.Segmenter().segment(text.slice(0, room.length + 64))]
  const last = whole.findLast(({ index }) => index <= room.length && index > 0)
  return text.slice(0, last?.index ?? Math.max(room.length, 1))
}

/** The text in parts of at most `max` UTF-8 bytes each. Joined they are the text, less white space at the joints. */
export const splitText = (text: string, max: number): string[] => {
  const parts: string[] = []
  let rest = text
  while (bytes(rest) > max) {
    const part = takePart(rest, max)
    parts.push(part.trimEnd())
    rest = rest.slice(part.length)
  }
  return [...parts, rest].filter(part => part !== '')
}

const prefixed = (text: Text, style: Content['style'], name: string): Text => {
  const start = style === 'emote' ? `* ${name} ` : `${name}: `
  const [first, ...others] = text
  return first?.kind === 'paragraph'
    ? [{ kind: 'paragraph', of: [{ kind: 'text', text: start }, ...first.of] }, ...others]
    : [...plain(start.trimEnd()), ...text]
}

const textParts = (text: Text, can: Capabilities): Text[] => {
  if (text.length === 0) return []
  const flat = toPlain(text)
  if (can.formatting && bytes(flat) <= can.textBytesMax / 2) return [text]
  return splitText(flat, can.textBytesMax).map(plain)
}

/**
 * One content for each delivery that is needed, in order. `url` makes the link for the file, if one is needed; `as` is absent when
 * Zentrale itself speaks.
 */
export const adapt = (content: Content, can: Capabilities, as: Persona | undefined, url: (file: Attachment) => string): Content[] => {
  const { style, file } = content
  let { text } = content
  if (file !== undefined && can.files === 'text') text = [...text, ...plain(`${file.name}: ${url(file)}`)]
  if (as !== undefined && !can.ghosts) text = prefixed(text, style, as.name)
  const shownStyle = can.ghosts || style !== 'emote' ? style : 'text'
  const parts: Content[] = textParts(text, can).map(part => ({ style: shownStyle, text: part }))
  if (file !== undefined && can.files === 'upload') parts.push({ style, text: [], file })
  if (file !== undefined && can.files === 'link') parts.push({ style, text: [], file: { ...file, url: url(file) } })
  return parts
}
