/**
 * What somebody of the team typed: words, a note, a command, or something unclear. It is judged once, by what they typed themselves: without
 * quotations, white space, invisible characters and markup, and in any Unicode spelling of the signs, because apps change what is typed. A
 * text that begins with `!` or `/` and is not a known command is never words.
 */
import { nearest } from '../lib/nearest'
import { type Content, filesOf } from '../model/message'
import { plain, toPlain, type Block, type Inline, type Text } from '../model/text'
import type { Recorded } from '../store/store'
import { INSIDE, SENDING, SPELLINGS, wordOf, type Command, type Word } from './commands'
import { disguised, isLabelled } from './disguised'

/**
 * Why a text is unclear. `lacking`: the word is typed right, but nothing follows it; `more`: something follows it that must not be sent;
 * `label`: the text calls itself a note; `emote`: the app made what follows `/me` of it.
 */
export type Doubt = 'lacking' | 'more' | 'label' | 'emote'

/** `meant`: the word that was probably meant, if any. */
export type Typed =
  | { kind: 'words' }
  | { kind: 'note' | 'say', content: Content }
  | { kind: 'command', command: Command }
  | { kind: 'unclear', meant?: Word, doubt?: Doubt }

const SIGNS: Record<string, string> = Object.fromEntries([
  ...Array.from('!ǃ❗❕❢❣ꜝⵑ‼', sign => [sign, '!'] as const), ...Array.from('/⁄∕⧸╱⟋⼃〳𝈺᜵', sign => [sign, '/'] as const),
  ...Array.from('ⓘℹ', sign => [sign, 'ⓘ'] as const) // signs that would fold to a letter
])

/** Characters that nobody sees. Marks are visible: they belong to the letter before them. */
const INVISIBLE = /[\p{Cc}\p{Cf}\p{Co}\p{Cs}\p{Cn}\p{Default_Ignorable_Code_Point}\u2800\uFFFC\uFFFD]/u
const BLANK_LINE = /^[\s\p{M}\p{Cc}\p{Cf}\p{Co}\p{Cs}\p{Cn}\p{Default_Ignorable_Code_Point}\u2800\uFFFC\uFFFD]*$/u

/** A line as it is compared. `ends`: for each of its UTF-16 units, where it ends in the original line. */
interface Folded { text: string; ends: number[] }

const folded = (line: string): Folded => {
  let text = ''
  const ends: number[] = []
  let end = 0
  for (const character of line) {
    end += character.length
    if (INVISIBLE.test(character) && !/\s/.test(character)) continue
    const seen = SIGNS[character] ?? Array.from(character.normalize('NFKC'), one => SIGNS[one] ?? one).join('')
    text += seen
    for (let unit = 0; unit < seen.length; unit++) ends.push(end)
  }
  return { text, ends }
}

/** Markup that apps and people put in front: emphasis, quotation marks, brackets, bullets, numbers of lists, headings. */
const MARKUP = `(?:[\\s\\p{M}\\p{Pd}\\p{Ps}\\p{Pi}\\p{Pf}"'*_~\`+•·◦▪▫●○■□►▶➤→#]|\\d{1,3}[.)](?=\\s))`
const WORD = '\\p{L}[\\p{L}\\p{M}\\p{N}]{0,40}'
const HEAD = new RegExp(`^(${MARKUP}*)([!/])(?:[\\s\\p{M}]*(${WORD})(\\?)?[\\p{P}\\p{S}\\p{M}]{0,40}(?=\\s|$))?`, 'u')
/** Stuck to a word it is one too, but “#17er” and “#3D” are words. */
const NUMBER = /^[\s\p{M}]*#\s?(\d{1,9})(?!\d)(?:[:,;.)–—-]*(?:\s+|$)|(?=!|\p{L}{3}))/u
/** A number that is joined to another one after it. */
const BETWEEN = '[\\s\\p{P}\\p{S}]{0,10}?'
const AND = '(?:und|and|u|sowie|plus|oder|or|bis|to)(?!\\p{L})'
const JOINED = new RegExp(`^[\\s\\p{M}]*#\\s?(\\d{1,9})(?!\\d)${BETWEEN}(?:${AND}${BETWEEN})?(?=#\\s?\\d)`, 'iu')
const QUOTING = /[\p{Ps}\p{Pi}\p{Pf}"']/u
const WITHIN = new RegExp(`\\s[^\\p{L}\\p{N}\\s\\p{Ps}\\p{Pi}\\p{Pf}"']*!(${WORD})(\\?)?[\\p{P}\\p{S}\\p{M}]{0,40}(?=\\s|$)`, 'gu')
/** Also when stuck to other words. */
const ANYWHERE = new RegExp(`[!¡](${WORD})(?!['’]?[\\p{L}\\p{M}\\p{N}])`, 'gu')
const EXACT = /^\s*!([\p{L}\p{M}]+)(?=\s|$)/u

const spelt = (word: string): string => word.normalize('NFC').toLowerCase()

/** How a text begins. `order`: like a command, not only with a sign. `length`: of this beginning, as typed. */
interface Head { order: boolean; spelling: string; word: Word | undefined; length: number }

const headOf = (raw: string): Head | undefined => {
  const { text, ends } = folded(raw)
  const found = HEAD.exec(text)
  if (found === null) return undefined
  const [whole, markup = '', sign, written = '', question = ''] = found
  const spelling = spelt(written)
  const word = wordOf(spelling + question) ?? wordOf(spelling)
  const quoting = QUOTING.test(markup)
  if (quoting && word === undefined) return undefined // “(!)” and the like are words
  return { order: sign === '!' && !quoting, spelling, word, length: ends[whole.length - 1] ?? raw.length }
}

// ---- where in a text something was typed

const rawOf = (parts: Inline[]): string => parts.map(part => 'text' in part ? part.text : rawOf(part.of)).join('')
const isQuoted = (line: string): boolean => line.trimStart().startsWith('>')
const isBlank = (line: string): boolean => BLANK_LINE.test(line)

/** How much at the beginning of a paragraph or of code is quoted or blank. */
const skippedIn = (raw: string): number => {
  let at = 0
  for (const line of raw.split('\n')) {
    if (!isQuoted(line) && !isBlank(line)) return at
    at += line.length + 1
  }
  return raw.length
}

/** The part of a text to cut out. */
type Cut = (raw: string) => [from: number, to: number]

const cutInline = (parts: Inline[], from: number, to: number): Inline[] => {
  let at = 0
  return parts.flatMap((part): Inline[] => {
    const { length } = rawOf([part])
    const [start, end] = [Math.max(from - at, 0), Math.min(to - at, length)]
    at += length
    if (start >= end) return [part]
    if ('text' in part) {
      const text = part.text.slice(0, start) + part.text.slice(end)
      return text === '' ? [] : [{ ...part, text }]
    }
    const of = cutInline(part.of, start, end)
    return of.length === 0 ? [] : [{ ...part, of }]
  })
}

const rawOfBlock = (block: Block): string => block.kind === 'paragraph' ? rawOf(block.of) : block.kind === 'code' ? block.text : ''

/** Whether something in this block was typed, not quoted. */
const isTyped = (block: Block): boolean => block.kind === 'list'
  ? block.items.some(item => item.some(isTyped))
  : block.kind !== 'quote' && skippedIn(rawOfBlock(block)) < rawOfBlock(block).length

const cutBlock = (block: Block, cut: Cut): Block[] => {
  if (block.kind === 'quote') return [block]
  if (block.kind === 'list') {
    const at = block.items.findIndex(item => item.some(isTyped))
    const items = block.items.flatMap((item, index) => {
      const left = index === at ? cutText(item, cut) : item
      return left.length === 0 ? [] : [left]
    })
    return items.length === 0 ? [] : [{ ...block, items }]
  }
  const [from, to] = cut(rawOfBlock(block))
  if (block.kind === 'code') {
    const text = block.text.slice(0, from) + block.text.slice(to)
    return text === '' ? [] : [{ ...block, text }]
  }
  const of = cutInline(block.of, from, to)
  return of.length === 0 ? [] : [{ ...block, of }]
}

/** Cuts something out of the first block in which something was typed. */
const cutText = (text: Text, cut: Cut): Text => {
  const at = text.findIndex(isTyped)
  return text.flatMap((block, index) => index === at ? cutBlock(block, cut) : [block])
}

/** Cuts off the first `length` units of what was typed, and the white space after them. */
const without = (content: Content, length: number): Content => ({
  ...content, text: cutText(content.text, raw => {
    const from = skippedIn(raw)
    const rest = raw.slice(from + length)
    return [from, raw.length - rest.trimStart().length]
  })
})

/** All lines that were typed, in order, without quotations. */
const linesOf = (text: Text): string[] => text.flatMap(block => block.kind === 'quote' ? []
  : block.kind === 'list' ? block.items.flatMap(linesOf)
    : rawOfBlock(block).split('\n').filter(line => !isQuoted(line) && !isBlank(line)))

/** The same lines as people see them. */
export const seenLines = (text: Text): string[] => linesOf(text).map(line => folded(line).text)

/** What was typed in the first block that is not only quoted or blank. */
const firstTyped = (text: Text): string => {
  const block = text.find(isTyped)
  if (block?.kind === 'list') return firstTyped(block.items.find(item => item.some(isTyped)) ?? [])
  const raw = block === undefined ? '' : rawOfBlock(block)
  return raw.slice(skippedIn(raw))
}

/** A quotation may also be in a typed list, or after signs that apps put in front. “5 > 3” and “-> b” are words. */
const QUOTED = /^\s*(?:(?:[^\p{L}\p{N}\s>]+|#?\d{1,9}[.):]|#\d{1,9})\s+)*(?=>)/u
const quotationIn = (line: string): string[] => {
  const seen = folded(line).text
  const [front] = QUOTED.exec(seen) ?? []
  return front === undefined ? [] : [seen.slice(front.length)]
}

/** All lines that are quoted. */
export const quotedIn = (text: Text): string[] => text.flatMap(block => block.kind === 'quote' ? toPlain(block.of).split('\n')
  : block.kind === 'list' ? block.items.flatMap(quotedIn) : rawOfBlock(block).split('\n').flatMap(quotationIn))

/** Cuts off quotations in front. */
export const withoutQuotation = (content: Content): Content => ({
  ...content, text: content.text.some(isTyped) ? cutText(content.text.slice(content.text.findIndex(isTyped)), raw => [0, skippedIn(raw)]) : []
})

// ---- what it is

const NUMBERS_MAX = 10 // in front of one text
const NUMBER_CHARACTERS_MAX = 2000 // a number, with invisible characters in front of it

const cutNumber = (content: Content, pattern: RegExp): { number: number, content: Content } | undefined => {
  const { text, ends } = folded(firstTyped(content.text).slice(0, NUMBER_CHARACTERS_MAX))
  const found = pattern.exec(text)
  return found === null ? undefined : { number: Number(found[1]), content: without(content, ends[found[0].length - 1] ?? 0) }
}

/** Whether it begins as if the number of a case were in front. */
export const seemsNumbered = (content: Content): boolean => /^[\s\p{M}]*#/u.test(folded(firstTyped(content.text)).text)

/** The number of a case in front, if there is one, and the content without it. `another`: a second number after it. */
export const numbered = (content: Content, most = NUMBERS_MAX): { number?: number, another?: number, content: Content } => {
  const joined = most === 1 ? undefined : cutNumber(content, JOINED)
  const further = joined && numbered(joined.content, most - 1)
  if (joined === undefined || further?.number === undefined) return cutNumber(content, NUMBER) ?? { content }
  return further.number === joined.number ? further : { ...joined, another: further.number }
}

/** Whether the word is typed plainly, as words that send something must be: without markup, and with a plain sign. */
const isExact = ({ text }: Content, spelling: string): boolean => {
  const block = text.find(isTyped)
  const parts = block?.kind === 'paragraph' ? cutInline(block.of, 0, skippedIn(rawOf(block.of))) : []
  const marked = parts.findIndex(({ kind }) => kind !== 'text')
  return spelt(EXACT.exec(rawOf(marked < 0 ? parts : parts.slice(0, marked)))?.[1] ?? '') === spelling
}

const isEmpty = ({ text, file }: Content): boolean => text.length === 0 && file === undefined
const isCommand = (line: string): boolean => {
  const head = headOf(line)
  return (head?.word !== undefined && (head.order || INSIDE.has(head.word))) || disguised(folded(line).text) !== undefined
}
/**
 * Whether a line has a command later on, as a word of its own: “he is angry !n”. Words for talk among the team count even when stuck to other
 * words: “ok!n he is angry”. A sign that stands alone is an exclamation mark.
 */
const holdsCommand = (line: string): boolean => {
  const { text } = folded(line)
  const known = (written = '', question = ''): Word | undefined => wordOf(spelt(written) + question) ?? wordOf(spelt(written))
  return [...text.matchAll(WITHIN)].some(([, written, question]) => known(written, question) !== undefined) ||
    [...text.matchAll(ANYWHERE)].map(([, written]) => known(written)).some(word => word !== undefined && INSIDE.has(word))
}
const unclear = (meant?: Word, doubt?: Doubt): Typed =>
  ({ kind: 'unclear', ...meant === undefined ? {} : { meant }, ...doubt === undefined ? {} : { doubt } })

/** Whether text without a known sign in front may still be a note or a command. */
const doubtful = (lines: string[]): Typed | undefined => {
  const [first = ''] = lines.map(line => folded(line).text)
  const word = disguised(first)
  if (word !== undefined) return unclear(word === true ? undefined : word)
  if (lines.slice(1).some(isCommand) || lines.some(holdsCommand)) return unclear()
  return isLabelled(first) ? unclear('note', 'label') : undefined
}

const typedWithSign = (content: Content, { order, spelling, word, length }: Head, later: string[]): Typed => {
  if (word === undefined) return unclear(wordOf(nearest(spelling, SPELLINGS) ?? ''))
  if (!order || (SENDING.has(word) && !isExact(content, spelling))) return unclear(word)
  const rest = without(withoutQuotation(content), length)
  if (word === 'say') return isEmpty(rest) ? unclear(word, 'lacking') : { kind: 'say', content: rest }
  if (word === 'note') return unclear(word, 'lacking')
  const data = toPlain(rest.text).trim()
  const firstWords = word === 'new' ? data.replace(/^\S+\s*/u, '') : ''
  const holdsMore = later.some(isCommand) || linesOf(rest.text).some(holdsCommand) || doubtful(firstWords.split('\n')) !== undefined
  if (!holdsMore) return { kind: 'command', command: { word, rest: data } }
  return SENDING.has(word) ? unclear(word, 'more') : unclear()
}

/** A misspelt word that sends something, or a word with nothing after it. Never sent itself: whoever tries again means something else. */
export const isSlip = (content: Content): boolean => {
  const said = typed(content, false)
  return said.kind === 'unclear' && said.meant !== undefined && (said.doubt === 'lacking' || SENDING.has(said.meant))
}

/** The name of a file is read too: `!n secret.txt` is no file for a contact. */
const named = (name: string): Typed => {
  const said = typed({ style: 'text', text: plain(name) }, false)
  if (name === '' || said.kind === 'words') return { kind: 'words' }
  return unclear(said.kind === 'command' ? said.command.word : said.kind === 'unclear' ? said.meant : said.kind)
}

/** Whether a message that is edited stands in a thread; the edit itself does not say so. */
export const inThread = (original: Recorded | undefined): boolean => original?.arrival.kind === 'message' && original.arrival.inThread === true

/** Whether it is talk among the team, where no case is meant. */
export const isTalk = (said: Typed, inThread: boolean): boolean =>
  inThread || said.kind === 'words' || (said.kind === 'unclear' && said.doubt === 'label')

/** `inThread`: words in a thread are a note. `content` has no case number in front any more. */
export const typed = (content: Content, inThread: boolean): Typed => {
  const lines = linesOf(content.text)
  const head = headOf(firstTyped(content.text))
  const noted = head?.order === true && head.word === 'note' ? without(content, head.length) : inThread ? content : undefined
  if (noted !== undefined && !isEmpty(noted)) return { kind: 'note', content: noted }
  if (isEmpty(content)) return unclear('say', 'lacking')
  if (content.style === 'emote') return unclear(undefined, 'emote')
  if (head !== undefined) return typedWithSign(content, head, lines.slice(1))
  const names = filesOf(content).map(({ name }) => named(name))
  return doubtful(lines) ?? names.find(({ kind }) => kind !== 'words') ?? { kind: 'words' }
}
