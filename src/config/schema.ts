/**
 * Every key of the config: its type, its default, its limits, and the words that explain it. config.sample.yaml and all error messages
 * are made from them. Keys in the file are snake_case; load.ts turns them into the program's config.
 */
import { z } from 'zod'
import type { NetworkKind } from '../networks/kind'
import { choice, lines, list, listen, live, off, section, secret, secretUrl, text, told, url, whole, yes } from '../settings/keys'
import { functionAddressOf } from './schema-address'

/** Where links to files are served if the config does not say. */
export const MEDIA_PORT = 9994

/** Where the store is if the config does not say. */
export const STORE_FILE = './data/zentrale.db'

/** The networks' sections come between `before` and `after`. */
const before = {
  language: choice('The language of Zentrale\'s own texts to people.', ['de', 'en']).default('de'),
  log: section('The log, as JSON lines on standard error. It never contains message texts, and phone numbers are masked.', {
    level: choice('How much.', ['info', 'debug', 'warn', 'error', 'silent']).default('info')
  }).prefault({}),
  store: section('The database: a file, or PostgreSQL. Everything that Zentrale remembers is in it, for one running Zentrale.', {
    path: live(text('The database file; a relative path counts from this config\'s folder. Its folder is made if it is missing.',
      'the path of a file', STORE_FILE)),
    postgres: secretUrl('Instead of a file: a database of PostgreSQL 15 or later, in UTF8, in which this user may create (CREATE DATABASE … ' +
      'OWNER …). With a password in it, this is a secret.', /^postgres(ql)?$/, 'postgres://zentrale:PASSWORD@127.0.0.1:5432/zentrale').optional(),
    keep_days: whole('After how many days messages are forgotten that are no address\'s, and what could not be read. After that, edits and ' +
      'deletions of them are not carried over. A mirror may say fewer.',
    1, 3650, 90).default(90)
  })
}

/** The keys by network. */
const keyed = <T>(kinds: readonly NetworkKind[], key: (kind: NetworkKind) => T): Record<string, T> =>
  Object.fromEntries(kinds.map(kind => [kind.settings.name, key(kind)]))

const placeOf = (kinds: readonly NetworkKind[]) => z.strictObject(keyed(kinds, ({ settings }) => settings.place.key.optional()))
  .refine(entry => Object.keys(entry).length === 1)
  .register(told, { doc: 'One place.', must: `exactly one of ${kinds.map(({ settings }) => settings.name).join(', ')}` })

/** What passes between the places of a mirror, and of a portal too. */
const carried = () => ({
  typing: yes('Whether people see in each place who is typing in the others.', true).default(true),
  read_marks: yes('Whether people see in each place how far those in the others have read.').default(false),
  presence: yes('Whether people see in each place who in the others is away or busy, and what they say of it.').default(false),
  delivery_marks: choice('Whether a writer sees that what they said has gone out to all other places. read: Zentrale marks it as read there. ' +
    'reaction: Zentrale reacts to it with ✅.', ['none', 'read', 'reaction']).default('none'),
  moderation: choice('How far a moderator\'s removal reaches. shared: into all places, also where the message was said, as far as Zentrale may ' +
    'remove messages of others there. own: a message from another place is removed only where the moderator is.',
  ['shared', 'own']).default('shared'),
  members_max: whole('Up to how many people of the other places are in each place although they have said nothing. If there are more, and with ' +
    '0, only those who speak are there.', 0, 5000, 100).default(100),
  retention_days: whole('After how many days messages are forgotten; no later than store.keep_days. Without it, then.', 1, 36500, 90).optional(),
  pictures: yes('Whether people have their pictures in the other places too.', true).default(true),
  room: section('What of the rooms themselves is the same in all places, if somebody changes it in one. At the start nothing is changed.', {
    topic: yes('The topic, which some apps call subject.', true).default(true),
    name: yes('The name. For this, Zentrale must be an owner of group chats.').default(false),
    picture: yes('The picture. The same holds for it, and not every server keeps pictures of group chats.').default(false)
  }).prefault({})
})

const mirrorOf = (kinds: readonly NetworkKind[]) => section('One mirror.', {
  name: text('A name of your choice, for the log and for commands.', 'a short name without spaces', 'werkstatt', /^[^\s]{1,64}$/),
  places: list('The places that show the same messages: two or more, on any networks.', 'a list of at least two places', 1000,
    placeOf(kinds), `\n${kinds.map(({ settings }) => settings.place.sample).join('\n')}`).min(1),
  allow_encrypted: yes('Whether encrypted rooms are mirrored too: Zentrale reads what is said there and passes it on without that ' +
    'encryption. Each side is told so once. Otherwise the mirror rests there.').default(false),
  ...carried()
})

const whom = (doc: string, sample: string) => list(doc, 'a list of addresses', 1000, text('Somebody.', 'an address in quotes', sample), sample).min(1)

const directChats = () => section('Direct chats between two persons of different networks, without a team. Without this section there are none. ' +
  'People are named by their addresses, with * for any characters.', {
  allow: list('Who may begin such a chat with whom. Whoever was written to may always answer.', 'a list of entries with from and to', 1000, section(
    'One entry.', { from: whom('Who may begin.', '["@*:example.org"]'), to: whom('With whom.', '["*@*", "+49*"]') })).min(1),
  numbers: lines('Phone numbers of ours, each with the one person for whom it stands: only they write from it, and all answers are theirs.',
    'lines of a quoted number and an address, such as "+4930123458": "@anna:example.org"', z.string().max(100),
    text('The person.', 'an address in quotes', '"@anna:example.org"'),
    '{ "+4930123458": "@anna:example.org" }').default({}),
  per_day: whole('How many new chats one person may begin within a day, and how many may be begun with one.', 1, 1000, 20).default(20),
  typing: yes('Whether each sees that the other is typing.', true).default(true)
})

const portals = () => section('Rooms that people may have mirrored by entering them by a name on another network. Without this section ' +
  'there are none.', {
  rooms: list('Which rooms, by their addresses, with * for any characters.', 'a list of addresses of rooms', 1000,
    text('Rooms.', 'an address in quotes', '"*@rooms.example.org"'), '["*@rooms.example.org", "#*:example.org"]').min(1),
  from: list('Who may ask for rooms on a network that says who asks, and so enter them there. People are named by their addresses, with * for ' +
    'any characters. On other networks, everybody of your own server may.', 'a list of addresses', 1000,
  text('Somebody.', 'an address in quotes', '"*@example.org"'), '["*@example.org"]').default([]),
  most: whole('How many of them at most.', 1, 10000, 100).default(100),
  ...carried()
})

const enough = (kinds: readonly NetworkKind[]): string => {
  const needed = kinds.flatMap(({ settings: { name, address: { needs } } }) => needs === undefined ? [] : [`${needs.when}, ${name}`])
  return needed.length === 0 ? 'name and team' : ['name, team', ...needed].join(' and, ')
}

const after = (kinds: readonly NetworkKind[]) => ({
  media: section('Files of one network are shown to others as links to Zentrale, which expire.', {
    listen: listen('Where Zentrale serves these links; put your web server with TLS in front.', MEDIA_PORT).prefault({}),
    public_url: url('How that listener is reached from outside; links begin with it.', 'https://media.example.org'),
    link_days: whole('How many days a link works.', 1, 3650, 30).default(30),
    bytes_max: whole('Larger files are not carried over. In bytes.', 1024, 4294967296, 52428800).default(52428800)
  }),
  limits: section('How much Zentrale takes. Beyond that it says no to the servers, which then try again later.', {
    queue_max: whole('How many messages may wait for delivery. The messages from one place may fill the queue until as much room is left ' +
      'for all others.', 100, 10000000, 100000).default(100000),
    drain_seconds: whole('How long sends under way may take when Zentrale is stopped. The rest is sent after the next start.',
      0, 600, 10).default(10)
  }).prefault({}),
  mirrors: list('Rooms that show the same on all networks. A place can be in one mirror only.', 'a list of mirrors', 10000,
    mirrorOf(kinds)).default([]),
  direct_chats: off(directChats()),
  portals: off(portals()),
  function_addresses: list(`Public addresses with a team behind them: ${enough(kinds)} are enough. Each needs a line ` +
    'in the registration; "zentrale check" says which.', 'a list of function addresses', 1000, functionAddressOf(kinds)).default([]),
  reports: section('What "zentrale report" says of function addresses.', {
    persons: yes('Whether it also says who of a team answered how much. Counted only from then on. That watches people at work: ask the works ' +
      'council first (in Germany it has a say, § 87 (1) no. 6 BetrVG), and tell the team.').default(false)
  }).prefault({}),
  operate: section('For the operator: pages, health, metrics and commands, by HTTP.', {
    listen: listen('Where it listens; keep it on this machine, or behind a web server with TLS.', 9350).prefault({}),
    token: secret('Whoever has this token may read metrics and change the queue ("Authorization: Bearer …").'),
    logbook_key: secret('Seals the logbook of function addresses. If left out, the token seals it: then keep the token, because lines ' +
      'sealed with an old one can no longer be verified.').optional(),
    public_url: url('How that listener is reached from outside, if it is: the pages answer under this name too, and links for teams begin so.',
      'https://desk.example.org').optional(),
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

/** The value of a network's key in a section. */
export const writtenOf = (section: object, { settings: { name } }: NetworkKind): unknown => (section as Record<string, unknown>)[name]
