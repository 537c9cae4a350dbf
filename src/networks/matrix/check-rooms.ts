/**
 * Matrix rooms in `zentrale check`. For each room of a mirror: does it exist, is it encrypted or replaced, are we in it or may we enter? For
 * new rooms, such as a team's: does the homeserver encrypt them by default?
 */
import { type Answer, ask } from '../../lib/ask'
import type { Clock } from '../../lib/clock'
import { type Finding, runProbe, Wrong } from '../../settings/probe'
import type { MatrixConfig } from '.'
import { UNENCRYPTED } from './rooms/team-rooms'

type Json = Record<string, unknown>

const bodyOf = ({ body }: Answer): Json => typeof body === 'object' && body !== null ? body as Json : {}

type Homeserver = Pick<MatrixConfig, 'homeserverUrl' | 'domain' | 'registration'>

/** Calls a path below /_matrix/client/ as Zentrale's own user: with POST if there is a body, else with GET. */
const caller = ({ homeserverUrl, registration }: Homeserver, clock: Clock) => (path: string, json?: object): Promise<Answer> =>
  ask(clock, `${homeserverUrl}/_matrix/client/${path}`, { token: registration.as_token, ...json && { method: 'POST' as const, json } })

type Call = ReturnType<typeof caller>

const roomOf = async (call: Call, place: string): Promise<string> => {
  if (!place.startsWith('#')) return place
  const answer = await call(`v3/directory/room/${encodeURIComponent(place)}`)
  if (answer.status === 200) return String(bodyOf(answer)['room_id'])
  throw new Wrong('there is no such room', 'Make the room, or give this alias to an existing one (Element: room settings, local addresses)')
}

const numberAt = (value: unknown, path: string[], otherwise: number): number => {
  const found = path.reduce<unknown>((at, key) => (at as Json | undefined)?.[key], value)
  return typeof found === 'number' ? found : otherwise
}

const MODERATOR = 50

/** In an invite-only room, the bot must invite the ghost of everybody who writes from elsewhere (CS API §m.room.power_levels). */
const mayInvite = async (call: Call, room: string, bot: string): Promise<void> => {
  const rule = bodyOf(await call(`v3/rooms/${room}/state/m.room.join_rules/`))['join_rule']
  if (rule === 'public') return
  const levels = bodyOf(await call(`v3/rooms/${room}/state/m.room.power_levels/`))
  const mine = numberAt(levels, ['users', bot], numberAt(levels, ['users_default'], 0))
  const needed = numberAt(levels, ['invite'], 0)
  if (mine < needed) {
    throw new Wrong(`is for invited people, and ${bot} may not invite (its power is ${mine}; it needs ${needed})`,
      `Give ${bot} the power ${Math.max(needed, MODERATOR)} in the room's settings, or make the room public`)
  }
}

/** We are not in the room, so only its summary can tell more (CS API §Room summary). Older homeservers have none. */
const mayEnter = async (call: Call, room: string, bot: string, mayBeEncrypted: boolean): Promise<string> => {
  const answer = await call(`v1/room_summary/${room}`)
  const { membership, join_rule: rule, encryption } = bodyOf(answer)
  if (answer.status === 200 && encryption !== undefined && !mayBeEncrypted) throw encrypted()
  if (membership === 'ban') throw new Wrong(`has banned ${bot}`, `Lift the ban on ${bot} and invite it`)
  if (membership === 'invite') return `has invited ${bot}, which enters when Zentrale starts`
  if (answer.status === 200 && rule === 'public') return 'is public; Zentrale enters when it starts'
  throw new Wrong(`${bot} is not in it`, `Invite ${bot} to the room. If it was invited already, Zentrale enters when it starts`)
}

const encrypted = (): Wrong => new Wrong('is encrypted and cannot be mirrored',
  'Encryption cannot be switched off in a room: make a new one without it, invite people there, and write its address here. Or write ' +
  'allow_encrypted: true in the mirror: then Zentrale reads what is said there, and the other places show it without encryption')

const look = async (call: Call, place: string, bot: string, mayBeEncrypted: boolean): Promise<string> => {
  const room = encodeURIComponent(await roomOf(call, place))
  const state = await call(`v3/rooms/${room}/state/m.room.encryption/`)
  const isOn = state.status === 200
  if (isOn && !mayBeEncrypted) throw encrypted()
  const member = `v3/rooms/${room}/state/m.room.member/${encodeURIComponent(bot)}`
  const isIn = (isOn || state.status === 404) && bodyOf(await call(member))['membership'] === 'join'
  if (!isIn) return await mayEnter(call, room, bot, mayBeEncrypted)
  if ((await call(`v3/rooms/${room}/state/m.room.tombstone/`)).status === 200 && !place.startsWith('#')) {
    throw new Wrong('was replaced by another room', 'Write the room\'s alias instead of its id: the alias leads to the newest room')
  }
  await mayInvite(call, room, bot)
  return `is there, ${isOn ? 'encrypted (which the mirror allows)' : 'not encrypted'}, and Zentrale is in it`
}

export const checkRooms = async (homeserver: Homeserver, rooms: string[], clock: Clock, mayBeEncrypted: string[] = []): Promise<Finding[]> => {
  const bot = `@${homeserver.registration.sender_localpart}:${homeserver.domain}`
  const findings: Finding[] = []
  for (const id of rooms) {
    findings.push(await runProbe(`Matrix room ${id}`, () => look(caller(homeserver, clock), id, bot, mayBeEncrypted.includes(id))))
  }
  return findings
}

const WHERE = 'encryption_enabled_by_default_for_room_type in homeserver.yaml'

/** Whether the homeserver encrypts a new room (Synapse does so if configured). No API tells, so this makes one, and leaves and forgets it. */
const isMadeEncrypted = async (call: Call, options: Json): Promise<boolean> => {
  const made = await call('v3/createRoom', options)
  const { room_id: id, errcode } = bodyOf(made)
  if (made.status !== 200) throw new Wrong(`cannot be made (HTTP ${made.status} ${String(errcode)})`, 'Look into the homeserver\'s log')
  const room = `v3/rooms/${encodeURIComponent(String(id))}`
  const { status } = await call(`${room}/state/m.room.encryption/`)
  await call(`${room}/leave`, {})
  await call(`${room}/forget`, {})
  return status === 200
}

/** Needed only with function addresses: we make rooms for their teams, and contacts start direct chats. */
export const checkNewRooms = async (homeserver: Homeserver, clock: Clock): Promise<Finding> => {
  const call = caller(homeserver, clock)
  let mild = false
  const found = await runProbe('New Matrix rooms', async () => {
    const all = await isMadeEncrypted(call, UNENCRYPTED)
    mild = all || await isMadeEncrypted(call, { preset: 'private_chat' })
    if (!mild) return 'are not encrypted by default'
    const teams = all ? 'Those of the team are too, whatever the config says, and Zentrale reads them and encrypted chats with an address'
      : 'Those of the team are so only if the config says so, and Zentrale reads encrypted chats with an address'
    throw new Wrong(`are ${all ? 'all encrypted by default' : 'encrypted by default if they are for invited people'}`,
      `${teams}. But rooms that people of this server make are encrypted, and are mirrored only with allow_encrypted. Write that in the mirror, ` +
      `set ${WHERE} to off, or tell people to switch encryption off when they make one`)
  })
  return mild ? { ...found, mild } : found
}
