/** Function addresses: what must hold with every XMPP server; run with Prosody and with ejabberd. */
import assert from 'node:assert/strict'
import { xml, type Element } from '@xmpp/client'
import type { XmppServer, XmppServerOptions } from '../../sandbox/servers/prosody'
import { Refused, Unavailable } from '../../src/model/errors'
import { plain } from '../../src/model/text'
import { until } from '../support/practice'
import { startProxy } from '../support/proxy'
import {
  ALIAS, ANNA, came, CARL, delivery, DOMAIN, heardBody, IDENTITY, LOGO, OURS, PROFILE, say, send, textOf, xmppGround
} from '../support/xmpp-ground'
import type { XmppPerson } from '../support/xmpp-person'

const REQUEST = xml('request', { xmlns: 'urn:xmpp:receipts' })
const INFO = 'http://jabber.org/protocol/disco#info'
const VCARD4 = 'urn:ietf:params:xml:ns:vcard-4.0'

export const xmppAddressesSuite = (start: (options: XmppServerOptions) => Promise<XmppServer>): void => {
  const at = xmppGround(start)
  const direct = (theirs = ANNA) => ({ network: 'xmpp', id: at.network.naming.direct(OURS, theirs) })
  const write = (to: string, body: string, id: string | undefined, ...more: Element[]): Promise<void> =>
    at.anna.client.send(xml('message', { to, type: 'chat', ...id !== undefined && { id } }, xml('body', {}, body), ...more))

  it('takes what people write to an address, in whichever of its spellings, and says so once it is stored', async () => {
    at.inbox.refusing = new Unavailable('disk full')
    await write(OURS, 'Guten Tag', 'd1', REQUEST, xml('nick', { xmlns: 'http://jabber.org/protocol/nick' }, 'Anna A.'))
    await at.anna.ask('get', OURS, xml('query', { xmlns: INFO })) // follows it on the same way
    const isReceipt = (one: Element): boolean => one.getChild('received')?.attrs.id === 'd1'
    assert.equal(at.anna.heard.some(isReceipt), false, 'nothing is stored, so nothing was received')
    at.inbox.refusing = undefined
    const [first] = await came(at, 1)
    assert.ok(first?.kind === 'message' && first.direct === true && first.automatic === undefined)
    assert.deepEqual([first.to, first.place.id, first.sender], [OURS, `${OURS} ${ANNA}`, { id: ANNA, name: 'Anna A.' }])
    assert.equal((await at.anna.until('receipt', isReceipt)).attrs.from, OURS)
    await write(ALIAS, 'noch etwas', 'd2', xml('subject', {}, 'Frage'))
    const [, second] = await came(at, 2)
    assert.deepEqual([textOf(second), second?.place.id, second?.kind === 'message' && second.to], ['Frage\nnoch etwas', first.place.id, OURS])
  })

  it('translates an address of another network that somebody typed, and finds public addresses, for whoever asks the domain', async () => {
    const [GATEWAY, SEARCH, FORM] = ['jabber:iq:gateway', 'jabber:iq:search', 'jabber:x:data']
    const query = async (type: 'get' | 'set', xmlns: string, ...inside: Element[]): Promise<Element> => {
      const answer = (await at.anna.ask(type, DOMAIN, xml('query', { xmlns }, ...inside))).getChild('query', xmlns)
      assert.ok(answer)
      return answer
    }
    const features = (await query('get', INFO)).getChildren('feature').map(one => String(one.attrs.var))
    assert.ok([GATEWAY, SEARCH].every(one => features.includes(one)))
    assert.ok((await query('get', GATEWAY)).getChildText('prompt'))
    const typed = (text: string): Promise<Element> => query('set', GATEWAY, xml('prompt', {}, text))
    assert.equal((await typed('@eva:example.org')).getChildText('jid'), 'ghost of @eva:example.org on xmpp')
    await assert.rejects(typed('nobody'), { condition: 'item-not-found' })
    const found = (...wanted: Element[]): Promise<Element> => query('set', SEARCH, ...wanted)
    const nick = (text: string): Element => xml('nick', {}, text)
    const form = (text: string): Element => xml('x', { xmlns: FORM, type: 'submit' }, xml('field', { var: 'nick' }, xml('value', {}, text)))
    assert.ok((await query('get', SEARCH)).getChild('x', FORM))
    assert.deepEqual((await found(nick(PROFILE.name.toUpperCase()))).getChildren('item').map(({ attrs }) => attrs['jid']), [OURS])
    assert.deepEqual((await found(nick('nobody'))).getChildren('item'), [])
    const items = (await found(form(''))).getChild('x', FORM)?.getChildren('item') ?? []
    assert.deepEqual(items.map(item => item.getChildren('field').map(one => one.getChildText('value'))), [[OURS, PROFILE.name]])
    await assert.rejects(at.anna.ask('get', OURS, xml('query', { xmlns: SEARCH })), { condition: 'service-unavailable' })
  })

  it('takes the same stanza once, also over a restart, and different stanzas with one id as different', async () => {
    await write(OURS, 'eins', 'same')
    await write(OURS, 'eins', 'same')
    await write(OURS, 'zwei', 'same')
    await write(OURS, 'ok', undefined)
    await write(OURS, 'ok', undefined)
    const before = [...await came(at, 4)]
    assert.deepEqual(before.map(textOf), ['eins', 'zwei', 'ok', 'ok'])
    await at.network.stop()
    await at.startBridge()
    await write(OURS, 'eins', 'same')
    assert.equal((await came(at, 1))[0]?.key, before[0]?.key)
  })

  it('takes corrections and retractions of the same person only', async () => {
    await write(OURS, 'helo', 'e1')
    await write(OURS, 'hello', 'e2', xml('replace', { xmlns: 'urn:xmpp:message-correct:0', id: 'e1' }))
    await came(at, 2)
    await at.carl.client.send(xml('message', { to: OURS, type: 'chat', id: 'e3' }, xml('body', {}, 'evil'),
      xml('replace', { xmlns: 'urn:xmpp:message-correct:0', id: 'e1' })))
    await came(at, 3)
    await at.anna.client.send(xml('message', { to: OURS, type: 'chat', id: 'e4' }, xml('retract', { xmlns: 'urn:xmpp:message-retract:1', id: 'e2' })))
    const [original, edit, forged, deletion] = await came(at, 4)
    assert.ok(edit?.kind === 'edit' && edit.of === original?.key && textOf(edit) === 'hello')
    assert.ok(forged?.kind === 'message' && forged.sender.id === CARL && textOf(forged) === '* evil')
    assert.ok(deletion?.kind === 'deletion' && deletion.of === original?.key)
  })

  it('tells which of our messages somebody answers', async () => {
    const { ids: [id] } = await send(at, delivery(say('#17 neu: Müller'), direct()))
    await write(OURS, 'Guten Tag', 'r1', xml('reply', { xmlns: 'urn:xmpp:reply:0', id: id!, to: OURS }))
    const [answer] = await came(at, 1)
    assert.deepEqual(answer?.kind === 'message' && answer.replyTo, [id])
  })

  it('tells what machines send, and ignores what says nothing', async () => {
    const hour = new Date(Date.now() - 3_600_000).toISOString()
    await at.anna.client.send(xml('message', { to: OURS, type: 'chat' }, xml('composing', { xmlns: 'http://jabber.org/protocol/chatstates' })))
    await at.anna.client.send(xml('message', { to: OURS, type: 'chat', id: 'x' }, xml('displayed', { xmlns: 'urn:xmpp:chat-markers:0', id: 'y' })))
    await at.anna.client.send(xml('message', { to: OURS, type: 'headline', id: 'a1' }, xml('body', {}, 'headline')))
    await write(OURS, 'late', 'a2', xml('delay', { xmlns: 'urn:xmpp:delay', stamp: hour }))
    await write(OURS, 'marked', 'a3', xml('automatic', { xmlns: 'urn:zentrale:automatic:1' }))
    await write(OURS, 'by hand', 'a4')
    const arrivals = await came(at, 4)
    assert.deepEqual(arrivals.map(one => [textOf(one), one.kind === 'message' && one.automatic]),
      [['headline', true], ['late', true], ['marked', true], ['by hand', undefined]])
  })

  it('recognises senders who say that they take no answers', async () => {
    at.anna.client.iqCallee.get(INFO, 'query', () =>
      xml('query', { xmlns: INFO }, xml('feature', { var: 'urn:xmpp:noreply:0' })))
    await write(OURS, 'first', 'n0')
    await came(at, 1)
    await at.anna.until('question', one => one.is('iq') && one.attrs.from === OURS)
    for (let i = 1; at.inbox.arrivals.every(one => one.kind !== 'message' || one.automatic !== true); i++) {
      assert.ok(i < 50, 'never noticed')
      await write(OURS, `again ${i}`, `n${i}`)
      await came(at, i + 1)
    }
  })

  it('answers encrypted messages once, and records that they came', async () => {
    const encrypted = (id: string): Promise<void> => write(ALIAS, 'I sent you an OMEMO encrypted message', id,
      xml('encrypted', { xmlns: 'eu.siacs.conversations.axolotl' }, xml('header', { sid: '1' }), xml('payload', {}, 'AAAA')),
      xml('encryption', { xmlns: 'urn:xmpp:eme:0', namespace: 'eu.siacs.conversations.axolotl' }))
    await encrypted('o1')
    await encrypted('o2')
    const isAnswer = (one: Element): boolean => one.getChildText('body')?.includes('encrypted messages') === true
    const answer = await at.anna.until('answer', isAnswer)
    assert.ok(answer.getChildText('body')?.includes('verschlüsselt'))
    assert.ok(answer.getChild('automatic', 'urn:zentrale:automatic:1'))
    await at.inbox.until('quarantine', () => at.inbox.quarantined.length === 2)
    await write(OURS, 'readable', 'o3')
    const arrivals = await came(at, 3)
    await at.anna.ask('get', OURS, xml('ping', { xmlns: 'urn:xmpp:ping' }))
    assert.equal(at.anna.heard.filter(isAnswer).length, 1)
    assert.deepEqual(arrivals.map(one => 'content' in one && one.content.unreadable), ['encrypted', 'encrypted', undefined])
  })

  it('speaks as the address, confirmed by a ping, and tells when it was delivered', async () => {
    const first = delivery(say('Guten Tag!'), direct())
    assert.deepEqual(await send(at, first), { ids: [first.key] })
    await send(at, delivery(say('Automatisch', 'quiet'), direct()))
    const heard = await heardBody(at.anna, 'Guten Tag!')
    assert.deepEqual([heard.attrs.from, heard.attrs.type, heard.attrs.id], [`${OURS}/zentrale`, 'chat', first.key])
    assert.ok(heard.getChild('request', 'urn:xmpp:receipts') && !heard.getChild('automatic'))
    assert.ok((await heardBody(at.anna, 'Automatisch')).getChild('automatic', 'urn:zentrale:automatic:1'))
    await at.anna.client.send(xml('message', { to: `${OURS}/zentrale`, id: 'r1' }, xml('received', { xmlns: 'urn:xmpp:receipts', id: first.key })))
    const [receipt] = await came(at, 1)
    assert.ok(receipt?.kind === 'receipt' && receipt.outcome === 'delivered')
    assert.deepEqual([receipt.of, receipt.place], [[first.key], direct()])
  })

  it('corrects and retracts what it said', async () => {
    const first = delivery(say('frist'), direct())
    const { ids } = await send(at, first)
    await send(at, delivery({ kind: 'edit', of: first.key, content: { style: 'text', text: plain('first') } }, direct(), { target: ids }))
    await send(at, delivery({ kind: 'deletion', of: first.key }, direct(), { target: ids }))
    assert.equal((await heardBody(at.anna, 'first')).getChild('replace')?.attrs.id, first.key)
    await at.anna.until('retraction', one => one.getChild('retract')?.attrs.id === first.key)
  })

  it('keeps the order of 300 messages under an open window', async () => {
    const all = Array.from({ length: 300 }, (_, i) => delivery(say(`w${i}`), direct()))
    for (const batch of [all.slice(0, 150), all.slice(150)]) await Promise.all(batch.map(one => send(at, one)))
    await heardBody(at.anna, 'w299')
    const bodies = at.anna.heard.map(one => one.is('message') ? one.getChildText('body') ?? '' : '').filter(body => /^w\d+$/.test(body))
    assert.deepEqual(bodies, all.map((_, i) => `w${i}`))
  })

  it('fails a message that bounces, at once or after some tries', async () => {
    const nobody = direct('nobody@localhost')
    await assert.rejects(send(at, delivery(say('?'), nobody)), Unavailable)
    await assert.rejects(send(at, delivery(say('?'), nobody, { attempt: 5 })), Refused)
    await assert.rejects(send(at, delivery(say('?'), { network: 'xmpp', id: `other@${DOMAIN} ${ANNA}` })), Refused)
  })

  it('reports a late bounce later', async () => {
    const sent = delivery(say('to bounce'), direct())
    await send(at, sent)
    await heardBody(at.anna, 'to bounce')
    await at.anna.client.send(xml('message', { to: `${OURS}/zentrale`, type: 'error', id: sent.key },
      xml('error', { type: 'cancel' }, xml('service-unavailable', { xmlns: 'urn:ietf:params:xml:ns:xmpp-stanzas' }))))
    const [receipt] = await came(at, 1)
    assert.ok(receipt?.kind === 'receipt' && receipt.outcome === 'failed' && receipt.detail?.includes('service-unavailable'))
    assert.deepEqual([receipt.of, receipt.place], [[sent.key], direct()])
  })

  it('fails what was unanswered when the link broke, and sends it again under its id', async () => {
    await at.network.stop()
    const proxy = await startProxy(at.server.componentPort)
    await at.startBridge(proxy.port)
    proxy.fromServer.hold = true
    const one = delivery(say('over the break'), direct())
    const lost = assert.rejects(send(at, one), (error: unknown) => error instanceof Unavailable && error.disconnected)
    await heardBody(at.anna, 'over the break')
    proxy.reset()
    proxy.fromServer.hold = false
    await lost
    await at.inbox.until('up again', () => at.inbox.connections.get('component') === true)
    await send(at, { ...one, attempt: 2 })
    await send(at, delivery(say('behind'), direct()))
    await heardBody(at.anna, 'behind')
    const copies = at.anna.heard.filter(stanza => stanza.getChildText('body') === 'over the break')
    assert.deepEqual(copies.map(({ attrs }) => attrs.id), [one.key, one.key])
    await proxy.stop()
  })

  it('shows its profile in all the ways that apps ask', async () => {
    const info = await at.anna.ask('get', ALIAS, xml('query', { xmlns: INFO }))
    const identity = info.getChild('query')?.getChild('identity')
    assert.deepEqual([identity?.attrs.category, identity?.attrs.type, identity?.attrs.name], ['account', 'registered', 'Bürgerbüro'])
    const card = (await at.anna.ask('get', OURS, xml('vCard', { xmlns: 'vcard-temp' }))).getChild('vCard')
    assert.deepEqual([card?.getChildText('FN'), card?.getChildText('URL'), card?.getChild('TEL')?.getChildText('NUMBER'), card?.getChildText('NOTE')],
      [PROFILE.name, PROFILE.website, PROFILE.phone, PROFILE.about])
    assert.equal(card?.getChild('PHOTO')?.getChildText('BINVAL'), LOGO.bytes.toString('base64'))
    const items = async (node: string): Promise<Element | undefined> => {
      const answer = await at.anna.ask('get', OURS, xml('pubsub', { xmlns: 'http://jabber.org/protocol/pubsub' }, xml('items', { node })))
      return answer.getChild('pubsub')?.getChild('items')?.getChild('item')
    }
    const four = (await items('urn:xmpp:vcard4'))?.getChild('vcard', VCARD4)
    assert.equal(four?.getChild('fn')?.getChildText('text'), PROFILE.name)
    const asked = (await at.anna.ask('get', OURS, xml('vcard', { xmlns: VCARD4 }))).getChild('vcard')
    assert.equal(asked?.getChild('note')?.getChildText('text'), PROFILE.about)
    const picture = await items('urn:xmpp:avatar:data')
    assert.equal(picture?.getChildText('data'), LOGO.bytes.toString('base64'))
    assert.equal((await items('urn:xmpp:avatar:metadata'))?.getChild('metadata')?.getChild('info')?.attrs.id, picture?.attrs.id)
    const NICK = 'http://jabber.org/protocol/nick'
    assert.equal((await items(NICK))?.getChildText('nick'), PROFILE.name)
    await assert.rejects(items('urn:unknown'), { condition: 'item-not-found' })
    await assert.rejects(at.anna.ask('get', `nobody@${DOMAIN}`, xml('vCard', { xmlns: 'vcard-temp' })), { condition: 'service-unavailable' })
  })

  it('says with its first words to somebody how it is called and what picture it has, and again when that changes', async () => {
    const says = async (text: string): Promise<Element> => {
      await send(at, delivery(say(text), direct()))
      return await heardBody(at.anna, text)
    }
    const events = (node: string): Element[] => at.anna.heard.flatMap(one =>
      one.attrs.from === OURS ? one.getChild('event', 'http://jabber.org/protocol/pubsub#event')?.getChildren('items') ?? [] : [])
      .filter(({ attrs }) => attrs.node === node)
    const nickIn = (one: Element): string | null => one.getChildText('nick', 'http://jabber.org/protocol/nick')
    assert.equal(nickIn(await says('Guten Tag')), PROFILE.name)
    assert.equal(nickIn(await says('Noch etwas')), null)
    const [picture, ...more] = events('urn:xmpp:avatar:metadata')
    assert.deepEqual(more, [])
    assert.match(picture?.getChild('item')?.getChild('metadata')?.getChild('info')?.attrs.id ?? '', /^[0-9a-f]{40}$/)
    const [name] = events('http://jabber.org/protocol/nick')
    assert.equal(name?.getChild('item')?.getChildText('nick'), PROFILE.name)
    at.network.serve([{ ...IDENTITY, profile: { ...PROFILE, name: 'Rathaus' } }])
    assert.equal(nickIn(await says('Wir heißen anders')), 'Rathaus')
    assert.equal(events('urn:xmpp:avatar:metadata').length, 2)
  })

  it('lets everybody subscribe and shows whether somebody answers, also after a restart', async () => {
    const presence = (from: string, fits: (one: Element) => boolean): Promise<Element> =>
      at.anna.until(`presence of ${from}`, one => one.is('presence') && one.attrs.from === from && fits(one))
    await at.anna.ask('get', ANNA, xml('query', { xmlns: 'jabber:iq:roster' })) // without, servers keep requests to themselves
    await at.anna.client.send(xml('presence', { to: OURS, type: 'subscribe' }))
    await presence(OURS, one => one.attrs.type === 'subscribed')
    await presence(OURS, one => one.attrs.type === 'subscribe')
    const there = await presence(`${OURS}/zentrale`, one => one.attrs.type === undefined)
    assert.equal(there.getChildText('status'), 'offen bis 17 Uhr')
    assert.match(there.getChild('x', 'vcard-temp:x:update')?.getChildText('photo') ?? '', /^[0-9a-f]{40}$/)
    at.network.serve([{ ...IDENTITY, profile: { ...PROFILE, present: { available: false, text: 'ab 9 Uhr' } } }])
    const away = await presence(`${OURS}/zentrale`, one => one.getChildText('show') === 'away')
    assert.equal(away.getChildText('status'), 'ab 9 Uhr')
    await at.network.stop()
    await presence(`${OURS}/zentrale`, one => one.attrs.type === 'unavailable')
    const before = at.anna.heard.length
    await at.startBridge()
    await presence(`${OURS}/zentrale`, one => at.anna.heard.indexOf(one) >= before && one.getChildText('status') === 'offen bis 17 Uhr')
    await at.anna.client.send(xml('presence', { to: OURS, type: 'unsubscribe' }))
    await until(() => at.memory.get(`watchers ${OURS}`) === '[]', 'forgetting', 60_000)
  })

  it('answers whoever asks for the presence of somebody who is not there, and of rooms', async () => {
    await at.anna.ask('get', ANNA, xml('query', { xmlns: 'jabber:iq:roster' }))
    for (const to of [`nobody@${DOMAIN}`, `#square%example.org@${DOMAIN}`, `_other_max@${DOMAIN}`, DOMAIN]) {
      await at.anna.client.send(xml('presence', { to, type: 'subscribe' }))
      await at.anna.until(`an answer from ${to}`, one => one.is('presence') && one.attrs.from === to && one.attrs.type === 'unsubscribed')
    }
  })

  it('has the commands of the team in a menu, for the team alone', async () => {
    const COMMANDS = 'http://jabber.org/protocol/commands'
    const list = async (who: XmppPerson, to: string): Promise<Element[]> => {
      const answer = await who.ask('get', to, xml('query', { xmlns: 'http://jabber.org/protocol/disco#items', node: COMMANDS }))
      return answer.getChild('query')?.getChildren('item') ?? []
    }
    const items = (await list(at.anna, OURS)).map(({ attrs }) => [attrs['jid'], attrs['node'], attrs['name']])
    assert.deepEqual(items, [[OURS, 'take', 'Vorgang übernehmen']])
    assert.deepEqual((await list(at.anna, DOMAIN)).map(({ attrs }) => attrs['name']), ['Bürgerbüro: Vorgang übernehmen'])
    assert.deepEqual(await list(at.carl, OURS), [])
    const run = async (who: XmppPerson, attrs: Record<string, string>, fields?: Record<string, string>): Promise<Element> => {
      const form = fields === undefined ? [] : [xml('x', { xmlns: 'jabber:x:data', type: 'submit' },
        ...Object.entries(fields).map(([name, value]) => xml('field', { var: name }, ...value.split('\n').map(line => xml('value', {}, line)))))]
      return (await who.ask('set', OURS, xml('command', { xmlns: COMMANDS, node: 'take', ...attrs }, ...form))).getChild('command')!
    }
    const noteOf = (command: Element): string => `${command.getChild('note')?.attrs['type']}: ${command.getChildText('note')}`
    await assert.rejects(run(at.carl, { action: 'execute' }), { condition: 'forbidden' })
    const first = await run(at.anna, { action: 'execute' })
    assert.equal(first.attrs['status'], 'executing')
    const fields = first.getChild('x', 'jabber:x:data')!.getChildren('field')
    assert.deepEqual(fields.map(one => [one.attrs['var'], one.attrs['type'], one.getChild('required') !== undefined]),
      [['case', 'list-single', true], ['long', 'text-multi', false]])
    assert.deepEqual(fields[0]!.getChildren('option').map(one => [one.attrs['label'], one.getChildText('value')]), [['#17 Eva', '17']])
    const { sessionid = '' } = first.attrs
    const missing = await run(at.anna, { action: 'complete', sessionid }, { long: 'nichts' })
    assert.deepEqual([missing.attrs['status'], noteOf(missing)], ['executing', 'error: Bitte ausfüllen.'])
    assert.equal(at.inbox.arrivals.length, 0)
    at.inbox.answered = { text: 'Nichts getan: Bernd hat den Vorgang.', done: false }
    const refused = await run(at.anna, { action: 'complete', sessionid }, { case: '17', long: 'eins\nzwei' })
    assert.deepEqual([refused.attrs['status'], noteOf(refused)], ['executing', 'error: Nichts getan: Bernd hat den Vorgang.'])
    assert.equal(refused.getChild('x', 'jabber:x:data')!.getChildren('field')[0]!.getChildText('value'), '17', 'what was filled in is there again')
    at.inbox.answered = { text: 'Anna hat #17 übernommen.', done: true }
    const done = await run(at.anna, { action: 'complete', sessionid }, { case: '17' })
    assert.deepEqual([done.attrs['status'], noteOf(done)], ['completed', 'info: Anna hat #17 übernommen.'])
    const [arrival, next] = at.inbox.arrivals
    assert.ok(arrival?.kind === 'message' && arrival.direct === true)
    assert.deepEqual([textOf(arrival), textOf(next), arrival.place, arrival.sender.id],
      ['#17 !übernehmen eins\nzwei', '#17 !übernehmen', direct(), ANNA])
  })
}
