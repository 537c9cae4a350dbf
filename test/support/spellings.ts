/** The ways in which people and their apps spell what they mean: quotations in front, white space, invisible characters, signs, markup. */
import fc from 'fast-check'
import type { Block, Inline, Text } from '../../src/model/text'

const QUOTATIONS = ['none', 'block', 'line', 'bare line', 'block and line'] as const
const MARKUPS = ['none', 'bold', 'italic', 'strike', 'code', 'code block', 'list', 'bold sign'] as const
const WHITE = ['', ' ', '\n', '\t', '\u00a0', '\u2003', '\u3000']
const INVISIBLE = ['', '\u200b', '\ufeff', '\u2060', '\u00ad', '\u200e', '\u2068', '\ufe0f', '\u3164', '\u2800', '\u0007']
const BANGS = ['!', '！', '﹗', '︕', '‼', 'ǃ', '❗', '❕']
const SLASHES = ['/', '／', '⁄', '∕', '⧸', '╱']
const BEHIND = ['', '.', ',', ':', '!', '…']

export interface Spelling {
  quotation: typeof QUOTATIONS[number]
  markup: typeof MARKUPS[number]
  front: string // before all that is typed
  bang: string
  slash: string
  between: string // sign and word
  behind: string // the word
  capital: boolean // phones begin with one
  pick: number // of several words that do the same
}

const mixed = fc.tuple(fc.constantFrom(...WHITE), fc.constantFrom(...INVISIBLE)).map(parts => parts.join(''))

export const PLAINLY: Spelling = {
  quotation: 'none', markup: 'none', front: '', bang: '!', slash: '/', between: '', behind: '', capital: false, pick: 0
}

/** Often unlike plain typing in one point only. */
export const spellings: fc.Arbitrary<Spelling> = fc.record({
  quotation: fc.constantFrom(...QUOTATIONS), markup: fc.constantFrom(...MARKUPS), front: mixed, bang: fc.constantFrom(...BANGS),
  slash: fc.constantFrom(...SLASHES), between: mixed, behind: fc.constantFrom(...BEHIND), capital: fc.boolean(), pick: fc.nat(1000)
}).chain(all => fc.subarray(Object.keys(all) as (keyof Spelling)[]).map(kept =>
  ({ ...PLAINLY, pick: all.pick, ...Object.fromEntries(kept.map(key => [key, all[key]])) })))

const QUOTED = 'Is my bike ready?' // which the customer has said

const marked = (text: string, markup: Spelling['markup'], sign: string): Block[] => {
  const paragraph = (...of: Inline[]): Block[] => [{ kind: 'paragraph', of }]
  switch (markup) {
    case 'none': return paragraph({ kind: 'text', text })
    case 'code': return paragraph({ kind: 'code', text })
    case 'code block': return [{ kind: 'code', text }]
    case 'list': return [{ kind: 'list', ordered: false, items: [paragraph({ kind: 'text', text })] }]
    case 'bold sign': return text.startsWith(sign)
      ? paragraph({ kind: 'bold', of: [{ kind: 'text', text: sign }] }, { kind: 'text', text: text.slice(sign.length) })
      : paragraph({ kind: 'text', text })
    default: return paragraph({ kind: markup, of: [{ kind: 'text', text }] })
  }
}

/** `number` comes after quotations and before all else. `sign`: the sign with which the text begins, if any. */
export const spelled = (text: string, number: string, { quotation, markup, front }: Spelling, sign = ''): Text => {
  const blocks: Block[] = quotation.startsWith('block') ? [{ kind: 'quote', of: [{ kind: 'paragraph', of: [{ kind: 'text', text: QUOTED }] }] }] : []
  const lines = quotation === 'bare line' ? `>${QUOTED}\n` : quotation.endsWith('line') ? `> ${QUOTED}\n> Is my bike\n` : ''
  const [first, ...others] = marked(text, markup, sign)
  const before = lines + front + number
  if (before === '') return [...blocks, first!, ...others]
  if (first?.kind !== 'paragraph') return [...blocks, { kind: 'paragraph', of: [{ kind: 'text', text: before }] }, first!, ...others]
  return [...blocks, { kind: 'paragraph', of: [{ kind: 'text', text: before }, ...first.of] }, ...others]
}

/** As a phone's keyboard begins it. */
export const capitalized = (word: string, { capital }: Pick<Spelling, 'capital'>): string => capital ? word[0]!.toUpperCase() + word.slice(1) : word
