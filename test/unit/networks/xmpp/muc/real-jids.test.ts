import assert from 'node:assert/strict'
import { archivedJid, type RealJid, noteRealJid } from '../../../../../src/networks/xmpp/muc/real-jids'
import type { Element } from '../../../../../src/networks/xmpp/wire/xml'

const NS = 'jabber:component:accept'
const MUC_USER = 'http://jabber.org/protocol/muc#user'

const user = (jid?: string): Element => ({
  name: 'x', ns: MUC_USER, attrs: {},
  children: [{ name: 'item', ns: MUC_USER, attrs: { role: 'participant', ...jid !== undefined && { jid } }, children: [] }]
})
const presence = (nick: string, type: string | undefined, ...children: Element[]): Element =>
  ({ name: 'presence', ns: NS, attrs: { from: `raum@rooms.example.org/${nick}`, ...type !== undefined && { type } }, children })

describe('xmpp realJids', () => {
  it('are those whose own address the room shows, until they leave', () => {
    const realJids = new Map<string, RealJid>()
    assert.equal(noteRealJid(realJids, presence('Anna', undefined, user('Anna@Example.org/phone'))), 'Anna')
    assert.equal(noteRealJid(realJids, presence('Hidden', undefined, user())), undefined)
    assert.deepEqual([...realJids], [['Anna', { address: 'anna@example.org', role: 'participant' }]])
    noteRealJid(realJids, presence('Anna', 'unavailable', user('anna@example.org/phone')))
    assert.equal(realJids.size, 0)
  })

  it('are bounded', () => {
    const realJids = new Map<string, RealJid>()
    for (let i = 0; i < 6_000; i++) noteRealJid(realJids, presence(`n${i}`, undefined, user(`n${i}@example.org`)))
    assert.equal(realJids.size, 5_000)
    assert.equal(noteRealJid(realJids, presence('n1', undefined, user('other@example.org'))), 'n1')
    assert.equal(realJids.get('n1')?.address, 'other@example.org')
  })

  it('are believed in an archive only if there is one address, because whoever forges one makes two', () => {
    const archived = (...children: Element[]): Element => ({ name: 'message', ns: 'jabber:client', attrs: {}, children })
    assert.equal(archivedJid(archived(user('carl@example.org/x'))), 'carl@example.org')
    assert.equal(archivedJid(archived(user('anna@example.org'), user('carl@example.org'))), undefined)
    assert.equal(archivedJid(archived()), undefined)
  })
})
