/** Matrix's part of the config and of what commands ask and show. */
import { resolve } from 'node:path'
import { z } from 'zod'
import type { Place } from '../../model/address'
import { choice, domain, list, listen, secret, section, text, url } from '../../settings/keys'
import { canonicalName, transliterated } from '../../settings/names'
import { attempt, ConfigError, Impossible, noSection } from '../../settings/problem'
import { aDomainOrNone, aUrl, type Given, has, like, orNone, type Question } from '../../settings/questions'
import { inUri } from '../../settings/uri'
import type { AddressSettings, AgentSettings, InitSettings, Names, PlaceSettings, Settings, Taking } from '../kind'
import { type MatrixConfig, NAME } from '.'
import { isHomeserver } from './check-answers'
import { GHOST_PREFIX, personId } from './names'
import { synapseSnippet } from './registration/for-synapse'
import { namesToRegister, readRegistration, type Registration } from './registration/registration-file'
import { registrationText, sampleRegistration } from './registration/registration-text'

/** Also has the whole registration and its path, for checks and advice. */
export interface MatrixSection extends MatrixConfig { registration: Registration; registrationFile: string }

const homeserver = section('Your Matrix homeserver. Leave the section out if you have none.', {
  homeserver_url: url('Where Zentrale reaches the homeserver.', 'http://127.0.0.1:8008'),
  domain: domain('The domain in its users\' names: the server_name.', 'example.org'),
  registration: text('The registration file, the same that the homeserver reads (app_service_config_files).',
    'the path of a file', './registration.yaml'),
  admin_token: secret('The token of an administrator of your Synapse, if zentrale erase, and the end of retention_days, are to delete ' +
    'rooms of teams and our uploads there at once and for good. Without it, they stay until Synapse\'s own retention.').optional(),
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
      '"@_bifrost_*:example.org"', /^@[^\s:*]+\*?:[^\s*]+$/), '[]').default([]),
  encrypt_for: choice('Who can read in encrypted chats and rooms what Zentrale says there. all_devices: every device of everybody who is there, as ' +
    'with Element. signed_devices: only devices that people have signed themselves (in Element: verified).',
  ['all_devices', 'signed_devices']).default('all_devices')
})

type Written = z.output<typeof homeserver>

const ROOM_BYTES_MAX = 255 // Matrix appendices §Common identifier format
const ROOM = /^(?<local>[#!][^:\s]+)(?::(?<server>[^\s]+))?$/

/** Matrix appendices §Room IDs, §Room aliases: ids of room version 12 have no server. Throws Impossible. */
const roomOf = (written: string): Place => {
  const { local, server } = ROOM.exec(written)?.groups ?? {}
  if (local === undefined || (server === undefined && local.startsWith('#')) || Buffer.byteLength(written) > ROOM_BYTES_MAX) {
    throw new Impossible(`"${written}" is not a room`,
      'Write an alias such as "#werkstatt:example.org", or the room\'s id, which begins with "!"')
  }
  return { network: NAME, id: server === undefined ? local : `${local}:${server.toLowerCase()}` }
}

const place: PlaceSettings<Written, string> = {
  key: text('A room\'s alias or id.', 'a room alias or id, such as "#werkstatt:example.org"', '"#werkstatt:example.org"', /^[#!].+/),
  sample: '- matrix: "#werkstatt:example.org"      # a room\'s alias or id, in quotes',
  asked: /^#[^\s:]+:\S+$/,
  seats: (written, homeserver, path, problem) => attempt(path, problem, () => {
    if (homeserver === undefined) throw noSection(NAME, 'place')
    return { path, place: roomOf(written) }
  })
}

const MXID_BYTES_MAX = 255 // Matrix appendices §User identifiers

/** The local parts of the aliases that lead to an address whose localpart is `local`. */
const aliasesOf = (name: string, local: string): string[] => [...new Set([canonicalName(name), local])]

/** The MXID and all aliases of an address at a domain. */
const namesAt = (domain: string, name: string, local: string): Names => ({
  identities: [{ network: NAME, id: `@${local}:${domain}` }],
  aliases: aliasesOf(name, local).map(alias => ({ network: NAME, id: `#${alias}:${domain}` }))
})

const address: AddressSettings<Written, string> = {
  key: text('Its name on Matrix, where only a–z, 0–9 and a few signs are allowed. Without it the name is rewritten: ü becomes ue.',
    'a name of a–z, 0–9, ".", "_", "=", "-", "/" and "+"', 'buergerbuero', /^[a-z0-9._=/+-]{1,200}$/),
  rewritten: true,
  spelled: written => ({ spelling: written, ascii: written }),
  names ({ name, written }, homeserver, path, problem) {
    const at = [...path, written === undefined ? 'name' : NAME]
    if (homeserver === undefined) {
      if (written !== undefined) attempt(at, problem, () => { throw noSection(NAME, 'name') })
      return { identities: [], aliases: [] }
    }
    const local = written ?? transliterated(name)
    const id = `@${local}:${homeserver.domain}`
    if (local === undefined) {
      problem(at, `"${name}" has letters that cannot be rewritten for Matrix`,
        'Write below it its name there, in a–z and 0–9. For example: matrix: rathaus')
      return undefined
    }
    if (local.startsWith(GHOST_PREFIX)) {
      problem(at, `${id} would be the name of a stand-in of Zentrale's`, 'Write a name that does not begin with an underscore')
    } else if (Buffer.byteLength(id) > MXID_BYTES_MAX) {
      problem(at, `${id} is over ${MXID_BYTES_MAX} bytes`, 'Write a shorter name')
    }
    return namesAt(homeserver.domain, name, local)
  }
}

const MXID = /^@(?<local>[^:\s]+):(?<server>[^\s]+)$/

const agents: AgentSettings<Written> = {
  encryptedRooms: true, example: '@anna:example.org', sample: 'on Matrix, in quotes', pattern: /^@[^\s:@]+:\S+$/,
  person (written, homeserver) {
    const { local, server } = MXID.exec(written)?.groups ?? {}
    if (local === undefined || server === undefined) return undefined
    if (homeserver === undefined) throw noSection(NAME, 'person', `${written} is on matrix, and `)
    if (local.startsWith(GHOST_PREFIX)) throw new Impossible(`${written} is a stand-in of Zentrale's`, 'Write the person\'s own address')
    return { network: NAME, id: `@${local}:${server.toLowerCase()}` }
  }
}

const registrationOf = (written: Written, file: string, { addresses, problem, elsewhere }: Taking): Registration | undefined => {
  try {
    return readRegistration(file, written, namesToRegister(written.domain, addresses))
  } catch (error) {
    if (!(error instanceof ConfigError)) throw error
    const [first] = error.problems
    if (first?.path === '') problem([NAME, 'registration'], `${first.file}: line ${first.line}: ${first.wrong}`, first.advice)
    else elsewhere(error.problems)
    return undefined
  }
}

const take = (written: Written, around: Taking): MatrixSection | undefined => {
  const registrationFile = resolve(around.folder, written.registration)
  const registration = registrationOf(written, registrationFile, around)
  return registration && {
    homeserverUrl: written.homeserver_url.replace(/\/+$/, ''), domain: written.domain, registration, listen: written.listen, registrationFile,
    ...written.admin_token !== undefined && { adminToken: written.admin_token },
    signedDevicesOnly: written.encrypt_for === 'signed_devices',
    acceptInvitesFrom: written.accept_invites_from, notHeardFrom: written.not_heard_from, mediaBytesMax: around.bytesMax
  }
}

const LISTEN_URL = 'http://127.0.0.1:9993' // the section's defaults as a URL

const questions: Question[] = [
  { key: 'matrix-domain', ask: 'Domain of your Matrix users, behind the colon ("none" if you have no homeserver)',
    preset: 'example.org', ...aDomainOrNone },
  { key: 'homeserver-url', ask: 'Address of the homeserver', preset: 'http://127.0.0.1:8008', unless: ['matrix-domain'], ...aUrl,
    tries: isHomeserver },
  { key: 'matrix-room', ask: 'A Matrix room for the first mirror (alias or id; "none" if you want no mirror yet)', unless: ['matrix-domain'],
    preset: before => `#zentrale:${before['matrix-domain']}`,
    fits: orNone(like(/^[#!]\S+$/)), must: 'a room such as #werkstatt:example.org, or none' }
]

const domainOf = (answers: Given): string | undefined => has(answers['matrix-domain']) ? answers['matrix-domain'] : undefined

const init: InitSettings = {
  questions, roomKey: 'matrix-room',
  domain: answers => domainOf(answers)?.replace(/:\d+$/, ''),
  somebody: answers => domainOf(answers) && `@anna:${domainOf(answers)}`,
  section: answers => domainOf(answers) === undefined ? undefined
    : { homeserver_url: answers['homeserver-url'], domain: domainOf(answers), registration: './registration.yaml' },
  files (answers, address, chance) {
    const at = domainOf(answers)
    if (at === undefined) return []
    const local = address === undefined ? undefined : transliterated(address)
    const names = address === undefined || local === undefined ? [] : [namesAt(at, address, local)]
    return [['registration.yaml', registrationText(at, LISTEN_URL, chance, namesToRegister(at, names))]]
  },
  paste: (answers, _secret, folder) => domainOf(answers) === undefined ? [] : [synapseSnippet(resolve(folder, 'registration.yaml'))]
}

export const settings: Settings<Written, MatrixSection, string, string> = {
  name: NAME, label: 'Matrix', section: homeserver, person: personId, place, address, agents, take, init,
  listeners: ({ listen }) => [{ path: ['listen', 'port'], ...listen }],
  read: ({ registration: { url: _, ...registration } }) => ({ registration }),
  server: ({ domain }) => domain,
  contact (id) {
    const code = `https://matrix.to/#/${inUri(id)}`
    const uri = `matrix:u/${inUri(id.slice(1))}`
    return { uri: `${uri}?action=chat`, code, href: code, impp: uri }
  },
  registration: {
    flags: {
      domain: 'the domain of your Matrix users; without it the config\'s',
      url: 'where the homeserver reaches Zentrale; without it the config\'s matrix.listen'
    },
    text ({ domain, url }, chance, known) {
      const at = domain ?? known?.section.domain ?? 'example.org'
      const { host, port } = known?.section.listen ?? {}
      return registrationText(at, url ?? (known === undefined ? LISTEN_URL : `http://${host}:${port}`), chance,
        known && namesToRegister(known.section.domain, known.addresses))
    },
    sample: sampleRegistration
  }
}
