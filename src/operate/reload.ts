/**
 * What of a changed config goes into force while Zentrale runs, and what waits for the next start. Taken over is what is looked up anew each
 * time: the level of the log, everything about an address but how it is called, and mirrors that are new. All the rest keeps a connection, a
 * port or a promise, so it stays as it was at the start.
 */
import { isDeepStrictEqual } from 'node:util'
import type { Config } from '../config/config'
import type { FunctionAddress } from '../desk/address'
import type { Place } from '../model/address'
import type { Mirror } from '../plan/directory'

/** `waiting`: what needs a restart, by its key in the config, with the name if it is one of several. `running`: what is in force then. */
export interface Reload { addresses: FunctionAddress[]; mirrors: Mirror[]; waiting: string[]; running: Config }

const SECTIONS: [of: keyof Config, called: string][] = [
  ['language', 'language'], ['store', 'store'], ['media', 'media'], ['limits', 'limits'], ['directChats', 'direct_chats'], ['portals', 'portals'],
  ['operate', 'operate']
]

const changed = <T extends object>(before: T, after: T, keys: readonly (keyof T)[]): (keyof T)[] =>
  keys.filter(key => !isDeepStrictEqual(before[key], after[key]))

const isCalledAsBefore = (before: FunctionAddress, after: FunctionAddress): boolean =>
  changed(before, after, ['identities', 'aliases', 'encrypts']).length === 0

/** Those of `before` and `after` whose names are in one of them alone, or which are not `alike`. */
const unlike = <T extends { name: string }>(before: T[], after: T[], alike: (one: T, other: T) => boolean): string[] => {
  const names = new Set([...before, ...after].map(({ name }) => name))
  return [...names].filter(name => {
    const [one, other] = [before.find(each => each.name === name), after.find(each => each.name === name)]
    return one === undefined || other === undefined || !alike(one, other)
  })
}

/** `isTaken`: whether the place is in a mirror or is a team's. `waiting`: the networks that wait for a restart. */
const canOpen = ({ places }: Mirror, { networks }: Config, waiting: string[], isTaken: (place: Place) => boolean): boolean =>
  places.every(({ place, people }) => people === undefined && networks[place.network] !== undefined && !waiting.includes(place.network) &&
    !isTaken(place))

export const reloadOf = (before: Config, after: Config, isTaken: (place: Place) => boolean): Reload => {
  const networks = changed(before.networks, after.networks, after.kinds.map(({ settings }) => settings.name))
  const sections = SECTIONS.flatMap(([of, called]) => changed(before, after, [of]).length > 0 ? called : [])
  const addresses = after.addresses.filter(one => before.addresses.some(other => other.name === one.name && isCalledAsBefore(other, one)))
  const mirrors = after.mirrors.filter(({ name, ...mirror }) => before.mirrors.every(other => other.name !== name) &&
    canOpen({ name, ...mirror }, before, networks, isTaken))
  const running: Config = {
    ...before, logLevel: after.logLevel, mirrors: [...before.mirrors, ...mirrors],
    addresses: before.addresses.map(one => addresses.find(({ name }) => name === one.name) ?? one)
  }
  return {
    addresses, mirrors, running,
    waiting: [
      ...sections, ...networks,
      ...unlike(running.mirrors, after.mirrors, isDeepStrictEqual).map(name => `mirrors ${name}`),
      ...unlike(running.addresses, after.addresses, isCalledAsBefore).map(name => `function_addresses ${name}`)
    ]
  }
}
