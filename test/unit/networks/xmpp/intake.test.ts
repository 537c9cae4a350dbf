import assert from 'node:assert/strict'
import fc from 'fast-check'
import { Unavailable } from '../../../../src/model/errors'
import type { Arrival } from '../../../../src/model/message'
import { ACCEPTS_OPEN_MAX, makeIntake } from '../../../../src/networks/xmpp/intake'
import { quickClock } from '../../../support/quick'
import { makeWorld } from '../../../support/world'

const arrival = (number: number, id = 'r@x'): Arrival =>
  ({ kind: 'deletion', key: String(number), place: { network: 'xmpp', id }, at: 0, sender: { id: 'a', name: 'A' }, of: 'x' })

const reading = { pause () {}, resume () {} }

describe('xmpp intake', () => {
  it('stores everything in order, however often storing fails', async () => {
    await fc.assert(fc.asyncProperty(fc.array(fc.boolean(), { maxLength: 30 }), async failures => {
      const stored: string[] = []
      let calls = 0
      const intake = makeIntake(async ({ key }) => {
        if (failures[calls++]) throw new Unavailable('full')
        if (!stored.includes(key)) stored.push(key)
      }, reading, makeWorld({ clock: quickClock(100_000) }))
      await Promise.all(Array.from({ length: 10 }, (_, i) => new Promise<boolean>(resolve => intake.offer(arrival(i), resolve))))
      assert.deepEqual([...stored].sort(), Array.from({ length: 10 }, (_, i) => String(i)))
    }), { numRuns: 50 })
  })

  it('keeps the order when everything fails for a while', async () => {
    const stored: string[] = []
    let full = true
    let tries = 0
    const intake = makeIntake(async ({ key }) => {
      if (++tries > 25) full = false
      if (full) throw new Unavailable('full')
      stored.push(key)
    }, reading, makeWorld({ clock: quickClock(10_000) }))
    await Promise.all(Array.from({ length: 10 }, (_, i) => new Promise<boolean>(resolve => intake.offer(arrival(i), resolve))))
    assert.deepEqual(stored.map(Number), [...stored.map(Number)].sort((a, b) => a - b))
  })

  it('pauses reading at the limit and goes on at half of it', async () => {
    const steps: string[] = []
    const open: (() => void)[] = []
    const connection = { pause: () => { steps.push('pause') }, resume: () => { steps.push('resume') } }
    const intake = makeIntake(() => new Promise<void>(resolve => open.push(resolve)), connection, makeWorld())
    for (let i = 0; i < ACCEPTS_OPEN_MAX - 1; i++) intake.offer(arrival(i))
    assert.deepEqual(steps, [])
    const last = new Promise<boolean>(resolve => intake.offer(arrival(-1), resolve))
    assert.deepEqual(steps, ['pause'])
    for (const done of open) done()
    await last
    assert.deepEqual(steps, ['pause', 'resume'])
  })

  it('goes on reading while nothing can be stored, or our own messages would not be heard again and a full queue never drain', async () => {
    const steps: string[] = []
    const connection = { pause: () => { steps.push('pause') }, resume: () => { steps.push('resume') } }
    const intake = makeIntake(async () => { throw new Unavailable('full') }, connection, makeWorld())
    intake.offer(arrival(0))
    await new Promise(resolve => setImmediate(resolve))
    for (let i = 1; i < ACCEPTS_OPEN_MAX - 1; i++) intake.offer(arrival(i))
    assert.deepEqual(steps, [])
    intake.offer(arrival(-1))
    assert.deepEqual(steps, ['pause'])
    await intake.stop()
  })

  it('goes on with other places, and with receipts, while one is crowded, and keeps the order of that one', async () => {
    const stored: string[] = []
    let crowded = true
    const intake = makeIntake(async ({ key, kind, place }) => {
      if (crowded && kind !== 'receipt' && place.id === 'full@x') throw new Unavailable('full', { crowded: true })
      stored.push(key)
    }, reading, makeWorld({ clock: quickClock(1000) }))
    const offer = (one: Arrival): Promise<void> => new Promise(resolve => intake.offer(one, () => resolve()))
    const waiting: Promise<void>[] = []
    const elsewhere: Promise<void>[] = []
    for (let n = 0; n < 10; n++) {
      waiting.push(offer(arrival(n, 'full@x')))
      elsewhere.push(offer(arrival(100 + n)))
      await new Promise(resolve => setImmediate(resolve))
    }
    const receipt: Arrival = { kind: 'receipt', key: 'receipt', place: { network: 'xmpp', id: 'full@x' }, at: 0, of: ['x'], outcome: 'delivered' }
    await Promise.all([...elsewhere, offer(receipt)])
    assert.deepEqual(stored, [...Array.from({ length: 10 }, (_, n) => String(100 + n)), 'receipt'])
    crowded = false
    await Promise.all(waiting)
    assert.deepEqual(stored.slice(11), Array.from({ length: 10 }, (_, n) => String(n)))
  })

  it('stores what a door takes little by little in order, with what comes meanwhile', async () => {
    await fc.assert(fc.asyncProperty(fc.array(fc.integer({ min: 0, max: 5 }), { minLength: 1, maxLength: 30 }), async spaces => {
      const stored: number[] = []
      let space = 0
      const intake = makeIntake(async ({ key }) => {
        if (space <= 0) throw new Unavailable('full', { crowded: true })
        space--
        await new Promise(resolve => setImmediate(resolve))
        stored.push(Number(key))
      }, reading, makeWorld({ clock: quickClock(100_000) }))
      const all: Promise<void>[] = []
      for (const more of [...spaces, Infinity]) {
        for (let n = 0; n < 3; n++) all.push(new Promise(resolve => intake.offer(arrival(all.length), () => resolve())))
        await new Promise(resolve => setImmediate(resolve))
        space = more
      }
      await Promise.all(all)
      assert.deepEqual(stored, all.map((_, n) => n))
    }), { numRuns: 30 })
  })

  it('puts back in order what was refused in another order', async () => {
    const stored: string[] = []
    let full = true
    const intake = makeIntake(async ({ key }) => {
      if (full && key === '0') await new Promise(resolve => setImmediate(resolve))
      if (full) throw new Unavailable('full')
      stored.push(key)
    }, reading, makeWorld({ clock: quickClock(1000) }))
    const all = [0, 1, 2].map(n => new Promise<boolean>(resolve => intake.offer(arrival(n), resolve)))
    await new Promise(resolve => setImmediate(resolve))
    full = false
    await Promise.all(all)
    assert.deepEqual(stored, ['0', '1', '2'])
  })

  it('turns away what is beyond the bound of its place, never what it has kept, and goes on in order', async () => {
    const stored: number[] = []
    const away: number[] = []
    let full = true
    let count = 0
    let tries = 0
    const intake = makeIntake(async ({ key }) => {
      tries++
      if (full) throw new Unavailable('full', { crowded: true })
      stored.push(Number(key))
    }, reading, makeWorld({ clock: quickClock(1000) }))
    const offer = (): Promise<void> => new Promise(resolve => {
      const number = count++
      intake.offer(arrival(number), () => resolve(), { most: 64, server: 'x', beyond () { away.push(number); resolve() } })
    })
    const first = Array.from({ length: 80 }, offer) // in one tick: none is refused yet
    for (let tried = tries; tries < tried + 3;) await new Promise(resolve => setImmediate(resolve))
    const second = Array.from({ length: 10 }, offer)
    full = false
    await Promise.all([...first, ...second])
    await Promise.all([offer(), offer()])
    assert.deepEqual([stored, away], [[...Array.from({ length: 64 }, (_, n) => n), 90, 91], Array.from({ length: 26 }, (_, n) => 64 + n)])
  })

  it('does not stop reading because of pages that were asked for', async () => {
    const paused: string[] = []
    const intake = makeIntake(async () => { throw new Unavailable('full', { crowded: true }) },
      { pause: () => { paused.push('pause') }, resume: () => { paused.push('resume') } }, makeWorld())
    let kept = 0
    for (let room = 0; room < 20; room++) {
      void intake.page(Array.from({ length: 100 }, (_, n) => arrival(n, `${room}@x`)), () => { kept++ })
    }
    await new Promise(resolve => setImmediate(resolve))
    assert.deepEqual([kept, paused], [2000, []])
    await intake.stop()
  })

  it('goes on reading however many strangers write what cannot be stored, and people of other servers keep room', async () => {
    const steps: string[] = []
    const connection = { pause: () => { steps.push('pause') }, resume: () => { steps.push('resume') } }
    const intake = makeIntake(async () => { throw new Unavailable('full', { crowded: true }) }, connection, makeWorld())
    const away = new Map<string, number>()
    const write = async (who: string, server: string, count: number): Promise<void> => {
      for (let n = 0; n < count; n++) {
        intake.offer(arrival(n, who), undefined, { most: 64, server, beyond () { away.set(server, (away.get(server) ?? 0) + 1) } })
        await Promise.resolve()
      }
    }
    for (let person = 0; person < 32; person++) await write(`info ${person}@flood.example`, 'flood.example', 64)
    await new Promise(resolve => setImmediate(resolve))
    await write('info anna@town.example', 'town.example', 40)
    await new Promise(resolve => setImmediate(resolve))
    assert.deepEqual([steps, away.get('flood.example'), away.get('town.example')], [[], 32 * 64 - 256, undefined])
    for (let server = 0; server < 40; server++) await write(`info x@${server}.example`, `${server}.example`, 64)
    assert.deepEqual(steps, [])
    await intake.stop()
  })
})
