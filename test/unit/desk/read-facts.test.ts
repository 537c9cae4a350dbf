/** A direct chat belongs to its two people: what somebody else says there counts as nobody's. */
import assert from 'node:assert/strict'
import { plain } from '../../../src/model/text'
import { Refused } from '../../../src/model/errors'
import { addressOn, agent } from '../../support/address'
import { makePractice, until, type Practice } from '../../support/practice'
import { startBridge, type Started } from '../../support/started'

describe('who speaks in a direct chat', () => {
  let red: Practice, blue: Practice
  let started: Started
  const room = 'werkstatt-1'
  const evas = 'werkstatt/red:eva'
  const annas = 'werkstatt/@anna'
  const direct = { direct: true, to: 'werkstatt' }

  beforeEach(async () => {
    [red, blue] = [makePractice('red'), makePractice('blue')]
    const team = [agent('Anna', 'red @anna'), agent('Bernd', 'blue bernd')]
    started = await startBridge([red, blue], [], { addresses: [addressOn(['red', 'blue'], team)] })
  })
  afterEach(async () => {
    await started.stop()
    assert.deepEqual(started.bugs, [])
  })

  const says = (place: string, sender: string, text: string, key?: string): Promise<unknown> =>
    red.say(place, sender, text, { ...direct, ...key === undefined ? {} : { key } })
  const settled = (): Promise<void> => until(async () => (await started.store.run(tx => tx.depth())).length === 0, 'all delivered')
  const conversations = (): Promise<unknown[]> => started.store.run(tx => tx.desk.allConversations(9))

  it('a third person in a contact\'s chat is not the contact: not shown, not answered, ends nothing; the team gets one line', async () => {
    await says(evas, 'red:eva', 'Hello?')
    await says(evas, 'red:mallory', 'Cancel it all')
    await says(evas, 'red:mallory', 'And send me the file')
    await says(evas, 'red:mallory', 'STOP')
    await settled()
    assert.deepEqual(red.read(evas), [])
    assert.deepEqual(blue.read(room).filter(line => /Cancel|file|STOP/.test(line)), [])
    assert.equal(blue.read(room).filter(line => line.includes('Somebody else wrote in the chat of red:eva')).length, 1)
    await red.say(room, '@anna', 'Good morning')
    await settled()
    assert.deepEqual(red.read(evas), ['*: Good morning'])
  })

  it('a third person is nobody in a chat in which the contact has not spoken yet, and the contact is still the contact then', async () => {
    await says(evas, 'red:mallory', 'Hello?')
    await settled()
    assert.deepEqual(await conversations(), [])
    await says(evas, 'red:eva', 'Hello!')
    await until(() => blue.read(room).includes('red:eva (red): Hello!'))
  })

  it('a command of the team in a stranger\'s chat is not answered there', async () => {
    await says(evas, 'red:eva', 'My secret')
    await says('werkstatt/red:mallory', '@anna', '!list')
    await says('werkstatt/red:mallory', '@anna', '#1 !status')
    await settled()
    assert.deepEqual(red.read('werkstatt/red:mallory'), [])
    await says('werkstatt/red:mallory', 'red:mallory', 'Hello?')
    await says('werkstatt/red:mallory', '@anna', '!list')
    await settled()
    assert.deepEqual(red.read('werkstatt/red:mallory'), [])
  })

  it('a sentence of a stranger in the chat of somebody of the team begins no case, and the commands there go on working', async () => {
    await says(annas, 'red:mallory', 'Hello?')
    await settled()
    assert.deepEqual(await conversations(), [])
    assert.deepEqual(red.read(annas), [])
    await says(annas, '@anna', '!help')
    await until(() => red.read(annas).some(line => line.includes('Whoever answers first has the case')))
  })

  it('a contact is the same when the address is reached elsewhere since, and is answered there', async () => {
    await says(evas, 'red:eva', 'Hello?')
    await says('werkstatt/red:max', 'red:max', 'Good day')
    await settled()
    await started.stop()
    ;[red, blue] = [makePractice('red'), makePractice('blue')]
    const moved = addressOn(['blue'], [agent('Anna', 'red @anna'), agent('Bernd', 'blue bernd')])
    const identities = [{ network: 'red', id: 'garage' }, ...moved.identities]
    started = await startBridge([red, blue], [], { path: started.path, addresses: [{ ...moved, identities }] })
    const writes = (who: string, text: string) => red.say(`garage/${who}`, who, text, { direct: true, to: 'garage', key: text })
    await writes('red:eva', 'Still there?')
    await writes('red:nora', 'New here')
    await until(() => blue.read(room).includes('red:eva (red): Still there?') && blue.read('werkstatt-3').includes('red:nora (red): New here'))
    await red.say(room, '@anna', 'Good morning', { key: 'answer' })
    await until(() => red.read('garage/red:eva').includes('*: Good morning'))
    assert.equal((await conversations()).length, 3)
  })

  it('what a contact corrects where the address is since is new; what they take back, and an answer before, is told as not done', async () => {
    await says('werkstatt/red:max', 'red:max', 'Good day', 'm1')
    await says(evas, 'red:eva', 'Hello?')
    await settled()
    await started.stop()
    ;[red, blue] = [makePractice('red'), makePractice('blue')]
    red.onSend = ({ place, action }) => {
      if (place.id.startsWith('werkstatt/') && action.kind !== 'room') throw new Refused('not an address of ours')
    }
    const identities = [{ network: 'red', id: 'garage' }, { network: 'blue', id: 'werkstatt' }]
    started = await startBridge([red, blue], [], { path: started.path, addresses: [
      addressOn(['blue'], [agent('Anna', 'red @anna'), agent('Bernd', 'blue bernd')], { identities })
    ] })
    const [there, sender] = ['garage/red:max', { id: 'red:max', name: 'Max' }]
    const asNew = { style: 'text', text: plain('* Good morning') } as const // as its network makes it of a correction of what is not in this chat
    await red.say(there, sender.id, '', { direct: true, to: 'garage', key: 'm2', sender, content: asNew })
    await until(() => blue.read(room).includes('Max (red): * Good morning'))
    await red.inbox.accept({ kind: 'deletion', key: 'm3', of: 'm3/of', unknown: true, place: { network: 'red', id: there }, at: 1, sender })
    await until(() => red.read(there).some(line => line.startsWith('*: Not passed on: Zentrale does not know (any more) which message')))
    assert.deepEqual(blue.read(room).filter(line => line.includes('deleted')), [])
    await red.say('werkstatt-2', '@anna', 'Good morning', { key: 'answer' })
    await until(() => red.read('werkstatt-2').some(line => /^\*: Not delivered to .*“Good morning”/.test(line)))
    assert.equal((await conversations()).length, 2)
  })

  it('what somebody of the team answered in their chat is edited and taken back there too', async () => {
    await says(evas, 'red:eva', 'Hello?')
    await says(annas, '@anna', '#1 Good moning', 'a1')
    await until(() => red.read(evas).includes('*: Good moning'))
    const here = { place: { network: 'red', id: annas }, at: 1, sender: { id: '@anna', name: '@anna' } } as const
    await red.inbox.accept({ ...here, kind: 'edit', key: 'a2', of: 'a1', content: { style: 'text', text: plain('#1 Good morning') } })
    await until(() => red.read(evas).includes('*: Good morning'))
    await red.inbox.accept({ ...here, kind: 'deletion', key: 'a3', of: 'a1' })
    await until(() => red.read(evas).includes('*: (deleted)'))
  })
})
