/** The config: whatever the file contains, it is taken, or refused with the file, a line and what to do. */
import assert from 'node:assert/strict'
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import fc from 'fast-check'
import { loadConfig } from '../../../src/config/load'
import { ConfigError } from '../../../src/settings/problem'
import type { Opened, Target } from '../engine'
import { allowing, ODD, textFrom } from '../judges'

const SAMPLE = readFileSync(join(__dirname, '../../../config.sample.yaml'), 'utf8').replace(/ *# .*$/gm, '').replace(/^\s*\n/gm, '')
const LINES = SAMPLE.split('\n')
const KEYS = [...SAMPLE.matchAll(/[a-z_]+(?=:)/g)].map(([key]) => key)

const open = (): Opened => {
  const folder = mkdtempSync(join(tmpdir(), 'zentrale-fuzz-'))
  const file = join(folder, 'config.yaml')
  return {
    run (input) {
      writeFileSync(file, textFrom(input))
      const config = allowing([ConfigError], () => loadConfig(file, {}))
      if (config !== undefined) return assert.ok(config.mirrors.every(({ places }) => places.length > 0))
      try { loadConfig(file, {}) } catch (error) {
        for (const { line, wrong, advice } of (error as ConfigError).problems) {
          assert.ok(Number.isSafeInteger(line) && line >= 1 && wrong !== '' && advice !== '', `${line} ${wrong} ${advice}`)
        }
      }
    },
    close () { rmSync(folder, { recursive: true }) }
  }
}

const WORDS = [...KEYS.map(key => `${key}:`), ...LINES.slice(0, 40), '\n', '  ', '- ', '&a ', '*a', '<<: *a', '|', '>', '!!js/function',
  '!!binary', '? ', '{', '}', '[', ']',
  '\t', '---\n', '...', '"', '\'', '~', '.nan', '0o7', '__proto__:', '"+4930123456"', 'a:\n  - b', ...ODD]

/** The sample with lines left out, doubled and swapped. */
const lines = fc.array(fc.tuple(fc.nat(LINES.length), fc.nat(LINES.length), fc.nat(3)), { maxLength: 4 }).map(changes => {
  const text = [...LINES]
  for (const [at, other, kind] of changes) {
    if (kind === 0) text.splice(at, 1)
    else text.splice(at, kind - 1, LINES[other] ?? '')
  }
  return text.join('\n')
})

export const configTargets: Target[] = [{ name: 'config', words: WORDS, generate: lines, open,
  untimed: true }] // the operator's own file
