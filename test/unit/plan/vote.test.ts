import assert from 'node:assert/strict'
import { systemClock } from '../../../src/lib/clock'
import type { Place } from '../../../src/model/address'
import type { Content, Delivery, Poll } from '../../../src/model/message'
import { plain, toPlain } from '../../../src/model/text'
import type { Mirror } from '../../../src/plan/directory'
import { ANSWERED_MS } from '../../../src/plan/vote'
import { makePractice, until, type Practice } from '../../support/practice'
import { mirrorOf, startBridge, type Started } from '../../support/started'

const PHONE = {
  ghosts: false, formatting: false, files: 'text', edits: false, deletions: false, replies: false, reactions: 'none'
} as const
const HOW = 'To vote, send only the number now, or reply to this message with it.'
const LATE = 'A number alone counts as a vote only right after the poll. Later, reply to the poll with the number.'
const HOW_ALONE = 'To vote, send only the number.'

const asked = (ids: string[], most = 1): Poll =>
  ({ form: 'p', question: 'When?', answers: ids.map(id => ({ id, text: id })), most })

describe('a vote', () => {
  let red: Practice, blue: Practice, phone: Practice
  let started: Started
  let keys = 0
  let late = 0

  beforeEach(async () => {
    [red, blue] = [makePractice('red', { polls: true }), makePractice('blue', { reactions: 'set' })]
    phone = makePractice('phone', PHONE)
    late = 0
    const clock = { ...systemClock, tick: () => systemClock.tick() + late }
    started = await startBridge([red, blue, phone], [mirrorOf(['red', 'room'], ['blue', 'hall'], ['phone', 'us/max', { max: 'Max' }])], { clock })
  })
  afterEach(async () => {
    await started.stop()
    assert.deepEqual(started.bugs, [])
  })

  const asks = async (most = 1): Promise<string> => {
    const content: Content = { style: 'text', text: plain('When?\n1. Mo\n2. Tu\n3. We'), poll: asked(['mo', 'tu', 'we'], most) }
    await red.say('room', 'anna', '', { key: 'poll', content })
    await until(() => blue.delivered.length === 1 && phone.delivered.length === 1)
    return `blue-${blue.delivered[0]!.key}`
  }
  const place = { network: 'blue', id: 'hall' }
  const bernd = (text: string, poll: string, key = `b${++keys}`) => blue.say('hall', 'bernd', text, { key, replyTo: [poll] })
  const edits = (of: string, text: string) => blue.inbox.accept({
    kind: 'edit', key: `e${++keys}`, of, place, at: 1, sender: { id: 'bernd', name: 'bernd' }, content: { style: 'text', text: plain(text) }
  })
  const takesBack = (of: string) =>
    blue.inbox.accept({ kind: 'deletion', key: `d${++keys}`, of, place, at: 1, sender: { id: 'bernd', name: 'bernd' } })
  const reacts = (of: string, ...emojis: string[]) => blue.inbox.accept({
    kind: 'reaction', key: `r${++keys}`, of: [of], place, at: 1, sender: { id: 'bernd', name: 'bernd' }, emojis, whole: true
  })
  /** What red got, as it stands in the order in which it came. */
  const got = (): string[] => red.delivered.map(({ as, action }) => action.kind === 'vote' ? `${as?.name} votes ${action.answers.join('+')}`
    : action.kind === 'reaction' ? `reacts ${action.emojis.join()}` : red.read('room')[red.delivered.findIndex(one => one.action === action)]!)
  const ends = async (): Promise<void> => {
    await blue.say('hall', 'carl', 'end')
    await until(() => red.read('room').at(-1) === 'carl (blue): end', JSON.stringify(got()))
  }

  it('is a reply that is nothing but a number; all else is a reply, and phones read it', async () => {
    const poll = await asks()
    assert.deepEqual([blue.read('hall'), phone.read('us/max')],
      [[`anna (red): When?\n1. Mo\n2. Tu\n3. We\n${HOW}`], [`anna (red): anna (red): When?\n1. Mo\n2. Tu\n3. We\n${HOW_ALONE}`]])
    for (const text of ['2', ' 3. ', '4', '0', '1 2', '2 of course', '99']) await bernd(text, poll)
    await blue.say('hall', 'bernd', '1')
    await ends()
    assert.deepEqual(got().slice(0, -1), ['bernd (blue) votes tu', 'bernd (blue) votes we',
      ...['4', '0', '1 2', '2 of course', '99', '1'].map(text => `bernd (blue): ${text}`)])
    await until(() => phone.read('us/max').some(line => line.endsWith(': 2')))
  })

  it('may be for several answers, as many as the poll allows', async () => {
    const poll = await asks(2)
    for (const text of ['1, 3', '1 and 3', '1 2 3', '2 2']) await bernd(text, poll)
    await ends()
    assert.deepEqual(got().slice(0, 2), ['bernd (blue) votes mo+we', 'bernd (blue): 1 and 3'])
    assert.deepEqual(got().slice(2, 4), ['bernd (blue): 1 2 3', 'bernd (blue) votes tu'])
  })

  it('follows its correction, and is taken back with all that it was', async () => {
    const poll = await asks()
    await bernd('1', poll, 'v')
    await edits('v', '2')
    await edits('v', 'neither')
    await takesBack('v')
    await ends()
    const gone = (times: number): string[] => Array.from({ length: times }, () => 'bernd (blue): (deleted)')
    assert.deepEqual(got(), ['bernd (blue) votes mo', 'bernd (blue) votes tu', ...gone(2), 'bernd (blue): neither', ...gone(1), 'carl (blue): end'])
    const deleted = red.delivered.flatMap(({ action }) => action.kind === 'deletion' ? action.of : [])
    assert.deepEqual(deleted, red.delivered.filter(({ action }) => action.kind !== 'deletion').map(({ key }) => key).slice(0, 3), 'each once')
    await bernd('well', poll, 'w')
    await edits('w', '3')
    await until(() => got().at(-1) === 'bernd (blue) votes we')
    assert.deepEqual(got().slice(-3), ['bernd (blue): well', 'bernd (blue): (deleted)', 'bernd (blue) votes we'])
    await edits('w', 'none')
    await until(() => got().at(-1) === 'bernd (blue): none')
    assert.deepEqual(got().slice(-2), ['bernd (blue): (deleted)', 'bernd (blue): none'])
  })

  it('is a reaction that is a number, beside others, and goes with it', async () => {
    const poll = await asks()
    await reacts(poll, '👍')
    await reacts(poll, '👍', '2️⃣')
    await reacts(poll, '👍', '3️⃣')
    await reacts(poll)
    await ends()
    assert.deepEqual(got(), [
      'reacts 👍', 'bernd (blue) votes tu', 'bernd (blue) votes we', 'bernd (blue): (deleted)', 'bernd (blue) votes ', 'carl (blue): end'
    ])
  })

  it('is a number alone where apps could reply, as long as nothing else was said since, or below a quotation of the poll', async () => {
    await asks()
    const quoting = (text: string, below: string) => blue.say('hall', 'bernd', '', {
      key: `b${++keys}`, content: { style: 'text', text: [{ kind: 'quote', of: plain(text) }, ...plain(below)] }
    })
    await blue.say('hall', 'bernd', '1')
    await blue.say('hall', 'carl', '3')
    await blue.say('hall', 'carl', 'How many are you?')
    await blue.say('hall', 'bernd', '2')
    await quoting('anna (red): When?\n1. Mo', '2')
    await quoting('How many are you?', '3')
    await ends()
    const votes = got().filter(line => line.includes('votes'))
    assert.deepEqual(votes, ['bernd (blue) votes mo', 'carl (blue) votes we', 'bernd (blue) votes tu'])
    assert.deepEqual(got().slice(2, 4), ['carl (blue): How many are you?', 'bernd (blue): 2'])
    assert.match(got().at(-2) ?? '', /^bernd \(blue\): .*How many are you\?\n3$/s)
  })

  it('that comes alone after other talk is words, and once for a poll it is said there how to vote then', async () => {
    await asks()
    const says = async (by: string, text: string): Promise<void> => { await blue.say('hall', by, text) }
    const said = [['bernd', '1'], ['carl', 'hm'], ['dora', '2'], ['bernd', '3'], ['dora', 'two'], ['carl', '1']] as const
    for (const [by, text] of said) await says(by, text)
    await ends()
    assert.deepEqual(got().slice(0, -1), ['bernd (blue) votes mo', ...['carl (blue): hm', 'dora (blue): 2', 'bernd (blue): 3', 'dora (blue): two',
      'carl (blue): 1']])
    await until(() => blue.read('hall').some(line => line.includes('counts')))
    assert.deepEqual(blue.read('hall').filter(line => line.startsWith('*: ')), [`*: ${LATE}`])
  })

  it('is still a number alone after somebody voted below a quotation', async () => {
    await asks()
    await blue.say('hall', 'bernd', '', {
      key: 'quoting', content: { style: 'text', text: [{ kind: 'quote', of: plain('anna (red): When?') }, ...plain('2')] }
    })
    await blue.say('hall', 'bernd', '1')
    await ends()
    assert.deepEqual(got().slice(0, -1), ['bernd (blue) votes tu', 'bernd (blue) votes mo'])
  })

  it('is none after the end: words are words then, and what was counted stays', async () => {
    const poll = await asks()
    await bernd('1', poll, 'v')
    await until(() => got().length === 1)
    await red.say('room', 'anna', '', { content: { style: 'text', text: plain('It was Mo'), ends: 'p' }, replyTo: ['poll'] })
    await until(() => blue.delivered.length === 2)
    await bernd('2', poll, 'w')
    await edits('w', '3')
    await edits('v', '2')
    await reacts(poll, '3️⃣')
    await ends()
    assert.deepEqual(got().slice(0, -1),
      ['bernd (blue) votes mo', 'bernd (blue): 2', 'bernd (blue): 3', 'bernd (blue): * 2', 'reacts 3\u20E3'])
  })

  it('is a number alone from a phone, which can reply to nothing; others see what it answers', async () => {
    await asks()
    for (const text of ['4', '1 or 2', '2', '3.']) await phone.say('us/max', 'max', text)
    await ends()
    assert.deepEqual(got().slice(0, -1), ['Max (phone): 4', 'Max (phone): 1 or 2', 'Max (phone) votes tu', 'Max (phone) votes we'])
    await until(() => blue.delivered.length === 5)
    assert.deepEqual(blue.delivered.slice(1).map(({ action }) => 'reply' in action ? action.reply?.text?.split(' ')[0] : action.kind),
      ['message', 'message', 'When?', 'When?'])
  })

  it('from a phone is about the last poll that came there, if it came lately and is still there', async () => {
    await asks()
    const content: Content = { style: 'text', text: plain('Where?\n1. Here'), poll: asked(['here']) }
    await red.say('room', 'anna', '', { key: 'other', content })
    await until(() => phone.delivered.length === 2)
    await phone.say('us/max', 'max', '1')
    late = ANSWERED_MS / 2
    await red.say('room', 'anna', '', { content: { style: 'text', text: plain('It was Here'), ends: 'p' }, replyTo: ['other'] })
    await until(() => phone.delivered.length === 3)
    await phone.say('us/max', 'max', '1')
    await red.say('room', 'anna', '', { key: 'third', content })
    await until(() => phone.delivered.length === 4)
    late += ANSWERED_MS + 60_000
    await phone.say('us/max', 'max', '1')
    await ends()
    assert.deepEqual(got().slice(0, -1), ['Max (phone) votes here', 'Max (phone): 1', 'Max (phone): 1'])
  })
})

describe('a poll that two places ask', () => {
  let red: Practice, blue: Practice
  let started: Started
  const [hall, annex] = ['hall', 'annex'].map(id => ({ network: 'red', id })) as [Place, Place]
  let keys = 0

  const begin = async (more: Partial<Mirror> = {}): Promise<string> => {
    [red, blue] = [makePractice('red', { polls: true }), makePractice('blue')]
    started = await startBridge([red, blue], [{ ...mirrorOf(['red', 'hall'], ['red', 'annex'], ['blue', 'club']), ...more }])
    const content: Content = { style: 'text', text: plain('When?'), poll: asked(['mo', 'tu', 'we'], 2) }
    await red.say('hall', 'anna', '', { key: 'poll', content })
    await until(() => red.delivered.length === 1 && blue.delivered.length === 1)
    return `red-${red.delivered[0]!.key}`
  }
  afterEach(async () => {
    await started.stop()
    assert.deepEqual(started.bugs, [])
  })

  const votes = (place: Place, by: string, of: string, ...answers: string[]): Promise<unknown> =>
    red.inbox.accept({ kind: 'vote', key: `v${++keys}`, place, at: 1, sender: { id: by, name: by }, of: [of], answers })
  const ends = (place: string, by: string, of: string, more = {}): Promise<unknown> =>
    red.say(place, by, '', { content: { style: 'text', text: plain('It was Mo'), ends: 'p' }, replyTo: [of], ...more })
  /** What both places got since the poll. */
  const got = (): string[] => red.delivered.slice(1).map(({ place, as, action }) => {
    const who = `${place.id}: ${as?.name ?? 'we'}`
    if (action.kind === 'vote') return `${who} votes ${action.answers.join('+')} in ${Object.values(action.to).join() === 'poll' ? 'poll' : 'copy'}`
    const isEnd = action.kind === 'message' && action.content.ends !== undefined
    return `${who} ${isEnd ? 'ends' : action.kind === 'message' ? 'says' : action.kind}`
  })
  const isOver = async (): Promise<void> => {
    await blue.say('club', 'carl', 'over')
    await until(() => ['hall', 'annex'].every(id => red.read(id).at(-1) === 'carl (blue): over'), JSON.stringify(got()))
  }
  const isWords = (line: string): boolean => !line.includes('carl')

  it('is asked there, not told, and whoever votes in one votes in both; people of other networks too', async () => {
    const copy = await begin()
    const [{ action }] = red.delivered as [Delivery]
    assert.deepEqual(action.kind === 'message' && [action.content.poll?.answers.length, toPlain(action.content.text)], [3, 'When?'])
    assert.match(blue.read('club')[0]!, /To vote/)
    await votes(annex, 'dora', copy, 'tu')
    await votes(hall, 'anna', 'poll', 'mo', 'we', 'tu')
    await votes(hall, 'anna', 'poll', 'never')
    await blue.say('club', 'bernd', '1', { replyTo: [`blue-${blue.delivered[0]!.key}`] })
    await votes(hall, 'anna', 'nothing', 'mo')
    await isOver()
    assert.deepEqual(got().filter(isWords).sort(), [
      'annex: anna (red) votes  in copy', 'annex: anna (red) votes mo+we in copy', 'annex: bernd (blue) votes mo in copy',
      'hall: bernd (blue) votes mo in poll', 'hall: dora (red) votes tu in poll'
    ])
    assert.deepEqual(blue.read('club').length, 1, 'no vote is told')
  })

  it('is taken back with its votes one by one; words are words where votes can be given', async () => {
    const copy = await begin()
    await votes(annex, 'dora', copy, 'tu')
    await red.inbox.accept({ kind: 'deletion', key: 'back', of: `v${keys}`, place: annex, at: 1, sender: { id: 'dora', name: 'dora' } })
    await red.say('annex', 'dora', '2', { replyTo: [copy] })
    await isOver()
    assert.deepEqual(got().filter(isWords), ['hall: dora (red) votes tu in poll', 'hall: dora (red) deletion', 'hall: dora (red) says'])
  })

  it('ends in both when its asker ends it, or a moderator; anybody else ends nothing', async () => {
    const copy = await begin()
    await ends('annex', 'dora', copy)
    await ends('hall', 'eva', 'poll')
    await ends('annex', 'anna', copy) // not the one who asked, but somebody else of that name
    await ends('hall', 'anna', 'poll')
    await ends('annex', 'mia', copy, { mayEnd: true })
    await isOver()
    assert.deepEqual(got().filter(isWords).sort(), ['annex: anna (red) ends', 'hall: we ends'])
    await until(() => blue.delivered.length === 3)
    assert.deepEqual(blue.read('club').slice(1), ['anna (red): It was Mo', 'mia (red): It was Mo'])
  })

  it('ends in words elsewhere if moderators have a say in their own place only', async () => {
    const copy = await begin({ moderation: 'own' })
    await ends('annex', 'mia', copy, { mayEnd: true })
    await isOver()
    assert.deepEqual(got().filter(isWords), ['hall: mia (red) says'])
  })
})
