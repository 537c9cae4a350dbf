/** XMPP's part of the config and of what commands ask and show. */
import { z } from 'zod'
import type { Person } from '../../model/address'
import { domain, host, list, live, password, secret, section, text, whole, yes } from '../../settings/keys'
import { transliterated } from '../../settings/names'
import { attempt, Impossible, noSection, spell, twice } from '../../settings/problem'
import { aDomainOrNone, aHost, aPort, type Given, has, like, type Question, type Trial } from '../../settings/questions'
import { isKnown, listensOn } from '../../settings/trials'
import { inUri } from '../../settings/uri'
import type { AddressSettings, AgentSettings, InitSettings, PlaceSettings, Settings } from '../kind'
import { NAME } from '.'
import { accountAnswered, accountNamed, accountProblems, accountQuestions, accounts, isLoopback, takeAccounts } from './account-settings'
import type { XmppSettings } from './joined'
import { canonicalBare, personId } from './names'
import { ejabberdSnippet, prosodySnippet } from './snippets'

const SECOND_MS = 1000

const server = section('Your XMPP server. Leave the section out if you have none.', {
  component: live(section('The component link (XEP-0114), as it stands in the server\'s config. Leave it out if you only have accounts.', {
    host: host('Where the server listens for components.', '127.0.0.1'),
    port: whole('Its port for components.', 1, 65535, 5347),
    domain: domain('The component\'s own domain, a subdomain of the server\'s.', 'chat.example.org'),
    secret: secret('The component\'s secret.'),
    insecure: yes('The link is not encrypted, so another machine as host is refused. True: a tunnel or a private network protects it.')
      .default(false)
  })),
  accounts,
  passwords: list('Passwords of rooms that ask for one. Zentrale does not go in without it, and nobody for whom it speaks.', 'a list of rooms', 1000,
    section('One of them.', {
      room: text('The room\'s address.', 'a room address, such as werkstatt@rooms.example.org', 'werkstatt@rooms.example.org', /^[^\s/@]+@[^\s/@]+$/),
      password: password('Its password.')
    })).optional(),
  rooms: live(domain('The server\'s room service (MUC), where the rooms for teams of function addresses are made.', 'rooms.example.org')),
  fetch: section('How files that people link to in XMPP rooms are taken over.', {
    allow_hosts: list('Where files may be fetched from although the address is private, such as your own upload service: its host and ' +
      'port, as in its links. Without a port only 80 and 443 are meant. Only these are looked for in this machine\'s hosts file too.',
    'a list of hosts, with a port where the links have one', 100,
    text('One of them.', 'a host, or host:port', 'upload.example.org:5281', /^(\[[0-9a-fA-F:.]+\]|[a-zA-Z0-9._-]+)(:\d{1,5})?$/), '[]')
      .default([]),
    timeout_seconds: whole('Longer downloads are given up.', 1, 600, 60).default(60)
  }).prefault({})
})

type Written = z.output<typeof server>

const place: PlaceSettings<Written, string> = {
  key: text('A room\'s address.', 'a room address, such as werkstatt@rooms.example.org', 'werkstatt@rooms.example.org', /^[^\s/@]+@[^\s/@]+$/),
  sample: '- xmpp: werkstatt@rooms.example.org     # a room\'s address',
  asked: /^[^\s/@#]+@[^\s/@]+$/,
  seats: (written, server, path, problem) => attempt(path, problem, () => {
    if (server === undefined) throw noSection(NAME, 'place')
    const id = canonicalBare(written)
    if (id === undefined) throw new Impossible(`"${written}" is not an address`, 'Write a room address, such as werkstatt@rooms.example.org')
    if (server.component === undefined) {
      throw new Impossible('a mirror needs a component, because people of other networks speak in its rooms',
        'Write xmpp.component, or take this room out')
    }
    if (id.endsWith(`@${server.component.domain}`)) { // where our own users live
      throw new Impossible(`"${written}" is on Zentrale's own domain`,
        'Rooms are on the server\'s room service, such as werkstatt@rooms.example.org')
    }
    return { path, place: { network: NAME, id } }
  })
}

/** The localpart as servers spell it. Undefined if it is not a localpart. */
const localpart = (written: string): string | undefined => canonicalBare(`${written}@x`)?.slice(0, -'@x'.length)

const address: AddressSettings<Written, string> = {
  key: text('Its name on XMPP. Without it the name itself; the rewritten one is reached too. Or the address of one of xmpp.accounts.',
    'what stands before the @ of an XMPP address, or the address of an account', 'bürgerbüro', /^[^\s"&'/:<>@]{1,200}(@[^\s"&'/<>@]{1,200})?$/),
  encrypts (id, server) {
    if (id.endsWith(`@${server?.component?.domain}`)) return true
    throw new Impossible(`is for addresses of xmpp.component, and ${id} is an account, where nothing is encrypted`,
      'Remove it, or write xmpp.component and give the address a name there')
  },
  spelled: written => ({ spelling: written, ascii: transliterated(written.replace(/@.*/, '')) }),
  names ({ name, written, ascii }, server, path, problem) {
    const at = [...path, written === undefined ? 'name' : NAME]
    if (server === undefined) {
      if (written !== undefined) attempt(at, problem, () => { throw noSection(NAME, 'name') })
      return { identities: [], aliases: [] }
    }
    if (written?.includes('@') === true) return { identities: attempt(at, problem, () => accountNamed(written, server)), aliases: [] }
    const { component } = server
    if (component === undefined) {
      if (written !== undefined) problem(at, `"${written}" needs a component`, 'Write the address of one of xmpp.accounts, or write xmpp.component')
      return { identities: [], aliases: [] }
    }
    const chosen = written ?? name
    const local = localpart(chosen)
    if (local === undefined) problem(at, `"${chosen}" cannot stand before the @ of an XMPP address`, 'Write another name')
    else if (local.startsWith('_')) {
      problem(at, `"${local}" could be the name of a stand-in of Zentrale's`, 'Write a name that does not begin with an underscore')
    }
    const plain = transliterated(chosen) ?? ascii
    const person = (spelling: string): Person => ({ network: NAME, id: `${spelling}@${component.domain}` })
    return {
      identities: local === undefined ? [] : [person(local)],
      aliases: plain === undefined || plain === local || localpart(plain) !== plain ? [] : [person(plain)]
    }
  }
}

const agents: AgentSettings<Written> = {
  example: 'bernd@example.org', sample: 'on XMPP', pattern: /^[^\s/@]+@[^\s/@]+$/,
  person (written, server) {
    const id = personId(written)
    if (id === undefined) return undefined
    if (server === undefined) throw noSection(NAME, 'person', `${written} is on xmpp, and `)
    const isAccount = server.accounts?.some(({ jid }) => canonicalBare(jid) === id) === true
    if (isAccount || id.endsWith(`@${server.component?.domain}`)) {
      throw new Impossible(`${written} is ${isAccount ? 'an account of Zentrale' : 'on Zentrale\'s own domain'}`, 'Write the person\'s own address')
    }
    return { network: NAME, id }
  }
}

/** The domain above the component's. */
const above = (answers: Given): string => (answers['xmpp-domain'] ?? '').replace(/^[^.]+\./, '')
/** The default room service of both servers. */
const rooms = (answers: Given): string => `conference.${above(answers)}`

/** People have their addresses at the main domain, so it cannot be a component's. */
const isNoMainDomain: Trial = (domain, before) => Promise.resolve(domain === before['matrix-domain']
  ? `${domain} is the domain of your people. Zentrale needs one below it, such as chat.${domain}.` : undefined)

const questions: Question[] = [
  { key: 'xmpp-domain', ask: 'Domain that Zentrale gets on your XMPP server, a subdomain ("none" if you have no XMPP server)',
    preset: (_before, own) => `chat.${own}`, ...aDomainOrNone, tries: isNoMainDomain },
  { key: 'xmpp-host', ask: 'Where the XMPP server listens for components', preset: '127.0.0.1', unless: ['xmpp-domain'], ...aHost,
    tries: isKnown },
  { key: 'xmpp-port', ask: 'Its port for components', preset: '5347', unless: ['xmpp-domain'], ...aPort,
    tries: listensOn(before => before['xmpp-host']) },
  { key: 'xmpp-room', ask: 'An XMPP room for the first mirror', preset: before => `zentrale@${rooms(before)}`, unless: ['xmpp-domain'],
    fits: like(/^[^\s/@]+@[^\s/@]+$/), must: 'a room such as werkstatt@conference.example.org' }
]

const init: InitSettings = {
  questions, roomKey: 'xmpp-room',
  ofTeams: [...accountQuestions, { key: 'xmpp-rooms', ask: 'Room service of your XMPP server, for the rooms of that team ("none" if there is none)',
    preset: rooms, unless: ['xmpp-domain'], ...aDomainOrNone }],
  domain: answers => has(answers['xmpp-domain']) ? above(answers) : undefined,
  somebody: (_answers, own) => `anna@${own}`,
  section (answers, secret) {
    const component = has(answers['xmpp-domain'])
      ? { component: { host: answers['xmpp-host'], port: Number(answers['xmpp-port']), domain: answers['xmpp-domain'], secret } }
      : {}
    const rooms = has(answers['xmpp-rooms']) ? { rooms: answers['xmpp-rooms'] } : {}
    const section = { ...component, ...accountAnswered(answers), ...rooms }
    return Object.keys(section).length === 0 ? undefined : section
  },
  address: answers => has(answers['xmpp-account']) ? answers['xmpp-account'] : undefined,
  paste (answers, secret) {
    const component = { domain: answers['xmpp-domain'] ?? '', port: Number(answers['xmpp-port']), secret }
    return has(answers['xmpp-domain']) ? [prosodySnippet(component), `Or, if you have ejabberd: ${ejabberdSnippet(component)}`] : []
  }
}

export const settings: Settings<Written, XmppSettings, string, string> = {
  name: NAME, label: 'XMPP', section: server, person: personId, place, address, agents, init,
  contradictions ({ section: server, names }, { problem }) {
    if (server !== undefined) accountProblems(server, names.map(({ value }) => value), problem)
    for (const { entry, first } of twice((server?.passwords ?? []).map(({ room }, index) => ({ room, path: [NAME, 'passwords', index, 'room'] })),
      ({ room }) => canonicalBare(room) ?? room)) {
      problem(entry.path, 'is there twice', `Keep one of the two. The other is ${spell(first.path)}`)
    }
    if (server?.component === undefined && server?.passwords !== undefined) {
      problem([NAME, 'passwords'], 'are of rooms, which need a component', 'Remove them, or write xmpp.component')
    }
    const { host, insecure } = server?.component ?? {}
    if (host !== undefined && !insecure && !isLoopback(host)) {
      problem([NAME, 'component', 'host'], `${host} is another machine, and the component link is not encrypted`,
        'Use 127.0.0.1 with a tunnel, or write insecure: true below it if a private network protects the link')
    }
  },
  take ({ component, accounts, rooms, passwords = [], fetch: given }, { bytesMax, language }) {
    const fetch = { allowHosts: given.allow_hosts.map(host => host.toLowerCase()), bytesMax, timeoutMs: given.timeout_seconds * SECOND_MS }
    const taken = { accounts: takeAccounts(accounts, fetch, language), fetch }
    if (component === undefined) return taken
    const { host, port, domain, secret } = component
    const known = Object.fromEntries(passwords.flatMap(({ room, password }) => [[canonicalBare(room) ?? room, password]]))
    return {
      ...taken, component: {
        component: { host, port, domain, secret }, ...rooms === undefined ? {} : { rooms }, fetch, language,
        ...passwords.length > 0 && { passwords: known }
      }
    }
  },
  contact (id) {
    const uri = `xmpp:${inUri(id)}`
    return { uri: `${uri}?message`, code: `${uri}?message`, href: `${uri}?message`, impp: uri }
  }
}
