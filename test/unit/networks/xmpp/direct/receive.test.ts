import assert from 'node:assert/strict'
import type { Clock } from '../../../../../src/lib/clock'
import type { Identity, MenuItem } from '../../../../../src/model/network'
import { toPlain } from '../../../../../src/model/text'
import { makeAddresses } from '../../../../../src/networks/xmpp/addresses'
import { makeCommands } from '../../../../../src/networks/xmpp/direct/commands'
import { type Fate, makeDirectReceiver } from '../../../../../src/networks/xmpp/direct/receive'
import { DIRECT_KEPT_MAX, makeIntake } from '../../../../../src/networks/xmpp/intake'
import { makeOriginals } from '../../../../../src/networks/xmpp/originals'
import { makeQuarantine } from '../../../../../src/networks/xmpp/quarantine'
import type { Stream } from '../../../../../src/networks/xmpp/wire/stream'
import type { Xml } from '../../../../../src/networks/xmpp/wire/xml'
import { makeInbox } from '../../../../support/inbox'
import { until } from '../../../../support/practice'
import { handClock, quickClock } from '../../../../support/quick'
import { makeWorld } from '../../../../support/world'
import { parse } from '../parse'

const DOMAIN = 'chat.example.org'
const OURS = `info@${DOMAIN}`
const ANNA = 'anna@example.org'
const TAKE: MenuItem = { node: 'take', name: 'Vorgang übernehmen', words: '!übernehmen', fields: [
  { name: 'case', label: 'Vorgang', kind: 'case', required: true }, { name: 'long', label: 'Text', kind: 'lines', required: false }
] }
const IDENTITY: Identity = {
  id: OURS, aliases: [], profile: { name: 'Info', about: '' }, team: [ANNA], menu: { missing: 'Bitte ausfüllen.', items: [TAKE] }
}
const turn = (): Promise<void> => new Promise(resolve => { setImmediate(resolve) })

/** One function address, and a door that can be shut. */
const stage = (ask: Stream['ask'] = () => new Promise(() => {}), clock: Clock = quickClock(1000)) => {
  const inbox = makeInbox()
  const sent: Xml[] = []
  let isUp = true
  const stream = {
    send (one: Xml) { return isUp && sent.push(one) > 0 }, ask, pause () {}, resume () {}
  } as Partial<Stream> as Stream
  const world = makeWorld({ clock })
  const { offer, stop } = makeIntake(arrival => inbox.accept(arrival), stream, world)
  const addresses = makeAddresses(DOMAIN)
  addresses.put([IDENTITY])
  const originals = makeOriginals(world)
  const quarantine = makeQuarantine('xmpp', inbox, world.log)
  const direct = makeDirectReceiver({ network: 'xmpp', domain: DOMAIN, language: 'de', quarantine, offer, originals, stream, world })
  const commands = makeCommands({ network: 'xmpp', language: 'de', addresses, inbox, world })
  return {
    inbox, sent, commands, stop,
    link (up: boolean) { isUp = up; if (up) direct.connected() },
    write (from: string, id: string, inside = `<body>${id}</body><request xmlns='urn:xmpp:receipts'/>`, fate?: Fate) {
      direct.message(parse(`<message type='chat' from='${from}/phone' to='${OURS}' id='${id}'>${inside}</message>`), IDENTITY, fate)
    },
    texts: (from: string): string[] => inbox.arrivals.filter(({ place }) => place.id === `${OURS} ${from}`)
      .map(one => 'content' in one ? toPlain(one.content.text) : one.kind)
  }
}

describe('xmpp direct chats', () => {
  it('say what brings a new message, which a correction is not; have none without words; and bear the sign as long as their chat does', async () => {
    const { inbox, write, texts } = stage()
    const news: boolean[] = []
    const done = (isNew: boolean): void => { news.push(isNew) }
    write(ANNA, 'one', undefined, { done })
    write(ANNA, 'one', undefined, { done })
    write(ANNA, 'two', "<body>one, corrected</body><replace xmlns='urn:xmpp:message-correct:0' id='one'/>", { done })
    write(ANNA, 'three', '<body> \n </body>', { done })
    write(ANNA, 'four', "<propose xmlns='urn:xmpp:jingle-message:0' id='c'/>", { done, stays: true })
    await until(() => news.length === 5, 'all are taken')
    assert.deepEqual(news.toSorted(), [false, false, false, true, true])
    assert.deepEqual(texts(ANNA), ['one', 'one, corrected', ''])
    assert.equal(inbox.arrivals.some(one => one.kind === 'message' && one.encrypted === true && one.content.unreadable === 'call'), true)
    write(ANNA, 'five', "<body>one, sealed</body><replace xmlns='urn:xmpp:message-correct:0' id='one'/>", { sealed: true })
    await until(() => texts(ANNA).includes('one, sealed'), 'the encrypted correction')
    assert.deepEqual(inbox.arrivals.flatMap(one => one.kind === 'edit' ? [one.encrypted] : []), [undefined, true])
  })

  it('have a correction of what stands in another chat, as before our address moved, with a star; what takes that back takes none', async () => {
    const { inbox, write, texts } = stage()
    const corrects = "<body>ten</body><replace xmlns='urn:xmpp:message-correct:0' id='m1'/>"
    const takesBack = "<retract xmlns='urn:xmpp:message-retract:1' id='m1'/>"
    write(ANNA, 'm1', '<body>nine</body>')
    write('carl@example.org', 'c1', corrects)
    write('carl@example.org', 'c2', takesBack)
    write(ANNA, 'm2', corrects)
    write(ANNA, 'm3', takesBack)
    await inbox.until('all', () => inbox.arrivals.length === 5)
    assert.deepEqual([texts(ANNA), texts('carl@example.org')], [['nine', 'ten', 'deletion'], ['* ten', 'deletion']])
    const [said] = inbox.arrivals
    const taken = inbox.arrivals.flatMap(one => one.kind === 'deletion' ? [[one.unknown, one.of === said?.key]] : [])
    assert.deepEqual(taken, [[true, false], [undefined, true]])
  })

  it('return what one person writes beyond what can wait as errors, and go on in order when there is space', async () => {
    const { inbox, sent, write, texts } = stage()
    inbox.crowded.add(`${OURS} ${ANNA}`)
    for (let n = 0; n < 100; n++) {
      write(ANNA, `m${n}`)
      if (n % 7 === 0) await turn()
    }
    write('carl@example.org', 'hello')
    await inbox.until('Carl', () => texts('carl@example.org').length === 1)
    const errors = sent.filter(({ xml }) => xml.includes('type=\'error\''))
    assert.deepEqual(errors.map(({ xml }) => / id='(m\d+)'/.exec(xml)?.[1]), Array.from({ length: 36 }, (_, n) => `m${64 + n}`))
    const [error] = errors.map(({ xml }) => parse(xml))
    assert.deepEqual({ ...error!.attrs }, { type: 'error', from: OURS, to: `${ANNA}/phone`, id: 'm64' })
    assert.match(errors[0]!.xml, /<error type='wait'><resource-constraint xmlns='urn:ietf:params:xml:ns:xmpp-stanzas'\/>/)
    const received = (): number => sent.filter(({ xml }) => xml.includes(`to='${ANNA}`) && xml.includes('<received')).length
    assert.equal(received(), 0)
    write(ANNA, 'c1', '<body>never mind</body><replace xmlns=\'urn:xmpp:message-correct:0\' id=\'m70\'/>')
    write(ANNA, 'c2', '<composing xmlns=\'http://jabber.org/protocol/chatstates\'/>')
    assert.equal(sent.filter(({ xml }) => / id='c[12]'/.test(xml)).length, 1, 'what says nothing is not answered')
    inbox.crowded.clear()
    await inbox.until('64', () => texts(ANNA).length === DIRECT_KEPT_MAX)
    write(ANNA, 'm64')
    write(ANNA, 'c3', '<body>seventy</body><replace xmlns=\'urn:xmpp:message-correct:0\' id=\'m70\'/>')
    await inbox.until('all', () => texts(ANNA).length === DIRECT_KEPT_MAX + 2)
    await turn()
    assert.deepEqual(texts(ANNA), [...Array.from({ length: 65 }, (_, n) => `m${n}`), '* seventy'])
    assert.equal(inbox.arrivals.filter(({ kind }) => kind === 'edit').length, 0, 'nobody has what was given back')
    assert.equal(received(), 65)
  })

  it('take reactions to what we said, and to what their writer said, as the whole set; two under one id are two', async () => {
    const { inbox, write } = stage()
    const reactions = (id: string, ...emojis: string[]) =>
      `<reactions xmlns='urn:xmpp:reactions:0' id='${id}'>${emojis.map(one => `<reaction>${one}</reaction>`).join('')}</reactions>`
    write(ANNA, 'm1')
    write(ANNA, 'r', reactions('delivery-1', '👍'))
    write(ANNA, 'r', reactions('delivery-1'))
    write(ANNA, 'r2', reactions('m1', '🎉'))
    await inbox.until('all', () => inbox.arrivals.length === 4)
    const [said, ...reacted] = inbox.arrivals
    assert.deepEqual(reacted.map(one => one.kind === 'reaction' && [one.of, one.emojis, one.whole, one.sender.id]), [
      [['delivery-1'], ['👍'], true, ANNA], [['delivery-1'], [], true, ANNA], [['m1', said?.key], ['🎉'], true, ANNA]
    ])
    assert.notEqual(reacted[0]?.key, reacted[1]?.key)
  })

  it('give back what waits when we are stopped', async () => {
    const { inbox, sent, write, stop } = stage()
    inbox.crowded.add(`${OURS} ${ANNA}`)
    for (const id of ['m0', 'm1']) write(ANNA, id)
    await turn()
    void stop()
    assert.deepEqual(sent.map(({ xml }) => / id='(m\d)'.*<resource-constraint/.exec(xml)?.[1]), ['m0', 'm1'])
  })

  it('give back what is read while we are being stopped', async () => {
    const { inbox, sent, write, stop } = stage()
    inbox.crowded.add(`${OURS} ${ANNA}`)
    void stop()
    for (const id of ['m0', 'm1']) write(ANNA, id)
    await turn()
    assert.deepEqual(sent.map(({ xml }) => / id='(m\d)'.*<resource-constraint/.exec(xml)?.[1]), ['m0', 'm1'])
  })

  it('do not give back what is being stored when we are stopped', async () => {
    const { inbox, sent, write, stop, texts } = stage()
    inbox.crowded.add(`${OURS} ${ANNA}`)
    for (const id of ['m0', 'm1']) write(ANNA, id)
    await turn()
    const { accept } = inbox
    const storing = new Promise<() => void>(begun => {
      inbox.accept = arrival => new Promise((resolve, reject) => begun(() => accept(arrival).then(resolve, reject)))
    })
    const finish = await storing
    const stopped = stop()
    inbox.crowded.clear()
    finish()
    await stopped
    assert.deepEqual(texts(ANNA), ['m0'])
    assert.deepEqual(sent.map(({ xml }) => `${/resource-constraint|received/.exec(xml)?.[0]} ${/id='(m\d)'/.exec(xml)?.[1]}`),
      ['resource-constraint m1', 'received m0'])
  })

  it('are said to be received once the link is up, if they were stored while it was not', async () => {
    const { inbox, sent, write, link } = stage()
    link(false)
    write(ANNA, 'm0')
    await inbox.until('it is stored', () => inbox.arrivals.length === 1)
    await turn()
    link(true)
    link(true)
    assert.deepEqual(sent.map(({ xml }) => /<received [^>]*id='(m\d)'/.exec(xml)?.[1]), ['m0'])
  })

  it('refuse a command that cannot wait, instead of leaving it unanswered', async () => {
    const { inbox, write, commands } = stage()
    inbox.crowded.add(`${OURS} ${ANNA}`)
    for (let n = 0; n < DIRECT_KEPT_MAX; n++) write(ANNA, `m${n}`)
    await turn()
    const answers: string[] = []
    assert.ok(commands.take(parse(`<iq type='set' from='${ANNA}/phone' to='${OURS}' id='q1'><command xmlns='http://jabber.org/protocol/commands' ` +
      'node=\'take\'><x xmlns=\'jabber:x:data\' type=\'submit\'><field var=\'case\'><value>17</value></field></x></command></iq>'),
    ({ xml }) => { answers.push(xml) }))
    await turn()
    assert.equal(answers.length, 1)
    assert.match(answers[0]!, /^<iq type='error' .*id='q1'.*<resource-constraint /)
  })

  it('say that somebody calls, or sends a file without a link', async () => {
    const { inbox, write } = stage()
    write(ANNA, 'c', "<propose xmlns='urn:xmpp:jingle-message:0' id='1'/><store xmlns='urn:xmpp:hints'/>")
    write(ANNA, 'f', "<file-sharing xmlns='urn:xmpp:sfs:0'/>")
    write(ANNA, 'n', "<composing xmlns='http://jabber.org/protocol/chatstates'/>")
    await turn()
    assert.deepEqual(inbox.arrivals.map(one => 'content' in one && one.content.unreadable), ['call', 'file'])
  })

  it('hand on a subject alone, and what is said in XHTML alone, as what they say', async () => {
    const { write, texts, inbox } = stage()
    const html = (inside: string): string =>
      `<html xmlns='http://jabber.org/protocol/xhtml-im'><body xmlns='http://www.w3.org/1999/xhtml'>${inside}</body></html>`
    const said: [inside: string, text: string][] = [
      ['<subject>Is my bike ready?</subject>', 'Is my bike ready?'],
      [html('<ol start="3"><li>Stock</li><li value="7">Dach</li><li>Hof</li></ol>'), '3. Stock\n7. Dach\n8. Hof'],
      [html('50<del>0</del> Euro, <span style="color: red; text-decoration: line-through">Montag</span> 10<sup>2</sup> m'),
        '50~0~ Euro, ~Montag~ 10^2 m'],
      ['<subject>My bike</subject><body>Is it ready?</body>', 'My bike\nIs it ready?'],
      [html('<p>Is my <strong>bike</strong>\n  ready?</p><p>Or<br/>not?</p>'), 'Is my bike ready?\nOr\nnot?'],
      [html('Mine:<ol><li>red</li><li>blue</li></ol><blockquote>Monday</blockquote>Yes'), 'Mine:\n1. red\n2. blue\n> Monday\nYes'],
      [html('<a href="https://example.org/">here</a>'), 'here (https://example.org/)'],
      [`<subject>My bike</subject>${html('Is it ready?')}`, 'My bike\nIs it ready?'],
      [`<body>plain</body>${html('rich')}`, 'plain']
    ]
    for (const [inside] of said) write(ANNA, 'same', inside)
    write(ANNA, 'same', said[3]![0])
    await turn()
    assert.deepEqual(texts(ANNA), said.map(([, text]) => text))
    write(ANNA, 'n', html(''))
    write(ANNA, 'p', html('<img src="cid:1"/>'))
    await turn()
    assert.deepEqual(inbox.arrivals.slice(said.length).map(one => 'content' in one && one.content.unreadable), ['kind'])
  })

  it('of strangers leave room for questions to others: few are open at one server, and not many in all', async () => {
    const asked: string[] = []
    const { write } = stage((_type, _from, to) => { asked.push(to); return new Promise(() => {}) })
    for (let n = 0; n < 100; n++) write(`p${n}@flood.example`, `m${n}`)
    write(ANNA, 'hello')
    await turn()
    assert.deepEqual([asked.length, asked.at(-1)], [9, `${ANNA}/phone`])
    for (let n = 0; n < 100; n++) write(`p@s.n${n}.example`, `m${n}`)
    await turn()
    assert.equal(asked.length, 64)
  })

  it('remember whom they told about encryption, even if a server makes up people by the thousand', async () => {
    const { sent, write } = stage(undefined, handClock())
    const secret = '<encrypted xmlns=\'eu.siacs.conversations.axolotl\'><payload/></encrypted>'
    const told = (): number => sent.filter(({ xml }) => xml.includes(`to='${ANNA}'`) && xml.includes('verschlüsselt')).length
    write(ANNA, 'one', secret)
    for (let n = 0; n < 2_100; n++) write(`p${n}@flood.example`, `m${n}`, secret)
    write(ANNA, 'two', secret)
    assert.equal(told(), 1)
  })

  it('run only so many commands of one person at a time', async () => {
    const { commands, inbox } = stage()
    const answers: string[] = []
    inbox.crowded.add(`${OURS} ${ANNA}`)
    const wait = inbox.ask
    inbox.ask = () => new Promise(() => {})
    for (let n = 0; n < 12; n++) {
      commands.take(parse(`<iq type='set' from='${ANNA}/desk' to='${OURS}' id='c${n}'><command xmlns='http://jabber.org/protocol/commands' ` +
        'node=\'take\' action=\'execute\'><x xmlns=\'jabber:x:data\' type=\'submit\'><field var=\'case\'><value>17</value></field></x>' +
        '</command></iq>'), ({ xml }) => { answers.push(xml) })
    }
    inbox.ask = wait
    await turn()
    assert.deepEqual([answers.length, answers.every(xml => xml.includes('resource-constraint'))], [4, true])
  })
})
