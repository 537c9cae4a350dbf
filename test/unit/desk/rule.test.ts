/** Rules are functions from plain values to plain values, and what they leave out does not compile. */
import assert from 'node:assert/strict'
import { readFileSync } from 'node:fs'
import { join, relative } from 'node:path'
import ts from 'typescript'
import { makeRoster } from '../../../src/desk/address'
import { take } from '../../../src/desk/case-commands'
import { makeDeskMemory } from '../../../src/desk/memory'
import type { Arrival } from '../../../src/model/message'
import { plain } from '../../../src/model/text'
import { systemClock } from '../../../src/lib/clock'
import { makeCodes } from '../../../src/plan/codes'
import { makeDirects } from '../../../src/plan/directs'
import { makeDirectory } from '../../../src/plan/directory'
import type { Conversation } from '../../../src/store/desk'
import { addressOn, agent } from '../../support/address'

const ROOT = join(__dirname, '../../..')
const config = ts.getParsedCommandLineOfConfigFile(join(ROOT, 'tsconfig.json'), {}, { ...ts.sys, onUnRecoverableConfigFileDiagnostic: () => {} })
const parsed = new Map<string, ts.SourceFile | undefined>()

/** The files of the desk that do not compile if a source were changed so. */
const failing = (changed: string, from: string, to: string): string[] => {
  assert.ok(config)
  const host = ts.createCompilerHost(config.options)
  const read = host.getSourceFile
  host.getSourceFile = (path, version, ...more) => {
    if (relative(ROOT, path) === changed) {
      const text = readFileSync(path, 'utf8')
      assert.equal(text.split(from).length, 2, `${from} in ${changed}`)
      return ts.createSourceFile(path, text.replace(from, to), version)
    }
    if (!parsed.has(path)) parsed.set(path, read(path, version, ...more))
    return parsed.get(path)
  }
  const program = ts.createProgram([join(ROOT, 'src/desk/rule.ts'), join(ROOT, 'src/desk/read-facts.ts')], config.options, host)
  return ['rule', 'act', 'read-facts', 'read-team', 'orders'].map(name => `src/desk/${name}.ts`)
    .filter(path => program.getSemanticDiagnostics(program.getSourceFile(join(ROOT, path))).length > 0)
}

describe('the rule of the desk', () => {
  it('compiles as it is', () => {
    assert.deepEqual(failing('src/model/message.ts', 'export type Arrival = ', 'export type Arrival = '), [])
  })

  it('does not compile when a kind of arrival is added, until it says what becomes of it', () => {
    const added = "export interface Waved extends Arrived { kind: 'waved'; sender: Sender }\nexport type Arrival = Waved | "
    assert.ok(failing('src/model/message.ts', 'export type Arrival = ', added).includes('src/desk/rule.ts'))
  })

  it('does not compile when a command or an order is added, until somebody does it', () => {
    assert.ok(failing('src/desk/commands.ts', '  take: [', "  sing: ['singen', 'sing'],\n  take: [").includes('src/desk/read-team.ts'))
    assert.ok(failing('src/desk/facts.ts', "{ word: 'team' | ", "{ word: 'sing' | 'team' | ").includes('src/desk/act.ts'))
    const sleeps = failing('src/model/message.ts', 'export type Order =\n', "export type Order =\n  | { what: 'sleep' }\n")
    assert.ok(sleeps.includes('src/desk/read-facts.ts'))
    assert.ok(failing('src/desk/facts.ts', "'open' | 'not understood'", "'open' | 'sleep' | 'not understood'").includes('src/desk/rule.ts'))
  })

  it('says step by step what is done, as values that survive JSON', () => {
    const anna = agent('Anna', 'red @anna')
    const address = addressOn(['red'], [anna])
    const memory = makeDeskMemory(makeRoster([address]), new Map(), { conversations: [], offDuty: [], changes: [] })
    const links = { token: () => '', part: () => '', url: () => '', login: () => undefined }
    const directory = makeDirectory({
      mirrors: [], remembered: { blocked: [], standings: [], called: [], profiles: [], expelled: [] }, can: new Map(), links, language: 'en',
      teams: memory, directs: makeDirects({ rules: undefined, remembered: [], namings: new Map(), isOurs: () => false }),
      codes: makeCodes(systemClock)
    })
    const conversation: Conversation = {
      id: 1, address: 'werkstatt', handledBy: 'werkstatt', contact: { network: 'red', id: 'eva' }, place: { network: 'red', id: 'chat' },
      state: 'new', claim: 0, cases: 1, openedAt: 1, awaits: false, labels: [], announced: []
    }
    const arrival: Arrival & { kind: 'message' } = {
      kind: 'message', key: 'a', place: { network: 'red', id: 'werkstatt-1' }, at: 1, sender: { id: '@anna', name: 'Anna' },
      content: { style: 'text', text: plain('!take') }
    }
    const steps = take({
      from: 'team', kind: 'message', about: 'command', word: 'take', rest: '', where: 'room', who: { agent: anna, key: 'red @anna' },
      arrival, address, shown: address, now: 2, conversation
    }, { memory, directory })
    assert.deepEqual(steps, [
      { do: 'log', what: 'claimed', detail: '' },
      { do: 'is', conversation: { ...conversation, state: 'claimed', owner: 'red @anna', claim: 1, claimedAt: 2 } },
      { do: 'show' },
      { do: 'tell team', text: 'Anna has taken #1.', style: 'quiet', writer: true }
    ])
    assert.deepEqual(JSON.parse(JSON.stringify(steps)), steps)
  })
})
