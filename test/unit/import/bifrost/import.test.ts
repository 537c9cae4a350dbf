import assert from 'node:assert/strict'
import { existsSync, readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { parse } from 'yaml'
import type { Config } from '../../../../src/config/config'
import { importBifrost } from '../../../../src/import/bifrost/import'
import { peopleTable } from '../../../../src/import/bifrost/say'
import { temporaryFolder } from '../../../support/folder'

const STORE = join(__dirname, '../../../support/bifrost')
const DOMAIN = 'zentrale.test'
const config = (more: { notHeardFrom?: string[] } = {}, mirrors: Config['mirrors'] = []): Config => ({
  mirrors, networks: {
    matrix: { domain: DOMAIN, registration: { sender_localpart: 'zentrale' }, notHeardFrom: [], ...more },
    xmpp: { accounts: [], component: { component: { domain: `chat.${DOMAIN}` } } }
  }
} as unknown as Config)

const MIRRORS = [
  { name: 'werkstatt', places: [{ matrix: '!werkstatt:zentrale.test' }, { xmpp: 'werkstatt@rooms.zentrale.test' }] },
  { name: 'lager', places: [{ matrix: '!lager:zentrale.test' }, { xmpp: 'lager@rooms.zentrale.test' }] }
]

describe('zentrale import bifrost', () => {
  it('prints what it found, lines for the config, what is left out and why, and what to do in which order', async () => {
    const said = await importBifrost(config(), { store: STORE })
    assert.match(said, /8 rooms, 5 ghosts, 2 accounts\.\n\nTo be mirrored: 2\. In the config already: 0\. Not taken over: 6\./)
    const lines = /For the config:\n\n((?: {4}.*\n)+)/.exec(said)![1]!
    assert.deepEqual(parse(lines), { matrix: { not_heard_from: ['@_bifrost_*:zentrale.test'] }, mirrors: MIRRORS })
    assert.match(said, /Portals: .*--portals.*:\n {4}!empfang:zentrale\.test ↔ empfang@rooms\.zentrale\.test, line 2/)
    const steps = ['Stop bifrost', 'Keep its store', 'Take its registration out', 'Add the lines to the config', 'Invite @zentrale:zentrale\\.test',
      'zentrale check', 'let 5 old ghosts leave', 'Aliases']
    assert.match(said, new RegExp(steps.map((step, index) => `${index + 1}\\. .*${step}`).join('(.|\n)*')))
    assert.doesNotMatch(said, /geheim/)
    assert.match(await importBifrost(config(), { store: STORE, portals: true }), /Portals \(1\) obey bifrost's bot alone/)
  })

  it('writes the same lines into a file, and who is who into another, and never over what is there', async () => {
    const folder = temporaryFolder()
    const [write, people] = [join(folder, 'mirrors.yaml'), join(folder, 'people.tsv')]
    const said = await importBifrost(config(), { store: STORE, write, people })
    assert.deepEqual((parse(readFileSync(write, 'utf8')) as { mirrors: unknown }).mirrors, MIRRORS)
    assert.ok(said.includes(`The lines for the config are in ${write}.`) && !said.includes('places:'))
    assert.deepEqual(readFileSync(people, 'utf8').split('\n').slice(0, 2).map(line => line.split('\t')), [
      ['what', 'on Matrix before', 'address', 'name', 'now'],
      ['account', '@anna:zentrale.test', 'anna_zentrale.test@matrix.zentrale.test', '', '_matrix_=40anna=3azentrale.test@chat.zentrale.test']
    ])
    writeFileSync(write, 'mine')
    await assert.rejects(importBifrost(config(), { store: STORE, write }), /exists already and is not overwritten/)
    assert.equal(readFileSync(write, 'utf8'), 'mine')
  })

  it('has nothing to write and nothing to do once the config has it all', async () => {
    const mirrors = MIRRORS.map(({ name, places }) => ({
      name, places: places.flatMap(place => Object.entries(place).map(([network, id]) => ({ place: { network, id } })))
    }))
    const write = join(temporaryFolder(), 'mirrors.yaml')
    const said = await importBifrost(config({ notHeardFrom: ['@_bifrost_*:zentrale.test'] }, mirrors), { store: STORE, write })
    assert.match(said, /To be mirrored: 0\. In the config already: 2\./)
    assert.deepEqual([existsSync(write), /What to do|For the config/.test(said)], [false, false])
  })

  it('asks for one store, and for a config with both networks', async () => {
    await assert.rejects(importBifrost(config(), {}), /Write one of: --store/)
    await assert.rejects(importBifrost(config(), { store: STORE, postgres: 'postgres://x' }), /Write one of: --store/)
    await assert.rejects(importBifrost({ mirrors: [], networks: {} } as unknown as Config, { store: STORE }), /lacks matrix or xmpp.component/)
  })

  it('lets no name write into another column, onto another line or onto the terminal', () => {
    const table = peopleTable([{ isGhost: true, before: '@a:b', address: 'a@b/\u001b[2J', name: 'A\tB\nghost\t@c:d\u2028\u202e' }])
    assert.deepEqual(table.split('\n').map(line => line.split('\t').length), [5, 5, 1])
    assert.doesNotMatch(table.replaceAll(/[\t\n]/g, ''), /[\p{C}\p{Zl}]/u)
  })
})
