/**
 * Synapse on loopback, from PyPI in a virtual environment of the checkout: SQLite, no federation, no rate limits, authenticated
 * media as by default. Measured with 1.163 on 2 cores: ready 2.6 s after a first start, 1.7 s after a restart.
 */
import { createHmac, randomBytes } from 'node:crypto'
import { existsSync, mkdirSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { answersHttp, freePort, startProcess, type Server } from './process'
import { venvOf } from './venv'

export interface SynapseOptions {
  dir: string
  serverName: string
  registrations: string[] // paths of application services' registration files
  port?: number
  presence?: boolean
  encryptsNewRooms?: 'all' | 'invite' // its encryption_enabled_by_default_for_room_type; off by default
}

export interface SynapseUser { userId: string, accessToken: string }

export interface Synapse extends Server {
  url: string
  serverName: string
  port: number
  logFile: string
  /** Registers a user with the shared secret. The user must be new. */
  createUser (name: string, password: string, admin?: boolean): Promise<SynapseUser>
}

/** The first version with device masquerading for application services (MSC4326). The newest one for this Python is installed. */
const REQUIREMENT = 'matrix-synapse>=1.141'
const venv = venvOf('synapse-venv', [REQUIREMENT])
const READY_MS = 120_000
const SIGNING_KEY_BYTES = 32

/** Makes the virtual environment if it is missing. Throws if Synapse cannot be installed on this machine. */
export const ensureSynapse = (): Promise<void> => venv.ensure()

export const hasSynapse = (): boolean => venv.isThere()

const unlimited = { per_second: 100_000, burst_count: 100_000 }

/** JSON is YAML. */
const configuration = (options: SynapseOptions, port: number, secret: string): string => JSON.stringify({
  server_name: options.serverName,
  public_baseurl: `http://127.0.0.1:${port}/`,
  pid_file: join(options.dir, 'synapse.pid'),
  listeners: [{
    port, type: 'http', tls: false, bind_addresses: ['127.0.0.1'], resources: [{ names: ['client'], compress: false }]
  }],
  database: { name: 'sqlite3', args: { database: join(options.dir, 'synapse.db') } },
  log_config: join(options.dir, 'log.yaml'),
  media_store_path: join(options.dir, 'media'),
  signing_key_path: join(options.dir, 'signing.key'),
  registration_shared_secret: secret,
  macaroon_secret_key: secret,
  form_secret: secret,
  bcrypt_rounds: 4,
  report_stats: false,
  encryption_enabled_by_default_for_room_type: options.encryptsNewRooms ?? 'off',
  trusted_key_servers: [],
  federation_domain_whitelist: [],
  presence: { enabled: options.presence ?? false },
  push: { enabled: false },
  stats: { enabled: false },
  app_service_config_files: options.registrations,
  rc_message: unlimited, rc_registration: unlimited, rc_admin_redaction: unlimited, rc_media_create: unlimited,
  rc_login: { address: unlimited, account: unlimited, failed_attempts: unlimited },
  rc_joins: { local: unlimited, remote: unlimited }, rc_joins_per_room: unlimited, rc_room_creation: unlimited,
  rc_invites: { per_room: unlimited, per_user: unlimited, per_issuer: unlimited },
  rc_reports: unlimited, rc_presence: { per_user: unlimited }, rc_delayed_event_mgmt: unlimited
}, null, 2)

const logging = JSON.stringify({
  version: 1,
  formatters: { line: { format: '%(asctime)s %(levelname)s %(name)s %(message)s' } },
  handlers: { out: { class: 'logging.StreamHandler', stream: 'ext://sys.stdout', formatter: 'line' } },
  loggers: { 'synapse.access': { level: 'WARNING' }, 'synapse.storage.SQL': { level: 'WARNING' } },
  root: { level: 'INFO', handlers: ['out'] },
  disable_existing_loggers: false
})

const post = async <Answer>(url: string, body?: object): Promise<Answer> => {
  const answer = await fetch(url, body ? { method: 'POST', body: JSON.stringify(body) } : {})
  if (!answer.ok) throw new Error(`${url}: ${answer.status} ${await answer.text()}`)
  return await answer.json() as Answer
}

/** Synapse admin API, "Shared-Secret Registration". */
const createUser = async (
  url: string, secret: string, username: string, password: string, admin: boolean
): Promise<SynapseUser> => {
  const endpoint = `${url}/_synapse/admin/v1/register`
  const { nonce } = await post<{ nonce: string }>(endpoint)
  const signed = [nonce, username, password, admin ? 'admin' : 'notadmin'].join('\0')
  const mac = createHmac('sha1', secret).update(signed).digest('hex')
  const made = await post<{ user_id: string, access_token: string }>(endpoint, { nonce, username, password, admin, mac })
  return { userId: made.user_id, accessToken: made.access_token }
}

/** Call `ensureSynapse()` before. */
export const startSynapse = async (options: SynapseOptions): Promise<Synapse> => {
  const { dir, serverName } = options
  const port = options.port ?? await freePort()
  const url = `http://127.0.0.1:${port}`
  const secret = randomBytes(SIGNING_KEY_BYTES).toString('hex')
  const logFile = join(dir, 'synapse.log')
  mkdirSync(dir, { recursive: true })
  writeFileSync(join(dir, 'log.yaml'), logging)
  if (!existsSync(join(dir, 'signing.key'))) {
    const key = randomBytes(SIGNING_KEY_BYTES).toString('base64').replace(/=+$/, '')
    writeFileSync(join(dir, 'signing.key'), `ed25519 a_1 ${key}\n`)
  }
  writeFileSync(join(dir, 'homeserver.yaml'), configuration(options, port, secret))
  const { stop, kill, restart } = await startProcess({
    command: venv.python, args: ['-m', 'synapse.app.homeserver', '-c', join(dir, 'homeserver.yaml')],
    cwd: dir, logFile, ready: () => answersHttp(`${url}/health`), readyWithinMs: READY_MS
  })
  return {
    url, serverName, port, logFile, stop, kill, restart,
    createUser: (name, password, admin = false) => createUser(url, secret, name, password, admin)
  }
}
