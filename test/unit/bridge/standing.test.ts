import assert from 'node:assert/strict'
import { Refused, Unavailable } from '../../../src/model/errors'
import type { Standing } from '../../../src/model/message'
import { makePractice, until, type Practice } from '../../support/practice'
import { mirrorOf, startBridge, type Started } from '../../support/started'

describe('how a place stands to us', () => {
  let red: Practice, blue: Practice, phone: Practice
  let started: Started
  let told = 0

  const PHONE = { ghosts: false, formatting: false, files: 'text', edits: false, deletions: false, textBytesMax: 600 } as const
  const MIRROR = mirrorOf(['red', 'room'], ['blue', 'hall'], ['phone', 'us/max', { max: 'Max' }])
  const OUT = 'The connection to the room on red is paused, because Zentrale is no longer in it. ' +
    'For now, messages arrive in neither direction.'
  const ENCRYPTED = OUT.replace('Zentrale is no longer in it', 'that room is encrypted')
  const UNREAD = 'What was written before but could not be read yet does not arrive for now either.'
  const BACK = 'The connection to the room on red works again. What was written meanwhile arrives only now, or not at all.'
  const BACK_HERE = 'Zentrale connects this room with others again. What was written meanwhile arrives only now, or not at all.'

  const start = async (path?: string): Promise<void> => {
    [red, blue, phone] = [makePractice('red'), makePractice('blue'), makePractice('phone', PHONE)]
    started = await startBridge([red, blue, phone], [MIRROR], path === undefined ? {} : { path })
  }
  beforeEach(() => start())
  afterEach(async () => {
    await started.stop()
    assert.deepEqual(started.bugs, [])
  })

  const stands = (standing: Standing, key = `standing ${++told}`): Promise<'stored' | 'seen'> =>
    red.inbox.accept({ kind: 'standing', key, place: { network: 'red', id: 'room' }, at: Date.now(), standing })
  const phoneReads = (): string[] => phone.read('us/max')

  it('a place that has sent us out is neither heard nor spoken into, and everybody else is told once', async () => {
    assert.equal(await stands('out', 'kick'), 'stored')
    assert.equal(await stands('out', 'kick'), 'seen')
    assert.equal(await stands('out'), 'seen', 'the same is no news')
    await red.say('room', 'anna', 'among ourselves')
    await blue.say('hall', 'bernd', 'hello')
    await until(() => phone.delivered.length === 2)
    assert.deepEqual(phoneReads(), [`*: ${OUT}`, 'bernd (blue): bernd (blue): hello'])
    assert.deepEqual(blue.read('hall'), [`*: ${OUT}`])
    assert.deepEqual(red.delivered, [])
  })

  it('once it is back all goes on, everybody is told once, there too, and what was said meanwhile stays unsaid', async () => {
    await stands('out')
    await red.say('room', 'anna', 'among ourselves', { key: 'inside' })
    await blue.say('hall', 'bernd', 'hello')
    await stands('in')
    await stands('in')
    await red.say('room', 'anna', 'here you are again')
    await blue.say('hall', 'bernd', 'yes')
    await until(() => red.delivered.length === 2 && blue.delivered.length === 3)
    assert.deepEqual(red.read('room'), [`*: ${BACK_HERE}`, 'bernd (blue): yes'])
    assert.deepEqual(blue.read('hall'), [`*: ${OUT}`, `*: ${BACK}`, 'anna (red): here you are again'])
  })

  it('that is read again after a rest is said to bring late what was written meanwhile, or not at all: both may be', async () => {
    await stands('encrypted')
    await red.say('room', 'anna', 'in the clear', { key: 'meanwhile' })
    await until(() => blue.delivered.length === 1)
    await stands('sealed')
    await red.say('room', 'anna', 'in the clear', { key: 'meanwhile' }) // its room is read again from where we were
    await until(() => blue.delivered.length === 3)
    const [, back = '', ...late] = blue.read('hall')
    assert.deepEqual([back.startsWith(`*: ${BACK}`), late], [true, ['anna (red): in the clear']])
  })

  it('that has moved to another room lets go of the names of those who were known only by the old one, over a restart too', async () => {
    const says = async (id: string, name: string, address?: string): Promise<string | undefined> => {
      const before = blue.delivered.length
      await red.say('room', id, 'Hallo', { key: `said by ${id} ${before} ${told++}`, sender: { id, name, ...address !== undefined && { address } } })
      await until(() => blue.delivered.length > before)
      return blue.delivered.at(-1)?.as?.name
    }
    assert.equal(await says('old/Emil', 'Emil'), 'Emil (red)')
    assert.equal(await says('old/Rosa', 'Rosa', 'rosa@example.org'), 'Rosa (red)')
    assert.match(await says('new/Emil', 'Emil') ?? '', /^Emil ·\w{4} \(red\)$/)
    await started.stop()
    await start(started.path)
    const moved = { kind: 'standing', key: 'moved', place: { network: 'red', id: 'room' }, at: 1, standing: 'in', moved: 'new' } as const
    await red.inbox.accept(moved)
    await until(() => blue.delivered.length === 1)
    assert.equal(await says('new/Emil', 'Emil'), 'Emil (red)')
    assert.match(await says('new/Rosa', 'Rosa') ?? '', /^Rosa ·\w{4} \(red\)$/, 'whose address is known is still who they were')
    await started.stop()
    await start(started.path)
    assert.match(await says('old/Emil', 'Emil') ?? '', /^Emil ·\w{4} \(red\)$/)
  })

  it('that is encrypted so that we cannot read it hears of failures without a word of what was said', async () => {
    phone.onSend = () => { throw new Unavailable('later') }
    await red.say('room', 'anna', 'a secret of anna')
    await stands('encrypted')
    phone.onSend = ({ action }) => { if (action.kind === 'message') throw new Refused('no') }
    await until(() => red.read('room').some(line => line.includes('Not delivered')))
    assert.deepEqual(red.read('room').filter(line => line.includes('secret')), [])
    assert.ok(red.read('room').some(line => line.includes('Not delivered to Max (phone): “…”')), red.read('room').join('\n'))
  })

  it('survives a restart', async () => {
    await stands('out')
    await until(() => blue.delivered.length === 1)
    const { path } = started
    await started.stop()
    await start(path)
    assert.equal(await stands('out'), 'seen')
    await red.say('room', 'anna', 'among ourselves')
    await blue.say('hall', 'bernd', 'hello')
    await until(() => phoneReads().length === 1)
    assert.deepEqual([...red.delivered, ...blue.delivered], [])
    await stands('in')
    await until(() => blue.delivered.length === 1)
    assert.deepEqual(blue.read('hall'), [`*: ${BACK}`])
  })

  it('that is encrypted and that we read is carried on; all are told once, there too, that encryption ends here', async () => {
    await stands('sealed')
    await stands('sealed')
    await red.say('room', 'anna', 'good morning')
    await blue.say('hall', 'bernd', 'hello')
    await until(() => red.delivered.length === 2 && blue.delivered.length === 2 && phoneReads().length === 3)
    assert.match(red.read('room').join('\n'), /^\*: This room is encrypted\. Encryption ends at Zentrale.*\nbernd \(blue\): hello$/)
    assert.match(blue.read('hall').join('\n'), /^\*: The room on red is encrypted\. Encryption ends at Zentrale.*\nanna \(red\): good morning$/)
    await stands('encrypted')
    await stands('sealed')
    await until(() => blue.delivered.length === 4)
    assert.match(blue.read('hall').slice(2).join('\n'), new RegExp(`^\\*: ${ENCRYPTED} ${UNREAD}\n\\*: ${BACK} The room on red is encrypted`))
    assert.match(red.read('room')[2]!, new RegExp(`^\\*: This room is encrypted\\. .* ${UNREAD}$`))
    assert.equal(red.delivered.length, 4)
  })

  it('that has moved is told to everybody else once, also if we hear of it again', async () => {
    const moved = { kind: 'standing', key: 'moved', place: { network: 'red', id: 'room' }, at: 0, standing: 'in', moved: 'hall@new' } as const
    assert.deepEqual([await red.inbox.accept(moved), await red.inbox.accept(moved)], ['stored', 'seen'])
    await until(() => blue.delivered.length === 1 && phoneReads().length === 1)
    assert.deepEqual([blue.read('hall'), red.delivered], [['*: The room on red has moved. It is now hall@new.'], []])
  })

  it('what waited for it ends, and its writers are told', async () => {
    red.onSend = () => { throw new Unavailable('not in there') }
    await blue.say('hall', 'bernd', 'one')
    await blue.say('hall', 'bernd', 'two')
    await stands('out')
    await until(() => blue.delivered.length === 3)
    assert.deepEqual(blue.read('hall').sort(), [
      '*: Not delivered to red: “one” (the connection to it is paused)', '*: Not delivered to red: “two” (the connection to it is paused)',
      `*: ${OUT}`
    ])
    assert.equal((await started.bridge.queue.list('waiting')).length, 0)
  })

  it('no word of others goes into an encrypted place; people there are told once too', async () => {
    await stands('encrypted')
    await blue.say('hall', 'bernd', 'hello')
    await until(() => phone.delivered.length === 2 && red.delivered.length === 1)
    assert.deepEqual(blue.read('hall'), [`*: ${ENCRYPTED}`])
    assert.match(red.read('room')[0]!, /^\*: This room is encrypted\./)
    await stands('out')
    await stands('encrypted')
    await until(() => red.delivered.length === 2)
    assert.equal(blue.read('hall').length, 2, 'sent out of it: told already that it rests; in again: told that it is encrypted')
  })

  it('says nothing of a place that is in no mirror', async () => {
    const place = { network: 'red', id: 'elsewhere' }
    assert.equal(await red.inbox.accept({ kind: 'standing', key: 'else', place, at: 0, standing: 'out' }), 'seen')
    assert.deepEqual([...blue.delivered, ...red.delivered], [])
  })
})
