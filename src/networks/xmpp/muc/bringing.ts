/**
 * Brings the ghosts of those who are at the other places of a mirror into its rooms, and out again.
 * Promises: they enter one after another in each room, and in few rooms at once; messages never wait for them. Nobody asks for a voice for
 * somebody who says nothing. Whoever was put out of a room comes again only to speak, or on a new visit. At most LISTED_MAX are in a room, so
 * that there is room for those who speak.
 */
import { makeRounds } from '../../../lib/rounds'
import type { Person } from '../../../model/address'
import { messageOf, Refused, Unavailable } from '../../../model/errors'
import { type MemberList, without } from '../../../model/members'
import type { World } from '../../../model/network'
import type { Stream } from '../wire/stream'
import { canRule, type Room } from './room'
import type { Rooms } from './rooms'

export const LISTED_MAX = 400
const MEMBERS_ONLY = 'muc_membersonly'
const ROOMS_AT_ONCE = 2
const AGAIN_FIRST_MS = 5_000
const AGAIN_MOST_MS = 15 * 60_000

export interface Bringing {
  members (list: MemberList): void
  /** We are in the room. */
  entered (room: Room): void
  /** Their ghosts leave all rooms, and come again for nobody who is listed now: see Network.eraseGhosts. Throws Unavailable. */
  eraseGhosts (persons: Person[]): Promise<string[]>
  stop (): void
}

export const makeBringing = (rooms: Pick<Rooms, 'of' | 'all' | 'ghosts'>, stream: Pick<Stream, 'isUp' | 'writable'>,
  { clock, chance, log }: World): Bringing => {
  const lists = new Map<string, MemberList>()

  const round = async (id: string, isOutdated: () => boolean): Promise<void> => {
    const list = lists.get(id)
    const room = rooms.of(id)
    if (list === undefined || room === undefined || !room.ready) return // we are told when we are in
    if (room.features.has(MEMBERS_ONLY) && !canRule(room)) return // whoever speaks asks for a way in
    const listed = rooms.ghosts.expect(room, { ...list, members: list.members.slice(0, LISTED_MAX) })
    for (const ghost of listed) {
      if (isOutdated() || !room.ready) return
      if (ghost.nick !== '' || room.unwanted.has(ghost.jid)) continue
      await stream.writable()
      await ghost.join().catch((error: unknown) => {
        if (!(error instanceof Refused)) throw error
        if (!room.ready) return // it has put all of us out
        room.unwanted.add(ghost.jid)
        log.info({ room: id, why: error.message }, 'a ghost may not enter the room')
      })
    }
    rooms.ghosts.partUnlisted(room)
  }

  const rounds = makeRounds({
    clock, chance, atOnce: ROOMS_AT_ONCE, firstMs: AGAIN_FIRST_MS, mostMs: AGAIN_MOST_MS,
    failed: (room, error, attempt) => log.info({ room, attempt, why: messageOf(error) }, 'not all who are elsewhere could be brought into the room')
  }, round)

  return {
    members (list) {
      lists.set(list.place.id, list)
      rounds.ask(list.place.id)
    },
    entered (room) { if (lists.has(room.place)) rounds.ask(room.place) },
    async eraseGhosts (persons) {
      if (!stream.isUp) throw new Unavailable('the component link is down', { disconnected: true })
      for (const [id, list] of lists) lists.set(id, without(list, persons))
      for (const room of rooms.all()) for (const person of persons) rooms.ghosts.forget(room, person)
      return []
    },
    stop: rounds.stop
  }
}
