/**
 * A store in PostgreSQL: Zentrale is killed at every moment as with a file (sweep.ts), and the database, or the link to it, fails while people talk.
 * Then Zentrale stops rather than say yes wrongly, and carries on with everything after the next start.
 */
import assert from 'node:assert/strict'
import { setTimeout as pause } from 'node:timers/promises'
import { Client } from 'pg'
import { type Postgres, startPostgres } from '../../sandbox/servers/postgres'
import { until } from '../../sandbox/servers/process'
import type { Town } from '../../sandbox/town'
import { temporaryFolder } from '../support/folder'
import { type Proxy, startProxy } from '../support/proxy'
import { needs, scratch } from '../support/real'
import { isLong } from './long'
import { LONG_POSTGRES, raiseMortalTown, SHORT_POSTGRES, watchCalls } from './moments'
import { sweep } from './sweep'
import { makeWitness, mustBeWhole, type Witness } from './witness'

const BUG = 70
const COUNT = 5
const BRIEF_MS = 2_000
const STOPS_WITHIN_MS = 60_000
/** Whoever holds the lock: the session of Zentrale. */
const SESSION = "SELECT pid FROM pg_locks WHERE locktype = 'advisory' AND granted"

describe('faults: a store in PostgreSQL', function () {
  this.timeout(isLong ? 3 * 3_600_000 : 900_000)
  needs('prosody', 'postgres', 'strace', ...isLong ? ['synapse'] as const : [])
  const dir = scratch()
  let server: Postgres, proxy: Proxy, town: Town, witness: Witness
  let url = ''
  let round = 0

  before(async () => {
    server = await startPostgres({ dir: temporaryFolder(), fsync: true })
    proxy = await startProxy(server.port)
    url = await server.createDatabase('zentrale')
    town = await raiseMortalTown(dir('town'), isLong ? 'synapse' : 'practice', url.replace(`:${server.port}`, `:${proxy.port}`))
    witness = makeWitness(town)
    await witness.say(0, 2)
    await witness.settle(0)
  })
  after(async () => {
    await town?.stop()
    await proxy?.stop()
    await server?.stop()
  })

  it('killed at every moment: nothing is lost, nothing comes twice to Matrix, all keeps its order', async () => {
    const shots = isLong ? LONG_POSTGRES : SHORT_POSTGRES
    round = shots.length
    await sweep(town, witness, shots)
  })

  const asks = async (query: string): Promise<number> => {
    const client = new Client({ connectionString: url })
    await client.connect()
    try {
      return Number((await client.query<{ pid: number }>(query)).rows[0]?.pid)
    } finally { await client.end() }
  }
  const failing = async (call: string, effect: string): Promise<() => void> => await watchCalls(await asks(SESSION), call, '1+', effect)

  /** `strike` does it, and returns what ends it when Zentrale has stopped. */
  interface Fault { what: string, strike (): Promise<(() => Promise<void> | void) | void> | (() => void) | void }

  const STOPPED_BY: Fault[] = [
    { what: 'its disk is full', strike: () => failing('pwrite64', 'error=ENOSPC') },
    { what: 'its disk cannot keep what it was given', strike: () => failing('fdatasync', 'error=EIO') },
    { what: 'it ends the session', strike: async () => { await asks(SESSION.replace('pid', 'pg_terminate_backend(pid)')) } },
    { what: 'it restarts', strike: () => server.restart() },
    { what: 'the link is reset', strike: () => proxy.reset() },
    { what: 'the link brings no answers, then breaks', strike: async () => {
      proxy.fromServer.hold = true
      await pause(BRIEF_MS)
      proxy.reset()
      proxy.fromServer.hold = false
    } }
  ]
  const LONG_ONLY: Fault[] = [
    { what: 'it is killed', strike: async () => {
      await server.kill()
      return () => server.restart()
    } },
    { what: 'the link ends', strike: () => proxy.cut() },
    { what: 'the link is cut inside a character', strike: () => { proxy.fromServer.cutInCharacter = proxy.toServer.cutInCharacter = true } },
    { what: 'the link cannot be had for a while', strike: () => {
      proxy.refuse = true
      proxy.reset()
      return () => { setTimeout(() => { proxy.refuse = false }, BRIEF_MS) }
    } },
    { what: 'the link is dead without a sign', strike: () => {
      proxy.fromServer.hold = proxy.toServer.hold = true
      return () => {
        proxy.reset()
        proxy.fromServer.hold = proxy.toServer.hold = false
      }
    } }
  ]

  const words = (): string => ' ü😀'

  for (const { what, strike } of [...STOPPED_BY, ...isLong ? LONG_ONLY : []]) {
    it(`${what}: Zentrale stops, has told nobody yes, and goes on after the next start`, async () => {
      const pid = town.zentrale.pid
      const said = witness.say(++round, COUNT, undefined, words)
      const end = await strike()
      await said
      await witness.say(++round, COUNT, undefined, words)
      await until('stopped', STOPS_WITHIN_MS, () => !town.zentrale.running)
      assert.deepEqual([town.zentrale.exitCode, town.zentrale.pid], [BUG, pid])
      await end?.()
      for (const one of [round - 1, round]) {
        await witness.settle(one)
        await mustBeWhole(witness, one)
      }
    })
  }

  const BORNE: Record<string, (on: boolean) => void> = {
    'brings single octets': on => { proxy.fromServer.chop = proxy.toServer.chop = on },
    'is slow': on => { proxy.fromServer.delayMs = proxy.toServer.delayMs = on ? 100 : 0 },
    'lets nothing through for a while': on => { proxy.fromServer.hold = proxy.toServer.hold = on }
  }

  for (const [what, begin] of isLong ? Object.entries(BORNE) : []) {
    it(`the link ${what}: the same process goes on`, async () => {
      const pid = town.zentrale.pid
      begin(true)
      await Promise.all([witness.say(++round, COUNT, undefined, words), pause(BRIEF_MS)])
      begin(false)
      await witness.settle(round)
      await mustBeWhole(witness, round)
      assert.deepEqual([town.zentrale.running, town.zentrale.pid], [true, pid])
    })
  }
})
