/**
 * What the auditor must hear of the real adapter beside what its server sees: when it begins to send, and when it says of what people
 * said that it is stored. What it accepts that nobody said, and what it puts into quarantine, is a violation.
 */
import { messageOf } from '../../src/model/errors'
import type { Arrival, Delivery } from '../../src/model/message'
import type { Inbox, Memory, Network } from '../../src/model/network'
import { never, type Life } from './life'
import type { Room } from './room'
import { CAN } from './town'
import { acknowledge, type World } from './world'

/** The adapter's words for a message that it wrote and whose fate it does not know. */
const OPEN = 'the room has not shown the message'
/** Where it remembers up to where it has read a room, from the end of its first visit on. */
const READ = 'read '

export interface Watch {
  network (life: Life, real: Network): Network
  memory (life: Life, memory: Memory): Memory
  /** What was said in a room before the bridge has been in it once is not its to carry, so people wait for that. */
  whenBegun (room: string, say: () => void): void
  /** Rooms in which somebody waits to speak. */
  readonly waiting: number
}

export const makeWatch = (world: World, roomAt: (id: string) => Room): Watch => {
  const { auditor, note } = world
  const begun = new Set<string>()
  const unsaid = new Map<string, (() => void)[]>()

  const begin = (id: string): void => {
    begun.add(id)
    for (const say of unsaid.get(id) ?? []) say()
    unsaid.delete(id)
  }

  const heard = ({ key, place }: Arrival): void => {
    const utterance = roomAt(place.id).archive.find(({ id }) => `${place.id} ${id}` === key)?.utterance
    if (utterance === undefined) auditor.violation('I6', `nobody said ${key}`)
    else acknowledge(world, utterance)
  }

  /** Everything up to there is stored, as it says itself. */
  const heardUpTo = (id: string, last: string | undefined): void => {
    const { archive } = roomAt(id)
    const end = archive.findIndex(item => `${id} ${item.id}` === last)
    for (const { utterance } of archive.slice(0, end + 1)) if (utterance !== undefined) acknowledge(world, utterance)
  }

  const inboxOf = (life: Life, inbox: Inbox): Inbox => ({
    ...inbox,
    async accept (arrival) {
      const answer = await life.through(() => inbox.accept(arrival))
      heard(arrival)
      return answer
    },
    async lastKey (place) {
      const last = await life.through(() => inbox.lastKey(place))
      heardUpTo(place.id, last)
      return last
    },
    quarantine: async (_, raw, why) => auditor.violation('bug', `to quarantine: ${why.message} ${raw}`)
  })

  /** Whether a room of ours is as it was to be. */
  const isMade = ({ place, action }: Delivery): boolean => {
    if (action.kind !== 'room') return false
    const room = roomAt(place.id)
    return room.isClosed && action.room.people.every(jid => room.affiliationOf(jid) !== 'none')
  }

  return {
    network: (life, real) => ({
      ...real, can: { ...real.can, textBytesMax: CAN[real.name]!.textBytesMax },
      start: inbox => real.start(inboxOf(life, inbox)),
      async send (delivery, signal) {
        if (!life.cross()) return never()
        auditor.began(delivery)
        try {
          const sent = await real.send(delivery, signal)
          if (isMade(delivery)) auditor.took(delivery.key)
          return sent
        } catch (error) {
          if (!life.alive) return never()
          note(`${delivery.key} not sent: ${messageOf(error)}`)
          if (messageOf(error) === OPEN) auditor.ambiguous(delivery)
          throw error
        }
      }
    }),
    memory (life, memory) {
      for (const id of unsaid.keys()) if (memory.get(READ + id) !== undefined) begin(id)
      return {
        ...memory,
        async set (key, value) {
          await life.through(() => memory.set(key, value))
          if (key.startsWith(READ)) begin(key.slice(READ.length))
        }
      }
    },
    whenBegun (room, say) {
      if (begun.has(room)) return say()
      unsaid.set(room, [...unsaid.get(room) ?? [], say])
    },
    get waiting () { return unsaid.size }
  }
}
