/**
 * Automatic texts that answer automatic texts: two addresses that are both closed, and one that faces a program which answers
 * everything at once. Whatever the network, it ends after two texts.
 */
import assert from 'node:assert/strict'
import type { FunctionAddress } from '../../src/desk/address'
import { toPlain } from '../../src/model/text'
import { addressOn, agent } from '../support/address'
import { makePractice, until, type Practice } from '../support/practice'
import { startBridge, type Started } from '../support/started'

const CLOSED = { zone: 'Europe/Berlin', week: Array.from({ length: 7 }, () => []), holiday: () => undefined, days: new Map() }
const ABSENCE = 'We are closed right now.' // nothing in it says that a machine wrote it
const ROUNDS_MAX = 20

/** An address that is always closed, with a bridge of its own. */
const closed = async (id: string, more: Partial<FunctionAddress> = {}): Promise<{ net: Practice, started: Started }> => {
  const net = makePractice('red')
  const address = addressOn(['red'], [agent('Anna', 'red @anna')], { hours: CLOSED, automatic: { absence: ABSENCE }, ...more })
  const started = await startBridge([net], [], { addresses: [{ ...address, identities: [{ network: 'red', id }] }] })
  return { net, started }
}

/** What went from `ours` to `theirs` so far. */
const said = ({ net }: { net: Practice }, ours: string, theirs: string): { text: string, marked: boolean }[] => net.delivered
  .filter(({ place, action }) => place.id === `${ours}/${theirs}` && action.kind === 'message')
  .map(({ action }) => action.kind === 'message'
    ? { text: toPlain(action.content.text), marked: action.content.style === 'quiet' }
    : { text: '', marked: false })

const hear = async ({ net, started }: { net: Practice, started: Started }, ours: string, theirs: string, text: string,
  automatic: boolean): Promise<void> => {
  await net.say(`${ours}/${theirs}`, theirs, text, { direct: true, to: ours, ...automatic ? { automatic } : {} })
  await until(async () => (await started.store.run(tx => tx.depth())).length === 0, 'all that it caused is delivered', 60_000)
}

describe('loops of automatic texts', () => {
  for (const marks of [true, false]) {
    it(`two closed addresses face each other where automatic texts ${marks ? 'are marked' : 'have no mark'}: at most two texts`, async () => {
      const [a, b] = [await closed('red:a'), await closed('red:b')]
      await hear(a, 'red:a', 'red:b', 'Are you there?', false)
      let [fromA, fromB] = [0, 0]
      for (let round = 0; round < ROUNDS_MAX; round++) {
        const [newA, newB] = [said(a, 'red:a', 'red:b').slice(fromA), said(b, 'red:b', 'red:a').slice(fromB)]
        fromA += newA.length
        fromB += newB.length
        for (const { text, marked } of newA) await hear(b, 'red:b', 'red:a', text, marks && marked)
        for (const { text, marked } of newB) await hear(a, 'red:a', 'red:b', text, marks && marked)
      }
      assert.ok(fromA + fromB >= 1 && fromA + fromB <= 2, `${fromA} + ${fromB} automatic texts`)
      for (const { started } of [a, b]) await started.stop()
    })
  }

  it('a program that answers everything at once gets one, and opens no case of its own', async () => {
    const a = await closed('red:a')
    await hear(a, 'red:a', 'red:bot', 'Ticket 1 opened', false)
    for (let round = 0; round < ROUNDS_MAX; round++) {
      const count = said(a, 'red:a', 'red:bot').length
      assert.ok(count <= 2)
      await hear(a, 'red:a', 'red:bot', `Ticket ${round + 2} opened`, false)
    }
    assert.equal(said(a, 'red:a', 'red:bot').length, 1)
    assert.equal((await a.started.store.run(tx => tx.desk.conversationAt({ network: 'red', id: 'red:a/red:bot' })))?.cases, 1)
    await a.started.stop()
  })
})
