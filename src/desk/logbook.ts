/** The words of the logbook. It is kept and sealed in English; the team reads it in its own language. */
import type { LogLine } from '../store/desk'

const GERMAN = {
  opened: 'eröffnet', claimed: 'übernommen', released: 'freigegeben', held: 'nicht gesendet', 'sent all the same': 'doch gesendet',
  'taken back': 'zurückgenommen', 'passed on': 'weitergegeben', assigned: 'weitergegeben', waits: 'stellt zurück', woken: 'wieder da',
  done: 'erledigt', begun: 'begonnen', labels: 'Schlagwörter', project: 'Projekt', consent: 'Einwilligung', start: 'START',
  stop: 'STOP', 'told of START': 'Hinweis auf START', automatic: 'automatisch', 'on duty': 'im Dienst', 'off duty': 'außer Dienst',
  joined: 'neu im Team', removed: 'nicht mehr im Team', 'code shown': 'hat einen Code gesehen',
  'told of the end': 'Hinweis auf das Ende', 'written after the end': 'nach dem Ende geschrieben'
} as const

export type LogWord = keyof typeof GERMAN

const GERMAN_DETAILS: [RegExp, string][] = [
  [/^case (\d+)$/, 'Vorgang $1'], [/^from /, 'von '], [/^greeting$/, 'Begrüßung'], [/^absence$/, 'Abwesenheit'], [/^redirect$/, 'Verweis']
]

/** Who did what, in the team's language. */
export const readLine = ({ who, what, detail }: LogLine, language: 'de' | 'en'): string[] => language === 'en' ? [who, what, detail] : [
  who === 'contact' ? 'Kontakt' : who, Object.hasOwn(GERMAN, what) ? GERMAN[what as LogWord] : what,
  GERMAN_DETAILS.reduce((text, [english, german]) => text.replace(english, german), detail)
]
