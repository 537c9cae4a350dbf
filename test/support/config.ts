/** Configs in temporary folders, for tests that load, start or refuse them. */
import { writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { stringify } from 'yaml'
import type { Config } from '../../src/config/config'
import { loadConfig as load } from '../../src/config/load'
import type { MatrixSection } from '../../src/networks/matrix/settings'
import type { SmsConfig } from '../../src/networks/sms'
import type { KannelConfig } from '../../src/networks/sms/gateways/kannel'
import type { SmppConfig } from '../../src/networks/sms/gateways/smpp'
import type { XmppSettings } from '../../src/networks/xmpp/joined'
import { ConfigError, type Problem } from '../../src/settings/problem'
import { temporaryFolder } from './folder'

/** A config for the networks that Zentrale has. */
export interface Loaded extends Config { networks: { matrix?: MatrixSection, xmpp?: XmppSettings, sms?: SmsConfig<SmppConfig | KannelConfig> } }

export const loadConfig = (path: string, environment: Record<string, string | undefined>): Loaded => load(path, environment) as Loaded

/** JSON-like, to be changed by tests. */
export type Tree = Record<string, any>

export const registration = (): Tree => ({
  id: 'zentrale', url: 'http://127.0.0.1:9993', as_token: 'a'.repeat(43), hs_token: 'h'.repeat(43), sender_localpart: 'zentrale',
  rate_limited: false, namespaces: { rooms: [], aliases: [], users: [{ exclusive: true, regex: '@_zentrale_.*:example\\.org' }] }
})

/** One of everything, with no default left to the program except where said. */
export const wholeConfig = (): Tree => ({
  language: 'en',
  log: { level: 'warn' },
  store: { path: './data/zentrale.db', keep_days: 30 },
  matrix: {
    homeserver_url: 'http://127.0.0.1:8008', domain: 'example.org', registration: './registration.yaml',
    listen: { host: '127.0.0.1', port: 9993 }, accept_invites_from: [':example.org']
  },
  xmpp: {
    component: { host: '127.0.0.1', port: 5347, domain: 'chat.example.org', secret: 'component-secret', insecure: false },
    fetch: { allow_hosts: ['upload.example.org'], timeout_seconds: 30 },
    passwords: [{ room: 'werkstatt@rooms.example.org', password: 'sesam' }]
  },
  sms: {
    gateways: [
      { name: 'main', kind: 'smpp', host: '127.0.0.1', port: 2775, tls: false, system_id: 'zentrale', password: 'pass',
        numbers: ['+4930123456', '+4930123457'], window: 5, per_second: 10, default_charset: 'gsm7', long_messages: 'udh',
        segments_max: 6 },
      { name: 'box', kind: 'kannel', send_url: 'http://127.0.0.1:13013/cgi-bin/sendsms', username: 'u', password: 'p',
        numbers: ['+4930999999'],
        listen: { host: '127.0.0.1', port: 9995 }, public_url: 'http://127.0.0.1:9995', secret: 'hook-secret-hook' }
    ]
  },
  media: { listen: { host: '127.0.0.1', port: 9994 }, public_url: 'https://media.example.org', link_days: 7, bytes_max: 1000000 },
  limits: { queue_max: 5000, drain_seconds: 3 },
  mirrors: [{
    name: 'werkstatt',
    places: [
      { matrix: '#werkstatt:example.org' },
      { xmpp: 'werkstatt@rooms.example.org' },
      { sms: { gateway: 'main', number: '+4930123457', members: { '+491701234567': 'Max' } } }
    ],
    retention_days: 14
  }],
  reports: { persons: false },
  operate: { listen: { host: '127.0.0.1', port: 9350 }, token: 'operate-token-1', metrics_public: false }
})

/** With one function address that has everything but files. */
export const addressConfig = (): Tree => {
  const config = wholeConfig()
  config.xmpp.rooms = 'rooms.example.org'
  config.function_addresses = [{
    name: 'bürgerbüro', title: 'Bürgerbüro Musterstadt', about: 'Ausweise und Anmeldung', website: 'https://www.example.org/b',
    imprint: 'https://www.example.org/impressum', privacy: 'https://www.example.org/datenschutz', language: 'de',
    matrix: 'buergerbuero', xmpp: 'bürgerbüro', sms: { gateway: 'main', number: '+4930123456' },
    team: ['@anna:example.org', { name: 'Bernd Berger', addresses: ['bernd@example.org', '@bernd:example.org'], direct: true }],
    hours: {
      zone: 'Europe/Berlin', mon: ['8:00-12:00', '13:00-17:00'], fri: ['8:00-12:00'],
      holidays: { region: 'DE-BE', days: ['12-31', '2026-12-30'] }, days: { '2026-12-23': ['8:00-10:00'], '2026-12-24': 'closed' }
    },
    automatic: { greeting: 'Willkommen bei {adresse}', absence: false },
    redirect_only: false, claim: 'open', claim_timeout_minutes: 30, signature: 'first_name', held_in_the_clear: ['card'], follow_up: { days: 3 },
    texts: { angebot: 'Guten Tag {kunde.name}, {agent.vorname}', Preise: { text: 'Siehe unten' } }, retention_days: 90
  }]
  return config
}

/** A registration that has these users besides our own. */
export const registrationWith = (...localparts: string[]): Tree => {
  const registered = registration()
  for (const local of localparts) registered.namespaces.users.push({ exclusive: true, regex: `@${local}:example\\.org` })
  return registered
}

/** Writes both files into a new folder and returns the config's path. */
export const write = (config: Tree | string, registered: Tree | string | undefined = registration()): string => {
  const folder = temporaryFolder()
  const text = (value: Tree | string): string => typeof value === 'string' ? value : stringify(value)
  if (registered !== undefined) writeFileSync(join(folder, 'registration.yaml'), text(registered))
  writeFileSync(join(folder, 'config.yaml'), text(config))
  return join(folder, 'config.yaml')
}

/** addressConfig, changed and loaded. */
export const loadAddressConfig = (change: (address: Tree, config: Tree) => void = () => {}): Loaded => {
  const config = addressConfig()
  const registered = registrationWith('buergerbuero')
  registered.namespaces.aliases = [{ exclusive: true, regex: '#b.*:example\\.org' }]
  change(config.function_addresses[0], config)
  return loadConfig(write(config, registered), {})
}

/** What `load` refuses. Throws if it does not. */
export const refusals = (load: () => unknown): { text: string, problems: Problem[] } => {
  try {
    load()
  } catch (error) {
    if (error instanceof ConfigError) return { text: error.message, problems: error.problems }
    throw error
  }
  throw new Error('this config was not refused')
}
