import assert from 'node:assert/strict'
import { readFileSync, readdirSync, statSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { parse } from 'yaml'
import { loadConfig } from '../../../src/config/load'
import { systemChance } from '../../../src/lib/chance'
import { answer, init, INIT_FLAGS } from '../../../src/operate/init'
import { temporaryFolder } from '../../support/folder'

describe('zentrale init', () => {
  it('writes files that load, with secrets of their own, for their owner only', async () => {
    const folder = temporaryFolder()
    const text = init(folder, await answer({}), systemChance)
    const config = loadConfig(join(folder, 'config.yaml'), {})
    assert.equal(config.networks.matrix?.registration.url, 'http://127.0.0.1:9993')
    for (const file of ['config.yaml', 'registration.yaml']) assert.equal(statSync(join(folder, file)).mode & 0o777, 0o600)
    const other = temporaryFolder()
    init(other, await answer({}), systemChance)
    const secrets = (of: string): string[] => {
      const { networks: { matrix, xmpp }, operate } = loadConfig(join(of, 'config.yaml'), {})
      return [matrix!.registration.as_token, matrix!.registration.hs_token, xmpp!.component.secret, operate.token]
    }
    assert.equal(new Set([...secrets(folder), ...secrets(other)]).size, 8)
    assert.ok(secrets(folder).every(secret => secret.length >= 43))
    assert.match(text, new RegExp(`app_service_config_files:\\n +- ${join(folder, 'registration.yaml')}`))
    assert.ok(text.includes(`component_secret = "${config.networks.xmpp!.component.secret}"`))
    assert.ok(text.includes(`password: "${config.networks.xmpp!.component.secret}"`))
  })

  it('makes a first function address, with its lines in the registration and a number if there is one', async () => {
    const folder = temporaryFolder()
    const answers = await answer({ address: 'Bürgerbüro', 'address-team': '@anna:example.org, bernd@example.org', 'sms-host': 'smsc.example.net' })
    init(folder, { ...answers, 'sms-password': 'given' }, systemChance)
    const { addresses: [address], networks } = loadConfig(join(folder, 'config.yaml'), {})
    assert.deepEqual(address!.identities.map(({ id }) => id), ['@buergerbuero:example.org', 'bürgerbüro@chat.example.org', '+4930123456'])
    assert.deepEqual(address!.team.map(({ name }) => name), ['Anna', 'Bernd'])
    assert.equal(networks.xmpp!.rooms, 'rooms.example.org')
    assert.match(readFileSync(join(folder, 'registration.yaml'), 'utf8'), /"#bürgerbüro:example/)
    const zentrale = temporaryFolder()
    init(zentrale, await answer({ address: 'zentrale' }), systemChance)
    assert.equal(loadConfig(join(zentrale, 'config.yaml'), {}).networks.matrix!.registration.sender_localpart, 'zentrale-bot')
    const none = temporaryFolder()
    assert.throws(() => init(none, { ...answers, address: 'справка' }, systemChance), /"справка" cannot be rewritten for Matrix/)
    assert.deepEqual(readdirSync(none), [])
  })

  it('never overwrites', async () => {
    for (const file of ['config.yaml', 'registration.yaml']) {
      const folder = temporaryFolder()
      writeFileSync(join(folder, file), 'mine')
      const answers = await answer({})
      assert.throws(() => init(folder, answers, systemChance), /is there already and is not overwritten\. Move it away/)
      assert.equal(readFileSync(join(folder, file), 'utf8'), 'mine')
    }
  })

  it('asks what no flag has answered, and nothing about what is not there', async () => {
    const asked: string[] = []
    const answers = await answer({ 'matrix-domain': 'none', 'xmpp-domain': 'bridge.example.net' },
      async question => { asked.push(question); return '' })
    assert.ok(!asked.some(question => /homeserver|Matrix room/.test(question)))
    assert.ok(asked.some(question => question.includes('[5347]')))
    const folder = temporaryFolder()
    init(folder, { ...answers, 'sms-host': 'smsc.example.net', 'sms-port': '2775', 'sms-system-id': 'z', 'sms-password': 'p',
      'sms-number': '+4930123456' }, systemChance)
    const { networks } = loadConfig(join(folder, 'config.yaml'), {})
    assert.deepEqual(Object.keys(networks), ['xmpp', 'sms'])
  })

  it('gives what it wrote through unharmed, whatever was answered', async () => {
    const folder = temporaryFolder()
    const odd = 'a: "b" #c\n- d'
    init(folder, await answer({ ...Object.fromEntries(INIT_FLAGS.map(({ key }) => [key, odd])), address: 'none', 'xmpp-port': '1' }), systemChance)
    assert.equal(parse(readFileSync(join(folder, 'config.yaml'), 'utf8')).matrix.domain, odd)
  })
})
