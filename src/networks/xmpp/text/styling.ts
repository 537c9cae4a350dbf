/**
 * Message styling (XEP-0393) ↔ the text model. Styling has no escapes, lists or links. So lists are written as lines with "- ", links as
 * "label (address)", and markers that would have no effect are left out. Signs that belong to the words stay. If they would be taken for
 * style, the whole body is marked as unstyled.
 * Promises: `parseStyled` never throws and takes time linear in the text; parse(write(x)) = x for text without stray markers.
 */
import {
  type Block, type Inline, inlinePlain, isLanguage, isPlain, joined, listLines, quoted, STRUCK, struck, type Text, TEXT_DEPTH_MAX, toPlain
} from '../../../model/text'

const MARKERS = { bold: '*', italic: '_', strike: '~', code: '`' } as const
const SPANS = new Map(Object.entries(MARKERS).map(([kind, marker]) => [marker as string, kind as keyof typeof MARKERS]))

const isSpace = (letter: string | undefined): boolean => letter !== undefined && /\s/.test(letter)

/** Where the span that opens at `start` closes (§6.1: as soon as possible, not after a space, not empty); -1 if it does not. */
const closing = (line: string, start: number): number => {
  const marker = line[start] as string
  let end = line.indexOf(marker, start + 2)
  while (end >= 0 && isSpace(line[end - 1])) end = line.indexOf(marker, end + 1)
  return end
}

/** Whether a span may end before this: it does not continue a word or number. */
const isFree = (next: string | undefined): boolean => next === undefined || /[\s.,;:!?)\]}"'»“”’…]/u.test(next)

/** Whether a span's markers may go. They stay in dial codes, sums and words; stars around nothing but numbers may be any of these. */
const isOnlyStyle = (marker: string, inner: string, next: string | undefined): boolean =>
  isFree(next) && (marker !== MARKERS.bold || /\p{L}/u.test(inner) || !/\p{N}/u.test(inner))

/** `exact`: takes for style all that an app may take for it. Otherwise only markers that nobody can have meant literally. */
const parseLine = (line: string, exact: boolean): Inline[] => {
  const parts: Inline[] = []
  const unclosed = new Set<string>() // markers that close nowhere after this, so that no text is searched twice
  let plainFrom = 0
  let mayOpen = ''
  for (let i = 0; i < line.length; i++) {
    const letter = line[i] as string
    const kind = SPANS.get(letter)
    const before = line[i - 1]
    const placed = before === undefined || isSpace(before) || (mayOpen !== '' && mayOpen !== letter)
    mayOpen = ''
    if (kind === undefined || !placed || unclosed.has(letter) || i + 1 >= line.length || isSpace(line[i + 1])) continue
    if (line[i + 1] === letter) { i++; continue } // nothing between them: neither is a marker
    const end = closing(line, i)
    if (end < 0) { unclosed.add(letter); mayOpen = letter; continue }
    const inner = line.slice(i + 1, end)
    if (!exact && !isOnlyStyle(letter, inner, line[end + 1])) { i = end; continue }
    if (plainFrom < i) parts.push({ kind: 'text', text: line.slice(plainFrom, i) })
    parts.push(kind === 'code' ? { kind, text: inner } : { kind, of: parseLine(inner, exact) })
    plainFrom = end + 1
    i = end
  }
  if (plainFrom < line.length) parts.push({ kind: 'text', text: line.slice(plainFrom) })
  return parts
}

const joinLines = (lines: string[], exact: boolean): Inline[] => {
  const parts: Inline[] = []
  const add = (part: Inline): void => {
    const last = parts.at(-1)
    if (last?.kind === 'text' && part.kind === 'text') last.text += part.text
    else parts.push(part)
  }
  lines.forEach((line, index) => {
    if (index > 0) add({ kind: 'text', text: '\n' })
    parseLine(line, exact).forEach(add)
  })
  return parts
}

const CODE = '```'

const parseBlocks = (lines: string[], depth: number, exact: boolean): Block[] => {
  const blocks: Block[] = []
  let loose: string[] = []
  const flush = (blockFollows: boolean): void => {
    let from = 0
    let to = loose.length
    if (blocks.length > 0) while (from < to && loose[from]?.trim() === '') from++
    if (blockFollows) while (to > from && loose[to - 1]?.trim() === '') to--
    const of = joinLines(loose.slice(from, to), exact)
    if (of.length > 0) blocks.push({ kind: 'paragraph', of })
    loose = []
  }
  for (let i = 0; i < lines.length; i++) {
    const line = lines[i] as string
    if (line.startsWith(CODE) && i + 1 < lines.length) {
      flush(true)
      const end = lines.indexOf(CODE, i + 1)
      const to = end < 0 ? lines.length : end
      const first = line.slice(CODE.length).trim()
      const language = isLanguage(first) ? first : undefined
      const text = [...first === '' || language !== undefined ? [] : [first], ...lines.slice(i + 1, to)].join('\n')
      blocks.push({ kind: 'code', text, ...language !== undefined && { language } })
      i = to
    } else if (line.startsWith('>') && depth < TEXT_DEPTH_MAX) {
      flush(true)
      let to = i
      while (lines[to]?.startsWith('>')) to++
      blocks.push({ kind: 'quote', of: parseBlocks(lines.slice(i, to).map(one => one.replace(/^> ?/, '')), depth + 1, exact) })
      i = to - 1
    } else loose.push(line)
  }
  flush(false)
  return blocks
}

/** A message body as people style it. */
export const parseStyled = (body: string): Text => parseBlocks(body.split('\n'), 0, false)

/** A body as an app may show it, which does not know to what a sign belongs. */
const parseExactly = (body: string): Text => parseBlocks(body.split('\n'), 0, true)

// Letters that stand for literal signs while bodyOf finds out whether an app would take the signs for style. XML has none of these letters.
const SIGNS = '*_~`>'
const hide = (text: string): string => text.replace(/[\u0001-\u0005]/g, '\ufffd')
  .replace(/[*_~`>]/g, sign => String.fromCharCode(SIGNS.indexOf(sign) + 1))
const unhide = (text: string): string => text.replace(/[\u0001-\u0005]/g, letter => SIGNS[letter.charCodeAt(0) - 1]!)

const OPENS = 'opens ' // `before` begins with this if an opening marker stands there; that marker follows

const mayOpen = (marker: string, before: string): boolean =>
  before === '' || isSpace(before) || (before.startsWith(OPENS) && before !== OPENS + marker)

/** One line of a span with its markers; without them if the line contains that marker. */
const mark = (line: string, marker: string): string => {
  const core = line.trim()
  const start = line.indexOf(core)
  return core === '' || core.includes(marker) ? line : `${line.slice(0, start)}${marker}${core}${marker}${line.slice(start + core.length)}`
}

/** `before` and `after`: the neighbouring text; empty at the edges of a line or span. Where markers have no effect, there are none. */
const writeSpan = (part: Extract<Inline, { kind: keyof typeof MARKERS }>, before: string, after: string): string => {
  const marker = MARKERS[part.kind]
  const flat = part.kind === 'code' ? part.text : inlinePlain(part.of)
  const works = (isSpace(flat[0]) || mayOpen(marker, before)) && (isSpace(flat.at(-1)) || isFree(after[0]))
  const holdsSign = flat.includes(STRUCK) || flat.includes(hide(STRUCK))
  if (part.kind === 'strike' && (!works || holdsSign)) return struck(writeInline(part.of, STRUCK, STRUCK), holdsSign)
  const inner = part.kind === 'code' ? part.text : works ? writeInline(part.of, OPENS + marker, '') : writeInline(part.of, before, after)
  return works ? inner.split('\n').map(line => mark(line, marker)).join('\n') : inner
}

const writePart = (part: Inline, before: string, after: string): string => {
  switch (part.kind) {
    case 'text': return part.text
    case 'link': case 'spoiler': return inlinePlain([part])
    case 'underline': case 'sub': return writeInline(part.of, before, after)
    case 'super': return `^${writeInline(part.of, '^', after)}`
    default: return writeSpan(part, before, after)
  }
}

const writeInline = (parts: Inline[], before: string, after: string): string => {
  let last = before
  return parts.map((part, index) => {
    const next = parts[index + 1]
    const written = writePart(part, last, next === undefined ? after : inlinePlain([next]))
    last = written.at(-1) ?? last
    return written
  }).join('')
}

const writeBlock = (block: Block): string => {
  switch (block.kind) {
    case 'paragraph': return writeInline(block.of, '', '')
    case 'code': return `${CODE}${block.language !== undefined && isLanguage(block.language) ? block.language : ''}\n${block.text}\n${CODE}`
    case 'quote': return quoted(writeStyled(block.of))
    case 'list': return listLines(block, block.items.map(writeStyled))
  }
}

export const writeStyled = (text: Text): string => joined(text, text.map((block, index) =>
  (block.kind === 'quote' && text[index - 1]?.kind === 'quote' ? '\n' : '') + writeBlock(block)))

/** The same value with each of its texts changed. */
const mapText = <T>(value: T, change: (text: string) => string): T => JSON.parse(JSON.stringify(value), (key, found: unknown) =>
  typeof found === 'string' && key !== 'kind' ? change(found) : found) as T

/** The body for a text, and whether it must be marked as unstyled (§7), so that a stray * stays a *. */
export const bodyOf = (text: Text): { body: string, unstyled: boolean } => {
  if (!isPlain(text)) {
    const hidden = writeStyled(mapText(text, hide))
    const body = unhide(hidden)
    if (JSON.stringify(parseExactly(body)) === JSON.stringify(mapText(parseExactly(hidden), unhide))) return { body, unstyled: false }
  }
  const body = toPlain(text)
  return { body, unstyled: /[*_~`>]/.test(body) && !isPlain(parseExactly(body)) }
}
