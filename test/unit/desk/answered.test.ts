/** Replies at a function address: the contact and the team see what is answered, and the contact nothing that is not theirs to see. */
import assert from 'node:assert/strict'
import { Refused } from '../../../src/model/errors'
import type { Reply } from '../../../src/model/message'
import { plain, toPlain } from '../../../src/model/text'
import { addressOn, agent } from '../../support/address'
import { makePractice, until, type Practice } from '../../support/practice'
import { startBridge, type Started } from '../../support/started'

describe('a reply at a function address', () => {
  let red: Practice, blue: Practice, phone: Practice
  let started: Started
  const PHONE = {
    ghosts: false, formatting: false, files: 'text', edits: false, deletions: false, replies: false, afterCrash: 'park', textBytesMax: 600
  } as const
  const room = 'werkstatt-1'
  const inbox = 'werkstatt-queue'
  const chat = 'werkstatt/blue:max'
  const thread = 'werkstatt/phone:max'

  beforeEach(async () => {
    [red, blue, phone] = [makePractice('red'), makePractice('blue'), makePractice('phone', PHONE)]
    const team = [agent('Anna', 'red @anna'), agent('Bernd', 'blue bernd')]
    started = await startBridge([red, blue, phone], [], { addresses: [addressOn(['red', 'blue', 'phone'], team)] })
  })
  afterEach(async () => {
    await started.stop()
    assert.deepEqual(started.bugs, [])
  })

  const writes = (network: Practice, key: string, text: string, more: object = {}) => {
    const id = `${network.name}:max`
    return network.say(`werkstatt/${id}`, id, text, { direct: true, to: 'werkstatt', key, sender: { id, name: 'Max' }, ...more })
  }
  const annaSays = (text: string, more: object = {}) => red.say(room, '@anna', text, more)
  const reads = (where: Practice, place: string, line: string): Promise<void> =>
    until(() => where.read(place).includes(line), `“${line}” at ${place}, where there is ${JSON.stringify(where.read(place))}`)
  const at = (network: Practice, place: string) => network.delivered.filter(one => one.place.id === place)
  /** What the last message there answers. */
  const replyAt = (network: Practice, place: string): Reply | undefined => {
    const { action } = at(network, place).findLast(one => one.action.kind === 'message' || one.action.kind === 'edit')!
    return 'reply' in action ? action.reply : undefined
  }
  /** How the last line there is called by apps. */
  const named = (network: Practice, place: string): string => `${network.name}-${at(network, place).at(-1)!.key}`

  it('of the contact points at the answer, in all places of the team, and does not repeat it', async () => {
    await writes(blue, 'q1', 'Is it ready?')
    await reads(red, room, 'Max (blue): Is it ready?')
    await annaSays('!a Tomorrow at nine', { key: 'a1' })
    await reads(blue, chat, '*: Tomorrow at nine')
    const content = { style: 'text' as const, text: [{ kind: 'quote' as const, of: plain('Tomorrow at nine') }, ...plain('Not earlier?')] }
    await writes(blue, 'q2', '', { content, quoted: 1, replyTo: [named(blue, chat)] })
    await reads(red, room, 'Max (blue): Not earlier?')
    await reads(blue, room, 'Max (blue): Not earlier?')
    assert.deepEqual(replyAt(red, room), {
      said: { arrival: 'a1' }, by: { person: { network: 'red', id: '@anna' }, name: '@anna' }, text: 'Tomorrow at nine'
    })
    assert.equal(replyAt(blue, room)?.by.name, 'Anna (red)')
    assert.deepEqual(at(blue, room).at(-1)?.answered, [`blue-${at(blue, room).find(({ as }) => as?.name === 'Anna (red)')!.key}`])
  })

  it('of the team points at what the contact wrote, and says nothing of who answers', async () => {
    await writes(blue, 'q1', 'Is it ready?')
    await reads(red, room, 'Max (blue): Is it ready?')
    const line = named(red, room)
    await annaSays('Yes', { replyTo: [line] })
    await reads(blue, chat, '*: Yes')
    assert.deepEqual(replyAt(blue, chat), {
      said: { arrival: 'q1' }, by: { person: { network: 'blue', id: 'blue:max' }, name: 'Max' }, text: 'Is it ready?'
    })
    await reads(blue, room, 'Anna (red): Yes')
    assert.equal(replyAt(blue, room)?.by.name, 'Max (blue)')
  })

  it('to an answer is one to the address, in the words that the contact read', async () => {
    await writes(blue, 'q1', 'Is it ready?')
    await reads(red, room, 'Max (blue): Is it ready?')
    await annaSays('#1 !a Tomorrow at nine', { key: 'a1' })
    await reads(blue, chat, '*: Tomorrow at nine')
    const answer = at(blue, chat).at(-1)!.key
    await annaSays('Sorry, at ten', { key: 'a2', replyTo: ['a1'] })
    await reads(blue, chat, '*: Sorry, at ten')
    assert.deepEqual(replyAt(blue, chat), {
      said: { delivery: answer }, by: { person: { network: 'blue', id: 'werkstatt' }, name: 'Werkstatt' }, text: 'Tomorrow at nine', unquoted: true
    })
    await red.inbox.accept({
      kind: 'edit', key: 'e1', of: 'a2', place: { network: 'red', id: room }, at: 1, sender: { id: '@anna', name: 'Anna' },
      content: { style: 'text', text: plain('Sorry, at eleven') }
    })
    await reads(blue, chat, '*: Sorry, at eleven')
    assert.deepEqual(replyAt(blue, chat)?.said, { delivery: answer })
  })

  it('to a note, or to what is held, shows the contact nothing of it', async () => {
    await writes(blue, 'q1', 'Is it ready?')
    await reads(red, room, 'Max (blue): Is it ready?')
    await annaSays('!n he never pays', { key: 'n1' })
    await reads(blue, room, 'Anna (red): (note) he never pays')
    await annaSays('!a Tomorrow', { replyTo: ['n1'] })
    await reads(blue, chat, '*: Tomorrow')
    await reads(blue, room, 'Anna (red): Tomorrow')
    assert.equal(replyAt(blue, chat), undefined)
    assert.equal(replyAt(blue, room)?.text, 'he never pays')
    await blue.say(room, 'bernd', 'I would not', { key: 'h1' })
    await reads(red, room, 'Bernd (blue): (not sent) Bernd: I would not')
    await annaSays('!a Or the day after', { replyTo: [named(red, room)] })
    await reads(blue, chat, '*: Or the day after')
    assert.equal(replyAt(blue, chat), undefined)
  })

  it('in the inbox room to the last message says only which case is meant', async () => {
    await writes(blue, 'q1', 'Is it ready?')
    await reads(red, inbox, '*: #1 Max (blue) · 🔴 new: “Is it ready?”')
    await reads(red, room, 'Max (blue): Is it ready?')
    await writes(blue, 'q2', 'And what does it cost?')
    await reads(red, room, 'Max (blue): And what does it cost?')
    await red.say(inbox, '@anna', 'Fifty', { replyTo: [named(red, inbox)] })
    await reads(blue, chat, '*: Fifty')
    assert.equal(replyAt(blue, chat), undefined)
  })

  it('to an answer that never reached the contact tells them nothing of it', async () => {
    await writes(blue, 'q1', 'Is it ready?')
    await reads(red, room, 'Max (blue): Is it ready?')
    blue.onSend = ({ place }) => { if (place.id === chat) throw new Refused('it cannot be sealed') }
    await annaSays('!a The code is 4711', { key: 'a1' })
    await until(() => at(red, room).some(({ action }) => action.kind === 'message' && toPlain(action.content.text).includes('4711')), 'the failure')
    blue.onSend = () => {}
    await annaSays('!a Yes', { key: 'a2', replyTo: ['a1'] })
    await reads(blue, chat, '*: Yes')
    await red.inbox.accept({
      kind: 'edit', key: 'e1', of: 'a2', place: { network: 'red', id: room }, at: 1, sender: { id: '@anna', name: 'Anna' },
      content: { style: 'text', text: plain('Yes, today') }
    })
    await reads(blue, chat, '*: Yes, today')
  })

  it('to a phone quotes what it answers, unless that is the last message from there', async () => {
    await writes(phone, 'q1', 'Is my bike ready?')
    await reads(red, room, 'Max (phone): Is my bike ready?')
    const first = named(red, room)
    await annaSays('Yes', { replyTo: [first] })
    await reads(phone, thread, '*: Yes')
    await writes(phone, 'q2', 'What does it cost?')
    await reads(red, room, 'Max (phone): What does it cost?')
    await annaSays('Since noon', { replyTo: [first] })
    await reads(phone, thread, '*: Re "Is my bike ready?": Since noon')
  })
})
