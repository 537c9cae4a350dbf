/**
 * The text model: all the formatting that crosses networks, and nothing else.
 * Each network parses its own markup into this model and writes its own markup from it, so no markup is ever passed through.
 */
import { mapLink, pointOf } from '../lib/geo'

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

/** A link with another scheme stays text. */
export const LINK_SCHEMES: ReadonlySet<string> = new Set(['http:', 'https:', 'mailto:', 'xmpp:', 'tel:'])

/** Parsers nest no deeper; anything deeper becomes text of the level above. */
export const TEXT_DEPTH_MAX = 8

/** The scheme must stand at the start as it is. If a parser has to repair an address first, others may read it differently. */
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

/** A language that people name behind the opening sign of a code block, for colours. Any other word there is part of the message. */
export const isLanguage = (word: string): boolean => LANGUAGES.has(word)

/** Everything that some app shows as the end of a line. */
export const LINE_END = /\r\n|[\n\r\v\f\u0085\u2028\u2029]/u

/** Each line marked as quoted. */
export const quoted = (text: string): string => text.split(LINE_END).map(line => `> ${line}`).join('\n')

/** Unformatted text. */
export const plain = (text: string): Text => text === '' ? [] : [{ kind: 'paragraph', of: [{ kind: 'text', text }] }]

/** Marks struck-out text where it cannot be shown as such; doubled around text that holds the sign itself. */
export const STRUCK = '~'

/** Marks text as struck out, line by line, so that nobody takes it as still valid. */
export const struck = (text: string, isTwice = text.includes(STRUCK)): string => {
  const sign = isTwice ? STRUCK + STRUCK : STRUCK
  return text.split('\n').map(line => line.replace(/^(\s*)(\S|\S.*\S)(\s*)$/u, `$1${sign}$2${sign}$3`)).join('\n')
}

/** A “-” stands only in front of letters: in front of a number it would read as a minus. */
const bulletOf = (items: string[]): string => items.every(item => /^\p{L}/u.test(item)) ? '-' : '*'

/** The lines of a list whose items are plain text already. */
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

/** For people who see no formatting: quotes as "> ", lists as "- ", a link's target behind its label, ~ around struck-out text. */
export const toPlain = (text: Text): string => text.map(blockPlain).join('\n')

/** Whether toPlain would lose nothing. */
export const isPlain = (text: Text): boolean =>
  text.every(block => block.kind === 'paragraph' && block.of.every(part => part.kind === 'text'))

/** A place, with what was said of it, for whoever sees no map. `uri` is a geo URI. */
export const locationText = (uri: string, said: string): Text => {
  const point = pointOf(uri)
  return plain(`📍 ${[said, point && mapLink(point)].filter(part => part !== undefined && part !== '').join('\n')}`)
}
