/** An engine of encryption without a library and without a thread, for simulated time. It passes the suites that the real one passes. */
import type { Chance } from '../../src/lib/chance'
import { messageOf, Unavailable } from '../../src/model/errors'
import type { Asked, CallName } from '../../src/networks/matrix/encryption/calls'
import type { Engine, MakeEngine } from '../../src/networks/matrix/encryption/engine'
import { type Machine, openMachine } from './fake-machine'

/** `dies`: whether the worker ends now, at the beginning of a call, or when all is on disk and the answer is not yet given. */
export interface FakeEngineParts { chance: Pick<Chance, 'token'>; dies? (): boolean }

export const fakeEngine = ({ chance, dies = () => false }: FakeEngineParts): MakeEngine => ({ clock, keep }) => {
  let machines = new Map<string, Machine>()
  let life = 0
  let stopped = false

  const end = (why: string): Unavailable => {
    machines = new Map()
    life++
    return new Unavailable(`encryption: ${why}`)
  }

  const run = (device: string, name: CallName, asked: unknown): unknown => {
    if (name === 'open') {
      machines.set(device, openMachine({ ...asked as Asked<'open'>, chance, now: clock.now }))
      return undefined
    }
    const machine = machines.get(device)
    if (machine === undefined) throw new Error(`no device ${device}`)
    if (name === 'close') return void machines.delete(device)
    return (machine[name] as (asked: unknown) => unknown)(asked)
  }

  const ask = (device: string, name: CallName, asked: unknown): unknown => {
    try {
      return run(device, name, asked)
    } catch (error) {
      throw machines.has(device) ? end(messageOf(error)) : new Unavailable(`encryption: ${messageOf(error)}`)
    }
  }

  const call = async (device: string, name: CallName, asked: unknown): Promise<unknown> => {
    if (stopped) throw new Unavailable('encryption: stopping')
    if (dies()) throw end('it died in the middle of a call')
    const mine = life
    const answer = ask(device, name, asked)
    await keep(device, machines.get(device)?.changes() ?? []).catch((error: unknown) => { throw end(messageOf(error)) })
    if (life !== mine) throw new Unavailable('encryption: it has ended')
    if (dies()) throw end('it died before it answered')
    return answer
  }

  return {
    call: call as Engine['call'],
    get life () { return life },
    stop () { stopped = true; end('stopping') }
  }
}
