/**
 * The team's commands as a menu, for networks that have menus: each command's name, the fields to fill in, and the words it becomes. A choice
 * comes in as if it had been typed, so a menu can do nothing that typing cannot.
 */
import type { Menu, MenuField, MenuItem, Option } from '../model/network'
import type { FunctionAddress } from './address'
import { spellingOf, type Word } from './commands'
import type { DeskMemory } from './memory'

type Language = 'de' | 'en'
type Field = [name: 'case' | 'to' | 'text' | 'words' | 'long' | 'until' | 'duty' | 'person', required: boolean]

/** In the order of a menu. `reads`: it only shows something. */
const ITEMS: { word: Word, name: Record<Language, string>, fields: Field[], reads?: true }[] = [
  { word: 'list', name: { de: 'Offene Vorgänge zeigen', en: 'Show open cases' }, fields: [], reads: true },
  { word: 'take', name: { de: 'Vorgang übernehmen', en: 'Take a case' }, fields: [['case', true]] },
  { word: 'release', name: { de: 'Vorgang freigeben', en: 'Give a case up' }, fields: [['case', true]] },
  { word: 'assign', name: { de: 'Vorgang weitergeben', en: 'Pass a case on' }, fields: [['case', true], ['to', true]] },
  { word: 'done', name: { de: 'Vorgang erledigen', en: 'Close a case' }, fields: [['case', true]] },
  { word: 'wait', name: { de: 'Vorgang zurückstellen', en: 'Put a case off' }, fields: [['case', true], ['until', false]] },
  { word: 'text', name: { de: 'Standardtext senden', en: 'Send a standard text' }, fields: [['case', true], ['text', true]] },
  { word: 'send', name: { de: 'Zurückgehaltene Antwort senden', en: 'Send an answer that was kept back' }, fields: [['case', true]] },
  { word: 'note', name: { de: 'Interne Notiz', en: 'Internal note' }, fields: [['case', true], ['long', true]] },
  { word: 'status', name: { de: 'Stand eines Vorgangs', en: 'State of a case' }, fields: [['case', true]], reads: true },
  { word: 'label', name: { de: 'Schlagwort setzen oder wegnehmen', en: 'Set or remove a label' }, fields: [['case', true], ['words', true]] },
  { word: 'project', name: { de: 'Einem Projekt zuordnen', en: 'File under a project' }, fields: [['case', true], ['words', true]] },
  { word: 'search', name: { de: 'Suchen', en: 'Search' }, fields: [['words', true]], reads: true },
  { word: 'filed', name: { de: 'Alles zu einem Projekt', en: 'All of a project' }, fields: [['words', true]], reads: true },
  { word: 'new', name: { de: 'Jemandem zuerst schreiben', en: 'Write to somebody first' }, fields: [['person', true], ['long', true]] },
  { word: 'consent', name: { de: 'Einwilligung vermerken', en: 'Note a consent' }, fields: [['person', true], ['words', true]] },
  { word: 'duty', name: { de: 'Dienst an oder aus', en: 'On or off duty' }, fields: [['duty', true]] },
  { word: 'log', name: { de: 'Logbuch', en: 'Logbook' }, fields: [], reads: true },
  { word: 'help', name: { de: 'Hilfe', en: 'Help' }, fields: [], reads: true }
]

const LABELS: Record<Field[0], Record<Language, string>> = {
  case: { de: 'Vorgang', en: 'Case' }, to: { de: 'An wen', en: 'To whom' }, text: { de: 'Text', en: 'Text' }, words: { de: 'Worte', en: 'Words' },
  long: { de: 'Text', en: 'Text' }, until: { de: 'Bis wann (z. B. mo 9:00)', en: 'Until when (e.g. mon 9:00)' },
  duty: { de: 'Dienst', en: 'Duty' }, person: { de: 'Adresse oder Nummer', en: 'Address or number' }
}
const MISSING = { de: 'Nicht ausgeführt: Bitte füllen Sie alle nötigen Felder aus.', en: 'Nothing done: please fill in what is needed.' }

const option = (value: string, label = value): Option => ({ value, label })

const optionsOf = (name: Field[0], { language, team, texts, name: own }: FunctionAddress, memory: DeskMemory): Option[] | undefined => {
  switch (name) {
    case 'to': return [...team.map(agent => option(agent.name)),
      ...memory.roster.all().filter(one => one.name !== own && !one.redirectOnly).map(one => option(one.name, one.profile.name))]
    case 'text': return Object.keys(texts).map(one => option(one))
    case 'duty': return language === 'de' ? [option('an'), option('aus')] : [option('on'), option('off')]
    default: return undefined
  }
}

const fieldOf = ([name, required]: Field, address: FunctionAddress, memory: DeskMemory): MenuField => {
  const options = optionsOf(name, address, memory)
  const kind = name === 'case' ? 'case' : name === 'long' ? 'lines' : options === undefined ? 'line' : 'choice'
  return { name, label: LABELS[name][address.language], kind, required, ...options === undefined ? {} : { options } }
}

export const menuOf = (address: FunctionAddress, memory: DeskMemory): Menu => ({
  missing: MISSING[address.language],
  items: ITEMS.filter(({ word }) => word !== 'text' || Object.keys(address.texts).length > 0).map(({ word, name, fields, reads }): MenuItem => ({
    node: word, name: name[address.language], words: `!${spellingOf(word, address.language)}`,
    fields: fields.map(one => fieldOf(one, address, memory)), ...reads === undefined ? {} : { reads }
  }))
})
