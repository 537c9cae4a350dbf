/** The tables of docs/who-sees-what.md, read as a program reads them. */
import assert from 'node:assert/strict'
import { readFileSync } from 'node:fs'
import { join } from 'node:path'

const DOCUMENT = join(__dirname, '../../docs/who-sees-what.md')

export interface Situation { where: string; names: string; what: string; who: string; case: string; address: string }
export interface Outcome { contact: string; team: string; told: string }
export interface Line { fits (one: Situation): boolean; outcome: Outcome; written: string }

type Row = Record<string, string>

const cellsOf = (line: string): string[] => line.split('|').slice(1, -1).map(cell => cell.trim())

/** All tables of a document, each row by its column's heading. */
const tablesOf = (text: string): Row[][] => {
  const tables = text.split('\n\n').filter(part => part.startsWith('|')).map(part => part.trim().split('\n'))
  return tables.map(([head = '', , ...rows]) => rows.map(row => Object.fromEntries(cellsOf(row).map((cell, index) => [cellsOf(head)[index]!, cell]))))
}

const SITUATION = ['where', 'names', 'what', 'who', 'case', 'address'] as const

const lineOf = (row: Row): Line => ({
  fits: one => SITUATION.every(column => row[column] === 'any' || row[column]!.split(', ').includes(one[column])),
  outcome: { contact: row['contact']!, team: row['team']!, told: row['told']! },
  written: Object.values(row).join(' | ')
})

export interface Specification {
  lines: Line[]
  /** The German word of a cell. */
  german (word: string): string
  /** The first line that fits a situation. */
  lineFor (one: Situation): Line
}

export const readSpecification = (text = readFileSync(DOCUMENT, 'utf8')): Specification => {
  const tables = tablesOf(text)
  const lines = tables.find(([row]) => row?.['contact'] !== undefined)!.map(lineOf)
  const words = new Map(tables.flat().filter(row => row['Wort'] !== undefined).map(row => [row['in the table']!, row['Wort']!]))
  return {
    lines,
    german (word) {
      assert.ok(words.has(word), `no German word for ${word}`)
      return words.get(word)!
    },
    lineFor (one) {
      const found = lines.find(line => line.fits(one))
      assert.ok(found, `no line of the table fits ${JSON.stringify(one)}`)
      return found
    }
  }
}

type Language = 'de' | 'en'

const HEADS = {
  de: ['Sie schreiben', 'frei oder Ihr Vorgang', 'jemand anderes hat ihn'], en: ['you write', 'the case is free or yours', 'somebody else has it']
}
const OUTCOMES: Record<Language, (outcome: Outcome) => string> = {
  de: ({ contact, team, told }) => (contact === 'text' ? 'geht an den Kontakt' : team === 'not sent' ? 'bleibt liegen, nicht gesendet'
    : team === 'nothing' ? 'sieht niemand' : 'sieht nur das Team') + (told === 'yes' ? '; Sie bekommen Bescheid' : ''),
  en: ({ contact, team, told }) => (contact === 'text' ? 'goes to the contact' : team === 'not sent' ? 'kept back, not sent'
    : team === 'nothing' ? 'nobody sees it' : 'only the team sees it') + (told === 'yes' ? '; you are told' : '')
}
/** The page for the team. */
const SHORT = [
  ['case room', 'none', 'words'], ['case room', 'none', 'note'], ['case room', 'none', 'thread'], ['case room', 'none', 'command'],
  ['case room', 'none', 'unclear'], ['inbox room', 'none', 'words'], ['inbox room', 'number', 'words'], ['direct chat', 'none', 'words'],
  ['direct chat', 'number', 'words']
] as const

/** The table of the team's page, made from the long one. */
export const shortTable = ({ german, lineFor }: Specification, language: Language): string => {
  const word = language === 'de' ? german : (english: string): string => english
  const rows = SHORT.map(([where, names, what]) => {
    const cell = (state: string): string =>
      OUTCOMES[language](lineFor({ where, names, what, who: 'team', case: state, address: 'usual' }).outcome)
    assert.equal(cell('free'), cell('mine'))
    return [`${word(where)}: ${names === 'none' ? '' : '`#17` '}${word(what)}`, cell('mine'), cell('another\'s')]
  })
  const [head, ...others] = [HEADS[language], ...rows].map(cells => `| ${cells.join(' | ')} |`)
  return [head, '|---|---|---|', ...others].join('\n')
}
