/**
 * Ghosts at the homeserver: registers them, gives them a device to send from, a name and a picture, and lets them join where
 * they speak or where their person is there. What is done is remembered, so neither a message nor a restart repeats it. If the homeserver turns
 * out to know nothing of it, `forget` has it done again.
 *
 * Homeservers tell anybody, most of them even people without an account, whether a user exists and what they are called. So in the rooms of
 * a team, where ghosts stand for those who wrote to an address, ghosts have MXIDs that only the room's members learn.
 */
import { createHmac } from 'node:crypto'
import type { Log } from '../../../lib/log'
import type { Clock } from '../../../lib/clock'
import { makeTurns } from '../../../lib/turns'
import { messageOf, Refused } from '../../../model/errors'
import type { Person, Place } from '../../../model/address'
import type { Persona } from '../../../model/message'
import type { Memory } from '../../../model/network'
import { encode, Rejected, roomPath, unlessRejected, type Homeserver } from '../homeserver'
import type { Uploader } from '../media'
import { GHOST_PREFIX, ghostMxid, keeperOn, secretGhostMxid } from '../names'
import { clean } from '../text'
import { type Called, makeCalled } from './called'
import { type Inside, makeInside } from './inside'
import { type Looks, makeLooks, setProfile } from './looks'
import { makePictures } from './pictures'
import { makeProfileFields, type ProfileFields } from './profile-fields'
import { type Kicks, makeKicks, mustBeForbidden } from './put-out'
import { makeStandsFor } from './stands-for'

/** The device that each sending user of ours has: with it, transaction ids outlive a restart of the homeserver (MSC4190). */
const DEVICE = 'ZENTRALE'

const DEVICES_KEY = 'devices'
const NAMES_KEY = 'ghosts'
const NO_DEVICES = 'the homeserver has no devices for application services (MSC4190): after a crash, messages are looked up'
const NAME_CHARS_MAX = 200

export interface Ghosts {
  /** The ghost of this person in the room of this place: the same for ever. A ghost that is in there under an older MXID keeps it. */
  of (who: Pick<Persona, 'person' | 'everywhere'>, place: Place, room: string): string
  /** Whom a ghost stands for in a room, as remembered or as its name tells. Of the ghosts in a team's room nobody knows. */
  personOf (mxid: string, room: string): Person | undefined
  /** Makes sure that this ghost can speak in the room. Throws Refused or Unavailable. */
  ready (mxid: string, persona: Persona, room: string, signal: AbortSignal): Promise<void>
  /** Makes sure that this ghost exists, and looks as its person does. A name that is only their address takes no other one away. */
  dress (mxid: string, persona: Persona, signal: AbortSignal): Promise<void>
  /** Makes sure that this user of ours exists, with a device and this name. Throws Refused or Unavailable. */
  user (mxid: string, name: string, signal: AbortSignal): Promise<void>
  /** Finds out whether the homeserver keeps transaction ids by device, and makes the bot's. Throws Refused or Unavailable. */
  prepare (): Promise<void>
  /** Its name there; undefined if it is not known to us. */
  nameIn (mxid: string, room: string): string | undefined
  /** The one ghost in this room that this name calls, with or without its network's label; undefined if there is none, or several. */
  called (name: string, room: string): string | undefined
  /** What we remember of this user is wrong: forgets it. */
  forget (mxid: string, room: string): Promise<void>
  left (mxid: string, room: string): void
  readonly kicks: Kicks
  /** Of these users, our ghosts are in the room, as the homeserver says: some may have come in just before a crash. */
  found (mxids: string[], room: string): Promise<void>
  /** Whether this ghost is in the room, as far as known. */
  isIn (mxid: string, room: string): boolean
  /** All ghosts in the room, as far as known. */
  inRoom (room: string): string[]
  /** Throws Unavailable. */
  leave (mxid: string, room: string, signal?: AbortSignal): Promise<void>
  /** Takes away the picture that the ghost shows in the room, if it shows one. Throws Refused or Unavailable. */
  noPicture (mxid: string, room: string, signal: AbortSignal): Promise<void>
  /** Takes name and picture out of its profile, and forgets them. Throws Unavailable. */
  forgetLooks (mxid: string): Promise<void>
  /** All ghosts in this room leave it, and those that are in no other room are forgotten. */
  forgetRoom (room: string): Promise<void>
  /** Undefined if the homeserver has no devices for us: then only `find` can tell whether a message is there. */
  device (): string | undefined
}

export interface GhostWorld {
  homeserver: Homeserver; uploader: Uploader; memory: Memory; clock: Clock; log: Log; bot: string; domain: string
  secret: string // the key of the names is made from it once, then remembered
  isMadeByUs (place: Place): boolean
  signal: AbortSignal // of the end
}

const makeFound = (inside: Inside, domain: string): Ghosts['found'] => async (mxids, room) => {
  const ours = mxids.filter(mxid => mxid.startsWith(`@${GHOST_PREFIX}`) && mxid.endsWith(`:${domain}`) && mxid !== keeperOn(domain))
  await Promise.all(ours.map(mxid => inside.mayBeIn(mxid, room) ? undefined : inside.comes(mxid, room)))
}

/** Whether it says only the address, as in a direct chat before we know more, or with a label. */
const isBare = ({ name, person: { id } }: Persona): boolean => id.split(' ', 1)[0] === name || name.startsWith(`${id} `)

const isCode = (error: unknown, ...codes: string[]): boolean => error instanceof Rejected && codes.includes(error.errcode)

const putDevice = (homeserver: Homeserver, mxid: string, signal?: AbortSignal): Promise<unknown> =>
  homeserver.call('PUT', `client/v3/devices/${DEVICE}`, { as: mxid, body: { display_name: 'Zentrale' }, signal })

/** Makes the bot's device and looks whether the homeserver then takes us for that device (MSC4190, MSC4326). */
const hasDevices = async (homeserver: Homeserver, bot: string): Promise<boolean> => {
  try {
    await putDevice(homeserver, bot)
    const whoami = await homeserver.call('GET', 'client/v3/account/whoami', { as: bot, query: { device_id: DEVICE } })
    return whoami.device_id === DEVICE
  } catch (error) {
    if (error instanceof Rejected) return false
    throw error
  }
}

/** Makes sure that this user of ours exists, and no more. Throws Refused or Unavailable. */
export const makeUser = async (homeserver: Homeserver, mxid: string, signal?: AbortSignal): Promise<void> => {
  try {
    const body = { type: 'm.login.application_service', username: mxid.slice(1, mxid.indexOf(':')), inhibit_login: true }
    await homeserver.call('POST', 'client/v3/register', { body, signal })
  } catch (error) {
    if (isCode(error, 'M_EXCLUSIVE')) {
      throw new Refused(`the homeserver does not let us have ${mxid}: it knows an older registration. Restart it`)
    }
    if (!isCode(error, 'M_USER_IN_USE')) throw error
  }
}

/** Brings a user of ours into a room, by the bot's invitation where it is not open. Joining twice is no error (CS API §Joining rooms). */
export const enterRoom = async (homeserver: Homeserver, mxid: string, room: string, signal: AbortSignal): Promise<void> => {
  const enter = (): Promise<unknown> => homeserver.call('POST', `${roomPath(room)}/join`, { as: mxid, body: {}, signal })
  try {
    await enter()
  } catch (error) {
    await mustBeForbidden(error, homeserver, room, mxid, signal)
    await homeserver.call('POST', `${roomPath(room)}/invite`, { body: { user_id: mxid }, signal })
    await enter()
  }
}

const forgetLooks = async (mxid: string, { homeserver, fields, called, looks }: {
  homeserver: Homeserver, fields: Pick<ProfileFields, 'forget'>, called: Called, looks: Looks
}): Promise<void> => {
  for (const field of ['displayname', 'avatar_url']) {
    await homeserver.call('PUT', `client/v3/profile/${encode(mxid)}/${field}`, { as: mxid, body: { [field]: '' } }).catch(unlessRejected)
  }
  await fields.forget(mxid)
  await called.learn(mxid, undefined)
  await looks.setPicture(mxid, undefined, undefined)
}

export const makeGhosts = ({ homeserver, uploader, memory, clock, log, bot, domain, secret, isMadeByUs, signal: stopping }: GhostWorld): Ghosts => {
  const key = memory.get(NAMES_KEY) ?? createHmac('sha256', secret).update(NAMES_KEY).digest('base64url')
  let devices = memory.get(DEVICES_KEY) !== 'no'
  const unsure = new Set<string>() // ghosts that the homeserver may have forgotten
  const inside = makeInside(memory)
  const { isIn, inRoom, isElsewhere } = inside
  const [called, turns, stands, kicks] = [makeCalled(memory), makeTurns(), makeStandsFor({ memory, domain, key, isIn }), makeKicks(clock)]
  const looks = makeLooks({ homeserver, memory, called, log, isElsewhere })
  const pictures = makePictures({ homeserver, uploader, clock, log, looks, turns })
  const fields = makeProfileFields({ homeserver, memory, called, clock, log, turns, domain, signal: stopping })

  const register = async (mxid: string, signal: AbortSignal): Promise<void> => {
    await makeUser(homeserver, mxid, signal)
    if (devices) await putDevice(homeserver, mxid, signal)
  }

  const setName = async (mxid: string, name: string, signal: AbortSignal): Promise<void> => {
    try {
      await setProfile(homeserver, mxid, 'displayname', name, signal)
    } catch (error) {
      if (!(error instanceof Refused)) throw error
      log.warn({ ghost: mxid, why: error.message }, 'a ghost could not be named')
    }
    await called.learn(mxid, name)
  }

  const nameFor = (wanted: string): string => clean(wanted).slice(0, NAME_CHARS_MAX)

  const named = async (mxid: string, wanted: string, signal: AbortSignal): Promise<void> => {
    const name = nameFor(wanted)
    const before = called.nameOf(mxid)
    if (before === undefined) await register(mxid, signal)
    if (before !== name) await setName(mxid, name, signal)
  }

  const out = async (mxid: string, room: string): Promise<void> => {
    await inside.out(mxid, room)
    await looks.forget(mxid, room)
  }

  const isNamed = (mxid: string, persona: Persona, room: string): boolean =>
    called.nameOf(mxid) !== undefined && called.nameIn(mxid, room) === nameFor(persona.name)

  /** One after the other for each ghost, because where its name stands depends on which rooms it is in. */
  const bringIn = async (mxid: string, persona: Persona, room: string, signal: AbortSignal): Promise<void> => {
    if (unsure.delete(mxid)) await register(mxid, signal)
    const [name, before] = [nameFor(persona.name), called.nameIn(mxid, room)]
    const mayStandInProfile = called.nameOf(mxid) === undefined || looks.inProfile(mxid, room)
    if (mayStandInProfile) await named(mxid, persona.name, signal)
    if (!isIn(mxid, room)) {
      kicks.mustBeKnown(mxid, room)
      await enterRoom(homeserver, mxid, room, signal)
      await inside.comes(mxid, room)
      if (persona.everywhere !== undefined) await stands.rememberShared(mxid, persona.person, room)
    } else if (mayStandInProfile && before !== name) {
      await looks.nameNow(mxid, name, room, signal) // rooms show a new profile late, after the message
    }
    if (!isNamed(mxid, persona, room)) await looks.name(mxid, name, room, signal)
  }

  const leaveAs = (mxid: string, room: string, signal?: AbortSignal): Promise<unknown> =>
    homeserver.call('POST', `${roomPath(room)}/leave`, { as: mxid, body: {}, signal, elsewhere: true }).catch(unlessRejected)

  return {
    user: (mxid, wanted, signal) => turns(mxid, () => named(mxid, wanted, signal)),
    nameIn: called.nameIn,
    of ({ person, everywhere }, place, room) {
      const readable = ghostMxid(person, domain)
      if (inside.mayBeIn(readable, room)) return readable
      if (isMadeByUs(place)) return secretGhostMxid(person, domain, key)
      return everywhere === undefined ? stands.ghostOf(person, room) ?? readable : ghostMxid({ ...person, id: everywhere }, domain)
    },
    personOf: stands.personOf,
    async ready (mxid, persona, room, signal) {
      await stands.rememberHashed(mxid, persona.person, room)
      if (!isIn(mxid, room) || !isNamed(mxid, persona, room) || unsure.has(mxid)) {
        await turns(mxid, () => bringIn(mxid, persona, room, signal))
      }
      fields.want(mxid)
      if (persona.avatar) pictures.want(mxid, persona.avatar, room)
    },
    async dress (mxid, persona, signal) {
      const name = called.nameOf(mxid)
      const isOther = (): boolean => !isBare(persona) && name !== nameFor(persona.name) && looks.inProfile(mxid, undefined)
      await turns(mxid, async () => { if (name === undefined || isOther()) await named(mxid, persona.name, signal) })
      fields.want(mxid)
      if (persona.avatar) pictures.want(mxid, persona.avatar, undefined)
    },
    async prepare () {
      await memory.set(NAMES_KEY, key)
      const found = await hasDevices(homeserver, bot)
      if (!found) log.warn({}, NO_DEVICES)
      if (found !== devices) await memory.set(DEVICES_KEY, found ? 'yes' : 'no')
      devices = found
      await fields.prepare()
    },
    called: (name, room) => called.find(name, room, mxid => isIn(mxid, room)),
    async forget (mxid, room) {
      if (isElsewhere(mxid, room)) unsure.add(mxid) // a new name in its profile would be written over those in its other rooms
      else await called.learn(mxid, undefined)
      await fields.lost(mxid)
      await out(mxid, room)
    },
    left (mxid, room) {
      if (!inside.mayBeIn(mxid, room)) return
      out(mxid, room).catch((error: unknown) => {
        log.warn({ why: messageOf(error) }, 'could not forget that a ghost left')
      })
    },
    found: makeFound(inside, domain), isIn, inRoom, kicks,
    leave: (mxid, room, signal) => turns(mxid, async () => {
      await inside.leaves(mxid, room)
      await leaveAs(mxid, room, signal)
      await out(mxid, room)
    }),
    noPicture: pictures.none, forgetLooks: mxid => forgetLooks(mxid, { homeserver, fields, called, looks }),
    async forgetRoom (room) {
      for (const mxid of inRoom(room)) {
        await leaveAs(mxid, room)
        if (!isElsewhere(mxid, room)) await forgetLooks(mxid, { homeserver, fields, called, looks })
        await out(mxid, room)
      }
    },
    device: () => devices ? DEVICE : undefined
  }
}
