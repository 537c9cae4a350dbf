/**
 * Message styling (XEP-0393) ↔ the text model. The style has no escape and no lists or links: lists are written as lines with
 * "- ", links as "label (address)", and a marker that could not take effect where it stands is left out.
 * Promises: `parseStyled` never throws and takes time linear in the text; parse(write(x)) = x for text without stray markers.
 */
import { type Block, type Inline, isPlain, type Text, TEXT_DEPTH_MAX, toPlain } from '../../model/text'

const MARKERS = { bold: '*', italic: '_', strike: '~', code: '`' } as const
const SPANS = new Map(Object.entries(MARKERS).map(([kind, marker]) => [marker as string, kind as keyof typeof MARKERS]))

const isSpace = (letter: string | undefined): boolean => letter !== undefined && /\s/.test(letter)

/** Where the span that opens at `start` closes (§6.1: lazily, not behind a space, not empty); -1 if it does not. */
const closing = (line: string, start: number): number => {
  const marker = line[start] as string
  let end = line.indexOf(marker, start + 2)
  while (end >= 0 && isSpace(line[end - 1])) end = line.indexOf(marker, end + 1)
  return end
}

const parseLine = (line: string): Inline[] => {
  const parts: Inline[] = []
  const unclosed = new Set<string>() // markers that close nowhere behind here, so that no text is searched twice
  let plainFrom = 0
  let mayOpen = ''
  for (let i = 0; i < line.length; i++) {
    const letter = line[i] as string
    const kind = SPANS.get(letter)
    const before = line[i - 1]
    const placed = before === undefined || isSpace(before) || (mayOpen !== '' && mayOpen !== letter)
    mayOpen = ''
    if (kind === undefined || !placed || unclosed.has(letter) || i + 1 >= line.length || isSpace(line[i + 1])) continue
    if (line[i + 1] === letter) { i++; continue } // nothing between: neither is a marker
    const end = closing(line, i)
    if (end < 0) { unclosed.add(letter); mayOpen = letter; continue }
    if (plainFrom < i) parts.push({ kind: 'text', text: line.slice(plainFrom, i) })
    const inner = line.slice(i + 1, end)
    parts.push(kind === 'code' ? { kind, text: inner } : { kind, of: parseLine(inner) })
    plainFrom = end + 1
    i = end
  }
  if (plainFrom < line.length) parts.push({ kind: 'text', text: line.slice(plainFrom) })
  return parts
}

const joinLines = (lines: string[]): Inline[] => {
  const parts: Inline[] = []
  const add = (part: Inline): void => {
    const last = parts.at(-1)
    if (last?.kind === 'text' && part.kind === 'text') last.text += part.text
    else parts.push(part)
  }
  lines.forEach((line, index) => {
    if (index > 0) add({ kind: 'text', text: '\n' })
    parseLine(line).forEach(add)
  })
  return parts
}

const CODE_OPEN = /^```[\w+#-]*$/
const CODE = '```'

const parseBlocks = (lines: string[], depth: number): Block[] => {
  const blocks: Block[] = []
  let loose: string[] = []
  const flush = (blockFollows: boolean): void => {
    let from = 0
    let to = loose.length
    if (blocks.length > 0) while (from < to && loose[from]?.trim() === '') from++
    if (blockFollows) while (to > from && loose[to - 1]?.trim() === '') to--
    const of = joinLines(loose.slice(from, to))
    if (of.length > 0) blocks.push({ kind: 'paragraph', of })
    loose = []
  }
  for (let i = 0; i < lines.length; i++) {
    const line = lines[i] as string
    if (CODE_OPEN.test(line) && i + 1 < lines.length) {
      flush(true)
      const end = lines.indexOf(CODE, i + 1)
      const to = end < 0 ? lines.length : end
      blocks.push({ kind: 'code', text: lines.slice(i + 1, to).join('\n') })
      i = to
    } else if (line.startsWith('>') && depth < TEXT_DEPTH_MAX) {
      flush(true)
      let to = i
      while (lines[to]?.startsWith('>')) to++
      blocks.push({ kind: 'quote', of: parseBlocks(lines.slice(i, to).map(one => one.replace(/^> ?/, '')), depth + 1) })
      i = to - 1
    } else loose.push(line)
  }
  flush(false)
  return blocks
}

/** A message body as people style it. */
export const parseStyled = (body: string): Text => parseBlocks(body.split('\n'), 0)

/** One line of a span in its markers; without them where they would have no effect. `before` is what stands in front. */
const mark = (line: string, marker: string, before: string): string => {
  const core = line.trim()
  const start = line.indexOf(core)
  const lead = start > 0 ? line[start - 1] : before
  const placed = lead === undefined || lead === '' || isSpace(lead) || (before.startsWith('opens ') && before.slice(6) !== marker)
  return core === '' || core.includes(marker) || !placed
    ? line
    : `${line.slice(0, start)}${marker}${core}${marker}${line.slice(start + core.length)}`
}

const writePart = (part: Inline, before: string): string => {
  if (part.kind === 'text') return part.text
  if (part.kind === 'link') return toPlain([{ kind: 'paragraph', of: [part] }])
  const marker = MARKERS[part.kind]
  const inner = part.kind === 'code' ? part.text : writeInline(part.of, `opens ${marker}`)
  return inner.split('\n').map((line, index) => mark(line, marker, index > 0 ? '' : before)).join('\n')
}

const writeInline = (parts: Inline[], before: string): string => {
  let last = before
  return parts.map(part => {
    const written = writePart(part, last)
    last = written.at(-1) ?? last
    return written
  }).join('')
}

const writeBlock = (block: Block): string => {
  switch (block.kind) {
    case 'paragraph': return writeInline(block.of, '')
    case 'code': return `${CODE}\n${block.text}\n${CODE}`
    case 'quote': return writeStyled(block.of).split('\n').map(line => `> ${line}`).join('\n')
    case 'list': return block.items.map((item, index) =>
      `${block.ordered ? `${index + 1}.` : '-'} ${writeStyled(item).replaceAll('\n', '\n  ')}`).join('\n')
  }
}

export const writeStyled = (text: Text): string => text.map((block, index) =>
  (block.kind === 'quote' && text[index - 1]?.kind === 'quote' ? '\n' : '') + writeBlock(block)).join('\n')

/** The body for a text, and whether it must be marked as not styled (§7) so that a stray * stays a *. */
export const bodyOf = (text: Text): { body: string, unstyled: boolean } => {
  if (!isPlain(text)) return { body: writeStyled(text), unstyled: false }
  const body = toPlain(text)
  return { body, unstyled: /[*_~`>]/.test(body) && !isPlain(parseStyled(body)) }
}
