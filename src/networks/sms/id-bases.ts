/**
 * Finds the message that a receipt is about. In receipts, a gateway may write a message's id in the other number base than in its answer.
 * Then the same digits may be the id of another message. Each gateway does so always or never. We learn which from receipts that fit only
 * one of our messages, and remember it. Until then, a receipt that fits several messages, or comes while one is on its way, is kept back,
 * so that it never blames the wrong message.
 */
import type { Memory } from '../../model/network'
import { spellingsByWay, type Way } from './receipts'

const SENT_MAX = 10_000 // ids
const KEPT_BACK_MAX = 200 // receipts
const SURE_AFTER = 2 // receipts that agree
const TIMES_MAX = 5 // what was learned is forgotten after so many receipts that contradict it

/** An id in a receipt. `where` it stands: a gateway may write it in two ways in two places. `thread`: the thread of the message. */
export interface Named { id: string; where: 'parameter' | 'text'; thread: string }

export interface IdBases {
  /** A message is on its way until `submit` ends. It resolves with the gateway's id, as we remember it. */
  submitting (thread: string, submit: Promise<string | undefined>): Promise<string | undefined>
  /** Calls `tell` with the spellings under which we may know the message, best first: now, or as soon as they are known. */
  resolve (named: Named, tell: (ids: string[]) => Promise<void>): Promise<void>
}

interface Evidence { way: Way; times: number }
interface Back { named: Named; tell (ids: string[]): Promise<void> }

export const makeIdBases = (gateway: string, memory: Memory): IdBases => {
  const sent = new Set<string>() // the newest SENT_MAX of this run, each with its thread
  const submits = new Map<string, number>() // how many messages of a thread are on their way
  let back: Back[] = []

  const key = (where: Named['where']): string => `receipts ${gateway} ${where}`
  const learned = (where: Named['where']): Evidence | undefined => {
    const stored = memory.get(key(where))
    return stored === undefined ? undefined : JSON.parse(stored) as Evidence
  }
  const learn = async (where: Named['where'], way: Way): Promise<void> => {
    const before = learned(where)
    const now = before === undefined || (before.way !== way && before.times <= 1) ? { way, times: 1 }
      : { way: before.way, times: before.way === way ? Math.min(before.times + 1, TIMES_MAX) : before.times - 1 }
    await memory.set(key(where), JSON.stringify(now))
  }

  const isSure = (before: Evidence | undefined): before is Evidence => before !== undefined && before.times >= SURE_AFTER

  /** The spellings to tell; undefined if they are not known yet. */
  const decide = async ({ id, where, thread }: Named): Promise<string[] | undefined> => {
    const byWay = spellingsByWay(gateway, id)
    const fitting = [...byWay].filter(([, spelling]) => sent.has(`${thread} ${spelling}`))
    const [only, ...others] = new Set(fitting.map(([, spelling]) => spelling))
    const before = learned(where)
    if (fitting.length === 1 && !submits.has(thread)) await learn(where, fitting[0]![0])
    if (isSure(before)) return [byWay.get(before.way) ?? byWay.get('same')!]
    const all = [...new Set(byWay.values())]
    if (all.length === 1) return all
    if (others.length > 0 || submits.has(thread)) return undefined
    return only === undefined ? all : [only] // all: sent before our start
  }

  const keepBack = (one: Back): void => { back = [...back, one].slice(-KEPT_BACK_MAX) }

  const resolve = async (one: Back): Promise<void> => {
    const ids = await decide(one.named)
    if (ids === undefined) keepBack(one)
    else await one.tell(ids)
  }

  /**
   * Tries the receipts that were kept back again; once more if the later ones have taught what the earlier ones mean. What could not be
   * stored stays: the store has reported its failure itself.
   */
  const again = async (): Promise<void> => {
    const waiting = back
    let hasFailed = false
    back = []
    for (const one of waiting) await resolve(one).catch(() => { hasFailed = true; keepBack(one) })
    if (!hasFailed && back.some(({ named }) => isSure(learned(named.where)))) await again()
  }

  const ended = (thread: string): void => {
    const left = submits.get(thread)! - 1
    if (left === 0) submits.delete(thread)
    else submits.set(thread, left)
  }

  return {
    async submitting (thread, submit) {
      submits.set(thread, (submits.get(thread) ?? 0) + 1)
      try {
        const id = await submit
        if (id !== undefined) sent.add(`${thread} ${id}`)
        if (sent.size > SENT_MAX) sent.delete(sent.values().next().value as string)
        return id
      } finally {
        ended(thread)
        void again()
      }
    },
    async resolve (named, tell) {
      await resolve({ named, tell })
      if (isSure(learned(named.where))) await again()
    }
  }
}
