import assert from 'node:assert/strict'
import { join } from 'node:path'
import fc from 'fast-check'
import { type FormerRoom, type FormerStore, prefixOf } from '../../../../src/import/bifrost/former'
import { readNedb } from '../../../../src/import/bifrost/nedb'
import { type House, planTakeover, type Takeover } from '../../../../src/import/bifrost/takeover'

const DOMAIN = 'zentrale.test'
const house = (more: Partial<House> = {}): House =>
  ({ domain: DOMAIN, component: `chat.${DOMAIN}`, bot: `@zentrale:${DOMAIN}`, notHeardFrom: [], mirrors: [], ...more })
const mirror = (name: string, matrix: string, xmpp: string): House['mirrors'][number] =>
  ({ name, places: [{ place: { network: 'matrix', id: matrix } }, { place: { network: 'xmpp', id: xmpp } }] })
const room = (id: string, remote: string, more: Partial<FormerRoom> = {}): FormerRoom =>
  ({ at: 'line 1', room: `!${id}:${DOMAIN}`, kind: 'plumbed', protocol: 'xmpp-js', remote, ...more })
const storeOf = (...rooms: FormerRoom[]): FormerStore => ({ rooms, people: [], empty: 0 })
const pairs = ({ mirrors }: Takeover): string[] => mirrors.map(({ name, matrix, xmpp }) => `${name} ${matrix} ${xmpp}`)
const leftRooms = ({ left }: Takeover): string[] => left.map(one => one.room.room.slice(1, -`:${DOMAIN}`.length))

/** The config, with all that was found written into it. */
const after = (plan: Takeover, before: House): House => ({
  ...before, notHeardFrom: [...before.notHeardFrom, ...plan.notHeardFrom],
  mirrors: [...before.mirrors, ...plan.mirrors.map(({ name, matrix, xmpp }) => mirror(name, matrix, xmpp))]
})

describe('what is taken over from matrix-bifrost', () => {
  it('are plumbed rooms of both its ways to XMPP; portals if they are wanted; nothing else, and each is named with the reason', async () => {
    const store = await readNedb(join(__dirname, '../../../support/bifrost'))
    const plan = planTakeover(store, house(), false)
    assert.deepEqual(pairs(plan), [
      'werkstatt !werkstatt:zentrale.test werkstatt@rooms.zentrale.test', 'lager !lager:zentrale.test lager@rooms.zentrale.test'
    ])
    assert.deepEqual(Object.fromEntries(plan.left.map(({ room, why }) => [room.room.slice(1, -`:${DOMAIN}`.length), why.split(':')[0]])), {
      chat: 'Other protocols', offen: 'Gateways', direkt: 'Direct chats', empfang: 'Portals',
      admin: 'Chats with bifrost\'s bot, for its commands', intern: 'Chats with bifrost\'s bot, for its commands'
    })
    assert.deepEqual(planTakeover(store, house(), true).mirrors.map(({ name, isPortal }) => [name, isPortal]),
      [['werkstatt', false], ['lager', false], ['empfang', true]])
    assert.deepEqual(plan.notHeardFrom, ['@_bifrost_*:zentrale.test'])
  })

  it('says who people are here, as far as that is known', async () => {
    const { known } = planTakeover(await readNedb(join(__dirname, '../../../support/bifrost')), house(), false)
    assert.deepEqual(known.map(({ isGhost, address, now }) => [isGhost, address, now]), [
      [false, 'anna_zentrale.test@matrix.zentrale.test', '_matrix_=40anna=3azentrale.test@chat.zentrale.test'],
      [false, 'anna@irc.example.org', undefined],
      [true, 'werkstatt@rooms.zentrale.test/Bernd', undefined], [true, 'werkstatt@rooms.zentrale.test/Jörg (Büro)', undefined],
      [true, 'bernd@zentrale.test', '@_zentrale_xmpp_bernd=40zentrale.test:zentrale.test'],
      [true, 'clara@example.com', '@_zentrale_xmpp_clara=40example.com:zentrale.test'],
      [true, 'dora@irc.example.org', undefined]
    ])
  })

  it('is not taken over a second time, in whatever way the config names the Matrix room', () => {
    const store = storeOf(room('a', 'A@rooms.zentrale.test'))
    for (const matrix of ['!a:zentrale.test', '#a:zentrale.test']) {
      const plan = planTakeover(store, house({ mirrors: [mirror('x', matrix, 'a@rooms.zentrale.test')] }), false)
      assert.deepEqual([pairs(plan), plan.there.length, plan.left.length], [[], 1, 0])
    }
  })

  it('never puts a place into two mirrors: who has one of the two already is asked to decide', () => {
    const mirrors = [mirror('x', '!a:zentrale.test', 'other@rooms.zentrale.test'), mirror('b', '!other:zentrale.test', 'b@rooms.zentrale.test')]
    const plan = planTakeover(storeOf(room('a', 'a@rooms.zentrale.test'), room('b', 'b@rooms.zentrale.test'), room('c', 'c@rooms.zentrale.test'),
      room('d', 'C@rooms.zentrale.test'), room('c', 'e@rooms.zentrale.test')), house({ mirrors }), false)
    assert.deepEqual(pairs(plan), ['c !c:zentrale.test c@rooms.zentrale.test'])
    assert.deepEqual(leftRooms(plan), ['a', 'b', 'd', 'c'])
  })

  it('is of two entries for one room the plumbed one, as bifrost decides it too', () => {
    const plan = planTakeover(storeOf(room('a', 'portal@rooms.zentrale.test', { kind: 'portal' }), room('a', 'a@rooms.zentrale.test')), house(), true)
    assert.deepEqual(pairs(plan), ['a !a:zentrale.test a@rooms.zentrale.test'])
  })

  it('gets a name of its own, however names are taken', () => {
    const rooms = [room('a', 'a@one.zentrale.test'), room('b', 'a@two.zentrale.test'), room('c', `${'ä'.repeat(70)}@one.zentrale.test`)]
    const plan = planTakeover(storeOf(...rooms),
      house({ mirrors: [mirror('a', '!x:zentrale.test', 'x@one.zentrale.test')] }), false)
    assert.deepEqual(plan.mirrors.map(({ name }) => name), ['a-2', 'a-3', 'ä'.repeat(64)])
  })

  it('has no place that a config would refuse', () => {
    const bad = ['', 'rooms.zentrale.test', '@rooms.zentrale.test', 'a b@rooms.zentrale.test', 'a@chat.zentrale.test', 'a@rooms.zentrale.test/x',
      'a@']
    const plan = planTakeover(storeOf(...bad.map((remote, index) => room(`r${index}`, remote)),
      room('x', 'x@rooms.zentrale.test', { room: '#x:zentrale.test' }), room('y', 'y@rooms.zentrale.test', { room: '!y z' })), house(), true)
    assert.deepEqual([pairs(plan), plan.left.length], [[], bad.length + 2])
  })

  it('is each room exactly once, and nothing is left to do once the config has it, for any store', () => {
    const id = fc.constantFrom('a', 'b', 'c', 'd')
    const rooms = fc.array(fc.record({
      at: fc.constant('line 1'), room: id.map(one => `!${one}:${DOMAIN}`), protocol: fc.constantFrom('xmpp-js', 'prpl-jabber', 'prpl-irc', ''),
      kind: fc.constantFrom<FormerRoom['kind']>('plumbed', 'portal', 'gateway', 'direct', 'admin'),
      remote: fc.oneof(fc.oneof(id, fc.string({ unit: 'binary' })).map(one => `${one}@rooms.zentrale.test`), fc.string())
    }), { maxLength: 8 })
    fc.assert(fc.property(rooms, fc.boolean(), (all, portals) => {
      const plan = planTakeover(storeOf(...all), house(), portals)
      assert.equal(plan.mirrors.length + plan.there.length + plan.left.length, all.length)
      const used = plan.mirrors.flatMap(({ matrix, xmpp }) => [matrix, xmpp])
      assert.equal(new Set(used).size, used.length)
      assert.equal(new Set(plan.mirrors.map(({ name }) => name)).size, plan.mirrors.length)
      for (const { name } of plan.mirrors) assert.match(name, /^[^\s]{1,64}$/)
      const again = planTakeover(storeOf(...all), after(plan, house()), portals)
      assert.deepEqual([again.mirrors, again.notHeardFrom, again.there.length >= plan.mirrors.length], [[], [], true])
    }), { numRuns: 1000 })
  })

  it('knows a ghost only where its name is made of the address: nobody of Matrix is ever asked to leave', () => {
    const person = (mxid: string, id: string, protocol = 'xmpp-js') => ({ mxid, id, protocol, isAccount: false })
    assert.equal(prefixOf(person('@pre_Bernd=2fa=40x.y:zentrale.test', 'a@x.y/Bernd'), DOMAIN), 'pre_')
    assert.equal(prefixOf(person('@pre_a=40x.y:zentrale.test', 'A@X.y'), DOMAIN), 'pre_')
    for (const mxid of ['@bernd:zentrale.test', '@pre_a=40x.y:example.org', '@Bernd=2fa=40x.z:zentrale.test', '@a:zentrale.test']) {
      assert.equal(prefixOf(person(mxid, 'a@x.y/Bernd'), DOMAIN), undefined, mxid)
    }
    assert.equal(prefixOf(person('@_bifrost_irc_dora:zentrale.test', 'dora', 'prpl-irc'), DOMAIN), '_bifrost_')
    assert.equal(prefixOf(person('@dora:zentrale.test', 'dora', 'prpl-irc'), DOMAIN), undefined)
    assert.equal(prefixOf(person('@dora:zentrale.test', '', 'xmpp-js'), DOMAIN), undefined)
    assert.equal(prefixOf(person('@dora:zentrale.test', 'not an address@', 'xmpp-js'), DOMAIN), undefined)
  })
})
