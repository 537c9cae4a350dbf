/**
 * Our rooms for the team of an address. The bot makes each when it is first wanted, and keeps it as wanted: it reads first, and changes only
 * what differs. Nobody but the bot has power in them, because whoever could invite could show a contact's words to anybody. Each has an
 * alias that nobody sees, so no second room is made after a try that was cut off.
 */
import { createHash } from 'node:crypto'
import type { Chance } from '../../../lib/chance'
import type { Log } from '../../../lib/log'
import { makeSlots } from '../../../lib/slots'
import { makeTurns } from '../../../lib/turns'
import type { Place } from '../../../model/address'
import { messageOf, Refused, Unavailable } from '../../../model/errors'
import type { RoomState } from '../../../model/message'
import type { Memory, Vault } from '../../../model/network'
import { isJson, type Json } from '../events/json'
import { Rejected, roomPath, type Homeserver } from '../homeserver'
import type { Encryption } from '../encryption/encryption'
import type { Keeper } from '../encryption/keeper'
import { GHOST_PREFIX } from '../names'
import type { Addresses } from '../users/addresses'
import { makeMark } from './mark'
import type { Rooms } from './rooms'
import { bring, readState, resolveAlias, roomOfAlias, setState, stateOf, type Entry, type RoomNow } from './state'
import { INVITED, makeTeamState, NEWEST, SPEAKER, type Wanted } from './team-state'

export interface TeamRoomsWorld {
  homeserver: Homeserver; rooms: Rooms; addresses: Pick<Addresses, 'logoOf'>; memory: Memory; vault: Vault
  chance: Chance; log: Log; bot: string; domain: string
  encryption: Pick<Encryption, 'mayServe' | 'isOn'>; keeper: Pick<Keeper, 'mxid' | 'enter'>
  isOurs: (mxid: string) => boolean
}

export interface TeamRooms {
  /** Resolves when the room is as wanted. Throws Refused or Unavailable. */
  make (place: Place, wanted: RoomState, signal: AbortSignal): Promise<void>
  /** Gives one of ours the right to speak in a room where only some may. */
  permit (place: Place, mxid: string, signal: AbortSignal): Promise<void>
  /** Somebody else changed something in the room: the next `make` looks at it again. */
  changed (place: Place): Promise<void>
}

const EVERYTHING = 'all' // the room of rooms
/**
 * Synapse may be set to encrypt rooms of the other presets (encryption_enabled_by_default_for_room_type: invite). The request that makes the
 * room also closes what this preset opens.
 */
const PRESET = 'public_chat'

/** A room for invited people, not encrypted if the homeserver allows that. */
export const UNENCRYPTED: Json = { preset: PRESET, initial_state: [{ state_key: '', ...INVITED }] }
/** Rooms made at once. To make one is the most work for a homeserver, and everybody's messages pass through the same homeserver. */
const MAKING_MAX = 4
const MAKING_OF_ONE_MAX = 2 // of these for one address

const ENCRYPTED = 'the homeserver encrypts all new rooms by default, and nothing can be read in this one; set ' +
  'encryption_enabled_by_default_for_room_type to off, restart the homeserver, and delete the room'

/** `#_zentrale_<address>_<what>:domain`, as `naming.room` says. */
export const readTeamRoom = (id: string, domain: string): { address: string, what: string } | undefined => {
  const [start, end] = [`#${GHOST_PREFIX}`, `:${domain}`]
  const inside = id.startsWith(start) && id.endsWith(end) ? id.slice(start.length, -end.length) : ''
  const [, address, what] = /^([a-z0-9-]+)_(\d+|queue|all)$/.exec(inside) ?? []
  return address === undefined || what === undefined ? undefined : { address, what }
}

export const makeTeamRooms = (world: TeamRoomsWorld): TeamRooms => {
  const { homeserver, rooms, addresses, memory, log, bot, domain, isOurs, encryption, keeper } = world
  const team = makeTeamState(bot, domain, keeper.mxid)
  const [turns, mark] = [makeTurns(), makeMark(world)]
  const slots = makeSlots(MAKING_MAX, MAKING_OF_ONE_MAX)
  const hashKey = (place: Place): string => `made ${place.id}`

  const spaceOf = async (inside: Place | undefined, signal: AbortSignal): Promise<string | undefined> => {
    if (inside === undefined) return undefined
    const room = rooms.known(inside) ?? await resolveAlias(homeserver, inside.id, signal)
    if (room === undefined) throw new Unavailable(`the room of rooms ${inside.id} is not made yet`)
    return room
  }

  const roomAt = async (place: Place, state: Entry[], sealed: boolean, signal: AbortSignal): Promise<string> => {
    const known = rooms.known(place)
    if (known !== undefined) return known
    const named = readTeamRoom(place.id, domain)
    if (named === undefined) throw new Refused(`${place.id} is no room of ours`)
    const isOfCase = /^\d/.test(named.what)
    if (isOfCase) await mark.free(place.id, signal)
    const initial = [...state, { type: 'm.room.canonical_alias', content: {} }]
    const { users, ...power } = team.levels(NEWEST, undefined, []) // the homeserver sets the creator's power itself
    const { room } = await roomOfAlias(homeserver, place.id, {
      preset: PRESET, power_level_content_override: power, initial_state: initial.map(({ key = '', ...entry }) => ({ state_key: key, ...entry })),
      ...named.what === EVERYTHING && { creation_content: { type: 'm.space' } }, ...isOfCase && { creation_content: await mark.content() },
      ...sealed && { invite: [keeper.mxid] }
    }, { signal })
    return room
  }

  /** CS API §Spaces: room and space name one another. */
  const putInside = async (room: string, space: string, signal: AbortSignal): Promise<void> => {
    const child = await stateOf(homeserver, space, 'm.space.child', room, { signal })
    if (!Array.isArray(child?.via)) await setState(homeserver, space, { type: 'm.space.child', key: room, content: { via: [domain] } }, { signal })
  }

  const act = (room: string, verb: 'invite' | 'kick', body: { user_id: string, reason?: string | undefined }, signal: AbortSignal) =>
    homeserver.call('POST', `${roomPath(room)}/${verb}`, { body, elsewhere: true, signal })

  const isIn = (membership: string | undefined): boolean => membership === 'join' || membership === 'invite' || membership === 'knock'

  /** Whoever does not belong in the room is out before anything is said; so is who has not come, once nobody is invited any more. */
  const takeOut = async (room: string, { members }: RoomNow, { people, withdrawn: reason }: RoomState, signal: AbortSignal): Promise<void> => {
    const mayStay = (mxid: string, now: string): boolean => people.includes(mxid) && (reason === undefined || now === 'join')
    const others = [...members].filter(([mxid, now]) => isIn(now) && !isOurs(mxid) && !mayStay(mxid, now))
    for (const [mxid] of others) await act(room, 'kick', { user_id: mxid, reason }, signal)
  }

  /** Somebody who cannot be invited does not keep the others waiting. */
  const takeIn = async (room: string, { members }: RoomNow, people: string[], signal: AbortSignal): Promise<void> => {
    let unavailable: Unavailable | undefined
    for (const mxid of people.filter(one => one.startsWith('@') && !isOurs(one) && (!isIn(members.get(one)) || members.get(one) === 'knock'))) {
      try {
        await act(room, 'invite', { user_id: mxid }, signal)
      } catch (error) {
        if (error instanceof Rejected) log.warn({ room, person: mxid, why: messageOf(error) }, 'somebody of a team cannot be invited')
        else if (error instanceof Unavailable) unavailable = error
        else throw error
      }
    }
    if (unavailable) throw unavailable
  }

  /** However long this waits for others, that is no failure of this room. */
  const turnToMake = async (place: Place, signal: AbortSignal): Promise<() => void> => {
    try {
      return await slots.take(readTeamRoom(place.id, domain)?.address ?? '', signal)
    } catch (error) {
      throw new Unavailable('many rooms are made before this one', { disconnected: true, cause: error })
    }
  }

  const make = async (place: Place, wanted: RoomState, signal: AbortSignal): Promise<void> => {
    const picture = await addresses.logoOf(wanted.from, signal)
    const { what } = readTeamRoom(place.id, domain) ?? {}
    const sealed = wanted.encrypted === true && what !== EVERYTHING && encryption.mayServe(keeper.mxid) // in the room of rooms, nobody speaks
    const hash = createHash('sha256').update(JSON.stringify([wanted, picture, ...sealed ? [sealed] : []])).digest('base64url')
    const isThere = rooms.known(place) !== undefined
    if (memory.get(hashKey(place)) === hash && isThere) return
    const over = isThere ? () => {} : await turnToMake(place, signal)
    try {
      await bringAbout(place, wanted, { picture, sealed }, signal)
      await memory.set(hashKey(place), hash)
    } finally {
      over()
    }
  }

  /** Once encrypted, a room stays so. The keeper is in before: whoever comes in later cannot read what was said before. */
  const bringAbout = async (place: Place, wanted: RoomState, more: Pick<Wanted, 'picture' | 'sealed'>, signal: AbortSignal): Promise<void> => {
    const space = await spaceOf(wanted.inside, signal)
    const room = await roomAt(place, team.state({ ...wanted, ...more, space }, NEWEST), more.sealed, signal)
    await rooms.made(place, room)
    const now = await readState(homeserver, room, { signal })
    const isOn = now.content('m.room.encryption') !== undefined
    if (isOn && !encryption.mayServe(keeper.mxid)) throw new Refused(ENCRYPTED)
    const sealed = isOn || more.sealed
    if (sealed) await keeper.enter(room, signal)
    await takeOut(room, now, wanted, signal)
    const inside = [...now.members].flatMap(([mxid, membership]) => isOurs(mxid) && mxid !== bot && isIn(membership) ? [mxid] : [])
    const ours = sealed ? [...new Set([...inside, keeper.mxid])] : inside
    await bring(homeserver, room, now, [
      ...team.state({ ...wanted, ...more, sealed, space }, now.version),
      { type: 'm.room.power_levels', content: team.levels(now.version, wanted.speakers, ours) }
    ], { signal })
    if (sealed) await encryption.isOn(room, bot, signal)
    if (space !== undefined) await putInside(room, space, signal)
    if (wanted.withdrawn === undefined) await takeIn(room, now, [...new Set(wanted.people)], signal)
  }

  const permit = async (place: Place, mxid: string, signal: AbortSignal): Promise<void> => {
    const room = readTeamRoom(place.id, domain) ? rooms.known(place) : undefined
    const now = room === undefined ? undefined : await stateOf(homeserver, room, 'm.room.power_levels', '', { signal })
    if (room === undefined || now === undefined) return
    const users = isJson(now.users) ? now.users : {}
    if (Number(now.events_default ?? 0) <= Number(users[mxid] ?? now.users_default ?? 0)) return
    const content = { ...now, users: { ...users, [mxid]: SPEAKER } }
    await setState(homeserver, room, { type: 'm.room.power_levels', content }, { signal })
  }

  return {
    make: (place, wanted, signal) => turns(place.id, () => make(place, wanted, signal)),
    permit: (place, mxid, signal) => turns(place.id, () => permit(place, mxid, signal)),
    async changed (place) {
      if (memory.get(hashKey(place)) !== undefined) await memory.delete(hashKey(place))
    }
  }
}
