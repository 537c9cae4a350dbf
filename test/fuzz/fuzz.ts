/**
 * npm run fuzz -- --minutes N [--target name] [--seed N]
 * Each target has its own thread, so that one that never ends can be noticed and stopped. Exit status 1 if anything was found.
 */
import { parseArgs } from 'node:util'
import { isMainThread, parentPort, Worker, workerData } from 'node:worker_threads'
import { type Finding, fuzz, keep, type Outcome, watchStrays } from './engine'
import { targets } from './targets'

const STUCK_MS = 20_000
const LOOK_MS = 1000
const HEAP_MIB_MAX = 512
const SHARED_BYTES = 128 * 1024
const HEAD_BYTES = 8 // how many inputs were tried, and the length of the current one

interface Task { name: string; seed: number; seconds: number; shared: SharedArrayBuffer }

/** Runs in the thread of one target. */
const work = async ({ name, seed, seconds, shared }: Task): Promise<void> => {
  watchStrays()
  const head = new Int32Array(shared, 0, 2)
  const bytes = Buffer.from(shared, HEAD_BYTES)
  const outcome = await fuzz(targets.find(one => one.name === name)!, {
    seed, seconds, timed: true,
    before (input) {
      bytes.set(input.subarray(0, bytes.length))
      head[1] = Math.min(input.length, bytes.length)
      Atomics.add(head, 0, 1)
    }
  })
  parentPort!.postMessage(outcome)
}

const runOne = (name: string, seed: number, seconds: number): Promise<Outcome> => new Promise(resolve => {
  const shared = new SharedArrayBuffer(SHARED_BYTES)
  const head = new Int32Array(shared, 0, 2)
  const task: Task = { name, seed, seconds, shared }
  const worker = new Worker(__filename, { workerData: task, resourceLimits: { maxOldGenerationSizeMb: HEAP_MIB_MAX } })
  let seen = -1
  let since = performance.now()
  const end = (outcome: Outcome): void => { clearInterval(watch); void worker.terminate().then(() => resolve(outcome)) }
  const broken = (why: string): void => {
    const input = Buffer.from(Buffer.from(shared, HEAD_BYTES, head[1]))
    end({ executions: head[0]!, findings: [{ target: name, file: keep(name, input), why }] })
  }
  const watch = setInterval(() => {
    const now = Atomics.load(head, 0)
    if (now !== seen || now === 0) { seen = now; since = performance.now() } else if (performance.now() - since > STUCK_MS) broken('it never ends')
  }, LOOK_MS)
  worker.once('message', end)
  worker.once('error', error => broken(`it ends the thread: ${error.message}`))
})

const tell = ({ target, file, why }: Finding): void => { process.stdout.write(`\n${target}: ${file}\n${why}\n`) }

const main = async (): Promise<number> => {
  const { values } = parseArgs({ options: { minutes: { type: 'string' }, target: { type: 'string' }, seed: { type: 'string' } } })
  const minutes = Number(values.minutes ?? 1)
  const seed = Number(values.seed ?? Math.floor(performance.timeOrigin))
  const chosen = targets.filter(({ name }) => values.target === undefined || name === values.target)
  if (chosen.length === 0 || !(minutes > 0) || !Number.isSafeInteger(seed)) {
    process.stderr.write(`npm run fuzz -- --minutes N [--target name] [--seed N]\ntargets: ${targets.map(({ name }) => name).join(' ')}\n`)
    return 64
  }
  process.stdout.write(`seed ${seed}\n`)
  const findings: Finding[] = []
  for (const { name } of chosen) {
    const began = performance.now()
    const outcome = await runOne(name, seed, minutes * 60 / chosen.length)
    const seconds = ((performance.now() - began) / 1000).toFixed(1)
    process.stdout.write(`${name.padEnd(12)} ${String(outcome.executions).padStart(9)} executions ${seconds.padStart(7)} s  ` +
      `${outcome.findings.length === 0 ? 'nothing found' : `${outcome.findings.length} found`}\n`)
    outcome.findings.forEach(tell)
    findings.push(...outcome.findings)
  }
  process.stdout.write(`${findings.length} found in ${chosen.length} targets with seed ${seed}\n`)
  return findings.length === 0 ? 0 : 1
}

if (isMainThread) void main().then(code => { process.exitCode = code })
else void work(workerData as Task)
