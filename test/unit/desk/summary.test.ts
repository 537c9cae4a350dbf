import assert from 'node:assert/strict'
import { plain, toPlain } from '../../../src/model/text'
import { addressOn, agent } from '../../support/address'
import { makePractice, until, type Practice } from '../../support/practice'
import { skippingClock } from '../../support/quick'
import { startBridge, type Started } from '../../support/started'

describe('what a team that gets a case was told', () => {
  let red: Practice, blue: Practice
  let started: Started
  let late = 0
  const [chat, before, behind] = ['werkstatt/red:eva', 'werkstatt-1', 'verkauf-1']
  const sender = { id: 'red:eva', name: 'Eva' }
  const evas = { place: { network: 'red', id: chat }, at: 1, sender } as const

  beforeEach(async () => {
    [red, blue] = [makePractice('red'), makePractice('blue')]
    late = 0
    const quick = skippingClock()
    const clock = { ...quick, now: () => quick.now() + late, tick: () => quick.tick() + late }
    const other = { ...addressOn(['red', 'blue'], [agent('Dora', 'blue dora'), { ...agent('Dirk', 'red @dirk'), direct: true }]),
      name: 'verkauf', slug: 'verkauf', profile: { name: 'Verkauf', about: '' }, identities: [{ network: 'red', id: 'verkauf' }] }
    const addresses = [addressOn(['red', 'blue'], [agent('Anna', 'red @anna'), agent('Bernd', 'blue bernd')]), other]
    started = await startBridge([red, blue], [], { addresses, clock })
  })
  afterEach(async () => {
    await started.stop()
    assert.deepEqual(started.bugs, [])
  })

  const settled = (): Promise<void> => until(async () => (await started.store.run(tx => tx.depth())).length === 0, 'all delivered')
  const writes = async (key: string, text: string): Promise<void> => {
    await red.say(chat, 'red:eva', text, { direct: true, to: 'werkstatt', key, sender })
    await settled()
  }
  const corrects = async (of: string, key: string, text: string): Promise<void> => {
    await red.inbox.accept({ ...evas, kind: 'edit', key, of, content: { style: 'text', text: plain(text) } })
    await settled()
  }
  const takesBack = async (of: string, key: string): Promise<void> => {
    await red.inbox.accept({ ...evas, kind: 'deletion', key, of })
    await settled()
  }
  const passesOn = async (to = 'verkauf'): Promise<void> => {
    await (to === 'verkauf' ? red.say(before, '@anna', `!assign ${to}`) : blue.say(behind, 'dora', `!assign ${to}`))
    await settled()
  }

  /** What is to be read at a place now of our own words, with what stands in their history. */
  const standing = (where: Practice, place: string): string[] => {
    const shown = new Map<string, string[]>()
    for (const { key, action, as } of where.delivered.filter(one => one.place.id === place && one.as === undefined)) {
      if (action.kind === 'deletion') shown.delete(action.of)
      else if (action.kind === 'message' && as === undefined) shown.set(key, [toPlain(action.content.text)])
      else if (action.kind === 'edit') shown.get(action.of)?.push(toPlain(action.content.text))
    }
    return [...shown.values()].map(texts => texts.join(' → '))
  }

  it('says each corrected message once, and changes with what the contact corrects later, in the same lines', async () => {
    await writes('e1', 'Hello?')
    await writes('e2', 'At nine')
    await corrects('e2', 'e3', 'At ten')
    await passesOn()
    await corrects('e2', 'e4', 'At eleven')
    await corrects('e2', 'e5', 'At noon')
    const lines = ['Eva: Hello?\nEva: At ten', 'Eva: Hello?\nEva: At eleven', 'Eva: Hello?\nEva: At noon']
    assert.deepEqual(standing(blue, behind), [lines.join(' → ')])
    assert.deepEqual(standing(red, 'verkauf/@dirk').slice(0, 1), [lines.map(text => `#1\n${text}`).join(' → ')])
    assert.ok(blue.read(behind).includes('Eva (red): * At noon'), 'an edit notifies nobody')
  })

  it('is said whole in several messages, if one cannot hold it, and they change with what the contact corrects or takes back', async () => {
    const long = (sign: string, bytes: number): string => `${sign.repeat(79)} `.repeat(bytes / 80)
    const parts = (where: Practice, place: string): string[] => standing(where, place).filter(text => text.length > 1000)
    await writes('e1', 'Hello?')
    await writes('e2', long('x', 24_000))
    await passesOn()
    assert.equal(parts(blue, behind).length, 3)
    assert.ok(parts(blue, behind).join('').length > 24_000, 'whole')
    assert.equal(parts(red, 'verkauf/@dirk').length, 3)
    await corrects('e2', 'e3', long('y', 24_000))
    assert.ok(parts(blue, behind).every(text => text.includes(' → ')), 'as edits')
    assert.equal(parts(blue, behind).length, 3)
    await corrects('e2', 'e4', long('z', 12_000))
    assert.equal(parts(blue, behind).length, 2)
    assert.doesNotMatch(standing(blue, behind).join(), /[xy]{9}/, 'said anew, and nothing is left of before')
    await takesBack('e2', 'e5')
    assert.deepEqual(standing(blue, behind), ['Eva: Hello?', 'Eva has taken back an earlier message.'])
    assert.ok(blue.delivered.every(({ action }) => !('content' in action) || toPlain(action.content.text).length <= 10_000))
  })

  it('stays where apps would show an edit as one more message; the team is told there too', async () => {
    blue.can.editsShownMs = 60_000
    await writes('e1', 'At nine')
    await passesOn()
    late = 60_001
    await corrects('e1', 'e2', 'At ten')
    assert.deepEqual(standing(blue, behind), ['Eva: At nine'])
    assert.ok(blue.read(behind).includes('Eva (red): * At ten'))
  })

  it('loses what the contact takes back, wherever the case went since, and its history too; the rest is told anew to who has the case', async () => {
    await writes('e1', 'My PIN is 4711')
    await writes('e2', 'Hello?')
    await passesOn()
    await passesOn('werkstatt')
    for (const [where, place] of [[blue, behind], [red, before], [blue, before]] as const) {
      assert.ok(standing(where, place).includes('Eva: My PIN is 4711\nEva: Hello?'))
    }
    await takesBack('e1', 'e3')
    assert.deepEqual(standing(blue, behind).filter(text => /4711|Hello/.test(text)), [])
    for (const where of [red, blue]) {
      assert.deepEqual(standing(where, before).filter(text => /4711|Hello/.test(text)), ['Eva: Hello?'])
    }
    await takesBack('e2', 'e4')
    for (const where of [red, blue]) assert.deepEqual(standing(where, before).filter(text => /4711|Hello/.test(text)), [])
  })

  it('stays where an app takes nothing back; the team is told there too', async () => {
    blue.can.deletions = false
    await writes('e1', 'My PIN is 4711')
    await passesOn()
    await takesBack('e1', 'e2')
    assert.deepEqual(standing(blue, behind), ['Eva: My PIN is 4711', 'Eva has taken back an earlier message.'])
  })
})
