import assert from 'node:assert/strict'
import { chmodSync, readFileSync, readdirSync, statSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { parse } from 'yaml'
import { freePort } from '../../../sandbox/servers/process'
import { systemChance } from '../../../src/lib/chance'
import { answer, init, refuseExisting } from '../../../src/operate/init'
import { serve } from '../../../src/lib/serve'
import { loadConfig } from '../../support/config'
import { temporaryFolder } from '../../support/folder'

describe('zentrale init', () => {
  it('writes files that load, with secrets of their own, for their owner only', async () => {
    const folder = temporaryFolder()
    chmodSync(folder, 0o755)
    const text = init(folder, await answer({}), systemChance)
    const config = loadConfig(join(folder, 'config.yaml'), {})
    assert.equal(config.networks.matrix?.registration.url, 'http://127.0.0.1:9993')
    for (const file of ['config.yaml', 'registration.yaml']) assert.equal(statSync(join(folder, file)).mode & 0o777, 0o600)
    const other = temporaryFolder()
    init(other, await answer({}), systemChance)
    const secrets = (of: string): string[] => {
      const { networks: { matrix, xmpp }, operate } = loadConfig(join(of, 'config.yaml'), {})
      return [matrix!.registration.as_token, matrix!.registration.hs_token, xmpp!.component!.component.secret, operate.token]
    }
    assert.equal(new Set([...secrets(folder), ...secrets(other)]).size, 8)
    assert.ok(secrets(folder).every(secret => secret.length >= 43))
    assert.match(text, new RegExp(`app_service_config_files:\\n +- ${join(folder, 'registration.yaml')}`))
    assert.ok(text.includes(`component_secret = "${config.networks.xmpp!.component!.component.secret}"`))
    assert.ok(text.includes(`password: "${config.networks.xmpp!.component!.component.secret}"`))
  })

  it('makes a first function address, with its lines in the registration and a number if there is one', async () => {
    const folder = temporaryFolder()
    const answers = await answer({ address: 'Bürgerbüro', 'address-team': '@anna:example.org, bernd@example.org', 'sms-host': 'smsc.example.net',
      'sms-password': 'given', 'sms-number': '+4930123456' })
    init(folder, answers, systemChance)
    const { addresses: [address], networks } = loadConfig(join(folder, 'config.yaml'), {})
    assert.deepEqual(address!.identities.map(({ id }) => id), ['@buergerbuero:example.org', 'bürgerbüro@chat.example.org', '+4930123456'])
    assert.deepEqual(address!.team.map(({ name }) => name), ['Anna', 'Bernd'])
    assert.equal(networks.xmpp!.component!.rooms, 'conference.example.org')
    assert.match(readFileSync(join(folder, 'registration.yaml'), 'utf8'), /"#bürgerbüro:example/)
    const zentrale = temporaryFolder()
    init(zentrale, await answer({ address: 'zentrale' }), systemChance)
    assert.equal(loadConfig(join(zentrale, 'config.yaml'), {}).networks.matrix!.registration.sender_localpart, 'zentrale-bot')
  })

  it('makes one that is an account at a provider, without a component', async () => {
    const folder = temporaryFolder()
    const asked: string[] = []
    const given: [RegExp, string][] = [[/Domain that Zentrale gets/, 'none'], [/account at an XMPP provider/, 'info@firma.example'],
      [/Name of a first/, 'info'], [/Who answers/, '@anna:example.org'], [/^Its password/, 'geheim']]
    const answers = await answer({ 'sms-host': 'none' }, async question => {
      asked.push(question)
      return given.find(([what]) => what.test(question))?.[1] ?? ''
    })
    init(folder, answers, systemChance)
    const { addresses: [address], networks } = loadConfig(join(folder, 'config.yaml'), {})
    assert.deepEqual(address!.identities.map(({ id }) => id), ['@info:example.org', 'info@firma.example'])
    assert.deepEqual([networks.xmpp!.component, networks.xmpp!.accounts[0]!.password], [undefined, 'geheim'])
    assert.ok(!asked.some(question => /Room service/.test(question)))
  })

  it('tries each answer at its server, says what is wrong, and keeps an answer that is given again', async () => {
    const served = await serve((request, response) => {
      response.setHeader('content-type', 'application/json')
      response.end(JSON.stringify(request.url!.includes('versions') ? { versions: ['v1.11'] } : { server_name: 'firma.example' }))
    }, { host: '127.0.0.1', port: 0 })
    const [dead, alive] = [await freePort(), served.port]
    const said: string[] = []
    const replies: [RegExp, string[]][] = [
      [/Domain of your Matrix/, ['example.org']],
      [/Address of the homeserver/, [`http://127.0.0.1:${dead}`, `http://127.0.0.1:${alive}`, '']],
      [/Machine of your SMS/, ['127.0.0.1']], [/Its port \[/, [String(dead), String(alive)]],
      [/Its password/, ['p']], [/Your number/, ['+4930123456']], [/links to files/, [`http://127.0.0.1:${dead}`]]
    ]
    const answers = await answer({ 'xmpp-domain': 'none' }, async question => {
      said.push(question)
      return replies.find(([what]) => what.test(question))?.[1].shift() ?? ''
    })
    await served.stop()
    assert.deepEqual([answers['homeserver-url'], answers['sms-port']], [`http://127.0.0.1:${alive}`, String(alive)])
    assert.deepEqual(said.filter(question => question.includes('Enter keeps')).map(question => question.split('\n')[0]), [
      'No homeserver answers there: nothing listens there. Enter keeps it all the same.',
      'That homeserver is firma.example, and its users are not of example.org. Enter keeps it all the same.',
      `127.0.0.1:${dead}: nothing listens there. Enter keeps it all the same.`,
      `http://127.0.0.1:${dead}: nothing listens there. Your web server must pass /media/ and /to/ from there to http://127.0.0.1:9994. ` +
      'Enter keeps it all the same.'
    ])
  })

  it('doubts the main domain for XMPP, and a port for components where nothing listens', async () => {
    const dead = await freePort()
    const said: string[] = []
    const replies: [RegExp, string][] = [[/Domain of your Matrix/, 'stadt.example'], [/Domain that Zentrale gets/, 'stadt.example'],
      [/port for components/, String(dead)]]
    await answer({ 'sms-host': 'none', 'homeserver-url': 'http://127.0.0.1:1', 'media-url': 'http://127.0.0.1:1' }, async question => {
      said.push(question.split('\n')[0]!)
      return question.includes('Enter keeps') ? '' : replies.find(([what]) => what.test(question))?.[1] ?? ''
    })
    assert.deepEqual(said.filter(line => line.includes('Enter keeps')), [
      'stadt.example is the domain of your people. Zentrale needs one below it, such as chat.stadt.example. Enter keeps it all the same.',
      `127.0.0.1:${dead}: nothing listens there. Enter keeps it all the same.`
    ])
  })

  it('never overwrites', async () => {
    for (const file of ['config.yaml', 'registration.yaml']) {
      const folder = temporaryFolder()
      writeFileSync(join(folder, file), 'mine')
      const answers = await answer({})
      assert.throws(() => init(folder, answers, systemChance), /exists already and is not overwritten\. Move it away/)
      assert.equal(readFileSync(join(folder, file), 'utf8'), 'mine')
    }
  })

  it('says before it asks that there is a config already', () => {
    const folder = temporaryFolder()
    refuseExisting(folder)
    writeFileSync(join(folder, 'config.yaml'), 'mine')
    assert.throws(() => refuseExisting(folder), /config\.yaml exists already and is not overwritten\. Move it away/)
  })

  it('asks what no flag has answered, and nothing about what is not there', async () => {
    const asked: string[] = []
    const answers = await answer({ 'matrix-domain': 'none', 'xmpp-domain': 'bridge.example.net' },
      async question => { asked.push(question); return '' })
    assert.ok(!asked.some(question => /homeserver|Matrix room/.test(question)))
    assert.ok(asked.some(question => question.includes('[5347]')))
    const folder = temporaryFolder()
    init(folder, { ...answers, 'sms-host': 'smsc.example.net', 'sms-kind': 'smpp', 'sms-port': '2775', 'sms-system-id': 'z', 'sms-password': 'p',
      'sms-number': '+4930123456' }, systemChance)
    const { networks } = loadConfig(join(folder, 'config.yaml'), {})
    assert.deepEqual(Object.keys(networks), ['xmpp', 'sms'])
  })

  it('derives what it proposes from the domain that was given', async () => {
    const proposed = async (flags: Record<string, string>): Promise<string> => {
      const asked: string[] = []
      await answer(flags, async question => { asked.push(question); return '' })
      return asked.join('\n')
    }
    const text = await proposed({ 'matrix-domain': 'stadt.example', address: 'info' })
    for (const preset of ['#zentrale:stadt.example', 'chat.stadt.example', 'zentrale@conference.stadt.example', '@anna:stadt.example',
      'conference.stadt.example', 'https://media.stadt.example']) assert.ok(text.includes(`[${preset}]`), preset)
    const xmpp = await proposed({ 'matrix-domain': 'none', 'xmpp-domain': 'zentrale.stadt.example', address: 'info' })
    for (const preset of ['anna@stadt.example', 'conference.stadt.example', 'https://media.stadt.example']) {
      assert.ok(xmpp.includes(`[${preset}]`), preset)
    }
    assert.ok(!/example\.org/.test(text + xmpp))
  })

  it('asks again for what cannot be, and refuses it from a flag', async () => {
    const asked: string[] = []
    const replies = ['https://example.net', 'example.net']
    const answers = await answer({}, async question => { asked.push(question); return replies.shift() ?? '' })
    assert.equal(answers['matrix-domain'], 'example.net')
    assert.match(asked[1]!, /^That does not work\. It must be a domain such as example\.org/)
    for (const [key, value] of Object.entries({
      'matrix-domain': '@anna:example.org', 'homeserver-url': '127.0.0.1:8008', 'matrix-room': 'werkstatt', 'xmpp-port': '70000',
      'xmpp-room': 'werkstatt', 'sms-host': 'a b', address: 'справка', 'media-url': 'media.example.org'
    })) await assert.rejects(answer({ [key]: value }), new RegExp(`^Error: --${key}: That does not work`), key)
    await assert.rejects(answer({ address: 'info', 'address-team': 'anna' }), /--address-team: That does not work/)
  })

  it('leaves nothing behind when what was answered does not go together', async () => {
    const folder = temporaryFolder()
    const answers = await answer({ 'xmpp-host': 'xmpp.example.org' })
    assert.throws(() => init(folder, answers, systemChance), /xmpp\.component\.host: xmpp\.example\.org is another machine/)
    assert.deepEqual(readdirSync(folder), [])
  })

  it('knows Kannel: its section, and what to paste there', async () => {
    const folder = temporaryFolder()
    const sms = { 'sms-host': '127.0.0.1', 'sms-kind': 'kannel', 'sms-password': 'p', 'sms-number': '+4930123456' }
    const text = init(folder, await answer(sms), systemChance)
    const [gateway] = loadConfig(join(folder, 'config.yaml'), {}).networks.sms!.gateways
    assert.ok(gateway?.kind === 'kannel')
    assert.equal(gateway.sendUrl, 'http://127.0.0.1:13013/cgi-bin/sendsms')
    assert.ok(text.includes(`get-url = "http://127.0.0.1:9995/${gateway.secret}/in?id=%I&from=%p&to=%P&text=%b&charset=%C"`))
  })

  it('gives what it wrote through unharmed, whatever was answered', async () => {
    const folder = temporaryFolder()
    const odd = 'a: "b" #c - d'
    init(folder, await answer({ 'sms-host': 'smsc.example.net', 'sms-password': odd, 'sms-number': '+4930123456' }), systemChance)
    assert.equal(parse(readFileSync(join(folder, 'config.yaml'), 'utf8')).sms.gateways[0].password, odd)
  })
})
