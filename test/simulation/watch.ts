/** Watches the real XMPP adapter: which messages in rooms it reports as stored, and when it begins to listen in a room. */
import { messageOf } from '../../src/model/errors'
import { directEnds } from '../../src/networks/xmpp/direct/place'
import type { Place } from '../../src/model/address'
import type { Arrival, Delivery, RoomState } from '../../src/model/message'
import type { Network, World as Lent } from '../../src/model/network'
import type { Life } from './life'
import type { Omemo } from './omemo'
import { overhear } from './overhear'
import type { Room } from './room'
import { acknowledge, type World } from './world'

/** The adapter's errors for a message with an unknown outcome: in a room, and to one person. */
const OPEN = 'the room has not shown the message'
const OPEN_LETTER = /^(?:the server has not confirmed the message|no answer to a question in time|the component link is down: .*)$/
/** The adapter's memory key for how far it has read a room, after its first visit. */
const READ = 'read '

export interface Watch {
  network (life: Life, real: Network): Network
  lent (life: Life, lent: Lent): Lent
  /** The bridge need not carry messages from before its first visit to a room, so people wait for that. */
  whenBegun (room: string, say: () => void): void
  isBegun (room: string): boolean
  /** Rooms in which somebody waits to speak. */
  readonly waiting: number
}

/** `letters`: what is said one to one. */
export const makeWatch = (world: World, roomAt: (id: string) => Room, letters: () => Omemo | undefined): Watch => {
  const { auditor } = world
  const begun = new Set<string>()
  const unsaid = new Map<string, (() => void)[]>()

  const begin = (id: string): void => {
    begun.add(id)
    for (const say of unsaid.get(id) ?? []) say()
    unsaid.delete(id)
  }

  const heard = (arrival: Arrival): void => {
    const { key, kind, place } = arrival
    if (arrival.kind === 'message' && directEnds(place.id) !== undefined) letters()?.stored(arrival)
    if (kind === 'standing' || kind === 'profile' || directEnds(place.id) !== undefined) return // nobody said it, or its writer is told
    const utterance = roomAt(place.id).archive.find(({ id }) => `${place.id} ${id}` === key)?.utterance
    if (utterance === undefined) auditor.violation('I6', `nobody said ${key}`)
    else acknowledge(world, utterance)
  }

  /** The bridge itself says that everything up to `last` is stored. */
  const heardUpTo = ({ id }: Place, last: string | undefined): void => {
    const { archive } = roomAt(id)
    const end = archive.findIndex(item => `${id} ${item.id}` === last)
    for (const { utterance } of archive.slice(0, end + 1)) if (utterance !== undefined) acknowledge(world, utterance)
  }

  const mayHave = ({ place }: Delivery, error: unknown): boolean =>
    directEnds(place.id) === undefined ? messageOf(error) === OPEN : OPEN_LETTER.test(messageOf(error))

  const isMade = ({ id }: Place, { people, withdrawn }: RoomState): boolean => {
    const room = roomAt(id)
    return room.isClosed && (withdrawn !== undefined || people.every(jid => room.affiliationOf(jid) !== 'none'))
  }

  return {
    network: (life, real) => overhear(world, life, real, {
      stored: heard, storedUpTo: heardUpTo, isMade, mayHave,
      isLost: raw => letters()?.isLost(/ id='([^']*)'/.exec(raw)?.[1] ?? '') === true
    }),
    lent (life, lent) {
      const { memory, vault } = lent
      for (const id of unsaid.keys()) if (memory.get(READ + id) !== undefined) begin(id)
      return {
        ...lent,
        vault: { ...vault, change: changes => life.through(() => vault.change(changes)) },
        memory: {
          ...memory,
          async set (key, value) {
            await life.through(() => memory.set(key, value))
            if (key.startsWith(READ)) begin(key.slice(READ.length))
          }
        }
      }
    },
    whenBegun (room, say) {
      if (begun.has(room)) return say()
      unsaid.set(room, [...unsaid.get(room) ?? [], say])
    },
    isBegun: room => begun.has(room),
    get waiting () { return unsaid.size }
  }
}
