/** The SMPP session over real TCP against the simulator: what it promises about its link. */
import assert from 'node:assert/strict'
import fc from 'fast-check'
import { Unavailable } from '../../../../../src/model/errors'
import { type Clock, systemClock } from '../../../../../src/lib/clock'
import { quickClock } from '../../../../support/quick'
import { connect, MAX, OURS, stage, waitFor } from '../../../../support/sms'
import { makeMemory } from '../../../../support/world'

describe('SMPP session', () => {
  const { ends, simulate, bound } = stage()

  it('says unknown only when bytes were out', async () => {
    const smsc = await simulate()
    const ours = await bound(smsc)
    smsc.faults.dropAfterTaken = 1
    await assert.rejects(ours.send('Hallo'), (error: unknown) => error instanceof Unavailable && error.unknown)
    await assert.rejects(ours.send('Hallo'), (error: unknown) => error instanceof Unavailable && error.disconnected && !error.unknown)
    await ours.up()
    smsc.faults.noResp = 1
    await assert.rejects(ours.send('Hallo', 'k', MAX, AbortSignal.timeout(50)), (error: unknown) => error instanceof Unavailable && error.unknown)
    await assert.rejects(ours.send('Hallo', 'k', MAX, AbortSignal.abort()), (error: unknown) => error instanceof Unavailable && !error.unknown)
  })

  it('never has more than the window unanswered', async () => {
    const smsc = await simulate()
    const ours = await bound(smsc, { window: 3 })
    smsc.faults.noResp = 3
    const stop = new AbortController()
    const all = Array.from({ length: 8 }, (_, index) => ours.send('Hallo', `k${index}`, MAX, stop.signal).then(() => 'sent', () => 'not'))
    await waitFor(() => smsc.counts.submits >= 3)
    await smsc.phone(MAX).type({ text: 'still reading', to: OURS }) // a whole exchange later there is still no fourth
    assert.equal(smsc.counts.submits, 3)
    stop.abort()
    assert.deepEqual(await Promise.all(all), Array(8).fill('not'))
    assert.equal((await ours.send('Hallo', 'k9')).ids.length, 1)
  })

  it('binds twice where the peer knows no transceiver', async () => {
    const smsc = await simulate({ transceiver: false })
    const ours = await bound(smsc)
    await ours.send('Hallo')
    await smsc.phone(MAX).type('zurück')
    assert.deepEqual([ours.texts(), smsc.bound, smsc.counts.binds], [['zurück'], 2, 2])
    smsc.dropConnections()
    await ours.down()
    await ours.up()
    assert.equal(smsc.bound, 2)
  })

  it('waits long after a refused login, says what to check, and after RALYBND', async () => {
    const smsc = await simulate()
    const ours = connect(smsc, { password: 'wrong' })
    ends.push(ours.sms.stop)
    await ours.sms.start(ours.inbox)
    await ours.inbox.until('the reason', () => ours.details.some(detail => /login refused \(0x0E\): check system_id and password/.test(detail ?? '')))
    const other = connect(smsc, {}, makeMemory(), quickClock(500))
    ends.push(other.sms.stop)
    smsc.faults.alreadyBound = 1
    await other.start()
    assert(other.details.some(detail => /still holds an earlier session/.test(detail ?? '')))
  })

  it('cuts a silent peer and comes back', async () => {
    const smsc = await simulate()
    const ours = await bound(smsc, {}, makeMemory(), quickClock(200))
    smsc.faults.silent = true
    await ours.down()
    assert(ours.details.includes('the gateway fell silent'))
    smsc.faults.silent = false
    await ours.up()
    await ours.send('Hallo')
  })

  it('waits for a gateway that is not there yet', async () => {
    const smsc = await simulate()
    await smsc.down()
    const ours = connect(smsc)
    ends.push(ours.sms.stop)
    await ours.sms.start(ours.inbox)
    await ours.inbox.until('not connected', () => ours.details.some(detail => /not connected: .*ECONNREFUSED/.test(detail ?? '')))
    await smsc.up()
    await ours.up()
  })

  it('closes and comes back after frames of hostile length or halves, and nothing throws', async () => {
    const smsc = await simulate()
    const ours = await bound(smsc, {}, makeMemory(), quickClock(200))
    let binds = 1
    for (const length of [0, 4, 8, 15, 70_001, 2 ** 31, 2 ** 32 - 1]) {
      const frame = Buffer.alloc(16)
      frame.writeUInt32BE(length)
      smsc.rawBytes(frame)
      await waitFor(() => smsc.counts.binds > binds && smsc.receiving)
      binds = smsc.counts.binds
    }
    smsc.halfFrame()
    await waitFor(() => smsc.counts.binds > binds && smsc.receiving)
    await ours.up()
    await ours.send('Hallo')
  })

  it('survives any rubbish', async () => {
    const smsc = await simulate()
    const ours = await bound(smsc, {}, makeMemory(), quickClock(200))
    const commands = fc.constantFrom(4, 5, 9, 0x80000004, 0x80000000, 0x15, 0x103, 6)
    await fc.assert(fc.asyncProperty(fc.uint8Array({ maxLength: 60 }), commands, async (body, command) => {
      const frame = Buffer.concat([Buffer.alloc(16), body])
      frame.writeUInt32BE(frame.length)
      frame.writeUInt32BE(command, 4)
      smsc.rawBytes(frame)
    }), { numRuns: 200 })
    await waitFor(() => smsc.receiving)
    await ours.up()
    await smsc.phone(MAX).type({ text: 'noch da', to: OURS })
    assert(ours.texts().includes('noch da'))
  })

  it('leaves no timer behind', async () => {
    const open = new Set<object>()
    const clock: Clock = {
      ...systemClock,
      after: (ms, run) => {
        const timer = systemClock.after(ms, () => { open.delete(timer); run() })
        open.add(timer)
        return { cancel: () => { open.delete(timer); timer.cancel() } }
      }
    }
    const smsc = await simulate()
    const ours = await bound(smsc, {}, makeMemory(), clock)
    await ours.send('Hallo')
    await smsc.phone(MAX).type('Antwort')
    assert(open.size > 0)
    await ours.sms.stop()
    assert.equal(open.size, 0)
  })

  it('unbinds at the end and takes nothing more', async () => {
    const smsc = await simulate()
    const ours = await bound(smsc)
    await ours.sms.stop()
    await ours.sms.stop()
    await waitFor(() => smsc.bound === 0)
    await assert.rejects(ours.send('Hallo'), (error: unknown) => error instanceof Unavailable && error.disconnected)
  })
})
