/**
 * PostgreSQL on loopback, with its own cluster that is thrown away: only TCP sockets, no passwords, nothing synced to disk unless asked.
 * PostgreSQL refuses to run as root, so for root it runs as nobody. Measured with 15.18 on 2 cores: ready 2.5 s after the start, of which initdb
 * takes 2.
 */
import { chmodSync, chownSync, mkdirSync } from 'node:fs'
import { join } from 'node:path'
import { Client } from 'pg'
import { freePort, run, startProcess, type Server, until } from './process'

const BIN = '/usr/lib/postgresql/15/bin'
const NOBODY = 65534
const SYNCHRONOUS_MS = 60_000
const AS_NOBODY = ['--reuid', String(NOBODY), '--regid', String(NOBODY), '--clear-groups']

export interface Postgres extends Server {
  port: number
  /** Creates a database and resolves with its URL. */
  createDatabase (name: string): Promise<string>
}

const asks = async (url: string, ...queries: string[]): Promise<void> => {
  const client = new Client({ connectionString: url })
  client.on('error', () => { /* the query under way rejects */ })
  try {
    await client.connect()
    for (const query of queries) await client.query(query)
  } finally {
    await client.end()
  }
}

const makeFolder = (dir: string): { data: string, user: string[] } => {
  const isRoot = process.getuid?.() === 0
  const data = join(dir, 'data')
  mkdirSync(data, { recursive: true, mode: 0o700 })
  if (isRoot) {
    chmodSync(dir, 0o711)
    chownSync(data, NOBODY, NOBODY)
  }
  return { data, user: isRoot ? AS_NOBODY : [] }
}

/** Starts what lies in this folder. */
const serve = async (dir: string, { data, user }: ReturnType<typeof makeFolder>, fsync: boolean): Promise<Postgres> => {
  const port = await freePort()
  const urlOf = (name: string): string => `postgres://postgres@127.0.0.1:${port}/${name}`
  const settings = { port: String(port), listen_addresses: '127.0.0.1', unix_socket_directories: '', fsync: fsync ? 'on' : 'off' }
  const { stop, kill, restart } = await startProcess({
    command: join(BIN, 'postgres'), args: ['-D', data, ...Object.entries(settings).flatMap(([key, value]) => ['-c', `${key}=${value}`])],
    cwd: data, logFile: join(dir, 'postgres.log'), setpriv: user, ready: () => asks(urlOf('postgres'), 'SELECT 1').then(() => true, () => false)
  })
  /** Its processes have sessions of their own, and go on for a moment without the first of them: nothing could start in their place. */
  const immediately = async (): Promise<void> => {
    const crash = run('setpriv', [...user, join(BIN, 'pg_ctl'), '-D', data, 'stop', '-m', 'immediate'], { cwd: data })
    await crash.catch(() => { /* it is gone already */ })
    await kill()
  }
  const createDatabase = async (name: string): Promise<string> => {
    await asks(urlOf('postgres'), `CREATE DATABASE "${name}"`)
    return urlOf(name)
  }
  return { port, stop, kill: immediately, restart, createDatabase }
}

/** `dir`: everybody must be able to enter its parent folders. `fsync`: what it commits is on disk, as in earnest. */
export const startPostgres = async ({ dir, fsync = false }: { dir: string, fsync?: boolean }): Promise<Postgres> => {
  const folder = makeFolder(dir)
  const { data, user } = folder
  await run('setpriv', [...user, join(BIN, 'initdb'), '-D', data, '-U', 'postgres', '--auth=trust', '--encoding=UTF8', '--locale=C', '--no-sync'],
    { cwd: data })
  return await serve(dir, folder, fsync)
}

/** A standby server of this one. What the first one says is on disk is there too, from now on (`synchronous_standby_names`). */
export const startStandby = async (primary: Postgres, dir: string): Promise<Postgres & { promote (): Promise<void> }> => {
  const folder = makeFolder(dir)
  const at = `postgres://postgres@127.0.0.1:${primary.port}/postgres`
  await run('setpriv', [...folder.user, join(BIN, 'pg_basebackup'), '-d', at, '-D', folder.data, '--write-recovery-conf', '--checkpoint=fast',
    '--no-sync'], { cwd: folder.data })
  const standby = await serve(dir, folder, false)
  await asks(at, "ALTER SYSTEM SET synchronous_standby_names = '*'", 'SELECT pg_reload_conf()')
  await until('it is synchronous', SYNCHRONOUS_MS, () =>
    asks(at, "SELECT 1 / count(*) FROM pg_stat_replication WHERE sync_state = 'sync'").then(() => true, () => false))
  return { ...standby, promote: () => asks(at.replace(`:${primary.port}/`, `:${standby.port}/`), 'SELECT pg_promote()') }
}
