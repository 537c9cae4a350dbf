/** What the practice homeserver remembers: users, rooms, events, media. Rules only as far as a bridge can run into them. */
import { isDeepStrictEqual } from 'node:util'
import { systemChance, type Chance } from '../../../src/lib/chance'
import { systemClock, type Clock } from '../../../src/lib/clock'

export type Json = Record<string, unknown>

export interface HsEvent {
  event_id: string; room_id: string; sender: string; type: string; content: Json; origin_server_ts: number
  state_key?: string; redacts?: string; unsigned?: Json
}

export interface HsRoom {
  id: string; version: string; creator: string
  events: HsEvent[]
  index: Map<string, number> // event id → index in events
  state: Map<string, HsEvent> // "type\0state_key"
  typists: Set<string>
  receipts: Map<string, string> // user → the event that they have read
}

export interface HsUser {
  id: string; displayname?: string; avatar_url?: string; devices: Set<string>
  accountData: Map<string, Json>; presence?: Json; fields?: Json
}
export interface HsMedia { mime: string; name?: string; bytes: Buffer }

const EVENT_CHARS_MAX = 65_000

export class HsError extends Error {
  constructor (readonly status: number, readonly errcode: string, message = errcode, readonly extra: Json = {}) { super(message) }
}

export type Listener = (event: HsEvent, room: HsRoom) => void
export type State = ReturnType<typeof makeState>

const stateKey = (type: string, key: string): string => `${type}\0${key}`
const object = (value: unknown): Json => typeof value === 'object' && value !== null ? value as Json : {}

export const membership = (room: HsRoom, user: string): string =>
  String(room.state.get(stateKey('m.room.member', user))?.content.membership ?? 'leave')

const levelsOf = (room: HsRoom): Json => object(room.state.get(stateKey('m.room.power_levels', ''))?.content)
const creatorsOf = (room: HsRoom): unknown[] => {
  const { additional_creators: more } = object(room.state.get(stateKey('m.room.create', ''))?.content)
  return Number(room.version) < 12 ? [] : [room.creator, ...Array.isArray(more) ? more as unknown[] : []]
}

const powerOf = (room: HsRoom, user: string): number => creatorsOf(room).includes(user)
  ? Infinity
  : Number(object(levelsOf(room).users)[user] ?? levelsOf(room).users_default ?? 0)

/** Throws unless the user has the power level of this name. */
const need = (room: HsRoom, user: string, level: string, otherwise: number, type?: string): void => {
  const levels = levelsOf(room)
  const least = Number((type === undefined ? undefined : object(levels.events)[type]) ?? levels[level] ?? otherwise)
  if (powerOf(room, user) < least) throw new HsError(403, 'M_FORBIDDEN', `You don't have permission: ${level} needs ${least}`)
}

/** One reaction of a kind to an event is enough from everybody (CS API §Avoiding duplicate annotations). */
const isNew = ({ events }: HsRoom, sender: string, content: Json): void => {
  const relation = object(content['m.relates_to'])
  const isThere = events.some(event => {
    const { event_id: of, key } = object(event.content['m.relates_to'])
    return event.type === 'm.reaction' && event.sender === sender && of === relation.event_id && key === relation.key
  })
  if (isThere) throw new HsError(400, 'M_DUPLICATE_ANNOTATION', 'Can\'t send same reaction twice')
}

/** No thread begins within another, as Synapse says (CS API §Threading). */
const beginsThread = ({ events }: HsRoom, content: Json): void => {
  const relation = object(content['m.relates_to'])
  if (relation.rel_type !== 'm.thread') return
  const root = events.find(({ event_id: id }) => id === relation.event_id)
  const isRelated = root !== undefined && object(root.content['m.relates_to']).rel_type !== undefined
  if (isRelated) throw new HsError(400, 'M_UNKNOWN', 'Cannot start threads from an event with a relation')
}

/** `clock` and `chance`: where the times of events and the ids come from. `later`: when rooms show a new profile at the latest. */
export const makeState = (serverName: string, clock: Pick<Clock, 'now'> = systemClock, chance: Pick<Chance, 'token'> = systemChance,
  later: (run: () => void) => void = run => run()) => {
  const users = new Map<string, HsUser>()
  const tokens = new Map<string, string>()
  const rooms = new Map<string, HsRoom>()
  const aliases = new Map<string, string>()
  const media = new Map<string, HsMedia>()
  const stream: HsEvent[] = []
  const listeners = new Set<Listener>()
  const prefix = chance.token(12)
  let events = 0

  const append = (room: HsRoom, event: Omit<HsEvent, 'event_id' | 'room_id' | 'origin_server_ts'> & { ts?: number }): HsEvent => {
    const { ts, ...rest } = event
    const whole: HsEvent = {
      ...rest, event_id: `$${prefix}${(events++).toString(36).padStart(10, '0')}`, room_id: room.id,
      origin_server_ts: ts ?? clock.now()
    }
    if (whole.state_key !== undefined) {
      const before = room.state.get(stateKey(whole.type, whole.state_key))
      if (before) whole.unsigned = { prev_content: before.content, replaces_state: before.event_id }
      room.state.set(stateKey(whole.type, whole.state_key), whole)
    }
    room.index.set(whole.event_id, room.events.length)
    room.events.push(whole)
    stream.push(whole)
    for (const listener of listeners) listener(whole, room)
    return whole
  }

  const room = (id: string): HsRoom => {
    const found = rooms.get(id)
    if (!found) throw new HsError(404, 'M_NOT_FOUND', 'no such room')
    return found
  }

  const joined = (id: string, user: string): HsRoom => {
    const found = rooms.get(id)
    if (!found || membership(found, user) !== 'join') throw new HsError(403, 'M_FORBIDDEN', `User ${user} not in room ${id}`)
    return found
  }

  const member = (of: HsRoom, sender: string, target: string, to: string, more: Json = {}): HsEvent => {
    const profile = users.get(target)
    const content: Json = { ...more, membership: to }
    if (to === 'join' || to === 'invite') {
      if (profile?.displayname !== undefined) content.displayname = profile.displayname
      if (profile?.avatar_url !== undefined) content.avatar_url = profile.avatar_url
    }
    return append(of, { type: 'm.room.member', sender, state_key: target, content })
  }

  /** Rooms show a new profile only after the user's next message, as on Synapse, which does this in the background. */
  const unshown = new Set<string>()
  const showProfile = (user: string): void => {
    if (!unshown.delete(user)) return
    const { displayname, avatar_url: picture } = users.get(user)!
    for (const where of rooms.values()) {
      const { content } = where.state.get(stateKey('m.room.member', user)) ?? {}
      const isShown = content?.displayname === displayname && content?.avatar_url === picture
      if (content?.membership === 'join' && !isShown) member(where, user, user, 'join')
    }
  }

  const state = {
    serverName, users, tokens, rooms, aliases, media, stream, listeners, append, room, joined, now: clock.now, token: chance.token,

    addUser (id: string, displayname?: string): HsUser {
      const user: HsUser = { id, displayname: displayname ?? id.slice(1, id.indexOf(':')), devices: new Set(), accountData: new Map() }
      users.set(id, user)
      return user
    },

    login (user: string): string {
      const token = chance.token(16)
      tokens.set(token, user)
      return token
    },

    resolve (idOrAlias: string): string {
      if (!idOrAlias.startsWith('#')) return idOrAlias
      const id = aliases.get(idOrAlias)
      if (id === undefined) throw new HsError(404, 'M_NOT_FOUND', 'Room alias not found')
      return id
    },

    /**
     * A room as somebody may read it: all of it if they are in it, up to their leaving if they were. As on Synapse, a banned user reads nothing.
     */
    readable (id: string, user: string): HsRoom {
      const found = rooms.get(id)
      const own = found?.state.get(stateKey('m.room.member', user))
      if (!found || own?.content.membership !== 'leave') return joined(id, user)
      const seen = found.events.slice(0, found.index.get(own.event_id)! + 1)
      const entries = seen.filter(event => event.state_key !== undefined)
      const then = new Map(entries.map(event => [stateKey(event.type, event.state_key!), event]))
      return { ...found, events: seen, state: then }
    },

    /** `called`: its id. */
    createRoom (creator: string, options: Json, called?: string): HsRoom {
      const version = String(options.room_version ?? '12')
      const alias = typeof options.room_alias_name === 'string' ? `#${options.room_alias_name}:${serverName}` : undefined
      if (alias !== undefined && aliases.has(alias)) throw new HsError(400, 'M_ROOM_IN_USE', 'Room alias already taken')
      const invited = Array.isArray(options.invite) ? options.invite as string[] : []
      const trusted = options.preset === 'trusted_private_chat'
      const tail = chance.token(18)
      const made: HsRoom = {
        id: called ?? (Number(version) >= 12 ? `!${tail}` : `!${tail}:${serverName}`), version, creator,
        events: [], index: new Map(), state: new Map(), typists: new Set(), receipts: new Map()
      }
      rooms.set(made.id, made)
      const set = (type: string, content: Json, key = ''): HsEvent =>
        append(made, { type, sender: creator, state_key: key, content })
      const creators = Number(version) >= 12 && trusted ? { additional_creators: invited } : {}
      set('m.room.create', { ...object(options.creation_content), ...creators, room_version: version })
      member(made, creator, creator, 'join')
      const ops = Object.fromEntries(trusted ? invited.map(who => [who, 100]) : [])
      set('m.room.power_levels', {
        users: Number(version) >= 12 ? {} : { [creator]: 100, ...ops }, users_default: 0, events_default: 0, state_default: 50,
        ban: 50, kick: 50, redact: 50, invite: 0, historical: 100,
        events: { 'm.room.power_levels': 100, 'm.room.tombstone': Number(version) >= 12 ? 150 : 100, 'm.room.encryption': 100 },
        ...object(options.power_level_content_override)
      })
      set('m.room.join_rules', { join_rule: options.preset === 'public_chat' ? 'public' : 'invite' })
      const initial = Array.isArray(options.initial_state) ? options.initial_state as Json[] : []
      if (alias !== undefined && initial.every(({ type }) => type !== 'm.room.canonical_alias')) set('m.room.canonical_alias', { alias })
      for (const entry of initial) {
        set(String(entry.type), object(entry.content), String(entry.state_key ?? ''))
      }
      if (typeof options.name === 'string') set('m.room.name', { name: options.name })
      if (alias !== undefined) aliases.set(alias, made.id)
      for (const who of invited) state.invite(made.id, creator, who, options.is_direct === true ? { is_direct: true } : {})
      return made
    },

    upgrade (id: string, sender: string, version: string): HsRoom {
      const old = joined(id, sender)
      const rule = old.state.get(stateKey('m.room.join_rules', ''))?.content.join_rule
      const made = state.createRoom(sender, {
        room_version: version, preset: rule === 'public' ? 'public_chat' : 'private_chat',
        creation_content: { predecessor: { room_id: id } }
      })
      state.setState(id, sender, 'm.room.tombstone', '', { body: 'replaced', replacement_room: made.id })
      for (const [alias, target] of aliases) if (target === id) aliases.set(alias, made.id)
      return made
    },

    join (id: string, user: string): HsRoom {
      const target = room(id)
      const now = membership(target, user)
      if (now === 'join') return target
      showProfile(user)
      const { join_rule: rule, allow } = object(target.state.get(stateKey('m.room.join_rules', ''))?.content)
      const allowed = rule === 'public' || (rule === 'restricted' && Array.isArray(allow) && (allow as Json[]).some(entry =>
        rooms.has(String(entry.room_id)) && membership(rooms.get(String(entry.room_id))!, user) === 'join'))
      if (now === 'ban' || (!allowed && now !== 'invite')) throw new HsError(403, 'M_FORBIDDEN', 'You are not invited.')
      member(target, user, user, 'join')
      return target
    },

    invite (id: string, sender: string, target: string, more: Json = {}): void {
      const where = joined(id, sender)
      need(where, sender, 'invite', 0)
      if (membership(where, target) === 'join') throw new HsError(403, 'M_FORBIDDEN', `${target} is already in the room.`)
      if (membership(where, target) === 'ban') throw new HsError(403, 'M_FORBIDDEN', `${target} is banned`)
      member(where, sender, target, 'invite', more)
    },

    leave (id: string, user: string, reason?: unknown): void {
      const where = room(id)
      if (membership(where, user) !== 'leave') member(where, user, user, 'leave', typeof reason === 'string' ? { reason } : {})
    },

    kick (id: string, sender: string, target: string, to = 'leave', reason?: unknown): void {
      const where = joined(id, sender)
      need(where, sender, 'kick', 50)
      member(where, sender, target, to, typeof reason === 'string' ? { reason } : {})
    },

    send (id: string, sender: string, type: string, content: Json, ts?: number): HsEvent {
      if (JSON.stringify(content).length > EVENT_CHARS_MAX) throw new HsError(413, 'M_TOO_LARGE', 'event too large')
      const where = joined(id, sender)
      need(where, sender, 'events_default', 0, type)
      if (type === 'm.reaction') isNew(where, sender, content)
      beginsThread(where, content)
      const sent = append(where, { type, sender, content, ...(ts === undefined ? {} : { ts }) })
      showProfile(sender)
      return sent
    },

    setState (id: string, sender: string, type: string, key: string, content: Json): HsEvent {
      const where = joined(id, sender)
      if (type === 'm.room.member') {
        if (content.membership === 'join' && key === sender) { // how somebody is called and looks in this room alone, until their profile changes
          const now = where.state.get(stateKey(type, key))
          return isDeepStrictEqual(now?.content, content) ? now! : append(where, { type, sender, state_key: key, content: { ...content } })
        }
        if (content.membership !== 'invite') throw new HsError(400, 'M_UNKNOWN', 'only invitations are practised')
        state.invite(id, sender, key, content)
        return where.state.get(stateKey(type, key))!
      }
      need(where, sender, 'state_default', 50, type)
      if (type === 'm.room.power_levels' && creatorsOf(where).some(creator => String(creator) in object(content.users))) {
        throw new HsError(400, 'M_BAD_JSON', 'creators cannot be in power_levels')
      }
      const before = where.state.get(stateKey(type, key))
      if (before && JSON.stringify(before.content) === JSON.stringify(content)) return before
      return append(where, { type, sender, state_key: key, content })
    },

    redact (id: string, sender: string, target: string, reason?: unknown): HsEvent {
      const where = joined(id, sender)
      const index = where.index.get(target)
      if (index === undefined) throw new HsError(404, 'M_NOT_FOUND', 'no such event')
      const event = where.events[index]!
      if (event.sender !== sender && powerOf(where, sender) < 50) throw new HsError(403, 'M_FORBIDDEN', 'not yours to redact')
      event.content = {}
      const content: Json = { redacts: target, ...(typeof reason === 'string' ? { reason } : {}) }
      const redaction = append(where, { type: 'm.room.redaction', sender, content, redacts: target })
      event.unsigned = { ...event.unsigned, redacted_because: redaction }
      return redaction
    },

    setProfile (user: string, field: 'displayname' | 'avatar_url', value: string): void {
      const profile = users.get(user)
      if (!profile) throw new HsError(404, 'M_NOT_FOUND', 'no such user')
      profile[field] = value
      unshown.add(user)
      later(() => showProfile(user))
    }
  }
  return state
}
