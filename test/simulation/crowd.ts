/**
 * Guests come into the rooms of mirrors, go, and call themselves something else. They say nothing. P: at the end, each room shows those who
 * are in the other places of its mirror, and nobody else. It is judged by what is left on the servers alone.
 */
import type { MirrorPlace } from '../../src/model/address'
import { addressKey } from '../../src/model/address'
import type { Mirror } from '../../src/plan/directory'
import type { Auditor } from './auditor'
import type { Random } from './random'
import { CAN, DOMAIN, type Inhabitant, type Said, type Town } from './town'
import type { Server } from './world'

/** Somebody in a room, as it shows them. `ours`: somebody of ours. */
export interface Present { place: string; name: string; ours: boolean }

/** Each returns false if it is not possible now. */
export interface Doors {
  comes (guest: Inhabitant): boolean
  goes (guest: Inhabitant): boolean
  /** Whoever is in the room is called something else. */
  isCalled (guest: Inhabitant, name: string): boolean
  /** All who are in its places. */
  present (): Present[]
}

export interface Crowd {
  /** Somebody said something; without `said`, it was STOP or START. */
  heard (by: Inhabitant, said: Said | undefined): void
  move (): void
  judge (): void
}

const MEMBERS_MAX = 200
const GUESTS = 4 // in a room
const FLOOD = 30
const FLOODED = 0.05

/** Somebody of another network, as a room shows them. */
export const OURS = new RegExp(` \\((?:${Object.values(CAN).map(({ label }) => label).join('|')})\\)`)

/** Without the number behind it if the name was taken. */
const asSaid = (name: string): string => name.replace(/(\)).*$/, '$1')

/** What a guest was called first. */
const without = (name: string): string => name.replace(/z\d/, '')

export const makeCrowd = (town: Town, random: Random, servers: () => Server[], auditor: Auditor): Crowd => {
  for (const mirror of town.mirrors) mirror.membersMax = MEMBERS_MAX
  const spoke = new Set<string>() // those who are shown for a day, also if they have gone
  const rooms = town.mirrors.flatMap(({ places }) => places.filter(({ people }) => people === undefined).map(({ place }) => place))
  const guests = new Map(rooms.map((place, index) => [place, Array.from({ length: GUESTS }, (_, number): Inhabitant => {
    const name = `guest${index}x${number}`
    return { id: place.network === 'matrix' ? `@${name}:${DOMAIN}` : `${name}@${DOMAIN}`, name, place }
  })]))

  const doorsOf = ({ place }: Inhabitant): Doors => servers().find(({ name }) => name === place.network)!.doors!

  const act = (guest: Inhabitant): void => {
    const doors = doorsOf(guest)
    const name = `${without(guest.name)}z${random.below(10)}`
    if (random.happens(0.5)) doors.comes(guest)
    else if (random.happens(0.6)) doors.goes(guest)
    else if (doors.isCalled(guest, name)) guest.name = name
  }

  /** Who a place shows elsewhere, for sure or perhaps. */
  const peopleAt = ({ place, people }: MirrorPlace, all: Present[]): { sure: string[], perhaps: string[] } => {
    const { label } = CAN[place.network]!
    const key = addressKey(place)
    const there = people === undefined ? all.filter(one => one.place === key && !one.ours).map(({ name }) => name) : Object.values(people)
    const absent = town.people.filter(one => one.place === place && spoke.has(one.name) && !there.includes(one.name))
    const shown = there.map(name => `${name} (${label})`)
    return {
      sure: people !== undefined && there.some(name => spoke.has(`STOP ${name}`)) ? [] : shown,
      perhaps: [...shown, ...absent.map(({ name }) => `${name} (${label})`)]
    }
  }

  const judgeAt = ({ places }: Mirror, here: MirrorPlace, all: Present[]): void => {
    const key = addressKey(here.place)
    const shown = all.filter(({ place, ours, name }) => place === key && ours && OURS.test(name)).map(({ name }) => asSaid(name))
    const others = places.filter(one => one !== here && !auditor.isAway(addressKey(one.place))).map(one => peopleAt(one, all))
    const belongs = auditor.isAway(key) ? [] : others.flatMap(({ perhaps }) => perhaps)
    const isOut = (name: string): boolean => auditor.outs.all.some(one => one.place === key && without(one.name) === without(name))
    const missing = auditor.isAway(key) ? [] : others.flatMap(({ sure }) => sure).filter(name => !shown.includes(name) && !isOut(name))
    const twice = shown.filter((name, index) => shown.indexOf(name) !== index)
    for (const name of shown) if (!belongs.includes(name)) auditor.violation('P', `${key} shows ${name}, who is not there`, name)
    for (const name of missing) auditor.violation('P', `${key} does not show ${name}, who is there`, name)
    for (const name of twice) auditor.violation('P', `${key} shows ${name} twice`, name)
  }

  return {
    heard (by, said) { spoke.add(said === undefined ? `STOP ${by.name}` : by.name) },
    move () {
      if (rooms.length === 0) return
      const there = guests.get(random.pick(rooms))!
      for (let left = random.happens(FLOODED) ? FLOOD : 1; left > 0; left--) act(random.pick(there))
    },
    judge () {
      const all = servers().flatMap(server => server.doors?.present() ?? [])
      for (const mirror of town.mirrors) for (const here of mirror.places) if (here.people === undefined) judgeAt(mirror, here, all)
    }
  }
}
