import assert from 'node:assert/strict'
import { join } from 'node:path'
import { CRASHES_MAX } from '../../../src/bridge/deliver'
import { Refused, Unavailable } from '../../../src/model/errors'
import type { Content, Sender } from '../../../src/model/message'
import { plain, toPlain } from '../../../src/model/text'
import { PARTS_MAX } from '../../../src/plan/say'
import { addressOn, agent } from '../../support/address'
import { makePractice, until, type Practice } from '../../support/practice'
import { temporaryFolder } from '../../support/folder'
import { mirrorOf, startBridge, type Started } from '../../support/started'

describe('the path of a message', () => {
  let red: Practice, blue: Practice, phone: Practice
  let started: Started

  const PHONE = {
    ghosts: false, formatting: false, files: 'text', edits: false, deletions: false, afterCrash: 'park', textBytesMax: 200
  } as const
  const MIRROR = mirrorOf(['red', 'room'], ['blue', 'hall'], ['phone', 'us/max', { max: 'Max' }], ['phone', 'us/eva', { eva: 'Eva' }])

  beforeEach(async () => {
    [red, blue, phone] = [makePractice('red'), makePractice('blue', { window: 8 }), makePractice('phone', PHONE)]
    started = await startBridge([red, blue, phone], [MIRROR])
  })
  afterEach(async () => {
    await started.stop()
    assert.deepEqual(started.bugs, [])
  })

  it('carries what is said in one place to every other place, once, and never back', async () => {
    await red.say('room', 'anna', 'Grüße 😀')
    await until(() => blue.delivered.length === 1 && phone.delivered.length === 2)
    assert.deepEqual(blue.read('hall'), ['anna (red): Grüße 😀'])
    assert.deepEqual(phone.read('us/max'), ['anna (red): anna (red): Grüße 😀'])
    assert.deepEqual(red.delivered, [])
  })

  it('carries whom it calls to where they are, and to phones only their name', async () => {
    const mentions = [{ who: { network: 'blue', id: 'bernd' }, as: 'Bernd' }]
    await red.say('room', 'anna', 'Bernd: hallo', { mentions })
    await until(() => blue.delivered.length === 1 && phone.delivered.length === 2)
    const called = (network: Practice): unknown[] => network.delivered.map(({ action }) => 'mentions' in action ? action.mentions : undefined)
    assert.deepEqual([called(blue), called(phone)], [[mentions], [undefined, undefined]])
    assert.deepEqual(phone.read('us/max'), ['anna (red): anna (red): Bernd: hallo'])
  })

  it('says what a member texts under the name that the config gives, to the other members too', async () => {
    await phone.say('us/max', 'max', 'bin da', { direct: true })
    await until(() => red.delivered.length === 1 && blue.delivered.length === 1 && phone.delivered.length === 1)
    assert.deepEqual(red.read('room'), ['Max (phone): bin da'])
    assert.deepEqual(phone.read('us/eva'), ['Max (phone): Max (phone): bin da'])
  })

  it('opens a mirror that has come into the config while it runs; what waits elsewhere is not disturbed', async () => {
    let goOn = (): void => {}
    blue.onSend = () => new Promise(resolve => { goOn = () => resolve() })
    await red.say('room', 'anna', 'under way')
    await started.bridge.renew([], [mirrorOf(['red', 'yard'], ['blue', 'shed'])])
    assert.deepEqual([red.attended.at(-1), blue.attended.at(-1)], [{ network: 'red', id: 'yard' }, { network: 'blue', id: 'shed' }])
    blue.onSend = () => {}
    await blue.say('shed', 'bernd', 'new here', { at: Date.now() })
    await until(() => red.read('yard').includes('bernd (blue): new here'))
    goOn()
    await until(() => blue.read('hall').length === 1)
    assert.deepEqual([blue.read('hall'), blue.delivered.length], [['anna (red): under way'], 1])
  })

  it('takes an arrival with the same key once', async () => {
    assert.equal(await red.say('room', 'anna', 'one', { key: 'k' }), 'stored')
    assert.equal(await red.say('room', 'anna', 'one', { key: 'k' }), 'seen')
    await red.say('room', 'anna', 'two')
    await until(() => blue.delivered.length === 2)
    assert.deepEqual(blue.read('hall'), ['anna (red): one', 'anna (red): two'])
  })

  it('says a message that is too long for one place in the others, or in parts where these are enough, and tells its writer', async () => {
    await started.stop()
    const [red, blue, phone] = [makePractice('red'), makePractice('blue', { textBytesMax: 1000 }), makePractice('phone', { textBytesMax: 100 })]
    started = await startBridge([red, blue, phone], [mirrorOf(['red', 'room'], ['blue', 'hall'], ['phone', 'max'])])
    const words = Array.from({ length: 1000 }, (_, index) => `w${index}`).join(' ')
    await red.say('room', 'anna', words)
    await until(() => blue.read('hall').at(-1)?.endsWith(' w999') === true && red.delivered.length === 1)
    assert.equal(blue.read('hall').map(line => line.replace('anna (red): ', '')).join(' '), words)
    assert.match(red.read('room')[0]!, /^\*: Not delivered to phone: “w0 w1 .*…” \(too long\)$/)
    assert.deepEqual(phone.delivered, [])
    await red.say('room', 'anna', `${'x'.repeat(99)} `.repeat(PARTS_MAX).trim())
    await until(() => phone.delivered.length === PARTS_MAX)
  })

  it('tells the writer where they wrote when a destination refuses, and goes on', async () => {
    blue.onSend = ({ action }) => { if (JSON.stringify(action).includes('bad')) throw new Refused('never') }
    await red.say('room', 'anna', 'bad')
    await red.say('room', 'anna', 'good')
    await until(() => red.delivered.length === 1 && blue.delivered.length === 1)
    assert.deepEqual(red.read('room'), ['*: Not delivered to blue: “bad” (refused by the destination)'])
    assert.deepEqual(blue.read('hall'), ['anna (red): good'])
    assert.equal((await started.bridge.queue.list('failed')).length, 1)
  })

  it('tells whoever takes a message back where it stays, if it cannot be taken back there', async () => {
    blue.onSend = ({ action }) => { if (action.kind === 'deletion') throw new Refused('not allowed') }
    await red.say('room', 'anna', 'oops', { key: 'm1' })
    await until(() => blue.delivered.length === 1)
    await until(async () => (await started.store.run(tx => tx.depth())).length === 0)
    const place = { network: 'red', id: 'room' }
    await red.inbox.accept({ kind: 'deletion', key: 'd1', of: 'm1', place, at: 1, sender: { id: 'anna', name: 'anna' } })
    await until(() => red.delivered.length > 1)
    assert.deepEqual(red.read('room').sort(), ['blue', 'Max (phone), Eva (phone)']
      .map(where => `*: Deleted here, but not everywhere: the message is still there for ${where}.`).sort())
  })

  it('never makes a notice about a notice', async () => {
    blue.onSend = red.onSend = () => { throw new Refused('never') }
    await red.say('room', 'anna', 'bad')
    await until(async () => (await started.bridge.queue.list('failed')).length === 2)
    assert.equal((await started.bridge.queue.list('waiting')).length, 0)
  })

  it('goes by its own clock, whatever time a source claims', async () => {
    const began = Date.now()
    for (const [index, at] of [8.64e15, 0, -1e15, began + 3.6e6].entries()) await red.say('room', 'anna', `n${index}`, { at })
    await until(() => blue.delivered.length === 4)
    assert.deepEqual(blue.read('hall'), ['n0', 'n1', 'n2', 'n3'].map(text => `anna (red): ${text}`))
    assert.ok(blue.delivered.every(({ at }) => at <= Date.now()), 'nothing was said later than now')
  })

  it('survives being cut off: what was accepted is delivered after the restart, what was under way is sent with the same key', async () => {
    const keys: string[] = []
    blue.onSend = delivery => { keys.push(delivery.key); return new Promise(() => {}) }
    phone.onSend = () => new Promise(() => {})
    await red.say('room', 'anna', 'one')
    await red.say('room', 'anna', 'two')
    await until(() => keys.length === 2)
    await started.store.close() // as a crash: nothing is put back
    const { path } = started
    const [red2, blue2, phone2] = [makePractice('red'), makePractice('blue'), makePractice('phone', PHONE)]
    started = await startBridge([red2, blue2, phone2], [MIRROR], { path })
    await until(() => blue2.delivered.length === 2 && red2.delivered.length === 2 && phone2.delivered.length === 2)
    assert.deepEqual(blue2.read('hall'), ['anna (red): one', 'anna (red): two'])
    assert.deepEqual(blue2.delivered.map(({ key, attempt }) => [key, attempt]), keys.map(key => [key, 2]))
    // where a second try could be a second message, a person decides and the writer is told; what was not begun is sent
    assert.equal((await started.bridge.queue.list('unknown')).length, 2)
    assert.match(red2.read('room')[0]!, /Perhaps not delivered to (Max|Eva) \(phone\): “one”/)
    assert.match(phone2.read('us/max')[0]!, /two/)
  })

  it('leaves a delivery that was cut off ten times to a person, and only that one: those after it are delivered', async () => {
    const mirror = mirrorOf(['red', 'room'], ['wide', 'hall'])
    const { path } = started
    const delivered: string[] = []
    for (let run = 0; run <= CRASHES_MAX; run++) {
      await started.store.close() // as a crash: nothing is put back
      const wide = makePractice('wide', { window: 16 })
      const red2 = makePractice('red')
      let dead = false
      wide.onSend = ({ action }) => {
        const text = action.kind === 'message' ? toPlain(action.content.text) : ''
        dead ||= text === 'two'
        if (!dead) delivered.push(text)
        return dead ? new Promise<void>(() => {}) : undefined
      }
      started = await startBridge([red2, wide], [mirror], { path })
      if (run === 0) for (const text of ['one', 'two', 'three', 'four']) await red2.say('room', 'anna', text, { at: Date.now() })
      if (run < CRASHES_MAX) await until(() => dead)
      else await until(() => ['three', 'four'].every(text => delivered.includes(text)) && red2.read('room').length === 1)
    }
    assert.deepEqual((await started.bridge.queue.list('unknown')).map(({ delivery: { action } }) =>
      action.kind === 'message' && toPlain(action.content.text)), ['two'])
  })

  it('ends everything for a number that sends STOP, tells the others, and returns with START', async () => {
    await phone.say('us/max', 'max', 'Stopp!', { direct: true })
    await red.say('room', 'anna', 'hello')
    await until(() => red.delivered.length === 1 && blue.delivered.length === 2 && phone.delivered.length === 2)
    assert.deepEqual(red.read('room'), ['*: Max gets no more messages (STOP).'])
    assert.deepEqual(phone.read('us/max'), ['*: You will get no more messages from us. Send START to get them again.'])
    assert.deepEqual(phone.read('us/eva'), ['anna (red): anna (red): hello'])
    await phone.say('us/max', 'max', 'stop', { direct: true })
    await phone.say('us/max', 'max', 'Start', { direct: true })
    await red.say('room', 'anna', 'again')
    await until(() => phone.read('us/max').length === 3)
    assert.deepEqual(phone.read('us/max').slice(1), ['*: You get messages from us again. Send STOP to end them.', 'anna (red): anna (red): again'])
  })

  it('ends everything for a person of a mirror who corrects their own message into STOP', async () => {
    const corrects = (sender: string, key: string): Promise<unknown> => phone.inbox.accept({
      kind: 'edit', key, of: 'slip', place: { network: 'phone', id: 'us/max' }, at: 1_700_000_000_000,
      sender: { id: sender, name: sender }, content: { style: 'text', text: plain('STOP') }
    })
    await phone.say('us/max', 'max', 'Stpo', { direct: true, key: 'slip' })
    await corrects('mallory', 'not theirs')
    await corrects('max', 'theirs')
    await red.say('room', 'anna', 'hello')
    await until(() => red.delivered.length === 2 && phone.read('us/eva').length > 1 && phone.read('us/max').length > 0)
    assert.deepEqual(red.read('room'), ['Max (phone): Stpo', '*: Max gets no more messages (STOP).'])
    assert.deepEqual(phone.read('us/max'), ['*: You will get no more messages from us. Send START to get them again.'])
  })

  it('does not take "Stopp, ich komme später" for an end', async () => {
    await phone.say('us/max', 'max', 'Stopp, ich komme später', { direct: true })
    await until(() => red.delivered.length === 1)
    assert.deepEqual(red.read('room'), ['Max (phone): Stopp, ich komme später'])
  })

  it('answers an unknown number with nothing and shows it to the operator', async () => {
    await phone.say('us/otto', 'otto', 'hallo?', { direct: true })
    assert.deepEqual((await started.bridge.queue.unrouted()).map(({ place }) => place), ['us/otto'])
    assert.equal(phone.delivered.length, 0)
  })

  it('edits where that is possible, only for the same person, and says it again with a star elsewhere', async () => {
    await red.say('room', 'anna', 'helo', { key: 'first' })
    const edit = { kind: 'edit', of: 'first', place: { network: 'red', id: 'room' }, at: 1 } as const
    await red.inbox.accept({ ...edit, key: 'e1', sender: { id: 'mallory', name: 'anna' }, content: { style: 'text', text: [] } })
    await red.inbox.accept({
      ...edit, key: 'e2', sender: { id: 'anna', name: 'anna' },
      content: { style: 'text', text: [{ kind: 'paragraph', of: [{ kind: 'text', text: 'hello' }] }] }
    })
    await until(() => blue.delivered.length === 2 && phone.delivered.length === 4)
    assert.deepEqual(blue.delivered[1]?.target, [`blue-${blue.delivered[0]?.key}`])
    assert.deepEqual(phone.read('us/max')[1], 'anna (red): anna (red): * hello')
    await red.inbox.accept({ ...edit, kind: 'deletion', key: 'd', sender: { id: 'anna', name: 'anna' } })
    await until(() => blue.delivered.length === 3)
    assert.equal(blue.delivered[2]?.action.kind, 'deletion')
  })

  it('lets somebody change and take back what they said under another nick, and says it anew if they are somebody else there', async () => {
    const place = { network: 'red', id: 'room' }
    const [hanna, since, eva] = ['hanna', 'hanna b', 'eva'].map(name => ({ id: `room/${name}`, name })) as [Sender, Sender, Sender]
    const changes = async (of: string, sender: Sender, text?: string, vouched = true): Promise<unknown> => {
      const about = { of, place, at: 1, sender, ...vouched && { theirs: true as const } }
      return await red.inbox.accept(text === undefined ? { kind: 'deletion', key: `back ${of}`, ...about }
        : { kind: 'edit', key: text, ...about, content: { style: 'text', text: plain(text) } })
    }
    const said = (count: number): Promise<void> => until(() => blue.delivered.length === count, `${count} at blue`)
    await red.say('room', '', 'at nine', { key: 'by nick', sender: hanna })
    await red.say('room', '', 'at one', { key: 'openly', sender: { ...eva, address: 'eva@host' } })
    await said(2)
    await changes('by nick', since, 'whose?', false)
    await changes('by nick', since, 'at ten')
    await said(3)
    await changes('openly', { id: 'room/eva b', name: 'eva b', address: 'eva@host' }, 'at two')
    await said(4)
    assert.deepEqual(blue.read('hall').slice(2), ['hanna b (red): * at ten', 'eva b (red): at two'])
    assert.deepEqual(blue.delivered.map(({ action }) => action.kind), ['message', 'message', 'message', 'edit'])
    await changes('by nick', since)
    await said(6)
    assert.deepEqual(blue.delivered.slice(4).map(({ as, action }) => [as?.name, action.kind]),
      [['hanna (red)', 'deletion'], ['hanna b (red)', 'deletion']], 'each as whoever it is there')
  })

  it('takes back only what a correction has left', async () => {
    const file = { kind: 'image', name: 'a.png', mime: 'image/png', at: { network: 'red', ref: 'f' } } as const
    const content: Content = { style: 'text', text: plain('helo'), file }
    await red.say('room', 'anna', '', { key: 'first', content })
    await until(() => blue.delivered.length === 2)
    const change = { of: 'first', place: { network: 'red', id: 'room' }, at: 1, sender: { id: 'anna', name: 'anna' } }
    await red.inbox.accept({ kind: 'edit', key: 'e', ...change, content: { style: 'text', text: [], file } })
    await red.inbox.accept({ kind: 'edit', key: 'e2', ...change, content: { style: 'text', text: plain('back'), file } })
    await red.inbox.accept({ kind: 'deletion', key: 'd', ...change })
    await red.say('room', 'anna', 'last')
    await until(() => blue.read('hall').at(-1) === 'anna (red): last')
    assert.deepEqual(blue.read('hall').slice(0, -1), [
      'anna (red): helo', 'anna (red): a.png', 'anna (red): (deleted)', 'anna (red): * back', 'anna (red): (deleted)', 'anna (red): (deleted)'
    ])
    const [words, picture, , back] = blue.delivered.map(({ key }) => key)
    assert.deepEqual(blue.delivered.flatMap(({ action }) => action.kind === 'deletion' ? action.of : []), [words, picture, back])
  })

  it('removes elsewhere what a moderator removed where it was said, in its writer\'s name, and believes nobody else', async () => {
    await red.say('room', 'anna', 'unsäglich', { key: 'first' })
    const deletion = { kind: 'deletion', of: 'first', at: 1, sender: { id: 'eva', name: 'eva' } } as const
    await red.inbox.accept({ ...deletion, key: 'd1', place: { network: 'red', id: 'room' } })
    await blue.inbox.accept({ ...deletion, key: 'd2', place: { network: 'blue', id: 'hall' }, moderated: true })
    await red.inbox.accept({ ...deletion, key: 'd3', place: { network: 'red', id: 'room' }, moderated: true })
    await red.say('room', 'anna', 'Ende')
    await until(() => blue.delivered.length === 3)
    assert.deepEqual(blue.read('hall'), ['anna (red): unsäglich', 'anna (red): (deleted)', 'anna (red): Ende'])
  })

  it('tells the writer once when a part is reported lost, also if the report comes before the answer to the send', async () => {
    let release = (): void => {}
    phone.onSend = ({ place: { id } }) => id === 'us/max' ? new Promise(resolve => { release = resolve }) : undefined
    await red.say('room', 'anna', 'hello')
    await until(() => phone.delivered.length === 1)
    const row = (await started.bridge.queue.show(2))!
    const place = { network: 'phone', id: 'us/max' }
    const of = ['odd', `phone-${row.delivery.key}`]
    await phone.inbox.accept({ kind: 'receipt', key: 'r1', place, at: 1, of, outcome: 'failed', detail: 'EXPIRED' })
    release()
    await until(() => red.delivered.length === 1)
    await phone.inbox.accept({ kind: 'receipt', key: 'r2', place, at: 1, of: [`phone-${row.delivery.key}`], outcome: 'failed' })
    assert.deepEqual(red.read('room'), ['*: Not delivered to Max (phone): “hello” (EXPIRED)'])
    assert.equal((await started.bridge.queue.list('waiting')).length, 0)
  })

  it('gives files as the network can take them: the file, our link as a file, our link as text', async () => {
    const file = { kind: 'image', name: 'Bild.JPG', mime: 'image/jpeg', at: { network: 'red', ref: 'x' } } as const
    await red.say('room', 'anna', '', { content: { style: 'text', text: [], file }, key: 'pic' })
    await until(() => blue.delivered.length === 1 && phone.delivered.length === 2)
    assert.deepEqual(blue.read('hall'), ['anna (red): Bild.JPG'])
    assert.match(phone.read('us/max')[0]!, /^anna \(red\): anna \(red\): Bild\.JPG: https:\/\/files\.example\.org\/media\/[\w-]{20}\.jpg$/)
  })

  it('refuses at the door when too much waits, and takes again when it has drained', async () => {
    await started.stop()
    const [one, two] = [makePractice('red'), makePractice('blue')]
    started = await startBridge([one, two], [mirrorOf(['red', 'room'], ['blue', 'hall'])],
      { limits: { queueMax: 6, linkMs: 1, keepMs: 86_400_000, drainMs: 1000 } })
    let release = (): void => {}
    const blocked = new Promise<void>(resolve => { release = resolve })
    two.onSend = () => blocked
    const texts = ['a', 'b', 'c', 'd', 'e', 'f']
    const say = (text: string): Promise<boolean> => one.say('room', 'anna', text, { key: text }).then(() => true, (error: unknown) => {
      assert.ok(error instanceof Unavailable && error.crowded)
      return false
    })
    assert.deepEqual(await Promise.all(texts.map(say)), [true, true, true, false, false, false]) // counted before they are stored
    release()
    for (const text of texts) await until(() => say(text))
    await until(() => two.delivered.length === texts.length)
    assert.deepEqual(two.read('hall'), texts.map(text => `anna (red): ${text}`))
  })

  it('takes what comes again together bit by bit, past what it has seen already', async () => {
    await started.stop()
    const [one, two] = [makePractice('red'), makePractice('blue')]
    started = await startBridge([one, two], [mirrorOf(['red', 'room'], ['blue', 'hall'])],
      { limits: { queueMax: 6, linkMs: 1, keepMs: 86_400_000, drainMs: 1000 } })
    const texts = Array.from({ length: 20 }, (_, n) => String(n))
    await until(async () =>
      (await Promise.allSettled(texts.map(text => one.say('room', 'anna', text, { key: text })))).every(({ status }) => status === 'fulfilled'))
    await until(() => two.delivered.length === texts.length)
    assert.deepEqual(two.read('hall'), texts.map(text => `anna (red): ${text}`))
  })

  it('leaves room for others however much comes from one place, and remembers over a restart how much that was', async () => {
    await started.stop()
    const [one, two] = [makePractice('red'), makePractice('blue')]
    const mirrors = ['', '2', '3'].map(n => mirrorOf(['red', `room${n}`], ['blue', `hall${n}`]))
    const options = { path: join(temporaryFolder(), 'full.db'), limits: { queueMax: 8, linkMs: 1, keepMs: 86_400_000, drainMs: 1 } }
    started = await startBridge([one, two], mirrors, options)
    two.onSend = () => new Promise(() => {})
    const fill = async (room: string): Promise<number> => {
      for (let count = 0; ; count++) if (!await one.say(room, 'anna', 'x').then(() => true, () => false)) return count
    }
    assert.deepEqual([await fill('room'), await fill('room2'), await fill('room3')], [4, 2, 1])
    await started.stop()
    const [red, blue] = [makePractice('red'), makePractice('blue')]
    blue.onSend = () => new Promise(() => {})
    started = await startBridge([red, blue], mirrors, options)
    await assert.rejects(red.say('room', 'anna', 'x', { key: 'new' }), Unavailable)
    await assert.rejects(red.say('room3', 'anna', 'x', { key: 'newer' }), Unavailable)
  })

  it('leaves room for mirrors and teams however many strangers write, to an address that is slow', async () => {
    await started.stop()
    const [one, two] = [makePractice('red'), makePractice('blue')]
    const limits = { queueMax: 100, linkMs: 1, keepMs: 86_400_000, drainMs: 1 }
    const addresses = [addressOn(['red', 'blue'], [agent('Bernd', 'blue blue:bernd')])]
    started = await startBridge([one, two], [mirrorOf(['red', 'room'], ['blue', 'hall'])], { limits, addresses })
    two.onSend = () => new Promise(() => {})
    const write = (stranger: string): Promise<boolean> =>
      one.say(`werkstatt/${stranger}`, stranger, 'x', { direct: true, to: 'werkstatt' }).then(() => true, () => false)
    const taken: boolean[] = []
    for (let n = 0; n < 200; n++) taken.push(await write(`stranger${n}`))
    assert.ok(taken.includes(false), 'strangers are refused at last')
    assert.ok(taken.filter(yes => yes).length > 5)
    let mirrored = 0
    while (await one.say('room', 'anna', 'x').then(() => true, () => false)) mirrored++
    assert.ok(mirrored >= 20, `${mirrored}`)
  })

  it('counts the first try with what it accepts, where trying again is harmless, and apart where not', async () => {
    const commits: Record<string, number> = {}
    const before = started.store.commits()
    for (const network of [blue, phone]) network.onSend = ({ place }) => { commits[place.id] ??= started.store.commits() - before }
    await red.say('room', 'anna', 'hello')
    await until(() => blue.delivered.length === 1 && phone.delivered.length === 2)
    assert.equal(commits['hall'], 1)
    assert.ok(commits['us/max']! > 1)
  })

  it('tries a failed delivery again, or drops it, when the operator says so', async () => {
    blue.onSend = () => { throw new Refused('no') }
    await red.say('room', 'anna', 'hello')
    await until(async () => (await started.bridge.queue.list('failed')).length === 1)
    const [row] = await started.bridge.queue.list('failed')
    blue.onSend = () => {}
    assert.equal(await started.bridge.queue.retry(row!.id), true)
    await until(() => blue.delivered.length === 1)
    assert.equal(await started.bridge.queue.retry(row!.id), false)
    assert.equal(await started.bridge.queue.drop(row!.id), false)
  })
})
