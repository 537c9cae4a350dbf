import assert from 'node:assert/strict'
import { addressFor, archivedJid, NON_ANONYMOUS, notePresence, type Present } from '../../../../../src/networks/xmpp/muc/people'
import type { Element } from '../../../../../src/networks/xmpp/wire/xml'

const NS = 'jabber:component:accept'
const MUC_USER = 'http://jabber.org/protocol/muc#user'

const user = (jid?: string): Element => ({
  name: 'x', ns: MUC_USER, attrs: {},
  children: [{ name: 'item', ns: MUC_USER, attrs: { role: 'participant', ...jid !== undefined && { jid } }, children: [] }]
})
const presence = (nick: string, type: string | undefined, ...children: Element[]): Element =>
  ({ name: 'presence', ns: NS, attrs: { from: `raum@rooms.example.org/${nick}`, ...type !== undefined && { type } }, children })

describe('who is in an XMPP room', () => {
  it('is known by role, and by address where the room shows it, until they leave', () => {
    const people = new Map<string, Present>()
    assert.equal(notePresence(people, presence('Anna', undefined, user('Anna@Example.org/phone'))), 'Anna')
    assert.equal(notePresence(people, presence('Hidden', undefined, user())), undefined)
    assert.deepEqual([...people], [
      ['Anna', { address: 'anna@example.org', role: 'participant', rules: false }], ['Hidden', { role: 'participant', rules: false }]
    ])
    notePresence(people, presence('Anna', 'unavailable', user('anna@example.org/phone')))
    assert.deepEqual([...people.keys()], ['Hidden'])
  })

  it('has an address that is certain only in a room of its own server, and that others may see only if the room shows it to all', () => {
    const room = (id: string, ...features: string[]) => ({ id, features: new Set(features) })
    const anna = 'anna@example.org'
    assert.deepEqual(addressFor(room('raum@rooms.example.org', NON_ANONYMOUS), anna), { address: anna, vouched: true })
    for (const service of ['evil.example', 'rooms.notexample.org', 'example.org.evil.example', 'org']) {
      assert.deepEqual(addressFor(room(`raum@${service}`, NON_ANONYMOUS), anna), { address: anna }, service)
    }
    assert.deepEqual(addressFor(room('raum@rooms.example.org'), anna), { account: anna })
  })

  it('is bounded', () => {
    const people = new Map<string, Present>()
    for (let i = 0; i < 6_000; i++) notePresence(people, presence(`n${i}`, undefined, user(`n${i}@example.org`)))
    assert.equal(people.size, 5_000)
    assert.equal(notePresence(people, presence('n1', undefined, user('other@example.org'))), 'n1')
    assert.equal(people.get('n1')?.address, 'other@example.org')
  })

  it('rules there by role or affiliation', () => {
    const people = new Map<string, Present>()
    const [moderator, owner] = [user(), user()]
    moderator.children = [{ name: 'item', ns: MUC_USER, attrs: { role: 'moderator' }, children: [] }]
    owner.children = [{ name: 'item', ns: MUC_USER, attrs: { affiliation: 'owner' }, children: [] }]
    notePresence(people, presence('m', undefined, moderator))
    notePresence(people, presence('o', undefined, owner))
    notePresence(people, presence('p', undefined, user()))
    assert.deepEqual([...people.values()].map(({ rules }) => rules), [true, true, false])
  })

  it('are believed in an archive only if there is one address, because whoever forges one makes two', () => {
    const archived = (...children: Element[]): Element => ({ name: 'message', ns: 'jabber:client', attrs: {}, children })
    assert.equal(archivedJid(archived(user('carl@example.org/x'))), 'carl@example.org')
    assert.equal(archivedJid(archived(user('anna@example.org'), user('carl@example.org'))), undefined)
    assert.equal(archivedJid(archived()), undefined)
  })
})
