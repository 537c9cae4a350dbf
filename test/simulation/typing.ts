/**
 * What agents type, as they and their apps spell it. The tag says what the writer means: `reply` is for the contact, `aside` and `talk` are
 * for the team alone, and `slip` is a typing error, which is for nobody until its writer says so.
 */
import type { Random } from './random'

export type Kind = 'ask' | 'reply' | 'aside' | 'order' | 'talk' | 'slip' | 'intrusion'

/** All tags in a text. */
export const tagsIn = (text: string): string[] => text.match(/\b(?:ask|reply|aside|talk|slip|intrusion)-[a-z]+\d*-\d+\b/g) ?? []
/** The tag of the writer's own words, which stand after any quotation. */
export const ownTag = (text: string): string | undefined => tagsIn(text).at(-1)
export const kindOf = (tag: string): Kind => tag.split('-')[0] as Kind

const SPELLINGS: { [kind in 'reply' | 'aside' | 'talk' | 'slip']: ((tag: string) => string)[] } = {
  reply: [tag => tag, tag => `Hello,\n${tag}`, tag => `5/8 (!) ${tag}`, tag => `Done ! ${tag} !`],
  aside: [tag => `!n ${tag}`, tag => `! n ${tag}`, tag => `！note ${tag}`, tag => `\u200b!N ${tag}`, tag => `!notiz: ${tag}`],
  talk: [tag => tag, tag => `who takes this? ${tag}`],
  slip: [
    tag => `! important ${tag}`, tag => `!!! ${tag}`, tag => `/me sighs ${tag}`, tag => `// ${tag}`, tag => `/release ${tag}`, tag => `❗ ${tag}`,
    tag => `!relese ${tag}`, tag => `! send ${tag}`, tag => `！a ${tag}`, tag => `hello ${tag}\n!done`, tag => `∕∕ ${tag}`,
    tag => `${tag} !n`, tag => `difficult ${tag} ！done.`
  ]
}

/** `quoted`: the quotation that an app puts in front of a reply. */
export const typedAs = (random: Random, kind: keyof typeof SPELLINGS, tag: string, quoted?: string): string => {
  const text = random.happens(0.6) ? SPELLINGS[kind][0]!(tag) : random.pick(SPELLINGS[kind])(tag)
  return quoted === undefined ? text : `> ${quoted}\n${text}`
}

/** Commands that send something must be spelled exactly; all others have several spellings. */
const COMMANDS: ((word: string) => string)[] = [
  word => `!${word}`, word => `!${word}`, word => `! ${word}`, word => `！${word}`, word => word.includes(' ') ? `!${word}` : `!${word}.`
]

export const commandAs = (random: Random, words: string): string => words === 'send' ? '!send' : random.pick(COMMANDS)(words)

/** The command that a text means; undefined if it is none. */
export const meantBy = (text: string): string | undefined => {
  if (tagsIn(text).length > 0) return undefined
  return /^[!！]\s?(.*?)\.?$/.exec(text.replace(/^#\d+ /, ''))?.[1]
}

/** A misspelt order to send: a later `!send` then means something else. A star stands before a correction of what is not known any more. */
export const isNearlySent = (text: string): boolean => /^(?:>.*\n)*(?:\* )?(?:#\d+ )?(?:! send|！a) /.test(text)

/** The number of a case in front of a text. */
export const numberIn = (text: string): number | undefined => {
  const found = /^#(\d+) /.exec(text.replace(/^(?:>.*\n)+/, ''))?.[1]
  return found === undefined ? undefined : Number(found)
}
