/**
 * Which message somebody means when they correct it or take it back: what its writer's app called it, to the key of its arrival.
 * Promises: the newest KEPT_MAX of all are known over a restart, less what the notebook lost; what is asked for by another writer is not found.
 */
import type { Notebook } from './notebook'
import { owned } from './xml'

const KEPT_MAX = 20_000 // messages, over all rooms and chats
const PASSING_MAX = 5_000

type Kept = [number: number, name: string, key: string]

export interface Originals {
  find (place: string, writer: string, id: string): string | undefined
  /** `passing`: who the writer is, is known only as long as they stay. */
  put (place: string, writer: string, id: string, key: string, passing?: boolean): void
  /** It was not taken after all. */
  remove (place: string, writer: string, id: string): void
  /** Nobody is that writer any more; without one, none of those in this place that were passing. */
  drop (place: string, writer?: string): void
}

const nameOf = (place: string, writer: string, id: string): string => JSON.stringify([place, writer, id])

export const makeOriginals = (notes: Pick<Notebook, 'get' | 'set'>): Originals => {
  const kept = Array.from({ length: KEPT_MAX }, (_, slot) => notes.get(`said ${slot}`))
    .flatMap(value => value === undefined ? [] : [JSON.parse(value) as Kept]).sort(([one], [other]) => one - other)
  const known = new Map(kept.map(([, name, key]) => [name, key]))
  const passing = new Map<string, string>()
  let number = (kept.at(-1)?.[0] ?? -1) + 1

  const keep = (name: string, key: string): void => {
    known.delete(name)
    known.set(name, key)
    if (known.size > KEPT_MAX) known.delete(known.keys().next().value as string)
    notes.set(`said ${number % KEPT_MAX}`, JSON.stringify([number, name, key] satisfies Kept))
    number++
  }

  return {
    find (place, writer, id) {
      const name = nameOf(place, writer, id)
      return known.get(name) ?? passing.get(name)
    },
    put (place, writer, id, key, isPassing = false) {
      const name = owned(nameOf(place, writer, id))
      if (!isPassing) return keep(name, owned(key))
      passing.delete(name)
      passing.set(name, owned(key))
      if (passing.size > PASSING_MAX) passing.delete(passing.keys().next().value as string)
    },
    remove (place, writer, id) { known.delete(nameOf(place, writer, id)) },
    drop (place, writer) {
      const start = JSON.stringify(writer === undefined ? [place] : [place, writer]).slice(0, -1) + ','
      for (const name of passing.keys()) if (name.startsWith(start)) passing.delete(name)
    }
  }
}
