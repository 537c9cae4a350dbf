/** Reactions in mirrors: whoever reacts to a message reacts to it wherever it stands, and may take that back. */
import assert from 'node:assert/strict'
import type { Content, Delivery, DeletionArrival, ReactionArrival } from '../../../src/model/message'
import { Refused, Unavailable } from '../../../src/model/errors'
import { plain } from '../../../src/model/text'
import { makePractice, until, type Practice } from '../../support/practice'
import { mirrorOf, startBridge, type Started } from '../../support/started'

const PHONE = {
  ghosts: false, formatting: false, files: 'text', edits: false, deletions: false, replies: false, reactions: 'none', afterCrash: 'park'
} as const

describe('reactions', () => {
  let red: Practice, blue: Practice, phone: Practice // each by itself; as a set; none
  let started: Started
  let count = 0

  const start = async (path?: string, window = 1): Promise<void> => {
    [red, blue, phone] = [makePractice('red'), makePractice('blue', { reactions: 'set', window }), makePractice('phone', PHONE)]
    started = await startBridge([red, blue, phone], [mirrorOf(['red', 'hall'], ['blue', 'hall'], ['phone', 'us/max', { max: 'Max' }])],
      path === undefined ? {} : { path })
  }
  beforeEach(() => start())
  afterEach(async () => {
    await started.stop()
    assert.deepEqual(started.bugs, [])
  })

  const arrived = (network: Practice, most: number): Promise<void> => until(() => network.delivered.length >= most, `${most} at ${network.name}`)
  const asked = async (): Promise<Delivery> => {
    await red.say('hall', 'Anna', 'Kommt ihr?', { key: 'question' })
    await Promise.all([arrived(blue, 1), arrived(phone, 1)])
    return blue.delivered[0]!
  }
  const reacts = (network: Practice, sender: string, of: string[], emojis: string[], more: Partial<ReactionArrival> = {}) => network.inbox.accept({
    kind: 'reaction', key: `reaction-${++count}`, place: { network: network.name, id: 'hall' }, at: 1, sender: { id: sender, name: sender },
    of, emojis, ...more
  })
  const takesBack = (network: Practice, sender: string, of: string, more: Partial<DeletionArrival> = {}) => network.inbox.accept({
    kind: 'deletion', key: `back-${++count}`, place: { network: network.name, id: 'hall' }, at: 1, sender: { id: sender, name: sender }, of, ...more
  })

  it('of one at a time become the whole set, at the message as it stands there', async () => {
    const { key } = await asked()
    await reacts(red, 'Cem', ['question'], ['👍\uFE0F'], { key: 'thumb' })
    await reacts(red, 'Cem', ['question'], ['❤️'], { key: 'heart' })
    await reacts(red, 'Dora', ['question'], ['👍'])
    await arrived(blue, 4)
    assert.deepEqual(blue.delivered.slice(1).map(({ action, as, answered }) => [as?.name, action, answered]), [
      ['Cem (red)', { kind: 'reaction', to: { delivery: key }, emojis: ['👍'] }, [`blue-${key}`]],
      ['Cem (red)', { kind: 'reaction', to: { delivery: key }, emojis: ['👍', '❤'] }, [`blue-${key}`]],
      ['Dora (red)', { kind: 'reaction', to: { delivery: key }, emojis: ['👍'] }, [`blue-${key}`]]
    ])
    await takesBack(red, 'Cem', 'thumb')
    await takesBack(red, 'Cem', 'heart')
    await arrived(blue, 6)
    assert.deepEqual(blue.read('hall').slice(-2), ['Cem (red): [❤]', 'Cem (red): []'])
    assert.equal(phone.delivered.length, 1, 'nothing of it costs an SMS')
  })

  it('of one person are twenty to a message; whoever has more is told so, and keeps those', async () => {
    const { key } = await asked()
    const all = Array.from({ length: 21 }, (_, n) => String.fromCodePoint(0x1f400 + n))
    const told = (network: Practice): number => network.read('hall').filter(line =>
      line === '*: No more than 20 reactions of one person to one message are passed on.').length
    for (const emoji of all.slice(0, 20)) await reacts(red, 'Cem', ['question'], [emoji])
    await arrived(blue, 21)
    await reacts(red, 'Cem', ['question'], all.slice(20))
    await until(() => told(red) === 1, 'it is told')
    assert.equal(blue.delivered.length, 21)
    await reacts(blue, 'Ben', [`blue-${key}`], all, { whole: true })
    await until(() => told(blue) === 1, 'it is told there too')
    await arrived(red, 21)
    assert.equal(red.delivered.filter(({ action }) => action.kind === 'reaction').length, 20)
  })

  it('to what is there before its network has told us so are to that message', async () => {
    let on: Delivery | undefined
    let there = (): void => {}
    blue.onSend = delivery => new Promise(resolve => { on ??= delivery; there = resolve })
    await red.say('hall', 'Anna', 'Kommt ihr?', { key: 'question' })
    await until(() => on !== undefined)
    await reacts(blue, 'Ben', [on!.key], ['👍'], { whole: true })
    await arrived(red, 1)
    assert.deepEqual(red.delivered[0]?.action, { kind: 'reaction', to: { arrival: 'question' }, emojis: ['👍'] })
    blue.onSend = () => {}
    there()
  })

  it('of the whole set become one each, and what is not in it any more is taken back', async () => {
    const { key } = await asked()
    await reacts(blue, 'Ben', [`blue-${key}`], ['👍', '😀'], { whole: true })
    await arrived(red, 2)
    const [thumb, laugh] = red.delivered
    const one = (emoji: string) => ({ kind: 'reaction', to: { arrival: 'question' }, emojis: [emoji] })
    assert.deepEqual([thumb?.action, laugh?.action], ['👍', '😀'].map(one))
    await reacts(blue, 'Ben', [`blue-${key}`], ['😀', '🎉', '😀'], { whole: true })
    await arrived(red, 4)
    assert.deepEqual(red.delivered.slice(2).map(({ action, target }) => [action.kind, target]),
      [['deletion', [`red-${thumb!.key}`]], ['reaction', undefined]])
    await reacts(blue, 'Ben', [`blue-${key}`], [], { whole: true })
    await arrived(red, 6)
    assert.deepEqual(red.delivered.slice(4).map(({ target }) => target), [[`red-${laugh!.key}`], [`red-${red.delivered[3]!.key}`]])
  })

  it('of two who had one name after another are of each alone, and what both have goes with the last', async () => {
    const { key } = await asked()
    const has = (by: string, ...emojis: string[]) => reacts(blue, 'Ruth', [`blue-${key}`], emojis, { whole: true, by, theirs: true })
    await has('first', '👍', '🎉')
    await has('second', '💩', '🎉')
    await arrived(red, 3)
    assert.deepEqual(red.read('hall'), ['Ruth (blue): [👍]', 'Ruth (blue): [🎉]', 'Ruth (blue): [💩]'])
    const [thumb, party, heap] = red.delivered
    await has('second')
    await has('third')
    await has('first', '👍')
    await has('first')
    await arrived(red, 6)
    assert.deepEqual(red.delivered.slice(3).map(({ action, target }) => [action.kind, target]),
      [heap, party, thumb].map(one => ['deletion', [`red-${one!.key}`]]))
  })

  it('of a set go along with whoever is called otherwise since, over a restart too', async () => {
    const { key } = await asked()
    const has = (called: string, ...emojis: string[]) =>
      reacts(blue, called, [`blue-${key}`], emojis, { whole: true, by: 'Hanna\'s', theirs: true })
    await has('Hanna', '👍', '🎉')
    await arrived(red, 2)
    const { path } = started
    const before = red.delivered
    await started.stop()
    await start(path)
    await has('Hanna B', '🎉')
    await arrived(red, 3)
    assert.deepEqual(red.delivered.map(({ action, as, target }) => [action.kind, as?.name, target]), [
      ['deletion', 'Hanna (blue)', [`red-${before[0]!.key}`]], ['deletion', 'Hanna (blue)', [`red-${before[1]!.key}`]],
      ['reaction', 'Hanna B (blue)', undefined]
    ])
    await has('Hanna B')
    await arrived(red, 4)
    assert.deepEqual([red.delivered[3]!.as?.name, red.delivered[3]!.target], ['Hanna B (blue)', [`red-${red.delivered[2]!.key}`]])
  })

  const captioned = (from: Practice, words: string): Content => ({
    style: 'text', text: plain(words), file: { kind: 'image', name: 'gate.png', mime: 'image/png', at: { network: from.name, ref: 'gate' } }
  })
  /** A picture with words, which is two messages at every other place. */
  const pictured = async (from: Practice, at: Practice): Promise<[words: Delivery, picture: Delivery]> => {
    await from.say('hall', 'Anna', '', { key: 'picture', content: captioned(from, 'The gate') })
    await arrived(at, 2)
    return [at.delivered[0]!, at.delivered[1]!]
  }

  it('of sets to the pieces of one message are all that stand at any of them, over a restart too', async () => {
    const [words, picture] = await pictured(red, blue)
    const has = (of: Delivery, ...emojis: string[]) => reacts(blue, 'Ben', [`blue-${of.key}`], emojis, { whole: true })
    await has(words, '👍')
    await has(picture, '❤', '👍')
    await arrived(red, 2)
    assert.deepEqual(red.read('hall'), ['Ben (blue): [👍]', 'Ben (blue): [❤]'])
    const [thumb, heart] = red.delivered
    const { path } = started
    await started.stop()
    await start(path)
    await has(words)
    assert.equal(await has(words), 'seen')
    await has(picture, '👍')
    await arrived(red, 1)
    await has(picture)
    await arrived(red, 2)
    assert.deepEqual(red.delivered.map(({ action, target }) => [action.kind, target]),
      [['deletion', [`red-${heart!.key}`]], ['deletion', [`red-${thumb!.key}`]]], 'each as it goes from the last piece')
  })

  it('of one at a time to the pieces of one message are a set as long as they stand at any of them', async () => {
    const [words, picture] = await pictured(blue, red)
    await reacts(red, 'Cem', [`red-${words.key}`], ['👍'], { key: 'at words' })
    await reacts(red, 'Cem', [`red-${picture.key}`], ['👍'], { key: 'at picture' })
    await reacts(red, 'Cem', [`red-${picture.key}`], ['❤'], { key: 'heart' })
    await takesBack(red, 'Cem', 'at words')
    await takesBack(red, 'Cem', 'heart')
    await takesBack(red, 'Cem', 'at picture')
    await arrived(blue, 4)
    assert.deepEqual(blue.read('hall'), ['[👍]', '[👍 ❤]', '[👍]', '[]'].map(set => `Cem (red): ${set}`))
  })

  it('to what a message was corrected to are those to that piece of it', async () => {
    const [words, picture] = await pictured(red, blue)
    const has = (of: Delivery, ...emojis: string[]) => reacts(blue, 'Ben', [`blue-${of.key}`], emojis, { whole: true })
    await has(picture, '🎉')
    await has(words, '👍')
    await red.inbox.accept({
      kind: 'edit', key: 'edit', of: 'picture', place: { network: 'red', id: 'hall' }, at: 1, sender: { id: 'Anna', name: 'Anna' },
      content: captioned(red, 'The old gate')
    })
    await until(() => blue.delivered.some(({ action }) => action.kind === 'edit'))
    await has(blue.delivered.find(({ action }) => action.kind === 'edit')!, '😀')
    await arrived(red, 4)
    assert.deepEqual(red.read('hall').slice(2).sort(), ['Ben (blue): (deleted)', 'Ben (blue): [😀]'])
  })

  it('are known over a restart: a set that comes then changes only what is new in it', async () => {
    const { key } = await asked()
    await reacts(blue, 'Ben', [`blue-${key}`], ['👍'], { whole: true })
    await arrived(red, 1)
    const before = red.delivered[0]!.key
    const { path } = started
    await started.stop()
    await start(path)
    await reacts(blue, 'Ben', [`blue-${key}`], ['👍', '😀'], { whole: true })
    await arrived(red, 1)
    await reacts(blue, 'Ben', [`blue-${key}`], [], { whole: true })
    await arrived(red, 3)
    assert.deepEqual(red.read('hall'), ['Ben (blue): [😀]', 'Ben (blue): (deleted)', 'Ben (blue): (deleted)'])
    assert.deepEqual(red.delivered[1]!.target, [`red-${before}`])
  })

  it('that say nothing new cause nothing, and neither do those to what is not known here', async () => {
    const { key } = await asked()
    await reacts(blue, 'Ben', [`blue-${key}`], ['👍'], { whole: true })
    await arrived(red, 1)
    assert.equal(await reacts(blue, 'Ben', [`blue-${key}`], ['👍\uFE0F'], { whole: true }), 'seen')
    assert.equal(await reacts(blue, 'Ben', ['who knows'], ['👍'], { whole: true }), 'seen')
    assert.equal(await reacts(red, 'Anna', ['question'], ['']), 'seen')
    await red.say('elsewhere', 'Anna', 'x', { key: 'in another room' })
    assert.equal(await reacts(blue, 'Ben', ['in another room'], ['👍'], { whole: true }), 'seen')
    await blue.say('hall', 'Ben', 'Ende')
    await arrived(red, 2)
    assert.equal(red.read('hall').at(-1), 'Ben (blue): Ende')
  })

  it('are taken back by who reacted, or by whom the place lets; by nobody else', async () => {
    await asked()
    await reacts(red, 'Cem', ['question'], ['👍'], { key: 'thumb' })
    await arrived(blue, 2)
    assert.equal(await takesBack(red, 'Dora', 'thumb'), 'seen')
    await takesBack(red, 'Moderator', 'thumb', { moderated: true })
    await arrived(blue, 3)
    assert.deepEqual(blue.read('hall').slice(1), ['Cem (red): [👍]', 'Cem (red): []'])
  })

  it('that were taken back before they came never come', async () => {
    await asked()
    await takesBack(red, 'Cem', 'thumb')
    assert.equal(await reacts(red, 'Cem', ['question'], ['👍'], { key: 'thumb' }), 'seen')
  })

  it('wait for the message that they are about, and are nowhere if it never comes there', async () => {
    let release = (): void => {}
    blue.onSend = ({ action }) => action.kind === 'message' ? new Promise(resolve => { release = resolve }) : undefined
    await red.say('hall', 'Anna', 'Frage', { key: 'question' })
    await reacts(red, 'Cem', ['question'], ['👍'])
    await arrived(phone, 1)
    release()
    await arrived(blue, 2)
    assert.deepEqual(blue.delivered[1]!.answered, [`blue-${blue.delivered[0]!.key}`])
    blue.onSend = ({ action }) => { if (action.kind === 'message') throw new Refused('no') }
    await red.say('hall', 'Anna', 'Noch eine', { key: 'another' })
    await reacts(red, 'Cem', ['another'], ['👍'])
    await arrived(red, 1) // that it did not arrive, and no word about the reaction
    blue.onSend = () => {}
    await red.say('hall', 'Anna', 'Ende')
    await arrived(blue, 3)
    assert.equal(blue.read('hall').at(-1), 'Anna (red): Ende')
    assert.equal(red.delivered.length, 1)
  })

  it('end as they are, though the place refuses an earlier set for now and takes the next', async () => {
    await started.stop()
    await start(undefined, 8)
    await asked()
    const refusing = Promise.withResolvers<void>()
    let tries = 0
    blue.onSend = ({ action }) => action.kind === 'reaction' && tries++ === 0 ? refusing.promise : undefined
    for (const emoji of ['👍', '😀']) await reacts(red, 'Cem', ['question'], [emoji])
    await red.say('hall', 'Anna', 'x')
    await arrived(phone, 2)
    refusing.reject(new Unavailable('later'))
    await arrived(blue, 4)
    assert.equal(blue.read('hall').findLast(line => line.startsWith('Cem')), 'Cem (red): [👍 😀]')
  })

  it('to what a phone said are a line for it, if the config says so, and that is all that it gets', async () => {
    await started.stop();
    [red, blue, phone] = [makePractice('red'), makePractice('blue', { reactions: 'set' }), makePractice('phone', PHONE)]
    const mirror = mirrorOf(['red', 'hall'], ['blue', 'hall'], ['phone', 'us/max', { max: 'Max' }])
    const places = mirror.places.map(one => one.people === undefined ? one : { ...one, reactions: 'lines' as const })
    started = await startBridge([red, blue, phone], [{ ...mirror, places }])
    await asked()
    await phone.say('us/max', 'max', 'Guten Morgen zusammen, ich komme heute erst gegen elf, weil der Zug steht', { key: 'sms' })
    await Promise.all([arrived(red, 1), arrived(blue, 2)])
    await reacts(red, 'Anna', [`red-${red.delivered[0]!.key}`], ['❤️'], { key: 'heart' })
    await reacts(red, 'Cem', ['question'], ['👍'])
    await arrived(phone, 2)
    await takesBack(red, 'Anna', 'heart')
    await red.say('hall', 'Anna', 'Ende')
    await arrived(phone, 3)
    const [, line] = phone.read('us/max')
    assert.equal(line, '*: ❤️ from Anna (red): "Guten Morgen zusammen, ich komme heute erst g..."')
    assert.ok(line.length - '*: '.length <= 70)
    assert.equal(phone.read('us/max')[2], 'Anna (red): Anna (red): Ende')
  })

  it('go with their message', async () => {
    const { key } = await asked()
    await reacts(blue, 'Ben', [`blue-${key}`], ['👍'], { whole: true })
    await arrived(red, 1)
    const kept = (): Promise<number> => started.store.run(async tx => (await tx.reactions(1, 'blue Ben')).length)
    assert.equal(await kept(), 1)
    await until(async () => await started.store.run(tx => tx.prune(Date.now() + 1000, 100)) > 0, 'the end of what was said')
    assert.equal(await kept(), 0)
  })
})
