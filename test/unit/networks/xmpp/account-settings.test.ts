import assert from 'node:assert/strict'
import { addressConfig, loadConfig, refusals, registrationWith, type Tree, write } from '../../../support/config'

const registered = (): Tree => {
  const made = registrationWith('buergerbuero', 'beschwerden')
  made.namespaces.aliases = [{ exclusive: true, regex: '#b.*:example\\.org' }]
  return made
}

/** One function address that is an account, without a component and what needs one. */
const alone = (change: (xmpp: Tree, address: Tree, config: Tree) => void = () => {}): string => {
  const config = addressConfig()
  config.xmpp = { accounts: [{ jid: 'Info@Firma.example', password: 'p' }] }
  config.mirrors = []
  config.function_addresses[0].xmpp = 'info@firma.example'
  change(config.xmpp, config.function_addresses[0], config)
  return write(config, registered())
}
const refused = (...given: Parameters<typeof alone>): string => refusals(() => loadConfig(alone(...given), {})).text

describe('an address that is an account', () => {
  it('needs no component, and is called as the account is', () => {
    const { networks, addresses } = loadConfig(alone(), {})
    assert.deepEqual(networks.xmpp?.accounts, [{
      jid: 'info@firma.example', password: 'p', directTls: false, insecure: false, plain: false, fetch: networks.xmpp?.fetch, language: 'en'
    }])
    assert.equal(networks.xmpp?.component, undefined)
    assert.deepEqual(addresses[0]!.identities.map(({ id }) => id), ['@buergerbuero:example.org', 'info@firma.example', '+4930123456'])
    assert.deepEqual(addresses[0]!.aliases.filter(({ network }) => network === 'xmpp'), [])
  })

  it('stands beside a component, whose other addresses stay as they are', () => {
    const path = alone((xmpp, _address, config) => {
      xmpp.component = { domain: 'chat.example.org', host: '127.0.0.1', port: 5347, secret: 'component-secret' }
      config.function_addresses.push({ name: 'beschwerden', team: ['@carla:example.org'] })
    })
    const { addresses } = loadConfig(path, {})
    assert.deepEqual(addresses.map(({ identities }) => identities.find(({ network }) => network === 'xmpp')?.id),
      ['info@firma.example', 'beschwerden@chat.example.org'])
  })

  it('is refused with what to do where something needs a component, or does not fit', () => {
    assert.match(refused(xmpp => { delete xmpp.accounts }), /xmpp: has neither a component nor accounts\. Write xmpp\.component, or xmpp\.accounts/)
    assert.match(refused((_xmpp, _address, config) => { config.mirrors = addressConfig().mirrors }),
      /mirrors\[0\]\.places\[1\]\.xmpp: a mirror needs a component.*Write xmpp\.component/)
    assert.match(refused(xmpp => { xmpp.rooms = 'rooms.example.org' }), /xmpp\.rooms: is for rooms that a component makes/)
    assert.match(refused((_xmpp, address) => { address.xmpp = 'info' }), /\.xmpp: "info" needs a component/)
    assert.match(refused((_xmpp, address) => { address.xmpp = 'other@firma.example' }),
      /\.xmpp: there is no account "other@firma\.example"\. Write one of: info@firma\.example/)
    assert.match(refused((_xmpp, address) => { delete address.xmpp }), /xmpp\.accounts\[0\]\.jid: belongs to no function address/)
    assert.match(refused(xmpp => { xmpp.accounts.push(xmpp.accounts[0]) }), /xmpp\.accounts\[1\]\.jid: is there twice/)
    assert.match(refused(xmpp => { xmpp.accounts[0].port = 5223 }), /xmpp\.accounts\[0\]\.port: needs a host/)
    assert.match(refused((_xmpp, address) => { address.team = ['info@firma.example'] }), /info@firma\.example is an account of Zentrale/)
  })

  it('says its password in the clear to this machine at most', () => {
    const insecure = (host: string | undefined) => (xmpp: Tree): void => {
      Object.assign(xmpp.accounts[0], { insecure: true, ...host !== undefined && { host } })
    }
    for (const host of [undefined, '10.0.0.7', 'xmpp.firma.example', '127.evil.example']) {
      assert.match(refused(insecure(host)), /xmpp\.accounts\[0\]\.insecure: would send the password and all messages in the clear/)
    }
    assert.equal(loadConfig(alone(insecure('127.0.0.1')), {}).networks.xmpp?.accounts[0]?.insecure, true)
  })
})
