/** What is read because it was not pushed, or because more was pushed than can be taken. */
import type { Clock } from '../../lib/clock'
import type { Place } from '../../model/address'
import { Unavailable } from '../../model/errors'
import type { Aside } from './aside'
import { catchUp, isComing, isMarked, READ_BACK_MS, type CatchUpWorld, type Reader, type ReadUpTo } from './catchup'
import type { Direct } from './direct'
import type { Rooms } from './rooms'

export interface Reading {
  /**
   * Reads what may have been missed: in direct chats where the homeserver says that something happened; elsewhere always, because
   * Synapse answers the bot no /sync. `known` is up to where was read before; resolves with the same for the next time.
   */
  readNews (known: ReadUpTo[]): Promise<ReadUpTo[]>
  /** From crowded rooms nothing more is taken as it comes. Throws if of one it cannot be known from where to read on. */
  setAside (crowded: Iterable<string>): Promise<void>
}

interface Parts { rooms: Rooms; direct: Direct; aside: Aside; clock: Clock; bot: string; isMadeByUs (place: Place): boolean; world (): CatchUpWorld }

export const makeReading = ({ rooms, direct, aside, clock, bot, isMadeByUs, world }: Parts): Reading => {
  const readBy = (as: string): Reader => ({ as, notBefore: clock.now() - READ_BACK_MS })
  const withReader = (one: ReadUpTo): ReadUpTo => isMadeByUs(one.place) ? { ...one, by: readBy(bot) } : one

  return {
    async readNews (known) {
      const chats = await direct.look()
      const { memory } = world()
      const all = [...rooms.all().map(withReader), ...chats.rooms].filter(({ room }) => !aside.has(room) && !rooms.isOut(room))
      const before = known.filter(({ room }) => !isComing(memory, room))
      const read = await catchUp(world(), all.map(one => before.find(({ room }) => room === one.room) ?? one))
      for (const one of read) if (one.crowded) aside.read(one)
      chats.keep()
      return read.filter(({ crowded }) => !crowded)
    },
    async setAside (crowded) {
      const { inbox, memory } = world()
      const all: ReadUpTo[] = []
      for (const room of crowded) {
        const chat = direct.of(room)
        const attended = rooms.all().find(one => one.room === room)
        const one = chat ? { place: chat.place, room, by: readBy(chat.ours) } : attended && withReader(attended)
        if (one === undefined || (one.by === undefined && !isMarked(memory, room) && await inbox.lastKey(one.place) === undefined)) {
          throw new Unavailable('a room is crowded, and nothing from it is stored yet')
        }
        all.push(one)
      }
      all.forEach(aside.read)
    }
  }
}
