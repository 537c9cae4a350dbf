/**
 * Throws hostile input at one target: first the kept corpus, then generated inputs and mutations of both.
 * Promises: the same seed, target and corpus give the same inputs in the same order. An input that breaks a promise is made small and kept
 * in the corpus, so that it is tried first from then on.
 */
import { createHash } from 'node:crypto'
import { mkdirSync, readdirSync, readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import fc from 'fast-check'
import { quickest, slowness } from '../support/linear'
import { hashOf, makeRandom, mutate, type Random } from './random'

export interface Target {
  name: string
  words: readonly string[] // the tokens of the format
  generate: fc.Arbitrary<string | Buffer>
  open (): Promise<Opened> | Opened
  /** For targets that do not read an input in one go, so a longer input does not measure their time. */
  untimed?: boolean
}

export interface Opened {
  /** Throws if a promise is broken. */
  run (input: Buffer): Promise<void> | void
  close? (): Promise<void> | void
}

export interface Finding { target: string; file: string; why: string }
export interface Outcome { executions: number; findings: Finding[] }

export interface FuzzOptions {
  seed: number
  seconds: number
  timed?: boolean // also checks that the time is linear
  corpus?: string // another folder of corpora
  stopAtFirst?: boolean // stops at the first finding
  /** Called with each input before it is tried, so that an input that never ends is known. */
  before? (input: Buffer): void
}

const CORPUS = join(__dirname, 'corpus')
const INPUT_BYTES_MAX = 4096
const GENERATED = 64 // at once
const FINDINGS_MAX = 5 // for one target; after that, look at it first
const SHRINKS_MAX = 3000

const corpusOf = (corpus: string, target: string): { file: string, input: Buffer }[] => {
  const folder = join(corpus, target)
  mkdirSync(folder, { recursive: true })
  return readdirSync(folder).sort().map(name => ({ file: join(folder, name), input: readFileSync(join(folder, name)) }))
}

export const keep = (target: string, input: Buffer, corpus = CORPUS): string => {
  const file = join(corpus, target, `found-${createHash('sha256').update(input).digest('hex').slice(0, 12)}`)
  writeFileSync(file, input)
  return file
}

/** Unhandled rejections count for the input that was being tried. */
let strays: unknown[] = []
export const watchStrays = (): void => {
  for (const event of ['uncaughtException', 'unhandledRejection']) process.on(event, error => { strays.push(error) })
}

const whyOf = (error: unknown): string => error instanceof Error ? `${error.name}: ${error.message}\n${error.stack ?? ''}` : String(error)

/** Undefined if all is well. */
const judge = async (opened: Opened, input: Buffer): Promise<string | undefined> => {
  try {
    const running = opened.run(input)
    if (running !== undefined) {
      await running
      await new Promise(resolve => setImmediate(resolve))
    }
  } catch (error) { return whyOf(error) }
  if (strays.length === 0) return undefined
  const [stray] = strays
  strays = []
  return `nobody handled: ${whyOf(stray)}`
}

/** The kind of a failure: the error, and where it was thrown. */
const kindOf = (why: string): string =>
  `${why.slice(0, why.search(/[:\n]|$/))} ${/^ +at .*$/m.exec(why.replace(/^ +at .*node:.*$/gm, ''))?.[0] ?? ''}`

/** Makes a failing input smaller by leaving out parts, as long as it fails in the same way. */
const shrink = async (opened: Opened, input: Buffer, why: string): Promise<Buffer> => {
  let small = input
  let tries = 0
  for (let size = Math.ceil(small.length / 2); size >= 1; size = size === 1 ? 0 : Math.ceil(size / 2)) {
    for (let at = 0; at < small.length && tries < SHRINKS_MAX; tries++) {
      const less = Buffer.concat([small.subarray(0, at), small.subarray(at + size)])
      const still = await judge(opened, less)
      if (still !== undefined && kindOf(still) === kindOf(why)) small = less
      else at += size
    }
  }
  return small
}

/** Endless inputs. */
function * inputsFor (target: Target, corpus: Buffer[], random: Random): Generator<Buffer, never> {
  const words = target.words.map(word => Buffer.from(word))
  for (;;) {
    const made = fc.sample(target.generate, { seed: random.below(2 ** 31), numRuns: GENERATED }).map(one => Buffer.from(one as Buffer))
    const all = [...corpus, ...made]
    for (let left = GENERATED * 4; left > 0; left--) {
      const kind = random.below(8)
      const input = kind === 0 ? made[left % GENERATED]!
        : kind === 1 ? Buffer.concat(Array.from({ length: random.below(24) }, () => random.pick(words)))
          : mutate(random.pick(kind < 5 && corpus.length > 0 ? corpus : made), words, all, random)
      yield input.subarray(0, INPUT_BYTES_MAX)
    }
  }
}

const SHORT_BYTES = 16_384
const NOTICEABLE_MS = 300
const LITTLE_MS_MAX = 1000
const LOOKS = 500 // one input in so many is timed

/** Undefined if four times the input takes about four times as long, and a small input is quick. Long inputs repeat a part of it. */
const slow = async (opened: Opened, input: Buffer, from: number, to: number): Promise<string | undefined> => {
  if (input.length === 0) return undefined
  const little = await quickest(() => opened.run(input))
  if (little > LITTLE_MS_MAX) return `SlowError: ${input.length} bytes take ${little.toFixed(1)} ms`
  const long = (times: number): Buffer => {
    const copies = Math.floor((SHORT_BYTES * times - input.length) / (to - from))
    return Buffer.concat([input.subarray(0, from), ...Array<Buffer>(copies).fill(input.subarray(from, to)), input.subarray(to)])
  }
  const why = await slowness(times => opened.run(long(times)), NOTICEABLE_MS)
  return why && `SlowError: of ${SHORT_BYTES} bytes made of bytes ${from} to ${to}, ${why}`
}

export const fuzz = async (target: Target, { seed, seconds, timed = false, before = () => {}, corpus: folder = CORPUS,
  stopAtFirst = false }: FuzzOptions): Promise<Outcome> => {
  const made = await target.open()
  const end = performance.now() + seconds * 1000
  const opened: Opened = { ...made, run (input) { before(input); return made.run(input) } }
  const outcome: Outcome = { executions: 0, findings: [] }
  const kinds = new Set<string>()
  const random = makeRandom(seed) // not the random of the inputs, so that these stay the same without timing
  const corpus = corpusOf(folder, target.name)
  const found = async (why: string, input: Buffer, file?: string): Promise<void> => {
    if (kinds.has(kindOf(why)) && file === undefined) return
    kinds.add(kindOf(why))
    outcome.findings.push({ target: target.name, file: file ?? keep(target.name, await shrink(opened, input, why), folder), why })
  }
  const attempt = async (input: Buffer, file?: string): Promise<void> => {
    outcome.executions++
    const began = performance.now()
    const why = await judge(opened, input)
    if (why !== undefined) return await found(why, input, file)
    const isKept = file !== undefined
    if (!timed || target.untimed || !(isKept || random.below(LOOKS) === 0 || performance.now() - began > LITTLE_MS_MAX)) return
    const from = isKept ? 0 : random.pick([0, random.below(input.length)])
    const to = isKept ? input.length : random.pick([input.length, from + 1 + random.below(input.length - from)])
    const tooLong = await slow(opened, input, from, to).catch(() => undefined) // if the longer input breaks something, that is another finding
    if (tooLong !== undefined) await found(tooLong, input, file)
  }
  try {
    for (const { file, input } of corpus) await attempt(input, file)
    const inputs = inputsFor(target, corpus.map(({ input }) => input), makeRandom(seed ^ hashOf(Buffer.from(target.name))))
    while (performance.now() < end && outcome.findings.length < (stopAtFirst ? 1 : FINDINGS_MAX)) {
      await attempt(inputs.next().value)
    }
  } finally { await opened.close?.() }
  return outcome
}
