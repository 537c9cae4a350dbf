/** The team's commands: `!` and a word, German or English. typed.ts finds them in what was typed. The rest of the text is data. */

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
  label: ['schlagwort', 'etikett', 'label'],
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
  page: ['seite', 'page'],
  code: ['einmalcode', 'code'],
  help: ['hilfe', 'help']
} satisfies Record<string, string[]>

export type Word = keyof typeof WORDS
/** Commands about a person, named by an address. They never concern the case at hand. */
export type PersonWord = 'new' | 'consent'
/** Commands about the case at hand. */
export type CaseWord = 'take' | 'release' | 'send' | 'assign' | 'done' | 'wait' | 'text' | 'label' | 'project' | 'status'
const ON_PAGES = ['take', 'release', 'assign', 'done'] as const satisfies CaseWord[]
/** Those of them that the page of the team has. */
export type PageWord = typeof ON_PAGES[number]
/** `say` and `note` are not commands: they mark an answer and a note. */
export type CommandWord = Exclude<Word, 'say' | 'note'>

/** `rest`: the text after the word, as plain text. */
export interface Command<W extends CommandWord = CommandWord> { word: W; rest: string }

/** Words that send something to a contact. A misspelt one must not send anything. */
export const SENDING: ReadonlySet<Word> = new Set<Word>(['say', 'send', 'text', 'new'])

const BY_SPELLING = new Map(Object.entries(WORDS).flatMap(([word, spellings]) => spellings.map(one => [one, word as Word])))

/** Words whose text is about the contact. A misspelt one must not let that text out. */
export const INSIDE: ReadonlySet<Word> = new Set<Word>(['note', 'label', 'project'])

/** Spellings long enough to recognise a misspelling of them. */
export const SPELLINGS = [...BY_SPELLING.keys()].filter(({ length }) => length > 2)

export const wordOf = (spelling: string): Word | undefined => BY_SPELLING.get(spelling)

/** One spelling in each language, for menus and texts. */
export const spellingOf = (word: Word, language: 'de' | 'en'): string => (language === 'de' ? WORDS[word][0] : WORDS[word].at(-1)) ?? word

export const isPageWord = (word: string): word is PageWord => ON_PAGES.some(one => one === word)
