/**
 * Every key of the config: its type, its default, its limits, and the words that explain it. config.sample.yaml and all
 * refusals are made from what stands here. Keys in the file are snake_case; load.ts turns them into what the program takes.
 */
import { z } from 'zod'
import type { NetworkKind } from '../networks/kind'
import { choice, list, listen, section, secret, text, told, url, whole, yes } from '../settings/keys'
import { functionAddressOf } from './schema-address'

/** What networks bring stands between these and what follows. */
const before = {
  language: choice('The language of what Zentrale itself says to people.', ['de', 'en']).default('de'),
  log: section('What is logged, to standard error as JSON lines. Message texts never are, and phone numbers are masked.', {
    level: choice('How much.', ['info', 'debug', 'warn', 'error', 'silent']).default('info')
  }).prefault({}),
  store: section('Where everything is remembered. One file for one running Zentrale.', {
    path: text('The database file; a relative path counts from this config\'s folder. Its folder is made if it is missing.',
      'the path of a file', './data/zentrale.db'),
    keep_days: whole('After so many days what was delivered is forgotten. Later edits and deletions of it are then not carried over.',
      1, 3650, 90).default(90)
  })
}

/** The key of each network, as far as it has one. */
const keyed = <T>(kinds: readonly NetworkKind[], key: (kind: NetworkKind) => T): Record<string, T> =>
  Object.fromEntries(kinds.map(kind => [kind.settings.name, key(kind)]))

const placeOf = (kinds: readonly NetworkKind[]) => z.strictObject(keyed(kinds, ({ settings }) => settings.place.key.optional()))
  .refine(entry => Object.keys(entry).length === 1)
  .register(told, { doc: 'One place.', must: `exactly one of ${kinds.map(({ settings }) => settings.name).join(', ')}` })

const mirrorOf = (kinds: readonly NetworkKind[]) => section('One mirror.', {
  name: text('A name of your choice, for the log and for commands.', 'a short name without spaces', 'werkstatt', /^[^\s]{1,64}$/),
  places: list('The places that are carried to one another, two or more, on any networks.', 'a list of at least two places', 1000,
    placeOf(kinds), `\n${kinds.map(({ settings }) => settings.place.sample).join('\n')}`).min(1)
})

const enough = (kinds: readonly NetworkKind[]): string => {
  const needed = kinds.flatMap(({ settings: { name, address: { needs } } }) => needs === undefined ? [] : [`${needs.when}, ${name}`])
  return needed.length === 0 ? 'name and team' : ['name, team', ...needed].join(' and, ')
}

const after = (kinds: readonly NetworkKind[]) => ({
  media: section('Files of one network are shown to others as links to Zentrale, which expire.', {
    listen: listen('Where Zentrale serves these links; put your web server with TLS in front.', 9994).prefault({}),
    public_url: url('How that listener is reached from outside; links begin with it.', 'https://media.example.org'),
    link_days: whole('How many days a link works.', 1, 3650, 30).default(30),
    bytes_max: whole('Larger files are not carried over. In bytes.', 1024, 4294967296, 52428800).default(52428800)
  }),
  limits: section('What Zentrale takes at most. Beyond it says no to the servers, which then try again later.', {
    queue_max: whole('Messages that wait for delivery. What came from one place may wait as long as there is as much room left ' +
      'for all others.', 100, 10000000, 100000).default(100000),
    drain_seconds: whole('How long sends under way may take when Zentrale is stopped. What is left then is sent after the next start.',
      0, 600, 10).default(10)
  }).prefault({}),
  mirrors: list('Rooms that show the same on all networks. A place can be in one mirror only.', 'a list of mirrors', 10000,
    mirrorOf(kinds)).default([]),
  function_addresses: list(`Public addresses with a team behind them: ${enough(kinds)} are enough. Each needs a line ` +
    'in the registration; "zentrale check" says which.', 'a list of function addresses', 1000, functionAddressOf(kinds)).default([]),
  operate: section('For the operator: health, metrics and commands, by HTTP.', {
    listen: listen('Where; keep it on this machine, or behind a web server with TLS.', 9350).prefault({}),
    token: secret('Whoever has this token may read metrics and change the queue ("Authorization: Bearer …").'),
    logbook_key: secret('Seals the logbook of function addresses. Without it the token does: then keep the token, or what was written under ' +
      'the old one cannot be verified any more.').optional(),
    metrics_public: yes('Whether /metrics may be read without the token.').default(false)
  })
})

const makeSchema = (kinds: readonly NetworkKind[]) => {
  const networks = keyed(kinds, ({ settings }) => settings.section.optional())
  return section('Zentrale\'s config.', { ...before, ...networks, ...after(kinds) })
}

const made = new WeakMap<readonly NetworkKind[], ReturnType<typeof makeSchema>>()

/** The config with these networks. */
export const schemaOf = (kinds: readonly NetworkKind[]): ReturnType<typeof makeSchema> => {
  const schema = made.get(kinds) ?? makeSchema(kinds) // takes 20 ms
  made.set(kinds, schema)
  return schema
}

export type Written = z.output<ReturnType<typeof schemaOf>>

/** What is written in a section under the key of a network. */
export const writtenOf = (section: object, { settings: { name } }: NetworkKind): unknown => (section as Record<string, unknown>)[name]

/** Keys that people will look for and that this version does not have, each with what to do. */
export const NOT_YET: Record<string, string> = {
  'store.postgres': 'This version keeps its store in a file. Write for example: path: ./data/zentrale.db'
}
