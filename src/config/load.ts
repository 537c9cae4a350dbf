/** Reads the config: all that can be known to be wrong without asking a server is refused here, with line and advice. */
import { dirname, resolve } from 'node:path'
import type { FunctionAddress } from '../desk/address'
import type { GatewayConfig, SmsConfig } from '../networks/sms'
import { readThread } from '../networks/sms/names'
import { countryOf } from '../networks/sms/spending'
import type { XmppConfig } from '../networks/xmpp'
import { addressesOf } from './addresses'
import type { Config, MatrixSection } from './config'
import { mirrorsOf, type Problems } from './contradictions'
import { ConfigError, type Problem, spell } from './problem'
import { refuseAll } from './refusal'
import { namesOf, type Registration, type RegistrationNames, readRegistration } from './registration'
import { schema, type Written } from './schema'
import { type Environment, fillSecrets } from './secrets'
import { readSource, type Source } from './source'

const SECOND_MS = 1000

/** Throws ConfigError with everything that is wrong. `environment` may hold secrets (ZENTRALE_…). */
export const loadConfig = (path: string, environment: Environment): Config => {
  const { written, mirrors, addresses, source, problems } = loadRest(path, environment)
  const registration = registrationOf(written, addresses, source, path, problems)
  if (problems.length > 0) throw new ConfigError(problems)
  return configOf(written, mirrors, addresses, registration, path)
}

/** What a registration for this config must say. Undefined without a section matrix. Throws ConfigError; needs no registration yet. */
export const namesToRegister = (path: string, environment: Environment): (RegistrationNames & { url: string }) | undefined => {
  const { written: { matrix }, addresses, problems } = loadRest(path, environment)
  if (problems.length > 0) throw new ConfigError(problems)
  return matrix && { url: `http://${matrix.listen.host}:${matrix.listen.port}`, ...namesOf(addresses, matrix.domain) }
}

/** All but the registration. */
const loadRest = (path: string, environment: Environment) => {
  const source = readSource(path, 'Make it: zentrale init, or name another file: --config FILE')
  const problems = fillSecrets(source, path, environment)
  const problem: Problems = (at, wrong, advice) => problems.push(source.problem(at, spell(at), wrong, advice))
  const written = read(source, problems)
  const mirrors = mirrorsOf(written, problem)
  const addresses = addressesOf(written, dirname(path), problem, source.line)
  return { written, mirrors, addresses, source, problems }
}

const read = (source: Source, problems: Problem[]): Written => {
  const result = schema.safeParse(source.value)
  if (result.success) return result.data
  throw new ConfigError([...problems, ...refuseAll(schema, source, source.value, result.error.issues)])
}

const registrationOf = ({ matrix }: Written, addresses: FunctionAddress[], source: Source, path: string,
  problems: Problem[]): Registration | undefined => {
  if (matrix === undefined) return undefined
  try {
    return readRegistration(resolve(dirname(path), matrix.registration), matrix, namesOf(addresses, matrix.domain))
  } catch (error) {
    if (!(error instanceof ConfigError)) throw error
    const [first] = error.problems
    if (first?.path === '') problems.push(source.problem(['matrix', 'registration'], 'matrix.registration',
      `${first.file}: line ${first.line}: ${first.wrong}`, first.advice))
    else problems.push(...error.problems)
    return undefined
  }
}

const matrixOf = (matrix: NonNullable<Written['matrix']>, registration: Registration, path: string, bytesMax: number): MatrixSection => ({
  homeserverUrl: matrix.homeserver_url.replace(/\/+$/, ''), domain: matrix.domain, registration, listen: matrix.listen,
  registrationFile: resolve(dirname(path), matrix.registration),
  acceptInvitesFrom: matrix.accept_invites_from, notHeardFrom: matrix.not_heard_from, mediaBytesMax: bytesMax
})

const xmppOf = ({ component, rooms, fetch }: NonNullable<Written['xmpp']>, bytesMax: number): XmppConfig => ({
  component: { host: component.host, port: component.port, domain: component.domain, secret: component.secret },
  ...rooms === undefined ? {} : { rooms },
  fetch: { allowHosts: fetch.allow_hosts.map(host => host.toLowerCase()), bytesMax, timeoutMs: fetch.timeout_seconds * SECOND_MS }
})

type Sms = NonNullable<Written['sms']>
type Gateway = Sms['gateways'][number]

const gatewayOf = (gateway: Gateway): GatewayConfig => gateway.kind === 'smpp'
  ? {
      name: gateway.name, kind: 'smpp', host: gateway.host, port: gateway.port, tls: gateway.tls,
      systemId: gateway.system_id, password: gateway.password, numbers: gateway.numbers, window: gateway.window,
      defaultCharset: gateway.default_charset, longMessages: gateway.long_messages, segmentsMax: gateway.segments_max,
      ...gateway.system_type === undefined ? {} : { systemType: gateway.system_type },
      ...gateway.per_second === undefined ? {} : { perSecond: gateway.per_second }
    }
  : {
      name: gateway.name, kind: 'kannel', sendUrl: gateway.send_url, username: gateway.username, password: gateway.password,
      numbers: gateway.numbers, listen: gateway.listen, publicUrl: gateway.public_url.replace(/\/+$/, ''), secret: gateway.secret,
      ...gateway.smsc === undefined ? {} : { smsc: gateway.smsc }
    }

/** Numbers that stand in the config are meant. */
const spendingOf = (sms: Sms, mirrors: Config['mirrors']): SmsConfig['spending'] => {
  const members = mirrors.flatMap(({ places }) => places.flatMap(({ place: { network, id } }) => network === 'sms' ? readThread(id).theirs : []))
  const meant = [...sms.gateways.flatMap(({ numbers }) => numbers), ...members].flatMap(number => countryOf(number) ?? [])
  return {
    countries: [...new Set([...sms.countries, ...meant])], partsPerDay: sms.parts_per_day, partsPerDayToOne: sms.parts_per_day_to_one
  }
}

const configOf = (written: Written, mirrors: Config['mirrors'], addresses: FunctionAddress[], registration: Registration | undefined,
  path: string): Config => {
  const { matrix, xmpp, sms, media, operate } = written
  const bytesMax = media.bytes_max
  return {
    file: resolve(path), language: written.language, logLevel: written.log.level, mirrors, addresses,
    store: { path: resolve(dirname(path), written.store.path), keepDays: written.store.keep_days },
    networks: {
      ...matrix && registration ? { matrix: matrixOf(matrix, registration, path, bytesMax) } : {},
      ...xmpp ? { xmpp: xmppOf(xmpp, bytesMax) } : {},
      ...sms ? { sms: { gateways: sms.gateways.map(gatewayOf), spending: spendingOf(sms, mirrors) } } : {}
    },
    media: { listen: media.listen, publicUrl: media.public_url.replace(/\/+$/, ''), linkDays: media.link_days, bytesMax },
    limits: { queueMax: written.limits.queue_max, drainMs: written.limits.drain_seconds * SECOND_MS },
    operate: {
      listen: operate.listen, token: operate.token, metricsPublic: operate.metrics_public,
      ...operate.logbook_key === undefined ? {} : { logbookKey: operate.logbook_key }
    }
  }
}
