import assert from 'node:assert/strict'
import { plain } from '../../../src/model/text'
import { addressOn, agent } from '../../support/address'
import { makePractice, until, type Practice } from '../../support/practice'
import { mirrorOf, startBridge, type Started } from '../../support/started'

const TOLD = '*: Not passed on: this message was deleted. Please write the text again.'

const UNKNOWN = '*: Not passed on: Zentrale does not know (any more) which message is to be deleted here. It may still stand elsewhere.'

describe('a correction of what was taken back', () => {
  let red: Practice, blue: Practice, phone: Practice
  let started: Started

  beforeEach(async () => {
    [red, blue, phone] = [makePractice('red'), makePractice('blue'), makePractice('phone', { ghosts: false, edits: false, deletions: false })]
    const mirrors = [mirrorOf(['red', 'hall'], ['blue', 'hall'], ['phone', 'us/max', { max: 'Max' }])]
    started = await startBridge([red, blue, phone], mirrors, { addresses: [addressOn(['red', 'blue'], [agent('Anna', 'red @anna')])] })
  })
  afterEach(async () => {
    await started.stop()
    assert.deepEqual(started.bugs, [])
  })

  const settled = (): Promise<void> => until(async () => (await started.store.run(tx => tx.depth())).length === 0, 'all delivered')
  const changes = (id: string, by: string) => {
    const base = { place: { network: 'red', id }, at: 1, sender: { id: by, name: by } } as const
    return {
      edit: (key: string, of: string, text: string) =>
        red.inbox.accept({ ...base, kind: 'edit', key, of, content: { style: 'text', text: plain(text) } }),
      takesBack: (key: string, of: string) => red.inbox.accept({ ...base, kind: 'deletion', key, of })
    }
  }

  it('is carried nowhere, and its writer is told once', async () => {
    const { edit, takesBack } = changes('hall', 'anna')
    await red.say('hall', 'anna', 'one', { key: 'm' })
    await takesBack('d', 'm')
    await settled()
    const before = [blue.delivered.length, phone.delivered.length]
    for (const text of ['two', 'three', 'four']) assert.equal(await edit(text, 'm', text), text === 'two' ? 'stored' : 'seen')
    await settled()
    assert.deepEqual([blue.delivered.length, phone.delivered.length], before)
    assert.deepEqual(red.read('hall').filter(line => !line.includes('Deleted here')), [TOLD])
  })

  it('is told to a contact and to the team too', async () => {
    const eva = 'werkstatt/red:eva'
    await red.say(eva, 'red:eva', 'one', { direct: true, to: 'werkstatt', key: 'm', sender: { id: 'red:eva', name: 'Eva' } })
    await red.say('werkstatt-1', '@anna', 'yes', { key: 'a' })
    for (const [place, by, of] of [[eva, 'red:eva', 'm'], ['werkstatt-1', '@anna', 'a']] as const) {
      const { edit, takesBack } = changes(place, by)
      await takesBack(`d${of}`, of)
      await settled()
      const before = red.delivered.length
      await edit(`e${of}`, of, 'two')
      await settled()
      assert.deepEqual(red.delivered.slice(before).map(({ place, action }) => [place.id, action.kind]), [[place, 'message']])
      assert.equal(red.read(place).at(-1), TOLD)
    }
  })

  it('says nothing of a message that was taken back before it came, nor if somebody else corrects or took back', async () => {
    const { edit, takesBack } = changes('hall', 'carla')
    await takesBack('d1', 'm1')
    await red.say('hall', 'carla', 'one', { key: 'm1' })
    await edit('e1', 'm1', 'two')
    await red.say('hall', 'carla', 'three', { key: 'm2' })
    await changes('hall', 'eva').takesBack('d2', 'm2')
    await edit('e2', 'm2', 'four')
    await takesBack('d3', 'm2')
    await changes('hall', 'eva').edit('e3', 'm2', 'five')
    await settled()
    assert.deepEqual(blue.read('hall'), ['carla (red): three', 'carla (red): four', 'carla (red): (deleted)'])
    assert.deepEqual(red.read('hall').filter(line => line === TOLD), [])
  })

  it('and what takes back a message that cannot be told any more is told: in a room, to a contact, and to somebody of a team', async () => {
    const eva = 'werkstatt/red:eva'
    await red.say(eva, 'red:eva', 'one', { direct: true, to: 'werkstatt', key: 'm', sender: { id: 'red:eva', name: 'Eva' } })
    await settled()
    const unknown = (key: string, id: string, by: string) => red.inbox.accept({
      kind: 'deletion', key, of: `${key}/of`, unknown: true, place: { network: 'red', id }, at: 1, sender: { id: by, name: by }
    })
    for (const [id, by] of [['hall', 'anna'], [eva, 'red:eva'], ['werkstatt-1', '@anna']] as const) {
      const before = [red, blue, phone].map(({ delivered }) => delivered.length)
      assert.deepEqual([await unknown(`d ${id}`, id, by), await unknown(`d ${id}`, id, by)], ['stored', 'seen'])
      await settled()
      assert.deepEqual([red, blue, phone].map(({ delivered }, index) => delivered.length - before[index]!), [1, 0, 0])
      assert.equal(red.read(id).at(-1), UNKNOWN)
    }
    await red.say(eva, 'red:eva', 'STOP', { direct: true, to: 'werkstatt', key: 'stop', sender: { id: 'red:eva', name: 'Eva' } })
    await settled()
    const before = red.delivered.length
    await unknown('after STOP', eva, 'red:eva')
    await unknown('nowhere', 'garden', 'red:eva')
    await unknown('a stranger', 'werkstatt/red:max', 'red:max')
    await settled()
    assert.equal(red.delivered.length, before)
  })
})
