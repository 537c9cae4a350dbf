/**
 * Every key of the config: its type, its default, its limits, and the words that explain it. config.sample.yaml and all
 * refusals are made from what stands here. Keys in the file are snake_case; load.ts turns them into what the program takes.
 */
import type { CountryCode } from 'libphonenumber-js'
import { z } from 'zod'
import { choice, country, domain, E164, host, list, listen, live, password, PHONE, phone, secret, section, text, told, url, whole, yes } from './keys'
import { functionAddress } from './schema-address'

const ownNumbers = () =>
  list('Our numbers on this gateway, in international form, in quotes.', `a list of ${PHONE.replace('a phone', 'phone')}`,
    1000, text('One of our numbers.', PHONE, '"+4930123456"', E164), '["+4930123456", "+4930123457"]').min(1)
const gatewayName = () => text('A short name of your choice, under which mirrors and metrics name this gateway.',
  'a short name of a–z, 0–9, _ and -', 'main', /^[a-z][a-z0-9_-]{0,31}$/)

const smpp = section('A gateway reached by SMPP 3.4: an SMS provider, or a Kannel or Jasmin of your own.', {
  name: gatewayName(),
  kind: z.literal('smpp').register(told, { doc: 'smpp, or kannel for Kannel\'s HTTP interface.', must: 'smpp or kannel', sample: 'smpp' }),
  host: host('Where the gateway is reached.', '127.0.0.1'),
  port: whole('The port of its SMPP service.', 1, 65535, 2775),
  tls: yes('Whether to speak TLS with it. Have it on where the gateway is not on this machine.').default(false),
  system_id: text('The account (SMPP: system_id).', 'text of at most 15 characters', 'zentrale', /^.{1,15}$/),
  password: password('The account\'s password (SMPP takes at most 8 characters; some gateways take more).'),
  system_type: text('Only if the provider asks for one.', 'text of at most 12 characters', '""', /^.{0,12}$/).optional(),
  numbers: ownNumbers(),
  window: whole('How many messages may be unanswered at once.', 1, 100, 10).default(10),
  per_second: whole('At most so many messages a second, as your contract says. Without it the gateway\'s own throttling rules.',
    1, 1000, 10).optional(),
  default_charset: choice('How the gateway reads data coding 0. Change it if umlauts arrive wrong.',
    ['gsm7', 'latin1', 'ascii']).default('gsm7'),
  long_messages: choice('How long messages are cut into parts. Change it only if the provider asks for it.',
    ['udh', 'sar', 'payload']).default('udh'),
  segments_max: whole('A longer text is split into several messages of at most so many parts. Each part costs.', 1, 255, 10).default(10)
})

const kannel = section('A gateway reached by Kannel\'s HTTP interface (sendsms).', {
  name: gatewayName(),
  kind: z.literal('kannel').register(told, { doc: 'kannel for Kannel\'s HTTP interface.', must: 'smpp or kannel', sample: 'kannel' }),
  send_url: url('Kannel\'s sendsms address.', 'http://127.0.0.1:13013/cgi-bin/sendsms'),
  username: text('The name of the group sendsms-user.', 'a user name', 'zentrale'),
  password: password('The password of the group sendsms-user.'),
  smsc: text('The smsc-id to send through, if Kannel has several.', 'an smsc-id', 'main').optional(),
  numbers: ownNumbers(),
  listen: listen('Where Zentrale waits for Kannel\'s get-url and delivery reports.', 9995).prefault({}),
  public_url: url('How Kannel reaches that listener.', 'http://127.0.0.1:9995'),
  secret: secret('A part of the path that only Kannel knows, because its calls carry no signature.')
})

const memberName = () => z.string().min(1).max(60).register(told, { doc: 'The name to show.', must: 'a name of at most 60 characters' })

const place = z.strictObject({
  matrix: text('A room\'s alias or id.', 'a room alias or id, such as "#werkstatt:example.org"', '"#werkstatt:example.org"',
    /^[#!].+/).optional(),
  xmpp: text('A room\'s address.', 'a room address, such as werkstatt@rooms.example.org', 'werkstatt@rooms.example.org',
    /^[^\s/@]+@[^\s/@]+$/).optional(),
  sms: section('Phones that take part by SMS.', {
    gateway: text('The gateway\'s name.', 'the name of a gateway under sms.gateways', 'main'),
    number: phone('Our number, which the members text to and get messages from.', '+4930123457'),
    members: z.record(z.string().regex(E164), memberName()).refine(members => Object.keys(members).length > 0)
      .register(told, { doc: 'Who takes part, by phone number, with the name to show.',
        must: 'lines of a quoted number and a name, such as "+491701234567": Max' })
  }).optional()
}).refine(entry => Object.keys(entry).length === 1).register(told, { doc: 'One place.', must: 'exactly one of matrix, xmpp, sms' })

const PLACES_SAMPLE = `
- matrix: "#werkstatt:example.org"      # a room's alias or id, in quotes
- xmpp: werkstatt@rooms.example.org     # a room's address
- sms:                                  # phones that take part by SMS
    gateway: main                       # the name of a gateway above
    number: "+4930123457"               # our number, which the members text to
    members:                            # who takes part, with the name to show
      "+491701234567": Max`

const mirror = section('One mirror.', {
  name: text('A name of your choice, for the log and for commands.', 'a short name without spaces', 'werkstatt', /^[^\s]{1,64}$/),
  places: list('The places that are carried to one another, two or more, on any networks.', 'a list of at least two places', 1000,
    place, PLACES_SAMPLE).min(1)
})

/** Where an SMS costs about the same: the European Economic Area, Switzerland and the United Kingdom. */
const EUROPE: CountryCode[] = [
  'AT', 'BE', 'BG', 'CH', 'CY', 'CZ', 'DE', 'DK', 'EE', 'ES', 'FI', 'FR', 'GB', 'GR', 'HR', 'HU', 'IE', 'IS', 'IT', 'LI', 'LT', 'LU', 'LV', 'MT',
  'NL', 'NO', 'PL', 'PT', 'RO', 'SE', 'SI', 'SK'
]

export const schema = section('Zentrale\'s config.', {
  language: choice('The language of what Zentrale itself says to people.', ['de', 'en']).default('de'),
  log: section('What is logged, to standard error as JSON lines. Message texts never are, and phone numbers are masked.', {
    level: choice('How much.', ['info', 'debug', 'warn', 'error', 'silent']).default('info')
  }).prefault({}),
  store: section('Where everything is remembered. One file for one running Zentrale.', {
    path: text('The database file; a relative path counts from this config\'s folder. Its folder is made if it is missing.',
      'the path of a file', './data/zentrale.db'),
    keep_days: whole('After so many days what was delivered is forgotten. Later edits and deletions of it are then not carried over.',
      1, 3650, 90).default(90)
  }),
  matrix: section('Your Matrix homeserver. Leave the section out if you have none.', {
    homeserver_url: url('Where Zentrale reaches the homeserver.', 'http://127.0.0.1:8008'),
    domain: domain('The domain in its users\' names: the server_name.', 'example.org'),
    registration: text('The registration file, the same that the homeserver reads (app_service_config_files).',
      'the path of a file', './registration.yaml'),
    listen: listen('Where Zentrale waits for the homeserver: the port of the registration\'s url.', 9993).prefault({}),
    accept_invites_from: list(
      'Whose invitations Zentrale accepts besides those to rooms of mirrors: users (@anna:example.org) or servers (:example.org).',
      'a list of users (@anna:example.org) or servers (:example.org)', 1000,
      text('One of them.', 'a user (@anna:example.org) or a server (:example.org)', '":example.org"', /^(@[^\s:]+)?:[^\s]+$/),
      '[]').default([]),
    not_heard_from: list(
      'Who is not heard: users whose words are carried nowhere, such as the ghosts of another bridge that are still in rooms of mirrors. A star ' +
      'stands for the rest of a name: "@_bifrost_*:example.org".', 'a list of users, such as "@_bifrost_*:example.org"', 1000,
      text('One of them, or all whose names begin so.', 'a user, such as "@anna:example.org" or "@_bifrost_*:example.org"',
        '"@_bifrost_*:example.org"', /^@[^\s:*]+\*?:[^\s*]+$/), '[]').default([])
  }).optional(),
  xmpp: section('Your XMPP server. Leave the section out if you have none.', {
    component: section('The component link (XEP-0114), as it stands in the server\'s config.', {
      host: host('Where the server listens for components.', '127.0.0.1'),
      port: whole('Its port for components.', 1, 65535, 5347),
      domain: domain('The component\'s own domain, a subdomain of the server\'s.', 'chat.example.org'),
      secret: secret('The component\'s secret.'),
      insecure: yes('The link is not encrypted, so another machine as host is refused. True: a tunnel or a private network protects it.')
        .default(false)
    }),
    rooms: live(domain('The server\'s room service (MUC), where the rooms for teams of function addresses are made.', 'rooms.example.org')),
    fetch: section('How files that people link to in XMPP rooms are taken over.', {
      allow_hosts: list('Where files may be fetched from although the address is private, such as your own upload service: its host and ' +
        'port, as in its links. Without a port only 80 and 443 are meant. Only these are looked for in this machine\'s hosts file too.',
      'a list of hosts, with a port where the links have one', 100,
      text('One of them.', 'a host, or host:port', 'upload.example.org:5281', /^(\[[0-9a-fA-F:.]+\]|[a-zA-Z0-9._-]+)(:\d{1,5})?$/), '[]')
        .default([]),
      timeout_seconds: whole('Longer downloads are given up.', 1, 600, 60).default(60)
    }).prefault({})
  }).optional(),
  sms: section('Your SMS gateways. Leave the section out if you have none.', {
    gateways: list('Each gateway with our numbers on it.', 'a list of gateways', 20, z.discriminatedUnion('kind', [smpp, kannel])).min(1),
    countries: list('Where SMS may go. Elsewhere, and to numbers that cost their callers extra, nothing is sent, because there fraud pays. The ' +
      'countries of your own numbers and of members of mirrors need not be listed.', 'a list of countries, such as [DE, AT]', 250,
    country('One country.', 'DE'), `[${EUROPE.join(', ')}]`).default(EUROPE),
    parts_per_day: whole('At most so many parts of SMS are sent within a day. What is more waits, and the link "spending limit" is down. Each ' +
      'part costs.', 1, 10000000, 1000).default(1000),
    parts_per_day_to_one: whole('The same for one phone.', 1, 10000000, 200).default(200)
  }).optional(),
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
    mirror).default([]),
  function_addresses: list('Public addresses with a team behind them: name, team and, if it has a number, sms are enough. Each needs a line ' +
    'in the registration; "zentrale check" says which.', 'a list of function addresses', 1000, functionAddress).default([]),
  operate: section('For the operator: health, metrics and commands, by HTTP.', {
    listen: listen('Where; keep it on this machine, or behind a web server with TLS.', 9350).prefault({}),
    token: secret('Whoever has this token may read metrics and change the queue ("Authorization: Bearer …").'),
    logbook_key: secret('Seals the logbook of function addresses. Without it the token does: then keep the token, or what was written under ' +
      'the old one cannot be verified any more.').optional(),
    metrics_public: yes('Whether /metrics may be read without the token.').default(false)
  })
})

export type Written = z.output<typeof schema>

/** Keys that people will look for and that this version does not have, each with what to do. */
export const NOT_YET: Record<string, string> = {
  'store.postgres': 'This version keeps its store in a file. Write for example: path: ./data/zentrale.db'
}
