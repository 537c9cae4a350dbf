import assert from 'node:assert/strict'
import { Refused, Unavailable } from '../../../src/model/errors'
import type { ExpulsionArrival } from '../../../src/model/message'
import { makePractice, until, type Practice } from '../../support/practice'
import { skippingClock } from '../../support/quick'
import { mirrorOf, startBridge, type Started } from '../../support/started'

const HOUR_MS = 3_600_000
const MINUTES_MS = 3 * 60_000 + 1
const MIRROR = mirrorOf(['red', 'room'], ['blue', 'hall'], ['green', 'yard'])
const BERND = { network: 'red', id: 'bernd' }

describe('somebody whom a moderator puts out of a place', () => {
  let red: Practice, blue: Practice, green: Practice
  let started: Started
  let clock: ReturnType<typeof skippingClock>
  let count = 0

  const begin = async (path?: string): Promise<void> => {
    [red, blue, green] = [makePractice('red'), makePractice('blue'), makePractice('green')]
    started = await startBridge([red, blue, green], [MIRROR], { clock, ...path !== undefined && { path } })
  }
  beforeEach(async () => { clock = skippingClock(); await begin() })
  afterEach(async () => {
    await started.stop()
    assert.deepEqual(started.bugs, [])
  })

  const does = (how: ExpulsionArrival['how'], person = BERND): Promise<unknown> => blue.inbox.accept({
    kind: 'expulsion', key: `x${++count}`, place: { network: 'blue', id: 'hall' }, at: 1, person, name: 'bernd (red)', how
  })
  const says = async (text: string, who = 'bernd', more = {}): Promise<void> => {
    await red.say('room', who, text, { key: `m${++count}`, ...more })
    await until(() => green.read('yard').includes(`${who} (red): ${text}`), text)
  }
  const settled = async (): Promise<void> => {
    await until(async () => (await started.bridge.queue.list('waiting')).length + (await started.bridge.queue.list('sending')).length === 0, 'rest')
  }
  const hall = (): string[] => blue.read('hall').filter(line => !line.startsWith('*:'))
  const told = (at: Practice, place: string): string[] => at.read(place).filter(line => line.startsWith('*:'))

  it('is not heard there, but everywhere else, and others are; both sides are told once', async () => {
    await does('banned')
    await says('eins')
    await says('zwei')
    await says('drei', 'carla')
    await settled()
    assert.deepEqual(hall(), ['carla (red): drei'])
    assert.deepEqual(told(blue, 'hall'), ['*: bernd (red) is banned here. Nothing from this person arrives here until the ban is lifted.'])
    assert.deepEqual(told(red, 'room'),
      ['*: Not delivered to blue: “eins” (the moderators there banned you; until that is lifted nothing you write arrives there)'])
    assert.deepEqual(told(green, 'yard'), [])
  })

  it('is heard again when the ban is lifted, over a restart too; an invitation alone lifts none', async () => {
    await does('banned')
    await says('eins')
    await settled()
    await started.stop()
    await begin(started.path)
    await does('invited')
    await says('zwei')
    await does('kicked') // who leaves a ban behind is not kicked
    await says('drei')
    await settled()
    assert.deepEqual([hall(), told(red, 'room')], [['bernd (red): drei'], []])
  })

  it('is heard again some minutes after a ban was lifted where nobody says so: one message in a while asks for it', async () => {
    let isBanned = true
    let tries = 0
    blue.onSend = ({ as }) => {
      if (as?.name !== 'bernd (red)') return
      tries++
      if (isBanned) throw new Refused('banned', undefined, 'expelled')
    }
    await does('banned')
    await says('eins')
    for (const text of ['zwei', 'drei']) {
      clock.skip(MINUTES_MS)
      await says(text)
      await settled()
      await says(`${text}, noch einmal`)
    }
    isBanned = false
    clock.skip(MINUTES_MS)
    await says('vier')
    await says('fünf')
    await settled()
    assert.deepEqual([tries, hall(), told(red, 'room').length], [4, ['bernd (red): vier', 'bernd (red): fünf'], 1])
  })

  it('is let through once a day if only their voice was taken, because a room may give it back to whoever comes in anew', async () => {
    await does('muted')
    clock.skip(MINUTES_MS)
    await says('eins')
    clock.skip(24 * HOUR_MS)
    await says('zwei')
    await settled()
    assert.deepEqual(hall(), ['bernd (red): zwei'])
  })

  it('is back an hour after a kick, or when invited, and told anew at the next', async () => {
    await does('kicked')
    await says('eins')
    clock.skip(HOUR_MS + 1)
    await says('zwei')
    await does('kicked')
    await says('drei')
    await does('invited')
    await says('vier')
    await settled()
    assert.deepEqual([hall(), told(red, 'room').length, told(blue, 'hall').length], [['bernd (red): zwei', 'bernd (red): vier'], 2, 2])
  })

  it('stays out under another id, where a place tells people apart by what they call themselves', async () => {
    const renamed = (person: string, now: string): Promise<unknown> => red.inbox.accept(
      { kind: 'renamed', key: `r${++count}`, place: { network: 'red', id: 'room' }, at: 1, person, now })
    await does('kicked')
    await renamed('bernd', 'bert')
    await renamed('bert', 'bob')
    await says('eins', 'bob')
    await says('zwei', 'bernd')
    await renamed('carla', 'cara')
    await says('drei', 'cara')
    await settled()
    assert.deepEqual(hall(), ['bernd (red): zwei', 'cara (red): drei'])
    assert.equal(told(red, 'room').length, 1)
  })

  it('does not come back by a correction, a deletion or a reaction', async () => {
    await says('eins', 'bernd', { key: 'first' })
    await says('zwei', 'carla', { key: 'second' })
    await does('kicked')
    const base = { at: 1, place: { network: 'red', id: 'room' }, sender: { id: 'bernd', name: 'bernd' } }
    await red.inbox.accept({ kind: 'edit', key: 'e', of: 'first', ...base, content: { style: 'text', text: [] } })
    await red.inbox.accept({ kind: 'reaction', key: 'r', of: ['second'], ...base, emojis: ['👍'] })
    await red.inbox.accept({ kind: 'deletion', key: 'd', of: 'first', ...base })
    await settled()
    assert.deepEqual(hall(), ['bernd (red): eins', 'carla (red): zwei'])
    assert.match(told(red, 'room').at(-1)!, /still there for blue/)
  })

  it('has what waits for that place returned once, and nobody waits behind it', async () => {
    let open = (): void => {}
    const closed = new Promise<void>(resolve => { open = resolve })
    blue.onSend = ({ as }) => as?.name === 'carla (red)' ? closed : undefined
    await says('null', 'carla')
    for (const text of ['eins', 'zwei']) await says(text)
    await says('drei', 'dora')
    await does('kicked')
    open()
    await settled()
    assert.deepEqual([hall(), told(red, 'room').length], [['carla (red): null', 'dora (red): drei'], 1])
  })

  it('is told with the first words that stay away, not with a deletion or a reaction, which say nothing of it', async () => {
    await says('null', 'bernd', { key: 'first' })
    let open = (): void => {}
    const closed = new Promise<void>(resolve => { open = resolve })
    blue.onSend = ({ as }) => as?.name === 'carla (red)' ? closed : undefined
    await says('eins', 'carla', { key: 'second' })
    const base = { at: 1, place: { network: 'red', id: 'room' }, sender: { id: 'bernd', name: 'bernd' } }
    await red.inbox.accept({ kind: 'reaction', key: 'r', of: ['second'], ...base, emojis: ['👍'] })
    await red.inbox.accept({ kind: 'deletion', key: 'd', of: 'first', ...base })
    await says('zwei')
    await says('drei')
    await does('kicked')
    open()
    await settled()
    const [stays, why, ...more] = told(red, 'room')
    assert.match(stays ?? '', /still there for blue/)
    assert.match(why ?? '', /^\*: Not delivered to blue: “zwei” \(the moderators there removed you/)
    assert.deepEqual(more, [])
  })

  it('is known to be banned by what the place\'s server says, is told once, and asked for again after a day', async () => {
    let tries = 0
    blue.onSend = ({ as }) => { if (as?.name === 'bernd (red)') { tries++; throw new Refused('banned', undefined, 'expelled') } }
    await says('eins')
    await settled()
    await says('zwei')
    await settled()
    clock.skip(24 * HOUR_MS + 1)
    await says('drei')
    await settled()
    await says('vier')
    await settled()
    assert.deepEqual([tries, told(red, 'room').length, hall()], [2, 1, []])
  })

  it('has no voice there from the start: is told once a day, others go on, and so does the person once they have one', async () => {
    let mute = true
    blue.onSend = ({ as }) => { if (mute && as?.name === 'bernd (red)') throw new Refused('a visitor', undefined, 'voiceless') }
    await says('eins')
    await says('zwei')
    await says('drei', 'carla')
    await settled()
    const text = (said: string): string =>
      `*: Not delivered to blue: “${said}” (you may not speak there yet; until the moderators allow it, nothing you write arrives there)`
    assert.deepEqual([hall(), told(red, 'room'), told(green, 'yard')], [['carla (red): drei'], [text('eins')], []])
    clock.skip(24 * HOUR_MS + 1)
    await says('vier')
    await settled()
    assert.deepEqual(told(red, 'room'), [text('eins'), text('vier')])
    mute = false
    await says('fünf')
    await settled()
    assert.deepEqual([hall(), told(blue, 'hall')], [['carla (red): drei', 'bernd (red): fünf'], []])
  })

  it('waits where nobody of ours has a voice, and is told so once', async () => {
    let mute = true
    blue.onSend = () => { if (mute) throw new Unavailable('moderated', { disconnected: true, voiceless: true }) }
    await says('eins')
    await says('zwei')
    await says('drei', 'carla')
    await until(() => told(red, 'room').length > 0, 'the word')
    for (let minute = 0; minute < 20; minute++) {
      clock.skip(60_000)
      await started.store.run(async () => {})
    }
    assert.deepEqual(told(red, 'room'), ['*: Not delivered to blue yet: “eins”. Nobody from here may speak there before the moderators ' +
      'there allow it. Everything waits until then.'])
    mute = false
    clock.skip(HOUR_MS)
    await settled()
    assert.deepEqual(hall(), ['bernd (red): eins', 'bernd (red): zwei', 'carla (red): drei'])
  })
})
