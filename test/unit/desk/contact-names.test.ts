import assert from 'node:assert/strict'
import type { FunctionAddress } from '../../../src/desk/address'
import type { Sender } from '../../../src/model/message'
import { addressOn, agent } from '../../support/address'
import { makePractice, until, type Practice } from '../../support/practice'
import { startBridge, type Started } from '../../support/started'

describe('what contacts are called', () => {
  let red: Practice, phone: Practice
  let started: Started
  const PHONE = { ghosts: false, formatting: false, files: 'text', edits: false, deletions: false, afterCrash: 'park' } as const
  const NUMBER = 'phone:+491701234577'
  const MAX = { name: 'Max', nameless: false }
  const chat = `werkstatt/${NUMBER}`
  const room = 'werkstatt-1'

  const start = async (more: Partial<FunctionAddress> = {}): Promise<void> => {
    [red, phone] = [makePractice('red'), makePractice('phone', PHONE)]
    started = await startBridge([red, phone], [], { addresses: [addressOn(['red', 'phone'], [agent('Anna', 'red @anna')], more)] })
  }
  afterEach(async () => {
    await started.stop()
    assert.deepEqual(started.bugs, [])
  })

  const writes = (text: string, sender: Partial<Sender> = {}) => phone.say(chat, NUMBER, text, {
    direct: true, to: 'werkstatt', sender: { id: NUMBER, name: '+49…77', nameless: true, ...sender }
  })
  const reads = (where: Practice, place: string, line: string): Promise<void> =>
    until(() => where.read(place).includes(line), `“${line}” at ${place}, where there is ${JSON.stringify(where.read(place))}`)

  it('puts no address and no masked number into what they read', async () => {
    await start({ automatic: { greeting: 'Good day {name}, welcome.' }, texts: { offer: { text: '{contact.name}, your offer is ready.' } } })
    await writes('Hello?')
    await reads(phone, chat, '*: Good day, welcome.')
    await red.say(room, '@anna', '!t offer')
    await reads(phone, chat, '*: your offer is ready.')
  })

  it('shows the team the whole address of who has no name, and names those who have one', async () => {
    await start({ automatic: { greeting: 'Good day {name}, welcome.' } })
    await writes('Hello?')
    await reads(red, room, `*: [🔴 new · ${NUMBER} (phone)]`)
    await reads(red, room, `${NUMBER} (phone): Hello?`)
    await red.say(room, '@anna', '!status')
    await until(() => red.read(room).some(line => line.includes(`· ${NUMBER} (phone) ·`)))
    await writes('It is me', MAX)
    await reads(red, room, '*: [🔴 new · Max (phone)]')
    await red.say(room, '@anna', '!status')
    await until(() => red.read(room).some(line => line.includes(`· Max, ${NUMBER} (phone) ·`)), 'whom they write to, in full')
    assert.ok(red.delivered.every(({ as, action }) => !JSON.stringify([as, action]).includes('+49…77')))
  })

  it('shows no name that forges a line or turns what stands behind it around', async () => {
    await start()
    await writes('Hello?', { name: 'Max\n#2 🔴 new · Eva\u202e\u2066', nameless: false })
    await red.say('werkstatt-queue', '@anna', '!list')
    await until(() => red.read('werkstatt-queue').some(line => line.includes('since')))
    const shown = JSON.stringify(red.delivered.map(({ as, action }) => [as?.name, action]))
    assert.doesNotMatch(shown, /Max\\n|\u202e|\u2066/)
    const list = red.read('werkstatt-queue').find(line => line.includes('since'))
    assert.equal(list?.split('\n').length, 1)
  })
})
