import assert from 'node:assert/strict'
import { readFileSync } from 'node:fs'
import { LOGBOOK_KEY, markOf, strangerTo, unlike } from '../../../src/config/mark'
import { addressConfig, loadConfig, registrationWith, type Tree, write } from '../../support/config'

const load = (change: (config: Tree, registered: Tree) => void = () => {}) => {
  const [config, registered] = [addressConfig(), registrationWith('buergerbuero')]
  registered.namespaces.aliases = [{ exclusive: true, regex: '#b.*:example\\.org' }]
  change(config, registered)
  return loadConfig(write(config, registered), {})
}
const differing = (change: (config: Tree, registered: Tree) => void): string[] => unlike(markOf(load()), load(change))

describe('the mark of a config', () => {
  it('fits a config that says the same in another order, at another place and to other machines', () => {
    assert.deepEqual(differing(() => {}), [])
    assert.deepEqual(differing((config, registered) => {
      config.operate = Object.fromEntries(Object.entries(config.operate).toReversed())
      config.sms.gateways[0] = Object.fromEntries(Object.entries(config.sms.gateways[0]).toReversed())
      config.matrix.homeserver_url = 'http://10.0.0.9:8008'
      config.matrix.listen.port = 9999
      registered.url = 'http://10.0.0.9:9999'
      Object.assign(config.xmpp.component, { host: '10.0.0.9', insecure: true })
      config.sms.gateways[1].send_url = 'http://10.0.0.9:13013/cgi-bin/sendsms'
      config.store = { postgres: 'postgres://zentrale@10.0.0.9/zentrale', keep_days: config.store.keep_days }
      config.log.level = 'debug'
    }), [])
  })

  it('names what differs, by its keys', () => {
    assert.deepEqual(differing((config, registered) => {
      config.language = 'de'
      config.mirrors = []
      config.media.public_url = 'https://other.example.org'
      config.xmpp.component.secret = 'another-secret'
      config.function_addresses[0].team.pop()
      config.store.keep_days = 31
      registered.hs_token = 'x'.repeat(43)
    }).toSorted(), ['function_addresses', 'language', 'matrix.registration', 'media.public_url', 'mirrors', 'store.keep_days', 'xmpp.component'])
    assert.deepEqual(differing(config => { config.sms.gateways.pop() }), ['sms.gateways'])
    assert.deepEqual(differing(config => { config.portals = { rooms: ['*@rooms.example.org'] } }).every(key => key.startsWith('portals')), true)
    assert.deepEqual(differing(config => {
      config.operate.logbook_key = config.operate.token
      config.operate.token = 'another-token-12'
    }), ['operate.token'])
  })

  it('names only the key of the logbook if that differs, because without it nothing can be compared', () => {
    assert.deepEqual(differing(config => { config.operate.token = 'another-token-12' }), [LOGBOOK_KEY])
    assert.deepEqual(differing(config => {
      config.operate.logbook_key = 'another-key-1234'
      config.language = 'de'
    }), [LOGBOOK_KEY])
    assert.deepEqual(unlike(undefined, load()), [], 'and nothing where there is no mark yet')
  })

  it('tells the config of another homeserver, whatever its key, and one of another time', () => {
    const elsewhere = (config: Tree, registered: Tree): void => {
      const moved = JSON.stringify([config, registered]).replaceAll('example.org', 'other.example').replaceAll('example\\\\.org', 'other\\\\.example')
      const [one, other] = JSON.parse(moved) as [Tree, Tree]
      Object.assign(config, one)
      Object.assign(registered, other)
    }
    const why = 'it is the store of the Zentrale for example.org, and this one is for other.example'
    assert.equal(strangerTo(markOf(load()), load(elsewhere)), why)
    assert.equal(strangerTo(markOf(load()), load((config, registered) => {
      elsewhere(config, registered)
      config.operate.token = 'another-token-12'
    })), why)
    const other = load(config => { config.mirrors = [] })
    assert.deepEqual([markOf(load()), '[]', undefined].map(mark => strangerTo(mark, other)), [undefined, undefined, undefined])
  })

  it('shows nothing of what is in the config, but the names of servers', () => {
    const config = load()
    const text = readFileSync(config.file, 'utf8')
    const mark = markOf(config)
    for (const [, secret = ''] of text.matchAll(/(?:token|secret): (\S{9,})/g)) assert.ok(!mark.includes(secret))
    for (const digest of Object.values(config.shared)) assert.ok(!mark.includes(digest.slice(0, 16)), 'what could be guessed without the key')
  })
})
