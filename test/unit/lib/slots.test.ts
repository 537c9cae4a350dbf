import assert from 'node:assert/strict'
import { makeSlots, serverOf } from '../../../src/lib/slots'

describe('slots', () => {
  const never = new AbortController().signal
  const settled = async (work: Promise<unknown>): Promise<boolean> =>
    await Promise.race([work.then(() => true, () => true), new Promise<boolean>(resolve => setImmediate(() => resolve(false)))])

  it('are shared, and nobody takes them all', async () => {
    const slots = makeSlots(4, 2)
    const taken = [await slots.take('hangs', never), await slots.take('hangs', never)]
    const third = slots.take('hangs', never)
    assert.equal(await settled(third), false)
    await slots.take('other', never)
    await slots.take('another', never)
    const last = slots.take('one more', never)
    assert.equal(await settled(last), false)
    taken[0]!()
    taken[0]!() // giving it back twice gives one
    await third
    assert.equal(await settled(last), false)
    taken[1]!()
    await last
  })

  it('are not waited for longer than somebody wants, nor by more than can wait', async () => {
    const slots = makeSlots(1, 1)
    const over = await slots.take('a', never)
    const control = new AbortController()
    const given = slots.take('a', control.signal)
    control.abort(new Error('enough'))
    await assert.rejects(given, /enough/)
    await assert.rejects(slots.take('a', control.signal), /enough/)
    const waiting = Array.from({ length: 1001 }, (_, n) => slots.take(n < 501 ? 'a' : `b${n}`, never).then(back => { back(); return n }, String))
    assert.match(String(await waiting[500]), /too many/)
    over()
    assert.deepEqual((await Promise.all(waiting)).slice(0, 3), [0, 1, 2])
  })

  it('listen to a signal once, however many wait by it, and no longer than one does', async () => {
    const slots = makeSlots(1, 1)
    const over = await slots.take('a', never)
    const { signal } = new AbortController()
    let listening = 0
    const [add, remove] = [signal.addEventListener.bind(signal), signal.removeEventListener.bind(signal)]
    signal.addEventListener = (...of: Parameters<typeof add>) => { listening++; add(...of) }
    signal.removeEventListener = (...of: Parameters<typeof remove>) => { listening--; remove(...of) }
    const waiting = Array.from({ length: 100 }, () => slots.take('a', signal).then(back => back()))
    assert.equal(listening, 1)
    over()
    await Promise.all(waiting)
    assert.equal(listening, 0)
  })

  it('go by the server that an address names', () => {
    const addresses = ['mxc://Gone.test:8448/x', 'https://Up.test.:5281/x/y.png', 'picture:room@x/nick 00', 'f']
    assert.deepEqual(addresses.map(serverOf), ['gone.test', 'up.test', '', ''])
  })
})
