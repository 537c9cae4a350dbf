/**
 * `org.matrix.custom.html` (CS API §m.room.message msgtypes) ↔ the text model. Incoming HTML is parsed into the model, within limits.
 * Outgoing HTML is written afresh from the model, so only the few elements below can ever appear.
 */
import { Parser } from 'htmlparser2'
import { escaped } from '../../lib/html'
import { Malformed } from '../../model/errors'
import { type Mention, nameIn, renamed, withoutLabel } from '../../model/mention'
import {
  isLanguage, isLink, isPlain, plain, spoiler, TEXT_DEPTH_MAX, toPlain, veiled, type Block, type Inline, type Text
} from '../../model/text'

const HTML_CHARS_MAX = 65_536 // an event cannot hold more
const TAGS_MAX = 5000 // opening and closing
const NESTED_MAX = 500 // open tags; the parser looks through them at each closing tag

// ---- writing

/** Replaces what no JSON of Matrix may hold: U+0000 (databases refuse it) and lone surrogates. */
export const clean = (text: string): string => text.toWellFormed().replaceAll('\0', '\ufffd')

const TAGS = { bold: 'strong', italic: 'em', underline: 'u', strike: 'del', super: 'sup', sub: 'sub' } as const

/** Writes spaces and line breaks so that apps show them. */
const writeWords = (text: string): string => escaped(text).replace(/ (?= )/g, '\u00a0').replaceAll('\n', '<br>')

const writeInline = (parts: Inline[]): string => parts.map(part => {
  switch (part.kind) {
    case 'text': return writeWords(part.text)
    case 'code': return `<code>${writeWords(part.text)}</code>`
    case 'link': return isLink(part.href) ? `<a href="${escaped(part.href)}">${writeInline(part.of)}</a>` : writeInline(part.of)
    case 'spoiler': return `<span data-mx-spoiler="${escaped(part.reason ?? '')}">${writeInline(part.of)}</span>`
    default: return `<${TAGS[part.kind]}>${writeInline(part.of)}</${TAGS[part.kind]}>`
  }
}).join('')

const writeBlock = (block: Block): string => {
  switch (block.kind) {
    case 'paragraph': return `<p>${writeInline(block.of)}</p>`
    case 'code': {
      const language = block.language === undefined ? '' : ` class="language-${escaped(block.language)}"`
      return `<pre><code${language}>${escaped(block.text)}</code></pre>`
    }
    case 'quote': return `<blockquote>${writeHtml(block.of)}</blockquote>`
    case 'list': {
      const tag = block.ordered ? 'ol' : 'ul'
      const start = block.start === undefined || !block.ordered ? '' : ` start="${block.start}"`
      return `<${tag}${start}>${block.items.map(item => `<li>${writeHtml(item)}</li>`).join('')}</${tag}>`
    }
  }
}

/** A single paragraph gets no element, as clients write it themselves. */
export const writeHtml = (text: Text): string => {
  const [only] = text
  return text.length === 1 && only?.kind === 'paragraph' ? writeInline(only.of) : text.map(writeBlock).join('')
}

/** The body, and the HTML if it says more than the body. People called in it stand there under their own name, in the HTML as pills. */
export const writeText = (text: Text, called: Mention[] = []): { body: string, html?: string } => {
  const named = (as: string): Inline => ({ kind: 'text', text: withoutLabel(nameIn(as)) })
  const body = renamed(text, called, ({ as, who }) => who === 'everybody' ? undefined : named(as))
  const html = renamed(text, called, ({ as, who }) => who === 'everybody' ? undefined
    : { kind: 'link', href: `https://matrix.to/#/${encodeURIComponent(who.id)}`, of: [named(as)] })
  return { body: clean(toPlain(veiled(body))), ...(isPlain(html) ? {} : { html: clean(writeHtml(html)) }) }
}

// ---- parsing

type Style = keyof typeof TAGS
/** A mark in force while its element is open. `id` keeps two adjacent links or spoilers apart. */
type Mark = { kind: Style | 'code' } | { kind: 'link', href: string, id: number } | { kind: 'spoiler', reason: string, id: number }
interface Run { text: string; marks: Mark[] }
interface List { ordered: boolean, start?: number, items: Block[][] }
interface Container { tag: string; blocks: Block[]; depth: number; list?: List }

const MARKS = new Map<string, Style | 'code'>(Object.entries({
  b: 'bold', strong: 'bold', i: 'italic', em: 'italic', u: 'underline', del: 'strike', s: 'strike', strike: 'strike', sup: 'super', sub: 'sub',
  code: 'code', tt: 'code'
}))
const HEADING = /^h[1-6]$/
const BREAKS: ReadonlySet<string> = new Set(
  ['p', 'div', 'h1', 'h2', 'h3', 'h4', 'h5', 'h6', 'table', 'tr', 'details', 'summary', 'caption', 'hr', 'dl', 'dt', 'dd', 'section', 'article',
    'header', 'footer', 'figure', 'figcaption', 'address'])
const HIDDEN: ReadonlySet<string> = new Set(
  ['mx-reply', 'script', 'style', 'title', 'textarea', 'template', 'head', 'iframe', 'noscript'])
const NUMBER = /^-?\d{1,9}$/
const ORDER = ['link', 'spoiler', 'bold', 'italic', 'underline', 'strike', 'super', 'sub', 'code'] as const
const LANGUAGE = /^language-([\w+#.-]{1,30})$/

const markOf = (tag: string, attributes: Record<string, string>, id: number): Mark | undefined => {
  if (HEADING.test(tag)) return { kind: 'bold' }
  const href = tag === 'a' ? (attributes.href ?? '').trim() : ''
  if (isLink(href) && !MENTION.test(href)) return { kind: 'link', href, id }
  const { 'data-mx-spoiler': reason } = attributes
  if (tag === 'span' && reason !== undefined) return { kind: 'spoiler', reason, id }
  const kind = MARKS.get(tag)
  return kind && { kind }
}

/** Adds a mark unless one of its kind is there. Keeps them in ORDER. */
const withMark = (marks: Mark[], mark: Mark | undefined): Mark[] => mark === undefined || marks.some(({ kind }) => kind === mark.kind)
  ? marks : [...marks, mark].sort((one, other) => ORDER.indexOf(one.kind) - ORDER.indexOf(other.kind))

const sameMark = (a: Mark | undefined, b: Mark | undefined): boolean =>
  a?.kind === b?.kind && (a === undefined || !('id' in a) || (b !== undefined && 'id' in b && a.id === b.id))

/** Runs with the same outermost mark become one node, and so on inwards. */
const nest = (runs: Run[]): Inline[] => {
  const out: Inline[] = []
  for (let at = 0; at < runs.length;) {
    const mark = runs[at]!.marks[0]
    let end = at + 1
    while (end < runs.length && sameMark(runs[end]!.marks[0], mark)) end++
    const group = runs.slice(at, end)
    const inner = (): Inline[] => nest(group.map(run => ({ text: run.text, marks: run.marks.slice(1) })))
    if (!mark || mark.kind === 'code') out.push({ kind: mark ? 'code' : 'text', text: group.map(run => run.text).join('') })
    else if (mark.kind === 'link') out.push({ kind: 'link', href: mark.href, of: inner() })
    else out.push(mark.kind === 'spoiler' ? spoiler(inner(), mark.reason) : { kind: mark.kind, of: inner() })
    at = end
  }
  return out
}

/** Collapses white space as HTML does (also across marks, and around a line break). U+00A0 becomes a space, and is not collapsed. */
const collapse = (runs: Run[]): Run[] => {
  const out: Run[] = []
  let open = true // white space here is dropped
  for (const run of runs) {
    let text = run.text.replace(/[ \t\r\f]+/g, ' ').replace(/ ?\n ?/g, '\n')
    if (open) text = text.replace(/^ /, '')
    if (text === '') continue
    if (text.startsWith('\n')) trimEnd(out)
    open = /[ \n]$/.test(text)
    out.push({ text, marks: run.marks })
  }
  while (out.length > 0 && /[ \n]$/.test(out.at(-1)!.text)) {
    const last = out.at(-1)!
    last.text = last.text.replace(/[ \n]+$/, '')
    if (last.text !== '') break
    out.pop()
  }
  return out.map(run => ({ text: run.text.replaceAll('\u00a0', ' '), marks: run.marks }))
}

const trimEnd = (runs: Run[]): void => {
  const last = runs.at(-1)
  if (!last?.text.endsWith(' ')) return
  last.text = last.text.slice(0, -1)
  if (last.text === '') runs.pop()
}

interface Preformatted { depth: number; text: string; language?: string }

const openIn = (preformatted: Preformatted, tag: string, attributes: Record<string, string>): void => {
  preformatted.depth++
  if (tag === 'br') preformatted.text += '\n'
  const [, language] = LANGUAGE.exec(tag === 'code' && preformatted.text === '' ? attributes.class ?? '' : '') ?? []
  if (language !== undefined) preformatted.language = language
}

const makeBuilder = () => {
  const root: Container = { tag: '', blocks: [], depth: 0 }
  const open: Container[] = [root]
  const marks: Mark[][] = [[]] // in force, with one more entry for each open element
  const ignored: string[] = [] // open elements that are too deep, or items without a list: their text goes to the level above
  let runs: Run[] = []
  let preformatted: Preformatted | undefined
  let gap: 'after' | 'between' | undefined // where we are: behind the end of a p, or from there on in the next p
  let hidden = 0
  let tags = 0

  const top = (): Container => open.at(-1)!
  const flush = (): void => {
    const of = nest(collapse(runs))
    runs = []
    if (of.length === 0) return
    const here = top()
    if (here.list) { here.list.items.push([{ kind: 'paragraph', of }]); return } // text between a list's items
    const isApart = gap === 'between' && here.blocks.at(-1)?.kind === 'paragraph'
    gap = undefined
    here.blocks.push({ kind: 'paragraph', of, ...isApart && { apart: true } })
  }

  const add = (text: string): void => {
    if (hidden > 0 || text === '') return
    if (preformatted) { preformatted.text += text; return }
    runs.push({ text, marks: marks.at(-1)! })
  }

  /** An item with a number of its own begins a new list, unless that number comes next anyway. */
  const number = (written: string | undefined): void => {
    const { list } = top()
    if (!list?.ordered || written === undefined || !NUMBER.test(written)) return
    const value = Number(written)
    if (value === (list.start ?? 1) + list.items.length) return
    if (list.items.length > 0) open.at(-2)!.blocks.push({ kind: 'list', ...list })
    top().list = listFrom('ol', written)
  }

  const enter = (tag: string, attributes: Record<string, string>): void => {
    flush()
    if (tag === 'li' && top().tag === 'li' && ignored.length === 0) close()
    const depth = top().depth + (tag === 'li' ? 0 : 1)
    if (depth > TEXT_DEPTH_MAX || ignored.length > 0 || (tag === 'li' && !top().list)) {
      ignored.push(tag)
      return
    }
    if (tag === 'li') {
      number(attributes.value)
      open.push({ tag, blocks: [], depth })
      return
    }
    if (top().list) open.push({ tag: 'li', blocks: [], depth: top().depth }) // directly in a list: becomes an item of its own
    open.push({ tag, blocks: [], depth, ...tag !== 'blockquote' && { list: listFrom(tag, attributes.start) } })
  }

  const leave = (tag: string): void => {
    flush()
    if (ignored.at(-1) === tag) { ignored.pop(); return }
    const at = open.findLastIndex(entry => entry.tag === tag)
    if (at < 1) return
    while (open.length > at) close()
  }

  const close = (): void => {
    flush()
    const done = open.pop()!
    const parent = top()
    if (done.tag === 'li') { // an empty one still counts
      if (done.blocks.length > 0 || parent.list?.ordered) parent.list?.items.push(done.blocks)
      return
    }
    if (done.list !== undefined) {
      if (done.list.items.length > 0) parent.blocks.push({ kind: 'list', ...done.list })
    } else if (done.blocks.length > 0) {
      parent.blocks.push({ kind: 'quote', of: done.blocks })
    }
  }

  const closePre = (): void => {
    const { text, language } = preformatted!
    const code: Block = { kind: 'code', text: text.replace(/\n$/, ''), ...language !== undefined && { language } }
    preformatted = undefined
    if (code.text === '') return
    const here = top()
    if (here.list) here.list.items.push([code])
    else here.blocks.push(code)
  }

  const onopentag = (tag: string, attributes: Record<string, string>): void => {
    if (++tags > TAGS_MAX) throw new Malformed('too many tags')
    if (hidden > 0 || HIDDEN.has(tag)) { hidden++; return }
    if (preformatted) return openIn(preformatted, tag, attributes)
    if (tag === 'pre') { flush(); preformatted = { depth: 0, text: '' }; return }
    if (marks.push(withMark(marks.at(-1)!, markOf(tag, attributes, tags))) > NESTED_MAX) throw new Malformed('too many open tags')
    if (tag === 'br') return add('\n')
    if (tag === 'img') return add((attributes.alt || attributes.title || '').replaceAll('\n', ' '))
    if (tag === 'blockquote' || tag === 'ul' || tag === 'ol' || tag === 'li') return enter(tag, attributes)
    if (BREAKS.has(tag)) { flush(); gap = tag === 'p' && gap === 'after' ? 'between' : undefined; return }
    if (tag === 'td' || tag === 'th') add(runs.some(run => run.text.trim() !== '') ? ' | ' : '')
  }

  const onclosetag = (tag: string): void => {
    if (++tags > TAGS_MAX) throw new Malformed('too many tags')
    if (hidden > 0) { hidden--; return }
    if (preformatted) {
      if (tag === 'pre' && preformatted.depth === 0) closePre()
      else preformatted.depth = Math.max(preformatted.depth - 1, 0)
      return
    }
    marks.pop()
    if (tag === 'blockquote' || tag === 'ul' || tag === 'ol' || tag === 'li') return leave(tag)
    if (BREAKS.has(tag)) { flush(); gap = tag === 'p' ? 'after' : undefined }
  }

  return {
    handler: { onopentag, onclosetag, ontext: (text: string) => add(preformatted ? text : text.replaceAll('\n', ' ')) },
    finish (): Text {
      if (preformatted) closePre()
      while (open.length > 1) close()
      flush()
      return root.blocks
    }
  }
}

const listFrom = (tag: string, start = ''): List => {
  const ordered = tag === 'ol'
  return { ordered, ...ordered && NUMBER.test(start) && Number(start) !== 1 && { start: Number(start) }, items: [] }
}

/** A mention's link means nothing to people elsewhere; its label does (CS API §Room and user mentions). */
const MENTION = /^https:\/\/matrix\.to\/#\/(?:@|%40)/i

/** Undefined if it is empty or exceeds the limits: the plain body is used then. Never throws. */
export const parseHtml = (html: string): Text | undefined => {
  if (html.length > HTML_CHARS_MAX) return undefined
  const builder = makeBuilder()
  const parser = new Parser(builder.handler, { decodeEntities: true, lowerCaseTags: true, lowerCaseAttributeNames: true })
  try {
    parser.end(html)
  } catch (error) {
    if (error instanceof Malformed) return undefined
    throw error
  }
  const text = builder.finish()
  return text.length === 0 ? undefined : text
}

// ---- the plain body

/**
 * Words, and signs that belong to a number: a single star that touches it (not a pair), and a sign before it at the beginning of a line.
 */
const WORDS = /[\p{L}\p{M}\p{N}]+|(?<!\*)\*(?=\d)|(?<=\d)\*(?!\*)|(?<=^[ \t>]*)[-+*−–](?=[ \t]*[\d€$£])/gmu
/** Tags that people type into a body only to get the HTML. */
const TAG = /<\/?(?:del|s|strike|u|b|i|em|strong|sub|sup|br|span|font|p|code|pre|details|summary|h[1-6]|hr)\b[^<>]*>/gi
/** What apps write into a body for a spoiler (CS API §Spoiler messages), whose words are in the HTML alone. */
const SPOILER = /\[Spoiler(?:(?: for|:) [^\]\n]{0,200})?\](?:\([^)\n]{0,500}\))?/g
const FENCE = /(?<=^[ \t>]*(?:```|~~~))[\w+]+$/gm

const wordsOf = (text: string): string[] => text.normalize('NFC').toLowerCase().match(WORDS) ?? []

const withoutSigns = (words: string[]): number => words.filter(word => !/^[-+*−–]$/.test(word)).length

/** Whether the words of one are all in the other, in their order. */
const areIn = (some: string[], all: string[]): boolean => {
  let at = 0
  return some.every(word => {
    at = all.indexOf(word, at) + 1
    return at > 0
  })
}

/**
 * Whether the HTML lost something. Markdown mistakes some signs for style: "5*3*2" becomes HTML that says 532, and "- 20" a bullet. The body
 * still has what was typed. A body with fewer words than the HTML is only a stopgap, so then the HTML counts.
 */
const saysLess = (html: Text, body: string): boolean => {
  const bare = body.replace(SPOILER, ' ').replace(TAG, ' ').replace(FENCE, word => isLanguage(word) ? '' : word)
  const [read, typed] = [wordsOf(toPlain(html)), wordsOf(bare)]
  return withoutSigns(read) <= withoutSigns(typed) && !areIn(typed, read)
}

/** The quotation before a reply (removed in Matrix 1.13, still sent by many clients), in its exact form. Any other "> " is the writer's own. */
const QUOTED_REPLY = /^> (?:\* )?<@[^>\n]+:[^>\n]+>[^\n]*\n(?:>(?: [^\n]*)?\n)*\n?/
/** The same, looser, for when the HTML shows that it is there. */
const QUOTED_SURELY = /^(?:>(?: [^\n]*)?\n)+\n?/

const withoutReply = (body: string, html: string | undefined): string =>
  body.replace(html?.includes('<mx-reply>') ? QUOTED_SURELY : QUOTED_REPLY, '') || body

/** The text of an event. `reply`: it answers another message, so a quotation may stand in front. */
export const readText = (body: string, html: string | undefined, reply: boolean): Text => {
  const typed = reply ? withoutReply(body, html) : body
  const read = html === undefined ? undefined : parseHtml(html)
  return read === undefined || saysLess(read, typed) ? plain(typed) : read
}
