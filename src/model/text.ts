/**
 * The text model: all the formatting that crosses networks, and nothing else.
 * Each network parses its own form into this and writes its own form afresh from this, so no markup is ever passed through.
 */

export type Inline =
  | { kind: 'text'; text: string } // '\n' is a line break
  | { kind: 'bold' | 'italic' | 'strike'; of: Inline[] }
  | { kind: 'code'; text: string }
  | { kind: 'link'; href: string; of: Inline[] } // href has one of LINK_SCHEMES

export type Block =
  | { kind: 'paragraph'; of: Inline[] }
  | { kind: 'quote'; of: Block[] }
  | { kind: 'code'; text: string }
  | { kind: 'list'; ordered: boolean; items: Block[][] }

export type Text = Block[]

/** Everything else is text, not a link. */
export const LINK_SCHEMES: ReadonlySet<string> = new Set(['http:', 'https:', 'mailto:', 'xmpp:', 'tel:'])

/** Parsers stop nesting here: what is deeper stays text of the level above. */
export const TEXT_DEPTH_MAX = 8

/** The scheme must stand there as it is: what must be mended first, others may read differently. */
export const isLink = (href: string): boolean => {
  if (!URL.canParse(href)) return false
  const { protocol } = new URL(href)
  return LINK_SCHEMES.has(protocol) && href.toLowerCase().startsWith(protocol)
}

/** Unformatted text. */
export const plain = (text: string): Text => text === '' ? [] : [{ kind: 'paragraph', of: [{ kind: 'text', text }] }]

const inlinePlain = (parts: Inline[]): string => parts.map(part => {
  switch (part.kind) {
    case 'text': case 'code': return part.text
    case 'link': {
      const label = inlinePlain(part.of)
      return label === part.href || label === '' || `mailto:${label}` === part.href ? label || part.href : `${label} (${part.href})`
    }
    default: return inlinePlain(part.of)
  }
}).join('')

const blockPlain = (block: Block): string => {
  switch (block.kind) {
    case 'paragraph': return inlinePlain(block.of)
    case 'code': return block.text
    case 'quote': return toPlain(block.of).split('\n').map(line => `> ${line}`).join('\n')
    case 'list': return block.items
      .map((item, index) => `${block.ordered ? `${index + 1}.` : '-'} ${toPlain(item).replaceAll('\n', '\n  ')}`).join('\n')
  }
}

/** For people who see no formatting: quotes as "> ", lists as "- ", a link's target behind its label. */
export const toPlain = (text: Text): string => text.map(blockPlain).join('\n')

/** Whether anything would be lost by toPlain. */
export const isPlain = (text: Text): boolean =>
  text.every(block => block.kind === 'paragraph' && block.of.every(part => part.kind === 'text'))
