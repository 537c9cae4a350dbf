/**
 * Prosody on loopback, with its own configuration and data: c2s and component without TLS, MUC with an archive (XEP-0313),
 * upload over plain HTTP (XEP-0363), WebSocket for apps in a browser (at ws://localhost), no s2s. As by default, new rooms are locked until
 * their creator has sent a form (XEP-0045 §10.1).
 */
import { mkdirSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { answers, freePorts, startProcess, type Server } from './process'

export interface XmppServerOptions {
  dir: string
  domain: string
  users: Record<string, string> // local part: password
  component: { domain: string, secret: string }
  muc?: string // if left out: rooms.<domain>
  admins?: string[] // local parts of those who own all rooms
  config?: string // only for Prosody: further lines of its config, for all hosts; no option may occur twice
  moderation?: boolean // only for Prosody: its rooms let moderators remove messages (XEP-0425), with Debian's prosody-modules
  archive?: boolean // whether rooms keep an archive; true if left out
}

/** The same for every kind of server. */
export interface XmppServer extends Server {
  domain: string
  muc: string
  c2sPort: number
  componentPort: number
  httpPort: number
  component: { domain: string, secret: string }
  logFile: string
  addUser (local: string, password: string): Promise<void> // while it runs
}

export const lua = (text: string): string =>
  `"${text.replace(/["\\]/g, '\\$&').replace(/[\0-\x1f]/g, c => '\\' + String(c.charCodeAt(0)).padStart(3, '0'))}"`

/** A name as Prosody's internal storage writes it in a path. */
const pathName = (name: string): string =>
  Buffer.from(name).toString('latin1').replace(/[^a-z0-9]/gi, c => '%' + c.charCodeAt(0).toString(16).padStart(2, '0'))

export type XmppPorts = Record<'c2sPort' | 'componentPort' | 'httpPort', number>
/** The text of a server's config. */
export type XmppConfiguration = (options: XmppServerOptions & { muc: string }, ports: XmppPorts) => string

const configuration: XmppConfiguration = (o, { c2sPort, componentPort, httpPort }) => `
run_as_root = true
daemonize = false
pidfile = ${lua(join(o.dir, 'prosody.pid'))}
data_path = ${lua(join(o.dir, 'data'))}
log = { { levels = { min = "info" }, to = "console" } }
interfaces = { "127.0.0.1" }
local_interfaces = { "127.0.0.1" }
c2s_ports = { ${c2sPort} }
component_ports = { ${componentPort} }
component_interfaces = { "127.0.0.1" }
http_ports = { ${httpPort} }
http_interfaces = { "127.0.0.1" }
https_ports = {}
http_external_url = "http://127.0.0.1:${httpPort}/"
http_default_host = ${lua('upload.' + o.domain)}
modules_enabled = { "roster", "saslauth", "disco", "ping", "presence", "message", "iq", "offline", "carbons", "smacks",
  "mam", "pep", "vcard4", "vcard_legacy", "private", "blocklist", "time", "version", "websocket" }
consider_websocket_secure = true
modules_disabled = { "s2s", "s2s_auth_certs", "tls" }
allow_registration = false
authentication = "internal_plain"
c2s_require_encryption = false
allow_unencrypted_plain_auth = true
-- @xmpp/client 0.13 cannot do it since sasl-scram-sha-1 1.4 answers with a promise
disable_sasl_mechanisms = { "DIGEST-MD5", "SCRAM-SHA-1" }
storage = "internal"
storage_archive_item_limit = 1000000
archive_expires_after = "never"
max_archive_query_results = 1000
restrict_room_creation = false
muc_log_by_default = true
admins = { ${(o.admins ?? []).map(one => lua(`${one}@${o.domain}`)).join(', ')} }
${o.config ?? ''}
VirtualHost ${lua(o.domain)}
  http_host = "localhost"
Component ${lua(o.muc)} "muc"
  modules_enabled = { ${o.archive === false ? '' : '"muc_mam"'}${o.moderation === true ? ', "muc_moderation"' : ''} }
Component ${lua('upload.' + o.domain)} "http_file_share"
  http_file_share_access = { ${lua(o.component.domain)}, ${lua(o.domain)} }
Component ${lua(o.component.domain)}
  component_secret = ${lua(o.component.secret)}
`

/** Whether it answers a client's stream with its features (RFC 6120 §4.3.2), which it does once all hosts are loaded. */
export const streamOpens = (port: number, domain: string): Promise<boolean> => answers(port,
  `<stream:stream xmlns='jabber:client' xmlns:stream='http://etherx.jabber.org/streams' version='1.0' to='${domain}'>`,
  'features')

export const startProsody = (options: XmppServerOptions): Promise<XmppServer> => prosodyWith(configuration, options)

export const prosodyWith = async (configuration: XmppConfiguration, options: XmppServerOptions): Promise<XmppServer> => {
  const { dir, domain, component, muc = `rooms.${domain}` } = options
  const [c2sPort, componentPort, httpPort] = await freePorts(3) as [number, number, number]
  const accounts = join(dir, 'data', pathName(domain), 'accounts')
  const addUser = async (local: string, password: string): Promise<void> =>
    writeFileSync(join(accounts, `${pathName(local)}.dat`), `return { ["password"] = ${lua(password)} };\n`)
  mkdirSync(accounts, { recursive: true })
  for (const [local, password] of Object.entries(options.users)) await addUser(local, password)
  const config = join(dir, 'prosody.cfg.lua')
  const logFile = join(dir, 'prosody.log')
  writeFileSync(config, configuration({ ...options, muc }, { c2sPort, componentPort, httpPort }))
  const { stop, kill, restart } = await startProcess({
    command: 'prosody', args: ['-F', '--config', config], cwd: dir, logFile, ready: () => streamOpens(c2sPort, domain)
  })
  return { domain, muc, c2sPort, componentPort, httpPort, component, logFile, addUser, stop, kill, restart }
}
