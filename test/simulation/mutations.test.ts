/**
 * The test of the auditor: the bridge is broken on purpose, one line at a time and in memory only, and each break must be found
 * within 200 seeds. Where a line to break is no longer there, the test says so: then find the place that took over its duty.
 */
import assert from 'node:assert/strict'
import { readFileSync } from 'node:fs'
import { join, sep } from 'node:path'
import ts from 'typescript'

const SEEDS = 200
const SRC = join(__dirname, '../../src')

/** Tried first, because some of them find what others rarely do. */
const quick = [1, 3, ...(JSON.parse(readFileSync(join(__dirname, 'seeds.json'), 'utf8')) as { seed: number }[]).map(({ seed }) => seed)]

type Simulation = typeof import('./simulation')
type Loader = (module: { _compile (code: string, path: string): void }, path: string) => void

const loaders = require.extensions as unknown as Record<string, Loader>

/** Modules that must be loaded anew, so that they meet the broken one. */
const concerned = (path: string): boolean => path.startsWith(SRC + sep) || (path.startsWith(__dirname + sep) && path !== __filename)

/** The simulation with `line` of a source file replaced. */
const broken = (file: string, line: string, by: string): Simulation => {
  const path = join(SRC, file)
  const source = readFileSync(path, 'utf8')
  assert.equal(source.split(line).length, 2, `the line to break is no longer found, or not once, in src/${file}: ${line}`)
  const { outputText } = ts.transpileModule(source.replace(line, () => by), {
    compilerOptions: { module: ts.ModuleKind.CommonJS, target: ts.ScriptTarget.ES2023, esModuleInterop: true }
  })
  const kept = Object.entries(require.cache).filter(([name]) => concerned(name))
  for (const [name] of kept) delete require.cache[name]
  const load = loaders['.ts']!
  loaders['.ts'] = (module, name) => { if (name === path) module._compile(outputText, name); else load(module, name) }
  try {
    return require('./simulation') as Simulation
  } finally {
    loaders['.ts'] = load
    for (const name of Object.keys(require.cache).filter(concerned)) delete require.cache[name]
    for (const [name, module] of kept) require.cache[name] = module
  }
}

/** [what is broken, in which file, the line, what stands there instead, one of which invariants it must break] */
const MUTATIONS: [what: string, file: string, line: string, by: string, breaks: string[]][] = [
  ['answers before the commit', 'store/sqlite.ts', 'answers.push(() => resolve(value))',
    'resolve(value); await new Promise(later => clock.soon(later))', ['I1', 'I7']],
  ['forgets what it has seen', 'bridge/accept.ts', 'if (await tx.seen(arrival.place.network, arrival.key)) return undefined',
    'arrival = { ...arrival, key: `${arrival.key} ${clock.tick()}` }', ['I2']],
  ['loses the order when it tries again', 'bridge/lane.ts', 'waiting.unshift(...rows)', 'waiting.push(...rows)', ['I3']],
  ['counts as delivered what is not confirmed', 'bridge/lane.ts', 'const answer = async (): Promise<Sent> => network.send(delivery, signal)',
    'const answer = async () => { network.send(delivery, signal).catch(() => {}); return { ids: [delivery.key] } }', ['I7']],
  ['drops what could not be sent', 'bridge/lane.ts', 'returned.push(row)\n    broken = reason',
    "void store.run(tx => tx.ended(row.id, 'failed', 'dropped', clock.now()))\n    broken = reason", ['I1', 'I8']],
  ['sends again what may have arrived and cannot be asked for', 'bridge/deliver.ts', "network?.can.afterCrash === 'park'",
    "network?.can.afterCrash === 'never'", ['I2']],
  ['does not ask what became of a try', 'bridge/lane.ts', 'delivery.attempt > 1 ? await network.find?.(delivery, signal) : undefined',
    'undefined', ['I2']],
  ['takes a clock that jumps at its word', 'bridge/bridge.ts', 'const aging = steady(clock)', 'const aging = clock', ['I1', 'I2', 'I5']],
  ['goes on after the disk could not be read', 'store/sqlite.ts', 'if (isOfTheDisk(error)) throw error', '', ['I1', 'I3', 'I5']],
  ['tells nobody that something failed', 'bridge/ending.ts', 'problem === undefined || row.notice ? undefined', 'true ? undefined', ['I8', 'I1']],
  ['lets a second one answer who has not seen the claim', 'desk/facts.ts',
    'const { conversation, ...known } = await meant(tx, arrival, address, own, number)',
    'const { conversation: { owner: _, ...conversation }, ...known } = await meant(tx, arrival, address, own, number)', ['D2']],
  ['sends the contact what is held', 'desk/agent.ts', "draft.log('held')", "draft.toContact(content)", ['D2', 'D3']],
  ['sends the contact a note', 'desk/agent.ts',
    "draft.entry('note', draft.facts.from === 'team' ? draft.facts.who.agent.name : persona.name, content)",
    'draft.toContact(content)', ['D3']],
  ['leaves a timer', 'bridge/lane.ts', '.finally(clear)', '', ['I4', 'I5']],
  ['takes what is said before what was missed', 'networks/xmpp/catchup.ts', 'if (behind === undefined) return said.take()',
    'if (behind !== null) return said.take()', ['I1', 'I3', 'I5']],
  ['believes in a link that is dead', 'networks/xmpp/stream.ts', "() => lost(mine, 'no answer to a ping')", '() => {}', ['I1', 'I5']],
  ['asks nobody whether it is still inside', 'networks/xmpp/rooms.ts',
    "if (answer.attrs.type !== 'error' || occupant.nick !== nick) return", 'if (occupant.nick !== undefined) return', ['I1', 'I2', 'I5']],
  ['says yes to an SMS before it is stored', 'networks/sms/smpp/session.ts', 'void result.catch(() => LATER).then(status => {',
    'void Promise.resolve(STATUS.ok).then(status => {', ['I1']],
  ['takes an SMS that comes again for a new one', 'networks/sms/unconfirmed.ts', 'if (former) {', 'if (former && former.key === thread) {',
    ['I2', 'D1']],
  ['takes a part that comes again for a new one', 'networks/sms/parts.ts', 'then?.digest === now.digest && isAgain(then, now)', 'false', ['I2']],
  ['takes an SMS whose answer was lost for unsent', 'networks/sms/smpp/wire.ts', 'before the answer: ${why}`, { unknown: true }',
    'before the answer: ${why}`, {}', ['I2', 'D2']],
  ['tells a contact that it has what it has not stored', 'networks/xmpp/direct.ts', 'offer(arrival, say, {',
    'say?.(); offer(arrival, undefined, {', ['D1']],
  ['counts a letter as delivered once it is written', 'networks/xmpp/confirm.ts',
    'const error: Error | undefined = await link.ask(\'get\', domain, domain, ping).then(() => undefined, failed => failed)',
    'const error = await Promise.resolve(ping).then(() => undefined)', ['I7', 'D2']],
  ['takes a letter that comes twice for two', 'networks/xmpp/direct.ts', 'return id === undefined\n      ?',
    'return id !== undefined\n      ?', ['D1']],
  ['does not hear of a letter that comes back late', 'networks/xmpp/index.ts', 'if (receipt !== undefined) receiver?.offer(receipt)',
    "if (receipt?.outcome === 'delivered') receiver?.offer(receipt)", ['D2']]
]

describe('the auditor finds it when the bridge', () => {
  for (const [what, file, line, by, breaks] of MUTATIONS) {
    it(what, async () => {
      const { simulate } = broken(file, line, by)
      for (const seed of [...quick, ...Array.from({ length: SEEDS }, (_, index) => index + 1)]) {
        const { violations } = await simulate(seed)
        if (violations.some(({ invariant }) => breaks.includes(invariant))) return
      }
      assert.fail(`not found within ${SEEDS} seeds`)
    })
  }
})
