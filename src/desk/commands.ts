/** What the team may type: `!` and a word, German or English. typed.ts finds them in what was typed; the rest of the line is data. */

const WORDS = {
  say: ['sagen', 'a', 'antwort', 'answer', 'say'],
  note: ['notiz', 'n', 'note'],
  take: ['übernehmen', 'uebernehmen', 'take'],
  release: ['frei', 'freigeben', 'release'],
  send: ['senden', 'send'],
  assign: ['an', 'weitergeben', 'assign'],
  done: ['erledigt', 'fertig', 'done'],
  wait: ['warten', 'später', 'snooze', 'wait'],
  text: ['t', 'text'],
  texts: ['texte', 'texts'],
  label: ['etikett', 'label'],
  project: ['projekt', 'project'],
  filed: ['projekt?', 'project?'],
  status: ['status'],
  list: ['liste', 'list'],
  search: ['suche', 'search'],
  log: ['logbuch', 'log'],
  duty: ['dienst', 'duty'],
  new: ['neu', 'new'],
  consent: ['einwilligung', 'consent'],
  team: ['team'],
  help: ['hilfe', 'help']
} satisfies Record<string, string[]>

export type Word = keyof typeof WORDS
/** About a person, named by an address: such a command never concerns the case at hand. */
export type PersonWord = 'new' | 'consent'
/** About the case at hand. */
export type CaseWord = 'take' | 'release' | 'send' | 'assign' | 'done' | 'wait' | 'text' | 'label' | 'project' | 'status'
/** What an answer and a note begin with are words of their own kind. */
export type CommandWord = Exclude<Word, 'say' | 'note'>

/** `rest`: what stands behind the word, as plain text. */
export interface Command<W extends CommandWord = CommandWord> { word: W; rest: string }

/** What sends something to a contact: a slip in typing must not. */
export const SENDING: ReadonlySet<Word> = new Set<Word>(['say', 'send', 'text', 'new'])

const BY_SPELLING = new Map(Object.entries(WORDS).flatMap(([word, spellings]) => spellings.map(one => [one, word as Word])))

/** What carries talk about the contact: a slip in typing must not let that out. */
export const INSIDE: ReadonlySet<Word> = new Set<Word>(['note', 'label', 'project'])

/** Long enough to be told apart from a slip. */
export const SPELLINGS = [...BY_SPELLING.keys()].filter(({ length }) => length > 2)

export const wordOf = (spelling: string): Word | undefined => BY_SPELLING.get(spelling)

/** One spelling in each language, for menus and texts. */
export const spellingOf = (word: Word, language: 'de' | 'en'): string => (language === 'de' ? WORDS[word][0] : WORDS[word].at(-1)) ?? word
