/** `zentrale address join | leave | cases | log | verify`: asks the running Zentrale, because only it can open the store. */
import type { Config } from '../config/config'
import type { Clock } from '../lib/clock'
import type { Conversation, LogLine } from '../store/desk'
import type { LogbookAnswer } from './addresses'
import { ask, errorIn } from '../lib/ask'
import { readiness, urlOf } from './remote-queue'

export const LIVE_ACTIONS = ['join', 'leave', 'cases', 'log', 'verify'] as const
export type LiveAction = (typeof LIVE_ACTIONS)[number]

/**
 * `name`: the address's name; for verify, a seal from the log or ''. `person`: the address of the person who joins or leaves. `called`:
 * their name in the team.
 */
export interface LiveOrder { action: LiveAction; name: string; person: string | undefined; called: string | undefined }

const caseLine = ({ id, state, owner, name, contact, awaits, labels, project }: Conversation): string =>
  [`#${id} ${state}`, owner ?? '', name === undefined ? contact.id : `${name} (${contact.id})`, awaits ? 'needs an answer' : '', project ?? '',
    labels.join(', ')].filter(part => part !== '').join(' · ')

const logLine = ({ at, conversation, who, what, detail }: LogLine): string =>
  [new Date(at).toISOString(), conversation === undefined ? '' : `#${conversation}`, who, what, detail].filter(part => part !== '').join(' · ')

const shown = (action: LiveAction, body: unknown): string => {
  if (action === 'cases') return (body as Conversation[]).map(caseLine).join('\n') || 'No cases.'
  return (body as { lines: LogLine[] }).lines.map(logLine).join('\n') || 'Nothing.'
}

const SEAL_DIGITS = 16 // the digits that the log shows

const foreignTo = ({ first, last, lines }: NonNullable<LogbookAnswer['foreign']>, all: number): string => [
  `${lines} of the logbook's ${all} lines (${first === last ? first : `${first} to ${last}`}) were not sealed with the key of this Zentrale; their`,
  'order is right. Either another key has sealed them (another operate.logbook_key, or without one another operate.token: of a second machine, or of',
  'before it was changed), or somebody has written them anew. With the key that was in force then in the config, and after a restart, this command',
  'tells which.'
].join('\n')

const verdict = ({ lines, sealedFrom, head, wrong, foreign, asked }: LogbookAnswer, seal: string | undefined): { output: string, ok: boolean } => {
  const unsealed = sealedFrom === undefined ? lines : sealedFrom - 1
  const said = [
    wrong !== undefined ? `The logbook was changed from outside: line ${wrong.line} ${wrong.why}.`
      : foreign !== undefined ? foreignTo(foreign, lines) : `The logbook is whole: ${lines} lines.`,
    ...wrong === undefined && unsealed > 0 ? [`Its first ${unsealed} lines are older than the seals: only their order was checked.`] : [],
    ...head === undefined ? [] : [`Last line ${head.line}, seal ${head.seal.slice(0, SEAL_DIGITS)}. Compare it with the last "logbook" in the log.`],
    ...asked === undefined ? [] : [asked === null ? `No line has the seal ${seal}: lines were removed or rewritten.`
      : `Line ${asked} has the seal ${seal}.`]
  ]
  return { output: said.join('\n'), ok: wrong === undefined && foreign === undefined && asked !== null }
}

/** Returns the text to print, and whether the order was carried out. */
export const runLive = async ({ operate }: Config, { action, name, person, called }: LiveOrder,
  clock: Clock): Promise<{ output: string, ok: boolean }> => {
  const url = urlOf(operate.listen)
  if (await readiness(url, clock) === undefined) {
    return { output: 'Zentrale is not running: start it first, or change the team in the config.', ok: false }
  }
  if (action === 'verify') {
    const query = name === '' ? '' : `?seal=${encodeURIComponent(name)}`
    const answer = await ask(clock, `${url}/admin/logbook${query}`, { token: operate.token })
    return answer.status === 200 ? verdict(answer.body as LogbookAnswer, name) : { output: errorIn(answer), ok: false }
  }
  const base = `${url}/admin/addresses/${encodeURIComponent(name)}`
  const changes = action === 'join' || action === 'leave'
  const answer = changes
    ? await ask(clock, `${base}/team`, { method: 'POST', token: operate.token,
        json: { [action === 'join' ? 'add' : 'remove']: person, by: 'operator', ...called === undefined ? {} : { name: called } } })
    : await ask(clock, `${base}/${action === 'cases' ? 'cases' : 'logbook'}`, { token: operate.token })
  if (answer.status >= 300) return { output: errorIn(answer), ok: false }
  return { output: changes ? `${person} ${action === 'join' ? 'is in' : 'is out of'} the team of ${name}.` : shown(action, answer.body), ok: true }
}
