import assert from 'node:assert/strict'
import { showFinding } from '../../../src/operate/check'
import { checkAddresses } from '../../../src/operate/check-addresses'
import { loadAddressConfig, type Tree } from '../../support/config'

const MONDAY = Date.parse('2026-11-23T09:00+01:00')

describe('zentrale check of function addresses', () => {
  const check = (change?: (address: Tree, config: Tree) => void): string =>
    checkAddresses(loadAddressConfig(change), MONDAY).map(showFinding).join('\n')

  it('says where each is reached', () => {
    assert.equal(check(), '✓ Function address bürgerbüro: is reached as @buergerbuero:example.org, bürgerbüro@chat.example.org, +4930123456, ' +
    'also as #bürgerbüro:example.org, #buergerbuero:example.org, buergerbuero@chat.example.org; 2 people answer')
  })

  it('says which lines the registration lacks', () => {
    assert.match(check(address => { address.name = 'info'; address.matrix = 'buergerbuero' }),
      /✗ .* cannot be reached as #info:example\.org\n.*\.yaml, below namespaces, aliases.*\n {4}- { exclusive: true, regex: '#info:example\\\.org' }/)
  })

  it('says when rooms cannot be made for a team', () => {
    const without = (team: unknown[]): string => check((address, { xmpp }) => { delete xmpp.rooms; address.team = team })
    assert.match(without(['bernd@example.org']), /✗ .*has no room service for Bernd\n.*rooms: rooms\.example\.org/)
    assert.doesNotMatch(without(['@anna:example.org', { name: 'Bernd', addresses: ['bernd@example.org'], direct: true }]), /✗/)
  })

  it('says when hours are odd', () => {
    const odd = (hours: Tree): string => check(address => { address.hours = hours })
    assert.match(odd({ days: { '2020-01-02': ['8:00-12:00'] } }), /✗ .*is never open within a year/)
    assert.match(odd({ mon: ['8:00-8:05'] }), /✗ .*is open for 5 minutes at a time/)
    const all = ['0:00-24:00']
    assert.match(odd({ mon: all, tue: all, wed: all, thu: all, fri: all, sat: all, sun: all }), /✗ .*is open day and night/)
    assert.doesNotMatch(odd({ sun: ['8:00-12:00'] }), /✗/)
  })
})
