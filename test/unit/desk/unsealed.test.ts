import assert from 'node:assert/strict'
import type { FunctionAddress } from '../../../src/desk/address'
import { silentLog } from '../../../src/lib/log'
import { addressOn, agent } from '../../support/address'
import { makePractice, until, type Practice } from '../../support/practice'
import { startBridge, type Started } from '../../support/started'

/** red can encrypt the rooms of a team, blue cannot. */
describe('a team whose rooms are encrypted', () => {
  let red: Practice, blue: Practice
  let started: Started
  let warned: unknown[]
  let starts = 0
  const queue = 'werkstatt-queue'
  const [anna, bernd] = [agent('Anna', 'red @anna'), agent('Bernd', 'blue bernd')]
  const sealed = (team = [anna]): FunctionAddress => addressOn(['red', 'blue'], team, { encryptedRooms: true })

  const start = async (address: FunctionAddress): Promise<void> => {
    const path = starts === 0 ? undefined : started.path
    warned = [];
    [red, blue] = [makePractice('red', { sealsRooms: true }), makePractice('blue')]
    const log = { ...silentLog, warn: (what: object) => { if ('clear' in what) warned.push(what) } }
    started = await startBridge([red, blue], [], { addresses: [address], log, ...path === undefined ? {} : { path } })
    await red.say('werkstatt/red:eva', 'red:eva', 'Hello?', { direct: true, to: 'werkstatt', key: `hello ${++starts}` })
    await until(() => red.read('werkstatt-1').some(line => line.endsWith('Hello?')), 'what is new is carried')
  }
  const restart = async (address: FunctionAddress): Promise<void> => {
    await stop()
    await start(address)
  }
  const stop = async (): Promise<void> => {
    await started.stop()
    assert.deepEqual(started.bugs, [])
  }
  const warnings = (where: Practice): string[] => where.read(queue).filter(line => line.includes('⚠'))
  const FOR_BERND = '*: ⚠ From now on, what this team reads and writes stands without encryption too: for Bernd, ' +
    'in a network whose rooms are not encrypted.'
  const NO_MORE = 'New rooms of this team are no longer encrypted; those that are stay so.'
  afterEach(stop)

  it('is told once if somebody comes in by the config who reads elsewhere, and so is the log', async () => {
    starts = 0
    await start(sealed())
    assert.deepEqual([warnings(red), warned], [[], []])
    await restart(addressOn(['red', 'blue'], [anna, bernd]))
    for (const where of [red, blue]) await until(() => warnings(where).join() === `${FOR_BERND} ${NO_MORE}`)
    assert.deepEqual(warned, [{ address: 'werkstatt', clear: ['Bernd'], sealed: false }])
    await restart(addressOn(['red', 'blue'], [anna, bernd]))
    assert.deepEqual([warnings(red), warnings(blue), warned], [[], [], []])
  })

  it('is told once if that is by an order, also after the config says so too; what is so from the beginning, the log says', async () => {
    starts = 0
    await start(sealed())
    await started.bridge.desk.order('werkstatt', { what: 'say', by: 'admin', words: '!team + blue bernd Bernd' })
    for (const where of [red, blue]) await until(() => warnings(where).join() === FOR_BERND)
    await restart(sealed([anna, bernd]))
    assert.deepEqual([warnings(red), warnings(blue), warned], [[], [], [{ address: 'werkstatt', clear: ['Bernd'], sealed: true }]])
  })
})
