/** What a moderator removes in one place of a mirror. */
import assert from 'node:assert/strict'
import { Refused } from '../../../src/model/errors'
import type { DeletionArrival, ReactionArrival } from '../../../src/model/message'
import { plain } from '../../../src/model/text'
import type { Mirror } from '../../../src/plan/directory'
import { makePractice, until, type Practice } from '../../support/practice'
import { mirrorOf, startBridge, type Started } from '../../support/started'

const MIRROR: Mirror = mirrorOf(['red', 'room'], ['blue', 'hall'], ['green', 'yard'], ['phone', 'us/max', { max: 'Max' }])
const STAYS_AT_MAX = '*: Deleted here, but not everywhere: the message is still there for Max (phone).'
const MAY_NOT = '*: What moderators remove here is still there for red: Zentrale may not remove messages of others there.'

describe('a moderator of a mirror', () => {
  let red: Practice, blue: Practice, green: Practice, phone: Practice
  let started: Started

  const begin = async (mirrors: Mirror[] = [MIRROR], path?: string): Promise<void> => {
    [red, blue, green] = [makePractice('red'), makePractice('blue'), makePractice('green')]
    phone = makePractice('phone', { ghosts: false, edits: false, deletions: false, reactions: 'none' })
    started = await startBridge([red, blue, green, phone], mirrors, path === undefined ? {} : { path })
  }
  beforeEach(() => begin())
  afterEach(async () => {
    await started.stop()
    assert.deepEqual(started.bugs, [])
  })

  let count = 0
  /** Eva removes what is known at her place by this id. */
  const removes = (at: Practice, place: string, of: string, more: Partial<DeletionArrival> = {}): Promise<unknown> => at.inbox.accept({
    kind: 'deletion', key: `d${++count}`, of, at: 1, place: { network: at.name, id: place }, sender: { id: 'eva', name: 'eva' }, moderated: true,
    ...more
  })
  const copyAt = ({ name, delivered }: Practice, index = 0): string => `${name}-${delivered[index]!.key}`
  const said = async (text: string, key: string): Promise<void> => {
    const seen = [blue, green, phone].map(({ delivered }) => delivered.length)
    await red.say('room', 'anna', text, { key })
    await until(() => [blue, green, phone].every(({ delivered }, index) => delivered.length > seen[index]!), text)
  }
  const removals = ({ delivered }: Practice): unknown[] => delivered.flatMap(({ action, as }) => action.kind === 'removal' ? [[action.said, as]] : [])
  /** Everything that was caused before has been delivered. */
  const settled = async (): Promise<void> => {
    await until(async () => (await started.bridge.queue.list('waiting')).length + (await started.bridge.queue.list('sending')).length === 0, 'rest')
  }

  it('removes a copy: it goes in all other places, also where it was said, with its corrections', async () => {
    await said('unsäglich', 'first')
    const edit = { kind: 'edit', key: 'e1', of: 'first', at: 1, place: { network: 'red', id: 'room' }, sender: { id: 'anna', name: 'anna' } } as const
    await red.inbox.accept({ ...edit, content: { style: 'text', text: plain('böse') } })
    await until(() => green.delivered.length === 2 && blue.delivered.length === 2)
    await removes(blue, 'hall', copyAt(blue))
    await settled()
    assert.deepEqual(removals(red), [[['first', 'e1'], undefined]], 'by our own power, not as anybody')
    assert.deepEqual(green.read('yard').slice(2), ['anna (red): (deleted)'])
    assert.deepEqual(blue.read('hall').slice(2), [STAYS_AT_MAX])
    assert.deepEqual([red, green].map(one => one.read(one === red ? 'room' : 'yard').filter(line => line.startsWith('*:')).length), [1, 0])
  })

  it('is known by both spellings of an id', async () => {
    await said('unsäglich', 'first')
    await removes(blue, 'hall', 'hall 4711', { named: copyAt(blue) })
    await settled()
    assert.equal(removals(red).length, 1)
  })

  it('is nobody without the word of the place\'s server, in another mirror, or for what Zentrale itself said', async () => {
    await said('bleibt', 'first')
    await removes(blue, 'hall', copyAt(blue), { moderated: false })
    await removes(blue, 'elsewhere', copyAt(blue))
    await removes(green, 'yard', copyAt(blue))
    await removes(red, 'room', 'first', { moderated: false, sender: { id: 'anna', name: 'anna' } })
    await until(() => red.delivered.length === 1)
    await removes(red, 'room', copyAt(red))
    await settled()
    assert.deepEqual([red, blue, green].map(removals), [[], [], []])
    assert.deepEqual(red.read('room'), [STAYS_AT_MAX])
  })

  it('hears where it stays, however much they remove; nothing else waits for it', async () => {
    red.onSend = ({ action }) => { if (action.kind === 'removal') throw new Refused('no power') }
    await said('one', 'first')
    await said('two', 'second')
    for (const index of [0, 1]) await removes(blue, 'hall', copyAt(blue, index))
    await settled()
    await blue.say('hall', 'bernd', 'weiter')
    await until(() => red.read('room').includes('bernd (blue): weiter'))
    assert.deepEqual(blue.read('hall').filter(line => line !== STAYS_AT_MAX), ['anna (red): one', 'anna (red): two', MAY_NOT])
    assert.deepEqual(green.read('yard').filter(line => line.endsWith('(deleted)')).length, 2)
  })

  it('has the last word: what was removed does not come back by a correction, a reply or a second removal, over a restart too', async () => {
    red.onSend = ({ action }) => { if (action.kind === 'removal') throw new Refused('no power') }
    await said('unsäglich', 'first')
    await removes(blue, 'hall', copyAt(blue))
    await settled()
    await started.stop()
    const [before] = [blue.delivered]
    await begin([MIRROR], started.path)
    const at = { at: 1, place: { network: 'red', id: 'room' }, sender: { id: 'anna', name: 'anna' } } as const
    await red.inbox.accept({ kind: 'edit', key: 'e1', of: 'first', ...at, content: { style: 'text', text: plain('noch böser') } })
    await red.say('room', 'carla', 'genau', { replyTo: ['first'] })
    await removes(red, 'room', 'first')
    await removes(blue, 'hall', `blue-${before[0]!.key}`)
    await settled()
    assert.deepEqual(red.read('room'), ['*: A moderator in another room has removed this message. Changes to it are no longer passed on.'])
    assert.deepEqual(blue.read('hall'), ['carla (red): genau'])
    assert.deepEqual(blue.delivered.map(({ action }) => 'reply' in action), [false])
  })

  it('removes a message of several parts as a whole', async () => {
    await started.stop()
    await begin([mirrorOf(['red', 'room'], ['blue', 'hall'])])
    blue.can.textBytesMax = 20
    await red.say('room', 'anna', 'a longer text, said in several parts', { key: 'first' })
    await until(() => blue.delivered.length === 2)
    await removes(blue, 'hall', copyAt(blue, 1))
    await settled()
    assert.equal(removals(red).length, 1)
    assert.deepEqual(blue.read('hall').slice(2), ['anna (red): (deleted)', 'anna (red): (deleted)'])
  })

  it('has a say in their own place only, where the mirror is so', async () => {
    await started.stop()
    await begin([{ ...MIRROR, moderation: 'own' }])
    await said('one', 'first')
    await said('two', 'second')
    await removes(blue, 'hall', copyAt(blue))
    await removes(red, 'room', 'second')
    await settled()
    assert.deepEqual(removals(red), [])
    assert.deepEqual(green.read('yard'), ['anna (red): one', 'anna (red): two', 'anna (red): (deleted)'])
  })

  it('removes what is still on its way: it goes elsewhere as soon as its id is known', async () => {
    await said('eins', 'first')
    blue.onSend = async ({ key }) => { // the room shows it before it answers us
      if (blue.delivered.length === 1) await removes(blue, 'hall', 'hall 4712', { named: `blue-${key}` })
    }
    await said('unsäglich', 'second')
    await until(() => green.read('yard').length === 3)
    await settled()
    assert.deepEqual(green.read('yard'), ['anna (red): eins', 'anna (red): unsäglich', 'anna (red): (deleted)'])
    assert.deepEqual(removals(red), [[['second'], undefined]])
    assert.deepEqual(blue.read('hall').slice(2), [STAYS_AT_MAX])
  })

  const reacts = async (at: Practice, place: string, of: string, emojis: string[], more: Partial<ReactionArrival> = {}): Promise<unknown> =>
    at.inbox.accept({
      kind: 'reaction', key: `r${++count}`, of: [of], emojis, at: 1, place: { network: at.name, id: place }, sender: { id: 'ben', name: 'ben' },
      ...more
    })
  const shown = ({ delivered }: Practice): unknown[] => delivered.flatMap<unknown>(({ action }) => action.kind === 'removal' ? [action.said]
    : action.kind === 'reaction' ? [action.emojis]
      : action.kind === 'deletion' ? [delivered.find(({ key }) => key === action.of)?.action.kind] : [])

  it('removes a reaction: it goes in all other places, also where somebody reacted', async () => {
    await said('Kommt ihr?', 'first')
    await reacts(blue, 'hall', copyAt(blue), ['👍'], { key: 'thumb' })
    await reacts(blue, 'hall', copyAt(blue), ['😀'])
    await until(() => red.delivered.length === 2 && green.delivered.length === 3)
    await removes(green, 'yard', copyAt(green, 1))
    await settled()
    assert.deepEqual([red, green, blue].map(shown), [[['👍'], ['😀'], 'reaction'], [['👍'], ['😀']], [['thumb']]])
    assert.equal(red.delivered.find(({ action }) => action.kind === 'deletion')?.as?.name, 'ben (blue)')
    assert.deepEqual(green.read('yard').slice(3), [], 'nobody is told')
    await reacts(blue, 'hall', copyAt(blue), ['👍'])
    await until(() => green.delivered.length === 4)
    assert.deepEqual(shown(green).at(-1), ['👍'], 'a new one is a new act')
  })

  it('removes a reaction of several at once: the others stay; what is a set is told anew, and stays where it was made', async () => {
    await started.stop()
    await begin()
    Object.assign(blue.can, { reactions: 'set' })
    Object.assign(green.can, { reactions: 'set' })
    await said('Kommt ihr?', 'first')
    await reacts(blue, 'hall', copyAt(blue), ['👍', '😀'], { whole: true })
    await until(() => red.delivered.length === 2 && green.delivered.length === 2)
    await removes(red, 'room', copyAt(red, 0))
    await settled()
    assert.deepEqual([red, green, blue].map(shown), [[['👍'], ['😀']], [['👍', '😀'], ['😀']], []])
    await removes(green, 'yard', copyAt(green, 2))
    await settled()
    assert.deepEqual(shown(red).at(-1), 'reaction', 'a set goes as a whole')
  })

  it('removes a reaction that is still on its way, and no other reaction, nor one without the word of the server', async () => {
    await said('Kommt ihr?', 'first')
    green.onSend = async ({ key, action }) => {
      if (action.kind === 'reaction') await removes(green, 'yard', `green-${key}`, { moderated: action.emojis[0] === '👍' })
    }
    await reacts(blue, 'hall', copyAt(blue), ['👍'])
    await reacts(blue, 'hall', copyAt(blue), ['😀'])
    await until(() => green.delivered.length === 3 && red.delivered.length === 3)
    await settled()
    assert.deepEqual(shown(red), [['👍'], ['😀'], 'reaction'])
  })
})
