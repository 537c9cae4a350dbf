/** What no single key is wrong about: things that stand twice, or that point at something that is not there. */
import { isIP } from 'node:net'
import { addressKey } from '../model/address'
import type { Mirror, MirrorPlace } from '../plan/directory'
import { Impossible, matrixRoom, phoneThread, xmppRoom } from './places'
import { type Path, spell } from './problem'
import type { Written } from './schema'

export type Problems = (path: Path, wrong: string, advice: string) => void

/** Every entry whose key stood before. */
export const twice = <T>(entries: T[], keyOf: (entry: T) => string): { entry: T, first: T }[] => {
  const seen = new Map<string, T>()
  return entries.flatMap(entry => {
    const first = seen.get(keyOf(entry))
    if (first === undefined) seen.set(keyOf(entry), entry)
    return first === undefined ? [] : [{ entry, first }]
  })
}

const fold = (name: string): string => name.normalize('NFKC').toLowerCase()

const isLoopback = (host: string): boolean =>
  host === 'localhost' || host === '::1' || (isIP(host) === 4 && host.startsWith('127.'))

const gatewaysOf = (config: Written) => config.sms?.gateways ?? []

const listeners = (config: Written): { path: Path, host: string, port: number }[] => [
  ...config.matrix === undefined ? [] : [{ path: ['matrix', 'listen', 'port'], ...config.matrix.listen }],
  ...gatewaysOf(config).flatMap((gateway, index) => gateway.kind === 'kannel'
    ? [{ path: ['sms', 'gateways', index, 'listen', 'port'], ...gateway.listen }] : []),
  { path: ['media', 'listen', 'port'], ...config.media.listen },
  { path: ['operate', 'listen', 'port'], ...config.operate.listen }
]

const checkNetworks = (config: Written, problem: Problems): void => {
  if (config.matrix === undefined && config.xmpp === undefined && config.sms === undefined) {
    problem([], 'has no network', 'Write at least one of the sections matrix, xmpp, sms; config.sample.yaml has them all')
  }
  const component = config.xmpp?.component
  if (component !== undefined && !component.insecure && !isLoopback(component.host)) {
    problem(['xmpp', 'component', 'host'], `${component.host} is another machine, and the component link is not encrypted`,
      'Use 127.0.0.1 with a tunnel, or write insecure: true below it if a private network protects the link')
  }
  for (const { entry, first } of twice(listeners(config), ({ port }) => String(port))) {
    problem(entry.path, `port ${entry.port} is taken by ${spell(first.path)}`, 'Write another port')
  }
}

const checkGateways = (config: Written, problem: Problems): void => {
  const gateways = gatewaysOf(config).map((gateway, index) => ({ name: gateway.name, path: ['sms', 'gateways', index, 'name'] }))
  for (const { entry, first } of twice(gateways, ({ name }) => name)) {
    problem(entry.path, `"${entry.name}" is the name of two gateways`, `Give this one or ${spell(first.path)} another name`)
  }
  const numbers = gatewaysOf(config).flatMap((gateway, index) =>
    gateway.numbers.map((number, at) => ({ number, path: ['sms', 'gateways', index, 'numbers', at] })))
  for (const { entry, first } of twice(numbers, ({ number }) => number)) {
    problem(entry.path, `${entry.number} stands twice`, `Remove it here or at ${spell(first.path)}`)
  }
}

type Entry = Written['mirrors'][number]['places'][number]
type Threads = NonNullable<Entry['sms']>
interface Seat extends MirrorPlace { path: Path }

/** Whether the gateway is there and the number is on it. */
export const isOnGateway = (config: Written, { gateway: name, number }: { gateway: string, number: string }, path: Path,
  problem: Problems): boolean => {
  const gateway = gatewaysOf(config).find(each => each.name === name)
  if (gateway === undefined) {
    const known = gatewaysOf(config).map(each => each.name)
    problem([...path, 'gateway'], `there is no gateway "${name}"`,
      known.length > 0 ? `Write one of: ${known.join(', ')}` : 'Write the section sms with its gateways first')
    return false
  }
  if (gateway.numbers.includes(number)) return true
  problem([...path, 'number'], `${number} does not belong to the gateway "${name}"`,
    `Write one of its numbers: ${gateway.numbers.map(own => `"${own}"`).join(', ')}`)
  return false
}

const seatsOfPhones = (config: Written, { gateway, number, members }: Threads, path: Path, problem: Problems): Seat[] => {
  if (!isOnGateway(config, { gateway, number }, path, problem)) return []
  const entries = Object.entries(members).map(([member, called]) => ({ member, called, path: [...path, 'members', member] }))
  for (const { entry, first } of twice(entries, ({ called }) => fold(called))) {
    problem(entry.path, `two members are called "${entry.called}", and nobody could tell them apart`,
      `Give this one or ${first.member} another name`)
  }
  return entries.flatMap(({ member, called, path: at }) =>
    attempt(at, problem, () => ({ path: at, ...phoneThread(number, member, called) })))
}

/** A place that its network cannot have is a problem at its line. */
const attempt = (path: Path, problem: Problems, make: () => Seat): Seat[] => {
  try {
    return [make()]
  } catch (error) {
    if (!(error instanceof Impossible)) throw error
    problem(path, error.message, error.advice)
    return []
  }
}

const seatsOf = (config: Written, entry: Entry, path: Path, problem: Problems): Seat[] => {
  if (entry.sms !== undefined) return seatsOfPhones(config, entry.sms, [...path, 'sms'], problem)
  const network = entry.matrix === undefined ? 'xmpp' : 'matrix'
  const at = [...path, network]
  const { matrix, xmpp } = config
  if (entry.matrix !== undefined && matrix !== undefined) return attempt(at, problem, () =>
    ({ path: at, place: matrixRoom(entry.matrix!) }))
  if (entry.xmpp !== undefined && xmpp !== undefined) {
    return attempt(at, problem, () => ({ path: at, place: xmppRoom(entry.xmpp!, xmpp.component.domain) }))
  }
  problem(at, `there is no section ${network}`, `Write the section ${network} first, or remove this place`)
  return []
}

/** The mirrors as the bridge takes them; tells everything that contradicts something else. */
export const mirrorsOf = (config: Written, problem: Problems): Mirror[] => {
  checkNetworks(config, problem)
  checkGateways(config, problem)
  const names = config.mirrors.map(({ name }, index) => ({ name, path: ['mirrors', index, 'name'] }))
  for (const { entry, first } of twice(names, ({ name }) => fold(name))) {
    problem(entry.path, `"${entry.name}" is the name of two mirrors`, `Give this one or ${spell(first.path)} another name`)
  }
  const seated = config.mirrors.map(({ name, places }, index) => ({
    name, seats: places.flatMap((entry, at) => seatsOf(config, entry, ['mirrors', index, 'places', at], problem))
  }))
  for (const [index, { seats }] of seated.entries()) {
    const { places } = config.mirrors[index]!
    if (seats.length === 1 && places.length === 1) problem(['mirrors', index, 'places'], 'has one place only',
      'A mirror needs at least two places; add another, or remove the mirror')
  }
  for (const { entry, first } of twice(seated.flatMap(({ seats }) => seats), ({ place }) => addressKey(place))) {
    problem(entry.path, `${entry.place.id} is used twice`,
      `It stands at ${spell(first.path)} already; a place can be in one mirror only. Remove one of the two`)
  }
  return seated.map(({ name, seats }) => ({ name, places: seats.map(({ path: _, ...seat }) => seat) }))
}
