import assert from 'node:assert/strict'
import { mkdirSync, readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import fc from 'fast-check'
import { temporaryFolder } from '../support/folder'
import { fuzz, type Target } from './engine'
import { targets } from './targets'

const SECONDS = 0.6 // for each target; npm run fuzz takes as long as it is told
const SEED = 1
const FIND_SECONDS_MAX = 10

describe('fuzz: the engine', () => {
  /** Breaks at a word that no input contains whole at first. */
  const broken: Target = {
    name: 'broken', words: ['bro', 'ken'], generate: fc.string(),
    open: () => ({ run (input) { if (input.includes('broken')) throw new RangeError('here') } })
  }
  const corpus = temporaryFolder()

  it('finds what breaks, makes it small and keeps it', async () => {
    const { findings } = await fuzz(broken, { seed: SEED, seconds: FIND_SECONDS_MAX, corpus, stopAtFirst: true })
    assert.equal(findings.length, 1)
    assert.equal(readFileSync(findings[0]!.file, 'utf8'), 'broken')
    assert.match(findings[0]!.why, /^RangeError: here/)
  })

  it('tries first what it found before', async () => {
    const { executions, findings } = await fuzz(broken, { seed: SEED, seconds: 0, corpus })
    assert.deepEqual([executions, findings.length], [1, 1])
  })

  it('finds what takes quadratic time', async () => {
    const run = (input: Buffer): void => { for (let steps = input.length ** 2 / 2; steps > 0; steps--); }
    mkdirSync(join(corpus, 'quadratic'))
    writeFileSync(join(corpus, 'quadratic', 'kept'), 'x')
    const { findings } = await fuzz({ ...broken, name: 'quadratic', open: () => ({ run }) }, { seed: SEED, seconds: 0, timed: true, corpus })
    assert.match(findings[0]?.why ?? 'nothing', /^SlowError/)
  })

  it('makes the same inputs of the same seed', async () => {
    const inputsOf = async (seed: number): Promise<string[]> => {
      const inputs: string[] = []
      const run = (input: Buffer): void => {
        inputs.push(input.toString('hex'))
        if (inputs.length > 500) throw new Error('enough')
      }
      await fuzz({ ...broken, open: () => ({ run }) }, { seed, seconds: FIND_SECONDS_MAX, corpus: temporaryFolder(), stopAtFirst: true })
      return inputs.slice(0, 500)
    }
    assert.deepEqual(await inputsOf(3), await inputsOf(3))
    assert.notDeepEqual(await inputsOf(3), await inputsOf(4))
  })
})

describe('fuzz: nothing breaks over the kept inputs, and a short while of new ones', () => {
  for (const target of targets) {
    it(target.name, async () => {
      const { executions, findings } = await fuzz(target, { seed: SEED, seconds: SECONDS })
      assert.ok(executions > 0)
      assert.deepEqual(findings, [])
    })
  }
})
