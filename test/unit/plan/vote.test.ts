import assert from 'node:assert/strict'
import { systemClock } from '../../../src/lib/clock'
import type { Content } from '../../../src/model/message'
import { plain } from '../../../src/model/text'
import { ANSWERED_MS } from '../../../src/plan/vote'
import { makePractice, until, type Practice } from '../../support/practice'
import { mirrorOf, startBridge, type Started } from '../../support/started'

const PHONE = {
  ghosts: false, formatting: false, files: 'text', edits: false, deletions: false, replies: false, reactions: 'none'
} as const
const HOW = 'To vote, reply to this message with the number.'
const HOW_ALONE = 'To vote, send only the number.'

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
    const content: Content = { style: 'text', text: plain('When?\n1. Mo\n2. Tu\n3. We'), poll: { form: 'p', answers: ['mo', 'tu', 'we'], most } }
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
    assert.deepEqual(got(), ['bernd (blue) votes mo', 'bernd (blue) votes tu', ...gone(2), 'bernd (blue): neither', ...gone(3), 'carl (blue): end'])
    await bernd('well', poll, 'w')
    await edits('w', '3')
    await until(() => got().at(-1) === 'bernd (blue) votes we')
    assert.deepEqual(got().slice(-3), ['bernd (blue): well', 'bernd (blue): (deleted)', 'bernd (blue) votes we'])
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

  it('is a number alone from a phone, which can reply to nothing; others see what it answers', async () => {
    await asks()
    for (const text of ['4', '1 or 2', '2', '3.']) await phone.say('us/max', 'max', text)
    await ends()
    assert.deepEqual(got().slice(0, -1), ['Max (phone): 4', 'Max (phone): 1 or 2', 'Max (phone) votes tu', 'Max (phone) votes we'])
    await until(() => blue.delivered.length === 5)
    assert.deepEqual(blue.delivered.slice(1).map(({ action }) => 'reply' in action ? action.reply?.text.split(' ')[0] : action.kind),
      ['message', 'message', 'When?', 'When?'])
  })

  it('from a phone is about the last poll that came there, if it came lately and is still there', async () => {
    await asks()
    const content: Content = { style: 'text', text: plain('Where?\n1. Here'), poll: { form: 'p', answers: ['here'], most: 1 } }
    await red.say('room', 'anna', '', { key: 'other', content })
    await until(() => phone.delivered.length === 2)
    await phone.say('us/max', 'max', '1')
    late = ANSWERED_MS + 60_000
    await phone.say('us/max', 'max', '1')
    await ends()
    assert.deepEqual(got().slice(0, -1), ['Max (phone) votes here', 'Max (phone): 1'])
  })
})
