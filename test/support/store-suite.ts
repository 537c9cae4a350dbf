/** What every engine of the store promises: store.ts. */
import assert from 'node:assert/strict'
import fc from 'fast-check'
import type { Arrival, MessageArrival } from '../../src/model/message'
import { EARLY_RECEIPT_MS, EARLY_RECEIPT_PLACE_ROWS_MAX, EARLY_RECEIPT_ROWS_MAX, type NewDelivery, type Store } from '../../src/store/store'

export const PLACE = { network: 'red', id: 'room' }
const arrival = (key: string): Arrival =>
  ({ kind: 'message', key, place: PLACE, at: 1, sender: { id: 'anna', name: 'Anna' }, content: { style: 'text', text: [] } })
const delivery = (key: string): NewDelivery => ({
  delivery: { key, place: { network: 'blue', id: 'hall' }, at: 1, action: { kind: 'message', content: { style: 'text', text: [] } } }, notice: false
})

/** `fresh`: an empty database, and the store in it. `again`: the store in the same one, after it was closed. */
export interface StoreGround { fresh (): Store | Promise<Store>; again (): Store | Promise<Store> }

/** Inside a describe. */
export const storeSuite = ({ fresh, again }: StoreGround): void => {
  let store: Store
  beforeEach(async () => { store = await fresh() })
  afterEach(async () => { await store.close() })

  it('lets one job take back its own work only', async () => {
    const results = await Promise.allSettled([
      store.run(tx => tx.remember('me', 'a', '1')),
      store.run(async tx => { await tx.remember('me', 'b', '2'); throw new Error('no') }),
      store.run(tx => tx.remember('me', 'c', '3'))
    ])
    assert.deepEqual(results.map(({ status }) => status), ['fulfilled', 'rejected', 'fulfilled'])
    assert.deepEqual(await store.run(tx => tx.remembered('me')), [['a', '1'], ['c', '3']])
  })

  it('limits quarantine for each reason, so that there is room for others', async () => {
    await store.run(tx => tx.quarantine('red', 'rare', 'rare', 1))
    for (let n = 0; n < 12; n++) {
      await store.run(async tx => { for (let m = 0; m < 1000; m++) await tx.quarantine('red', `flood ${n} ${m}`, 'flood', 1) })
    }
    const rows = await store.run(tx => tx.quarantined(20_000))
    const count = (which: string): number => rows.filter(({ why }) => why === which).length
    assert.equal(count('rare'), 1)
    assert.ok(count('flood') <= 2_100, String(count('flood')))
  })

  it('limits early receipts for each place, so that there is room for those of others', async () => {
    await store.run(tx => tx.earlyReceipt({ ...PLACE, id: 'other' }, ['x'], { outcome: 'failed' }, 1))
    await store.run(async tx => {
      for (let n = 0; n < EARLY_RECEIPT_ROWS_MAX + 500; n++) await tx.earlyReceipt(PLACE, [`a${n}`], { outcome: 'delivered' }, 2 + n)
    })
    const take = (where: string, id: string): Promise<{ id: string }[]> => store.run(tx => tx.takeEarlyReceipts({ ...PLACE, id: where }, [id], 3))
    assert.equal((await take('other', 'x')).length, 1)
    assert.equal((await take(PLACE.id, `a${EARLY_RECEIPT_ROWS_MAX + 499}`)).length, 1)
    for (const old of [EARLY_RECEIPT_PLACE_ROWS_MAX + 100, EARLY_RECEIPT_ROWS_MAX]) {
      assert.equal((await take(PLACE.id, `a${EARLY_RECEIPT_ROWS_MAX + 499 - old}`)).length, 0)
    }
  })

  it('blames no delivery by a receipt that may be of several', async () => {
    const made = await store.run(async tx => {
      const cause = { journal: await tx.journal(arrival('j'), 'routed', 1), from: PLACE }
      return [await tx.queue(cause, delivery('d1'), 1), await tx.queue(cause, delivery('d2'), 1)]
    })
    await store.run(async tx => {
      await tx.done(made[0]!, ['10'], 1)
      await tx.done(made[1]!, ['a', 'aa'], 1)
    })
    const found = (ids: string[]) => store.run(tx => tx.confirmable(made[0]!.delivery.place, ids))
    assert.equal(await found(['10', 'a']), undefined)
    assert.equal((await found(['10', '16']))?.outbox, made[0]!.id)
    assert.equal((await found(['aa', 'a']))?.outbox, made[1]!.id)
  })

  it('does not take an old receipt, whose id was given out anew since, for an early one, and forgets it', async () => {
    const ids = ['1a2b', '6699']
    const take = (id: string, now: number): Promise<{ id: string }[]> => store.run(tx => tx.takeEarlyReceipts(PLACE, [id], now))
    await store.run(tx => tx.earlyReceipt(PLACE, ids, { outcome: 'delivered' }, 1))
    assert.deepEqual((await take('1a2b', 1000)).map(({ id }) => id), ['1a2b'])
    assert.deepEqual(await take('6699', EARLY_RECEIPT_MS + 2), [])
    await store.run(tx => tx.earlyReceipt(PLACE, ids, { outcome: 'delivered' }, 1))
    await store.run(tx => tx.prune(2, 10))
    assert.deepEqual(await take('1a2b', 1000), [])
  })

  it('runs jobs in the order of the calls', async () => {
    const order: number[] = []
    await Promise.all(Array.from({ length: 1500 }, (_, index) => store.run(async () => { order.push(index) })))
    assert.deepEqual(order, Array.from({ length: 1500 }, (_, index) => index))
  })

  it('runs urgent jobs before the others that wait, and these in order too', async () => {
    const order: string[] = []
    const job = (name: string, patienceMs: number, first: boolean): Promise<void> => store.run(async () => { order.push(name) }, patienceMs, first)
    await Promise.all([job('arrival', 0, false), job('done', 20, true), job('later', 0, false), job('also done', 20, true)])
    await Promise.all([job('next', 0, false), job('done again', 20, true)])
    assert.deepEqual(order, ['done', 'also done', 'arrival', 'later', 'done again', 'next'])
  })

  it('lets patient jobs wait to share a commit, and keeps the order', async () => {
    const order: string[] = []
    const job = (name: string, patienceMs: number): Promise<void> => store.run(async () => { order.push(name) }, patienceMs)
    const LONG_MS = 3_600_000
    await job('alone', LONG_MS) // long after the last commit, so at once
    await Promise.all([job('first', LONG_MS), job('second', 0), job('third', LONG_MS)])
    assert.deepEqual(order, ['alone', 'first', 'second', 'third'])
    assert.equal(store.commits(), 2)
    await Promise.all([job('fourth', LONG_MS), job('fifth', 1)]) // as long as the least patient
    assert.deepEqual(order.slice(4), ['fourth', 'fifth'])
    assert.equal(store.commits(), 3)
  })

  it('has done everything that waits before it closes', async () => {
    const jobs = Array.from({ length: 1500 }, (_, index) => store.run(tx => tx.remember('me', String(index), 'x'), index % 2 * 20))
    await Promise.all(jobs.slice(0, 2)) // the rest waits its turn
    await store.close()
    assert.deepEqual(new Set((await Promise.allSettled(jobs)).map(({ status }) => status)), new Set(['fulfilled']))
    store = await again()
    assert.equal((await store.run(tx => tx.remembered('me'))).length, 1500)
  })

  it('forgets what ended long ago, and nothing that has not ended', async () => {
    await store.run(async tx => {
      for (const key of ['old', 'open', 'new']) {
        const seq = await tx.journal(arrival(key), 'routed', key === 'new' ? 1000 : 1)
        const row = await tx.queue({ journal: seq, from: { network: 'red', id: 'room' } }, delivery(`d-${key}`), 1)
        await tx.link(`t-${key}`, seq, 9999)
        if (key !== 'open') { await tx.trying([row.id]); await tx.done(row, [`r-${key}`], key === 'new' ? 1000 : 2) }
      }
    })
    assert.equal(await store.run(tx => tx.prune(500, 10)), 1)
    assert.equal(await store.run(tx => tx.seen('red', 'old')), false)
    assert.equal(await store.run(tx => tx.linked('t-old', 1)), undefined)
    assert.equal(await store.run(tx => tx.seen('red', 'open')), true)
    assert.deepEqual(await store.run(tx => tx.remoteIds('d-new')), ['r-new'])
  })

  it('takes back all of a job that breaks a rule of the tables, and nothing of the others', async () => {
    const job = (n: string, key: string): Promise<void> => store.run(async tx => {
      await tx.remember('me', n, key)
      await tx.journal(arrival(key), 'routed', 1)
    })
    const results = await Promise.allSettled([job('1', 'a'), job('2', 'a'), job('3', 'b')])
    assert.deepEqual(results.map(({ status }) => status), ['fulfilled', 'rejected', 'fulfilled'])
    assert.deepEqual(await store.run(tx => tx.remembered('me')), [['1', 'a'], ['3', 'b']])
    assert.equal(await store.run(tx => tx.seen('red', 'b')), true)
  })

  /** What a job may do besides what it writes: ask before and after that, and go wrong by itself, or by a rule of the tables, noticed or not. */
  const doing = fc.record({
    asks: fc.boolean(), writes: fc.integer({ min: 0, max: 40 }), asksMore: fc.boolean(),
    wrong: fc.constantFrom('', '', '', 'throws', 'breaks', 'breaks, and asks')
  })

  it('takes back each job that fails, however late that turns out, and nothing of the others, and tells nobody before the commit', async () => {
    let rounds = 0
    await store.run(tx => tx.journal(arrival('taken'), 'routed', 1))
    await fc.assert(fc.asyncProperty(fc.array(doing, { maxLength: 12 }), async jobs => {
      const owner = `round ${++rounds}`
      const before = store.commits()
      const told: number[] = []
      const results = await Promise.allSettled(jobs.map(({ asks, writes, wrong, asksMore }, index) => store.run(async tx => {
        if (asks) await tx.seen('red', 'taken')
        tx.tally.count({ whose: 'address', name: owner, what: 'in', network: 'red' })
        for (let n = 0; n < writes; n++) await tx.remember(owner, `${index} ${n}`, 'x')
        if (wrong === 'throws') throw new Error('no')
        if (wrong.startsWith('breaks')) await tx.journal(arrival('taken'), 'routed', 1)
        if (wrong === 'breaks, and asks') await tx.seen('red', 'taken')
        if (asksMore) assert.equal((await tx.remembered(owner)).filter(([key]) => key.startsWith(`${index} `)).length, writes)
      }).finally(() => told.push(store.commits()))))
      const kept = jobs.flatMap(({ wrong, writes }, index) => wrong === '' ? [{ index, writes }] : [])
      assert.deepEqual(results.flatMap(({ status }, index) => status === 'fulfilled' ? [index] : []), kept.map(({ index }) => index))
      const { stored, totals } = await store.run(async tx => ({ stored: await tx.remembered(owner), totals: await tx.tally.totals() }))
      assert.deepEqual(stored.map(([key]) => key).sort(),
        kept.flatMap(({ index, writes }) => Array.from({ length: writes }, (_, n) => `${index} ${n}`)).sort())
      assert.deepEqual(totals.filter(({ name }) => name === owner).map(({ count }) => count), kept.length === 0 ? [] : [kept.length])
      assert.ok(told.every(commits => commits > before), 'nobody is told before the commit')
    }), { numRuns: 40 })
  })

  const about = fc.record({
    id: fc.integer({ min: 0, max: 3 }), does: fc.constantFrom('comes', 'is taken back', 'has a receipt', 'is done'), fails: fc.boolean()
  })

  it('answers jobs that say what they are about as those that do not, also when they share a commit', async () => {
    let rounds = 0
    await fc.assert(fc.asyncProperty(fc.array(about, { maxLength: 16 }), async jobs => {
      const round = ++rounds
      const answersOf = async (name: string, together: boolean): Promise<unknown[]> => {
        const answers: unknown[] = []
        const run = ({ id, does, fails }: typeof jobs[number], n: number): Promise<void> => {
          const key = `${name} ${round} ${id}`
          const isReceipt = does === 'has a receipt' || does === 'is done'
          return store.run(async tx => {
            const said: Arrival = does === 'comes' ? arrival(key)
              : { kind: 'deletion', key: `${key} by ${n}`, place: PLACE, at: 1, sender: { id: 'anna', name: 'Anna' }, of: key }
            if (does === 'has a receipt') await tx.earlyReceipt(PLACE, [key], { outcome: 'failed' }, 1)
            else if (does === 'is done') answers.push((await tx.takeEarlyReceipts(PLACE, [key], 1)).length)
            else {
              const before = await Promise.all([tx.seen('red', said.key), tx.takenBack(arrival(key) as MessageArrival)])
              answers.push(before)
              if (!before[0]) await tx.journal(said, 'routed', 1)
            }
            if (fails) throw new Error('no')
          }, 0, false, together ? { network: 'red', ...isReceipt && { place: PLACE.id }, ids: [key] } : undefined).catch(() => {})
        }
        if (together) await Promise.all(jobs.map(run))
        else for (const [n, job] of jobs.entries()) await run(job, n)
        return answers
      }
      assert.deepEqual(await answersOf('together', true), await answersOf('alone', false))
    }), { numRuns: 60 })
  })

  it('keeps every character in what was said, and reads beside it', async () => {
    const words = 'Grüße 😀 \0 \ud800 \\u0000 \\\\u0000 \u2028 "'
    const content = { style: 'text' as const, text: [{ kind: 'paragraph' as const, of: [{ kind: 'text' as const, text: words }] }] }
    const sender = { id: 'anna', name: words }
    const said: Arrival = { kind: 'message', key: 'all \u{10ffff}', place: PLACE, at: 1, sender, content }
    const wrong: Arrival = { kind: 'edit', key: 'edit', place: PLACE, at: 1, sender, content, of: said.key }
    await store.run(async tx => {
      for (const one of [said, wrong]) {
        const cause = { journal: await tx.journal(one, 'routed', 1), from: PLACE }
        const { delivery: sent } = delivery(`d ${one.key}`)
        await tx.queue(cause, { delivery: { ...sent, action: { kind: 'message', content } }, notice: false }, 1)
      }
    })
    const found = await store.run(tx => tx.answered(PLACE, [said.key]))
    assert.deepEqual(found?.arrival, said)
    assert.deepEqual(found.latest, wrong)
    assert.equal((await store.run(tx => tx.waiting({ network: 'blue', id: 'hall' }, 0, 9))).length, 2)
  })

  it('orders words by their bytes, whatever the language of the database', async () => {
    const words = ['a', 'B', 'Z', 'ä', 'z', '_', ' ', '~']
    await store.run(async tx => { for (const word of words) await tx.vault('me', word, new Uint8Array([0, 255])) })
    const had = await store.run(tx => tx.vaultedFrom('me', ''))
    assert.deepEqual(had.map(([key]) => key), [...words].sort((one, other) => Buffer.compare(Buffer.from(one), Buffer.from(other))))
    assert.deepEqual(had.map(([, value]) => [...value]), words.map(() => [0, 255]))
  })
}
