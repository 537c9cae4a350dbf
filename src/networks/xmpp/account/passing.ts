/**
 * Hands the messages of an account on, and remembers how far in its archive all are done with, and which were the last before that. Servers give
 * a message its id before they put it into the archive, so on a busy one an older id may come there after a newer one was read. Whoever reads
 * begins before the last ones, therefore, and leaves out those that are known. The id alone does not tell which these are: ejabberd's is the
 * microsecond, in which two people may write.
 */
import { createHash } from 'node:crypto'
import { bareOf } from '../names'
import { type Element, owned } from '../wire/xml'
import type { WriteBehind } from '../write-behind'
import { makeInOrder } from './in-order'

const PASSED_MAX = 10_000 // names that a second look knows again
const LATE_MAX = 256 // messages by which one may be late in the archive
const RECENT_MAX = 2 * LATE_MAX // one that was late stands behind those that it was before, and reading may begin with it
const RECENT = 'recent' // in the notes: the names of the last of these, oldest first, after where the very first login began
const SAME_CHARACTERS = 8 // tell apart what has one archive id
export const READ = 'read' // in the notes: archive id of the last message that is done with

export type Take = (message: Element, done: () => void) => void

/** By which a message in the archive is known again: its id there, and whose message it is. */
export const nameOf = (id: string, { attrs: { from = '', id: own = '' } }: Element): string =>
  owned(`${id}\t${createHash('sha256').update(`${bareOf(from)} ${own}`).digest('base64url').slice(0, SAME_CHARACTERS)}`)

/** The archive id in a name, or in a mere id: where the very first login began. */
const idIn = (name: string): string => name.includes('\t') ? name.slice(0, -SAME_CHARACTERS - 1) : name

export type Passing = ReturnType<typeof makePassing>

export const makePassing = (notes: WriteBehind, take: Take) => {
  const underWay = new Map<string, (() => void)[]>() // by name
  const passed = new Set<string>() // in this session, and what was known before it
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
    notes.set(READ, idIn(reached))
    notes.set(RECENT, [...recent].join('\n'))
  }

  const add = (name: string): () => void => {
    if (behind.length < PASSED_MAX) behind.push(name)
    return order.add(name)
  }

  const see = (name: string): void => { if (passed.size < PASSED_MAX) passed.add(name) }

  let order = makeInOrder<string | undefined>(notes.get(READ), keep)
  const reached = (): string | undefined => {
    const name = order.reached()
    return name === undefined ? undefined : idIn(name)
  }

  return {
    reached,
    /** Where to begin reading, so that nothing is missed that was late. */
    before (): string | undefined {
      const [first] = [...recent].slice(-LATE_MAX)
      return first === undefined ? reached() : idIn(first)
    },
    isDone: (name: string) => recent.has(name),
    /** So that it is known in this session, whatever comes after it. */
    see,
    knows: (name: string) => passed.has(name) || recent.has(name),
    forget () { passed.clear() },
    begin (id: string) {
      order = makeInOrder<string | undefined>(id, keep)
      behind = []
      recent.add(id)
    },
    skip (name: string) { add(name)() },
    /** `id`: in the archive. A message that comes again while it is being stored waits for that. */
    pass (message: Element, id: string | undefined, done: () => void) {
      if (id === undefined) return take(message, done)
      const name = nameOf(id, message)
      const before = underWay.get(name)
      if (before !== undefined) return void before.push(done)
      const all = [done]
      const isPast = add(name)
      see(name)
      underWay.set(name, all)
      take(message, () => {
        underWay.delete(name)
        isPast()
        for (const one of all) one()
      })
    }
  }
}
