/** Reads the config. Refuses, with line and advice, everything that is wrong without asking a server. */
import { dirname, resolve } from 'node:path'
import type { z } from 'zod'
import type { FunctionAddress } from '../desk/address'
import type { NetworkKind, Taking, Tell } from '../networks/kind'
import { KINDS } from '../networks/kinds'
import { ConfigError, type Problem, spell } from '../settings/problem'
import { readSource, type Source } from '../settings/source'
import { addressesOf } from './addresses'
import { type Config, placesOn } from './config'
import { listeners, mirrorsOf } from './contradictions'
import { directRulesOf, portalRulesOf } from './direct-chats'
import { serversOf, sharedOf } from './mark'
import { refuseAll } from './refusal'
import { schemaOf, STORE_FILE, type Written, writtenOf } from './schema'
import { type Environment, fillSecrets } from './secrets'

const SECOND_MS = 1000

/** Throws ConfigError with all problems. `environment` may hold secrets (ZENTRALE_…). */
export const loadConfig = (path: string, environment: Environment, kinds: readonly NetworkKind[] = KINDS): Config => {
  const { written, mirrors, addresses, directChats, portals, tell, problems } = readAll(path, environment, kinds)
  const around: Omit<Taking, 'places'> = {
    folder: dirname(path), language: written.language, bytesMax: written.media.bytes_max, addresses, problem: tell.problem,
    elsewhere: found => { problems.push(...found) }
  }
  const networks = Object.fromEntries(kinds.flatMap(kind => {
    const { name, take } = kind.settings
    const section = writtenOf(written, kind)
    return section === undefined ? [] : [[name, take(section, { ...around, places: placesOn(mirrors, name) })]]
  }))
  if (problems.length > 0) throw new ConfigError(problems)
  const listens = listeners(written, kinds).map(({ host, port, path }) => ({ host, port, key: spell(path) }))
  const shared = sharedOf(written, kinds, networks)
  return {
    ...configOf(written, path), kinds, listens, networks, mirrors, addresses, shared, servers: serversOf(kinds, networks),
    ...directChats && { directChats }, ...portals && { portals }
  }
}

/**
 * A network's section as it is written, and the function addresses: enough to make the file that the network's server needs. That file
 * need not exist yet. Undefined without such a section. Throws ConfigError.
 */
export const readSection = (path: string, environment: Environment, kind: NetworkKind,
  kinds: readonly NetworkKind[] = KINDS): { section: unknown, addresses: FunctionAddress[] } | undefined => {
  const { written, addresses, problems } = readAll(path, environment, kinds)
  if (problems.length > 0) throw new ConfigError(problems)
  const section = writtenOf(written, kind)
  return section === undefined ? undefined : { section, addresses }
}

/** Everything except the networks' own reading of their sections. */
const readAll = (path: string, environment: Environment, kinds: readonly NetworkKind[]) => {
  const source = readSource(path, 'Create it: zentrale init, or name another file: --config FILE')
  const schema = schemaOf(kinds)
  const problems = fillSecrets(schema, source, path, environment)
  const tell: Tell = { line: source.line, problem: (at, wrong, advice) => problems.push(source.problem(at, spell(at), wrong, advice)) }
  const written = read(schema, source, problems)
  const mirrors = mirrorsOf(written, kinds, tell)
  const addresses = addressesOf(written, kinds, mirrors, dirname(path), tell)
  const directChats = directRulesOf(written, kinds, tell)
  const portals = portalRulesOf(written, kinds, tell)
  return { written, mirrors, addresses, directChats, portals, tell, problems }
}

const read = <T>(schema: z.ZodType<T>, source: Source, problems: Problem[]): T => {
  const result = schema.safeParse(source.value)
  if (result.success) return result.data
  throw new ConfigError([...problems, ...refuseAll(schema, source, source.value, result.error.issues)])
}

const storeOf = ({ store: { path = STORE_FILE, postgres, keep_days: keepDays } }: Written, folder: string): Config['store'] =>
  ({ ...postgres === undefined ? { path: resolve(folder, path) } : { postgres }, keepDays })

type Plain = Omit<Config, 'kinds' | 'listens' | 'networks' | 'mirrors' | 'addresses' | 'shared' | 'servers'>

const configOf = (written: Written, path: string): Plain => {
  const { media, operate } = written
  return {
    file: resolve(path), language: written.language, logLevel: written.log.level,
    store: storeOf(written, dirname(path)),
    media: { listen: media.listen, publicUrl: media.public_url.replace(/\/+$/, ''), linkDays: media.link_days, bytesMax: media.bytes_max },
    limits: { queueMax: written.limits.queue_max, drainMs: written.limits.drain_seconds * SECOND_MS },
    operate: {
      listen: operate.listen, token: operate.token, metricsPublic: operate.metrics_public,
      logbookKey: operate.logbook_key ?? operate.token,
      ...operate.public_url === undefined ? {} : { publicUrl: operate.public_url.replace(/\/+$/, '') }
    }
  }
}
