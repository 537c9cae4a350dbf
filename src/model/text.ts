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
  | { kind: 'list'; ordered: boolean; start?: number; items: Block[][] } // start: the number of the first item, 1 if absent

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

const LANGUAGES: ReadonlySet<string> = new Set([
  'bash', 'c', 'c++', 'cpp', 'cs', 'css', 'csv', 'diff', 'go', 'html', 'http', 'ini', 'java', 'javascript', 'js', 'json', 'jsx',
  'kotlin', 'lua', 'markdown', 'md', 'perl', 'php', 'plaintext', 'powershell', 'py', 'python', 'r', 'ruby', 'rust', 'scss', 'sh',
  'shell', 'sql', 'swift', 'text', 'toml', 'ts', 'tsx', 'txt', 'typescript', 'vue', 'xml', 'yaml', 'yml', 'zsh'
])

/** What people write behind the opening sign of a code block so that it is coloured. Any other word there is said. */
export const isLanguage = (word: string): boolean => LANGUAGES.has(word)

/** Whatever some app shows as the end of a line. */
export const LINE_END = /\r\n|[\n\r\v\f\u0085\u2028\u2029]/u

/** Each line marked as quoted. */
export const quoted = (text: string): string => text.split(LINE_END).map(line => `> ${line}`).join('\n')

/** Unformatted text. */
export const plain = (text: string): Text => text === '' ? [] : [{ kind: 'paragraph', of: [{ kind: 'text', text }] }]

/** The sign for what is struck out, where it cannot be shown; doubled around text that holds it. */
export const STRUCK = '~'

/** Struck out, in signs, so that nobody takes it for what holds. Each line by itself. */
export const struck = (text: string, isTwice = text.includes(STRUCK)): string => {
  const sign = isTwice ? STRUCK + STRUCK : STRUCK
  return text.split('\n').map(line => line.replace(/^(\s*)(\S|\S.*\S)(\s*)$/u, `$1${sign}$2${sign}$3`)).join('\n')
}

/** No sign that a number may have stands in front of one. */
const bulletOf = (items: string[]): string => items.every(item => /^\p{L}/u.test(item)) ? '-' : '*'

/** The lines of a list, its items written already. */
export const listLines = ({ ordered, start = 1 }: { ordered: boolean, start?: number }, items: string[]): string => {
  const bullet = bulletOf(items)
  return items.map((item, index) =>
    `${ordered ? `${start + index}.` : bullet} ${item.replaceAll('\n', '\n  ')}`.trimEnd()).join('\n')
}

export const inlinePlain = (parts: Inline[]): string => parts.map(part => {
  switch (part.kind) {
    case 'text': case 'code': return part.text
    case 'link': {
      const label = inlinePlain(part.of)
      return label === part.href || label === '' || `mailto:${label}` === part.href ? label || part.href : `${label} (${part.href})`
    }
    case 'strike': return struck(inlinePlain(part.of))
    default: return inlinePlain(part.of)
  }
}).join('')

const blockPlain = (block: Block): string => {
  switch (block.kind) {
    case 'paragraph': return inlinePlain(block.of)
    case 'code': return block.text
    case 'quote': return quoted(toPlain(block.of))
    case 'list': return listLines(block, block.items.map(toPlain))
  }
}

/** For people who see no formatting: quotes as "> ", lists as "- ", a link's target behind its label, ~ around what is struck out. */
export const toPlain = (text: Text): string => text.map(blockPlain).join('\n')

/** Whether anything would be lost by toPlain. */
export const isPlain = (text: Text): boolean =>
  text.every(block => block.kind === 'paragraph' && block.of.every(part => part.kind === 'text'))
