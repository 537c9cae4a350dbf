/** What moderators remove in rooms, and what we remove with their power. */
import assert from 'node:assert/strict'
import { xml, type Element } from '@xmpp/client'
import type { XmppServer, XmppServerOptions } from '../../sandbox/servers/prosody'
import type { Place } from '../../src/model/address'
import { Refused } from '../../src/model/errors'
import type { Delivery, Persona } from '../../src/model/message'
import { came, delivery, DOMAIN, say, send, xmppGround } from '../support/xmpp-ground'
import { MUC } from '../support/xmpp-person'

const bob: Persona = { person: { network: 'other', id: '@bob:example.org' }, name: 'Bob (M)' }
const [FASTEN, MODERATE] = ['urn:xmpp:fasten:0', 'urn:xmpp:message-moderate:0']

/** `knows`: whether its rooms let anybody remove messages of others. */
export const xmppModerationSuite = (start: (options: XmppServerOptions) => Promise<XmppServer>, knows: boolean): void => {
  const at = xmppGround(options => start({ ...options, moderation: true }))
  let room = ''
  let count = 0
  const place = (): Place => ({ network: 'xmpp', id: room })
  const ruled = (item: Record<string, string>) => at.anna.ask('set', room, xml('query', { xmlns: `${MUC}#admin` }, xml('item', item)))
  const removal = (said: string[]): Delivery => delivery({ kind: 'removal', said }, place())
  /** Anna's room, in which we are. */
  beforeEach(async () => {
    room = `raum${++count}@${at.server.muc}`
    await at.anna.enter(room, 'Anna')
    await at.anna.ask('set', room, xml('query', { xmlns: `${MUC}#owner` }, xml('x', { xmlns: 'jabber:x:data', type: 'submit' })))
    at.network.attend([place()])
    await send(at, delivery(say('da'), place(), { as: bob }))
  })
  const takenAway = (id: string): Promise<Element> => at.anna.until('the removal', one => {
    const taken = one.getChild('apply-to', FASTEN)
    return one.attrs.from === room && taken?.attrs.id === id && taken.getChild('moderated', MODERATE) !== undefined
  })

  if (knows) {
    it('are heard when they remove what ours said, by the id that we know it by', async () => {
      const { ids: [, given = ''] } = await send(at, delivery(say('unsäglich'), place(), { as: bob }))
      await at.anna.ask('set', room, xml('apply-to', { xmlns: FASTEN, id: given },
        xml('moderate', { xmlns: MODERATE }, xml('retract', { xmlns: 'urn:xmpp:message-retract:0' }))))
      const [deletion] = await came(at, 1)
      assert.ok(deletion?.kind === 'deletion' && deletion.named === given && deletion.moderated === true)
    })
  }

  it(knows ? 'are we where the room makes us one: what others said goes, with its corrections' : 'are we nowhere, and we know', async () => {
    await at.anna.say(room, 'unsäglich', 'm1')
    await at.anna.say(room, 'böse', 'm2', xml('replace', { xmlns: 'urn:xmpp:message-correct:0', id: 'm1' }))
    const keys = (await came(at, 2)).map(({ key }) => key)
    await assert.rejects(send(at, removal(keys)), Refused)
    await ruled({ jid: `zentrale@${DOMAIN}`, affiliation: 'admin' })
    await at.anna.until('that we are an admin', one => one.is('presence') && one.attrs.from === `${room}/Zentrale` &&
      one.getChild('x', `${MUC}#user`)?.getChild('item')?.attrs.affiliation === 'admin')
    if (!knows) return assert.rejects(send(at, removal(keys)), Refused)
    await send(at, removal(keys))
    for (const key of keys) await takenAway(key.slice(room.length + 1))
    await assert.rejects(send(at, removal([`${room} unknown`])), Refused)
    await at.anna.say(room, 'weiter', 'm3')
    await at.inbox.until('the next', () => at.inbox.arrivals.some(one => one.kind === 'message' && one.key !== keys[0]))
  })
}
