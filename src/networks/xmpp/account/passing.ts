/**
 * Hands the messages of an account on, and remembers how far in its archive all are done with, and which were the last before that. Servers give
 * a message its id before they put it into the archive, so on a busy one an older id may come there after a newer one was read. Whoever reads
 * begins before the last ones, therefore, and leaves out those that are known.
 */
import { type Element, owned } from '../wire/xml'
import type { WriteBehind } from '../write-behind'
import { makeInOrder } from './in-order'

const PASSED_MAX = 10_000 // ids that a second look knows again
const RECENT_MAX = 256 // messages by which one may be late in the archive
const RECENT = 'recent' // in the notes: the archive ids of the last of these, oldest first, after where the very first login began
export const READ = 'read' // in the notes: archive id of the last message that is done with

export type Take = (message: Element, done: () => void) => void

export type Passing = ReturnType<typeof makePassing>

export const makePassing = (notes: WriteBehind, take: Take) => {
  const underWay = new Map<string, (() => void)[]>() // by archive id
  const passed = new Set<string>() // archive ids of this session
  const recent = new Set(notes.get(RECENT)?.split('\n')) // '': before everything
  let behind: string[] = [] // in order: what is not done with, and what came after that

  const keep = (): void => {
    const reached = order.reached()
    if (reached === undefined) return
    for (const id of behind.splice(0, behind.indexOf(reached) + 1)) {
      recent.delete(id)
      recent.add(id)
    }
    for (const id of [...recent].slice(0, -RECENT_MAX)) recent.delete(id)
    notes.set(READ, reached)
    notes.set(RECENT, [...recent].join('\n'))
  }

  const add = (id: string): () => void => {
    if (behind.length < PASSED_MAX) behind.push(id)
    return order.add(id)
  }

  let order = makeInOrder<string | undefined>(notes.get(READ), keep)

  return {
    reached: () => order.reached(),
    /** Where to begin reading, so that nothing is missed that was late. */
    before: () => [...recent][0] ?? order.reached(),
    isDone: (id: string) => recent.has(id),
    knows: (id: string) => passed.has(id) || recent.has(id),
    forget () { passed.clear() },
    begin (id: string) {
      order = makeInOrder<string | undefined>(id, keep)
      behind = []
      recent.add(id)
    },
    skip (id: string) { add(owned(id))() },
    /** `id`: in the archive. A message that comes again while it is being stored waits for that. */
    pass (message: Element, id: string | undefined, done: () => void) {
      if (id === undefined) return take(message, done)
      const before = underWay.get(id)
      if (before !== undefined) return void before.push(done)
      const all = [done]
      const name = owned(id)
      const reached = add(name)
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
