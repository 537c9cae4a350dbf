/** Hands the messages of an account on, and remembers how far in its archive all are done with. */
import { type Element, owned } from '../wire/xml'
import type { WriteBehind } from '../write-behind'
import { makeInOrder } from './in-order'

const PASSED_MAX = 10_000 // ids that a second look knows again
export const READ = 'read' // in the notes: archive id of the last message that is done with

export type Take = (message: Element, done: () => void) => void

export type Passing = ReturnType<typeof makePassing>

export const makePassing = (notes: WriteBehind, take: Take) => {
  const underWay = new Map<string, (() => void)[]>() // by archive id
  const passed = new Set<string>() // archive ids of this session
  const keep = (): void => {
    const reached = order.reached()
    if (reached !== undefined) notes.set(READ, reached)
  }
  let order = makeInOrder<string | undefined>(notes.get(READ), keep)

  return {
    reached: () => order.reached(),
    knows: (id: string) => passed.has(id),
    forget () { passed.clear() },
    begin (id: string) { order = makeInOrder<string | undefined>(id, keep) },
    skip (id: string) { order.add(owned(id))() },
    /** `id`: in the archive. A message that comes again while it is being stored waits for that. */
    pass (message: Element, id: string | undefined, done: () => void) {
      if (id === undefined) return take(message, done)
      const before = underWay.get(id)
      if (before !== undefined) return void before.push(done)
      const all = [done]
      const name = owned(id)
      const reached = order.add(name)
      if (passed.size < PASSED_MAX) passed.add(name)
      underWay.set(name, all)
      take(message, () => {
        underWay.delete(name)
        reached()
        for (const one of all) one()
      })
    }
  }
}
