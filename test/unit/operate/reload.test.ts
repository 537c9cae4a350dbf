import assert from 'node:assert/strict'
import { dirname, join } from 'node:path'
import { writeFileSync } from 'node:fs'
import { stringify } from 'yaml'
import type { Config } from '../../../src/config/config'
import { loadConfig } from '../../../src/config/load'
import { addressKey, type Place } from '../../../src/model/address'
import { type Reload, reloadOf } from '../../../src/operate/reload'
import { addressConfig, registrationWith, type Tree, write } from '../../support/config'

describe('reading the config anew', () => {
  let tree: Tree
  let path: string
  let before: Config
  beforeEach(() => {
    tree = addressConfig()
    tree['direct_chats'] = { allow: [{ from: ['@*:example.org'], to: ['*@example.org'] }] }
    tree['portals'] = { rooms: ['*@rooms.example.net'], from: ['@*:example.org'] }
    const registered = registrationWith('buergerbuero', 'werkstatt')
    registered['namespaces'].aliases = [{ exclusive: true, regex: '#.*:example\\.org' }]
    path = write(tree, registered)
    before = loadConfig(path, {})
  })

  /** What the changed tree gives. `taken`: places that are in a mirror or a team's. */
  const reloaded = (taken: Place[] = []): Reload => {
    writeFileSync(join(dirname(path), 'config.yaml'), stringify(tree))
    return reloadOf(before, loadConfig(path, {}), place => taken.some(one => addressKey(one) === addressKey(place)))
  }

  it('finds nothing to wait for in a config that says the same', () => {
    const { waiting, mirrors, addresses } = reloaded()
    assert.deepEqual([waiting, mirrors, addresses.map(({ name }) => name)], [[], [], ['bürgerbüro']])
  })

  it('takes over the level of the log, and all of an address but how it is called', () => {
    tree['log'].level = 'debug'
    Object.assign(tree['function_addresses'][0], {
      title: 'Bürgeramt', team: ['@eva:example.org'], hours: { mon: ['9:00-10:00'] }, texts: { neu: 'Neu' }, retention_days: 30, claim: 'hard'
    })
    const { waiting, addresses: [address], running } = reloaded()
    assert.deepEqual([waiting, running.logLevel, address?.profile.name, address?.retentionDays], [[], 'debug', 'Bürgeramt', 30])
    assert.deepEqual([address?.team.map(({ name }) => name), Object.keys(address?.texts ?? {})], [['Eva'], ['neu']])
    assert.deepEqual(running.addresses, [address])
  })

  it('names each thing that needs a restart, goes on with what it was, and says so again the next time', () => {
    tree['store'].keep_days = 31
    tree['operate'].token = 'another-token-of-16'
    tree['xmpp'].component.secret = 'another-secret'
    tree['mirrors'][0].typing = false
    delete tree['portals']
    tree['function_addresses'][0].sms.number = '+4930999999'
    tree['function_addresses'][0].sms.gateway = 'box'
    tree['function_addresses'][0].title = 'Bürgeramt'
    tree['function_addresses'].push({ name: 'werkstatt', xmpp: 'werkstatt', team: ['bernd@example.org'] })
    const named = ['store', 'portals', 'operate', 'xmpp', 'mirrors werkstatt', 'function_addresses bürgerbüro', 'function_addresses werkstatt']
    const { waiting, addresses, running } = reloaded()
    assert.deepEqual([waiting, addresses], [named, []])
    assert.deepEqual(running, before)
    before = running
    assert.deepEqual(reloaded().waiting, named)
  })

  it('opens a new mirror of rooms, unless one of its places is taken, its network waits for a restart, or a phone is in it', () => {
    const rooms: Tree = { name: 'laden', places: [{ matrix: '#laden:example.org' }, { xmpp: 'laden@rooms.example.org' }] }
    tree['mirrors'].push(rooms)
    const open = reloaded()
    assert.deepEqual([open.waiting, open.mirrors.map(({ name }) => name), open.running.mirrors.length], [[], ['laden'], 2])
    const taken = reloaded([{ network: 'xmpp', id: 'laden@rooms.example.org' }])
    assert.deepEqual([taken.waiting, taken.mirrors], [['mirrors laden'], []])
    rooms['places'].push({ sms: { gateway: 'box', number: '+4930999999', members: { '+491701234568': 'Eva' } } })
    const phone = reloaded()
    assert.deepEqual([phone.waiting.includes('mirrors laden'), phone.mirrors], [true, []])
    rooms['places'].pop()
    tree['xmpp'].component.port = 5348
    assert.deepEqual(reloaded().waiting, ['xmpp', 'mirrors laden'])
  })

  it('names a mirror and an address that are gone: they go on until the restart', () => {
    tree['mirrors'] = []
    tree['function_addresses'] = []
    const { waiting, running } = reloaded()
    assert.deepEqual(waiting, ['mirrors werkstatt', 'function_addresses bürgerbüro'])
    assert.deepEqual([running.mirrors.length, running.addresses.length], [1, 1])
  })
})
