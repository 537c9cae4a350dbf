import assert from 'node:assert/strict'
import { plain, toPlain } from '../../../src/model/text'
import { addressOn, agent } from '../../support/address'
import { makePractice, until, type Practice } from '../../support/practice'
import { skippingClock } from '../../support/quick'
import { startBridge, type Started } from '../../support/started'

describe('what was taken back', () => {
  let red: Practice, blue: Practice
  let started: Started
  const [room, eva] = ['werkstatt-1', 'werkstatt/red:eva']
  const evas = { place: { network: 'red', id: eva }, at: 1, sender: { id: 'red:eva', name: 'Eva' } } as const
  const annas = { place: { network: 'red', id: room }, at: 1, sender: { id: '@anna', name: 'anna' } } as const
  const SECRET = 'My PIN is 4711'

  beforeEach(async () => {
    [red, blue] = [makePractice('red'), makePractice('blue')]
    const team = [agent('Anna', 'red @anna'), agent('Bernd', 'blue bernd')]
    const other = { ...addressOn(['red', 'blue'], [agent('Dora', 'blue dora')]), name: 'verkauf', slug: 'verkauf',
      profile: { name: 'Verkauf', about: '' }, identities: [{ network: 'red', id: 'verkauf' }] }
    started = await startBridge([red, blue], [], { addresses: [addressOn(['red', 'blue'], team), other], clock: skippingClock() })
  })
  afterEach(async () => {
    await started.stop()
    assert.deepEqual(started.bugs, [])
  })

  const writes = (key: string, text: string) => red.say(eva, 'red:eva', text, { direct: true, to: 'werkstatt', key, sender: evas.sender })
  const takesBack = (key: string, of: string) => red.inbox.accept({ ...evas, kind: 'deletion', key, of })
  const anna = (text: string, key?: string) => red.say(room, '@anna', text, key === undefined ? {} : { key })
  const settled = (): Promise<void> =>
    until(async () => (await started.store.run(tx => tx.depth())).length === 0, 'all delivered')

  /** What of the secret is still to be read, and where. */
  const leftOf = (...places: Practice[]): string[] => {
    const shown = new Map<string, string>()
    for (const { key, action, place } of places.flatMap(({ delivered }) => delivered)) {
      if (action.kind === 'deletion') shown.delete(action.of)
      else if ('content' in action) {
        shown.set(action.kind === 'edit' ? action.of : key, `${place.network} ${place.id} ${toPlain(action.content.text)}`)
      }
    }
    return [...shown.values()].filter(text => /4711/.test(text))
  }

  it('goes from all that announced the case: before it was free again, and before another team had it', async () => {
    await writes('e1', SECRET)
    await settled()
    await anna('!take')
    await settled()
    await anna('!release')
    await settled()
    await anna('!assign verkauf')
    await settled()
    assert.ok(leftOf(red, blue).filter(line => /werkstatt-queue/.test(line)).length >= 4, 'it was told twice on both sides')
    assert.ok(leftOf(blue).some(line => line.includes('verkauf-queue')))
    await takesBack('e2', 'e1')
    await settled()
    assert.deepEqual(leftOf(red, blue).filter(line => /-queue/.test(line)), [])
  })

  it('is in no history for a team that gets the case, and in nothing that is looked for', async () => {
    await writes('e1', SECRET)
    await writes('e2', 'Hello?')
    await red.inbox.accept({ ...evas, kind: 'edit', key: 'e3', of: 'e1', content: { style: 'text', text: plain('My PIN is not 4711') } })
    await anna('Is it 4711?', 'a1')
    await anna('!project 2024')
    await settled()
    await takesBack('e4', 'e1')
    await red.inbox.accept({ ...annas, kind: 'deletion', key: 'a2', of: 'a1' })
    await settled()
    const before = [red.delivered.length, blue.delivered.length] as const
    for (const command of ['!search 4711', '!project? 2024', '!release', '!assign verkauf']) await anna(command)
    await until(() => blue.read('verkauf-1').some(line => /Hello\?/.test(line)))
    await settled()
    const since = [...red.delivered.slice(before[0]), ...blue.delivered.slice(before[1])]
    assert.doesNotMatch(JSON.stringify(since), /4711/)
    assert.match(JSON.stringify(since), /Nothing found\./)
  })

  it('is in no answer that went out late by a command, if its writer takes that back', async () => {
    await writes('e1', 'Hello?')
    await settled()
    await blue.say(room, 'bernd', '!take')
    await anna('It is 4711', 'a1')
    await anna('!send', 'a2')
    await settled()
    assert.ok(red.read(eva).includes('*: It is 4711'))
    await red.inbox.accept({ ...annas, kind: 'deletion', key: 'a3', of: 'a1' })
    await settled()
    const before = red.delivered.length
    await anna('!search 4711')
    await settled()
    assert.doesNotMatch(JSON.stringify(red.delivered.slice(before)), /4711/)
  })

  it('goes from a direct chat that has it twice: as what was said, and as what announced the case', async () => {
    const direct = { ...addressOn(['red', 'blue'], [{ ...agent('Dora', 'blue dora'), direct: true }]), name: 'buero', slug: 'buero',
      profile: { name: 'Büro', about: '' }, identities: [{ network: 'red', id: 'buero' }, { network: 'blue', id: 'buero' }] }
    await started.stop()
    started = await startBridge([red, blue], [], { addresses: [direct], clock: skippingClock() })
    const chat = { ...evas, place: { network: 'red', id: 'buero/red:eva' } }
    await red.say(chat.place.id, 'red:eva', SECRET, { direct: true, to: 'buero', key: 'e1', sender: evas.sender })
    await settled()
    assert.equal(leftOf(blue).length, 2)
    await red.inbox.accept({ ...chat, kind: 'deletion', key: 'e2', of: 'e1' })
    await settled()
    assert.deepEqual(leftOf(blue), [])
  })

  it('is no file that its link still opens', async () => {
    Object.assign(blue.can, { files: 'link' })
    const file = { kind: 'image', name: 'pin.jpg', mime: 'image/jpeg', at: { network: 'red', ref: 'f' } } as const
    await red.say(eva, 'red:eva', '', { direct: true, to: 'werkstatt', key: 'e1', sender: evas.sender, content: { style: 'text', text: [], file } })
    await settled()
    const url = blue.delivered.map(({ action }) => 'content' in action ? action.content.file?.url : undefined).find(one => one !== undefined)!
    const token = /media\/([^/]+)/.exec(url)![1]!
    const opens = () => started.store.run(tx => tx.linked(token, 0))
    assert.equal((await opens())?.name, 'pin.jpg')
    await takesBack('e2', 'e1')
    assert.equal(await opens(), undefined)
  })
})
