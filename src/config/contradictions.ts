/** Problems between keys: a value that occurs twice, or one that refers to something that is not there. */
import type { Listen } from '../lib/serve'
import type { Found, NetworkKind, Seat, Tell } from '../networks/kind'
import type { Mirror } from '../plan/directory'
import { addressKey } from '../model/address'
import { caseless } from '../settings/names'
import { type Path, type Problems, spell, twice } from '../settings/problem'
import type { Carried } from '../plan/mirrored'
import { type Written, writtenOf } from './schema'

export const listeners = (config: Written, kinds: readonly NetworkKind[]): (Listen & { path: Path })[] => [
  ...kinds.flatMap(kind => {
    const section = writtenOf(config, kind)
    const found = section === undefined ? [] : kind.settings.listeners?.(section) ?? []
    return found.map(({ path, ...listen }) => ({ path: [kind.settings.name, ...path], ...listen }))
  }),
  { path: ['media', 'listen', 'port'], ...config.media.listen },
  { path: ['operate', 'listen', 'port'], ...config.operate.listen }
]

const found = <T>(sections: object[], kind: NetworkKind, pathOf: (index: number) => Path): Found<T>[] => sections.flatMap((section, index) => {
  const value = writtenOf(section, kind) as T | undefined
  return value === undefined ? [] : [{ value, path: [...pathOf(index), kind.settings.name] }]
})

const checkNetworks = (config: Written, kinds: readonly NetworkKind[], tell: Tell): void => {
  const { problem } = tell
  if (kinds.every(kind => writtenOf(config, kind) === undefined)) {
    problem([], 'has no network', `Write at least one of the sections ${kinds.map(({ settings }) => settings.name).join(', ')}; ` +
    'config.sample.yaml has them all')
  }
  for (const kind of kinds) {
    const places = config.mirrors.flatMap((mirror, index) => found(mirror.places, kind, at => ['mirrors', index, 'places', at]))
    const names = found(config.function_addresses, kind, index => ['function_addresses', index])
    const standIns = Object.keys(kind.settings.standIn === undefined ? {} : config.direct_chats?.numbers ?? {})
      .map(value => ({ value, path: ['direct_chats', 'numbers', value] }))
    kind.settings.contradictions?.({ section: writtenOf(config, kind), places, names, standIns }, tell)
  }
  for (const { entry, first } of twice(listeners(config, kinds), ({ port }) => String(port))) {
    problem(entry.path, `port ${entry.port} is taken by ${spell(first.path)}`, 'Write another port')
  }
}

const seatsOf = (config: Written, entry: object, kinds: readonly NetworkKind[], path: Path, problem: Problems): Seat[] => kinds.flatMap(kind => {
  const written = writtenOf(entry, kind)
  const { name, place } = kind.settings
  return written === undefined ? [] : place.seats(written, writtenOf(config, kind), [...path, name], problem)
})

/** What a mirror carries, in the config or made on demand. */
export const carriedOf = (
  { typing, read_marks: read, presence, delivery_marks: deliveryMarks, moderation, members_max: membersMax, pictures, room: carries,
    retention_days: retentionDays }:
    Omit<Written['mirrors'][number], 'name' | 'places' | 'allow_encrypted'>
): Carried => ({ shows: { typing, read, presence }, deliveryMarks, moderation, membersMax, pictures, carries,
  ...retentionDays !== undefined && { retentionDays } })

/** The mirrors as the bridge takes them. Notes all contradictions. */
export const mirrorsOf = (config: Written, kinds: readonly NetworkKind[], tell: Tell): Mirror[] => {
  const { problem } = tell
  const { path, postgres } = config.store
  if (path !== undefined && postgres !== undefined) problem(['store', 'postgres'], 'is there besides path', 'Keep one of the two')
  checkNetworks(config, kinds, tell)
  const names = config.mirrors.map(({ name }, index) => ({ name, path: ['mirrors', index, 'name'] }))
  for (const { entry, first } of twice(names, ({ name }) => caseless(name))) {
    problem(entry.path, `"${entry.name}" is the name of two mirrors`, `Give this one or ${spell(first.path)} another name`)
  }
  const seated = config.mirrors.map(({ name, places, allow_encrypted: allowsEncrypted, ...more }, index) => ({
    name, ...carriedOf(more), ...allowsEncrypted && { allowsEncrypted },
    seats: places.flatMap((entry, at) => seatsOf(config, entry, kinds, ['mirrors', index, 'places', at], problem))
  }))
  for (const [index, { seats }] of seated.entries()) {
    const { places } = config.mirrors[index]!
    if (seats.length === 1 && places.length === 1) problem(['mirrors', index, 'places'], 'has one place only',
      'A mirror needs at least two places; add another, or remove the mirror')
  }
  for (const { entry, first } of twice(seated.flatMap(({ seats }) => seats), ({ place }) => addressKey(place))) {
    problem(entry.path, `${entry.place.id} is used twice`,
      `It is already at ${spell(first.path)}; a place can be in one mirror only. Remove one of the two`)
  }
  return seated.map(({ seats, ...mirror }) => ({ ...mirror, places: seats.map(({ path: _, ...seat }) => seat) }))
}
