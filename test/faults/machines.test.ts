/**
 * Two Zentralen on one PostgreSQL, and all that can happen to the active one and to the database, with 300 messages each way under way: the
 * other one takes over, nothing is lost, Matrix has each once and in order, and never do two of them speak (an auditor hears all wires:
 * test/support/machines.ts). Two towns at the same time, because a fault that nobody is told of takes its 15 seconds.
 */
import assert from 'node:assert/strict'
import { xml } from '@xmpp/client'
import { type Postgres, startPostgres, startStandby } from '../../sandbox/servers/postgres'
import { until } from '../../sandbox/servers/process'
import type { Town } from '../../sandbox/town'
import { temporaryFolder } from '../support/folder'
import { type Machine, type Machines, makeAuditor, raiseMachines } from '../support/machines'
import { needs, scratch } from '../support/real'
import { during } from './counted'

const COUNT = 300
const WITHIN_MS = 60_000
const BUG = 70

interface Outcome { activeAfterMs: number }

const standsBy = (machine: Machine): Promise<void> => until(`the ${machine.name} stands by`, WITHIN_MS, async () =>
  (await (await fetch(`${machine.url}/readyz`)).json() as { standby?: string }).standby !== undefined)

/** How long it takes until this one is active. */
const isActiveAfter = async (machine: Machine, since: number): Promise<number> => {
  await until(`the ${machine.name} takes over`, WITHIN_MS, machine.isActive)
  return performance.now() - since
}

const ended = (machine: Machine): Promise<void> => until(`the ${machine.name} ends`, WITHIN_MS, () => !machine.process.running)

type Standby = Awaited<ReturnType<typeof startStandby>>

interface Raised { server: Postgres; machines: Machines; standby?: Standby }

/** One takes over from the other, which is started again then, and stands by. */
type Fault = (on: { active: Machine, other: Machine, town: Town, server: Postgres, standby?: Standby }) => Promise<number>

const killed: Fault = async ({ active, other }) => {
  const since = performance.now()
  await active.process.kill()
  return await isActiveAfter(other, since)
}

const frozen: Fault = async ({ active, other, town: { people: { bernd }, xmpp } }) => {
  const since = performance.now()
  process.kill(active.process.pid, 'SIGSTOP')
  // what is answered at once, without a commit: it will be the first thing that the thawed one hears
  bernd.ask('get', xmpp.component.domain, xml('query', { xmlns: 'http://jabber.org/protocol/disco#info' })).catch(() => { /* nobody answers */ })
  const after = await isActiveAfter(other, since)
  await until('the XMPP server lets the other one in, although the first one has not hung up', WITHIN_MS, other.isLetIn)
  process.kill(active.process.pid, 'SIGCONT')
  await ended(active)
  assert.equal(active.process.exitCode, BUG)
  return after
}

const cutOff: Fault = async ({ active, other }) => {
  const { toServer, fromServer } = active.wires.postgres
  const since = performance.now()
  toServer.hold = fromServer.hold = true
  const after = await isActiveAfter(other, since)
  await ended(active)
  assert.equal(active.process.exitCode, BUG)
  toServer.hold = fromServer.hold = false
  return after
}

/** An address that moves leads to whichever is the primary: here the wires do. */
const failedOver: Fault = async ({ active, other, server, standby }) => {
  const since = performance.now()
  await server.kill()
  await standby!.promote()
  for (const { wires: { postgres } } of [active, other]) postgres.serverPort = standby!.port
  await ended(active)
  assert.equal(active.process.exitCode, BUG)
  return await isActiveAfter(other, since)
}

const restarted: Fault = async ({ active, other, server }) => {
  const since = performance.now()
  await server.kill()
  await server.restart()
  await ended(active)
  assert.equal(active.process.exitCode, BUG)
  return await isActiveAfter(other, since)
}

/** When what is said in this play arrives on the other side: the first after this time. */
const watchArrivals = ({ practice, people: { bernd } }: Town, name: string): { after (time: number): number[] } => {
  const [onMatrix, onXmpp]: [number[], number[]] = [[], []]
  practice!.state.listeners.add(({ content }) => {
    if (String(content['body']).startsWith(`bernd-${name}/`)) onMatrix.push(performance.now())
  })
  bernd.client.on('stanza', stanza => {
    if (stanza.is('message') && stanza.getChildText('body')?.startsWith(`anna-${name}/`)) onXmpp.push(performance.now())
  })
  return { after: time => [onMatrix, onXmpp].map(times => times.find(one => one > time) ?? NaN) }
}

describe('faults: two Zentralen on one PostgreSQL', () => {
  needs('prosody', 'postgres')
  const dir = scratch()
  const running: { stop (): Promise<void> }[] = []
  const plays: Record<string, Promise<Outcome>> = {}

  /** In the middle of messages. */
  const play = async ({ machines: { town, all, faults }, ...servers }: Raised, name: string, fault: Fault): Promise<Outcome> => {
    const isFirst = await all[0].isActive()
    const [active, other] = isFirst ? all : [all[1], all[0]]
    const arrivals = watchArrivals(town, name)
    let [since, activeAfterMs] = [0, 0]
    await during(town, name, COUNT, async () => {
      since = performance.now()
      activeAfterMs = await fault({ active, other, town, ...servers })
      await active.start()
      await standsBy(active)
    })
    const firsts = arrivals.after(since + activeAfterMs).map(time => Math.round(time - since))
    console.log(`        ${name}: active after ${Math.round(activeAfterMs)} ms, first messages on Matrix and XMPP after ${firsts.join(', ')} ms`)
    assert.deepEqual(faults, [])
    return { activeAfterMs }
  }
  const raise = async (name: string): Promise<Raised> => {
    const server = await startPostgres({ dir: temporaryFolder() })
    running.unshift(server)
    const machines = await raiseMachines({ dir: path => dir(`${name}/${path}`), database: await server.createDatabase('zentrale') })
    running.unshift(machines)
    return { server, machines }
  }

  before(async () => {
    const [one, other] = await Promise.all([raise('one'), raise('other')])
    const first = play(one, 'killed', killed)
    plays['killed'] = first
    plays['frozen'] = first.then(() => play(one, 'frozen', frozen))
    const second = play(other, 'cut', cutOff)
    plays['cut'] = second
    const third = second.then(() => play(other, 'restarted', restarted))
    plays['restarted'] = third
    plays['failed over'] = third.then(async () => {
      const standby = await startStandby(other.server, temporaryFolder())
      running.unshift(standby)
      return await play({ ...other, standby }, 'failed over', failedOver)
    })
    for (const one of Object.values(plays)) one.catch(() => { /* its test tells */ })
  })
  after(async () => { for (const one of running) await one.stop() })

  it('are judged by an auditor who hears when the one that is over speaks again', () => {
    const { faults, says } = makeAuditor()
    for (const life of ['first 1', 'first 1', 'second 1', 'second 1', 'first 2']) says(life, 'component')
    assert.deepEqual(faults, [])
    says('second 1', 'homeserver')
    assert.deepEqual(faults, ['second 1 speaks to the homeserver although first 2 has begun'])
  })

  it('kill -9 of the active one: the other one takes over at once', async () => {
    assert.ok((await plays['killed']!).activeAfterMs < 10_000)
  })

  it('SIGSTOP of the active one: the other one takes over, and what is thawed ends without a word', async () => {
    assert.ok((await plays['frozen']!).activeAfterMs < 30_000)
  })

  it('no network between the active one and PostgreSQL: it ends by itself before the other one takes over', async () => {
    assert.ok((await plays['cut']!).activeAfterMs < 30_000)
  })
  it('PostgreSQL falls over and is started again: the active one ends, and another one takes over when it is back', async () => {
    assert.ok((await plays['restarted']!).activeAfterMs < 30_000)
  })
  it('PostgreSQL dies and its synchronous standby server takes its place: another one takes over there, and has all', async () => {
    assert.ok((await plays['failed over']!).activeAfterMs < 30_000)
  })
})
