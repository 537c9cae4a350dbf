/**
 * What a message says in XHTML-IM (XEP-0071), for apps that send no body beside it. Only the words and where lines, lists and quotations
 * begin: how it looks is not carried.
 */
import { type Block, type Inline, inlinePlain, isLink, TEXT_DEPTH_MAX, type Text } from '../../../model/text'
import { child, type Element, elementsIn } from '../wire/xml'

const XHTML_IM = 'http://jabber.org/protocol/xhtml-im'
const XHTML = 'http://www.w3.org/1999/xhtml'
const LINES: ReadonlySet<string> = new Set(['body', 'p', 'div', 'pre', 'h1', 'h2', 'h3', 'h4', 'h5', 'h6', 'address', 'li', 'ol', 'ul', 'blockquote'])

const isLine = (one: Element | string): one is Element => typeof one !== 'string' && LINES.has(one.name)

const inlineOf = (one: Element | string): Inline[] => {
  if (typeof one === 'string') return [{ kind: 'text', text: one.replace(/[ \t\r\n]+/g, ' ') }]
  const { name, attrs: { href = '', alt = '' }, children } = one
  if (name === 'br') return [{ kind: 'text', text: '\n' }]
  if (name === 'img') return [{ kind: 'text', text: alt }]
  const of = children.flatMap(inlineOf)
  return name === 'a' && isLink(href) ? [{ kind: 'link', href, of }] : of
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
  if (inner > depth && (name === 'ol' || name === 'ul')) {
    const items = elementsIn(one).map(item => blocksOf(item.children, inner))
    return items.length === 0 ? [] : [{ kind: 'list', ordered: name === 'ol', items }]
  }
  return blocksOf(children, depth)
}

const holdsPicture = (one: Element): boolean => one.name === 'img' || elementsIn(one).some(holdsPicture)

/** Undefined if there is no XHTML-IM. `picture`: there is one, whether or not words stand for it. */
export const inXhtml = (message: Element): { text: Text, picture: boolean } | undefined => {
  const html = child(message, 'html', XHTML_IM)
  const body = html && child(html, 'body', XHTML)
  return body && { text: blocksOf(body.children, 0), picture: holdsPicture(body) }
}
