/** A new network is added by one more entry in the list. Config, commands and switchboard know it then. */
import assert from 'node:assert/strict'
import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { z } from 'zod'
import { freePorts } from '../../../sandbox/servers/process'
import { startSmsc } from '../../../sandbox/smsc'
import { loadConfig } from '../../../src/config/load'
import { sampleConfig } from '../../../src/config/sample'
import { systemChance } from '../../../src/lib/chance'
import { systemClock } from '../../../src/lib/clock'
import { silentLog } from '../../../src/lib/log'
import { serve } from '../../../src/lib/serve'
import type { NetworkKind } from '../../../src/networks/kind'
import { KINDS } from '../../../src/networks/kinds'
import { runAddress } from '../../../src/operate/address-command'
import { checkServers, showFinding } from '../../../src/operate/check'
import { answer, init } from '../../../src/operate/init'
import { sampleRegistration } from '../../../src/operate/registration'
import { listen, PLACEHOLDER, secret, section, text } from '../../../src/settings/keys'
import { attempt, Impossible, noSection } from '../../../src/settings/problem'
import { runProbe, Wrong } from '../../../src/settings/probe'
import { has, like, NONE, orNone } from '../../../src/settings/questions'
import { assemble } from '../../../src/zentrale'
import { refusals, type Tree, wholeConfig, write } from '../../support/config'
import { temporaryFolder } from '../../support/folder'
import { makePractice, type Practice, until } from '../../support/practice'

const NAME = 'pigeon'

const loft = section('Your loft. Leave the section out if you have none.', {
  loft: text('Where it is.', 'the name of a loft', 'roof', /^[a-z]+$/),
  ring: secret('The secret on the rings.'),
  listen: listen('Where Zentrale waits for pigeons.', 9990).prefault({})
})

/** The entry of the list. `made` is called with the adapter. */
const pigeonKind = (made: (network: Practice, config: unknown) => void = () => {}): NetworkKind<z.output<typeof loft>, Tree, string, string> => ({
  make (config) {
    const network = makePractice(NAME)
    made(network, config)
    return network
  },
  check: {
    servers: ({ loft }, { places }) => Promise.all([
      runProbe(`Loft ${loft}`, async () => `has ${places.length} perch`),
      ...places.map(({ id }) => runProbe(`Perch ${id}`, () => Promise.reject(new Wrong('is empty', 'Put corn on it'))))
    ]),
    ports: ({ listen }) => [listen],
    address: ({ loft }, { name }) => [{ found: `is not painted on ${loft}`, advice: `Paint ${name} on it` }]
  },
  settings: {
    name: NAME, label: 'Pigeon', section: loft, person: written => written.startsWith('~') ? written : undefined,
    listeners: ({ listen }) => [{ path: ['listen', 'port'], ...listen }],
    place: {
      key: text('A perch.', 'the name of a perch', 'perch', /^\S+$/), sample: '- pigeon: perch                         # a perch',
      seats: (written, loft, path, problem) => attempt(path, problem, () => {
        if (loft === undefined) throw noSection(NAME, 'place')
        if (written === loft.loft) throw new Impossible(`"${written}" is the loft itself`, 'Write a perch')
        return { path, place: { network: NAME, id: written } }
      })
    },
    address: {
      key: text('What is painted on the loft for it.', 'a word', 'info', /^\S+$/),
      spelled: written => ({ spelling: written, ascii: written }),
      names: ({ name, written }, loft) =>
        ({ identities: loft === undefined ? [] : [{ network: NAME, id: `${written ?? name}@${loft.loft}` }], aliases: [] })
    },
    agents: { example: '~anna', sample: 'by pigeon', pattern: /^~\S+$/,
      person: written => written.startsWith('~') ? { network: NAME, id: written } : undefined },
    contradictions: ({ section, places }, { problem }) => {
      if (section !== undefined && places.length > 2) problem(places[2]!.path, 'is the third perch', 'Two are enough')
    },
    take: ({ loft, ring, listen }) => ({ loft, ring, listen }),
    contact: id => ({ uri: `pigeon:${id}`, code: `pigeon:${id}`, href: `https://pigeon.example/${id}`, impp: `pigeon:${id}` }),
    init: {
      questions: [
        { key: 'loft', ask: 'Name of your loft ("none" if you have none)', preset: NONE, fits: orNone(like(/^[a-z]+$/)), must: 'a name, or none' },
        { key: 'perch', ask: 'A perch for the first mirror', preset: 'first', unless: ['loft'], fits: like(/^\S+$/), must: 'a perch' }
      ],
      roomKey: 'perch',
      section: (answers, secret) => has(answers['loft']) ? { loft: answers['loft'], ring: secret } : undefined,
      files: answers => has(answers['loft']) ? [['rings.txt', `for ${answers['loft']}\n`]] : [],
      paste: (answers, secret) => has(answers['loft']) ? [`Engrave on the rings: ${secret}`] : []
    }
  }
})

const kinds = [...KINDS, pigeonKind()]

/** With SMS as the only other network, and an address. */
const pigeonConfig = (): Tree => {
  const { store, media, operate, sms } = wholeConfig()
  const [gateway] = sms.gateways
  return {
    language: 'en', store, media, operate, sms: { gateways: [gateway] }, pigeon: { loft: 'roof', ring: 'a-secret-for-rings' },
    mirrors: [{ name: 'yard', places: [
      { pigeon: 'sill' }, { sms: { gateway: 'main', number: gateway.numbers[1], members: { '+491701234567': 'Max' } } }] }],
    function_addresses: [{ name: 'info', team: [{ name: 'Anna', addresses: ['~anna'] }] }]
  }
}

const load = (config: Tree) => loadConfig(write(config, undefined), {}, kinds)
const refused = (change: (config: Tree) => void): string => {
  const config = pigeonConfig()
  change(config)
  return refusals(() => load(config)).text
}

describe('a network that is added to the list', () => {
  it('has its section, places, names and people in the config', () => {
    const { networks, mirrors, addresses } = load(pigeonConfig())
    assert.deepEqual(networks[NAME], { loft: 'roof', ring: 'a-secret-for-rings', listen: { host: '127.0.0.1', port: 9990 } })
    assert.deepEqual(mirrors[0]!.places[0], { place: { network: NAME, id: 'sill' } })
    assert.deepEqual(addresses[0]!.identities, [{ network: NAME, id: 'info@roof' }])
    assert.deepEqual(addresses[0]!.team, [{ name: 'Anna', addresses: [{ network: NAME, id: '~anna' }] }])
  })

  it('is refused in its own words and in those of all', () => {
    assert.match(refused(({ pigeon }) => { pigeon.lfot = 'x' }), /pigeon\.lfot: unknown key\. Did you mean "loft"\?/)
    assert.match(refused(({ pigeon }) => { delete pigeon.ring }), /pigeon\.ring: is missing\. Write ring, or ring_file .* ZENTRALE_PIGEON_RING/)
    assert.match(refused(({ mirrors }) => { mirrors[0].places[0].pigeon = 'roof' }), /places\[0\]\.pigeon: "roof" is the loft itself\. Write a perch/)
    assert.match(refused(config => { delete config.pigeon; config.function_addresses = [] }),
      /mirrors\[0\]\.places\[0\]\.pigeon: there is no section pigeon\. Write the section pigeon first, or remove this place/)
    assert.match(refused(({ mirrors }) => { mirrors[0].places[1] = {} }),
      /places\[1\]: is empty\. It must be exactly one of matrix, xmpp, sms, pigeon/)
    assert.match(refused(({ function_addresses: [address] }) => { address.team = ['anna'] }),
      /"anna" is nobody's address\. Write one such as "@anna:example\.org" or "bernd@example\.org" or "~anna"/)
    assert.match(refused(({ function_addresses: [address] }) => { address.team = ['+4930999'] }), /needs an address on Matrix or XMPP or Pigeon: /)
    assert.match(refused(config => { delete config.sms; delete config.pigeon; config.mirrors = []; config.function_addresses = [] }),
      /has no network\. Write at least one of the sections matrix, xmpp, sms, pigeon;/)
  })

  it('has its contradictions and its listener', () => {
    assert.match(refused(({ mirrors }) => { mirrors[0].places.push({ pigeon: 'gutter' }, { pigeon: 'tree' }) }),
      /places\[3\]\.pigeon: is the third perch\. Two are enough/)
    assert.match(refused(({ pigeon, operate }) => { pigeon.listen = { port: operate.listen.port } }),
      /operate\.listen\.port: port 9350 is taken by pigeon\.listen\.port/)
  })

  it('stands in the sample, which works', () => {
    const sample = sampleConfig(kinds)
    for (const line of ['# Your loft. Leave the section out if you have none.', '  ring: change-me', '# pigeon: info',
      '- pigeon: perch                         # a perch', '# an address on Matrix, in quotes, or on XMPP, or by pigeon']) {
      assert.ok(sample.includes(line), line)
    }
    let count = 0
    const own = (given: string): string => given.replaceAll(PLACEHOLDER, () => `a-secret-of-this-test-that-is-long-${count++}`)
    assert.deepEqual(loadConfig(write(own(sample), own(sampleRegistration())), {}, kinds).mirrors[0]!.places.map(({ place }) => place.network),
      ['matrix', 'xmpp', 'sms', NAME])
  })

  it('is checked', async () => {
    const taken = await serve(() => {}, { host: '127.0.0.1', port: 0 })
    const config = pigeonConfig()
    config.pigeon.listen = { port: taken.port }
    const findings = (await checkServers(load(config), systemClock, systemChance)).map(showFinding)
    await taken.stop()
    assert.ok(findings.includes('✓ Loft roof: has 1 perch'), findings.join('\n'))
    assert.ok(findings.includes('✗ Perch sill: is empty\n    Put corn on it'))
    assert.ok(findings.includes('✗ Function address info: is not painted on roof\n    Paint info on it'))
    assert.ok(findings.some(finding => finding.startsWith(`✗ Port 127.0.0.1:${taken.port}: the port is taken`)))
  })

  it('is asked for by init, which writes what it needs and says what to do', async () => {
    const folder = temporaryFolder()
    const asked: string[] = []
    const answers = await answer({ loft: 'roof' }, async question => { asked.push(question); return '' }, kinds)
    assert.ok(asked.some(question => question.startsWith('A perch for the first mirror [first]')))
    const said = init(folder, answers, systemChance, { kinds })
    const config = loadConfig(join(folder, 'config.yaml'), {}, kinds)
    const { ring } = config.networks[NAME] as { ring: string }
    assert.match(said, new RegExp(`Engrave on the rings: ${ring}`))
    assert.equal(readFileSync(join(folder, 'rings.txt'), 'utf8'), 'for roof\n')
    assert.deepEqual(config.mirrors[0]!.places.map(({ place }) => place.id),
      ['#zentrale:example.org', 'zentrale@conference.example.org', 'first'])
  })

  it('has its way in the contact block', () => {
    const contact = (format: 'text' | 'html' | 'vcard'): string =>
      runAddress(load(pigeonConfig()), { action: 'contact', name: 'info', format }, 0).output
    assert.match(contact('text'), /^Pigeon: info@roof\npigeon:info@roof\n/m)
    assert.match(contact('html'), /<figcaption>Pigeon: <a href="https:\/\/pigeon\.example\/info@roof">info@roof<\/a>/)
    assert.match(contact('vcard'), /^IMPP:pigeon:info@roof\r$/m)
  })

  it('carries messages, and is counted', async () => {
    const smsc = await startSmsc({ systemId: 'zentrale', password: 'pass' })
    const [media, operate] = await freePorts(2)
    const config = pigeonConfig()
    config.sms.gateways[0].port = smsc.port
    config.media.listen.port = media
    config.operate.listen.port = operate
    let pigeon: Practice | undefined
    let taken: unknown
    const bugs: unknown[] = []
    const zentrale = await assemble(
      loadConfig(write(config, undefined), {}, [...KINDS, pigeonKind((network, config) => { pigeon = network; taken = config })]),
      { clock: systemClock, chance: systemChance, log: silentLog, bug: error => bugs.push(error) })
    const max = smsc.phone('+491701234567')
    try {
      await zentrale.start()
      assert.equal((taken as Tree)['loft'], 'roof')
      await until(() => zentrale.metrics.connections().some(({ name, up }) => name === 'main' && up), 'the gateway is up')
      await pigeon!.say('sill', 'Dora', 'Gurr')
      assert.match((await max.next(({ text }) => text.includes('Gurr'))).text, /^Dora.*: Gurr$/)
      await max.type({ text: 'Ich komme', to: config.sms.gateways[0].numbers[1] })
      await until(() => pigeon!.read('sill').some(line => line.endsWith('Ich komme')), 'on the sill')
      await until(async () => /deliveries_total\{network="pigeon",outcome="done"\} [1-9]/.test(await zentrale.metrics.text()), 'counted')
      assert.match(await zentrale.metrics.text(), /arrivals_total\{network="pigeon",outcome="stored"\} 1\n/)
    } finally {
      await zentrale.stop()
      await smsc.stop()
    }
    assert.deepEqual(bugs, [])
  })
})
