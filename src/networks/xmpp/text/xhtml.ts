/**
 * What a message says in XHTML-IM (XEP-0071), for apps that send no body beside it: its words, links, lists and quotations, and what is
 * struck out. How it looks otherwise is not carried.
 */
import { type Block, type Inline, inlinePlain, isLink, TEXT_DEPTH_MAX, type Text } from '../../../model/text'
import { child, type Element, elementsIn } from '../wire/xml'

const XHTML_IM = 'http://jabber.org/protocol/xhtml-im'
const XHTML = 'http://www.w3.org/1999/xhtml'
const LINES: ReadonlySet<string> = new Set(['body', 'p', 'div', 'pre', 'h1', 'h2', 'h3', 'h4', 'h5', 'h6', 'address', 'li', 'ol', 'ul', 'blockquote'])
const STRUCK: ReadonlySet<string> = new Set(['del', 's', 'strike'])
const NUMBER = /^-?\d{1,9}$/

const isLine = (one: Element | string): one is Element => typeof one !== 'string' && LINES.has(one.name)

const inlineOf = (one: Element | string): Inline[] => {
  if (typeof one === 'string') return [{ kind: 'text', text: one.replace(/[ \t\r\n]+/g, ' ') }]
  const { name, attrs: { href = '', alt = '', style = '' }, children } = one
  if (name === 'br') return [{ kind: 'text', text: '\n' }]
  if (name === 'img') return [{ kind: 'text', text: alt }]
  const of = children.flatMap(inlineOf)
  if (name === 'a' && isLink(href)) return [{ kind: 'link', href, of }]
  if (STRUCK.has(name) || /line-through/i.test(style)) return [{ kind: 'strike', of }]
  return name === 'sup' ? [{ kind: 'super', of }] : of
}

const paragraph = (parts: (Element | string)[]): Block[] => {
  const of = parts.flatMap(inlineOf)
  return inlinePlain(of).trim() === '' ? [] : [{ kind: 'paragraph', of }]
}

const blocksOf = (children: (Element | string)[], depth: number): Block[] => {
  const blocks: Block[] = []
  let words: (Element | string)[] = []
  for (const one of children) {
    if (!isLine(one)) words.push(one)
    else {
      blocks.push(...paragraph(words), ...lineOf(one, depth))
      words = []
    }
  }
  return [...blocks, ...paragraph(words)]
}

const lineOf = (one: Element, depth: number): Block[] => {
  const { name, children } = one
  const inner = depth < TEXT_DEPTH_MAX ? depth + 1 : depth
  if (inner > depth && name === 'blockquote') {
    const of = blocksOf(children, inner)
    return of.length === 0 ? [] : [{ kind: 'quote', of }]
  }
  return inner > depth && (name === 'ol' || name === 'ul') ? listsOf(one, inner) : blocksOf(children, depth)
}

const numberIn = (written = ''): number | undefined => NUMBER.test(written) ? Number(written) : undefined

/** An item with a number of its own begins a new list. */
const listsOf = (one: Element, depth: number): Block[] => {
  const ordered = one.name === 'ol'
  const lists: Extract<Block, { kind: 'list' }>[] = []
  let next = numberIn(one.attrs.start) ?? 1
  for (const { attrs, children } of elementsIn(one)) {
    const start = numberIn(attrs.value) ?? next
    if (lists.length === 0 || (ordered && start !== next)) lists.push({ kind: 'list', ordered, ...ordered && start !== 1 && { start }, items: [] })
    lists.at(-1)?.items.push(blocksOf(children, depth))
    next = start + 1
  }
  return lists
}

const holdsPicture = (one: Element): boolean => one.name === 'img' || elementsIn(one).some(holdsPicture)

/** Undefined if there is no XHTML-IM. `picture`: there is one, whether or not words stand for it. */
export const inXhtml = (message: Element): { text: Text, picture: boolean } | undefined => {
  const html = child(message, 'html', XHTML_IM)
  const body = html && child(html, 'body', XHTML)
  return body && { text: blocksOf(body.children, 0), picture: holdsPicture(body) }
}
