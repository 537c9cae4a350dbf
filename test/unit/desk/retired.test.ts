import assert from 'node:assert/strict'
import { copyFileSync } from 'node:fs'
import { join } from 'node:path'
import type { FunctionAddress } from '../../../src/desk/address'
import { Unavailable } from '../../../src/model/errors'
import { toPlain } from '../../../src/model/text'
import type { Store } from '../../../src/store/store'
import { addressOn, agent } from '../../support/address'
import { temporaryFolder } from '../../support/folder'
import { makePractice, until, type Practice } from '../../support/practice'
import { skippingClock } from '../../support/quick'
import { mirrorOf, startBridge, type Started } from '../../support/started'

const DAY_MS = 86_400_000
const TO_OPEN = '*: Automatic message: Werkstatt is no longer in use. Nothing new is taken up here. ' +
  'The team still sees what you write about your open request.'
const TO_NEW = '*: Automatic reply: Werkstatt is no longer in use. Messages are not read here any more.'
const TO_TEAM = '*: The address Werkstatt is no longer in use. Contacts with an open case have been told, if they can be reached. ' +
  'Open cases can still be answered; whoever writes again gets only an automatic text.'

describe('an address that is taken out of the config', () => {
  let red: Practice, phone: Practice
  let started: Started
  const clock = skippingClock()
  const TEAM = [agent('Anna', 'red @anna')]
  const werkstatt = (more: Partial<FunctionAddress> = {}) => addressOn(['red', 'phone'], TEAM, more)
  const other = addressOn(['red'], TEAM, {
    name: 'amt', slug: 'amt', identities: [{ network: 'red', id: 'amt' }], profile: { name: 'Amt', about: '' }
  })
  const PHONE = { ghosts: false, edits: false, deletions: false, afterCrash: 'park' } as const

  const start = async (addresses: FunctionAddress[], networks = [makePractice('red'), makePractice('phone', PHONE)],
    path = started?.path): Promise<void> => {
    const [first, second] = networks as [Practice, Practice]
    ;[red, phone] = [first, second]
    started = await startBridge(networks, [], { addresses, clock, ...path === undefined ? {} : { path } })
  }
  const restart = async (addresses: FunctionAddress[], networks?: Practice[]): Promise<void> => {
    await stop()
    await start(addresses, networks)
  }
  const stop = async (): Promise<void> => {
    await started.stop()
    assert.deepEqual(started.bugs, [])
  }
  /** Where it was told. What was cut off while being sent comes again, with its key. */
  const toldOn = (networks: Practice[]): string[] => {
    const told = networks.flatMap(({ delivered }) => delivered)
      .filter(({ action }) => action.kind === 'message' && toPlain(action.content.text).includes('no longer in use'))
    return [...new Map(told.map(({ place, key }) => [key, place.id])).values()]
  }

  /** Starts with a store that takes so many jobs and then no longer answers, as if the process were killed. Returns whether it came to that. */
  const startAndCut = async (networks: Practice[], addresses: FunctionAddress[], path: string, jobs: number): Promise<boolean> => {
    let left = jobs
    let real: Store
    const cut = Promise.withResolvers<void>()
    const around = (store: Store): Store => {
      real = store
      return { ...store, run: (job, patienceMs) => {
        if (left-- > 0) return store.run(job, patienceMs)
        cut.resolve()
        return new Promise(() => {})
      } }
    }
    const starting = startBridge(networks, [], { addresses, path, around, clock })
    const isCut = await Promise.race([
      cut.promise.then(() => true),
      starting.then(() => until(async () => toldOn(networks).length === 3 && (await real.run(tx => tx.open())).length === 0)).then(() => false)
    ])
    await real!.close()
    return isCut
  }
  beforeEach(() => { (started as unknown) = undefined })
  afterEach(stop)

  const chat = (who: string, ours = 'werkstatt'): string => `${ours}/red:${who}`
  let said = 0 // over all restarts, so that each has a key of its own
  const says = (network: Practice, place: string, who: string, text: string, to?: string) =>
    network.say(place, who, text, { key: `said-${++said}`, ...to === undefined ? {} : { direct: true, to } })
  const writes = (who: string, text: string, ours = 'werkstatt') => says(red, chat(who, ours), `red:${who}`, text, ours)
  const types = (room: string, text: string) => says(red, room, '@anna', text)
  const reads = (where: Practice, place: string, line: string): Promise<void> =>
    until(() => where.read(place).includes(line), `“${line}” at ${place}, where there is ${JSON.stringify(where.read(place))}`)
  const count = (where: Practice, place: string, line: string): number => where.read(place).filter(one => one === line).length
  const one = async (id: number) => (await started.store.run(tx => tx.desk.conversation(id)))!
  /** The rooms that networks should end at this start, and may fail to end. */
  const endedAtStart = async (addresses: FunctionAddress[], fails = false): Promise<string[]> => {
    const ended: string[] = []
    const next = makePractice('red')
    next.forget = async places => {
      ended.push(...places.map(({ id }) => id))
      if (fails) throw new Unavailable('down')
    }
    await restart(addresses, [next, makePractice('phone', PHONE)])
    await until(() => ended.length >= 2)
    return ended.toSorted()
  }
  /** Resolves when what the start causes has been done: something that came later has gone all its way. */
  const settled = async (): Promise<void> => {
    await writes('late', 'Hello?', 'amt')
    await until(() => red.read('amt-queue').some(line => line.includes('late')))
  }

  it('tells its contacts and its team once, whatever restarts, and what is open can still be answered', async () => {
    await start([werkstatt(), other])
    await writes('eva', 'Hello?')
    await says(phone, 'werkstatt/phone:max', 'phone:max', 'And me?', 'werkstatt')
    await writes('done', 'Thanks')
    await types('werkstatt-3', '!done')
    await until(async () => (await one(3)).state === 'done')
    await restart([other])
    await reads(red, chat('eva'), TO_OPEN)
    await reads(phone, 'werkstatt/phone:max', TO_OPEN)
    await reads(red, 'werkstatt-queue', TO_TEAM)
    assert.deepEqual(red.read(chat('done')), [])
    await writes('eva', 'Is anybody there?')
    await reads(red, 'werkstatt-1', 'red:eva (red): Is anybody there?')
    await types('werkstatt-1', 'Yes')
    await reads(red, chat('eva'), '*: Yes')
    await restart([other])
    await settled()
    assert.deepEqual([red.read(chat('eva')), phone.read('werkstatt/phone:max'), count(red, 'werkstatt-queue', TO_TEAM)], [[], [], 0])
  })

  it('tells everybody once, wherever its first start without the address is cut off', async () => {
    await start([werkstatt(), other])
    await writes('eva', 'Hello?')
    await writes('max', 'And me?')
    await stop()
    const { path } = started
    let isCut = true
    for (let jobs = 0; isCut; jobs++) {
      const copy = join(temporaryFolder(), 'zentrale.db')
      copyFileSync(path, copy)
      const before = makePractice('red')
      isCut = await startAndCut([before], [other], copy, jobs)
      await start([other], [makePractice('red'), makePractice('phone', PHONE)], copy)
      await until(() => toldOn([before, red]).length >= 3, `telling all after ${jobs} jobs`)
      await settled()
      assert.deepEqual(toldOn([before, red]).toSorted(), ['werkstatt-queue', chat('eva'), chat('max')], `cut off after ${jobs} jobs`)
      await stop()
    }
    await start([other])
  })

  it('answers whoever writes anew, or after their case is closed, with its text, and the operator finds it in the logbook', async () => {
    await start([werkstatt(), other])
    await writes('eva', 'Hello?')
    await types('werkstatt-1', 'Good day')
    await types('werkstatt-1', '!done')
    await until(async () => (await one(1)).state === 'done')
    await restart([other])
    await writes('eva', 'One more thing')
    await reads(red, chat('eva'), TO_NEW)
    await writes('new', 'Good day')
    await reads(red, chat('new'), TO_NEW)
    await settled()
    assert.deepEqual([(await one(1)).state, (await one(2)).state], ['done', 'done'])
    assert.deepEqual(red.read('werkstatt-queue').filter(line => line.includes('Good day')), [])
    const lines = await started.store.run(tx => tx.desk.logbook('werkstatt', undefined, 10))
    assert.deepEqual(lines.filter(({ what }) => what === 'written after the end').map(({ conversation }) => conversation), [2, 1])
  })

  it('is forgotten if nobody has ever written to it', async () => {
    await start([werkstatt(), other])
    await restart([other])
    assert.equal(started.bridge.desk.memory.roster.named('werkstatt'), undefined)
  })

  it('that comes back is as before, and when it goes again it tells again', async () => {
    await start([werkstatt(), other])
    await writes('eva', 'Hello?')
    await restart([other])
    await reads(red, chat('eva'), TO_OPEN)
    await restart([werkstatt(), other])
    await writes('new', 'Good day')
    await until(() => red.read('werkstatt-queue').some(line => line.includes('Good day')))
    await restart([other])
    await reads(red, chat('eva'), TO_OPEN)
  })

  it('hands its conversations over to the address that has its identity now, with rooms, record and consent', async () => {
    await start([werkstatt(), other])
    await writes('eva', 'Hello?')
    await types('werkstatt-1', 'Good day')
    await writes('done', 'Thanks')
    await types('werkstatt-2', '!done')
    await until(async () => (await one(2)).state === 'done')
    const renamed = werkstatt({ name: 'garage', slug: 'garage', profile: { name: 'Garage', about: '' } })
    await restart([renamed, other])
    await until(() => red.delivered.some(({ place, action }) =>
      place.id === 'werkstatt-1' && action.kind === 'room' && action.room.people.length === 0))
    await until(async () => (await one(2)).handledBy === 'garage')
    assert.deepEqual([(await one(1)).address, (await one(1)).handledBy, (await one(1)).owner], ['garage', 'garage', 'red @anna'])
    await types('garage-1', 'From the new room')
    await reads(red, chat('eva'), '*: From the new room')
    await writes('done', 'Once more')
    await reads(red, 'garage-2', 'red:done (red): Once more')
    assert.deepEqual(red.read(chat('eva')), ['*: From the new room'])
    assert.deepEqual((await started.store.run(tx => tx.desk.consents('red red:eva', 'garage'))).map(({ kind }) => kind), ['granted'])
    await restart([renamed, other])
    assert.equal(started.bridge.desk.memory.roster.named('werkstatt'), undefined)
  })

  it('leaves no room behind with people in it once another address has all that is its', async () => {
    await start([werkstatt(), other])
    await writes('eva', 'Hello?')
    const renamed = werkstatt({ name: 'garage', slug: 'garage', profile: { name: 'Garage', about: '' } })
    await restart([renamed, other])
    for (const room of ['werkstatt-1', 'werkstatt-queue', 'werkstatt-all']) {
      await until(() => red.delivered.findLast(({ place }) => place.id === room)?.action.kind === 'room', room)
      const { action } = red.delivered.findLast(({ place }) => place.id === room)!
      assert.deepEqual(action.kind === 'room' ? action.room.people : undefined, [], room)
    }
    const ended = await endedAtStart([renamed, other])
    assert.deepEqual(ended, ['werkstatt-all', 'werkstatt-queue'])
  })

  it('leaves no room behind when it goes and nobody has ever written to it', async () => {
    await start([werkstatt(), other])
    assert.deepEqual(await endedAtStart([other]), ['werkstatt-all', 'werkstatt-queue'])
  })

  it('that comes back before its rooms were closed keeps them', async () => {
    await start([werkstatt(), other])
    await endedAtStart([other], true)
    const ended: string[] = []
    const next = makePractice('red')
    next.forget = async places => { ended.push(...places.map(({ id }) => id)) }
    await restart([werkstatt(), other], [next, makePractice('phone', PHONE)])
    await until(async () => (await started.store.run(tx => tx.remembered('forgotten'))).length === 0)
    assert.deepEqual(ended, [])
  })

  it('still has the cases answered that it passed on, and a case passed to it goes back when it is closed', async () => {
    await start([werkstatt(), other])
    await writes('eva', 'Hello?')
    await types('werkstatt-1', '!assign amt')
    await writes('max', 'For the office', 'amt')
    await types('amt-2', '!assign werkstatt')
    await until(async () => (await one(2)).handledBy === 'werkstatt')
    await restart([other])
    await reads(red, chat('eva'), TO_OPEN)
    await types('amt-1', 'Good day')
    await reads(red, chat('eva'), '*: Good day')
    assert.deepEqual(red.read(chat('max', 'amt')), [])
    await types('werkstatt-2', 'Good day, Max')
    await reads(red, chat('max', 'amt'), '*: Good day, Max')
    await types('werkstatt-2', '!done')
    await until(async () => (await one(2)).state === 'done')
    clock.skip(DAY_MS)
    await writes('max', 'Again', 'amt')
    await reads(red, 'amt-2', 'red:max (red): Again')
  })

  it('tells nobody whom it can no longer reach, and says so to whoever answers them all the same', async () => {
    const ELSEWHERE = { network: 'red', id: 'w@elsewhere' }
    const moved = werkstatt({ identities: [ELSEWHERE, { network: 'phone', id: 'werkstatt' }] })
    await start([moved, other])
    await writes('eva', 'Hello?', ELSEWHERE.id)
    await says(phone, 'werkstatt/phone:max', 'phone:max', 'And me?', 'werkstatt')
    await restart([other], [makePractice('red')])
    await reads(red, 'werkstatt-queue', TO_TEAM)
    assert.deepEqual(red.served.map(({ id }) => id), ['amt'])
    for (const [room, label] of [['werkstatt-1', 'red'], ['werkstatt-2', 'phone']] as const) {
      await types(room, 'Good day')
      await reads(red, room, `*: Not sent: this address can no longer be reached by ${label}.`)
    }
    assert.deepEqual(red.delivered.filter(({ place }) => place.id === chat('eva', ELSEWHERE.id)), [])
  })

  it('wakes what was put off', async () => {
    await start([werkstatt(), other])
    await writes('eva', 'Hello?')
    await types('werkstatt-1', '!wait 1h')
    await until(async () => (await one(1)).state === 'snoozed')
    await restart([other])
    clock.skip(DAY_MS)
    await reads(red, 'werkstatt-1', '*: The waiting time is over.')
  })

  it('does not tell who sent STOP', async () => {
    await start([werkstatt(), other])
    await writes('eva', 'Hello?')
    await writes('eva', 'STOP')
    await reads(red, chat('eva'), '*: You will get no more messages from us. Send START to get them again.')
    await restart([other])
    await reads(red, 'werkstatt-queue', TO_TEAM)
    await settled()
    assert.deepEqual(red.read(chat('eva')), [])
  })

  it('takes no case that is passed on, and writes to nobody new', async () => {
    await start([werkstatt(), other])
    await writes('eva', 'Hello?')
    await writes('max', 'For the office', 'amt')
    await restart([other])
    await types('amt-2', '!assign werkstatt')
    await reads(red, 'amt-2', '*: There is no werkstatt.')
    await types('werkstatt-queue', '!new red:ida Good day')
    await until(() => red.read('werkstatt-queue').filter(line => line === TO_TEAM).length === 2)
  })
})

describe('an address for whose rooms the config would make other names', () => {
  const TEAM = [agent('Anna', 'red @anna')]
  const amt = { name: 'amt', identities: [{ network: 'red', id: 'amt' }], profile: { name: 'Amt', about: '' } }

  it('keeps the rooms that it has, with all who are in them, and whoever comes later gets others', async () => {
    const { path, stop, bugs } = await startBridge([makePractice('red')], [], { addresses: [addressOn(['red'], TEAM)] })
    await stop()
    const red = makePractice('red')
    const started = await startBridge([red], [], { path, addresses: [
      addressOn(['red'], TEAM, { slug: 'garage' }), addressOn([], TEAM, { ...amt, slug: 'werkstatt' })
    ] })
    await red.say('werkstatt/red:eva', 'red:eva', 'Hello?', { direct: true, to: 'werkstatt' })
    await red.say('amt/red:max', 'red:max', 'Good day', { direct: true, to: 'amt' })
    await until(() => red.read('werkstatt-1').includes('red:eva (red): Hello?') && red.read('werkstatt-2-2').includes('red:max (red): Good day'))
    assert.ok(red.delivered.every(({ place }) => !place.id.startsWith('garage')))
    assert.deepEqual([...bugs, ...started.bugs], [])
    await started.stop()
  })
})

describe('somebody who is taken out of the team in the config', () => {
  it('has no case any more, and the others are told which are free', async () => {
    const [anna, bernd] = [agent('Anna', 'red @anna'), agent('Bernd', 'red @bernd')]
    const before = makePractice('red')
    const { path, store, stop } = await startBridge([before], [], { addresses: [addressOn(['red'], [anna, bernd])] })
    await before.say('werkstatt/red:eva', 'red:eva', 'Hello?', { direct: true, to: 'werkstatt' })
    await before.say('werkstatt-1', '@anna', 'Good day')
    await until(async () => (await store.run(tx => tx.desk.conversation(1)))!.owner === 'red @anna')
    await stop()
    const red = makePractice('red')
    const started = await startBridge([red], [], { addresses: [addressOn(['red'], [bernd])], path })
    await until(() => red.read('werkstatt-queue').includes('*: Free again, because whoever had the case is not in the team any more: #1'))
    assert.equal((await started.store.run(tx => tx.desk.conversation(1)))!.owner, undefined)
    assert.deepEqual(started.bugs, [])
    await started.stop()
  })
})

describe('a network that is taken out of the config', () => {
  it('stops nothing if an address still has cases on it: they are listed, and whoever answers one is told that it cannot go out', async () => {
    const team = [agent('Anna', 'red @anna')]
    const first = makePractice('phone')
    const { path, stop } = await startBridge([makePractice('red'), first], [], { addresses: [addressOn(['red', 'phone'], team)] })
    await first.say('werkstatt/phone:max', 'phone:max', 'Hello?', { direct: true, to: 'werkstatt' })
    await stop()
    const red = makePractice('red')
    const started = await startBridge([red], [], { addresses: [addressOn(['red'], team)], path })
    const says = async (text: string, answer: RegExp): Promise<void> => {
      await red.say('werkstatt-1', '@anna', text)
      await until(() => red.read('werkstatt-1').some(line => answer.test(line)), text)
    }
    await says('!list', /phone:max \(phone\)/)
    await says('Good day', /Not sent: this address can no longer be reached by phone/)
    await says('!done', /done/)
    assert.deepEqual(started.bugs, [])
    await started.stop()
  })

  it('stops nothing if a message that was mirrored there is taken back', async () => {
    const places = ['red', 'blue', 'gone'].map((network): [string, string] => [network, 'room'])
    const before = ['red', 'blue', 'gone'].map(name => makePractice(name))
    const { path, stop } = await startBridge(before, [mirrorOf(...places)])
    await before[0]!.say('room', 'red:ida', 'Hello')
    await until(() => before.slice(1).every(({ delivered }) => delivered.length > 0))
    await stop()
    const [red, blue] = [makePractice('red'), makePractice('blue')]
    const started = await startBridge([red, blue], [mirrorOf(...places.slice(0, 2))], { path })
    await red.inbox.accept({
      kind: 'deletion', key: 'deletion', place: { network: 'red', id: 'room' }, at: 1, sender: { id: 'red:ida', name: 'red:ida' }, of: 'red-in-1'
    })
    await until(() => blue.read('room').includes('red:ida (red): (deleted)'))
    assert.deepEqual(started.bugs, [])
    await started.stop()
  })
})
