/**
 * The text model: all the formatting that crosses networks, and nothing else.
 * Each network parses its own markup into this model and writes its own markup from it, so no markup is ever passed through.
 */
import { mapLink, pointOf } from '../lib/geo'

export type Inline =
  | { kind: 'text'; text: string } // '\n' is a line break
  | { kind: 'bold' | 'italic' | 'strike'; of: Inline[] }
  | { kind: 'underline' | 'super' | 'sub'; of: Inline[] }
  | { kind: 'spoiler'; of: Inline[]; reason?: string } // to be read only by whoever wants to; reason: why, or what it is about
  | { kind: 'code'; text: string }
  | { kind: 'link'; href: string; of: Inline[] } // href has one of LINK_SCHEMES

export type Block =
  | { kind: 'paragraph'; of: Inline[]; apart?: true } // apart: from the paragraph before it, by an empty line
  | { kind: 'quote'; of: Block[] }
  | { kind: 'code'; text: string; language?: string }
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

/** The same text with a few words in front. */
export const inFront = (words: string, [first, ...others]: Text): Text => first?.kind === 'paragraph'
  ? [{ kind: 'paragraph', of: [{ kind: 'text', text: words }, ...first.of] }, ...others]
  : [...plain(words), ...first === undefined ? [] : [first], ...others]

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

const REASON_CHARACTERS_MAX = 200

/** The reason of a spoiler, as a parser takes it. */
export const reasonIn = (said: string): string => said.replace(/\s+/g, ' ').trim().slice(0, REASON_CHARACTERS_MAX).toWellFormed()

/** A spoiler as a parser makes it. */
export const spoiler = (of: Inline[], said = ''): Inline => {
  const reason = reasonIn(said)
  return { kind: 'spoiler', of, ...reason !== '' && { reason } }
}

/** Stands in front of a spoiler's words where they cannot be hidden, and in their place where they must not be read. */
export const spoilerMark = (reason = ''): string => reason === '' ? '[Spoiler]' : `[Spoiler: ${reason}]`

export const inlinePlain = (parts: Inline[]): string => parts.map(part => {
  switch (part.kind) {
    case 'text': case 'code': return part.text
    case 'link': {
      const label = inlinePlain(part.of)
      return label === part.href || label === '' || `mailto:${label}` === part.href ? label || part.href : `${label} (${part.href})`
    }
    case 'strike': return struck(inlinePlain(part.of))
    case 'super': return `^${inlinePlain(part.of)}` // else 10² would be 102
    case 'spoiler': return `${spoilerMark(part.reason)} ${inlinePlain(part.of)}`
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

/** The blocks as they are written, one below the other. */
export const joined = (text: Text, written: string[]): string => text.map((block, index) =>
  (index > 0 && block.kind === 'paragraph' && block.apart === true ? '\n' : '') + (written[index] ?? '')).join('\n')

/** For people who see no formatting: quotes as "> ", lists as "- ", a link's target behind its label, ~ around struck-out text. */
export const toPlain = (text: Text): string => joined(text, text.map(blockPlain))

/** The text with its inline parts changed. */
export const withInlines = (text: Text, change: (parts: Inline[]) => Inline[]): Text => text.map(block => {
  switch (block.kind) {
    case 'paragraph': return { ...block, of: change(block.of) }
    case 'quote': return { ...block, of: withInlines(block.of, change) }
    case 'list': return { ...block, items: block.items.map(item => withInlines(item, change)) }
    case 'code': return block
  }
})

const veil = (parts: Inline[]): Inline[] => parts.map(part => part.kind === 'spoiler' ? { kind: 'text', text: spoilerMark(part.reason) }
  : 'of' in part ? { ...part, of: veil(part.of) } : part)

/** The text without the words of its spoilers, for previews. */
export const veiled = (text: Text): Text => withInlines(text, veil)

const isHiding = (part: Inline): boolean => part.kind === 'spoiler' || ('of' in part && part.of.some(isHiding))

/** Whether anything in the text is a spoiler. */
export const holdsSpoiler = (text: Text): boolean => text.some(block => {
  switch (block.kind) {
    case 'paragraph': return block.of.some(isHiding)
    case 'quote': return holdsSpoiler(block.of)
    case 'list': return block.items.some(holdsSpoiler)
    case 'code': return false
  }
})

/** If all of the text is one spoiler: its words, and its reason. */
export const wholeSpoiler = (text: Text): { text: Text, reason: string } | undefined => {
  const bare: Text = []
  let reason: string | undefined
  for (const block of text) {
    const [only, ...others] = block.kind === 'paragraph' ? block.of : []
    if (only?.kind !== 'spoiler' || others.length > 0 || (reason ?? only.reason ?? '') !== (only.reason ?? '')) return undefined
    reason = only.reason ?? ''
    bare.push({ kind: 'paragraph', of: only.of })
  }
  return reason === undefined ? undefined : { text: bare, reason }
}

/** Whether toPlain would lose nothing. */
export const isPlain = (text: Text): boolean =>
  text.every(block => block.kind === 'paragraph' && block.of.every(part => part.kind === 'text'))

/** A place, with what was said of it, for whoever sees no map. `uri` is a geo URI. */
export const locationText = (uri: string, said: string): Text => {
  const point = pointOf(uri)
  return plain(`📍 ${[said, point && mapLink(point)].filter(part => part !== undefined && part !== '').join('\n')}`)
}
