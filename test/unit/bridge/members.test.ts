import assert from 'node:assert/strict'
import fc from 'fast-check'
import { FEW_AGAIN_MS } from '../../../src/bridge/crowds'
import { CHANGE_EVERY_MS, CHANGES_AT_ONCE, GRACE_MS, SPEAKER_MS } from '../../../src/bridge/halls'
import { GATHER_MS } from '../../../src/bridge/members'
import { Unavailable } from '../../../src/model/errors'
import type { MemberNews } from '../../../src/model/members'
import type { Sender } from '../../../src/model/message'
import type { Mirror } from '../../../src/plan/directory'
import { makePractice, until, type Practice } from '../../support/practice'
import { skippingClock } from '../../support/quick'
import { mirrorOf, startBridge, type Started } from '../../support/started'

describe('bridge/members', () => {
  let red: Practice, blue: Practice
  let started: Started
  let clock: ReturnType<typeof skippingClock>
  const begin = async (membersMax: number | undefined = 100, mirror: Mirror = mirrorOf(['red', 'hall'], ['blue', 'hall']),
    more: Parameters<typeof startBridge>[2] = {}): Promise<void> => {
    clock = skippingClock()
    ;[red, blue] = [makePractice('red'), makePractice('blue')]
    const phone = makePractice('phone', { ghosts: false })
    delete (phone as Partial<Practice>).members
    started = await startBridge([red, blue, phone], [{ ...mirror, ...membersMax !== undefined && { membersMax } }], { clock, ...more })
  }
  afterEach(async () => {
    await started.stop()
    assert.deepEqual(started.bugs, [])
  })

  const tell = (at: Practice, news: MemberNews, place = 'hall'): void => at.inbox.members({ network: at.name, id: place }, news)
  const one = (id: string, name = id, more: Partial<Sender> = {}): Sender => ({ id, name, ...more })
  const all = (at: Practice, ...members: Sender[]): void => tell(at, { kind: 'all', members, others: 'left' })
  const comes = (at: Practice, id: string, name = id): void => tell(at, { kind: 'came', member: one(id, name) })
  const goes = (at: Practice, id: string, how: 'left' | 'lost' | 'kicked' = 'left'): void => tell(at, { kind: 'went', id, how })
  /** What is gathered has been passed on. */
  const settled = async (): Promise<void> => {
    clock.skip(GATHER_MS)
    await started.store.run(async () => {})
    await new Promise(resolve => { setImmediate(resolve) })
  }
  const seenAt = async (at: Practice): Promise<string[]> => { await settled(); return at.there('hall') }

  it('are in each place those of the others, as they come and go and change their names', async () => {
    await begin()
    all(red, one('@anna', 'Anna'), one('@cem', 'Cem'))
    all(blue, one('ben', 'Ben'))
    assert.deepEqual(await seenAt(blue), ['Anna (red)', 'Cem (red)'])
    assert.deepEqual(red.there('hall'), ['Ben (blue)'])
    comes(red, '@anna', 'Anna B.')
    goes(red, '@cem')
    comes(red, '@dora', 'Dora')
    assert.deepEqual(await seenAt(blue), ['Anna B. (red)', 'Dora (red)'])
    const before = blue.listed.length
    comes(red, '@dora', 'Dora')
    await settled()
    assert.equal(blue.listed.length, before, 'nothing new')
    tell(red, { kind: 'came', member: one('@dora', 'Dora', { avatar: { network: 'red', ref: 'picture' } }) })
    await settled()
    assert.deepEqual(blue.lists.get('hall')?.members.find(({ name }) => name === 'Dora (red)')?.avatar, { network: 'red', ref: 'picture' })
  })

  it('say what has waited under their name of now, so that nobody is called as before again', async () => {
    await begin()
    all(red, one('@anna', 'Anna'))
    await settled()
    let tries = 0
    blue.onSend = () => ++tries === 1 ? Promise.reject(new Unavailable('away', { retryAfterMs: 10_000 })) : undefined
    await red.say('hall', '@anna', 'eins', { sender: one('@anna', 'Anna') })
    await until(() => tries === 1, 'the first try')
    comes(red, '@anna', 'Anna B.')
    await settled()
    clock.skip(20_000)
    await until(() => blue.read('hall').length === 1, 'it arrives')
    assert.deepEqual(blue.read('hall'), ['Anna B. (red): eins'])
  })

  it('have no pictures where those are switched off, nor have their messages', async () => {
    await begin(100, { ...mirrorOf(['red', 'hall'], ['blue', 'hall']), pictures: false })
    const avatar = { network: 'red', ref: 'picture' }
    all(red, one('@anna', 'Anna', { avatar }))
    await red.say('hall', '@anna', 'Hallo', { sender: { id: '@anna', name: 'Anna', avatar } })
    await until(() => blue.delivered.length > 0, 'the message')
    assert.deepEqual(await seenAt(blue), ['Anna (red)'])
    assert.deepEqual([blue.lists.get('hall')?.members[0]?.avatar, blue.delivered[0]?.as?.name, blue.delivered[0]?.as?.avatar],
      [undefined, 'Anna (red)', undefined])
  })

  it('are not asked for where that is switched off, in no mirror, and in threads', async () => {
    await begin(0, mirrorOf(['red', 'hall'], ['blue', 'hall'], ['phone', 'us/max', { max: 'Max' }]))
    const wants = (at: Practice, id: string): boolean => at.inbox.wantsMembers({ network: at.name, id })
    assert.deepEqual([wants(red, 'hall'), wants(red, 'elsewhere')], [false, false])
    comes(red, '@anna')
    await red.say('hall', '@anna', 'Guten Morgen')
    await settled()
    assert.deepEqual([red.listed, blue.listed], [[], []])
    await started.stop()
    await begin(100, mirrorOf(['red', 'hall'], ['phone', 'us/max', { max: 'Max' }]))
    assert.deepEqual([wants(red, 'hall'), red.inbox.wantsMembers({ network: 'phone', id: 'us/max' })], [true, false])
  })

  it('are those of a thread too, as they are called in the config, unless they said STOP', async () => {
    await begin(100, mirrorOf(['red', 'hall'], ['phone', 'us/max', { max: 'Max' }]))
    assert.deepEqual(await seenAt(red), ['Max (phone)'])
    const stop = (text: string) => red.inbox.accept({
      kind: 'message', key: text, place: { network: 'phone', id: 'us/max' }, at: 1, sender: one('max'), direct: true,
      content: { style: 'text', text: [{ kind: 'paragraph', of: [{ kind: 'text', text }] }] }
    })
    await stop('STOP')
    assert.deepEqual(await seenAt(red), [])
    await stop('START')
    assert.deepEqual(await seenAt(red), ['Max (phone)'])
  })

  it('are nowhere while the mirror rests at their place, and nothing is told to a place that rests', async () => {
    await begin()
    all(red, one('@anna'))
    all(blue, one('ben'))
    await settled()
    const stands = (standing: 'in' | 'out') =>
      red.inbox.accept({ kind: 'standing', key: standing, place: { network: 'red', id: 'hall' }, at: 1, standing })
    await stands('out')
    assert.deepEqual(await seenAt(blue), [])
    const before = red.listed.length
    comes(blue, 'eva')
    await settled()
    assert.equal(red.listed.length, before)
    await stands('in')
    assert.deepEqual(await seenAt(blue), ['@anna (red)'])
    assert.deepEqual(red.there('hall'), ['ben (blue)', 'eva (blue)'])
  })

  it('that were lost have time to come back; those that left or were put out are gone at once', async () => {
    await begin()
    all(red, one('@a'), one('@b'), one('@c'), one('@d'))
    for (const [id, how] of [['@a', 'lost'], ['@b', 'lost'], ['@c', 'kicked'], ['@d', 'left']] as const) goes(red, id, how)
    assert.deepEqual(await seenAt(blue), ['@a (red)', '@b (red)'])
    clock.skip(GRACE_MS / 2)
    comes(red, '@b')
    clock.skip(GRACE_MS)
    assert.deepEqual(await seenAt(blue), ['@b (red)'])
  })

  it('that were seen to go are named as gone, also before all who belong there are known', async () => {
    await begin(100, mirrorOf(['red', 'hall'], ['blue', 'hall'], ['red', 'side']))
    const gone = async (): Promise<string[]> => { await settled(); return blue.lists.get('hall')?.gone?.map(({ name }) => name) ?? [] }
    all(red, one('@a'), one('@b'), one('@c'))
    assert.deepEqual(await gone(), [])
    goes(red, '@a', 'kicked')
    goes(red, '@b', 'lost')
    assert.deepEqual([await gone(), blue.lists.get('hall')?.whole], [['@a (red)'], false])
    comes(red, '@a')
    assert.deepEqual(await gone(), [])
    goes(red, '@a')
    assert.deepEqual(await gone(), ['@a (red)'])
    tell(red, { kind: 'all', members: [one('@d')], others: 'left' }, 'side')
    comes(red, '@e')
    assert.deepEqual(await gone(), ['@a (red)'], 'until it is whole, because a network may not have heard it yet')
    clock.skip(GRACE_MS)
    clock.skip(60_000)
    assert.deepEqual([await gone(), blue.lists.get('hall')?.whole], [[], true])
  })

  it('that are no longer shown, because there are so many, are not gone', async () => {
    await begin(2)
    all(red, one('@a'), one('@b'))
    await settled()
    comes(red, '@c')
    await settled()
    assert.deepEqual([blue.there('hall'), blue.lists.get('hall')?.gone, blue.lists.get('hall')?.whole], [[], [], false])
  })

  it('are called as their messages are: nobody is called like another, or like somebody of a team', async () => {
    await begin()
    all(red, one('@anna', 'Max'), one('@max', 'Max'), one('@eve', 'Zentrale'))
    const names = await seenAt(blue)
    assert.equal(new Set(names).size, 3)
    assert.ok(names.includes('Max (red)') && !names.includes('Zentrale (red)'), String(names))
    for (const [id, name] of [['@max', 'Max'], ['@anna', 'Max'], ['@eve', 'Zentrale']] as const) {
      await red.say('hall', id, 'Hallo', { sender: one(id, name) })
    }
    await until(() => blue.delivered.length === 3)
    assert.deepEqual(blue.delivered.map(({ as }) => as?.name).sort(), names)
    const path = started.path
    await started.stop()
    await begin(100, undefined, { path })
    all(red, one('@max', 'Max'), one('@eve', 'Zentrale'), one('@anna', 'Max'))
    assert.deepEqual(await seenAt(blue), names, 'over a restart too')
  })

  it('if they are too many, are there once they speak, and as long as they might go on', async () => {
    await begin(2)
    all(red, ...['@a', '@b', '@c', '@d'].map(id => one(id)))
    assert.deepEqual(await seenAt(blue), [])
    await red.say('hall', '@d', 'Auch da')
    await red.say('hall', '@a', 'Und ich')
    assert.deepEqual(await seenAt(blue), ['@a (red)', '@d (red)'])
    assert.equal(blue.lists.get('hall')?.members[0]?.name, '@a (red)', 'first, for a network that has room for few')
    await red.say('hall', '@unknown', 'Wer bin ich')
    assert.deepEqual(await seenAt(blue), ['@a (red)', '@unknown (red)'], 'at most so many who spoke last')
    goes(red, '@a')
    assert.deepEqual(await seenAt(blue), ['@d (red)', '@unknown (red)'])
    clock.skip(SPEAKER_MS)
    clock.skip(60_000)
    assert.deepEqual(await seenAt(blue), [])
  })

  it('are counted over all other places', async () => {
    await begin(4, mirrorOf(['red', 'hall'], ['red', 'side'], ['blue', 'hall']))
    all(red, ...['@a', '@b', '@c'].map(id => one(id)))
    tell(red, { kind: 'all', members: [one('@x'), one('@y')], others: 'left' }, 'side')
    assert.deepEqual([await seenAt(blue), red.there('side')], [[], ['@a (red)', '@b (red)', '@c (red)']])
  })

  it('around the limit do not all come and go again and again', async () => {
    await begin(2)
    all(red, one('@a'), one('@b'))
    assert.deepEqual(await seenAt(blue), ['@a (red)', '@b (red)'])
    comes(red, '@c')
    assert.deepEqual(await seenAt(blue), [], 'too many')
    for (let hour = 0; hour < 30; hour++) {
      goes(red, '@c')
      assert.deepEqual(await seenAt(blue), [])
      clock.skip(FEW_AGAIN_MS / 2)
      comes(red, '@c')
      assert.deepEqual(await seenAt(blue), [])
    }
    goes(red, '@c')
    await settled()
    clock.skip(FEW_AGAIN_MS)
    clock.skip(60_000)
    assert.deepEqual(await seenAt(blue), ['@a (red)', '@b (red)'], 'for a day they were few')
  })

  it('if they are too many, are not sent away because we have been away', async () => {
    await begin(1)
    all(red, one('@a'), one('@b'))
    await settled()
    clock.skip(GRACE_MS)
    clock.skip(60_000)
    await settled()
    assert.equal(blue.lists.get('hall')?.whole, false, 'who has spoken today?')
    clock.skip(SPEAKER_MS)
    clock.skip(60_000)
    await settled()
    assert.equal(blue.lists.get('hall')?.whole, true)
  })

  it('that we do not know yet make nobody leave, nor does a restart of everything', async () => {
    await begin(100, mirrorOf(['red', 'hall'], ['blue', 'hall'], ['red', 'side']))
    all(red, one('@anna'))
    await settled()
    assert.equal(blue.lists.get('hall')?.whole, false, 'who is at the side?')
    tell(red, { kind: 'all', members: [], others: 'left' }, 'side')
    await settled()
    assert.equal(blue.lists.get('hall')?.whole, false, 'they may still be coming back')
    clock.skip(GRACE_MS)
    clock.skip(60_000)
    await settled()
    assert.deepEqual([blue.lists.get('hall')?.whole, blue.there('hall')], [true, ['@anna (red)']])
  })

  it('who change their name again and again are shown so only so often, and at the end as they are called then', async () => {
    await begin()
    all(red, one('@anna', 'Anna'))
    await settled()
    const shown = new Set<string>()
    for (let n = 0; n < 100; n++) {
      comes(red, '@anna', `Anna ${n}`)
      for (const name of await seenAt(blue)) shown.add(name)
    }
    assert.equal(shown.size, CHANGES_AT_ONCE)
    await red.say('hall', '@anna', 'So heiße ich', { sender: one('@anna', 'Anna 99') })
    comes(red, '@anna', 'Annette')
    clock.skip(CHANGE_EVERY_MS)
    clock.skip(60_000)
    assert.deepEqual(await seenAt(blue), ['Annette (red)'])
  })

  it('who flood a place take bounded memory, time and names, and those who speak still get theirs', async () => {
    await begin(100)
    all(red)
    for (let n = 0; n < 10_000; n++) comes(red, `@bot${n}`, `Bot ${n}`)
    assert.equal((await seenAt(blue)).length, 0)
    assert.equal(blue.listed.length, 1)
    for (let n = 0; n < 10_000; n++) goes(red, `@bot${n}`)
    await settled()
    clock.skip(FEW_AGAIN_MS)
    for (let round = 0; round < 40; round++) {
      all(red, ...Array.from({ length: 100 }, (_, n) => one(`@r${round}x${n}`, `Robot ${round} x ${n}`)))
      await settled()
    }
    assert.equal(blue.there('hall').length, 0, 'half of all names are theirs')
    await red.say('hall', '@anna', 'Ich bin echt', { sender: one('@anna', 'Anna') })
    assert.deepEqual(await seenAt(blue), ['Anna (red)'])
  })

  it('are the right ones at the end, whatever happens in which order', async () => {
    const id = fc.constantFrom('@a', '@b', '@c', '@d')
    const event = fc.oneof(
      fc.record({ what: fc.constant('came' as const), id, name: fc.constantFrom('Max', 'Eva', 'Max.') }),
      fc.record({ what: fc.constant('went' as const), id, how: fc.constantFrom('left' as const, 'lost' as const, 'kicked' as const) }),
      fc.record({ what: fc.constant('all' as const), ids: fc.uniqueArray(id), how: fc.constantFrom('left' as const, 'lost' as const) }),
      fc.record({ what: fc.constant('says' as const), id }),
      fc.record({ what: fc.constant('time' as const), ms: fc.constantFrom(1, GATHER_MS, GRACE_MS) }),
      fc.record({ what: fc.constant('restart' as const) })
    )
    await begin()
    await fc.assert(fc.asyncProperty(fc.array(event, { maxLength: 25 }), async events => {
      const there = new Map<string, string>()
      let isTold = false
      for (const it of events) {
        if (it.what === 'came') { there.set(it.id, it.name); comes(red, it.id, it.name) }
        if (it.what === 'went') { there.delete(it.id); goes(red, it.id, it.how) }
        if (it.what === 'all') {
          const now = it.ids.map(one => [one, there.get(one) ?? one] as const)
          there.clear()
          for (const [one, name] of now) there.set(one, name)
          tell(red, { kind: 'all', members: now.map(([one, name]) => ({ id: one, name })), others: it.how })
          isTold = true
        }
        if (it.what === 'says') await red.say('hall', it.id, 'Hallo', { key: `${Math.random()}`, sender: one(it.id, there.get(it.id) ?? it.id) })
        if (it.what === 'time') clock.skip(it.ms)
        if (it.what === 'restart') {
          const { path } = started
          await started.stop()
          await begin(100, undefined, { path })
          isTold = false
        }
      }
      if (!isTold) tell(red, { kind: 'all', members: [...there].map(([one, name]) => ({ id: one, name })), others: 'left' })
      all(blue)
      clock.skip(SPEAKER_MS + GRACE_MS)
      clock.skip(2 * 60_000)
      await settled()
      const { members, whole } = blue.lists.get('hall')!
      assert.equal(whole, true)
      assert.deepEqual(members.map(({ person }) => person.id).sort(), [...there.keys()].sort())
      assert.equal(new Set(members.map(({ name }) => name)).size, members.length, 'no two are called the same')
    }), { numRuns: 60 })
  })
})
