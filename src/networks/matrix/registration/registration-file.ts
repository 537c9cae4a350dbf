/** Reads the registration file (Matrix AS API §Registration), and compares it with the config, with which it must agree. */
import { z } from 'zod'
import type { Person } from '../../../model/address'
import { PLACEHOLDER } from '../../../settings/keys'
import { ConfigError, type Path, type Problem, spell } from '../../../settings/problem'
import { readSource, type Source } from '../../../settings/source'
import type { Names } from '../../kind'
import { exactly, GHOST_PREFIX, ghostMxid } from '../names'

const TOKEN_CHARS_MIN = 32

const token = z.string().min(TOKEN_CHARS_MIN).refine(value => !value.includes(PLACEHOLDER))
const namespaces = z.array(z.looseObject({ exclusive: z.boolean(), regex: z.string() })).optional()

const shape = z.looseObject({
  id: z.string().min(1),
  url: z.url({ protocol: /^https?$/ }),
  as_token: token,
  hs_token: token,
  sender_localpart: z.string().regex(/^[a-z0-9._=/+-]+$/),
  namespaces: z.looseObject({ users: namespaces, aliases: namespaces, rooms: namespaces })
})

export type Registration = z.output<typeof shape>

const AFRESH = 'Make the file afresh: zentrale registration --out FILE, and give the same file to the homeserver'

const MUST: Record<string, string> = {
  url: 'It must be the address at which the homeserver reaches matrix.listen, such as http://127.0.0.1:9993',
  as_token: `It must be a secret of at least ${TOKEN_CHARS_MIN} characters of your own. ${AFRESH}`,
  hs_token: `It must be a secret of at least ${TOKEN_CHARS_MIN} characters of your own. ${AFRESH}`
}

/** An example of a ghost. */
const ghost = (domain: string): string => ghostMxid({ network: 'xmpp', id: 'somebody' }, domain)

const covers = (regex: string, mxid: string): boolean => {
  try {
    return new RegExp(`^(?:${regex})$`).test(mxid)
  } catch {
    return false
  }
}

/** What the function addresses need: whole MXIDs and aliases. */
export interface RegistrationNames { domain: string; users: string[]; aliases: string[] }

export const namesToRegister = (domain: string, addresses: Names[]): RegistrationNames => {
  const onMatrix = (people: Person[]): string[] => people.filter(({ network }) => network === 'matrix').map(({ id }) => id)
  return {
    domain, users: onMatrix(addresses.flatMap(({ identities }) => identities)), aliases: onMatrix(addresses.flatMap(({ aliases }) => aliases))
  }
}

/** The part between the sign and the domain. */
export const localOf = (id: string): string => id.slice(1, id.indexOf(':'))

const lineFor = (id: string): string => `- { exclusive: true, regex: '${exactly(id)}' }`

/** The names that the registration does not reserve for us, and the lines to add. */
export const unregistered = ({ namespaces }: Registration, kind: 'users' | 'aliases', names: string[]): { names: string[], lines: string } => {
  const missing = names.filter(name => !(namespaces[kind] ?? []).some(({ regex, exclusive }) => exclusive && covers(regex, name)))
  return { names: missing, lines: missing.map(lineFor).join('\n') }
}

/** The part of the config with which the registration must agree. */
interface Homeserver { domain: string; listen: { port: number } }

/** Where the file and the config disagree. */
const disagreements = (registration: Registration, source: Source, matrix: Homeserver,
  { users }: RegistrationNames): Problem[] => {
  const problem = (path: Path, wrong: string, advice: string): Problem => source.problem(path, spell(path), wrong, advice)
  const problems: Problem[] = []
  const url = new URL(registration.url)
  const port = Number(url.port || (url.protocol === 'https:' ? 443 : 80))
  const direct = ['127.0.0.1', 'localhost', '[::1]'].includes(url.hostname)
  if (direct && port !== matrix.listen.port) {
    problems.push(problem(['url'], `says port ${port}, but Zentrale listens on port ${matrix.listen.port} (matrix.listen.port)`,
      `Write url: ${url.protocol}//${url.hostname}:${matrix.listen.port} here and restart the homeserver, or change matrix.listen.port`))
  }
  if (registration.as_token === registration.hs_token) problems.push(problem(['hs_token'], 'is the same as as_token', AFRESH))
  if (unregistered(registration, 'users', [ghost(matrix.domain)]).lines !== '') {
    problems.push(problem(['namespaces', 'users'],
      `does not cover users such as ${ghost(matrix.domain)} (matrix.domain is ${matrix.domain})`,
      `Add: - { exclusive: true, regex: '@${GHOST_PREFIX}.*:${exactly(matrix.domain)}' } and restart the homeserver`))
  }
  const { names, lines } = unregistered(registration, 'users', users)
  if (names.length > 0) {
    problems.push(problem(['namespaces', 'users'], `does not have the function address${names.length > 1 ? 'es' : ''} ${names.join(', ')}`,
      `Add below it, and restart the homeserver:\n${lines}`))
  }
  const bot = `@${registration.sender_localpart}:${matrix.domain}`
  if (users.includes(bot)) {
    problems.push(problem(['sender_localpart'], `${bot} is a function address, and Zentrale's own user too`,
      `Write another name for its own user, such as ${registration.sender_localpart}-bot, here and in namespaces.users, and restart the ` +
      'homeserver. Then invite that user to the rooms of your mirrors'))
  }
  return problems
}

/** Reads the registration. Throws ConfigError: missing, not a registration, or at odds with the config. */
export const readRegistration = (path: string, matrix: Homeserver, names: RegistrationNames): Registration => {
  const source = readSource(path, `Make it: zentrale registration --out ${path}`)
  const read = shape.safeParse(source.value)
  if (!read.success) {
    throw new ConfigError(read.error.issues.map(({ path: at, message }) => {
      const where = at as Path
      return source.problem(where, spell(where), `is not right (${message})`, MUST[String(where[0])] ?? AFRESH)
    }))
  }
  const problems = disagreements(read.data, source, matrix, names)
  if (problems.length > 0) throw new ConfigError(problems)
  return read.data
}
