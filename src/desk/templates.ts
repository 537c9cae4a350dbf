/**
 * Texts with variables: standard texts and automatic ones. A variable is a name in braces, and nothing more: values are not searched for
 * variables, and nothing is evaluated.
 */
import type { StandardText } from './address'

/** Each with its spellings. */
const VARIABLES = {
  contact: ['kontakt.name', 'contact.name', 'name', 'kunde.name'],
  agent: ['agent.vorname', 'agent.first_name'],
  address: ['adresse', 'address'],
  opening: ['oeffnung_naechste', 'next_opening']
}

export type Variable = keyof typeof VARIABLES
/** The values of variables. A missing one becomes nothing. `agent` is the whole name. */
export type Values = Partial<Record<Variable, string>>

const EXCERPT_CHARACTERS_MAX = 60
const WRITTEN = /(?<space> ?)\{ *(?<name>[\p{L}\p{M}\p{N}._-]+) *\}/gu
const FIRST_OF_LINE = /^\{ *(?<name>[\p{L}\p{M}\p{N}._-]+) *\}[,:;]? ?/gmu

const variableOf = (name: string): Variable | undefined => {
  const spelt = name.normalize('NFC').toLowerCase().replaceAll('ö', 'oe').replaceAll('ä', 'ae')
  return (Object.keys(VARIABLES) as Variable[]).find(variable => VARIABLES[variable].includes(spelt))
}

/** “Anna” of “Dr. Anna Müller”. */
export const firstName = (name: string): string => name.trim().split(/\s+/).find(word => !word.endsWith('.')) ?? name

/** Undefined if there is no such variable, empty if it has no value. */
const valueOf = (name: string, values: Values): string | undefined => {
  const variable = variableOf(name)
  if (variable === undefined) return undefined
  const value = values[variable] ?? ''
  return variable === 'agent' && value !== '' ? firstName(value) : value
}

/** If a line begins with a missing value, the sign after it goes too: “{name}, good day” becomes “good day”. */
export const fill = (text: string, values: Values): string => text
  .replaceAll(FIRST_OF_LINE, (written, name: string) => valueOf(name, values) === '' ? '' : written)
  .replaceAll(WRITTEN, (written, space: string, name: string) => {
    const value = valueOf(name, values)
    return value === undefined ? written : value === '' ? '' : space + value
  })

/** What is wrong with a text of the config, as a sentence; undefined if nothing is. An `automatic` text has no agent. */
export const checkVariables = (text: string, kind: 'standard' | 'automatic'): string | undefined => {
  const allowed = (Object.keys(VARIABLES) as Variable[]).filter(variable => kind === 'standard' || variable !== 'agent')
  const unknown = [...text.matchAll(WRITTEN)].map(match => match.groups?.['name'] ?? '').filter(name => {
    const variable = variableOf(name)
    return variable === undefined || !allowed.includes(variable)
  })
  if (unknown.length === 0) return undefined
  const known = allowed.flatMap(variable => VARIABLES[variable]).map(name => `{${name}}`)
  return `${[...new Set(unknown)].map(name => `{${name}}`).join(', ')} cannot be filled in here; known: ${known.join(', ')}`
}

/** One line for each: its name and how it begins. */
export const listTexts = (texts: Record<string, StandardText>): string =>
  Object.entries(texts).sort(([one], [other]) => one.localeCompare(other, 'de')).map(([name, { text, file }]) => {
    const characters = [...text.replaceAll(/\s+/g, ' ').trim()]
    const start = characters.slice(0, EXCERPT_CHARACTERS_MAX).join('').trimEnd()
    return `${name}: ${start}${characters.length > EXCERPT_CHARACTERS_MAX ? '…' : ''}${file === undefined ? '' : ` [${file.name}]`}`
  }).join('\n')
