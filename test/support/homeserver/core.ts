/**
 * The practice homeserver without a wire: one request in, one answer out. Over HTTP it is test/support/homeserver.ts, in simulated time
 * test/simulation/homeserver.ts. `toPush` is told of every event that concerns the application service, in order.
 */
import type { Readable } from 'node:stream'
import type { Chance } from '../../../src/lib/chance'
import type { Clock } from '../../../src/lib/clock'
import { makeKeys } from './keys'
import { makeRoutes, type Answer, type Call, type Registration, type Remembered, type RouteWorld } from './routes'
import { HsError, makeState, type HsEvent, type Json } from './state'
import { TIMELINE_MAX } from './sync'

export interface CoreOptions {
  serverName: string; registration: Registration; uploadBytesMax?: number; timelineMax?: number
  clock?: Pick<Clock, 'now'>; chance?: Pick<Chance, 'token'>
  later?: (run: () => void) => void // when rooms show a new profile
  ping: RouteWorld['ping']
  knowsKeys?: boolean // of encryption
  toPush (event: HsEvent): void
  /** The same for signals, which nobody gets who does not ask for them. */
  toSignal? (signal: Json): void
}

/** `url`: the path with its query. */
export interface Asked { method: string; url: string; headers: Call['headers']; json: () => Promise<Json>; stream: Readable }

const PREFIX = /^\/_matrix\/(?:client\/(?:v3|r0|v1|unstable)|media\/v3)\//

export const makeCore = ({
  serverName, registration, uploadBytesMax = 50 * 2 ** 20, timelineMax = TIMELINE_MAX, clock, chance, later, ping, knowsKeys = false, toPush,
  toSignal = () => {}
}: CoreOptions) => {
  const state = makeState(serverName, clock, chance, later)
  const namespaces = (registration.namespaces.users ?? []).map(entry => new RegExp(`^(?:${entry.regex})`))
  const bot = `@${registration.sender_localpart}:${serverName}`
  const isOurs = (user: string): boolean => user === bot || namespaces.some(regex => regex.test(user))
  state.addUser(bot)
  const members = new Map<string, Set<string>>() // the application service's users in each room
  const interesting = ({ sender, state_key: key = '', room_id: room }: HsEvent): boolean => isOurs(sender) || isOurs(key) ||
    (members.get(room)?.size ?? 0) > 0
  state.listeners.add(event => {
    if (event.type === 'm.room.member' && isOurs(event.state_key ?? '')) {
      const present = members.get(event.room_id) ?? new Set()
      members.set(event.room_id, present)
      if (event.content.membership === 'join') present.add(event.state_key!); else present.delete(event.state_key!)
    }
    if (interesting(event)) toPush(event)
  })
  const keys = knowsKeys ? makeKeys(state) : undefined
  const fleeting: Remembered = new Map()
  const route = makeRoutes({ state, registration, isOurs, remembered: new Map(), fleeting, uploadBytesMax, timelineMax, ping, keys,
    signal (type, room, content) {
      if (registration.receive_ephemeral === true && (members.get(room)?.size ?? 0) > 0) toSignal({ type, room_id: room, content })
    },
    presence (sender, content) { if (registration.receive_ephemeral === true) toSignal({ type: 'm.presence', sender, content }) }
  })

  const authorize = (call: Call, open: boolean): void => {
    const token = String(call.headers.authorization ?? '').replace(/^Bearer /, '')
    if (token === registration.as_token) {
      call.service = true
      call.user = call.query.get('user_id') ?? bot
      if (!isOurs(call.user)) throw new HsError(403, 'M_FORBIDDEN', 'Application service cannot masquerade as this user.')
      if (!open && !state.users.has(call.user)) throw new HsError(403, 'M_FORBIDDEN', 'this user is not registered')
      const device = call.query.get('device_id')
      if (device !== null && !state.users.get(call.user)?.devices.has(device)) {
        throw new HsError(400, 'M_UNKNOWN_DEVICE', 'Application service trying to use a device that doesn\'t exist')
      }
      call.device = device ?? undefined
      return
    }
    const user = state.tokens.get(token)
    if (user === undefined && !open) throw new HsError(401, token === '' ? 'M_MISSING_TOKEN' : 'M_UNKNOWN_TOKEN', 'Invalid token')
    call.user = user ?? ''
    call.device = 'D'
  }

  return {
    state, keys, bot, isOurs,
    /** What it holds in memory is gone, what it holds on disk is not. */
    restart (): void { fleeting.clear() },
    async answer ({ method, url, headers, json, stream }: Asked): Promise<Answer> {
      try {
        const [path, search] = url.split('?') as [string, string | undefined]
        const short = path === '/_matrix/client/versions' ? 'versions' : path.replace(PREFIX, '')
        const match = short === path ? 404 : route(method, short)
        if (typeof match === 'number') throw new HsError(match, 'M_UNRECOGNIZED', 'Unrecognized request')
        const call: Call = {
          params: match.params, query: new URLSearchParams(search), user: '', device: undefined, service: false, json, stream, headers
        }
        authorize(call, match.open)
        return await match.handler(call)
      } catch (error) {
        const { status, errcode, message, extra } = error instanceof HsError ? error : new HsError(500, 'M_UNKNOWN', String(error))
        return { status, json: { errcode, error: message, ...extra } }
      }
    }
  }
}
