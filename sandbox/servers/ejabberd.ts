/**
 * ejabberd on loopback, with its own configuration and data: c2s and component without TLS, MUC with an archive, upload over plain HTTP, no
 * s2s. We start Erlang ourselves, without distribution. So there is no epmd and no cookie, and the user "ejabberd", on which Debian's
 * ejabberdctl insists, is not needed. Rooms are open as soon as they are made. A kill loses what was written in the last 2 s (Mnesia's log).
 */
import { mkdirSync, readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { answers, freePorts, startProcess } from './process'
import { streamOpens, type XmppConfiguration, type XmppServer, type XmppServerOptions } from './prosody'

const CONTROL = '/usr/sbin/ejabberdctl'
/** Erlang's schedulers must not spin while they wait: others share the machine. */
const QUIET = ['+sbwt', 'none', '+sbwtdcpu', 'none', '+sbwtdio', 'none']

const modules = (options: XmppServerOptions, muc: string, http: number): object => ({
  mod_adhoc: {}, mod_admin_extra: {}, mod_caps: {}, mod_carboncopy: {}, mod_disco: {}, mod_last: {}, mod_offline: {},
  mod_ping: {}, mod_private: {}, mod_pubsub: { plugins: ['flat', 'pep'] }, mod_roster: {}, mod_stream_mgmt: {}, mod_vcard: {}, mod_version: {},
  ...options.archive === false ? {} : { mod_mam: { default: 'always', assume_mam_usage: true } },
  mod_muc: { host: muc, access: 'all', access_create: 'all', access_persistent: 'all', access_admin: 'admins',
    default_room_options: { mam: true } },
  mod_http_upload: {
    host: `upload.${options.domain}`, docroot: join(options.dir, 'upload'), access: 'all',
    put_url: `http://127.0.0.1:${http}/upload`, get_url: `http://127.0.0.1:${http}/upload`
  }
})

/** JSON is YAML. */
const configuration: XmppConfiguration = (options, { c2sPort, componentPort, httpPort }) => JSON.stringify({
  hosts: [options.domain],
  loglevel: 'info',
  auth_method: 'internal',
  auth_password_format: 'plain',
  // SCRAM-SHA-1 fails in @xmpp/client 0.13, because sasl-scram-sha-1 1.4 answers with a promise
  disable_sasl_mechanisms: ['DIGEST-MD5', 'X-OAUTH2', 'SCRAM-SHA-1'],
  s2s_access: 'none',
  listen: [
    { port: c2sPort, ip: '127.0.0.1', module: 'ejabberd_c2s', max_stanza_size: 262_144, starttls: false },
    {
      port: componentPort, ip: '127.0.0.1', module: 'ejabberd_service', access: 'all',
      hosts: { [options.component.domain]: { password: options.component.secret } }
    },
    {
      port: httpPort, ip: '127.0.0.1', module: 'ejabberd_http',
      request_handlers: { '/api': 'mod_http_api', '/upload': 'mod_http_upload' }
    }
  ],
  api_permissions: { loopback: { who: { ip: '127.0.0.1/8' }, what: ['register'] } },
  acl: { admins: { user: (options.admins ?? []).map(one => `${one}@${options.domain}`) } },
  access_rules: { admins: { allow: 'admins' } },
  modules: modules(options, options.muc, httpPort)
}, null, 2)

/** Where Debian keeps ejabberd's Erlang code: its script says so. */
const codeDir = (): string => /^ERL_LIBS='(.+)'/m.exec(readFileSync(CONTROL, 'utf8'))?.[1] ?? '/usr/lib'

const register = async (http: number, host: string, user: string, password: string): Promise<void> => {
  const body = JSON.stringify({ user, host, password })
  const answer = await fetch(`http://127.0.0.1:${http}/api/register`, { method: 'POST', body })
  const text = await answer.text()
  if (answer.ok || text.includes('already registered')) return
  throw new Error(`ejabberd does not register ${user}: ${answer.status} ${text}`)
}

export const startEjabberd = (options: XmppServerOptions): Promise<XmppServer> => ejabberdWith(configuration, options)

export const ejabberdWith = async (configuration: XmppConfiguration, options: XmppServerOptions): Promise<XmppServer> => {
  const { dir, domain, component, muc = `rooms.${domain}` } = options
  const [c2sPort, componentPort, httpPort] = await freePorts(3) as [number, number, number]
  const logFile = join(dir, 'ejabberd.out')
  mkdirSync(join(dir, 'spool'), { recursive: true })
  const text = configuration({ ...options, muc }, { c2sPort, componentPort, httpPort })
  const takesComponents = text.includes('ejabberd_service')
  writeFileSync(join(dir, 'ejabberd.yml'), text)
  const { stop, kill, restart } = await startProcess({
    command: 'erl', args: ['-noinput', ...QUIET, '-mnesia', 'dir', JSON.stringify(join(dir, 'spool')), '-s', 'ejabberd'],
    env: {
      ERL_LIBS: codeDir(), ERL_CRASH_DUMP: join(dir, 'crash.dump'), HOME: dir,
      EJABBERD_CONFIG_PATH: join(dir, 'ejabberd.yml'), EJABBERD_LOG_PATH: join(dir, 'ejabberd.log')
    },
    cwd: dir, logFile,
    ready: async () => await answers(httpPort) && (!takesComponents || await answers(componentPort)) && await streamOpens(c2sPort, domain)
  })
  const addUser = (local: string, password: string): Promise<void> => register(httpPort, domain, local, password)
  for (const [local, password] of Object.entries(options.users)) await addUser(local, password)
  return { domain, muc, c2sPort, componentPort, httpPort, component, logFile, addUser, stop, kill, restart }
}
