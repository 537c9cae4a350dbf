import assert from 'node:assert/strict'
import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { sampleConfig } from '../../../src/config/sample'
import { PLACEHOLDER } from '../../../src/settings/keys'
import { sampleRegistration } from '../../../src/operate/registration'
import { loadConfig, refusals, write } from '../../support/config'

const root = join(__dirname, '../../..')
const own = (text: string): string => text.replaceAll(PLACEHOLDER, () => 'my-own-secret-of-some-length-' + String(count++).padStart(8, '0'))
let count = 0

describe('config.sample.yaml and registration.yaml', () => {
  it('are what the schema says now (zentrale sample > config.sample.yaml, zentrale sample --registration > registration.yaml)', () => {
    assert.equal(readFileSync(join(root, 'config.sample.yaml'), 'utf8'), sampleConfig())
    assert.equal(readFileSync(join(root, 'registration.yaml'), 'utf8'), sampleRegistration())
  })

  it('work as they are, but for the secrets', () => {
    const config = loadConfig(write(own(sampleConfig()), own(sampleRegistration())), {})
    assert.deepEqual(config.mirrors[0]?.places.map(({ place }) => place.network), ['matrix', 'xmpp', 'sms'])
    const { problems } = refusals(() => loadConfig(write(sampleConfig(), sampleRegistration()), {}))
    assert.deepEqual(problems.map(({ path }) => path), ['xmpp.component.secret', 'sms.gateways[0].password', 'operate.token'])
  })

  it('have the commented gateway right too', () => {
    const lines = sampleConfig().split('\n')
    const from = lines.findIndex(line => line.includes('# - name: main'))
    const to = lines.findIndex((line, index) => index > from && !line.startsWith('    #'))
    const live = lines.map((line, index) => index >= from
      && index < to ? line.replace('# ', '').replace('name: main ', 'name: box ') : line)
      .join('\n').replace(/(kind: kannel[\s\S]*?numbers: )\[.*?\]/, '$1["+4930999999"]')
    const config = loadConfig(write(own(live), own(sampleRegistration())), {})
    assert.equal(config.networks.sms?.gateways[1]?.kind, 'kannel')
  })

  it('explain each key in one to three lines', () => {
    const isKey = (line: string): boolean => /^ *(# +)*(- )?["\w-]+:( |$)|^ *$/.test(line)
    const runs = sampleConfig().split('\n').slice(6).reduce<number[]>((counts, line) =>
      isKey(line) ? [...counts, 0] : [...counts.slice(0, -1), counts.at(-1)! + (/^ *#/.test(line) ? 1 : 0)], [0])
    assert.ok(runs.length > 100 && Math.max(...runs) <= 3, String(Math.max(...runs)))
  })
})
