import assert from 'node:assert/strict'
import { makeIdBases, type IdBases } from '../../../../src/networks/sms/id-bases'
import { remoteId } from '../../../../src/networks/sms/receipts'
import { makeMemory } from '../../../support/world'

describe('receipts in the other number base', () => {
  const THREAD = '+4930123456/+491701234567'
  const stage = (memory = makeMemory()) => {
    const told: string[][] = []
    const bases = makeIdBases('g', memory)
    const sent = (...ids: string[]): Promise<unknown> => Promise.all(ids.map(id => bases.submitting(THREAD, Promise.resolve(remoteId('g', id)))))
    const receipt = (id: string, of: IdBases = bases): Promise<void> =>
      of.resolve({ id, where: 'text', thread: THREAD }, async ids => { told.push(ids) })
    return { memory, told, bases, sent, receipt }
  }

  for (const [what, write] of [
    ['hexadecimal ids and decimal receipts', { answer: (n: number) => n.toString(16).toUpperCase(), receipt: (n: number) => String(n) }],
    ['decimal ids and hexadecimal receipts', { answer: (n: number) => String(n).padStart(8, '0'), receipt: (n: number) => n.toString(16) }],
    ['decimal ids and receipts', { answer: (n: number) => String(n), receipt: (n: number) => String(n).padStart(10, '0') }],
    ['hexadecimal ids and receipts', { answer: (n: number) => n.toString(16), receipt: (n: number) => n.toString(16).toUpperCase() }]
  ] as const) {
    it(`blame no other message: ${what}`, async () => {
      const { told, sent, receipt } = stage()
      const numbers = Array.from({ length: 200 }, (_, n) => n + 1)
      await sent(...numbers.map(write.answer))
      for (const number of numbers) await receipt(write.receipt(number))
      const right = new Set(numbers.map(number => remoteId('g', write.answer(number))!))
      assert.equal(told.length, 200, 'all are told in the end')
      assert.ok(told.every(ids => ids.length === 1))
      assert.deepEqual(new Set(told.flat()), right)
    })
  }

  it('are kept back while it is not known which they mean', async () => {
    const { told, sent, receipt } = stage()
    await sent('10', '16')
    await receipt('10')
    assert.deepEqual(told, [])
    await receipt('16')
    assert.deepEqual(told, [])
    await sent('1f', '2f')
    await receipt('1f')
    await receipt('2f')
    assert.deepEqual(told, [['g:1f'], ['g:2f'], ['g:10'], ['g:16']])
  })

  it('are known over a restart', async () => {
    const first = stage()
    await first.sent('1f', '2f')
    await first.receipt('31')
    await first.receipt('47')
    const { told, receipt, sent } = stage(first.memory)
    await sent('10')
    await receipt('10')
    assert.deepEqual(told, [['g:a']])
  })

  it('wait for the answer to what is on its way, which they may mean', async () => {
    const { told, bases, sent, receipt } = stage()
    await sent('10')
    const answer = Promise.withResolvers<string>()
    const submit = bases.submitting(THREAD, answer.promise)
    await receipt('10') // of the other, which is 0xa
    assert.deepEqual(told, [])
    answer.resolve(remoteId('g', 'a')!)
    await submit
    await new Promise(setImmediate)
    assert.deepEqual(told, [], 'both fit')
  })

  it('come before the answer: then they are told with it, and of that message alone', async () => {
    const { told, bases, receipt } = stage()
    const answer = Promise.withResolvers<string>()
    const submit = bases.submitting(THREAD, answer.promise)
    await receipt('10')
    answer.resolve(remoteId('g', '10')!)
    await submit
    await new Promise(setImmediate)
    assert.deepEqual(told, [['g:10']], 'not of 16, which may be the next')
  })

  it('are all told once it is known what they mean, also the last ones', async () => {
    const { told, bases, sent, receipt } = stage()
    await sent('10', '16', '1f', '2f')
    const answer = Promise.withResolvers<string>()
    const submit = bases.submitting(THREAD, answer.promise)
    for (const id of ['10', '16', '1f', '2f']) await receipt(id) // while something is on its way
    assert.deepEqual(told, [])
    answer.resolve(remoteId('g', '3f')!)
    await submit
    await new Promise(setImmediate)
    assert.deepEqual(told, [['g:1f'], ['g:2f'], ['g:10'], ['g:16']])
  })

  it('are told later where they could not be stored, and so are those behind them', async () => {
    const { told, bases, sent, receipt } = stage()
    await sent('1f', '2f')
    const answer = Promise.withResolvers<string>()
    const submit = bases.submitting(THREAD, answer.promise)
    let tries = 0
    await bases.resolve({ id: '1f', where: 'text', thread: THREAD }, async ids => {
      if (tries++ === 0) throw new Error('the disk is full')
      told.push(ids)
    })
    await receipt('2f')
    answer.resolve(remoteId('g', '3f')!)
    await submit
    await new Promise(setImmediate)
    assert.deepEqual(told, [['g:2f']])
    await sent('4f')
    await new Promise(setImmediate)
    assert.deepEqual(told, [['g:2f'], ['g:1f']])
  })

  it('leave it to others where nothing that we sent fits', async () => {
    const { told, receipt } = stage()
    await receipt('10')
    await receipt('aXz')
    assert.deepEqual(told, [['g:10', 'g:a', 'g:16'], ['g:aXz']])
  })
})
