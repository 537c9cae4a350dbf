/** What the team may type: `!` and a word, German or English, parsed once into this table; the rest of the line is data. */

export type Word =
  | 'take' | 'release' | 'send' | 'assign' | 'done' | 'wait' | 'text' | 'texts' | 'label' | 'project' | 'filed' | 'note' | 'status'
  | 'list' | 'search' | 'log' | 'duty' | 'new' | 'consent' | 'team' | 'help'

/** `rest`: what stands behind the word. An unknown word has `word` undefined and is said in `typed`. */
export interface Command { word?: Word; typed: string; rest: string }

const WORDS: Record<Word, string[]> = {
  take: ['übernehmen', 'uebernehmen', 'take'],
  release: ['frei', 'freigeben', 'release'],
  send: ['senden', 'send'],
  assign: ['an', 'weitergeben', 'assign'],
  done: ['erledigt', 'fertig', 'done'],
  wait: ['warten', 'später', 'wait', 'snooze'],
  text: ['t', 'text'],
  texts: ['texte', 'texts'],
  label: ['etikett', 'label'],
  project: ['projekt', 'project'],
  filed: ['projekt?', 'project?'],
  note: ['notiz', 'note'],
  status: ['status'],
  list: ['liste', 'list'],
  search: ['suche', 'search'],
  log: ['logbuch', 'log'],
  duty: ['dienst', 'duty'],
  new: ['neu', 'new'],
  consent: ['einwilligung', 'consent'],
  team: ['team'],
  help: ['hilfe', 'help']
}

const BY_TYPED = new Map(Object.entries(WORDS).flatMap(([word, typed]) => typed.map(one => [one, word as Word])))

/** The first spelling in each language, for menus. */
export const MENU: { word: Word, de: string, en: string }[] =
  Object.entries(WORDS).map(([word, typed]) => ({ word: word as Word, de: typed[0]!, en: typed.at(-1)! }))

/** Undefined if the text is no command: "!" alone, "!!!" and "! wichtig" are words for the contact. */
export const commandOf = (text: string): Command | undefined => {
  const found = /^!(\p{L}[\p{L}\p{N}]{0,30}\??)(?:\s+([\s\S]*))?$/u.exec(text.trim())
  if (found === null) return undefined
  const typed = found[1]!.normalize('NFC').toLowerCase()
  const word = BY_TYPED.get(typed)
  return { ...word === undefined ? {} : { word }, typed, rest: (found[2] ?? '').trim() }
}
