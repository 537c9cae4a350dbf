/**
 * What people of a team type, as they and their apps spell it. The tag in it says what its writer means: `reply` is for the contact,
 * `aside` and `talk` for the team alone, `slip` is what went wrong in typing, and is for nobody before its writer says so.
 */
import type { Random } from './random'

export type Kind = 'ask' | 'reply' | 'aside' | 'order' | 'talk' | 'slip' | 'intrusion'

/** All that people of the desk wrote in a text. */
export const tagsIn = (text: string): string[] => text.match(/\b(?:ask|reply|aside|talk|slip|intrusion)-[a-z]+\d*-\d+\b/g) ?? []
/** What its writer said in it, behind what was quoted. */
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

/** `quoted`: what an app puts in front of the answer to it. */
export const typedAs = (random: Random, kind: keyof typeof SPELLINGS, tag: string, quoted?: string): string => {
  const text = random.happens(0.6) ? SPELLINGS[kind][0]!(tag) : random.pick(SPELLINGS[kind])(tag)
  return quoted === undefined ? text : `> ${quoted}\n${text}`
}

/** What sends something out must be exact; all else is known however it is spelled. */
const COMMANDS: ((word: string) => string)[] = [
  word => `!${word}`, word => `!${word}`, word => `! ${word}`, word => `！${word}`, word => word.includes(' ') ? `!${word}` : `!${word}.`
]

export const commandAs = (random: Random, words: string): string => words === 'send' ? '!send' : random.pick(COMMANDS)(words)

/** The command that is meant by what was typed; undefined if it is none. */
export const meantBy = (text: string): string | undefined => {
  if (tagsIn(text).length > 0) return undefined
  return /^[!！]\s?(.*?)\.?$/.exec(text.replace(/^#\d+ /, ''))?.[1]
}

/** What nearly sends something: whoever then says `!send` means something else. */
export const isNearlySent = (text: string): boolean => /^(?:>.*\n)*(?:#\d+ )?(?:! send|！a) /.test(text)

/** The case that is named in front. */
export const numberIn = (text: string): number | undefined => {
  const found = /^#(\d+) /.exec(text.replace(/^(?:>.*\n)+/, ''))?.[1]
  return found === undefined ? undefined : Number(found)
}
