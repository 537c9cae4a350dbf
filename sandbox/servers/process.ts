/**
 * Real servers as child processes on 127.0.0.1: started, awaited, stopped, killed, started again.
 * A child dies with us, even if we are killed (PR_SET_PDEATHSIG by setpriv, which every Debian has).
 */
import { spawn, type ChildProcess } from 'node:child_process'
import { randomInt } from 'node:crypto'
import { once } from 'node:events'
import { closeSync, existsSync, mkdirSync, openSync, readFileSync } from 'node:fs'
import { createConnection, createServer, type Server as Listener } from 'node:net'
import { dirname, join } from 'node:path'
import { createInterface } from 'node:readline'
import { setTimeout as pause } from 'node:timers/promises'

export interface Server {
  stop (): Promise<void>
  kill (): Promise<void> // SIGKILL, like a crash
  restart (): Promise<void> // with the same ports and data; also after stop or kill
}

export interface Program {
  command: string
  args: string[]
  cwd: string
  logFile: string // stdout and stderr, appended; without stdout if onLine reads it
  ready (): Promise<boolean>
  readyWithinMs?: number
  env?: NodeJS.ProcessEnv
  setpriv?: string[] // further options of setpriv, such as another user
  stopSignal?: NodeJS.Signals // SIGTERM, if left out
  stopSignals?: number // how many of them it needs, one per second
  onLine? (line: string): void
}

export interface Process extends Server {
  readonly pid: number
  readonly running: boolean
  readonly exitCode: number | null // of the last process, if it ended by itself or was stopped properly
  write (line: string): void
}

const holder = (dir: string): string => existsSync(join(dir, 'package.json')) ? dir : holder(dirname(dir))
export const checkout = holder(__dirname)
/** The compiled Zentrale: a start through ts-node would take seconds. */
export const PROGRAM = join(checkout, 'dist/src/main.js')

const launcher = readFileSync(join(checkout, 'bin/zentrale'), 'utf8')
/** The launcher's options for Node, for everything that starts Zentrale. */
export const startOptions = /^exec .*$/m.exec(launcher)?.[0].match(/--[a-z-]+(=\d+)?/g) ?? []
/** What it puts into the environment. */
export const startEnv = Object.fromEntries([...launcher.matchAll(/^export (\w+)=(.*)$/gm)].map(([, name, value]) => [name!, value]))

/** Only ends a hang: a slow machine takes long to start a server. */
const READY_MS = 120_000
const STOP_MS = 30_000
const STOP_AGAIN_MS = 1_000
/** A look may cost the servers much, and they are what is waited for: so looks become rarer. */
const POLL_MS = 20
const POLL_MOST_MS = 500
const POLL_SHARE = 0.1 // of the time waited so far
const CONNECT_MS = 1_000
const LOG_LINES_SHOWN = 20
/** Below the kernel's range for outgoing connections, so that a port is still free at a restart. */
const PORT_MIN = 20_000
const PORT_MAX = 32_000
/** Each process takes ports out of blocks of its own: it listens on the first port of each, so that no other process takes any of them. */
const BLOCK_PORTS = 200
const BLOCK_TRIES = 100

/** False if somebody listens there. */
const listens = (server: Listener, port: number): Promise<boolean> => new Promise(resolve => {
  server.once('error', () => resolve(false))
  server.listen(port, '127.0.0.1', () => resolve(true))
})

let [nextPort, blockEnd] = [0, 0]

const takeBlock = async (): Promise<void> => {
  for (let i = 0; i < BLOCK_TRIES; i++) {
    const first = PORT_MIN + BLOCK_PORTS * randomInt((PORT_MAX - PORT_MIN) / BLOCK_PORTS)
    if (!await listens(createServer().unref(), first)) continue
    ;[nextPort, blockEnd] = [first + 1, first + BLOCK_PORTS]
    return
  }
  throw new Error('no block of ports is free')
}

/** Gives out each port once, even before its server listens. */
export const freePort = async (): Promise<number> => {
  for (;;) {
    if (nextPort >= blockEnd) await takeBlock()
    const port = nextPort++
    const probe = createServer()
    if (!await listens(probe, port)) continue
    await new Promise(resolve => { probe.close(resolve) })
    return port
  }
}

export const freePorts = async (count: number): Promise<number[]> => {
  const ports: number[] = []
  while (ports.length < count) ports.push(await freePort())
  return ports
}

/** Polls until `test` is true. After `ms` it throws an error that names `what`. */
export const until = async (what: string, ms: number, test: () => boolean | Promise<boolean>): Promise<void> => {
  const began = performance.now()
  while (!await test()) {
    const waited = performance.now() - began
    if (waited > ms) throw new Error(`${what}: not within ${ms} ms`)
    await pause(Math.min(Math.max(POLL_MS, waited * POLL_SHARE), POLL_MOST_MS))
  }
}

/** Whether something listens on the port and, if `hello` is given, answers it with a text that contains `reply`. */
export const answers = (port: number, hello = '', reply = ''): Promise<boolean> => new Promise(resolve => {
  const socket = createConnection({ port, host: '127.0.0.1', timeout: CONNECT_MS })
  const done = (answer: boolean): void => { socket.destroy(); resolve(answer) }
  let heard = ''
  socket.setEncoding('utf8')
  socket.on('connect', () => hello === '' ? done(true) : socket.write(hello))
  socket.on('data', chunk => { heard += chunk; if (heard.includes(reply)) done(true) })
  socket.on('error', () => done(false))
  socket.on('timeout', () => done(false))
  socket.on('close', () => done(false))
})

export const answersHttp = (url: string): Promise<boolean> =>
  fetch(url, { signal: AbortSignal.timeout(CONNECT_MS) })
    .then(async got => { await got.body?.cancel(); return got.ok }, () => false)

/** @public A program that a test writes asks for it. */
export const lastLines = (file: string): string => {
  try { return readFileSync(file, 'utf8').trimEnd().split('\n').slice(-LOG_LINES_SHOWN).join('\n') } catch { return '(no log)' }
}

const signalGroup = (child: ChildProcess, signal: NodeJS.Signals): void => {
  try { process.kill(-child.pid!, signal) } catch { /* gone already */ }
}

const isRunning = (child: ChildProcess): boolean => child.exitCode === null && child.signalCode === null

const launch = async (program: Program): Promise<ChildProcess> => {
  mkdirSync(dirname(program.logFile), { recursive: true })
  const log = openSync(program.logFile, 'a')
  const child = spawn('setpriv', ['--pdeathsig', 'KILL', ...program.setpriv ?? [], program.command, ...program.args], {
    cwd: program.cwd, env: { ...process.env, ...program.env }, detached: true, stdio: ['pipe', program.onLine ? 'pipe' : log, log]
  })
  closeSync(log)
  child.stdin?.on('error', () => { /* it ended first */ })
  if (child.stdout && program.onLine) createInterface(child.stdout).on('line', program.onLine)
  await once(child, 'spawn')
  return child
}

const waitReady = async (program: Program, child: ChildProcess): Promise<void> => {
  try {
    await until('ready', program.readyWithinMs ?? READY_MS, async () => {
      if (!isRunning(child)) throw new Error(`ended with ${child.signalCode ?? child.exitCode}`)
      return await program.ready()
    })
  } catch (error) {
    await end(child, 'SIGKILL')
    throw new Error(`${program.command}: ${(error as Error).message}\n${lastLines(program.logFile)}`)
  }
}

const end = async (child: ChildProcess, signal: NodeJS.Signals, times = 1): Promise<void> => {
  const gone = isRunning(child) ? once(child, 'exit') : undefined
  const timers = [setTimeout(() => signalGroup(child, 'SIGKILL'), STOP_MS)]
  for (let i = 1; i < times; i++) timers.push(setTimeout(() => signalGroup(child, signal), i * STOP_AGAIN_MS))
  signalGroup(child, signal)
  await gone
  timers.forEach(clearTimeout)
}

/** Starts the program and waits until it is ready. Throws with the log's last lines if it ends or takes too long. */
export const startProcess = async (program: Program): Promise<Process> => {
  const start = async (): Promise<ChildProcess> => {
    const started = await launch(program)
    await waitReady(program, started)
    return started
  }
  let child = await start()
  const stop = (): Promise<void> => end(child, program.stopSignal ?? 'SIGTERM', program.stopSignals)
  return {
    get pid () { return child.pid! },
    get running () { return isRunning(child) },
    get exitCode () { return child.exitCode },
    write: line => { child.stdin?.write(line + '\n') },
    stop,
    kill: () => end(child, 'SIGKILL'),
    restart: async () => { await stop(); child = await start() }
  }
}

/** Runs a command to its end. Resolves with its stdout, or rejects with its output. */
export const run = async (
  command: string, args: string[], options: { cwd?: string, env?: NodeJS.ProcessEnv } = {}
): Promise<string> => {
  const env = { ...process.env, ...options.env }
  const child = spawn(command, args, { cwd: options.cwd, env, stdio: ['ignore', 'pipe', 'pipe'] })
  let out = ''
  let all = ''
  child.stdout.on('data', chunk => { out += chunk; all += chunk })
  child.stderr.on('data', chunk => { all += chunk })
  const [code] = await once(child, 'close')
  if (code !== 0) throw new Error(`${command} ${args.join(' ')}: exit ${code}\n${all.slice(-2_000)}`)
  return out
}
