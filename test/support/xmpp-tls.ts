/** Prosody and ejabberd as a provider runs them: clients only with TLS, no component for anybody. */
import { execFileSync } from 'node:child_process'
import { mkdirSync, readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { ejabberdWith } from '../../sandbox/servers/ejabberd'
import { lua, prosodyWith, type XmppServer } from '../../sandbox/servers/prosody'

export interface Provider {
  dir: string
  users: Record<string, string>
  days?: number // how long the certificate is good, from now; less than 0: it is not
  bare?: boolean // keeps no archive, counts nothing and copies nothing
  bytesMax?: number // of a stanza
  binds?: string[] // Prosody only: by what a login can be tied to its connection, as Prosody 13 does by itself
}

/** `ca`: the certificate that vouches for it. `componentPort` is that for TLS from the beginning. */
export interface Provided extends XmppServer { ca: string; key: string }

/** A certificate for localhost that vouches for itself. */
export const certificate = (dir: string, days: number): { key: string, cert: string, pem: string } => {
  mkdirSync(dir, { recursive: true })
  const [key, request, extension, cert, pem] =
    ['key.pem', 'request.pem', 'extension', 'cert.pem', 'both.pem'].map(name => join(dir, name)) as [string, string, string, string, string]
  const openssl = (...args: string[]): void => { execFileSync('openssl', args, { stdio: 'ignore' }) }
  writeFileSync(extension, 'subjectAltName=DNS:localhost\n')
  openssl('req', '-newkey', 'ec', '-pkeyopt', 'ec_paramgen_curve:P-256', '-nodes', '-keyout', key, '-out', request, '-subj', '/CN=localhost')
  openssl('x509', '-req', '-in', request, '-signkey', key, '-out', cert, '-days', String(days), '-extfile', extension)
  writeFileSync(pem, readFileSync(cert, 'utf8') + readFileSync(key, 'utf8'))
  return { key, cert, pem }
}

/** Prosody 0.12 has SCRAM-PLUS, but nothing for TLS 1.3 to tie it to. */
const BINDS = (certificate: string, kinds: string[]): string => `
local hashes, base64, st = require "util.hashes", require "util.encodings".base64, require "util.stanza";
local der = base64.decode(${lua(certificate.replace(/-----[^-]+-----|\n/g, ''))});
module:hook("stream-features", function (event)
  local handler, features = event.origin.sasl_handler, event.features;
  if event.origin.username or not handler then return; end
  local socket = event.origin.conn:socket();
  local ties = {
    ["tls-exporter"] = function () return socket:exportkeyingmaterial("EXPORTER-Channel-Binding", 32, ""); end;
    ["tls-server-end-point"] = function () return hashes.sha256(der); end;
  };
  features:get_child("mechanisms", "urn:ietf:params:xml:ns:xmpp-sasl"):tag("mechanism"):text("SCRAM-SHA-256-PLUS"):up();
  features:tag("sasl-channel-binding", { xmlns = "urn:xmpp:sasl-cb:0" });
  for _, kind in ipairs({ ${kinds.map(kind => lua(kind)).join(', ')} }) do
    handler:add_cb_handler(kind, ties[kind]);
    features:tag("channel-binding", { type = kind }):up();
  end
  features:up();
end, -1);
`

const MODULES = ['roster', 'saslauth', 'tls', 'disco', 'ping', 'presence', 'message', 'iq', 'offline', 'pep', 'vcard4', 'vcard_legacy', 'blocklist']

export const prosodyProvider = async ({ dir, users, days = 30, bare = false, bytesMax = 262_144, binds = [] }: Provider): Promise<Provided> => {
  const { key, cert } = certificate(join(dir, 'tls'), days)
  const plugins = join(dir, 'plugins')
  mkdirSync(plugins, { recursive: true })
  writeFileSync(join(plugins, 'mod_binds.lua'), BINDS(readFileSync(cert, 'utf8'), binds))
  const modules = [...MODULES, ...bare ? [] : ['smacks', 'mam', 'carbons'], ...binds.length > 0 ? ['binds'] : []].map(name => lua(name)).join(', ')
  const server = await prosodyWith((o, { c2sPort, componentPort }) => `
run_as_root = true
daemonize = false
pidfile = ${lua(join(o.dir, 'prosody.pid'))}
plugin_paths = { ${lua(plugins)} }
data_path = ${lua(join(o.dir, 'data'))}
log = { { levels = { min = "info" }, to = "console" } }
interfaces = { "127.0.0.1" }
c2s_ports = { ${c2sPort} }
c2s_direct_tls_ports = { ${componentPort} }
component_ports = {}
http_ports = {}
https_ports = {}
modules_enabled = { ${modules} }
modules_disabled = { "s2s" }
authentication = "internal_plain"
c2s_require_encryption = true
c2s_stanza_size_limit = ${bytesMax}
ssl = { key = ${lua(key)}, certificate = ${lua(cert)} }
VirtualHost "localhost"
`, { dir, domain: 'localhost', users, component: { domain: 'none.localhost', secret: '' } })
  return { ...server, ca: readFileSync(cert, 'utf8'), key: readFileSync(key, 'utf8') }
}

export const ejabberdProvider = async ({ dir, users, days = 30, bare = false, bytesMax = 262_144 }: Provider): Promise<Provided> => {
  const { key, cert, pem } = certificate(join(dir, 'tls'), days)
  const server = await ejabberdWith((o, { c2sPort, componentPort, httpPort }) => JSON.stringify({
    hosts: [o.domain], loglevel: 'info', auth_method: 'internal', auth_password_format: 'scram', s2s_access: 'none', certfiles: [pem],
    listen: [
      { port: c2sPort, ip: '127.0.0.1', module: 'ejabberd_c2s', starttls_required: true, max_stanza_size: bytesMax },
      { port: componentPort, ip: '127.0.0.1', module: 'ejabberd_c2s', tls: true },
      { port: httpPort, ip: '127.0.0.1', module: 'ejabberd_http', request_handlers: { '/api': 'mod_http_api' } }
    ],
    api_permissions: { loopback: { who: { ip: '127.0.0.1/8' }, what: ['register'] } },
    modules: {
      mod_admin_extra: {}, mod_disco: {}, mod_last: {}, mod_offline: {}, mod_ping: {}, mod_roster: {}, mod_vcard: {},
      ...bare ? {} : { mod_mam: {}, mod_stream_mgmt: {}, mod_carboncopy: {} } // an archive for those who ask, as by default
    }
  }), { dir, domain: 'localhost', users, component: { domain: 'none.localhost', secret: '' } })
  return { ...server, ca: readFileSync(cert, 'utf8'), key: readFileSync(key, 'utf8') }
}
