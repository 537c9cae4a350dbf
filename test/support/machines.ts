/**
 * Two Zentralen on one PostgreSQL, as on two machines: each has wires of its own to everything, and an auditor sees what goes over them.
 *
 * *Active* is whoever says anything: an octet to the XMPP server, the homeserver or the gateway, or an answer to the homeserver that is not 503. Each
 * process is a life of its own. One life begins with its first word, and the one before it is over then: whatever that says later, on any wire, is a
 * fault. So a process that is frozen is not active, although its connections live: it says nothing. But when it goes on, it must end without a word.
 *
 * The XMPP server must not have two streams of ours that are let in: it would give what is for us to either. A frozen process keeps its stream
 * until the server ends that, as Prosody does with `component_conflict_resolve = "kick_old"` when another one comes; as it is delivered, it
 * refuses the other one for as long as the first one's connection lives.
 */
import { readFileSync, writeFileSync } from 'node:fs'
import { parse, stringify } from 'yaml'
import { answersHttp, freePorts, type Process, PROGRAM, startOptions, startProcess } from '../../sandbox/servers/process'
import { type Connection, raiseTown, type Town, type TownOptions } from '../../sandbox/town'
import { startFront } from './front'
import { type Proxy, startProxy } from './proxy'

const LET_IN = /<handshake\s*\/>/
const ENDS = '</stream:stream>'
const LONGEST = ENDS.length

type Wire = Exclude<Connection, 'zentrale'> | 'postgres'

export interface Machine {
  readonly name: string
  readonly url: string
  readonly wires: Record<Wire, Proxy>
  process: Pick<Process, 'pid' | 'running' | 'exitCode' | 'kill' | 'stop'>
  isActive (): Promise<boolean>
  /** Whether the XMPP server has let it in. */
  isLetIn (): boolean
  /** Starts it again. Resolves once it stands by, or is active. */
  start (): Promise<void>
}

export interface Machines {
  town: Town
  /** The first one is the active one at the beginning. */
  all: readonly [Machine, Machine]
  /** All that must not be. */
  faults: string[]
  stop (): Promise<void>
}

/** Hears who says something, and judges whether they may. */
export const makeAuditor = (): { faults: string[], says (life: string, where: string): void } => {
  const faults: string[] = []
  const over = new Set<string>()
  let current: string | undefined
  return {
    faults,
    says (life, where) {
      if (life === current) return
      if (over.has(life)) return void faults.push(`${life} speaks to the ${where} although ${current} has begun`)
      if (current !== undefined) over.add(current)
      current = life
    }
  }
}

/** Whether the server has let in a stream of a component on this wire, and has not ended it. `letIn`: it does so now. */
const watchStream = (wire: Proxy, letIn: () => void): (() => boolean) => {
  let open = false
  let heard = ''
  wire.watch = octets => {
    heard = heard.slice(1 - LONGEST) + octets.toString('latin1')
    if (LET_IN.test(heard)) {
      open = true
      letIn()
    } else if (heard.includes(ENDS)) open = false
    if (LET_IN.test(heard) || heard.includes(ENDS)) heard = ''
  }
  return () => open && wire.open > 0
}

const portOf = (url: string): string => new URL(url).port

interface Named { listen: { port: number } }
interface TownConfig {
  store: { postgres: string }
  matrix: Named & { homeserver_url: string, registration: string }
  xmpp: { component: { port: number } }
  sms: { gateways: { port: number }[] }
  media: Named
  operate: Named
}

export interface MachinesOptions extends Omit<TownOptions, 'dir' | 'postgres' | 'via'> { dir (path: string): string; database: string }

export const raiseMachines = async ({ dir, database, ...options }: MachinesOptions): Promise<Machines> => {
  const auditor = makeAuditor()
  const lives = { first: 1, second: 1 }
  const names = ['first', 'second'] as const
  const ports = await freePorts(3)
  const closes: (() => Promise<void>)[] = []
  const wires = { first: {}, second: {} } as Record<typeof names[number], Record<Wire, Proxy>>
  const streams = {} as Record<typeof names[number], () => boolean>
  const letIn = (): void => void setImmediate(() => {
    if (names.every(name => streams[name]())) auditor.faults.push('two streams are let in at once')
  })
  const lay = async (wire: Wire, port: number): Promise<number> => {
    for (const name of names) {
      const proxy = wires[name][wire] = await startProxy(port)
      if (wire !== 'postgres') proxy.overhear = () => auditor.says(`${name} ${lives[name]}`, wire)
      if (wire === 'component') streams[name] = watchStream(proxy, letIn)
      closes.push(proxy.stop)
    }
    return wires.first[wire].port
  }
  await lay('postgres', Number(portOf(database)))
  const urlFor = (name: typeof names[number]): string => database.replace(`:${portOf(database)}/`, `:${wires[name].postgres.port}/`)
  const via = async (link: Connection, port: number): Promise<number> => {
    if (link !== 'zentrale') return await lay(link, port)
    const front = await startFront([port, ports[0]!], by => {
      const name = by === port ? 'first' : 'second'
      auditor.says(`${name} ${lives[name]}`, 'homeserver, in an answer')
    })
    closes.push(front.stop)
    return front.port
  }
  const town = await raiseTown({
    homeserver: 'practice', prosodyConfig: 'component_conflict_resolve = "kick_old"', ...options, dir: dir('town'), postgres: urlFor('first'), via
  })

  const config = parse(readFileSync(town.configPath, 'utf8')) as TownConfig
  const registered = readFileSync(dir('town/registration.yaml'), 'utf8').replace(`:${config.matrix.listen.port}`, `:${ports[0]}`)
  writeFileSync(dir('town/second-registration.yaml'), registered, { mode: 0o600 })
  for (const [index, one] of [config.matrix, config.media, config.operate].entries()) one.listen.port = ports[index]!
  config.store.postgres = urlFor('second')
  Object.assign(config.matrix, { registration: './second-registration.yaml', homeserver_url: `http://127.0.0.1:${wires.second.homeserver.port}` })
  config.xmpp.component.port = wires.second.component.port
  config.sms.gateways[0]!.port = wires.second.smsc.port
  writeFileSync(dir('town/second.yaml'), stringify(config), { mode: 0o600 })

  const startAt = (file: string, url: string): Promise<Process> => startProcess({
    command: process.execPath, args: [...startOptions, PROGRAM, '--config', dir(`town/${file}`), 'start'], cwd: dir('town'),
    logFile: dir(`town/${file}.log`), ready: () => answersHttp(`${url}/healthz`)
  })
  const machineAt = (name: typeof names[number], file: string, url: string, first: Machine['process']): Machine => ({
    name, url, wires: wires[name], process: first, isLetIn: streams[name],
    isActive: async () => /^zentrale_active 1$/m.test(await fetch(`${url}/metrics`).then(answer => answer.text(), () => '')),
    async start () {
      lives[name]++
      this.process = await startAt(file, url)
    }
  })
  const second = `http://127.0.0.1:${ports[2]}`
  const all = [
    machineAt('first', 'config.yaml', town.operateUrl, town.zentrale),
    machineAt('second', 'second.yaml', second, await startAt('second.yaml', second))
  ] as const
  return {
    town, all, faults: auditor.faults,
    async stop () {
      for (const { process: one } of all) await one.kill()
      await town.stop()
      for (const close of closes) await close()
    }
  }
}
