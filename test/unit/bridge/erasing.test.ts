import assert from 'node:assert/strict'
import { existsSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import type { Receipt } from '../../../src/bridge/erasing'
import { Malformed, Refused, Unavailable } from '../../../src/model/errors'
import type { Person } from '../../../src/model/address'
import type { Action } from '../../../src/model/message'
import { plain, toPlain } from '../../../src/model/text'
import type { Store } from '../../../src/store/store'
import { addressOn, agent } from '../../support/address'
import type { Clock } from '../../../src/lib/clock'
import { skippingClock } from '../../support/quick'
import { temporaryFolder } from '../../support/folder'
import { makePractice, type Practice, until } from '../../support/practice'
import { mirrorOf, startBridge, type Started } from '../../support/started'

const EVA: Person = { network: 'red', id: 'red:eva' }
const PHONE: Person = { network: 'phone', id: '+491701234567' }
const OTHER = '+4917012345678' // begins like hers
const CANARIES = [EVA.id, 'Canary', 'Evchen']

describe('erasing a person', () => {
  let red: Practice, blue: Practice, phone: Practice
  let started: Started
  let path: string
  let killed: Store | undefined

  const start = async (around?: (store: Store) => Store, clock?: Clock, more: { membersMax?: number } = {}): Promise<void> => {
    [red, blue, phone] = [makePractice('red'), makePractice('blue'), makePractice('phone', { ghosts: false, deletions: false, edits: false })]
    started = await startBridge([red, blue, phone], [{ ...mirrorOf(['red', 'room'], ['blue', 'hall']), ...more }], {
      path, addresses: [addressOn(['red', 'phone'], [agent('Anna', 'blue @anna')])], ...around && { around }, ...clock && { clock }
    })
  }
  const direct = { direct: true, to: 'werkstatt' }
  const eva = (text: string) => red.say('werkstatt/red:eva', EVA.id, text, { ...direct, sender: { id: EVA.id, name: 'Evchen' } })
  const reads = (where: Practice, place: string, words: string): Promise<void> =>
    until(() => where.read(place).some(line => line.includes(words)), `“${words}” at ${place}: ${where.read(place).join(' | ')}`)

  const spoken = async (): Promise<void> => {
    await eva('Canary-1')
    await reads(blue, 'werkstatt-1', 'Canary-1')
    await blue.say('werkstatt-1', '@anna', 'Canary-answer')
    await blue.say('werkstatt-1', '@anna', '!n Canary-note')
    await reads(red, 'werkstatt/red:eva', 'Canary-answer')
    await red.say('room', EVA.id, 'Canary-room', { key: 'red-again', sender: { id: EVA.id, name: 'Evchen' } })
    await red.say('room', 'red:bob', 'Bob stays')
    await reads(blue, 'hall', 'Bob stays')
    await phone.say(`werkstatt/${PHONE.id}`, PHONE.id, 'Canary-phone', direct)
    await phone.say(`werkstatt/${OTHER}`, OTHER, 'Other stays', direct)
    await reads(blue, 'werkstatt-3', 'Other stays')
    await red.say('werkstatt/red:eva', 'red:third', 'Canary-third', direct)
    await red.inbox.quarantine('red', `{"sender":"${EVA.id}","body":"Canary-q"}`, new Malformed('no'))
  }
  const bytes = (): string => ['', '-wal'].map(end => path + end).filter(existsSync).map(file => readFileSync(file, 'latin1')).join('')
  const erased = async (id: string): Promise<Receipt> => {
    await until(async () => await started.bridge.erasing.receipt(id) !== undefined, 'the receipt')
    await started.store.compact() // it is written before the file is
    return (await started.bridge.erasing.receipt(id))!
  }
  const isClean = (): void => {
    const found = bytes()
    for (const canary of CANARIES) assert.ok(!found.includes(canary), `${canary} is still there`)
    assert.equal(found.replaceAll(OTHER, '').includes(PHONE.id), false, 'the number is still there')
    for (const other of ['Bob stays', 'Other stays', OTHER]) assert.ok(found.includes(other), `${other} is gone`)
  }

  beforeEach(async () => {
    path = join(temporaryFolder(), 'zentrale.db')
    killed = undefined
    await start()
  })
  afterEach(async () => {
    await killed?.close()
    await started.stop()
    assert.deepEqual(started.bugs, [])
  })

  it('leaves nothing of them in the file of the store and its log, and all of the others', async () => {
    await spoken()
    assert.ok(CANARIES.every(canary => bytes().includes(canary)))
    const receipt = await erased(await started.bridge.erasing.erase([EVA, PHONE]))
    isClean()
    assert.deepEqual([receipt.conversations, receipt.quarantine], [2, 1])
    assert.ok(receipt.messages >= 5)
    assert.doesNotMatch(JSON.stringify(receipt), /eva|4917|Canary/i)
  })

  it('takes back what was said, where that can be done, and says why the rest was not', async () => {
    await spoken()
    blue.onSend = ({ action }) => { if (action.kind === 'removal') throw new Refused('no power here') }
    const { takenBack, unreached } = await erased(await started.bridge.erasing.erase([EVA]))
    const deletions = [...red.delivered, ...blue.delivered].filter(({ action }) => action.kind === 'deletion' || action.kind === 'removal')
    assert.equal(takenBack, deletions.length)
    assert.ok(blue.delivered.some(({ place, action, as }) => place.id === 'hall' && action.kind === 'deletion' && as?.person.id === EVA.id))
    assert.ok(red.delivered.some(({ place, action }) => place.id === 'room' && action.kind === 'removal'))
    assert.ok(unreached.some(line => /^(1 message|[2-9] messages) on blue could not be taken back: no power here$/.test(line)), unreached.join('\n'))
  })

  it('takes back with each message its edits, for good', async () => {
    const edit = (of: string, key: string) => red.inbox.accept({
      kind: 'edit', key, of, place: { network: 'red', id: 'room' }, at: Date.now(), sender: { id: EVA.id, name: 'Evchen' },
      content: { style: 'text', text: plain(`Canary-${key}`) }
    })
    await spoken()
    await edit('red-again', 'red-e1')
    await edit('red-again', 'red-e2')
    await until(() => blue.read('hall').some(line => line.includes('Canary-red-e2')), 'the second edit')
    const { takenBack } = await erased(await started.bridge.erasing.erase([EVA, PHONE]))
    const gone = blue.delivered.filter(({ place, action }) => place.id === 'hall' && action.kind === 'deletion')
    const said = (kind: string) => blue.delivered.filter(({ place, action, as }) =>
      place.id === 'hall' && action.kind === kind && as?.person.id === EVA.id).map(({ key }) => key)
    assert.deepEqual(gone.map(({ action, edits }) => [action.kind === 'deletion' && [action.of, action.edits], edits?.length]),
      said('message').map(key => [[key, said('edit')], 2]))
    assert.equal(said('edit').length, 2)
    assert.ok(takenBack > 0)
  })

  it('leaves nothing of what the team did with their case, wherever it did that', async () => {
    await spoken()
    await blue.say('werkstatt-1', '@anna', 'Canary-wrong', { key: 'blue-n1' })
    await reads(red, 'werkstatt/red:eva', 'Canary-wrong')
    await blue.inbox.accept({
      kind: 'edit', key: 'blue-e1', of: 'blue-n1', place: { network: 'blue', id: 'werkstatt-1' }, at: Date.now(),
      sender: { id: '@anna', name: '@anna' }, content: { style: 'text', text: plain('Canary-right') }
    })
    await reads(red, 'werkstatt/red:eva', 'Canary-right')
    await blue.say('werkstatt-1', '@anna', '!label vip')
    await blue.say('werkstatt-1', '@anna', '!wait until tomorrow Canary-unknown')
    for (const command of ['!list', '!search Canary', '#1 !status']) await blue.say('werkstatt-3', '@anna', command)
    await reads(blue, 'werkstatt-3', 'Evchen, red:eva')
    await blue.say('werkstatt-queue', '@anna', '!list')
    await erased(await started.bridge.erasing.erase([EVA, PHONE]))
    isClean()
  })

  it('names what stays on networks to which their words were carried, although they were never there', async () => {
    blue.remains = () => ['blue keeps its archive']
    await red.say('room', 'red:bob', 'Canary-room')
    await reads(blue, 'hall', 'Canary-room')
    const { unreached } = await erased(await started.bridge.erasing.erase([{ network: 'red', id: 'red:bob' }]))
    assert.ok(unreached.includes('blue keeps its archive'), unreached.join('\n'))
    assert.ok(unreached.some(line => line.startsWith('Their reactions and votes stay')))
  })

  it('leaves the lines about others who wrote of them, or that hold a word by which they are called', async () => {
    await red.say('werkstatt/red:eva', EVA.id, 'Canary-1', { ...direct, sender: { id: EVA.id, name: 'new' } })
    await reads(blue, 'werkstatt-1', 'Canary-1')
    await phone.say(`werkstatt/${OTHER}`, OTHER, 'Is red:eva with you?', direct)
    const mine = (line: { place: { id: string }, action: Action }): boolean => line.place.id === 'werkstatt-queue' && line.action.kind === 'message'
    await until(() => blue.delivered.filter(mine).length === 2, 'both are announced')
    const [, announced] = blue.delivered.filter(mine)
    assert.match(announced!.action.kind === 'message' ? toPlain(announced!.action.content.text) : '', /new/)
    await erased(await started.bridge.erasing.erase([EVA]))
    const takenBack = blue.delivered.flatMap(({ action }) => action.kind === 'deletion' ? [action.of] : [])
    assert.ok(takenBack.length > 0 && !takenBack.includes(announced!.key))
    await blue.say('werkstatt-2', '@anna', 'No')
    await until(() => blue.delivered.some(({ action }) => action.kind === 'edit' && action.of === announced!.key), 'it shows who has it')
  })

  it('leaves nothing of what moderators have removed, in whose place their ghost took it back', async () => {
    await spoken()
    await until(() => blue.read('hall').some(line => line.includes('Canary-room')), 'it is said')
    await red.inbox.accept({
      kind: 'deletion', key: 'red-moderated', place: { network: 'red', id: 'room' }, at: Date.now(), sender: { id: 'red:room', name: 'Room' },
      of: 'red-again', named: 'red-again', moderated: true
    })
    await until(() => blue.delivered.some(({ place, action }) => place.id === 'hall' && action.kind === 'deletion'), 'it is taken back')
    await erased(await started.bridge.erasing.erase([EVA, PHONE]))
    isClean()
  })

  it('erases what they write while they are erased, or takes it as somebody new\'s', async () => {
    await spoken()
    let left = 20
    let more: Promise<void> | undefined
    const writes = async (): Promise<void> => { while (left-- > 0) await eva(`Canary-late-${left}`) }
    blue.onSend = ({ action }) => { if (action.kind === 'deletion') more ??= writes() }
    await erased(await started.bridge.erasing.erase([EVA, PHONE]))
    await more
    await until(() => started.store.run(async tx => (await tx.open()).length === 0), 'all is delivered')
    const kept = (await started.store.run(tx => tx.person.about(EVA)))
    const numbers = new Set(kept.conversations.map(({ id }) => id))
    assert.ok(kept.entries.every(({ conversation }) => numbers.has(conversation)))
    assert.equal(kept.arrivals.filter(({ how }) => how === 'said').length, kept.entries.filter(({ kind }) => kind === 'contact').length)
    assert.ok(!bytes().includes('Canary-1') && !numbers.has(1))
  })

  it('ends although they write without a pause, and says what came meanwhile', async () => {
    const clock = skippingClock()
    await started.stop()
    await start(undefined, clock)
    await spoken()
    blue.onSend = ({ action }) => { // one is always under way
      if (action.kind !== 'message') return
      clock.skip(120_000)
      void eva('Canary-late').catch(() => {})
      return new Promise(resolve => setImmediate(resolve))
    }
    void eva('Canary-late')
    const { unreached } = await erased(await started.bridge.erasing.erase([EVA]))
    blue.onSend = () => {}
    assert.match(unreached[0]!, /^\d+ messages that they wrote while this was done were still under way in the end\./)
    assert.ok(!bytes().includes('Canary-1'))
  })

  it('knows what was erased when its network brings it again', async () => {
    await spoken()
    await erased(await started.bridge.erasing.erase([EVA, PHONE]))
    assert.equal(await red.say('room', EVA.id, 'Canary-room', { key: 'red-again' }), 'seen')
    isClean()
  })

  it('is not kept from ending by a network that is down, and says what it left', async () => {
    await spoken()
    blue.forget = async () => { throw new Unavailable('down') }
    const { unreached } = await erased(await started.bridge.erasing.erase([EVA]))
    assert.ok(unreached.some(line => /^\d chats or rooms on blue are not left yet/.test(line)), unreached.join('\n'))
    assert.ok(!bytes().includes('Canary-1'))
  })

  it('has those who stand for them leave, though they are still in a mirrored room, and says so', async () => {
    await started.stop()
    await start(undefined, undefined, { membersMax: 10 })
    const asked: Person[][] = []
    red.eraseGhosts = async persons => { asked.push(persons); return [] }
    blue.eraseGhosts = async persons => { asked.push(persons); return ['a name on blue stays'] }
    const members = [{ id: 'red:bob', name: 'Bob' }, { id: EVA.id, name: 'Evchen' }]
    red.inbox.members({ network: 'red', id: 'room' }, { kind: 'all', members, others: 'left' })
    await until(() => blue.there('hall').length === 2, 'both')
    const { unreached } = await erased(await started.bridge.erasing.erase([EVA]))
    assert.deepEqual(asked, [[], [EVA]])
    assert.ok(unreached.includes('a name on blue stays'))
    assert.ok(unreached.some(line => /^They are still in 1 rooms that Zentrale mirrors\./.test(line)), unreached.join('\n'))
    red.inbox.members({ network: 'red', id: 'room' }, { kind: 'came', member: { id: 'red:max', name: 'red:max' } })
    await until(() => blue.there('hall').some(name => name.startsWith('red:max')), 'max')
    assert.ok(!blue.there('hall').some(name => name.includes('Evchen')))
  })

  it('keeps whose ghosts they are while these cannot be reached, and says so', async () => {
    await spoken()
    blue.eraseGhosts = async () => { throw new Unavailable('down') }
    await started.store.run(tx => tx.remember('blue', `in hall ghost-of ${EVA.id}`, '1'))
    const { unreached } = await erased(await started.bridge.erasing.erase([EVA]))
    assert.ok(unreached.some(line => /^Users that stood for them on blue may still show .*: down\..*erase them again then\.$/.test(line)))
    assert.equal((await started.store.run(tx => tx.remembered('blue'))).length, 1)
    delete blue.eraseGhosts
    await erased(await started.bridge.erasing.erase([EVA]))
    assert.deepEqual(await started.store.run(tx => tx.remembered('blue')), [])
  })

  it('knows them as somebody new when they write again', async () => {
    await spoken()
    await erased(await started.bridge.erasing.erase([EVA]))
    await eva('Guten Tag')
    await reads(blue, 'werkstatt-4', 'Guten Tag')
  })

  it('ends what waits for them, and keeps only that they said STOP', async () => {
    await phone.say(`werkstatt/${PHONE.id}`, PHONE.id, 'Canary-phone', direct)
    await reads(blue, 'werkstatt-1', 'Canary-phone')
    await phone.say(`werkstatt/${PHONE.id}`, PHONE.id, 'STOP', direct)
    const { unreached } = await erased(await started.bridge.erasing.erase([PHONE]))
    assert.ok(unreached.some(line => line.startsWith('That they said STOP is kept')))
    assert.deepEqual(await started.store.run(tx => tx.blocked()), [`phone ${PHONE.id}`])
    assert.ok(!bytes().includes('Canary'))
  })

  it('refuses somebody of a team, addresses of ours, ghosts and rooms, and says whom to name', async () => {
    const refused = (network: string, id: string, why: RegExp): Promise<void> =>
      assert.rejects(started.bridge.erasing.erase([EVA, { network, id }]), why)
    await refused('blue', '@anna', /@anna is somebody of the team of werkstatt\. Take them out/)
    await refused('red', 'werkstatt', /werkstatt is an address of Zentrale's own/)
    await refused('red', 'red:oursbot', /red:oursbot is an address of Zentrale's own/)
    await refused('blue', 'blue:ours red red:eva', /speaks for somebody on another network\. Write their own address: red:eva$/)
    await refused('red', 'room', /room is a room/)
    assert.deepEqual(await started.store.run(tx => tx.remembered('erasing')), [])
  })

  it('goes on after a crash, wherever it came', async () => {
    for (const jobs of [1, 2, 4, 8, 12, 16, 20, 24, 28, 32]) {
      await started.stop()
      path = join(temporaryFolder(), 'zentrale.db')
      let left = Infinity
      let real: Store | undefined
      await start(store => {
        real = store
        return { ...store, run: (...given) => left-- > 0 ? store.run(...given) : new Promise(() => {}), compact: () => new Promise(() => {}) }
      })
      await spoken()
      left = jobs
      let id: string | undefined
      void started.bridge.erasing.erase([EVA, PHONE]).then(given => { id = given })
      await until(() => left <= 0 || id !== undefined, 'killed')
      await until(() => left <= 0, 'killed')
      await real!.close()
      await start()
      const orders = await started.bridge.erasing.receipts()
      const open = await started.store.run(tx => tx.remembered('erasing'))
      if (open.length + orders.length === 0) continue // the order was not on disk, so nobody was told that it began
      await until(async () => (await started.bridge.erasing.receipts()).length === 1 &&
        (await started.store.run(tx => tx.remembered('erasing'))).length === 0, `done after ${jobs}`)
      await started.store.compact()
      isClean()
    }
  })
})
