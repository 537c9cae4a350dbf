/** What moderators remove in rooms, and what we remove with their power. */
import assert from 'node:assert/strict'
import { globSync, readFileSync, statSync } from 'node:fs'
import { join } from 'node:path'
import { xml, type Element } from '@xmpp/client'
import type { XmppServer, XmppServerOptions } from '../../sandbox/servers/prosody'
import type { Place } from '../../src/model/address'
import { Refused, Unavailable } from '../../src/model/errors'
import type { Delivery, Persona, Sent } from '../../src/model/message'
import { plain } from '../../src/model/text'
import { came, delivery, DOMAIN, say, send, xmppGround } from '../support/xmpp-ground'
import { MUC } from '../support/xmpp-person'

const bob: Persona = { person: { network: 'other', id: '@bob:example.org' }, name: 'Bob (M)' }
const [FASTEN, MODERATE] = ['urn:xmpp:fasten:0', 'urn:xmpp:message-moderate:0']

/** `knows`: whether its rooms let anybody remove messages of others. `banTakesVoice`: whoever was banned comes in again as a visitor. */
export const xmppModerationSuite = (
  start: (options: XmppServerOptions) => Promise<XmppServer>, { knows, banTakesVoice }: { knows: boolean, banTakesVoice: boolean }
): void => {
  let folder = ''
  const at = xmppGround(options => {
    folder = options.dir
    return start({ ...options, moderation: true })
  })
  let room = ''
  let count = 0
  const place = (): Place => ({ network: 'xmpp', id: room })
  const ruled = (item: Record<string, string>) => at.anna.ask('set', room, xml('query', { xmlns: `${MUC}#admin` }, xml('item', item)))
  const removal = (said: string[]): Delivery => delivery({ kind: 'removal', said }, place())
  /** Sends as a lane does: what may work later is tried again. */
  const insist = async (one: Delivery): Promise<Sent> => {
    try { return await send(at, one) } catch (error) {
      if (error instanceof Unavailable && one.attempt < 20) return await insist({ ...one, attempt: one.attempt + 1 })
      throw error
    }
  }
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

  it('put ghosts out, take their voice and let them in again, which we hear', async () => {
    /** ejabberd lets a ghost in again without a voice, so we get it one. */
    const done = (): string[] => at.inbox.arrivals.flatMap(one => one.kind === 'expulsion' ? [one.how] : [])
      .filter((how, index, all) => how !== all[index - 1])
    const now = (...expected: string[]): Promise<void> => at.inbox.until(expected.join(), () => done().join() === expected.join())
    const says = () => send(at, delivery(say('hört ihr mich?'), place(), { as: bob }))
    const join = await at.anna.until('Bob', one => one.is('presence') && one.attrs.from === `${room}/${bob.name}`)
    const jid = String(join.getChild('x', `${MUC}#user`)?.getChild('item')?.attrs.jid).split('/')[0]!
    await ruled({ jid: `zentrale@${DOMAIN}`, affiliation: 'admin' }) // else we do not hear that a ban is lifted
    await ruled({ jid, affiliation: 'outcast' })
    await now('banned')
    await assert.rejects(says(), { name: 'Refused', because: 'expelled' })
    await ruled({ jid, affiliation: 'none' })
    await now('banned', 'let in')
    await says()
    await ruled({ nick: bob.name, role: 'visitor' })
    await now('banned', 'let in', 'muted')
    await ruled({ nick: bob.name, role: 'participant' })
    await now('banned', 'let in', 'muted', 'let in')
    await ruled({ nick: bob.name, role: 'none' })
    await now('banned', 'let in', 'muted', 'let in', 'kicked')
    await assert.rejects(says(), { name: 'Unavailable' }, 'not at once, whatever is known elsewhere')
    await at.anna.client.send(xml('message', { to: room }, xml('x', { xmlns: `${MUC}#user` }, xml('invite', { to: jid }))))
    await now('banned', 'let in', 'muted', 'let in', 'kicked', 'invited')
    await says()
    const [first] = at.inbox.arrivals
    assert.ok(first?.kind === 'expulsion')
    assert.deepEqual([first.person, first.name], [bob.person, bob.name])
  })

  it('lift a ban where only admins are told of it: a ghost that is invited asks the room, which says whether it is so', async () => {
    const done = (): string => at.inbox.arrivals.flatMap(one => one.kind === 'expulsion' ? [one.how] : []).join()
    const now = (expected: string): Promise<void> => at.inbox.until(expected, () => done() === expected)
    const join = await at.anna.until('Bob', one => one.is('presence') && one.attrs.from === `${room}/${bob.name}`)
    const jid = String(join.getChild('x', `${MUC}#user`)?.getChild('item')?.attrs.jid).split('/')[0]!
    const invites = () => at.anna.client.send(xml('message', { to: room }, xml('x', { xmlns: `${MUC}#user` }, xml('invite', { to: jid }))))
    await ruled({ jid, affiliation: 'outcast' })
    await now('banned')
    await invites()
    await now('banned,invited')
    await assert.rejects(send(at, delivery(say('noch nicht'), place(), { as: bob })), { name: 'Refused', because: 'expelled' })
    await ruled({ jid, affiliation: 'none' })
    await invites()
    await now('banned,invited,invited,let in')
    const isBack = (one: Element): boolean => one.is('presence') && one.attrs.from === `${room}/${bob.name}` && one.attrs.type === undefined
    await at.anna.until('Bob again', one => isBack(one) && one !== join)
    const role = at.anna.heard.findLast(isBack)?.getChild('x', `${MUC}#user`)?.getChild('item')?.attrs.role
    assert.equal(role, banTakesVoice ? 'visitor' : 'participant')
    if (banTakesVoice) {
      await assert.rejects(send(at, delivery(say('ohne Stimme'), place(), { as: bob })), { name: 'Refused', because: 'voiceless' })
      await at.anna.until('a request for a voice', one => one.attrs.from === room && one.toString().includes(`${MUC}#request`))
      await ruled({ nick: bob.name, role: 'participant' })
      await now('banned,invited,invited,let in,let in')
    }
    await send(at, delivery(say('wieder da'), place(), { as: bob }))
    await at.anna.until('it', one => one.getChildText('body') === 'wieder da')
  })

  it('take a membership, which we do not give back, before the room is asked to', async () => {
    await ruled({ jid: `zentrale@${DOMAIN}`, affiliation: 'admin' })
    await at.anna.ask('set', room, xml('query', { xmlns: `${MUC}#owner` }, xml('x', { xmlns: 'jabber:x:data', type: 'submit' },
      ...[['FORM_TYPE', `${MUC}#roomconfig`], ['muc#roomconfig_membersonly', '1']].map(([name, value]) =>
        xml('field', { var: name! }, xml('value', {}, value!))))))
    const says = (text: string) => insist(delivery(say(text), place(), { as: bob }))
    await says('als Mitglied')
    const seen = at.anna.heard.findLast(one => one.is('presence') && one.attrs.from === `${room}/${bob.name}` && one.attrs.type === undefined)
    const jid = String(seen?.getChild('x', `${MUC}#user`)?.getChild('item')?.attrs.jid).split('/')[0]!
    await ruled({ jid, affiliation: 'none' })
    await at.inbox.until('it is out', () => at.inbox.arrivals.some(one => one.kind === 'expulsion' && one.how === 'banned'))
    await assert.rejects(says('wieder da?'), { name: 'Refused', because: 'expelled' })
    await ruled({ jid, affiliation: 'member' })
    await at.inbox.until('it is let in', () => at.inbox.arrivals.findLast(({ kind }) => kind === 'expulsion')?.key.includes('/let in ') === true)
    await says('wieder Mitglied')
    await at.anna.until('it', one => one.getChildText('body') === 'wieder Mitglied')
    assert.deepEqual(at.anna.bodies(room, bob.name), ['da', 'als Mitglied', 'wieder Mitglied'])
  })

  it(knows ? 'are we where the room makes us one: what others said goes, with its corrections' : 'are we nowhere, and we know', async () => {
    await at.anna.say(room, 'unsäglich', 'm1')
    await at.anna.say(room, 'böse', 'm2', xml('replace', { xmlns: 'urn:xmpp:message-correct:0', id: 'm1' }))
    const keys = (await came(at, 2)).map(({ key }) => key)
    await assert.rejects(send(at, removal(keys)), Refused)
    await ruled({ jid: `zentrale@${DOMAIN}`, affiliation: 'admin' })
    await at.anna.until('that we are an admin', one => one.is('presence') && one.attrs.from === `${room}/Zentrale` &&
      one.getChild('x', `${MUC}#user`)?.getChild('item')?.attrs.affiliation === 'admin')
    await send(at, delivery(say('danach'), place(), { as: bob })) // the room tells us both in this order
    if (!knows) return assert.rejects(send(at, removal(keys)), Refused)
    await send(at, removal(keys))
    for (const key of keys) await takenAway(key.slice(room.length + 1))
    await assert.rejects(send(at, removal([`${room} unknown`])), Refused)
    await at.anna.say(room, 'weiter', 'm3')
    await at.inbox.until('the next', () => at.inbox.arrivals.some(one => one.kind === 'message' && one.key !== keys[0]))
  })

  const filesWith = (text: string): string[] => globSync(join(folder, '**')).filter(path => statSync(path).isFile() &&
    readFileSync(path, 'latin1').includes(text))

  it(knows ? 'let ours take back for good what they said: it is in no file of the server any more'
    : 'cannot let ours take back for good what they said: apps hide it, and we know that it stays', async () => {
    await ruled({ jid: `zentrale@${DOMAIN}`, affiliation: 'admin' })
    const said = await send(at, delivery(say('KANARIE-EINS'), place(), { as: bob }))
    const [of, correction] = [delivery(say('x'), place()).key, delivery(say('y'), place()).key]
    const edit = delivery({ kind: 'edit', of, content: { style: 'text', text: plain('KANARIE-ZWEI') } }, place(), { as: bob, target: said.ids })
    const edited = await send(at, edit)
    const gone = delivery({ kind: 'deletion', of, edits: [correction] }, place(), { as: bob, target: said.ids, edits: [edited.ids] })
    if (!knows) {
      await assert.rejects(insist(gone), { name: 'Refused', message: /^apps hide it, but it stays in the archive of the room: .*XEP-0425/ })
    } else {
      assert.ok(filesWith('KANARIE-EINS').length > 0 && filesWith('KANARIE-ZWEI').length > 0, 'there is an archive on disk')
      await insist(gone)
      assert.deepEqual([filesWith('KANARIE-EINS'), filesWith('KANARIE-ZWEI')], [[], []])
      for (const { ids: [, id = ''] } of [said, edited]) await takenAway(id)
    }
    await at.anna.until('the retraction', one => one.getChild('retract')?.attrs.id === said.ids[1] && one.attrs.from === `${room}/${bob.name}`)
  })

  it('let ours take back for good what they said also when they are put out, if they let us remove it', async () => {
    const { ids } = await send(at, delivery(say('KANARIE-DREI'), place(), { as: bob }))
    await ruled({ jid: `zentrale@${DOMAIN}`, affiliation: 'admin' })
    const join = await at.anna.until('Bob', one => one.is('presence') && one.attrs.from === `${room}/${bob.name}`)
    await ruled({ jid: String(join.getChild('x', `${MUC}#user`)?.getChild('item')?.attrs.jid).split('/')[0]!, affiliation: 'outcast' })
    await at.inbox.until('it is out', () => at.inbox.arrivals.some(one => one.kind === 'expulsion' && one.how === 'banned'))
    const gone = delivery({ kind: 'deletion', of: 'k1', edits: [] }, place(), { as: bob, target: ids, edits: [] })
    if (!knows) return assert.rejects(send(at, gone), { name: 'Refused', message: /XEP-0425/ })
    await insist(gone)
    assert.deepEqual(filesWith('KANARIE-DREI'), [])
  })
}
