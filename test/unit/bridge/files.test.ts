import assert from 'node:assert/strict'
import { Readable } from 'node:stream'
import { FILE_MS_MAX, HELD_BY_ALL_MS, HELD_BY_ONE_MS } from '../../../src/bridge/files'
import { Refused, Unavailable } from '../../../src/model/errors'
import type { Attachment } from '../../../src/model/message'
import type { Media } from '../../../src/model/network'
import { plain } from '../../../src/model/text'
import { makePractice, until, type Practice } from '../../support/practice'
import { quickClock } from '../../support/quick'
import { mirrorOf, startBridge, type Started } from '../../support/started'

const FACTOR = 20
const SLACK_MS = 60_000 // for a slow machine, on this clock
const MIRROR = mirrorOf(['red', 'room'], ['blue', 'hall'])

describe('files on their way', () => {
  let red: Practice, blue: Practice
  let started: Started
  const clock = quickClock(FACTOR)

  beforeEach(async () => {
    [red, blue] = [makePractice('red'), makePractice('blue')]
    started = await startBridge([red, blue], [MIRROR], { clock })
  })
  afterEach(async () => {
    await started.stop()
    assert.deepEqual(started.bugs, [])
  })

  const file = (name: string, ref = `red://host/${name}`): Attachment => ({ kind: 'image', name, mime: 'image/png', at: { network: 'red', ref } })
  const share = (name: string, sender = 'anna', text = ''): Promise<unknown> => red.say('room', sender, text, {
    content: { style: 'text', text: [], file: file(name) }
  })
  const hang = (_: unknown, signal: AbortSignal): Promise<void> => new Promise((_resolve, reject) => {
    signal.addEventListener('abort', () => reject(signal.reason as Error))
  })
  const named = ({ action }: { action: object }, name: string): boolean => JSON.stringify(action).includes(name)
  const blueReads = (): string[] => blue.read('hall').map(line => line.replace(/https:\/\/files\S+/, 'LINK')
    .replace(' (The file could not be fetched just now. This link may work later.)', ', LATER'))
  const redReads = (): string[] => red.read('room')

  it('come as they are, with words behind them in order', async () => {
    let inTime = 0
    blue.onUpload = async () => { inTime++; await new Promise(resolve => setTimeout(resolve, 5)) }
    await share('a.png')
    await red.say('room', 'bernd', 'schön')
    await until(() => blue.delivered.length === 2)
    assert.equal(inTime, 1)
    assert.ok(blue.delivered[0]!.action.kind === 'message' && blue.delivered[0]!.action.content.file?.name === 'a.png')
    assert.deepEqual(redReads(), [])
  })

  it('that hang hold up nobody for more than their bound: a link stands in their place, in order, and the writer hears why', async () => {
    blue.onUpload = hang
    const began = clock.tick()
    for (let n = 0; n < 20; n++) await share(`dead${n}.png`)
    await red.say('room', 'bernd', 'Und jetzt?')
    await until(() => blue.delivered.length === 21)
    const took = clock.tick() - began
    assert.ok(took >= FILE_MS_MAX && took < HELD_BY_ONE_MS + SLACK_MS, `${took} ms`)
    assert.deepEqual(blueReads(), [...Array.from({ length: 20 }, (_, n) => `anna (red): dead${n}.png: LINK, LATER`), 'bernd (red): Und jetzt?'])
    await until(() => redReads().length === 20)
    assert.ok(redReads().includes('*: The file “dead7.png” could not be fetched: its server does not answer. There is a link in its place.'))
  })

  it('of many people hold up a place for no more than its bound', async () => {
    blue.onUpload = hang
    const began = clock.tick()
    for (let n = 0; n < 30; n++) await share(`dead${n}.png`, `stranger${n}`)
    await red.say('room', 'bernd', 'Und jetzt?')
    await until(() => blue.delivered.length === 31)
    const took = clock.tick() - began
    assert.ok(took < HELD_BY_ALL_MS + SLACK_MS, `${took} ms`)
  })

  it('that come slowly, one after another, are no way around it', async () => {
    blue.onUpload = (_, signal) => Promise.race([hang(_, signal), new Promise<void>(resolve => setTimeout(resolve, FILE_MS_MAX * 0.9 / FACTOR))])
    const began = clock.tick()
    for (let n = 0; n < 30; n++) await share(`slow${n}.png`)
    await red.say('room', 'bernd', 'Und jetzt?')
    await until(() => blue.delivered.length === 31)
    assert.ok(clock.tick() - began < HELD_BY_ONE_MS + SLACK_MS, `${clock.tick() - began} ms`)
  })

  it('that are gone, too large or cannot be fetched become a line, and the writer is told which', async () => {
    const troubles = { 'gone.png': 'gone', 'large.png': 'large', 'inside.png': 'forbidden', 'other.png': 'broken' } as const
    blue.onUpload = delivery => {
      for (const [name, trouble] of Object.entries(troubles)) if (named(delivery, name)) throw new Refused('no', trouble)
    }
    for (const name of Object.keys(troubles)) await share(name)
    await until(() => blue.delivered.length === 4 && red.delivered.length === 4)
    assert.deepEqual(blueReads(), Object.keys(troubles).map(name => `anna (red): [The file “${name}” could not be fetched.]`))
    assert.deepEqual(redReads(), [
      '*: The file “gone.png” could not be fetched: it is not there (any more). Only its name was passed on.',
      '*: The file “large.png” is too large. Only its name was passed on.',
      '*: The file “inside.png” could not be fetched: its link leads to no public address. Only its name was passed on.',
      '*: The file “other.png” could not be decrypted: it was changed on its way, or its key or checksum is missing. Only its name was passed on.'
    ])
  })

  it('that do not come leave their words, and a link in their place', async () => {
    await started.stop()
    ;[red, blue] = [makePractice('red'), makePractice('blue', { captions: true })]
    started = await startBridge([red, blue], [MIRROR], { clock })
    blue.onUpload = () => { throw new Refused('M_TOO_LARGE') }
    const content = { style: 'text', text: plain('Das Tro'), file: file('a.png') } as const
    await red.say('room', 'anna', '', { content, key: 'pic' })
    await until(() => blue.delivered.length === 1)
    assert.deepEqual(blueReads(), ['anna (red): Das Tro\na.png: LINK, LATER'])
    const sender = { id: 'anna', name: 'anna' }
    await red.inbox.accept({ kind: 'edit', key: 'e', of: 'pic', place: MIRROR.places[0]!.place, at: 1, sender,
      content: { ...content, text: plain('Das Tor') } })
    await until(() => blue.delivered.length === 2)
    const { action } = blue.delivered[1]!
    assert.ok(action.kind === 'edit' && action.content.file?.kept === true, 'a file that is there is not fetched again')
  })

  it('that the destination does not take become links', async () => {
    blue.onUpload = () => { throw new Refused('M_TOO_LARGE') }
    await share('a.png')
    await until(() => blue.delivered.length === 1 && red.delivered.length === 1)
    assert.deepEqual(blueReads(), ['anna (red): a.png: LINK, LATER'])
    assert.deepEqual(redReads(), ['*: The file “a.png” was not taken at its destination. There is a link in its place.'])
  })

  it('wait for a destination that is down, as all else does', async () => {
    let tries = 0
    blue.onUpload = () => { if (++tries < 4) throw new Unavailable('down', { disconnected: true, retryAfterMs: 100 }) }
    await share('a.png')
    await red.say('room', 'anna', 'hier')
    await until(() => blue.delivered.length === 2)
    assert.deepEqual(blue.read('hall'), ['anna (red): a.png', 'anna (red): hier'])
    assert.deepEqual(redReads(), [])
  })

  it('are reported to their writer once, however many places there are', async () => {
    await started.stop()
    const green = makePractice('green')
    ;[red, blue] = [makePractice('red'), makePractice('blue')]
    started = await startBridge([red, blue, green], [mirrorOf(['red', 'room'], ['blue', 'hall'], ['green', 'den'])], { clock })
    blue.onUpload = green.onUpload = () => { throw new Refused('no', 'gone') }
    await share('a.png')
    await red.say('room', 'anna', 'hier')
    await until(() => blue.delivered.length === 2 && green.delivered.length === 2)
    assert.equal(redReads().length, 1)
  })

  it('have names that cannot write lines', async () => {
    blue.onUpload = () => { throw new Refused('no', 'gone') }
    await share('a.png\nBernd (red): Ja\u202E')
    await until(() => blue.delivered.length === 1)
    assert.deepEqual(blueReads(), ['anna (red): [The file “a.png Bernd (red): Ja.png” could not be fetched.]'])
  })

  it('stay words after a restart, once they have become words', async () => {
    blue.onUpload = () => { throw new Refused('no', 'gone') }
    let tries = 0
    blue.onSend = () => { tries++; throw new Unavailable('down', { disconnected: true }) }
    await share('a.png')
    await until(() => tries > 0 && redReads().length === 1)
    await started.store.close() // as a crash
    const { path } = started
    ;[red, blue] = [makePractice('red'), makePractice('blue')]
    started = await startBridge([red, blue], [MIRROR], { clock, path })
    await until(() => blue.delivered.length === 1)
    assert.deepEqual(blueReads(), ['anna (red): [The file “a.png” could not be fetched.]'])
    assert.deepEqual(redReads(), [])
  })

  it('go out with our link where the network takes that too, and what hangs holds it up no longer', async () => {
    blue.can.files = 'link'
    blue.onUpload = async (_, signal) => named(_, 'slow') ? await hang(_, signal) : Promise.reject(new Refused('no place for it'))
    await share('refused.png')
    await share('slow.png')
    await until(() => blue.delivered.length === 2)
    assert.deepEqual(blue.delivered.map(({ action }) => action.kind === 'message' && action.content.file?.name), ['refused.png', 'slow.png'])
    assert.deepEqual(redReads(), [], 'nothing is missing')
  })

  it('are words, and no link, where the network takes our link but nothing is behind it; their writer is told', async () => {
    blue.can.files = 'link'
    blue.onUpload = async () => Promise.reject(new Refused('gone', 'gone'))
    await share('gone.png')
    await until(() => blue.delivered.length === 1)
    assert.deepEqual(blueReads(), ['anna (red): [The file “gone.png” could not be fetched.]'])
    await until(() => redReads().length === 1)
    assert.deepEqual(redReads(), ['*: The file “gone.png” could not be fetched: it is not there (any more). Only its name was passed on.'])
  })

  it('behind links are tried before: what is gone has none in group chats and on phones either, and its writer is told', async () => {
    await started.stop()
    const phone = makePractice('phone', { ghosts: false, formatting: false, files: 'text', edits: false, deletions: false })
    ;[red, blue] = [makePractice('red'), makePractice('blue', { files: 'link' })]
    blue.onUpload = async () => 'left' as const
    delete phone.upload
    const open: Media['open'] = async ({ at: { ref } }, signal) => {
      if (ref.includes('gone')) throw new Refused('no', 'gone')
      if (ref.includes('slow')) await hang(undefined, signal)
      return { stream: Readable.from(['x']), mime: 'image/png' }
    }
    const mirror = mirrorOf(['red', 'room'], ['blue', 'hall'], ['phone', 'us/max', { max: 'Max' }])
    started = await startBridge([red, blue, phone], [mirror], { clock, open })
    const said = (): string[] => [blue.read('hall').at(-1)!, phone.read('us/max').at(-1)!].map(line => line.replace(/https:\S+/, 'LINK'))
    const both = async (count: number): Promise<void> => until(() => blue.delivered.length === count && phone.delivered.length === count, `${count}`)
    await share('a.png')
    await both(1)
    assert.deepEqual(said(), ['anna (red): LINK', 'anna (red): anna (red): a.png: LINK'])
    assert.deepEqual(redReads(), [])
    await share('gone.png')
    await both(2)
    const instead = '[The file “gone.png” could not be fetched.]'
    assert.deepEqual(said(), [`anna (red): ${instead}`, `anna (red): anna (red): ${instead}`])
    await until(() => redReads().length === 1)
    const began = clock.tick()
    await share('slow.png')
    await both(3)
    assert.deepEqual(said(), ['anna (red): LINK', 'anna (red): anna (red): slow.png: LINK'], 'it may come later')
    assert.ok(clock.tick() - began < FILE_MS_MAX, 'nobody waits long for that')
    const file: Attachment = { kind: 'image', name: 'b.png', mime: 'image/png', at: { network: 'red', ref: 'red://host/b.png' } }
    const more = ['gone1', 'gone2'].map(ref => ({ ...file, name: `${ref}.png`, at: { ...file.at, ref } }))
    await red.say('room', 'anna', '', { content: { style: 'text', text: plain('Drei'), file, more } })
    await until(() => phone.delivered.length === 4 && blue.delivered.length === 7)
    assert.equal(phone.read('us/max').at(-1)!.replace(/https:\S+/, 'LINK'), 'anna (red): anna (red): Drei\nb.png: LINK\n' +
    '[The file “gone1.png” could not be fetched.]\n[The file “gone2.png” could not be fetched.]')
    await until(() => redReads().length === 2)
    assert.equal(redReads()[0], '*: The file “gone.png” could not be fetched: it is not there (any more). Only its name was passed on.')
  })
})
