/**
 * Which message somebody means when they correct it or take it back: maps the id from its writer's app to the key of its arrival.
 * Promises: the newest KEPT_MAX are known over a restart and a crash, because each is on disk no later than its message. Each room and each
 * server has its share of these, and in it each writer. A message is not found for another writer.
 */
import { makeShares, type Owner } from '../../lib/shares'
import { messageOf } from '../../model/errors'
import type { World } from '../../model/network'
import { directEnds } from './direct/place'
import { serverOf } from './names'
import { owned } from './wire/xml'

const KEPT_MAX = 20_000 // messages, over all rooms and chats
const PASSING_MAX = 5_000
const PATIENCE_MS = 1_000 // the message itself, which is stored right after it, makes the commit

type Kept = [number: number, name: string, key: string]

export interface Originals {
  find (place: string, writer: string, id: string): string | undefined
  /** `passing`: we know who the writer is only as long as they stay. */
  put (place: string, writer: string, id: string, key: string, passing?: boolean): void
  /** The message was not taken after all. */
  remove (place: string, writer: string, id: string): void
  /** Drops what a passing writer wrote: they are gone. Without `writer`, that of all passing writers in this place. */
  drop (place: string, writer?: string): void
  /** Forgets all messages of a place. */
  forget (place: string): Promise<void>
}

const nameOf = (place: string, writer: string, id: string): string => JSON.stringify([place, writer, id])

const ownerOf = (place: string, writer: string): Owner => {
  const ends = directEnds(place)
  return { group: ends === undefined ? place : serverOf(ends.theirs), owner: writer }
}

export const makeOriginals = ({ memory, log }: Pick<World, 'memory' | 'log'>): Originals => {
  const known = makeShares<{ slot: number, key: string }>(KEPT_MAX)
  const passing = makeShares<string>(PASSING_MAX)
  const free: number[] = []
  let number = 0

  const read = (): void => {
    const stored: { slot: number, kept: Kept }[] = []
    for (let slot = KEPT_MAX - 1; slot >= 0; slot--) {
      const value = memory.get(`said ${slot}`)
      if (value === undefined) free.push(slot)
      else stored.push({ slot, kept: JSON.parse(value) as Kept })
    }
    for (const { slot, kept: [at, name, key] } of stored.sort((one, other) => one.kept[0] - other.kept[0])) {
      const [place = '', writer = ''] = JSON.parse(name) as string[]
      const before = known.delete(name)
      if (before !== undefined) free.push(before.slot)
      known.put(name, ownerOf(place, writer), { slot, key })
      number = at + 1
    }
  }

  const keep = (name: string, of: Owner, key: string): void => {
    const before = known.delete(name)
    const entry = { slot: 0, key }
    const gone = known.put(name, of, entry) ?? before
    entry.slot = gone?.slot ?? free.pop()!
    memory.set(`said ${entry.slot}`, JSON.stringify([number++, name, key] satisfies Kept), PATIENCE_MS)
      .catch((error: unknown) => log.warn({ why: messageOf(error) }, 'which message an app means by its id could not be written'))
  }

  read()
  return {
    find (place, writer, id) {
      const name = nameOf(place, writer, id)
      return known.get(name)?.key ?? passing.get(name)
    },
    put (place, writer, id, key, isPassing = false) {
      const name = owned(nameOf(place, writer, id))
      const of = ownerOf(place, writer)
      if (isPassing) passing.put(name, of, owned(key))
      else keep(name, of, owned(key))
    },
    remove (place, writer, id) {
      const gone = known.delete(nameOf(place, writer, id))
      if (gone !== undefined) free.push(gone.slot)
    },
    drop (place, writer) {
      const start = JSON.stringify(writer === undefined ? [place] : [place, writer]).slice(0, -1) + ','
      for (const [name] of passing.entries()) if (name.startsWith(start)) passing.delete(name)
    },
    async forget (place) {
      const start = JSON.stringify([place]).slice(0, -1) + ','
      for (const [name, { slot }] of known.entries()) {
        if (!name.startsWith(start)) continue
        known.delete(name)
        free.push(slot)
        await memory.delete(`said ${slot}`)
      }
    }
  }
}
