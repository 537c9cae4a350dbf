import assert from 'node:assert/strict'
import fc from 'fast-check'
import { until } from '../../../../support/practice'
import { all, firstVisit, PAGE_MAX, stage, turn } from './catch-up-stage'

describe('xmpp catching up', () => {
  it('keeps hardly anything of a room that is crowded, reads it from the archive, and other rooms go on', async () => {
    const at = stage(['a@rooms.example.org', 'b@rooms.example.org'])
    const [a] = [at.room(0).id]
    await firstVisit(at, 0)
    await firstVisit(at, 1)
    at.space.set(a, 0)
    for (let n = 0; n < 1500; n++) {
      at.say(`a${n}`)
      if (n % 10 === 0) {
        at.say(`b${n}`, {}, 1)
        await turn()
      }
    }
    await all(at, 1)
    assert.deepEqual([at.texts(0), at.paused], [[], []])
    assert.ok(at.refused.size <= PAGE_MAX + 10, `${at.refused.size} were offered and kept`)
    for (let n = 0; n < 5; n++) at.say('ours', { ours: true })
    assert.equal(at.echoes, 5)
    const drain = (): void => { at.space.set(a, 37) }
    const timer = setInterval(drain, 1)
    await all(at).finally(() => clearInterval(timer))
    assert.ok(at.refused.size < 1500)
    at.space.delete(a)
    at.say('live')
    await all(at)
  })

  it('stores everything once and in order, whatever is crowded, left, entered, cut off and killed meanwhile', async () => {
    const act = fc.oneof(
      { weight: 4, arbitrary: fc.record({ do: fc.constant('say' as const), times: fc.integer({ min: 1, max: 12 }) }) },
      { weight: 2, arbitrary: fc.record({ do: fc.constant('space' as const), times: fc.integer({ min: 0, max: 9 }) }) },
      { weight: 3, arbitrary: fc.record({ do: fc.constant('turns' as const), times: fc.integer({ min: 1, max: 8 }) }) },
      fc.record({ do: fc.constantFrom('ours' as const, 'free' as const, 'leave' as const, 'enter' as const, 'kill' as const, 'fail' as const),
        times: fc.integer({ min: 1, max: 7 }) }))
    await fc.assert(fc.asyncProperty(fc.array(act, { maxLength: 40 }), async acts => {
      const at = stage(undefined, 4)
      await firstVisit(at)
      const { id } = at.room()
      let count = 0
      let fails = 4 // at the fifth it is given up
      const enter = (): void => { at.enter(0, turn).catch(() => { /* out again */ }) }
      for (const { do: what, times } of acts) {
        if (what === 'say') for (let n = 0; n < times; n++) at.say(`${count++}`)
        if (what === 'ours') for (let n = 0; n < times; n++) at.say('ours', { ours: true })
        if (what === 'space' || what === 'free') await turn() // of what comes in one tick the first are taken, never later ones alone
        if (what === 'space') at.space.set(id, times)
        if (what === 'free') at.space.delete(id)
        if (what === 'turns') for (let n = 0; n < times; n++) await turn()
        if (what === 'leave') at.leave(0, times > 3)
        if (what === 'enter') enter()
        if (what === 'fail') at.failNext(fails-- > 0 ? 1 : 0)
        if (what === 'kill') at.kill()
      }
      await turn()
      at.space.delete(id)
      enter()
      await all(at)
      at.leave()
    }), { numRuns: 30, endOnFailure: true })
  }).timeout(60_000)

  it('begins with the first message heard, if a first visit finds the door shut', async () => {
    const at = stage()
    at.say('before we came')
    at.said.get(at.room().id)!.length = 0
    at.space.set(at.room().id, 0)
    await at.enter(0, async () => { for (let n = 0; n < 30; n++) at.say(`${n}`) })
    for (let n = 30; n < 60; n++) at.say(`${n}`)
    at.space.delete(at.room().id)
    await all(at)
  })

  it('begins with the first message refused, if nothing of the archive could be read before', async () => {
    const at = stage()
    at.say('before we came')
    at.said.get(at.room().id)!.length = 0
    at.failNext(5)
    await at.enter()
    assert.equal(at.memory.get(`read ${at.room().id}`), undefined, 'given up')
    at.space.set(at.room().id, 0)
    at.failNext(12)
    for (let n = 0; n < 30; n++) at.say(`${n}`)
    await turn()
    at.space.delete(at.room().id)
    await all(at)
  })

  it('lets other rooms be entered while one waits for space, and goes on with it after leaving and coming again', async () => {
    const at = stage()
    await firstVisit(at)
    at.leave()
    for (let n = 0; n < 250; n++) at.say(`${n}`)
    at.space.set(at.room().id, 10)
    await at.enter()
    for (let n = 0; n < 3; n++) {
      at.leave()
      at.say(`away ${n}`)
      await at.enter()
      at.say(`back ${n}`)
    }
    await until(() => at.texts().length === 10, 'ten are stored')
    at.space.delete(at.room().id)
    await all(at)
  })

  it('gives up an archive that does not answer only if it never does, however long reading takes', async () => {
    const at = stage(undefined, 4)
    await firstVisit(at)
    at.leave()
    for (let n = 0; n < 40; n++) at.say(`${n}`)
    at.space.set(at.room().id, 0)
    await at.enter()
    for (let n = 0; n < 8; n++) {
      at.failNext(2)
      const stored = at.texts().length
      at.space.set(at.room().id, 4)
      await until(() => at.texts().length > stored, 'some more are stored')
    }
    at.space.delete(at.room().id)
    await all(at)
  })

  it('reads what was missed also from an archive that fails for minutes, and lets nothing overtake it', async () => {
    const at = stage()
    await firstVisit(at)
    at.leave()
    at.say('missed')
    at.failNext(12)
    void at.enter()
    await turn()
    at.say('live')
    await all(at)
  })

  it('leaves no timer when it stops while an archive does not answer', async () => {
    const at = stage()
    await firstVisit(at)
    at.leave()
    at.say('one')
    const before = at.clock.waiting
    at.failNext(5)
    void at.enter().catch(() => {})
    while (at.clock.waiting === before) await turn() // before it asks again
    at.kill()
    await turn()
    assert.equal(at.clock.waiting, 0)
  })

  it('keeps nothing that the archive has, once the door is shut', async () => {
    const at = stage()
    await firstVisit(at)
    at.leave()
    at.say('away')
    at.space.set(at.room().id, 0)
    await at.enter(0, async () => { for (let n = 0; n < 500; n++) at.say(`${n}`) })
    at.space.delete(at.room().id)
    await all(at)
    assert.equal(at.taken.length, new Set(at.taken).size, 'what was held back would come through the door a second time')
  })

  it('reads once more when it was out meanwhile, or is still', async () => {
    for (const enter of ['at once', 'slowly']) {
      const at = stage()
      await firstVisit(at)
      at.leave()
      at.say('missed')
      const entered = at.enter()
      for (let n = 0; n < 50; n++) await undefined // the archive is asked, and has not answered
      at.leave()
      at.say('away')
      const again = at.enter(0, enter === 'at once' ? undefined : async () => {
        for (let n = 0; n < 10; n++) await turn()
        at.say('heard')
        await turn()
      })
      await Promise.allSettled([entered, again])
      await all(at)
    }
  })

  it('waits for a room that is no more, and reads what was missed when it is there again', async () => {
    const at = stage()
    await firstVisit(at)
    at.leave()
    at.say('missed')
    at.remove(at.room().id)
    await at.enter()
    at.say('live')
    await turn()
    assert.deepEqual(at.texts(), [])
    at.remove('')
    await all(at)
  })

  it('never reads again what was read: messages that were ignored, such as those said while a room had us out, stay ignored', async () => {
    const at = stage()
    await firstVisit(at)
    at.say('stored live')
    await all(at)
    at.leave()
    at.say('while we were out')
    await at.enter()
    await all(at)
    at.clock.skip(2 * 3_600_000)
    for (let n = 0; n < 20; n++) await turn()
    assert.equal((JSON.parse(at.memory.get(`read ${at.room().id}`)!) as string[])[0], 's1')
  })

  it('brings nothing again that was forgotten, and all that was said since, after months in a quiet room', async () => {
    const at = stage()
    await firstVisit(at)
    for (const text of ['one', 'two', 'three']) at.say(text)
    await all(at)
    const before = at.memory.get(`read ${at.room().id}`)
    at.clock.skip(2 * 3_600_000)
    await until(() => at.memory.get(`read ${at.room().id}`) !== before, 'it is remembered')
    at.inbox.forget()
    at.kill()
    at.say('away')
    await at.enter()
    await all(at)
    assert.equal(at.texts().length, 4)
  })

  it('corrects what was said before, also when both were refused', async () => {
    const at = stage()
    await firstVisit(at)
    at.space.set(at.room().id, 1)
    at.say('one')
    const who = '<occupant-id xmlns=\'urn:xmpp:occupant-id:0\' id=\'o\'/>'
    at.say('helo', { inside: who })
    at.say('hello', { inside: `${who}<replace xmlns='urn:xmpp:message-correct:0' id='ms1'/>` })
    at.say('gone', { inside: `${who}<retract xmlns='urn:xmpp:message-retract:1' id='s1'/>` })
    await turn()
    at.space.delete(at.room().id)
    await at.inbox.until('all', () => at.inbox.arrivals.length === 4)
    const { id } = at.room()
    assert.deepEqual(at.inbox.arrivals.map(one => [one.kind, one.key, 'of' in one ? one.of : '']), [
      ['message', `${id} s0`, ''], ['message', `${id} s1`, ''], ['edit', `${id} s2`, `${id} s1`], ['deletion', `${id} s3`, `${id} s1`]
    ])
  })

  it('knows whoever is still in the room by the same account as before, although the room hides addresses', async () => {
    const at = stage()
    const who = (id: string): string => `<occupant-id xmlns='urn:xmpp:occupant-id:0' id='${id}'/>`
    const enter = (): Promise<void> => at.enter(0, async () => {
      at.room().people.set('Anna', { address: 'anna@example.org', occupant: 'o', role: 'participant', rules: false })
    })
    await enter()
    at.say('live', { inside: who('o') })
    await all(at)
    at.kill()
    at.say('missed', { inside: who('o') })
    at.say('of another', { inside: who('p') })
    at.say('of nobody known')
    await enter()
    await all(at)
    const [live, missed, other, unknown] = at.inbox.arrivals.map(one => 'sender' in one ? one.sender : undefined)
    const { id } = at.room()
    assert.deepEqual(live, { id: `${id} o`, name: 'Anna', account: 'anna@example.org' })
    assert.deepEqual(missed, live)
    assert.deepEqual([other, unknown], [{ id: `${id} p`, name: 'Anna' }, { id: `${id}/Anna`, name: 'Anna' }])
  })

  it('keeps what the archive does not have', async () => {
    const at = stage()
    await firstVisit(at)
    at.space.set(at.room().id, 0)
    for (let n = 0; n < 10; n++) {
      at.say(`${n}`)
      at.say(`${n} nowhere`, { archived: false })
      await turn()
    }
    at.space.delete(at.room().id)
    await at.inbox.until('all', () => at.texts().length === 20)
    assert.deepEqual([...at.texts()].sort(), [...at.said.get(at.room().id)!].sort())
    assert.deepEqual(at.texts().filter(text => !text.includes('nowhere')), Array.from({ length: 10 }, (_, n) => `${n}`))
  })
})
