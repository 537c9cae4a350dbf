import assert from 'node:assert/strict'
import { toPlain } from '../../../../../src/model/text'
import { ACCEPTS_OPEN_MAX, ROOM_KEPT_MAX } from '../../../../../src/networks/xmpp/intake'
import type { Arrival } from '../../../../../src/model/message'
import type { Archive } from '../../../../../src/networks/xmpp/muc/archive'
import type { OwnMessages } from '../../../../../src/networks/xmpp/muc/own-messages'
import type { Occupant } from '../../../../../src/networks/xmpp/muc/occupant'
import { makeReceiver } from '../../../../../src/networks/xmpp/muc/receive'
import { NON_ANONYMOUS, OCCUPANT_IDS } from '../../../../../src/networks/xmpp/muc/people'
import { ARCHIVE, type Room, STANZA_IDS } from '../../../../../src/networks/xmpp/muc/room'
import { makeOriginals } from '../../../../../src/networks/xmpp/originals'
import type { Stream } from '../../../../../src/networks/xmpp/wire/stream'
import { el } from '../../../../../src/networks/xmpp/wire/xml'
import { makeWriteBehind } from '../../../../../src/networks/xmpp/write-behind'
import { makeInbox } from '../../../../support/inbox'
import { makeWorld } from '../../../../support/world'
import { parse } from '../parse'

const ROOM = 'raum@rooms.example.org'
const OF_OLD = `<delay xmlns='urn:xmpp:delay' from='${ROOM}' stamp='2020-01-01T00:00:00Z'/>`
const FEATURES = [STANZA_IDS, OCCUPANT_IDS, ARCHIVE]

/** A receiver for one room that we are in. */
const stage = (features = FEATURES) => {
  const inbox = makeInbox()
  const steps: string[] = []
  const told: string[] = []
  const stream = { pause: () => { steps.push('pause') }, resume: () => { steps.push('resume') } } as unknown as Stream
  const ownMessages: OwnMessages = { mark: () => el('mark'), isOurs: () => false }
  const world = makeWorld()
  const notes = makeWriteBehind(world)
  const avatarOf = (_room: string, nick: string) => nick === 'Anna' ? { network: 'xmpp', ref: 'picture of Anna' } : undefined
  const tooMuch = ({ id }: Room): void => { told.push(id) }
  const receiver = makeReceiver({
    network: 'xmpp', inbox, stream, archive: {} as Archive, ownMessages, notes, originals: makeOriginals(world), world,
    echo: () => {}, avatarOf, tooMuch
  })
  const room = {
    id: ROOM, place: ROOM, ready: true, listener: { nick: 'Zentrale' }, nicks: new Map(), people: new Map(), features: new Set(features)
  } as unknown as Room
  const enters = (nick: string, address: string): void => { room.people.set(nick, { address, role: 'participant', rules: false }) }
  /** Comes with this nick, goes, or takes another one, in a room that shows nicks alone. */
  const comes = (nick: string): void => { receiver.presence(room, parse(`<presence from='${ROOM}/${nick}'/>`)) }
  const goes = (nick: string, next?: string): void => {
    const user = next === undefined ? '' : `<x xmlns='http://jabber.org/protocol/muc#user'><item nick='${next}'/><status code='303'/></x>`
    receiver.presence(room, parse(`<presence from='${ROOM}/${nick}' type='unavailable'>${user}</presence>`))
  }
  const isCalled = (nick: string, occupant: string): void => { room.people.set(nick, { occupant, role: 'participant', rules: false }) }
  const ghost = (nick: string, id: string): void => { room.nicks.set(nick, { person: { network: 'matrix', id } } as Occupant) }
  /** A switchboard's, or not. */
  const stands = (nick: string, marked: boolean): void => { room.people.set(nick, { role: 'participant', rules: false, ...marked && { marked } }) }
  const rules = (nick: string): void => { room.people.set(nick, { role: 'moderator', rules: true }) }
  const hear = async (from: string, inside: string, id: string | null = 'm1'): Promise<typeof inbox.arrivals> => {
    const named = id === null ? '' : `id='${id}'`
    receiver.groupchat(room, parse(`<message type='groupchat' ${named} from='${from}' to='zentrale@chat.example.org/zentrale'>${inside}</message>`))
    await new Promise(resolve => setImmediate(resolve))
    return inbox.arrivals
  }
  /** The room is entered, and its archive is read until the function is called. */
  const hold = () => {
    receiver.hold(room)
    return async (): Promise<void> => {
      room.features = new Set(features.filter(one => one !== ARCHIVE))
      await receiver.catchUp(room)
    }
  }
  return { hear, hold, inbox, enters, comes, goes, isCalled, ghost, stands, rules, steps, told }
}

const stanzaId = (id: string, by = ROOM): string => `<stanza-id xmlns='urn:xmpp:sid:0' by='${by}' id='${id}'/>`
const occupantId = (id: string): string => `<occupant-id xmlns='urn:xmpp:occupant-id:0' id='${id}'/>`

describe('xmpp/receive', () => {
  it('believes ids only of the room itself, and only if it announces them', async () => {
    const forged = `<body>x</body>${stanzaId('forged', 'evil@example.org')}<origin-id xmlns='urn:xmpp:sid:0' id='s1'/>`
    const { hear } = stage()
    await hear(`${ROOM}/Anna`, `${forged}${stanzaId('s1')}${occupantId('o1')}`)
    await hear(`${ROOM}/Eva`, `${forged}${stanzaId('s2')}`)
    const silent = stage([])
    await silent.hear(`${ROOM}/Anna`, `<body>x</body>${stanzaId('s1')}${occupantId('o1')}`)
    const [known, other] = await hear(`${ROOM}/Anna`, '')
    const [unknown] = silent.inbox.arrivals
    assert.ok(known?.kind === 'message' && other?.kind === 'message' && unknown?.kind === 'message')
    assert.deepEqual([known.key, known.sender.id, other.key], [`${ROOM} s1`, `${ROOM} o1`, `${ROOM} s2`])
    assert.match(unknown.key, new RegExp(`^${ROOM}/`))
    assert.equal(unknown.sender.id, `${ROOM}/Anna`)
  })

  it('hears nothing of the past behind the subject that ends it, however somebody marks their words, and everything before', async () => {
    const delayed = (text: string): string => `<body>${text}</body>${OF_OLD}`
    for (const subject of ['<subject/>', `<subject>s</subject>${OF_OLD}`]) {
      const { hear, hold } = stage()
      const live = hold()
      await hear(`${ROOM}/Anna`, `<subject>once</subject>${OF_OLD}`, 's0')
      await hear(`${ROOM}/Anna`, delayed('before'), 'm0')
      await hear(ROOM, subject, null)
      await hear(`${ROOM}/Anna`, delayed('now'), 'm1')
      await live()
      const said = (await hear(`${ROOM}/Anna`, '')).flatMap(one => one.kind === 'message' ? [toPlain(one.content.text)] : [])
      assert.deepEqual(said, ['now'])
    }
  })

  it('goes on reading while one room without an archive is crowded: of it so many messages wait, and the room is told of the rest', async () => {
    const { hear, inbox, steps, told } = stage([OCCUPANT_IDS])
    inbox.crowded.add(ROOM)
    for (let n = 0; n < ACCEPTS_OPEN_MAX + ROOM_KEPT_MAX; n++) await hear(`${ROOM}/Eva`, `<body>${n}</body>`, `m${n}`)
    assert.deepEqual(steps, [])
    assert.ok(told.length === ACCEPTS_OPEN_MAX && told.every(room => room === ROOM), `${told.length} times`)
  })

  it('shows the address of a speaker to everybody only if the room does, and otherwise keeps it to us', async () => {
    for (const [toAll, shown] of [[true, { address: 'bernd@example.org', vouched: true }], [false, { account: 'bernd@example.org' }]] as const) {
      const { hear, enters } = stage(toAll ? [...FEATURES, 'muc_nonanonymous'] : FEATURES)
      enters('Bernd', 'bernd@example.org')
      await hear(`${ROOM}/Bernd`, '<body>x</body>')
      const said = await hear(`${ROOM}/Eva`, "<body>x</body><x xmlns='http://jabber.org/protocol/muc#user'><item jid='bernd@example.org'/></x>")
      assert.deepEqual(said.map(one => one.kind === 'message' && { ...one.sender }),
        [{ id: `${ROOM}/Bernd`, name: 'Bernd', ...shown }, { id: `${ROOM}/Eva`, name: 'Eva' }])
    }
  })

  it('believes a switchboard\'s mark only from those whose presence has one too, unless the room takes marks out of presences', async () => {
    const hopsIn = async (passesMarks: boolean): Promise<unknown[]> => {
      const { hear, stands } = stage()
      stands('Zentrale', passesMarks)
      stands('Eva', false)
      stands('Bot', true)
      for (const nick of ['Eva', 'Bot', 'Gone']) await hear(`${ROOM}/${nick}`, '<body>x</body><mark xmlns=\'urn:zentrale:mark:1\' hops=\'3\'/>', nick)
      return (await hear(`${ROOM}/Eva`, '')).map(one => one.kind === 'message' && one.sender.hops)
    }
    assert.deepEqual([await hopsIn(true), await hopsIn(false)], [[undefined, 3, 3], [3, 3, 3]])
  })

  it('knows whoever takes another nick by the address that the room shows to us, and vouches for what they change then', async () => {
    const { hear, enters } = stage([])
    enters('Hanna', 'hanna@example.org')
    await hear(`${ROOM}/Hanna`, '<body>um neun</body>', 'h1')
    enters('Hanna B', 'hanna@example.org')
    enters('Hanna', 'mallory@example.org')
    await hear(`${ROOM}/Hanna`, '<body>nie</body><replace xmlns="urn:xmpp:message-correct:0" id="h1"/>', 'm1')
    await hear(`${ROOM}/Hanna B`, '<body>um zehn</body><replace xmlns="urn:xmpp:message-correct:0" id="h1"/>', 'h2')
    const [said, others, corrected, taken] = await hear(`${ROOM}/Hanna B`, '<retract xmlns="urn:xmpp:message-retract:1" id="h1"/>', 'h3')
    assert.equal(others?.kind, 'message', 'somebody else under that nick')
    for (const [one, kind] of [[corrected, 'edit'], [taken, 'deletion']] as const) {
      assert.ok(one?.kind === kind && one.theirs === true && one.of === said?.key, JSON.stringify(one))
    }
  })

  it('tells by the stay whose words and reactions those of a nick are, over changes of nick, and leaves none to who has it next', async () => {
    const { hear, hold, comes, goes } = stage([])
    const live = hold()
    comes('Ruth')
    await live()
    const reacts = '<reactions xmlns="urn:xmpp:reactions:0" id="s1"><reaction>👍</reaction></reactions>'
    const corrects = '<body>um zehn</body><replace xmlns="urn:xmpp:message-correct:0" id="h1"/>'
    await hear(`${ROOM}/Ruth`, '<body>um neun</body>', 'h1')
    await hear(`${ROOM}/Ruth`, reacts)
    goes('Ruth', 'Ruth B')
    comes('Ruth B')
    comes('Ruth')
    await hear(`${ROOM}/Ruth B`, reacts)
    await hear(`${ROOM}/Ruth`, reacts)
    await hear(`${ROOM}/Ruth`, corrects, 'm1')
    await hear(`${ROOM}/Ruth B`, corrects, 'h2')
    goes('Ruth B')
    comes('Ruth B')
    await hear(`${ROOM}/Ruth B`, corrects, 'm2')
    const heard = await hear(`${ROOM}/Ruth B`, '<retract xmlns="urn:xmpp:message-retract:1" id="h1"/>')
    const [said, first, second, other, others, theirs, later, more] = heard.filter(({ kind }) => kind !== 'renamed' && kind !== 'standing')
    assert.ok(first?.kind === 'reaction' && second?.kind === 'reaction' && other?.kind === 'reaction')
    assert.ok(first.by !== undefined && second.by === first.by && second.theirs === true)
    assert.ok(other.by !== undefined && other.by !== first.by)
    assert.deepEqual([others, theirs, later, more].map(one => one?.kind), ['message', 'edit', 'message', 'deletion'])
    assert.ok(more?.kind === 'deletion' && more.unknown === true && heard.every(({ key }) => key !== more.of), 'it takes back nothing')
    assert.ok(theirs?.kind === 'edit' && theirs.theirs === true && theirs.of === said?.key)
  })

  it('hands on what takes back a message from before our entry, where nothing tells whose it was, as of a message that is not known', async () => {
    const { hear, hold, comes } = stage([])
    const before = hold()
    comes('Ruth')
    await before()
    await hear(`${ROOM}/Ruth`, '<body>um neun</body>', 'h1')
    const live = hold()
    comes('Ruth')
    await live()
    const heard = await hear(`${ROOM}/Ruth`, '<body>unsupported</body><retract xmlns="urn:xmpp:message-retract:1" id="h1"/>', 'h2')
    const last = heard.at(-1)
    assert.ok(last?.kind === 'deletion' && last.unknown === true && last.of !== heard[0]?.key, JSON.stringify(heard))
  })

  it('leaves reactions of whoever it has not seen come to nobody else, and tells no address that the room shows to us alone', async () => {
    const { hear, enters } = stage([])
    const reacts = '<reactions xmlns="urn:xmpp:reactions:0" id="s1"><reaction>👍</reaction></reactions>'
    await hear(`${ROOM}/Eva`, reacts)
    await hear(`${ROOM}/Eva`, reacts)
    enters('Hanna', 'hanna@example.org')
    await hear(`${ROOM}/Hanna`, reacts)
    enters('Hanna B', 'hanna@example.org')
    const by = (await hear(`${ROOM}/Hanna B`, reacts)).map(one => one.kind === 'reaction' ? one.by : undefined)
    assert.equal(new Set(by).size, 3)
    assert.ok(by[2] === by[3] && !JSON.stringify(by).includes('hanna'))
  })

  it('shows the picture of the speaker, and of nobody else', async () => {
    const { hear } = stage()
    await hear(`${ROOM}/Anna`, '<body>x</body>')
    const said = await hear(`${ROOM}/Eva`, '<body>x</body>')
    assert.deepEqual(said.map(one => one.kind === 'message' && one.sender.avatar?.ref), ['picture of Anna', undefined])
  })

  it('tells what a message answers, by each id under which that may be known', async () => {
    const { hear } = stage()
    const [answer] = await hear(`${ROOM}/Anna`, `<body>x</body><reply xmlns='urn:xmpp:reply:0' id='s1' to='${ROOM}/Eva'/>`)
    assert.deepEqual(answer?.kind === 'message' && answer.replyTo, ['s1', `${ROOM} s1`])
  })

  it('takes reactions as the whole set that they are, and words beside them as words', async () => {
    const { hear } = stage()
    const reactions = (...emojis: string[]) =>
      `<reactions xmlns='urn:xmpp:reactions:0' id='s1'>${emojis.map(one => `<reaction>${one}</reaction>`).join('')}</reactions>`
    const fallback = "<fallback xmlns='urn:xmpp:fallback:0' for='urn:xmpp:reactions:0'/>"
    await hear(`${ROOM}/Anna`, `${reactions('👍', '❤️')}<store xmlns='urn:xmpp:hints'/>${stanzaId('s2')}${occupantId('o1')}`)
    await hear(`${ROOM}/Anna`, reactions())
    await hear(`${ROOM}/Anna`, `<body>👍</body>${reactions('👍')}${fallback}`)
    const [set, none, repeated, said] = await hear(`${ROOM}/Anna`, `<body>gut</body>${reactions('👍')}`)
    assert.ok(set?.kind === 'reaction' && none?.kind === 'reaction' && repeated?.kind === 'reaction')
    assert.deepEqual([set.key, set.sender.id, set.of, set.emojis, set.whole],
      [`${ROOM} s2`, `${ROOM} o1`, ['s1', `${ROOM} s1`], ['👍', '❤️'], true])
    assert.deepEqual([none.emojis, none.whole, repeated.emojis], [[], true, ['👍']])
    assert.equal(said?.kind, 'message')
  })

  const mentions = (arrival: Arrival | undefined): unknown[] | undefined => arrival?.kind === 'message' || arrival?.kind === 'edit'
    ? arrival.mentions?.map(({ who, as }) => who === 'everybody' ? who : [who.network, who.id, as]) : undefined

  it('tells whom an app marked in a message, by their nick or address', async () => {
    const { hear, ghost, enters } = stage([...FEATURES, NON_ANONYMOUS])
    ghost('Dora (Matrix)', '@dora:x.org')
    enters('Emil', 'emil@x.org')
    const reference = (uri: string, type = 'mention') => `<reference xmlns='urn:xmpp:reference:0' type='${type}' begin='0' end='5' uri='${uri}'/>`
    const marks = [
      'xmpp:clara@x.org', `xmpp:${ROOM}/Clara%20(Matrix)`, `xmpp:${ROOM}/Dora%20(Matrix)`, `xmpp:${ROOM}/Emil`, 'xmpp:%zz', 'https://x.org'
    ].map(uri => reference(uri)).join('')
    const [marked] = await hear(`${ROOM}/Anna`, `<body>Clara schau</body>${marks}${reference('xmpp:y@x.org', 'data')}`)
    assert.deepEqual(mentions(marked), [
      ['xmpp', 'clara@x.org', 'Clara'], ['xmpp', `${ROOM}/Clara (Matrix)`, 'Clara'], ['matrix', '@dora:x.org', 'Dora (Matrix)'],
      ['xmpp', 'emil@x.org', 'Emil'], ['xmpp', '%zz', 'Clara']
    ])
  })

  it('tells no address of somebody called that the room shows to us alone', async () => {
    const { hear, enters } = stage()
    enters('Emil', 'emil@x.org')
    const [marked] = await hear(`${ROOM}/Anna`,
      `<body>Emil: ja</body><reference xmlns='urn:xmpp:reference:0' type='mention' begin='0' end='4' uri='xmpp:${ROOM}/Emil'/>`)
    assert.deepEqual(mentions(marked), [['xmpp', `${ROOM}/Emil`, 'Emil']])
  })

  it('tells who is called by name, in a correction too, and once if an app marked them as well', async () => {
    const { hear, ghost, enters } = stage()
    ghost('Anna (Matrix)', '@anna:x.org')
    ghost('Eva (Matrix)', '@eva:x.org')
    enters('Eva', 'eva@x.org')
    await hear(`${ROOM}/Bernd`, `<body>Anna (Matrix): ja</body>${stanzaId('s1')}${occupantId('o1')}`)
    await hear(`${ROOM}/Bernd`, `<body>Anna, ja</body><replace xmlns='urn:xmpp:message-correct:0' id='m1'/>${stanzaId('s2')}${occupantId('o1')}`)
    await hear(`${ROOM}/Bernd`, '<body>Anna ist da. Eva: ja</body>')
    const mark = `<reference xmlns='urn:xmpp:reference:0' type='mention' begin='0' end='13' uri='xmpp:${ROOM}/Anna%20(Matrix)'/>`
    const all = await hear(`${ROOM}/Bernd`, `<body>Anna (Matrix), ja</body>${mark}`)
    assert.deepEqual(all.map(mentions), [
      [['matrix', '@anna:x.org', 'Anna (Matrix)']], [['matrix', '@anna:x.org', 'Anna']], undefined, [['matrix', '@anna:x.org', 'Anna (Matrix)']]
    ])
  })

  it('lets only those who rule in the room call everybody', async () => {
    const { hear, rules } = stage()
    rules('Mod')
    await hear(`${ROOM}/Anna`, '<body>@room hallo</body>')
    const all = await hear(`${ROOM}/Mod`, '<body>@room hallo</body>')
    assert.deepEqual(all.map(mentions), [undefined, ['everybody']])
  })

  it('puts the subject of a message in front of its words, behind what only repeats', async () => {
    const { hear } = stage()
    await hear(`${ROOM}/Anna`, '<subject>Plan</subject><body>We meet at nine</body>')
    await hear(`${ROOM}/Anna`, '<subject>Plan</subject><body>&gt; When?\nAt nine</body>' +
    "<reply xmlns='urn:xmpp:reply:0' id='s1'/><fallback xmlns='urn:xmpp:fallback:0' for='urn:xmpp:reply:0'><body start='0' end='8'/></fallback>")
    const said = await hear(`${ROOM}/Anna`, '<subject>Plan</subject><active xmlns=\'http://jabber.org/protocol/chatstates\'/><thread>t</thread>')
    assert.deepEqual(said.map(one => one.kind === 'message' && [toPlain(one.content.text), one.quoted]),
      [['Plan\nWe meet at nine', undefined], ['> When?\nPlan\nAt nine', 1]])
  })

  it('takes a subject alone for the room\'s own, with words for a heading; what it is told on entering is nobody\'s change', async () => {
    const { hear, inbox } = stage()
    const old = `<delay xmlns='urn:xmpp:delay' from='${ROOM}' stamp='2026-01-01T00:00:00Z'/>`
    await hear(`${ROOM}/Anna`, `<subject>Old</subject>${old}`)
    await hear(`${ROOM}/Anna`, `<subject>New</subject>${stanzaId('s1')}${occupantId('o1')}<mark xmlns='urn:zentrale:mark:1' hops='2'/>`)
    await hear(`${ROOM}/Anna`, '<subject>Heading</subject><body>words</body>')
    await hear(`${ROOM}/Anna`, '<subject>Thread</subject><thread>t</thread>')
    assert.deepEqual(inbox.profiles.map(({ key, shown, by }) => [key.replace(/ \S{16,}$/, ''), shown.value, by?.id, by?.hops]), [
      [`${ROOM}/shows topic`, 'Old', undefined, undefined], [`${ROOM} s1`, 'New', `${ROOM} o1`, 2]])
    assert.deepEqual(inbox.arrivals.map(one => one.kind === 'message' && toPlain(one.content.text)), ['Heading\nwords'])
  })

  it('that a room passes on without its own id of whoever set it is by whoever is there under that nick', async () => {
    const { hear, inbox, isCalled } = stage()
    isCalled('Anna', 'o1')
    await hear(`${ROOM}/Anna`, `<subject>New</subject>${stanzaId('s1')}`)
    assert.deepEqual(inbox.profiles.map(one => [one.by?.id, 'sender' in one]), [[`${ROOM} o1`, false]], 'who sets it says nothing')
  })

  it('that is set while the archive is read comes behind what the room showed on entering', async () => {
    const { hear, inbox, hold } = stage()
    const end = hold()
    for (const [value, id] of [['Older', undefined], ['Old', undefined], ['New', 's1']] as const) {
      const mark = id === undefined ? `<delay xmlns='urn:xmpp:delay' from='${ROOM}' stamp='2026-01-01T00:00:00Z'/>` : stanzaId(id)
      await hear(`${ROOM}/Anna`, `<subject>${value}</subject>${mark}`)
    }
    await end()
    assert.deepEqual(inbox.profiles.map(({ shown, by }) => [shown.value, by !== undefined]), [['Old', false], ['Old', false], ['New', true]])
  })

  it('takes XHTML alone for what it says, and a subject alone for no message', async () => {
    const { hear } = stage()
    await hear(`${ROOM}/Anna`, '<subject>Topic</subject>')
    const html = '<p>Good <em>morning</em></p>'
    const [one, other] = await hear(`${ROOM}/Anna`,
      `<html xmlns='http://jabber.org/protocol/xhtml-im'><body xmlns='http://www.w3.org/1999/xhtml'>${html}</body></html>`)
    assert.deepEqual([one?.kind === 'message' && toPlain(one.content.text), other], ['Good morning', undefined])
  })

  it('two who use one id stay two messages', async () => {
    const { hear } = stage([])
    await hear(`${ROOM}/Anna`, '<body>x</body>', 'same')
    const [one, two] = await hear(`${ROOM}/Eva`, '<body>x</body>', 'same')
    assert.notEqual(one?.key, two?.key)
  })

  it('lets nothing depend on the time of a delay', async () => {
    const { hear } = stage()
    for (const stamp of ['0001-01-01T00:00:00Z', '9999-12-31T23:59:59Z', 'gestern']) {
      await hear(`${ROOM}/Anna`, `<body>${stamp}</body><delay xmlns='urn:xmpp:delay' from='anna@example.org' stamp='${stamp}'/>${stanzaId(stamp)}`)
    }
    const arrivals = (await hear(`${ROOM}/Anna`, '')).flatMap(arrival => arrival.kind === 'message' ? [arrival] : [])
    assert.deepEqual(arrivals.map(({ content }) => toPlain(content.text)), ['0001-01-01T00:00:00Z', '9999-12-31T23:59:59Z', 'gestern'])
    assert.ok(arrivals.every(({ at }) => Math.abs(Date.now() - at) < 60_000))
  })

  it('hears from the room itself, and from nobody else, that a moderator took something away', async () => {
    const now = '<retract xmlns=\'urn:xmpp:message-retract:1\' id=\'s1\'>' +
      '<moderated xmlns=\'urn:xmpp:message-moderate:1\'/><reason>x</reason></retract>'
    const before = `<apply-to xmlns='urn:xmpp:fasten:0' id='s2'><moderated xmlns='urn:xmpp:message-moderate:0' by='${ROOM}/Eva'>` +
      '<retract xmlns=\'urn:xmpp:message-retract:0\'/></moderated></apply-to>'
    const { hear, inbox } = stage()
    await hear(`${ROOM}/Mallory`, now)
    await hear(`${ROOM}/Mallory`, before)
    assert.ok(inbox.arrivals.every(arrival => arrival.kind === 'deletion' && arrival.moderated === undefined))
    inbox.arrivals.length = 0
    await hear(ROOM, now)
    await hear(ROOM, before)
    await hear(ROOM, before)
    await hear(ROOM, '<body>This room is not anonymous</body>')
    assert.deepEqual(inbox.arrivals.map(arrival => arrival.kind === 'deletion' && [arrival.of, arrival.moderated]),
      [[`${ROOM} s1`, true], [`${ROOM} s2`, true]])
  })

  it('takes a correction to nothing for taking back, whatever room or app, unless something else is left', async () => {
    const { hear } = stage()
    const replace = "<replace xmlns='urn:xmpp:message-correct:0' id='m1'/>"
    const says = (inside: string, id: string) => hear(`${ROOM}/Anna`, `${inside}${stanzaId(`s-${id}`)}${occupantId('o1')}`, id)
    await says('<body>PIN 4711</body>', 'm1')
    await says(`<body/>${replace}`, 'm2')
    await says(`<body> \n</body>${replace}`, 'm3')
    await says("<body/><replace xmlns='urn:xmpp:message-correct:0' id='unknown'/>", 'm4')
    await says(`<composing xmlns='http://jabber.org/protocol/chatstates'/>${replace}`, 'm5')
    await says(`<body/><x xmlns='jabber:x:oob'><url>https://files.example.org/a.png</url></x>${replace}`, 'm6')
    const arrivals = await says('<body> </body>', 'm7')
    assert.deepEqual(arrivals.map(one => [one.kind, 'of' in one && one.of]), [
      ['message', false], ['deletion', `${ROOM} s-m1`], ['deletion', `${ROOM} s-m1`], ['deletion', `${ROOM} unknown`],
      ['edit', `${ROOM} s-m1`], ['message', false]
    ])
  })

  it('passes on no words that only say that a message is encrypted', async () => {
    const { hear } = stage()
    const omemo = "<encrypted xmlns='eu.siacs.conversations.axolotl'><header sid='1'/><payload>AAAA</payload></encrypted>"
    const [arrival] = await hear(`${ROOM}/Anna`, `<body>I sent you an OMEMO encrypted message</body>${omemo}${stanzaId('s1')}${occupantId('o1')}`)
    assert.deepEqual(arrival?.kind === 'message' && arrival.content, { style: 'text', text: [], unreadable: 'encrypted' })
    const corrected = await hear(`${ROOM}/Anna`,
      `<body>fallback</body>${omemo}<replace xmlns='urn:xmpp:message-correct:0' id='m1'/>${stanzaId('s2')}${occupantId('o1')}`, 'm2')
    assert.equal(corrected[1]?.kind, 'message')
  })
})
