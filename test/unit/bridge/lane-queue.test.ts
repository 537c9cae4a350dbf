import assert from 'node:assert/strict'
import fc from 'fast-check'
import { makeLaneQueue } from '../../../src/bridge/lane-queue'
import type { Queued, Store, Tx } from '../../../src/store/store'

const PLACE = { network: 'red', id: 'hall' }
const STORED_AT_ONCE = 3

const row = (id: number): Queued => ({
  id, journal: id, from: PLACE, notice: false, queuedAt: 0,
  delivery: { key: `k${id}`, place: PLACE, at: 0, attempt: 0, action: { kind: 'deletion', of: 'x' } }
})

/** A store that holds what is stored; `loads` resolves what the queue asked for. */
const ground = () => {
  const stored: Queued[] = []
  const asked: (() => void)[] = []
  const tx = { waiting: async (_place: unknown, after: number, limit: number) => stored.filter(({ id }) => id > after).slice(0, limit) }
  const store = {
    run: async <T>(job: (tx: Tx) => Promise<T>): Promise<T> => {
      const answer = await job(tx as unknown as Tx)
      await new Promise<void>(resolve => { asked.push(resolve) })
      return answer
    }
  } as unknown as Store
  const queue = makeLaneQueue(PLACE, store, () => {})
  const loads = (): void => { for (const resolve of asked.splice(0)) resolve() }
  /** Takes all that waits. A row that was taken waits in the store no more. */
  const drain = async (): Promise<number[]> => {
    const taken: number[] = []
    while (!queue.isEmpty()) {
      if (queue.mustLoad()) {
        const loading = queue.load()
        await Promise.resolve()
        loads()
        await loading
        continue
      }
      for (const { id } of queue.take(STORED_AT_ONCE)) {
        taken.push(id)
        stored.splice(stored.findIndex(one => one.id === id), 1)
      }
    }
    return taken
  }
  return { queue, stored, drain, loads }
}

describe('the queue of a lane', () => {
  it('gives every row once, in order, however they are heard', () => fc.assert(fc.asyncProperty(
    fc.shuffledSubarray(Array.from({ length: 20 }, (_, index) => index + 1), { minLength: 1 }), async heard => {
      const { queue, stored, drain } = ground()
      stored.push(...[...heard].sort((one, other) => one - other).map(row)) // all are on disk before any is heard
      for (const id of heard) queue.add(row(id))
      assert.deepEqual(await drain(), [...heard].sort((one, other) => one - other))
    })))

  it('passes over none that is heard late, while others are read from the store', async () => {
    const { queue, stored, drain, loads } = ground()
    queue.add(row(5))
    assert.deepEqual(queue.take(9).map(({ id }) => id), [5])
    queue.forget()
    queue.add(row(6)) // more may be in the store, so it is read from there
    stored.push(row(6))
    const loading = queue.load()
    await Promise.resolve()
    stored.unshift(row(4))
    queue.add(row(4))
    stored.push(row(7))
    queue.add(row(7))
    loads()
    await loading
    assert.deepEqual(await drain(), [4, 6, 7])
  })

  it('takes a row that is tried at once for heard, and what comes behind it too', async () => {
    const { queue, stored, drain } = ground()
    assert.ok(queue.passes(row(1)))
    stored.push(row(2))
    queue.add(row(2))
    assert.ok(!queue.passes(row(3)))
    assert.deepEqual(await drain(), [2])
  })
})
