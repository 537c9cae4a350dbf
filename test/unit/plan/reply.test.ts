/** Answers to a certain message, in mirrors: shown as that where the place can, and as a quotation where it cannot. */
import assert from 'node:assert/strict'
import { Refused } from '../../../src/model/errors'
import type { DeletionArrival, EditArrival, Reply } from '../../../src/model/message'
import { plain } from '../../../src/model/text'
import { makePractice, until, type Practice } from '../../support/practice'
import { mirrorOf, startBridge, type Started } from '../../support/started'

const PHONE = {
  ghosts: false, formatting: false, files: 'text', edits: false, deletions: false, replies: false, reactions: 'none', afterCrash: 'park',
  textBytesMax: 600
} as const

describe('replies', () => {
  let red: Practice, blue: Practice, phone: Practice
  let started: Started

  const start = async (path?: string): Promise<void> => {
    [red, blue, phone] = [makePractice('red'), makePractice('blue'), makePractice('phone', PHONE)]
    started = await startBridge([red, blue, phone], [mirrorOf(['red', 'hall'], ['blue', 'hall'], ['phone', 'us/max', { max: 'Max' }])],
      path === undefined ? {} : { path })
  }
  beforeEach(() => start())
  afterEach(async () => {
    await started.stop()
    assert.deepEqual(started.bugs, [])
  })

  const arrived = (network: Practice, count: number): Promise<void> => until(() => network.delivered.length >= count, `${count} at ${network.name}`)
  const replyOf = (network: Practice): Reply | undefined => {
    const { action } = network.delivered.at(-1)!
    return action.kind === 'message' || action.kind === 'edit' ? action.reply : undefined
  }
  const asked = async (text = 'Kommt ihr morgen um neun?'): Promise<void> => {
    await red.say('hall', 'Anna', text, { key: 'question' })
    await arrived(blue, 1)
    await arrived(phone, 1)
  }

  it('name the message that we said there, the one that was said there, and quote it on phones', async () => {
    await asked()
    const { key } = blue.delivered[0]!
    await blue.say('hall', 'Ben', 'Ja', { replyTo: [`blue-${key}`] })
    await arrived(red, 1)
    assert.deepEqual(replyOf(red), {
      said: { arrival: 'question' }, by: { person: { network: 'red', id: 'Anna' }, name: 'Anna' }, text: 'Kommt ihr morgen um neun?'
    })
    await arrived(phone, 2)
    assert.equal(phone.read('us/max').at(-1), 'Ben (blue): Ben (blue): Re "Kommt ihr morgen um...": Ja')
    await red.say('hall', 'Cem', 'Ich auch', { replyTo: ['question'] })
    await arrived(blue, 2)
    assert.deepEqual(replyOf(blue)?.said, { delivery: key })
    assert.equal(replyOf(blue)?.by.name, 'Anna (red)')
    assert.deepEqual(blue.delivered.at(-1)?.answered, [`blue-${key}`])
  })

  it('stand in the thread that they are said in, called as it is called there, and answer its first message if they answer nobody', async () => {
    await asked()
    const { key } = blue.delivered[0]!
    await red.say('hall', 'Cem', 'Ich', { key: 'one', replyTo: ['question'], thread: ['question'], inThread: true })
    await arrived(blue, 2)
    assert.deepEqual(replyOf(blue)?.thread, { root: { delivery: key }, alone: true })
    assert.deepEqual([blue.delivered[1]?.root, blue.delivered[1]?.answered], [[`blue-${key}`], [`blue-${key}`]])
    await red.say('hall', 'Dora', 'Gut', { replyTo: ['one', 'question'], thread: ['question'], inThread: true })
    await arrived(blue, 3)
    assert.deepEqual([replyOf(blue)?.thread, replyOf(blue)?.by.name], [{ root: { delivery: key } }, 'Cem (red)'])
    await blue.say('hall', 'Ben', 'Ich auch', { thread: [`blue-${key}`] })
    await arrived(red, 1)
    assert.deepEqual([replyOf(red)?.thread, replyOf(red)?.said], [{ root: { arrival: 'question' }, alone: true }, { arrival: 'question' }])
    await arrived(phone, 4)
    assert.equal(phone.read('us/max').at(-1), 'Ben (blue): Ben (blue): Re "Kommt ihr morgen um...": Ich auch')
    await blue.say('hall', 'Ben', 'Wirklich?', { thread: [`blue-${key}`], replyTo: [`blue-${key}`] })
    await arrived(red, 2)
    assert.deepEqual(replyOf(red)?.thread, { root: { arrival: 'question' } }, 'who is named is answered')
  })

  it('stand in a thread with an id of its own once two people speak in it, below its first message, and in none within another', async () => {
    const say = async (by: string, text: string, thread: string[]): Promise<Reply | undefined> => {
      const before = red.delivered.length
      await blue.say('hall', by, text, { key: text, thread })
      await arrived(red, before + 1)
      return replyOf(red)
    }
    assert.equal(await say('Ben', 'first', ['t']), undefined)
    assert.equal(await say('Ben', 'second', ['t']), undefined, 'perhaps an app that gives everything one id')
    const [first] = red.delivered
    const begun = { root: { delivery: first!.key }, alone: true }
    assert.deepEqual((await say('Dora', 'third', ['t']))?.thread, begun)
    assert.deepEqual((await say('Ben', 'fourth', ['t']))?.thread, begun)
    assert.deepEqual((await say('Ben', 'part', ['u', 't']))?.thread, begun)
    assert.deepEqual((await say('Dora', 'of the part', ['u']))?.thread, begun)
    assert.equal(await say('Dora', 'another', ['v', 'unknown']), undefined)
    await red.say('hall', 'Anna', 'Ja', { replyTo: [`red-${first!.key}`], thread: [`red-${first!.key}`], inThread: true })
    await arrived(blue, 1)
    assert.deepEqual(replyOf(blue)?.thread, { root: { arrival: 'first' }, id: 't', alone: true })
  })

  it('go on in a thread whose first message was taken back, and nothing of that message is told again', async () => {
    await asked()
    const { key } = blue.delivered[0]!
    await blue.say('hall', 'Ben', 'Ja', { key: 'yes', thread: [`blue-${key}`] })
    await arrived(red, 1)
    const gone: DeletionArrival = {
      kind: 'deletion', key: 'back', place: { network: 'red', id: 'hall' }, at: 1, sender: { id: 'Anna', name: 'Anna' }, of: 'question'
    }
    await red.inbox.accept(gone)
    await arrived(red, 2) // Anna hears that it stays on the phone
    await blue.say('hall', 'Dora', 'Doch', { thread: [`blue-${key}`] })
    await arrived(red, 3)
    assert.deepEqual(replyOf(red)?.thread, { root: { arrival: 'question' }, alone: true })
    await blue.say('hall', 'Dora', 'Genau', { thread: [`blue-${key}`], replyTo: ['yes'] })
    await arrived(red, 4)
    assert.deepEqual([replyOf(red)?.thread, replyOf(red)?.text], [{ root: { arrival: 'question' } }, 'Ja'])
    await red.say('hall', 'Cem', 'Ich', { replyTo: ['question'], thread: ['question'], inThread: true })
    await until(() => blue.read('hall').some(line => line.endsWith('Ich')), 'it goes on there')
    assert.deepEqual(replyOf(blue)?.thread, { root: { delivery: key }, alone: true })
    await arrived(phone, 5)
    const later = JSON.stringify([...red.delivered.slice(2), replyOf(blue), ...phone.delivered.slice(2)])
    assert.doesNotMatch(later, /Kommt ihr/)
  })

  it('say where the answered message came from that it came encrypted, and nowhere else', async () => {
    await red.say('hall', 'Anna', 'Geheim?', { key: 'question', encrypted: true })
    await arrived(blue, 1)
    const { key } = blue.delivered[0]!
    await blue.say('hall', 'Ben', 'Ja', { replyTo: [`blue-${key}`] })
    await arrived(red, 1)
    assert.equal(replyOf(red)?.encrypted, true)
    await red.say('hall', 'Cem', 'Ich auch', { replyTo: ['question'] })
    await until(() => replyOf(blue)?.text === 'Geheim?', 'the reply')
    assert.equal(replyOf(blue)?.encrypted, undefined)
  })

  it('are known over a restart, also to what a phone said', async () => {
    await phone.say('us/max', 'max', 'Wo seid ihr?', { key: 'sms' })
    await arrived(red, 1)
    const answered = red.delivered[0]!.key
    const { path } = started
    await started.stop()
    await start(path)
    await red.say('hall', 'Anna', 'Hier', { replyTo: [`red-${answered}`] })
    await arrived(blue, 1)
    assert.equal(replyOf(blue)?.by.name, 'Max (phone)')
    assert.equal(replyOf(blue)?.text, 'Wo seid ihr?')
    await arrived(phone, 1)
    assert.equal(phone.read('us/max').at(-1), 'Anna (red): Anna (red): Re "Wo seid ihr?": Hier')
  })

  it('lose the quotation that an app puts in front only where the answered message is shown', async () => {
    await asked()
    const quotation = { style: 'text' as const, text: [{ kind: 'quote' as const, of: plain('Kommt ihr morgen um neun?') }, ...plain('Ja')] }
    await blue.say('hall', 'Ben', '', { content: quotation, quoted: 1, replyTo: [`blue-${blue.delivered[0]!.key}`] })
    await arrived(red, 1)
    assert.equal(red.read('hall').at(-1), 'Ben (blue): Ja')
    await blue.say('hall', 'Ben', '', { content: quotation, quoted: 1, replyTo: ['who knows'] })
    await arrived(red, 2)
    assert.equal(red.read('hall').at(-1), 'Ben (blue): > Kommt ihr morgen um neun?\nJa')
  })

  it('are told what the message says now, and nothing of what was taken back', async () => {
    await asked('Um acht')
    const edit: EditArrival = {
      kind: 'edit', key: 'later', of: 'question', place: { network: 'red', id: 'hall' }, at: 1, sender: { id: 'Anna', name: 'Anna' },
      content: { style: 'text', text: plain('Um neun') }
    }
    await red.inbox.accept(edit)
    await arrived(phone, 2)
    await blue.say('hall', 'Ben', 'Gut', { replyTo: [`blue-${blue.delivered[0]!.key}`] })
    await arrived(phone, 3)
    assert.equal(phone.read('us/max').at(-1), 'Ben (blue): Ben (blue): Re "Um neun": Gut')
    const { content: _, ...rest } = edit
    await red.inbox.accept({ ...rest, kind: 'deletion', key: 'gone' } satisfies DeletionArrival)
    await blue.say('hall', 'Ben', 'Was?', { replyTo: [`blue-${blue.delivered[0]!.key}`] })
    await arrived(phone, 4)
    assert.equal(phone.read('us/max').at(-1), 'Ben (blue): Ben (blue): Was?')
  })

  it('stay replies when they are corrected, and wait for what they answer', async () => {
    let release = (): void => {}
    blue.onSend = ({ action }) => action.kind === 'message' && blue.delivered.length === 0 ? new Promise(resolve => { release = resolve }) : undefined
    await red.say('hall', 'Anna', 'Frage', { key: 'question' })
    await red.say('hall', 'Cem', 'Antwort', { key: 'answer', replyTo: ['question'] })
    await until(() => phone.delivered.length === 2)
    release()
    await arrived(blue, 2)
    assert.deepEqual(blue.delivered.at(-1)?.answered, [`blue-${blue.delivered[0]!.key}`])
    await red.inbox.accept({
      kind: 'edit', key: 'edit', of: 'answer', place: { network: 'red', id: 'hall' }, at: 1, sender: { id: 'Cem', name: 'Cem' },
      content: { style: 'text', text: plain('Antwort!') }
    })
    await arrived(blue, 3)
    assert.deepEqual(replyOf(blue)?.said, { delivery: blue.delivered[0]!.key })
  })

  it('find what is confirmed in the same moment', async () => {
    let confirm = (): void => {}
    const sending = new Promise<string>(begun => {
      blue.onSend = ({ key }) => new Promise(resolve => { confirm = resolve; begun(key) })
    })
    await red.say('hall', 'Anna', 'Frage', { key: 'question' })
    const key = await sending
    confirm()
    await blue.say('hall', 'Ben', 'Antwort', { replyTo: [`blue-${key}`] })
    await arrived(red, 1)
    assert.deepEqual(replyOf(red)?.said, { arrival: 'question' })
  })

  it('to what never came there are quoted, in their own formatting', async () => {
    blue.onSend = () => { throw new Refused('too long') }
    await red.say('hall', 'Anna', 'Frage', { key: 'question' })
    await arrived(red, 1) // that it did not arrive
    blue.onSend = () => {}
    await red.say('hall', 'Cem', 'Antwort', { replyTo: ['question'] })
    await arrived(blue, 1)
    assert.equal(blue.read('hall').at(-1), 'Cem (red): > Anna (red): Frage\nAntwort')
  })

  it('to our own words, or to a message of another place, are plain messages', async () => {
    await asked()
    await red.say('hall', 'Cem', 'x', { replyTo: ['elsewhere'] })
    await arrived(blue, 2)
    assert.equal(replyOf(blue), undefined)
    await red.say('other', 'Cem', 'x', { key: 'in another room' })
    await red.say('hall', 'Cem', 'y', { replyTo: ['in another room'] })
    await arrived(blue, 3)
    assert.equal(replyOf(blue), undefined)
  })
})
