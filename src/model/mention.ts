/**
 * Whom a message calls: people, or everybody. An app marks them, or their names stand in front of the text or behind an at sign. Each
 * network finds the names of its own places, and says what a name means there. Everything here takes time linear in the text.
 */
import type { Person } from './address'
import type { Inline, Text } from './text'

/**
 * `as`: how the text calls them, '' if it does not. `again`: the version of the message before this one called them too, so that they know
 * already.
 */
export interface Mention { who: Person | 'everybody'; as: string; again?: boolean }

/** In one message. */
export const MENTIONS_MAX = 20

/** The word by which apps alarm everybody in a room. */
export const EVERYBODY = '@room'

const NAME_CHARACTERS_MAX = 100
const NAME_WORDS_MAX = 8
const FOLDED_MAX = 10_000 // a cache: each name in a text may be compared with those of all who are there

const foldedNames = new Map<string, string>()

/** A name as it is compared. */
export const folded = (name: string): string => {
  const before = foldedNames.get(name)
  if (before !== undefined) return before
  if (foldedNames.size >= FOLDED_MAX) foldedNames.clear()
  const made = name.normalize('NFKC').toLowerCase().trim()
  foldedNames.set(name, made)
  return made
}

const LABEL = /\s\(([^()]{1,20})\)$/

/** The name without the label of its network. */
export const withoutLabel = (name: string): string => name.replace(LABEL, '')

/** The network's label behind a name. */
export const labelOf = (name: string): string | undefined => LABEL.exec(name)?.[1]

/** The name that `as` says. */
export const nameIn = (as: string): string => as.replace(/^@/, '')

const LETTER = '[\\p{L}\\p{M}\\p{N}]'
const IN_FRONT = new RegExp(`\\s*([^\\s:,@][^:,\\n]{0,${NAME_CHARACTERS_MAX}}?)\\s?[:,](?=\\s|$)`, 'uy')
const AT = new RegExp(`(?<![\\p{L}\\p{M}\\p{N}./_@-])@(?=${LETTER})`, 'gu')
const ALL = new RegExp(`(?<![\\p{L}\\p{M}\\p{N}./_@-])${EVERYBODY}(?!${LETTER})`, 'u')
const NAME_END = new RegExp(`(?<=${LETTER}|\\))(?!${LETTER})`, 'gu')

/** The words themselves: no code and no links, where an at sign means something else. */
const wordsOf = (parts: Inline[]): string => parts.map(part => part.kind === 'text' ? part.text
  : 'of' in part && part.kind !== 'link' ? wordsOf(part.of) : ' ').join('')

/** What the writer says, block by block, without quotations. */
const saidIn = (text: Text): string[] => text.flatMap(block => block.kind === 'paragraph' ? [wordsOf(block.of)]
  : block.kind === 'list' ? block.items.flatMap(saidIn) : [])

/** Whether the text calls everybody. */
export const callsEverybody = (text: Text): boolean => saidIn(text).some(words => ALL.test(words))

/** The names that may begin here, longest first. */
const namesFrom = (words: string): string[] => {
  const ends = [...words.matchAll(NAME_END)].slice(0, NAME_WORDS_MAX).map(({ index }) => words.slice(0, index))
  return ends.toReversed()
}

/**
 * Whom the text calls by name: in front, as apps complete it, or behind an at sign. `known`: whom a name means; undefined if nobody, or
 * several.
 */
export const calledByName = (text: Text, known: (name: string) => Person | undefined): Mention[] => {
  const found: Mention[] = []
  const said = saidIn(text)
  const [first = ''] = said
  IN_FRONT.lastIndex = 0
  for (let match = IN_FRONT.exec(first); match !== null && found.length < MENTIONS_MAX; match = IN_FRONT.exec(first)) {
    const [, as = ''] = match
    const who = known(as)
    if (who === undefined) break
    found.push({ who, as })
  }
  let tried = 0
  for (const words of said) {
    for (const { index } of words.matchAll(AT)) {
      if (++tried > MENTIONS_MAX) return found
      const [line = ''] = words.slice(index + 1, index + 1 + NAME_CHARACTERS_MAX).split('\n', 1)
      const [mention] = namesFrom(line).flatMap(name => {
        const who = known(name)
        return who === undefined ? [] : [{ who, as: `@${name}` }]
      })
      if (mention !== undefined) found.push(mention)
    }
  }
  return found.slice(0, MENTIONS_MAX)
}

/** As it stands in a regular expression. */
export const escaped = (text: string): string => text.replace(/[.*+?^${}()|[\]\\/]/g, '\\$&')

/** The text with each mention's name put otherwise, once. `put`: undefined leaves it as it is. */
export const renamed = <M extends Mention>(text: Text, mentions: M[], put: (mention: M) => Inline | undefined): Text => {
  const open = new Map<string, Inline[]>() // by how the text calls them
  for (const mention of mentions.slice(0, MENTIONS_MAX)) {
    const by = mention.as === '' ? undefined : put(mention)
    if (by !== undefined) open.set(mention.as, [...open.get(mention.as) ?? [], by])
  }
  if (open.size === 0) return text
  const names = [...open.keys()].sort((one, other) => other.length - one.length).map(escaped).join('|')
  const pattern = new RegExp(`(?<!${LETTER})(?:${names})(?!${LETTER})`, 'gu')
  const inWords = (words: string): Inline[] => {
    const parts: Inline[] = []
    let from = 0
    for (const { 0: as, index } of words.matchAll(pattern)) {
      const by = open.get(as)?.shift()
      if (by === undefined) continue
      if (index > from) parts.push({ kind: 'text', text: words.slice(from, index) })
      parts.push(by)
      from = index + as.length
    }
    return from === words.length ? parts : [...parts, { kind: 'text', text: words.slice(from) }]
  }
  const inParts = (parts: Inline[]): Inline[] => parts.flatMap(part => part.kind === 'text' ? inWords(part.text)
    : 'of' in part && part.kind !== 'link' ? [{ ...part, of: inParts(part.of) }] : [part])
  const inBlocks = (blocks: Text): Text => blocks.map(block => block.kind === 'paragraph' ? { ...block, of: inParts(block.of) }
    : block.kind === 'list' ? { ...block, items: block.items.map(inBlocks) } : block)
  return inBlocks(text)
}

/** Each person once, whatever they are called. */
export const peopleIn = (mentions: Mention[], network: string): string[] =>
  [...new Set(mentions.flatMap(({ who }) => who !== 'everybody' && who.network === network ? [who.id] : []))]
